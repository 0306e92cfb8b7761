"""Mutual information between codes and factors, and the gaps in it."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from skvae.metrics._chance import above_chance, chance_by_shuffling
from skvae.metrics._discretise import equal_width_bins, factor_levels
from skvae.metrics._gap import mean_gap
from skvae.metrics._validation import (
    MIN_STD,
    active_dimensions,
    check_factors,
    check_factors_and_codes,
)

_PARAMETERS = {
    "factors": ["array-like"],
    "codes": ["array-like"],
    "n_bins": [Interval(Integral, 2, None, closed="left")],
}
SCORE_PARAMETERS = {
    **_PARAMETERS,
    "adjusted": ["boolean"],
    "random_state": ["random_state"],
}


def _entropy(counts):
    """Entropy in nats of the distribution that `counts` are drawn from."""
    probabilities = counts[counts > 0] / counts.sum()
    return float(np.sum(probabilities * np.log(1 / probabilities)))


def _contingency(bin_of_any_code, n_codes, n_bins, levels, n_levels):
    """Count bin and level together: (n_codes, n_bins, n_levels), in one pass."""
    cell = bin_of_any_code * n_levels
    cell += levels[:, None]
    counts = np.bincount(cell.ravel(), minlength=n_codes * n_bins * n_levels)
    return counts.reshape(n_codes, n_bins, n_levels)


def _mutual_information(contingency):
    """Mutual information in nats, one number for each leading index."""
    joint = contingency / contingency.sum(axis=(-2, -1), keepdims=True)
    outer = joint.sum(axis=-1, keepdims=True) * joint.sum(axis=-2, keepdims=True)
    # log(1) = 0 where the joint is empty, so that 0 log 0 counts as 0.
    ratio = np.divide(joint, outer, out=np.ones_like(joint), where=joint > 0)
    information = np.sum(joint * np.log(ratio), axis=(-2, -1))
    return np.maximum(information, 0.0)  # it is never negative but by rounding


def _entropies(levels):
    """Entropy of every factor among the rows where it is known."""
    return np.array([_entropy(np.bincount(column[column >= 0])) for column in levels.T])


def _information(code_bins, n_bins, levels, n_levels):
    """What each code knows of each factor among the rows where this is known."""
    n_codes = code_bins.shape[1]
    bin_of_any_code = code_bins + n_bins * np.arange(n_codes)
    columns = []
    for column, count in zip(levels.T, n_levels, strict=True):
        known = column >= 0
        known = slice(None) if known.all() else known  # a copy takes as long as counts
        contingency = _contingency(
            bin_of_any_code[known], n_codes, n_bins, column[known], count
        )
        columns.append(_mutual_information(contingency))
    return np.column_stack(columns)


def score_of_information(
    score, factors, codes, *, n_bins, adjusted, random_state, min_std=0.0
):
    """Rate what active codes know of the factors that vary.

    Parameters
    ----------
    score : callable
        Takes the information of shape (n_active_codes, n_varying_factors) and the
        entropies of these factors, returns a float: 0 if there is no code.
    min_std : float, default=0.0
        Codes with a smaller standard deviation are no active ones.

    Other parameters are those of :func:`mig_score`.
    """
    factors, codes = check_factors_and_codes(factors, codes)
    random_state = check_random_state(random_state)
    levels, n_levels = factor_levels(factors, n_bins)
    varies = n_levels > 1
    if not varies.any():
        raise ValueError("Expected a factor with at least two values, got none.")
    levels, n_levels = levels[:, varies], n_levels[varies]
    entropies = _entropies(levels)
    code_bins = equal_width_bins(codes[:, active_dimensions(codes, min_std)], n_bins)

    def score_of_levels(levels):
        return score(_information(code_bins, n_bins, levels, n_levels), entropies)

    value = score_of_levels(levels)
    if not adjusted:
        return value
    return above_chance(
        value, chance_by_shuffling(score_of_levels, levels, random_state)
    )


@validate_params(
    {"factors": ["array-like"], "n_bins": _PARAMETERS["n_bins"]},
    prefer_skip_nested_validation=True,
)
def factor_entropies(factors, *, n_bins=20):
    """Entropy of every factor, which is the most that a code can know of it.

    Parameters
    ----------
    factors : array-like of shape (n_rows, n_factors) or (n_rows,)
        The known factors, grouped as in :func:`factor_vae_score`: discrete ones by
        level, continuous ones into quantile bins. Cells may be missing: each factor
        is counted in the rows where it is known.

    n_bins : int, default=20
        The largest number of quantile bins of a continuous factor.

    Returns
    -------
    entropies : ndarray of shape (n_factors,)
        In nats; 0 for a constant factor.

    Raises
    ------
    ValueError
        If a factor is missing in all rows.

    See Also
    --------
    mutual_information_matrix : What codes know of the factors.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import factor_entropies
    >>> factor_entropies(np.array([[0, 5], [0, 5], [1, 5], [1, 5]])).round(4)
    array([0.6931, 0.    ])
    """
    levels, _ = factor_levels(check_factors(factors), n_bins)
    return _entropies(levels)


@validate_params(_PARAMETERS, prefer_skip_nested_validation=True)
def mutual_information_matrix(factors, codes, *, n_bins=20):
    """Mutual information of every code with every factor, in nats.

    Parameters
    ----------
    factors : array-like of shape (n_rows, n_factors) or (n_rows,)
        The known factors, grouped as in :func:`factor_vae_score`: discrete ones by
        level, continuous ones into quantile bins. Cells may be missing: each factor
        is counted in the rows where it is known.

    codes : array-like of shape (n_rows, n_codes)
        The representation of the same rows, posterior means as a rule.

    n_bins : int, default=20
        Number of equal-width bins of a code, over all rows, and the largest number of
        quantile bins of a continuous factor.

    Returns
    -------
    ndarray of shape (n_codes, n_factors)
        A constant code or factor has 0.

    Raises
    ------
    ValueError
        If the shapes do not match, if codes are not finite, or if a factor is missing
        in all rows.

    See Also
    --------
    mig_score : One number from this matrix.

    Notes
    -----
    The estimate is that of the binned table, as in disentanglement_lib's
    ``discrete_mutual_info``. On few rows it is too high: independent columns show
    about ``(n_bins - 1) * (n_levels - 1) / (2 * n_rows)`` nats.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import mutual_information_matrix
    >>> factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> codes = np.array([[-1.0, 0.0], [-1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    >>> mutual_information_matrix(factors, codes).round(4)
    array([[0.6931, 0.    ],
           [0.    , 0.    ]])
    """
    factors, codes = check_factors_and_codes(factors, codes)
    levels, n_levels = factor_levels(factors, n_bins)
    code_bins = equal_width_bins(codes, n_bins)
    return _information(code_bins, n_bins, levels, n_levels)


@validate_params(SCORE_PARAMETERS, prefer_skip_nested_validation=True)
def mig_score(factors, codes, *, n_bins=20, adjusted=False, random_state=None):
    """Mutual information gap (MIG) of codes against known factors.

    For every factor, the gap between the code that knows most of it and the runner-up,
    as a share of the factor's entropy; the score is the mean over factors [1]_.

    Parameters
    ----------
    factors : array-like of shape (n_rows, n_factors) or (n_rows,)
        The known factors, grouped as in :func:`factor_vae_score`: discrete ones by
        level, continuous ones into quantile bins. Cells may be missing: each factor
        is counted in the rows where it is known. A constant factor, which has no
        entropy, is left out.

    codes : array-like of shape (n_rows, n_codes)
        The representation of the same rows, posterior means as a rule.

    n_bins : int, default=20
        Number of equal-width bins of a code, and the largest number of quantile bins
        of a continuous factor.

    adjusted : bool, default=False
        If True, return ``(score - chance) / (1 - chance)``, where `chance` is the mean
        score over 20 shuffles of the rows of the codes, which then know nothing of
        the factors. The fewer the rows, the more the binned table takes noise for
        information, and the higher is chance. Slightly negative values are possible.

    random_state : int, RandomState instance or None, default=None
        Determines the shuffles if `adjusted`; the score itself draws nothing.

    Returns
    -------
    float
        Between 0 and 1 unless `adjusted`. A constant code contributes nothing; a
        single code has no runner-up.

    Raises
    ------
    ValueError
        If the shapes do not match, if codes are not finite, if a factor is missing in
        all rows, or if all factors are constant.

    See Also
    --------
    mutual_information_matrix : The numbers behind the score.
    mig_sup_score : Asks each code how many factors it serves.
    factor_vae_score : Forgives a factor that is stored twice.

    Notes
    -----
    This is the estimate of disentanglement_lib [2]_, on a 20-bin histogram of the
    codes. The original authors' code integrates the exact mixture q(z) over samples
    of z, which gives other numbers; do not compare the two.

    The bins stretch with the code, so that the score is free of scale: a nearly dead
    code whose tiny movements follow a factor still counts. A code that determines a
    continuous factor reaches less than the factor's entropy where the two kinds of
    bins do not coincide.

    References
    ----------
    .. [1] R. T. Q. Chen, X. Li, R. Grosse and D. Duvenaud, "Isolating Sources of
       Disentanglement in Variational Autoencoders", NeurIPS 2018, section 4.
       https://arxiv.org/abs/1802.04942
    .. [2] F. Locatello et al., "Challenging Common Assumptions in the Unsupervised
       Learning of Disentangled Representations", ICML 2019.
       https://arxiv.org/abs/1811.12359

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import mig_score
    >>> factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> codes = factors * [2.0, -1.0]
    >>> round(mig_score(factors, codes), 6)
    1.0

    A factor stored twice has no gap:

    >>> round(mig_score(factors, codes[:, [0, 1, 1]]), 6)
    0.5
    """
    return score_of_information(
        lambda information, entropies: mean_gap(information / entropies),
        factors,
        codes,
        n_bins=n_bins,
        adjusted=adjusted,
        random_state=random_state,
    )


@validate_params(
    {**SCORE_PARAMETERS, "min_std": [Interval(Real, 0, None, closed="left")]},
    prefer_skip_nested_validation=True,
)
def mig_sup_score(
    factors, codes, *, n_bins=20, min_std=MIN_STD, adjusted=False, random_state=None
):
    """MIG-sup: the mutual information gap of every code, between two factors.

    For every code, the gap between the factor that it knows best and the next, each
    as a share of the factor's entropy; the score is the mean over codes [1]_. It
    supplements :func:`mig_score`, which asks whether a factor is in one code only, and
    does not see that a code holds two factors.

    Parameters
    ----------
    factors : array-like of shape (n_rows, n_factors) or (n_rows,)
        The known factors, grouped as in :func:`factor_vae_score`: discrete ones by
        level, continuous ones into quantile bins. Cells may be missing: each factor
        is counted in the rows where it is known. A constant factor, which has no
        entropy, is left out.

    codes : array-like of shape (n_rows, n_codes)
        The representation of the same rows, posterior means as a rule.

    n_bins : int, default=20
        Number of equal-width bins of a code, and the largest number of quantile bins
        of a continuous factor.

    min_std : float, default=0.05
        Codes with a smaller standard deviation count as dead and are left out, as in
        :func:`factor_vae_score`. Constant codes always are.

    adjusted : bool, default=False
        If True, return ``(score - chance) / (1 - chance)``, with `chance` from 20
        shuffles of the rows as in :func:`mig_score`.

    random_state : int, RandomState instance or None, default=None
        Determines the shuffles if `adjusted`; the score itself draws nothing.

    Returns
    -------
    float
        Between 0 and 1 unless `adjusted`. Without an active code it is 0, adjusted or
        not. A single factor has no runner-up.

    Raises
    ------
    ValueError
        If the shapes do not match, if codes are not finite, if a factor is missing in
        all rows, or if all factors are constant.

    See Also
    --------
    mig_score : The gap of every factor, between two codes.
    modularity_score : Forgives a code that knows little, if it is all of one factor.
    mutual_information_matrix : The numbers behind the score.

    Notes
    -----
    The estimate of mutual information is that of :func:`mig_score`, on a 20-bin
    histogram of the codes; [1]_ integrates over samples of z instead, as the MIG's
    authors do, which gives other numbers. As there, codes that do not move have no
    part in the mean; the cut of the authors' code is a variance of 0.01.

    A code that moves and knows nothing has a gap near 0 and lowers the mean. So do
    levels that a code cannot tell apart. A factor that is in no code does not lower
    it, nor does a factor that is in two.

    References
    ----------
    .. [1] Z. Li, J. V. Murkute, P. K. Gyawali and L. Wang, "Progressive Learning and
       Disentanglement of Hierarchical Representations", ICLR 2020, section 4.
       https://arxiv.org/abs/2002.10549

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import mig_sup_score
    >>> factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> codes = factors * [2.0, -1.0]
    >>> round(mig_sup_score(factors, codes), 6)
    1.0

    A factor stored twice does no harm, unlike a code that serves both factors:

    >>> round(mig_sup_score(factors, codes[:, [0, 1, 1]]), 6)
    1.0
    >>> both = 2 * factors[:, [0]] + factors[:, [1]]
    >>> round(mig_sup_score(factors, both), 6)
    0.0
    """
    return score_of_information(
        lambda information, entropies: mean_gap((information / entropies).T),
        factors,
        codes,
        n_bins=n_bins,
        min_std=min_std,
        adjusted=adjusted,
        random_state=random_state,
    )
