"""Explicitness against scikit-learn's areas, in closed form, and at its edges."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from skvae.metrics import explicitness_score
from skvae.metrics._explicitness import _areas_under_roc


@pytest.fixture
def factors():
    return np.random.RandomState(0).randint(4, size=(900, 3))


def test_areas_are_those_of_scikit_learn():
    rng = np.random.RandomState(0)
    is_positive = rng.rand(80, 4) < [0.1, 0.3, 0.5, 0.9]
    scores = rng.normal(size=(80, 4)).round(1)  # with ties
    expected = [roc_auc_score(is_positive[:, j], scores[:, j]) for j in range(4)]
    np.testing.assert_allclose(_areas_under_roc(scores, is_positive), expected)


def test_score_equals_plain_loop(factors):
    rng = np.random.RandomState(1)
    codes = factors @ rng.normal(size=(3, 4)) + 2 * rng.normal(size=(900, 4))
    standardised = (codes - codes.mean(axis=0)) / codes.std(axis=0, ddof=1)
    shuffled = np.random.RandomState(2).permutation(900)
    learning, held_out = shuffled[:600], shuffled[600:]
    areas = []
    for factor in factors.T:
        classifier = LogisticRegression(max_iter=1000)
        classifier.fit(standardised[learning], factor[learning])
        probabilities = classifier.predict_proba(standardised[held_out])
        areas.append(
            [
                roc_auc_score(factor[held_out] == level, probabilities[:, level])
                for level in range(4)
            ]
        )
    score = explicitness_score(factors, codes, random_state=2)
    # The order in which levels are numbered decides where the solver stops.
    assert score == pytest.approx(np.mean(areas), abs=1e-4)
    assert 0.6 < score < 0.9


def test_codes_that_are_the_factors_score_one(factors):
    # A middle level is the most probable one in between, though no slope singles it
    # out.
    assert explicitness_score(factors, factors, random_state=0) == 1.0
    assert explicitness_score(factors, factors, adjusted=True, random_state=0) == 1.0


def test_a_classifier_undoes_any_rotation(factors):
    turned = factors @ np.array([[1, 1, 0], [1, -1, 0], [0, 0, 1]])
    assert explicitness_score(factors, turned, random_state=0) > 0.999


def test_noise_is_at_chance(factors):
    noise = np.random.RandomState(1).normal(size=(900, 5))
    score = explicitness_score(factors, noise, random_state=0)
    assert score == pytest.approx(1 / 2, abs=0.04)
    adjusted = explicitness_score(factors, noise, adjusted=True, random_state=0)
    assert adjusted == pytest.approx((score - 1 / 2) / (1 / 2))


def test_a_factor_missing_from_the_codes_is_guessed(factors):
    score = explicitness_score(factors, factors[:, :2], random_state=0)
    assert score == pytest.approx((1 + 1 + 1 / 2) / 3, abs=0.03)


def test_normal_shift_has_its_closed_form():
    # Two normal levels whose means are 1.5 standard deviations apart: the area is the
    # probability that the difference of two draws, of variance 2, is positive.
    rng = np.random.RandomState(0)
    answer = rng.rand(15_000) < 0.5
    code = 1.5 * answer + rng.normal(size=15_000)
    score = explicitness_score(answer, code[:, None], random_state=0)
    assert score == pytest.approx(0.8556, abs=0.01)  # Phi(1.5 / sqrt(2))


def test_order_sign_scale_and_offset_do_not_matter(factors):
    rng = np.random.RandomState(1)
    codes = factors @ rng.normal(size=(3, 3)) + 2 * rng.normal(size=(900, 3))
    changed = codes[:, [2, 0, 1]] * [-1.0, 30.0, 0.5] + [0, 5, 100]
    score = explicitness_score(factors, codes, random_state=0)
    assert explicitness_score(factors, changed, random_state=0) == pytest.approx(
        score, abs=1e-4
    )


def test_dead_codes_change_nothing(factors):
    codes = factors @ np.random.RandomState(1).normal(size=(3, 2))
    dead = np.random.RandomState(1).normal(scale=0.01, size=(900, 2))
    dead[:, 1] = 0.1
    extended = np.column_stack([codes, dead])
    assert explicitness_score(factors, extended, random_state=0) == explicitness_score(
        factors, codes, random_state=0
    )


@pytest.mark.parametrize("adjusted", [True, False])
def test_no_active_code_gives_zero(factors, adjusted):
    dead = np.random.RandomState(0).normal(scale=0.01, size=(900, 3))
    assert explicitness_score(factors, dead, adjusted=adjusted) == 0.0
    assert explicitness_score(factors, np.full((900, 3), 0.1), min_std=0) == 0.0


def test_continuous_and_named_factors():
    rng = np.random.RandomState(0)
    number = rng.normal(size=2000)
    name = rng.choice(["a", "b", "c"], size=2000)
    factors = pd.DataFrame({"number": number, "name": name})
    codes = np.column_stack([number, name == "a", name == "b"])
    assert explicitness_score(factors, codes, n_bins=5, random_state=0) > 0.98


def test_missing_values_of_a_factor_leave_its_rows_out(factors):
    # The code knows the answer wherever it is not hidden, and else its opposite.
    hidden = np.arange(900) % 2 == 0
    positive = factors[:, 0] > 1
    answer = pd.Series(np.where(positive, "yes", "no")).mask(hidden)
    code = np.where(hidden, ~positive, positive)[:, None]
    assert explicitness_score(answer, code, random_state=0) == 1.0


def test_constant_factor_is_left_out(factors):
    extended = np.column_stack([np.ones(900, int), factors])
    codes = factors @ np.random.RandomState(1).normal(size=(3, 2))
    assert explicitness_score(extended, codes, random_state=0) == explicitness_score(
        factors, codes, random_state=0
    )
    with pytest.raises(ValueError, match="both in the rows to learn from"):
        explicitness_score(np.ones(900), codes)


def test_rare_levels_are_pooled():
    # 1,000 names on 1,000 rows would be as many classifiers.
    names = [f"row {index}" for index in range(1000)]
    codes = np.random.RandomState(0).normal(size=(1000, 2))
    score = explicitness_score(names, codes, random_state=0)
    assert score == pytest.approx(1 / 2, abs=0.2)


def test_few_rows_of_a_level():
    # The third level has one row, either to learn from or held out: it has no curve,
    # but it outranks the second level where it is held out.
    levels = np.r_[np.zeros(20, int), np.ones(20, int), 2]
    scores = [
        explicitness_score(levels, levels[:, None], random_state=seed)
        for seed in range(5)
    ]
    assert max(scores) == 1
    assert 0.9 < min(scores) < 1


def test_same_seed_same_score(factors):
    noise = np.random.RandomState(0).normal(size=(900, 3))
    first = explicitness_score(factors, noise, random_state=7)
    assert first == explicitness_score(factors, noise, random_state=7)
    assert first != explicitness_score(factors, noise, random_state=8)
    assert type(first) is float


def test_wrong_input(factors):
    with pytest.raises(ValueError, match=r"\(900, 3\) and codes of shape \(899, 3\)"):
        explicitness_score(factors, factors[:899])
    with pytest.raises(ValueError, match="NaN"):
        explicitness_score(factors, np.full((900, 3), np.nan))
    with pytest.raises(ValueError, match="max_rows"):
        explicitness_score(factors, factors, max_rows=3)


@pytest.mark.parametrize("n_levels", [2, 4])
def test_codes_with_heavy_tails_do_not_underflow(n_levels):
    rng = np.random.RandomState(0)
    code = rng.normal(size=5000)
    factors = pd.qcut(code, n_levels, labels=False)
    codes = np.exp(4 * np.column_stack([code, rng.normal(size=5000)]))
    assert 0.5 < explicitness_score(factors, codes, random_state=0) <= 1
