import numpy as np
import pandas as pd
import pytest

from skvae.datasets import _factor_table, make_factor_table


def test_shapes_and_names():
    table = make_factor_table(n_samples=30, n_factors=3, n_features=7, random_state=0)
    assert table.data.shape == (30, 7)
    assert list(table.data.columns) == table.feature_names
    assert table.factors.shape == (30, 3)
    assert list(table.factors.columns) == table.factor_names
    assert table.mixing.shape == (3, 7)
    assert table.categorical_features == []
    assert (table.data.dtypes == np.float64).all()
    assert "7 columns" in table.DESCR


def test_factors_are_independent_standardised_and_not_gaussian():
    factors = make_factor_table(10_000, n_factors=8, random_state=0).factors
    # Of the values, and of their squares: uncorrelated is not yet independent.
    for values in (factors, factors**2):
        assert np.abs(values.corr().to_numpy() - np.eye(8)).max() < 0.05
    np.testing.assert_allclose(factors.mean(), 0, atol=0.05)
    np.testing.assert_allclose(factors.var(), 1, atol=0.1)
    assert (factors.kurt().abs() > 0.5).all()


def test_linear_table_without_noise_is_factors_times_mixing():
    table = make_factor_table(40, mixing="linear", noise=0, random_state=0)
    np.testing.assert_allclose(
        table.data.to_numpy(), table.factors.to_numpy() @ table.mixing, atol=1e-12
    )


def test_noise_has_the_standard_deviation_asked_for():
    silent = make_factor_table(20_000, noise=0, random_state=0)
    noisy = make_factor_table(20_000, noise=0.5, random_state=0)
    np.testing.assert_allclose((noisy.data - silent.data).std(), 0.5, rtol=0.03)


def test_nonlinear_columns_rise_with_the_linear_signal():
    linear = make_factor_table(200, mixing="linear", noise=0, random_state=0)
    nonlinear = make_factor_table(200, mixing="nonlinear", noise=0, random_state=0)
    np.testing.assert_array_equal(linear.mixing, nonlinear.mixing)
    pd.testing.assert_frame_equal(linear.data.rank(), nonlinear.data.rank())
    assert (linear.data != nonlinear.data).any().all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("density", [0.0, 0.1, 0.3, 0.7, 1.0])
@pytest.mark.parametrize(("n_factors", "n_features"), [(1, 2), (4, 8), (5, 23)])
def test_support(seed, density, n_factors, n_features):
    mixing = make_factor_table(
        1,
        n_factors=n_factors,
        n_features=n_features,
        density=density,
        random_state=seed,
    ).mixing
    support = mixing != 0
    assert (support.sum(axis=0) >= 1).all()
    assert (support.sum(axis=1) >= 2).all()
    expected = max(round(density * support.size), n_features)
    assert support.sum() == expected


def test_factors_have_unequal_influence():
    mixing = make_factor_table(
        1, n_factors=4, n_features=400, density=1, random_state=0
    ).mixing
    influence = np.abs(mixing).mean(axis=1)
    assert (np.diff(influence) < 0).all()
    assert influence[-1] < 0.5 * influence[0]


@pytest.mark.parametrize("categorical_share", [0.0, 0.3])
@pytest.mark.parametrize("mixing", ["linear", "nonlinear"])
def test_factor_moves_its_columns_and_no_other(mixing, categorical_share):
    table = make_factor_table(
        5_000,
        mixing=mixing,
        categorical_share=categorical_share,
        density=0.25,
        random_state=0,
    )
    both = pd.concat([table.data, table.factors], axis=1)
    correlations = both.corr(method="spearman")
    correlations = correlations.loc[table.factor_names, table.feature_names].to_numpy()
    support = table.mixing != 0
    assert (np.sign(correlations) == np.sign(table.mixing))[support].all()
    assert np.abs(correlations[support]).min() > 0.1
    assert np.abs(correlations[~support]).max() < 0.06


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_categorical_columns(share):
    table = make_factor_table(2_000, categorical_share=share, random_state=1)
    assert len(table.categorical_features) == share * 20
    for name, column in table.data.items():
        if name not in table.categorical_features:
            assert column.dtype == np.float64
            continue
        assert column.dtype == np.int64
        assert 2 <= column.nunique() <= 6
        assert set(column) == set(range(column.nunique()))
        assert column.value_counts(normalize=True).min() > 0.05


def test_codes_keep_the_order_of_the_values():
    numeric = make_factor_table(300, random_state=0)
    coded = make_factor_table(300, categorical_share=1, random_state=0)
    np.testing.assert_array_equal(numeric.mixing, coded.mixing)
    codes = _factor_table._to_codes(np.arange(10.0), np.array([0.2, 0.5, 0.3]))
    assert (np.diff(codes) >= 0).all()
    assert codes.max() == 2


def test_random_state():
    first = make_factor_table(50, categorical_share=0.5, random_state=3)
    second = make_factor_table(
        50, categorical_share=0.5, random_state=np.random.RandomState(3)
    )
    third = make_factor_table(50, categorical_share=0.5, random_state=4)
    pd.testing.assert_frame_equal(first.data, second.data)
    pd.testing.assert_frame_equal(first.factors, second.factors)
    assert not first.data.equals(third.data)


def test_mixing_does_not_depend_on_the_number_of_rows_or_on_noise():
    few = make_factor_table(10, categorical_share=0.3, random_state=3)
    many = make_factor_table(100, categorical_share=0.3, noise=1, random_state=3)
    np.testing.assert_array_equal(few.mixing, many.mixing)
    assert few.categorical_features == many.categorical_features


def test_return_X_y():
    data, factors = make_factor_table(50, return_X_y=True, random_state=3)
    both = make_factor_table(50, random_state=3)
    pd.testing.assert_frame_equal(data, both.data)
    pd.testing.assert_frame_equal(factors, both.factors)


def test_one_row_of_codes():
    table = make_factor_table(1, categorical_share=1, random_state=0)
    assert table.data.shape == (1, 20)


def test_too_few_columns_for_the_factors():
    with pytest.raises(ValueError, match="Got n_features=9, n_factors=5"):
        make_factor_table(n_factors=5, n_features=9)


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_samples": 0},
        {"n_factors": 0},
        {"n_features": 1},
        {"noise": -1},
        {"mixing": "random"},
        {"density": 1.5},
        {"categorical_share": -0.1},
        {"return_X_y": "yes"},
        {"random_state": "zero"},
    ],
)
def test_parameters_are_validated(parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"The '{name}' parameter of"):
        make_factor_table(**parameters)
