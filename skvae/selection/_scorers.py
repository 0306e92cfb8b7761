"""Scorers for `GridSearchCV` and its kin: ``scorer(estimator, X, y)`` to a number.

Greater is better. What they draw, they draw with a fixed seed, so that settings are
compared on the same draws.
"""

import numpy as np
from sklearn.metrics import r2_score

from skvae.metrics import (
    factor_vae_score,
    kl_per_dimension,
    ks_score,
    latent_consistency_score,
    mig_score,
    n_active,
    total_correlation,
)
from skvae.selection._resolve import resolve

_SEED = 0
_N_DRAWS = 10_000
_ACTIVE_KL = 0.01
# An eighth of the passes that latent_consistency_score takes by default: a search calls
# the scorer once a fit, and the accuracy is still known to 0.02 or better.
_N_RUNS = 500
_N_ROWS_PER_RUN = 64


def factor_vae_scorer(estimator, X, y):
    """Score codes against true factors: the FactorVAE score of Kim & Mnih.

    It needs ground truth. The label-free score that the thesis calls its FactorVAE
    metric is :func:`latent_consistency_scorer`.

    Parameters
    ----------
    estimator : estimator
        A fitted model, or a Pipeline or search with one inside.

    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows to encode.

    y : DataFrame or array-like of shape (n_samples, n_factors)
        The true factors of the rows. Searches pass them on as their own ``y``.

    Returns
    -------
    score : float
        Between 0 and 1. Chance is about 1 / n_factors.

    Raises
    ------
    ValueError
        If `y` is None or has another number of rows than `X`.

    See Also
    --------
    skvae.metrics.factor_vae_score : The score of arrays.
    """
    factors = _required(y, "factor_vae_scorer")
    return factor_vae_score(factors, _codes(estimator, X), random_state=_SEED)


def mig_scorer(estimator, X, y):
    """Score codes against true factors: the mutual information gap.

    Parameters
    ----------
    estimator : estimator
        A fitted model, or a Pipeline or search with one inside.

    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows to encode.

    y : DataFrame or array-like of shape (n_samples, n_factors)
        The true factors of the rows. Searches pass them on as their own ``y``.

    Returns
    -------
    score : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If `y` is None or has another number of rows than `X`.

    See Also
    --------
    skvae.metrics.mig_score : The score of arrays.
    """
    return mig_score(_required(y, "mig_scorer"), _codes(estimator, X))


def latent_consistency_scorer(estimator, X, y=None):
    """Score whether latents survive a decoding and an encoding, without labels.

    This is the metric that the thesis calls FactorVAE, second variant, though it sees
    no factors; the score of Kim & Mnih against true factors is
    :func:`factor_vae_scorer`. It cannot see rotations of the latents, so read it
    beside a score that can.

    Parameters
    ----------
    estimator : estimator
        A fitted model, or a Pipeline or search with one inside.

    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows to encode.

    y : None
        Ignored.

    Returns
    -------
    score : float
        Accuracy on fresh runs, between 0 and 1. Chance is 1 over the number of
        active latents. A collapsed model gets 0.

    See Also
    --------
    skvae.metrics.latent_consistency_score : The score of arrays and callables.
    """
    resolved = resolve(estimator, X)
    model, inputs = resolved.model._factor_model, resolved.inputs
    return latent_consistency_score(
        model._encode(inputs)[0],
        model._inference.decode,
        lambda rows: model._inference.encode(rows)[0],
        active=kl_per_dimension(*model._encode(inputs)) > _ACTIVE_KL,
        n_runs_train=_N_RUNS,
        n_runs_eval=_N_RUNS,
        n_rows_per_run=_N_ROWS_PER_RUN,
        random_state=_SEED,
    ).eval_accuracy


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
    return ks_score(*resolved.pair(rows, space)).mean


def ks_sample_scorer(estimator, X, y=None, *, space="data"):
    """Score 10,000 generated rows against the table, column by column.

    It sees columns one at a time: independent columns would score near 1.

    Parameters
    ----------
    estimator : estimator
        A fitted model, or a Pipeline or search with one inside.

    X : DataFrame or array-like of shape (n_samples, n_features)
        The table to compare with.

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
    ks_scorer : The same for reconstructions.
    """
    resolved = resolve(estimator, X)
    rows = resolved.model.sample(_N_DRAWS, random_state=_SEED)
    return ks_score(*resolved.pair(rows, space)).mean


def reconstruction_scorer(estimator, X, y=None, *, space="data"):
    """Score how much of each column's variance the reconstruction explains.

    The coefficient of determination R2 of mean reconstructions, as a mean over the
    columns that vary.

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
        If `space` is ``"data"`` and a step before the model has no exact inverse.

    See Also
    --------
    sklearn.metrics.r2_score : The score of each column.
    """
    resolved = resolve(estimator, X)
    rows = resolved.model.reconstruct(resolved.inputs)
    real, other = (
        np.asarray(table, dtype=float) for table in resolved.pair(rows, space)
    )
    varies = np.ptp(real, axis=0) > 0
    return float(r2_score(real[:, varies], other[:, varies]))


def neg_total_correlation_scorer(estimator, X, y=None):
    """Score how independent the latents are: their negated total correlation.

    Taken on the aggregate posterior of the rows, of which at most 5,000 are used. A
    collapsed model is perfectly independent, so read it beside
    :func:`n_active_scorer`.

    Parameters
    ----------
    estimator : estimator
        A fitted model, or a Pipeline or search with one inside.

    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows to encode, at least two.

    y : None
        Ignored.

    Returns
    -------
    score : float
        In nats; 0, but for Monte Carlo error, where the latents are independent.

    See Also
    --------
    skvae.metrics.total_correlation : The total correlation of arrays.
    """
    resolved = resolve(estimator, X)
    posteriors = resolved.model._factor_model._encode(resolved.inputs)
    return -total_correlation(*posteriors, random_state=_SEED)


def n_active_scorer(estimator, X, y=None):
    """Count the latents that carry information.

    Parameters
    ----------
    estimator : estimator
        A fitted model, or a Pipeline or search with one inside.

    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows to encode.

    y : None
        Ignored.

    Returns
    -------
    score : int
        Latents whose mean KL to the prior exceeds 0.01 nats.

    See Also
    --------
    skvae.metrics.n_active : The count for arrays.
    """
    resolved = resolve(estimator, X)
    return n_active(*resolved.model._factor_model._encode(resolved.inputs))


def _codes(estimator, X):
    """Return posterior means of the factors of the model inside."""
    resolved = resolve(estimator, X)
    return resolved.model._factor_model._encode(resolved.inputs)[0]


def _required(factors, scorer):
    if factors is None:
        raise ValueError(
            f"{scorer} got y=None; expected the true factors as y, of shape "
            "(n_samples, n_factors). Without ground truth use "
            "latent_consistency_scorer, neg_total_correlation_scorer or ks_scorer."
        )
    return factors
