"""What the second stage of MSVAE adds to a disentangler, on the credit table.

A `BetaTCVAE` is fitted on four fifths of the rows, and an `MSVAE` on top of it, frozen;
everything is measured on the rest, which neither saw. Columns of the result, as means
and standard deviations over seeds:

- ``MSE``: mean squared error of the reconstruction in the encoded table, whose columns
  have variance 1;
- ``KS means``, ``KS draws``: reconstructions and generated rows against held-out rows;
- ``C2ST draws``: 1 where gradient boosting cannot tell generated from held-out rows;
- ``ELBO``: the bound, at weight 1 of the KL;
- ``TC``, ``consistency``: total correlation and latent consistency of the factors.

The script stops unless codes, total correlation and latent consistency of the factors
are the same bits in both stages. The last row is the baseline of independent columns.
"""

import argparse

import numpy as np
import pandas as pd
from _common import credit_table, write
from joblib import Parallel, delayed
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from skvae import MSVAE, BetaTCVAE
from skvae.metrics import detection_score, ks_score
from skvae.selection import latent_consistency_scorer, neg_total_correlation_scorer

SETTINGS = [(5, 4), (5, 10), (10, 4), (10, 10)]


def mean_squared_error(model, test):
    matrix = model.table_encoder_.transform(test)
    return ((matrix - model._inference.decode(model._encode(test)[0])) ** 2).mean()


def measure(model, test, seed):
    # Draws must not come from the generator that made the split.
    draws = model.sample(len(test), random_state=1000 + seed)
    return {
        "MSE": mean_squared_error(model, test),
        "KS means": ks_score(test, model.reconstruct(test)).mean,
        "KS draws": ks_score(test, draws).mean,
        "C2ST draws": detection_score(test, draws, random_state=seed),
        "ELBO": model.score(test),
        "TC": -neg_total_correlation_scorer(model, test),
        "consistency": latent_consistency_scorer(model, test),
    }


def check_same_factors(model, first, test, row, first_row):
    codes = first._encode(test)[0]
    np.testing.assert_array_equal(model._encode(test)[0][:, : codes.shape[1]], codes)
    assert row["TC"] == first_row["TC"]
    assert row["consistency"] == first_row["consistency"]


def compare(table, latent_dim, beta, seed):
    """Return a row for the first stage and one for each way to train the second."""
    train, test = train_test_split(table, test_size=0.2, random_state=seed)
    keys = {"latent_dim": latent_dim, "beta": beta}
    first = BetaTCVAE(latent_dim=latent_dim, beta=beta, random_state=seed).fit(train)
    first_row = measure(first, test, seed)
    rows = [keys | {"model": "BetaTCVAE"} | first_row]
    for training in ("joint", "separate"):
        model = MSVAE(
            FrozenEstimator(first), residual_training=training, random_state=seed
        ).fit(train)
        row = measure(model, test, seed)
        check_same_factors(model, first, test, row, first_row)
        rows.append(keys | {"model": f"MSVAE ({training})"} | row)
    return rows


def independent_columns(table, seed):
    train, test = train_test_split(table, test_size=0.2, random_state=seed)
    rng = np.random.RandomState(1000 + seed)
    draws = train.apply(lambda column: rng.choice(column, len(test)))
    return {
        "latent_dim": "",
        "beta": "",
        "model": "independent columns",
        "KS draws": ks_score(test, draws).mean,
        "C2ST draws": detection_score(test, draws, random_state=seed),
    }


def summarise(rows):
    """Return means and standard deviations over seeds as text."""
    table = pd.DataFrame(rows)
    grouped = table.groupby(["latent_dim", "beta", "model"], sort=False)
    mean, sd = grouped.mean(), grouped.std()
    text = mean.round(3).astype(str) + " ± " + sd.round(3).astype(str)
    return text.where(mean.notna(), "").reset_index()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    table, name = credit_table()
    tasks = [
        delayed(compare)(table, latent_dim, beta, seed)
        for seed in range(arguments.seeds)
        for latent_dim, beta in SETTINGS
    ]
    rows = [row for part in Parallel(n_jobs=arguments.jobs)(tasks) for row in part]
    rows += [independent_columns(table, seed) for seed in range(arguments.seeds)]
    write(
        "multi_stage",
        summarise(rows),
        f"python benchmarks/multi_stage.py --seeds {arguments.seeds}",
        f"{name}: mean ± standard deviation over {arguments.seeds} seeds, on held-out "
        "rows. Factors of MSVAE are those of the BetaTCVAE above it, bit for bit.",
    )


if __name__ == "__main__":
    main()
