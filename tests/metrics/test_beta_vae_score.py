"""The beta-VAE score against a plain loop over pairs, and at its edges."""

import numpy as np
import pandas as pd
import pytest

from skvae.metrics import beta_vae_score
from skvae.metrics._beta_vae import _draw_points
from skvae.metrics._groups import group_rows

FEW = {"n_points_train": 1000, "n_points_eval": 500}


@pytest.fixture
def factors():
    return np.random.RandomState(0).randint(4, size=(400, 3))


def points_by_loop(levels, codes, n_points, n_pairs, random_state):
    """Higgins et al.'s procedure, one pair after the other, on the same draws."""
    n_factors = levels.shape[1]
    fixed_factor = random_state.permutation(n_points) % n_factors
    uniforms = random_state.random_sample((3, n_points, n_pairs))
    points = np.zeros((n_points, codes.shape[1]))
    for point, k in enumerate(fixed_factor):
        for pair in range(n_pairs):
            for_value, for_first, for_second = uniforms[:, point, pair]
            value = np.quantile(levels[:, k], for_value, method="inverted_cdf")
            group = [i for i in range(len(levels)) if levels[i, k] == value]
            first = group.pop(int(for_first * len(group)))
            # The others, in the order in which they follow the first.
            others = sorted(group, key=lambda i, first=first: (i < first, i))
            second = others[int(for_second * len(others))]
            points[point] += np.abs(codes[first] - codes[second]) / n_pairs
    return points, fixed_factor


def test_points_equal_plain_loop():
    rng = np.random.RandomState(1)
    levels = rng.randint(3, size=(60, 2))
    codes = rng.normal(size=(60, 4))
    groups = group_rows(levels, np.array([3, 3]))
    fast = _draw_points(codes, groups, 50, 8, np.random.RandomState(2))
    slow = points_by_loop(levels, codes, 50, 8, np.random.RandomState(2))
    np.testing.assert_allclose(fast[0], slow[0], atol=1e-12)
    np.testing.assert_array_equal(fast[1], slow[1])


def test_large_draws_are_chunked_without_trace(monkeypatch, factors):
    groups = group_rows(factors, np.array([4, 4, 4]))
    codes = factors.astype(float)
    monkeypatch.setattr("skvae.metrics._beta_vae.NUMBERS_PER_CHUNK", 3 * 16 * 10)
    points, fixed_factor = _draw_points(codes, groups, 45, 16, np.random.RandomState(0))
    # The fixed factor, and it alone, makes no difference.
    np.testing.assert_array_equal((points == 0).argmax(axis=1), fixed_factor)
    np.testing.assert_array_equal((points == 0).sum(axis=1), 1)


def test_factors_are_fixed_equally_often(factors):
    groups = group_rows(factors, np.array([4, 4, 4]))
    _, fixed = _draw_points(factors * 1.0, groups, 300, 2, np.random.RandomState(0))
    np.testing.assert_array_equal(np.bincount(fixed), 100)


def test_a_row_is_never_paired_with_itself():
    # Two rows of each value: the two rows of a pair differ in every code.
    levels = np.repeat(np.arange(30), 2)[:, None]
    codes = np.tile([0.0, 1.0], 30)[:, None]
    groups = group_rows(levels, np.array([30]))
    points, _ = _draw_points(codes, groups, 40, 16, np.random.RandomState(0))
    np.testing.assert_array_equal(points, 1)


def test_codes_that_are_the_factors_score_one(factors):
    assert beta_vae_score(factors, factors, random_state=0) == 1.0
    assert beta_vae_score(factors, factors, adjusted=True, random_state=0) == 1.0


def test_noise_is_at_chance(factors):
    noise = np.random.RandomState(1).normal(size=(400, 5))
    score = beta_vae_score(factors, noise, random_state=0)
    assert score == pytest.approx(1 / 3, abs=0.04)
    adjusted = beta_vae_score(factors, noise, adjusted=True, random_state=0)
    assert adjusted == pytest.approx((score - 1 / 3) / (2 / 3))


def test_an_even_mixture_of_two_factors_confuses_them():
    # Either factor leaves the same mark on sum and difference: a coin decides.
    factors = np.indices((4, 4, 4)).reshape(3, -1).T.repeat(8, axis=0)
    turned = factors @ np.array([[1, 1, 0], [1, -1, 0], [0, 0, 1]])
    score = beta_vae_score(factors, turned, random_state=0)
    assert score == pytest.approx(2 / 3, abs=0.02)


