"""How long the metrics with factors take beside what their papers spell out.

The straightforward versions are loops in Python, over pairs of code and factor or over
votes, on top of numpy and scikit-learn, with the constants of disentanglement_lib:

- MIG: `numpy.histogram` of each code, and `sklearn.metrics.mutual_info_score` of each
  pair;
- FactorVAE score: 15,000 votes, one after the other;
- SAP: `sklearn.svm.LinearSVC` for each pair;
- DCI: `sklearn.ensemble.GradientBoostingClassifier` for each factor.

All get the same codes and the same five discrete factors, in turn. SAP and DCI get
10,000 rows as well, of which both hold some out.

The second table asks whether DCI by our forests ranks models as gradient boosting does:
Spearman's correlation over codes of models that were trained with other betas, for more
or fewer epochs, and of turned factors.
"""

import argparse
from itertools import product

import numpy as np
import pandas as pd
from _common import interleaved, median, write
from joblib import Parallel, delayed
from scipy.stats import entropy, spearmanr
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import mutual_info_score
from sklearn.svm import LinearSVC

from skvae import BetaTCVAE
from skvae.datasets import make_factor_table
from skvae.metrics import dci_scores, factor_vae_score, mig_score, sap_score


def codes_of_factors(n_rows, n_codes, n_factors, n_levels=8, seed=0):
    """Return discrete factors, and codes that mix a little and are a little noisy."""
    rng = np.random.default_rng(seed)
    factors = rng.integers(n_levels, size=(n_rows, n_factors))
    mixing = np.eye(n_factors, n_codes) + 0.15 * rng.normal(size=(n_factors, n_codes))
    return factors, factors @ mixing + rng.normal(size=(n_rows, n_codes))


def loop_mig(factors, codes, n_bins=20):
    gaps = []
    for factor in factors.T:
        information = []
        for code in codes.T:
            edges = np.histogram(code, n_bins)[1][:-1]
            information.append(mutual_info_score(factor, np.digitize(code, edges)))
        best, second = sorted(information)[:-3:-1]
        gaps.append((best - second) / entropy(np.bincount(factor)))
    return np.mean(gaps)


def loop_factor_vae(factors, codes, n_train=10_000, n_eval=5000, n_rows=64):
    rng = np.random.default_rng(0)
    variances = codes.var(axis=0, ddof=1)
    votes = []
    for _ in range(n_train + n_eval):
        k = rng.integers(factors.shape[1])
        value = factors[rng.integers(len(factors)), k]
        rows = rng.choice(np.flatnonzero(factors[:, k] == value), n_rows)
        still = np.argmin(codes[rows].var(axis=0, ddof=1) / variances)
        votes.append((still, k))
    counts = np.zeros((codes.shape[1], factors.shape[1]))
    for still, k in votes[:n_train]:
        counts[still, k] += 1
    classifier = counts.argmax(axis=1)
    return np.mean([classifier[still] == k for still, k in votes[n_train:]])


def loop_sap(factors, codes):
    n_train = 2 * len(codes) // 3
    gaps = []
    for factor in factors.T:
        accuracies = []
        for code in codes.T:
            column = code[:, None]
            machine = LinearSVC(C=0.01, class_weight="balanced", random_state=0)
            machine.fit(column[:n_train], factor[:n_train])
            accuracies.append(machine.score(column[n_train:], factor[n_train:]))
        best, second = sorted(accuracies)[:-3:-1]
        gaps.append(best - second)
    return np.mean(gaps)


def loop_dci(factors, codes):
    """Return D, C and I by gradient boosting, as disentanglement_lib does."""
    n_train = len(codes) // 2
    importances, accuracies = [], []
    for factor in factors.T:
        booster = GradientBoostingClassifier(random_state=0)
        booster.fit(codes[:n_train], factor[:n_train])
        importances.append(np.abs(booster.feature_importances_))
        accuracies.append(booster.score(codes[n_train:], factor[n_train:]))
    importances = np.array(importances).T  # codes by factors
    of_code = 1 - entropy(importances.T + 1e-11, base=importances.shape[1])
    of_factor = 1 - entropy(importances + 1e-11, base=importances.shape[0])
    weights = importances.sum(axis=1) / importances.sum()
    weights_of_factors = importances.sum(axis=0) / importances.sum()
    return weights @ of_code, weights_of_factors @ of_factor, np.mean(accuracies)


METRICS = {
    "MIG": (mig_score, loop_mig, 1),
    "FactorVAE score": (
        lambda *arrays: factor_vae_score(*arrays, random_state=0),
        loop_factor_vae,
        1,
    ),
    "SAP": (lambda *arrays: sap_score(*arrays, random_state=0), loop_sap, 1),
    "DCI": (
        lambda *arrays: dci_scores(*arrays, random_state=0),
        loop_dci,
        5,  # the loop takes minutes
    ),
}


