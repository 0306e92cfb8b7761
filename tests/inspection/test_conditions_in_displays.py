"""Effects and traversals show the columns that are explained, not their condition."""

import numpy as np
import pandas as pd
import pytest

from skvae import CVAE
from skvae.inspection import LatentTraversalDisplay, factor_effects


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(200, 1)) * [1.0, -0.7] + 0.2 * rng.normal(size=(200, 2))
    table = pd.DataFrame(values, columns=["a", "b"])
    table.insert(1, "group", rng.choice(["low", "high"], 200))
    return table


@pytest.fixture(scope="module")
def model(table):
    model = CVAE(
        latent_dim=1,
        condition_columns=["group"],
        hidden_layer_sizes=(8,),
        lr=1e-2,
        max_epochs=30,
        device="cpu",
        random_state=0,
    )
    return model.fit(table)


def test_effects(model, table):
    effects = factor_effects(model, table)
    assert list(effects) == ["a", "b"]
    assert effects.abs().max(axis=None) > 0.3


def test_traversals(model, table):
    display = LatentTraversalDisplay.from_estimator(model, table)
    assert {"a", "b"} >= {label.get_text() for label in display.labels_[0]}
