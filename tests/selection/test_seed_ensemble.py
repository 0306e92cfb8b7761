import pickle
from itertools import combinations
from unittest import SkipTest

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn import config_context
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    PolynomialFeatures,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

import skvae.selection._seed_ensemble as module
from skvae import CVAE, MSVAE, VAE, BetaTCVAE, BetaVAE, PosteriorCollapseWarning
from skvae.datasets import make_factor_table
from skvae.metrics import kl_per_dimension, mig_score, udr_score
from skvae.selection import ks_scorer, mig_scorer
from skvae.selection._resolve import resolve
from skvae.selection._seed_ensemble import SeedEnsemble

# scikit-learn has these checks, but `check_estimator` does not yield them.
MORE_CHECKS = [
    "check_dataframe_column_names_consistency",
    "check_get_feature_names_out_error",
    "check_global_output_transform_pandas",
    "check_inplace_ensure_writeable",
    "check_param_validation",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]


def small(model_class=VAE, **params):
    settings = {"latent_dim": 2, "max_epochs": 2, "hidden_layer_sizes": (8,)}
    return model_class(**{**settings, "device": "cpu", **params})


def small_ensemble(estimator=None, **params):
    estimator = small() if estimator is None else estimator
    return SeedEnsemble(estimator, **{"n_seeds": 2, "random_state": 0, **params})


def seeds_of(members, name="random_state"):
    return [member.get_params()[name] for member in members]


@pytest.fixture(scope="module")
def factor_table():
    return make_factor_table(200, n_factors=3, n_features=6, random_state=0)


@pytest.fixture(scope="module")
def table(factor_table):
    return factor_table.data


@pytest.fixture(scope="module")
def fitted(table):
    model = small(BetaTCVAE, latent_dim=3, max_epochs=10)
    return small_ensemble(model, n_seeds=3).fit(table)


class TestContract:
    @staticmethod
    def cases():
        checks = parametrize_with_checks([small_ensemble()])
        # scikit-learn 1.6 hands over a generator, of which pytest 9 warns.
        names, cases = checks.args
        return pytest.mark.parametrize(names, list(cases), **checks.kwargs)

    @pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")
    @cases()
    def test_check_estimator(self, estimator, check):
        try:
            check(estimator)
        except SkipTest as skipped:
            pytest.fail(f"The check did not run: {skipped}")

    # They fit a DataFrame and transform an array on purpose, or the other way round.
    @pytest.mark.filterwarnings("ignore:X does not have valid feature names")
    @pytest.mark.filterwarnings("ignore:X has feature names, but")
    @pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")
    @pytest.mark.parametrize("check", MORE_CHECKS)
    def test_check_that_check_estimator_leaves_out(self, check):
        getattr(estimator_checks, check)("SeedEnsemble", small_ensemble())

    def test_repr_says_what_differs_from_the_defaults(self):
        found = repr(SeedEnsemble(VAE(latent_dim=3)))
        assert found == "SeedEnsemble(estimator=VAE(latent_dim=3))"

    def test_parameters_nest(self):
        ensemble = small_ensemble(small(BetaTCVAE)).set_params(estimator__beta=7)
        assert clone(ensemble).estimator.beta == 7

    def test_pickles(self, fitted, table):
        again = pickle.loads(pickle.dumps(fitted))
        np.testing.assert_array_equal(again.transform(table), fitted.transform(table))
        assert again.best_index_ == fitted.best_index_

    def test_methods_need_a_fit(self, table):
        for method in ("transform", "score", "score_samples", "reconstruct", "codes"):
            with pytest.raises(NotFittedError):
                getattr(small_ensemble(), method)(table)

    def test_a_failed_fit_leaves_nothing(self, table):
        ensemble = small_ensemble().fit(table)
        with pytest.raises(ValueError, match="infinity"):
            ensemble.fit(np.full((20, 2), np.inf))
        assert not hasattr(ensemble, "best_estimator_")
        with pytest.raises(NotFittedError):
            ensemble.transform(table)


