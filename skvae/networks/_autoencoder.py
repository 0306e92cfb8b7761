"""The pair of networks that every model trains: encoder and decoder with heads."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from skvae._core.columns import ColumnGroup


class Posterior(NamedTuple):
    """A normal distribution over the latents, for each row."""

    mean: Tensor  # (n_rows, latent_dim)
    log_variance: Tensor  # (n_rows, latent_dim)

    def at(self, noise: Tensor) -> Tensor:
        """Return the latents at standard normal `noise` (reparameterisation)."""
        return torch.addcmul(self.mean, (0.5 * self.log_variance).exp(), noise)


class Autoencoder(nn.Module):
    """Encoder q(z|x) and decoder p(x|z).

    Parameters
    ----------
    encoder : Module
        Maps (n_rows, width) to (n_rows, 2 * latent_dim): means, then log variances.

    decoder : Module
        Maps (..., latent_dim) to (..., n_outputs), the outputs that the heads share
        among them in order.

    heads : ModuleList of Head
        The distributions of the columns.

    groups : list of ColumnGroup
        The matrix columns of each head.
    """

    # The thesis clips here too (listing C.1): the loss takes exp of the log variance.
    largest_log_variance = 20.0

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        heads: nn.ModuleList,
        groups: list[ColumnGroup],
    ):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.heads = heads
        self.groups = groups

    def encode(self, rows: Tensor) -> Posterior:
        """Return the posterior of each row."""
        mean, log_variance = self.encoder(rows).chunk(2, dim=-1)
        limit = self.largest_log_variance
        return Posterior(mean, log_variance.clamp(-limit, limit))

    def log_likelihood(self, latents: Tensor, rows: Tensor) -> Tensor:
        """Return log p(x|z) in nats, of shape (..., n_rows).

        `latents` may have leading dimensions that `rows` lacks.
        """
        per_head = [
            head.log_likelihood(outputs, rows[..., group.matrix_columns]).sum(dim=-1)
            for head, group, outputs in self._outputs(latents)
        ]
        return sum(per_head[1:], start=per_head[0])

    def mean(self, latents: Tensor) -> Tensor:
        """Return the expected row given the latents, of shape (..., width)."""
        return torch.cat([h.mean(out) for h, _, out in self._outputs(latents)], dim=-1)

    def generate(self, latents: Tensor, generator: torch.Generator) -> Tensor:
        """Return a row that looks like the table's, of shape (..., width)."""
        rows = [h.generate(out, generator) for h, _, out in self._outputs(latents)]
        return torch.cat(rows, dim=-1)

    def draw(self, latents: Tensor, generator: torch.Generator) -> Tensor:
        """Return a row drawn from p(x|z), of shape (..., width)."""
        draws = [h.draw(out, generator) for h, _, out in self._outputs(latents)]
        return torch.cat(draws, dim=-1)

    def _outputs(self, latents):
        """Yield each head, its group and its share of the decoder's outputs."""
        shares = self.decoder(latents).split([h.n_outputs for h in self.heads], dim=-1)
        return zip(self.heads, self.groups, shares, strict=True)
