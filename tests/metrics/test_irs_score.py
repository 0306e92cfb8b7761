"""The interventional robustness score against a plain loop, and at its edges."""

import numpy as np
import pandas as pd
import pytest

from skvae.metrics import irs_score

GRID = np.indices((5, 5, 5)).reshape(3, -1).T


@pytest.fixture
def factors():
    return np.random.RandomState(0).randint(4, size=(300, 3))


def score_by_loop(factors, codes, diff_quantile):
    """Suter et al.'s score, one code, factor and value after the other."""
    scores, largest = [], []
    for code in codes.T:
        largest.append(max(abs(code - np.mean(code))))
        by_factor = []
        for factor in factors.T:
            deviations = []
            for value in set(factor):
                group = code[factor == value]
                distances = abs(group - np.mean(group))
                deviations.append(np.quantile(distances, diff_quantile))
            by_factor.append(1 - np.mean(deviations) / largest[-1])
        scores.append(max(by_factor))
    return np.average(scores, weights=largest)


@pytest.mark.parametrize("diff_quantile", [0.5, 0.99, 1.0])
def test_score_equals_plain_loop(factors, diff_quantile):
    rng = np.random.RandomState(1)
    codes = factors @ rng.normal(size=(3, 4)) + rng.normal(size=(300, 4))
    score = irs_score(factors, codes, diff_quantile=diff_quantile)
    expected = score_by_loop(factors, codes, diff_quantile)
    assert score == pytest.approx(expected, abs=1e-12)


def test_codes_that_are_the_factors_score_one():
    assert irs_score(GRID, GRID) == 1.0
    assert irs_score(GRID, GRID[:, [2, 0, 1]] * [-1, 4, 0.5]) == 1.0
    assert irs_score(GRID, np.exp(GRID)) == pytest.approx(1)


def test_an_even_mixture_keeps_half_of_its_range():
    # Sum and difference reach 4 from their mean, and 2 while one of the two factors
    # is fixed; the third code, which is steadied fully, reaches 2.
    turned = GRID @ np.array([[1, 1, 0], [1, -1, 0], [0, 0, 1]])
    expected = (4 * 0.5 + 4 * 0.5 + 2 * 1) / (4 + 4 + 2)
    assert irs_score(GRID, turned, diff_quantile=1.0) == pytest.approx(expected)


def test_copies_and_missing_factors_cost_nothing():
    assert irs_score(GRID, GRID[:, [0, 1, 2, 2]]) == 1.0
    assert irs_score(GRID, GRID[:, :1]) == 1.0


def test_noise_is_far_below_one_but_not_zero(factors):
    noise = np.random.RandomState(1).normal(size=(300, 5))
    assert 0.1 < irs_score(factors, noise) < 0.45


def test_order_and_sign_do_not_matter_nor_does_a_common_scale(factors):
    codes = factors @ np.random.RandomState(1).normal(size=(3, 3))
    changed = -7 * codes[:, [2, 0, 1]] + [0, 5, 100]
    assert irs_score(factors, changed) == pytest.approx(irs_score(factors, codes))


def test_codes_that_move_little_weigh_little():
    turned = GRID @ np.array([[1, 1, 0], [1, -1, 0], [0, 0, 1]])
    small = irs_score(GRID, turned * [0.1, 0.1, 1], diff_quantile=1.0)
    expected = (0.4 * 0.5 + 0.4 * 0.5 + 2 * 1) / (0.4 + 0.4 + 2)
    assert small == pytest.approx(expected)


def test_dead_codes_change_nothing(factors):
    codes = factors @ np.random.RandomState(1).normal(size=(3, 3))
    dead = np.random.RandomState(1).normal(scale=0.01, size=(300, 2))
    dead[:, 1] = 0.1
    extended = np.column_stack([codes, dead])
    assert irs_score(factors, extended) == irs_score(factors, codes)


def test_no_active_code_gives_zero(factors):
    dead = np.random.RandomState(0).normal(scale=0.01, size=(300, 3))
    assert irs_score(factors, dead) == 0.0
    assert irs_score(factors, np.full((300, 3), 0.1), min_std=0) == 0.0


def test_a_code_that_strays_further_within_a_value_than_overall_scores_zero():
    # Nine rows at 0 and one at 10 lie 9 from their mean, but 5 from that of all rows.
    codes = np.r_[np.zeros(9), 10, np.full(9, 10), 0][:, None]
    values = np.repeat([0, 1], 10)
    assert irs_score(values, codes, diff_quantile=1.0) == 0.0


def test_continuous_and_named_factors():
    rng = np.random.RandomState(0)
    number = rng.uniform(size=2000)
    name = rng.choice(["a", "b", "c"], size=2000)
    factors = pd.DataFrame({"number": number, "name": name})
    codes = np.column_stack([number, name == "a"])
    # A uniform code strays by half of a bin of twenty where it is fixed.
    of_number = 1 - 0.99 / 20
    largest = [0.5, 1 - np.mean(name == "a")]
    expected = np.average([of_number, 1], weights=largest)
    assert irs_score(factors, codes) == pytest.approx(expected, abs=0.01)


def test_missing_values_of_a_factor_leave_its_rows_out(factors):
    # Where the first factor is unknown, its code is noise, which is never seen.
    hidden = np.arange(300) % 2 == 0
    table = pd.DataFrame(factors, columns=["a", "b", "c"])
    table["a"] = table["a"].mask(hidden)
    code = np.where(hidden, np.random.RandomState(0).normal(size=300), factors[:, 0])
    assert irs_score(table, code[:, None]) == 1.0


def test_values_of_one_row_and_constant_factors_take_no_part(factors):
    codes = factors @ np.random.RandomState(1).normal(size=(3, 3))
    table = pd.DataFrame(factors).assign(
        constant=1, name=[f"row {index}" for index in range(300)]
    )
    assert irs_score(table, codes) == irs_score(factors, codes)
    with pytest.raises(ValueError, match="nothing can be held fixed"):
        irs_score(table[["constant", "name"]], codes)


def test_result_is_a_python_float(factors):
    assert type(irs_score(factors, factors)) is float


def test_wrong_input(factors):
    with pytest.raises(ValueError, match=r"\(300, 3\) and codes of shape \(299, 3\)"):
        irs_score(factors, factors[:299])
    with pytest.raises(ValueError, match="NaN"):
        irs_score(factors, np.full((300, 3), np.nan))
    with pytest.raises(ValueError, match="diff_quantile"):
        irs_score(factors, factors, diff_quantile=1.5)
