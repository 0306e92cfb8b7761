"""Seconds to fit and to score, beside PyOD's VAE and isolation forest, and memory.

All with their defaults on the same standardised rows of the credit table, in turn, so
that noise of the machine hits them alike; medians over rounds. ``ratio`` is to PyOD's
VAE. Below stands what it takes to score a million rows of 23 columns, in a process of
its own: by how much its memory grows above that of the rows themselves.
"""

import argparse
import resource
import subprocess
import sys
import time

import numpy as np
import pandas as pd
from _common import credit_table, median, write
from pyod.models.iforest import IForest
from pyod.models.vae import VAE as PyODVAE
from sklearn.ensemble import IsolationForest
from sklearn.preprocessing import StandardScaler

from skvae import DCVAEAnomalyDetector

DETECTORS = {
    "DCVAEAnomalyDetector": lambda: DCVAEAnomalyDetector(random_state=0),
    "PyOD VAE": lambda: PyODVAE(verbose=0),
    "PyOD IForest": lambda: IForest(random_state=0),
    "sklearn IsolationForest": lambda: IsolationForest(random_state=0),
}
MILLION = 1_000_000


def rows():
    table, name = credit_table()
    X = StandardScaler().fit_transform(np.asarray(table, dtype=float))
    return X[:10_000], X[10_000:20_000], name


def seconds_of(make, train, test):
    start = time.perf_counter()
    detector = make().fit(train)
    fitted = time.perf_counter()
    detector.decision_function(test)
    return fitted - start, time.perf_counter() - fitted


def compare(n_rounds):
    train, test, name = rows()
    seconds = {detector: [] for detector in DETECTORS}
    for _ in range(n_rounds):
        for detector, make in DETECTORS.items():
            seconds[detector].append(seconds_of(make, train, test))
    table = pd.DataFrame(
        {
            detector: [median(part) for part in zip(*runs, strict=True)]
            for detector, runs in seconds.items()
        },
        index=["fit 10,000 rows, s", "score 10,000 rows, s"],
    ).T
    table["fit, ratio"] = table.iloc[:, 0] / table.loc["PyOD VAE"].iloc[0]
    table["score, ratio"] = table.iloc[:, 1] / table.loc["PyOD VAE"].iloc[1]
    return table.round(3).reset_index(names="detector"), name


def score_a_million():
    """Print the seconds, and by how many megabytes the process has grown."""
    train, _, _ = rows()
    detector = DCVAEAnomalyDetector(max_epochs=5, random_state=0).fit(train)
    many = np.tile(train, (MILLION // len(train), 1))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    detector.score_samples(many)
    seconds = time.perf_counter() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"{seconds:.0f} s, {grown / 1024:.0f} MB above {many.nbytes / 2**20:.0f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--million", action="store_true", help="that part alone")
    arguments = parser.parse_args()
    if arguments.million:
        score_a_million()
        return
    table, name = compare(arguments.rounds)
    million = subprocess.run(
        [sys.executable, __file__, "--million"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    write(
        "anomaly_speed",
        table,
        f"python benchmarks/anomaly_speed.py --rounds {arguments.rounds}",
        f"{name}. Scoring 1,000,000 x 23 rows: {million} of rows.",
    )


if __name__ == "__main__":
    main()
