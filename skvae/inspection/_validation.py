"""What the room reads off a fitted model and a table, and what it refuses."""

import numpy as np
import pandas as pd
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted


def check_not_collapsed(estimator):
    """Raise if the model is not fitted, or if no latent dimension is active."""
    check_is_fitted(estimator)
    if estimator._factor_model.n_active_ == 0:
        raise ValueError(
            f"This {type(estimator).__name__} has collapsed: n_active_ is 0, so its "
            "latent factors carry no information and there is nothing to show. Train "
            "longer (max_epochs, lr, kl_warmup) or lower beta; LossCurveDisplay shows "
            "how training went."
        )


def check_quantiles(quantiles):
    """Return the lower and the upper quantile."""
    lower, upper = quantiles
    if not 0 <= lower < upper <= 1:
        raise ValueError(
            "Expected quantiles (lower, upper) with 0 <= lower < upper <= 1, got "
            f"{tuple(quantiles)}."
        )
    return lower, upper


def active_factors(estimator):
    """Return positions of the active latent factors, the one with most KL first."""
    model = estimator._factor_model  # residual latents are no factors
    order = np.argsort(-model.kl_per_dimension_, kind="stable")
    return order[: model.n_active_]


def column_names(estimator, X):
    """Return the names of the table's columns."""
    if isinstance(X, pd.DataFrame):
        return X.columns
    return pd.Index(_check_feature_names_in(estimator))


def modelled_column_names(estimator, X):
    """Return the names of the columns that the model explains: no conditions."""
    names = np.array(column_names(estimator, X), dtype=object)
    return pd.Index(estimator._modelled(names[None])[0])


def column_spread(X, quantiles):
    """Return how far apart the quantiles of each column are; never 0 if it varies.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n_samples, n_features)
        A table of numbers, NaN where one is missing.

    quantiles : tuple of two floats
        Lower and upper.

    Returns
    -------
    spread : ndarray of shape (n_features,)
        Of the cells that are known. A column that has one value between its quantiles,
        such as a rare flag, gets its full range; a constant column, or one of which
        nothing is known, gets NaN.
    """
    cells = np.array(X, dtype=np.float64)
    cells[:, np.isnan(cells).all(axis=0)] = 0
    lower, upper = np.nanquantile(cells, quantiles, axis=0)
    spread = upper - lower
    full = np.nanmax(cells, axis=0) - np.nanmin(cells, axis=0)
    spread = np.where(spread > 0, spread, full)
    return np.where(spread > 0, spread, np.nan)


def takes_condition(model):
    """Whether a fitted model takes a condition beside its table."""
    return bool(model.module_.n_conditions) and not model._finds_condition


def check_condition(condition, models):
    """Raise if there is a condition, and no model that takes one."""
    if condition is not None and not any(map(takes_condition, models)):
        raise ValueError(
            "Got a condition, but no model here takes one beside its table; expected "
            "condition=None, or a model that was fitted with condition=."
        )
