"""Generated rows beside real ones: two tables, five seeds, CTGAN's TVAE beside us.

The protocol of arXiv 2603.23016: 90 % of the rows train, as many rows are drawn and
compared with the training rows; utility is the ROC AUC on the other 10 % of a gradient
boosting that saw generated rows only. Seed s makes the split and the model. Detection
is 1 - 2 |AUC - 0.5| of a gradient boosting over all rows, 1 where it cannot tell.
Privacy is the share of the generated rows that are nearer to a training row than to a
held-out one, of as many of both.

Beside them are two lines to read them by: each column of the training rows shuffled by
itself, which is what no model of any relation gets, and for a ceiling a half of the
training rows against the other.

Each drawn table is kept (``--tables FOLDER``), so that a script that was stopped goes
on where it was; the scores of each run are in ``results/generation_runs.csv``. What it
costs to fit is in ``generation_speed.py``.
TVAE needs ``pip install ctgan``, which is BUSL-1.1 and no part of skvae.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _common import RESULTS, write
from sklearn.model_selection import train_test_split

from skvae import BetaVAE, PosteriorCollapseWarning
from skvae.datasets import fetch_adult, fetch_taiwan_credit
from skvae.metrics import (
    detection_score,
    privacy_distance_share,
    shape_score,
    trend_score,
    utility_score,
)

RUNS = RESULTS / "generation_runs.csv"
SEEDS = range(5)
QUALITY = {
    "latent_dim": 20,
    "beta": 0.7,
    "hidden_layer_sizes": (256, 256, 256),
    "lr": 7e-3,
    "lr_schedule": "one_cycle",
    "max_epochs": 80,
    "batch_size": 512,
    "kl_warmup": 0,
    "early_stopping": False,
}
FAST = QUALITY | {"beta": 0.5, "lr": 5e-3, "max_epochs": 10, "batch_size": 256}


def taiwan():
    """Return the Taiwan table with its target, and the target's name."""
    credit = fetch_taiwan_credit()
    (target,) = credit.target_names
    return credit.frame.astype({target: "category"}), target


def adult():
    """Return the training part of Adult with its target, and the target's name.

    Missing cells are a level of their own, as everywhere in the literature.
    """
    people = fetch_adult()
    frame = pd.concat([people.data, people.target], axis=1)
    text = frame.select_dtypes("category").columns
    return frame.astype(dict.fromkeys(text, "str")).fillna("?"), people.target.name


DATA = {"taiwan": taiwan, "adult": adult}


def draw_skvae(settings):
    """Return what fits a model of ours and draws rows."""

    def draw(train, seed):
        model = BetaVAE(random_state=seed, **settings)
        start = time.perf_counter()
        model.fit(train)
        fitted = time.perf_counter()
        rows = model.sample(len(train), random_state=seed)
        return rows, fitted - start, time.perf_counter() - fitted, model.n_active_

    return draw


def draw_tvae(train, seed):
    """Fit CTGAN's TVAE with its defaults, and draw rows."""
    from ctgan import TVAE

    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002  what ctgan draws from
    discrete = list(train.select_dtypes(exclude="number").columns)
    start = time.perf_counter()
    model = TVAE()
    model.fit(train.reset_index(drop=True), discrete)
    fitted = time.perf_counter()
    rows = model.sample(len(train))
    return rows, fitted - start, time.perf_counter() - fitted, np.nan


def draw_independent(train, seed):
    """Shuffle each column by itself."""
    random_state = np.random.RandomState(seed)
    columns = {
        name: random_state.permutation(cells.to_numpy())
        for name, cells in train.items()
    }
    return pd.DataFrame(columns), 0.0, 0.0, np.nan


METHODS = {
    "skvae, quality": draw_skvae(QUALITY),
    "skvae, fast": draw_skvae(FAST),
    "TVAE": draw_tvae,
    "independent columns": draw_independent,
}


def scores_of(real, other, test, target):
    """Return every score of a generated table."""
    return {
        "shape": shape_score(real, other).mean,
        "trend": trend_score(real, other).mean,
        "detection": detection_score(real, other, max_rows=None, random_state=0),
        "utility": utility_score(other, test, target, random_state=0).synthetic,
        "privacy": privacy_distance_share(real, other, test, random_state=0),
    }


def run(name, method, seed, folder):
    """Return the scores and times of one method on one table under one seed."""
    frame, target = DATA[name]()
    train, test = train_test_split(frame, test_size=0.1, random_state=seed)
    if method == "real rows":
        train, other = train_test_split(train, test_size=0.5, random_state=seed)
        return scores_of(train, other, test, target)
    path = (
        folder / f"{name}_{method.replace(', ', '_').replace(' ', '_')}_{seed}.csv.gz"
    )
    facts = folder / "facts.csv"
    if path.exists():
        rows = pd.read_csv(path, dtype=object, keep_default_na=False)
        known = pd.read_csv(facts).set_index("file").loc[path.name].to_dict()
    else:
        rows, fit, sample, active = METHODS[method](train, seed)
        known = {"fit s": fit, "sample s": sample, "active": active}
        rows.to_csv(path, index=False)
        line = pd.DataFrame([{"file": path.name} | known])
        line.to_csv(facts, mode="a", header=not facts.exists(), index=False)
    rows = as_real(rows, train)
    return scores_of(train, rows, test, target) | known


def as_real(rows, real):
    """Return generated rows in the dtypes of the real ones."""
    rows = rows.copy()
    for name, dtype in real.dtypes.items():
        if isinstance(dtype, pd.CategoricalDtype):
            levels = {str(level): level for level in dtype.categories}
            rows[name] = rows[name].astype(str).map(levels).astype(dtype)
        elif pd.api.types.is_numeric_dtype(dtype):
            rows[name] = pd.to_numeric(rows[name]).round().astype(dtype)
        else:
            rows[name] = rows[name].astype(dtype)
    return rows[list(real.columns)]


def summary(runs):
    """Return means and standard deviations over seeds, a row a table and method."""
    names = ["shape", "trend", "detection", "utility", "privacy"]
    grouped = runs.groupby(["table", "method"], sort=False)[names]
    mean, spread = grouped.mean(), grouped.std()
    cells = {}
    for name in names:
        cells[name] = [
            f"{m:.4f} ({s:.4f})" for m, s in zip(mean[name], spread[name], strict=True)
        ]
    table = pd.DataFrame(cells, index=mean.index)
    table["active"] = runs.groupby(["table", "method"], sort=False)["active"].mean()
    return table.reset_index()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=list(DATA))
    parser.add_argument("--methods", nargs="+", default=[*METHODS, "real rows"])
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--tables", type=Path, default=Path("generated_tables"))
    arguments = parser.parse_args()
    arguments.tables.mkdir(exist_ok=True)
    warnings.simplefilter("ignore", PosteriorCollapseWarning)
    runs = pd.read_csv(RUNS) if RUNS.exists() else pd.DataFrame(columns=["table"])
    for seed in arguments.seeds:
        for name in arguments.data:
            for method in arguments.methods:
                key = {"table": name, "method": method, "seed": seed}
                if len(runs) and (runs[list(key)] == pd.Series(key)).all(axis=1).any():
                    continue
                line = key | run(name, method, seed, arguments.tables)
                runs = pd.concat([runs, pd.DataFrame([line])], ignore_index=True)
                runs.to_csv(RUNS, index=False)
                print(line, flush=True)
    write("generation", summary(runs), "python benchmarks/generation.py")


if __name__ == "__main__":
    main()