def speed(n_rounds):
    """Return one line a metric: seconds of both, the ratio, and those of more rows."""
    few, many = codes_of_factors(10_000, 10, 5), codes_of_factors(100_000, 20, 10)
    for metric in METRICS:
        ours, loop, share = METRICS[metric]
        ours(*few)  # what is imported and allocated once
        timed = {
            "ours": lambda ours=ours: ours(*few),
            "loop": lambda loop=loop: loop(*few),
        }
        seconds = interleaved(timed, max(3, n_rounds // share))
        ratios = [b / a for a, b in zip(seconds["ours"], seconds["loop"], strict=True)]
        more = interleaved({"ours": lambda ours=ours: ours(*many)}, 3)["ours"]
        yield {
            "metric": metric,
            "skvae (s)": round(median(seconds["ours"]), 3),
            "loop (s)": round(median(seconds["loop"]), 2),
            "times as fast": round(median(ratios), 1),
            "100,000 x 20 codes, 10 factors: skvae (s)": round(median(more), 2),
        }


def codes_of_models(beta, max_epochs, seed, n_rows=10_000):
    """Return codes of a trained model, 10 of them, and the factors."""
    table = make_factor_table(n_rows, n_factors=5, noise=0.3, random_state=0)
    model = BetaTCVAE(
        latent_dim=10,
        beta=beta,
        max_epochs=max_epochs,
        hidden_layer_sizes=(64,),
        encoding="standard",
        device="cpu",
        random_state=seed,
    )
    return table.factors, model.fit_transform(table.data)


def turned_factors(angle, n_rows=10_000):
    """Return factors turned pair by pair, and noise."""
    rng = np.random.default_rng(0)
    factors = make_factor_table(n_rows, n_factors=5, noise=0.3, random_state=0).factors
    codes = np.hstack([factors.to_numpy(), rng.normal(size=(n_rows, 5))])
    turn = np.eye(10)
    for i in (0, 2, 4):
        turn[i : i + 2, i : i + 2] = [
            [np.cos(angle), -np.sin(angle)],
            [np.sin(angle), np.cos(angle)],
        ]
    return factors, codes @ turn


def both_dci(make, *args):
    """Return DCI of both kinds; factors in ten levels, which both classify."""
    factors, codes = make(*args)
    levels = factors.rank(pct=True).mul(10).apply(np.ceil).astype(int) - 1
    levels = levels.to_numpy()
    return [*dci_scores(levels, codes, random_state=0)], [*loop_dci(levels, codes)]


def agreement(n_jobs):
    """Return Spearman's correlation of our DCI and that of gradient boosting."""
    makers = [
        (codes_of_models, beta, max_epochs, 0)
        for beta, max_epochs in product((1, 2, 4, 8, 16), (3, 15, 40))
    ]
    makers += [(turned_factors, angle) for angle in np.radians([0, 5, 15, 30, 45])]
    pairs = Parallel(n_jobs=n_jobs)(delayed(both_dci)(*maker) for maker in makers)
    ours, boosted = (np.array(each) for each in zip(*pairs, strict=True))
    for i, name in enumerate(("disentanglement", "completeness", "informativeness")):
        own, other = ours[:, i], boosted[:, i]
        yield {
            "number": name,
            "codes": len(makers),
            "Spearman": round(spearmanr(own, other).statistic, 3),
            "skvae, range": f"{own.min():.2f} to {own.max():.2f}",
            "boosting, range": f"{other.min():.2f} to {other.max():.2f}",
        }


def write_speed(arguments):
    few = codes_of_factors(10_000, 10, 5)
    assert np.isclose(mig_score(*few), loop_mig(*few))
    write(
        "metric_speed",
        pd.DataFrame(speed(arguments.rounds)),
        f"python benchmarks/metric_speed.py speed --rounds {arguments.rounds}",
        f"10,000 x 10 codes and 5 factors of 8 levels; medians of {arguments.rounds} "
        "rounds (DCI: 3), the ratio that of rounds. Of the 100,000 rows SAP takes "
        "15,000 by default, and DCI 10,000.",
    )


def write_agreement(arguments):
    write(
        "metric_agreement",
        pd.DataFrame(agreement(arguments.jobs)),
        "python benchmarks/metric_speed.py agreement",
        "10,000 rows of make_factor_table, factors in ten levels; 15 models of "
        "BetaTCVAE (beta 1 to 16, 3 to 40 epochs, 10 latents) and factors turned by 0 "
        "to 45 degrees beside noise. Boosting: GradientBoostingClassifier with its "
        "defaults, weighted as in disentanglement_lib.",
    )


TABLES = {"speed": write_speed, "agreement": write_agreement}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", default=list(TABLES), metavar="table")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    for table in arguments.tables:
        TABLES[table](arguments)


if __name__ == "__main__":
    main()
