"""The beta-VAE score: does fixing one factor make a difference that a line can tell?"""

from numbers import Integral, Real

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from skvae._core.chunking import row_chunks
from skvae.metrics._chance import above_chance
from skvae.metrics._discretise import factor_levels
from skvae.metrics._groups import NUMBERS_PER_CHUNK, group_rows
from skvae.metrics._validation import (
    MIN_STD,
    check_factors_and_codes,
    standardise_active,
)


def _draw_points(codes, groups, n_points, n_pairs, random_state):
    """Mean absolute difference within pairs that share the value of one factor.

    Returns
    -------
    points : ndarray of shape (n_points, n_codes)
    fixed_factor : ndarray of shape (n_points,)
        Which factor the pairs of a point share, each as often as the others.
    """
    fixed_factor = random_state.permutation(n_points) % groups.n_factors
    points = np.empty((n_points, codes.shape[1]))
    chunk_size = max(1, NUMBERS_PER_CHUNK // (n_pairs * codes.shape[1]))
    for chunk in row_chunks(n_points, chunk_size):
        factor = fixed_factor[chunk, None]
        uniform = random_state.random_sample((3, len(factor), n_pairs))
        group = groups.at(factor + uniform[0])  # for each pair anew
        start, size = groups.start[group], groups.size[group]
        first = (uniform[1] * size).astype(np.int64)
        # Another row than the first: a row has no difference from itself.
        second = (first + 1 + (uniform[2] * (size - 1)).astype(np.int64)) % size
        difference = codes[groups.rows[start + first]]  # (points, pairs, codes)
        difference -= codes[groups.rows[start + second]]
        points[chunk] = np.abs(difference, out=difference).mean(axis=1)
    return points, fixed_factor


@validate_params(
    {
        "factors": ["array-like"],
        "codes": ["array-like"],
        "n_points_train": [Interval(Integral, 2, None, closed="left")],
        "n_points_eval": [Interval(Integral, 1, None, closed="left")],
        "n_pairs_per_point": [Interval(Integral, 1, None, closed="left")],
        "n_bins": [Interval(Integral, 2, None, closed="left")],
        "min_std": [Interval(Real, 0, None, closed="left")],
        "adjusted": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def beta_vae_score(
    factors,
    codes,
    *,
    n_points_train=10_000,
    n_points_eval=5_000,
    n_pairs_per_point=64,
    n_bins=20,
    min_std=MIN_STD,
    adjusted=False,
    random_state=None,
):
    """Beta-VAE score of codes against known factors.

    Take pairs of rows that share the value of one factor, average how far each code
    differs within them, and ask how well a linear classifier tells from these
    averages which factor was shared [1]_. The score is 1 when each factor leaves a
    mark of its own, and about ``1 / n_factors`` when codes know nothing of them.

    Parameters
    ----------
    factors : array-like of shape (n_rows, n_factors) or (n_rows,)
        The known factors, continuous or discrete; DataFrames may mix kinds. Values
        are grouped as in :func:`factor_vae_score`. A row takes no part in the pairs
        of a factor that it misses. A factor that is constant, or that has no two rows
        of one value, takes no part at all.

    codes : array-like of shape (n_rows, n_codes)
        The representation of the same rows, posterior means as a rule.

    n_points_train : int, default=10_000
        Points that the classifier learns from, each an average over pairs.

    n_points_eval : int, default=5_000
        Fresh points that its accuracy is measured on.

    n_pairs_per_point : int, default=64
        Pairs of rows averaged into one point. With more pairs a point is less noisy,
        and the score higher.

    n_bins : int, default=20
        Largest number of quantile bins that a continuous factor is cut into.

    min_std : float, default=0.05
        Codes with a smaller standard deviation count as dead and are dropped. This
        is the one place where the score depends on the scale of the codes.

    adjusted : bool, default=False
        If True, return ``(score - chance) / (1 - chance)`` with ``chance = 1 /
        n_factors``, where ``n_factors`` counts the factors that take part. Scores of
        data sets with different numbers of factors then compare. Slightly negative
        values are possible.

    random_state : int, RandomState instance or None, default=None
        Determines the pairs. Pass an int for the same score on every call.

    Returns
    -------
    float
        Accuracy on the evaluation points, between 0 and 1 unless `adjusted`. Without
        an active code it is 0, adjusted or not. With a single factor it is 1 whatever
        the codes are, and 0 if adjusted.

    Raises
    ------
    ValueError
        If the shapes do not match, if codes are not finite, if a factor is missing in
        all rows, or if no factor takes part.

    See Also
    --------
    factor_vae_score : Asks for one still code per factor, and is harder to please.

    Notes
    -----
    A point has one fixed factor, all being fixed equally often. Each of its pairs
    draws a value of this factor, as likely as it is frequent, and two different rows
    of this value. Values held by one row alone are left out. The classifier is
    scikit-learn's multinomial logistic regression with its default penalty ``C=1``.

    Codes are first brought to standard deviation 1, which makes the score free of
    scale: the penalty would otherwise bear on small codes more than on large ones.

    Since the classifier sees all codes at once, a factor need not have a code of its
    own: it is enough that no two factors leave the same mark, and the marks may
    spread over all codes. One factor may even be absent, since it alone leaves no
    mark. Most rotations therefore score 1; only an even mixture of two factors,
    which both still the same codes alike, confuses them.

    Numbers and classifier are those of disentanglement_lib [2]_, which does not
    standardise and drops no code. Its rows come from a simulator, which has every
    combination of factors at hand; in a table whose factors are correlated, fixing
    one also narrows the others.

    References
    ----------
    .. [1] I. Higgins et al., "beta-VAE: Learning Basic Visual Concepts with a
       Constrained Variational Framework", ICLR 2017, section 3.
       https://openreview.net/forum?id=Sy2fzU9gl
    .. [2] F. Locatello et al., "Challenging Common Assumptions in the Unsupervised
       Learning of Disentangled Representations", ICML 2019.
       https://arxiv.org/abs/1811.12359

    Examples
    --------
    Three factors, and codes that are these factors in another order and scale:

    >>> import numpy as np
    >>> from skvae.metrics import beta_vae_score
    >>> rng = np.random.RandomState(0)
    >>> factors = rng.randint(5, size=(1000, 3))
    >>> codes = factors[:, [2, 0, 1]] * [1.0, -2.0, 0.5]
    >>> beta_vae_score(factors, codes, random_state=0)
    1.0

    Codes that mix all factors, each a little differently, do as well:

    >>> mixed = factors @ [[3, 1, 1], [1, 3, 1], [1, 1, 3]]
    >>> round(beta_vae_score(factors, mixed, random_state=0), 1)
    1.0

    Codes that know nothing are right in a third of the points:

    >>> noise = rng.normal(size=(1000, 3))
    >>> round(beta_vae_score(factors, noise, random_state=0), 1)
    0.3
    """
    factors, codes = check_factors_and_codes(factors, codes)
    random_state = check_random_state(random_state)
    groups = group_rows(*factor_levels(factors, n_bins))
    codes = standardise_active(codes, min_std)
    if codes.shape[1] == 0:
        return 0.0
    if groups.n_factors == 1:
        return 0.0 if adjusted else 1.0
    train, evaluation = (
        _draw_points(codes, groups, n_points, n_pairs_per_point, random_state)
        for n_points in (n_points_train, n_points_eval)
    )
    classifier = LogisticRegression(max_iter=1000).fit(*train)
    score = float(classifier.score(*evaluation))
    return above_chance(score, 1.0 / groups.n_factors) if adjusted else score
