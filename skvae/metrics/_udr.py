"""Unsupervised disentanglement ranking: do several fits find the same latents?"""

from itertools import count, permutations
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata
from sklearn.linear_model import Lasso
from sklearn.utils._param_validation import StrOptions, validate_params

from skvae._core.activity import ACTIVE_KL
from skvae._core.html_table import html_table
from skvae.metrics._validation import (
    check_active_of_models,
    check_codes_of_models,
    check_one_per_model,
)

_LASSO_PENALTY = 0.1


class UDR(NamedTuple):
    """What :func:`udr_score` returns.

    Parameters
    ----------
    mean : float
        Mean of `per_model`: the score of the setting that the models share.

    per_model : ndarray of shape (n_models,)
        Median of each model's column of `pairwise`: its score.

    pairwise : ndarray of shape (n_models, n_models)
        How well the latents of two models match. With ``similarity="lasso"``, row i
        and column j say how model i's latents predict those of model j. NaN on the
        diagonal.

    n_shared : float
        How many latents two of the models share: sums over latents in the place of
        means, of which the smaller one counts.
    """

    mean: float
    per_model: np.ndarray
    pairwise: np.ndarray
    n_shared: float

    def _repr_html_(self):
        return html_table(
            "UDR: how far models agree, at most 1",
            ["model", "score", *(f"with {j}" for j in range(len(self.pairwise)))],
            # A model's score is the median of its column.
            zip(count(), self.per_model, *self.pairwise, strict=False),
            footer=("mean", self.mean),
            notes=[f"Two models share {self.n_shared:.1f} latents."],
        )


def _active_by_kl(kl, codes):
    """Masks of the latents whose mean KL divergence exceeds the threshold."""
    check_one_per_model(kl, codes, "kl")
    kl = [np.asarray(kl_of_model, dtype=np.float64) for kl_of_model in kl]
    for i, (kl_of_model, one) in enumerate(zip(kl, codes, strict=True)):
        if kl_of_model.shape != one.shape[1:] or not np.isfinite(kl_of_model).all():
            raise ValueError(
                f"Expected kl[{i}] as finite numbers of shape {one.shape[1:]}, one "
                f"per latent, got {kl_of_model!r}."
            )
    return [kl_of_model > ACTIVE_KL for kl_of_model in kl]


def _standardise(columns):
    """Columns of mean 0 and variance 1; a constant one becomes zeros."""
    deviation = np.where(np.ptp(columns, axis=0) > 0, columns.std(axis=0), np.inf)
    return (columns - columns.mean(axis=0)) / deviation


def _absolute_correlation(columns, other_columns):
    """|Correlation| of each of some standardised columns with each of others."""
    return np.abs(columns.T @ other_columns) / len(columns)


def _absolute_lasso(columns, other_columns):
    """|Coefficient| of each of some standardised columns in predicting others."""
    lasso = Lasso(alpha=_LASSO_PENALTY).fit(columns, other_columns)
    # With one target, scikit-learn drops the axis of the targets.
    coefficients = lasso.coef_.reshape(other_columns.shape[1], columns.shape[1])
    return np.abs(coefficients.T)


def _relative_strength(matrix):
    """How near a matrix of similarities is to one strong entry per row and column.

    Half the sum of the means over rows and over columns; and the smaller of the sums,
    lest copies of a latent in one of the models count.
    """
    strengths = []
    for axis in (0, 1):
        total, strongest = matrix.sum(axis=axis), matrix.max(axis=axis)
        # A latent that resembles none of the other model counts 0.
        share = np.divide(strongest, total, out=np.zeros_like(total), where=total > 0)
        strengths.append(strongest * share)
    by_column, by_row = strengths
    mean = (by_column.mean() + by_row.mean()) / 2
    return mean, min(by_column.sum(), by_row.sum())


