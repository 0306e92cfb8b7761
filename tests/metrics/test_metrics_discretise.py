"""Which factors are taken by level, and where the others are cut."""

import numpy as np
import pandas as pd
import pytest

from skvae.metrics._discretise import (
    equal_width_bins,
    factor_levels,
    is_continuous,
    pool_rare_levels,
    split_known_rows,
)


def n_levels_of(values, n_bins=20):
    levels, n_levels = factor_levels(pd.DataFrame({"factor": values}), n_bins)
    # Every level occurs, and they are numbered without gaps.
    assert set(levels[:, 0]) == set(range(n_levels[0]))
    return n_levels[0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.arange(1000) % 2 == 0, 2),
        (np.arange(1000) % 40, 40),  # integers by level, more than n_bins
        (np.arange(1000) % 40 + 0.0, 40),  # whole numbers stored as floats too
        (np.arange(1000) % 15 / 7, 15),  # few-valued floats
        (np.arange(1000) % 40 / 7, 20),  # continuous
        (np.arange(1000) * 10, 20),  # an amount in whole units
        ([f"name {i % 50}" for i in range(1000)], 50),  # strings always by level
        (pd.Categorical(np.arange(1000) % 3, categories=[0, 1, 2, 3]), 3),
        (pd.date_range("2020-01-01", periods=1000), 20),
        (pd.to_timedelta(np.arange(1000), unit="h"), 20),
        (pd.array(np.arange(1000) % 4, dtype="Int64"), 4),
        (np.zeros(1000), 1),
    ],
)
def test_rule(values, expected):
    assert n_levels_of(values) == expected


def test_quantile_bins_are_those_of_qcut():
    values = np.random.RandomState(0).lognormal(size=1000)
    values[:320] = 0  # zero-inflated: several quantiles share an edge
    levels, n_levels = factor_levels(pd.DataFrame({"factor": values}), 20)
    # Bins closed on the right, the smallest value in one by itself.
    edges = np.unique(np.quantile(values, np.linspace(0, 1, 21)))
    expected = np.digitize(values, edges[:-1], right=True)
    table = pd.crosstab(levels[:, 0], expected).to_numpy()
    assert n_levels[0] == 15
    np.testing.assert_array_equal((table > 0).sum(axis=0), 1)
    np.testing.assert_array_equal((table > 0).sum(axis=1), 1)
    assert len(np.unique(levels[values == 0])) == 1
    assert not set(levels[values == 0, 0]) & set(levels[values > 0, 0])

    values = np.random.RandomState(0).normal(size=1000)
    levels, _ = factor_levels(pd.DataFrame({"factor": values}), 20)
    table = pd.crosstab(levels[:, 0], pd.qcut(values, 20, labels=False)).to_numpy()
    np.testing.assert_array_equal(np.sort(table, axis=1)[:, -1], 50)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.arange(1000) % 4 + 0.0, 4),
        (np.arange(1000) % 40 / 7, 20),
        ([f"name {i % 50}" for i in range(1000)], 50),
        (pd.date_range("2020-01-01", periods=1000), 20),
        (pd.array(np.arange(1000) % 4, dtype="Int64"), 4),
        (pd.array(np.arange(1000) % 40 / 7, dtype="Float64"), 20),
    ],
)
def test_missing_cells_are_level_minus_one_and_change_no_other(values, expected):
    column = pd.Series(values)
    with_holes = pd.concat([column, column.head(300)], ignore_index=True)
    with_holes[1000:] = None
    levels, n_levels = factor_levels(with_holes.to_frame(), 20)
    assert n_levels[0] == expected
    known, _ = factor_levels(column.to_frame(), 20)
    np.testing.assert_array_equal(levels[:1000], known)
    np.testing.assert_array_equal(levels[1000:], -1)


def test_rows_per_value_are_counted_among_known_ones():
    values = np.append(np.arange(300.0) % 40, np.full(700, np.nan))
    levels, n_levels = factor_levels(pd.DataFrame({"factor": values}), 20)
    assert n_levels[0] == 20  # 1000 rows would be enough for 40 levels, 300 are not
    assert levels[:300].min() == 0


def test_infinite_continuous_factor_is_an_error():
    values = np.append(np.random.RandomState(0).normal(size=100), np.inf)
    with pytest.raises(ValueError, match="'factor' holds infinite"):
        n_levels_of(values)


def test_code_bins_are_those_of_numpy_histogram():
    codes = np.random.RandomState(0).normal(size=(500, 3))
    bins = equal_width_bins(codes, 20)
    for column, column_bins in zip(codes.T, bins.T, strict=True):
        counts, _ = np.histogram(column, 20)
        np.testing.assert_array_equal(np.bincount(column_bins, minlength=20), counts)
    # On the edges: closed on the left, the last bin on both sides.
    bins = equal_width_bins(np.arange(21.0)[:, None], 20)
    np.testing.assert_array_equal(bins[:, 0], [*range(20), 19])


def test_code_bins_of_constant_and_nearly_constant_columns():
    codes = np.ones((10, 2))
    codes[0, 1] = np.nextafter(1.0, 2.0)
    bins = equal_width_bins(codes, 20)
    assert len(np.unique(bins[:, 0])) == 1
    assert bins.min() >= 0
    assert bins.max() <= 19


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.arange(100) % 20, False),
        (np.arange(100) % 21, True),
        (pd.date_range("2020-01-01", periods=100), True),
        ([f"name {i}" for i in range(100)], False),
        (pd.Categorical(np.arange(100)), False),
    ],
)
def test_quantities_of_more_than_20_values_are_continuous(values, expected):
    assert is_continuous(pd.Series(values)) == expected


def test_levels_are_pooled_beyond_a_quarter_of_the_rows():
    levels = np.repeat([0, 1, 2, 3], [1, 5, 2, 4])
    expected = np.repeat([2, 0, 2, 1], [1, 5, 2, 4])  # by falling frequency
    np.testing.assert_array_equal(pool_rare_levels(levels, 12), expected)


def test_at_most_100_levels_and_at_least_two_are_told_apart():
    levels = np.arange(1000)
    assert len(np.unique(pool_rare_levels(levels, 1000))) == 100
    assert len(np.unique(pool_rare_levels(levels, 3))) == 2


def test_known_rows_are_split_two_to_one():
    levels = np.array([0, -1, 1, 0, 1, -1, 0, 1])
    learning, held_out = split_known_rows(levels, np.arange(8)[::-1], None)
    np.testing.assert_array_equal(learning, [7, 6, 4, 3])
    np.testing.assert_array_equal(held_out, [2, 0])
    learning, held_out = split_known_rows(levels, np.arange(8), 3)
    np.testing.assert_array_equal(learning, [0, 2])
    np.testing.assert_array_equal(held_out, [3])
