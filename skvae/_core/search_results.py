"""Scores of the settings of a search, read off its ``cv_results_``."""

import re

import numpy as np


def fold_scores(cv_results, score):
    """Return a score of every setting in every fold.

    Parameters
    ----------
    cv_results : dict of str to array
        The ``cv_results_`` of a search.

    score : str
        The name of one of its scores; ``"score"`` where there is one only.

    Returns
    -------
    scores : ndarray of shape (n_settings, n_folds)
        NaN where a fit failed.

    Raises
    ------
    ValueError
        If the search has no such score.
    """
    names = [
        n for n in cv_results if re.fullmatch(rf"split\d+_test_{re.escape(score)}", n)
    ]
    if not names:
        pattern = r"split0_test_(.+)"
        found = [m[1] for n in cv_results if (m := re.fullmatch(pattern, n))]
        raise ValueError(
            f"The search has no score {score!r}; expected one of {', '.join(found)}."
        )
    return np.column_stack([np.asarray(cv_results[n], dtype=float) for n in names])


def mean_scores(cv_results, score):
    """Return the mean of a score over folds, for every setting.

    Parameters
    ----------
    cv_results : dict of str to array
        The ``cv_results_`` of a search.

    score : str
        The name of one of its scores.

    Returns
    -------
    means : ndarray of shape (n_settings,)
        NaN where a fit failed in any fold.
    """
    return fold_scores(cv_results, score).mean(axis=1)


def comparable(value):
    """Return the value of a parameter as what has a hash: estimators are texts."""
    return value if value is None or np.isscalar(value) else str(value)
