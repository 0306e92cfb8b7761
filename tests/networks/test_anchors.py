"""Latents that are clamped to columns."""

import pytest
import torch
from torch import nn

from skvae._core.columns import ColumnGroup
from skvae._core.random import UseGenerator, make_generator
from skvae.networks import (
    MLP,
    Anchors,
    Autoencoder,
    LearnedPrior,
    StandardPrior,
    make_heads,
)

WIDTH, LATENT_DIM = 4, 3
CENTRES = torch.tensor([1.0, 20.0, -3.0, 0.5])
SCALES = torch.tensor([2.0, 5.0, 0.1, 1.0])
# Column 3 is latent 0, column 1 is latent 2; latent 1 is free.
LATENT_OF = {3: 0, 1: 2}


@pytest.fixture
def anchors():
    return Anchors(LATENT_OF, CENTRES, SCALES)


@pytest.fixture
def rows():
    noise = torch.randn(6, WIDTH, generator=make_generator(0))
    return CENTRES + SCALES * noise


@pytest.fixture
def model(anchors):
    groups = [ColumnGroup("continuous", tuple(range(WIDTH)), (1,) * WIDTH, start=0)]
    with UseGenerator(make_generator(0)):
        encoder, decoder = (
            MLP(WIDTH, (8,), 2 * LATENT_DIM),
            MLP(LATENT_DIM, (8,), WIDTH),
        )
    heads = make_heads(groups, "gaussian", SCALES)
    prior = StandardPrior()
    return Autoencoder(encoder, decoder, heads, groups, prior, anchors)


def test_clamped_latents_are_the_standardised_columns(anchors, rows):
    mean = torch.randn(6, LATENT_DIM, generator=make_generator(1))
    clamped = anchors(mean, rows)
    for column, latent in LATENT_OF.items():
        expected = (rows[:, column] - CENTRES[column]) / SCALES[column]
        torch.testing.assert_close(clamped[:, latent], expected)
    assert torch.equal(clamped[:, 1], mean[:, 1])


def test_mean_that_goes_in_stays_as_it_is(anchors, rows):
    mean = torch.zeros(6, LATENT_DIM)
    anchors(mean, rows)
    assert not mean.any()


def test_posterior_mean_is_clamped_and_the_rest_of_it_is_not(model, rows):
    mean, log_variance = model.encode(rows)
    mean_of_encoder, log_variance_of_encoder = model.encoder(rows).chunk(2, dim=1)
    torch.testing.assert_close(mean, model.anchors(mean_of_encoder, rows))
    assert torch.equal(mean[:, 1], mean_of_encoder[:, 1])
    assert not torch.isclose(mean[:, [0, 2]], mean_of_encoder[:, [0, 2]]).any()
    assert torch.equal(log_variance, log_variance_of_encoder)


def test_latents_are_clamped_in_units_of_the_prior(model, rows):
    model.prior = LearnedPrior(LATENT_DIM, 0)
    with torch.no_grad():
        model.prior.moments.copy_(torch.arange(1.0, 7.0)[None])
    mean, _ = model.encode(rows)
    for column, latent in LATENT_OF.items():
        expected = (rows[:, column] - CENTRES[column]) / SCALES[column]
        torch.testing.assert_close(mean[:, latent], expected)
    free = model.encoder(rows)[:, 1]
    torch.testing.assert_close(mean[:, 1], (free - 2) * torch.tensor(-2.5).exp())


def test_encoder_learns_the_free_latents_and_all_variances(model, rows):
    noise = torch.randn(6, LATENT_DIM, generator=make_generator(2))
    passed = model(rows, noise)
    (passed.kl.sum() - passed.log_likelihood.sum()).backward()
    last = list(model.encoder.parameters())[-2]  # (2 * LATENT_DIM, 8)
    learns = (last.grad != 0).any(dim=1)
    assert learns.tolist() == [False, True, False, True, True, True]
    for name, parameter in model.encoder.named_parameters():
        assert (parameter.grad != 0).any(), name


def test_where_a_cell_is_missing_the_word_of_the_encoder_stands(model, rows):
    clamped, _ = model.encode(rows)
    rows[1, 3] = rows[2, 1] = rows[4, 0] = torch.nan
    mean, _ = model.encode(rows)
    free, _ = model.encoder(model.filled(rows)).chunk(2, dim=1)
    assert mean[1, 0] == free[1, 0]
    assert mean[2, 2] == free[2, 2]
    assert mean[1, 2] == clamped[1, 2]
    assert torch.equal(mean[4, [0, 2]], clamped[4, [0, 2]])  # no anchor is missing
    assert torch.equal(mean[[0, 3, 5]], clamped[[0, 3, 5]])
    mean.sum().backward()
    for name, parameter in model.encoder.named_parameters():
        assert parameter.grad.isfinite().all(), name


def test_nothing_is_learned_and_all_is_stored(anchors):
    assert not list(anchors.parameters())
    assert set(anchors.state_dict()) == {"columns", "latents", "centres", "scales"}


def test_double_precision_keeps_the_columns(anchors, rows):
    double = anchors.double()
    clamped = double(torch.zeros(6, LATENT_DIM).double(), rows.double())
    assert clamped.dtype == torch.float64
    assert not double.columns.is_floating_point()


def test_anchor_is_a_module_of_the_model(model):
    assert isinstance(model.anchors, nn.Module)
    assert "anchors.centres" in model.state_dict()
