"""The terms of the KL against brute force, closed forms and their invariants."""

import math

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from skvae.metrics import (
    gaussian_total_correlation,
    kl_decomposition,
    kl_per_dimension,
    n_active,
    total_correlation,
)
from skvae.metrics._aggregate_posterior import _decompose


def random_posterior(n_rows, n_latents, seed=0):
    rng = np.random.RandomState(seed)
    means = rng.normal(size=(n_rows, n_latents)) @ rng.normal(size=(n_latents,) * 2)
    log_variances = rng.uniform(-2, 0, size=(n_rows, n_latents))
    return means, log_variances, rng.normal(size=(n_rows, n_latents))


def decompose_by_loop(means, log_variances, noise):
    """The definitions, pair by pair and latent by latent."""
    n_rows, n_latents = means.shape
    deviations = np.exp(log_variances / 2)
    terms = []
    for i in range(n_rows):
        z = means[i] + deviations[i] * noise[i]
        log_density = np.array(
            [
                [norm.logpdf(z[d], means[k, d], deviations[k, d])
                 for d in range(n_latents)]
                for k in range(n_rows)
            ]
        )  # fmt: skip
        posterior = log_density[i].sum()
        aggregate = logsumexp(log_density.sum(axis=1)) - math.log(n_rows)
        marginals = sum(logsumexp(log_density[:, d]) for d in range(n_latents))
        marginals -= n_latents * math.log(n_rows)
        prior = norm.logpdf(z).sum()
        terms.append(
            [posterior - aggregate, aggregate - marginals, marginals - prior,
             posterior - prior]
        )  # fmt: skip
    return np.array(terms)


def test_equals_plain_loop():
    means, log_variances, noise = random_posterior(40, 3)
    result = _decompose(means, log_variances, noise)
    terms = decompose_by_loop(means, log_variances, noise)
    np.testing.assert_allclose(result[:4], terms.mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(
        result.standard_errors, terms.std(axis=0, ddof=1) / np.sqrt(40), rtol=1e-10
    )
    assert result.n_rows == 40


def test_chunks_do_not_change_the_result(monkeypatch):
    means, log_variances, noise = random_posterior(50, 3)
    whole = _decompose(means, log_variances, noise)
    monkeypatch.setattr("skvae.metrics._aggregate_posterior._PAIRS_PER_CHUNK", 7 * 50)
    np.testing.assert_allclose(
        _decompose(means, log_variances, noise)[:4], whole[:4], rtol=1e-12
    )


@pytest.mark.parametrize("seed", range(5))
def test_invariants(seed):
    means, log_variances, noise = random_posterior(300, 4, seed)
    result = _decompose(means, log_variances, noise)
    errors = result.standard_errors
    assert sum(result[:3]) == pytest.approx(result.kl, rel=1e-12)
    assert -4 * errors.mutual_information < result.mutual_information < math.log(300)
    assert result.total_correlation > -4 * errors.total_correlation
    assert result.dimension_wise_kl > -4 * errors.dimension_wise_kl
    analytic = kl_per_dimension(means, log_variances).sum()
    assert abs(result.kl - analytic) < 4 * errors.kl


def test_permuting_latents_changes_nothing():
    means, log_variances, noise = random_posterior(100, 4)
    order = [2, 0, 3, 1]
    permuted = _decompose(means[:, order], log_variances[:, order], noise[:, order])
    original = _decompose(means, log_variances, noise)
    np.testing.assert_allclose(permuted[:4], original[:4], rtol=1e-10)
    # With noise of their own, within Monte Carlo error.
    means, log_variances, _ = random_posterior(1000, 4)
    first = kl_decomposition(means, log_variances, random_state=0)
    second = kl_decomposition(means[:, order], log_variances[:, order], random_state=1)
    error = math.hypot(
        first.standard_errors.total_correlation,
        second.standard_errors.total_correlation,
    )
    difference = first.total_correlation - second.total_correlation
    assert abs(difference) < 4 * error


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.8])
def test_gaussian_aggregate_has_a_closed_form(correlation):
    rng = np.random.RandomState(0)
    variance = 0.2
    total = 1.5 * np.array([[1, correlation], [correlation, 1]])
    between = total - variance * np.eye(2)
    means = rng.multivariate_normal([1, 0], between, size=4000)
    log_variances = np.full(means.shape, math.log(variance))
    result = kl_decomposition(means, log_variances, random_state=0)
    # q(z) = N([1, 0], total); the posterior N(mean, 0.2 I) has a constant entropy.
    expected_information = 0.5 * np.log(np.linalg.det(total) / variance**2)
    expected_correlation = -0.5 * math.log(1 - correlation**2)
    expected_dimension_wise = 2 * 0.5 * (1.5 - 1 - math.log(1.5)) + 0.5 * 1**2
    expected = [expected_information, expected_correlation, expected_dimension_wise]
    np.testing.assert_allclose(result[:3], expected, atol=0.1)


