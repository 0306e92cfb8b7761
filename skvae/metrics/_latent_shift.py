"""Which latents moved between two data sets, and how far."""

from itertools import pairwise
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from skvae._core.chunking import row_chunks
from skvae._core.html_table import html_table
from skvae.metrics._validation import check_codes

# Row counts of as many replicates as fit are drawn at once. A count takes 24 bytes on
# its way (the row drawn, the count, the count as a float), so this is 50 MB.
_NUMBERS_PER_CHUNK = 2**21
_MIN_ROWS = 2
_MAX_LABELS_IN_MESSAGE = 5


class LatentShift(NamedTuple):
    """What :func:`latent_shift` returns.

    Parameters
    ----------
    shifts : DataFrame of shape (n_latents, 4) or (n_segments * n_latents, 4)
        ``shift``, ``lower``, ``upper`` and ``moved`` of each latent, the largest shift
        first.

    cosines : DataFrame of shape (n_segments, n_segments) or None
        Cosine of the angle between the shifts of each two segments; None without
        segments.
    """

    shifts: pd.DataFrame
    cosines: pd.DataFrame | None

    def _repr_html_(self):
        shifts = self.shifts.reset_index()
        caption = "Shift of each latent, in units of the codes"
        html = html_table(caption, shifts, shifts.itertuples(index=False))
        if self.cosines is None:
            return html
        names = ["segment", *self.cosines]
        caption = "Cosine of the angle between the shifts of segments, from -1 to 1"
        return html + html_table(caption, names, self.cosines.itertuples())


def _check_names(names, n_latents):
    """Names of the latents, one each."""
    if names is None:
        return np.array([f"latent{d}" for d in range(n_latents)], dtype=object)
    index = pd.Index(list(names), tupleize_cols=False)
    if len(index) != n_latents:
        raise ValueError(
            f"Expected {n_latents} names, one for each column of codes, got "
            f"{len(index)}: {list(index)}."
        )
    if index.has_duplicates:
        twice = list(index[index.duplicated()].unique())
        raise ValueError(f"Expected different names, got more than once: {twice}.")
    return index.to_numpy(dtype=object)


def _check_labels(labels, name, n_rows):
    """Labels of the segments as a Series, one for each row."""
    shape = labels.shape if hasattr(labels, "shape") else (len(labels),)
    if shape != (n_rows,):
        raise ValueError(
            f"Expected {name} of shape ({n_rows},), a label for each row of codes, got "
            f"shape {shape}."
        )
    return pd.Series(labels)


def _first_labels(labels):
    """A few of the labels, for a message."""
    unique = labels.dropna().unique().tolist()
    more = ", ..." if len(unique) > _MAX_LABELS_IN_MESSAGE else ""
    return ", ".join(map(repr, unique[:_MAX_LABELS_IN_MESSAGE])) + more or "none"


def _number_segments(segments, other_segments, n_rows, n_other_rows):
    """Labels of the segments to compare, and the number of that of each row.

    Rows that belong to none have the number -1.
    """
    segments = _check_labels(segments, "segments", n_rows)
    other_segments = _check_labels(other_segments, "other_segments", n_other_rows)
    both = pd.concat([segments, other_segments], ignore_index=True)
    try:
        numbers, labels = pd.factorize(both, sort=True)
    except TypeError as error:
        raise ValueError(
            "Expected labels of segments that can be sorted among each other, got: "
            f"{error}."
        ) from error
    sides = numbers[:n_rows], numbers[n_rows:]
    n_rows_of_labels = [
        np.bincount(side[side >= 0], minlength=len(labels)) for side in sides
    ]
    is_kept = np.minimum(*n_rows_of_labels) >= _MIN_ROWS
    if not is_kept.any():
        raise ValueError(
            f"Expected a segment with at least {_MIN_ROWS} rows on both sides, got "
            f"none among the segments {_first_labels(segments)} and the "
            f"other_segments {_first_labels(other_segments)}."
        )
    # The last place answers to the -1 of a missing label.
    new_numbers = np.full(len(labels) + 1, -1)
    new_numbers[:-1][is_kept] = np.arange(is_kept.sum())
    kept_labels = pd.Index(list(labels[is_kept]), tupleize_cols=False, name="segment")
    return kept_labels, *(new_numbers[side] for side in sides)


