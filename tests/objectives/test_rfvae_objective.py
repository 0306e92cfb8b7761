"""Relevance: what it weighs, and what moves it."""

import math

import pytest
import torch
from objective_cases import make_batch, make_discriminator

from skvae._core.random import make_generator
from skvae.objectives import RFVAEObjective
from skvae.objectives._rfvae import bernoulli_entropy

LOGITS = torch.tensor([-2.0, -0.5, 0.5, 3.0])


@pytest.fixture
def batch():
    return make_batch()


WEIGHTS = {
    "kl_weights": (0.1, 10.0),
    "relevance_weight": 1.0,
    "entropy_weight": 100.0,
}


def make_rfvae(logits=None, **changes):
    weights = {**WEIGHTS, **changes}
    objective = RFVAEObjective(4, 7.4, make_discriminator(), 1e-3, **weights)
    if logits is not None:
        with torch.no_grad():
            objective.relevance_logits.copy_(logits)
    return objective


def test_entropy_in_closed_form():
    logits = torch.linspace(-8, 8, 33, dtype=torch.float64)
    expected = torch.distributions.Bernoulli(logits=logits).entropy()
    torch.testing.assert_close(bernoulli_entropy(logits), expected)
    assert bernoulli_entropy(torch.zeros(1)).item() == pytest.approx(math.log(2))


def test_entropy_has_all_of_its_gradient():
    # As a cross-entropy with a detached target, it would have none.
    logits = LOGITS.double().requires_grad_()
    assert torch.autograd.gradcheck(bernoulli_entropy, logits)
    (gradient,) = torch.autograd.grad(bernoulli_entropy(logits).sum(), logits)
    relevance = logits.sigmoid()
    torch.testing.assert_close(gradient, -logits * relevance * (1 - relevance))
    assert (gradient.abs() > 0.1).all()


@pytest.mark.parametrize("logit", [-1e4, -100.0, 100.0, 1e4])
def test_entropy_of_what_is_certain(logit):
    logits = torch.tensor([logit], requires_grad=True)
    entropy = bernoulli_entropy(logits)
    entropy.sum().backward()
    assert entropy.item() == pytest.approx(0, abs=1e-30)
    assert logits.grad.item() == pytest.approx(0, abs=1e-30)


def test_loss_by_definition(batch):
    objective = make_rfvae(
        LOGITS, kl_weights=(0.5, 4.0), relevance_weight=2.0, entropy_weight=30.0
    )
    terms = objective(batch, 0.5)
    relevance = LOGITS.sigmoid()
    torch.testing.assert_close(objective.relevance, relevance)
    kl = sum((4.0 - 3.5 * relevance[j]) * batch.kl[:, j].mean() for j in range(4))
    total_correlation = objective.adversary(relevance * batch.latents).mean()
    entropy = -(
        relevance * relevance.log() + (1 - relevance) * (1 - relevance).log()
    ).sum()
    expected = terms["reconstruction"] + 0.5 * (
        kl + 6.4 * total_correlation + 2 * relevance.sum() + 30 * entropy
    )
    torch.testing.assert_close(terms["loss"], expected)
    torch.testing.assert_close(terms["total_correlation"], total_correlation)
    torch.testing.assert_close(terms["relevance"], relevance.sum())
    torch.testing.assert_close(terms["relevance_entropy"], entropy)


@pytest.mark.parametrize(
    "changes",
    [{"kl_weights": (0.2, 10.0)}, {"kl_weights": (0.1, 9.0)}, {"relevance_weight": 2.0},
     {"entropy_weight": 50.0}],
    ids=str,
)  # fmt: skip
def test_every_weight_moves_loss_and_relevance(changes, batch):
    objectives = make_rfvae(LOGITS), make_rfvae(LOGITS, **changes)
    losses = [objective(batch, 1.0)["loss"] for objective in objectives]
    assert not torch.equal(*losses)
    for loss in losses:
        loss.backward(retain_graph=True)
    first, second = (objective.relevance_logits.grad for objective in objectives)
    assert (first != second).all()


def test_relevance_starts_undecided_and_can_move(batch):
    objective = make_rfvae()
    assert torch.equal(objective.relevance, torch.full((4,), 0.5))
    objective(batch, 1.0)["loss"].backward()
    gradient = objective.relevance_logits.grad
    assert (gradient != 0).all()
    assert len(gradient.unique()) == 4  # each latent on its own


def test_latents_with_a_large_kl_become_relevant(batch):
    objective = make_rfvae(entropy_weight=0.0, relevance_weight=0.0)
    objective.beta = 1.0
    objective(batch, 1.0)["loss"].backward()
    # A step against the gradient; each has the slope -(max - min) KL_j r (1 - r).
    expected = -9.9 * batch.kl.mean(dim=0) * 0.25
    torch.testing.assert_close(objective.relevance_logits.grad, expected)


def test_adversary_sees_latents_times_relevance(batch):
    # Nothing is relevant: both of its kinds of rows are zeros.
    objective = make_rfvae(torch.full((4,), -1e4))
    loss = objective.adversary_loss(batch, make_generator(0))
    logit = objective.adversary(torch.zeros(1, 4))
    softplus = torch.nn.functional.softplus
    expected = 0.5 * (softplus(-logit) + softplus(logit)).mean()
    torch.testing.assert_close(loss, expected)
