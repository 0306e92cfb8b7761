"""What the tests of two stages share: tables, settings and models of both."""

import numpy as np
import pandas as pd
import torch
from model_cases import gentle, small
from sklearn.frozen import FrozenEstimator

from skvae import MSVAE, BetaTCVAE

N_FACTORS, N_RESIDUALS = 2, 3
COLUMNS = list("abcdef")
WAYS = [(f, t) for f in ("film", "concat") for t in ("joint", "separate")]


def make_rows(n_rows=400, seed=0):
    """Return columns of two factors, and of a rest that correlates across columns."""
    rng = np.random.default_rng(seed)
    of_factors = [[1, 0.9, 0.8, 0, 0, 0], [0, 0, 0, 1, -0.9, 0.8]]
    of_rest = [[0.4, -0.4, 0.1, 0.4, 0.3, -0.2], [-0.3, 0.1, 0.4, 0.2, -0.4, 0.4]]
    values = rng.normal(size=(n_rows, 2)) @ of_factors
    values += rng.normal(size=(n_rows, 2)) @ of_rest
    values += 0.1 * rng.normal(size=values.shape)
    index = [f"client{position}" for position in range(n_rows)]
    return pd.DataFrame(values, columns=COLUMNS, index=index)


def make_clients(n_rows=300, seed=0):
    """Return the same columns moved by a group and an age that stand beside them."""
    rng = np.random.default_rng(seed)
    group = rng.choice(["low", "middle", "high"], n_rows, p=[0.5, 0.3, 0.2])
    age = rng.uniform(20, 70, n_rows)
    shift = pd.Series(group).map({"low": -2.0, "middle": 0.0, "high": 2.0}).to_numpy()
    table = make_rows(n_rows, seed)
    table["a"] += shift
    table["d"] += (age - 45) / 20
    table.insert(1, "group", group)
    table["age"] = age
    return table


SETTINGS = {
    "hidden_layer_sizes": (16,),
    "max_epochs": 40,
    "lr": 2e-2,
    "batch_size": 64,
    "device": "cpu",
    "random_state": 0,
}


def first_stage(model_class=BetaTCVAE, **params):
    settings = {**SETTINGS, "latent_dim": N_FACTORS, "encoding": "standard"}
    return model_class(**{**settings, **gentle(model_class), **params})


def two_stages(first, **params):
    return MSVAE(first, **{**SETTINGS, "residual_dim": N_RESIDUALS, **params})


def brief(first=None, **params):
    """Return a model that trains in a hundredth of a second."""
    first = small(BetaTCVAE, beta=1.5) if first is None else first
    settings = {"residual_dim": 2, "max_epochs": 3, "hidden_layer_sizes": (8,)}
    return two_stages(first, **{**settings, **params})


def fit_each_way(first, rows):
    """Return second stages on a frozen first, trained in each of the ways."""
    return {
        (fusion, training): two_stages(
            FrozenEstimator(first), fusion=fusion, residual_training=training
        ).fit(rows)
        for fusion, training in WAYS
    }


def encoded(model, table):
    """Return the values that the networks see, and beside them their condition."""
    (matrix,) = model.first_stage_._encoded_chunks(table)
    return torch.as_tensor(matrix)


def weights(model):
    return {name: w.clone() for name, w in model.module_.state_dict().items()}


def same_weights(one, other):
    return one.keys() == other.keys() and all(
        torch.equal(one[k], other[k]) for k in one
    )


def squared_error(model, table):
    encode = model.table_encoder_.transform
    return np.mean((encode(model.reconstruct(table)) - encode(table)) ** 2)


def spread_of_residuals(model, table):
    """Return the standard deviation of x - y(c) for draws of c, column by column."""
    first, matrix = model.first_stage_.module_, encoded(model, table)
    with torch.no_grad():
        posterior = first.encode(matrix)
        generator = torch.Generator().manual_seed(0)
        noise = torch.randn(20, *posterior.mean.shape, generator=generator)
        values, condition = first.split(matrix)
        residuals = values - first.mean(posterior.at(noise), condition)
    return residuals.flatten(0, 1).numpy().std(axis=0)


def mixed_by_hand(model, content, residual, variant):
    """Return the rows of `mix`, by calls of the modules."""
    first, second = model.first_stage_.module_, model.module_
    with torch.no_grad():
        of_content, of_residual = encoded(model, content), encoded(model, residual)
        (_, own), (inputs, other) = first.split(of_content), first.split(of_residual)
        factors = first.encode(of_content).mean
        if variant == "residual":
            inputs = inputs - first.mean(first.encode(of_residual).mean, other)
        if variant == "crossed":
            inputs = inputs - first.mean(factors, own)
        z = second.encoder(inputs)[:, :N_RESIDUALS]
        mean = second.mean(torch.cat([factors, z], dim=1), own)
    return model.table_encoder_.inverse_transform(mean.numpy())
