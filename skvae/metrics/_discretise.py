"""Turn factors and codes into bins, once for every metric that counts."""

import numpy as np
import pandas as pd

from skvae.metrics.paired_tables import as_float

# An integer column whose levels hold fewer rows than this on average is an amount
# (an income, a balance), not a set of levels.
MIN_ROWS_PER_INTEGER_LEVEL = 10


def factor_levels(factors, n_bins):
    """Number the levels of every factor.

    Boolean, categorical and string columns are taken by level, however many they
    have. A numeric column is taken by level too if it has at most `n_bins` distinct
    values, or if it holds whole numbers with at least 10 rows per distinct value on
    average. Every other column (numbers, dates, durations, periods) is cut into at
    most `n_bins` quantile bins, closed on the right; bins that would share an edge are
    one bin, so that a pile of rows at the smallest value is a bin of its own.

    Parameters
    ----------
    factors : DataFrame of shape (n_rows, n_factors)
        Without missing values.
    n_bins : int
        Largest number of bins of a continuous factor.

    Returns
    -------
    levels : ndarray of shape (n_rows, n_factors), of int
        Numbers from 0 to n_levels[k] - 1, each of which occurs.
    n_levels : ndarray of shape (n_factors,), of int
    """
    columns = [
        _levels_of_column(factors.iloc[:, index], n_bins)
        for index in range(factors.shape[1])
    ]
    levels = np.stack([column for column, _ in columns], axis=1)
    return levels, np.array([count for _, count in columns])


def _levels_of_column(column, n_bins):
    """Number the levels of one factor; see `factor_levels` for the rule."""
    levels, values = pd.factorize(column)
    if len(values) <= n_bins or not _is_ordered_quantity(column):
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


def _is_ordered_quantity(column):
    """Whether the values of `column` lie on a line that can be cut."""
    types = pd.api.types
    if column.dtype == object:
        return types.infer_dtype(column) in ("date", "datetime")
    return (
        (types.is_numeric_dtype(column) and not types.is_bool_dtype(column))
        or types.is_datetime64_any_dtype(column)
        or types.is_timedelta64_dtype(column)
        or isinstance(column.dtype, pd.PeriodDtype)
    )


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
