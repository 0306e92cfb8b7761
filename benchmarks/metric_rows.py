"""How many rows the metrics of disentanglement need: their bias and spread.

A known case, of which any number of rows can be drawn: five normal factors, and seven
codes that neither find them nor miss them. Two pairs of factors are turned by 35
degrees, the fifth factor is stored twice, once with more noise, and one code is noise.
The posterior has variance 0.2, so that total correlation and distance to the prior are
known in closed form. Decoding and encoding again turns the first pair further. For
the scores of several models there are three, of which the second and third are turned
by 20 and 45 degrees.

For each number of rows and each metric: mean and sd over draws, the same of shuffled
rows (chance), and bias, the difference to the value in the limit. The limit is the
closed form where there is one, and elsewhere the mean over draws of 100,000 rows. IRS
has none: it compares with the largest deviation, which grows with the rows. Constants
are the defaults, so that total correlation takes 5,000 rows at most, DCI 10,000, SAP
and explicitness 15,000.
"""

import argparse

import numpy as np
import pandas as pd
from _common import RESULTS, environment
from joblib import Parallel, delayed

from skvae.metrics import (
    beta_vae_score,
    dci_scores,
    explicitness_score,
    factor_vae_score,
    gaussian_total_correlation,
    gaussian_wasserstein,
    irs_score,
    latent_consistency_score,
    mig_score,
    mig_sup_score,
    model_centrality_score,
    modularity_score,
    recovered_factors,
    sap_score,
    total_correlation,
    udr_score,
)

ROWS = (100, 300, 1000, 3000, 10_000, 30_000)
ROWS_OF_THE_LIMIT = 100_000
POSTERIOR_VARIANCE = 0.2


def turn(degrees, size=7, pairs=((0, 1), (2, 3))):
    """Return a matrix that turns pairs of columns."""
    matrix, angle = np.eye(size), np.radians(degrees)
    for i, j in pairs:
        matrix[np.ix_([i, j], [i, j])] = [
            [np.cos(angle), -np.sin(angle)],
            [np.sin(angle), np.cos(angle)],
        ]
    return matrix


def known_case(n_rows, rng):
    """Return factors, and codes before they are turned."""
    factors = rng.normal(size=(n_rows, 5))
    noise = rng.normal(size=(n_rows, 7)) * [0.3, 0.3, 0.3, 0.3, 0.3, 0.9, 1.0]
    codes = np.hstack([factors, factors[:, 4:], np.zeros((n_rows, 1))]) + noise
    return factors, codes / codes_scale()


def codes_scale():
    return np.sqrt([1.09, 1.09, 1.09, 1.09, 1.09, 1.81, 1.0])


def limits():
    """Return what is known in closed form: of normal codes and normal posteriors."""
    covariance = np.eye(7)
    covariance[4, 5] = covariance[5, 4] = 1 / np.prod(codes_scale()[4:6])

    def total(covariance):
        diagonal = np.log(np.diag(covariance)).sum()
        return 0.5 * (diagonal - np.linalg.slogdet(covariance)[1])

    aggregate = covariance + POSTERIOR_VARIANCE * np.eye(7)
    roots = np.sqrt(np.linalg.eigvalsh(aggregate))
    return {
        "total correlation": total(aggregate),
        "Gaussian total correlation": total(covariance),
        "distance to the prior": ((roots - 1) ** 2).sum(),
    }


def with_factors(factors, codes, seed):
    dci = dci_scores(factors, codes, random_state=seed)
    seeded = {"random_state": seed}
    return {
        "FactorVAE score": factor_vae_score(factors, codes, **seeded),
        "beta-VAE score": beta_vae_score(factors, codes, **seeded),
        "MIG": mig_score(factors, codes),
        "MIG, adjusted": mig_score(factors, codes, adjusted=True, **seeded),
        "MIG-sup": mig_sup_score(factors, codes),
        "MIG-sup, adjusted": mig_sup_score(factors, codes, adjusted=True, **seeded),
        "modularity": modularity_score(factors, codes),
        "modularity, adjusted": modularity_score(
            factors, codes, adjusted=True, **seeded
        ),
        "DCI disentanglement": dci.disentanglement,
        "DCI completeness": dci.completeness,
        "DCI informativeness": dci.informativeness,
        "SAP": sap_score(factors, codes, **seeded),
        "explicitness": explicitness_score(factors, codes, **seeded),
        "IRS": irs_score(factors, codes),
        "recovered factors": recovered_factors(factors, codes).share,
    }


def without_factors(codes, rng, seed):
    """Return scores of codes that are not turned yet, and of three models of them."""
    log_variances = np.full(codes.shape, np.log(POSTERIOR_VARIANCE))
    turns = [turn(degrees) for degrees in (0, 20, 45)]
    models = [codes @ matrix for matrix in turns]
    further = turn(45, pairs=[(0, 1)])
    return {
        "latent consistency": latent_consistency_score(
            codes, lambda z: z @ further, lambda x: x, random_state=seed
        ).eval_accuracy,
        "UDR": udr_score(
            [model + 0.1 * rng.normal(size=codes.shape) for model in models]
        ).mean,
        "model centrality": model_centrality_score(
            models,
            decode=[lambda z, matrix=matrix: z @ matrix.T for matrix in turns],
            encode=[lambda x, matrix=matrix: x @ matrix for matrix in turns],
            random_state=seed,
        ).mean,
        "total correlation": total_correlation(codes, log_variances, random_state=seed),
        "Gaussian total correlation": gaussian_total_correlation(codes),
        "distance to the prior": gaussian_wasserstein(codes, log_variances),
    }


def draw(n_rows, seed):
    """Return one line a metric: its value on rows drawn, and on shuffled ones."""
    rng = np.random.default_rng([n_rows, seed])
    factors, codes = known_case(n_rows, rng)
    turned = codes @ turn(35)
    values = with_factors(factors, turned, seed)
    chance = with_factors(factors, rng.permutation(turned), seed)
    values |= without_factors(codes, rng, seed)
    return [
        {
            "metric": metric,
            "rows": n_rows,
            "value": values[metric],
            "chance": chance.get(metric, np.nan),
        }
        for metric in values
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    tasks = [(n_rows, seed) for n_rows in ROWS for seed in range(arguments.draws)]
    tasks += [(ROWS_OF_THE_LIMIT, seed) for seed in range(5)]
    lines = Parallel(n_jobs=arguments.jobs)(delayed(draw)(*task) for task in tasks)
    lines = pd.DataFrame([line for of_draw in lines for line in of_draw])
    groups = lines.groupby(["metric", "rows"], sort=False)
    table = groups["value"].agg(["mean", "std"]).rename(columns={"std": "sd"})
    table["chance"] = groups["chance"].mean()
    limit = table["mean"].xs(ROWS_OF_THE_LIMIT, level="rows").to_dict()
    limit |= limits() | {"IRS": np.nan}
    table = table.drop(index=ROWS_OF_THE_LIMIT, level="rows").reset_index()
    table["limit"] = table["metric"].map(limit)
    table.insert(3, "bias", table["mean"] - table["limit"])
    table.to_csv(RESULTS / "metric_rows.csv", index=False)
    command = f"python benchmarks/metric_rows.py --draws {arguments.draws}"
    text = table.round(3).to_markdown(index=False)
    text = f"`{command}`\n\n{text}\n\n{environment()}\n"
    (RESULTS / "metric_rows.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
