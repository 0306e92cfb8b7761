"""Disentanglement, completeness and informativeness (DCI), by forests."""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from scipy.special import entr
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.metrics import r2_score
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from skvae._core.html_table import html_table
from skvae.metrics._discretise import (
    MAX_LEVELS_OF_QUANTITY,
    factor_levels,
    is_continuous,
    pool_rare_levels,
)
from skvae.metrics._validation import check_factors_and_codes
from skvae.metrics.paired_tables import as_float

_N_TREES = 100
# Small leaves are grown on noise, and lend importance to codes that know nothing.
_MAX_ROWS_PER_LEAF = 10
_MIN_LEAVES = 20


class DCI(NamedTuple):
    """What :func:`dci_scores` returns, each between 0 and 1, greater is better.

    Parameters
    ----------
    disentanglement : float
        Whether each code serves to predict one factor only.

    completeness : float
        Whether each factor is predicted from one code only.

    informativeness : float
        How well the factors are predicted.
    """

    disentanglement: float
    completeness: float
    informativeness: float

    def _repr_html_(self):
        rows = self._asdict().items()
        return html_table("DCI, each from 0 to 1", ["score", "value"], rows)


def _ranks(column):
    """Number the distinct values of `column` in ascending order."""
    return np.unique(column, return_inverse=True)[1]


class _Target(NamedTuple):
    """What to predict of one factor in the rows drawn."""

    values: np.ndarray  # without meaning where the factor is missing
    is_known: np.ndarray
    is_quantity: bool


def _targets(factors, rows):
    """What to predict of each factor in `rows`."""
    all_levels, _ = factor_levels(factors, MAX_LEVELS_OF_QUANTITY)
    targets = []
    for index, levels in enumerate(all_levels.T):
        column = factors.iloc[:, index]
        is_known = levels >= 0
        is_quantity = is_continuous(column)
        if is_quantity:
            # Onto [0, 1], lest squares over- or underflow.
            values = as_float(column)
            known = values[is_known]
            values = (values - known.min()) / np.ptp(known)
        else:
            n_rows = np.count_nonzero(is_known[rows])
            values = levels.copy()
            values[is_known] = pool_rare_levels(levels[is_known], n_rows)
        targets.append(_Target(values[rows], is_known[rows], is_quantity))
    return targets


def _halves(target, n_train):
    """Masks of the rows to learn from and of those held out, as far as known."""
    is_train = np.arange(len(target.values)) < n_train
    return target.is_known & is_train, target.is_known & ~is_train


def _can_be_learnt(target, n_train):
    """Whether the target takes at least two values in each half."""
    return all(
        half.any() and np.ptp(target.values[half]) > 0
        for half in _halves(target, n_train)
    )


def _skill(actual, predicted, is_quantity):
    """1 for a perfect prediction, 0 for one that is as good as a constant, or worse."""
    if is_quantity:
        return max(0.0, r2_score(actual, predicted))
    most_frequent = np.bincount(actual).max() / len(actual)
    accuracy = np.mean(predicted == actual)
    return max(0.0, (accuracy - most_frequent) / (1.0 - most_frequent))