def test_one_factor_may_be_missing_from_the_codes(factors):
    # It alone leaves no mark.
    assert beta_vae_score(factors, factors[:, :2], random_state=0, **FEW) == 1.0


def test_order_sign_scale_and_offset_do_not_matter(factors):
    rng = np.random.RandomState(3)
    codes = factors @ rng.normal(size=(3, 3)) + 3 * rng.normal(size=(400, 3))
    changed = codes[:, [2, 0, 1]] * [-1.0, 30.0, 0.5] + [0, 5, 100]
    score = beta_vae_score(factors, codes, random_state=0)
    assert 0.4 < score < 0.95
    assert beta_vae_score(factors, changed, random_state=0) == pytest.approx(
        score, abs=0.002
    )


def test_dead_codes_change_nothing(factors):
    codes = factors @ np.random.RandomState(3).normal(size=(3, 3))
    dead = np.random.RandomState(1).normal(scale=0.01, size=(400, 2))
    dead[:, 1] = 0.1
    extended = np.column_stack([codes, dead])
    assert beta_vae_score(factors, extended, random_state=0, **FEW) == beta_vae_score(
        factors, codes, random_state=0, **FEW
    )


@pytest.mark.parametrize("adjusted", [True, False])
def test_no_active_code_gives_zero(factors, adjusted):
    dead = np.random.RandomState(0).normal(scale=0.01, size=(400, 3))
    assert beta_vae_score(factors, dead, adjusted=adjusted) == 0.0
    assert beta_vae_score(factors, np.full((400, 3), 0.1), min_std=0) == 0.0


def test_single_factor(factors):
    noise = np.random.RandomState(0).normal(size=(400, 1))
    assert beta_vae_score(factors[:, 0], noise) == 1.0
    assert beta_vae_score(factors[:, 0], noise, adjusted=True) == 0.0


def test_continuous_and_named_factors():
    rng = np.random.RandomState(0)
    numbers = rng.normal(size=(2000, 2))
    names = rng.choice(["a", "b", "c"], size=2000)
    factors = pd.DataFrame(numbers).assign(name=names)
    codes = np.column_stack([numbers, names == "a", names == "b"])
    assert beta_vae_score(factors, codes, random_state=0, **FEW) == 1.0


def test_missing_values_of_a_factor_leave_its_rows_out(factors):
    # Where the first factor is unknown, its code is noise.
    hidden = np.arange(400) % 2 == 0
    table = pd.DataFrame(factors, columns=["a", "b", "c"])
    table["a"] = table["a"].mask(hidden)
    codes = factors.astype(float)
    codes[hidden, 0] = np.random.RandomState(0).normal(size=200)
    groups_still_its_code = beta_vae_score(table, codes[:, :1], random_state=0, **FEW)
    # The other two factors, which leave no mark on it, remain a matter of chance.
    assert groups_still_its_code == pytest.approx(2 / 3, abs=0.07)


def test_constant_factor_takes_no_part(factors):
    extended = np.column_stack([np.ones(400, int), factors])
    codes = factors @ np.random.RandomState(3).normal(size=(3, 3))
    assert beta_vae_score(extended, codes, random_state=0, **FEW) == beta_vae_score(
        factors, codes, random_state=0, **FEW
    )
    with pytest.raises(ValueError, match="nothing can be held fixed"):
        beta_vae_score(np.ones(400), codes)


def test_accuracy_is_measured_on_fresh_points(factors):
    # Two points teach two factors at most.
    score = beta_vae_score(factors, factors, n_points_train=2, random_state=0)
    assert score <= 0.7


def test_same_seed_same_score(factors):
    noise = np.random.RandomState(0).normal(size=(400, 3))
    first = beta_vae_score(factors, noise, random_state=7, **FEW)
    assert first == beta_vae_score(factors, noise, random_state=7, **FEW)
    assert first != beta_vae_score(factors, noise, random_state=8, **FEW)
    assert type(first) is float


def test_wrong_input(factors):
    with pytest.raises(ValueError, match=r"\(400, 3\) and codes of shape \(399, 3\)"):
        beta_vae_score(factors, factors[:399])
    with pytest.raises(ValueError, match="NaN"):
        beta_vae_score(factors, np.full((400, 3), np.nan))
    with pytest.raises(ValueError, match="n_points_train"):
        beta_vae_score(factors, factors, n_points_train=1)
