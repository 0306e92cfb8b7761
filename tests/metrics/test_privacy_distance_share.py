"""Whether generated rows keep closer to training rows than to fresh ones."""

import numpy as np
import pandas as pd
import pytest

from skvae.metrics import privacy_distance_share


def rows(seed, n_rows=600):
    rng = np.random.RandomState(seed)
    amount = rng.lognormal(size=n_rows)
    return pd.DataFrame(
        {
            "amount": np.where(rng.uniform(size=n_rows) < 0.1, np.nan, amount),
            "balance": rng.normal(size=n_rows),
            "day": pd.Timestamp("2020-01-01")
            + pd.to_timedelta(rng.randint(1000, size=n_rows), unit="D"),
            "grade": rng.choice(["a", "b", None], size=n_rows),
            "flag": rng.uniform(size=n_rows) < 0.5,
        }
    )


def brute_force(real, other, holdout):
    """Distances cell by cell, for tables without missing cells."""
    spreads = {c: np.ptp(real[c].to_numpy()) for c in real.columns[:2]}

    def distance(one, two):
        numbers = sum(abs(one[c] - two[c]) / spreads[c] for c in spreads)
        return numbers + 2 * sum(one[c] != two[c] for c in real.columns[2:])

    def nearest(one, table):
        return min(distance(one, two) for two in table.to_dict("records"))

    votes = [
        np.sign(nearest(one, holdout) - nearest(one, real))
        for one in other.to_dict("records")
    ]
    return (1 + np.mean(votes)) / 2


def test_it_is_what_comparing_all_rows_gives():
    rng = np.random.RandomState(0)
    tables = [
        pd.DataFrame(
            {
                "amount": rng.normal(size=30),
                "count": rng.poisson(3, size=30),
                "grade": rng.choice(["a", "b", "c"], size=30),
                "flag": rng.uniform(size=30) < 0.5,
            }
        )
        for _ in range(3)
    ]
    assert privacy_distance_share(*tables) == pytest.approx(brute_force(*tables))


def test_fresh_rows_are_even_and_copies_are_not():
    real, fresh, holdout = rows(0), rows(1), rows(2)
    assert privacy_distance_share(real, fresh, holdout) == pytest.approx(0.5, abs=0.06)
    assert privacy_distance_share(real, real.sample(300), holdout) == 1.0
    assert privacy_distance_share(real, holdout, holdout) == 0.0
    mixed = pd.concat([fresh[:300], real[:300]])
    share = privacy_distance_share(real, mixed, holdout)
    assert share == pytest.approx(0.75, abs=0.04)


def test_the_larger_of_real_and_held_out_rows_is_cut():
    real, fresh, holdout = rows(0, 3000), rows(1), rows(2, 300)
    share = privacy_distance_share(real, fresh, holdout, random_state=0)
    assert share == pytest.approx(0.5, abs=0.06)
    share = privacy_distance_share(holdout, fresh, real, random_state=0)
    assert share == pytest.approx(0.5, abs=0.06)


def test_equal_distances_count_half():
    flags = pd.DataFrame({"flag": [True, False] * 50})
    assert privacy_distance_share(flags, flags, flags) == 0.5


def test_units_do_not_matter():
    real, fresh, holdout = rows(0), rows(1), rows(2)
    expected = privacy_distance_share(real, fresh, holdout, random_state=0)
    real, fresh, holdout = (
        table.assign(balance=table["balance"] * 1024)
        for table in (real, fresh, holdout)
    )
    assert privacy_distance_share(real, fresh, holdout, random_state=0) == expected


def test_codes_are_categories_where_they_are_named():
    rng = np.random.RandomState(0)
    real, other, holdout = (
        pd.DataFrame(rng.randint(5, size=(100, 3)), columns=list("abc")) for _ in "abc"
    )
    expected = privacy_distance_share(
        *(table.astype(str) for table in (real, other, holdout)), random_state=0
    )
    named = privacy_distance_share(
        real, other, holdout, categorical_features=list("abc"), random_state=0
    )
    assert named == expected


def test_constant_and_empty_columns_do_not_matter():
    real, fresh, holdout = (table[["balance", "flag"]] for table in map(rows, range(3)))
    expected = privacy_distance_share(real, fresh, holdout, random_state=0)
    for constant in (1.0, np.nan, None, "x"):
        wider = [table.assign(constant=constant) for table in (real, fresh, holdout)]
        assert privacy_distance_share(*wider, random_state=0) == expected


def test_max_rows_and_seed():
    tables = rows(0), rows(1), rows(2)
    all_rows = privacy_distance_share(*tables, max_rows=None, random_state=0)
    assert all_rows == privacy_distance_share(*tables, random_state=1)
    few = privacy_distance_share(*tables, max_rows=50, random_state=0)
    assert few == privacy_distance_share(*tables, max_rows=50, random_state=0)
    assert few != privacy_distance_share(*tables, max_rows=50, random_state=1)


def test_infinity_is_named():
    with pytest.raises(ValueError, match="Column 'balance' contains infinity"):
        privacy_distance_share(rows(0), rows(1).assign(balance=np.inf), rows(2))
