"""What the models of the family find of known factors, and what it costs them.

- A table (`make_factor_table`): five independent factors that are unequally strong, not
  Gaussian and sparsely mixed. Columns are standardised.
- The same table with its columns made normal by their ranks (``encoding="quantile"``),
  which takes away much of what tells factors from rotations of them.
- Images (`make_sprites`, 16 x 16): shape, scale, rotation and two positions.
- The Taiwan credit table, whose factors nobody knows: what there is without them.

Each model trains on one part of the rows and is scored on the rest, over several seeds
of data and model alike. Differences to VAE are paired by seed, with the 95 % interval
of Student's t. All settings but the model's own are the same, and the model's own are
its defaults, but for the weights named in the table.
"""

import argparse

import pandas as pd
from _common import credit_table, write
from joblib import Parallel, delayed
from scipy.stats import t as student
from sklearn.model_selection import train_test_split

from skvae import DIPVAE, RFVAE, VAE, BetaTCVAE, BetaVAE, FactorVAE, InfoVAE
from skvae.datasets import make_factor_table, make_sprites
from skvae.metrics import dci_scores, factor_vae_score, mig_score
from skvae.selection import reconstruction_scorer

MODELS = {
    "VAE": (VAE, {}),
    "BetaVAE(beta=4)": (BetaVAE, {"beta": 4}),
    "BetaVAE(capacity=5)": (BetaVAE, {"capacity": 5.0}),
    "BetaTCVAE(beta=4)": (BetaTCVAE, {"beta": 4}),
    "BetaTCVAE(beta=8)": (BetaTCVAE, {"beta": 8}),
    "FactorVAE(beta=10)": (FactorVAE, {"beta": 10}),
    "RFVAE(beta=7.4)": (RFVAE, {"beta": 7.4}),
    "DIPVAE(variant='i')": (DIPVAE, {"variant": "i", "diagonal_weight": 100}),
    "DIPVAE(variant='ii')": (DIPVAE, {"variant": "ii"}),
    "InfoVAE()": (InfoVAE, {}),
}
TABLE = {
    "latent_dim": 5,
    "encoding": "standard",
    "hidden_layer_sizes": (64, 64),
    "max_epochs": 60,
}
IMAGES = {
    "latent_dim": 8,
    "encoding": None,
    "likelihood": "bernoulli",
    "hidden_layer_sizes": (128, 64),
    "max_epochs": 80,
    "lr": 3e-3,
}


def factor_table(seed):
    """Return training rows, test rows and test factors."""
    table = make_factor_table(6000, n_factors=5, noise=0.3, random_state=seed)
    return table.data[:4000], table.data[4000:], table.factors[4000:]


def sprites(seed):
    """Return the same of images, with pixels in [0, 1]."""
    images = make_sprites(10_000, image_size=16, random_state=seed)
    pixels = images.data / 255
    return pixels[:8000], pixels[8000:], images.factors[8000:]


def credit(seed):
    """Return rows of the credit table, of which no factors are known."""
    table, _ = credit_table()
    train, test = train_test_split(
        table, train_size=10_000, test_size=5000, random_state=seed
    )
    return train, test, None


DATA = {
    "factor table": (factor_table, TABLE),
    "factor table, by ranks": (factor_table, {**TABLE, "encoding": "quantile"}),
    "sprites": (sprites, IMAGES),
    "credit": (credit, {"latent_dim": 10, "max_epochs": 30}),
}


def measure(data, name, seed):
    make, settings = DATA[data]
    train, test, factors = make(seed)
    model_class, weights = MODELS[name]
    model = model_class(random_state=seed, device="cpu", **settings, **weights)
    codes = model.fit(train).transform(test)
    terms = model.elbo_decomposition(test, max_rows=2000)["value"]
    return {
        "data": data,
        "model": name,
        "seed": seed,
        **({} if factors is None else against(factors, codes, seed)),
        "R2": reconstruction_scorer(model, test),
        "n_active": model.n_active_,
        "TC": terms["total_correlation"],
        "mutual information": terms["mutual_information"],
        "log-likelihood": terms["reconstruction"],
        "epochs": model.n_iter_,
    }


def against(factors, codes, seed):
    """Return the scores of codes against known factors."""
    dci = dci_scores(factors, codes, random_state=seed)
    return {
        "MIG": mig_score(factors, codes),
        "FactorVAE score": factor_vae_score(factors, codes, random_state=seed),
        "DCI D": dci.disentanglement,
        "DCI C": dci.completeness,
        "DCI I": dci.informativeness,
    }


def summarise(runs):
    """Return mean and sd over seeds, and the paired difference to VAE in MIG."""
    rows = []
    for (data, model), group in runs.groupby(["data", "model"], sort=False):
        row = {"data": data, "model": model}
        for name in runs.columns[3:]:
            values = group[name]
            known = values.notna().all()
            row[name] = f"{values.mean():.3g} ± {values.std():.2g}" if known else ""
        row["MIG less VAE's"] = paired_difference(runs, data, model)
        rows.append(row)
    return pd.DataFrame(rows)


def paired_difference(runs, data, model, other="VAE", score="MIG"):
    """Return the mean difference over seeds, and its 95 % interval."""
    by_seed = runs[runs["data"] == data].pivot(
        index="seed", columns="model", values=score
    )
    difference = (by_seed[model] - by_seed[other]).dropna()
    if model == other or len(difference) < 2:
        return ""
    half = student.ppf(0.975, len(difference) - 1) * difference.sem()
    mean = difference.mean()
    return f"{mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--data", choices=list(DATA), nargs="+", default=list(DATA))
    arguments = parser.parse_args()
    tasks = [
        (data, name, seed)
        for data in arguments.data
        for name in MODELS
        for seed in range(arguments.seeds)
    ]
    runs = pd.DataFrame(
        Parallel(n_jobs=arguments.jobs)(delayed(measure)(*task) for task in tasks)
    )
    table = summarise(runs)
    pairs = [
        f"{data}, {score}: "
        + paired_difference(runs, data, "BetaTCVAE(beta=4)", "BetaVAE(beta=4)", score)
        for data in arguments.data
        for score in ("MIG", "DCI D", "TC", "n_active", "mutual information", "R2")
        if runs.loc[runs["data"] == data, score].notna().all()
    ]
    write(
        "family_disentanglement",
        table,
        f"python benchmarks/family_disentanglement.py --seeds {arguments.seeds}",
        f"Mean ± sd over {arguments.seeds} seeds, on held-out rows; intervals of 95 % "
        "are paired by seed. TC, mutual information and log-likelihood in nats."
        "\n\nBetaTCVAE less BetaVAE, both at beta 4:\n\n"
        + "\n".join(f"- {pair}" for pair in pairs),
    )


if __name__ == "__main__":
    main()
