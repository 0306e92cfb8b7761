"""Models that are fitted to rows which do not fit in memory."""

import numpy as np
import pandas as pd
import pytest
from model_cases import DETECTORS, MODELS, small
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from skvae import (
    CVAE,
    MSVAE,
    BetaTCVAE,
    StreamError,
    TrainingDivergedError,
)
from skvae.datasets import make_credit_portfolio
from skvae.selection import SeedEnsemble
from skvae.tables import TableStream, _survey
from skvae.training import _matrix_stream

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")


@pytest.fixture(scope="module")
def X():
    return make_credit_portfolio(2_000, random_state=0).data


@pytest.fixture
def little_memory(monkeypatch):
    """As if 500 rows filled the memory."""
    monkeypatch.setattr(_survey, "_ROWS", 500)
    monkeypatch.setattr(_matrix_stream, "_BLOCK_NUMBERS", 50_000)


def in_pieces(X, size=300):
    return TableStream([X[start : start + size] for start in range(0, len(X), size)])


@pytest.mark.parametrize("model_class", [*MODELS, *DETECTORS])
def test_short_stream_is_fitted_as_the_table_is(model_class, X):
    X = X[:200]
    expected = small(model_class).fit(X)
    model = clone(expected).fit(in_pieces(X, 70))
    assert_array_equal(model.score_samples(X), expected.score_samples(X))


@pytest.mark.parametrize("model_class", [*MODELS, *DETECTORS])
@pytest.mark.usefixtures("little_memory")
def test_all_that_a_table_does(model_class, X):
    model = small(model_class, **{} if model_class in DETECTORS else {"batch_size": 64})
    model.fit(in_pieces(X))
    again = clone(model).fit(in_pieces(X))
    assert_array_equal(model.score_samples(X), again.score_samples(X))
    assert list(model.feature_names_in_) == list(X.columns)
    if model_class not in DETECTORS:
        assert model.sample(5, random_state=0).shape == (5, 23)


@pytest.mark.usefixtures("little_memory")
def test_learns_as_much_as_from_the_table(X):
    settings = {"max_epochs": 15, "lr": 5e-3, "batch_size": 64, "random_state": 0}
    train, test = X[:1_500], X[1_500:]
    from_table = BetaTCVAE(**settings).fit(train).score(test)
    from_stream = BetaTCVAE(**settings).fit(in_pieces(train)).score(test)
    untrained = BetaTCVAE(**settings | {"max_epochs": 1}).fit(train).score(test)
    # Nearer than a tenth of what training gains.
    assert abs(from_stream - from_table) < 0.1 * (from_table - untrained)


@pytest.mark.usefixtures("little_memory")
def test_order_of_the_rows_does_not_matter_much(X):
    # Sorted, so that without shuffling the last batches would be all of one kind.
    X = X.sort_values("PAY_0", ignore_index=True)
    settings = {"max_epochs": 10, "lr": 5e-3, "batch_size": 64, "random_state": 0}
    from_table = BetaTCVAE(**settings).fit(X).score(X)
    assert BetaTCVAE(**settings).fit(in_pieces(X)).score(X) > from_table - 1


@pytest.mark.usefixtures("little_memory")
def test_parts_are_read_in_another_order(X):
    # Sorted, so that in their order the last batches would be all of one kind.
    X = X.sort_values("PAY_0", ignore_index=True)
    settings = {"max_epochs": 15, "batch_size": 64, "random_state": 0}
    stream = in_pieces(X, 100)  # a fifth of what is shuffled at once
    from_table = BetaTCVAE(**settings).fit(X).score(X)
    from_parts = BetaTCVAE(**settings).fit(stream).score(X)
    in_order = BetaTCVAE(**settings).fit(TableStream(lambda: iter(stream))).score(X)
    assert from_parts > from_table - 1 > in_order


class EveryRow(Callback):
    """Keep what rows the net saw, epoch by epoch."""

    def initialize(self):
        self.epochs = []
        return self

    def on_epoch_begin(self, net, **kwargs):
        self.epochs.append({True: [], False: []})

    def on_batch_begin(self, net, batch=None, training=False, **kwargs):
        self.epochs[-1][training].append(batch[0][:, 0].clone())


@pytest.mark.usefixtures("little_memory")
def test_each_row_comes_once_an_epoch_in_another_order():
    numbers = np.random.default_rng(0).normal(size=(2_000, 2))
    model = BetaTCVAE(
        encoding="standard",
        max_epochs=2,
        batch_size=100,
        likelihood="gaussian",
        validation_fraction=0.05,
        callbacks=[("rows", EveryRow())],
        random_state=0,
    ).fit(TableStream(numbers, rows_per_piece=300))
    seen = dict(model.net_.callbacks_)["rows"].epochs
    first, second = (np.concatenate(epoch[True]) for epoch in seen)
    held_out = [np.concatenate(epoch[False]) for epoch in seen]
    assert len(first) == 1_900
    assert_array_equal(np.sort(first), np.sort(second))
    assert (first != second).mean() > 0.9
    assert_array_equal(*held_out)
    both = np.concatenate([first, held_out[0]])
    expected = model.table_encoder_.transform(numbers)[:, 0].astype(np.float32)
    assert_array_equal(np.sort(both), np.sort(expected))


class Killed(Exception):
    """Stands for the end of the process."""


class Kill(Callback):
    """End training within an epoch."""

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 3:
            raise Killed


