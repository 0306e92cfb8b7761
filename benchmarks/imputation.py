"""Missing cells of the Taiwan table, filled by us and by scikit-learn's imputers.

The table and the masks are those of HI-VAE (Nazabal et al. 2020): 10, 20 and 50 % of
the cells, missing completely at random. Errors are theirs (section 4.2): of numbers the
root mean squared error over the range of the column; of nominal cells the share that is
wrong; of ordinal ones the mean absolute error over the range of the levels. All are
means over columns. Nobody sees the cells that are masked.

scikit-learn's imputers have their defaults; they get nominal columns one-hot, all
columns standardised, and the level of the largest value is theirs.

The files are those of https://github.com/probabilistic-learning/HI-VAE
(``defaultCredit``), in a folder ``hivae`` of ``SKVAE_DATA_HOME``.
"""

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from _common import RESULTS, write
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer

from skvae import VAE

SHARES = (10, 20, 50)
SEEDS = range(3)
SETTINGS = {
    "latent_dim": 20,
    "hidden_layer_sizes": (256, 256, 256),
    "lr": 7e-3,
    "lr_schedule": "one_cycle",
    "max_epochs": 80,
    "batch_size": 512,
    "kl_warmup": 0,
    "early_stopping": False,
}
_ROWS = 2_000


def folder():
    path = Path(os.environ.get("SKVAE_DATA_HOME", "")) / "hivae" / "defaultCredit"
    if not path.exists():
        raise SystemExit(f"No HI-VAE files in {path}.")
    return path


def load():
    """Return the table and the kind of each column."""
    types = pd.read_csv(folder() / "data_types.csv.gz")["type"].tolist()
    table = pd.read_csv(folder() / "data.csv.gz", header=None)
    table.columns = [f"column {number}" for number in range(table.shape[1])]
    return table, types


def mask_of(share, shape):
    cells = pd.read_csv(folder() / f"Missing{share}_1.csv.gz", header=None).to_numpy()
    mask = np.zeros(shape, dtype=bool)
    mask[cells[:, 0] - 1, cells[:, 1] - 1] = True
    return mask


def errors(filled, table, mask, types):
    """Return the three errors."""
    found = {"numeric": [], "nominal": [], "ordinal": []}
    for number, kind in enumerate(types):
        hole = mask[:, number]
        true = table.iloc[:, number].to_numpy(dtype=float)
        guess = np.asarray(filled.iloc[:, number], dtype=float)[hole]
        width = true.max() - true.min()
        if kind == "cat":
            found["nominal"].append((guess != true[hole]).mean())
        elif kind == "ordinal":
            found["ordinal"].append(np.abs(guess - true[hole]).mean() / width)
        else:
            miss = np.sqrt(((guess - true[hole]) ** 2).mean())
            found["numeric"].append(miss / width)
    return {name: float(np.mean(values)) for name, values in found.items()}


def fill_by_skvae(holey, types, seed):
    coded = [n for n, k in zip(holey, types, strict=True) if k in ("cat", "ordinal")]
    holey = holey.astype(dict.fromkeys(coded, "category"))
    return VAE(random_state=seed, **SETTINGS).fit(holey).impute(holey)


def fill_by_columns(holey, types, seed):
    filled = holey.copy()
    for name, kind in zip(holey, types, strict=True):
        usual = holey[name].mode()[0] if kind == "cat" else holey[name].mean()
        filled[name] = holey[name].fillna(usual)
    return filled


def fill_by_sklearn(make):
    """Return what fills holes with an imputer of scikit-learn."""

    def fill(holey, types, seed):
        parts = []
        for name, kind in zip(holey, types, strict=True):
            cells = holey[name]
            if kind == "cat":
                part = pd.get_dummies(cells, dtype=float)
                parts.append(part.mask(cells.isna(), np.nan))
            else:
                parts.append(cells.to_frame())
        wide = pd.concat(parts, axis=1).to_numpy(dtype=float)
        centre, spread = np.nanmean(wide, axis=0), np.nanstd(wide, axis=0)
        imputer = make(seed).fit((wide - centre) / spread)
        chunks = [
            imputer.transform((wide[start : start + _ROWS] - centre) / spread)
            for start in range(0, len(wide), _ROWS)
        ]
        values = np.concatenate(chunks) * spread + centre
        filled, start = holey.copy(), 0
        for name, kind, part in zip(holey, types, parts, strict=True):
            own = values[:, start : start + part.shape[1]]
            start += part.shape[1]
            if kind == "cat":
                guess = np.array(part.columns)[own.argmax(axis=1)]
            else:
                guess = np.rint(own[:, 0]) if kind == "ordinal" else own[:, 0]
            filled[name] = holey[name].where(holey[name].notna(), guess)
        return filled

    return fill


METHODS = {
    "skvae": (fill_by_skvae, SEEDS),
    "IterativeImputer": (
        fill_by_sklearn(lambda seed: IterativeImputer(random_state=seed)),
        range(1),
    ),
    "KNNImputer": (fill_by_sklearn(lambda seed: KNNImputer()), range(1)),
    "mean, mode": (fill_by_columns, range(1)),
}


def main():
    table, types = load()
    path = RESULTS / "imputation_runs.csv"
    runs = pd.read_csv(path).to_dict("records") if path.exists() else []
    done = {(run["missing"], run["method"], run["seed"]) for run in runs}
    for share in SHARES:
        mask = mask_of(share, table.shape)
        holey = table.mask(mask)
        for method, (fill, seeds) in METHODS.items():
            for seed in seeds:
                if (share, method, seed) in done:
                    continue
                start = time.perf_counter()
                filled = fill(holey, types, seed)
                seconds = time.perf_counter() - start
                run = {"missing": share, "method": method, "seed": seed}
                run |= errors(filled, table, mask, types) | {"seconds": seconds}
                runs.append(run)
                pd.DataFrame(runs).to_csv(path, index=False)
                print(run, flush=True)
    grouped = pd.DataFrame(runs).drop(columns="seed").groupby(["missing", "method"])
    mean, spread = grouped.mean(), grouped.std()
    names = ["numeric", "nominal", "ordinal"]
    cells = mean[names].map("{:.4f}".format)
    sd = spread[names].map(lambda s: "" if np.isnan(s) else f" ({s:.4f})")
    result = (cells + sd).assign(seconds=mean["seconds"].round(0))
    write("imputation", result.reset_index(), "python benchmarks/imputation.py")


if __name__ == "__main__":
    main()
