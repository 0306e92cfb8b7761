"""Tables for the tests of this folder, and the way through an encoder."""

import numpy as np
import pandas as pd
from sklearn.preprocessing import PowerTransformer, RobustScaler

from skvae.tables import TableEncoder

ENCODINGS = [
    "quantile",
    "standard",
    "minmax",
    None,
    PowerTransformer(),
    RobustScaler(),
]

N_ROWS = 120


def numeric_table():
    """Return columns of many dtypes, two of them constant."""
    rng = np.random.RandomState(0)
    return pd.DataFrame(
        {
            "amount": rng.lognormal(3, 1, size=60),
            "constant": 7,
            "age": rng.randint(18, 90, size=60),
            "small": rng.randint(-128, 128, size=60).astype(np.int8),
            "count": pd.array(rng.randint(0, 5, size=60), dtype="Int64"),
            "flag": rng.uniform(size=60) < 0.3,
            "single": rng.normal(size=60).astype(np.float32),
            "object": np.array([1, 2.5, 4] * 20, dtype=object),
            "always": True,
        },
        index=[f"row {number}" for number in range(60)],
    )


def mixed_table():
    """Return columns of every kind that has a part in the matrix, and a constant."""
    rng = np.random.RandomState(0)
    amounts = rng.exponential(100, size=N_ROWS).round(2)
    amounts[:40] = 0.0
    days = (
        np.datetime64("2020-02-27", "us") + rng.randint(0, 900, N_ROWS) * 86_400 * 10**6
    )
    return pd.DataFrame(
        {
            "region": rng.permutation(["N", "S", "E"] * 40),
            "score": rng.normal(size=N_ROWS),
            "amount": rng.permutation(amounts),
            "age": rng.randint(18, 90, size=N_ROWS),
            "grade": pd.Categorical(
                rng.permutation(["low", "high"] * 60),
                ["low", "mid", "high"],
                ordered=True,
            ),
            "member": rng.uniform(size=N_ROWS) < 0.3,
            "children": rng.randint(0, 4, size=N_ROWS).astype(np.int8),
            "since": days,
            "seen": pd.DatetimeIndex(days).tz_localize("Europe/Berlin"),
            "sex": pd.Categorical(rng.permutation([1, 2] * 60)),
            "bank": "B1",
        },
        index=[f"row {n}" for n in range(N_ROWS)],
    )


def holey_table():
    """Return the same in dtypes that can hold holes, a tenth of the cells missing."""
    rng = np.random.RandomState(1)
    nullable = {"age": "Int64", "member": "boolean", "children": "Int8"}
    table = mixed_table().astype(nullable).astype({"region": object})
    table["bank"] = table["bank"].astype(object)
    for name in table:
        is_missing = rng.uniform(size=N_ROWS) < 0.1
        table.loc[is_missing, name] = None if table[name].dtype == object else pd.NA
    return table


def there_and_back(table, encoding, **kwargs):
    """Return what becomes of a table on its way to a matrix and back."""
    encoder = TableEncoder(encoding, **kwargs).fit(table)
    index = table.index if isinstance(table, pd.DataFrame) else None
    return encoder.inverse_transform(encoder.transform(table), index)
