"""Choosing a setting without labels: what it costs beside knowing the factors.

BetaTCVAE over a grid of beta and the number of latents, each setting with five seeds in
a SeedEnsemble, on the simulated portfolio, on sprites and on a table of
`make_factor_table`, whose factors are known. Each label-free score chooses the setting
of which it is largest, on rows held out; nobody who chooses sees factors. What the
choice is worth is the setting's true FactorVAE score and MIG, as means over its seeds:
``closed`` is the share of the way from the median setting to the best one, 1 where the
best was chosen, and below 0 where a random choice would have been better half of the
time. ``Spearman`` is the correlation of ranks, of all settings, by the label-free score
and by the true one.

All settings are in ``results/choosing_settings.csv``. Fits are kept in ``cache/``, so
that a script that was stopped goes on where it was: delete the folder when settings or
the library change.
"""

import argparse
import warnings
from itertools import product

import numpy as np
import pandas as pd
from _common import RESULTS, write
from joblib import Memory, Parallel, delayed
from scipy.stats import spearmanr

from skvae import BetaTCVAE, PosteriorCollapseWarning
from skvae.datasets import make_credit_portfolio, make_factor_table, make_sprites
from skvae.selection import (
    SeedEnsemble,
    factor_vae_scorer,
    fidelity_scorer,
    ks_scorer,
    latent_consistency_scorer,
    mig_scorer,
    model_centrality_scorer,
    n_active_scorer,
    neg_total_correlation_scorer,
    reconstruction_scorer,
    shared_latents_scorer,
    udr_scorer,
)

MEMORY = Memory(RESULTS.parent / "cache", verbose=0)
BETAS, LATENTS = (1, 2, 4, 8), (5, 8, 12)
N_ROWS, N_TRAIN = 20_000, 16_000
TABLE = {"max_epochs": 15}
IMAGES = {
    "encoding": None,
    "likelihood": "bernoulli",
    "hidden_layer_sizes": (128, 64),
    "max_epochs": 60,
    "lr": 3e-3,
}


def portfolio():
    """Return training rows, other rows and their factors."""
    data = make_credit_portfolio(N_ROWS, random_state=0)
    return data.data[:N_TRAIN], data.data[N_TRAIN:], data.factors[N_TRAIN:]


def factor_table():
    """Return the same of a table whose columns bend and mix the factors."""
    data = make_factor_table(N_ROWS, n_factors=5, noise=0.3, random_state=0)
    return data.data[:N_TRAIN], data.data[N_TRAIN:], data.factors[N_TRAIN:]


def sprites():
    """Return training images, other images and their factors, pixels in [0, 1]."""
    images = make_sprites(N_ROWS, image_size=16, random_state=0)
    pixels = images.data / 255
    return pixels[:N_TRAIN], pixels[N_TRAIN:], images.factors[N_TRAIN:]


DATA = {
    "portfolio": (portfolio, TABLE),
    "sprites": (sprites, IMAGES),
    "factor table": (factor_table, {"encoding": "standard", **TABLE}),
}
TRUE = {"FactorVAE score": factor_vae_scorer, "MIG": mig_scorer}
OF_SEEDS = {
    "UDR": udr_scorer,
    "shared latents": shared_latents_scorer,
    "model centrality": model_centrality_scorer,
}
OF_MEMBERS = {
    "latent consistency": latent_consistency_scorer,
    "independence (-TC)": neg_total_correlation_scorer,
    "bound": lambda model, X: model.score(X),
    "reconstruction R2": reconstruction_scorer,
    "KS": ks_scorer,
    "fidelity": fidelity_scorer,
}


@MEMORY.cache
def fitted(data, beta, latent_dim, n_seeds):
    """Return the fits of one setting."""
    warnings.simplefilter("ignore", PosteriorCollapseWarning)
    load, settings = DATA[data]
    model = BetaTCVAE(beta=beta, latent_dim=latent_dim, device="cpu", **settings)
    return SeedEnsemble(model, n_seeds=n_seeds, random_state=0).fit(load()[0])


def run(data, beta, latent_dim, n_seeds):
    """Return the scores of one setting, means over seeds."""
    ensemble = fitted(data, beta, latent_dim, n_seeds)
    members = ensemble.estimators_
    _, test, factors = DATA[data][0]()
    line = {"data": data, "beta": beta, "latent_dim": latent_dim}
    for name, scorer in TRUE.items():
        scores = [scorer(member, test, factors) for member in members]
        line |= {name: np.mean(scores), f"{name}, sd": np.std(scores, ddof=1)}
    line |= {name: scorer(ensemble, test) for name, scorer in OF_SEEDS.items()}
    for name, scorer in OF_MEMBERS.items():
        if data != "sprites" or name != "fidelity":  # of tables, and slow with pixels
            line[name] = np.mean([scorer(member, test) for member in members])
    line["active"] = np.mean([n_active_scorer(member, test) for member in members])
    return line


def closed(values, chosen):
    """Return the share of the way from the median to the best that a choice goes."""
    return (values[chosen] - values.median()) / (values.max() - values.median())


def choices(settings):
    """Return what each score chose, and how much of the gap that closes."""
    lines = []
    for data, grid in settings.groupby("data", sort=False):
        grid = grid.reset_index(drop=True)
        bounds = {"median setting": grid.median, "best setting": grid.max}
        for name, value in bounds.items():
            line = {"data": data, "chosen by": name}
            lines.append(line | value(numeric_only=True)[list(TRUE)].round(3).to_dict())
        for name in [*OF_SEEDS, *OF_MEMBERS]:
            if name not in grid or grid[name].isna().any():
                continue
            chosen = grid[name].idxmax()
            line = {"data": data, "chosen by": name}
            line |= grid.loc[chosen, ["beta", "latent_dim"]].astype(int).to_dict()
            for true in TRUE:
                line[true] = round(grid.loc[chosen, true], 3)
                line[f"{true}: closed"] = round(closed(grid[true], chosen), 2)
                rank = spearmanr(grid[name], grid[true]).statistic
                line[f"{true}: Spearman"] = round(rank, 2)
            lines.append(line)
    first = ["data", "chosen by", "beta", "latent_dim"]
    table = pd.DataFrame(lines).astype({"beta": "Int64", "latent_dim": "Int64"})
    table = table[[*first, *sorted(table.columns.difference(first))]]
    return table.astype(object).where(table.notna(), "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--data", nargs="+", choices=list(DATA), default=list(DATA))
    arguments = parser.parse_args()
    tasks = list(product(arguments.data, BETAS, LATENTS, [arguments.seeds]))
    lines = Parallel(n_jobs=arguments.jobs)(delayed(run)(*task) for task in tasks)
    settings = pd.DataFrame(lines)
    settings.to_csv(RESULTS / "choosing_settings.csv", index=False)
    write(
        "choosing",
        choices(settings),
        "python benchmarks/choosing.py",
        f"{len(BETAS) * len(LATENTS)} settings of {arguments.seeds} seeds: beta in "
        f"{BETAS}, latent_dim in {LATENTS}.",
    )


if __name__ == "__main__":
    main()
