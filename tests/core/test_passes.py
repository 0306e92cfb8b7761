"""Normal distributions against those of torch."""

import pytest
import torch
from torch.distributions import Normal as NormalOfTorch
from torch.distributions import kl_divergence

from skvae._core.passes import Normal
from skvae._core.random import make_generator


def make_normal(seed, shape=(7, 3)):
    generator = make_generator(seed)
    moments = torch.randn(2, *shape, generator=generator, dtype=torch.float64)
    return Normal(*moments)


def of_torch(normal):
    return NormalOfTorch(normal.mean, (normal.log_variance / 2).exp())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_kl_to_the_standard_normal(dtype):
    normal = Normal(*(moment.to(dtype) for moment in make_normal(0)))
    result = normal.kl_to_standard()
    assert result.shape == (7, 3)
    assert result.dtype == dtype
    standard = NormalOfTorch(torch.zeros((), dtype=dtype), torch.ones((), dtype=dtype))
    torch.testing.assert_close(result, kl_divergence(of_torch(normal), standard))


def test_kl_to_the_standard_normal_is_positive_and_zero_for_itself():
    assert (make_normal(0).kl_to_standard() > 0).all()
    standard = Normal(torch.zeros(7, 3), torch.zeros(7, 3))
    assert torch.equal(standard.kl_to_standard(), torch.zeros(7, 3))


def test_kl_is_the_mean_of_the_log_ratio():
    normal, standard = make_normal(0), NormalOfTorch(0.0, 1.0)
    noise = torch.randn(200_000, 7, 3, generator=make_generator(2)).double()
    values = normal.at(noise)
    ratio = of_torch(normal).log_prob(values) - standard.log_prob(values)
    error = ratio.std(dim=0) / len(noise) ** 0.5
    assert ((ratio.mean(dim=0) - normal.kl_to_standard()).abs() < 5 * error).all()


def test_values_at_noise_with_leading_dimensions():
    normal, noise = make_normal(0), make_normal(1, shape=(5, 7, 3)).mean
    expected = normal.mean + (normal.log_variance / 2).exp() * noise
    torch.testing.assert_close(normal.at(noise), expected)
