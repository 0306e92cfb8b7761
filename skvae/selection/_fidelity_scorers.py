"""Scorers of fidelity: how close the model's rows come to the table, greater is better.

Rows are drawn with a fixed seed, so that settings are compared on the same draws.
"""

import numpy as np
from sklearn.metrics import r2_score

from skvae.metrics import (
    detection_score,
    fidelity_score,
    ks_score,
    shape_score,
    trend_score,
    tv_score,
    utility_score,
)
from skvae.metrics.paired_tables import align_tables, as_float, marked_columns
from skvae.selection._resolve import resolve
from skvae.selection._texts import of_rows

_SEED = 0
_N_DRAWS = 10_000


@of_rows
def fidelity_scorer(estimator, X, y=None, *, space="data"):
    """Score 10,000 generated rows by their columns and by the dependence among them.

    The fidelity to choose a model by: independent columns get 0, however good each.

    Parameters
    ----------
    {compared}

    Returns
    -------
    score : float
        Between 0 and 1. Fresh rows of the table itself would score close to 1.

    Raises
    ------
    ValueError
        If `space` is ``"data"`` and a step before the model has no exact inverse,
        or if there are fewer than three rows.

    See Also
    --------
    skvae.metrics.fidelity_score : The score of two tables.
    """
    real, other, categories = _drawn(estimator, X, space)
    return fidelity_score(
        real,
        other,
        max_rows=min(len(real), _N_DRAWS),
        categorical_features=categories,
        random_state=_SEED,
    )


def ks_scorer(estimator, X, y=None, *, space="data"):
    """Score mean reconstructions against the table, column by column.

    One less the two-sample Kolmogorov-Smirnov statistic, as a mean over columns: the
    thesis' section 5.3.2.

    Parameters
    ----------
    estimator : estimator
        A fitted model, or a Pipeline or search with one inside.

    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows to reconstruct.

    y : None
        Ignored.

    space : {"data", "model"}, default="data"
        Whether to compare in the units of `X`, which takes an inverse of every step
        before the model, or as the model sees the table.

    Returns
    -------
    score : float
        Between 0 and 1; 1 where every column is distributed as in the table.

    Raises
    ------
    ValueError
        If `space` is ``"data"`` and a step before the model has no exact inverse.

    See Also
    --------
    skvae.metrics.ks_score : The score of two tables.
    ks_sample_scorer : The same for generated rows.
    """
    resolved = resolve(estimator, X)
    rows = resolved.model.reconstruct(resolved.inputs)
    return ks_score(
        *resolved.pair(rows, space), categorical_features=_categories(resolved)
    ).mean


@of_rows
def ks_sample_scorer(estimator, X, y=None, *, space="data"):
    """Score the numbers and dates of 10,000 generated rows, column by column.

    It sees columns one at a time: independent columns would score near 1.

    Parameters
    ----------
    {compared}

    Returns
    -------
    score : float
        Between 0 and 1; 1 where every column is distributed as in the table.

    Raises
    ------
    ValueError
        If `space` is ``"data"`` and a step before the model has no exact inverse.

    See Also
    --------
    skvae.metrics.ks_score : The score of two tables.
    ks_scorer : The same for reconstructions.
    """
    real, other, categories = _drawn(estimator, X, space)
    return ks_score(real, other, categorical_features=categories).mean


@of_rows
def tv_scorer(estimator, X, y=None, *, space="data"):
    """Score the categories of 10,000 generated rows, column by column.

    It sees columns one at a time: independent columns would score near 1.

    Parameters
    ----------
    {compared}

    Returns
    -------
    score : float
        Between 0 and 1, greater is better.

    Raises
    ------
    ValueError
        If `space` is ``"data"`` and a step before the model has no exact inverse,
        or if no column holds categories.

    See Also
    --------
    skvae.metrics.tv_score : The score of two tables.
    """
    real, other, categories = _drawn(estimator, X, space)
    return tv_score(real, other, categorical_features=categories).mean


@of_rows
def shape_scorer(estimator, X, y=None, *, space="data"):
    """Score all columns of 10,000 generated rows, each by itself.

    It sees columns one at a time: independent columns would score near 1.

    Parameters
    ----------
    {compared}

    Returns
    -------
    score : float
        Between 0 and 1, greater is better.

    Raises
    ------
    ValueError
        If `space` is ``"data"`` and a step before the model has no exact inverse.

    See Also
    --------
    skvae.metrics.shape_score : The score of two tables.
    """
    real, other, categories = _drawn(estimator, X, space)
    return shape_score(real, other, categorical_features=categories).mean


@of_rows
def trend_scorer(estimator, X, y=None, *, space="data"):
    """Score how columns of 10,000 generated rows go together, pair by pair.

    It cannot see what takes three columns to see.

    Parameters
    ----------
    {compared}

    Returns
    -------
    score : float
        Between 0 and 1; independent columns get about 0.6. NaN where no two columns
        of `X` are related.

    Raises
    ------
    ValueError
        If `space` is ``"data"`` and a step before the model has no exact inverse.

    See Also
    --------
    skvae.metrics.trend_score : The score of two tables.
    """
    real, other, categories = _drawn(estimator, X, space)
    return trend_score(real, other, categorical_features=categories).mean


