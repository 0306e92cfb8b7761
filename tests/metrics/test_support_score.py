"""How far codes lie outside of those of the data."""

import numpy as np
import pytest
from scipy.stats import kstest

from skvae.metrics import support_score


@pytest.fixture
def codes():
    return np.random.RandomState(0).normal(size=(600, 3))


def test_it_is_uniform_for_codes_from_where_the_data_come_from():
    codes = np.random.RandomState(0).normal(size=(3000, 3))
    new = np.random.RandomState(1).normal(size=(3000, 3))
    support = support_score(codes, new)
    assert support.mean() == pytest.approx(0.5, abs=0.03)
    assert kstest(support, "uniform").statistic < 0.05
    assert (support < 0.05).mean() == pytest.approx(0.05, abs=0.02)


@pytest.mark.parametrize("n_neighbors", [1, 10, 50])
def test_it_is_uniform_whatever_the_rank_of_the_neighbour(codes, n_neighbors):
    new = np.random.RandomState(1).normal(size=(2000, 3))
    support = support_score(codes, new, n_neighbors=n_neighbors)
    assert kstest(support, "uniform").statistic < 0.08


def test_it_is_the_share_of_the_data_that_lie_at_least_as_far_out(codes):
    new = np.random.RandomState(1).normal(scale=2, size=(40, 3))

    def distance(code, others):
        return np.sort(np.linalg.norm(others - code, axis=1))[9]

    usual = [
        distance(code, np.delete(codes, row, axis=0)) for row, code in enumerate(codes)
    ]
    expected = [
        (1 + np.sum(usual >= distance(code, codes))) / (1 + len(codes)) for code in new
    ]
    assert 0 < np.min(expected) < 0.1 < np.max(expected)
    np.testing.assert_allclose(support_score(codes, new), expected, rtol=1e-12)


def test_it_falls_the_farther_out_a_code_lies(codes):
    direction = np.ones(3) / np.sqrt(3)
    out = [distance * direction for distance in (0, 2, 3, 4, 100)]
    support = support_score(codes, out)
    assert (np.diff(support[:4]) < 0).all()
    assert support[0] > 0.7
    assert support[-1] == 1 / 601  # the least there is, and never 0


def test_a_gap_within_the_data_has_no_support():
    rng = np.random.RandomState(0)
    codes = rng.normal(scale=0.1, size=(400, 2)) + np.repeat([[-2, 0], [2, 0]], 200, 0)
    middle, inside = support_score(codes, [[0.0, 0.0], [2.0, 0.0]])
    assert middle < 0.01
    assert inside > 0.5


def test_rows_of_the_data_have_support(codes):
    support = support_score(codes, codes)
    assert support.min() > 0
    assert support.max() == 1
    assert support.mean() > 0.5  # a row of the data is a neighbour of its own


def test_the_order_of_the_data_does_not_matter_where_all_of_them_are_used(codes):
    new = np.random.RandomState(1).normal(size=(50, 3))
    support = support_score(codes, new)
    np.testing.assert_array_equal(support_score(codes[::-1], new), support)
    np.testing.assert_array_equal(support_score(codes, new, random_state=5), support)
    np.testing.assert_array_equal(support_score(codes, new[::-1])[::-1], support)


def test_same_random_state_same_support_of_larger_data():
    codes = np.random.RandomState(0).normal(size=(4000, 2))
    new = np.random.RandomState(1).normal(size=(200, 2))
    support = support_score(codes, new)
    np.testing.assert_array_equal(support_score(codes, new), support)
    generator = np.random.RandomState(0)
    np.testing.assert_array_equal(
        support_score(codes, new, random_state=generator), support
    )
    other = support_score(codes, new, random_state=1)
    assert not np.array_equal(other, support)
    np.testing.assert_allclose(other, support, atol=0.05)  # 2,000 of them will do


@pytest.mark.parametrize("n_rows", [2, 3, 10, 11])
def test_few_rows_have_few_neighbours(n_rows):
    codes = np.arange(n_rows, dtype=float)[:, None]
    support = support_score(codes, [[0.0], [1e6]], n_neighbors=10)
    assert support[1] == 1 / (1 + n_rows)
    assert support[1] < support[0] <= 1


def test_lists_and_integers_will_do():
    assert support_score([[0], [1], [2]], [[1], [50]]).tolist() == [1.0, 0.25]


def test_codes_that_are_all_the_same():
    support = support_score(np.zeros((20, 2)), [[0.0, 0.0], [1.0, 0.0]])
    np.testing.assert_allclose(support, [1, 1 / 21])


@pytest.mark.parametrize(
    ("codes", "new_codes", "message"),
    [
        ([[0.0, 1.0]], [[0.0, 1.0]], "minimum of 2"),
        ([[0.0, 1.0]] * 3, [[0.0]], r"new_codes of 1 latents; expected .* 2"),
        ([[0.0, np.nan]] * 3, [[0.0, 1.0]], "codes contains NaN"),
        ([[0.0, 1.0]] * 3, [[0.0, np.inf]], "new_codes contains infinity"),
        ([[0.0, 1.0]] * 3, [0.0, 1.0], "new_codes|2D"),
        ([[0.0, 1.0]] * 3, np.empty((0, 2)), "minimum of 1"),
    ],
)
def test_bad_codes(codes, new_codes, message):
    with pytest.raises(ValueError, match=message):
        support_score(codes, new_codes)


@pytest.mark.parametrize("n_neighbors", [0, 1.5, "all"])
def test_bad_number_of_neighbours(codes, n_neighbors):
    with pytest.raises(ValueError, match="n_neighbors"):
        support_score(codes, codes, n_neighbors=n_neighbors)
