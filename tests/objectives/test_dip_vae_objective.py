"""The covariance that DIP-VAE penalises, by loop and by Monte Carlo."""

import numpy as np
import pytest
import torch
from objective_cases import make_batch

from skvae._core.passes import Normal
from skvae._core.random import make_generator
from skvae.objectives import DIPVAEObjective
from skvae.objectives._dip_vae import covariance_of_latents, covariance_of_means


@pytest.fixture
def batch():
    return make_batch(9)


def test_covariances_by_definition(batch):
    mean, log_variance = (tensor.detach().numpy() for tensor in batch.posterior)
    expected = np.cov(mean, rowvar=False, bias=True)
    found = covariance_of_means(batch.posterior).detach().numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)
    expected = expected + np.diag(np.exp(log_variance).mean(axis=0))
    found = covariance_of_latents(batch.posterior).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_covariance_of_latents_by_monte_carlo(batch):
    posterior = Normal(*(tensor.detach() for tensor in batch.posterior))
    noise = torch.randn(40_000, 9, 4, generator=make_generator(0))
    latents = posterior.at(noise).reshape(-1, 4)
    expected = latents.T.cov(correction=0)
    found = covariance_of_latents(posterior)
    torch.testing.assert_close(found, expected, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("variant", ["i", "ii"])
def test_terms_by_loop(variant, batch):
    terms = DIPVAEObjective(variant, 2.0, 5.0)(batch, 1.0)
    make = {"i": covariance_of_means, "ii": covariance_of_latents}[variant]
    covariance = make(batch.posterior)
    # A sum over i != j: each pair counts twice.
    off_diagonal = sum(
        covariance[i, j] ** 2 for i in range(4) for j in range(4) if i != j
    )
    diagonal = sum((covariance[i, i] - 1) ** 2 for i in range(4))
    torch.testing.assert_close(terms["covariance_off_diagonal"], off_diagonal)
    torch.testing.assert_close(terms["covariance_diagonal"], diagonal)


def test_variants_differ(batch):
    losses = [
        DIPVAEObjective(variant, 2.0, 5.0)(batch, 1.0)["loss"]
        for variant in ("i", "ii")
    ]
    assert not torch.equal(*losses)


def test_uncorrelated_latents_of_variance_1_cost_nothing():
    corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    posterior = Normal(corners, torch.full((4, 2), -torch.inf))
    batch = make_batch(4, 2)._replace(posterior=posterior)
    for variant in ("i", "ii"):
        terms = DIPVAEObjective(variant, 1.0, 1.0)(batch, 1.0)
        assert terms["covariance_off_diagonal"].item() == 0
        assert terms["covariance_diagonal"].item() == 0


def test_one_row_varies_in_nothing():
    terms = DIPVAEObjective("i", 1.0, 1.0)(make_batch(1), 1.0)
    assert terms["covariance_off_diagonal"].item() == 0
    assert terms["covariance_diagonal"].item() == 4
