"""Chance that is found by shuffling, and what is left of a score above it."""

import numpy as np
import pytest

from skvae.metrics import (
    factor_entropies,
    mig_score,
    mig_sup_score,
    modularity_score,
    mutual_information_matrix,
)
from skvae.metrics._chance import N_SHUFFLES, above_chance, chance_by_shuffling

BY_SHUFFLES = [mig_score, mig_sup_score, modularity_score]


@pytest.fixture
def factors():
    return np.random.RandomState(0).randint(5, size=(200, 3))


@pytest.fixture
def noise():
    return np.random.RandomState(1).normal(size=(200, 12))


def test_above_chance_maps_chance_to_zero_and_one_to_one():
    assert above_chance(0.25, 0.25) == 0
    assert above_chance(1.0, 0.25) == 1
    assert above_chance(0.5, 0.25) == pytest.approx(1 / 3)
    assert above_chance(1.0, 1.0) == 0


def test_shuffles_keep_rows_together():
    rows = np.arange(20).reshape(10, 2)
    seen = []
    chance_by_shuffling(
        lambda levels: seen.append(levels) or 0.0, rows, np.random.RandomState(0)
    )
    assert len(seen) == N_SHUFFLES
    for levels in seen:
        np.testing.assert_array_equal(np.sort(levels, axis=0), rows)
        np.testing.assert_array_equal(levels[:, 1] - levels[:, 0], 1)
    assert len({levels[:, 0].tobytes() for levels in seen}) == N_SHUFFLES


@pytest.mark.parametrize("metric", BY_SHUFFLES)
def test_adjusted_equals_plain_loop(metric, factors):
    codes = factors + np.random.RandomState(1).normal(size=(200, 3))
    rng = np.random.RandomState(7)
    chance = np.mean(
        [metric(factors[rng.permutation(200)], codes) for _ in range(N_SHUFFLES)]
    )
    expected = (metric(factors, codes) - chance) / (1 - chance)
    actual = metric(factors, codes, adjusted=True, random_state=7)
    assert actual == pytest.approx(expected, abs=1e-12)
    assert type(actual) is float


@pytest.mark.parametrize(
    ("metric", "least", "tolerance"),
    [
        (mig_score, 0.008, 0.003),
        (mig_sup_score, 0.01, 0.003),
        (modularity_score, 0.25, 0.03),
    ],
)
def test_noise_on_few_rows_is_at_zero(metric, least, tolerance, factors):
    draws = np.random.RandomState(2).normal(size=(20, 200, 12))
    assert np.mean([metric(factors, noise) for noise in draws]) > least
    adjusted = [metric(factors, z, adjusted=True, random_state=0) for z in draws]
    assert np.mean(adjusted) == pytest.approx(0, abs=tolerance)


@pytest.mark.parametrize("metric", BY_SHUFFLES)
def test_adjusted_is_deterministic(metric, factors, noise):
    first = metric(factors, noise, adjusted=True, random_state=3)
    assert metric(factors, noise, adjusted=True, random_state=3) == first
    assert metric(factors, noise, adjusted=True, random_state=4) != first


@pytest.mark.parametrize("metric", BY_SHUFFLES)
def test_constant_codes_are_at_zero_adjusted_or_not(metric, factors):
    codes = np.full((200, 2), 0.1)
    assert metric(factors, codes) == 0
    assert metric(factors, codes, adjusted=True, random_state=0) == 0


def test_rows_with_missing_factors_are_shuffled_too(factors):
    # The codes know the factor in its first half alone, and this is missing.
    factor = np.where(np.arange(200) < 100, np.nan, factors[:, 0])
    codes = np.where(np.arange(200) < 100, factors[:, 0], 0.5)[:, None]
    assert np.ptp(codes[:100]) > 0
    assert mig_score(factor, codes) == 0
    adjusted = mig_score(factor, codes, adjusted=True, random_state=0)
    assert -0.1 < adjusted < 0


@pytest.mark.parametrize("n_rows", [200, 2000])
def test_chance_of_the_gap_falls_with_rows(n_rows):
    rng = np.random.RandomState(0)
    factors, codes = rng.randint(5, size=(n_rows, 2)), rng.normal(size=(n_rows, 4))
    # The bias of independent columns, which the docstring names, bounds the gap.
    occupied = np.mean([np.count_nonzero(np.histogram(z, 20)[0]) for z in codes.T])
    bias = (occupied - 1) * 4 / (2 * n_rows)
    information = mutual_information_matrix(factors, codes)
    assert information.mean() == pytest.approx(bias, rel=0.3)
    gap = mig_score(factors, codes)
    assert gap < bias / factor_entropies(factors).mean()
