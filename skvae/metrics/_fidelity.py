"""How close a generated table comes to a real one."""

from numbers import Integral
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from skvae.metrics._paired_tables import (
    as_float,
    is_real_number,
    is_time,
    paired_tables,
)

# SDMetrics rounds to as many decimals, lest noise in the last digit splits an atom.
_DECIMALS = 14
# Beyond this a double has no decimals left, and rounding could only overflow.
_ALWAYS_WHOLE = 2.0**53
# HistGradientBoostingClassifier takes no more categories than this, and does not
# look at those that fewer than ten training rows hold.
_MAX_CATEGORIES = 255
_MIN_ROWS_PER_CATEGORY = 50


class KSScore(NamedTuple):
    """What :func:`ks_score` returns.

    Parameters
    ----------
    mean : float
        Mean of `per_column`.

    per_column : Series of shape (n_columns,)
        Score of each column, indexed by its name.
    """

    mean: float
    per_column: pd.Series


def _sorted_present(column, table_name):
    """Sorted values of a column, rounded, without missing ones."""
    values = as_float(column)
    values = values[~np.isnan(values)]
    if len(values) == 0:
        raise ValueError(
            f"Column {column.name!r} of {table_name} has missing cells only."
        )
    has_decimals = np.abs(values) < _ALWAYS_WHOLE
    values[has_decimals] = np.round(values[has_decimals], _DECIMALS)
    return np.sort(values)


def _ks_statistic(first, second):
    """Largest distance between the distribution functions of two sorted samples."""
    points = np.concatenate([first, second])
    first_share = np.searchsorted(first, points, side="right") / len(first)
    second_share = np.searchsorted(second, points, side="right") / len(second)
    return np.abs(first_share - second_share).max()


