"""What every model promises beyond scikit-learn's checks, tables and scores."""

import copy
import itertools
import pickle

import numpy as np
import pandas as pd
import pytest
from model_cases import (
    MODELS,
    PENALTIES,
    changed,
    has_beta,
    make_table,
    n_latents,
    small,
    trained_once,
    where,
)
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer, StandardScaler
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback, EarlyStopping, LRScheduler

from skvae.networks import GaussianHead, NormalMixtureHead

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")


class Interrupt(Callback):
    """What Ctrl-C does, at the given event."""

    def __init__(self, event):
        setattr(self, event, self.strike)

    def strike(self, net, **kwargs):
        raise KeyboardInterrupt


class TestFailedFit:
    def test_failed_refit_does_not_look_fitted(self, fitted, table):
        with pytest.raises(ValueError, match="infinity"):
            fitted.fit(table.assign(balance=np.inf))
        self.assert_not_fitted(fitted, table)

    @pytest.mark.parametrize("event", ["on_train_begin", "on_batch_end"])
    def test_interrupted_refit_does_not_look_fitted(self, fitted, table, event):
        fitted.set_params(callbacks=[Interrupt(event)])
        with pytest.raises(KeyboardInterrupt):
            fitted.fit(table)
        self.assert_not_fitted(fitted, table)

    def test_refit_after_failure(self, fitted, table):
        expected = fitted.transform(table)
        with pytest.raises(ValueError, match="infinity"):
            fitted.fit(table.assign(balance=np.inf))
        np.testing.assert_array_equal(fitted.fit(table).transform(table), expected)

    def assert_not_fitted(self, model, table):
        with pytest.raises(NotFittedError):
            check_is_fitted(model)
        for method in (model.transform, model.score, model.reconstruct):
            with pytest.raises(NotFittedError):
                method(table)
        with pytest.raises(NotFittedError):
            model.sample()
        with pytest.raises(NotFittedError):
            model.inverse_transform(np.zeros((1, 2)))
        fitted = {"net_", "table_encoder_", "first_stage_", "n_active_"}
        assert not fitted & set(vars(model))

    def test_refit_on_another_table(self, fitted, numbers):
        assert not hasattr(fitted.fit(numbers), "feature_names_in_")
        assert fitted.n_features_in_ == 5
        assert isinstance(fitted.sample(), np.ndarray)


class TestCopies:
    def test_clone_is_unfitted_with_equal_parameters(self, fitted):
        copied = clone(fitted)
        assert self.plain_params(copied) == self.plain_params(fitted)
        with pytest.raises(NotFittedError):
            check_is_fitted(copied)

    def plain_params(self, model):
        """Return the parameters, and in place of an estimator those that it has."""
        params = model.get_params().items()
        return {name: v for name, v in params if not isinstance(v, BaseEstimator)}

    @pytest.mark.parametrize(
        "duplicate",
        [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))],
        ids=["deepcopy", "pickle"],
    )
    def test_a_copy_behaves_alike(self, fitted, table, duplicate):
        copied = duplicate(fitted)
        np.testing.assert_array_equal(copied.transform(table), fitted.transform(table))
        np.testing.assert_array_equal(
            copied.score_samples(table), fitted.score_samples(table)
        )
        pd.testing.assert_frame_equal(
            copied.sample(5, random_state=0), fitted.sample(5, random_state=0)
        )
        pd.testing.assert_frame_equal(copied.history_, fitted.history_)
        # And it is one of its own.
        copied.fit(table[:60])
        assert not np.array_equal(copied.transform(table), fitted.transform(table))


