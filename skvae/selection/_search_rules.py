"""What to take from a search over several scores: a rule for ``refit``, the front."""

from functools import partial

import numpy as np
import pandas as pd

from skvae._core.search_results import fold_scores, mean_scores


def one_standard_error_rule(fidelity, disentanglement):
    """Make a rule for ``GridSearchCV(refit=...)``: faithful first, then disentangled.

    Of the settings whose fidelity is within one standard error of the best, the rule
    takes the one with the best disentanglement: the rule of one standard error [1]_,
    with disentanglement in the place of a small model.

    Parameters
    ----------
    fidelity : str
        The name of the score that says how well rows are kept, one of ``scoring``.

    disentanglement : str
        The name of the score to be best in.

    Returns
    -------
    rule : callable
        Takes ``cv_results_`` and returns the position of a setting.

    See Also
    --------
    pareto_front : All settings that are worth a look.
    skvae.inspection.ParetoDisplay : Draws them, and the one that was chosen.

    Notes
    -----
    The standard error is that of the best mean over the folds, their standard deviation
    with ``ddof=1`` over the square root of their number. A setting of which a fit
    failed is never taken.

    References
    ----------
    .. [1] Hastie, T., Tibshirani, R. & Friedman, J. (2009). The Elements of Statistical
       Learning, second edition, section 7.10.1. Springer.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.selection import one_standard_error_rule
    >>> rule = one_standard_error_rule("fidelity", "independence")
    >>> rule(
    ...     {
    ...         "params": [{"beta": 1}, {"beta": 4}, {"beta": 10}],
    ...         "split0_test_fidelity": np.array([0.80, 0.78, 0.40]),
    ...         "split1_test_fidelity": np.array([0.70, 0.71, 0.45]),
    ...         "split0_test_independence": np.array([-3.0, -0.5, -0.1]),
    ...         "split1_test_independence": np.array([-3.1, -0.4, -0.1]),
    ...     }
    ... )
    1
    """
    return partial(_choose, fidelity=fidelity, disentanglement=disentanglement)


def _choose(cv_results, *, fidelity, disentanglement):
    """Return the position of the setting that the rule takes."""
    folds = fold_scores(cv_results, fidelity)
    means, wanted = folds.mean(axis=1), mean_scores(cv_results, disentanglement)
    is_known = np.isfinite(means) & np.isfinite(wanted)
    if not is_known.any():
        raise ValueError(
            f"No setting has both scores {fidelity!r} and {disentanglement!r}; "
            "expected at least one whose fits succeeded."
        )
    best = np.where(is_known, means, -np.inf).argmax()
    n_folds = folds.shape[1]
    error = folds[best].std(ddof=1) / np.sqrt(n_folds) if n_folds > 1 else 0.0
    is_close = is_known & (means >= means[best] - error)
    return int(np.where(is_close, wanted, -np.inf).argmax())


def pareto_front(cv_results, *scores):
    """Return the settings that no other beats in every score.

    Parameters
    ----------
    cv_results : dict of str to array
        The ``cv_results_`` of a search over several scores.

    *scores : str
        The names of two scores or more, of which greater is better.

    Returns
    -------
    front : DataFrame of shape (n_settings, n_parameters + n_scores)
        The parameters and the mean scores, best in the first score first. Its index
        is the position of the setting in `cv_results`.

    Raises
    ------
    ValueError
        If there is no such score, or fewer than two are named.

    See Also
    --------
    one_standard_error_rule : Takes one of them.
    skvae.inspection.ParetoDisplay : Draws all settings and the front.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.selection import pareto_front
    >>> results = {
    ...     "params": [{"beta": 1}, {"beta": 4}, {"beta": 10}],
    ...     "split0_test_fidelity": np.array([0.8, 0.7, 0.6]),
    ...     "split0_test_mig": np.array([0.1, 0.4, 0.3]),
    ... }
    >>> pareto_front(results, "fidelity", "mig")
       beta  fidelity  mig
    0     1       0.8  0.1
    1     4       0.7  0.4
    """
    if len(scores) < 2:
        raise ValueError(f"Got scores={scores!r}; expected the names of two or more.")
    means = np.column_stack([mean_scores(cv_results, name) for name in scores])
    known = np.isfinite(means).all(axis=1)
    positions = [p for p in np.flatnonzero(known) if not _is_beaten(means[p], means)]
    settings = pd.DataFrame([cv_results["params"][p] for p in positions], positions)
    front = settings.assign(**dict(zip(scores, means[positions].T, strict=True)))
    return front.sort_values(scores[0], ascending=False, kind="stable")


def _is_beaten(own, others):
    """Whether another setting is as good in every score, and better in one."""
    return bool(((others >= own).all(axis=1) & (others > own).any(axis=1)).any())
