"""Whole batches, cut from a tensor by one index operation each.

Torch's DataLoader fetches row by row, collates, and draws from the global generator
even where it does not shuffle. On tables of this size that costs more than the
network does.
"""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from skvae.training._matrix_stream import MatrixStream


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

    def blocks(self, generator: torch.Generator | None) -> Iterator["Rows"]:
        """Yield what is in memory at a time: all rows."""
        yield self

    def n_batches(self, batch_size: int) -> int:
        """Return into how many batches of at most `batch_size` the rows go."""
        return math.ceil(len(self) / batch_size)

    def __getitem__(self, index):
        # A quarter of the time of matrix[index], where rows are as wide as images.
        noise = None if self.noise is None else self.noise.index_select(0, index)
        return self.matrix.index_select(0, index), noise


class StreamedRows(Dataset):
    """Rows of a matrix that is read anew in every pass, one block after the other.

    Parameters
    ----------
    stream : MatrixStream
        The rows.

    device : str
        Where blocks go to.
    """

    def __init__(self, stream: MatrixStream, device: str):
        self.stream = stream
        self.device = device

    def __len__(self):
        return self.stream.n_rows

    def blocks(self, generator: torch.Generator) -> Iterator[Rows]:
        """Yield blocks of rows, in an order that the generator draws."""
        seed = torch.randint(2**31, (1,), generator=generator, device=generator.device)
        for block in self.stream.blocks(np.random.RandomState(seed.item())):
            yield Rows(torch.as_tensor(block).to(self.device))

    def n_batches(self, batch_size: int) -> int:
        """Return into how many batches of at most `batch_size` the blocks go."""
        return sum(math.ceil(n / batch_size) for n in self.stream.block_sizes)


class WholeBatches:
    """Iterate over `rows` in batches of nearly equal size.

    Sizes differ by at most one row, so that no batch is a small remainder: the
    estimators of the total correlation depend on how many rows they see together.

    Parameters
    ----------
    rows : Rows or StreamedRows
        What to iterate over, block by block.

    batch_size : int
        The largest size of a batch.

    generator : torch.Generator, default=None
        Shuffles the rows anew at every pass. None keeps their order.
    """

    def __init__(
        self,
        rows: "Rows | StreamedRows",
        batch_size: int,
        generator: torch.Generator | None = None,
    ):
        self.rows = rows
        self.batch_size = batch_size
        self.generator = generator

    def __len__(self):
        return self.rows.n_batches(self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        for block in self.rows.blocks(self.generator):
            n_batches = block.n_batches(self.batch_size)
            for index in self._order_of(block).tensor_split(n_batches):
                yield block[index]

    def _order_of(self, block: Rows) -> Tensor:
        n_rows, device = len(block), block.matrix.device
        if self.generator is None:
            return torch.arange(n_rows, device=device)
        return torch.randperm(n_rows, generator=self.generator, device=device)
