"""One epoch at a time."""

import pickle

import numpy as np
import pandas as pd
import pytest
from model_cases import ONE_STAGE, make_table, small
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import skvae
from skvae import (
    CVAE,
    MSVAE,
    RFVAE,
    BetaTCVAE,
    DCVAEAnomalyDetector,
    FactorVAE,
    PosteriorCollapseWarning,
    TrainingDivergedError,
    UnseenConditionWarning,
)
from skvae._core.reservoir import Reservoir
from skvae.datasets import make_credit_portfolio

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")
N_EPOCHS = 4


@pytest.fixture(scope="module")
def X():
    return make_credit_portfolio(400, random_state=0).data


@pytest.mark.parametrize("model_class", ONE_STAGE)
def test_calls_with_one_table_are_the_epochs_of_fit(model_class):
    X = make_table(60)
    model = small(model_class, max_epochs=N_EPOCHS, kl_warmup=1, early_stopping=False)
    expected = clone(model).fit(X)
    for _ in range(N_EPOCHS):
        model.partial_fit(X)
    assert_array_equal(model.transform(X), expected.transform(X))
    assert_array_equal(model.score_samples(X), expected.score_samples(X))
    history = expected.history_.drop(columns="dur")
    pd.testing.assert_frame_equal(model.history_.drop(columns="dur"), history)
    assert model.best_epoch_ == model.n_iter_ == N_EPOCHS


def test_pickled_between_calls(X):
    model = BetaTCVAE(random_state=0, batch_size=64).partial_fit(X)
    copy = pickle.loads(pickle.dumps(model))
    assert_array_equal(
        copy.partial_fit(X).transform(X), model.partial_fit(X).transform(X)
    )


def test_parts_of_a_table_teach_what_the_table_does(X):
    model = BetaTCVAE(random_state=0, batch_size=32, kl_warmup=2)
    before = model.partial_fit(X[:100], schema_rows=X).score(X[300:])
    for _ in range(10):
        for start in (0, 100, 200):
            model.partial_fit(X[start : start + 100])
    assert model.score(X[300:]) > before + 5
    assert model.n_iter_ == 31
    assert len(model.sample(10, random_state=0)) == 10


def test_schema_rows_bring_levels_and_range(X):
    first, rest = X[X["PAY_0"] <= 0], X
    without = BetaTCVAE(random_state=0).partial_fit(first)
    given = BetaTCVAE(random_state=0).partial_fit(first, schema_rows=rest)
    columns = {column.name: column for column in given.table_encoder_.schema_.columns}
    narrow = {column.name: column for column in without.table_encoder_.schema_.columns}
    assert columns["PAY_0"].high == X["PAY_0"].max() > narrow["PAY_0"].high


def test_goes_on_after_fit_without_a_new_warmup(X):
    model = BetaTCVAE(max_epochs=6, kl_warmup=3, random_state=0).fit(X)
    before, n_epochs = model.score(X), model.n_iter_
    for _ in range(5):
        model.partial_fit(X)
    assert model.score(X) > before
    assert model.n_iter_ == model.best_epoch_ == n_epochs + 5
    assert (model.history_["warmup"][-5:] == 1).all()


def test_fit_starts_anew(X):
    model = BetaTCVAE(max_epochs=3, random_state=0)
    expected = clone(model).fit(X)
    model.partial_fit(X[:200]).fit(X)
    assert_array_equal(model.transform(X), expected.transform(X))
    assert model.n_iter_ == 3


def test_latents_are_those_of_all_parts(X):
    low, high = X.sort_values("LIMIT_BAL").iloc[:200], X.sort_values("LIMIT_BAL")[200:]
    model = BetaTCVAE(random_state=0, batch_size=32, kl_warmup=0)
    model.partial_fit(low, schema_rows=X)
    for _ in range(10):
        model.partial_fit(low).partial_fit(high)
    drawn = model.sample(500, random_state=0)["LIMIT_BAL"]
    share = (drawn > low["LIMIT_BAL"].max()).mean()
    assert 0.3 < share < 0.7


