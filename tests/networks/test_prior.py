"""Where latents come from before a row is seen."""

import pytest
import torch
from torch.distributions import Normal as NormalOfTorch
from torch.distributions import kl_divergence

from skvae._core.passes import Normal
from skvae._core.random import UseGenerator, make_generator
from skvae.networks import PRIORS, LearnedPrior, StandardPrior

LATENT_DIM, N_ROWS, N_CONDITIONS = 3, 7, 2


def draws(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=make_generator(seed), dtype=dtype)


def make_posterior(dtype=torch.float32):
    mean, log_variance = draws(2, N_ROWS, LATENT_DIM, dtype=dtype)
    return Normal(mean, log_variance)


def make_learned(n_conditions, seed=None):
    """A prior as it starts, or one that has learned something."""
    with UseGenerator(make_generator(0)):
        prior = LearnedPrior(LATENT_DIM, n_conditions)
        if seed is not None:
            with UseGenerator(make_generator(seed)), torch.no_grad():
                for parameter in prior.parameters():
                    parameter.normal_()
    return prior


def make_condition(n_conditions, dtype=torch.float32):
    return draws(N_ROWS, n_conditions, seed=3, dtype=dtype) if n_conditions else None


def of_torch(normal):
    return NormalOfTorch(normal.mean, (normal.log_variance / 2).exp())


def assert_close(found, expected):
    """Assert that float64 tensors agree as far as rounding lets them."""
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n_conditions", [0, N_CONDITIONS])
class TestStandardPrior:
    """N(0, 1), whatever the condition: latents are in its units as they are."""

    def test_posterior_stays_as_it_is(self, n_conditions):
        posterior, condition = make_posterior(), make_condition(n_conditions)
        mean, log_variance = StandardPrior().relative(posterior, condition)
        assert torch.equal(mean, posterior.mean)
        assert torch.equal(log_variance, posterior.log_variance)

    def test_latents_stay_as_they_are(self, n_conditions):
        latents = draws(4, N_ROWS, LATENT_DIM)
        absolute = StandardPrior().absolute(latents, make_condition(n_conditions))
        assert torch.equal(absolute, latents)

    def test_kl_is_that_to_the_standard_normal(self, n_conditions):
        posterior = make_posterior(torch.float64)
        condition = make_condition(n_conditions, torch.float64)
        expected = kl_divergence(of_torch(posterior), NormalOfTorch(0.0, 1.0))
        relative = StandardPrior().relative(posterior, condition)
        assert_close(relative.kl_to_standard(), expected)


def test_standard_prior_learns_and_stores_nothing():
    prior = StandardPrior()
    assert not list(prior.parameters())
    assert not prior.state_dict()


