"""MIG-sup against its formula in a plain loop, and on codes of known information."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mutual_info_score

from skvae.metrics import mig_sup_score


def mig_sup_by_loop(factors, codes, n_bins=20):
    """The mean over codes of the gap in I(z; v) / H(v), one pair after the other."""
    gaps = []
    for code in codes.T:
        bins = np.digitize(code, np.histogram(code, n_bins)[1][:-1])
        shares = sorted(
            mutual_info_score(factor, bins) / mutual_info_score(factor, factor)
            for factor in factors.T
        )
        gaps.append(shares[-1] - shares[-2])
    return np.mean(gaps)


@pytest.fixture
def factors():
    """Factors of unequal entropy, so that shares and nats rank differently."""
    return np.random.RandomState(0).randint([2, 5, 9], size=(500, 3))


@pytest.fixture
def codes(factors):
    rng = np.random.RandomState(1)
    return factors @ rng.normal(size=(3, 4)) + rng.normal(size=(500, 4))


@pytest.mark.parametrize("n_bins", [5, 20])
def test_score_equals_plain_loop(factors, codes, n_bins):
    score = mig_sup_score(factors, codes, n_bins=n_bins)
    expected = mig_sup_by_loop(factors, codes, n_bins)
    assert score == pytest.approx(expected, abs=1e-12)
    assert type(score) is float


def test_each_factor_in_a_code_of_its_own():
    grid = np.array(np.meshgrid(range(4), range(3))).reshape(2, -1).T.repeat(5, axis=0)
    assert mig_sup_score(grid, grid) == pytest.approx(1)
    assert mig_sup_score(grid, grid[:, [1, 0, 0]] * [-1, 2, 5]) == pytest.approx(1)


def test_code_of_two_factors_has_no_gap():
    grid = np.array(np.meshgrid(range(4), range(3))).reshape(2, -1).T.repeat(5, axis=0)
    both = grid @ [3, 1]
    assert mig_sup_score(grid, both[:, None]) == pytest.approx(0, abs=1e-12)
    # The mean over codes: one of one factor, one of both.
    codes = np.column_stack([grid[:, 0], both])
    assert mig_sup_score(grid, codes) == pytest.approx(0.5)


def test_factor_without_a_code_costs_nothing(factors):
    grid = np.array(np.meshgrid(range(4), range(3))).reshape(2, -1).T.repeat(5, axis=0)
    assert mig_sup_score(grid, grid[:, :1]) == pytest.approx(1)


def test_code_that_merges_levels_knows_a_share():
    # Four equally likely levels, of which the code tells two groups: half the entropy.
    factor = np.tile(range(4), 25)
    other = np.repeat(range(5), 20)
    code = (factor >= 2).astype(float)[:, None]
    score = mig_sup_score(np.column_stack([factor, other]), code)
    assert score == pytest.approx(0.5)


def test_single_factor_has_no_runner_up(factors):
    assert mig_sup_score(factors[:, 0], factors[:, [0]]) == pytest.approx(1)


def test_constant_factor_is_left_out(factors, codes):
    extended = np.column_stack([np.zeros(500), factors])
    assert mig_sup_score(extended, codes) == mig_sup_score(factors, codes)
    with pytest.raises(ValueError, match="at least two values"):
        mig_sup_score(np.zeros(500), codes)


def test_dead_codes_change_nothing(factors, codes):
    rng = np.random.RandomState(2)
    extended = np.column_stack(
        [np.full(500, 0.1), codes, rng.normal(scale=0.01, size=(500, 2))]
    )
    expected = mig_sup_score(factors, codes)
    assert mig_sup_score(factors, extended) == expected
    # Told that nothing but constants is dead, the score takes noise for codes.
    with_noise = mig_sup_score(factors, extended, min_std=0)
    assert with_noise == pytest.approx(mig_sup_by_loop(factors, extended[:, 1:]))
    assert with_noise < expected


@pytest.mark.parametrize("adjusted", [False, True])
def test_no_active_code_gives_zero(factors, adjusted):
    assert mig_sup_score(factors, 0 * factors, adjusted=adjusted) == 0
    assert mig_sup_score(factors, 0 * factors, min_std=0, adjusted=adjusted) == 0


def test_labels_do_not_matter(factors, codes):
    named = pd.DataFrame(factors).map("abcdefghi".__getitem__)
    expected = mig_sup_score(factors, codes)
    assert mig_sup_score(named, codes) == pytest.approx(expected)
