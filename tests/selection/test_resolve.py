import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder, StandardScaler

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


@pytest.fixture(scope="module")
def mixed(table):
    levels = np.array(["low", "high"])[(table["c0"] > 0).astype(int)]
    days = pd.to_timedelta(np.round(10 * table["c1"]), "D")
    mixed = pd.DataFrame(
        {
            "amount": table["c2"],
            "level": levels,
            "grade": pd.Categorical(np.digitize(table["c3"], [-1, 1])),
            "since": pd.Timestamp("2020-01-01") + days,
            "insured": table["c0"] > table["c1"],
        }
    )
    mixed.loc[::9, ["amount", "level", "since"]] = None
    return mixed


def resolved_behind(step, mixed):
    return resolve(make_pipeline(step, small_model()).fit(mixed), mixed)


def in_other_units(rows):
    return rows.assign(amount=rows["amount"] / 3)


def in_own_units(rows):
    return rows.assign(amount=rows["amount"] * 3)


def test_mixed_tables_come_back(mixed):
    step = FunctionTransformer(in_other_units, in_own_units, check_inverse=False)
    resolved = resolved_behind(step, mixed)
    back = resolved.to_data(resolved.inputs)
    pd.testing.assert_frame_equal(back, mixed)


@pytest.mark.parametrize(
    "loss",
    [
        {"level": "low"},
        {"grade": 2},
        {"since": pd.Timestamp("2020-01-01")},
        {"insured": True},
        {"amount": 0.0},
    ],
    ids=lambda loss: next(iter(loss)),
)
def test_mixed_tables_that_lose_a_column_have_no_way_back(mixed, loss):
    step = FunctionTransformer(inverse_func=lambda rows: rows.assign(**loss))
    assert resolved_behind(step, mixed).to_data is None


def test_holes_that_are_filled_are_no_way_back(mixed):
    step = FunctionTransformer(lambda rows: rows.fillna({"amount": 0.0, "level": "no"}))
    assert resolved_behind(step, mixed).to_data is None


def test_strings_come_back_from_their_codes(mixed):
    names = mixed[["level", "grade"]].assign(level=mixed["level"].fillna("low"))
    encoder = OrdinalEncoder().set_output(transform="pandas")
    resolved = resolved_behind(encoder, names)
    back = resolved.to_data(resolved.inputs)
    assert back.astype(str).equals(names.astype(str))
