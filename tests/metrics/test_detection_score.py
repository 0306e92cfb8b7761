"""Whether a classifier can tell generated rows from real ones."""

import numpy as np
import pandas as pd
import pytest

from skvae.metrics import detection_score, ks_score


def test_independent_columns_fool_ks_but_not_detection():
    rng = np.random.RandomState(0)
    first = rng.normal(size=1000)
    real = np.column_stack([first, first + 0.1 * rng.normal(size=1000)])
    other = np.column_stack([rng.permutation(column) for column in real.T])
    assert ks_score(real, other).mean == 1.0
    assert detection_score(real, other, random_state=0) < 0.2


def test_detection_of_equal_distributions_and_of_disjoint_ones():
    rng = np.random.RandomState(0)
    first, second = rng.normal(size=(2, 1000, 3))
    assert detection_score(first, second, random_state=0) > 0.9
    assert detection_score(first, second + 100, random_state=0) == 0.0


def test_detection_counts_repeated_rows_as_a_difference():
    real = np.random.RandomState(0).normal(size=(500, 3))
    assert 0 <= detection_score(real, real, random_state=0) < 0.5


def test_detection_falls_with_the_shift():
    rng = np.random.RandomState(0)
    real = rng.normal(size=(600, 2))
    scores = [
        detection_score(real, rng.normal(shift, size=(600, 2)), random_state=0)
        for shift in [0, 0.5, 1, 3]
    ]
    assert (np.diff(scores) < 0).all()


def mixed_table(seed, n_rows=400, days=300, n_names=300):
    rng = np.random.RandomState(seed)
    day = pd.Timestamp("2020-01-01") + pd.to_timedelta(
        rng.randint(days, size=n_rows), unit="D"
    )
    amount = np.where(rng.uniform(size=n_rows) < 0.1, np.nan, rng.normal(size=n_rows))
    return pd.DataFrame(
        {
            "amount": amount,
            "kind": pd.Categorical(rng.choice(["a", "b", "c"], size=n_rows)),
            "name": [f"name {i}" for i in rng.randint(n_names, size=n_rows)],
            "flag": rng.uniform(size=n_rows) < 0.5,
            "day": pd.Series(day).where(rng.uniform(size=n_rows) < 0.9),
        }
    )


def test_detection_takes_mixed_tables():
    assert detection_score(mixed_table(0), mixed_table(1), random_state=0) > 0.85


@pytest.mark.parametrize("n_names", [2, 50, 10_000])
def test_detection_does_not_number_categories_by_table(n_names):
    first, second = (mixed_table(s, n_names=n_names)[["name"]] for s in (0, 1))
    assert detection_score(first, second, random_state=0) > 0.85


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "d"},  # a level that the real table never has
        {"amount": 0.0},
        {"day": pd.Timestamp("2030-01-01")},
        {"flag": True},
        {"name": None},  # missing cells only
    ],
)
def test_detection_sees_every_kind_of_column(change):
    other = mixed_table(1).assign(**change)
    assert detection_score(mixed_table(0), other, random_state=0) < 0.7


def test_detection_wants_columns_of_one_kind():
    other = mixed_table(1).assign(amount="1.0")
    with pytest.raises(ValueError, match=r"'amount' of one kind.*float64 in real"):
        detection_score(mixed_table(0), other)


def test_detection_max_rows_and_seed():
    rng = np.random.RandomState(0)
    real, other = rng.normal(size=(2, 500, 2))
    scores = {
        (max_rows, seed): detection_score(
            real, other, max_rows=max_rows, random_state=seed
        )
        for max_rows in (100, 500, None)
        for seed in (0, 1)
    }
    assert scores[500, 0] == scores[None, 0]
    assert scores[100, 0] != scores[None, 0]
    assert scores[None, 0] != scores[None, 1]
    assert scores[100, 0] == detection_score(real, other, max_rows=100, random_state=0)


def test_detection_wants_a_row_for_each_fold():
    with pytest.raises(
        ValueError, match="n_splits=3 rows in each table, got 5 in real"
    ):
        detection_score(np.zeros((5, 1)), np.zeros((2, 1)))


def test_detection_takes_codes_as_categories_where_it_is_told():
    rng = np.random.RandomState(0)
    codes = rng.permutation(40)
    real = pd.DataFrame({"code": codes[rng.randint(0, 20, size=2000)]})
    other = pd.DataFrame({"code": codes[rng.randint(18, 40, size=2000)]})
    named = detection_score(real, other, categorical_features=["code"], random_state=0)
    as_category = detection_score(
        real.astype("category"), other.astype("category"), random_state=0
    )
    assert named == as_category < 0.2
