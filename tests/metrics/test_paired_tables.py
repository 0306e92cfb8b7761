"""How two tables are brought into line, the same for every metric of fidelity."""

import numpy as np
import pandas as pd
import pytest

from skvae.metrics import (
    detection_score,
    fidelity_report,
    fidelity_score,
    ks_score,
    missing_score,
    shape_score,
    trend_score,
    tv_score,
)

SCORES = [
    ks_score,
    tv_score,
    shape_score,
    missing_score,
    trend_score,
    detection_score,
    fidelity_score,
    fidelity_report,
]


@pytest.fixture
def tables():
    rng = np.random.RandomState(0)
    return [
        pd.DataFrame(
            {
                "normal": rng.normal(size=n_rows),
                "count": rng.poisson(3, size=n_rows),
                "name": rng.choice(["x", "y"], size=n_rows),
                "flag": rng.uniform(size=n_rows) < 0.3,
            }
        )
        for n_rows in (300, 200)
    ]


def test_columns_are_matched_by_name(tables):
    real, other = tables
    expected = shape_score(real, other).per_column
    actual = shape_score(real, other[other.columns[::-1]]).per_column
    pd.testing.assert_series_equal(actual, expected)


def test_arrays_are_matched_by_position(tables):
    real, other = tables
    expected = shape_score(real, other).per_column
    for first, second in [(real, other.to_numpy()), (real.to_numpy(), other)]:
        result = shape_score(first, second)
        pd.testing.assert_series_equal(result.per_column, expected)
    result = shape_score(real.to_numpy(), other.to_numpy())
    assert result.per_column.index.tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(result.per_column, expected)


@pytest.mark.parametrize(
    "score", [ks_score, tv_score, shape_score, missing_score, trend_score]
)
def test_the_order_of_rows_and_their_index_do_not_matter(score, tables):
    real, other = tables
    shuffled = [table.sample(frac=1, random_state=0) for table in tables]
    assert repr(score(*shuffled)) == repr(score(real, other))


@pytest.mark.parametrize("score", SCORES)
def test_input_is_left_alone(score, tables):
    before = [table.copy() for table in tables]
    score(*tables)
    for table, copy in zip(tables, before, strict=True):
        pd.testing.assert_frame_equal(table, copy)


@pytest.mark.parametrize("score", SCORES)
def test_columns_that_do_not_match(score, tables):
    real, other = tables
    name = "synthetic" if score is fidelity_report else "other"
    with pytest.raises(
        ValueError, match=rf"{name} lacks \['flag'\] and has \['Flag'\]"
    ):
        score(real, other.rename(columns={"flag": "Flag"}))
    with pytest.raises(ValueError, match=rf"\(300, 4\) and {name} of shape \(200, 3\)"):
        score(real, other.to_numpy()[:, :3])
    with pytest.raises(
        ValueError, match=rf"unique column names in {name}, got \['a'\]"
    ):
        score(real, other.set_axis(["a", "a", "b", "c"], axis=1))
    with pytest.raises(ValueError, match=rf"rows and columns in {name}, got \(0, 4\)"):
        score(real, other.iloc[:0])
    with pytest.raises(ValueError, match="shape"):
        score(np.zeros((2, 2, 2)), np.zeros((2, 2)))


@pytest.mark.parametrize("score", SCORES)
def test_columns_of_two_kinds(score, tables):
    real, other = tables
    with pytest.raises(ValueError, match=r"'normal' of one kind.*float64 in real and "):
        score(real, other.assign(normal="1.0"))
    with pytest.raises(ValueError, match="'count' of one kind"):
        score(real, other.assign(count=pd.Timestamp("2020-01-01")))


def test_a_column_that_is_missing_throughout_is_of_any_kind(tables):
    real, other = tables
    for empty in (np.nan, None, pd.NaT):
        for name in ("normal", "name"):
            scores = shape_score(real, other.assign(**{name: empty})).per_column
            assert scores[name] == 0
            assert scores.drop(name).min() > 0.5


@pytest.mark.parametrize("score", [s for s in SCORES if s is not missing_score])
def test_bad_categorical_features(score, tables):
    with pytest.raises(ValueError, match="'income' in categorical_features; expected"):
        score(*tables, categorical_features=["income"])
    with pytest.raises(ValueError, match="mask of 3 entries; expected one for each"):
        score(*tables, categorical_features=[True, False, True])
    with pytest.raises(ValueError, match=r"categorical_features.*must be"):
        score(*tables, categorical_features="count")
