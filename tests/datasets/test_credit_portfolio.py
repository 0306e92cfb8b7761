import re

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from skvae.datasets import _credit_portfolio, make_credit_portfolio
from skvae.datasets._taiwan_credit import (
    BILL_NAMES,
    FEATURE_NAMES,
    PAYMENT_NAMES,
    STATUS_NAMES,
)

N_MOST = 7


@pytest.fixture(scope="module")
def portfolio():
    return make_credit_portfolio(10_000, n_factors=N_MOST, random_state=0)


def test_shapes_and_names(portfolio):
    assert portfolio.data.shape == (10_000, 23)
    assert list(portfolio.data.columns) == portfolio.feature_names == FEATURE_NAMES
    assert (portfolio.data.dtypes == np.int64).all()
    assert portfolio.factors.shape == (10_000, N_MOST)
    assert list(portfolio.factors.columns) == portfolio.factor_names
    assert portfolio.support.shape == (N_MOST, 23)
    assert "7 independent factors" in portfolio.DESCR


def test_kinds_and_ranges(portfolio):
    data = portfolio.data
    assert (data["LIMIT_BAL"] % 10_000 == 0).all()
    assert data["LIMIT_BAL"].between(10_000, 1_000_000).all()
    assert set(data["SEX"]) == {1, 2}
    assert set(data["EDUCATION"]) == {1, 2, 3, 4}
    assert set(data["MARRIAGE"]) == {1, 2, 3}
    assert data["AGE"].between(21, 75).all()
    statuses = np.unique(data[STATUS_NAMES])
    assert set(statuses) <= {-2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8}
    assert {-2, -1, 0, 2, 3} <= set(statuses)
    assert (data[PAYMENT_NAMES] >= 0).all(axis=None)
    # A card that is not in use is billed nothing, or its balance is the client's.
    unused = data["PAY_0"] == -2
    assert (data["BILL_AMT1"][unused] <= 0).all()


def test_margins_are_about_those_of_the_real_table(portfolio):
    # The figures of the real table are in comments; a factor of two is the aim.
    data = portfolio.data
    assert 70_000 < data["LIMIT_BAL"].median() < 280_000  # 140,000
    assert 0.5 < data["LIMIT_BAL"].skew() < 2  # 0.99
    assert 30 < data["AGE"].median() < 38  # 34
    assert 11_000 < data["BILL_AMT1"].median() < 45_000  # 22,382
    assert 1.3 < data["BILL_AMT1"].skew() < 5.4  # 2.66
    assert 0.03 < (data["BILL_AMT1"] == 0).mean() < 0.14  # 0.07
    assert 0.005 < (data["BILL_AMT1"] < 0).mean() < 0.04  # 0.02
    assert 1_000 < data["PAY_AMT1"].median() < 4_200  # 2,100
    assert 0.08 < (data["PAY_AMT1"] == 0).mean() < 0.35  # 0.17
    assert data["PAY_AMT1"].skew() > 5  # 14.7
    assert 0.25 < (data["PAY_2"] == 0).mean() < 0.75  # 0.52
    assert 0.07 < (data["PAY_2"] > 0).mean() < 0.3  # 0.15

    bills = data[BILL_NAMES].corr().to_numpy()
    assert bills.min() > 0.7  # 0.80
    assert np.diag(bills, 1).min() > 0.9  # 0.92
    assert data[STATUS_NAMES].corr().to_numpy().min() > 0.5  # 0.47
    assert data["PAY_AMT1"].corr(data["BILL_AMT2"], method="spearman") > 0.4  # 0.64


def test_factors_are_independent_bounded_and_not_gaussian(portfolio):
    factors = portfolio.factors
    assert (factors.abs() <= 1).all(axis=None)
    # Of the values, and of their squares: uncorrelated is not yet independent.
    for table in (factors, factors**2):
        off_diagonal = table.corr().to_numpy() - np.eye(N_MOST)
        assert np.abs(off_diagonal).max() < 0.05
    # Kurtosis tells the flat ones, skewness the lopsided one.
    assert (np.maximum(factors.kurt().abs(), factors.skew().abs()) > 0.5).all()


@pytest.mark.parametrize("name", _credit_portfolio.FACTOR_NAMES)
def test_factor_moves_its_columns_and_no_other(name):
    generator = np.random.RandomState(0)
    factors = _credit_portfolio._draw_factors(generator, 2_000, N_MOST)
    noise = _credit_portfolio._draw_noise(generator, 2_000)
    before = _credit_portfolio._simulate_table(factors, noise)
    factors[:, _credit_portfolio.FACTOR_NAMES.index(name)] *= -1
    after = _credit_portfolio._simulate_table(factors, noise)

    share_moved = (before != after).mean()
    moved = share_moved.index[share_moved > 0].tolist()
    assert moved == [
        column
        for column in FEATURE_NAMES
        if column in _credit_portfolio.FACTOR_COLUMNS[name]
    ]
    assert (share_moved[moved] > 0.1).all()