def _rows_by_segment(numbers, n_segments):
    """Yield the indices of the rows of each segment."""
    order = np.argsort(numbers, kind="stable")
    bounds = np.searchsorted(numbers[order], np.arange(n_segments + 1))
    for start, stop in pairwise(bounds):
        yield order[start:stop]


def _mean_and_bootstrap_errors(codes, n_bootstrap, random_state):
    """Mean of each column, and how far the means of resampled rows are from it."""
    n_rows, n_latents = codes.shape
    # The first row goes off first: the mean of equal numbers is not always that number
    # in floating point, and a constant code must have no error.
    deviations = codes - codes[0]
    means = deviations.mean(axis=0)
    deviations -= means
    means += codes[0]

    errors = np.empty((n_bootstrap, n_latents))
    for chunk in row_chunks(n_bootstrap, max(1, _NUMBERS_PER_CHUNK // n_rows)):
        n_now = chunk.stop - chunk.start
        drawn = random_state.randint(n_rows, size=(n_now, n_rows))
        drawn += n_rows * np.arange(n_now)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=drawn.size)
        counts = counts.reshape(n_now, n_rows).astype(np.float64)
        errors[chunk] = counts @ deviations / n_rows
    return means, errors


def _shift_and_margin(codes, other_codes, level, n_bootstrap, random_state):
    """Shift of each latent, and half the width of its interval."""
    means, errors = _mean_and_bootstrap_errors(codes, n_bootstrap, random_state)
    other_means, other_errors = _mean_and_bootstrap_errors(
        other_codes, n_bootstrap, random_state
    )
    shift_errors = other_errors - errors
    standard_errors = shift_errors.std(axis=0, ddof=1)
    has_error = standard_errors > 0
    margin = np.zeros_like(standard_errors)
    if has_error.any():
        t = np.abs(shift_errors[:, has_error]) / standard_errors[has_error]
        margin = np.quantile(t.max(axis=1), level) * standard_errors
    return other_means - means, margin


def _shift_table(shift, margin, names):
    """One row for each latent, the largest shift first."""
    lower, upper = shift - margin, shift + margin
    table = pd.DataFrame(
        {
            "shift": shift,
            "lower": lower,
            "upper": upper,
            "moved": (lower > 0) | (upper < 0),
        },
        index=pd.Index(names, name="factor", tupleize_cols=False),
    )
    return table.iloc[np.argsort(-np.abs(shift), kind="stable")]


def _cosines(shifts, labels):
    """Cosine of the angle between each two rows of `shifts`."""
    # Scaled to 1 before it is squared, lest squares over- or underflow.
    largest = np.abs(shifts).max(axis=1, keepdims=True)
    directions = np.divide(
        shifts, largest, out=np.zeros_like(shifts), where=largest > 0
    )
    norms = np.linalg.norm(directions, axis=1, keepdims=True)
    directions = directions / np.where(norms > 0, norms, 1.0)
    cosines = np.clip(directions @ directions.T, -1.0, 1.0)
    np.fill_diagonal(cosines, 1.0)
    return pd.DataFrame(cosines, index=labels, columns=labels)


@validate_params(
    {
        "codes": ["array-like"],
        "other_codes": ["array-like"],
        "segments": ["array-like", None],
        "other_segments": ["array-like", None],
        "names": ["array-like", None],
        "level": [Interval(Real, 0, 1, closed="neither")],
        "n_bootstrap": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def latent_shift(
    codes,
    other_codes,
    *,
    segments=None,
    other_segments=None,
    names=None,
    level=0.95,
    n_bootstrap=1000,
    random_state=0,
):
    """Tell which latents moved between two data sets, and how far.

    The shift of a latent is its mean in the second data set minus its mean in the
    first. Each shift comes with an interval from the bootstrap, and the intervals of
    all latents hold together: with probability `level`, none misses the difference
    between the populations. So however many latents there are, one that has not moved
    is rarely reported to have.

    Parameters
    ----------
    codes : array-like of shape (n_rows, n_latents)
        Codes of the first data set, posterior means as a rule.

    other_codes : array-like of shape (n_other_rows, n_latents)
        Codes of the second data set from the same encoder. Columns are matched by
        position. The rows are others, and there may be more or fewer.

    segments : array-like of shape (n_rows,) or None, default=None
        Label of each row of `codes`, say the region of each customer, to compare the
        two data sets within each segment. Needs `other_segments`. Rows with a missing
        label are left out, and so are segments with fewer than two rows in either data
        set.

    other_segments : array-like of shape (n_other_rows,) or None, default=None
        Label of each row of `other_codes`.

    names : array-like of shape (n_latents,) or None, default=None
        Names of the latents, all different. By default ``"latent0"``, ``"latent1"``
        and so on.

    level : float, default=0.95
        Probability with which all intervals hold, those of one segment if there are
        segments. The greater, the wider they are.

    n_bootstrap : int, default=1000
        How often both data sets are resampled. The more, the less the ends of the
        intervals depend on `random_state`.

    random_state : int, RandomState instance or None, default=0
        Determines the resampled rows. An int gives the same intervals on every call.
        The shifts do not depend on it.

    Returns
    -------
    LatentShift
        Named tuple of ``shifts`` and ``cosines``. ``shifts`` is a DataFrame with a row
        for each latent, the largest shift in absolute value first, and the columns
        ``shift``, ``lower``, ``upper`` and ``moved``, which is True where the interval
        from ``lower`` to ``upper`` does not hold 0. Its index is ``factor``, or with
        segments ``(segment, factor)``: segments in sorted order, and in each the
        largest shift first. ``cosines``, which is None without segments, is a DataFrame
        with a row and a column for each segment: 1 where two segments moved in the same
        direction, 0 where their movements are unrelated, -1 where they are opposite.

    Raises
    ------
    ValueError
        If codes are not finite, differ in number of latents or have fewer than two
        rows, if names or segments do not match them, if only one of `segments` and
        `other_segments` is given, or if no segment has two rows in both data sets.

    See Also
    --------
    detection_score : Tells whether two tables differ at all, in whatever way.
    kl_per_dimension : Tells which latents carry anything.

    Notes
    -----
    Shifts are in the units of the codes. Where these are posterior means under a
    standard normal prior, that is the prior's standard deviation.

    The rows of both data sets are resampled with replacement, each on its own [1]_.
    The standard error of a shift is the standard deviation of its replicates. Of each
    replicate, only the largest distance from the observed shift among all latents is
    kept, in standard errors, and the half width of every interval is the `level`
    quantile of these distances times the standard error: the sup-t band of [2]_. It
    makes use of correlation among the codes, and so is narrower than Bonferroni's
    correction. With segments, each has a band of its own. The bands of several
    segments do not hold together: for that, raise `level` to ``1 - 0.05 / n_segments``.

    A latent that is constant in both data sets has an interval of width zero and does
    not widen the others. The bootstrap knows no values but those it has seen: the
    intervals are too short where a data set or a segment has fewer than about a hundred
    rows, the more so if codes are skewed. Rows are taken to be independent: repeated
    rows, or several of one person, make the intervals too short as well.

    A shift of the mean is all that is looked at: a latent may spread out, or split in
    two, without moving. The cosines have no intervals. Read them where shifts stand
    out from noise, since two segments that did not move differ by noise alone, whose
    direction means nothing. A segment whose shift is exactly 0 has no direction; its
    cosine with others is set to 0, as for unrelated movements, so that the table holds
    no missing values and can be clustered.

    References
    ----------
    .. [1] B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", Chapman &
       Hall, 1993, chapter 8.
    .. [2] J. L. Montiel Olea and M. Plagborg-Moller, "Simultaneous Confidence Bands:
       Theory, Implementation, and an Application to SVARs", Journal of Applied
       Econometrics 34(1), 2019. https://doi.org/10.1002/jae.2656

    Examples
    --------
    Customers of two years, encoded by three latents. In the second year the second
    latent is half a standard deviation lower, and nothing else has changed:

    >>> import numpy as np
    >>> from skvae.metrics import latent_shift
    >>> rng = np.random.RandomState(0)
    >>> names = ["spending", "saving", "age"]
    >>> last_year = rng.normal(size=(2000, 3))
    >>> this_year = rng.normal(size=(1000, 3)) - [0.0, 0.5, 0.0]
    >>> result = latent_shift(last_year, this_year, names=names)
    >>> result.shifts.round(2)
              shift  lower  upper  moved
    factor
    saving    -0.52  -0.60  -0.43   True
    spending  -0.04  -0.13   0.05  False
    age        0.03  -0.06   0.12  False

    A mean over all customers hides movements that cancel out. Here spending rose in
    the east and in the north as much as it fell in the west:

    >>> regions = ["east", "north", "west", "west"]
    >>> last_region = rng.choice(regions, size=2000)
    >>> this_region = rng.choice(regions, size=1000)
    >>> this_year = rng.normal(size=(1000, 3))
    >>> this_year[:, 0] += np.where(this_region == "west", -1.0, 1.0)
    >>> result = latent_shift(last_year, this_year, names=names)
    >>> bool(result.shifts["moved"].any())
    False
    >>> result = latent_shift(
    ...     last_year,
    ...     this_year,
    ...     segments=last_region,
    ...     other_segments=this_region,
    ...     names=names,
    ... )
    >>> result.shifts.query("moved")["shift"].round(1)
    segment  factor
    east     spending    0.9
    north    spending    1.0
    west     spending   -1.0
    Name: shift, dtype: float64

    East and north moved alike, and the west the other way:

    >>> result.cosines.round(1)
    segment  east  north  west
    segment
    east      1.0    1.0  -1.0
    north     1.0    1.0  -1.0
    west     -1.0   -1.0   1.0
    """
    codes = check_codes(codes)
    other_codes = check_codes(other_codes, name="other_codes")
    if codes.shape[1] != other_codes.shape[1]:
        raise ValueError(
            "Expected as many columns in codes as in other_codes, got codes of shape "
            f"{codes.shape} and other_codes of shape {other_codes.shape}."
        )
    names = _check_names(names, codes.shape[1])
    if (segments is None) != (other_segments is None):
        given, missing = "segments", "other_segments"
        if segments is None:
            given, missing = missing, given
        raise ValueError(
            "Expected segments and other_segments together, got "
            f"{given} and {missing}=None."
        )
    random_state = check_random_state(random_state)
    if segments is None:
        shift, margin = _shift_and_margin(
            codes, other_codes, level, n_bootstrap, random_state
        )
        return LatentShift(_shift_table(shift, margin, names), None)

    labels, numbers, other_numbers = _number_segments(
        segments, other_segments, len(codes), len(other_codes)
    )
    shifts = np.empty((len(labels), codes.shape[1]))
    tables = []
    rows_of_both = zip(
        _rows_by_segment(numbers, len(labels)),
        _rows_by_segment(other_numbers, len(labels)),
        strict=True,
    )
    for index, (rows, other_rows) in enumerate(rows_of_both):
        shifts[index], margin = _shift_and_margin(
            codes[rows], other_codes[other_rows], level, n_bootstrap, random_state
        )
        tables.append(_shift_table(shifts[index], margin, names))
    table = pd.concat(tables)
    table.index = pd.MultiIndex.from_arrays(
        [labels.repeat(codes.shape[1]), table.index], names=["segment", "factor"]
    )
    return LatentShift(table, _cosines(shifts, labels))
