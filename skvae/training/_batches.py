"""Whole batches, cut from a tensor by one index operation each.

Torch's DataLoader fetches row by row, collates, and draws from the global generator
even where it does not shuffle. On tables of this size that costs more than the
network does.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.data import Dataset


class Rows(Dataset):
    """Rows of a matrix, and the noise at which their latents are drawn, if fixed.

    Parameters
    ----------
    matrix : Tensor of shape (n_rows, width)
        The rows, on the device that trains.

    noise : Tensor of shape (n_rows, latent_dim), default=None
        Standard normal draws that stay the same over epochs. None means fresh draws
        in every epoch.
    """

    def __init__(self, matrix: Tensor, noise: Tensor | None = None):
        self.matrix = matrix
        self.noise = noise

    def __len__(self):
        return len(self.matrix)

    def __getitem__(self, index):
        # A quarter of the time of matrix[index], where rows are as wide as images.
        noise = None if self.noise is None else self.noise.index_select(0, index)
        return self.matrix.index_select(0, index), noise


class WholeBatches:
    """Iterate over `rows` in batches of nearly equal size.

    Sizes differ by at most one row, so that no batch is a small remainder: the
    estimators of the total correlation depend on how many rows they see together.

    Parameters
    ----------
    rows : Rows
        What to iterate over.

    batch_size : int
        The largest size of a batch.

    generator : torch.Generator, default=None
        Shuffles the rows anew at every pass. None keeps their order.
    """

    def __init__(
        self,
        rows: Rows,
        batch_size: int,
        generator: torch.Generator | None = None,
    ):
        self.rows = rows
        self.batch_size = batch_size
        self.generator = generator

    def __len__(self):
        return math.ceil(len(self.rows) / self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        for index in self._order().tensor_split(len(self)):
            yield self.rows[index]

    def _order(self) -> Tensor:
        n_rows, device = len(self.rows), self.rows.matrix.device
        if self.generator is None:
            return torch.arange(n_rows, device=device)
        return torch.randperm(n_rows, generator=self.generator, device=device)
