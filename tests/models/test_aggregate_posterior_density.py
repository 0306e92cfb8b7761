"""The mixture of normals that latents are drawn from."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, wasserstein_distance

from skvae.models import _aggregate
from skvae.models._aggregate import AggregatePosterior, StandardNormal


def make_posteriors(n_rows=800, n_latents=2, seed=0):
    """Return posteriors on a bent line, of which the second latent is the wider."""
    rng = np.random.default_rng(seed)
    means = rng.normal(size=(n_rows, n_latents))
    means[:, 1] = 0.5 * means[:, 0] ** 2 - 0.5 + 0.1 * means[:, 1]
    return means, np.log(rng.uniform(0.02, 0.1, (n_rows, n_latents)))


def components(density):
    """Return weights, means and covariances in the latents' own units."""
    covariances = density.factors @ density.factors.transpose(0, 2, 1)
    scales = density._scale[:, None] * density._scale
    return (
        density.weights,
        density._centre + density._scale * density.means,
        scales * covariances,
    )


def expected_log_density(density, means, log_variances):
    """Return the mean of E_i[log p(z)], over draws."""
    noise = np.random.default_rng(1).normal(size=(20, *means.shape))
    draws = means + np.exp(0.5 * log_variances) * noise
    return density.log_density(draws.reshape(-1, means.shape[1])).mean()


def test_log_density_is_that_of_the_mixture():
    density = AggregatePosterior(*make_posteriors(), seed=0)
    assert len(density.weights) > 1
    points = np.random.default_rng(2).normal(size=(50, 2))
    parts = [
        np.log(weight) + multivariate_normal(mean, covariance).logpdf(points)
        for weight, mean, covariance in zip(*components(density), strict=True)
    ]
    expected = logsumexp(parts, axis=0)
    np.testing.assert_allclose(density.log_density(points), expected, rtol=1e-6)


def test_density_integrates_to_one():
    density = AggregatePosterior(*make_posteriors(), seed=0)
    axis, step = np.linspace(-8, 8, 401, retstep=True)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    total = np.exp(density.log_density(grid)).sum() * step**2
    assert total == pytest.approx(1, abs=2e-3)


def test_draws_are_from_the_density():
    density = AggregatePosterior(*make_posteriors(), seed=0)
    draws = density.sample(20_000, np.random.RandomState(0))
    weights, means, covariances = components(density)
    centre = weights @ means
    np.testing.assert_allclose(draws.mean(axis=0), centre, atol=0.03)
    spread = np.einsum("k,kij->ij", weights, covariances)
    spread += (weights[:, None] * (means - centre)).T @ (means - centre)
    np.testing.assert_allclose(np.cov(draws.T), spread, atol=0.05)


def test_draws_resemble_draws_from_the_posteriors():
    means, log_variances = make_posteriors()
    density = AggregatePosterior(means, log_variances, seed=0)
    noise = np.random.default_rng(3).normal(size=means.shape)
    own = means + np.exp(0.5 * log_variances) * noise
    draws = density.sample(5000, np.random.RandomState(0))
    prior = StandardNormal(2).sample(5000, np.random.RandomState(0))
    for latent in range(2):
        distance = wasserstein_distance(own[:, latent], draws[:, latent])
        assert distance < 0.06
    assert wasserstein_distance(own[:, 1], prior[:, 1]) > 0.2


def test_known_mixture_is_found():
    rng = np.random.default_rng(0)
    of_third = rng.uniform(size=2000) < 1 / 3
    means = np.where(of_third, 4.0, -2.0)[:, None] + 0.5 * rng.normal(size=(2000, 1))
    density = AggregatePosterior(means, np.full_like(means, np.log(0.25)), seed=0)
    points = np.linspace(-6, 8, 60)[:, None]
    scale = np.sqrt(0.25 + 0.25)  # of the means, and of each posterior
    parts = [
        np.log(share) + multivariate_normal(centre, scale**2).logpdf(points)
        for share, centre in ((1 / 3, 4.0), (2 / 3, -2.0))
    ]
    difference = np.exp(density.log_density(points)) - np.exp(logsumexp(parts, axis=0))
    assert np.abs(difference).max() < 0.04


def test_one_component_has_the_moments_of_the_posteriors():
    means, log_variances = make_posteriors(n_rows=60)
    density = AggregatePosterior(means, log_variances, seed=0)
    weights, (centre,), (covariance,) = components(density)
    assert weights == [1.0]
    np.testing.assert_allclose(centre, means.mean(axis=0), atol=1e-5)
    expected = np.cov(means.T, bias=True) + np.diag(np.exp(log_variances).mean(axis=0))
    np.testing.assert_allclose(covariance, expected, rtol=1e-3, atol=1e-4)


def test_no_component_is_narrower_than_posteriors():
    means, log_variances = make_posteriors()
    narrowest = np.exp(log_variances).min()
    _, _, covariances = components(AggregatePosterior(means, log_variances, seed=0))
    assert np.linalg.eigvalsh(covariances).min() > narrowest


def test_fits_better_than_one_normal(monkeypatch):
    posteriors = make_posteriors()
    mixture = AggregatePosterior(*posteriors, seed=0)
    monkeypatch.setattr(_aggregate, "_MOST_COMPONENTS", 1)
    one = AggregatePosterior(*posteriors, seed=0)
    assert len(one.weights) == 1 < len(mixture.weights)
    gain = expected_log_density(mixture, *posteriors)
    gain -= expected_log_density(one, *posteriors)
    assert gain > 0.3


def test_many_rows_do_not_overfit():
    density = AggregatePosterior(*make_posteriors(4000), seed=0)
    own = expected_log_density(density, *make_posteriors(4000))
    others = expected_log_density(density, *make_posteriors(4000, seed=5))
    assert own - others < 0.05


def test_the_seed_determines_it():
    posteriors = make_posteriors()
    points = posteriors[0][:50]
    first, again, other = (
        AggregatePosterior(*posteriors, seed).log_density(points) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_units_of_latents_do_not_matter(factor):
    means, log_variances = make_posteriors()
    one = AggregatePosterior(means, log_variances, seed=0)
    scaled = AggregatePosterior(
        factor * means, log_variances + 2 * np.log(factor), seed=0
    )
    np.testing.assert_allclose(
        scaled.log_density(factor * means) + 2 * np.log(factor),
        one.log_density(means),
        atol=1e-2,
    )


def test_latents_that_collapsed_are_standard_normal():
    density = AggregatePosterior(np.zeros((500, 3)), np.zeros((500, 3)), seed=0)
    points = np.random.default_rng(0).normal(size=(40, 3))
    np.testing.assert_allclose(
        density.log_density(points), StandardNormal(3).log_density(points), atol=1e-3
    )


def test_the_prior_is_standard_normal():
    points = np.random.default_rng(0).normal(size=(40, 3))
    expected = multivariate_normal(np.zeros(3)).logpdf(points)
    np.testing.assert_allclose(StandardNormal(3).log_density(points), expected)
