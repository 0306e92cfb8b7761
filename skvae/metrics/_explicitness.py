"""Explicitness: can a linear classifier read the factors off the codes?"""

from numbers import Integral, Real

import numpy as np
from scipy.special import log_softmax
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from skvae.metrics._chance import above_chance
from skvae.metrics._discretise import (
    factor_levels,
    pool_rare_levels,
    split_known_rows,
)
from skvae.metrics._validation import (
    MIN_STD,
    check_factors_and_codes,
    standardise_active,
)


def _areas_under_roc(scores, is_positive):
    """Area under the ROC curve of each column: the share of pairs in right order.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_levels)
    is_positive : ndarray of shape (n_rows, n_levels), of bool
        With both values in every column.
    """
    n_positive = is_positive.sum(axis=0)
    n_negative = len(is_positive) - n_positive
    # A rank counts the rows below; take away the pairs of two positive rows.
    rank_sum = np.sum(rankdata(scores, axis=0) * is_positive, axis=0)
    n_right = rank_sum - n_positive * (n_positive + 1) / 2
    return n_right / (n_positive * n_negative)


def _log_odds(classifier, codes):
    """What ranks rows by the probability of each level, also where that is 0 or 1."""
    heights = classifier.decision_function(codes)
    if heights.ndim == 1:  # of the second of two levels
        return np.stack([-heights, heights], axis=1)
    return log_softmax(heights, axis=1)


def _explicitness_of_factor(codes, levels, learning, held_out):
    """Mean area over levels; None if the levels do not vary in both sets of rows."""
    rows = np.concatenate([learning, held_out])
    pooled = pool_rare_levels(levels[rows], len(rows))
    learning_levels, held_out_levels = np.split(pooled, [len(learning)])
    if len(np.unique(learning_levels)) < 2 or len(np.unique(held_out_levels)) < 2:
        return None
    if codes.shape[1] == 0:
        return 0.0
    classifier = LogisticRegression(max_iter=1000)
    classifier.fit(codes[learning], learning_levels)
    log_odds = _log_odds(classifier, codes[held_out])
    is_level = held_out_levels[:, None] == classifier.classes_
    occurs = is_level.any(axis=0)  # a level without a row held out has no curve
    if not occurs.any():
        return None
    areas = _areas_under_roc(log_odds[:, occurs], is_level[:, occurs])
    return float(areas.mean())


@validate_params(
    {
        "factors": ["array-like"],
        "codes": ["array-like"],
        "n_bins": [Interval(Integral, 2, None, closed="left")],
        "max_rows": [Interval(Integral, 4, None, closed="left"), None],
        "min_std": [Interval(Real, 0, None, closed="left")],
        "adjusted": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def explicitness_score(
    factors,
    codes,
    *,
    n_bins=20,
    max_rows=15_000,
    min_std=MIN_STD,
    adjusted=False,
    random_state=None,
):
    """Explicitness of codes with respect to known factors.

    A linear classifier learns the levels of each factor from all codes. The score is
    the mean area under its ROC curves, level against rest, on rows held out [1]_: 1
    if the factors can be read off the codes, and 1/2 if the codes know nothing of
    them.

    Parameters
    ----------
    factors : array-like of shape (n_rows, n_factors) or (n_rows,)
        The known factors, grouped as in :func:`factor_vae_score`: discrete ones by
        level, continuous ones into quantile bins. A factor with missing values is
        scored on the rows where it is known. A factor that is constant in the rows to
        learn from, or in those held out, is left out.

    codes : array-like of shape (n_rows, n_codes)
        The representation of the same rows, posterior means as a rule.

    n_bins : int, default=20
        Largest number of quantile bins that a continuous factor is cut into.

    max_rows : int or None, default=15_000
        Rows to work on, drawn without replacement for each factor if more are known.
        None takes all. Two thirds of them are for learning and the others for the
        curves, by default 10,000 and 5,000.

    min_std : float, default=0.05
        Codes with a smaller standard deviation count as dead and are dropped. This
        is the one place where the score depends on the scale of the codes.

    adjusted : bool, default=False
        If True, return ``(score - chance) / (1 - chance)`` with ``chance = 1/2``,
        which is 0 for codes that know nothing. Slightly negative values are possible.

    random_state : int, RandomState instance or None, default=None
        Determines which rows are held out. Pass an int for the same score on every
        call.

    Returns
    -------
    float
        Between 0 and 1 unless `adjusted`. Without an active code it is 0, adjusted
        or not.

    Raises
    ------
    ValueError
        If the shapes do not match, if codes are not finite, if a factor is missing in
        all rows, or if all factors are left out.

    See Also
    --------
    dci_scores : Its informativeness asks the same of a forest, linear or not.
    sap_score : Predicts from each code alone.

    Notes
    -----
    The classifier is scikit-learn's multinomial logistic regression with its default
    penalty ``C=1``, as in disentanglement_lib [2]_ with a recent scikit-learn. There
    is one for each factor, where [1]_ fits one for each level against the rest. The
    difference shows where levels lie on a line: a middle level is the most probable
    one there, while no single slope ranks it above both its neighbours.

    At most 100 levels are told apart, and no more than a quarter of the number of
    rows: beyond that, the rarest count as one. A level without a row to learn from,
    or without one held out, has no curve. The average is over levels first and then
    over factors, so that each factor weighs the same, as in [2]_.

    Codes are first brought to standard deviation 1, which makes the score free of
    scale, as the penalty is not.

    This is no measure of disentanglement by itself: a linear classifier undoes any
    rotation, and factors that each take several codes, or codes that each serve
    several factors, can score 1. Read it beside scores that see them, such as
    :func:`mig_score`.

    References
    ----------
    .. [1] K. Ridgeway and M. C. Mozer, "Learning Deep Disentangled Embeddings With
       the F-Statistic Loss", NeurIPS 2018, section 3.
       https://arxiv.org/abs/1802.05312
    .. [2] F. Locatello et al., "Challenging Common Assumptions in the Unsupervised
       Learning of Disentangled Representations", ICML 2019.
       https://arxiv.org/abs/1811.12359

    Examples
    --------
    Three factors, and codes that are mixtures of them:

    >>> import numpy as np
    >>> from skvae.metrics import explicitness_score
    >>> rng = np.random.RandomState(0)
    >>> factors = rng.randint(5, size=(1000, 3))
    >>> codes = factors @ [[1, 1, 0], [1, -1, 0], [0, 1, 1]]
    >>> round(explicitness_score(factors, codes, random_state=0), 2)
    1.0

    Codes that know nothing:

    >>> noise = rng.normal(size=(1000, 3))
    >>> round(explicitness_score(factors, noise, random_state=0), 1)
    0.5
    >>> abs(round(explicitness_score(factors, noise, adjusted=True, random_state=0), 1))
    0.0
    """
    factors, codes = check_factors_and_codes(factors, codes)
    shuffled_rows = check_random_state(random_state).permutation(len(codes))
    all_levels, _ = factor_levels(factors, n_bins)
    codes = standardise_active(codes, min_std)
    scores = [
        _explicitness_of_factor(
            codes, levels, *split_known_rows(levels, shuffled_rows, max_rows)
        )
        for levels in all_levels.T
    ]
    scores = [score for score in scores if score is not None]
    if not scores:
        raise ValueError(
            "Expected a factor with at least two values both in the rows to learn "
            "from and in those held out, got none."
        )
    if codes.shape[1] == 0:
        return 0.0
    score = float(np.mean(scores))
    return above_chance(score, 0.5) if adjusted else score
