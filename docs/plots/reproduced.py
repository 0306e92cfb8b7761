"""Draw what ``benchmarks/reproduce`` measured against beta, one picture a function."""

import sys
from pathlib import Path

import pandas as pd

# A plot runs in its own folder.
BENCHMARKS = Path("../../benchmarks").resolve()
sys.path.insert(0, str(BENCHMARKS))
sys.path.insert(0, str(BENCHMARKS / "reproduce"))

import tables

from skvae.inspection import ScoreCurveDisplay

RUNS = pd.read_csv(BENCHMARKS / "results" / "reproduce" / "taiwan_runs.csv")


def against_beta(score, data, setting):
    """Draw a score of one setting against beta, a line for each size and rate."""
    runs = RUNS[(RUNS["data"] == data) & (RUNS["setting"] == setting)]
    # Learning rate 1e-3 and 20 latents have one beta each (table 5.2).
    runs = runs[(runs["lr"] < 1e-3) & (runs["latent_dim"] < 20)]
    results = tables.of_beta(runs, score)
    for params in results["params"]:
        params["latent_dim"] = int(params["latent_dim"])
    display = ScoreCurveDisplay.from_cv_results(
        results, score=score, x="beta", hue=("latent_dim", "lr")
    )
    # What stands in for folds are seeds.
    label = display.ax_.get_ylabel().replace("folds", "seeds")
    display.ax_.set_ylabel(label)
    return display


def ks_ours():
    against_beta("KS", "Taiwan", "ours")


def ks_thesis():
    against_beta("KS", "Taiwan", "thesis")


def mig_portfolio():
    against_beta("MIG factors", "portfolio", "ours")
