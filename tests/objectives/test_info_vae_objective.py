"""The maximum mean discrepancy, by loop, by Monte Carlo and in closed form."""

import math

import pytest
import torch

from skvae._core.random import make_generator
from skvae.objectives._info_vae import maximum_mean_discrepancy


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=make_generator(seed), dtype=torch.float64)


def kernel(first, second):
    """By definition, for all pairs of rows."""
    distance = (first[:, None] - second[None]).square().sum(dim=2)
    return (-distance / (2 * first.shape[1])).exp()


@pytest.mark.parametrize("latent_dim", [1, 3, 10])
def test_by_monte_carlo(latent_dim):
    latents = 1.5 * draw(40, latent_dim, seed=1) + 0.5
    prior, other = draw(2, 20_000, latent_dim, seed=2)
    pairs = [kernel(latents[i : i + 1], latents[k : k + 1]).item()
             for i in range(40) for k in range(40) if i != k]  # fmt: skip
    within_prior = (-(prior - other).square().sum(dim=1) / (2 * latent_dim)).exp()
    expected = (
        sum(pairs) / len(pairs)
        - 2 * kernel(latents, prior).mean()
        + within_prior.mean()
    )
    found = maximum_mean_discrepancy(latents)
    assert found.item() == pytest.approx(expected.item(), abs=0.01)


def test_two_draws_from_the_prior_have_a_kernel_of_about_one_over_e():
    prior, other = draw(2, 1000, 50)
    mean = (-(prior - other).square().sum(dim=1) / (2 * 50)).exp().mean()
    assert mean.item() == pytest.approx(math.exp(-1), abs=0.02)


def test_is_unbiased_where_latents_follow_the_prior():
    values = torch.stack([maximum_mean_discrepancy(z) for z in draw(2000, 8, 3)])
    standard_error = values.std() / math.sqrt(2000)
    assert abs(values.mean()) < 3 * standard_error
    assert (values < 0).any()


def test_known_value_of_a_shifted_normal():
    # q(z) = N(m, I): the kernel of a draw of each is that of the prior, shrunk.
    latent_dim, shift = 2, 1.5
    values = torch.stack(
        [maximum_mean_discrepancy(z + shift) for z in draw(4000, 16, latent_dim)]
    )
    squared_scale = latent_dim
    within = (squared_scale / (squared_scale + 2)) ** (latent_dim / 2)
    distance = latent_dim * shift**2
    between = within * math.exp(-distance / (2 * (squared_scale + 2)))
    expected = 2 * within - 2 * between
    assert values.mean().item() == pytest.approx(expected, abs=0.01)


def test_latents_away_from_the_prior_are_drawn_to_it():
    latents = (3 + draw(16, 2)).requires_grad_()
    (gradient,) = torch.autograd.grad(maximum_mean_discrepancy(latents), latents)
    assert (gradient.mean(dim=0) > 0).all()


def test_gradient_by_finite_differences():
    latents = draw(5, 3).requires_grad_()
    assert torch.autograd.gradcheck(maximum_mean_discrepancy, latents)


def test_one_row_and_equal_rows():
    # A lone row is a point mass, whose kernel with itself is 1; so are equal rows.
    one = draw(1, 3)
    expected = 1 - 2 * kernel(one, draw(200_000, 3, seed=1)).mean() + 0.6**1.5
    for n_rows in (1, 2, 5):
        latents = one.repeat(n_rows, 1).requires_grad_()
        found = maximum_mean_discrepancy(latents)
        assert found.item() == pytest.approx(expected.item(), abs=0.01)
        (gradient,) = torch.autograd.grad(found, latents)
        assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("size", [0.0, 1e-4, 1e4])
def test_extreme_latents_stay_finite(size):
    latents = (size * draw(6, 4).float()).requires_grad_()
    found = maximum_mean_discrepancy(latents)
    assert -1e-3 <= found.item() <= 2
    (gradient,) = torch.autograd.grad(found, latents)
    assert torch.isfinite(gradient).all()
