"""The detectors' contract: signs, thresholds, parameters, tables and searches."""

import copy
import pickle
import re

import numpy as np
import pandas as pd
import pytest
from detector_cases import (
    SCORES,
    VALUES,
    detectors_of_columns,
    detectors_of_group,
    frozen,
    make_clients,
    model_of,
)
from model_cases import make_numbers, make_table, small
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.validation import check_is_fitted

from skvae import (
    CVAE,
    DCVAE,
    MSVAE,
    VAE,
    DCVAEAnomalyDetector,
    FactorVAE,
    VAEAnomalyDetector,
)
from skvae.models._rules import RULES
from skvae.selection import outlier_roc_auc_scorer

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")


def make_cases():
    """Return detectors by name, with the columns of the clients that they take."""
    return {
        "VAE": (VAEAnomalyDetector(model_of(VAE)), VALUES, None),
        "FactorVAE": (VAEAnomalyDetector(model_of(FactorVAE)), VALUES, None),
        "MSVAE": (VAEAnomalyDetector(model_of(MSVAE)), VALUES, None),
        "CVAE of columns": (
            VAEAnomalyDetector(model_of(CVAE, condition_columns=["group"])),
            [*VALUES, "group"],
            None,
        ),
        "DCVAE beside": (VAEAnomalyDetector(model_of(DCVAE)), VALUES, "group"),
        "DCVAEAnomalyDetector": (
            model_of(DCVAEAnomalyDetector, condition_columns=["group", "region"]),
            [*VALUES, "group", "region"],
            None,
        ),
    }


class Case:
    """A detector, the rows it takes, and the condition beside them."""

    def __init__(self, detector, columns, beside):
        self.detector, self.columns, self.beside = detector, columns, beside

    def given(self, clients):
        condition = None if self.beside is None else clients[self.beside].to_numpy()
        return {"condition": condition}

    def rows(self, clients):
        return clients[self.columns]

    def fitted(self, clients, **params):
        detector = clone(self.detector).set_params(**params)
        if self.beside is None:
            return detector.fit(self.rows(clients))
        return detector.fit(self.rows(clients), **self.given(clients))

    def scores(self, detector, clients):
        return detector.score_samples(self.rows(clients), **self.given(clients))


@pytest.fixture(scope="module")
def clients():
    return make_clients()


@pytest.fixture(scope="module")
def numbers():
    return make_numbers()


@pytest.fixture(params=make_cases())
def case(request):
    return Case(*make_cases()[request.param])


@pytest.fixture(scope="module")
def all_fitted(clients):
    return {name: Case(*parts).fitted(clients) for name, parts in make_cases().items()}


@pytest.fixture
def fitted(all_fitted, request):
    return all_fitted[request.node.callspec.params["case"]]


@pytest.fixture(scope="module")
def plain_model(numbers):
    return model_of(VAE).fit(numbers)


@pytest.fixture(scope="module")
def plain(plain_model, numbers):
    """Detectors of every rule around one fitted model."""
    return {score: frozen(plain_model, score).fit(numbers) for score in RULES}


@pytest.fixture(scope="module")
def of_columns(clients):
    return detectors_of_columns(clients)


@pytest.fixture(scope="module")
def of_group(clients):
    return detectors_of_group(clients)


