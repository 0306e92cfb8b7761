"""Run a trained autoencoder over many rows: arrays in, arrays out, in chunks."""

import numpy as np
import torch
from scipy.special import ndtri
from scipy.stats import qmc

from skvae._core.chunking import row_chunks
from skvae.networks import Asked

# Rows that pass through the network at once: enough for products to run at full speed,
# and few enough for a layer of 512 units (8 MB) to stay in the cache.
PASS_ROWS = 2048


class Inference:
    """Arrays in, arrays out, for a trained autoencoder.

    A row of the encoded matrix holds the values that are modelled, followed by the
    condition, which has no columns where the model has none. Latents are in units of
    the prior of the row, which is N(0, 1) in these.

    Parameters
    ----------
    module : Autoencoder
        In float64 and evaluation mode.
    """

    def __init__(self, module):
        self.module = module
        self.device = next(module.parameters()).device

    def encode(self, matrix):
        """Return posterior means and log variances of encoded rows."""
        return self._in_passes(self.module.encode, matrix)

    def posterior_at(self, matrix, noise):
        """Return posterior means, log variances and latents at standard normal noise.

        Where latents depend on others, they are given the others at the noise.
        """

        def posterior_at(rows, noise):
            posterior, latents = self.module.posterior_at(rows, noise)
            return *posterior, latents

        return self._in_passes(posterior_at, matrix, noise)

    def encode_residual(self, residuals):
        """Return the mean latents of residuals, where there is a second stage."""
        (means,) = self._in_passes(
            lambda residuals: self.module.encode_residual(residuals)[:1], residuals
        )
        return means

    def decode(self, latents, conditions=None):
        """Return the expected encoded rows given latents."""
        return self._decoded(self.module.mean, latents, conditions)

    def draw(self, latents, generator, conditions=None):
        """Return encoded rows drawn given latents."""

        def draw(latents, condition):
            return self.module.draw(latents, generator, condition)

        return self._decoded(draw, latents, conditions)

    def generate(self, latents, generator, conditions=None):
        """Return encoded rows that look like the table's."""

        def generate(latents, condition):
            return self.module.generate(latents, generator, condition)

        return self._decoded(generate, latents, conditions)

    def log_mass(self, latents, rows, asked):
        """Return log p(z) of what rows are known and asked to be, given latents.

        Parameters
        ----------
        latents : ndarray of shape (n_rows, latent_dim)
            Latents.

        rows : ndarray of shape (n_rows, width)
            What is known of the rows, NaN elsewhere, and their conditions.

        asked : tuple of three ndarray of shape (n_values,)
            What is asked of the rest; see `skvae.networks.Asked`.

        Returns
        -------
        log_mass : ndarray of shape (n_rows,)
            In nats.
        """
        asked = Asked(*map(self._tensor, asked))

        def log_mass(latents, rows):
            return (self.module.log_mass(latents, rows, asked),)

        return self._in_passes(log_mass, latents, rows)[0]

    def draw_asked(self, latents, asked, generator, conditions=None):
        """Return encoded rows drawn given latents, that are as asked."""
        asked = Asked(*map(self._tensor, asked))

        def draw(latents, condition):
            return self.module.draw_asked(latents, asked, generator, condition)

        return self._decoded(draw, latents, conditions)

    def _decoded(self, function, latents, conditions):
        """Return rows of the matrix whose values `function` makes of latents."""
        if self.module.n_conditions == 0:
            (values,) = self._in_passes(lambda z: (function(z, None),), latents)
            return values
        (values,) = self._in_passes(lambda z, c: (function(z, c),), latents, conditions)
        return np.hstack([values, conditions])

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
            KL of the posterior to the prior, analytic given the latents that a latent
            depends on, over whose nodes it is averaged.
        """
        return self._at_nodes(self._bound_of, matrix, nodes)

    def _bound_of(self, rows, nodes):
        columns, kl = self._column_bound_of(rows, nodes)
        return columns.sum(dim=-1), kl

    def column_bound(self, matrix, nodes):
        """Return the bound of each row, the log-likelihood of each column by itself.

        Parameters
        ----------
        matrix : ndarray of shape (n_rows, width)
            Encoded rows, whose condition is known.

        nodes : ndarray of shape (n_nodes, latent_dim)
            Standard normal points over which the log-likelihoods are averaged.

        Returns
        -------
        log_likelihoods : ndarray of shape (n_rows, n_columns)
            Mean of log p(x_j|z) over the nodes, of the columns of all groups.

        kl : ndarray of shape (n_rows,)
            KL of the posterior to the prior.
        """
        return self._at_nodes(self._column_bound_of, matrix, nodes)

    def column_importance_bound(self, matrix, nodes):
        """Return the importance-weighted bound of each row, split over its columns.

        With weights w_k, proportional to p(x, z_k) / q(z_k|x), each column has the
        mean of log p(x_j|z_k) under the weights; what the bound lacks of their sum is
        what the latents take, as the KL does of the evidence lower bound.

        Parameters
        ----------
        matrix : ndarray of shape (n_rows, width)
            Encoded rows, whose condition is known.

        nodes : ndarray of shape (n_nodes, latent_dim)
            Standard normal points at which the latents are drawn.

        Returns
        -------
        log_likelihoods : ndarray of shape (n_rows, n_columns)
            Weighted means of log p(x_j|z).

        kl : ndarray of shape (n_rows,)
            Their sum less the bound.
        """
        return self._at_nodes(self._column_importance_bound_of, matrix, nodes)

    def _column_bound_of(self, rows, nodes):
        # Latents (n_nodes, n_rows, latent_dim); a posterior that depends on none of
        # them has no n_nodes.
        posterior, latents = self.module.posterior_at(rows, nodes[:, None])
        columns = self.module.column_log_likelihoods(latents, rows).mean(dim=0)
        kl = posterior.kl_to_standard().sum(dim=-1)
        return columns, kl.reshape(-1, len(rows)).mean(dim=0)

    def _column_importance_bound_of(self, rows, nodes):
        _, columns, log_weights = self._weighted(rows, nodes[:, None])
        weighted = torch.einsum("kn,knd->nd", log_weights.softmax(dim=0), columns)
        return weighted, weighted.sum(dim=-1) - _log_mean(log_weights)

    def weighted_latents(self, matrix, nodes, random_state):
        """Return the latents of rows at nodes, their weights, and their conditions.

        Parameters
        ----------
        matrix : ndarray of shape (n_rows, width)
            Encoded rows, NaN where a cell is unknown.

        nodes : ndarray of shape (n_nodes, latent_dim)
            Standard normal points.

        random_state : RandomState
            Draws conditions where they are unknown.

        Returns
        -------
        latents : ndarray of shape (n_rows, n_nodes, latent_dim)
            Of the posterior given what is known.

        log_weights : ndarray of shape (n_rows, n_nodes)
            log p(x, z) - log q(z|x), up to a constant.

        conditions : ndarray of shape (n_rows, n_nodes, n_conditions)
            What the latents were inferred under.
        """

        def weighted_latents(rows, nodes):
            latents, _, log_weights = self._weighted(rows, nodes[:, None])
            return latents.transpose(0, 1), log_weights.T

        width = matrix.shape[1] - self.module.n_conditions
        conditions = matrix[:, None, width:].repeat(len(nodes), axis=1)
        return *self._at_nodes(weighted_latents, matrix, nodes), conditions

    def _weighted(self, rows, noise):
        """Return latents at noise, log p(x_j|z) and log p(x, z) / q(z|x) there."""
        posterior, latents = self.module.posterior_at(rows, noise)
        columns = self.module.column_log_likelihoods(latents, rows)
        # log p(z) - log q(z|x); the constants of the two cancel.
        own = noise.square() + posterior.log_variance
        log_ratio = 0.5 * (own - latents.square()).sum(dim=-1)
        return latents, columns, columns.sum(dim=-1) + log_ratio

    def _at_nodes(self, function, matrix, nodes):
        """Apply a function of rows and nodes: rows are decoded once for each node."""
        nodes = self._tensor(nodes)
        n_rows = max(PASS_ROWS // len(nodes), 1)
        return self._in_passes(
            lambda rows: function(rows, nodes), matrix, n_rows=n_rows
        )

    def over_unknown(self, parts_of, matrix, combine):
        """Return what `parts_of` gives of rows, each under its condition.

        There is none here, nor can it be unknown.
        """
        return parts_of(matrix)

    def importance_bound(self, matrix, nodes):
        """Return the importance-weighted bound of each row, in nats, and no more.

        log mean_k p(x, z_k) / q(z_k|x), Burda et al. 2016, eq. 8.

        Parameters
        ----------
        matrix : ndarray of shape (n_rows, width)
            Encoded rows.

        nodes : ndarray of shape (n_nodes, latent_dim)
            Standard normal points at which the latents are drawn.

        Returns
        -------
        bounds : tuple of one ndarray of shape (n_rows,)
            At least the evidence lower bound in expectation, and the closer to
            log p(x) the more nodes there are.
        """
        return self._at_nodes(self._importance_bound_of, matrix, nodes)

    def _importance_bound_of(self, rows, nodes):
        _, _, log_weights = self._weighted(rows, nodes[:, None])
        return (_log_mean(log_weights),)

    @torch.inference_mode()
    def _in_passes(self, function, *arrays, n_rows=PASS_ROWS):
        """Apply a function of tensors, which returns several, `n_rows` at a time."""
        outputs = None
        n_all = len(arrays[0])
        for chunk in row_chunks(n_all, n_rows):
            parts = function(*(self._tensor(array[chunk]) for array in arrays))
            if outputs is None:
                # Made once: small results kept between the large activations of many
                # passes would leave holes in memory, of gigabytes in the end.
                shapes = [(n_all, *part.shape[1:]) for part in parts]
                outputs = tuple(np.empty(shape) for shape in shapes)
            for output, part in zip(outputs, parts, strict=True):
                output[chunk] = part.cpu().numpy()
        return outputs

    def _tensor(self, array):
        # Torch warns of memory that may not be written, such as that of a DataFrame.
        array = np.require(array, requirements="W")
        return torch.as_tensor(array, dtype=torch.float64, device=self.device)


def _log_mean(log_weights):
    """Return the logarithm of the mean of weights over the nodes."""
    return log_weights.logsumexp(dim=0) - np.log(len(log_weights))


def quasi_normal_nodes(n_nodes, latent_dim, seed):
    """Return scrambled Sobol points of the standard normal distribution.

    Parameters
    ----------
    n_nodes : int
        How many points; best a power of two.

    latent_dim : int
        Their dimension.

    seed : int
        Seed of the scrambling.

    Returns
    -------
    nodes : ndarray of shape (n_nodes, latent_dim)
        Points whose mean over a smooth function is close to its expectation. Each of
        them is normal by itself, so that a bound at them is one in expectation.
    """
    # scipy 1.15 renamed `seed` to `rng`; it takes both names, and older ones only this.
    sobol = qmc.Sobol(latent_dim, seed=np.random.default_rng(seed))
    exponent = int(np.ceil(np.log2(n_nodes)))
    return ndtri(sobol.random_base2(exponent)[:n_nodes])
