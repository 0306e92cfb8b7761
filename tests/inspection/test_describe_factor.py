"""The table of one factor: against `factor_effects` and decoders known by heart."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import InvalidParameterError

from skvae import CVAE, BetaTCVAE
from skvae.inspection import describe_factor, factor_effects


class LinearModel(BaseEstimator):
    """Codes are the first two columns; decoding multiplies them by a matrix."""

    n_active_ = 1
    n_features_in_ = 3
    loadings = np.array([[2.0, -1.0, 0.0], [0.0, 3.0, 0.5]])

    def fit(self, X, y=None):
        return self

    def __sklearn_is_fitted__(self):
        return True

    @property
    def _factor_model(self):
        return self

    @property
    def _factor_names(self):
        return list(self.get_feature_names_out())

    def _encode(self, X):
        codes = np.asarray(X, dtype=float)[:, :2]
        return codes, np.zeros_like(codes)

    def _modelled(self, table):
        return table

    def inverse_transform(self, codes):
        return codes @ self.loadings

    def get_feature_names_out(self):
        return np.array(["z0", "z1"], dtype=object)


@pytest.fixture
def linear_table():
    rng = np.random.default_rng(0)
    return np.column_stack([rng.normal(size=(400, 2)), 30 * rng.exponential(size=400)])


@pytest.fixture(scope="module")
def floats():
    """Three columns of floats that follow one factor, the last one against it."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(300, 1)) * [1.0, 0.8, -0.7]
    values += 0.2 * rng.normal(size=values.shape)
    return pd.DataFrame(values, columns=["a", "b", "c"])


def _fit_standard(table):
    model = BetaTCVAE(
        latent_dim=1,
        encoding="standard",
        hidden_layer_sizes=(8,),
        lr=1e-2,
        max_epochs=20,
        device="cpu",
        random_state=0,
    )
    return model.fit(table)


def test_description_of_a_linear_decoder_is_its_loadings(linear_table):
    description = describe_factor(LinearModel(), linear_table, "z0")
    lower, upper = np.quantile(linear_table, [0.05, 0.95], axis=0)
    moved = (upper - lower)[0]
    sizes = pd.Series({"x0": 2 * moved, "x1": moved, "x2": 0.0})
    shares = pd.Series({"x0": 2.0, "x1": -moved / (upper - lower)[1], "x2": 0.0})
    expected = pd.DataFrame(
        {"direction": ["up", "down", "none"], "size": sizes, "share": shares}
    ).rename_axis("column")
    pd.testing.assert_frame_equal(
        description, expected, check_index_type=False, rtol=1e-10
    )


@pytest.mark.parametrize("quantiles", [(0.05, 0.95), (0.2, 0.7)])
def test_share_is_the_row_of_factor_effects(model, X, quantiles):
    settings = {"quantiles": quantiles, "max_rows": 100, "random_state": 3}
    effects = factor_effects(model, X, **settings)
    for name in model.get_feature_names_out():
        share = describe_factor(model, X, name, **settings)["share"]
        np.testing.assert_allclose(share[X.columns], effects.loc[name], atol=1e-12)


def test_size_equals_plain_loop_over_rows(model, X):
    name = model.get_feature_names_out()[1]
    codes = model.transform(X)
    ends = []
    for quantile in (0.1, 0.9):
        moved = codes.copy()
        moved[:, 1] = np.quantile(codes[:, 1], quantile)
        ends.append(model.inverse_transform(moved).mean())
    description = describe_factor(model, X, name, quantiles=(0.1, 0.9), max_rows=len(X))
    size = (ends[1] - ends[0]).abs()
    np.testing.assert_allclose(description["size"][X.columns], size, atol=1e-8)


def test_size_is_in_units_of_the_column(floats):
    scaled = floats.assign(b=1000 * floats["b"])
    before = describe_factor(_fit_standard(floats), floats, 0)
    after = describe_factor(_fit_standard(scaled), scaled, 0)
    ratio = (after["size"] / before["size"])[["a", "b", "c"]]
    np.testing.assert_allclose(ratio, [1, 1000, 1], rtol=0.05)
    after = after.loc[before.index]
    np.testing.assert_allclose(after["share"], before["share"], rtol=0.05)


def test_directions_tell_columns_that_go_against_each_other(floats):
    direction = describe_factor(_fit_standard(floats), floats, 0)["direction"]
    assert direction["a"] == direction["b"] != direction["c"]
    assert set(direction) == {"up", "down"}


