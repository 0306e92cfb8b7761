"""From whatever a search scores to the model inside, and the way back to X's units."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from skvae.models.base import BaseVAE

# Rows on which a pipeline's steps are tried for an inverse, and how far, in spreads
# of a column, a row may come back from where it was.
_N_TRIED = 100
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Resolved:
    """A fitted model, and a table as it stands before and after the steps around it.

    Parameters
    ----------
    model : BaseVAE
        The fitted model.

    data : DataFrame or ndarray of shape (n_samples, n_features)
        The table in its own units.

    inputs : DataFrame or ndarray of shape (n_samples, n_inputs)
        The table as the model sees it.

    to_data : callable or None
        Takes rows as the model makes them to the units of `data`. None where a step
        has no inverse.
    """

    model: BaseVAE
    data: object
    inputs: object
    to_data: Callable | None

    def pair(self, rows, space):
        """Return the table and `rows` that the model made, in the same space.

        Parameters
        ----------
        rows : DataFrame or ndarray of shape (n_rows, n_inputs)
            Rows as the model makes them.

        space : {"data", "model"}
            The units to compare in.

        Returns
        -------
        real, other : DataFrame or ndarray
            Tables with the same columns: those that the model explains. A condition
            is given, and would compare as equal.

        Raises
        ------
        ValueError
            If `space` is ``"data"`` and the pipeline has no way back.
        """
        if space == "model":
            return self.model._modelled(self.inputs), self.model._modelled(rows)
        if space != "data":
            raise ValueError(f'space={space!r}; expected "data" or "model".')
        if self.to_data is None:
            raise ValueError(
                "The steps before the model have no exact inverse, so rows cannot be "
                "compared in the units of X. Compare them as the model sees them: "
                'functools.partial(scorer, space="model").'
            )
        return self.model._modelled(self.data), self.model._modelled(self.to_data(rows))


def resolve(estimator, X):
    """Find the model inside an estimator and the table as the model sees it.

    Parameters
    ----------
    estimator : estimator
        A fitted model of skvae, a Pipeline that ends in one, a FrozenEstimator around
        one, or a fitted SeedEnsemble of or search over one: then the best.

    X : DataFrame or array-like of shape (n_samples, n_features)
        The table as the estimator takes it.

    Returns
    -------
    resolved : Resolved
        The model and the table in both spaces.

    Raises
    ------
    TypeError
        If there is no model of skvae inside.
    """
    if isinstance(estimator, BaseVAE):
        return Resolved(estimator, X, X, to_data=_unchanged)
    if isinstance(estimator, Pipeline):
        return _resolve_pipeline(estimator, X)
    return resolve(_inside(estimator), X)


def model_inside(estimator):
    """Find the model inside an estimator.

    Parameters
    ----------
    estimator : estimator
        As :func:`resolve` takes it.

    Returns
    -------
    model : BaseVAE
        The model, fitted if the estimator is.

    Raises
    ------
    TypeError
        If there is no model of skvae inside.
    """
    while not isinstance(estimator, BaseVAE):
        is_pipeline = isinstance(estimator, Pipeline)
        estimator = estimator[-1] if is_pipeline else _inside(estimator)
    return estimator


def _inside(estimator):
    """Return what an estimator is around."""
    if isinstance(estimator, FrozenEstimator):
        return estimator.estimator
    if hasattr(estimator, "best_estimator_"):
        return estimator.best_estimator_
    raise TypeError(
        f"Got {type(estimator).__name__}; expected a fitted model of skvae, a Pipeline "
        "that ends in one, a FrozenEstimator around one, or a fitted SeedEnsemble of "
        "or search over one."
    )


def codes_of(estimator, X):
    """Return the posterior means of the factors of the model inside an estimator.

    Parameters
    ----------
    estimator : estimator
        As :func:`resolve` takes it.

    X : DataFrame or array-like of shape (n_samples, n_features)
        The table as the estimator takes it.

    Returns
    -------
    codes : ndarray of shape (n_samples, n_latents)
        The means.
    """
    return posteriors_of(estimator, X)[0]


def posteriors_of(estimator, X):
    """Return means and log variances of the factors of the model inside an estimator.

    Parameters
    ----------
    estimator : estimator
        As :func:`resolve` takes it.

    X : DataFrame or array-like of shape (n_samples, n_features)
        The table as the estimator takes it.

    Returns
    -------
    means, log_variances : ndarray of shape (n_samples, n_latents)
        Of the posterior of each row.
    """
    resolved = resolve(estimator, X)
    return resolved.model._factor_model._encode(resolved.inputs)


def encoder_of(model):
    """Return what takes rows as a model decodes them back to codes.

    Parameters
    ----------
    model : BaseVAE
        Fitted.

    Returns
    -------
    encode : callable
        Takes an array as ``model._inference.decode`` returns it, returns means.
    """
    return lambda rows: model._inference.encode(rows)[0]


def _unchanged(rows):
    return rows


def _resolve_pipeline(pipeline, X):
    steps = [
        step for _, step in pipeline.steps[:-1] if step not in (None, "passthrough")
    ]
    transformed = X
    for step in steps:
        transformed = step.transform(transformed)
    last = resolve(pipeline.steps[-1][1], transformed)
    to_data = None
    if last.to_data is not None and _inverts(steps, X, transformed):

        def to_data(rows):
            return _undo(steps, last.to_data(rows), X)

    return Resolved(last.model, X, last.inputs, to_data)


def _undo(steps, rows, like):
    """Take rows back through fitted steps, into the container of `like`."""
    for step in reversed(steps):
        rows = step.inverse_transform(rows)
    if isinstance(like, pd.DataFrame) and not isinstance(rows, pd.DataFrame):
        rows = pd.DataFrame(rows, columns=like.columns)
    return rows


def _inverts(steps, X, transformed):
    """Try whether some rows come back from the steps as they were.

    A step may offer an ``inverse_transform`` that is none: a projection, or a
    FunctionTransformer whose inverse was not given.
    """
    if not all(hasattr(step, "inverse_transform") for step in steps):
        return False
    try:
        back = pd.DataFrame(_undo(steps, _head(transformed), X))
    except (TypeError, ValueError):
        return False
    there = pd.DataFrame(_head(X))
    return there.shape == back.shape and all(
        _is_back(there.iloc[:, position], back.iloc[:, position])
        for position in range(there.shape[1])
    )


def _is_back(there, back):
    """Whether the cells of a column came back: numbers nearly, others as they were."""
    is_known = there.notna().to_numpy()
    if not np.array_equal(is_known, back.notna().to_numpy()):
        return False
    there, back = _plain(there[is_known]), _plain(back[is_known])
    is_numeric = is_numeric_dtype(there) and is_numeric_dtype(back)
    if not is_numeric or not is_known.any():
        return list(there) == list(back)
    there, back = there.to_numpy(dtype=float), back.to_numpy(dtype=float)
    spread = np.ptp(there) + np.abs(there).max()
    return bool((np.abs(there - back) <= _TOLERANCE * spread).all())


def _plain(cells):
    """Return cells in the dtype of their values: of categories, that of these."""
    if isinstance(cells.dtype, pd.CategoricalDtype):
        return cells.astype(cells.cat.categories.dtype)
    return cells.infer_objects()


def _head(table):
    return (
        table.iloc[:_N_TRIED] if isinstance(table, pd.DataFrame) else table[:_N_TRIED]
    )
