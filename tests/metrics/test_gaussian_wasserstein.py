"""Wasserstein distances of Gaussians against closed forms and matrix roots."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from skvae.metrics import gaussian_wasserstein, gaussian_wasserstein_correlation


def random_posterior(n_rows=50, n_latents=3, seed=0):
    rng = np.random.RandomState(seed)
    means = rng.normal(size=(n_rows, n_latents)) @ rng.normal(size=(n_latents,) * 2)
    return means + 0.5, rng.uniform(-2, 1, size=(n_rows, n_latents))


def squared_distance(mean, covariance, other_mean, other_covariance):
    """Dowson and Landau's formula as it stands, by roots of matrices."""
    root = sqrtm(other_covariance)
    cross = sqrtm(root @ covariance @ root).real
    gap = np.sum((mean - other_mean) ** 2)
    return gap + np.trace(covariance + other_covariance - 2 * cross)


def spread_evenly(standard_deviations, n_rows=100):
    """Codes with exactly this standard deviation (ddof=0) and no correlation."""
    draws = np.random.RandomState(0).normal(size=(n_rows, len(standard_deviations)))
    basis, _ = np.linalg.qr(draws - draws.mean(axis=0))
    return basis * np.sqrt(n_rows) * standard_deviations


@pytest.mark.parametrize("seed", range(3))
def test_distance_to_prior_equals_the_formula_by_matrix_roots(seed):
    means, log_variances = random_posterior(seed=seed)
    # Moments of the mixture by its definition: E[z] and E[z z'] - E[z] E[z]'.
    second = np.mean(
        [np.outer(m, m) + np.diag(np.exp(v))
         for m, v in zip(means, log_variances, strict=True)], axis=0
    )  # fmt: skip
    mean = means.mean(axis=0)
    covariance = second - np.outer(mean, mean)
    expected = squared_distance(mean, covariance, np.zeros(3), np.eye(3))
    value = gaussian_wasserstein(means, log_variances)
    assert value == pytest.approx(expected, rel=1e-8)
    assert type(value) is float


def test_moments_are_those_of_draws_from_the_aggregate_posterior():
    means, log_variances = random_posterior()
    rng = np.random.RandomState(1)
    row = rng.randint(50, size=200_000)
    draws = means[row] + np.exp(log_variances[row] / 2) * rng.normal(size=(200_000, 3))
    expected = squared_distance(
        draws.mean(axis=0), np.cov(draws, rowvar=False), np.zeros(3), np.eye(3)
    )
    value = gaussian_wasserstein(means, log_variances)
    assert value == pytest.approx(expected, rel=0.02)


def test_matched_aggregate_posterior_has_no_gap():
    means = spread_evenly([0.6, 0.6])
    log_variances = np.full(means.shape, np.log(1 - 0.6**2))
    assert gaussian_wasserstein(means, log_variances) == pytest.approx(0, abs=1e-20)


def test_collapsed_posterior_has_no_gap():
    assert gaussian_wasserstein(np.zeros((10, 3)), np.zeros((10, 3))) == 0


def test_gap_adds_up_over_latents():
    means = spread_evenly([np.sqrt(3), 0.0]) + [0.0, 0.3]
    log_variances = np.zeros_like(means)
    log_variances[:, 1] = np.log(0.25)
    # Spread 2 instead of 1; spread .5 instead of 1, and off by .3.
    expected = 1 + 0.5**2 + 0.3**2
    assert gaussian_wasserstein(means, log_variances) == pytest.approx(expected)


def test_posterior_with_no_spread_has_the_prior_to_cover():
    means = np.zeros((10, 4))
    assert gaussian_wasserstein(means, means - 1000.0) == pytest.approx(4)


