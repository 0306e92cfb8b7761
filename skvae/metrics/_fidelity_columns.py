"""How close the columns of a generated table come to the real ones, one by one."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import validate_params

from skvae._core.html_table import html_table
from skvae.metrics.paired_tables import (
    CATEGORICAL_FEATURES,
    align_tables,
    as_float,
    level_codes,
)

# SDMetrics rounds to as many decimals, lest noise in the last digit splits an atom.
_DECIMALS = 14
# Beyond this a double has no decimals left, and rounding could only overflow.
_ALWAYS_WHOLE = 2.0**53

_PARAMETERS = {
    "real": ["array-like"],
    "other": ["array-like"],
    "categorical_features": CATEGORICAL_FEATURES,
}


class ColumnScores(NamedTuple):
    """What `ks_score`, `tv_score`, `shape_score` and `missing_score` return.

    Parameters
    ----------
    mean : float
        Mean of `per_column`, where there is a number.

    per_column : Series of shape (n_columns,)
        Score of each column, indexed by its name. NaN where the column has no value in
        either table.
    """

    mean: float
    per_column: pd.Series

    def _repr_html_(self):
        return html_table(
            "Score of each column, from 0 to 1",
            ["column", "score"],
            self.per_column.items(),
            footer=("mean", self.mean),
        )


@validate_params(_PARAMETERS, prefer_skip_nested_validation=True)
def ks_score(real, other, *, categorical_features="from_dtype"):
    """Compare the numbers and dates of two tables, column by column.

    One minus the two-sample Kolmogorov-Smirnov statistic of each column of numbers,
    dates or durations, and its mean: 1 if every column is distributed alike in both
    tables. SDMetrics calls it KSComplement, and SDV once called it KSTest [1]_.
    Columns of categories are left to :func:`tv_score`.

    Parameters
    ----------
    real : array-like of shape (n_rows, n_columns)
        The real table. Missing cells are dropped.

    other : array-like of shape (n_other_rows, n_columns)
        The generated table. Between DataFrames columns are matched by name,
        otherwise by position.

    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns to take as categories besides those that hold categories, strings or
        booleans by their dtype: names, positions, or a mask of all columns.

    Returns
    -------
    ColumnScores
        Named tuple of ``mean``, a float, and ``per_column``, a Series indexed by the
        names of the columns, both between 0 and 1.

    Raises
    ------
    ValueError
        If the columns do not match in name, number or kind, if none holds numbers or
        dates, or if these have missing cells only.

    See Also
    --------
    tv_score : The same for categories.
    shape_score : The mean over both.
    detection_score : Sees what lies between the columns.

    Notes
    -----
    Columns are looked at one at a time: a generator that draws each column on its own,
    and so loses every relation between them, scores close to 1. Never choose a
    model by this score alone; print :func:`detection_score` beside it.

    Both sides are rounded to 14 decimals first, as in SDMetrics. A column without
    values scores 0 if the other table has some, where SDMetrics leaves it out.

    References
    ----------
    .. [1] KSComplement in the SDMetrics documentation,
       https://docs.sdv.dev/sdmetrics/metrics/quality-metrics/kscomplement

    Examples
    --------
    >>> import pandas as pd
    >>> from skvae.metrics import ks_score
    >>> real = pd.DataFrame({"age": [20, 30, 40, 50], "balance": [0.0, 0.0, 1.5, 9.0]})
    >>> other = pd.DataFrame({"age": [20, 30, 40, 50], "balance": [0.0, 1.5, 9.0, 9.0]})
    >>> result = ks_score(real, other)
    >>> result.mean
    0.875
    >>> result.per_column
    age        1.00
    balance    0.75
    dtype: float64
    """
    tables, is_category = _aligned(real, other, categorical_features)
    return _column_scores(
        tables, ~is_category, is_category, "numbers or dates, for ks_score"
    )


@validate_params(_PARAMETERS, prefer_skip_nested_validation=True)
def tv_score(real, other, *, categorical_features="from_dtype"):
    """Compare the categories of two tables, column by column.

    One minus the total variation distance, half the sum over values of how far their
    shares differ, of each column of categories, strings or booleans, and its mean.
    SDMetrics calls it TVComplement [1]_. Numbers are left to :func:`ks_score`.

    Parameters
    ----------
    real : array-like of shape (n_rows, n_columns)
        The real table. Missing cells are dropped.

    other : array-like of shape (n_other_rows, n_columns)
        The generated table. Between DataFrames columns are matched by name,
        otherwise by position.

    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns to take as categories besides those that hold categories, strings or
        booleans by their dtype: names, positions, or a mask of all columns.

    Returns
    -------
    ColumnScores
        Named tuple of ``mean``, a float, and ``per_column``, a Series indexed by the
        names of the columns, both between 0 and 1.

    Raises
    ------
    ValueError
        If the columns do not match in name, number or kind, if none holds categories,
        or if these have missing cells only.

    See Also
    --------
    ks_score : The same for numbers and dates.
    shape_score : The mean over both.

    Notes
    -----
    A column without values scores 0 if the other table has some, where SDMetrics
    leaves it out.

    References
    ----------
    .. [1] TVComplement in the SDMetrics documentation,
       https://docs.sdv.dev/sdmetrics/metrics/quality-metrics/tvcomplement

    Examples
    --------
    Integers that stand for categories have to be named, or be of category dtype:

    >>> import pandas as pd
    >>> from skvae.metrics import tv_score
    >>> real = pd.DataFrame({"sex": ["f", "f", "m", "m"], "degree": [1, 1, 2, 3]})
    >>> other = pd.DataFrame({"sex": ["f", "m", "m", "m"], "degree": [1, 2, 2, 2]})
    >>> tv_score(real, other, categorical_features=["degree"]).per_column
    sex       0.75
    degree    0.50
    dtype: float64
    """
    tables, is_category = _aligned(real, other, categorical_features)
    return _column_scores(tables, is_category, is_category, "categories, for tv_score")


@validate_params(_PARAMETERS, prefer_skip_nested_validation=True)
def shape_score(real, other, *, categorical_features="from_dtype"):
    """Compare all columns of two tables, each by itself.

    :func:`ks_score` of the columns of numbers and dates and :func:`tv_score` of those
    of categories, and the mean over all of them: "Column Shapes" in the quality report
    of SDMetrics [1]_.

    Parameters
    ----------
    real : array-like of shape (n_rows, n_columns)
        The real table. Missing cells are dropped.

    other : array-like of shape (n_other_rows, n_columns)
        The generated table. Between DataFrames columns are matched by name,
        otherwise by position.

    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns to take as categories besides those that hold categories, strings or
        booleans by their dtype: names, positions, or a mask of all columns.

    Returns
    -------
    ColumnScores
        Named tuple of ``mean``, a float, and ``per_column``, a Series indexed by the
        names of the columns, both between 0 and 1.

    Raises
    ------
    ValueError
        If the columns do not match in name, number or kind, or if all cells of a table
        are missing.

    See Also
    --------
    trend_score : Looks at columns in pairs.
    fidelity_score : The two, and detection, in one number.

    Notes
    -----
    Columns that are drawn each on its own score close to 1. Never choose a model by
    this score alone.

    References
    ----------
    .. [1] Quality report in the SDMetrics documentation,
       https://docs.sdv.dev/sdmetrics/reports/quality-report/whats-included

    Examples
    --------
    >>> import pandas as pd
    >>> from skvae.metrics import shape_score
    >>> real = pd.DataFrame({"age": [20, 30, 40, 50], "sex": ["f", "f", "m", "m"]})
    >>> other = pd.DataFrame({"age": [20, 30, 40, 50], "sex": ["f", "m", "m", "m"]})
    >>> shape_score(real, other).mean
    0.875
    """
    tables, is_category = _aligned(real, other, categorical_features)
    every_column = np.ones_like(is_category)
    return _column_scores(tables, every_column, is_category, "values, for shape_score")


@validate_params(
    {"real": ["array-like"], "other": ["array-like"]},
    prefer_skip_nested_validation=True,
)
def missing_score(real, other):
    """Compare how often cells are missing in two tables, column by column.

    One minus the difference of the shares of missing cells, which the scores of values
    drop. SDMetrics calls it MissingValueSimilarity [1]_.

    Parameters
    ----------
    real : array-like of shape (n_rows, n_columns)
        The real table.

    other : array-like of shape (n_other_rows, n_columns)
        The generated table. Between DataFrames columns are matched by name,
        otherwise by position.

    Returns
    -------
    ColumnScores
        Named tuple of ``mean``, a float, and ``per_column``, a Series indexed by the
        names of the columns, both between 0 and 1.

    Raises
    ------
    ValueError
        If the columns do not match in name, number or kind.

    See Also
    --------
    shape_score : Compares the values.

    References
    ----------
    .. [1] MissingValueSimilarity in the SDMetrics documentation,
       https://docs.sdv.dev/sdmetrics/metrics/quality-metrics/missingvaluesimilarity

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import missing_score
    >>> missing_score([1.0, 2.0, np.nan, np.nan], [1.0, 2.0, 3.0, np.nan]).mean
    0.75
    """
    (real, other), _ = align_tables({"real": real, "other": other})
    per_column = 1.0 - (real.isna().mean() - other.isna().mean()).abs()
    return ColumnScores(float(per_column.mean()), per_column)


def _aligned(real, other, categorical_features):
    return align_tables({"real": real, "other": other}, categorical_features)


def _column_scores(tables, is_scored, is_category, what):
    """Score the marked columns by their kinds; `what` they should hold."""
    real, other = tables
    similarities = np.where(is_category, _tv_similarity, _ks_similarity)
    per_column = pd.Series(
        [
            similarity(real[name], other[name])
            for name, similarity in zip(
                real.columns[is_scored], similarities[is_scored], strict=True
            )
        ],
        index=real.columns[is_scored],
        dtype=np.float64,
    )
    if per_column.isna().all():
        raise ValueError(
            f"Expected a column of {what}; got none among {list(real.columns)} that "
            "is not missing throughout."
        )
    return ColumnScores(float(per_column.mean()), per_column)


def _ks_similarity(real, other):
    """One minus the largest distance between the two distribution functions."""
    first, second = _sorted_present(real), _sorted_present(other)
    if min(len(first), len(second)) == 0:
        return _similarity_to_nothing(first, second)
    points = np.concatenate([first, second])
    first_share = np.searchsorted(first, points, side="right") / len(first)
    second_share = np.searchsorted(second, points, side="right") / len(second)
    return 1.0 - np.abs(first_share - second_share).max()


def _tv_similarity(real, other):
    """One minus half the sum of differences between the shares of all values."""
    (first, second), levels = level_codes([real, other])
    first, second = first[first >= 0], second[second >= 0]
    if min(len(first), len(second)) == 0:
        return _similarity_to_nothing(first, second)
    first_share = np.bincount(first, minlength=len(levels)) / len(first)
    second_share = np.bincount(second, minlength=len(levels)) / len(second)
    return 1.0 - 0.5 * np.abs(first_share - second_share).sum()


def _similarity_to_nothing(first, second):
    """Two columns without values cannot be compared; one has nothing in common."""
    return np.nan if len(first) == len(second) else 0.0


def _sorted_present(column):
    """Sorted values of a column, rounded, without missing ones."""
    values = as_float(column)
    values = values[~np.isnan(values)]
    has_decimals = np.abs(values) < _ALWAYS_WHOLE
    values[has_decimals] = np.round(values[has_decimals], _DECIMALS)
    return np.sort(values)