@pytest.mark.parametrize(
    ("name", "column", "sign"),
    [
        ("wealth", "LIMIT_BAL", 1),
        ("wealth", "EDUCATION", -1),
        ("wealth", "BILL_AMT1", 1),
        ("wealth", "PAY_AMT1", 1),
        ("utilisation", "BILL_AMT3", 1),
        ("utilisation", "PAY_AMT3", 1),
        ("arrears", "PAY_3", 1),
        ("arrears", "PAY_AMT3", -1),
        ("payment_discipline", "PAY_AMT3", 1),
        ("payment_discipline", "PAY_3", -1),
        ("life_stage", "AGE", 1),
        ("life_stage", "MARRIAGE", -1),
        ("life_stage", "EDUCATION", 1),
        ("spending_trend", "BILL_AMT1", 1),
        ("spending_trend", "BILL_AMT6", -1),
        ("seasonal_peak", "BILL_AMT3", 1),
        ("seasonal_peak", "BILL_AMT6", -1),
    ],
)
def test_factor_moves_columns_the_way_the_documentation_says(
    portfolio, name, column, sign
):
    correlation = portfolio.factors[name].corr(
        portfolio.data[column], method="spearman"
    )
    assert sign * correlation > 0.05


def test_factors_can_be_recovered(portfolio):
    train, test = slice(0, 7_000), slice(7_000, None)
    for name, factor in portfolio.factors.items():
        model = HistGradientBoostingRegressor(max_iter=100, random_state=0)
        model.fit(portfolio.data[train], factor[train])
        # At least about .8 with more rows and rounds; .75 here, where tests are short.
        assert model.score(portfolio.data[test], factor[test]) > 0.75, name


def test_no_single_column_gives_a_factor_away(portfolio):
    # Else recovering them would be trivial. Life stage is the easy one: AGE shows it.
    correlations = pd.concat([portfolio.data, portfolio.factors], axis=1).corr(
        method="spearman"
    )
    largest = correlations.loc[portfolio.factor_names, FEATURE_NAMES].abs().max(axis=1)
    assert (largest.drop(["life_stage", "wealth", "utilisation"]) < 0.9).all()


@pytest.mark.parametrize("n_factors", range(2, N_MOST + 1))
def test_n_factors_turns_on_the_first_ones(portfolio, n_factors):
    fewer = make_credit_portfolio(10_000, n_factors=n_factors, random_state=0)
    assert fewer.factor_names == portfolio.factor_names[:n_factors]
    pd.testing.assert_frame_equal(
        fewer.factors, portfolio.factors[portfolio.factor_names[:n_factors]]
    )


def test_factors_turned_off_are_held_at_their_median():
    few = make_credit_portfolio(5_000, n_factors=2, noise=0, random_state=0)
    assert few.data["AGE"].nunique() == 1
    assert few.data["AGE"][0] == 34
    assert few.data["MARRIAGE"].nunique() == 1
    assert (few.data[STATUS_NAMES] <= 0).all(axis=None)


def test_without_noise_the_table_is_a_function_of_the_factors():
    generator = np.random.RandomState(0)
    factors = _credit_portfolio._draw_factors(generator, 300, N_MOST)
    tables = []
    for _ in range(2):
        noise = _credit_portfolio._draw_noise(generator, 300)
        silent = {name: 0 * draw for name, draw in noise.items()}
        tables.append(_credit_portfolio._simulate_table(factors, silent))
    pd.testing.assert_frame_equal(*tables)


def test_without_noise_sex_is_still_a_coin():
    data = make_credit_portfolio(5_000, noise=0, random_state=0).data
    assert 0.5 < (data["SEX"] == 2).mean() < 0.7


def test_absurd_noise_stays_in_range():
    data = make_credit_portfolio(2_000, noise=1e6, random_state=0).data
    assert data["LIMIT_BAL"].between(10_000, 1_000_000).all()
    assert data["AGE"].between(21, 75).all()
    assert (data[BILL_NAMES].abs() <= 1_500_000).all(axis=None)
    assert (data[PAYMENT_NAMES] <= 2_000_000).all(axis=None)


@pytest.mark.parametrize("shift", [0.4, -0.4])
@pytest.mark.parametrize("name", _credit_portfolio.FACTOR_NAMES)
def test_factor_shift_moves_the_columns_of_its_factor_and_no_other(
    portfolio, name, shift
):
    shifted = make_credit_portfolio(
        10_000, n_factors=N_MOST, factor_shift={name: shift}, random_state=0
    )
    pd.testing.assert_frame_equal(shifted.support, portfolio.support)
    own = _credit_portfolio.FACTOR_COLUMNS[name]
    pd.testing.assert_frame_equal(
        shifted.data.drop(columns=own), portfolio.data.drop(columns=own)
    )
    share_moved = (shifted.data[own] != portfolio.data[own]).mean()
    assert (share_moved > 0.03).all()