@pytest.mark.parametrize("n_conditions", [0, N_CONDITIONS])
class TestLearnedPrior:
    """A normal distribution that training moves, and whose units latents are in."""

    def test_starts_as_the_standard_normal(self, n_conditions):
        prior, condition = make_learned(n_conditions), make_condition(n_conditions)
        normal = prior.normal(condition)
        n_normals = N_ROWS if n_conditions else 1
        assert normal.mean.shape == (n_normals, LATENT_DIM)
        assert normal.log_variance.shape == (n_normals, LATENT_DIM)
        assert not normal.mean.any()
        assert not normal.log_variance.any()
        posterior, latents = make_posterior(), draws(N_ROWS, LATENT_DIM, seed=4)
        relative = prior.relative(posterior, condition)
        assert torch.equal(relative.mean, posterior.mean)
        assert torch.equal(relative.log_variance, posterior.log_variance)
        assert torch.equal(prior.absolute(latents, condition), latents)

    def test_kl_is_that_of_the_absolute_posterior_to_the_prior(self, n_conditions):
        prior = make_learned(n_conditions, seed=1).double()
        condition = make_condition(n_conditions, torch.float64)
        posterior = make_posterior(torch.float64)
        expected = kl_divergence(of_torch(posterior), of_torch(prior.normal(condition)))
        standard = kl_divergence(of_torch(posterior), NormalOfTorch(0.0, 1.0))
        assert not torch.isclose(expected, standard).any()
        kl = prior.relative(posterior, condition).kl_to_standard()
        assert_close(kl, expected)

    def test_absolute_is_the_prior_at_the_noise(self, n_conditions):
        prior = make_learned(n_conditions, seed=1).double()
        condition = make_condition(n_conditions, torch.float64)
        latents = draws(4, N_ROWS, LATENT_DIM, seed=4, dtype=torch.float64)
        normal = of_torch(prior.normal(condition))
        result = prior.absolute(latents, condition)
        assert result.shape == latents.shape
        assert_close(result, normal.mean + normal.stddev * latents)

    def test_round_trip_of_a_posterior(self, n_conditions):
        # What is drawn from the relative posterior is, made absolute, what the
        # absolute posterior draws at the same noise.
        prior = make_learned(n_conditions, seed=1).double()
        condition = make_condition(n_conditions, torch.float64)
        posterior = make_posterior(torch.float64)
        relative = prior.relative(posterior, condition)
        assert not torch.isclose(relative.mean, posterior.mean).any()
        assert not torch.isclose(relative.log_variance, posterior.log_variance).any()
        assert_close(prior.absolute(relative.mean, condition), posterior.mean)
        noise = draws(5, N_ROWS, LATENT_DIM, seed=4, dtype=torch.float64)
        found = prior.absolute(relative.at(noise), condition)
        assert_close(found, posterior.at(noise))

    def test_round_trip_of_latents(self, n_conditions):
        prior = make_learned(n_conditions, seed=1).double()
        condition = make_condition(n_conditions, torch.float64)
        latents = draws(N_ROWS, LATENT_DIM, seed=4, dtype=torch.float64)
        log_variance = torch.zeros_like(latents)
        absolute = Normal(prior.absolute(latents, condition), log_variance)
        assert_close(prior.relative(absolute, condition).mean, latents)

    def test_prior_relative_to_itself_is_standard_normal(self, n_conditions):
        prior, condition = (
            make_learned(n_conditions, seed=1),
            make_condition(n_conditions),
        )
        mean, log_variance = prior.relative(prior.normal(condition), condition)
        assert not mean.any()
        assert not log_variance.any()

    def test_leaves_the_standard_normal(self, n_conditions):
        prior, condition = make_learned(n_conditions), make_condition(n_conditions)
        optimizer = torch.optim.Adam(prior.parameters(), lr=0.01)
        posterior = make_posterior()
        losses = []
        for _ in range(200):
            optimizer.zero_grad()
            kl = prior.relative(posterior, condition).kl_to_standard()
            losses.append(kl.sum())
            losses[-1].backward()
            optimizer.step()
        assert losses[-1] < 0.9 * losses[0]
        assert all((p.grad != 0).any() for p in prior.parameters())

    @pytest.mark.parametrize(("value", "limit"), [(1e6, 20), (-1e6, -20)])
    def test_log_variance_is_clamped(self, n_conditions, value, limit):
        prior, condition = make_learned(n_conditions), make_condition(n_conditions)
        with torch.no_grad():
            last = prior.moments.output.linear.bias if n_conditions else prior.moments
            last.fill_(value)
        assert (prior.normal(condition).log_variance == limit).all()
        assert (prior.normal(condition).mean == value).all()


def test_condition_moves_the_learned_prior():
    prior, condition = make_learned(2, seed=1), make_condition(2)
    normal, other = (prior.normal(c) for c in (condition, condition.flip(0)))
    torch.testing.assert_close(normal.mean.flip(0), other.mean)
    torch.testing.assert_close(normal.log_variance.flip(0), other.log_variance)
    assert len(normal.mean.unique(dim=0)) == N_ROWS


def test_without_a_condition_there_is_one_prior():
    assert make_learned(0, seed=1).normal(None).mean.shape == (1, LATENT_DIM)


@pytest.mark.parametrize("n_conditions", [0, 2])
@pytest.mark.parametrize("name", sorted(PRIORS))
def test_priors_by_name(name, n_conditions):
    prior, condition = (
        PRIORS[name](LATENT_DIM, n_conditions),
        make_condition(n_conditions),
    )
    relative = prior.relative(make_posterior(), condition)
    assert relative.mean.shape == relative.log_variance.shape == (N_ROWS, LATENT_DIM)
    assert prior.absolute(relative.mean, condition).shape == (N_ROWS, LATENT_DIM)
