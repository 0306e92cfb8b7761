"""What the second stage adds to the first, and all that comes out of both."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from two_stage_cases import (
    COLUMNS,
    N_FACTORS,
    N_RESIDUALS,
    WAYS,
    brief,
    encoded,
    first_stage,
    fit_each_way,
    make_rows,
    mixed_by_hand,
    spread_of_residuals,
    squared_error,
    two_stages,
)

from skvae import MSVAE, VAE
from skvae.networks import Beside
from skvae.selection import reconstruction_scorer

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
            outputs = module.first.outputs(c) + module.decoder(z, y)
            expected = module.mean_of(outputs)
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


def test_spare_residual_latents_switch_off(rows):
    first = first_stage(VAE, latent_dim=4).fit(rows)  # leaves nothing but noise
    model = two_stages(
        FrozenEstimator(first), residual_dim=6, residual_training="joint"
    ).fit(rows)
    assert (model.kl_per_dimension_[4:] < 0.05).sum() >= 4
    assert model.score(rows) > first.score(rows) - 0.3
