"""Which factors are taken by level, and where the others are cut."""

import numpy as np
import pandas as pd
import pytest

from skvae.metrics._discretise import equal_width_bins, factor_levels


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
