"""Total correlation from a batch: brute force, invariants, known mistakes."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.stats import norm

from skvae._core.random import make_generator
from skvae.metrics._aggregate_posterior import _decompose
from skvae.objectives import TOTAL_CORRELATION_ESTIMATORS
from skvae.objectives._total_correlation import (
    FEWEST_ROWS,
    component_log_densities,
    conditional_total_correlation,
    minibatch_total_correlation,
    stratified_weights,
)

N_ROWS = 300


def posterior_batch(n_batch=12, latent_dim=3, seed=0, dtype=torch.float64):
    """Posteriors whose latents depend on each other, and one draw from each."""
    generator = make_generator(seed)
    draw = partial(torch.randn, generator=generator, dtype=dtype)
    mean = draw(n_batch, latent_dim) @ draw(latent_dim, latent_dim)
    log_variance = draw(n_batch, latent_dim) - 1
    latents = mean + (log_variance / 2).exp() * draw(n_batch, latent_dim)
    return mean, log_variance, latents


def estimate(name, batch, n_rows=N_ROWS):
    return TOTAL_CORRELATION_ESTIMATORS[name](component_log_densities(*batch), n_rows)


def mixture_by_loop(batch, weights):
    """Mean over rows of log q(z) - sum_d log q(z_d), by the definitions."""
    mean, log_variance, latents = (tensor.numpy() for tensor in batch)
    scale = np.exp(log_variance / 2)
    n_batch, latent_dim = mean.shape
    total = 0.0
    for i in range(n_batch):
        joint = 0.0
        marginals = [0.0] * latent_dim
        for k in range(n_batch):
            densities = [
                norm.pdf(latents[i, d], mean[k, d], scale[k, d])
                for d in range(latent_dim)
            ]
            joint += weights[i][k] * math.prod(densities)
            for d in range(latent_dim):
                marginals[d] += weights[i][k] * densities[d]
        total += math.log(joint) - sum(map(math.log, marginals))
    return total / n_batch


def equal_weights(n_batch, weight):
    return [[weight] * n_batch for _ in range(n_batch)]


def stratified_by_loop(n_batch, n_rows):
    others = n_batch - 1
    weights = equal_weights(n_batch, 1 / others)
    for i in range(n_batch):
        weights[i][i] = 1 / n_rows
        weights[i][(i + 1) % n_batch] = (n_rows - others) / (n_rows * others)
    return weights


def test_component_is_a_log_density_up_to_its_constant():
    mean, log_variance, latents = batch = posterior_batch()
    component = component_log_densities(*batch)
    assert component.shape == (12, 3, 12)
    expected = norm.logpdf(
        latents.numpy()[:, :, None],
        mean.T.numpy(),
        (log_variance / 2).exp().T.numpy(),
    )
    constant = 0.5 * math.log(2 * math.pi)
    np.testing.assert_allclose(component.numpy(), expected + constant, rtol=1e-10)


def test_minibatch_weights_by_loop():
    batch = posterior_batch()
    expected = mixture_by_loop(batch, equal_weights(12, 1 / 12))
    assert estimate("minibatch", batch).item() == pytest.approx(expected, rel=1e-10)


def test_weighted_sampling_by_loop():
    # Without the constant offset of its definition, which says nothing of the model.
    batch = posterior_batch()
    by_definition = mixture_by_loop(batch, equal_weights(12, 1 / (N_ROWS * 12)))
    expected = by_definition - (3 - 1) * math.log(N_ROWS)
    assert estimate("weighted", batch).item() == pytest.approx(expected, rel=1e-10)


def test_stratified_sampling_by_loop():
    batch = posterior_batch()
    expected = mixture_by_loop(batch, stratified_by_loop(12, N_ROWS))
    # The weights are float32.
    assert estimate("stratified", batch).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("n_batch", "n_rows"), [(2, 2), (2, 9), (5, 300), (8, 8)])
def test_stratified_weights(n_batch, n_rows):
    weights = stratified_weights(n_batch, n_rows).double()
    expected = torch.tensor(stratified_by_loop(n_batch, n_rows)).double()
    torch.testing.assert_close(weights, expected, rtol=1e-6, atol=1e-9)
    # A stride of B + 1 hits the diagonal; M + 1, the stride of public code, does not.
    diagonal = torch.full((n_batch,), 1 / n_rows).double()
    torch.testing.assert_close(weights.diagonal(), diagonal, rtol=1e-6, atol=0)
    sums = torch.ones(n_batch).double()
    torch.testing.assert_close(weights.sum(dim=1), sums, rtol=1e-6, atol=0)


@pytest.mark.parametrize("n_rows", [1, 3, 4])
def test_stratified_weights_of_a_batch_beyond_the_training_set(n_rows):
    # Held-out rows come in larger batches than a small training set has rows.
    weights = stratified_weights(5, n_rows)
    assert torch.equal(weights, stratified_weights(5, 5))
    assert (weights > 0).all()


def test_weights_have_the_dtype_of_the_batch():
    for dtype in (torch.float32, torch.float64):
        batch = posterior_batch(dtype=dtype)
        for name in TOTAL_CORRELATION_ESTIMATORS:
            assert estimate(name, batch).dtype == dtype


@pytest.mark.parametrize("name", ["minibatch", "weighted"])
def test_batch_of_all_rows_gives_the_exact_value(name):
    mean, log_variance, latents = batch = posterior_batch(n_batch=80)
    noise = (latents - mean) / (log_variance / 2).exp()
    exact = _decompose(mean.numpy(), log_variance.numpy(), noise.numpy())
    found = estimate(name, batch, n_rows=80).item()
    assert found == pytest.approx(exact.total_correlation, rel=1e-10)
    expected = mixture_by_loop(batch, equal_weights(80, 1 / 80))
    assert found == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("name", sorted(TOTAL_CORRELATION_ESTIMATORS))
def test_permuting_latents_or_rows_changes_nothing(name):
    batch = posterior_batch()
    value = estimate(name, batch)
    latents_permuted = [tensor[:, [2, 0, 1]] for tensor in batch]
    torch.testing.assert_close(estimate(name, latents_permuted), value)
    rows_rotated = [tensor.roll(5, dims=0) for tensor in batch]
    torch.testing.assert_close(estimate(name, rows_rotated), value)


@pytest.mark.parametrize("name", sorted(TOTAL_CORRELATION_ESTIMATORS))
def test_single_latent_has_no_total_correlation(name):
    value = estimate(name, posterior_batch(latent_dim=1))
    assert value.item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", sorted(TOTAL_CORRELATION_ESTIMATORS))
def test_dependent_latents_have_more_than_independent_ones(name):
    generator = make_generator(0)
    shared = torch.randn(200, 1, generator=generator).double()
    log_variance = torch.full((200, 2), -2.0).double()
    noise = torch.randn(200, 2, generator=generator).double() * math.exp(-1)
    apart = torch.randn(200, 2, generator=generator).double()
    together = shared.expand(200, 2)
    dependent = estimate(name, (together, log_variance, together + noise), 200)
    independent = estimate(name, (apart, log_variance, apart + noise), 200)
    assert dependent > independent + 0.5


def gradients(name, batch, n_rows=N_ROWS):
    batch = [tensor.clone().requires_grad_() for tensor in batch]
    return torch.autograd.grad(estimate(name, batch, n_rows), batch)


@pytest.mark.parametrize("n_rows", [12, 300, 10**7])
def test_weighted_sampling_has_the_gradient_of_minibatch_weights(n_rows):
    batch = posterior_batch()
    expected = gradients("minibatch", batch)
    for found, wanted in zip(
        gradients("weighted", batch, n_rows), expected, strict=True
    ):
        torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-12)


def test_reported_value_does_not_grow_with_the_training_set():
    batch = posterior_batch()
    values = [estimate("weighted", batch, n_rows).item() for n_rows in (12, 10**7)]
    assert values[0] == pytest.approx(values[1], rel=1e-9)
    assert values[0] == pytest.approx(estimate("minibatch", batch).item(), rel=1e-9)


@pytest.mark.parametrize("name", sorted(TOTAL_CORRELATION_ESTIMATORS))
def test_gradient_by_finite_differences(name):
    batch = [tensor.requires_grad_() for tensor in posterior_batch(4, 2)]
    assert torch.autograd.gradcheck(lambda *b: estimate(name, b), batch)


@pytest.mark.parametrize("name", sorted(TOTAL_CORRELATION_ESTIMATORS))
def test_batch_of_one_row(name):
    batch = posterior_batch(n_batch=1, dtype=torch.float32)
    assert estimate(name, batch).item() == pytest.approx(0, abs=1e-4)
    for gradient in gradients(name, batch):
        assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("name", sorted(TOTAL_CORRELATION_ESTIMATORS))
@pytest.mark.parametrize("log_variance", [-20.0, 20.0])
@pytest.mark.parametrize("spread", [1.0, 1e4])
def test_extreme_values_stay_finite(name, log_variance, spread):
    # exp, sum and log one after the other would give -inf: all densities underflow.
    generator = make_generator(0)
    mean = spread * torch.randn(8, 5, generator=generator)
    latents = mean + spread * torch.randn(8, 5, generator=generator)
    batch = (mean, torch.full((8, 5), log_variance), latents)
    assert torch.isfinite(estimate(name, batch))
    for gradient in gradients(name, batch):
        assert torch.isfinite(gradient).all()


def conditional_estimate(batch, condition):
    return conditional_total_correlation(component_log_densities(*batch), condition)


def one_hot(labels):
    """Labels as rows of a condition, each of which holds more than one column."""
    labels = torch.as_tensor(labels)
    return torch.nn.functional.one_hot(labels, 3).double()


def conditional_weights_by_loop(labels):
    weights = []
    for own in labels:
        in_mixture = [own == other for other in labels]
        if sum(in_mixture) < FEWEST_ROWS:
            in_mixture = [True] * len(labels)
        weights.append([inside / sum(in_mixture) for inside in in_mixture])
    return weights


@pytest.mark.parametrize("counts", [(9, 8), (10, 0, 8), (8, 7, 3), (4, 4, 4), (20,)])
def test_conditional_by_loop(counts):
    # Some conditions have enough rows for a mixture of their own, some do not.
    labels = np.random.RandomState(0).permutation(np.repeat(range(len(counts)), counts))
    batch = posterior_batch(n_batch=len(labels))
    expected = mixture_by_loop(batch, conditional_weights_by_loop(labels))
    found = conditional_estimate(batch, one_hot(labels)).item()
    assert found == pytest.approx(expected, rel=1e-10)


def test_without_a_condition_all_rows_are_in_the_mixture():
    component = component_log_densities(*posterior_batch())
    found = conditional_total_correlation(component, None)
    assert torch.equal(found, minibatch_total_correlation(component, 12))


def test_condition_that_is_no_condition():
    batch = posterior_batch()
    expected = estimate("minibatch", batch)
    continuous = torch.randn(12, 2, generator=make_generator(0))
    for condition in (one_hot([0] * 12), continuous, torch.ones(12, 1)):
        torch.testing.assert_close(conditional_estimate(batch, condition), expected)


def test_conditional_is_the_mean_over_conditions():
    first, second = posterior_batch(8, seed=0), posterior_batch(24, seed=1)
    both = [torch.cat(pair) for pair in zip(first, second, strict=True)]
    found = conditional_estimate(both, one_hot([0] * 8 + [1] * 24))
    parts = estimate("minibatch", first), estimate("minibatch", second)
    torch.testing.assert_close(found, (8 * parts[0] + 24 * parts[1]) / 32)


def test_dependence_that_the_condition_explains_does_not_count():
    # Both latents shift with the condition, and are independent given it.
    draw = partial(torch.randn, generator=make_generator(0), dtype=torch.float64)
    labels = torch.arange(200) % 2
    mean = 6 * labels.double().unsqueeze(1) + draw(200, 2)
    log_variance = torch.full((200, 2), -1.0).double()
    batch = (mean, log_variance, mean + math.exp(-0.5) * draw(200, 2))
    assert estimate("minibatch", batch) > math.log(2)
    assert conditional_estimate(batch, one_hot(labels)) < 0.3


def test_posteriors_that_lie_apart_tell_the_number_of_rows():
    # What FEWEST_ROWS is for: independent latents, and an estimate of (D - 1) log(n).
    mean, log_variance = torch.randn(2, 5, 3, generator=make_generator(0)).double()
    batch = (mean, log_variance * 0 - 20, mean)
    expected = 2 * math.log(5)
    assert estimate("minibatch", batch).item() == pytest.approx(expected, rel=1e-6)


def test_conditional_is_blind_to_the_order_of_latents_and_rows():
    batch = posterior_batch(n_batch=20)
    condition = one_hot([0] * 9 + [1] * 8 + [2] * 3)
    value = conditional_estimate(batch, condition)
    latents_permuted = [tensor[:, [2, 0, 1]] for tensor in batch]
    torch.testing.assert_close(conditional_estimate(latents_permuted, condition), value)
    rows_rotated = [tensor.roll(5, dims=0) for tensor in batch]
    rolled = conditional_estimate(rows_rotated, condition.roll(5, dims=0))
    torch.testing.assert_close(rolled, value)


def test_conditional_gradient_by_finite_differences():
    # Rows outside a mixture weigh exp(-inf): their gradient is 0, and not NaN.
    batch = [tensor.requires_grad_() for tensor in posterior_batch(18, 2)]
    condition = one_hot([0] * 8 + [1] * 9 + [2])
    assert torch.autograd.gradcheck(
        lambda *b: conditional_estimate(b, condition), batch
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_conditional_has_the_dtype_of_the_batch(dtype):
    batch = posterior_batch(n_batch=16, dtype=dtype)
    assert conditional_estimate(batch, one_hot([0] * 8 + [1] * 8)).dtype == dtype