def test_conditions_come_along(X):
    rows, group = X.drop(columns="SEX"), X["SEX"].to_numpy()
    model = CVAE(random_state=0)
    model.partial_fit(rows, condition=group).partial_fit(rows, condition=group)
    assert len(model.sample(3, condition=1, random_state=0)) == 3
    inside = CVAE(condition_columns=["SEX"], random_state=0)
    inside.partial_fit(X[:200], schema_rows=X).partial_fit(X[200:])
    unknown = X.assign(SEX=9)
    with (
        pytest.warns(UnseenConditionWarning),
        pytest.raises(ValueError, match="a level that was not there"),
    ):
        inside.partial_fit(unknown)


def test_failed_call_leaves_the_model_as_it_was(X):
    model = BetaTCVAE(random_state=0).partial_fit(X)
    before = model.transform(X)
    with pytest.raises(ValueError, match="infinity"):
        model.partial_fit(X.assign(AGE=np.inf))
    model.set_params(callbacks=[])
    assert_array_equal(model.transform(X), before)
    assert model.n_iter_ == 1


def test_failed_first_call_leaves_nothing(X):
    model = BetaTCVAE(lr=1e30, random_state=0)
    with pytest.raises(TrainingDivergedError):
        model.partial_fit(X)
    with pytest.raises(NotFittedError):
        model.transform(X)


def test_other_columns_are_refused(X):
    model = BetaTCVAE(random_state=0).partial_fit(X)
    with pytest.raises(ValueError, match="feature names"):
        model.partial_fit(X.drop(columns="AGE"))


def test_schedule_that_needs_an_end_is_refused(X):
    with pytest.raises(ValueError, match="one_cycle"):
        BetaTCVAE(lr_schedule="one_cycle").partial_fit(X)


@pytest.mark.filterwarnings("error::skvae.PosteriorCollapseWarning")
def test_collapse_is_told_after_the_warmup_only(X):
    model = BetaTCVAE(beta=1e4, lr=1e-5, max_epochs=6, kl_warmup=2, random_state=0)
    model.partial_fit(X).partial_fit(X)
    with pytest.warns(PosteriorCollapseWarning, match="collapsed"):
        model.partial_fit(X)


def test_who_cannot_does_not_say_it_can():
    assert not hasattr(MSVAE(), "partial_fit")
    assert not hasattr(DCVAEAnomalyDetector(), "partial_fit")


def test_reservoir_is_without_bias():
    reservoir = Reservoir(2_000, seed=0)
    rows = np.arange(40_000.0)[:, None]
    for start in range(0, 40_000, 7_001):
        reservoir.add(rows[start : start + 7_001])
    assert reservoir.n_seen == 40_000
    assert len(np.unique(reservoir.rows)) == 2_000
    # Uniform over all that came: each tenth of them has its share, within 4 sd.
    counts, _ = np.histogram(reservoir.rows, bins=10, range=(0, 40_000))
    assert_allclose(counts, 200, atol=4 * np.sqrt(200))


def test_reservoir_keeps_all_while_it_can():
    reservoir = Reservoir(5, seed=0)
    reservoir.add(np.array([[1.0], [2.0]]))
    reservoir.add(np.array([[3.0]]))
    assert reservoir.rows.ravel().tolist() == [1, 2, 3]
    assert reservoir.n_seen == 3


@pytest.mark.parametrize("model_class", [BetaTCVAE, FactorVAE, RFVAE])
def test_goes_on_after_a_file(model_class, X, tmp_path):
    model = model_class(random_state=0, kl_warmup=1).partial_fit(X).partial_fit(X)
    model.save(tmp_path / "model.skvae")
    loaded = skvae.load(tmp_path / "model.skvae")
    before = loaded.score(X)
    for _ in range(4):
        loaded.partial_fit(X)
    assert loaded.score(X) > before
    assert loaded.n_iter_ == 6
