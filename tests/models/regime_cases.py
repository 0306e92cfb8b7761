"""What the tests of two worlds share: their tables, and models fitted to both."""

import numpy as np
import pandas as pd
from sklearn.frozen import FrozenEstimator

from skvae import CVAE, DCVAE, MSVAE, BetaTCVAE

KINDS = ["BetaTCVAE", "MSVAE", "CVAE", "DCVAE", "MSVAE of CVAE"]
TWO_STAGES = ["MSVAE", "MSVAE of CVAE"]
OF_CONDITIONS = ["CVAE", "DCVAE"]
CONDITIONS = ["group", "age"]
SHIFT = 1.5
NUMBERS = ["a", "b", "d", "f"]


def make_world(shift=0.0, seed=0, n_rows=300):
    """Return columns of two factors, of which the first is moved, and of a rest.

    With the same seed, the rows are the same clients.
    """
    rng = np.random.default_rng(seed)
    group = rng.choice(["low", "middle", "high"], n_rows, p=[0.5, 0.3, 0.2])
    age = rng.uniform(20, 70, n_rows)
    factors = rng.normal(size=(n_rows, 2))
    factors[:, 0] += shift
    of_factors = [[1, 0.9, 0.8, 0, 0, 0], [0, 0, 0, 1, -0.9, 0.8]]
    of_rest = [[0.4, -0.4, 0.1, 0.4, 0.3, -0.2], [-0.3, 0.1, 0.4, 0.2, -0.4, 0.4]]
    values = factors @ of_factors + rng.normal(size=(n_rows, 2)) @ of_rest
    values += 0.1 * rng.normal(size=values.shape)
    values[:, 3] += pd.Series(group).map({"low": -1, "middle": 0, "high": 1})
    values[:, 5] += (age - 45) / 20
    return pd.DataFrame(
        {
            "a": values[:, 0],
            "b": values[:, 1].astype(np.float32),
            "count": (20 + 5 * values[:, 2]).round().astype(np.int64),
            "group": group,
            "d": values[:, 3],
            "owner": values[:, 4] > 0,
            "f": values[:, 5],
            "age": age,
        },
        index=pd.Index([f"client{n}" for n in range(n_rows)], name="client"),
    )


def as_numbers(table):
    """Return an array of the same cells, groups by number."""
    numbers = {"low": 0, "middle": 1, "high": 2}
    if "group" in table:
        table = table.assign(group=table["group"].map(numbers))
    return table.to_numpy(dtype=float)


class Case:
    """A fitted model, with tables of two worlds in the container that it saw."""

    def __init__(self, kind, as_array, first=None):
        self.kind = kind
        tables = (
            make_world(),
            make_world(SHIFT, seed=1),
            make_world(SHIFT),  # the clients of the first, in the other world
        )
        conditions = CONDITIONS
        if kind in ("BetaTCVAE", "MSVAE"):
            tables = [table.drop(columns=CONDITIONS) for table in tables]
            conditions = None
        if as_array:
            tables = [as_numbers(table) for table in tables]
            conditions = None if conditions is None else [3, 7]
        self.here, self.there, self.truth = tables
        join = np.concatenate if as_array else pd.concat
        self.model = self.unfitted(conditions, first).fit(join(tables[:2]))

    def unfitted(self, conditions, first):
        settings = {"hidden_layer_sizes": (16,), "batch_size": 64}
        settings |= {"max_epochs": 40, "lr": 2e-2, "device": "cpu", "random_state": 0}
        if first is not None:
            return MSVAE(FrozenEstimator(first), residual_dim=3, **settings)
        settings |= {"latent_dim": 2, "encoding": "standard"}
        if conditions is None:
            return BetaTCVAE(beta=1.5, **settings)
        if self.kind == "DCVAE":
            return DCVAE(beta=1.5, condition_columns=conditions, **settings)
        return CVAE(condition_columns=conditions, **settings)

    def counterfactual(self, X=None, environment=None, **settings):
        X = self.here if X is None else X
        environment = self.there if environment is None else environment
        return self.model.counterfactual(X, environment, **settings)

    def error(self, table):
        """Return how far a table is from the truth, in the encoded matrix."""
        encode = self.model.table_encoder_.transform
        return np.mean((encode(table) - encode(self.truth)) ** 2)

    @property
    def moving(self):
        """The name of the factor that differs most between the worlds."""
        return self.model.latent_shift(self.here, self.there).shifts.index[0]


def case_of(cases, kind, as_array=False):
    if (kind, as_array) not in cases:
        first = None
        if kind in TWO_STAGES:
            kind_of_first = "BetaTCVAE" if kind == "MSVAE" else "CVAE"
            first = case_of(cases, kind_of_first, as_array).model
        cases[kind, as_array] = Case(kind, as_array, first)
    return cases[kind, as_array]


def assert_same(one, other):
    """Say so where two tables are not the same to the bit."""
    assert type(one) is type(other)
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    else:
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