class TestWithScikitLearn:
    def test_pipeline(self, model, numbers):
        frame = pd.DataFrame(1000 * numbers + 5).add_prefix("x")
        changed(model, encoding=None)
        pipeline = make_pipeline(StandardScaler(), model).fit(frame)
        latents = pipeline.transform(frame)
        assert latents.shape == (120, n_latents(model))
        back = pipeline.inverse_transform(latents)
        np.testing.assert_allclose(back.mean(axis=0), frame.mean(), atol=500)
        assert pipeline[-1].sample(3).shape == (3, 5)
        assert np.isfinite(pipeline.score(frame))

    def test_pipeline_that_hands_on_dataframes(self, model, numbers):
        frame = pd.DataFrame(numbers).add_prefix("x")
        pipeline = make_pipeline(StandardScaler(), model).set_output(transform="pandas")
        latents = pipeline.fit_transform(frame)
        assert list(latents) == list(pipeline.get_feature_names_out())
        assert list(pipeline[-1].sample()) == list(frame)

    def test_pipeline_scores_with_routed_weights(self, model, numbers):
        weights = np.random.default_rng(0).uniform(size=len(numbers))
        with config_context(enable_metadata_routing=True):
            model.set_score_request(sample_weight=True)
            scaler = StandardScaler().set_fit_request(sample_weight=False)
            pipeline = make_pipeline(scaler, model).fit(numbers)
            score = pipeline.score(numbers, sample_weight=weights)
            assert np.isfinite(pipeline.score(numbers))
        scaled = pipeline[:-1].transform(numbers)
        expected = np.average(pipeline[-1].score_samples(scaled), weights=weights)
        assert score == pytest.approx(expected, rel=1e-12)

    def test_column_transformer(self, model, table):
        parts = ColumnTransformer(
            [("amounts", model, ["balance", "late"]), ("rest", "passthrough", ["age"])]
        )
        latents = parts.fit_transform(table)
        assert latents.shape == (120, n_latents(model) + 1)
        np.testing.assert_array_equal(latents[:, -1], table["age"])
        assert parts.get_feature_names_out()[0].startswith("amounts__")
        assert list(parts.named_transformers_["amounts"].sample()) == [
            "balance",
            "late",
        ]

    def test_grid_search_in_processes(self, model, numbers):
        grid = {where(model, "latent_dim"): [2, 3], "lr": [1e-3, 1e-2]}
        if has_beta(model):
            grid[where(model, "beta")] = [1.0, 6.0]
        search = GridSearchCV(model, grid, cv=2, n_jobs=2, error_score="raise")
        search.fit(numbers)
        scores = search.cv_results_["mean_test_score"]
        assert np.isfinite(scores).all()
        assert len(np.unique(scores)) == len(scores)
        alone = clone(model).set_params(**search.best_params_).fit(numbers)
        np.testing.assert_array_equal(
            search.transform(numbers), alone.transform(numbers)
        )


class TestParameters:
    @pytest.mark.parametrize(
        "encoding",
        ["quantile", "standard", "minmax", None, StandardScaler(), PowerTransformer()],
        ids=str,
    )
    def test_encoding(self, model_class, numbers, encoding):
        numbers = 100 + 5 * numbers
        model = small(model_class, encoding=encoding, max_epochs=40, lr=1e-2)
        model.fit(numbers)
        assert np.isfinite(model.score_samples(numbers)).all()
        if encoding is not None:  # an unscaled network has not come that far
            means = model.sample(1000, random_state=0).mean(axis=0)
            np.testing.assert_allclose(means, numbers.mean(axis=0), atol=2)

    def test_encodings_differ(self, model_class, numbers):
        latents = [
            small(model_class, encoding=encoding).fit_transform(numbers)
            for encoding in ("quantile", "standard", "minmax", None)
        ]
        for first, second in itertools.pairwise(latents):
            assert not np.allclose(first, second)

    def test_transformer_as_encoding_is_cloned(self, model_class, numbers):
        scaler = StandardScaler()
        model = small(model_class, encoding=scaler).fit(numbers)
        assert model.get_params()[where(model, "encoding")] is scaler
        with pytest.raises(NotFittedError):
            check_is_fitted(scaler)
        named = small(model_class, encoding="standard").fit(numbers)
        np.testing.assert_array_equal(
            model.transform(numbers), named.transform(numbers)
        )

    @pytest.mark.parametrize(
        ("likelihood", "head"),
        [("auto", NormalMixtureHead), ("gaussian", GaussianHead)],
    )
    def test_likelihood_of_numbers(self, model_class, numbers, likelihood, head):
        model = small(model_class, likelihood=likelihood).fit(numbers)
        assert [type(part) for part in model.module_.heads] == [head]

    def test_scales_that_depend_on_latents_explain_more(self, model_class):
        # In half of the rows, of which one column tells, another hardly varies.
        rng = np.random.default_rng(0)
        half = np.repeat([-1.0, 1.0], 150)
        spread = np.where(half > 0, 1.0, 0.05)
        noise = rng.normal(size=(2, 300))
        rows = np.column_stack([half + 0.1 * noise[0], spread * noise[1]])
        settings = {"encoding": "standard", "max_epochs": 60, "lr": 1e-2}
        scores = [
            small(model_class, likelihood=likelihood, **settings).fit(rows).score(rows)
            for likelihood in ("auto", "gaussian")
        ]
        assert scores[0] > scores[1] + 0.5

    @pytest.mark.parametrize("sizes", [[8, 4], np.array([8, 4])], ids=type)
    def test_hidden_layer_sizes_of_any_sequence(self, model_class, numbers, sizes):
        expected = small(model_class, hidden_layer_sizes=(8, 4)).fit_transform(numbers)
        model = small(model_class, hidden_layer_sizes=sizes)
        np.testing.assert_array_equal(model.fit_transform(numbers), expected)
        assert model.hidden_layer_sizes is sizes

    @pytest.mark.parametrize(
        "activation", ["silu", "relu", "leaky_relu", "gelu", "elu", "tanh"]
    )
    def test_activation(self, model_class, numbers, activation):
        model = small(model_class, activation=activation).fit(numbers)
        assert np.isfinite(model.score(numbers))
        other = "tanh" if activation != "tanh" else "relu"
        assert model.score(numbers) != small(model_class, activation=other).fit(
            numbers
        ).score(numbers)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("lr", 1e-2),
            ("max_epochs", 4),
            ("batch_size", 8),
            ("batch_size", "auto"),
            ("hidden_layer_sizes", (9,)),
            ("kl_warmup", 0),
            ("early_stopping", False),
            ("validation_fraction", 0.5),
            ("random_state", 1),
        ],
    )
    def test_parameter_is_not_ignored(self, model_class, numbers, name, value):
        default = small(model_class).fit(numbers)
        other = small(model_class).set_params(**{name: value}).fit(numbers)
        assert default.score(numbers) != other.score(numbers)


