"""Detectors to test, and clients whose columns depend on a group and a region."""

import numpy as np
import pandas as pd
import pytest
from model_cases import small
from sklearn.frozen import FrozenEstimator

from skvae import DCVAE, VAEAnomalyDetector
from skvae.models._rules import RULES

LEVELS = {"low": -3.0, "middle": 0.0, "high": 3.0}
VALUES = ["a", "b", "c", "d"]
TRAINING = {"max_epochs": 20, "lr": 1e-2, "batch_size": 32}
SCORES = pytest.mark.parametrize("score", RULES)


def make_clients(n_rows=150, seed=0):
    """Return columns that one factor drives, moved by a group and by a region."""
    rng = np.random.default_rng(seed)
    group = rng.choice(list(LEVELS), n_rows, p=[0.5, 0.3, 0.2])
    region = rng.choice(["north", "south"], n_rows)
    shift = pd.Series(group).map(LEVELS).to_numpy() + 2 * (region == "south")
    factor = rng.normal(size=(n_rows, 1))
    noise = 0.3 * rng.normal(size=(n_rows, 4))
    values = factor * [1.0, -0.7, 0.5, 0.9] + shift[:, None] + noise
    table = pd.DataFrame(values, columns=VALUES)
    return table.assign(group=group, region=region)


def model_of(model_class, **params):
    return small(model_class, **{**TRAINING, **params})


def frozen(model, score, **params):
    return VAEAnomalyDetector(FrozenEstimator(model), score=score, **params)


def detectors_of_columns(clients):
    """Return a detector of every rule whose condition is in two columns."""
    model = model_of(DCVAE, condition_columns=["group", "region"]).fit(clients)
    return {score: frozen(model, score).fit(clients) for score in RULES}


def detectors_of_group(clients):
    """Return a detector of every rule whose condition is beside the table."""
    condition = {"condition": clients["group"]}
    model = model_of(DCVAE).fit(clients[VALUES], **condition)
    return {
        score: frozen(model, score).fit(clients[VALUES], **condition) for score in RULES
    }
