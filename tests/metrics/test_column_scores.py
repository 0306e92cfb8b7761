"""The columns of a generated table against the real ones, one by one."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from skvae.metrics import ks_score, missing_score, shape_score, tv_score


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
        for c in ["normal", "skewed", "count"]
    ]
    np.testing.assert_allclose(result.per_column, expected, rtol=1e-12)
    assert result.per_column.index.tolist() == ["normal", "skewed", "count"]
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


def test_ks_rounds_to_14_decimals():
    assert ks_score([0.1 + 0.2], [0.3]).mean == 1.0
    assert ks_score([1e-13], [2e-13]).mean == 0.0


def test_ks_of_huge_and_infinite_values():
    assert ks_score([1e300, 2e300], [1e300, 3e300]).mean == 0.5
    assert ks_score([np.inf, 0.0], [np.inf, 0.0]).mean == 1.0


def test_dates_and_durations_count_as_numbers():
    days = np.arange(8)
    real = pd.DataFrame(
        {"day": pd.Timestamp("2020-01-01") + pd.to_timedelta(days, "D")}
    )
    other = real + pd.Timedelta(days=2)
    other.loc[8] = pd.NaT
    assert ks_score(real, other).mean == ks_score(days, days + 2).mean == 0.75
    since = pd.Timestamp("2019-01-01")
    assert ks_score(real - since, other - since).mean == 0.75
    of_another_unit = other.astype("datetime64[ms]")
    assert ks_score(real, of_another_unit).mean == 0.75
    assert ks_score(real.astype(object), other.astype(object)).mean == 0.75
    in_utc = [table["day"].dt.tz_localize("UTC").to_frame() for table in (real, other)]
    assert ks_score(*in_utc).mean == 0.75
    months = [table["day"].dt.to_period("D").to_frame() for table in (real, other)]
    assert ks_score(*months).mean == 0.75


def test_tv_by_hand():
    real = pd.DataFrame({"a": ["x", "x", "y", None], "b": [True, True, False, False]})
    other = pd.DataFrame({"a": ["x", "z", "z", "y"], "b": [True, False, None, False]})
    result = tv_score(real, other)
    assert result.per_column["a"] == pytest.approx(1 - (5 / 12 + 1 / 12 + 1 / 2) / 2)
    assert result.per_column["b"] == pytest.approx(1 - 1 / 6)
    assert result.mean == pytest.approx(result.per_column.mean())


def test_tv_does_not_care_how_categories_are_stored():
    rng = np.random.RandomState(0)
    real, other = (pd.DataFrame({"a": rng.choice(list("aab"), size=50)}) for _ in "ab")
    expected = tv_score(real, other).mean
    with_more = pd.CategoricalDtype(["c", "b", "a"])
    for first, second in [
        (real.astype("category"), other),
        (real, other.astype("category")),
        (real.astype(with_more), other.astype("category")),
        (real.astype(object), other.astype("string")),
        (real.to_numpy(), other.to_numpy()),
    ]:
        assert tv_score(first, second).mean == expected


def test_integers_of_a_category_meet_plain_ones():
    real, other = pd.DataFrame({"a": [1, 1, 2]}), pd.DataFrame({"a": [1.0, 2.0, 2.0]})
    assert tv_score(real.astype("category"), other).mean == pytest.approx(2 / 3)
    assert tv_score(real, other, categorical_features=["a"]).mean == pytest.approx(
        2 / 3
    )


def test_shape_is_ks_of_numbers_and_tv_of_the_rest(tables):
    real, other = tables
    shape = shape_score(real, other)
    assert shape.per_column.index.tolist() == list(real.columns)
    parts = pd.concat([ks_score(real, other)[1], tv_score(real, other)[1]])
    pd.testing.assert_series_equal(shape.per_column, parts[real.columns])
    assert shape.mean == pytest.approx(parts.mean())


def test_of_two_values_ks_and_tv_are_the_same(tables):
    real, other = (table[["flag"]] for table in tables)
    as_numbers = ks_score(real.astype(float), other.astype(float)).mean
    assert tv_score(real, other).mean == pytest.approx(as_numbers)


def test_columns_named_as_categories(tables):
    real, other = tables
    tables = real, other.assign(count=(3 * other["count"]) % 7)
    expected = shape_score(*tables, categorical_features=["count"]).per_column
    of_categories = tv_score(*tables, categorical_features=["count"]).per_column
    assert expected["count"] == of_categories["count"]
    assert expected["count"] != shape_score(*tables).per_column["count"]
    for same in ([2], [False, False, True, False], np.array(["count", "flag"])):
        actual = shape_score(*tables, categorical_features=same).per_column
        pd.testing.assert_series_equal(actual, expected)
    for nothing in ([], "from_dtype"):
        actual = shape_score(*tables, categorical_features=nothing).per_column
        pd.testing.assert_series_equal(actual, shape_score(*tables).per_column)


def test_missing_compares_rates():
    real = pd.DataFrame({"a": [1, None, None, 4], "b": ["x", None, "y", "z"]})
    other = pd.DataFrame({"a": [1, 2], "b": [None, "x"]})
    result = missing_score(real, other)
    assert result.per_column.to_dict() == {"a": 0.5, "b": 0.75}
    assert result.mean == 0.625


@pytest.mark.parametrize("empty", [np.nan, None, pd.NaT])
def test_a_column_without_values(tables, empty):
    real, other = tables
    expected = shape_score(real, other).per_column
    lost = shape_score(real, other.assign(count=empty))
    assert lost.per_column["count"] == 0
    assert lost.mean == pytest.approx((expected.sum() - expected["count"]) / 4)
    neither = shape_score(real.assign(count=empty), other.assign(count=empty))
    assert np.isnan(neither.per_column["count"])
    assert neither.mean == pytest.approx(expected.drop("count").mean())


def test_no_column_of_the_kind_asked_for(tables):
    real, other = tables
    with pytest.raises(ValueError, match=r"categories, for tv_score; got none.*normal"):
        tv_score(real[["normal"]], other[["normal"]])
    with pytest.raises(ValueError, match=r"numbers or dates, for ks_score.*flag"):
        ks_score(real[["flag"]], other[["flag"]])
    with pytest.raises(ValueError, match="a column of values, for shape_score"):
        shape_score([[np.nan]], [[np.nan]])
