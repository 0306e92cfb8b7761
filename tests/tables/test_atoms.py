"""Values that a noticeable share of a column has."""

import numpy as np
import pytest

from skvae.tables._atoms import atoms_of

SHARE = 0.02


@pytest.fixture
def rng():
    return np.random.RandomState(0)


@pytest.fixture
def amounts(rng):
    return rng.lognormal(5, 1, size=1000).round(2)


def test_zeros_among_amounts(amounts):
    amounts[:250] = 0.0
    assert atoms_of(amounts, SHARE) == ((0.0,), False)


def test_zeros_and_caps_together_are_ascending(amounts):
    amounts[:50], amounts[50:150] = 99_999.0, 0.0
    assert atoms_of(amounts, SHARE) == ((0.0, 99_999.0), False)


def test_no_value_of_a_continuous_column_is_one(rng):
    assert atoms_of(rng.normal(size=1000), SHARE) == ((), False)


def test_value_that_is_as_common_as_its_neighbours_is_none(rng):
    # Ages: one in forty rows is 29, and about as many are 28 or 30.
    ages = rng.binomial(80, 0.4, size=5000).astype(float)
    assert np.unique(ages, return_counts=True)[1].max() > SHARE * 5000
    assert atoms_of(ages, SHARE) == ((), False)
    heaped = np.append(ages, np.full(2000, 18.0))
    assert atoms_of(heaped, SHARE) == ((18.0,), False)


def test_share_is_what_it_takes(amounts):
    amounts[:30] = 0.0
    assert atoms_of(amounts, 0.03) == ((0.0,), False)
    assert atoms_of(amounts, 0.031) == ((), False)


def test_a_few_rows_may_be_alike_by_chance(rng):
    numbers = rng.normal(size=100)
    numbers[:9] = 0.0
    assert atoms_of(numbers, 0.02) == ((), False)
    numbers[9] = 0.0
    assert atoms_of(numbers, 0.02) == ((0.0,), False)


@pytest.mark.parametrize("n_values", [2, 5, 12])
def test_few_different_values_are_all_there_is(n_values):
    numbers = np.repeat(np.arange(n_values), 10) ** 2.0
    values = tuple((np.arange(n_values) ** 2.0).tolist())
    assert atoms_of(numbers, SHARE) == (values, True)


def test_twenty_one_different_values_may_have_others():
    assert atoms_of(np.repeat(np.arange(21.0), 10), SHARE) == ((), False)


def test_few_different_values_in_few_rows_may_have_others():
    numbers = np.repeat(np.arange(5.0), 10)
    assert atoms_of(numbers[1:], SHARE) == ((), False)


def test_something_is_left_for_the_continuous_part(rng):
    # 19 rows beside the zeros are too few to learn a distribution from.
    numbers = np.append(np.zeros(500), rng.normal(size=19))
    assert atoms_of(numbers, SHARE) == ((), False)
    numbers = np.append(numbers, rng.normal())
    assert atoms_of(numbers, SHARE) == ((0.0,), False)


def test_nothing_is_looked_for(amounts):
    amounts[:500] = 0.0
    assert atoms_of(amounts, None) == ((), False)


def test_order_of_the_rows_is_irrelevant(amounts, rng):
    amounts[:100] = 0.0
    assert atoms_of(rng.permutation(amounts), SHARE) == atoms_of(amounts, SHARE)


@pytest.mark.parametrize("codes", [(-9, -8, -7), (-1, 0), (0, 99_998, 99_999)])
def test_codes_next_to_one_another(amounts, codes):
    for place, code in enumerate(codes):
        amounts[50 * place : 50 * (place + 1)] = code
    assert atoms_of(amounts, SHARE) == (codes, False)
