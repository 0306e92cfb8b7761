"""Models that were saved and loaded are the models that they were, to the last bit."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from detector_cases import VALUES, make_clients
from mixed_cases import make_mixed
from model_cases import ESTIMATORS, MODELS, ONE_STAGE, changed, small
from saved_cases import (
    assert_same_in_all,
    assert_same_model,
    assert_same_output,
    assert_same_state,
    there_and_back,
)
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils import estimator_html_repr
from skorch.callbacks import EpochTimer

from skvae import (
    CVAE,
    DCVAE,
    MSVAE,
    RFVAE,
    VAE,
    DCVAEAnomalyDetector,
    VAEAnomalyDetector,
)
from skvae.models._rules import RULES

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

ENCODINGS = [
    "quantile",
    "standard",
    "minmax",
    None,
    StandardScaler(with_mean=False),
    MinMaxScaler((-1, 1)),
    MaxAbsScaler(),
    RobustScaler(),
    PowerTransformer(),
    PowerTransformer(standardize=False),
    QuantileTransformer(n_quantiles=50, output_distribution="normal"),
    FunctionTransformer(),
]
every_estimator = pytest.mark.parametrize(
    "estimator_class", ESTIMATORS, ids=lambda estimator: estimator.__name__
)


@every_estimator
class TestEveryEstimator:
    def test_all_that_it_holds_comes_back(self, estimator_class, table, tmp_path):
        model = small(estimator_class).fit(table)
        again = there_and_back(model, tmp_path)
        assert_same_state(model, again)
        # Field by field, and so does what comes out of a copy by pickle.
        assert_same_output(
            model.score_samples(table),
            pickle.loads(pickle.dumps(again)).score_samples(table),
        )

    def test_parameters_and_diagram_are_equal(self, estimator_class, table, tmp_path):
        model = small(estimator_class).fit(table)
        again = there_and_back(model, tmp_path)
        assert repr(again.get_params()) == repr(model.get_params())
        html = [_without_ids(estimator_html_repr(m)) for m in (model, again)]
        assert html[0] == html[1]

    def test_a_clone_trains_to_the_same_model(self, estimator_class, table, tmp_path):
        model = small(estimator_class).fit(table)
        again = clone(there_and_back(model, tmp_path)).fit(table)
        assert_same_output(model.score_samples(table), again.score_samples(table))

    def test_same_model_same_bytes(self, estimator_class, table, tmp_path):
        model = small(estimator_class).fit(table)
        model.save(tmp_path / "one.skvae")
        if hasattr(model, "sample"):
            model.sample(3, random_state=0)  # which works out a density
        model.save(tmp_path / "other.skvae")
        there_and_back(model, tmp_path).save(tmp_path / "again.skvae")
        one, other, again = (
            (tmp_path / f"{name}.skvae").read_bytes()
            for name in ("one", "other", "again")
        )
        assert one == other == again

    def test_parameters_that_changed_after_fit_stay_changed(
        self, estimator_class, table, tmp_path
    ):
        model = small(estimator_class).fit(table)
        scores = model.score_samples(table)
        if estimator_class is VAEAnomalyDetector:
            model.set_params(model__latent_dim=7, model__hidden_layer_sizes=[3, 3])
        else:
            changed(model, latent_dim=7, hidden_layer_sizes=[3, 3])
        again = there_and_back(model, tmp_path)
        assert repr(again.get_params()) == repr(model.get_params())
        assert_same_output(again.score_samples(table), scores)


def _without_ids(html):
    """Return a diagram without what scikit-learn counts up."""
    return re.sub(r"sk-(container|estimator)-id-\d+|x[0-9a-f]{6,}", "", html)


class TestModels:
    def test_does_the_same(self, fitted, table, tmp_path):
        assert_same_in_all(fitted, there_and_back(fitted, tmp_path), table)

    def test_of_mixed_tables(self, model, tmp_path):
        table = make_mixed()
        model.fit(table)
        again = there_and_back(model, tmp_path)
        assert_same_state(model, again)
        assert_same_model(model, again, table)
        given = {"region": "north", "age": (30, 50)}
        assert_same_output(
            *(m.sample(5, given=given, random_state=0) for m in (model, again))
        )

    def test_of_arrays(self, model, numbers, tmp_path):
        model.fit(numbers)
        assert_same_model(model, there_and_back(model, tmp_path), numbers)

    @pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
    def test_every_encoding(self, encoding, numbers, tmp_path):
        model = small(VAE, encoding=encoding).fit(numbers)
        again = there_and_back(model, tmp_path)
        assert_same_state(model, again)
        assert_same_model(model, again, numbers)

    @pytest.mark.parametrize("likelihood", ["auto", "gaussian", "bernoulli"])
    def test_every_likelihood(self, likelihood, tmp_path):
        table = make_mixed(missing=0.1)
        model = small(VAE, encoding="minmax", likelihood=likelihood).fit(table)
        assert_same_model(model, there_and_back(model, tmp_path), table)

    @pytest.mark.parametrize("model_class", [VAE, MSVAE, CVAE])
    @pytest.mark.parametrize("encoding", ["auto", "standard", None])
    def test_images(self, model_class, encoding, tmp_path):
        digits = load_digits(return_X_y=True)[0][:100]
        digits = digits / 16 if encoding is None else digits
        likelihood = "gaussian" if encoding == "standard" else "auto"
        model = small(
            model_class,
            encoding=encoding,
            likelihood=likelihood,
            image_shape=(1, 8, 8),
        ).fit(digits)
        again = there_and_back(model, tmp_path)
        assert_same_state(model, again)
        for results in zip(
            *(_of_images(m, digits) for m in (model, again)), strict=True
        ):
            assert_same_output(*results)

    def test_anchors(self, table, tmp_path):
        model = small(VAE, anchors={"balance": 1}).fit(table)
        again = there_and_back(model, tmp_path)
        assert again.anchors == {"balance": 1}
        assert_same_model(model, again, table)

    def test_relevance(self, table, tmp_path):
        model = small(RFVAE, latent_dim=4).fit(table)
        again = there_and_back(model, tmp_path)
        assert_same_output(model.relevance_, again.relevance_)
        assert_same_output(model.get_support(), again.get_support())

    def test_output_container_stays(self, table, tmp_path):
        model = small(VAE).set_output(transform="pandas").fit(table)
        again = there_and_back(model, tmp_path)
        assert_same_output(model.transform(table), again.transform(table))
        assert isinstance(again.transform(table), pd.DataFrame)

    def test_what_is_left_out(self, table, tmp_path):
        model = small(VAE, callbacks=[EpochTimer()]).fit(table)
        assert there_and_back(model, tmp_path).callbacks is None

    def test_random_state_goes_on_where_it_was(self, table, tmp_path):
        model = small(VAE, random_state=np.random.RandomState(3)).fit(table)
        again = there_and_back(model, tmp_path)
        assert_same_output(model.fit_transform(table), again.fit_transform(table))


def _of_images(model, digits):
    yield model.transform(digits)
    yield model.score_samples(digits)
    yield model.reconstruct(digits)
    yield model.sample(3, random_state=0)


class TestTwoStages:
    @pytest.mark.parametrize("fusion", ["film", "concat"])
    @pytest.mark.parametrize("residual_training", ["separate", "joint"])
    def test_every_way(self, fusion, residual_training, table, tmp_path):
        model = small(MSVAE, fusion=fusion, residual_training=residual_training)
        again = there_and_back(model.fit(table), tmp_path)
        assert_same_state(model, again)
        assert_same_output(
            model.mix(table[:9], table[9:18]), again.mix(table[:9], table[9:18])
        )

    @pytest.mark.parametrize("first_class", ONE_STAGE)
    def test_every_first_stage(self, first_class, table, tmp_path):
        model = small(MSVAE, first_stage=small(first_class)).fit(table)
        again = there_and_back(model, tmp_path)
        assert type(again.first_stage_) is first_class
        assert_same_output(model.score_samples(table), again.score_samples(table))

    def test_first_stage_is_in_the_file_once(self, table, tmp_path):
        first = small(VAE, hidden_layer_sizes=(64, 64)).fit(table)
        model = MSVAE(FrozenEstimator(first), residual_dim=1, max_epochs=1).fit(table)
        again = there_and_back(model, tmp_path)
        assert again.first_stage_ is again.first_stage.estimator
        assert again.module_.first is again.first_stage_.module_
        assert again.net_.first is again.first_stage_.net_
        assert_same_output(model.transform(table), again.transform(table))


class TestConditions:
    @pytest.mark.parametrize("model_class", [CVAE, DCVAE])
    @pytest.mark.parametrize("prior", ["standard", "learned"])
    def test_in_columns(self, model_class, prior, tmp_path):
        table = make_mixed()
        table["age"] = table["age"].astype(float) + 0.5
        model = small(model_class, condition_columns=["age", "owner"], prior=prior)
        again = there_and_back(model.fit(table), tmp_path)
        assert_same_state(model, again)
        assert_same_model(model, again, table)

    @pytest.mark.parametrize("model_class", [CVAE, DCVAE])
    def test_beside_the_table(self, model_class, tmp_path):
        clients = make_clients()
        condition = clients[["group", "region"]].assign(age=np.arange(150) % 41 / 2)
        model = small(model_class).fit(clients[VALUES], condition=condition)
        again = there_and_back(model, tmp_path)
        assert_same_state(model, again)
        assert_same_in_all(model, again, clients[VALUES], condition)
        assert_same_output(
            model.transform(clients[VALUES]), again.transform(clients[VALUES])
        )

    def test_of_a_first_stage(self, tmp_path):
        clients = make_clients()
        model = small(MSVAE, first_stage=CVAE(condition_columns=["group"])).fit(clients)
        assert_same_model(model, there_and_back(model, tmp_path), clients)


class TestDetectors:
    @pytest.mark.parametrize("score", RULES)
    @pytest.mark.parametrize("condition_columns", [None, ["group", "region"]])
    def test_every_rule(self, score, condition_columns, tmp_path):
        clients = make_clients(400)
        settings = {"condition_columns": condition_columns, "trimmed_fraction": 0.1}
        detector = small(DCVAEAnomalyDetector, score=score, **settings).fit(clients)
        again = there_and_back(detector, tmp_path)
        assert_same_state(detector, again)
        for results in zip(
            *(_of_detector(d, clients) for d in (detector, again)), strict=True
        ):
            assert_same_output(*results)

    @pytest.mark.parametrize("score", RULES)
    def test_condition_beside_the_table(self, score, tmp_path):
        clients = make_clients(400)
        condition = clients["group"]
        detector = small(DCVAEAnomalyDetector, score=score)
        detector.fit(clients[VALUES], condition=condition)
        again = there_and_back(detector, tmp_path)
        for settings in ({}, {"condition": condition}):
            assert_same_output(
                *(
                    d.score_samples(clients[VALUES], **settings)
                    for d in (detector, again)
                )
            )

    @pytest.mark.parametrize("model_class", MODELS)
    def test_around_every_model(self, model_class, table, tmp_path):
        detector = VAEAnomalyDetector(small(model_class)).fit(table)
        again = there_and_back(detector, tmp_path)
        assert type(again.model_) is model_class
        assert_same_output(detector.score_samples(table), again.score_samples(table))

    def test_frozen_model_is_in_the_file_once(self, table, tmp_path):
        detector = VAEAnomalyDetector(FrozenEstimator(small(VAE).fit(table))).fit(table)
        again = there_and_back(detector, tmp_path)
        assert again.model_ is again.model.estimator
        assert again._rule.model is again.model_
        assert again.set_contamination(0.2).offset_ == (
            detector.set_contamination(0.2).offset_
        )

    def test_images(self, tmp_path):
        digits = load_digits(return_X_y=True)[0][:300]
        detector = small(DCVAEAnomalyDetector, image_shape=(1, 8, 8)).fit(digits)
        again = there_and_back(detector, tmp_path)
        assert_same_output(detector.score_samples(digits), again.score_samples(digits))


def _of_detector(detector, X):
    yield detector.score_samples(X)
    yield detector.predict(X)
    yield detector.explain(X[:5])
    yield detector.explain(X[:5], conditional=True)
    yield detector.model_.transform(X)
    yield detector.history_
