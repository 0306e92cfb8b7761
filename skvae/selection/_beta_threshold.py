"""Where a score stops to depend on beta: the threshold beta_0."""

from numbers import Real

import numpy as np
import pandas as pd
from scipy.stats import f as f_distribution
from sklearn.utils._param_validation import Interval, validate_params

from skvae._core.search_results import comparable, fold_scores


@validate_params(
    {
        "cv_results": [dict],
        "score": [str],
        "beta": [str],
        "level": [Interval(Real, 0, 1, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def beta_threshold(cv_results, score="score", *, beta="beta", level=0.05):
    """Find beta_0 of every other setting: past it the score only fluctuates.

    The thesis [1]_ observes that a score of reconstructions falls with beta up to some
    beta_0, and that models beyond it are as good as one another. Here beta_0 is the
    smallest beta from which on the means of the score do not differ by more than folds
    do: an analysis of variance over these betas, with folds as blocks, does not reject
    that they are equal.

    Parameters
    ----------
    cv_results : dict of str to array
        The ``cv_results_`` of a search over beta and, if need be, other parameters,
        with at least three folds.

    score : str, default="score"
        The name of the score, where there are several.

    beta : str, default="beta"
        The name of the parameter, such as ``"model__beta"`` in a Pipeline.

    level : float, default=0.05
        Level of the test, between 0 and 1. The greater, the later beta_0.

    Returns
    -------
    thresholds : DataFrame of shape (n_settings, 5)
        A row for each setting of the other parameters, which are the index. ``beta_0``
        is NaN where the score still changes between the two largest betas; ``low`` and
        ``high`` are the smallest and the largest threshold with one fold left out,
        infinite where there is none; ``mean`` and ``sd`` are of the means of the score
        from beta_0 on.

    Raises
    ------
    ValueError
        If there is no such score or parameter, if a setting has fewer than three
        betas, if there are fewer than three folds, or if a fit failed.

    See Also
    --------
    skvae.inspection.ScoreCurveDisplay : Draws the score against beta.

    Notes
    -----
    With few folds the test sees large steps only, and beta_0 comes out small: use
    five or more.

    References
    ----------
    .. [1] W. Hu, "Variational Autoencoders for Discovering Influential Latent
       Factors", MEng thesis, Massachusetts Institute of Technology, 2022, section
       5.3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.selection import beta_threshold
    >>> noise = np.random.default_rng(0).normal(scale=0.01, size=(6, 5))
    >>> folds = np.array([0.9, 0.8, 0.6, 0.5, 0.5, 0.5])[:, None] + noise
    >>> results = {"params": [{"beta": b} for b in (1, 2, 4, 8, 16, 32)]}
    >>> results |= {f"split{n}_test_score": fold for n, fold in enumerate(folds.T)}
    >>> beta_threshold(results).round(3)
       beta_0  low  high  mean     sd
    0     8.0  8.0   8.0   0.5  0.004
    """
    folds = fold_scores(cv_results, score)
    if folds.shape[1] < 3:
        raise ValueError(
            f"The search has {folds.shape[1]} folds; expected three or more."
        )
    settings = pd.DataFrame(list(cv_results["params"]))
    if beta not in settings:
        raise ValueError(
            f"Got beta={beta!r}; expected a parameter among {list(settings.columns)}."
        )
    settings = settings[settings[beta].notna()]  # a list of grids may have others
    others = [name for name in settings if name != beta]
    if not others:
        return pd.DataFrame([_threshold(settings[beta], folds[settings.index], level)])
    # Estimators and lists have no order, and lists no hash.
    settings = settings.assign(
        **{name: settings[name].map(comparable) for name in others}
    )
    rows = {
        key: _threshold(
            part[beta], folds[part.index], level, dict(zip(others, key, strict=True))
        )
        for key, part in settings.groupby(others, dropna=False, sort=False)
    }
    index = pd.MultiIndex.from_tuples(list(rows), names=others)
    return pd.DataFrame(list(rows.values()), index=index)


def _threshold(betas, folds, level, others=None):
    """Return a row of the result."""
    setting = f" with {others}" if others else ""
    order = np.argsort(betas.to_numpy(dtype=float))
    betas, folds = betas.to_numpy(dtype=float)[order], folds[order]
    if len(np.unique(betas)) < 3:
        raise ValueError(
            f"Got the betas {betas.tolist()}{setting}; expected three different ones "
            "or more."
        )
    if not np.isfinite(folds).all():
        raise ValueError(
            f"A fit of the search{setting} failed; expected a score in every fold."
        )
    first = _first_of_the_flat(folds, level)
    without_one = [
        _first_of_the_flat(np.delete(folds, fold, axis=1), level)
        for fold in range(folds.shape[1])
    ]
    thresholds = np.append(betas, np.inf)[without_one]
    tail = folds[first:].mean(axis=1)
    is_found = first < len(betas)
    return {
        "beta_0": betas[first] if is_found else np.nan,
        "low": thresholds.min(),
        "high": thresholds.max(),
        "mean": tail.mean() if is_found else np.nan,
        "sd": tail.std(ddof=1) if is_found else np.nan,
    }


def _first_of_the_flat(folds, level):
    """Return from which beta on means are alike, the number of betas if from none."""
    for first in range(len(folds) - 1):
        if _p_value(folds[first:]) >= level:
            return first
    return len(folds)


def _p_value(folds):
    """Return that of equal means over rows, columns being blocks (two-way, no repeats).

    Where the blocks explain all that differs within rows, means are equal or not.
    """
    n_betas, n_folds = folds.shape
    of_betas = folds.mean(axis=1, keepdims=True) - folds.mean()
    of_folds = folds.mean(axis=0, keepdims=True) - folds.mean()
    rest = folds - folds.mean() - of_betas - of_folds
    between = n_folds * (of_betas**2).sum() / (n_betas - 1)
    within = (rest**2).sum() / ((n_betas - 1) * (n_folds - 1))
    smallest = np.finfo(float).eps * (folds**2).mean()
    if within <= smallest:
        return float(between <= n_folds * smallest)
    return f_distribution.sf(
        between / within, n_betas - 1, (n_betas - 1) * (n_folds - 1)
    )
