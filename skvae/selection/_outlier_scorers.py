"""Scorers for outlier detectors, which know which label is the outlier."""

from sklearn.base import is_outlier_detector
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.utils.validation import check_consistent_length, column_or_1d

# What labels of outliers and of the rest look like: of scikit-learn's detectors, and
# of most tables of anomalies.
_CONVENTIONS = {frozenset({-1, 1}): -1, frozenset({0, 1}): 1}


def outlier_roc_auc_scorer(estimator, X, y):
    """Score how well an outlier detector ranks outliers below the other rows.

    Area under the ROC curve: the share of pairs of an outlier and another row in which
    the outlier has the lower ``decision_function``. The labels tell by themselves
    which convention they follow, where scikit-learn's ``"roc_auc"`` takes the larger
    label for the rows that score high, and is silently wrong by 1 - AUC for labels
    that call outliers 1.

    Parameters
    ----------
    estimator : estimator
        A fitted outlier detector of skvae or scikit-learn, or a Pipeline or search
        that ends in one. Its ``decision_function`` is higher for normal rows.

    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows to score.

    y : array-like of shape (n_samples,)
        Which rows are outliers: -1 for outliers and 1 for others, as ``predict``
        returns, or 1 for outliers and 0 for others. Searches pass it on as their own
        ``y``; no detector looks at it.

    Returns
    -------
    score : float
        Between 0 and 1; 0.5 is chance.

    Raises
    ------
    ValueError
        If `y` is missing, has other labels than these or labels of one kind only.

    TypeError
        If `estimator` is no outlier detector.

    See Also
    --------
    outlier_average_precision_scorer : Counts the top of the ranking more.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skvae.selection import outlier_roc_auc_scorer
    >>> X = np.append(np.random.RandomState(0).normal(size=(50, 2)), [[9, 9]], axis=0)
    >>> detector = IsolationForest(random_state=0).fit(X)
    >>> outlier_roc_auc_scorer(detector, X, np.append(np.zeros(50), 1))
    1.0
    >>> outlier_roc_auc_scorer(detector, X, np.append(np.ones(50), -1))
    1.0
    """
    return float(roc_auc_score(*_labels_and_scores(estimator, X, y)))


def outlier_average_precision_scorer(estimator, X, y):
    """Score how pure the rows are that an outlier detector ranks as most anomalous.

    Average precision: the precision among the rows flagged, averaged over the
    thresholds at which another outlier is found. Chance is the share of outliers, so
    compare scores on the same rows only.

    Parameters
    ----------
    estimator : estimator
        A fitted outlier detector of skvae or scikit-learn, or a Pipeline or search
        that ends in one. Its ``decision_function`` is higher for normal rows.

    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows to score.

    y : array-like of shape (n_samples,)
        Which rows are outliers: -1 for outliers and 1 for others, as ``predict``
        returns, or 1 for outliers and 0 for others.

    Returns
    -------
    score : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If `y` is missing, has other labels than these or labels of one kind only.

    TypeError
        If `estimator` is no outlier detector.

    See Also
    --------
    outlier_roc_auc_scorer : Does not depend on how rare outliers are.
    """
    return float(average_precision_score(*_labels_and_scores(estimator, X, y)))


def _labels_and_scores(estimator, X, y):
    """Return which rows are outliers, and scores that are higher for these."""
    if not is_outlier_detector(estimator):
        raise TypeError(
            f"Got {type(estimator).__name__}; expected an outlier detector of skvae or "
            "scikit-learn, whose decision_function is higher for normal rows. Those of "
            "other libraries may mean the opposite."
        )
    is_outlier = _is_outlier(y)
    check_consistent_length(X, is_outlier)
    return is_outlier, -estimator.decision_function(X)


def _is_outlier(y):
    """Return which labels mean an outlier, or say why that cannot be told."""
    expected = "expected outliers and others to be -1 and 1, or 1 and 0"
    if y is None:
        raise ValueError(f"Got y=None; {expected}.")
    labels = column_or_1d(y)
    found = sorted(set(labels.tolist()), key=str)
    outlier = _CONVENTIONS.get(frozenset(found))
    if outlier is not None:
        return labels == outlier
    if any(set(found) <= convention for convention in _CONVENTIONS):
        raise ValueError(
            f"All labels in y are {found[0]!r}; {expected}, with rows of both kinds. "
            "In a search, StratifiedKFold gives every fold its share of outliers."
        )
    shown = ", ".join(map(repr, found[:5])) + (", ..." if len(found) > 5 else "")
    raise ValueError(f"Got labels {shown} in y; {expected}.")