def test_weights_are_one_by_n():
    # Minibatch weighted sampling would report 2 log 500 = 12.4 here.
    means = np.zeros((500, 3))
    result = kl_decomposition(means, np.zeros((500, 3)), random_state=0)
    np.testing.assert_allclose(result[:4], 0, atol=1e-12)


def test_rows_far_apart_tell_everything():
    # Exponentials of these densities would underflow.
    means = 1e4 * np.arange(200.0)[:, None] * [1, 1]
    log_variances = np.full((200, 2), -20.0)
    result = kl_decomposition(means, log_variances, random_state=0)
    assert result.mutual_information == pytest.approx(math.log(200))
    assert result.total_correlation == pytest.approx(math.log(200))


def test_one_latent_has_no_total_correlation():
    means, log_variances, _ = random_posterior(100, 1)
    assert total_correlation(means, log_variances, random_state=0) == 0.0


def test_seed_shared_with_the_data_does_no_harm():
    # The noise must not repeat the numbers that the means were drawn from.
    rng = np.random.RandomState(0)
    means = 0.95 * rng.standard_normal((2000, 2))
    log_variances = np.full((2000, 2), math.log(0.1))
    same = kl_decomposition(means, log_variances, random_state=0)
    other = kl_decomposition(means, log_variances, random_state=1)
    assert abs(same.kl - other.kl) < 4 * math.hypot(
        same.standard_errors.kl, other.standard_errors.kl
    )


def test_total_correlation_is_the_middle_term():
    means, log_variances, _ = random_posterior(200, 3)
    value = total_correlation(means, log_variances, max_rows=100, random_state=3)
    result = kl_decomposition(means, log_variances, max_rows=100, random_state=3)
    assert value == result.total_correlation
    assert type(value) is float


def test_max_rows():
    means, log_variances, _ = random_posterior(300, 2)
    result = kl_decomposition(means, log_variances, max_rows=50, random_state=0)
    assert result.n_rows == 50
    assert result.mutual_information <= math.log(50)
    everything = kl_decomposition(means, log_variances, max_rows=None, random_state=0)
    assert everything.n_rows == 300
    assert everything == kl_decomposition(means, log_variances, random_state=0)
    assert everything != kl_decomposition(means, log_variances, random_state=1)


@pytest.mark.parametrize("function", [kl_decomposition, kl_per_dimension, n_active])
def test_posterior_is_checked(function):
    means, log_variances, _ = random_posterior(10, 2)
    with pytest.raises(ValueError, match=r"\(10, 2\) and .* \(10, 1\)"):
        function(means, log_variances[:, :1])
    log_variances[3, 1] = np.nan
    with pytest.raises(ValueError, match="log_variances contains NaN"):
        function(means, log_variances)


def test_gaussian_total_correlation_closed_form():
    rng = np.random.RandomState(0)
    means = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 3))
    covariance = np.cov(means, rowvar=False)
    expected = 0.5 * (
        np.log(np.diag(covariance)).sum() - np.linalg.slogdet(covariance)[1]
    )
    value = gaussian_total_correlation(means)
    assert value == pytest.approx(expected, rel=1e-10)
    assert value > 0.1
    assert gaussian_total_correlation(means * [-3, 1, 10]) == pytest.approx(value)
    assert gaussian_total_correlation(means[:, [2, 0, 1]]) == pytest.approx(value)


def test_gaussian_total_correlation_drops_dead_latents():
    rng = np.random.RandomState(0)
    means = rng.normal(size=(200, 2))
    value = gaussian_total_correlation(means)
    # The third repeats the first at a thousandth of its size, the fourth is constant.
    with_dead = np.column_stack([means, 1e-3 * means[:, 0], np.full(200, 0.1)])
    assert gaussian_total_correlation(with_dead) == pytest.approx(value)
    assert gaussian_total_correlation(with_dead, min_std=0) == math.inf
    constant_only = np.column_stack([means, np.full(200, 0.1)])
    actual = gaussian_total_correlation(constant_only, min_std=0)
    assert actual == pytest.approx(value)


def test_gaussian_total_correlation_at_its_edges():
    rng = np.random.RandomState(0)
    assert gaussian_total_correlation(rng.normal(size=(10, 1))) == 0.0
    assert gaussian_total_correlation(np.ones((10, 3))) == 0.0
    assert gaussian_total_correlation(rng.normal(size=(3, 4))) == math.inf
