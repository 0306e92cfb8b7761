"""What BetaTCVAE with its default settings finds in a credit table, over five seeds.

On the real Taiwan table and on the simulated portfolio, whose factors are known. A
model is fitted on four fifths of the rows; everything is measured on the rest, which
it never saw. Columns of the result, as means and standard deviations over seeds:

- ``n_active``, ``KL`` and ``TC`` (total correlation) of the aggregate posterior;
- ``consistency``: latent consistency (the thesis' label-free FactorVAE metric);
- ``KS means``, ``KS draws``: reconstructions and generated rows against held-out rows;
- ``C2ST draws``: 1 where gradient boosting cannot tell generated from held-out rows;
- ``MIG``: on the real table against SEX, EDUCATION, MARRIAGE and AGE, as in the
  thesis, which are columns and no known factors; on the portfolio against its factors;
- ``FactorVAE``: the score of Kim & Mnih, on the portfolio only.

The last rows are the baseline of independent columns: each column of the training
rows resampled by itself. Its KS shows how little KS alone says.
"""

import argparse

import numpy as np
import pandas as pd
from _common import credit_table, write
from joblib import Parallel, delayed
from sklearn.model_selection import train_test_split

from skvae import BetaTCVAE
from skvae.datasets import make_credit_portfolio
from skvae.metrics import detection_score, factor_vae_score, ks_score, mig_score
from skvae.selection import latent_consistency_scorer

THESIS_FACTORS = ["SEX", "EDUCATION", "MARRIAGE", "AGE"]
SETTINGS = [(5, 1), (5, 4), (10, 1), (10, 4)]


def tables():
    """Yield the name, the rows, the factors, and whether they are the true ones."""
    real, name = credit_table()
    yield name, real, real[THESIS_FACTORS], False
    portfolio = make_credit_portfolio(30_000, random_state=0)
    yield "simulated portfolio", portfolio.data, portfolio.factors, True


def fidelity(generated, held_out, seed):
    return {
        "KS draws": ks_score(held_out, generated).mean,
        "C2ST draws": detection_score(held_out, generated, random_state=seed),
    }


def measure(name, table, factors, is_true, latent_dim, beta, seed, parameters):
    train, test, _, test_factors = train_test_split(
        table, factors, test_size=0.2, random_state=seed
    )
    model = BetaTCVAE(latent_dim=latent_dim, beta=beta, random_state=seed, **parameters)
    model.fit(train)
    codes = model.transform(test)
    terms = model.elbo_decomposition(test)["value"]
    # Draws must not come from the generator that made the split.
    draws = model.sample(len(test), random_state=1000 + seed)
    row = {
        "table": name,
        "latent_dim": latent_dim,
        "beta": beta,
        "n_active": model.n_active_,
        "KL": terms["kl"],
        "TC": terms["total_correlation"],
        "ELBO": terms["elbo"],
        "consistency": latent_consistency_scorer(model, test),
        "KS means": ks_score(test, model.reconstruct(test)).mean,
        **fidelity(draws, test, seed),
        "MIG": mig_score(test_factors, codes),
        "epochs": model.n_iter_,
    }
    if is_true:
        row["FactorVAE"] = factor_vae_score(test_factors, codes, random_state=seed)
    return row


def independent_columns(name, table, seed):
    train, test = train_test_split(table, test_size=0.2, random_state=seed)
    rng = np.random.RandomState(1000 + seed)
    draws = train.apply(lambda column: rng.choice(column, len(test)))
    row = {"table": name, "latent_dim": "independent columns", "beta": ""}
    return row | fidelity(draws, test, seed)


def summarise(rows):
    """Return means and standard deviations over seeds as text."""
    table = pd.DataFrame(rows)
    keys = ["table", "latent_dim", "beta"]
    grouped = table.groupby(keys, sort=False)
    mean, sd = grouped.mean(), grouped.std()
    text = mean.round(3).astype(str) + " ± " + sd.round(3).astype(str)
    return text.where(mean.notna(), "").reset_index()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--max-epochs", type=int, default=None)
    arguments = parser.parse_args()
    seeds = range(arguments.seeds)
    parameters = {}
    if arguments.max_epochs:
        parameters["max_epochs"] = arguments.max_epochs
    tasks = [
        delayed(measure)(*data, latent_dim, beta, seed, parameters)
        for data in tables()
        for latent_dim, beta in SETTINGS
        for seed in seeds
    ]
    tasks += [
        delayed(independent_columns)(name, table, seed)
        for name, table, _, _ in tables()
        for seed in seeds
    ]
    rows = Parallel(n_jobs=arguments.jobs)(tasks)
    write(
        "credit_factors",
        summarise(rows),
        f"python benchmarks/credit_factors.py --seeds {arguments.seeds}"
        + (f" --max-epochs {arguments.max_epochs}" if arguments.max_epochs else ""),
        f"Mean ± standard deviation over {arguments.seeds} seeds, on held-out rows.",
    )


if __name__ == "__main__":
    main()