@of_rows
def detection_scorer(estimator, X, y=None, *, space="data"):
    """Score how well generated rows hide among real ones from a classifier.

    It sees all that is wrong, and is 0 for all but good models. There are as many
    generated rows as real ones, and 10,000 of each at most.

    Parameters
    ----------
    {compared}

    Returns
    -------
    score : float
        Between 0 and 1; 0 where every row gives itself away.

    Raises
    ------
    ValueError
        If `space` is ``"data"`` and a step before the model has no exact inverse,
        or if there are fewer than three rows.

    See Also
    --------
    skvae.metrics.detection_score : The score of two tables.
    """
    real, other, categories = _drawn(estimator, X, space)
    return detection_score(
        real,
        other,
        max_rows=min(len(real), _N_DRAWS),
        categorical_features=categories,
        random_state=_SEED,
    )


def utility_scorer(estimator, X, y=None, *, target, space="data"):
    """Score what 10,000 generated rows teach, tested on the rows given.

    A search passes rows that the model has not seen. To name the column, wrap the
    scorer: ``functools.partial(utility_scorer, target="default")``.

    Parameters
    ----------
    estimator : estimator
        A fitted model, or a Pipeline or search with one inside.

    X : DataFrame or array-like of shape (n_samples, n_features)
        Real rows, best those that the model has not seen.

    y : None
        Ignored.

    target : str, int or other name of a column
        The column to predict, one of those that the model makes.

    space : {"data", "model"}, default="data"
        Whether to compare in the units of `X`, which takes an inverse of every step
        before the model, or as the model sees the table.

    Returns
    -------
    score : float
        Area under the ROC curve where the column holds classes, R2 where it holds
        numbers.

    Raises
    ------
    ValueError
        If `space` is ``"data"`` and a step before the model has no exact inverse,
        or if there is no column `target`.

    See Also
    --------
    skvae.metrics.utility_score : The score of two tables.
    """
    real, other, categories = _drawn(estimator, X, space)
    return utility_score(
        other, real, target, categorical_features=categories, random_state=_SEED
    ).synthetic


def reconstruction_scorer(estimator, X, y=None, *, space="data"):
    """Score how much of each column's variance the reconstruction explains.

    The coefficient of determination R2 of mean reconstructions, as a mean over the
    columns of numbers and dates that vary. Rows where a cell is missing are left out of
    its column.

    Parameters
    ----------
    estimator : estimator
        A fitted model, or a Pipeline or search with one inside.

    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows to reconstruct, at least two.

    y : None
        Ignored.

    space : {"data", "model"}, default="data"
        Whether to compare in the units of `X`, which takes an inverse of every step
        before the model, or as the model sees the table.

    Returns
    -------
    score : float
        At most 1; 0 where reconstructions are no better than the columns' means.

    Raises
    ------
    ValueError
        If `space` is ``"data"`` and a step before the model has no exact inverse, or if
        no column of numbers varies.

    See Also
    --------
    sklearn.metrics.r2_score : The score of each column.
    """
    resolved = resolve(estimator, X)
    rows = resolved.model.reconstruct(resolved.inputs)
    real, other = resolved.pair(rows, space)
    (real, other), is_category = align_tables(
        {"X": real, "the reconstruction": other}, _categories(resolved)
    )
    scores = [
        _explained(as_float(real[name]), as_float(other[name]))
        for name in real.columns[~is_category]
    ]
    if np.isnan(scores).all():
        raise ValueError(
            "Expected a column of numbers or dates that varies; got none among "
            f"{list(real.columns)}."
        )
    return float(np.nanmean(scores))


def _explained(values, reconstructed):
    """R2 of one column; NaN if it does not vary."""
    known = ~(np.isnan(values) | np.isnan(reconstructed))
    values, reconstructed = values[known], reconstructed[known]
    if len(values) == 0 or np.ptp(values) == 0:
        return np.nan
    return r2_score(values, reconstructed)


def _drawn(estimator, X, space):
    """Return the table, rows that the model inside draws, and which are categories."""
    resolved = resolve(estimator, X)
    rows = resolved.model.sample(_N_DRAWS, random_state=_SEED)
    return *resolved.pair(rows, space), _categories(resolved)


def _categories(resolved):
    """Mask of the compared columns that the model was told to take as categories."""
    model, inputs = resolved.model._factor_model, resolved.inputs
    marked = getattr(model, "categorical_features", "from_dtype")
    if isinstance(marked, str):
        return "from_dtype"
    names = getattr(inputs, "columns", range(np.shape(inputs)[1]))
    return model._modelled(marked_columns(marked, names)[None])[0]