class TestMembers:
    def test_differ_in_their_seeds_alone(self, fitted):
        members = fitted.estimators_
        assert len(members) == 3
        assert len(set(seeds_of(members))) == 3
        for member in members:
            expected = {**fitted.estimator.get_params(), "random_state": None}
            assert {**member.get_params(), "random_state": None} == expected

    def test_give_other_codes(self, fitted, table):
        for some, others in combinations(fitted.codes(table), 2):
            assert not np.allclose(some, others)

    def test_seeds_are_new_even_where_the_estimator_has_one(self, table):
        members = small_ensemble(small(random_state=3)).fit(table).estimators_
        assert len({3, *seeds_of(members)}) == 3

    @pytest.mark.parametrize(
        ("estimator", "names"),
        [
            (
                make_pipeline(QuantileTransformer(n_quantiles=9), small()),
                ["quantiletransformer__random_state", "vae__random_state"],
            ),
            (
                MSVAE(small(random_state=5), residual_dim=2, max_epochs=1),
                ["random_state", "first_stage__random_state"],
            ),
        ],
        ids=["pipeline", "two stages"],
    )
    def test_all_seeds_inside_of_an_estimator_are_drawn(self, estimator, names, table):
        members = small_ensemble(estimator).fit(table.to_numpy()).estimators_
        seeds = [seed for name in names for seed in seeds_of(members, name)]
        assert len(set(seeds)) == 4

    def test_the_estimator_stays_as_it_is(self, table):
        model = small()
        small_ensemble(model).fit(table)
        assert model.random_state is None
        assert not hasattr(model, "n_active_")

    def test_two_settings_get_the_same_seeds(self, table, fitted):
        other = small_ensemble(small(), n_seeds=3).fit(table)
        assert seeds_of(other.estimators_) == seeds_of(fitted.estimators_)

    @pytest.mark.parametrize("backend", ["threading", "loky"])
    def test_are_the_same_in_parallel(self, one_thread, table, backend):
        ensemble = small_ensemble(n_seeds=3)
        alone = ensemble.fit(table).codes(table)
        inner = {} if backend == "threading" else {"inner_max_num_threads": 1}
        with parallel_config(backend, **inner):
            together = clone(ensemble).set_params(n_jobs=2).fit(table)
        np.testing.assert_array_equal(together.codes(table), alone)
        np.testing.assert_array_equal(together.udr_.pairwise, ensemble.udr_.pairwise)


class TestProgress:
    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_of_members_and_their_epochs(self, table, n_jobs, capsys, monkeypatch):
        reason = "scikit-learn has callbacks from 1.9 on"
        callback = pytest.importorskip("sklearn.callback", reason=reason)
        pytest.importorskip("rich")
        monkeypatch.setenv("COLUMNS", "120")
        ensemble = small_ensemble(n_jobs=n_jobs).set_callbacks(callback.ProgressBar())
        ensemble.fit(table)
        lines = capsys.readouterr().out.splitlines()
        first, *others = [line.split("━")[0].strip() for line in lines]
        assert first == "SeedEnsemble - fit"
        # Two processes begin in either order, and so do their bars.
        assert (others if n_jobs == 1 else sorted(others)) == [
            "SeedEnsemble - fit-member | VAE - fit #0",
            "SeedEnsemble - fit-member | VAE - fit #1",
        ]
        assert all("100%" in line for line in lines)
        # Members are handed back without it.
        for member in ensemble.estimators_:
            assert not hasattr(member, "_skl_callbacks")
        expected = clone(ensemble).set_callbacks().set_params(n_jobs=1).fit(table)
        for member, other in zip(
            ensemble.estimators_, expected.estimators_, strict=True
        ):
            assert vars(member).keys() == vars(other).keys()


class TestBest:
    def test_agrees_the_most_on_the_training_rows(self, fitted, table):
        kl = [kl_per_dimension(*m._encode(table)) for m in fitted.estimators_]
        expected = udr_score(fitted.codes(table), kl=kl)
        np.testing.assert_array_equal(fitted.udr_.pairwise, expected.pairwise)
        assert fitted.best_index_ == expected.per_model.argmax()
        assert fitted.best_estimator_ is fitted.estimators_[fitted.best_index_]

    def test_is_the_most_active_of_equals(self):
        dead, alive = np.zeros((9, 2)), np.ones((9, 2))
        posteriors = [(mean, np.zeros((9, 2))) for mean in (dead, alive, alive)]
        assert module._best([0.0, 0.0, 0.0], posteriors) == 1
        assert module._best([0.3, 0.1 + 0.2, 0.2], posteriors) == 1
        assert module._best([0.4, 0.3, 0.3], posteriors) == 0

    def test_of_collapsed_members_is_one_of_them(self, table):
        model = small(BetaVAE, kl_warmup=0, beta=1e3, max_epochs=40, lr=0.01)
        ensemble = small_ensemble(model)
        with pytest.warns(PosteriorCollapseWarning):
            ensemble.fit(table)
        assert ensemble.udr_.mean == 0
        assert ensemble.transform(table).shape == (200, 2)

    def test_rows_beyond_the_most_are_drawn_by_the_seed(self, table, monkeypatch):
        def agreement(random_state):
            return small_ensemble(random_state=random_state).fit(table).udr_.mean

        on_all = agreement(0)
        monkeypatch.setattr(module, "_MAX_ROWS", 50)
        assert agreement(0) == agreement(0) != on_all


