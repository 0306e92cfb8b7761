"""How far factors move columns: against plain loops and a decoder known by heart."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import InvalidParameterError

from skvae import BetaTCVAE
from skvae.inspection import factor_effects
from skvae.inspection._validation import column_spread


class LinearModel(BaseEstimator):
    """Codes are the rows; decoding multiplies them by a matrix."""

    n_active_ = 2
    kl_per_dimension_ = np.array([1.0, 2.0])

    def __init__(self, loadings):
        self.loadings = np.asarray(loadings, dtype=float)
        self.n_features_in_ = self.loadings.shape[1]

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
        codes = np.asarray(X, dtype=float)[:, : len(self.loadings)]
        return codes, np.zeros_like(codes)

    def _modelled(self, table):
        return table

    def inverse_transform(self, codes):
        return codes @ self.loadings

    def get_feature_names_out(self):
        return np.array([f"z{j}" for j in range(len(self.loadings))], dtype=object)


def test_effects_of_a_linear_decoder_are_its_loadings_over_spreads():
    rng = np.random.default_rng(0)
    loadings = np.array([[2.0, -1.0, 0.0], [0.0, 3.0, 0.5]])
    X = np.column_stack([rng.normal(size=(400, 2)), rng.exponential(size=400)])
    effects = factor_effects(LinearModel(loadings), X)
    moved = np.subtract(*np.quantile(X[:, :2], [0.95, 0.05], axis=0))
    spread = np.subtract(*np.quantile(X, [0.95, 0.05], axis=0))
    expected = moved[:, None] * loadings / spread
    np.testing.assert_allclose(effects, expected, rtol=1e-10, atol=1e-12)
    assert list(effects.index) == ["z0", "z1"]
    assert list(effects.columns) == ["x0", "x1", "x2"]


def test_effects_equal_plain_loop_over_rows(model, X):
    effects = factor_effects(model, X, quantiles=(0.1, 0.9), max_rows=len(X))
    codes = model.transform(X)
    assert effects.shape == (4, X.shape[1])
    assert list(effects.columns) == list(X.columns)
    assert list(effects.index) == list(model.get_feature_names_out())
    for j, name in enumerate(effects.index):
        ends = []
        for quantile in (0.1, 0.9):
            moved = codes.copy()
            moved[:, j] = np.quantile(codes[:, j], quantile)
            ends.append(model.inverse_transform(moved).mean())
        spread = column_spread(X, (0.1, 0.9))
        np.testing.assert_allclose(
            effects.loc[name], (ends[1] - ends[0]) / spread, atol=1e-12
        )


def test_spread_of_rare_and_constant_columns():
    table = pd.DataFrame(
        {"rare": [0] * 99 + [5], "constant": [7] * 100, "ramp": range(100)}
    )
    spread = column_spread(table, (0.05, 0.95))
    np.testing.assert_allclose(spread[[0, 2]], [5, 89.1])
    assert np.isnan(spread[1])


def test_constant_column_has_effect_zero(X):
    X = X.assign(SEX=1)
    model = BetaTCVAE(latent_dim=2, max_epochs=4, random_state=0).fit(X)
    effects = factor_effects(model, X)
    assert (effects["SEX"] == 0).all()
    assert np.isfinite(effects.to_numpy()).all()


def test_output_container_makes_no_difference(X):
    model = BetaTCVAE(latent_dim=2, max_epochs=4, random_state=0).fit(X)
    expected = factor_effects(model, X)
    actual = factor_effects(model.set_output(transform="pandas"), X)
    pd.testing.assert_frame_equal(actual, expected)


def test_rows_are_drawn_reproducibly(model, X):
    first = factor_effects(model, X, max_rows=50, random_state=3)
    pd.testing.assert_frame_equal(
        first, factor_effects(model, X, max_rows=50, random_state=3)
    )
    assert not first.equals(factor_effects(model, X, max_rows=50, random_state=4))


def test_bad_input(model, X, monkeypatch):
    with pytest.raises(NotFittedError):
        factor_effects(BetaTCVAE(), X)
    with pytest.raises(ValueError, match="lower < upper"):
        factor_effects(model, X, quantiles=(0.9, 0.1))
    with pytest.raises(ValueError, match="feature names"):
        factor_effects(model, X.drop(columns="AGE"))
    with pytest.raises(InvalidParameterError, match="max_rows"):
        factor_effects(model, X, max_rows=0)


def test_collapsed_model_is_refused(collapsed, X):
    with pytest.raises(ValueError, match="n_active_ is 0"):
        factor_effects(collapsed, X)
