"""Modularity against its formula in a plain loop, and on codes of known rows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mutual_info_score

from skvae.metrics import modularity_score, mutual_information_matrix
from skvae.metrics._modularity import _mean_modularity

GRID = np.array(np.meshgrid(range(4), range(4), range(4))).reshape(3, -1).T.repeat(5, 0)


def modularity_by_template(information):
    """Ridgeway & Mozer's distance of each row from its template, one by one."""
    modularity = []
    for row in information:
        theta = max(row)
        best = list(row).index(theta)
        template = [theta if k == best else 0.0 for k in range(len(row))]
        squared = sum((m - t) ** 2 for m, t in zip(row, template, strict=True))
        modularity.append(1 - squared / (theta**2 * (len(row) - 1)))
    return np.mean(modularity)


@pytest.fixture
def factors():
    return np.random.RandomState(0).randint([2, 5, 9], size=(500, 3))


@pytest.fixture
def codes(factors):
    rng = np.random.RandomState(1)
    return factors @ rng.normal(size=(3, 4)) + rng.normal(size=(500, 4))


@pytest.mark.parametrize("n_bins", [5, 20])
def test_score_equals_plain_loop(factors, codes, n_bins):
    information = [
        [
            mutual_info_score(
                factor, np.digitize(code, np.histogram(code, n_bins)[1][:-1])
            )
            for factor in factors.T
        ]
        for code in codes.T
    ]
    score = modularity_score(factors, codes, n_bins=n_bins)
    assert score == pytest.approx(modularity_by_template(information), abs=1e-12)
    assert type(score) is float


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([2.0, 0.0, 0.0], 1.0),
        ([0.0, 1e-3, 0.0], 1.0),  # proportions alone matter
        ([1.0, 1.0, 1.0], 0.0),
        ([1.0, 1.0, 0.0], 0.5),
        ([1.0, 0.5, 0.0], 1 - 0.25 / 2),
    ],
)
def test_rows_of_known_modularity(row, expected):
    assert _mean_modularity(np.array([row]), None) == pytest.approx(expected)


def test_each_factor_in_a_code_of_its_own():
    assert modularity_score(GRID, GRID) == pytest.approx(1)
    # Twice a factor, never another one, and a part of its levels alone.
    codes = np.column_stack([GRID[:, 0], -3 * GRID[:, 0], GRID[:, 1] > 1])
    assert modularity_score(GRID, codes) == pytest.approx(1)


def test_code_of_several_factors():
    of_two = GRID @ [4, 1, 0]
    of_three = GRID @ [16, 4, 1]
    assert modularity_score(GRID, of_two[:, None]) == pytest.approx(0.5)
    # 64 values in 64 bins: the code determines all three.
    evenly = modularity_score(GRID, of_three[:, None], n_bins=64)
    assert evenly == pytest.approx(0, abs=1e-12)
    codes = np.column_stack([GRID[:, 2], of_two])
    assert modularity_score(GRID, codes) == pytest.approx(0.75)


def test_code_without_information_has_no_part():
    # Independent of all three factors, to the last row.
    useless = np.tile([1.0, 2.0, 3.0, 4.0, 5.0], 64)
    information = mutual_information_matrix(GRID, useless[:, None])
    np.testing.assert_allclose(information, 0, atol=1e-12)
    codes = np.column_stack([GRID @ [4, 1, 0], useless])
    assert modularity_score(GRID, codes) == pytest.approx(0.5)
    assert modularity_score(GRID, useless[:, None]) == 0


def test_dead_codes_change_nothing(factors, codes):
    rng = np.random.RandomState(2)
    extended = np.column_stack(
        [np.full(500, 0.1), codes, rng.normal(scale=0.01, size=(500, 2))]
    )
    expected = modularity_score(factors, codes)
    assert modularity_score(factors, extended) == expected
    assert modularity_score(factors, extended, min_std=0) != expected
    only_constant = extended[:, :5]
    assert modularity_score(factors, only_constant, min_std=0) == expected


@pytest.mark.parametrize("adjusted", [False, True])
def test_no_active_code_gives_zero(factors, adjusted):
    assert modularity_score(factors, 0 * factors, adjusted=adjusted) == 0
    assert modularity_score(factors[:, 0], 0 * factors, adjusted=adjusted) == 0


def test_single_factor(factors, codes):
    assert modularity_score(factors[:, 0], codes) == 1
    assert modularity_score(factors[:, 0], codes, adjusted=True) == 0


def test_constant_factor_is_left_out(factors, codes):
    extended = np.column_stack([np.zeros(500), factors])
    assert modularity_score(extended, codes) == modularity_score(factors, codes)
    with pytest.raises(ValueError, match="at least two values"):
        modularity_score(np.zeros(500), codes)


def test_labels_do_not_matter(factors, codes):
    named = pd.DataFrame(factors).map("abcdefghi".__getitem__)
    expected = modularity_score(factors, codes)
    assert modularity_score(named, codes) == pytest.approx(expected)
