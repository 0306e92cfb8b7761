"""The thesis' tables 5.2, 5.3 and B.1 and its figure 5-5: BetaTCVAE on Taiwan credit.

All of them are views of one grid of fits, of which everything is measured at once.

``thesis`` is the setting as written: columns scaled to [0, 1], Bernoulli likelihood,
layers 512-256-128-64 with LeakyReLU, and a LeakyReLU before the sigmoid (listing C.2).
It names no optimiser, batch size, number of epochs or estimator of the total
correlation for tables: Adam, batches of 64 and minibatch weights are guesses, and so is
the length, the same as ours.

``ours`` is what the library does with such a table unless told otherwise (quantile
encoding, a likelihood by kind of column, warm-up), with their batches of 64.
``without demographics`` is the same on a table without SEX, EDUCATION, MARRIAGE and
AGE, which the thesis takes as factors without saying whether they were also inputs.
``portfolio`` is the same on simulated borrowers, whose factors are known.

Trained on 80 % of the rows for 20,250 steps, measured on the others.
"""

import warnings
from contextlib import nullcontext
from functools import cache
from itertools import product

import numpy as np
import pandas as pd
from _thesis import SETTING, leaky_heads
from scipy.stats import skew
from sklearn.model_selection import train_test_split

from skvae import BetaTCVAE
from skvae._core.activity import ACTIVE_KL
from skvae.datasets import fetch_taiwan_credit, make_credit_portfolio
from skvae.metrics import (
    factor_vae_score,
    ks_score,
    latent_consistency_score,
    mig_score,
    recovered_factors,
)
from skvae.selection import reconstruction_scorer

KEYS = ["data", "setting", "latent_dim", "lr", "beta", "max_epochs", "n_rows", "seed"]
MEASURES = [
    *("n_active", "consistency train", "consistency eval"),
    *("thesis train", "thesis eval", "total correlation", "mutual information"),
    *("MIG levels", "MIG bins", "MIG factors", "MIG adjusted", "FactorVAE score"),
    *("recovered", "R2", "KS", "skewness", "skewness of data"),
    *("effect range", "distinct rows", "compiled"),
]
DEMOGRAPHICS = ["SEX", "EDUCATION", "MARRIAGE", "AGE"]
BILLS = [f"BILL_AMT{month}" for month in range(1, 5)]
N_AGE_BINS = 10
VOTES = {"n_runs_train": 1000, "n_runs_eval": 1000, "n_rows_per_run": 256}

SETTINGS = {
    "thesis": SETTING,
    "ours": {"batch_size": 64, "early_stopping": False, "device": "cpu"},
}
BUILT = {"thesis": leaky_heads, "ours": nullcontext}


@cache
def rows_and_factors(data):
    """Return the rows that a model sees, and what is known of them beside."""
    if data == "portfolio":
        portfolio = make_credit_portfolio(30_000, random_state=0)
        return portfolio.data, portfolio.factors
    table = fetch_taiwan_credit().data
    factors = table[DEMOGRAPHICS]
    if data == "without demographics":
        table = table.drop(columns=DEMOGRAPHICS)
    return table, factors


def measure(run, compile=False):
    """Fit one model and return all that the tables show of it."""
    warnings.simplefilter("ignore")  # a collapsed posterior is a result here
    rows, factors = rows_and_factors(run["data"])
    rows, factors = rows[: run["n_rows"]], factors[: run["n_rows"]]
    numbers = list(rows.columns[rows.dtypes != "category"])
    if run["setting"] == "thesis":
        rows = rows.astype("float64")
    train, test, _, factors = train_test_split(
        rows, factors, test_size=0.2, random_state=run["seed"]
    )
    model = fitted(train, run, compile)
    return (
        of_latents(model, test)
        | of_votes(model, test, run["seed"], VOTES, model._inference)
        | of_factors(model, test, factors, run["data"])
        | of_rows(model, test, numbers)
        | {"compiled": compile}
    )


def fitted(train, run, compile):
    """Return a model of one cell of the grid."""
    settings = {name: run[name] for name in ("latent_dim", "lr", "beta", "max_epochs")}
    settings |= SETTINGS[run["setting"]] | {"compile": compile}
    with BUILT[run["setting"]]():
        return BetaTCVAE(random_state=run["seed"], **settings).fit(train)


def of_latents(model, test):
    """Return how many latents are used, and how dependent they are."""
    terms = model.elbo_decomposition(test, max_rows=2000)["value"]
    return {
        "n_active": model.n_active_,
        "total correlation": terms["total_correlation"],
        "mutual information": terms["mutual_information"],
    }