class Recorder(Callback):
    """Remember what each epoch held, for all copies at once."""

    epochs = []

    def __init__(self):
        self.n_calls = 0

    def on_epoch_end(self, net, **kwargs):
        self.n_calls += 1
        self.epochs.append(dict(net.history[-1]))


class TestCallbacks:
    def test_see_the_terms_and_are_copied(self, model, numbers):
        Recorder.epochs = []
        recorder = Recorder()
        model.set_params(callbacks=[recorder], **trained_once(type(model)))
        model.fit(numbers)
        assert len(Recorder.epochs) == 3
        assert {"train_loss", "valid_loss", "train_kl"} <= set(Recorder.epochs[0])
        assert recorder.n_calls == 0
        assert model.callbacks == [recorder]
        copied = [c for _, c in model.net_.callbacks_ if isinstance(c, Recorder)]
        assert [c.n_calls for c in copied] == [3]
        model.fit(numbers)
        assert recorder.n_calls == 0

    def test_do_not_change_the_numbers(self, model, numbers):
        expected = clone(model).fit_transform(numbers)
        model.set_params(callbacks=[Recorder()])
        np.testing.assert_array_equal(model.fit_transform(numbers), expected)

    def test_may_end_training_at_the_end_of_an_epoch(self, model, numbers):
        model.set_params(callbacks=[Interrupt("on_epoch_end")]).fit(numbers)
        assert model.n_iter_ == 1
        assert np.isfinite(model.score(numbers))

    def test_skorchs_own_early_stopping(self, model_class, numbers):
        stopping = EarlyStopping(patience=2, threshold=1e6, threshold_mode="abs")
        model = small(model_class, max_epochs=30, callbacks=[stopping]).fit(numbers)
        assert model.n_iter_ < 30

    def test_skorchs_learning_rate_schedule(self, model_class, numbers):
        schedule = LRScheduler("StepLR", step_size=1, gamma=1e-9)
        settings = trained_once(model_class)
        slow = small(model_class, callbacks=[schedule], **settings).fit(numbers)
        loss = slow.history_["valid_reconstruction"]
        np.testing.assert_allclose(loss, loss.iloc[0], rtol=1e-5)
        usual = small(model_class, **settings).fit(numbers)
        usual = usual.history_["valid_reconstruction"]
        assert usual.iloc[0] == loss.iloc[0]
        assert abs(usual.iloc[-1] - loss.iloc[0]) > 1e-3


class TestOutput:
    def test_silent_by_default(self, model, table, capfd):
        model.fit(table)
        model.score(table)
        model.sample(2)
        assert capfd.readouterr() == ("", "")

    def test_verbose_shows_the_named_terms(self, model_class, numbers, capfd):
        model = small(model_class, verbose=1).fit(numbers)
        shown = capfd.readouterr().err
        assert model_class.__name__ in shown
        assert "3/3" in shown
        for term in ("loss", "reconstruction", *PENALTIES[model_class.__name__](model)):
            assert f"{term.replace('_', ' ')}=" in shown
        has_one = "total_correlation" in PENALTIES[model_class.__name__](model)
        assert ("total correlation=" in shown) is has_one

    def test_verbose_does_not_change_the_numbers(self, model_class, numbers, capfd):
        np.testing.assert_array_equal(
            small(model_class, verbose=1).fit_transform(numbers),
            small(model_class).fit_transform(numbers),
        )


def test_every_model_is_covered():
    assert len(MODELS) >= 9
    assert make_table().dtypes.nunique() == 6
