"""The KL held at a capacity: which side pulls where, and what the warm-up anneals."""

import pytest
import torch
from objective_cases import gradients, make_batch

from skvae.objectives import CapacityObjective


@pytest.fixture
def batch():
    return make_batch()


@pytest.mark.parametrize("warmup", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("capacity", [0.5, 50.0])
def test_loss_by_definition(warmup, capacity, batch):
    terms = CapacityObjective(capacity, gamma=10.0)(batch, warmup)
    distance = abs(terms["kl"] - warmup * capacity)
    torch.testing.assert_close(terms["loss"], terms["reconstruction"] + 10 * distance)
    assert set(terms) == {"loss", "reconstruction", "kl"}


def test_both_sides_of_the_capacity_pull_towards_it(batch):
    # Clamped to [0, C], the KL would have no gradient on one of them.
    terms = CapacityObjective(1.0, 1.0)(batch, 1.0)
    kl, reconstruction = terms["kl"].item(), terms["reconstruction"]
    of_kl = gradients(terms["kl"], batch)
    for capacity, sign in [(kl - 0.1, 1), (kl + 0.1, -1)]:
        loss = CapacityObjective(capacity, gamma=3.0)(batch, 1.0)["loss"]
        pull = gradients(loss - reconstruction, batch)
        for found, expected in zip(pull, of_kl, strict=True):
            assert expected.abs().sum() > 0
            torch.testing.assert_close(found, sign * 3 * expected)


def test_warmup_anneals_the_capacity_and_not_the_weight(batch):
    annealed = CapacityObjective(8.0, 5.0)(batch, 0.25)["loss"]
    assert torch.equal(annealed, CapacityObjective(2.0, 5.0)(batch, 1.0)["loss"])
