"""Which true factors have a latent of their own."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from skvae.metrics import recovered_factors

RNG = np.random.default_rng(0)
FACTORS = RNG.normal(size=(400, 3))
NOISE = RNG.normal(size=(400, 3))


@pytest.mark.parametrize(
    "codes",
    [
        FACTORS,
        FACTORS[:, [2, 0, 1]],
        -5 * FACTORS,
        np.exp(FACTORS),
        np.hstack([FACTORS, NOISE, np.zeros((400, 2))]),
    ],
    ids=["identity", "permuted", "flipped", "monotone", "more codes"],
)
def test_every_factor_has_its_code(codes):
    result = recovered_factors(FACTORS, codes)
    assert result.share == 1
    np.testing.assert_allclose(result.per_factor["correlation"].abs(), 1)


def test_matches_name_the_code_and_its_sign():
    result = recovered_factors(FACTORS, FACTORS[:, [2, 0, 1]] * [1, -1, 1])
    assert result.per_factor["code"].tolist() == [1, 2, 0]
    np.testing.assert_allclose(result.per_factor["correlation"], [-1, 1, 1])


def test_correlations_are_spearmans():
    codes = FACTORS[:, :1] + NOISE[:, :1]
    result = recovered_factors(FACTORS[:, 0], codes)
    expected = spearmanr(FACTORS[:, 0], codes[:, 0]).statistic
    assert result.per_factor["correlation"][0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("codes", [NOISE, np.zeros((400, 3)), FACTORS**2])
def test_none_is_recovered(codes):
    assert recovered_factors(FACTORS, codes).share == 0


def test_two_factors_in_one_code_count_once():
    both = np.column_stack([FACTORS[:, 0], FACTORS[:, 0]])
    result = recovered_factors(both, FACTORS[:, :1])
    assert result.share == 0.5
    assert sorted(result.per_factor["code"]) == [-1, 0]


def test_turned_by_45_degrees_neither_is_recovered():
    turned = FACTORS @ np.array([[1, 1, 0], [1, -1, 0], [0, 0, 1]])
    result = recovered_factors(FACTORS, turned)
    assert result.per_factor["is_recovered"].tolist() == [False, False, True]


def test_threshold_is_what_it_takes():
    codes = FACTORS[:, :1] + 0.5 * NOISE[:, :1]
    strength = recovered_factors(FACTORS[:, 0], codes).per_factor["correlation"][0]
    assert recovered_factors(FACTORS[:, 0], codes, threshold=strength).share == 1
    assert recovered_factors(FACTORS[:, 0], codes, threshold=strength + 1e-6).share == 0


def test_kinds_of_factors_that_have_an_order():
    grades = ["low", "mid", "high"]
    factors = pd.DataFrame(
        {
            "grade": pd.Categorical(np.tile(grades, 100), grades, ordered=True),
            "is_member": np.arange(300) % 2 == 0,
            "since": pd.date_range("2020-01-01", periods=300),
        }
    )
    codes = np.column_stack([np.arange(300), np.tile([1, 2, 3], 100), [0, -1] * 150])
    result = recovered_factors(factors, codes)
    assert result.share == 1
    assert result.per_factor["code"].to_dict() == {
        "grade": 1,
        "is_member": 2,
        "since": 0,
    }


@pytest.mark.parametrize("name", ["town", "plain"])
def test_a_factor_without_order(name):
    towns = pd.Series(["a", "b"] * 200, name=name)
    if name == "plain":
        towns = towns.astype("category")
    with pytest.raises(ValueError, match=f"Factor '{name}' holds .* has no order"):
        recovered_factors(towns, FACTORS)


def test_rows_where_a_factor_is_missing_are_left_out():
    holes = pd.DataFrame(FACTORS).mask(RNG.uniform(size=FACTORS.shape) < 0.3)
    codes = FACTORS.copy()
    codes[holes.isna().to_numpy()] = 99.0  # wrong where the factor is not known
    result = recovered_factors(holes, codes)
    np.testing.assert_allclose(result.per_factor["correlation"], 1)


def test_wrong_input():
    with pytest.raises(ValueError, match=r"\(400, 3\).*\(399, 3\)"):
        recovered_factors(FACTORS, FACTORS[1:])
    with pytest.raises(ValueError, match="threshold"):
        recovered_factors(FACTORS, FACTORS, threshold=0)


def test_booleans_with_holes():
    codes = np.random.default_rng(0).normal(size=(300, 2))
    is_large = pd.Series(codes[:, 0] > 0).astype(object)
    expected = recovered_factors(is_large.astype(bool)[50:], codes[50:])
    is_large[:50] = None
    result = recovered_factors(is_large, codes)
    assert result.per_factor["correlation"][0] == pytest.approx(
        expected.per_factor["correlation"][0]
    )


@pytest.mark.parametrize("n_rows", [37, 400, 999])
def test_a_perfect_code_passes_the_threshold_of_one(n_rows):
    factors = np.random.default_rng(0).normal(size=(n_rows, 3))
    assert recovered_factors(factors, factors, threshold=1).share == 1
