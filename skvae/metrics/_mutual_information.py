"""Mutual information between codes and factors, and the gap between the best two."""

from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

from skvae.metrics._discretise import equal_width_bins, factor_levels
from skvae.metrics._validation import check_factors, check_factors_and_codes

_PARAMETERS = {
    "factors": ["array-like"],
    "codes": ["array-like"],
    "n_bins": [Interval(Integral, 2, None, closed="left")],
}


def _entropy(counts):
    """Entropy in nats of the distribution that `counts` are drawn from."""
    probabilities = counts[counts > 0] / counts.sum()
    return float(np.sum(probabilities * np.log(1 / probabilities)))


def _contingency(code_bins, n_bins, levels, n_levels):
    """Count bin and level together: (n_codes, n_bins, n_levels), in one pass."""
    n_codes = code_bins.shape[1]
    bin_of_any_code = code_bins + n_bins * np.arange(n_codes)
    cell = bin_of_any_code * n_levels + levels[:, None]
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
        level, continuous ones into quantile bins. No missing values.

    n_bins : int, default=20
        The largest number of quantile bins of a continuous factor.

    Returns
    -------
    entropies : ndarray of shape (n_factors,)
        In nats; 0 for a constant factor.

    Raises
    ------
    ValueError
        If factors are missing.

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
    return np.array([_entropy(np.bincount(column)) for column in levels.T])


@validate_params(_PARAMETERS, prefer_skip_nested_validation=True)
def mutual_information_matrix(factors, codes, *, n_bins=20):
    """Mutual information of every code with every factor, in nats.

    Parameters
    ----------
    factors : array-like of shape (n_rows, n_factors) or (n_rows,)
        The known factors, grouped as in :func:`factor_vae_score`: discrete ones by
        level, continuous ones into quantile bins. No missing values.

    codes : array-like of shape (n_rows, n_codes)
        The representation of the same rows, posterior means as a rule.

    n_bins : int, default=20
        Number of equal-width bins of a code, and the largest number of quantile bins
        of a continuous factor.

    Returns
    -------
    ndarray of shape (n_codes, n_factors)
        A constant code or factor has 0.

    Raises
    ------
    ValueError
        If the shapes do not match, if codes are not finite or factors are missing.

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
    return np.column_stack(
        [
            _mutual_information(_contingency(code_bins, n_bins, column, count))
            for column, count in zip(levels.T, n_levels, strict=True)
        ]
    )


@validate_params(_PARAMETERS, prefer_skip_nested_validation=True)
def mig_score(factors, codes, *, n_bins=20):
    """Mutual information gap (MIG) of codes against known factors.

    For every factor, the gap between the code that knows most of it and the runner-up,
    as a share of the factor's entropy; the score is the mean over factors [1]_.

    Parameters
    ----------
    factors : array-like of shape (n_rows, n_factors) or (n_rows,)
        The known factors, grouped as in :func:`factor_vae_score`: discrete ones by
        level, continuous ones into quantile bins. No missing values. A constant
        factor, which has no entropy, is left out.

    codes : array-like of shape (n_rows, n_codes)
        The representation of the same rows, posterior means as a rule.

    n_bins : int, default=20
        Number of equal-width bins of a code, and the largest number of quantile bins
        of a continuous factor.

    Returns
    -------
    float
        Between 0 and 1. A constant code contributes nothing; a single code has no
        runner-up.

    Raises
    ------
    ValueError
        If the shapes do not match, if codes are not finite, if factors are missing,
        or if all factors are constant.

    See Also
    --------
    mutual_information_matrix : The numbers behind the score.
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
    information = mutual_information_matrix(factors, codes, n_bins=n_bins)
    entropies = factor_entropies(factors, n_bins=n_bins)
    varies = entropies > 0
    if not varies.any():
        raise ValueError("Expected a factor with at least two values, got none.")
    share = information[:, varies] / entropies[varies]
    # With one code, the runner-up knows nothing.
    ranked = np.sort(np.vstack([share, np.zeros(share.shape[1])]), axis=0)
    return float(np.mean(ranked[-1] - ranked[-2]))