@validate_params(
    {
        "codes": [list, tuple],
        "active": [list, tuple, None],
        "kl": [list, tuple, None],
        "similarity": [StrOptions({"spearman", "lasso"})],
    },
    prefer_skip_nested_validation=True,
)
def udr_score(codes, *, active=None, kl=None, similarity="spearman"):
    """Unsupervised disentanglement ranking of several fits of one setting.

    Models that disentangle find the same latents, up to order, sign and a monotone
    scale; models that do not are each entangled in their own way [1]_. So fit one
    setting with several seeds and ask how far the latents of any two models match
    one to one. No known factors are needed.

    **It cannot see what the models agree on.** Where the data or the method prefer
    one set of axes, every seed finds it, and the score is high whether or not these
    axes are the factors: the example shows it for principal components. Two models
    of the same `random_state` are one model, and match whatever they are worth.

    Parameters
    ----------
    codes : list of array-like of shape (n_rows, n_latents)
        One entry per model, at least two: its posterior means of the same rows in the
        same order. The numbers of latents may differ.

    active : list of array-like of bool of shape (n_latents,) or None, default=None
        Which latents of each model are active; the others take no part. By default
        those with a standard deviation of at least 0.05 among `codes`.

    kl : list of array-like of shape (n_latents,) or None, default=None
        Mean KL divergence of each latent of each model, see :func:`kl_per_dimension`.
        If given, latents are active where it exceeds 0.01, the rule of [1]_. Better
        than the default where it is at hand: means of a model that nearly collapsed
        may still spread by 0.1, and its noise then counts. Not together with `active`.

    similarity : {"spearman", "lasso"}, default="spearman"
        What compares two latents: the absolute rank correlation, or the absolute
        coefficient in a Lasso with penalty 0.1 that predicts the standardised latents
        of one model from those of another. The latter sees linear relations only.

    Returns
    -------
    UDR
        Named tuple of ``mean``, ``per_model`` and ``pairwise``: the score of the
        setting, of each model, and of each pair, from 0 to 1, the score of a perfect
        match of uncorrelated latents; and ``n_shared``, the number of latents that two
        of the models share. With "lasso" a perfect match scores 0.9, since the penalty
        shrinks the coefficients. A model without an active latent scores 0.

    Raises
    ------
    ValueError
        If there are fewer than two models, if their numbers of rows differ, if codes
        are not finite, or if a mask or a divergence does not fit its codes.

    See Also
    --------
    model_centrality_score : Compares models on rows that one of them generates.
    latent_consistency_score : Looks at one model alone.

    Notes
    -----
    With R the matrix of similarities between the active latents of two models, the
    score of the pair is the mean over columns, and over rows, of ``max(R)**2 /
    sum(R)``, and half the sum of both. The score of a model is the median over the
    others. These are the formula and the constants of the authors' code in
    disentanglement_lib; the paper weighs both means by the numbers of latents
    instead, which is the same where these are equal.

    Chance correlations take part, and more rows make them smaller. Models that know
    nothing of each other score about ``0.8 / sqrt(n_rows)`` with up to three latents,
    ``0.46 / sqrt(n_rows)`` with ten (the mean of ``max**2 / sum`` of so many
    half-normal variables). And a perfect match of D independent latents scores about
    ``1 / (1 + 0.8 (D - 1) / sqrt(n_rows))``: 0.83 with ten latents and 1,000 rows,
    0.94 with 10,000. Latents that are truly correlated lower it likewise.

    The score is a mean over latents, so it prefers models that keep few of them: with
    one active latent in every model there is nothing to disentangle, and the score is
    their correlation. To compare settings that keep different numbers of latents,
    take ``n_shared``, which is ours: sums in the place of means, and the smaller one
    in the place of half of both. A latent counts if the other model has it, once
    however often it is stored, and a latent that the other lacks costs no more than
    its correlations. It is D for a perfect match of D uncorrelated latents (with
    "lasso" 0.9 D).

    References
    ----------
    .. [1] S. Duan et al., "Unsupervised Model Selection for Variational Disentangled
       Representation Learning", ICLR 2020. https://arxiv.org/abs/1905.12614

    Examples
    --------
    Three models that recover two factors, in their own order, sign and noise:

    >>> import numpy as np
    >>> from skvae.metrics import mig_score, udr_score
    >>> rng = np.random.RandomState(0)
    >>> factors = rng.normal(size=(1000, 2))
    >>> orders = [[0, 1], [1, 0], [1, 0]]
    >>> codes = [
    ...     -factors[:, order] + 0.05 * rng.normal(size=(1000, 2)) for order in orders
    ... ]
    >>> round(udr_score(codes).mean, 1)
    1.0

    Models that turn them by 0, 30 and 60 degrees do not match:

    >>> angles = np.deg2rad([0, 30, 60])
    >>> turned = [
    ...     factors @ [[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]] for a in angles
    ... ]
    >>> round(udr_score(turned).mean, 1)
    0.5

    Principal components of a table, each time of another half of it. Both components
    mix both factors. But they are the same components every time, and this score
    sees nothing else:

    >>> from sklearn.decomposition import PCA
    >>> table = factors @ [[2.0, 0.0], [1.5, 1.5]]
    >>> halves = [rng.permutation(1000)[:500] for _ in range(3)]
    >>> codes = [PCA().fit(table[half]).transform(table) for half in halves]
    >>> udr_score(codes).mean > 0.9
    True
    >>> [mig_score(factors, codes_of_model) < 0.3 for codes_of_model in codes]
    [True, True, True]
    """
    if active is not None and kl is not None:
        raise ValueError(
            "active and kl both say which latents are active; expected at most one."
        )
    codes = check_codes_of_models(codes)
    if len({len(one) for one in codes}) > 1:
        raise ValueError(
            "Expected codes of the same rows by every model, got shapes "
            f"{[one.shape for one in codes]}."
        )
    if kl is None:
        active = check_active_of_models(active, codes)
    else:
        active = _active_by_kl(kl, codes)
    codes = [one[:, mask] for one, mask in zip(codes, active, strict=True)]
    if similarity == "spearman":
        # A rank correlation is the correlation of ranks: rank once, not per pair.
        codes = [rankdata(one, axis=0) for one in codes]
        compare = _absolute_correlation
    else:
        compare = _absolute_lasso
    codes = [_standardise(one) for one in codes]

    pairwise, shared = np.full((2, len(codes), len(codes)), np.nan)
    for i, j in permutations(range(len(codes)), 2):
        have_latents = codes[i].shape[1] > 0 and codes[j].shape[1] > 0
        pairwise[i, j], shared[i, j] = (
            _relative_strength(compare(codes[i], codes[j])) if have_latents else (0, 0)
        )
    per_model = np.nanmedian(pairwise, axis=0)
    n_shared = np.nanmedian(shared, axis=0).mean()
    return UDR(float(per_model.mean()), per_model, pairwise, float(n_shared))
