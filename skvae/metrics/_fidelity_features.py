"""Mixed tables as matrices for gradient-boosted trees."""

import numpy as np

from skvae.metrics.paired_tables import as_float, level_codes

# HistGradientBoosting takes no more categories than this, and does not look at those
# that fewer than ten training rows hold.
_MAX_CATEGORIES = 255
_MIN_ROWS_PER_CATEGORY = 50


def boosting_features(frames, is_category):
    """Return tables as float matrices, and which columns of these name categories.

    Categories that are too many become numbers in alphabetical order. Missing cells
    are NaN.

    Parameters
    ----------
    frames : list of DataFrame
        Tables with the same columns.

    is_category : array of shape (n_columns,), of bool
        Which columns hold categories.

    Returns
    -------
    matrices : list of ndarray of shape (n_rows, n_columns)
        One for each table.

    is_native : ndarray of shape (n_columns,), of bool
        Columns for the parameter ``categorical_features`` of the trees.
    """
    most = min(_MAX_CATEGORIES, sum(map(len, frames)) // _MIN_ROWS_PER_CATEGORY)
    matrices = [np.empty(frame.shape) for frame in frames]
    is_native = np.zeros(len(is_category), dtype=bool)
    for j, name in enumerate(frames[0].columns):
        columns = [frame[name] for frame in frames]
        if is_category[j]:
            columns, n_levels = _alphabetical_numbers(columns)
            is_native[j] = n_levels <= most
        else:
            columns = [as_float(column) for column in columns]
        for matrix, column in zip(matrices, columns, strict=True):
            matrix[:, j] = column
    return matrices, is_native


def _alphabetical_numbers(columns):
    """Number the values alike in all tables, and count them.

    Alphabetically: in order of appearance, a high number would tell that the value is
    new in the second table.
    """
    codes, levels = level_codes(columns)
    # The last entry is what the code of a missing cell, -1, points at.
    ranks = np.append(np.argsort(np.argsort([str(level) for level in levels])), np.nan)
    return [ranks[of_table] for of_table in codes], len(levels)
