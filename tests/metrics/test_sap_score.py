"""SAP against scikit-learn's classifiers, in closed form, and at its edges."""

import numpy as np
import pandas as pd
import pytest
from sklearn.svm import LinearSVC

from skvae.metrics import sap_score
from skvae.metrics._sap import _accuracies, _fit_lines, _squared_correlations
from skvae.metrics._validation import standardise_active


@pytest.fixture
def factors():
    return np.random.RandomState(0).normal(size=(600, 3))


def levels_and_code(n_levels, signal, seed, n_rows=600):
    """Levels of unequal size in random order on a line, and a noisy code of them."""
    rng = np.random.RandomState(seed)
    shares = rng.dirichlet(np.full(n_levels, 5.0))
    levels = np.concatenate(
        [np.arange(n_levels), rng.choice(n_levels, p=shares, size=n_rows - n_levels)]
    )
    code = signal * rng.permutation(n_levels)[levels] + rng.normal(size=n_rows)
    return levels, (code - code.mean()) / code.std()


@pytest.mark.parametrize("n_levels", [2, 3, 6])
@pytest.mark.parametrize("signal", [0, 0.5, 30])
def test_lines_are_those_of_a_converged_linear_svc(n_levels, signal):
    levels, code = levels_and_code(n_levels, signal, seed=n_levels)
    lines = np.stack(_fit_lines(code, levels, n_levels))
    machine = LinearSVC(
        C=0.01, class_weight="balanced", dual=False, tol=1e-10, max_iter=10_000
    ).fit(code[:, None], levels)
    expected = np.stack([machine.coef_[:, 0], machine.intercept_])
    if n_levels == 2:  # there, the one line of the second level
        np.testing.assert_allclose(lines[:, 0], -lines[:, 1], atol=1e-9)
        lines = lines[:, 1:]
    np.testing.assert_allclose(lines, expected, atol=1e-6)


def test_lines_are_right_where_codes_are_tied():
    levels = np.repeat([0, 1, 2], [50, 30, 20])
    code = np.repeat([-1.0, 0.0, 1.0, 0.0], [50, 10, 20, 20])
    machine = LinearSVC(C=0.01, class_weight="balanced", dual=False, tol=1e-10)
    machine.fit(code[:, None], levels)
    slopes, intercepts = _fit_lines(code, levels, 3)
    np.testing.assert_allclose(slopes, machine.coef_[:, 0], atol=1e-6)
    np.testing.assert_allclose(intercepts, machine.intercept_, atol=1e-6)


def test_accuracies_are_those_of_linear_svc_as_it_comes():
    rng = np.random.RandomState(0)
    levels = rng.randint(4, size=900)
    codes = levels[:, None] * [0.0, 0.5, 2.0] + rng.normal(size=(900, 3))
    codes = standardise_active(codes, 0)
    learning, held_out = np.arange(600), np.arange(600, 900)
    expected = [
        LinearSVC(C=0.01, class_weight="balanced")
        .fit(code[learning, None], levels[learning])
        .score(code[held_out, None], levels[held_out])
        for code in codes.T
    ]
    # It stops early, so that a row on the boundary may fall to the other side.
    accuracies = _accuracies(codes, levels, learning, held_out)
    np.testing.assert_allclose(accuracies, expected, atol=2 / 300)
    assert np.ptp(expected) > 0.2  # the codes are not all alike


def test_squared_correlations_are_numpys(factors):
    codes = factors @ np.random.RandomState(1).normal(size=(3, 4))
    expected = np.corrcoef(codes.T, factors[:, 0])[-1, :-1] ** 2
    np.testing.assert_allclose(
        _squared_correlations(codes, factors[:, 0]), expected, atol=1e-12
    )


def test_score_is_the_mean_gap_of_squared_correlations(factors):
    codes = factors @ np.random.RandomState(1).normal(size=(3, 4))
    squares = np.corrcoef(codes.T, factors.T)[:4, 4:] ** 2
    gaps = [sorted(column)[-1] - sorted(column)[-2] for column in squares.T]
    assert sap_score(factors, codes) == pytest.approx(np.mean(gaps), abs=1e-9)


def test_a_yes_or_no_that_a_code_decides_scores_one_minus_chance():
    factors = np.random.RandomState(0).rand(9000, 2) < 0.5
    score = sap_score(factors, factors, random_state=0)
    assert score == pytest.approx(1 / 2, abs=0.02)


def test_of_six_levels_on_a_line_only_the_ends_are_told():
    # Every combination occurs equally often, so that chance is 1/6.
    grid = np.indices((6, 6)).reshape(2, -1).T.repeat(100, axis=0)
    score = sap_score(grid, grid, random_state=0)
    assert score == pytest.approx(1 / 3 - 1 / 6, abs=0.02)


@pytest.mark.parametrize("kind", ["continuous", "discrete"])
def test_order_sign_scale_and_offset_do_not_matter(factors, kind):
    codes = factors @ np.random.RandomState(1).normal(size=(3, 3))
    known = factors if kind == "continuous" else np.round(factors).astype(int)
    changed = codes[:, [2, 0, 1]] * [-1.0, 30.0, 0.5] + [0, 5, 100]
    score = sap_score(known, codes, random_state=0)
    assert sap_score(known, changed, random_state=0) == pytest.approx(score, abs=0.003)
    assert score > 0.05


def test_a_factor_stored_twice_has_no_gap(factors):
    twice = np.column_stack([factors, factors[:, 0]])
    decided = np.column_stack([factors, factors[:, 0]]) > 0
    assert sap_score(factors[:, :1], twice) == 0
    assert sap_score(factors[:, :1] > 0, decided, random_state=0) == 0


