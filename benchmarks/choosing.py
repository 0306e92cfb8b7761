"""Choosing a setting without labels: what it costs beside knowing the factors.

BetaTCVAE over a grid of beta and the number of latents, each setting with five seeds in
a SeedEnsemble, on the simulated portfolio and on sprites, whose factors are known. Each
label-free score chooses the setting of which it is largest, on rows held out; nobody
who chooses sees factors. What the choice is worth is the setting's true FactorVAE score
and MIG, as means over its seeds: ``closed`` is the share of the way from the median
setting to the best one, 1 where the best was chosen, and below 0 where a random choice
would have been better half of the time.

All settings are in ``results/choosing_settings.csv``; a script that was stopped goes on
where it was.
"""

import argparse
import warnings

import numpy as np
import pandas as pd
from _common import RESULTS, write
from joblib import Parallel, delayed

from skvae import BetaTCVAE, PosteriorCollapseWarning
from skvae.datasets import make_credit_portfolio, make_sprites
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
    udr_scorer,
)

SETTINGS = RESULTS / "choosing_settings.csv"
BETAS, LATENTS = (1, 2, 4, 8), (5, 8, 12)
TABLE = {"max_epochs": 30}
IMAGES = {
    "encoding": None,
    "likelihood": "bernoulli",
    "hidden_layer_sizes": (128, 64),
    "max_epochs": 60,
    "lr": 3e-3,
}


def portfolio():
    """Return training rows, other rows and their factors."""
    data = make_credit_portfolio(10_000, random_state=0)
    return data.data[:6000], data.data[6000:], data.factors[6000:]


def sprites():
    """Return training images, other images and their factors, pixels in [0, 1]."""
    images = make_sprites(10_000, image_size=16, random_state=0)
    pixels = images.data / 255
    return pixels[:6000], pixels[6000:], images.factors[6000:]


DATA = {"portfolio": (portfolio, TABLE), "sprites": (sprites, IMAGES)}
TRUE = {"FactorVAE score": factor_vae_scorer, "MIG": mig_scorer}
OF_SEEDS = {"UDR": udr_scorer, "model centrality": model_centrality_scorer}
OF_MEMBERS = {
    "latent consistency": latent_consistency_scorer,
    "independence (-TC)": neg_total_correlation_scorer,
    "bound": lambda model, X: model.score(X),
    "reconstruction R2": reconstruction_scorer,
    "KS": ks_scorer,
    "fidelity": fidelity_scorer,
}
OF_TABLES = ["KS", "fidelity", "reconstruction R2"]


def run(data, beta, latent_dim, n_seeds):
    """Return the scores of one setting, means over seeds; of the chosen member too."""
    warnings.simplefilter("ignore", PosteriorCollapseWarning)
    load, settings = DATA[data]
    train, test, factors = load()
    model = BetaTCVAE(beta=beta, latent_dim=latent_dim, device="cpu", **settings)
    ensemble = SeedEnsemble(model, n_seeds=n_seeds, random_state=0).fit(train)
    members = ensemble.estimators_
    line = {"data": data, "beta": beta, "latent_dim": latent_dim}
    for name, scorer in TRUE.items():
        scores = [scorer(member, test, factors) for member in members]
        line |= {name: np.mean(scores), f"{name}, sd": np.std(scores, ddof=1)}
        line[f"{name}, chosen member"] = scores[ensemble.best_index_]
    line |= {name: scorer(ensemble, test) for name, scorer in OF_SEEDS.items()}
    for name, scorer in OF_MEMBERS.items():
        if data == "portfolio" or name not in OF_TABLES:
            line[name] = np.mean([scorer(member, test) for member in members])
    line["active"] = np.mean([n_active_scorer(member, test) for member in members])
    return line


def choices(settings):
    """Return what each score chose, and how much of the gap that closes."""
    lines = []
    for data, grid in settings.groupby("data", sort=False):
        grid = grid.reset_index(drop=True)
        for name in [*OF_SEEDS, *OF_MEMBERS]:
            if grid[name].isna().any():
                continue
            chosen = grid[name].idxmax()
            line = {"data": data, "chosen by": name}
            line |= grid.loc[chosen, ["beta", "latent_dim"]].astype(int).to_dict()
            for true in TRUE:
                median, best = grid[true].median(), grid[true].max()
                value = grid.loc[chosen, true]
                line[true] = round(value, 3)
                line[f"{true}: median, best"] = f"{median:.3f}, {best:.3f}"
                line[f"{true}: closed"] = round((value - median) / (best - median), 2)
                line[f"{true}: chosen member"] = round(
                    grid.loc[chosen, f"{true}, chosen member"], 3
                )
            lines.append(line)
    return pd.DataFrame(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--data", nargs="+", choices=list(DATA), default=list(DATA))
    arguments = parser.parse_args()
    known = pd.read_csv(SETTINGS) if SETTINGS.exists() else pd.DataFrame()
    done = set()
    if len(known):
        done = set(known[["data", "beta", "latent_dim"]].itertuples(index=False))
    tasks = [
        (data, beta, latent_dim)
        for data in arguments.data
        for beta in BETAS
        for latent_dim in LATENTS
        if (data, beta, latent_dim) not in done
    ]
    found = Parallel(n_jobs=arguments.jobs, return_as="generator_unordered")(
        delayed(run)(*task, arguments.seeds) for task in tasks
    )
    for line in found:
        known = pd.concat([known, pd.DataFrame([line])], ignore_index=True)
        known.to_csv(SETTINGS, index=False)
        print(line, flush=True)
    known = known.sort_values(["data", "beta", "latent_dim"], ignore_index=True)
    known.to_csv(SETTINGS, index=False)
    write(
        "choosing",
        choices(known),
        "python benchmarks/choosing.py",
        f"{len(BETAS) * len(LATENTS)} settings of {arguments.seeds} seeds: beta in "
        f"{BETAS}, latent_dim in {LATENTS}.",
    )


if __name__ == "__main__":
    main()
