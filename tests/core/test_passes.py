"""Normal distributions against those of torch."""

import pytest
import torch
from torch.distributions import Normal as NormalOfTorch
from torch.distributions import kl_divergence

from skvae._core.passes import ForwardPass, Normal
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


class TestTrimmed:
    @pytest.fixture(params=[True, False], ids=["condition", "no condition"])
    def passed(self, request):
        generator = make_generator(3)
        posterior = make_normal(4, shape=(20, 3))
        return ForwardPass(
            log_likelihood=10 * torch.randn(20, generator=generator).double(),
            posterior=posterior,
            kl=posterior.kl_to_standard(),
            latents=posterior.at(torch.randn(20, 3, generator=generator).double()),
            condition=torch.randn(20, 2, generator=generator)
            if request.param
            else None,
        )

    @pytest.mark.parametrize("fraction", [0, 0.0, 0.04])
    def test_of_no_row_it_is_the_same(self, passed, fraction):
        assert passed.trimmed(fraction) is passed

    @pytest.mark.parametrize(
        ("fraction", "n_left"),
        [(0.05, 19), (0.1, 18), (0.19, 17), (0.5, 10), (0.99, 1)],
    )
    def test_leaves_out_the_rows_of_the_lowest_bound(self, passed, fraction, n_left):
        trimmed = passed.trimmed(fraction)
        bounds = [
            (float(log_likelihood - kl.sum()), row)
            for row, (log_likelihood, kl) in enumerate(
                zip(passed.log_likelihood, passed.kl, strict=True)
            )
        ]
        best = {row for _, row in sorted(bounds)[20 - n_left :]}
        left = [
            (passed.log_likelihood == value).nonzero().item()
            for value in trimmed.log_likelihood
        ]
        assert len(left) == n_left
        assert set(left) == best

    def test_rows_stay_together(self, passed):
        trimmed = passed.trimmed(0.3)
        left = [
            (passed.log_likelihood == value).nonzero().item()
            for value in trimmed.log_likelihood
        ]
        assert torch.equal(trimmed.kl, passed.kl[left])
        assert torch.equal(trimmed.latents, passed.latents[left])
        for part, whole in zip(trimmed.posterior, passed.posterior, strict=True):
            assert torch.equal(part, whole[left])
        if passed.condition is None:
            assert trimmed.condition is None
        else:
            assert torch.equal(trimmed.condition, passed.condition[left])

    def test_gradients_of_what_is_left_out_are_zero(self):
        log_likelihood = torch.tensor([0.0, -1.0, -50.0, -2.0], requires_grad=True)
        standard = Normal(torch.zeros(4, 1), torch.zeros(4, 1))
        kl = standard.kl_to_standard()
        passed = ForwardPass(log_likelihood, standard, kl, torch.zeros(4, 1))
        passed.trimmed(0.25).log_likelihood.sum().backward()
        assert log_likelihood.grad.tolist() == [1, 1, 0, 1]

    def test_the_kl_counts(self):
        posterior = Normal(torch.tensor([[0.0], [9.0], [1.0]]), torch.zeros(3, 1))
        kl = posterior.kl_to_standard()
        log_likelihood = torch.tensor([-5.0, 0.0, -6.0])
        passed = ForwardPass(log_likelihood, posterior, kl, posterior.mean)
        assert set(passed.trimmed(0.34).log_likelihood.tolist()) == {-5, -6}