@pytest.mark.parametrize("n_levels", [2, 5])
def test_noise_has_no_gap(n_levels):
    rng = np.random.RandomState(0)
    factors = rng.randint(n_levels, size=(9000, 3))
    assert 0 <= sap_score(factors, rng.normal(size=(9000, 3)), random_state=0) < 0.03


def test_noise_has_no_gap_to_continuous_factors(factors):
    noise = np.random.RandomState(1).normal(size=(600, 3))
    assert 0 <= sap_score(factors, noise) < 0.02


def test_dead_codes_change_nothing(factors):
    dead = np.random.RandomState(1).normal(scale=0.01, size=(600, 2))
    dead[:, 1] = 0.1
    known = pd.DataFrame(factors).assign(positive=factors[:, 0] > 0)
    extended = np.column_stack([factors, dead])
    assert sap_score(known, extended, random_state=0) == sap_score(
        known, factors, random_state=0
    )


@pytest.mark.parametrize("min_std", [0, 0.05])
def test_no_active_code_gives_zero(factors, min_std):
    known = pd.DataFrame(factors).assign(positive=factors[:, 0] > 0)
    assert sap_score(known, np.full((600, 3), 0.1), min_std=min_std) == 0.0


def test_runner_up_of_a_single_code_predicts_nothing(factors):
    noise = np.random.RandomState(1).normal(size=(600, 1))
    assert sap_score(factors[:, 0], factors[:, :1]) == pytest.approx(1)
    accuracy = sap_score(factors[:, 0] > 0, noise, random_state=0)
    assert accuracy == pytest.approx(1 / 2, abs=0.1)


def test_kinds_may_be_mixed(factors):
    rng = np.random.RandomState(1)
    known = pd.DataFrame(
        {
            "amount": factors[:, 0],
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(factors[:, 1], "D"),
            "name": pd.Series(np.where(factors[:, 2] > 0, "yes", "no")).astype(
                "category"
            ),
        }
    )
    codes = np.column_stack([factors[:, :2], factors[:, 2] > 0])
    codes = codes + rng.normal(scale=0.01, size=codes.shape)
    # Gaps of 1, 1 and 1/2, less a correlation by chance of the continuous factors.
    score = sap_score(known, codes, random_state=0)
    assert score == pytest.approx(5 / 6, abs=0.03)


def test_missing_values_of_a_continuous_factor_leave_its_rows_out(factors):
    codes = factors @ np.random.RandomState(1).normal(size=(3, 3))
    hidden = np.arange(600) % 3 == 0
    amount = pd.Series(factors[:, 0]).mask(hidden)
    expected = sap_score(factors[~hidden, 0], codes[~hidden])
    assert sap_score(amount, codes) == pytest.approx(expected, abs=1e-9)


def test_missing_values_of_a_discrete_factor_leave_its_rows_out(factors):
    hidden = np.arange(600) % 3 == 0
    positive = factors[:, 0] > 0
    answer = pd.Series(np.where(positive, "yes", "no")).mask(hidden)
    # The code is wrong wherever the answer is hidden.
    code = np.where(hidden, ~positive, positive)[:, None]
    assert sap_score(answer, code, random_state=0) == 1


def test_constant_factors_are_left_out(factors):
    extended = np.column_stack([np.ones(600), factors])
    codes = factors @ np.random.RandomState(1).normal(size=(3, 3))
    assert sap_score(extended, codes) == sap_score(factors, codes)
    with pytest.raises(ValueError, match="at least two values in the rows to learn"):
        sap_score(np.ones(600), codes)


def test_levels_without_rows_to_learn_from_are_missed():
    # Rows of one name each can never be told.
    names = [f"row {index}" for index in range(90)]
    codes = np.random.RandomState(0).normal(size=(90, 2))
    assert sap_score(names, codes, random_state=0) == 0


def test_at_most_max_rows_are_classified(factors):
    positive = factors[:, 0] > 0
    noisy = factors + np.random.RandomState(1).normal(size=factors.shape)
    # Accuracies on one row held out are 0 or 1.
    score = sap_score(positive, noisy[:, :1], max_rows=3, random_state=2)
    assert score in (0, 1)
    every = sap_score(positive, noisy, max_rows=None, random_state=0)
    assert every == sap_score(positive, noisy, max_rows=600, random_state=0)


def test_huge_and_tiny_factors_do_not_overflow(factors):
    codes = factors @ np.random.RandomState(1).normal(size=(3, 3))
    expected = sap_score(factors, codes)
    for scale in (1e200, 1e-200):
        assert sap_score(factors * scale, codes) == pytest.approx(expected, abs=1e-9)


def test_same_seed_same_score(factors):
    codes = factors + np.random.RandomState(1).normal(size=factors.shape)
    first = sap_score(factors > 0, codes, random_state=7)
    assert first == sap_score(factors > 0, codes, random_state=7)
    assert first != sap_score(factors > 0, codes, random_state=8)
    assert type(first) is float


def test_wrong_input(factors):
    with pytest.raises(ValueError, match=r"\(600, 3\) and codes of shape \(599, 3\)"):
        sap_score(factors, factors[:599])
    with pytest.raises(ValueError, match="NaN"):
        sap_score(factors, np.full_like(factors, np.nan))
    with pytest.raises(ValueError, match="infinite"):
        sap_score(np.r_[np.inf, factors[1:, 0]], factors)
    with pytest.raises(ValueError, match="max_rows"):
        sap_score(factors, factors, max_rows=2)