@pytest.mark.parametrize("shift", [0.4, -0.4, 2, -2])
@pytest.mark.parametrize("name", _credit_portfolio.FACTOR_NAMES)
def test_factor_shift_adds_to_its_factor_clips_it_and_keeps_the_others(
    portfolio, name, shift
):
    _, factors = make_credit_portfolio(
        10_000,
        n_factors=N_MOST,
        factor_shift={name: shift},
        return_X_y=True,
        random_state=0,
    )
    expected = portfolio.factors.copy()
    expected[name] = [min(max(value + shift, -1.0), 1.0) for value in expected[name]]
    pd.testing.assert_frame_equal(factors, expected, check_exact=True)
    end = np.sign(shift)
    assert (factors[name] == end).mean() > (portfolio.factors[name] == end).mean()


def test_two_factors_shift_at_once(portfolio):
    shift = {"seasonal_peak": np.float32(-0.5), "life_stage": 1}
    both = make_credit_portfolio(
        10_000, n_factors=N_MOST, factor_shift=shift, random_state=0
    )
    for name, amount in shift.items():
        one = make_credit_portfolio(
            10_000, n_factors=N_MOST, factor_shift={name: amount}, random_state=0
        )
        own = _credit_portfolio.FACTOR_COLUMNS[name]
        pd.testing.assert_frame_equal(both.data[own], one.data[own])
        pd.testing.assert_series_equal(both.factors[name], one.factors[name])
        assert not both.data[own].equals(portfolio.data[own])


def test_arrears_shifted_up_make_nobody_less_late_or_pay_more(portfolio):
    recession = make_credit_portfolio(
        10_000, n_factors=N_MOST, factor_shift={"arrears": 0.4}, random_state=0
    ).data
    usual = portfolio.data
    assert (recession[STATUS_NAMES] >= usual[STATUS_NAMES]).all(axis=None)
    assert (recession[PAYMENT_NAMES] <= usual[PAYMENT_NAMES]).all(axis=None)


@pytest.mark.parametrize("n_factors", [2, N_MOST])
@pytest.mark.parametrize("factor_shift", [None, {}, {"wealth": 0}])
def test_no_factor_shift_changes_nothing(factor_shift, n_factors):
    given = make_credit_portfolio(
        500, n_factors=n_factors, factor_shift=factor_shift, random_state=0
    )
    default = make_credit_portfolio(500, n_factors=n_factors, random_state=0)
    # Bytes, because zero equals minus zero.
    assert given.data.to_numpy().tobytes() == default.data.to_numpy().tobytes()
    assert given.factors.to_numpy().tobytes() == default.factors.to_numpy().tobytes()


def test_factor_shift_is_left_as_it_was():
    factor_shift = {"arrears": 0.4}
    make_credit_portfolio(5, factor_shift=factor_shift, random_state=0)
    assert factor_shift == {"arrears": 0.4}


@pytest.mark.parametrize("name", ["arrear", "seasonal_peak", 2, None])
def test_factor_shift_of_a_factor_that_does_not_vary_is_an_error(name):
    message = (
        f"Got factor_shift={{{name!r}: 0.4}}; expected names of factors that vary with "
        f"n_factors=3, not {name!r}: 'wealth', 'utilisation', 'arrears'."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        make_credit_portfolio(5, n_factors=3, factor_shift={name: 0.4})


@pytest.mark.parametrize(
    "shift",
    [2.1, -2.1, np.nan, np.inf, -np.inf, True, np.True_, "0.4", None, 1j, [0.4]],
)
def test_factor_shift_that_is_no_number_in_range_is_an_error(shift):
    factor_shift = {"wealth": 0.1, "arrears": shift}
    message = (
        f"Got factor_shift={factor_shift!r}; expected a number from -2 to 2 for "
        "'arrears'."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        make_credit_portfolio(5, factor_shift=factor_shift)


def test_an_error_draws_no_random_numbers():
    random_state = np.random.RandomState(3)
    with pytest.raises(ValueError):
        make_credit_portfolio(5, factor_shift={"luck": 1}, random_state=random_state)
    assert random_state.uniform() == np.random.RandomState(3).uniform()


def test_random_state():
    first = make_credit_portfolio(50, random_state=3)
    second = make_credit_portfolio(50, random_state=np.random.RandomState(3))
    third = make_credit_portfolio(50, random_state=4)
    pd.testing.assert_frame_equal(first.data, second.data)
    pd.testing.assert_frame_equal(first.factors, second.factors)
    assert not first.data.equals(third.data)


def test_return_X_y():
    data, factors = make_credit_portfolio(50, return_X_y=True, random_state=3)
    both = make_credit_portfolio(50, random_state=3)
    pd.testing.assert_frame_equal(data, both.data)
    pd.testing.assert_frame_equal(factors, both.factors)


def test_one_customer():
    assert make_credit_portfolio(1, random_state=0).data.shape == (1, 23)


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_factors": 1},
        {"n_factors": N_MOST + 1},
        {"n_factors": 2.5},
        {"n_samples": 0},
        {"noise": -0.1},
        {"factor_shift": 0.4},
        {"factor_shift": [("arrears", 0.4)]},
        {"factor_shift": "arrears"},
        {"return_X_y": "yes"},
        {"random_state": "zero"},
    ],
)
def test_parameters_are_validated(parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"The '{name}' parameter of"):
        make_credit_portfolio(**parameters)