def test_rotation_of_the_aggregate_changes_nothing_with_equal_variances():
    means, _ = random_posterior()
    log_variances = np.full(means.shape, -1.0)
    rotation, _ = np.linalg.qr(np.random.RandomState(3).normal(size=(3, 3)))
    value = gaussian_wasserstein(means, log_variances)
    turned = gaussian_wasserstein(means @ rotation, log_variances)
    assert turned == pytest.approx(value)


@pytest.mark.parametrize("seed", range(3))
def test_correlation_equals_the_formula_by_matrix_roots(seed):
    means, _ = random_posterior(seed=seed)
    covariance = np.cov(means, rowvar=False)
    diagonal = np.diag(np.diag(covariance))
    expected = squared_distance(np.zeros(3), covariance, np.zeros(3), diagonal)
    value = gaussian_wasserstein_correlation(means)
    assert value == pytest.approx(expected, rel=1e-8)
    assert type(value) is float
    # The form in disentanglement_lib takes the root of a product that is not symmetric.
    root = sqrtm(covariance * np.diag(covariance)[:, None]).real
    assert value == pytest.approx(2 * np.trace(covariance) - 2 * np.trace(root))


@pytest.mark.parametrize("correlation", [0.3, -0.8, 1.0])
def test_correlation_of_two_latents_has_a_closed_form(correlation):
    codes = spread_evenly([1.0, 1.0])
    codes[:, 1] = correlation * codes[:, 0] + np.sqrt(1 - correlation**2) * codes[:, 1]
    codes /= codes.std(axis=0, ddof=1)
    roots = np.sqrt(1 + correlation) + np.sqrt(1 - correlation)
    expected = 4 - 2 * roots
    value = gaussian_wasserstein_correlation(codes)
    assert value == pytest.approx(expected, rel=1e-6)
    assert value / codes.var(axis=0, ddof=1).sum() < 2
    # Squared units, and a sign or an order does not matter.
    assert gaussian_wasserstein_correlation(3 * codes) == pytest.approx(9 * value)
    flipped = codes[:, ::-1] * [1, -1]
    assert gaussian_wasserstein_correlation(flipped) == pytest.approx(value)


def test_uncorrelated_latents_are_at_zero_and_rotated_ones_are_not():
    codes = spread_evenly([1.0, 3.0])
    assert gaussian_wasserstein_correlation(codes) == pytest.approx(0, abs=1e-12)
    turned = codes @ np.array([[1.0, -1.0], [1.0, 1.0]]) / np.sqrt(2)
    assert gaussian_wasserstein_correlation(turned) > 1


def test_dead_latents_add_nothing():
    means, log_variances = random_posterior()
    wider = np.column_stack([means, np.full((50, 2), 0.1)])
    value = gaussian_wasserstein_correlation(means)
    assert gaussian_wasserstein_correlation(wider) == pytest.approx(value)
    at_prior = [np.column_stack([a, np.zeros((50, 2))]) for a in (means, log_variances)]
    value = gaussian_wasserstein(means, log_variances)
    assert gaussian_wasserstein(*at_prior) == pytest.approx(value)


def test_single_latent():
    means = spread_evenly([0.0])
    assert gaussian_wasserstein_correlation(spread_evenly([2.0])) == 0
    assert gaussian_wasserstein(means, means + np.log(4.0)) == pytest.approx(1)


def test_constant_latents_alone_are_uncorrelated():
    assert gaussian_wasserstein_correlation(np.ones((10, 3))) == 0


def test_moment_arrays_are_checked():
    means, log_variances = random_posterior()
    with pytest.raises(ValueError, match=r"\(50, 3\) and .* \(50, 2\)"):
        gaussian_wasserstein(means, log_variances[:, :2])
    with pytest.raises(ValueError, match="Expected 2D array"):
        gaussian_wasserstein_correlation(means[:, 0])
    means[3, 1] = np.inf
    for call in (
        lambda: gaussian_wasserstein(means, log_variances),
        lambda: gaussian_wasserstein_correlation(means),
    ):
        with pytest.raises(ValueError, match="means contains infinity"):
            call()
