"""How close the relations between columns come to the real ones, pair by pair."""

from itertools import combinations
from numbers import Real
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, validate_params

from skvae._core.html_table import html_table
from skvae.metrics.paired_tables import (
    CATEGORICAL_FEATURES,
    align_tables,
    as_float,
    level_codes,
)


class PairScores(NamedTuple):
    """What :func:`trend_score` returns.

    Parameters
    ----------
    mean : float
        Mean of `per_pair`; NaN if there is no pair.

    per_pair : Series of shape (n_pairs,)
        Score of each pair that counts, indexed by the names of the two columns.
    """

    mean: float
    per_pair: pd.Series

    def _repr_html_(self):
        return html_table(
            "Score of each pair of columns, from 0 to 1",
            ["column", "and", "score"],
            [(*names, score) for names, score in self.per_pair.items()],
            footer=("mean", "", self.mean),
        )


@validate_params(
    {
        "real": ["array-like"],
        "other": ["array-like"],
        "min_correlation": [Interval(Real, 0, 1, closed="both")],
        "min_association": [Interval(Real, 0, 1, closed="both")],
        "categorical_features": CATEGORICAL_FEATURES,
    },
    prefer_skip_nested_validation=True,
)
def trend_score(
    real,
    other,
    *,
    min_correlation=0.5,
    min_association=0.3,
    categorical_features="from_dtype",
):
    """Compare how columns go together in two tables, pair by pair.

    For two columns of numbers or dates, ``1 - |r - s| / 2`` with their correlations r
    and s in the two tables. For a pair with categories, one minus the total variation
    distance of the two tables of joint shares. The mean is over the pairs that are
    related in the real table. These are the "Column Pair Trends" in the quality report
    of SDMetrics [1]_ as of version 0.32.

    Parameters
    ----------
    real : array-like of shape (n_rows, n_columns)
        The real table. Correlations are of the rows where both cells are there; a
        missing category counts as a category.

    other : array-like of shape (n_other_rows, n_columns)
        The generated table. Between DataFrames columns are matched by name,
        otherwise by position.

    min_correlation : float, default=0.5
        Pairs of numbers count if their correlation in the real table is farther from 0.

    min_association : float, default=0.3
        Pairs with categories count if Cramér's V [2]_ in the real table exceeds this.
        Zero lets all of them count.

    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns to take as categories besides those that hold categories, strings or
        booleans by their dtype: names, positions, or a mask of all columns.

    Returns
    -------
    PairScores
        Named tuple of ``mean``, a float, and ``per_pair``, a Series indexed by two
        names of columns, both between 0 and 1. The mean is NaN if no pair counts.

    Raises
    ------
    ValueError
        If the columns do not match in name, number or kind, or hold infinite numbers.

    See Also
    --------
    shape_score : Looks at columns one by one.
    detection_score : Sees relations of any order.

    Notes
    -----
    Independent columns do not score 0: a correlation of 0 against one of 0.8 still
    makes 0.6. :func:`fidelity_report` prints what they score beside the rest.

    Versions of SDMetrics that let all pairs count, as ``min_correlation=0,
    min_association=0`` does, gave independent columns much more; figures of
    different versions do not compare.

    Beside a category, numbers are cut into ten bins of equal width over their range,
    in each table over its own, and missing ones fall into the bin of the largest, all
    as in SDMetrics. Where a correlation of `other` is undefined, since a column is
    constant, it counts as 0; SDMetrics leaves such pairs out, to the advantage of
    generators that lost a column. SDMetrics takes 50,000 rows at random for
    categories, this function all.

    References
    ----------
    .. [1] Quality report in the SDMetrics documentation,
       https://docs.sdv.dev/sdmetrics/reports/quality-report/whats-included
    .. [2] H. Cramér, "Mathematical Methods of Statistics", Princeton 1946, ch. 21.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skvae.metrics import trend_score
    >>> rng = np.random.RandomState(0)
    >>> age = rng.uniform(20, 60, size=1000)
    >>> real = pd.DataFrame({"age": age, "tenure": age / 2, "senior": age > 40})
    >>> result = trend_score(real, real.apply(rng.permutation))
    >>> result.per_pair.round(1)
    age     tenure    0.5
            senior    0.5
    tenure  senior    0.5
    dtype: float64
    """
    (real, other), is_category = align_tables(
        {"real": real, "other": other}, categorical_features
    )
    pairs = {
        **_correlation_similarities(real, other, ~is_category, min_correlation),
        **_contingency_similarities(real, other, is_category, min_association),
    }
    positions = sorted(pairs)
    index = pd.MultiIndex.from_arrays(
        [real.columns[[pair[side] for pair in positions]] for side in (0, 1)]
    )
    per_pair = pd.Series([pairs[pair] for pair in positions], index, dtype=np.float64)
    return PairScores(float(per_pair.mean()), per_pair)


