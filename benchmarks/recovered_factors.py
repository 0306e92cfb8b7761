"""How many true factors a model recovers: by model, beta, number of latents and rows.

The thesis left open how far unsupervised models get. Here is where the factors are
known: a table (`make_factor_table`, five factors), a simulated card portfolio (six) and
images (`make_sprites`, four: the shape has no order). A factor is recovered if it has a
latent of its own with an absolute Spearman correlation of at least 0.8, on rows held
out; the share of those is a mean over seeds of data and model alike.

One thing is changed at a time, from BetaTCVAE with beta 4, 10 latents and 4000 rows.
All see 240,000 rows in training (90,000 of the 300, which is 300 epochs), and none
stops early.
"""

import argparse
import warnings

import pandas as pd
from _common import write
from joblib import Parallel, delayed

from skvae import DIPVAE, VAE, BetaTCVAE, BetaVAE, FactorVAE, PosteriorCollapseWarning
from skvae.datasets import make_credit_portfolio, make_factor_table, make_sprites
from skvae.metrics import factor_vae_score, mig_score, recovered_factors

MODELS = {
    "VAE": VAE,
    "BetaVAE": BetaVAE,
    "FactorVAE": FactorVAE,
    "DIPVAE": DIPVAE,
}
BASE = {"model": "BetaTCVAE", "beta": 4, "latent_dim": 10, "n_rows": 4000}
CHANGES = [
    {},
    *({"model": name} for name in MODELS),
    *({"beta": beta} for beta in (1, 2, 8, 16)),
    *({"latent_dim": latent_dim} for latent_dim in (3, 5, 20)),
    *({"n_rows": n_rows} for n_rows in (300, 1000, 16_000)),
]
ROWS_SEEN, N_TEST = 240_000, 2000


def factor_table(n_rows, seed):
    table = make_factor_table(n_rows, n_factors=5, noise=0.3, random_state=seed)
    return table.data, table.factors, {"encoding": "standard"}


def portfolio(n_rows, seed):
    table = make_credit_portfolio(n_rows, random_state=seed)
    return table.data, table.factors, {}


def sprites(n_rows, seed):
    images = make_sprites(n_rows, image_size=16, random_state=seed)
    settings = {"encoding": None, "likelihood": "bernoulli", "lr": 3e-3}
    settings["hidden_layer_sizes"] = (128, 64)
    return images.data / 255, images.factors.drop(columns="shape"), settings


DATA = {"factor table": factor_table, "portfolio": portfolio, "sprites": sprites}


def run(data, change, seed):
    """Return the line of one fit."""
    warnings.simplefilter("ignore", PosteriorCollapseWarning)
    setting = BASE | change
    n_rows = setting["n_rows"]
    rows, factors, settings = DATA[data](n_rows + N_TEST, seed)
    if setting["model"] == "BetaTCVAE":
        model = BetaTCVAE(beta=setting["beta"])
    else:
        model = MODELS[setting["model"]]()
    model.set_params(
        latent_dim=setting["latent_dim"],
        max_epochs=min(ROWS_SEEN // n_rows, 300),
        early_stopping=False,
        device="cpu",
        random_state=seed,
        **settings,
    )
    codes = model.fit(rows[:n_rows]).transform(rows[n_rows:])
    factors = factors[n_rows:]
    found = recovered_factors(factors, codes)
    of_factors = found.per_factor["correlation"].abs().to_dict()
    return {
        "data": data,
        "changed": ", ".join(f"{k}={v}" for k, v in change.items()) or "nothing",
        "recovered": found.share,
        "FactorVAE score": factor_vae_score(factors, codes, random_state=seed),
        "MIG": mig_score(factors, codes),
        **{f"|{name}|": value for name, value in of_factors.items()},
    }


def summary(lines):
    """Return mean and sd over seeds, and how many seeds found each factor."""
    found = [name for name in lines.columns if name.startswith("|")]
    scores = ["recovered", "FactorVAE score", "MIG"]
    rows = []
    for (data, changed), group in lines.groupby(["data", "changed"], sort=False):
        row = {"data": data, "changed": changed}
        for score in scores:
            mean, sd = group[score].mean(), group[score].std(ddof=1)
            row[score] = f"{mean:.2f} ± {sd:.2f}"
        own = group[found].dropna(axis=1)
        row["found in so many seeds"] = ", ".join(
            f"{name[1:-1]} {count}"
            for name, count in (own >= 0.8).sum().items()
            if count > 0
        )
        rows.append(row)
    return pd.DataFrame(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    lines = Parallel(n_jobs=arguments.jobs)(
        delayed(run)(data, change, seed)
        for data in DATA
        for change in CHANGES
        for seed in range(arguments.seeds)
    )
    write(
        "recovered_factors",
        summary(pd.DataFrame(lines)),
        f"python benchmarks/recovered_factors.py --seeds {arguments.seeds}",
        "Changed from BetaTCVAE(beta=4, latent_dim=10) on 4000 rows; other models with "
        f"the defaults of their own weights. Mean ± sd over {arguments.seeds} seeds.",
    )


if __name__ == "__main__":
    main()
