"""What the tests of all models share: the models, found by themselves, and a table."""

import inspect

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from skorch.callbacks import Callback

import skvae
from skvae.models._one_stage import OneStageVAE


def _estimators():
    members = [getattr(skvae, name) for name in skvae.__all__]
    return [m for m in members if inspect.isclass(m) and issubclass(m, BaseEstimator)]


ESTIMATORS = _estimators()
TRANSFORMERS = [e for e in ESTIMATORS if hasattr(e, "transform")]
DETECTORS = [e for e in ESTIMATORS if hasattr(e, "fit_predict")]
MODELS = [estimator for estimator in ESTIMATORS if hasattr(estimator, "sample")]
ONE_STAGE = [model for model in MODELS if issubclass(model, OneStageVAE)]


SMALL = {
    "latent_dim": 2,
    "lr": 1e-3,
    "max_epochs": 3,
    "batch_size": 16,
    "hidden_layer_sizes": (8,),
    "device": "cpu",
    "random_state": 0,
}


def small(estimator_class, **params):
    """Return an estimator that trains in a hundredth of a second.

    Of `MSVAE` the first stage is as small, and takes what is no parameter of its own.
    So is the model in a `VAEAnomalyDetector`.
    """
    if estimator_class is skvae.VAEAnomalyDetector:
        return estimator_class(**{"model": small(skvae.VAE), **params})
    params = {**SMALL, **params}
    if not issubclass(estimator_class, skvae.MSVAE):
        return estimator_class(**params)
    params = {"first_stage": skvae.BetaTCVAE(), "residual_dim": 2, **params}
    both = set(SMALL) - {"random_state"}  # which it hands on by itself
    own = set(inspect.signature(estimator_class).parameters)
    first_stage = clone(params["first_stage"]).set_params(
        **{name: params[name] for name in params if name in both or name not in own}
    )
    own_params = {name: params[name] for name in params if name in own}
    return estimator_class(**{**own_params, "first_stage": first_stage})


def trained_once(model_class):
    """Return parameters under which callbacks see one training.

    By default `MSVAE` trains an encoder of residuals before its second stage.
    """
    return {"residual_training": "joint"} if model_class is skvae.MSVAE else {}


def where(model, name):
    """Return the name of a parameter of the model, or else of its first stage."""
    return name if name in model.get_params() else f"first_stage__{name}"


def changed(model, **params):
    """Set parameters, of the first stage where the model does not have them."""
    return model.set_params(**{where(model, n): value for n, value in params.items()})


def n_latents(model):
    """Return how many latents the model has, those of both stages."""
    params = model.get_params()
    return params[where(model, "latent_dim")] + params.get("residual_dim", 0)


def make_numbers(n_rows=120, n_columns=5, n_factors=2, noise=0.5, seed=0):
    """Return standardised columns that a few normal factors drive."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(n_factors, n_columns))
    factors = rng.normal(size=(n_rows, n_factors))
    columns = factors @ weights + noise * rng.normal(size=(n_rows, n_columns))
    return columns / np.sqrt((weights**2).sum(axis=0) + noise**2)


def make_table(n_rows=120, seed=0):
    """Return a DataFrame of every numeric kind, its rows labelled."""
    numbers = make_numbers(n_rows, 6, seed=seed).T
    return pd.DataFrame(
        {
            "balance": 1e4 * np.exp(numbers[0]),
            "age": (40 + 12 * numbers[1]).round().astype(np.int64),
            "owner": numbers[2] > 0,
            "rate": (0.02 * numbers[3]).astype(np.float32),
            "visits": pd.array(np.exp(numbers[4]).round().astype(int), dtype="Int64"),
            "branch": np.full(n_rows, 7, dtype=np.int8),
            "late": np.where(numbers[5] > 1, 30.0, 0.0),
        },
        index=[f"row{position}" for position in range(n_rows)],
    )


# What each model's loss adds to the reconstruction, once warmed up: weights and terms.
PENALTIES = {
    "VAE": lambda model: {"kl": 1},
    "CVAE": lambda model: {"kl": 1},
    "BetaVAE": lambda model: {"kl": model.beta},
    "BetaTCVAE": lambda model: {"kl": 1, "total_correlation": model.beta - 1},
    "DCVAE": lambda model: {"kl": 1, "total_correlation": model.beta - 1},
    "FactorVAE": lambda model: {"kl": 1, "total_correlation": model.beta - 1},
    "RFVAE": lambda model: {
        "kl": model.kl_weights[0],  # where the two weights are equal
        "total_correlation": model.beta - 1,
        "relevance": model.relevance_weight,
        "relevance_entropy": model.entropy_weight,
    },
    "DIPVAE": lambda model: {
        "kl": 1,
        "covariance_off_diagonal": model.off_diagonal_weight,
        "covariance_diagonal": model.diagonal_weight,
    },
    "InfoVAE": lambda model: {
        "kl": 1 - model.alpha,
        "maximum_mean_discrepancy": model.alpha + model.mmd_weight - 1,
    },
    "MSVAE": lambda model: {"kl": 1},
}

# Weights under which latents stay alive on the few columns of the tests' tables.
GENTLE = {
    "BetaVAE": {"beta": 1.5},
    "BetaTCVAE": {"beta": 1.5},
    "DCVAE": {"beta": 1.5},
    "FactorVAE": {"beta": 1.5},
    "RFVAE": {"beta": 1.5, "kl_weights": (1, 1), "entropy_weight": 0.1},
    "DIPVAE": {"off_diagonal_weight": 1, "diagonal_weight": 1},
    "InfoVAE": {"mmd_weight": 2},
    "MSVAE": {"beta": 1.5},  # of the first stage
}


def gentle(model_class):
    """Return parameters under which the model resembles a VAE."""
    return GENTLE.get(model_class.__name__, {})


def has_beta(model):
    """Say whether the objective has a weight to choose, or that of the first stage."""
    return where(model, "beta") in model.get_params()


class Dies(Exception):
    """Stands for whatever ends a process."""


class DieAfter(Callback):
    """End training in the epoch after some."""

    def __init__(self, n_epochs):
        self.n_epochs = n_epochs

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) > self.n_epochs:
            raise Dies
