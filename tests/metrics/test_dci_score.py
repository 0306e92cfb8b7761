"""DCI against its formulas in a plain loop, and on codes whose scores are known."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import entropy

from skvae.metrics import DCI, dci_scores
from skvae.metrics import _dci as module


def dci_by_loop(importances):
    """Disentanglement and completeness as the paper words them."""
    n_codes, n_factors = importances.shape
    disentanglement = 0.0
    for row in importances:
        if row.sum() > 0:
            share = row.sum() / importances.sum()
            disentanglement += share * (1 - entropy(row, base=n_factors))
    completeness = np.mean([1 - entropy(c, base=n_codes) for c in importances.T])
    return disentanglement, completeness


class StubForest:
    """Has the importances it is given, and always predicts 0."""

    def __init__(self, importances):
        self.feature_importances_ = importances

    def predict(self, codes):
        return np.zeros(len(codes), dtype=int)


def rotation_by(degrees):
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


@pytest.fixture
def factors():
    """Three continuous factors."""
    return np.random.RandomState(0).normal(size=(1000, 3))


@pytest.fixture
def codes(factors):
    """Four codes, each of which mixes the factors and adds noise."""
    rng = np.random.RandomState(1)
    return factors @ rng.normal(size=(3, 4)) + 0.2 * rng.normal(size=(1000, 4))


@pytest.mark.parametrize("seed", range(5))
def test_means_equal_plain_loop(factors, codes, seed, monkeypatch):
    importances = np.random.RandomState(seed).dirichlet([0.3] * 4, size=3).T
    importances[2] = 0  # a code that no forest uses
    importances /= importances.sum(axis=0)
    columns = iter(importances.T)
    monkeypatch.setattr(module, "_fit_forest", lambda *_: StubForest(next(columns)))
    score = dci_scores(factors, codes, random_state=0)
    np.testing.assert_allclose(score[:2], dci_by_loop(importances), atol=1e-12)


def test_identity_of_continuous_factors(factors):
    score = dci_scores(factors, factors, random_state=0)
    assert isinstance(score, DCI)
    assert all(type(number) is float for number in score)
    assert min(score) > 0.98


def test_rotation_costs_disentanglement_not_information():
    factors = np.random.RandomState(0).uniform(size=(2000, 2))
    straight = dci_scores(factors, factors, random_state=0)
    little, much = (
        dci_scores(factors, factors @ rotation_by(degrees), random_state=0)
        for degrees in (10, 45)
    )
    assert straight.disentanglement > little.disentanglement + 0.1
    # At 45 degrees both codes are as important to both factors.
    assert little.disentanglement > much.disentanglement + 0.3
    assert much.disentanglement == pytest.approx(0, abs=0.02)
    assert much.completeness == pytest.approx(0, abs=0.02)
    assert much.informativeness > 0.95


@pytest.mark.parametrize("discrete", [False, True])
def test_noise_is_not_informative(factors, discrete):
    if discrete:  # unequal levels: always naming the largest is right in 68 %
        factors = np.abs(factors) > 1
    noise = np.random.RandomState(5).normal(size=(1000, 6))
    assert max(dci_scores(factors, noise, random_state=0)) < 0.03


def test_factor_stored_twice_costs_completeness_only(factors):
    codes = np.column_stack([factors, -factors[:, 0]])
    score = dci_scores(factors, codes, random_state=0)
    assert score.disentanglement > 0.98
    # Two equal shares among four codes have half of the largest entropy.
    assert score.completeness == pytest.approx(5 / 6, abs=0.02)
    assert score.informativeness > 0.98


def test_two_factors_in_one_code_cost_disentanglement_only():
    levels = np.random.RandomState(0).randint(3, size=(1000, 3))
    codes = np.column_stack([3 * levels[:, 0] + levels[:, 1], levels[:, 2]])
    score = dci_scores(levels, codes, random_state=0)
    # The first code, which has two thirds of the importance, serves two factors of
    # three; the second serves one.
    expected = 1 - 2 / 3 * np.log(2) / np.log(3)
    assert score.disentanglement == pytest.approx(expected, abs=0.01)
    assert score.completeness == pytest.approx(1, abs=0.01)
    assert score.informativeness == pytest.approx(1, abs=0.01)


def test_constant_codes_change_nothing(factors, codes):
    expected = dci_scores(factors, codes, random_state=0)
    dead = np.full(1000, 0.1)
    extended = np.column_stack([dead, codes[:, :2], dead + 1, codes[:, 2:], 0 * dead])
    assert dci_scores(factors, extended, random_state=0) == expected
    assert dci_scores(factors, extended[:, [0, 3]], random_state=0) == (0, 0, 0)


def test_increasing_functions_of_codes_change_nothing(factors, codes):
    expected = dci_scores(factors, codes, random_state=0)
    rescaled = codes * [1e-12, 0.5, 3.0, 1e40]
    assert dci_scores(factors, rescaled, random_state=0) == expected
    assert dci_scores(factors, np.exp(codes), random_state=0) == expected


def test_order_and_signs_change_no_more_than_chance_does(factors, codes):
    expected = dci_scores(factors, codes, random_state=0)
    transformed = dci_scores(
        factors[:, [1, 2, 0]], codes[:, [2, 3, 1, 0]] * [1, -1, -1, 1], random_state=0
    )
    np.testing.assert_allclose(transformed, expected, atol=0.03)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_scale_of_continuous_factors_does_not_matter(factors, codes, scale):
    expected = dci_scores(factors, codes, random_state=0)
    actual = dci_scores(factors * scale, codes, random_state=0)
    np.testing.assert_allclose(actual, expected, rtol=1e-6)


def test_single_code_and_single_factor(factors):
    code = factors[:, [0]]
    score = dci_scores(factors[:, 0], code, random_state=0)
    assert score[:2] == (1, 1)
    assert score.informativeness > 0.98
    # One code cannot say which of the factors it is for, were it not for I.
    several = dci_scores(factors, code, random_state=0)
    assert several.disentanglement == pytest.approx(0)
    assert several.completeness == 1
    assert several.informativeness == pytest.approx(1 / 3, abs=0.01)
    assert dci_scores(factors[:, 0], factors, random_state=0).disentanglement == 1


def test_constant_factor_is_left_out(factors, codes):
    expected = dci_scores(factors, codes, random_state=0)
    once = np.arange(1000) == 500  # constant in one half, whichever that is
    extended = np.column_stack([np.zeros(1000), factors, once])
    assert dci_scores(extended, codes, random_state=0) == expected
    for constant in (np.zeros(1000), once):
        with pytest.raises(ValueError, match="at least two values both in"):
            dci_scores(constant, codes)
    with pytest.raises(ValueError, match="at least two values both in"):
        dci_scores([0, 1], [[0.0], [1.0]])


def test_kinds_of_factors():
    rng = np.random.RandomState(0)
    latent = rng.uniform(size=(2000, 6))
    factors = pd.DataFrame(
        {
            "real": latent[:, 0] ** 3,
            "whole": (70 * latent[:, 1]).astype(int),
            "name": np.array(["low", "middle", "high"])[(3 * latent[:, 2]).astype(int)],
            "flag": latent[:, 3] > 0.8,
            "day": pd.Timestamp("2020-01-01")
            + pd.to_timedelta((1000 * latent[:, 4]).astype(int), unit="D"),
            "kind": pd.Categorical((5 * latent[:, 5]).astype(int)),
        }
    )
    score = dci_scores(factors, latent, random_state=0)
    assert min(score) > 0.95
    # The code of the whole numbers is noisy: it names few of them, and misses none by
    # much, which a regression gives credit for.
    noisy = latent[:, 1] + rng.normal(scale=0.05, size=2000)
    informativeness = dci_scores(
        factors["whole"], noisy[:, None], random_state=0
    ).informativeness
    assert informativeness == pytest.approx(1 - 0.05**2 * 12, abs=0.02)


def test_informativeness_of_levels_is_accuracy_above_chance():
    rng = np.random.RandomState(0)
    level = rng.choice(3, p=[0.5, 0.3, 0.2], size=10_000)
    # Of each level, 40 % of the rows show another code, which says nothing of it.
    code = np.where(rng.uniform(size=10_000) < 0.4, 3, level)
    score = dci_scores(level, code[:, None], random_state=0)
    # Of these, half are guessed right.
    assert score.informativeness == pytest.approx((0.8 - 0.5) / (1 - 0.5), abs=0.02)


def test_many_levels():
    codes = np.random.RandomState(0).normal(size=(2000, 3))
    names = [f"row {i}" for i in range(2000)]
    assert dci_scores(names, codes, random_state=0).informativeness == 0
    # More levels than are kept apart, one of which holds half of the rows.
    number = np.where(np.arange(2000) % 2 == 0, 0, np.arange(2000) % 301)
    codes[:, 0] = number > 0
    names = [f"group {i}" for i in number]
    assert dci_scores(names, codes, random_state=0).completeness > 0.5


@pytest.mark.parametrize("n_rows", [24, 60, 200])
def test_few_rows(n_rows):
    levels = np.random.RandomState(0).randint(2, size=(n_rows, 2))
    np.testing.assert_allclose(dci_scores(levels, levels, random_state=0), 1)
    # Names that one or two rows bear cannot be learnt.
    names = [f"row {i // 2}" for i in range(n_rows)]
    codes = np.random.RandomState(0).normal(size=(n_rows, 2))
    assert dci_scores(names, codes, random_state=0).informativeness < 0.1
    assert dci_scores(codes, codes, random_state=0).informativeness > 0.6


def test_deterministic(factors, codes):
    first = dci_scores(factors, codes, random_state=3)
    assert dci_scores(factors, codes, random_state=3) == first
    assert dci_scores(factors, codes, random_state=np.random.RandomState(3)) == first
    assert dci_scores(pd.DataFrame(factors), codes.tolist(), random_state=3) == first
    assert dci_scores(factors, codes, random_state=4) != first


def test_max_rows(factors, codes):
    everything = dci_scores(factors, codes, random_state=0)
    assert dci_scores(factors, codes, max_rows=None, random_state=0) == everything
    assert dci_scores(factors, codes, max_rows=1000, random_state=0) == everything
    fewer = dci_scores(factors, codes, max_rows=200, random_state=0)
    # Rows that were not drawn have no part in it.
    drawn = np.random.RandomState(0).permutation(1000)[:200]
    others = np.ones(1000, dtype=bool)
    others[drawn] = False
    changed = codes.copy()
    changed[others] = -7
    assert dci_scores(factors, changed, max_rows=200, random_state=0) == fewer
    assert fewer != everything
    with pytest.raises(ValueError, match="max_rows"):
        dci_scores(factors, codes, max_rows=3)


def test_bad_input(factors, codes):
    with pytest.raises(ValueError, match="as many rows"):
        dci_scores(factors[:-1], codes)
    with pytest.raises(ValueError, match="codes contains NaN"):
        dci_scores(factors, np.where(codes > 1, np.nan, codes))
    with pytest.raises(ValueError, match="infinite"):
        dci_scores(np.where(factors > 1, np.inf, factors), codes)
    with pytest.raises(ValueError, match="Expected 2D array"):
        dci_scores(factors, codes[:, 0])
    with pytest.raises(ValueError, match="shape"):
        dci_scores(factors[None], codes)