@validate_params(
    {"real": ["array-like"], "other": ["array-like"]},
    prefer_skip_nested_validation=True,
)
def ks_score(real, other):
    """Compare the columns of two tables one by one, by their distributions.

    One minus the two-sample Kolmogorov-Smirnov statistic of each numeric column, and
    its mean: 1 if every column is distributed alike in both tables. SDMetrics calls it
    KSComplement, and SDV once called it KSTest [1]_.

    Parameters
    ----------
    real : array-like of shape (n_rows, n_columns)
        The real table, of numeric (or boolean) columns. Missing cells are dropped.

    other : array-like of shape (n_other_rows, n_columns)
        The generated table. Between DataFrames columns are matched by name,
        otherwise by position.

    Returns
    -------
    KSScore
        Named tuple of ``mean``, a float, and ``per_column``, a Series indexed by the
        names of the columns, both between 0 and 1.

    Raises
    ------
    ValueError
        If the columns do not match, are not numeric, or have missing cells only.

    See Also
    --------
    c2st_score : Sees what lies between the columns.

    Notes
    -----
    Columns are looked at one at a time: a generator that draws each column on its own,
    and so loses every relation between them, scores close to 1. Never choose a
    model by this score alone; print :func:`c2st_score` beside it.

    Both sides are rounded to 14 decimals first, as in SDMetrics.

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
    real, other = paired_tables(real, other)
    not_numeric = [
        name
        for name in real.columns
        if not (is_real_number(real[name]) and is_real_number(other[name]))
    ]
    if not_numeric:
        raise ValueError(f"Expected numeric columns, got others: {not_numeric}.")
    per_column = pd.Series(
        [
            1.0
            - _ks_statistic(
                _sorted_present(real[name], "real"),
                _sorted_present(other[name], "other"),
            )
            for name in real.columns
        ],
        index=real.columns,
    )
    return KSScore(float(per_column.mean()), per_column)


def _features_of_column(real, other):
    """One column of both tables as numbers, and whether these name categories."""
    if is_real_number(real) and is_real_number(other):
        return np.concatenate([as_float(real), as_float(other)]), False
    if is_real_number(real) or is_real_number(other):
        raise ValueError(
            f"Expected column {real.name!r} of one kind in both tables, got "
            f"{real.dtype} in real and {other.dtype} in other."
        )
    both = pd.concat([real, other], ignore_index=True)
    if is_time(both):
        return (both - both.min()).dt.total_seconds().to_numpy(), False
    codes, categories = pd.factorize(both)
    # Numbered alphabetically: in order of appearance, a high number would tell that
    # the category is new in the second table.
    rank = np.argsort(np.argsort([str(category) for category in categories]))
    features = np.full(len(both), np.nan)
    features[codes >= 0] = rank[codes[codes >= 0]]
    most = min(_MAX_CATEGORIES, len(both) // _MIN_ROWS_PER_CATEGORY)
    return features, len(categories) <= most


def _draw_rows(table, max_rows, random_state):
    """At most `max_rows` rows of `table`, without replacement."""
    if max_rows is None or len(table) <= max_rows:
        return table
    return table.iloc[random_state.choice(len(table), size=max_rows, replace=False)]


@validate_params(
    {
        "real": ["array-like"],
        "other": ["array-like"],
        "n_splits": [Interval(Integral, 2, None, closed="left")],
        "max_rows": [Interval(Integral, 2, None, closed="left"), None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def c2st_score(real, other, *, n_splits=3, max_rows=10_000, random_state=None):
    """Classifier two-sample test of a real against a generated table.

    A gradient-boosted classifier learns to tell the rows of the two tables apart and
    is rated on rows it has not seen [1]_. The score is ``1 - 2 * |AUC - 0.5|`` with the
    area under its ROC curve: 1 if the tables are indistinguishable to it, 0 if every
    row gives itself away.

    Parameters
    ----------
    real : array-like of shape (n_rows, n_columns)
        The real table. Columns may be numeric, boolean, categorical, strings or dates,
        and cells may be missing, which the classifier can see.

    other : array-like of shape (n_other_rows, n_columns)
        The generated table. Between DataFrames columns are matched by name,
        otherwise by position.

    n_splits : int, default=3
        Number of stratified, shuffled folds. The AUC is the mean over folds.

    max_rows : int or None, default=10_000
        Rows of each table to work on, drawn without replacement if there are more.
        None takes all. With more rows the classifier finds finer differences, so
        that scores compare at equal numbers of rows only.

    random_state : int, RandomState instance or None, default=None
        Determines rows, folds and classifier. Pass an int for the same score on every
        call.

    Returns
    -------
    float
        Between 0 and 1, greater is better.

    Raises
    ------
    ValueError
        If the columns do not match in name, number or kind, or if a table has fewer
        rows than `n_splits`.

    See Also
    --------
    ks_score : Compares columns one by one.

    Notes
    -----
    The classifier is :class:`~sklearn.ensemble.HistGradientBoostingClassifier` with its
    default settings and no early stopping. It treats a column as categorical if it has
    at most 255 categories with 50 rows each on average; others enter as numbers in
    alphabetical order.

    An AUC below 0.5 counts as a difference too. It arises where one table repeats rows
    of the other: a row seen in training as real comes up in the test as generated.
    So a table does not score 1 against itself, nor against a resample of itself, but
    against fresh rows of the same distribution. To learn what is within reach, score
    one half of the real table against the other.

    References
    ----------
    .. [1] D. Lopez-Paz and M. Oquab, "Revisiting Classifier Two-Sample Tests", ICLR
       2017. https://arxiv.org/abs/1610.06545

    Examples
    --------
    The columns of the second table are those of the first, shuffled one by one. No
    column gives that away, but the rows do:

    >>> import numpy as np
    >>> from skvae.metrics import c2st_score, ks_score
    >>> rng = np.random.RandomState(0)
    >>> first = rng.normal(size=500)
    >>> real = np.column_stack([first, first + 0.1 * rng.normal(size=500)])
    >>> other = np.column_stack([rng.permutation(column) for column in real.T])
    >>> ks_score(real, other).mean
    1.0
    >>> c2st_score(real, other, random_state=0) < 0.3
    True
    """
    random_state = check_random_state(random_state)
    real, other = (
        _draw_rows(table, max_rows, random_state)
        for table in paired_tables(real, other)
    )
    if min(len(real), len(other)) < n_splits:
        raise ValueError(
            f"Expected at least n_splits={n_splits} rows in each table, got "
            f"{len(real)} in real and {len(other)} in other."
        )
    columns = [_features_of_column(real[name], other[name]) for name in real.columns]
    features = np.column_stack([values for values, _ in columns])
    is_real = np.repeat([1, 0], [len(real), len(other)])
    classifier = HistGradientBoostingClassifier(
        categorical_features=[is_category for _, is_category in columns],
        early_stopping=False,
        random_state=random_state.randint(2**31 - 1),
    )
    folds = StratifiedKFold(n_splits, shuffle=True, random_state=random_state)
    areas = cross_val_score(
        classifier, features, is_real, cv=folds, scoring="roc_auc", error_score="raise"
    )
    return float(1.0 - 2.0 * abs(areas.mean() - 0.5))
