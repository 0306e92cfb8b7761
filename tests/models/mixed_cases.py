"""Mixed tables, as they come out of a data base: every kind of column, and holes."""

import numpy as np
import pandas as pd

CONDITIONS = ["region", "age"]
COMPLETE = ["age", "owner", "plan"]


def make_mixed(n_rows=160, seed=0, missing=0.15):
    """Return a table that one factor drives, its rows labelled, with holes."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=n_rows)

    def noisy(noise=0.4):
        return factor + noise * rng.normal(size=n_rows)

    grade = np.digitize(noisy(), [-0.6, 0.6])
    table = pd.DataFrame(
        {
            "amount": np.where(rng.uniform(size=n_rows) < 0.3, 0.0, np.exp(noisy())),
            "age": (40 + 9 * noisy()).round().astype(np.int64),
            "region": np.where(
                noisy() > 0, "north", rng.choice(["east", "west"], n_rows)
            ),
            "grade": pd.Categorical.from_codes(
                grade, ["low", "middle", "high"], ordered=True
            ),
            "owner": noisy() > 0,
            "since": pd.Timestamp("2020-01-01", tz="Europe/Berlin")
            + pd.to_timedelta((300 + 60 * noisy()).round(), unit="D"),
            "visits": pd.array(rng.poisson(np.exp(0.5 * factor)), dtype="Int64"),
            "plan": "basic",
            "rate": (0.02 * noisy()).astype(np.float32),
            "vip": pd.array(noisy() > 1, dtype="boolean"),
        },
        index=pd.Index([f"client{n}" for n in range(n_rows)], name="client"),
    )
    for name in table.columns.difference(COMPLETE):
        table.loc[rng.uniform(size=n_rows) < missing, name] = None
    return table


def assert_like(rows, table):
    """Say so where rows have other columns or dtypes, or levels of their own."""
    pd.testing.assert_index_equal(rows.columns, table.columns)
    pd.testing.assert_series_equal(rows.dtypes, table.dtypes)
    for name in ("region", "grade", "owner", "plan", "vip"):
        assert set(rows[name].dropna()) <= set(table[name].dropna()), name