def _correlation_similarities(real, other, is_number, min_correlation):
    """Similarities by positions of two columns, both of numbers."""
    where = np.flatnonzero(is_number)
    real_correlations, other_correlations = (
        _correlations(table.iloc[:, where]) for table in (real, other)
    )
    # No relation is what a column that is constant in `other` has to any other.
    other_correlations = np.nan_to_num(other_correlations)
    scores = 1.0 - np.abs(real_correlations - other_correlations) / 2
    return {
        (where[i], where[j]): scores[i, j]
        for i, j in combinations(range(len(where)), 2)
        if np.abs(real_correlations[i, j]) > min_correlation
    }


def _correlations(table):
    """Pearson correlations, each of the rows where both cells are there."""
    numbers = pd.DataFrame(
        {i: as_float(table.iloc[:, i]) for i in range(table.shape[1])}
    )
    return numbers.corr(min_periods=2).to_numpy()


def _contingency_similarities(real, other, is_category, min_association):
    """Similarities by positions of two columns, one or both of categories."""
    if not is_category.any():
        return {}
    codes = [
        _category_codes(real.iloc[:, i], other.iloc[:, i])
        if is_category[i]
        else _bin_codes(real.iloc[:, i], other.iloc[:, i])
        for i in range(real.shape[1])
    ]
    similarities = {}
    for i, j in combinations(range(len(codes)), 2):
        if is_category[i] or is_category[j]:
            score, association = _compare_contingency(codes[i], codes[j])
            if min_association == 0 or association > min_association:
                similarities[i, j] = score
    return similarities


def _category_codes(real, other):
    """Numbers from 0 for the categories of a column in both tables, missing ones 0."""
    return [codes + 1 for codes in level_codes([real, other])[0]]


def _bin_codes(real, other):
    """Numbers of ten bins, in each table of equal width over the column's range."""
    codes = []
    for name, column in (("real", real), ("other", other)):
        values = as_float(column)
        if np.isinf(values).any():
            raise ValueError(
                f"Column {column.name!r} of {name} contains infinity; expected finite "
                "numbers or missing cells."
            )
        edges = np.histogram_bin_edges(values[~np.isnan(values)], bins=10)
        codes.append(np.digitize(values, edges))  # NaN comes out beyond the last edge
    return codes


def _compare_contingency(first, second):
    """Similarity of the joint shares of two columns, and Cramér's V in `real`."""
    n_second = max(codes.max() for codes in second) + 1
    n_real = len(first[0])
    # One number per joint level that occurs: their product may be huge.
    joint = [a * n_second + b for a, b in zip(first, second, strict=True)]
    joint, levels = pd.factorize(np.concatenate(joint))
    real_counts = np.bincount(joint[:n_real], minlength=len(levels))
    other_counts = np.bincount(joint[n_real:], minlength=len(levels))
    differences = real_counts / n_real - other_counts / (len(joint) - n_real)
    similarity = 1.0 - 0.5 * np.abs(differences).sum()
    return similarity, _cramers_v(first[0], second[0], real_counts[joint[:n_real]])


def _cramers_v(first, second, joint_counts):
    """Cramér's V of two columns of codes, given how often each row's pair occurs.

    chi2 / n is the sum over pairs of O^2 / (R C) less 1, with O the count of the pair
    and R, C those of its two levels, so that every row adds O / (R C).
    """
    first_counts, second_counts = np.bincount(first), np.bincount(second)
    n_levels = min(np.count_nonzero(first_counts), np.count_nonzero(second_counts))
    if n_levels < 2:
        return np.nan
    by_chance = first_counts[first] * second_counts[second].astype(np.float64)
    mean_square = np.sum(joint_counts / by_chance) - 1.0
    return np.sqrt(max(mean_square, 0.0) / (n_levels - 1))
