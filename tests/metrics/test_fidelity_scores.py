"""A real table against a generated one."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from skvae.metrics import c2st_score, ks_score


@pytest.fixture
def tables():
    rng = np.random.RandomState(0)
    real = pd.DataFrame(
        {
            "normal": rng.normal(size=300),
            "skewed": np.where(
                rng.uniform(size=300) < 0.25, 0, rng.lognormal(size=300)
            ),
            "count": rng.poisson(3, size=300),
            "flag": rng.uniform(size=300) < 0.3,
        }
    )
    other = pd.DataFrame(
        {
            "normal": rng.normal(0.3, size=200),
            "skewed": rng.lognormal(size=200),
            "count": rng.poisson(2, size=200),
            "flag": rng.uniform(size=200) < 0.5,
        }
    )
    return real, other


def test_ks_equals_scipy(tables):
    real, other = tables
    result = ks_score(real, other)
    expected = [
        1 - ks_2samp(real[c].astype(float), other[c].astype(float)).statistic
        for c in real
    ]
    np.testing.assert_allclose(result.per_column, expected, rtol=1e-12)
    assert result.per_column.index.tolist() == list(real.columns)
    assert result.mean == pytest.approx(np.mean(expected))
    assert type(result.mean) is float


def test_ks_of_equal_and_of_disjoint_columns(tables):
    real, _ = tables
    assert ks_score(real, real.sample(frac=1, random_state=0)).mean == 1.0
    assert ks_score(np.arange(10), np.arange(10, 15)).mean == 0.0


def test_ks_drops_missing_cells(tables):
    real, other = tables
    expected = ks_score(real[["normal"]].iloc[10:], other[["normal"]])
    real.loc[:9, "normal"] = np.nan
    assert ks_score(real[["normal"]], other[["normal"]]).mean == expected.mean
    nullable = pd.DataFrame({"a": pd.array([1, 2, None, 3], dtype="Int64")})
    assert ks_score(nullable, pd.DataFrame({"a": [1, 2, 3]})).mean == 1.0


def test_ks_names_a_column_without_values():
    with pytest.raises(ValueError, match="'a' of other has missing cells only"):
        ks_score(pd.DataFrame({"a": [1.0]}), pd.DataFrame({"a": [np.nan]}))


def test_ks_rounds_to_14_decimals():
    assert ks_score([0.1 + 0.2], [0.3]).mean == 1.0
    assert ks_score([1e-13], [2e-13]).mean == 0.0


def test_ks_of_huge_and_infinite_values():
    assert ks_score([1e300, 2e300], [1e300, 3e300]).mean == 0.5
    assert ks_score([np.inf, 0.0], [np.inf, 0.0]).mean == 1.0


def test_ks_leaves_its_input_alone(tables):
    real, other = tables
    before = real.copy()
    array = real.to_numpy(dtype=float)
    array_before = array.copy()
    ks_score(real, other)
    ks_score(array, other.to_numpy(dtype=float))
    pd.testing.assert_frame_equal(real, before)
    np.testing.assert_array_equal(array, array_before)


def test_columns_are_matched_by_name(tables):
    real, other = tables
    expected = ks_score(real, other).per_column
    actual = ks_score(real, other[other.columns[::-1]]).per_column
    pd.testing.assert_series_equal(actual, expected)


def test_arrays_are_matched_by_position(tables):
    real, other = tables
    expected = ks_score(real, other).per_column
    for first, second in [(real, other.to_numpy()), (real.to_numpy(), other)]:
        result = ks_score(first, second)
        pd.testing.assert_series_equal(result.per_column, expected)
    result = ks_score(real.to_numpy(), other.to_numpy())
    assert result.per_column.index.tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(result.per_column, expected)


@pytest.mark.parametrize("score", [ks_score, c2st_score])
def test_columns_that_do_not_match(score, tables):
    real, other = tables
    with pytest.raises(ValueError, match=r"lacks \['flag'\] and has \['Flag'\]"):
        score(real, other.rename(columns={"flag": "Flag"}))
    with pytest.raises(ValueError, match=r"\(300, 4\) and other of shape \(200, 3\)"):
        score(real, other.to_numpy()[:, :3])
    with pytest.raises(ValueError, match=r"unique column names in other, got \['a'\]"):
        score(real, other.set_axis(["a", "a", "b", "c"], axis=1))
    with pytest.raises(ValueError, match=r"rows and columns in other, got \(0, 4\)"):
        score(real, other.iloc[:0])
    with pytest.raises(ValueError, match="shape"):
        score(np.zeros((2, 2, 2)), np.zeros((2, 2)))


def test_ks_names_columns_that_are_not_numeric(tables):
    real, other = tables
    real["name"], other["name"] = "a", "b"
    real["day"], other["day"] = pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-02")
    with pytest.raises(ValueError, match=r"numeric columns.*\['name', 'day'\]"):
        ks_score(real, other)
    with pytest.raises(ValueError, match=r"\[1\]"):
        ks_score(np.array([[1, "a"]], dtype=object), np.array([[1, "b"]], dtype=object))


def test_independent_columns_fool_ks_but_not_c2st():
    rng = np.random.RandomState(0)
    first = rng.normal(size=1000)
    real = np.column_stack([first, first + 0.1 * rng.normal(size=1000)])
    other = np.column_stack([rng.permutation(column) for column in real.T])
    assert ks_score(real, other).mean == 1.0
    assert c2st_score(real, other, random_state=0) < 0.2


def test_c2st_of_equal_distributions_and_of_disjoint_ones():
    rng = np.random.RandomState(0)
    first, second = rng.normal(size=(2, 1000, 3))
    assert c2st_score(first, second, random_state=0) > 0.9
    assert c2st_score(first, second + 100, random_state=0) == 0.0


def test_c2st_counts_repeated_rows_as_a_difference():
    real = np.random.RandomState(0).normal(size=(500, 3))
    assert 0 <= c2st_score(real, real, random_state=0) < 0.5


def test_c2st_falls_with_the_shift():
    rng = np.random.RandomState(0)
    real = rng.normal(size=(600, 2))
    scores = [
        c2st_score(real, rng.normal(shift, size=(600, 2)), random_state=0)
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


def test_c2st_takes_mixed_tables():
    assert c2st_score(mixed_table(0), mixed_table(1), random_state=0) > 0.85


@pytest.mark.parametrize("n_names", [2, 50, 10_000])
def test_c2st_does_not_number_categories_by_table(n_names):
    first, second = (mixed_table(s, n_names=n_names)[["name"]] for s in (0, 1))
    assert c2st_score(first, second, random_state=0) > 0.85


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
def test_c2st_sees_every_kind_of_column(change):
    other = mixed_table(1).assign(**change)
    assert c2st_score(mixed_table(0), other, random_state=0) < 0.7


def test_c2st_wants_columns_of_one_kind():
    other = mixed_table(1).assign(amount="1.0")
    with pytest.raises(ValueError, match=r"'amount' of one kind.*float64 in real"):
        c2st_score(mixed_table(0), other)


def test_c2st_max_rows_and_seed():
    rng = np.random.RandomState(0)
    real, other = rng.normal(size=(2, 500, 2))
    scores = {
        (max_rows, seed): c2st_score(real, other, max_rows=max_rows, random_state=seed)
        for max_rows in (100, 500, None)
        for seed in (0, 1)
    }
    assert scores[500, 0] == scores[None, 0]
    assert scores[100, 0] != scores[None, 0]
    assert scores[None, 0] != scores[None, 1]
    assert scores[100, 0] == c2st_score(real, other, max_rows=100, random_state=0)


def test_c2st_wants_a_row_for_each_fold():
    with pytest.raises(
        ValueError, match="n_splits=3 rows in each table, got 5 in real"
    ):
        c2st_score(np.zeros((5, 1)), np.zeros((2, 1)))
