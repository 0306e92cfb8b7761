import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skvae import BetaTCVAE
from skvae.selection._resolve import resolve


@pytest.fixture(scope="module")
def table():
    rng = np.random.RandomState(0)
    factor = rng.uniform(-1, 1, 200)
    columns = {f"c{i}": (i + 1) * factor + rng.randn(200) for i in range(4)}
    return pd.DataFrame(columns)


def small_model():
    return BetaTCVAE(
        latent_dim=2, max_epochs=2, hidden_layer_sizes=(8,), random_state=0
    )


def test_a_model_is_itself(table):
    model = small_model().fit(table)
    resolved = resolve(model, table)
    assert resolved.model is model
    assert resolved.inputs is table
    assert resolved.to_data(table) is table


def test_a_pipeline_gives_the_last_step_and_the_way_back(table):
    pipeline = make_pipeline(StandardScaler(), "passthrough", small_model()).fit(table)
    resolved = resolve(pipeline, table)
    assert resolved.model is pipeline[-1]
    np.testing.assert_allclose(resolved.inputs, pipeline[0].transform(table))
    back = resolved.to_data(resolved.inputs)
    pd.testing.assert_frame_equal(back, table)


def test_pipelines_nest(table):
    inner = Pipeline([("shift", StandardScaler()), ("model", small_model())])
    pipeline = make_pipeline(StandardScaler(), inner).fit(table)
    resolved = resolve(pipeline, table)
    pd.testing.assert_frame_equal(resolved.to_data(resolved.inputs), table)


def test_frozen_estimators_and_searches_open_up(table):
    model = small_model().fit(table)
    assert resolve(FrozenEstimator(model), table).model is model
    scaler = StandardScaler().set_output(transform="pandas").fit(table)
    frozen_last = make_pipeline(scaler, FrozenEstimator(model))
    assert resolve(frozen_last, table).model is model
    search = GridSearchCV(small_model(), {"beta": [1, 2]}, cv=2).fit(table)
    assert resolve(search, table).model is search.best_estimator_


@pytest.mark.parametrize(
    "step",
    [
        PCA(n_components=2),  # has an inverse_transform, but the rows do not come back
        FunctionTransformer(np.tanh),  # its default inverse is the identity
        ColumnTransformer([("scale", StandardScaler(), ["c0", "c1"])]),
    ],
    ids=["projection", "no inverse given", "no inverse_transform"],
)
def test_steps_that_lose_something_have_no_way_back(table, step):
    resolved = resolve(make_pipeline(step, small_model()).fit(table), table)
    assert resolved.to_data is None
    with pytest.raises(ValueError, match=r"no exact inverse.*space=.model"):
        resolved.pair(resolved.inputs, "data")
    real, other = resolved.pair(resolved.inputs, "model")
    assert real is resolved.inputs
    assert other is resolved.inputs


def test_unknown_space(table):
    resolved = resolve(small_model().fit(table), table)
    with pytest.raises(ValueError, match=r"space='units'; expected"):
        resolved.pair(table, "units")


def test_other_estimators_are_refused(table):
    other = LinearRegression().fit(table, table["c0"])
    with pytest.raises(
        TypeError, match="Got LinearRegression; expected a fitted model"
    ):
        resolve(other, table)
