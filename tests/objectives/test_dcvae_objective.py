"""The bound of the dCVAE paper, and the total correlation that its beta adds."""

import pytest
import torch
from objective_cases import gradients, make_batch

from skvae.objectives import BetaTCVAEObjective, DCVAEObjective


def condition_of(counts):
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    return torch.nn.functional.one_hot(labels).float()


@pytest.mark.parametrize("counts", [None, (16,), (8, 8), (10, 4, 2)])
def test_beta_1_is_equation_18(counts):
    # E log q(x|z, c) - sum_j KL(p(z_j|x, c) || r(z_j|c)), latents in units of r.
    condition = None if counts is None else condition_of(counts)
    batch = make_batch(16, condition=condition)
    bound = batch.log_likelihood.mean() - batch.kl.sum(dim=1).mean()
    loss = DCVAEObjective(1.0)(batch, 1.0)["loss"]
    assert torch.equal(loss, -bound)
    pairs = zip(gradients(loss, batch), gradients(-bound, batch), strict=True)
    for found, expected in pairs:
        assert torch.equal(found, expected)


def test_without_a_condition_it_is_beta_tcvae():
    batch = make_batch()
    found = DCVAEObjective(6.0)(batch, 0.5)
    expected = BetaTCVAEObjective(6.0, "minibatch", 16)(batch, 0.5)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value)


def test_condition_moves_the_total_correlation():
    terms = [
        DCVAEObjective(3.0)(make_batch(16, condition=condition), 1.0)
        for condition in (None, condition_of((8, 8)), condition_of((9, 7)))
    ]
    values = [each["total_correlation"].item() for each in terms]
    assert len(set(values)) == 3
    losses = [each["loss"].item() for each in terms]
    assert len(set(losses)) == 3
