"""The FactorVAE score: does fixing one factor still one code?"""

from numbers import Integral, Real

import numpy as np
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
from skvae.metrics._votes import majority_vote_accuracy


def _count_votes(standardised_codes, groups, n_votes, n_rows_per_vote, random_state):
    """Table of votes, of shape (n_codes, n_factors)."""
    n_codes = standardised_codes.shape[1]
    group = groups.at(random_state.uniform(0, groups.n_factors, size=n_votes))
    stillest_code = np.empty(n_votes, dtype=np.int64)
    average = np.full((1, n_rows_per_vote), 1 / n_rows_per_vote)
    chunk_size = max(1, NUMBERS_PER_CHUNK // (n_rows_per_vote * n_codes))
    for chunk in row_chunks(n_votes, chunk_size):
        start, size = groups.start[group[chunk]], groups.size[group[chunk]]
        uniform = random_state.random_sample((len(start), n_rows_per_vote))
        within_group = (uniform * size[:, None]).astype(np.int64)
        rows = groups.rows[start[:, None] + within_group]
        # (votes, rows per vote, codes); take() is twice as fast as an index.
        batch = standardised_codes.take(rows, axis=0)
        # Two passes: a code that the factor determines has no variance at all, and
        # the difference of two large sums would not show it. A product is the fastest
        # mean over an axis that is not the last.
        batch -= average @ batch
        squares = np.einsum("vrd,vrd->vd", batch, batch)
        stillest_code[chunk] = squares.argmin(axis=1)

    cell = stillest_code * groups.n_factors + groups.factor[group]
    votes = np.bincount(cell, minlength=n_codes * groups.n_factors)
    return votes.reshape(n_codes, groups.n_factors)


@validate_params(
    {
        "factors": ["array-like"],
        "codes": ["array-like"],
        "n_votes_train": [Interval(Integral, 1, None, closed="left")],
        "n_votes_eval": [Interval(Integral, 1, None, closed="left")],
        "n_rows_per_vote": [Interval(Integral, 2, None, closed="left")],
        "n_bins": [Interval(Integral, 2, None, closed="left")],
        "min_std": [Interval(Real, 0, None, closed="left")],
        "adjusted": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def factor_vae_score(
    factors,
    codes,
    *,
    n_votes_train=10_000,
    n_votes_eval=5_000,
    n_rows_per_vote=64,
    n_bins=20,
    min_std=MIN_STD,
    adjusted=False,
    random_state=None,
):
    """FactorVAE score of codes against known factors.

    Hold one factor fixed, look which code varies least, and ask how well this code
    tells which factor was fixed [1]_. The score is 1 when each factor stills a code
    of its own, and about ``1 / n_factors`` when codes know nothing of the factors.

    Parameters
    ----------
    factors : array-like of shape (n_rows, n_factors) or (n_rows,)
        The known factors, continuous or discrete; DataFrames may mix kinds. Cells may
        be missing. See Notes for how values are grouped. A factor that is constant,
        or that has no two rows of one value, takes no part.

    codes : array-like of shape (n_rows, n_codes)
        The representation of the same rows, posterior means as a rule.

    n_votes_train : int, default=10_000
        Votes that the majority-vote classifier learns from.

    n_votes_eval : int, default=5_000
        Fresh votes that its accuracy is measured on.

    n_rows_per_vote : int, default=64
        Rows drawn for one vote. With more rows a vote is less noisy, and the score
        higher.

    n_bins : int, default=20
        Largest number of quantile bins that a continuous factor is cut into.

    min_std : float, default=0.05
        Codes with a smaller standard deviation count as dead and are dropped. This
        is the one place where the score depends on the scale of the codes.

    adjusted : bool, default=False
        If True, return ``(score - chance) / (1 - chance)`` with ``chance = 1 /
        n_factors``, the accuracy of a majority vote on codes that carry no
        information, where ``n_factors`` counts the factors that take part. Scores of
        data sets with different numbers of factors then compare. Slightly negative
        values are possible.

    random_state : int, RandomState instance or None, default=None
        Determines the votes. Pass an int for the same score on every call.

    Returns
    -------
    float
        Accuracy on the evaluation votes, between 0 and 1 unless `adjusted`. Without
        an active code it is 0, adjusted or not. With a single factor it is 1 whatever
        the codes are, and 0 if adjusted.

    Raises
    ------
    ValueError
        If the shapes do not match, if codes are not finite, if a factor is missing in
        all rows, or if no factor takes part.

    See Also
    --------
    mig_score : Asks also that no second code knows the factor.
    latent_consistency_score : A variant without factors, which rotations escape.

    Notes
    -----
    A vote draws a factor, all being equally likely, then one of its values, each as
    likely as it is frequent, then `n_rows_per_vote` rows of that value, with
    replacement, since a fixed table holds no endless supply of them. Values held by
    one row alone are left out. The vote goes to the code with the smallest ratio of
    variance within these rows to variance over all rows, both with ``ddof=1``.

    Boolean, categorical and string factors are grouped by level. So are numeric
    factors with at most `n_bins` distinct values, and whole numbers with at least ten
    rows per distinct value on average. All others are cut at their quantiles.
    Rows in which a factor is missing are in none of its groups; the variance over all
    rows includes them.

    Since only the stillest code votes, a code may mix in other factors as long as one
    factor dominates it: codes turned by a few degrees keep a score of 1, and
    :func:`mig_score` sees them. A code that no factor stills votes at random.

    Defaults are those of disentanglement_lib's configurations [2]_. Its rows come from
    a simulator, which has every combination of factors at hand; in a table whose
    factors are correlated, fixing one also narrows the others.

    References
    ----------
    .. [1] H. Kim and A. Mnih, "Disentangling by Factorising", ICML 2018, section 4
       and figure 2. https://arxiv.org/abs/1802.05983
    .. [2] F. Locatello et al., "Challenging Common Assumptions in the Unsupervised
       Learning of Disentangled Representations", ICML 2019.
       https://arxiv.org/abs/1811.12359

    Examples
    --------
    Three factors, and codes that are these factors in another order and scale:

    >>> import numpy as np
    >>> from skvae.metrics import factor_vae_score
    >>> rng = np.random.RandomState(0)
    >>> factors = rng.randint(5, size=(1000, 3))
    >>> codes = factors[:, [2, 0, 1]] * [1.0, -2.0, 0.5]
    >>> factor_vae_score(factors, codes, random_state=0)
    1.0

    Codes that know nothing are right in a third of the votes:

    >>> noise = rng.normal(size=(1000, 3))
    >>> round(factor_vae_score(factors, noise, random_state=0), 1)
    0.3
    >>> abs(round(factor_vae_score(factors, noise, adjusted=True, random_state=0), 1))
    0.0
    """
    factors, codes = check_factors_and_codes(factors, codes)
    random_state = check_random_state(random_state)
    groups = group_rows(*factor_levels(factors, n_bins))
    # The ratio of variances of a code is the variance of the standardised code.
    codes = standardise_active(codes, min_std)
    if codes.shape[1] == 0:
        return 0.0
    train_votes, eval_votes = (
        _count_votes(codes, groups, n_votes, n_rows_per_vote, random_state)
        for n_votes in (n_votes_train, n_votes_eval)
    )
    _, score = majority_vote_accuracy(train_votes, eval_votes)
    return above_chance(score, 1.0 / groups.n_factors) if adjusted else score
