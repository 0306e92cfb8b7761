"""What training minimises, against closed forms and against each other."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from skvae._core.random import make_generator
from skvae.objectives import (
    TOTAL_CORRELATION_ESTIMATORS,
    BetaTCVAEObjective,
    BetaVAEObjective,
    VAEObjective,
)

N_ROWS = 500
ESTIMATORS = sorted(TOTAL_CORRELATION_ESTIMATORS)
# Every objective with the weights of its terms.
OBJECTIVES = [
    (VAEObjective(), {"kl": 1.0}),
    (BetaVAEObjective(4.0), {"kl": 4.0}),
    *(
        (
            BetaTCVAEObjective(6.0, estimator, N_ROWS),
            {"kl": 1.0, "total_correlation": 5.0},
        )
        for estimator in ESTIMATORS
    ),
]
SAME_AS_VAE = [
    BetaVAEObjective(1.0),
    *(BetaTCVAEObjective(1.0, estimator, N_ROWS) for estimator in ESTIMATORS),
]


@pytest.fixture
def batch():
    """Log-likelihoods that depend on the latents, and the posterior of each row."""
    generator = make_generator(0)
    mean, log_variance, noise = torch.randn(3, 16, 4, generator=generator)
    mean.requires_grad_()
    log_variance.requires_grad_()
    latents = mean + (log_variance / 2).exp() * noise
    log_likelihood = -(latents.sin().sum(dim=1) - 1).square()
    return log_likelihood, mean, log_variance, latents


def gradients(loss, batch):
    return torch.autograd.grad(loss, batch[1:3], retain_graph=True)


def test_vae_terms_in_closed_form(batch):
    log_likelihood, mean, log_variance, _ = batch
    terms = VAEObjective()(*batch, warmup=1.0)
    posterior = Normal(mean, (log_variance / 2).exp())
    kl = kl_divergence(posterior, Normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(terms["reconstruction"], -log_likelihood.mean())
    torch.testing.assert_close(terms["kl"], kl.mean())
    torch.testing.assert_close(terms["loss"], (kl - log_likelihood).mean())


def test_kl_of_the_prior_is_zero():
    zeros = torch.zeros(3, 2)
    terms = VAEObjective()(torch.zeros(3), zeros, zeros, zeros, warmup=1.0)
    assert terms["kl"].item() == 0


@pytest.mark.parametrize(("objective", "weights"), OBJECTIVES, ids=repr)
@pytest.mark.parametrize("warmup", [0.0, 0.3, 1.0])
def test_loss_is_the_weighted_sum_of_its_terms(objective, weights, warmup, batch):
    terms = objective(*batch, warmup)
    assert set(terms) == {"loss", "reconstruction", *weights}
    penalty = sum(weight * terms[name] for name, weight in weights.items())
    expected = terms["reconstruction"] + warmup * penalty
    torch.testing.assert_close(terms["loss"], expected)


@pytest.mark.parametrize(("objective", "weights"), OBJECTIVES, ids=repr)
def test_warmup_leaves_the_terms_as_they_are(objective, weights, batch):
    cold, warm = objective(*batch, 0.25), objective(*batch, 1.0)
    for name in ("reconstruction", *weights):
        assert torch.equal(cold[name], warm[name])
    assert torch.equal(objective(*batch, 0.0)["loss"], warm["reconstruction"])


@pytest.mark.parametrize(("objective", "weights"), OBJECTIVES, ids=repr)
def test_reconstruction_and_kl_are_those_of_the_vae(objective, weights, batch):
    terms, plain = objective(*batch, 1.0), VAEObjective()(*batch, 1.0)
    for name in ("reconstruction", "kl"):
        assert torch.equal(terms[name], plain[name])


@pytest.mark.parametrize("objective", SAME_AS_VAE, ids=repr)
@pytest.mark.parametrize("warmup", [0.3, 1.0])
def test_beta_1_is_the_vae_to_the_last_bit(objective, warmup, batch):
    loss = objective(*batch, warmup)["loss"]
    expected = VAEObjective()(*batch, warmup)["loss"]
    assert torch.equal(loss, expected)
    pairs = zip(gradients(loss, batch), gradients(expected, batch), strict=True)
    for found, wanted in pairs:
        assert torch.equal(found, wanted)


@pytest.mark.parametrize("make", [
    BetaVAEObjective, lambda beta: BetaTCVAEObjective(beta, "minibatch", N_ROWS)
], ids=["BetaVAE", "BetaTCVAE"])  # fmt: skip
def test_beta_moves_loss_and_gradient(make, batch):
    low, high = make(2.0)(*batch, 1.0)["loss"], make(3.0)(*batch, 1.0)["loss"]
    assert not torch.equal(low, high)
    for first, second in zip(
        gradients(low, batch), gradients(high, batch), strict=True
    ):
        assert not torch.equal(first, second)


def test_beta_weighs_the_total_correlation_less_one(batch):
    # Not beta * KL + (beta - 1) * TC: public code ships that, too.
    objective = BetaTCVAEObjective(3.0, "minibatch", N_ROWS)
    terms = objective(*batch, 1.0)
    expected = terms["reconstruction"] + terms["kl"] + 2 * terms["total_correlation"]
    torch.testing.assert_close(terms["loss"], expected)


def test_terms_are_scalars_that_carry_gradient(batch):
    for objective, _ in OBJECTIVES:
        for name, value in objective(*batch, 1.0).items():
            assert value.shape == (), name
            assert value.requires_grad, name


@pytest.mark.parametrize(("objective", "weights"), OBJECTIVES, ids=repr)
def test_batch_of_one_row(objective, weights, batch):
    one = [tensor[:1] for tensor in batch]
    terms = objective(*one, 1.0)
    assert all(torch.isfinite(value) for value in terms.values())
    for gradient in gradients(terms["loss"], batch):
        assert torch.isfinite(gradient).all()
