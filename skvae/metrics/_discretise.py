"""Turn factors and codes into bins, once for every metric that counts."""

import numpy as np
import pandas as pd

from skvae.metrics.paired_tables import as_float, kind_of

# An integer column whose levels hold fewer rows than this on average is an amount
# (an income, a balance), not a set of levels.
MIN_ROWS_PER_INTEGER_LEVEL = 10
# A quantity with no more distinct values than this is predicted by level, as if it
# were a category: the default number of bins of the metrics that count.
MAX_LEVELS_OF_QUANTITY = 20
# A classifier keeps numbers for each level: thousands would fill time and memory.
MAX_LEVELS = 100
MIN_ROWS_PER_LEVEL = 4


def factor_levels(factors, n_bins):
    """Number the levels of every factor.

    Boolean, categorical and string columns are taken by level, however many they
    have. A numeric column is taken by level too if it has at most `n_bins` distinct
    values, or if it holds whole numbers with at least 10 rows per distinct value on
    average. Every other column (numbers, dates, durations, periods) is cut into at
    most `n_bins` quantile bins, closed on the right; bins that would share an edge are
    one bin, so that a pile of rows at the smallest value is a bin of its own. Missing
    cells have no part in this.

    Parameters
    ----------
    factors : DataFrame of shape (n_rows, n_factors)
    n_bins : int
        Largest number of bins of a continuous factor.

    Returns
    -------
    levels : ndarray of shape (n_rows, n_factors), of int
        Numbers from 0 to n_levels[k] - 1, each of which occurs, and -1 where the
        factor is missing.
    n_levels : ndarray of shape (n_factors,), of int
    """
    columns = [
        _levels_of_column(factors.iloc[:, index], n_bins)
        for index in range(factors.shape[1])
    ]
    levels = np.stack([column for column, _ in columns], axis=1)
    return levels, np.array([count for _, count in columns])


def _levels_of_column(column, n_bins):
    """Number the levels of one factor, and missing cells -1."""
    is_known = column.notna().to_numpy()
    levels = np.full(len(column), -1)
    levels[is_known], n_levels = _levels_of_known(column[is_known], n_bins)
    return levels, n_levels


def _levels_of_known(column, n_bins):
    """Number the levels of known cells; see `factor_levels` for the rule."""
    levels, values = pd.factorize(column)
    if len(values) <= n_bins or not is_ordered_quantity(column):
        return levels, len(values)
    numbers = as_float(column)
    if not np.isfinite(numbers).all():
        raise ValueError(f"Factor {column.name!r} holds infinite values.")
    is_whole = np.array_equal(numbers, np.round(numbers))
    is_counted = len(values) * MIN_ROWS_PER_INTEGER_LEVEL <= len(column)
    if pd.api.types.is_numeric_dtype(column) and is_whole and is_counted:
        return levels, len(values)
    inner_edges = np.unique(np.quantile(numbers, np.linspace(0, 1, n_bins + 1)[1:-1]))
    bins = np.searchsorted(inner_edges, numbers, side="left")
    # Heavy ties can leave a bin empty: number those that occur.
    levels, values = pd.factorize(bins)
    return levels, len(values)


def is_ordered_quantity(column):
    """Whether the values of `column` lie on a line that can be cut."""
    return kind_of(column) != "category"


def is_continuous(column):
    """Whether metrics that predict a factor take it for a number, not for levels."""
    return is_ordered_quantity(column) and column.nunique() > MAX_LEVELS_OF_QUANTITY


def pool_rare_levels(levels, n_rows):
    """Number `levels` from 0 on, few enough to be told apart in `n_rows` rows.

    The most frequent level is 0. Beyond 100 levels, and beyond a quarter of the
    number of rows, the rarest are one. No level may be missing.
    """
    max_levels = min(MAX_LEVELS, max(2, n_rows // MIN_ROWS_PER_LEVEL))
    counts = np.bincount(levels)
    by_frequency = np.argsort(-counts, kind="stable")
    number = np.empty(len(counts), dtype=np.int64)
    number[by_frequency] = np.arange(len(counts))
    return np.minimum(number, max_levels - 1)[levels]


def split_known_rows(levels, shuffled_rows, max_rows):
    """Rows to learn one factor from and rows held out, two to one, none missing."""
    rows = shuffled_rows[levels[shuffled_rows] >= 0][:max_rows]
    n_learning = 2 * len(rows) // 3
    return rows[:n_learning], rows[n_learning:]


def equal_width_bins(codes, n_bins):
    """Bin every column of `codes` into `n_bins` bins of equal width.

    The edges are those of :func:`numpy.histogram` (closed on the left, the last bin
    on both sides), as in disentanglement_lib. A constant column falls into one bin.
    """
    bins = np.empty(codes.shape, dtype=np.int64)
    for index, column in enumerate(codes.T):
        # numpy.histogram itself refuses a column whose range is a few ulp wide.
        edges = np.linspace(column.min(), column.max(), n_bins + 1)
        bins[:, index] = np.searchsorted(edges[1:-1], column, side="right")
    return bins
