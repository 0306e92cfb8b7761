"""Write a model file of this version of the format, for later versions to read.

Run it before the format changes, with the version that is to be kept. It writes
``version1.skvae`` and, beside it, what the model makes of a few rows:

    python tests/models/data/write_stored_file.py
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from skvae import CVAE, MSVAE, VAEAnomalyDetector
from skvae._core.model_file import VERSION

FOLDER = Path(__file__).parent
# Clients that training never saw, some of whose cells are missing.
CLIENTS = pd.DataFrame(
    {
        "amount": [0.0, 12.5, 250.0, np.nan],
        "age": pd.array([18, 44, None, 71], dtype="Int64"),
        "region": ["north", "south", "north", None],
        "grade": pd.Categorical(
            ["low", None, "high", "middle"], ["low", "middle", "high"], ordered=True
        ),
        "owner": [True, False, False, True],
        "since": pd.to_datetime(["2020-01-05", None, "2021-06-01", "2020-11-30"])
        .as_unit("s")
        .tz_localize("Europe/Berlin"),
    }
)


def training_clients(n_rows=60):
    """Return clients like these, without a random number in them."""
    wave = np.sin(np.arange(n_rows) ** 2)
    other = np.cos(3.0 * np.arange(n_rows))
    days = pd.to_timedelta((300 + 200 * other).round(), unit="D")
    grade = pd.Categorical.from_codes(
        np.digitize(wave, [-0.5, 0.5]), ["low", "middle", "high"], ordered=True
    )
    table = pd.DataFrame(
        {
            "amount": np.where(wave > 0.6, 0.0, np.exp(3 + wave).round(2)),
            "age": pd.array((45 + 20 * other).round(), dtype="Int64"),
            "region": np.where(wave + other > 0, "north", "south"),
            "grade": grade,
            "owner": other > 0,
            "since": (pd.Timestamp("2020-01-01").as_unit("s") + days)
            .as_unit("s")
            .tz_localize("Europe/Berlin"),
        }
    )
    for number, name in enumerate(["amount", "age", "grade", "since"]):
        table.loc[number :: 7 + number, name] = None
    return table


def main():
    settings = {"hidden_layer_sizes": (4,), "max_epochs": 12, "lr": 3e-2}
    first = CVAE(2, condition_columns=["region"], likelihood="gaussian", **settings)
    model = MSVAE(first, residual_dim=1, fusion="concat", **settings, random_state=0)
    detector = VAEAnomalyDetector(model).fit(training_clients())
    path = FOLDER / f"version{VERSION}.skvae"
    detector.save(path)
    path.with_suffix(".md").unlink()
    expected = {
        "transform": detector.model_.transform(CLIENTS).tolist(),
        "score_samples": detector.score_samples(CLIENTS).tolist(),
    }
    path.with_suffix(".json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
