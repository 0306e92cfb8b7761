"""Separated attribute predictability (SAP): is each factor in one code more?"""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from skvae._core.chunking import row_chunks
from skvae.metrics._discretise import (
    MAX_LEVELS_OF_QUANTITY,
    factor_levels,
    is_continuous,
    split_known_rows,
)
from skvae.metrics._gap import mean_gap
from skvae.metrics._validation import (
    MIN_STD,
    check_factors_and_codes,
    standardise_active,
)
from skvae.metrics.paired_tables import as_float

# Of the linear support vector machine, as in disentanglement_lib.
_PENALTY = 0.01
# Newton's method on a piecewise quadratic function ends after a few steps, exactly.
_MAX_STEPS = 100
_MAX_HALVINGS = 40
_TOLERANCE = 1e-9
# Numbers worked on at a time: 8 MB of float64.
_NUMBERS_PER_CHUNK = 2**20


def _cumulative_powers(values):
    """Sums of 1, x and x^2 over the first 0, 1, 2, ... values."""
    powers = np.stack([np.ones_like(values), values, values**2], axis=1)
    return np.vstack([np.zeros(3), np.cumsum(powers, axis=0)])


class _HingeSums:
    """Sums over the rows that lines misjudge, for one code and one factor.

    There is a line of slope w and intercept b for each level. Above 1, it is sure that
    a row is of this level, and below -1 that it is not. The rows beyond such a mark
    are those of x beyond a threshold, so that cumulative sums over the sorted code
    take the place of a walk over all rows.
    """

    def __init__(self, code, levels, n_levels):
        n_rows = len(code)
        order = np.argsort(code)
        # Small integers are sorted faster.
        levels = levels[order].astype(np.min_scalar_type(n_levels))
        ranks_by_level = np.argsort(levels, kind="stable")
        self.level_sizes = np.bincount(levels, minlength=n_levels)
        self.sorted_code = code[order]
        # Level and rank in one ascending number, to search all levels at once.
        self.first_number = n_rows * np.arange(n_levels)
        self.numbers = np.repeat(self.first_number, self.level_sizes) + ranks_by_level
        self.sums = _cumulative_powers(self.sorted_code)
        self.sums_by_level = _cumulative_powers(self.sorted_code[ranks_by_level])
        level_ends = np.cumsum(self.level_sizes)
        self.before_level = self.sums_by_level[level_ends - self.level_sizes]
        self.of_level = self.sums_by_level[level_ends] - self.before_level

    def _below(self, mark, slopes, intercepts):
        """Sums where ``w x + b < mark``: within each level, and over all rows."""
        with np.errstate(divide="ignore", invalid="ignore"):
            threshold = (mark - intercepts) / slopes
        rank = np.searchsorted(self.sorted_code, threshold)
        position = np.searchsorted(self.numbers, self.first_number + rank)
        in_level = self.sums_by_level[position] - self.before_level
        in_all = self.sums[rank]
        falls = (slopes < 0)[:, None]
        return (
            np.where(falls, self.of_level - in_level, in_level),
            np.where(falls, self.sums[-1] - in_all, in_all),
        )

    def misjudged(self, slopes, intercepts):
        """Sums of 1, x, x^2, of shape (n_levels, 3), where a line is wrong or unsure.

        First over the rows of its level, then over all others.
        """
        inside, _ = self._below(1.0, slopes, intercepts)
        level_below, all_below = self._below(-1.0, slopes, intercepts)
        outside = (self.sums[-1] - all_below) - (self.of_level - level_below)
        return inside, outside


