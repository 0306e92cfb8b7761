"""Which first stage two stages take, that it stays as it is, and scikit-learn."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from model_cases import MODELS, gentle, make_table, small
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from two_stage_cases import (
    N_FACTORS,
    N_RESIDUALS,
    WAYS,
    brief,
    first_stage,
    fit_each_way,
    make_rows,
    same_weights,
    squared_error,
    two_stages,
    weights,
)

from skvae import CVAE, DCVAE, MSVAE, BetaTCVAE
from skvae.selection import (
    ks_scorer,
    latent_consistency_scorer,
    n_active_scorer,
    neg_total_correlation_scorer,
)

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")


@pytest.fixture(scope="module")
def rows():
    return make_rows()


@pytest.fixture(scope="module")
def first(rows):
    return first_stage().fit(rows)


@pytest.fixture(scope="module")
def of_two(first, rows):
    return fit_each_way(first, rows)


@pytest.fixture(params=WAYS, ids="-".join)
def each(request, of_two):
    """Both stages trained, in each of the ways."""
    return of_two[request.param]


@pytest.fixture(scope="module")
def model(of_two):
    return of_two["film", "joint"]


class TestFirstStageIsUntouched:
    def test_weights_of_a_frozen_one_are_the_same_before_and_after(self, rows):
        alone = small(BetaTCVAE, beta=1.5).fit(rows)
        before, codes, bound = weights(alone), alone.transform(rows), alone.score(rows)
        model = brief(FrozenEstimator(alone)).fit(rows)
        assert model.first_stage_ is alone
        assert same_weights(weights(alone), before)
        assert all(
            w.dtype == torch.float64 for w in before.values() if w.is_floating_point()
        )
        np.testing.assert_array_equal(alone.transform(rows), codes)
        assert alone.score(rows) == bound

    def test_one_that_is_fitted_inside_is_as_if_fitted_alone(self, first, rows):
        model = brief(first_stage()).fit(rows)
        assert same_weights(weights(model.first_stage_), weights(first))
        pd.testing.assert_frame_equal(
            model.first_stage_.history_.filter(regex="loss"),
            first.history_.filter(regex="loss"),
        )

    def test_the_networks_are_those_of_the_first_stage(self, each, first):
        assert each.module_.first is first.module_
        assert each.table_encoder_ is first.table_encoder_

    def test_codes_are_those_of_the_first_stage(self, each, first, rows):
        codes = each.transform(rows)
        assert codes.shape == (400, N_FACTORS + N_RESIDUALS)
        np.testing.assert_array_equal(codes[:, :N_FACTORS], first.transform(rows))

    @pytest.mark.parametrize(
        "scorer",
        [neg_total_correlation_scorer, latent_consistency_scorer, n_active_scorer],
    )
    def test_scores_of_disentanglement_are_those_of_the_first_stage(
        self, each, first, rows, scorer
    ):
        assert scorer(each, rows) == scorer(first, rows)

    def test_kl_of_its_latents_is_that_of_the_first_stage(self, each, first):
        np.testing.assert_array_equal(
            each.kl_per_dimension_[:N_FACTORS], first.kl_per_dimension_
        )


class TestWhichFirstStage:
    def test_none_is_a_beta_tcvae(self, rows):
        model = MSVAE(
            residual_dim=2,
            hidden_layer_sizes=(8,),
            max_epochs=1,
            device="cpu",
            random_state=0,
        ).fit(rows[:64])
        assert type(model.first_stage_) is BetaTCVAE
        defaults, found = BetaTCVAE().get_params(), model.first_stage_.get_params()
        assert found.pop("random_state") is not None
        assert found == {k: v for k, v in defaults.items() if k != "random_state"}
        assert model.first_stage is None

    def test_the_one_given_is_left_unfitted(self, rows):
        given = small(BetaTCVAE, beta=1.5)
        model = brief(given).fit(rows)
        assert model.first_stage is given
        assert not hasattr(given, "net_")
        with pytest.raises(NotFittedError):
            given.transform(rows)
        assert model.first_stage_ is not given
        assert model.first_stage_.get_params() == given.get_params()

    def test_a_fitted_one_is_fitted_anew(self, rows):
        given = small(BetaTCVAE, beta=1.5).fit(rows[:50])
        before = weights(given)
        model = brief(given).fit(rows)
        assert same_weights(weights(given), before)
        assert not same_weights(weights(model.first_stage_), before)

    def test_random_state_goes_to_one_that_has_none(self, rows):
        given = small(BetaTCVAE, beta=1.5, random_state=None)
        one, again = (brief(given, random_state=3).fit(rows) for _ in range(2))
        other = brief(given, random_state=4).fit(rows)
        assert given.random_state is None
        assert same_weights(weights(one), weights(again))
        assert not same_weights(weights(one.first_stage_), weights(other.first_stage_))

    def test_random_state_of_its_own_is_kept(self, rows):
        given = small(BetaTCVAE, beta=1.5, random_state=7)
        alone = clone(given).fit(rows)
        one, other = (brief(given, random_state=seed).fit(rows) for seed in (3, 4))
        for model in (one, other):
            assert model.first_stage_.random_state == 7
            assert same_weights(weights(model.first_stage_), weights(alone))
        assert not same_weights(weights(one), weights(other))

    @pytest.mark.parametrize(
        "model_class", [m for m in MODELS if m is not MSVAE], ids=lambda m: m.__name__
    )
    def test_any_other_model_will_do(self, model_class):
        table = make_table()
        model = brief(small(model_class, **gentle(model_class))).fit(table)
        assert type(model.first_stage_) is model_class
        codes = model.transform(table)
        assert codes.shape == (120, 4)
        np.testing.assert_array_equal(codes[:, :2], model.first_stage_.transform(table))
        for made in (model.reconstruct(table), model.sample(120, random_state=0)):
            pd.testing.assert_series_equal(made.dtypes, table.dtypes)
        assert np.isfinite(model.score_samples(table)).all()

    def test_two_stages_will_do(self, model, rows):
        outer = two_stages(FrozenEstimator(model), residual_dim=1).fit(rows)
        n_inner = N_FACTORS + N_RESIDUALS
        codes = outer.transform(rows)
        np.testing.assert_array_equal(codes[:, :n_inner], model.transform(rows))
        names = [f"msvae_c{n}" for n in range(N_FACTORS)]
        names += [f"msvae_z{n}" for n in range(N_RESIDUALS + 1)]
        assert outer.get_feature_names_out().tolist() == names
        assert squared_error(outer, rows) <= squared_error(model, rows)
        terms = outer.elbo_decomposition(rows)["value"]
        assert terms["elbo"] == pytest.approx(outer.score(rows), abs=0.5)
        of_inner = model.elbo_decomposition(rows)["value"]
        assert terms["total_correlation"] == of_inner["total_correlation"]
        fitted_inside = brief(brief()).fit(rows)
        assert fitted_inside.transform(rows).shape == (400, 2 + 2 + 2)

    def test_parameters_of_both_stages_are_set_apart(self):
        model = MSVAE(BetaTCVAE(), residual_dim=2)
        model.set_params(first_stage__beta=3.0, random_state=1)
        assert model.first_stage.beta == 3.0
        assert model.first_stage.random_state is None


class TestBadFirstStage:
    def test_frozen_and_not_fitted(self, rows):
        with pytest.raises(NotFittedError, match="BetaTCVAE"):
            brief(FrozenEstimator(BetaTCVAE())).fit(rows)

    @pytest.mark.parametrize("wrap", [lambda m: make_pipeline(m), lambda m: m])
    def test_frozen_and_no_model_of_skvae(self, rows, wrap):
        other = wrap(StandardScaler()).fit(rows)
        name = type(other).__name__
        with pytest.raises(ValueError, match=rf"first_stage .*{name}.*model of skvae"):
            brief(FrozenEstimator(other)).fit(rows)

    @pytest.mark.parametrize("kind", [CVAE, DCVAE])
    def test_frozen_and_fitted_with_a_condition_beside_x(self, rows, kind):
        group = np.arange(len(rows)) % 3
        other = small(kind).fit(rows, condition=group)
        with pytest.raises(ValueError, match=rf"{kind.__name__}.*condition_columns"):
            brief(FrozenEstimator(other)).fit(rows)
        without = small(kind).fit(rows)
        assert brief(FrozenEstimator(without)).fit(rows).first_stage_ is without

    @pytest.mark.parametrize("other", [StandardScaler(), BetaTCVAE, "BetaTCVAE", 3])
    def test_no_model(self, rows, other):
        with pytest.raises(ValueError, match="'first_stage' parameter of MSVAE"):
            brief(other).fit(rows)

    def test_frozen_on_other_columns(self, first, rows):
        with pytest.raises(ValueError, match=r"feature names|f"):
            brief(FrozenEstimator(first)).fit(rows.drop(columns="f"))

    def test_a_failed_fit_does_not_look_fitted(self, rows):
        model = brief().fit(rows)
        model.set_params(first_stage=FrozenEstimator(StandardScaler().fit(rows)))
        with pytest.raises(ValueError, match="model of skvae"):
            model.fit(rows)
        with pytest.raises(NotFittedError):
            model.transform(rows)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("residual_dim", 0),
            ("residual_dim", 2.5),
            ("fusion", "add"),
            ("residual_training", "both"),
            ("max_epochs", 0),
        ],
    )
    def test_bad_parameters(self, rows, name, value):
        with pytest.raises(ValueError, match=f"'{name}' parameter of MSVAE"):
            brief(**{name: value}).fit(rows)


class TestWithScikitLearn:
    def test_search_over_parameters_of_both_stages(self, rows):
        grid = {"first_stage__beta": [1.0, 8.0], "residual_dim": [1, 2]}
        search = GridSearchCV(brief(), grid, cv=2, error_score="raise").fit(rows)
        assert len(set(search.cv_results_["mean_test_score"])) == 4
        best = search.best_estimator_
        assert best.first_stage_.beta == search.best_params_["first_stage__beta"]
        n_residuals = best.transform(rows).shape[1] - 2
        assert n_residuals == search.best_params_["residual_dim"]

    def test_search_by_a_score_of_disentanglement(self, rows):
        search = GridSearchCV(
            brief(),
            {"first_stage__beta": [1.0, 4.0]},
            scoring=neg_total_correlation_scorer,
            cv=2,
            error_score="raise",
        ).fit(rows)
        alone = GridSearchCV(
            small(BetaTCVAE),
            {"beta": [1.0, 4.0]},
            scoring=neg_total_correlation_scorer,
            cv=2,
        ).fit(rows)
        np.testing.assert_array_equal(
            search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"]
        )

    def test_pipeline(self, rows):
        scaled = brief(small(BetaTCVAE, beta=1.5, encoding=None), max_epochs=20)
        pipeline = make_pipeline(StandardScaler(), scaled).fit(rows)
        assert pipeline.transform(rows).shape == (400, 4)
        names = pipeline.get_feature_names_out().tolist()
        assert names == ["msvae_c0", "msvae_c1", "msvae_z0", "msvae_z1"]
        scaler, model = pipeline[0], pipeline[-1]
        inputs = scaler.transform(rows)
        assert ks_scorer(pipeline, rows) == pytest.approx(ks_scorer(model, inputs))
        assert ks_scorer(pipeline, rows) > 0.5

    def test_clone(self, model):
        copy = clone(model)
        assert not hasattr(copy, "net_")
        assert copy.first_stage is model.first_stage  # frozen ones are shared
        free = brief()
        again = clone(free)
        assert again.first_stage is not free.first_stage
        assert str(again.get_params()) == str(free.get_params())

    def test_same_twice(self, rows):
        one, again = (brief().fit(rows) for _ in range(2))
        assert same_weights(weights(one), weights(again))
        np.testing.assert_array_equal(
            one.score_samples(rows), again.score_samples(rows)
        )

    def test_pickle(self, each, rows):
        again = pickle.loads(pickle.dumps(each))
        np.testing.assert_array_equal(again.transform(rows), each.transform(rows))
        np.testing.assert_array_equal(
            again.score_samples(rows), each.score_samples(rows)
        )
        pd.testing.assert_frame_equal(
            again.sample(4, random_state=0), each.sample(4, random_state=0)
        )
        pd.testing.assert_frame_equal(
            again.mix(rows[:9], rows[9:18]), each.mix(rows[:9], rows[9:18])
        )
        assert same_weights(weights(again), weights(each))

    def test_set_output(self, rows):
        model = brief().set_output(transform="pandas")
        codes = model.fit_transform(rows)
        pd.testing.assert_index_equal(codes.index, rows.index)
        assert list(codes) == ["msvae_c0", "msvae_c1", "msvae_z0", "msvae_z1"]
        np.testing.assert_array_equal(codes, model.set_output().transform(rows))
        # The container of the codes does not matter to what is decoded from them.
        made = model.inverse_transform(codes)
        pd.testing.assert_frame_equal(made, model.reconstruct(rows))

    def test_row_does_not_depend_on_its_company(self, model, rows):
        together = model.score_samples(rows)
        alone = [model.score_samples(rows[n : n + 1])[0] for n in range(20)]
        np.testing.assert_allclose(alone, together[:20], rtol=1e-10)

    def test_refit_on_another_table(self, rows):
        model = brief(residual_training="separate").fit(rows)
        model.set_params(residual_training="joint").fit(rows[["a", "b"]])
        assert model.encoder_net_ is None
        assert model.n_features_in_ == 2
        assert list(model.sample(3)) == ["a", "b"]
