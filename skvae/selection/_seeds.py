"""Copies of one estimator that differ in their seeds alone."""

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from skvae.models.base import BaseVAE

_MAX_SEED = np.iinfo(np.int32).max


def seeded_clones(estimator, n_seeds, random_state):
    """Return clones of an estimator in which every `random_state` is an integer.

    Parameters
    ----------
    estimator : estimator
        A model of skvae, or a Pipeline that ends in one.

    n_seeds : int
        How many clones.

    random_state : RandomState
        Where the integers come from.

    Returns
    -------
    clones : list of estimators
        Not fitted.

    Raises
    ------
    ValueError
        If the estimator has no `random_state`, or holds a frozen model.
    """
    clones = [clone(estimator) for _ in range(n_seeds)]
    names = _names_of_random_states(clones[0])
    for each in clones:
        seeds = {name: random_state.randint(_MAX_SEED) for name in names}
        each.set_params(**seeds)
    return clones


def _names_of_random_states(estimator):
    """Return the parameters that tell members apart, and say so where none does."""
    params = estimator.get_params()
    names = [n for n in sorted(params) if n.split("__")[-1] == "random_state"]
    if not names:
        raise ValueError(
            f"estimator={estimator!r} has no parameter random_state, nor has anything "
            "inside of it; expected a model of skvae or a Pipeline that ends in one, "
            "since members that take no seed would all be the same."
        )
    for name, value in params.items():
        if isinstance(value, FrozenEstimator) and (model := _model_inside(value)):
            raise ValueError(
                f"estimator holds a frozen {type(model).__name__} as {name}; expected "
                "a model that each member fits anew, since members that share one "
                "would always agree."
            )
    return names


def _model_inside(estimator):
    """Return the model of skvae at the end of an estimator, or None."""
    while not isinstance(estimator, BaseVAE):
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
        else:
            return None
    return estimator
