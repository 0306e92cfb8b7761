"""Mutual information and its gap against scikit-learn and closed forms."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mutual_info_score

from skvae.metrics import mig_score, mutual_information_matrix


def discretised(column, n_bins):
    return np.digitize(column, np.histogram(column, n_bins)[1][:-1])


def mig_by_loop(factors, codes, n_bins):
    """The score as disentanglement_lib words it, one pair after the other."""
    gaps = []
    for factor in factors.T:
        information = sorted(
            mutual_info_score(factor, discretised(code, n_bins)) for code in codes.T
        )
        entropy = mutual_info_score(factor, factor)
        gaps.append((information[-1] - information[-2]) / entropy)
    return np.mean(gaps)


@pytest.fixture
def factors():
    return np.random.RandomState(0).randint(5, size=(500, 3))


@pytest.fixture
def codes(factors):
    rng = np.random.RandomState(1)
    return factors @ rng.normal(size=(3, 4)) + rng.normal(size=(500, 4))


@pytest.mark.parametrize("n_bins", [2, 7, 20])
def test_matrix_equals_scikit_learn(factors, codes, n_bins):
    expected = [
        [mutual_info_score(factor, discretised(code, n_bins)) for factor in factors.T]
        for code in codes.T
    ]
    actual = mutual_information_matrix(factors, codes, n_bins=n_bins)
    np.testing.assert_allclose(actual, expected, atol=1e-12)


@pytest.mark.parametrize("n_bins", [5, 20])
def test_score_equals_plain_loop(factors, codes, n_bins):
    score = mig_score(factors, codes, n_bins=n_bins)
    assert score == pytest.approx(mig_by_loop(factors, codes, n_bins), abs=1e-12)
    assert type(score) is float


def test_continuous_factors_are_binned_at_quantiles(codes):
    factors = np.random.RandomState(2).normal(size=(500, 2))
    binned = np.stack([pd.qcut(f, 20, labels=False) for f in factors.T], axis=1)
    np.testing.assert_allclose(
        mutual_information_matrix(factors, codes),
        mutual_information_matrix(binned, codes),
        atol=1e-12,
    )


def test_labels_do_not_matter(factors, codes):
    named = pd.DataFrame(factors).map("abcde".__getitem__)
    assert mig_score(named, codes) == pytest.approx(mig_score(factors, codes))
    as_category = named.astype("category")
    assert mig_score(as_category, codes) == pytest.approx(mig_score(factors, codes))


def test_constant_code_has_no_information(factors, codes):
    codes[:, 1] = 0.1
    information = mutual_information_matrix(factors, codes)
    np.testing.assert_array_equal(information[1], 0)
    assert (np.delete(information, 1, axis=0) > 0).all()
    assert mig_score(factors, np.full((500, 3), 0.1)) == 0.0


def test_constant_factor_is_left_out(factors, codes):
    extended = np.column_stack([factors, np.zeros(500)])
    assert mig_score(extended, codes) == mig_score(factors, codes)
    assert mutual_information_matrix(extended, codes)[:, 3].tolist() == [0.0] * 4
    with pytest.raises(ValueError, match="at least two values"):
        mig_score(np.zeros(500), codes)


def test_runner_up_of_a_single_code_is_zero():
    factor = np.tile([0, 1], 50)
    assert mig_score(factor, factor[:, None]) == pytest.approx(1.0)
    # Half of the rows tell the factor, half do not: 1 - H(1/4) bits of 1 bit.
    code = np.where(np.arange(100) < 50, factor, 1)
    joint = np.array([[0.25, 0.25], [0.0, 0.5]])
    outer = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    expected = sum(
        p * np.log(p / q) for p, q in zip(joint.flat, outer.flat, strict=True) if p
    )
    score = mig_score(factor, code[:, None])
    assert score == pytest.approx(expected / np.log(2))


def test_factor_with_more_levels_than_rows_per_level():
    names = [f"row {i}" for i in range(50)]
    codes = np.random.RandomState(0).normal(size=(50, 2))
    information = mutual_information_matrix(names, codes, n_bins=4)
    counts = [np.histogram(code, 4)[0] / 50 for code in codes.T]
    entropy = [-np.sum(p[p > 0] * np.log(p[p > 0])) for p in counts]
    np.testing.assert_allclose(information[:, 0], entropy)
