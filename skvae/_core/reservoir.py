"""A sample of rows that come in pieces, each as likely to be in it as any other."""

from collections.abc import Callable

import numpy as np


class Reservoir:
    """At most so many of all rows that were ever added, drawn without bias.

    Each row draws a key as it comes, and those of the smallest keys are kept [1]_.

    Parameters
    ----------
    size : int
        How many rows are kept.

    seed : int
        Determines which.

    join : callable, default=numpy.concatenate
        Puts tables of a list one below the other; they need ``take``, as arrays and
        DataFrames have it.

    Attributes
    ----------
    rows : ndarray or DataFrame of shape (n_kept, width)
        The rows kept, at most `size`, in the order they came.

    positions : ndarray of shape (n_kept,)
        Where they were among all rows, counted from 0.

    n_seen : int
        How many were added.

    References
    ----------
    .. [1] Cohen, E. & Kaplan, H. (2007). Summarizing data using bottom-k sketches.
       Proceedings of PODC.
    """

    def __init__(self, size: int, seed: int, join: Callable = np.concatenate):
        self.size = size
        self.join = join
        self.rows = None
        self.positions = np.empty(0, dtype=np.int64)
        self.n_seen = 0
        self._keys = np.empty(0)
        self._rng = np.random.RandomState(seed)

    def add(self, rows) -> None:
        """Draw which of some more rows take the places of others.

        Parameters
        ----------
        rows : ndarray or DataFrame of shape (n_rows, width)
            The rows.
        """
        n_kept = len(self._keys)
        keys = np.concatenate([self._keys, self._rng.random_sample(len(rows))])
        of_new = self.n_seen + np.arange(len(rows))
        chosen = _smallest(keys, self.size)
        self._keys = keys[chosen]
        self.positions = np.concatenate([self.positions, of_new])[chosen]
        self.n_seen += len(rows)
        stay, come = chosen[chosen < n_kept], chosen[chosen >= n_kept] - n_kept
        if self.rows is None:
            self.rows = rows.take(come, axis=0)
        elif len(come):
            kept = self.rows.take(stay, axis=0)
            self.rows = self.join([kept, rows.take(come, axis=0)])


def _smallest(keys, size):
    """Return where the smallest keys are, ascending."""
    if len(keys) <= size:
        return np.arange(len(keys))
    return np.sort(np.argpartition(keys, size - 1)[:size])