@pytest.mark.usefixtures("little_memory")
def test_goes_on_from_a_checkpoint(X, tmp_path):
    settings = {"max_epochs": 4, "batch_size": 64, "random_state": 0}
    expected = BetaTCVAE(**settings).fit(in_pieces(X))
    kept = BetaTCVAE(**settings, checkpoint=tmp_path, resume=True)
    with pytest.raises(Killed):
        clone(kept).set_params(callbacks=[Kill()]).fit(in_pieces(X))
    assert_array_equal(kept.fit(in_pieces(X)).transform(X), expected.transform(X))
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.usefixtures("little_memory")
def test_one_cycle_knows_how_many_steps_follow(X):
    model = BetaTCVAE(
        max_epochs=3, batch_size=60, lr_schedule="one_cycle", random_state=0
    )
    model.fit(in_pieces(X))
    assert model.n_iter_ == 3


@pytest.mark.usefixtures("little_memory")
def test_conditions_are_found_in_the_stream(X):
    model = CVAE(condition_columns=["SEX"], max_epochs=2, random_state=0)
    drawn = model.fit(in_pieces(X)).sample(50, condition=2, random_state=0)
    assert (drawn["SEX"] == 2).all()
    with pytest.raises(ValueError, match="a condition beside a TableStream"):
        CVAE().fit(in_pieces(X), condition=X["SEX"])


@pytest.mark.usefixtures("little_memory")
def test_frozen_first_stage_trains_the_second_one_on_a_stream(X):
    from sklearn.frozen import FrozenEstimator

    first = BetaTCVAE(max_epochs=5, random_state=0).fit(in_pieces(X))
    model = MSVAE(FrozenEstimator(first), max_epochs=3, random_state=0)
    assert model.fit(in_pieces(X)).score(X) > first.score(X)


@pytest.mark.usefixtures("little_memory")
def test_rare_levels_and_ends_are_learned(X):
    X = X.assign(city=np.where(X["SEX"] == 1, "A", "B"))
    X.loc[1_234, "city"] = "Zermatt"
    X.loc[77, "AGE"] = 107
    model = BetaTCVAE(max_epochs=1, random_state=0).fit(in_pieces(X))
    columns = {c.name: c for c in model.table_encoder_.schema_.columns}
    assert columns["city"].levels == ("A", "B", "Zermatt")
    assert columns["AGE"].high == 107


@pytest.mark.usefixtures("little_memory")
def test_rows_that_cannot_be_read(X):
    model = BetaTCVAE(max_epochs=2, random_state=0)
    infinite = X.astype({"AGE": float})
    infinite.loc[1_700, "AGE"] = np.inf
    with pytest.raises(StreamError, match="'AGE' contains infinity in rows from 1,500"):
        model.fit(in_pieces(infinite))
    assert not hasattr(model, "net_")
    columns = X.to_numpy(dtype=float)
    columns[1_700, 4] = -np.inf
    with pytest.raises(StreamError, match="Column 4 contains infinity in rows from 0"):
        model.fit(TableStream(columns))


@pytest.mark.usefixtures("little_memory")
def test_rows_that_cannot_be_encoded(X):
    texts = X.assign(SEX=X["SEX"].astype(object))
    texts.loc[1_700, "SEX"] = "two"
    seen = pd.DataFrame(texts.drop(index=1_700))
    passes = iter([seen, texts.drop(index=3)])
    stream = TableStream(lambda: iter([next(passes)]), rows_per_piece=300)
    with pytest.raises(StreamError, match=r"Rows from 1,500 on, .*'two'"):
        BetaTCVAE(max_epochs=2, random_state=0).fit(stream)


@pytest.mark.usefixtures("little_memory")
def test_pass_that_gives_other_rows(X):
    lengths = iter([2_000, 1_400])

    def rows():
        yield X[: next(lengths)]

    with pytest.raises(StreamError, match="rows to train on; expected 1,875"):
        BetaTCVAE(max_epochs=2, random_state=0).fit(TableStream(rows))
    lengths = iter([1_400, 2_000])
    with pytest.raises(StreamError, match="rows to train on; expected"):
        BetaTCVAE(max_epochs=2, random_state=0).fit(TableStream(rows))


@pytest.mark.usefixtures("little_memory")
def test_condition_that_comes_late_and_is_unknown(X):
    holes = X.assign(SEX=X["SEX"].where(X.index % 100 != 99))
    model = CVAE(condition_columns=["SEX"], max_epochs=1, random_state=0)
    with pytest.raises(ValueError, match="SEX"):
        model.fit(in_pieces(holes))


@pytest.mark.usefixtures("little_memory")
def test_diverged_training_leaves_no_model(X):
    model = BetaTCVAE(lr=1e30, max_epochs=2, random_state=0)
    with pytest.raises(TrainingDivergedError):
        model.fit(in_pieces(X))
    assert not hasattr(model, "net_")


def test_who_takes_no_stream_says_so(X):
    stream = in_pieces(X)
    model = small(BetaTCVAE).fit(X)
    for use in (model.transform, model.score_samples, model.fit_transform):
        with pytest.raises(TypeError, match="only fit of a model takes"):
            use(stream)
    with pytest.raises(TypeError, match="only fit of a model takes"):
        GridSearchCV(small(BetaTCVAE), {"beta": [1]}).fit(stream)
    with pytest.raises(TypeError, match="only fit of a model takes"):
        SeedEnsemble(small(BetaTCVAE)).fit(stream)


def test_searching_takes_a_sample(X):
    some = in_pieces(X).sample(200, random_state=0)
    search = GridSearchCV(small(BetaTCVAE), {"beta": [1, 4]}, cv=2).fit(some)
    assert isinstance(some, pd.DataFrame)
    assert search.best_estimator_.n_features_in_ == 23