def of_votes(model, test, seed, votes, inference):
    """Return how consistent latents are: the library's accuracies, and the thesis'."""
    means, log_variances = model._encode(test)
    rng = np.random.RandomState(1000 + seed)

    def draw(means, log_variances):
        return means + np.exp(log_variances / 2) * rng.standard_normal(means.shape)

    ours = latent_consistency_score(
        means,
        inference.decode,
        lambda rows: inference.encode(rows)[0],
        active=model.kl_per_dimension_ > ACTIVE_KL,
        random_state=seed,
        **votes,
    )
    theirs = latent_consistency_score(
        draw(means, log_variances),
        inference.decode,
        lambda rows: draw(*inference.encode(rows)),
        protocol="thesis",
        random_state=seed,
        **votes,
    )
    return {
        "consistency train": ours.train_accuracy,
        "consistency eval": ours.eval_accuracy,
        "thesis train": theirs.train_accuracy,
        "thesis eval": theirs.eval_accuracy,
    }


def of_factors(model, test, factors, data):
    """Return scores against the true factors, or against the thesis' stand-ins."""
    codes = model.transform(test)
    if data == "portfolio":
        return {
            "MIG factors": mig_score(factors, codes),
            "MIG adjusted": mig_score(factors, codes, adjusted=True, random_state=0),
            "FactorVAE score": factor_vae_score(factors, codes, random_state=0),
            "recovered": recovered_factors(factors, codes).share,
        }
    levels = factors.astype("category")
    bins = pd.qcut(factors["AGE"], N_AGE_BINS, duplicates="drop")
    bins = levels.assign(AGE=bins.cat.codes.astype("category"))
    return {
        "MIG levels": mig_score(levels, codes),
        "MIG bins": mig_score(bins, codes),
        "MIG adjusted": mig_score(bins, codes, adjusted=True, random_state=0),
    }


def of_rows(model, test, numbers):
    """Return how reconstructed rows are distributed, and what latents move."""
    rebuilt = model.reconstruct(test)
    low, high = test[numbers].quantile(0.05), test[numbers].quantile(0.95)
    span = (high - low).where(high > low, 1)
    return {
        "R2": reconstruction_scorer(model, test),
        "KS": ks_score(test[numbers], rebuilt[numbers]).mean,
        "skewness": skew(rebuilt[BILLS].to_numpy(float)).mean(),
        "skewness of data": skew(test[BILLS].to_numpy(float)).mean(),
        "effect range": effect_range(model, numbers, span),
        # Rows are one where they agree to a hundredth of their columns' span.
        "distinct rows": len((rebuilt[numbers] / span * 100).round().drop_duplicates()),
    }


def effect_range(model, numbers, span):
    """Return the largest way of a column as one latent goes from -3 to 3.

    As a share of the way between the column's quantiles of 5 and 95 %, with the other
    latents at 0.
    """
    steps = np.linspace(-3, 3, 13)
    ranges = []
    for latent in range(model.latent_dim):
        codes = np.zeros((len(steps), model.latent_dim))
        codes[:, latent] = steps
        rows = model.inverse_transform(codes)[numbers].astype(float)
        ranges.append(((rows.max() - rows.min()) / span).max())
    return max(ranges)


BETAS = (1, 2, 3, 4, 5, *range(10, 101, 10))
MAX_EPOCHS = 54  # 20,250 steps of 64 rows, of 24,000


def cells(betas, latent_dims, lrs):
    """Return cells of the thesis' grids."""
    return [
        {"latent_dim": latent_dim, "lr": lr, "beta": beta}
        for latent_dim, lr, beta in product(latent_dims, lrs, betas)
    ]


TABLE_B1 = cells((2, 3, 4, 5, 10, 20), (4, 5, 10), (1e-5, 1e-4))
TABLE_5_2 = cells((2,), (5, 10, 20), (1e-3, 1e-4, 1e-5))
TABLE_5_3 = cells((2, 4, 10, 20), (4,), (1e-4,)) + cells(
    (2, 4, 10, 20), (10,), (1e-4, 1e-5)
)
FIGURE_5_5 = cells(BETAS, (4, 5, 10), (1e-5, 1e-4))
BOTH = (("Taiwan", "ours"), ("Taiwan", "thesis"))
WITH_FACTORS = (("portfolio", "ours"), *BOTH, ("without demographics", "ours"))


def tasks(cells, variants, seeds, max_epochs=MAX_EPOCHS, n_rows=30_000):
    """Return the runs of cells in variants, one seed after the other."""
    return [
        {"data": data, "setting": setting, **cell}
        | {"max_epochs": max_epochs, "n_rows": n_rows, "seed": seed}
        for seed, (data, setting), cell in product(range(seeds), variants, cells)
    ]
