"""Run a trained autoencoder over many rows: arrays in, arrays out, in chunks."""

import numpy as np
import torch
from scipy.special import ndtri
from scipy.stats import qmc

from skvae._core.chunking import row_chunks
from skvae.objectives import gaussian_kl

# Rows that pass through the network at once: enough for products to run at full speed,
# and few enough for a layer of 512 units (8 MB) to stay in the cache.
PASS_ROWS = 2048


class Inference:
    """Arrays in, arrays out, for a trained autoencoder.

    Parameters
    ----------
    module : Autoencoder
        In float64 and evaluation mode.
    """

    def __init__(self, module):
        self.module = module
        self.device = next(module.parameters()).device

    def _tensor(self, array):
        # Torch warns of memory that may not be written, such as that of a DataFrame.
        array = np.require(array, requirements="W")
        return torch.as_tensor(array, dtype=torch.float64, device=self.device)

    def encode(self, matrix):
        """Return posterior means and log variances of encoded rows."""
        return self._in_passes(self.module.encode, matrix)

    def decode(self, latents):
        """Return the expected encoded rows given latents."""
        (matrix,) = self._in_passes(lambda z: (self.module.mean(z),), latents)
        return matrix

    def draw(self, latents, generator):
        """Return encoded rows drawn given latents."""
        (matrix,) = self._in_passes(
            lambda z: (self.module.draw(z, generator),), latents
        )
        return matrix

    def generate(self, latents, generator):
        """Return encoded rows that look like the table's."""
        (matrix,) = self._in_passes(
            lambda z: (self.module.generate(z, generator),), latents
        )
        return matrix

    def bound(self, matrix, nodes):
        """Return each row's expected log-likelihood and KL, in nats.

        Parameters
        ----------
        matrix : ndarray of shape (n_rows, width)
            Encoded rows.

        nodes : ndarray of shape (n_nodes, latent_dim)
            Standard normal points over which the log-likelihood is averaged.

        Returns
        -------
        log_likelihood : ndarray of shape (n_rows,)
            Mean of log p(x|z) over the nodes.

        kl : ndarray of shape (n_rows,)
            KL of the posterior to the prior, analytic.
        """
        nodes = self._tensor(nodes)
        # Each row passes through the decoder once per node.
        rows = max(PASS_ROWS // len(nodes), 1)
        return self._in_passes(lambda x: self._bound_of(x, nodes), matrix, rows)

    @torch.inference_mode()
    def _in_passes(self, function, array, n_rows=PASS_ROWS):
        """Apply a function of tensors, which returns several, `n_rows` at a time."""
        outputs = None
        for chunk in row_chunks(len(array), n_rows):
            parts = function(self._tensor(array[chunk]))
            if outputs is None:
                # Made once: small results kept between the large activations of many
                # passes would leave holes in memory, of gigabytes in the end.
                shapes = [(len(array), *part.shape[1:]) for part in parts]
                outputs = tuple(np.empty(shape) for shape in shapes)
            for output, part in zip(outputs, parts, strict=True):
                output[chunk] = part.cpu().numpy()
        return outputs

    def _bound_of(self, rows, nodes):
        posterior = self.module.encode(rows)
        latents = posterior.at(nodes[:, None])  # (n_nodes, n_rows, latent_dim)
        log_likelihood = self.module.log_likelihood(latents, rows).mean(dim=0)
        return log_likelihood, gaussian_kl(*posterior).sum(dim=1)


def quasi_normal_nodes(n_nodes, latent_dim, seed):
    """Return scrambled Sobol points of the standard normal distribution.

    Parameters
    ----------
    n_nodes : int
        How many points; a power of two.

    latent_dim : int
        Their dimension.

    seed : int
        Seed of the scrambling.

    Returns
    -------
    nodes : ndarray of shape (n_nodes, latent_dim)
        Points whose mean over a smooth function is close to its expectation.
    """
    # scipy 1.15 renamed `seed` to `rng`; it takes both names, and older ones only this.
    sobol = qmc.Sobol(latent_dim, seed=np.random.default_rng(seed))
    return ndtri(sobol.random(n_nodes))
