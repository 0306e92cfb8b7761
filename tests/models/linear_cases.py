"""Models whose every conditional distribution is known in closed form.

A linear decoder under normal likelihoods with one scale a column makes rows normal:
x = W z + b + e, with the covariance W W' + S (Tipping & Bishop 1999).
"""

import numpy as np
import pandas as pd
from model_cases import small
from sklearn.datasets import make_spd_matrix
from torch import nn

NAMES = ["a", "b", "c", "d"]
LINEAR = {
    "encoding": None,
    "likelihood": "gaussian",
    "encoder": nn.Linear,
    "decoder": nn.Linear,
    "kl_warmup": 0,
    "max_epochs": 60,
    "lr": 2e-2,
    "batch_size": 64,
}


def make_normal(n_rows=600, seed=0):
    """Return normal rows with strong correlations."""
    covariance = make_spd_matrix(len(NAMES), random_state=3)
    rng = np.random.default_rng(seed)
    rows = rng.multivariate_normal(np.arange(len(NAMES)), covariance, n_rows)
    return pd.DataFrame(rows, columns=NAMES)


def linear(model_class, **params):
    return small(model_class, **{**LINEAR, **params})


def moments(model):
    """Return mean and covariance of the rows of a model with a linear decoder."""
    decoder = model.module_.decoder
    # Behind the numbers are the log odds that cells are missing, if any is.
    weight, mean = (
        w.detach().numpy()[: len(NAMES)] for w in (decoder.weight, decoder.bias)
    )
    scales = model.module_.heads[0].scales.detach().numpy()
    return mean, weight @ weight.T + np.diag(scales**2)


def given(mean, covariance, known, values):
    """Return mean and covariance of the other columns, given values of some."""
    others = np.setdiff1d(np.arange(len(mean)), known)
    slope = covariance[np.ix_(others, known)] @ np.linalg.inv(
        covariance[np.ix_(known, known)]
    )
    rest = covariance[np.ix_(others, others)]
    rest = rest - slope @ covariance[np.ix_(known, others)]
    return mean[others] + slope @ (values - mean[known]), rest