class TestEveryDetector:
    def test_a_row_far_away_is_an_outlier(self, case, fitted, clients):
        far = clients[:1].assign(b=40.0)
        both = pd.concat([clients, far])
        scores = case.scores(fitted, both)
        assert scores.shape == (len(both),)
        assert scores[-1] < scores[:-1].min()
        assert fitted.predict(case.rows(far), **case.given(far)) == [-1]

    def test_threshold(self, case, fitted, clients):
        rows, given = case.rows(clients), case.given(clients)
        scores = fitted.score_samples(rows, **given)
        decisions = fitted.decision_function(rows, **given)
        labels = fitted.predict(rows, **given)
        np.testing.assert_array_equal(decisions, scores - fitted.offset_)
        np.testing.assert_array_equal(labels, np.where(decisions < 0, -1, 1))
        assert np.mean(labels == -1) == pytest.approx(0.1, abs=1 / len(clients))

    def test_fit_predict_is_fit_and_predict(self, case, fitted, clients):
        rows, given = case.rows(clients), case.given(clients)
        labels = clone(case.detector).fit_predict(rows, **given)
        np.testing.assert_array_equal(labels, fitted.predict(rows, **given))
        assert set(labels) == {-1, 1}

    def test_no_label_is_looked_at(self, case, fitted, clients):
        rows, given = case.rows(clients), case.given(clients)
        garbage = ["garbage", None, np.nan] * (len(clients) // 3)
        other = clone(case.detector)
        if case.beside is None:
            other.fit(rows, garbage)
        else:
            other.fit(rows, garbage, **given)
        np.testing.assert_array_equal(
            other.score_samples(rows, **given), fitted.score_samples(rows, **given)
        )

    def test_pickle(self, case, fitted, clients):
        again = pickle.loads(pickle.dumps(fitted))
        np.testing.assert_array_equal(
            case.scores(again, clients), case.scores(fitted, clients)
        )
        assert again.get_params()["score"] == "combined"
        assert again.offset_ == fitted.offset_

    def test_a_clone_is_not_fitted_and_fits_the_same(self, case, fitted, clients):
        other = clone(fitted)
        with pytest.raises(NotFittedError):
            check_is_fitted(other)
        other = Case(other, case.columns, case.beside).fitted(clients)
        np.testing.assert_array_equal(
            case.scores(other, clients), case.scores(fitted, clients)
        )

    def test_a_failed_fit_leaves_it_not_fitted(self, case, fitted, clients):
        detector = copy.deepcopy(fitted)
        bad = case.rows(clients).assign(b=np.inf)
        with pytest.raises(ValueError, match=r"'b' contains infinity"):
            detector.fit(bad, **case.given(clients))
        with pytest.raises(NotFittedError):
            detector.predict(case.rows(clients))
        assert not hasattr(detector, "offset_")

    def test_fitted_attributes(self, case, fitted):
        assert fitted.n_features_in_ == len(case.columns)
        assert list(fitted.feature_names_in_) == case.columns
        assert fitted.history_ is not fitted.model_.history_
        assert list(fitted.history_["train_loss"]) == list(
            fitted.model_.history_["train_loss"]
        )

    def test_columns_have_to_be_those_of_fit(self, case, fitted, clients):
        rows, given = case.rows(clients), case.given(clients)
        with pytest.raises(ValueError, match=r"(?s)missing.*- b"):
            fitted.predict(rows.drop(columns="b"), **given)
        with pytest.raises(ValueError, match=r"'b' holds 'x' of type str.*expected"):
            fitted.predict(rows.assign(b="x"), **given)


class TestEveryRule:
    @SCORES
    def test_a_row_does_not_depend_on_its_company(self, plain, numbers, score):
        far = np.vstack([numbers[:20], 1e6 * numbers[:2]])
        assert_alone_as_together(plain[score], far)

    @SCORES
    @pytest.mark.parametrize("n_unknown", [0, 5, 20])
    def test_nor_does_a_row_with_a_condition(
        self, of_columns, clients, score, n_unknown
    ):
        rows = clients[:20].copy()
        rows.loc[rows.index[:n_unknown], "group"] = None
        assert_alone_as_together(of_columns[score], rows)

    @SCORES
    def test_nor_where_the_condition_is_left_out(self, of_group, clients, score):
        assert_alone_as_together(of_group[score], clients[VALUES][:20])

    @SCORES
    @pytest.mark.parametrize("distance", [1e12, -1e12])
    def test_a_value_that_is_far_off(self, plain, numbers, score, distance):
        rows = numbers[:5].copy()
        np.fill_diagonal(rows, distance)
        assert np.isfinite(plain[score].score_samples(rows)).all()
        assert (plain[score].predict(rows) == -1).all()
        assert (plain[score].predict(np.full((1, 5), distance)) == -1).all()

    @SCORES
    def test_values_far_off_without_a_condition(self, of_group, clients, score):
        rows = clients[VALUES][:2].copy()
        rows.iloc[0, 0], rows.iloc[1, 1] = 1e12, -1e12
        assert np.isfinite(of_group[score].score_samples(rows)).all()
        assert (of_group[score].predict(rows) == -1).all()

    @SCORES
    def test_single_precision(self, plain, score):
        rows = make_numbers(seed=1)  # new ones, of which none is its own neighbour
        scores = plain[score].score_samples(rows)
        single = plain[score].score_samples(rows.astype(np.float32))
        np.testing.assert_allclose(single, scores, rtol=1e-4, atol=1e-4)
        assert single.dtype == np.float64

    @SCORES
    def test_frozen_model_is_as_it_is(self, plain, plain_model, numbers, score):
        assert plain[score].model_ is plain_model
        trained = VAEAnomalyDetector(model_of(VAE), score=score).fit(numbers)
        np.testing.assert_array_equal(
            trained.score_samples(numbers), plain[score].score_samples(numbers)
        )

    def test_rules_differ(self, plain, numbers):
        scores = [plain[score].score_samples(numbers) for score in RULES]
        for position, first in enumerate(scores):
            for second in scores[position + 1 :]:
                assert not np.allclose(first, second, atol=1e-3)


def assert_alone_as_together(detector, rows):
    together = detector.score_samples(rows)
    alone = [detector.score_samples(rows[i : i + 1])[0] for i in range(len(rows))]
    np.testing.assert_allclose(alone, together, rtol=1e-12, atol=1e-12)
    backwards = detector.score_samples(rows[::-1])[::-1]
    np.testing.assert_allclose(backwards, together, rtol=1e-12, atol=1e-12)


class TestThreshold:
    @pytest.mark.parametrize("contamination", [0.01, 0.05, 0.25, 0.5])
    def test_share_of_training_rows(self, plain, numbers, contamination):
        detector = clone(plain["elbo"]).set_params(contamination=contamination)
        share = np.mean(detector.fit_predict(numbers) == -1)
        assert share == pytest.approx(contamination, abs=1 / len(numbers))

    def test_set_contamination_is_a_fit_with_it(self, plain, numbers):
        detector = clone(plain["elbo"]).fit(numbers)
        model, scores = detector.model_, detector.score_samples(numbers)
        assert detector.set_contamination(0.3) is detector
        other = clone(detector).fit(numbers)
        assert detector.model_ is model
        assert detector.get_params()["contamination"] == 0.3
        assert detector.offset_ == other.offset_
        np.testing.assert_array_equal(detector.score_samples(numbers), scores)
        np.testing.assert_array_equal(detector.predict(numbers), other.predict(numbers))

    @pytest.mark.parametrize("contamination", [0, -0.1, 0.51, 1, "auto", None])
    def test_out_of_range(self, plain, numbers, contamination):
        with pytest.raises(InvalidParameterError, match="contamination"):
            VAEAnomalyDetector(contamination=contamination).fit(numbers)
        with pytest.raises(InvalidParameterError, match="contamination"):
            plain["elbo"].set_contamination(contamination)

    def test_that_selects_no_row(self, plain, numbers):
        detector = clone(plain["elbo"]).fit(numbers)
        offset = detector.offset_
        message = "contamination=0.001 selects none of 120 training rows; expected at"
        with pytest.raises(ValueError, match=re.escape(message)):
            detector.set_contamination(0.001)
        assert detector.offset_ == offset
        assert detector.get_params()["contamination"] == 0.1

    def test_that_selects_no_row_fails_the_fit(self, plain, numbers):
        detector = clone(plain["elbo"]).fit(numbers).set_params(contamination=0.001)
        with pytest.raises(ValueError, match="selects none of 120 training rows"):
            detector.fit(numbers)
        with pytest.raises(NotFittedError):
            check_is_fitted(detector)

    def test_before_fit(self):
        with pytest.raises(NotFittedError):
            VAEAnomalyDetector().set_contamination(0.1)


class TestParameters:
    def test_score_is_a_parameter(self, plain):
        detector = VAEAnomalyDetector(score="elbo")
        assert detector.get_params()["score"] == "elbo"
        assert detector.set_params(score="latent").get_params()["score"] == "latent"
        assert "score='latent'" in repr(detector)
        for estimator in (detector, plain["elbo"], DCVAEAnomalyDetector()):
            assert not hasattr(estimator, "score")
            with pytest.raises(AttributeError, match="score is a parameter"):
                estimator.score(np.zeros((2, 5)))

    def test_nested(self):
        detector = VAEAnomalyDetector(FactorVAE(beta=3.0))
        assert detector.get_params()["model__beta"] == 3
        assert "model__beta" not in detector.get_params(deep=False)
        detector.set_params(model__beta=7.0, model__latent_dim=4)
        assert detector.model.beta == 7
        assert detector.model.latent_dim == 4

    def test_the_model_given_is_left_alone(self, numbers):
        model = model_of(VAE, max_epochs=2)
        params = model.get_params()
        detector = VAEAnomalyDetector(model).fit(numbers)
        assert not hasattr(model, "n_active_")
        assert detector.model_.get_params() == model.get_params() == params

    def test_none_is_a_vae(self, numbers):
        detector = VAEAnomalyDetector().fit(numbers[:20])
        assert type(detector.model_) is VAE
        assert detector.model is None
        assert detector.model_.get_params() == VAE().get_params()

    @pytest.mark.parametrize(
        ("params", "name"),
        [
            ({"score": "likelihood"}, "score"),
            ({"model": StandardScaler()}, "model"),
            ({"model": VAE}, "model"),
            ({"model": VAE(trimmed_fraction=1.0)}, "trimmed_fraction"),
            ({"model": VAE(lr=0)}, "lr"),
        ],
    )
    def test_out_of_range(self, numbers, params, name):
        with pytest.raises(InvalidParameterError, match=f"'{name}' parameter"):
            VAEAnomalyDetector(**params).fit(numbers)

    def test_a_frozen_model_has_to_be_one_of_ours_and_fitted(self, numbers):
        other = FrozenEstimator(StandardScaler().fit(numbers))
        with pytest.raises(ValueError, match=r"model holds a frozen StandardScaler"):
            VAEAnomalyDetector(other).fit(numbers)
        with pytest.raises(NotFittedError):
            frozen(VAE(), "elbo").fit(numbers)

    def test_seed(self, numbers):
        first, second, other = (
            small(DCVAEAnomalyDetector, random_state=seed).fit(numbers)
            for seed in (3, 3, 4)
        )
        scores = first.score_samples(numbers)
        np.testing.assert_array_equal(second.score_samples(numbers), scores)
        assert not np.allclose(other.score_samples(numbers), scores)

    @pytest.mark.parametrize("params", [{}, {"score": "elbo", "beta": 2.0}])
    def test_dcvae_detector_is_the_one_with_a_dcvae_inside(self, numbers, params):
        detector = model_of(DCVAEAnomalyDetector, **params)
        inner = {
            name: value
            for name, value in detector.get_params().items()
            if name in DCVAE().get_params()
        }
        # Which "auto" means for detectors of tables.
        inner |= {"encoding": "standard", "likelihood": "gaussian"}
        around = VAEAnomalyDetector(
            DCVAE(**inner), score=detector.get_params()["score"]
        ).fit(numbers)
        detector.fit(numbers)
        assert type(detector.model_) is DCVAE
        np.testing.assert_array_equal(
            detector.score_samples(numbers), around.score_samples(numbers)
        )
        assert detector.offset_ == around.offset_

    def test_dcvae_detector_takes_what_a_dcvae_takes(self):
        own = {"score", "contamination"}
        names = set(DCVAEAnomalyDetector().get_params())
        assert names - own == set(DCVAE().get_params())
        with pytest.raises(TypeError, match="unexpected keyword argument 'gamma'"):
            DCVAEAnomalyDetector(gamma=1)


class TestTables:
    def test_table_and_array_agree(self, numbers):
        detector = model_of(DCVAEAnomalyDetector, max_epochs=3)
        table = pd.DataFrame(numbers).add_prefix("x")
        of_table = clone(detector).fit(table).score_samples(table)
        of_array = clone(detector).fit(numbers).score_samples(numbers)
        np.testing.assert_allclose(of_table, of_array, rtol=1e-10)

    def test_every_numeric_kind(self):
        table = make_table()
        detector = small(DCVAEAnomalyDetector).fit(table)
        assert np.isfinite(detector.score_samples(table)).all()
        far = table[:1].assign(balance=1e15)
        assert detector.predict(far) == [-1]

    @SCORES
    def test_constant_columns_take_no_part(self, numbers, score):
        detector = VAEAnomalyDetector(small(VAE), score=score)
        table = pd.DataFrame(numbers).add_prefix("x")
        with_one = table.assign(constant=7.0)
        scores = clone(detector).fit(table).score_samples(table)
        detector.fit(with_one)
        np.testing.assert_array_equal(detector.score_samples(with_one), scores)
        np.testing.assert_array_equal(
            detector.score_samples(with_one.assign(constant=8.0)), scores
        )

    def test_all_rows_identical(self):
        message = "All 3 columns are constant over the 50 rows of X; expected"
        with pytest.raises(ValueError, match=message):
            small(DCVAEAnomalyDetector).fit(np.ones((50, 3)))

    def test_one_row(self, numbers):
        with pytest.raises(ValueError, match="minimum of 2 is required"):
            small(DCVAEAnomalyDetector).fit(numbers[:1])

    @SCORES
    def test_fewer_rows_than_latents(self, numbers, score):
        detector = small(DCVAEAnomalyDetector, latent_dim=10, contamination=0.5)
        detector.set_params(score=score).fit(numbers[:4])
        assert np.isfinite(detector.score_samples(numbers)).all()
        assert np.isfinite(detector.offset_)

    @SCORES
    def test_two_rows(self, numbers, score):
        detector = small(DCVAEAnomalyDetector, contamination=0.5, score=score)
        detector.fit(numbers[:2])
        assert np.isfinite(detector.score_samples(numbers)).all()

    @SCORES
    def test_rows_of_which_most_are_copies(self, numbers, score):
        rows = np.vstack([np.repeat(numbers[:1], 100, axis=0), numbers])
        detector = small(DCVAEAnomalyDetector, score=score).fit(rows)
        assert np.isfinite(detector.score_samples(rows)).all()

    def test_lists(self, numbers):
        detector = small(DCVAEAnomalyDetector).fit(numbers.tolist())
        scores = detector.score_samples(numbers.tolist())
        np.testing.assert_array_equal(scores, detector.score_samples(numbers))


def make_labelled(numbers, n_outliers=12):
    """Return rows and labels, -1 for those whose columns break the pattern."""
    outliers = np.random.default_rng(1).permuted(numbers[:n_outliers], axis=0)
    X = np.vstack([numbers, 3 * outliers])
    return X, np.repeat([1, -1], [len(numbers), n_outliers])


def test_grid_search_over_rules_and_beta(numbers):
    X, y = make_labelled(numbers)
    search = GridSearchCV(
        small(DCVAEAnomalyDetector, max_epochs=5),
        {"score": list(RULES), "beta": [1.0, 4.0]},
        scoring=outlier_roc_auc_scorer,
        cv=StratifiedKFold(2),
        error_score="raise",
    ).fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert search.best_score_ == scores.max() > 0.8
    assert len(set(scores)) > len(RULES)
    assert search.best_estimator_.get_params()["score"] == search.best_params_["score"]
    assert set(search.predict(X)) == {-1, 1}


def test_grid_search_over_a_nested_model(numbers):
    X, y = make_labelled(numbers)
    search = GridSearchCV(
        VAEAnomalyDetector(model_of(FactorVAE), score="elbo"),
        {"model__beta": [1.0, 50.0], "model__trimmed_fraction": [0, 0.3]},
        scoring=outlier_roc_auc_scorer,
        cv=StratifiedKFold(2),
        error_score="raise",
    ).fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"])) > 1
    assert search.best_estimator_.model_.beta == search.best_params_["model__beta"]


@pytest.mark.parametrize("encoding", ["standard", "minmax", "quantile"])
def test_a_training_row_far_out_leaves_scores_exact(numbers, encoding):
    rows = numbers.copy()
    rows[0] = -1e12
    detector = small(DCVAEAnomalyDetector, encoding=encoding).fit(rows)
    together = detector.score_samples(rows)
    alone = [detector.score_samples(row[None])[0] for row in rows]
    np.testing.assert_allclose(alone, together, rtol=0, atol=1e-11)


def test_contamination_is_checked_before_training(numbers, monkeypatch):
    monkeypatch.setattr(VAE, "fit", lambda *args: pytest.fail("It trained."))
    with pytest.raises(ValueError, match=r"selects none of 40 .* at least 1/40"):
        VAEAnomalyDetector(VAE(), contamination=0.01).fit(numbers[:40])


def test_one_row_in_so_many_is_enough(numbers):
    detector = small(VAEAnomalyDetector, contamination=1 / 49).fit(numbers[:49])
    assert (detector.predict(numbers[:49]) == -1).sum() == 1


def test_a_column_called_latent_has_its_contribution(numbers):
    table = pd.DataFrame(numbers, columns=["a", "b", "latent", "d", "e"])
    detector = small(DCVAEAnomalyDetector, score="elbo").fit(table)
    explanation = detector.explain(table)
    assert list(explanation.columns) == [*table.columns, "latent"]
    np.testing.assert_allclose(
        explanation.sum(axis=1), -detector.score_samples(table), rtol=1e-10
    )


def test_trimming_nearly_all_leaves_something(numbers):
    detector = small(DCVAEAnomalyDetector, trimmed_fraction=0.9, contamination=0.2)
    assert np.isfinite(detector.fit(numbers[:10]).score_samples(numbers)).all()
