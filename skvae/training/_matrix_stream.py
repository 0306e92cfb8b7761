"""An encoded table that does not fit in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from skvae._core.errors import StreamError

# What is in memory at a time, and what rows are shuffled among: 128 MB.
_BLOCK_NUMBERS = 2**25


@dataclass(frozen=True)
class MatrixStream:
    """The encoded rows of a table that is read anew in every epoch.

    Parameters
    ----------
    n_rows : int
        How many rows train.

    read : callable
        Given a RandomState that draws the order of whatever can be read out of order,
        yields the training rows as matrices of shape (some rows, width).

    held_out : ndarray of shape (n_held_out, width)
        The rows that training is stopped by; none train.

    sample : ndarray of shape (n_sampled, width)
        Some of all rows, which tell what columns hold, and one stream from another.
    """

    n_rows: int
    read: Callable[[np.random.RandomState], Iterator[np.ndarray]]
    held_out: np.ndarray
    sample: np.ndarray

    def __len__(self):
        return self.n_rows

    def mapped(self, function: Callable, seed: int) -> "MatrixStream":
        """Return what a function makes of the rows.

        Parameters
        ----------
        function : callable
            Given a matrix and a RandomState, returns a matrix of as many rows.

        seed : int
            Seed of what it draws for the rows that are in memory.

        Returns
        -------
        rows : MatrixStream
            The others are made as they are read.
        """

        def read(random_state):
            for matrix in self.read(random_state):
                yield function(matrix, random_state)

        in_memory = [
            function(matrix, np.random.RandomState(seed)) if len(matrix) else matrix
            for matrix in (self.held_out, self.sample)
        ]
        return MatrixStream(self.n_rows, read, *in_memory)

    @property
    def block_sizes(self) -> list[int]:
        """How many rows a block has; sizes differ by at most one."""
        most = max(_BLOCK_NUMBERS // self.sample.shape[1], 1)
        n_blocks = -(-self.n_rows // most)
        size, rest = divmod(self.n_rows, n_blocks)
        return [size + (block < rest) for block in range(n_blocks)]

    def blocks(self, random_state: np.random.RandomState) -> Iterator[np.ndarray]:
        """Put what is read together to blocks.

        Parameters
        ----------
        random_state : RandomState
            Draws the order in which rows are read.

        Yields
        ------
        block : ndarray of shape (n_rows, width)
            Numbers of single precision, in which networks train.

        Raises
        ------
        StreamError
            If there are more rows, or fewer, than in the pass before.
        """
        sizes = iter(self.block_sizes)
        block = self._block(next(sizes))
        n_read = filled = 0
        for matrix in self.read(random_state):
            n_read += len(matrix)
            if n_read > self.n_rows:
                break
            while len(matrix):
                some, matrix = np.split(matrix, [len(block) - filled])
                block[filled : filled + len(some)] = some
                filled += len(some)
                if filled == len(block):
                    yield block
                    block, filled = self._block(next(sizes, 0)), 0
        if n_read != self.n_rows:
            raise StreamError(
                f"The stream gave {n_read:,} rows to train on; expected "
                f"{self.n_rows:,}, since it gave so many when it was read first."
            )

    def _block(self, n_rows):
        return np.empty((n_rows, self.sample.shape[1]), dtype=np.float32)
