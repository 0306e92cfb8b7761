"""Detectors on 20 anomaly tables of ADBench, beside PyOD's, on the same rows.

The protocol of Livernoche et al. 2024 (DTE): at most 50,000 rows, standardised by the
training rows, seeds 0 to 4. *Unsupervised*: trained on a bootstrap of all rows, tested
on all. *Semi-supervised*: trained on half of the normal rows, tested on the others.
Labels score, and nothing else. Every detector has its defaults, the same for all
tables. The
trimmed one allows for a tenth of anomalies among the training rows.

The tables are those of https://github.com/Minqi824/ADBench (``Classical``), in a folder
``adbench`` of ``SKVAE_DATA_HOME``. Each run is written down when it ends, so that a
script that was stopped goes on where it was; ``--again NAME`` drops a detector's runs.
"""

import argparse
import os
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from _common import RESULTS, write
from scipy.stats import wilcoxon
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.preprocessing import StandardScaler

from skvae import DCVAEAnomalyDetector

RUNS = RESULTS / "anomaly_tables_runs.csv"
SETTINGS = ("semi-supervised", "unsupervised")
OURS = "DCVAEAnomalyDetector"
MOST_ROWS = 50_000
KEYS = ["table", "setting", "seed", "detector"]


def make_skvae(seed, **params):
    return DCVAEAnomalyDetector(random_state=seed, **params)


def make_pyod(module, name, seeded=True, **params):
    """Return what makes a detector of PyOD, which is imported when it is wanted."""

    def make(seed):
        detector = getattr(__import__(f"pyod.models.{module}", fromlist=[name]), name)
        return detector(**params, **({"random_state": seed} if seeded else {}))

    return make


DETECTORS = {
    OURS: make_skvae,
    f"{OURS}, trimmed": partial(make_skvae, trimmed_fraction=0.1),
    "PyOD IForest": make_pyod("iforest", "IForest"),
    "PyOD KNN": make_pyod("knn", "KNN", seeded=False),
    "PyOD MCD": make_pyod("mcd", "MCD"),
    "PyOD PCA": make_pyod("pca", "PCA"),
    "PyOD ECOD": make_pyod("ecod", "ECOD", seeded=False),
    "PyOD LOF": make_pyod("lof", "LOF", seeded=False),
    "PyOD VAE": make_pyod("vae", "VAE", verbose=0),
}


def data_folder():
    folder = Path(os.environ.get("SKVAE_DATA_HOME", "")) / "adbench"
    if not any(folder.glob("*.npz")):
        raise SystemExit(
            f"No tables in {folder}; expected the .npz files of ADBench's Classical "
            "collection, and SKVAE_DATA_HOME set to the folder above."
        )
    return folder