class TestDelegation:
    @pytest.mark.parametrize(
        "method", ["transform", "reconstruct", "score_samples", "score"]
    )
    def test_of_rows(self, fitted, table, method):
        found = getattr(fitted, method)(table)
        expected = getattr(fitted.best_estimator_, method)(table)
        np.testing.assert_array_equal(found, expected)

    def test_of_latents_draws_and_names(self, fitted, table):
        best = fitted.best_estimator_
        latents = fitted.transform(table)
        pd.testing.assert_frame_equal(
            fitted.inverse_transform(latents), best.inverse_transform(latents)
        )
        settings = {"n_samples": 5, "kind": "mean", "random_state": 0}
        drawn = fitted.sample(**settings)
        pd.testing.assert_frame_equal(drawn, best.sample(**settings))
        assert fitted.get_feature_names_out()[0] == "betatcvae0"
        assert list(fitted.feature_names_in_) == list(table)
        assert fitted.n_features_in_ == 6

    def test_a_pipeline_has_what_pipelines_have(self, table):
        pipeline = make_pipeline(StandardScaler(), small())
        ensemble = small_ensemble(pipeline)
        for each in (ensemble, ensemble.fit(table)):
            assert hasattr(each, "inverse_transform")
            assert not hasattr(each, "sample")
            assert not hasattr(each, "reconstruct")
        best = ensemble.best_estimator_
        assert ensemble.score(table) == best.score(table)
        scaled = best[0].transform(table)
        np.testing.assert_array_equal(
            ensemble.codes(table)[ensemble.best_index_], best[1].transform(scaled)
        )

    def test_a_step_without_an_inverse_leaves_none(self):
        ensemble = small_ensemble(make_pipeline(PolynomialFeatures(), small()))
        assert not hasattr(ensemble, "inverse_transform")

    def test_codes_of_two_stages_are_the_factors(self, table):
        model = MSVAE(small(latent_dim=3), residual_dim=2, max_epochs=1)
        ensemble = small_ensemble(model).fit(table)
        assert ensemble.transform(table).shape == (200, 5)
        assert [codes.shape for codes in ensemble.codes(table)] == [(200, 3)] * 2

    def test_containers_may_be_chosen(self, table):
        for ensemble in (
            small_ensemble().set_output(transform="pandas"),
            small_ensemble(small().set_output(transform="pandas")),
        ):
            latents = ensemble.fit_transform(table)
            assert list(latents) == list(ensemble.get_feature_names_out())
            assert isinstance(ensemble.codes(table)[0], np.ndarray)


class TestInASearch:
    def test_scorers_see_the_best_member(self, fitted, table, factor_table):
        assert resolve(fitted, table).model is fitted.best_estimator_
        found = mig_scorer(fitted, table, factor_table.factors)
        assert found == mig_score(factor_table.factors, fitted.transform(table))

    def test_with_scorers_of_both_kinds(self, table, factor_table):
        search = GridSearchCV(
            small_ensemble(make_pipeline(StandardScaler(), small(BetaTCVAE, lr=0.01))),
            {"estimator__betatcvae__beta": [1, 4]},
            scoring={"mig": mig_scorer, "ks": ks_scorer},
            refit="mig",
            cv=2,
            error_score="raise",
        ).fit(table, factor_table.factors)
        scores = search.cv_results_["mean_test_mig"]
        assert len(set(scores)) == 2
        assert np.isfinite(search.cv_results_["mean_test_ks"]).all()
        assert search.best_index_ == scores.argmax()
        assert resolve(search, table).model.latent_dim == 2

    def test_chooses_without_labels(self, table):
        def agreement(ensemble, X, y=None):
            return udr_score(ensemble.codes(X)).mean

        model = small(BetaTCVAE, latent_dim=3, hidden_layer_sizes=(32,), lr=0.01)
        ensemble = small_ensemble(model, n_seeds=3)
        grid = {"estimator__max_epochs": [40, 1]}
        search = GridSearchCV(ensemble, grid, scoring=agreement, cv=2)
        search.set_params(error_score="raise").fit(table)
        assert search.best_params_ == {"estimator__max_epochs": 40}
        assert search.transform(table).shape == (200, 3)


