"""Numbers as mixtures of normals, against torch's."""

import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, Normal

from skvae._core.random import make_generator
from skvae.networks import NormalMixtureHead

SPREAD = torch.tensor([0.5, 1.0, 20.0], dtype=torch.float64)
N_COMPONENTS = NormalMixtureHead.n_components


@pytest.fixture
def head():
    return NormalMixtureHead(SPREAD)


@pytest.fixture
def outputs(head):
    generator = make_generator(0)
    return torch.randn(8, head.n_outputs, generator=generator, dtype=torch.float64)


def distribution_of(outputs):
    """Return the distribution of torch that outputs stand for."""
    # Means, logarithms of scales, log odds: each for every column and component.
    parts = outputs.unflatten(-1, (3, len(SPREAD), N_COMPONENTS)).unbind(-3)
    mean, log_ratio, log_odds = parts
    scale = SPREAD[:, None] * (0.01 + log_ratio.clamp(max=2).exp())
    return MixtureSameFamily(Categorical(logits=log_odds), Normal(mean, scale))


def test_log_likelihood(head, outputs):
    target = 3 * torch.randn(8, 3, generator=make_generator(1), dtype=torch.float64)
    expected = distribution_of(outputs).log_prob(target)
    torch.testing.assert_close(head.log_likelihood(outputs, target), expected)


def test_mean(head, outputs):
    torch.testing.assert_close(head.mean(outputs), distribution_of(outputs).mean)


def test_draws(head, outputs):
    row = outputs[:1]
    drawn = head.draw(row.expand(50_000, -1), make_generator(1))
    assert drawn.shape == (50_000, 3)
    expected = distribution_of(row[0])
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        value = drawn.quantile(share, dim=0)
        below = expected.cdf(value)
        torch.testing.assert_close(
            below, torch.full((3,), share).double(), rtol=0, atol=0.01
        )


def test_scales_have_a_floor_and_a_ceiling(head):
    for log_ratio, expected in [(-1e4, 0.01), (1e4, 0.01 + torch.e**2)]:
        outputs = torch.full((head.n_outputs,), log_ratio, dtype=torch.float64)
        _, scale, _ = head.components(outputs)
        torch.testing.assert_close(scale / SPREAD[:, None], scale * 0 + expected)


def test_every_output_gets_gradient(head, outputs):
    outputs = (0.5 * outputs).requires_grad_()  # lest scales are clamped
    head.log_likelihood(outputs, torch.zeros(8, 3).double()).sum().backward()
    assert (outputs.grad != 0).all()
    assert not list(head.parameters())


def test_values_far_out_stay_finite(head, outputs):
    outputs.requires_grad_()
    far = torch.tensor([1e4, -1e4, 1e6]).double()
    found = head.log_likelihood(outputs, far)
    assert found.isfinite().all()
    found.sum().backward()
    assert outputs.grad.isfinite().all()


def test_leading_dimensions(head):
    generator = make_generator(0)
    outputs = torch.randn(
        4, 6, head.n_outputs, generator=generator, dtype=torch.float64
    )
    target = torch.randn(6, 3, generator=generator, dtype=torch.float64)
    result = head.log_likelihood(outputs, target)
    for node in range(4):
        expected = head.log_likelihood(outputs[node], target)
        torch.testing.assert_close(result[node], expected)
    assert head.mean(outputs).shape == (4, 6, 3)
    assert head.draw(outputs, make_generator(0)).shape == (4, 6, 3)


def test_draws_depend_on_their_generator_only(head, outputs):
    before = torch.random.get_rng_state()
    first, again, other = (
        head.draw(outputs, make_generator(seed)) for seed in (5, 5, 6)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), before)