def _fit_lines(code, levels, n_levels):
    """Linear support vector machines that tell each level from the rest, by one code.

    They minimise, over slope w and intercept b, the objective of LIBLINEAR,
    ``(w^2 + b^2) / 2 + C sum_i c_i max(0, 1 - y_i (w x_i + b))^2``, where c_i
    balances the levels: n_rows / (n_levels * size) for the rows of a level. As there,
    the rest weighs 1 per row, except that of two levels each has its own weight.

    Returns
    -------
    slopes, intercepts : ndarray of shape (n_levels,)
    """
    sums = _HingeSums(code, levels, n_levels)
    weight_inside = len(code) / (n_levels * sums.level_sizes)[:, None]
    weight_outside = weight_inside[::-1] if n_levels == 2 else np.ones((n_levels, 1))

    def evaluate(lines):
        """Objective, gradient and curvature (ww, wb, bb) of each line."""
        w, b = lines
        inside, outside = sums.misjudged(w, b)
        inside, outside = weight_inside * inside, weight_outside * outside
        n, x, xx = (inside + outside).T
        signed_n, signed_x, _ = (inside - outside).T
        loss = n - 2 * (w * signed_x + b * signed_n) + w * w * xx + 2 * w * b * x
        loss += b * b * n
        objective = (w * w + b * b) / 2 + _PENALTY * loss
        gradient = lines + 2 * _PENALTY * np.stack(
            [xx * w + x * b - signed_x, x * w + n * b - signed_n]
        )
        curvature = 2 * _PENALTY * np.stack([xx, x, n]) + [[1.0], [0.0], [1.0]]
        return objective, gradient, curvature

    lines = np.zeros((2, n_levels))
    objective, gradient, curvature = evaluate(lines)
    scale = np.abs(gradient).max(axis=0)
    for _ in range(_MAX_STEPS):
        if (np.abs(gradient).max(axis=0) <= _TOLERANCE * scale).all():
            break
        ww, wb, bb = curvature
        step = np.stack(
            [wb * gradient[1] - bb * gradient[0], wb * gradient[0] - ww * gradient[1]]
        ) / (ww * bb - wb * wb)
        # A full step nearly always descends; where it does not, half of it may.
        slack = 1e-12 * np.abs(objective)
        for _ in range(_MAX_HALVINGS):
            candidate = lines + step
            evaluated = evaluate(candidate)
            ascends = evaluated[0] > objective + slack
            if not ascends.any():
                break
            step[:, ascends] /= 2
        lines = candidate
        objective, gradient, curvature = evaluated
    return lines


