"""Whether generated rows keep closer to the training rows than real ones do."""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from skvae._core.chunking import row_chunks
from skvae.metrics.paired_tables import (
    CATEGORICAL_FEATURES,
    align_tables,
    as_float,
    level_codes,
)

# Distances held at a time: 32 MB of float64.
_PAIRS_PER_CHUNK = 2**22


class _Rows(NamedTuple):
    """A table as distances take it."""

    numbers: np.ndarray  # of shape (n_rows, n_numbers), in ranges of the real columns
    codes: np.ndarray  # of shape (n_rows, n_codes), equal where categories are


@validate_params(
    {
        "real": ["array-like"],
        "other": ["array-like"],
        "holdout": ["array-like"],
        "max_rows": [Interval(Integral, 1, None, closed="left"), None],
        "categorical_features": CATEGORICAL_FEATURES,
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def privacy_distance_share(
    real,
    other,
    holdout,
    *,
    max_rows=10_000,
    categorical_features="from_dtype",
    random_state=None,
):
    """Share of generated rows that are nearer to training rows than to held-out ones.

    Each generated row is measured against the closest of the rows that the generator
    learned from, and against the closest of as many real rows that it has not seen. A
    generator that copies nothing has no reason to be nearer to the former: 0.5. One
    that repeats its training rows gets 1. This is the DCR share (distance to closest
    record) of tabular benchmarks [1]_.

    Parameters
    ----------
    real : array-like of shape (n_rows, n_columns)
        The real rows that the generator learned from.

    other : array-like of shape (n_other_rows, n_columns)
        The generated rows. Between DataFrames columns are matched by name, otherwise by
        position.

    holdout : array-like of shape (n_holdout_rows, n_columns)
        Real rows that the generator has not seen. The larger of `real` and
        `holdout` is cut, at random, to the size of the other.

    max_rows : int or None, default=10_000
        Rows of each table to work on, drawn without replacement if there are more.
        None takes all. Time grows with its square.

    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns to take as categories besides those that hold categories, strings or
        booleans by their dtype: names, positions, or a mask of all columns.

    random_state : int, RandomState instance or None, default=None
        Determines the rows. Pass an int for the same share on every call.

    Returns
    -------
    float
        Between 0 and 1. Values above 0.5 by more than about ``1 / sqrt(n)``, with n the
        rows of the smallest table, are a sign of copying. Values below are no merit.

    Raises
    ------
    ValueError
        If the columns do not match in name, number or kind, or hold infinite numbers.

    See Also
    --------
    fidelity_report : Prints this beside the other metrics.

    Notes
    -----
    The distance is the sum over columns of absolute differences, numbers and dates in
    ranges of the real column and categories one-hot, so that two that differ are 2
    apart, as in [1]_. A missing number counts as the mean of the real column
    and, besides, as a category of its own. Where both distances are equal a row counts
    half; [1]_ does not count it, which puts tables of few categories below 0.5.

    The share is no guarantee of privacy: it cannot see one copied row among many, nor
    copies of training rows that were cut away for lack of held-out ones.

    References
    ----------
    .. [1] H. Zhang et al., "Mixed-Type Tabular Data Synthesis with Score-based
       Diffusion in Latent Space", ICLR 2024. https://arxiv.org/abs/2310.09656

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import privacy_distance_share
    >>> real, holdout, fresh = np.random.RandomState(0).normal(size=(3, 1000, 3))
    >>> round(privacy_distance_share(real, fresh, holdout), 1)
    0.5
    >>> round(privacy_distance_share(real, real + 0.01, holdout), 1)
    1.0
    """
    random_state = check_random_state(random_state)
    frames, is_category = align_tables(
        {"real": real, "other": other, "holdout": holdout}, categorical_features
    )
    n_real, n_other, n_holdout = map(len, frames)
    n_each = min(n_real, n_holdout, max_rows or n_real)
    real_rows, other_rows, holdout_rows = (
        _draw(rows, n_rows, random_state)
        for rows, n_rows in zip(
            _comparable_rows(frames, is_category),
            [n_each, min(n_other, max_rows or n_other), n_each],
            strict=True,
        )
    )
    to_real = _nearest(other_rows, real_rows)
    to_held_out = _nearest(other_rows, holdout_rows)
    nearer, tied = (to_real < to_held_out).mean(), (to_real == to_held_out).mean()
    return float(nearer + 0.5 * tied)


def _comparable_rows(frames, is_category):
    """Return each table as `_Rows`; the first is the real one."""
    numbers, codes = [], []
    for name, holds_categories in zip(frames[0].columns, is_category, strict=True):
        columns = [frame[name] for frame in frames]
        if holds_categories:
            codes.append(level_codes(columns)[0])
            continue
        cells = [as_float(column) for column in columns]
        if any(np.isinf(values).any() for values in cells):
            raise ValueError(
                f"Column {name!r} contains infinity; expected finite numbers or "
                "missing cells."
            )
        missing = [np.isnan(values) for values in cells]
        if any(is_missing.any() for is_missing in missing):
            codes.append(missing)
        numbers.append(_in_ranges(cells))
    return [
        _Rows(_stacked(numbers, i, len(frame)), _stacked(codes, i, len(frame)))
        for i, frame in enumerate(frames)
    ]


def _in_ranges(cells):
    """One column in ranges of the first table, whose mean stands for missing cells."""
    present = cells[0][~np.isnan(cells[0])]
    if len(present) == 0:
        return [np.zeros(len(values)) for values in cells]
    spread = np.ptp(present) or 1.0
    return [np.where(np.isnan(x), present.mean(), x) / spread for x in cells]


def _stacked(columns, i, n_rows):
    """The columns of the table `i` side by side, be there none."""
    return np.column_stack([np.empty((n_rows, 0)), *(column[i] for column in columns)])


def _draw(rows, n_rows, random_state):
    chosen = random_state.choice(len(rows.numbers), size=n_rows, replace=False)
    return _Rows(rows.numbers[chosen], rows.codes[chosen])


def _nearest(rows, references):
    """Distance of each of `rows` to the closest of `references`."""
    n_rows = len(rows.numbers)
    nearest = np.empty(n_rows)
    size = max(1, _PAIRS_PER_CHUNK // len(references.numbers))
    for chunk in row_chunks(n_rows, size):
        distances = np.zeros((chunk.stop - chunk.start, len(references.numbers)))
        if rows.numbers.shape[1]:
            distances += cdist(rows.numbers[chunk], references.numbers, "cityblock")
        if n_codes := rows.codes.shape[1]:
            share = cdist(rows.codes[chunk], references.codes, "hamming")
            distances += 2 * n_codes * share
        nearest[chunk] = distances.min(axis=1)
    return nearest
