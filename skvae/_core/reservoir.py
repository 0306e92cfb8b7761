"""A sample of rows that come in pieces, each as likely to be in it as any other."""

import numpy as np


class Reservoir:
    """At most so many of all rows that were ever added, drawn without bias.

    Parameters
    ----------
    size : int
        How many rows are kept.

    seed : int
        Determines which.

    Attributes
    ----------
    rows : ndarray of shape (n_kept, width)
        The rows kept, at most `size`. In the order they came while all of them are.

    n_seen : int
        How many were added.

    References
    ----------
    Vitter, J. S. (1985). Random sampling with a reservoir. ACM Transactions on
    Mathematical Software 11(1), algorithm R.
    """

    def __init__(self, size: int, seed: int):
        self.size = size
        self.rows = None
        self.n_seen = 0
        self._rng = np.random.RandomState(seed)

    def add(self, rows: np.ndarray) -> None:
        """Draw which of some more rows take the places of others.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, width)
            The rows.
        """
        if self.rows is None:
            self.rows = rows[:0]
        n_free = self.size - len(self.rows)
        self.rows = np.concatenate([self.rows, rows[:n_free]])
        self.n_seen += min(n_free, len(rows))
        rest = rows[n_free:]
        # The n-th row that comes is kept with probability size / n. Of two that take
        # one place, the later one has it.
        seen = self.n_seen + 1 + np.arange(len(rest))
        place = (self._rng.random_sample(len(rest)) * seen).astype(np.int64)
        is_kept = place < self.size
        self.rows[place[is_kept]] = rest[is_kept]
        self.n_seen += len(rest)
