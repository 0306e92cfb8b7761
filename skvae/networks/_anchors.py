"""Latents that are clamped to columns of the table."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Anchors(nn.Module):
    """Set the posterior mean of some latents to the value of a column.

    A clamped latent is the column itself, centred and scaled to the units of the
    prior; what is left to learn is how sure the posterior is, and what the decoder
    makes of it. The bound stays a bound: clamping only narrows the family of
    posteriors. After an idea of the thesis, section 4.1.

    Parameters
    ----------
    latent_of : mapping of int to int
        From the matrix column to the latent that it is tied to.

    centres, scales : Tensor of shape (width,)
        Mean and standard deviation of each matrix column in training.
    """

    def __init__(self, latent_of: Mapping[int, int], centres: Tensor, scales: Tensor):
        super().__init__()
        columns = torch.tensor(list(latent_of))
        self.register_buffer("columns", columns)
        self.register_buffer("latents", torch.tensor(list(latent_of.values())))
        self.register_buffer("centres", centres[columns])
        self.register_buffer("scales", scales[columns])

    def forward(self, mean: Tensor, values: Tensor) -> Tensor:
        """Return posterior means of shape (n_rows, latent_dim), clamped.

        Where a cell is missing, the encoder's own word stands.
        """
        clamped = (values[:, self.columns] - self.centres) / self.scales
        clamped = torch.where(clamped.isnan(), mean[:, self.latents], clamped)
        return mean.index_copy(1, self.latents, clamped)
