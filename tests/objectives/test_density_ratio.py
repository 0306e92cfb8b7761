"""Total correlation by a discriminator: permutations, gradients, a known value."""

import math

import pytest
import torch
from objective_cases import make_batch, make_discriminator
from torch.nn.functional import binary_cross_entropy_with_logits

from skvae._core.passes import ForwardPass, Normal
from skvae._core.random import make_generator
from skvae.objectives import FactorVAEObjective
from skvae.objectives._density_ratio import (
    discriminator_loss,
    permute_dimensions,
    total_correlation_by_density_ratio,
)


def test_permuted_columns_hold_the_same_values_in_other_rows():
    latents = torch.randn(50, 3, generator=make_generator(0))
    permuted = permute_dimensions(latents, make_generator(1))
    assert torch.equal(permuted.sort(dim=0).values, latents.sort(dim=0).values)
    # Each column goes its own way: hardly a row survives.
    sources = [
        torch.searchsorted(latents[:, d].sort().values, permuted[:, d].contiguous())
        for d in range(3)
    ]
    places = [latents[:, d].argsort()[sources[d]] for d in range(3)]
    assert (places[0] == places[1]).sum() < 10
    assert (places[1] == places[2]).sum() < 10
    assert (places[0] == torch.arange(50)).sum() < 10


def test_all_permutations_are_equally_likely():
    generator = make_generator(0)
    latents = torch.arange(3.0).unsqueeze(1).expand(3, 1000)
    permuted = permute_dimensions(latents, generator).long()
    codes = permuted[0] * 9 + permuted[1] * 3 + permuted[2]
    counts = codes.unique(return_counts=True)[1]
    assert len(counts) == 6
    assert (counts > 120).all()  # 167 expected


def test_a_single_row_is_its_own_permutation():
    latents = torch.randn(1, 4, generator=make_generator(0))
    assert torch.equal(permute_dimensions(latents, make_generator(1)), latents)


def test_discriminator_loss_by_definition():
    batch, discriminator = make_batch(7), make_discriminator()
    found = discriminator_loss(discriminator, batch, make_generator(3))
    generator = make_generator(3)
    fresh = batch.posterior.at(torch.randn(7, 4, generator=generator))
    permuted = permute_dimensions(fresh, generator)
    joint, apart = discriminator(batch.latents), discriminator(permuted)
    expected = 0.5 * (
        binary_cross_entropy_with_logits(joint, torch.ones(7, 1))
        + binary_cross_entropy_with_logits(apart, torch.zeros(7, 1))
    )
    torch.testing.assert_close(found, expected)


def test_discriminator_that_knows_nothing():
    batch, discriminator = make_batch(), make_discriminator()
    torch.nn.init.zeros_(discriminator[-1].weight)
    torch.nn.init.zeros_(discriminator[-1].bias)
    loss = discriminator_loss(discriminator, batch, make_generator(0))
    assert loss.item() == pytest.approx(math.log(2))
    assert total_correlation_by_density_ratio(discriminator, batch.latents) == 0


def test_total_correlation_is_the_mean_logit_with_its_gradient_to_latents():
    batch, discriminator = make_batch(), make_discriminator()
    found = total_correlation_by_density_ratio(discriminator, batch.latents)
    expected = discriminator(batch.latents).mean()
    assert torch.equal(found, expected)
    latents = [
        torch.autograd.grad(value, batch.latents, retain_graph=True)[0]
        for value in (found, expected)
    ]
    assert torch.equal(*latents)
    assert latents[0].abs().sum() > 0


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_trained_discriminator_finds_a_known_total_correlation(correlation):
    generator = make_generator(0)
    objective = FactorVAEObjective(2.0, make_discriminator(2, width=32), lr=1e-2)
    optimizer = torch.optim.Adam(
        objective.adversary.parameters(), **objective.adversary_optimizer
    )

    def correlated(n_rows):
        # All rows together are normal with variance 1 and this correlation.
        shared = torch.randn(n_rows, 1, generator=generator)
        mean = (math.sqrt(correlation) * shared).expand(n_rows, 2)
        log_variance = torch.full((n_rows, 2), math.log(1 - correlation))
        posterior = Normal(mean, log_variance)
        latents = posterior.at(torch.randn(n_rows, 2, generator=generator))
        zeros = torch.zeros(n_rows)
        return ForwardPass(zeros, posterior, posterior.kl_to_standard(), latents)

    for _ in range(400):
        optimizer.zero_grad()
        objective.adversary_loss(correlated(512), generator).backward()
        optimizer.step()
    found = objective(correlated(20_000), 1.0)["total_correlation"].item()
    expected = -0.5 * math.log(1 - correlation**2)
    assert found == pytest.approx(expected, abs=0.06)
