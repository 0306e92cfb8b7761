"""The FactorVAE score against plain loops, and at its edges."""

import numpy as np
import pandas as pd
import pytest

from skvae.metrics import factor_vae_score
from skvae.metrics._factor_vae import _count_votes
from skvae.metrics._groups import group_rows


@pytest.fixture
def factors():
    return np.random.RandomState(0).randint(4, size=(400, 3))


def votes_by_loop(levels, codes, n_votes, n_rows_per_vote, random_state):
    """Kim & Mnih's procedure, one vote after the other, on the same draws."""
    n_factors = levels.shape[1]
    global_variance = [np.var(code, ddof=1) for code in codes.T]
    positions = random_state.uniform(0, n_factors, size=n_votes)
    uniforms = random_state.random_sample((n_votes, n_rows_per_vote))
    votes = np.zeros((codes.shape[1], n_factors), dtype=int)
    for position, uniform in zip(positions, uniforms, strict=True):
        k = int(position)
        # The value of a row drawn at random among the sorted rows.
        value = np.quantile(levels[:, k], position - k, method="inverted_cdf")
        group = [i for i in range(len(levels)) if levels[i, k] == value]
        batch = [codes[group[int(u * len(group))]] for u in uniform]
        local_variance = np.var(batch, axis=0, ddof=1)
        votes[np.argmin(local_variance / global_variance), k] += 1
    return votes


def test_votes_equal_plain_loop(factors):
    rng = np.random.RandomState(1)
    codes = factors @ rng.normal(size=(3, 4)) + rng.normal(size=(400, 4))
    standardised = (codes - codes.mean(axis=0)) / codes.std(axis=0, ddof=1)
    groups = group_rows(factors, np.array([4, 4, 4]))
    fast = _count_votes(standardised, groups, 3000, 16, np.random.RandomState(2))
    slow = votes_by_loop(factors, codes, 3000, 16, np.random.RandomState(2))
    np.testing.assert_array_equal(fast, slow)
    assert (slow.max(axis=1) < slow.sum(axis=1)).all()  # the votes are not trivial


def test_accuracy_is_measured_on_fresh_votes(factors):
    # One training vote teaches the classifier one code at most, so that all other
    # codes are taken for factor 0.
    score = factor_vae_score(
        factors, factors, n_votes_train=1, n_votes_eval=5000, random_state=0
    )
    assert score < 0.8


def test_values_are_drawn_as_often_as_they_occur():
    # With value 0 the first code is still, with value 1, which is rare, the second.
    # The other factor never stills a code. Drawing values uniformly would give 0.5
    # of the votes to the second code.
    rng = np.random.RandomState(0)
    factor = np.repeat([0, 1], [900, 100])
    codes = rng.normal(size=(1000, 2))
    codes[:900, 0] *= 0.01
    codes[900:, 1] *= 0.01
    groups = group_rows(factor[:, None], np.array([2]))
    votes = _count_votes(codes, groups, 5000, 64, rng)
    assert votes[1, 0] / votes.sum() == pytest.approx(0.1, abs=0.02)


def test_values_of_one_row_are_left_out():
    rng = np.random.RandomState(0)
    levels = np.r_[np.zeros(50, int), np.arange(1, 51)][:, None]
    groups = group_rows(levels, np.array([51]))
    np.testing.assert_array_equal(groups.size, [50])
    codes = rng.normal(size=(100, 2))
    codes[:50, 1] *= 0.01
    votes = _count_votes(codes, groups, 100, 8, rng)
    np.testing.assert_array_equal(votes, [[0], [100]])


def test_constant_factor_takes_no_part(factors):
    extended = np.column_stack([np.ones(400, int), factors, np.zeros(400)])
    options = {"random_state": 0, "n_votes_train": 500, "n_votes_eval": 500}
    rng = np.random.RandomState(3)
    codes = factors @ rng.normal(size=(3, 3))
    assert factor_vae_score(extended, codes, **options) == factor_vae_score(
        factors, codes, **options
    )


def test_unique_identifier_takes_no_part(factors):
    table = pd.DataFrame(factors).assign(name=[f"row {i}" for i in range(400)])
    assert factor_vae_score(table, factors, random_state=0) == 1.0


@pytest.mark.parametrize("factor", [np.ones(10), [f"row {i}" for i in range(10)]])
def test_nothing_to_hold_fixed(factor):
    codes = np.random.RandomState(0).normal(size=(10, 2))
    with pytest.raises(ValueError, match="nothing can be held fixed"):
        factor_vae_score(factor, codes)


@pytest.mark.parametrize("adjusted", [True, False])
def test_no_active_code_gives_zero(factors, adjusted):
    dead = np.random.RandomState(0).normal(scale=0.01, size=(400, 3))
    assert factor_vae_score(factors, dead, adjusted=adjusted) == 0.0
    assert factor_vae_score(factors, np.full((400, 3), 0.1), min_std=0) == 0.0


def test_single_factor_and_single_code(factors):
    noise = np.random.RandomState(0).normal(size=(400, 1))
    assert factor_vae_score(factors[:, 0], noise, random_state=0) == 1.0
    assert factor_vae_score(factors[:, 0], noise, adjusted=True) == 0.0
    # One code votes the same whatever is fixed.
    score = factor_vae_score(factors, noise, random_state=0)
    assert score == pytest.approx(1 / 3, abs=0.03)


def test_adjusted_is_linear_in_the_score(factors):
    codes = factors @ np.random.RandomState(3).normal(size=(3, 3))
    score = factor_vae_score(factors, codes, random_state=0)
    adjusted = factor_vae_score(factors, codes, adjusted=True, random_state=0)
    assert 0.4 < score < 1
    assert adjusted == pytest.approx((score - 1 / 3) / (2 / 3))


def test_continuous_factors_are_binned():
    factors = np.random.RandomState(0).uniform(size=(2000, 3))
    assert factor_vae_score(factors, factors, random_state=0) == 1.0


def test_constant_far_from_zero_does_not_win(factors):
    # The two-pass variance keeps its digits where the mean is huge.
    codes = factors + 1e8
    assert factor_vae_score(factors, codes, random_state=0) == 1.0


def test_same_seed_same_score_and_global_seed_untouched(factors):
    codes = np.random.RandomState(0).normal(size=(400, 3))
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = factor_vae_score(factors, codes, random_state=7)
    assert first == factor_vae_score(factors, codes, random_state=7)
    assert first != factor_vae_score(factors, codes, random_state=8)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_result_is_a_python_float(factors):
    assert type(factor_vae_score(factors, factors, random_state=0)) is float