def rows_of(path, setting, seed):
    """Return training rows, test rows and the test rows' labels."""
    with np.load(path) as table:
        X, y = table["X"].astype(np.float64), table["y"].astype(int)
    random_state = np.random.RandomState(seed)
    if len(X) > MOST_ROWS:
        kept = random_state.choice(len(X), MOST_ROWS, replace=False)
        X, y = X[kept], y[kept]
    if setting == "unsupervised":
        train, test = random_state.choice(len(X), len(X)), np.arange(len(X))
    else:
        normal = random_state.permutation(np.flatnonzero(y == 0))
        train, rest = np.split(normal, [len(normal) // 2])
        test = np.concatenate([rest, np.flatnonzero(y == 1)])
    scaler = StandardScaler().fit(X[train])
    return scaler.transform(X[train]), scaler.transform(X[test]), y[test]


def anomaly_scores(detector, X):
    """Return scores that are higher for anomalies, whoever's detector it is."""
    scores = detector.decision_function(X)
    # PyOD's PCA divides by eigenvalues that may be 0; infinite is most anomalous.
    return np.nan_to_num(scores) if is_pyods(detector) else -scores


def is_pyods(detector):
    return type(detector).__module__.startswith("pyod")


def run(name, path, setting, seed):
    train, test, labels = rows_of(path, setting, seed)
    detector = DETECTORS[name](seed)
    start = time.perf_counter()
    detector.fit(train)
    fitted = time.perf_counter()
    scores = anomaly_scores(detector, test)
    return {
        "table": path.stem,
        "setting": setting,
        "seed": seed,
        "detector": name,
        "AUROC": roc_auc_score(labels, scores),
        "AP": average_precision_score(labels, scores),
        "fit_s": fitted - start,
        "score_s": time.perf_counter() - fitted,
    }


def add_runs(names, seeds, tables):
    """Run what was not run before, and write each run down."""
    done = set()
    if RUNS.exists():
        done = set(pd.read_csv(RUNS)[KEYS].itertuples(index=False, name=None))
    paths = sorted(data_folder().glob("*.npz"), key=lambda path: path.stat().st_size)
    for seed in range(seeds):
        for path in paths:
            for setting in SETTINGS:
                for name in names:
                    if (path.stem, setting, seed, name) in done:
                        continue
                    if tables and path.stem not in tables:
                        continue
                    row = pd.DataFrame([run(name, path, setting, seed)])
                    row.to_csv(RUNS, mode="a", header=not RUNS.exists(), index=False)


def drop_runs(name):
    runs = pd.read_csv(RUNS)
    runs[runs.detector != name].to_csv(RUNS, index=False)


def holm(p_values):
    """Return p-values adjusted for their number (Holm 1979)."""
    ordered = p_values.sort_values()
    factors = np.arange(len(ordered), 0, -1)
    return (ordered * factors).cummax().clip(upper=1).reindex(p_values.index)


def summarise(runs):
    """Return one row for each setting and detector."""
    rows = []
    for setting, of_setting in runs.groupby("setting", sort=True):
        table = of_setting.pivot_table("AUROC", "table", "detector")  # over seeds
        ranks = table.rank(axis=1, ascending=False)
        peers = [name for name in table if name != OURS]
        p_values = holm(
            pd.Series({peer: wilcoxon(table[OURS], table[peer])[1] for peer in peers})
        )
        per_seed = of_setting.groupby(["detector", "seed"])["AUROC"].mean()
        by_detector = of_setting.groupby("detector")
        n_seeds = by_detector["seed"].nunique()
        precision = by_detector["AP"].mean()
        seconds = by_detector[["fit_s", "score_s"]].sum().div(n_seeds, axis=0)
        for name in table.mean().sort_values(ascending=False).index:
            better = f"{(table[OURS] > table[name]).sum()} of {len(table)}"
            rows.append(
                {
                    "setting": setting,
                    "detector": name,
                    "AUROC": table[name].mean(),
                    "sd over seeds": per_seed[name].std(),
                    "mean rank": ranks[name].mean(),
                    "AP": precision[name],
                    "default is better on": "" if name == OURS else better,
                    "p (Wilcoxon-Holm)": p_values.get(name, np.nan),
                    "seeds": n_seeds[name],
                    "fit s": seconds.fit_s[name],
                    "score s": seconds.score_s[name],
                }
            )
    return pd.DataFrame(rows).round(3)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--detectors", nargs="*", default=list(DETECTORS))
    parser.add_argument("--tables", nargs="*", help="such as 6_cardio; all by default")
    parser.add_argument("--again", nargs="*", default=[], help="detectors to run anew")
    arguments = parser.parse_args()
    for name in arguments.again:
        drop_runs(name)
    warnings.simplefilter(
        "ignore"
    )  # a peer's, of covariances that are not of full rank
    add_runs(arguments.detectors, arguments.seeds, arguments.tables)
    runs = pd.read_csv(RUNS)
    if OURS in set(runs.detector):
        write(
            "anomaly_tables",
            summarise(runs),
            f"python benchmarks/anomaly_tables.py --seeds {arguments.seeds}",
            "Means over tables of the mean over seeds; seconds are for all tables.",
        )


if __name__ == "__main__":
    main()
