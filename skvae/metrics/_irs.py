"""The interventional robustness score (IRS): do the other factors move a code?"""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

from skvae.metrics._discretise import factor_levels
from skvae.metrics._groups import group_rows
from skvae.metrics._validation import (
    MIN_STD,
    active_dimensions,
    check_factors_and_codes,
)


def _largest_deviations(codes, groups, diff_quantile):
    """How far codes stray while a factor is held fixed: (n_codes, n_factors).

    The quantile of the distances from the mean of a group, averaged over groups.
    """
    total = np.zeros((groups.n_factors, codes.shape[1]))
    for start, size, factor in zip(
        groups.start, groups.size, groups.factor, strict=True
    ):
        group = codes[groups.rows[start : start + size]]
        distance = np.abs(group - group.mean(axis=0))
        total[factor] += np.quantile(distance, diff_quantile, axis=0)
    return total.T / np.bincount(groups.factor)


@validate_params(
    {
        "factors": ["array-like"],
        "codes": ["array-like"],
        "n_bins": [Interval(Integral, 2, None, closed="left")],
        "diff_quantile": [Interval(Real, 0, 1, closed="right")],
        "min_std": [Interval(Real, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def irs_score(factors, codes, *, n_bins=20, diff_quantile=0.99, min_std=MIN_STD):
    """Interventional robustness score (IRS) of codes against known factors.

    Hold one factor fixed and let all others vary: a code is robust if it hardly
    moves. Each code is scored with the factor that steadies it most [1]_.

    Parameters
    ----------
    factors : array-like of shape (n_rows, n_factors) or (n_rows,)
        The known factors, continuous or discrete; DataFrames may mix kinds. Values
        are grouped as in :func:`factor_vae_score`. A row takes no part in the groups
        of a factor that it misses. A factor that is constant, or that has no two rows
        of one value, takes no part at all.

    codes : array-like of shape (n_rows, n_codes)
        The representation of the same rows, posterior means as a rule.

    n_bins : int, default=20
        Largest number of quantile bins that a continuous factor is cut into.

    diff_quantile : float, default=0.99
        Which quantile of the distances stands for the largest one, greater than 0. 1
        is the definition in [1]_, which a single outlier decides.

    min_std : float, default=0.05
        Codes with a smaller standard deviation count as dead and are dropped.

    Returns
    -------
    float
        Between 0 and 1. Without an active code it is 0.

    Raises
    ------
    ValueError
        If the shapes do not match, if codes are not finite, if a factor is missing in
        all rows, or if no factor takes part.

    See Also
    --------
    factor_vae_score : Also holds factors fixed, and has a known chance level.
    dci_scores : Its disentanglement asks the same, whether a code serves one factor.

    Notes
    -----
    For a code and a factor, take the rows of one value of the factor, their mean, and
    the quantile of their distances from it; average over values, all weighing the
    same; divide by the largest distance from the overall mean, and take from 1. A
    code has the largest of these numbers over factors, or 0 if all are negative. The
    score is their average weighted by the largest distances, since a code that moves
    little matters little. It thus stays the same if all codes are rescaled alike, and
    changes a little if each is rescaled on its own.

    The formula and its constant are those of disentanglement_lib [2]_, which cuts
    numeric factors into 20 bins of equal width and drops constant codes only. Values
    held by one row alone are left out here, since a lone row does not stray.

    Noise does not score 0: the quantile within a group is less than the largest
    distance over all rows, which grows with their number, and the best of several
    factors counts. Normal noise reaches 0.2 to 0.4 on 300 to 10,000 rows. Compare
    scores at equal numbers of rows, and with the score of noise of the same shape.

    The score asks of each code whether it serves one factor, not of each factor
    whether it has a code: a factor stored twice, or not at all, costs nothing.

    References
    ----------
    .. [1] R. Suter, D. Miladinovic, B. Schoelkopf and S. Bauer, "Robustly
       Disentangled Causal Mechanisms: Validating Deep Representations for
       Interventional Robustness", ICML 2019. https://arxiv.org/abs/1811.00007
    .. [2] F. Locatello et al., "Challenging Common Assumptions in the Unsupervised
       Learning of Disentangled Representations", ICML 2019.
       https://arxiv.org/abs/1811.12359

    Examples
    --------
    Codes that are the factors in another order and scale:

    >>> import numpy as np
    >>> from skvae.metrics import irs_score
    >>> factors = np.array([[i, j] for i in range(5) for j in range(5)])
    >>> irs_score(factors, factors[:, ::-1] * [1.0, -2.0])
    1.0

    Sum and difference each keep half of their range, whichever factor is fixed:

    >>> turned = factors @ [[1, 1], [1, -1]]
    >>> round(irs_score(factors, turned, diff_quantile=1.0), 6)
    0.5
    """
    factors, codes = check_factors_and_codes(factors, codes)
    groups = group_rows(*factor_levels(factors, n_bins))
    codes = codes[:, active_dimensions(codes, min_std)]
    if codes.shape[1] == 0:
        return 0.0
    largest = np.abs(codes - codes.mean(axis=0)).max(axis=0)
    deviations = _largest_deviations(codes, groups, diff_quantile)
    robustness = 1.0 - deviations / largest[:, None]
    of_code = np.maximum(robustness.max(axis=1), 0.0)
    return float(np.average(of_code, weights=largest))