def test_largest_share_comes_first_and_direction_is_its_sign(model, X):
    for factor in range(4):
        description = describe_factor(model, X, factor)
        assert list(description) == ["direction", "size", "share"]
        assert description.index.name == "column"
        assert set(description.index) == set(X.columns)
        assert description["share"].abs().is_monotonic_decreasing
        assert (description["size"] >= 0).all()
        signs = description["direction"].map({"up": 1, "none": 0, "down": -1})
        np.testing.assert_array_equal(signs, np.sign(description["share"]))


@pytest.mark.parametrize("to_position", [int, np.int64])
def test_name_and_position_agree(model, X, to_position):
    for j, name in enumerate(model.get_feature_names_out()):
        pd.testing.assert_frame_equal(
            describe_factor(model, X, name), describe_factor(model, X, to_position(j))
        )


def test_factor_that_is_not_active_has_a_table(X):
    model = BetaTCVAE(latent_dim=4, beta=8, max_epochs=8, random_state=0).fit(X)
    assert model.n_active_ < 4
    description = describe_factor(model, X, int(np.argmin(model.kl_per_dimension_)))
    assert len(description) == X.shape[1]
    assert np.isfinite(description[["size", "share"]].to_numpy()).all()


def test_constant_column_has_no_direction(X):
    X = X.assign(SEX=1)
    model = BetaTCVAE(latent_dim=2, max_epochs=4, random_state=0).fit(X)
    sex = describe_factor(model, X, 0).loc["SEX"]
    assert sex["direction"] == "none"
    assert sex["share"] == 0
    assert sex["size"] == 0


def test_column_constant_in_these_rows_has_no_direction(linear_table):
    linear_table[:, 2] = 7
    description = describe_factor(LinearModel(), linear_table, "z1")
    assert list(description.loc["x2", ["direction", "share"]]) == ["none", 0]


def test_array_gives_the_same_numbers_as_a_frame(floats):
    array = floats.to_numpy()
    description = describe_factor(_fit_standard(array), array, 0)
    assert set(description.index) == {"x0", "x1", "x2"}
    expected = describe_factor(_fit_standard(floats), floats, 0)
    pd.testing.assert_frame_equal(
        description.rename({"x0": "a", "x1": "b", "x2": "c"}), expected
    )


def test_condition_column_is_left_out(floats):
    table = floats.copy()
    table.insert(1, "group", np.where(np.arange(len(table)) % 2, "low", "high"))
    model = CVAE(
        latent_dim=1,
        condition_columns=["group"],
        hidden_layer_sizes=(8,),
        lr=1e-2,
        max_epochs=20,
        device="cpu",
        random_state=0,
    ).fit(table)
    description = describe_factor(model, table, 0)
    assert set(description.index) == {"a", "b", "c"}
    effects = factor_effects(model, table).iloc[0]
    np.testing.assert_allclose(description["share"], effects[description.index])


def test_output_container_makes_no_difference(floats):
    model = _fit_standard(floats)
    expected = describe_factor(model, floats, 0)
    actual = describe_factor(model.set_output(transform="pandas"), floats, 0)
    pd.testing.assert_frame_equal(actual, expected)


@pytest.mark.parametrize("factor", ["BILL", 4, -1, 1.0, True, None, ["betatcvae0"]])
def test_unknown_factor_is_named_with_the_choices(model, X, factor):
    with pytest.raises(ValueError, match=r"betatcvae3.* from 0 to 3, got ") as error:
        describe_factor(model, X, factor)
    assert str(error.value).endswith(f"got {factor!r}.")


def test_bad_input(model, X):
    with pytest.raises(NotFittedError):
        describe_factor(BetaTCVAE(), X, 0)
    with pytest.raises(ValueError, match="lower < upper"):
        describe_factor(model, X, 0, quantiles=(0.9, 0.1))
    with pytest.raises(ValueError, match="feature names"):
        describe_factor(model, X.drop(columns="AGE"), 0)
    with pytest.raises(InvalidParameterError, match="max_rows"):
        describe_factor(model, X, 0, max_rows=0)


def test_collapsed_model_is_refused(collapsed, X):
    with pytest.raises(ValueError, match="n_active_ is 0"):
        describe_factor(collapsed, X, 0)
