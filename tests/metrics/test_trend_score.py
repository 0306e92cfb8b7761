"""How columns go together in two tables."""

import numpy as np
import pandas as pd
import pytest

from skvae.metrics import trend_score


@pytest.fixture
def table():
    rng = np.random.RandomState(0)
    age = rng.uniform(20, 60, size=500)
    return pd.DataFrame(
        {
            "age": age,
            "tenure": age + rng.normal(scale=5, size=500),
            "noise": rng.normal(size=500),
            "senior": age > 45,
            "grade": np.where(age > 30, "high", "low"),
        }
    )


def test_a_table_against_itself(table):
    result = trend_score(table, table)
    assert result.mean == 1.0
    assert result.per_pair.index.tolist() == [
        ("age", "tenure"),
        ("age", "senior"),
        ("age", "grade"),
        ("tenure", "senior"),
        ("tenure", "grade"),
        ("senior", "grade"),
    ]


def test_correlations_by_hand(table):
    other = table.assign(tenure=-table["tenure"])
    r = np.corrcoef(table["age"], table["tenure"])[0, 1]
    assert trend_score(table, other).per_pair["age", "tenure"] == pytest.approx(1 - r)


def test_correlations_do_not_care_for_units(table):
    expected = trend_score(table, table.sample(100, random_state=0)).per_pair
    scaled = table.assign(age=table["age"] * 1000 + 5)
    actual = trend_score(scaled, scaled.sample(100, random_state=0)).per_pair
    pd.testing.assert_series_equal(actual, expected)


def test_shares_by_hand():
    real = pd.DataFrame({"a": list("xxyy"), "b": [True, True, False, False]})
    other = pd.DataFrame({"a": list("xxyy"), "b": [True, False, True, False]})
    assert trend_score(real, other).mean == 0.5
    assert trend_score(real, real.iloc[:3]).mean == pytest.approx(1 - 1 / 6)


def test_missing_categories_are_a_category():
    real = pd.DataFrame({"a": ["x", None, "x", None], "b": [True, False, True, False]})
    assert trend_score(real, real).mean == 1.0
    assert trend_score(real, real.fillna({"a": "x"})).mean == 0.5


def test_independent_columns_score_lower_but_not_zero(table):
    rng = np.random.RandomState(1)
    shuffled = table.apply(rng.permutation)
    assert 0.4 < trend_score(table, shuffled).mean < 0.75
    assert trend_score(table, table.sample(300, random_state=0)).mean > 0.9


def test_thresholds_say_which_pairs_count(table):
    n_pairs = [
        len(trend_score(table, table, min_correlation=r, min_association=v).per_pair)
        for r, v in [(0, 0), (0.5, 0.3), (0.5, 0.8), (1, 1)]
    ]
    assert n_pairs == [10, 6, 4, 0]


def test_no_related_pair_is_no_score(table):
    result = trend_score(table[["age", "noise"]], table[["tenure", "noise"]].to_numpy())
    assert np.isnan(result.mean)
    assert len(result.per_pair) == 0
    assert np.isnan(trend_score(table[["age"]], table[["age"]]).mean)


def test_a_column_lost_by_the_generator_is_no_advantage(table):
    faithful = trend_score(table, table)
    lost = trend_score(table, table.assign(age=1.0))
    assert lost.per_pair.index.tolist() == faithful.per_pair.index.tolist()
    r = np.corrcoef(table["age"], table["tenure"])[0, 1]
    assert lost.per_pair["age", "tenure"] == pytest.approx(1 - r / 2)
    assert lost.mean < faithful.mean


def test_many_levels_do_not_need_a_table_of_all_pairs():
    ids = np.arange(100_000).astype(str)
    table = pd.DataFrame({"a": ids, "b": ids[::-1]})
    assert trend_score(table, table).mean == pytest.approx(1.0)


def test_infinity_is_named(table):
    with pytest.raises(ValueError, match="Column 'age' of real contains infinity"):
        trend_score(table.assign(age=np.inf), table)
