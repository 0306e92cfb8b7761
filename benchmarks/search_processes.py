"""A grid by one process of two threads, two of one, and two of two.

Each line is a search by itself, in an interpreter of its own that is told how many
threads torch and BLAS may use; lines take turns, several times. On more cores the same
holds with more processes.
"""

import argparse
import os
import subprocess
import sys

import numpy as np
import pandas as pd
from _common import write

SEARCH = """
import time
from sklearn.model_selection import GridSearchCV
from skvae import BetaTCVAE
from skvae.datasets import make_credit_portfolio
X = make_credit_portfolio(1000, random_state=0).data
model = BetaTCVAE(max_epochs=2, random_state=0, device="cpu", early_stopping=False)
grid = {"beta": [1, 4], "latent_dim": [4, 8]}
search = GridSearchCV(model, grid, cv=2, refit=False, n_jobs=N_JOBS)
search.fit(X[:100])  # processes are there, and imports done
start = time.perf_counter()
search.fit(X)
print(time.perf_counter() - start)
"""
LAYOUTS = ((1, 1), (1, 2), (2, 1), (2, 2))


def seconds(n_processes, n_threads):
    """Return how long a search takes."""
    threads = {name: str(n_threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    code = SEARCH.replace("N_JOBS", str(n_processes))
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | threads,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    times = np.array([[seconds(*layout) for layout in LAYOUTS] for _ in range(rounds)])
    table = pd.DataFrame(LAYOUTS, columns=["processes", "threads each"])
    table["seconds"] = np.median(times, axis=0).round(1)
    # Ratios within a round, since the machine is not the same all day.
    table["speed"] = np.median(times[:, :1] / times, axis=0).round(2)
    write(
        "search_processes",
        table,
        f"python benchmarks/search_processes.py --rounds {rounds}",
        f"A grid of 8 fits on 1,000 x 23, {os.cpu_count()} cores. `speed`: against one "
        f"process of one thread, median of {rounds} rounds.",
    )


if __name__ == "__main__":
    main()