class TestConditions:
    @pytest.fixture
    def group(self, table):
        return pd.Series((table.iloc[:, 0] > 0).to_numpy(), table.index, name="group")

    def test_go_on_to_the_members(self, table, group):
        ensemble = small_ensemble(small(CVAE))
        latents = ensemble.fit_transform(table, condition=group)
        best = ensemble.best_estimator_
        assert all(m.module_.n_conditions for m in ensemble.estimators_)
        expected = best.transform(table, condition=group)
        np.testing.assert_array_equal(latents, expected)
        marginal = ensemble.transform(table)
        np.testing.assert_array_equal(marginal, best.transform(table))
        assert not np.array_equal(latents, marginal)
        assert ensemble.score(table, condition=group) == best.score(
            table, condition=group
        )

    def test_go_on_to_the_last_step(self, table, group):
        pipeline = make_pipeline(StandardScaler(), small(CVAE))
        ensemble = small_ensemble(pipeline)
        latents = ensemble.fit_transform(table, cvae__condition=group)
        assert ensemble.best_estimator_[-1].module_.n_conditions
        np.testing.assert_array_equal(latents, ensemble.transform(table))

    def test_are_routed(self, table, group):
        direct = small_ensemble(small(CVAE)).fit(table, condition=group)
        with config_context(enable_metadata_routing=True):
            model = small(CVAE)
            for request in ("fit", "transform", "score"):
                getattr(model, f"set_{request}_request")(condition=True)
            pipeline = make_pipeline("passthrough", small_ensemble(model))
            latents = pipeline.fit_transform(table, condition=group)
            score = pipeline.score(table, condition=group)
            again = pipeline.transform(table, condition=group)
        expected = direct.transform(table, condition=group)
        np.testing.assert_array_equal(latents, expected)
        np.testing.assert_array_equal(again, expected)
        assert score == direct.score(table, condition=group)

    def test_are_routed_through_a_search_and_processes(self, table, group):
        with config_context(enable_metadata_routing=True):
            model = small(CVAE).set_fit_request(condition=True)
            model.set_score_request(condition=False)
            ensemble = small_ensemble(model, n_jobs=2)
            search = GridSearchCV(ensemble, {"estimator__lr": [1e-3]}, cv=2)
            search.set_params(error_score="raise").fit(table, condition=group)
        members = search.best_estimator_.estimators_
        assert all(member.module_.n_conditions for member in members)

    def test_that_nobody_requested_are_refused(self, table, group):
        with (
            config_context(enable_metadata_routing=True),
            pytest.raises(ValueError, match="condition"),
        ):
            small_ensemble(small(CVAE)).fit(table, condition=group)


class TestRefusals:
    def test_one_seed(self, table):
        with pytest.raises(ValueError, match=r"n_seeds.*\[2, inf\).*Got 1"):
            small_ensemble(n_seeds=1).fit(table)

    def test_no_estimator(self, table):
        with pytest.raises(ValueError, match=r"'estimator'.*'fit' and 'transform'"):
            SeedEnsemble(None).fit(table)

    @pytest.mark.parametrize("last", [StandardScaler(), "frozen"])
    def test_nothing_that_takes_a_seed(self, table, last):
        last = FrozenEstimator(small().fit(table)) if last == "frozen" else last
        for estimator in (last, make_pipeline(StandardScaler(), last)):
            with pytest.raises(ValueError, match="no parameter random_state"):
                small_ensemble(estimator).fit(table)

    @pytest.mark.parametrize("around", ["pipeline", "two stages"])
    def test_a_frozen_model_that_members_would_share(self, table, around):
        frozen = FrozenEstimator(small().fit(table))
        estimator = {
            "pipeline": make_pipeline(QuantileTransformer(n_quantiles=9), frozen),
            "two stages": MSVAE(frozen, residual_dim=2),
        }[around]
        with pytest.raises(ValueError, match=r"frozen VAE as .*fits anew"):
            small_ensemble(estimator).fit(table)

    def test_no_model_inside(self, table):
        with pytest.raises(TypeError, match="Got PCA; expected a fitted model"):
            small_ensemble(PCA(n_components=2)).fit(table)


def test_a_frozen_model_within_a_frozen_pipeline_is_refused(table):
    model = BetaTCVAE(latent_dim=2, max_epochs=1, random_state=0)
    frozen = FrozenEstimator(make_pipeline(StandardScaler(), model).fit(table))
    pipeline = make_pipeline(PCA(4, random_state=0), frozen)
    with pytest.raises(ValueError, match="a frozen BetaTCVAE"):
        SeedEnsemble(pipeline, n_seeds=2).fit(table)
