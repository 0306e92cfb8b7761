"""Modularity: does each code know of one factor only?"""

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

from skvae.metrics._mutual_information import SCORE_PARAMETERS, score_of_information
from skvae.metrics._validation import MIN_STD

# Nats below which information is what rounding left of none.
_NO_INFORMATION = 1e-12


def _mean_modularity(information, entropies):
    """Mean over the codes that know something; `entropies` have no part in it."""
    n_codes, n_factors = information.shape
    if n_codes > 0 and n_factors == 1:
        return 1.0
    information = information[(information > _NO_INFORMATION).any(axis=1)]
    if len(information) == 0:
        return 0.0
    shares = information / information.max(axis=1, keepdims=True)
    deviation = (np.sum(shares**2, axis=1) - 1.0) / (n_factors - 1)
    return float(np.mean(1.0 - deviation))


@validate_params(
    {**SCORE_PARAMETERS, "min_std": [Interval(Real, 0, None, closed="left")]},
    prefer_skip_nested_validation=True,
)
def modularity_score(
    factors, codes, *, n_bins=20, min_std=MIN_STD, adjusted=False, random_state=None
):
    """Modularity of codes against known factors.

    A code is modular if it knows of one factor and of no other [1]_. The score is 1
    if all codes are, and 0 if each knows as much of every factor.

    Parameters
    ----------
    factors : array-like of shape (n_rows, n_factors) or (n_rows,)
        The known factors, grouped as in :func:`factor_vae_score`: discrete ones by
        level, continuous ones into quantile bins. Cells may be missing: each factor
        is counted in the rows where it is known. A constant factor is left out.

    codes : array-like of shape (n_rows, n_codes)
        The representation of the same rows, posterior means as a rule.

    n_bins : int, default=20
        Number of equal-width bins of a code, and the largest number of quantile bins
        of a continuous factor.

    min_std : float, default=0.05
        Codes with a smaller standard deviation count as dead and are left out, as in
        :func:`factor_vae_score`. Constant codes always are.

    adjusted : bool, default=False
        If True, return ``(score - chance) / (1 - chance)``, where `chance` is the mean
        score over 20 shuffles of the rows of the codes, which then know nothing of
        the factors. It is far from 0 here: see Notes. Slightly negative values are
        possible.

    random_state : int, RandomState instance or None, default=None
        Determines the shuffles if `adjusted`; the score itself draws nothing.

    Returns
    -------
    float
        Between 0 and 1 unless `adjusted`. Without an active code it is 0, adjusted or
        not. With a single factor it is 1 whatever the codes know, and 0 if adjusted.

    Raises
    ------
    ValueError
        If the shapes do not match, if codes are not finite, if a factor is missing in
        all rows, or if all factors are constant.

    See Also
    --------
    mig_sup_score : Asks also that a code knows all of its factor.
    mutual_information_matrix : The numbers behind the score.

    Notes
    -----
    Let ``m`` be the row of a code in :func:`mutual_information_matrix`, with K
    factors, and ``theta`` its largest number. The ideal row has ``theta`` in the same
    place and 0 in all others. The modularity of the code is one minus its squared
    distance from the ideal, as a share of the largest possible::

        1 - (sum(m**2) - theta**2) / (theta**2 * (K - 1))

    The score is the mean over codes, with the 20-bin histogram of disentanglement_lib
    [2]_. There, a code without information counts 0 in the mean; here it has no
    part, nor has a dead one, so that spare dimensions do not lower the score.

    The formula looks at proportions only. A code that knows next to nothing is as
    modular as one that knows all, if its little is of one factor. What a binned table
    shows of a code that knows nothing is not spread evenly either: among three factors
    of equally many levels, such a code has about 0.5 on average with two levels, 0.27
    with five and 0.15 with twenty. Use `adjusted`, and read the score beside
    :func:`mig_score`. Information is in nats,
    not in shares of an entropy, so that a factor with more levels weighs more. A
    factor that is in no code costs nothing.

    References
    ----------
    .. [1] K. Ridgeway and M. C. Mozer, "Learning Deep Disentangled Embeddings with the
       F-Statistic Loss", NeurIPS 2018, section 3. https://arxiv.org/abs/1802.05312
    .. [2] F. Locatello et al., "Challenging Common Assumptions in the Unsupervised
       Learning of Disentangled Representations", ICML 2019.
       https://arxiv.org/abs/1811.12359

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import modularity_score
    >>> rng = np.random.RandomState(0)
    >>> factors = rng.randint(5, size=(1000, 3))
    >>> codes = factors[:, [2, 0, 1]] * [1.0, -2.0, 0.5]
    >>> round(modularity_score(factors, codes), 2)
    1.0

    Codes that know nothing are far from 0, unless chance is taken off:

    >>> noise = rng.normal(size=(1000, 3))
    >>> modularity_score(factors, noise) > 0.1
    True
    >>> abs(modularity_score(factors, noise, adjusted=True, random_state=0)) < 0.2
    True
    """
    return score_of_information(
        _mean_modularity,
        factors,
        codes,
        n_bins=n_bins,
        min_std=min_std,
        adjusted=adjusted,
        random_state=random_state,
    )