def _accuracy(lines, code, levels):
    """Share of rows whose level has the highest line."""
    slopes, intercepts = lines
    hits = 0
    for chunk in row_chunks(len(code), max(1, _NUMBERS_PER_CHUNK // len(slopes))):
        heights = np.multiply.outer(code[chunk], slopes) + intercepts
        hits += np.count_nonzero(heights.argmax(axis=1) == levels[chunk])
    return hits / len(code)


def _accuracies(codes, levels, learning, held_out):
    """Accuracy on `held_out` of a classifier on each code alone: (n_codes,).

    None if the rows to learn from are all of one level.
    """
    known_levels, learning_levels = np.unique(levels[learning], return_inverse=True)
    n_levels = len(known_levels)
    if n_levels < 2:
        return None
    # A level that was not there to be learnt is missed.
    number = np.full(levels.max() + 1, -1)
    number[known_levels] = np.arange(n_levels)
    held_out_levels = number[levels[held_out]]
    return np.array(
        [
            _accuracy(
                _fit_lines(code[learning], learning_levels, n_levels),
                code[held_out],
                held_out_levels,
            )
            for code in codes.T
        ]
    )


def _squared_correlations(codes, values):
    """R^2 of a line through each code: (n_codes,). None for constant values."""
    values = values - values.min()
    if not values.any():
        return None
    values = values / values.max()  # lest squares over- or underflow
    values = values - values.mean()
    codes = codes - codes.mean(axis=0)
    squares = np.einsum("ij,ij->j", codes, codes) * (values @ values)
    covariances = codes.T @ values
    return np.divide(
        covariances**2, squares, out=np.zeros_like(squares), where=squares > 0
    )


@validate_params(
    {
        "factors": ["array-like"],
        "codes": ["array-like"],
        "max_rows": [Interval(Integral, 3, None, closed="left"), None],
        "min_std": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def sap_score(factors, codes, *, max_rows=15_000, min_std=MIN_STD, random_state=None):
    """Separated attribute predictability (SAP) of codes against known factors.

    Predict each factor from each code alone, by a line. The score is the gap between
    the best code and the runner-up, averaged over factors [1]_.

    Parameters
    ----------
    factors : array-like of shape (n_rows, n_factors) or (n_rows,)
        The known factors, continuous or discrete; DataFrames may mix kinds. A factor
        with missing values is scored on the rows where it is known. See Notes for
        which are classified and which regressed. A factor that is constant, or that
        is constant in the rows to learn from, is left out.

    codes : array-like of shape (n_rows, n_codes)
        The representation of the same rows, posterior means as a rule.

    max_rows : int or None, default=15_000
        Rows that a discrete factor is classified on, drawn without replacement if
        more are known. None takes all. Two thirds of them are for learning and the
        others for accuracy, by default 10,000 and 5,000. Continuous factors, which
        leave nothing to overfit, take all rows.

    min_std : float, default=0.05
        Codes with a smaller standard deviation count as dead and predict nothing.

    random_state : int, RandomState instance or None, default=None
        Determines which rows are held out. Pass an int for the same score on every
        call. Without discrete factors it has no effect.

    Returns
    -------
    float
        Between 0 and 1. About 0 if two codes know as much of each factor, be it
        nothing. Without an active code it is 0.

    Raises
    ------
    ValueError
        If the shapes do not match, if codes are not finite, if a continuous factor is
        infinite, if a factor is missing in all rows, or if all factors are left out.

    See Also
    --------
    mig_score : The same gap in mutual information, which sees relations of any shape.
    explicitness_score : Predicts from all codes at once.

    Notes
    -----
    Numbers, dates and durations with more than 20 distinct values are continuous: a
    code scores its squared correlation with them. All other factors are discrete, and
    a code scores the accuracy on rows held out of a linear support vector machine
    with balanced levels, squared hinge loss and ``C=0.01``. These are the predictors
    and constants of disentanglement_lib [2]_. There, the user says of all factors at
    once whether they are continuous. In [1]_ discrete factors are told apart by
    thresholds, and rated by balanced accuracy.

    The machine is scikit-learn's ``LinearSVC(C=0.01, class_weight="balanced")``, here
    solved to its exact minimum from cumulative sums of the sorted code. Since C
    penalises the slope, codes are first brought to standard deviation 1, which makes
    the score free of scale; [2]_ takes them as they are.

    The highest score depends on the factor. With two equally frequent levels, a code
    that knows nothing is right half of the time, so that no gap exceeds 1/2. With
    many, lines can hardly single out a level between two others: of six equidistant
    levels, a code that equals the factor tells the lowest and the highest only, is
    right in a third of the rows where guessing is right in a sixth, and scores 1/6.
    Compare scores on the same factors only.

    A dead code scores 0 [1]_, not what guessing would reach. If a single code is
    active, the gap to a discrete factor is therefore its accuracy, at chance or not.

    References
    ----------
    .. [1] A. Kumar, P. Sattigeri and A. Balakrishnan, "Variational Inference of
       Disentangled Latent Concepts from Unlabeled Observations", ICLR 2018, section
       3. https://openreview.net/forum?id=H1kG7GZAW
    .. [2] F. Locatello et al., "Challenging Common Assumptions in the Unsupervised
       Learning of Disentangled Representations", ICML 2019.
       https://arxiv.org/abs/1811.12359

    Examples
    --------
    Three continuous factors, and codes that are these factors in another order and
    scale:

    >>> import numpy as np
    >>> from skvae.metrics import sap_score
    >>> rng = np.random.RandomState(0)
    >>> factors = rng.normal(size=(1000, 3))
    >>> codes = factors[:, [2, 0, 1]] * [1.0, -2.0, 0.5]
    >>> round(sap_score(factors, codes), 2)
    1.0

    A factor stored twice has no gap:

    >>> round(sap_score(factors, codes[:, [0, 1, 2, 2]]), 2)
    0.67

    A yes or no is guessed in half of the rows, which leaves a gap of one half:

    >>> round(sap_score(factors > 0, codes, random_state=0), 1)
    0.5
    """
    factors, codes = check_factors_and_codes(factors, codes)
    shuffled_rows = check_random_state(random_state).permutation(len(codes))
    all_levels, _ = factor_levels(factors, MAX_LEVELS_OF_QUANTITY)
    codes = standardise_active(codes, min_std)

    scores = []
    for index, levels in enumerate(all_levels.T):
        column = factors.iloc[:, index]
        if is_continuous(column):
            known = levels >= 0
            scores.append(_squared_correlations(codes[known], as_float(column)[known]))
        else:
            learning, held_out = split_known_rows(levels, shuffled_rows, max_rows)
            scores.append(_accuracies(codes, levels, learning, held_out))
    scores = [score for score in scores if score is not None]
    if not scores:
        raise ValueError(
            "Expected a factor with at least two values in the rows to learn from, "
            "got none."
        )
    return mean_gap(np.column_stack(scores))
