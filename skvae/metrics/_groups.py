"""Rows by value of each factor, for the metrics that hold one factor fixed."""

from typing import NamedTuple

import numpy as np

# Numbers gathered at a time: 1 MB of float64 stays in the cache.
NUMBERS_PER_CHUNK = 2**17


class Groups(NamedTuple):
    """The groups of equal factor value of all factors, one after the other."""

    rows: np.ndarray  # row numbers, sorted by factor and level
    start: np.ndarray  # where in `rows` a group begins
    size: np.ndarray
    factor: np.ndarray  # the factor that the group fixes
    cumulative_weight: np.ndarray  # each factor weighs 1, a group by its size
    n_factors: int

    def at(self, position):
        """Numbers of the groups at `position`, of any shape, in [0, n_factors).

        The whole part is the factor. Within it, a group has a place as wide as its
        share of the rows, so that a uniform position is the group of a random row.
        """
        group = np.searchsorted(self.cumulative_weight, position, side="right")
        return np.minimum(group, len(self.size) - 1)  # rounding of the last sum


def group_rows(levels, n_levels):
    """Sort the rows by the value of each factor that can be fixed.

    A constant factor, and a factor without two rows of one value, takes no part; nor
    do, for each factor, the rows in which it is missing.
    """
    rows, starts, sizes, factors, weights = [], [], [], [], []
    n_factors = n_rows = 0
    for levels_of_factor, count in zip(levels.T, n_levels, strict=True):
        n_missing = np.count_nonzero(levels_of_factor < 0)
        rows_of_factor = np.argsort(levels_of_factor, kind="stable")[n_missing:]
        size = np.bincount(levels_of_factor[rows_of_factor], minlength=count)
        is_usable = size >= 2
        if count < 2 or not is_usable.any():
            continue
        rows.append(rows_of_factor)
        starts.append((n_rows + np.cumsum(size) - size)[is_usable])
        sizes.append(size[is_usable])
        weights.append(sizes[-1] / sizes[-1].sum())
        factors.append(np.full(is_usable.sum(), n_factors))
        n_factors += 1
        n_rows += len(rows_of_factor)
    if n_factors == 0:
        raise ValueError(
            "Expected a factor that takes at least two values and one of them in at "
            "least two rows, got none: nothing can be held fixed."
        )
    return Groups(
        rows=np.concatenate(rows),
        start=np.concatenate(starts),
        size=np.concatenate(sizes),
        factor=np.concatenate(factors),
        cumulative_weight=np.cumsum(np.concatenate(weights)),
        n_factors=n_factors,
    )
