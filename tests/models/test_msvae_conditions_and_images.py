"""Two stages on rows with conditions beside them, and on images."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from model_cases import small
from scipy.special import logsumexp
from sklearn.frozen import FrozenEstimator
from two_stage_cases import (
    COLUMNS,
    N_FACTORS,
    N_RESIDUALS,
    brief,
    encoded,
    first_stage,
    make_clients,
    mixed_by_hand,
    spread_of_residuals,
    squared_error,
    two_stages,
)

from skvae import CVAE, DCVAE, BetaTCVAE
from skvae.datasets import make_sprites
from skvae.selection import ks_scorer, n_active_scorer, neg_total_correlation_scorer

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")


@pytest.fixture(scope="module")
def clients():
    return make_clients()


@pytest.fixture(scope="module")
def conditional(clients):
    """A first stage of each kind that takes conditions, and the second stage on it."""
    columns = ["group", "age"]
    return {
        kind: two_stages(first_stage(kind, condition_columns=columns)).fit(clients)
        for kind in (CVAE, DCVAE)
    }


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
            outputs = module.first.outputs(c, condition) + module.decoder(z, y)
            mean = module.mean_of(outputs)
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
