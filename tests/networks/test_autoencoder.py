"""The encoder, the decoder and the share of each head in it."""

import pytest
import torch
from torch import nn
from torch.distributions import Bernoulli, Normal

from skvae._core.columns import ColumnGroup
from skvae._core.random import UseGenerator, make_generator
from skvae.networks import MLP, Autoencoder, BernoulliHead, GaussianHead, Posterior


@pytest.fixture
def rows():
    return torch.rand(10, 5, generator=make_generator(1))


@pytest.fixture
def model():
    """Two groups: three Gaussian columns, then two Bernoulli ones."""
    groups = [
        ColumnGroup("continuous", columns=(0, 2, 4), widths=(1, 1, 1), start=0),
        ColumnGroup("pixels", columns=(1, 3), widths=(1, 1), start=3),
    ]
    heads = nn.ModuleList(
        [GaussianHead(torch.tensor([1.0, 2.0, 3.0])), BernoulliHead(torch.ones(2))]
    )
    with UseGenerator(make_generator(0)):
        encoder = MLP(5, (8,), 4, "silu")
        decoder = MLP(2, (8,), 5, "silu")
    return Autoencoder(encoder, decoder, heads, groups)


def test_encoder_gives_means_then_log_variances(model, rows):
    posterior = model.encode(rows)
    outputs = model.encoder(rows)
    assert torch.equal(posterior.mean, outputs[:, :2])
    assert torch.equal(posterior.log_variance, outputs[:, 2:])


def test_log_variance_is_clamped_and_the_mean_is_not(model):
    model.encoder = nn.Identity()
    posterior = model.encode(torch.tensor([[-99.0, 99.0, -99.0, 99.0]]))
    assert posterior.mean.tolist() == [[-99, 99]]
    assert posterior.log_variance.tolist() == [[-20, 20]]


def test_latents_at_noise():
    posterior = Posterior(torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, 2.0]]))
    at_noise = posterior.at(torch.tensor([[0.5, -1.0]]))
    expected = torch.tensor([[1.5, -2.0 - torch.e]])
    torch.testing.assert_close(at_noise, expected)


def test_latents_have_the_moments_of_the_posterior():
    posterior = Posterior(torch.tensor([3.0]), torch.tensor([2.0]).log() * 2)
    noise = torch.randn(100_000, 1, generator=make_generator(0))
    latents = posterior.at(noise)
    assert latents.mean().item() == pytest.approx(3, abs=0.03)
    assert latents.std().item() == pytest.approx(2, abs=0.02)


def test_log_likelihood_is_the_sum_over_heads_of_their_own_columns(model, rows):
    latents = torch.randn(10, 2, generator=make_generator(2))
    outputs = model.decoder(latents)
    scales = 1.01 * torch.tensor([1.0, 2.0, 3.0])
    gaussian = Normal(outputs[:, :3], scales).log_prob(rows[:, :3]).sum(dim=1)
    p = outputs[:, 3:].sigmoid()
    pixels = rows[:, 3:]
    bernoulli = (pixels * p.log() + (1 - pixels) * (1 - p).log()).sum(dim=1)
    result = model.log_likelihood(latents, rows)
    assert result.shape == (10,)
    torch.testing.assert_close(result, gaussian + bernoulli)


def test_latents_may_have_leading_dimensions(model, rows):
    latents = torch.randn(4, 10, 2, generator=make_generator(2))
    result = model.log_likelihood(latents, rows)
    assert result.shape == (4, 10)
    for node in range(4):
        expected = model.log_likelihood(latents[node], rows)
        torch.testing.assert_close(result[node], expected)


def test_mean_has_the_matrix_columns_in_order(model):
    latents = torch.randn(10, 2, generator=make_generator(2))
    outputs = model.decoder(latents)
    expected = torch.cat([outputs[:, :3], outputs[:, 3:].sigmoid()], dim=1)
    assert torch.equal(model.mean(latents), expected)


def test_draws_come_from_each_head(model):
    latents = torch.randn(1, 2, generator=make_generator(2)).expand(20_000, 2)
    draws = model.draw(latents, make_generator(0)).detach()
    assert draws.shape == (20_000, 5)
    mean = model.mean(latents[:1])[0].detach()
    scales = 1.01 * torch.tensor([1.0, 2.0, 3.0])
    torch.testing.assert_close(draws[:, :3].mean(0), mean[:3], atol=0.1, rtol=0)
    torch.testing.assert_close(draws[:, :3].std(0), scales, atol=0.1, rtol=0)
    pixels = draws[:, 3:]
    assert set(pixels.unique().tolist()) <= {0.0, 1.0}
    torch.testing.assert_close(
        pixels.mean(0), Bernoulli(mean[3:]).mean, atol=0.02, rtol=0
    )


def test_every_parameter_gets_gradient(model, rows):
    posterior = model.encode(rows)
    latents = posterior.at(torch.randn(10, 2, generator=make_generator(2)))
    model.log_likelihood(latents, rows).sum().backward()
    for name, parameter in model.named_parameters():
        assert (parameter.grad != 0).all(), name
