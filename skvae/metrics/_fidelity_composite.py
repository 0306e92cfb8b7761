"""Columns, pairs and rows in one number that independent columns cannot win."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from skvae.metrics._fidelity_columns import shape_score
from skvae.metrics._fidelity_detection import detection_area
from skvae.metrics._fidelity_pairs import trend_score
from skvae.metrics.paired_tables import CATEGORICAL_FEATURES, align_tables

# If independent columns fall short of 1 by less, columns count as independent.
_LEAST_GAP = 0.1
_N_SPLITS = 3  # the default of detection_score


@validate_params(
    {
        "real": ["array-like"],
        "other": ["array-like"],
        "max_rows": [Interval(Integral, 3, None, closed="left"), None],
        "categorical_features": CATEGORICAL_FEATURES,
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def fidelity_score(
    real,
    other,
    *,
    max_rows=10_000,
    categorical_features="from_dtype",
    random_state=None,
):
    """Score columns and their dependence in one number.

    :func:`shape_score`, times the way that :func:`trend_score` and
    :func:`detection_score` have come from what independent columns get, which is 0, to
    1. Independent columns are those of `real`, each shuffled by itself. They are as
    good as columns can be and score 0, or close to it, which makes this the number to
    choose a generator by.

    Parameters
    ----------
    real : array-like of shape (n_rows, n_columns)
        The real table. Columns may be numeric, boolean, categorical, strings or dates,
        and cells may be missing.

    other : array-like of shape (n_other_rows, n_columns)
        The generated table. Between DataFrames columns are matched by name,
        otherwise by position.

    max_rows : int or None, default=10_000
        Rows of each table for :func:`detection_score`; None takes all.

    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns to take as categories besides those that hold categories, strings or
        booleans by their dtype: names, positions, or a mask of all columns.

    random_state : int, RandomState instance or None, default=None
        Determines what is shuffled and what :func:`detection_score` draws. Pass an int
        for the same score on every call.

    Returns
    -------
    float
        Between 0 and 1, greater is better. Fresh real rows score close to 1, unless
        they are few.

    Raises
    ------
    ValueError
        If the columns do not match in name, number or kind, or if a table has fewer
        than three rows.

    See Also
    --------
    fidelity_report : Its parts side by side.

    Notes
    -----
    With t and d for trend and detection of `other`, and t0 and d0 for those of
    independent columns, the score is::

        shape * max(0, (t - t0) + (d - d0)) / ((1 - t0) + (1 - d0))

    Trend tells poor generators apart, for which detection is 0 throughout, and
    detection tells good ones apart. Where no two columns are related strongly enough
    for trend, it is taken over all pairs. If independent columns fall short of 1 by
    less than 0.1 in both together, there is no dependence to lose, and the score is
    ``shape * d``.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import fidelity_score, shape_score
    >>> rng = np.random.RandomState(0)
    >>> first = rng.normal(size=1000)
    >>> table = np.column_stack([first, first + 0.5 * rng.normal(size=1000)])
    >>> real, fresh = table[:500], table[500:]
    >>> shuffled = np.column_stack([rng.permutation(column) for column in real.T])
    >>> shape_score(real, shuffled).mean
    1.0
    >>> round(fidelity_score(real, shuffled, random_state=0), 1)
    0.0
    >>> round(fidelity_score(real, fresh, random_state=0), 1)
    0.9
    """
    random_state = check_random_state(random_state)
    seed = random_state.randint(2**31 - 1)
    tables = {"real": real, "other": other}
    (real, other), kinds = align_tables(tables, categorical_features)
    independent = independent_columns(real, random_state)

    shape = shape_score(real, other, categorical_features=kinds).mean
    area = detection_area(real, other, kinds, _N_SPLITS, max_rows, seed)
    area_of_floor = detection_area(real, independent, kinds, _N_SPLITS, max_rows, seed)
    detection = 1.0 - 2.0 * abs(area - 0.5)
    # Shuffled columns repeat the values of the real ones, which alone makes for an area
    # below 0.5: no sign of dependence.
    detection_of_floor = 2.0 - 2.0 * max(area_of_floor, 0.5)
    floor = np.array([_trend(real, independent, kinds), detection_of_floor])
    gap = np.nansum(1.0 - floor)
    if gap < _LEAST_GAP:
        return float(shape * detection)
    reached = np.array([_trend(real, other, kinds), detection])
    return float(shape * max(0.0, np.nansum(reached - floor)) / gap)


def _trend(real, table, kinds):
    """Mean over the pairs that are related, or over all if none is."""
    for thresholds in ({}, {"min_correlation": 0, "min_association": 0}):
        trend = trend_score(real, table, categorical_features=kinds, **thresholds).mean
        if not np.isnan(trend):
            break
    return trend


def independent_columns(table, random_state):
    """Return a table with the same columns, each shuffled by itself."""
    return table.apply(
        lambda column: column.iloc[random_state.permutation(len(column))].set_axis(
            table.index
        )
    )