def _fit_forest(codes, target, is_quantity, random_state):
    forest_class = ExtraTreesRegressor if is_quantity else ExtraTreesClassifier
    forest = forest_class(
        n_estimators=_N_TREES,
        # Each split chooses among all codes: where the best one is not on offer,
        # others would earn importance in its place.
        max_features=1.0,
        min_samples_leaf=min(_MAX_ROWS_PER_LEAF, max(1, len(codes) // _MIN_LEAVES)),
        random_state=random_state.randint(2**31 - 1),
    )
    return forest.fit(codes, target)


def _concentration(importances):
    """1 where a row has its importance in one place, 0 where it is spread evenly.

    One minus the entropy of each row, as a share of the largest possible. A row
    without importance has 0; in a single column, importance is in one place.
    """
    totals = importances.sum(axis=1, keepdims=True)
    shares = np.divide(
        importances, totals, out=np.zeros_like(importances), where=totals > 0
    )
    largest = np.log(max(2, importances.shape[1]))
    concentration = 1.0 - entr(shares).sum(axis=1) / largest
    return np.where(totals[:, 0] > 0, np.clip(concentration, 0.0, 1.0), 0.0)


@validate_params(
    {
        "factors": ["array-like"],
        "codes": ["array-like"],
        "max_rows": [Interval(Integral, 4, None, closed="left"), None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def dci_scores(factors, codes, *, max_rows=10_000, random_state=None):
    """Disentanglement, completeness and informativeness (DCI) of codes.

    A forest predicts each factor from all codes, and tells how important each code
    was to it [1]_. Codes are disentangled if each is important to one factor only,
    complete if each factor needs one code only, and informative if the predictions
    are right.

    Parameters
    ----------
    factors : array-like of shape (n_rows, n_factors) or (n_rows,)
        The known factors, continuous or discrete; DataFrames may mix kinds. Cells may
        be missing: the forest of a factor learns, and is rated, on the rows where it
        is known. See Notes for which are classified and which regressed. A factor
        that is constant in either half of the rows, or missing there, is left out.

    codes : array-like of shape (n_rows, n_codes)
        The representation of the same rows, posterior means as a rule. A constant
        code is left out.

    max_rows : int or None, default=10_000
        Rows to work on, drawn without replacement if there are more. None takes all.
        Half of them are for learning, the other half for informativeness. The more
        rows, the better the predictions, so that scores compare at equal numbers of
        rows only.

    random_state : int, RandomState instance or None, default=None
        Determines rows, halves and forests. Pass an int for the same score on every
        call.

    Returns
    -------
    DCI
        Named tuple of the floats ``disentanglement``, ``completeness`` and
        ``informativeness``, between 0 and 1. All are 0 if all codes are constant.
        Disentanglement is 1 with a single factor, and completeness 1 with a single
        code, whatever it knows, unless no forest finds a place to split.

    Raises
    ------
    ValueError
        If the shapes do not match, if codes are not finite, if a continuous factor is
        infinite, if a factor is missing in all rows, or if all factors are left out.

    See Also
    --------
    mig_score : Sees a factor that is stored twice, by mutual information.
    factor_vae_score : Forgives codes that are turned a little.

    Notes
    -----
    The importances of a factor's forest, which are non-negative and sum to 1, are a
    column of a matrix R with a row for each code. The disentanglement of a code is
    ``1 - H(p)``, where ``p`` is its row of R divided by its sum, and H the entropy to
    the base of the number of factors. Their mean is weighted by share of importance,
    ``R[i].sum() / R.sum()``, so that a code that no forest uses does not count. The
    completeness of a factor is ``1 - H(q)``, where ``q`` is its column, and H the
    entropy to the base of the number of codes. Their mean is plain, as in [1]_;
    disentanglement_lib [2]_ weights it by share of importance, which is the same.

    Informativeness is the plain mean over factors of a skill on the rows held out,
    clipped at 0: R^2 of a regression, or of a classification
    ``(accuracy - chance) / (1 - chance)``, where ``chance`` is the share of the most
    frequent level among these rows. A constant prediction has skill 0 in both, which
    lets factors of different kinds be averaged. Others do not adjust: [1]_ reports the
    root mean squared error of a regression, where less is better, and [2]_ the
    accuracy of a classification, where chance is not 0. The code of [3]_ turns the
    squared error into ``1 - 12 * MSE`` of factors scaled to [0, 1], which is R^2 if the
    factor is uniform.

    Boolean, categorical and string factors are classified, and so are numbers, dates
    and durations with at most 20 distinct values. Those with more are regressed, whole
    numbers too. At most 100 levels are told apart, and no more than
    a quarter of the number of rows: beyond that, the rarest count as one.

    A forest has 100 extremely randomised trees, each split of which chooses among all
    codes, with at least ten rows in a leaf (a twentieth of the learning half, if that
    is less). They lend less importance to noise than random forests do, at the price
    of more chance: where codes are entangled, the first two numbers move by about 0.01
    with `random_state`. [1]_ used lasso and random forests, [2]_ gradient boosted
    trees. Numbers by different regressors do not compare.

    Codes enter as ranks: stretching a code, or bending it by an increasing function,
    changes nothing at all, and reordering codes or flipping signs changes no more
    than another `random_state` does. As in :func:`mig_score`, a nearly dead code whose
    tiny movements follow a factor still counts. Constant codes do not count in the
    base of the entropy either, as they do in [2]_, where adding them raises
    completeness.

    Importances sum to 1 for a factor that cannot be predicted as well. They are then
    spread over all codes, which lowers disentanglement and completeness, and with two
    or three codes by less than one might think. Read the first two numbers beside
    informativeness; it alone need not drop when codes are turned.

    References
    ----------
    .. [1] C. Eastwood and C. K. I. Williams, "A Framework for the Quantitative
       Evaluation of Disentangled Representations", ICLR 2018, section 2.
       https://openreview.net/forum?id=By-7dz-AZ
    .. [2] F. Locatello et al., "Challenging Common Assumptions in the Unsupervised
       Learning of Disentangled Representations", ICML 2019.
       https://arxiv.org/abs/1811.12359
    .. [3] M.-A. Carbonneau, J. Zaidi, J. Boilard and G. Gagnon, "Measuring
       Disentanglement: A Review of Metrics", 2020. https://arxiv.org/abs/2012.09276

    Examples
    --------
    Three factors, and codes that are these factors in another order and scale:

    >>> import numpy as np
    >>> from skvae.metrics import dci_scores
    >>> rng = np.random.RandomState(0)
    >>> factors = rng.randint(5, size=(1000, 3))
    >>> codes = factors[:, [2, 0, 1]] * [1.0, -2.0, 0.5]
    >>> dci_scores(factors, codes, random_state=0)
    DCI(disentanglement=1.0, completeness=1.0, informativeness=1.0)

    Sum and difference of the first two factors know as much of them, but mix them:

    >>> turned = factors @ [[1, 1, 0], [1, -1, 0], [0, 0, 1]]
    >>> score = dci_scores(factors, turned, random_state=0)
    >>> score.disentanglement < 0.7
    True
    >>> score.informativeness > 0.9
    True
    """
    factors, codes = check_factors_and_codes(factors, codes)
    random_state = check_random_state(random_state)
    rows = random_state.permutation(len(codes))[:max_rows]
    n_train = len(rows) // 2
    targets = [
        target for target in _targets(factors, rows) if _can_be_learnt(target, n_train)
    ]
    if not targets:
        raise ValueError(
            "Expected a factor with at least two values both in the half of the rows "
            "to learn from and in the half held out, got none."
        )
    codes = codes[rows]
    codes = codes[:, (codes != codes[0]).any(axis=0)]
    if codes.shape[1] == 0:
        return DCI(0.0, 0.0, 0.0)
    ranks = np.stack([_ranks(code) for code in codes.T], axis=1)

    importances = np.empty((ranks.shape[1], len(targets)))
    skills = np.empty(len(targets))
    for index, target in enumerate(targets):
        train, test = _halves(target, n_train)
        forest = _fit_forest(
            ranks[train], target.values[train], target.is_quantity, random_state
        )
        importances[:, index] = forest.feature_importances_
        predicted = forest.predict(ranks[test])
        skills[index] = _skill(target.values[test], predicted, target.is_quantity)

    weights = importances.sum(axis=1)
    if weights.sum() > 0:  # no forest may find a place to split
        weights /= weights.sum()
    return DCI(
        disentanglement=float(weights @ _concentration(importances)),
        completeness=float(_concentration(importances.T).mean()),
        informativeness=float(skills.mean()),
    )
