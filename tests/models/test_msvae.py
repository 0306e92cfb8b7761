"""Factors of a first stage, the rest in a second, and what becomes of both."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from model_cases import MODELS, gentle, make_table, small
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import CVAE, DCVAE, MSVAE, VAE, BetaTCVAE
from skvae.datasets import make_sprites
from skvae.networks import Beside
from skvae.selection import (
    ks_scorer,
    latent_consistency_scorer,
    n_active_scorer,
    neg_total_correlation_scorer,
    reconstruction_scorer,
)

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

N_FACTORS, N_RESIDUALS = 2, 3
COLUMNS = list("abcdef")


def make_rows(n_rows=400, seed=0):
    """Return columns of two factors, and of a rest that correlates across columns."""
    rng = np.random.default_rng(seed)
    of_factors = [[1, 0.9, 0.8, 0, 0, 0], [0, 0, 0, 1, -0.9, 0.8]]
    of_rest = [[0.4, -0.4, 0.1, 0.4, 0.3, -0.2], [-0.3, 0.1, 0.4, 0.2, -0.4, 0.4]]
    values = rng.normal(size=(n_rows, 2)) @ of_factors
    values += rng.normal(size=(n_rows, 2)) @ of_rest
    values += 0.1 * rng.normal(size=values.shape)
    index = [f"client{position}" for position in range(n_rows)]
    return pd.DataFrame(values, columns=COLUMNS, index=index)


def make_clients(n_rows=300, seed=0):
    """Return the same columns moved by a group and an age that stand beside them."""
    rng = np.random.default_rng(seed)
    group = rng.choice(["low", "middle", "high"], n_rows, p=[0.5, 0.3, 0.2])
    age = rng.uniform(20, 70, n_rows)
    shift = pd.Series(group).map({"low": -2.0, "middle": 0.0, "high": 2.0}).to_numpy()
    table = make_rows(n_rows, seed)
    table["a"] += shift
    table["d"] += (age - 45) / 20
    table.insert(1, "group", group)
    table["age"] = age
    return table


SETTINGS = {
    "hidden_layer_sizes": (16,),
    "max_epochs": 40,
    "lr": 2e-2,
    "batch_size": 64,
    "device": "cpu",
    "random_state": 0,
}


def first_stage(model_class=BetaTCVAE, **params):
    settings = {**SETTINGS, "latent_dim": N_FACTORS, "encoding": "standard"}
    return model_class(**{**settings, **gentle(model_class), **params})


def two_stages(first, **params):
    return MSVAE(first, **{**SETTINGS, "residual_dim": N_RESIDUALS, **params})


def brief(first=None, **params):
    """Return a model that trains in a hundredth of a second."""
    first = small(BetaTCVAE, beta=1.5) if first is None else first
    settings = {"residual_dim": 2, "max_epochs": 3, "hidden_layer_sizes": (8,)}
    return two_stages(first, **{**settings, **params})


@pytest.fixture(scope="module")
def rows():
    return make_rows()


@pytest.fixture(scope="module")
def clients():
    return make_clients()


@pytest.fixture(scope="module")
def first(rows):
    return first_stage().fit(rows)


@pytest.fixture(scope="module")
def of_two(first, rows):
    return {
        (fusion, training): two_stages(
            FrozenEstimator(first), fusion=fusion, residual_training=training
        ).fit(rows)
        for fusion in ("film", "concat")
        for training in ("joint", "separate")
    }


@pytest.fixture(
    params=[(f, t) for f in ("film", "concat") for t in ("joint", "separate")],
    ids="-".join,
)
def each(request, of_two):
    """Both stages trained, in each of the ways."""
    return of_two[request.param]


@pytest.fixture(scope="module")
def model(of_two):
    return of_two["film", "joint"]


@pytest.fixture(scope="module")
def conditional(clients):
    """A first stage of each kind that takes conditions, and the second stage on it."""
    columns = ["group", "age"]
    return {
        kind: two_stages(first_stage(kind, condition_columns=columns)).fit(clients)
        for kind in (CVAE, DCVAE)
    }


def encoded(model, table):
    """Return the values that the networks see, and beside them their condition."""
    (matrix,) = model.first_stage_._encoded_chunks(table)
    return torch.as_tensor(matrix)


def weights(model):
    return {name: w.clone() for name, w in model.module_.state_dict().items()}


def same_weights(one, other):
    return one.keys() == other.keys() and all(
        torch.equal(one[k], other[k]) for k in one
    )


def squared_error(model, table):
    encode = model.table_encoder_.transform
    return np.mean((encode(model.reconstruct(table)) - encode(table)) ** 2)


def spread_of_residuals(model, table):
    """Return the standard deviation of x - y(c) for draws of c, column by column."""
    first, matrix = model.first_stage_.module_, encoded(model, table)
    with torch.no_grad():
        posterior = first.encode(matrix)
        generator = torch.Generator().manual_seed(0)
        noise = torch.randn(20, *posterior.mean.shape, generator=generator)
        values, condition = first.split(matrix)
        residuals = values - first.mean(posterior.at(noise), condition)
    return residuals.flatten(0, 1).numpy().std(axis=0)


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


class TestSecondStageExplainsTheRest:
    def test_it_trains(self, each):
        history = each.history_["valid_reconstruction"]
        assert history.iloc[-1] < history.iloc[0] - 0.5

    def test_fusion_is_what_was_asked_for(self, of_two):
        for (fusion, _), model in of_two.items():
            assert isinstance(model.module_.decoder, Beside) == (fusion == "concat")

    def test_residual_latents_carry_something(self, each):
        assert (each.kl_per_dimension_[N_FACTORS:] > 0.1).sum() >= 2
        assert each.n_active_ > N_FACTORS

    def test_neither_factors_nor_residual_latents_are_ignored(self, each, rows):
        latents = each.transform(rows)
        spread = each.inverse_transform(latents).std().mean()
        swapped = latents.copy()
        swapped[:, N_FACTORS:] = latents[::-1, N_FACTORS:]
        moved = {"z": swapped}
        for factor in range(N_FACTORS):
            moved[factor] = latents.copy()
            moved[factor][:, factor] += 1
        for name, others in moved.items():
            change = each.inverse_transform(others) - each.inverse_transform(latents)
            assert np.sqrt((change**2).to_numpy().mean()) > 0.2 * spread, name

    def test_reconstructions_are_nearer_than_those_of_the_first_stage(
        self, each, first, rows
    ):
        assert squared_error(each, rows) < 0.5 * squared_error(first, rows)
        unseen = make_rows(seed=1)
        assert squared_error(each, unseen) < 0.6 * squared_error(first, unseen)
        assert reconstruction_scorer(each, rows) > reconstruction_scorer(first, rows)

    def test_bound_is_above_that_of_the_first_stage(self, each, first, rows):
        assert each.score(rows) > first.score(rows) + 0.4
        unseen = make_rows(seed=1)
        assert each.score(unseen) > first.score(unseen) + 0.3

    def test_importance_weighted_bound_is_tighter(self, each, rows):
        bound = each.score(rows)
        tighter = each.score_samples(rows, n_importance=300).mean()
        assert bound < tighter < bound + 1.5

    def test_what_is_left_is_less_correlated(self, model, first, rows):
        left = {
            m: np.corrcoef((rows - m.reconstruct(rows)).T.to_numpy())
            for m in (model, first)
        }
        off = ~np.eye(len(COLUMNS), dtype=bool)
        of_both, of_first = (np.abs(left[m][off]).mean() for m in (model, first))
        assert of_both < of_first


class TestDecomposition:
    def test_it_adds_up(self, each, rows):
        value = each.elbo_decomposition(rows)["value"]
        parts = ["mutual_information", "total_correlation", "dimension_wise_kl"]
        assert value[[*parts, "residual_kl"]].sum() == pytest.approx(value["kl"])
        assert value["reconstruction"] - value["kl"] == pytest.approx(value["elbo"])

    def test_parts_of_the_factors_are_those_of_the_first_stage(self, each, first, rows):
        terms, alone = each.elbo_decomposition(rows), first.elbo_decomposition(rows)
        parts = ["mutual_information", "total_correlation", "dimension_wise_kl"]
        pd.testing.assert_frame_equal(
            terms.loc[parts], alone.loc[parts], check_exact=True
        )
        gap = terms.loc["kl", "value"] - terms.loc["residual_kl", "value"]
        assert gap == pytest.approx(alone.loc["kl", "value"])

    def test_it_is_the_score_but_for_monte_carlo_error(self, each, rows):
        terms = each.elbo_decomposition(rows)
        error = terms.loc["elbo", "standard_error"]
        assert abs(terms.loc["elbo", "value"] - each.score(rows)) < 4 * error

    def test_residual_kl_is_that_of_z_over_draws_of_c(self, each, rows):
        matrix = encoded(each, rows)
        noise = torch.randn(
            200, len(rows), N_FACTORS, generator=torch.Generator().manual_seed(0)
        ).double()
        with torch.no_grad():
            factors = each.first_stage_.module_.encode(matrix).at(noise)
            residuals = matrix - each.first_stage_.module_.mean(factors)
            posterior = each.module_.encode_residual(residuals)
            kl = posterior.kl_to_standard().sum(dim=-1).mean()
        terms = each.elbo_decomposition(rows)
        found = terms.loc["residual_kl", "value"]
        assert found == pytest.approx(kl.item(), rel=0.03)

    def test_it_draws_some_of_many_rows(self, model, rows):
        terms = model.elbo_decomposition(rows, max_rows=50, random_state=1)
        again = model.elbo_decomposition(rows, max_rows=50, random_state=1)
        pd.testing.assert_frame_equal(terms, again)
        assert not terms.equals(model.elbo_decomposition(rows, max_rows=50))


class TestWaysOut:
    def test_feature_names_tell_factors_from_residual_latents(self, model):
        names = ["msvae_c0", "msvae_c1", "msvae_z0", "msvae_z1", "msvae_z2"]
        assert model.get_feature_names_out().tolist() == names
        with pytest.raises(NotFittedError):
            MSVAE().get_feature_names_out()

    def test_inverse_of_transform_is_the_reconstruction(self, each, rows):
        pd.testing.assert_frame_equal(
            each.inverse_transform(each.transform(rows)).set_axis(rows.index),
            each.reconstruct(rows),
            check_exact=True,
        )

    def test_mean_is_what_the_modules_say(self, each, rows):
        matrix = encoded(each, rows)
        module = each.module_
        with torch.no_grad():
            c = module.first.encode(matrix).mean
            y = module.first.mean(c)
            z = module.encoder(matrix - y)[:, :N_RESIDUALS]
            expected = module.first.outputs(c) + module.decoder(z, y)
        np.testing.assert_allclose(
            each.transform(rows), torch.cat([c, z], 1), rtol=1e-10
        )
        expected = each.table_encoder_.inverse_transform(expected.numpy())
        np.testing.assert_allclose(each.reconstruct(rows), expected, rtol=1e-9)

    def test_draws_of_reconstructions(self, model, rows):
        one, again, other = (
            model.reconstruct(rows, kind="draw", random_state=seed)
            for seed in (0, 0, 1)
        )
        pd.testing.assert_frame_equal(one, again)
        assert not np.isclose(one, other).any()
        assert ((one - rows) ** 2).to_numpy().mean() < 0.5

    @pytest.mark.parametrize("latent", ["aggregate", "prior"])
    def test_samples_look_like_the_table(self, each, rows, latent):
        made = each.sample(3000, latent=latent, random_state=0)
        assert made.shape == (3000, 6)
        assert list(made) == COLUMNS
        np.testing.assert_allclose(made.std(), rows.std(), rtol=0.25)
        np.testing.assert_allclose(made.corr(), rows.corr(), atol=0.25)
        again = each.sample(3000, latent=latent, random_state=0)
        pd.testing.assert_frame_equal(made, again)

    def test_samples_of_prior_and_rows_differ(self, model):
        prior, aggregate = (
            model.sample(5, latent=latent, random_state=0)
            for latent in ("prior", "aggregate")
        )
        assert not np.isclose(prior, aggregate).any()

    def test_drawn_residual_latents_belong_to_the_factors_drawn_with_them(
        self, model, rows
    ):
        # z makes up for the very c that it stands beside, not for the mean.
        random_state = np.random.RandomState(0)
        latents = model._draw_latents_of(np.arange(400), "aggregate", random_state)
        matrix, module = encoded(model, rows), model.module_
        c = torch.as_tensor(latents[:, :N_FACTORS])
        z = torch.as_tensor(latents[:, N_FACTORS:])
        with torch.no_grad():
            of_factors = module.first.encode(matrix)
            of_rest = module.residual_posterior(matrix, c)
        for posterior, drawn in ((of_factors, c), (of_rest, z)):
            noise = (drawn - posterior.mean) / (posterior.log_variance / 2).exp()
            np.testing.assert_allclose(noise.mean(dim=0), 0, atol=0.2)
            np.testing.assert_allclose(noise.std(dim=0), 1, atol=0.1)

    def test_history_of_both_stages(self, of_two):
        for (_, training), model in of_two.items():
            terms = {"train_reconstruction", "train_kl", "valid_loss"}
            assert terms <= set(model.history_)
            assert len(model.history_) == model.n_iter_
            assert "train_total_correlation" in model.first_stage_.history_
            assert "train_total_correlation" not in model.history_
            if training == "joint":
                assert model.encoder_net_ is None
            else:
                losses = [epoch["valid_loss"] for epoch in model.encoder_net_.history]
                assert losses[-1] < losses[0]

    def test_encoder_trained_by_itself_read_the_residuals_alone(self, of_two, rows):
        model = of_two["film", "separate"]
        (head,) = model.encoder_net_.module_.heads
        expected = spread_of_residuals(model, rows)
        np.testing.assert_allclose(head.column_scales, expected, rtol=0.1)

    def test_arrays_come_back_as_arrays(self, rows):
        model = brief().fit(rows.to_numpy())
        assert isinstance(model.reconstruct(rows.to_numpy()), np.ndarray)
        assert model.sample(7, random_state=0).shape == (7, 6)


def mixed_by_hand(model, content, residual, variant):
    """Return the rows of `mix`, by calls of the modules."""
    first, second = model.first_stage_.module_, model.module_
    with torch.no_grad():
        of_content, of_residual = encoded(model, content), encoded(model, residual)
        (_, own), (inputs, other) = first.split(of_content), first.split(of_residual)
        factors = first.encode(of_content).mean
        if variant == "residual":
            inputs = inputs - first.mean(first.encode(of_residual).mean, other)
        if variant == "crossed":
            inputs = inputs - first.mean(factors, own)
        z = second.encoder(inputs)[:, :N_RESIDUALS]
        mean = second.mean(torch.cat([factors, z], dim=1), own)
    return model.table_encoder_.inverse_transform(mean.numpy())


class TestMix:
    def test_of_rows_with_themselves_is_the_reconstruction(self, each, rows):
        pd.testing.assert_frame_equal(
            each.mix(rows, rows), each.reconstruct(rows), rtol=1e-10, atol=1e-12
        )

    @pytest.mark.parametrize("variant", ["residual", "raw", "crossed"])
    def test_it_is_what_the_modules_say(self, each, rows, variant):
        content, residual = rows[:50], rows[50:100]
        found = each.mix(content, residual, variant=variant)
        expected = mixed_by_hand(each, content, residual, variant)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)

    def test_variants_differ(self, model, rows):
        residual, raw, crossed = (
            model.mix(rows[:50], rows[50:100], variant=variant)
            for variant in ("residual", "raw", "crossed")
        )
        for one, other in ((residual, raw), (residual, crossed), (raw, crossed)):
            assert not np.isclose(one, other).all(axis=1).any()

    def test_residual_comes_from_the_other_rows(self, model, rows):
        content, other = rows[:200], rows[200:]
        mixed = model.mix(content, other)
        rest, of_other = (
            (table - model.first_stage_.reconstruct(source)).to_numpy()
            for table, source in ((mixed, content), (other, other))
        )
        of_content = (content - model.first_stage_.reconstruct(content)).to_numpy()
        error, error_of_own = (
            np.mean((rest - expected) ** 2) for expected in (of_other, of_content)
        )
        assert error < 0.5 * error_of_own

    def test_index_is_that_of_the_content(self, model, rows):
        content, other = rows[:5], rows[5:10]
        for pair in ("ordered", "random"):
            mixed = model.mix(content, other, pair=pair, random_state=0)
            pd.testing.assert_index_equal(mixed.index, content.index)
            assert list(mixed) == COLUMNS

    def test_random_pairs_are_those_of_random_state(self, model, rows):
        content, other = rows[:50], rows[50:80]
        one, again, another = (
            model.mix(content, other, pair="random", random_state=seed)
            for seed in (0, 0, 1)
        )
        pd.testing.assert_frame_equal(one, again)
        assert not one.equals(another)
        # Each row has the residual of one of the others.
        for row in range(5):
            repeated = content.iloc[[row] * len(other)]
            candidates = model.mix(repeated, other)
            assert np.isclose(candidates, one.iloc[row]).all(axis=1).sum() == 1

    def test_ordered_is_the_default(self, model, rows):
        ordered = model.mix(rows[:50], rows[50:100], random_state=1)
        pd.testing.assert_frame_equal(ordered, model.mix(rows[:50], rows[50:100]))

    def test_unequal_lengths(self, model, rows):
        with pytest.raises(ValueError, match=r"7 rows in X_content and 9 in X_resid"):
            model.mix(rows[:7], rows[:9])
        assert model.mix(rows[:7], rows[:9], pair="random").shape == (7, 6)

    @pytest.mark.parametrize("argument", ["X_content", "X_residual"])
    def test_errors_name_the_table(self, model, rows, argument):
        for bad in (rows.drop(columns="f"), rows[:0], rows.assign(a="x")):
            tables = {"X_content": rows, "X_residual": rows, argument: bad}
            with pytest.raises(ValueError, match=f"^{argument}: "):
                model.mix(**tables)

    @pytest.mark.parametrize(
        ("name", "value"), [("variant", "own"), ("pair", "all"), ("random_state", "x")]
    )
    def test_bad_parameters(self, model, rows, name, value):
        with pytest.raises(ValueError, match=f"'{name}' parameter of MSVAE.mix"):
            model.mix(rows, rows, **{name: value})

    def test_before_fit(self, rows):
        with pytest.raises(NotFittedError):
            MSVAE().mix(rows, rows)

    def test_inputs_stay_as_they_are(self, model, rows):
        content, other = rows[:9].copy(), rows[9:18].copy()
        model.mix(content, other, pair="random")
        pd.testing.assert_frame_equal(content, rows[:9])
        pd.testing.assert_frame_equal(other, rows[9:18])


@pytest.mark.parametrize("kind", [CVAE, DCVAE])
class TestConditionColumns:
    @pytest.fixture
    def model(self, conditional, kind):
        return conditional[kind]

    def test_rows_keep_their_own_condition(self, model, clients):
        made = model.reconstruct(clients)
        assert list(made) == list(clients)
        pd.testing.assert_series_equal(made["group"], clients["group"])
        np.testing.assert_allclose(made["age"], clients["age"])
        other = clients.assign(group="high")
        assert (model.reconstruct(other)["group"] == "high").all()

    def test_samples_have_conditions_of_training_rows(self, model, clients):
        made = model.sample(1000, random_state=0)
        assert list(made) == list(clients)
        shares = made["group"].value_counts(normalize=True)
        assert shares["low"] == pytest.approx(0.5, abs=0.1)
        means = made.groupby("group")["a"].mean()
        assert means["low"] + 2 < means["high"]
        assert np.corrcoef(made["d"], made["age"])[0, 1] > 0.2

    def test_factors_are_those_of_the_first_stage(self, model, clients):
        codes = model.transform(clients)
        expected = model.first_stage_.transform(clients)
        np.testing.assert_array_equal(codes[:, :N_FACTORS], expected)
        for scorer in (neg_total_correlation_scorer, n_active_scorer):
            assert scorer(model, clients) == scorer(model.first_stage_, clients)

    def test_second_stage_explains_rows_better(self, model, clients):
        assert model.score(clients) > model.first_stage_.score(clients) + 0.3
        assert 0.3 < ks_scorer(model, clients) < 1
        terms = model.elbo_decomposition(clients)
        error = terms.loc["elbo", "standard_error"]
        assert abs(terms.loc["elbo", "value"] - model.score(clients)) < 4 * error

    def test_condition_acts_through_the_first_stage(self, model, clients):
        found = model.reconstruct(clients)
        with torch.no_grad():
            module, matrix = model.module_, encoded(model, clients)
            values, condition = module.first.split(matrix)
            c = module.first.encode(matrix).mean
            y = module.first.mean(c, condition)
            z = module.encoder(values - y)[:, :N_RESIDUALS]
            mean = module.first.outputs(c, condition) + module.decoder(z, y)
        cells = clients[["group", "age"]]
        expected = model.table_encoder_.inverse_transform(
            mean.numpy(), clients.index, cells
        )
        pd.testing.assert_frame_equal(
            found[COLUMNS], expected[COLUMNS], rtol=1e-9, atol=1e-12
        )

    @pytest.mark.parametrize("variant", ["residual", "raw", "crossed"])
    def test_mix_keeps_the_condition_of_the_content(self, model, clients, variant):
        content, other = clients[:100], clients[100:200]
        assert (content["group"].to_numpy() != other["group"].to_numpy()).any()
        mixed = model.mix(content, other, variant=variant)
        pd.testing.assert_series_equal(mixed["group"], content["group"])
        np.testing.assert_allclose(mixed["age"], content["age"])
        own = model.mix(content, content)
        pd.testing.assert_frame_equal(own, model.reconstruct(content))

    def test_encoder_trained_by_itself_read_residuals_under_the_own_condition(
        self, kind, clients
    ):
        first = small(kind, condition_columns=["group", "age"], max_epochs=20, lr=1e-2)
        model = brief(first, residual_training="separate").fit(clients)
        (head,) = model.encoder_net_.module_.heads
        expected = spread_of_residuals(model, clients)
        np.testing.assert_allclose(
            head.column_scales, expected, rtol=0.2
        )  # other draws


def test_bound_is_marginal_where_the_condition_is_unknown(clients):
    table = clients.drop(columns="age")
    model = two_stages(first_stage(CVAE, condition_columns=["group"]), max_epochs=10)
    model.fit(table)
    shares = table["group"].value_counts(normalize=True)
    bounds = [
        np.log(share) + model.score_samples(table.assign(group=level))
        for level, share in shares.items()
    ]
    unknown = table.assign(group=None)
    np.testing.assert_allclose(
        model.score_samples(unknown), logsumexp(bounds, axis=0), rtol=1e-10
    )
    assert np.isfinite(model.transform(unknown)).all()
    assert np.isfinite(model.reconstruct(unknown)[COLUMNS]).all(axis=None)


@pytest.fixture(scope="module")
def sprites():
    return make_sprites(200, image_size=8, random_state=0)


@pytest.fixture(scope="module")
def of_images(sprites):
    first = small(
        BetaTCVAE,
        beta=2,
        latent_dim=4,
        image_shape=sprites.image_shape,
        max_epochs=15,
        lr=1e-2,
        batch_size=32,
    )
    first.fit(sprites.data)
    settings = {"max_epochs": 20, "lr": 1e-2, "batch_size": 32}
    return {
        (fusion, training): two_stages(
            FrozenEstimator(first),
            fusion=fusion,
            residual_training=training,
            **settings,
        ).fit(sprites.data)
        for fusion, training in [("film", "joint"), ("concat", "separate")]
    }


class TestImages:
    @pytest.fixture(params=[("film", "joint"), ("concat", "separate")], ids="-".join)
    def model(self, request, of_images):
        return of_images[request.param]

    def test_reconstructions_are_nearer_than_those_of_the_first_stage(
        self, model, sprites
    ):
        assert squared_error(model, sprites.data) < squared_error(
            model.first_stage_, sprites.data
        )
        assert model.score(sprites.data) > model.first_stage_.score(sprites.data)

    def test_shapes_and_range(self, model, sprites):
        pixels = sprites.data
        assert model.transform(pixels).shape == (200, 4 + N_RESIDUALS)
        made = model.reconstruct(pixels), model.sample(200, random_state=0)
        for images in (*made, model.sample(200, latent="prior", random_state=0)):
            assert images.shape == pixels.shape
            assert images.dtype == pixels.dtype
        terms = model.elbo_decomposition(pixels)["value"]
        assert terms["residual_kl"] > 0

    @pytest.mark.parametrize("variant", ["residual", "raw", "crossed"])
    def test_mix(self, model, sprites, variant):
        content, other = sprites.data[:50], sprites.data[50:100]
        found = model.mix(content, other, variant=variant)
        expected = mixed_by_hand(model, content, other, variant)
        np.testing.assert_array_equal(found, expected)
        assert not np.array_equal(found, model.reconstruct(content))
        own = model.mix(content, content)
        np.testing.assert_array_equal(own, model.reconstruct(content))

    def test_pickle(self, model, sprites):
        again = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(
            again.transform(sprites.data), model.transform(sprites.data)
        )


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


def test_spare_residual_latents_switch_off(rows):
    first = first_stage(VAE, latent_dim=4).fit(rows)  # leaves nothing but noise
    model = two_stages(
        FrozenEstimator(first), residual_dim=6, residual_training="joint"
    ).fit(rows)
    assert (model.kl_per_dimension_[4:] < 0.05).sum() >= 4
    assert model.score(rows) > first.score(rows) - 0.3
