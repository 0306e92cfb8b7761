"""Likelihood heads against closed forms."""

import pytest
import torch
from scipy.stats import norm
from torch.distributions import Bernoulli, Normal

from skvae._core.columns import ColumnGroup
from skvae._core.random import make_generator
from skvae.networks import (
    BernoulliHead,
    BooleanHead,
    GaussianHead,
    NormalMixtureHead,
    PixelGaussianHead,
    make_heads,
)
from skvae.networks._make_heads import NUMERIC_HEADS


def normal_draws(*shape, seed=0):
    return torch.randn(*shape, generator=make_generator(seed), dtype=torch.float64)


@pytest.fixture
def gaussian():
    head = GaussianHead(torch.tensor([0.5, 1.0, 200.0], dtype=torch.float64))
    with torch.no_grad():
        head.log_ratio.copy_(torch.tensor([0.3, -2.0, 1.0]))
    return head


@pytest.fixture
def bernoulli():
    return BernoulliHead(torch.ones(3))


@pytest.fixture
def pixels():
    head = PixelGaussianHead(torch.tensor([0.1, 0.5, 0.7], dtype=torch.float64))
    with torch.no_grad():
        head.log_ratio.fill_(-0.5)
    return head


@pytest.fixture
def mixture():
    return NormalMixtureHead(torch.tensor([0.5, 1.0, 20.0], dtype=torch.float64))


def test_gaussian_log_likelihood_is_that_of_a_normal(gaussian):
    outputs, target = normal_draws(8, 3), 100 * normal_draws(8, 3, seed=1)
    result = gaussian.log_likelihood(outputs, target)
    scales = torch.tensor([0.5, 1.0, 200.0]) * (
        0.01 + torch.tensor([0.3, -2.0, 1.0]).double().exp()
    )
    torch.testing.assert_close(result, Normal(outputs, scales).log_prob(target))
    with_scipy = norm.logpdf(target, outputs, scales)
    torch.testing.assert_close(result.detach(), torch.as_tensor(with_scipy))


def test_gaussian_scale_starts_near_the_spread_of_the_column():
    spread = torch.tensor([0.01, 3.0])
    torch.testing.assert_close(GaussianHead(spread).scales, 1.01 * spread)


def test_gaussian_scale_has_a_floor(gaussian):
    with torch.no_grad():
        gaussian.log_ratio.fill_(-1e4)
    torch.testing.assert_close(gaussian.scales, gaussian.column_scales / 100)
    # A column that the latents determine does not drive the likelihood to infinity.
    exact = gaussian.log_likelihood(torch.zeros(1, 3), torch.zeros(1, 3))
    assert torch.isfinite(exact).all()


def test_gaussian_draws_have_the_mean_and_scale_of_the_head(gaussian):
    outputs = torch.tensor([1.0, -2.0, 50.0], dtype=torch.float64)
    draws = gaussian.draw(outputs.expand(40_000, 3), make_generator(0)).detach()
    scales = gaussian.scales.detach()
    standardised = (draws - outputs) / scales
    torch.testing.assert_close(
        standardised.mean(dim=0), torch.zeros(3).double(), atol=0.03, rtol=0
    )
    torch.testing.assert_close(
        standardised.std(dim=0), torch.ones(3).double(), atol=0.03, rtol=0
    )
    assert torch.equal(gaussian.mean(outputs), outputs)


def test_gaussian_parameters_get_gradient(gaussian):
    outputs = normal_draws(20, 3).requires_grad_()
    gaussian.log_likelihood(outputs, normal_draws(20, 3, seed=1)).sum().backward()
    assert (gaussian.log_ratio.grad != 0).all()
    assert (outputs.grad != 0).all()


def test_column_scales_are_kept_but_not_trained(gaussian):
    assert "column_scales" in gaussian.state_dict()
    assert [name for name, _ in gaussian.named_parameters()] == ["log_ratio"]


def test_bernoulli_log_likelihood_is_the_cross_entropy(bernoulli):
    outputs = 3 * normal_draws(8, 3)
    target = torch.rand(8, 3, generator=make_generator(1), dtype=torch.float64)
    p = outputs.sigmoid()
    expected = target * p.log() + (1 - target) * (1 - p).log()
    torch.testing.assert_close(bernoulli.log_likelihood(outputs, target), expected)


def test_bernoulli_log_likelihood_of_zeros_and_ones(bernoulli):
    outputs = 3 * normal_draws(8, 3)
    target = (normal_draws(8, 3, seed=1) > 0).double()
    expected = Bernoulli(logits=outputs).log_prob(target)
    torch.testing.assert_close(bernoulli.log_likelihood(outputs, target), expected)


def test_bernoulli_stays_finite_at_extreme_outputs(bernoulli):
    outputs = torch.tensor([[-1e4, 1e4, 0.0]])
    result = bernoulli.log_likelihood(outputs, torch.tensor([[1.0, 0.0, 0.5]]))
    assert torch.isfinite(result).all()


def test_bernoulli_reads_targets_outside_the_range_as_its_ends(bernoulli):
    outputs = normal_draws(1, 3)
    beyond = torch.tensor([[-0.3, 1.7, 40.0]], dtype=torch.float64)
    ends = torch.tensor([[0.0, 1.0, 1.0]], dtype=torch.float64)
    result = bernoulli.log_likelihood(outputs, beyond)
    assert torch.equal(result, bernoulli.log_likelihood(outputs, ends))
    assert (result <= 0).all()


def test_bernoulli_draws_are_zeros_and_ones_with_the_mean_of_the_head(bernoulli):
    outputs = torch.tensor([-2.0, 0.0, 1.0])
    draws = bernoulli.draw(outputs.expand(40_000, 3), make_generator(0))
    assert set(draws.unique().tolist()) == {0.0, 1.0}
    probabilities = 1 / (1 + (-outputs).exp())
    torch.testing.assert_close(bernoulli.mean(outputs), probabilities)
    torch.testing.assert_close(draws.mean(dim=0), probabilities, atol=0.01, rtol=0)


@pytest.mark.parametrize("name", ["gaussian", "bernoulli", "pixels"])
def test_leading_dimensions_of_the_outputs(name, request):
    head = request.getfixturevalue(name)
    outputs = normal_draws(4, 6, 3)  # (n_nodes, n_rows, width)
    target = torch.rand(6, 3, generator=make_generator(1), dtype=torch.float64)
    result = head.log_likelihood(outputs, target)
    assert result.shape == (4, 6, 3)
    for node in range(4):
        expected = head.log_likelihood(outputs[node], target)
        torch.testing.assert_close(result[node], expected)
    assert head.mean(outputs).shape == (4, 6, 3)
    assert head.draw(outputs, make_generator(0)).shape == (4, 6, 3)


@pytest.mark.parametrize("name", ["gaussian", "bernoulli", "pixels"])
def test_draws_depend_on_their_generator_only(name, request):
    head = request.getfixturevalue(name)
    outputs = normal_draws(10, 3)
    before = torch.random.get_rng_state()
    first, again = (head.draw(outputs, make_generator(5)) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, head.draw(outputs, make_generator(6)))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(("kind", "likelihood"), sorted(NUMERIC_HEADS))
def test_make_heads_gives_each_group_its_own_columns(kind, likelihood):
    groups = [
        ColumnGroup(kind, columns=(0, 2), widths=(1, 1), start=0),
        ColumnGroup(kind, columns=(1,), widths=(1,), start=2),
    ]
    scales = torch.tensor([1.0, 2.0, 3.0])
    heads = make_heads(groups, likelihood, scales)
    expected = NUMERIC_HEADS[kind, likelihood]
    assert [type(head) for head in heads] == [expected] * 2
    assert heads[0].n_outputs == 2 * heads[1].n_outputs
    if expected in (GaussianHead, NormalMixtureHead):
        assert heads[0].column_scales.tolist() == [1, 2]
        assert heads[1].column_scales.tolist() == [3]
    if expected is PixelGaussianHead:
        torch.testing.assert_close(heads[0].column_scales, torch.tensor([2.5]).sqrt())
        assert heads[1].column_scales.tolist() == [3]


def test_pixels_share_one_learned_scale():
    spread = torch.tensor([0.1, 0.5, 0.7])
    head = PixelGaussianHead(spread)
    assert head.n_outputs == 3
    assert [parameter.numel() for parameter in head.parameters()] == [1]
    # It starts at the root of the mean variance.
    start = (0.01 + 0.25 + 0.49) / 3
    torch.testing.assert_close(head.scales, 1.01 * torch.tensor([start]).sqrt())


def test_log_likelihood_of_pixels_is_that_of_normals_of_one_scale(pixels):
    outputs, target = normal_draws(8, 3), normal_draws(8, 3, seed=1)
    scale = (0.75 / 3) ** 0.5 * (0.01 + torch.tensor(-0.5).double().exp())
    result = pixels.log_likelihood(outputs, target)
    assert result.shape == (8, 3)
    torch.testing.assert_close(result, Normal(outputs, scale).log_prob(target))


def test_draws_of_pixels_have_one_scale(pixels):
    outputs = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    draws = pixels.draw(outputs.expand(40_000, 3), make_generator(0)).detach()
    expected = pixels.scales.detach().expand(3)
    torch.testing.assert_close(draws.std(dim=0), expected, rtol=0.02, atol=0)
    torch.testing.assert_close(draws.mean(dim=0), outputs, rtol=0, atol=0.02)


def test_scale_of_pixels_has_a_floor_and_gets_gradient(pixels):
    pixels.log_likelihood(
        normal_draws(8, 3), normal_draws(8, 3, seed=1)
    ).sum().backward()
    assert (pixels.log_ratio.grad != 0).all()
    with torch.no_grad():
        pixels.log_ratio.fill_(-1e4)
    torch.testing.assert_close(pixels.scales, pixels.column_scales / 100)


@pytest.mark.parametrize("name", ["gaussian", "pixels"])
def test_numbers_are_generated_by_a_draw(name, request):
    head = request.getfixturevalue(name)
    outputs = normal_draws(10, 3)
    generated = head.generate(outputs, make_generator(5))
    assert torch.equal(generated, head.draw(outputs, make_generator(5)))


def test_values_between_0_and_1_are_generated_by_the_mean(bernoulli):
    outputs = normal_draws(10, 3)
    generated = bernoulli.generate(outputs, make_generator(5))
    assert torch.equal(generated, bernoulli.mean(outputs))


@pytest.mark.parametrize(
    ("likelihood", "expected"),
    [
        ("auto", BernoulliHead),
        ("bernoulli", BernoulliHead),
        ("gaussian", PixelGaussianHead),
    ],
)
def test_likelihoods_of_pixels(likelihood, expected):
    groups = [ColumnGroup("pixel", columns=(0, 1), widths=(1, 1), start=0)]
    (head,) = make_heads(groups, likelihood, torch.ones(2))
    assert type(head) is expected


def test_numbers_are_mixtures_of_normals_by_default():
    groups = [ColumnGroup("continuous", columns=(0,), widths=(1,), start=0)]
    (head,) = make_heads(groups, "auto", torch.ones(1))
    assert type(head) is NormalMixtureHead


@pytest.mark.parametrize("kind", ["boolean", "missing"])
@pytest.mark.parametrize("likelihood", ["auto", "gaussian", "bernoulli"])
def test_truths_are_generated_by_a_draw_whatever_the_likelihood(kind, likelihood):
    groups = [ColumnGroup(kind, columns=(0, 1, 2), widths=(1, 1, 1), start=0)]
    (head,) = make_heads(groups, likelihood, torch.ones(3))
    assert type(head) is BooleanHead
    outputs = normal_draws(10, 3)
    generated = head.generate(outputs, make_generator(5))
    assert torch.equal(generated, head.draw(outputs, make_generator(5)))
    assert set(generated.unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("name", ["gaussian", "bernoulli", "pixels", "mixture"])
def test_unknown_cells_count_nothing_and_send_no_gradient(name, request):
    head = request.getfixturevalue(name)
    outputs = normal_draws(8, head.n_outputs).requires_grad_()
    target = torch.rand(8, 3, generator=make_generator(1), dtype=torch.float64)
    known = head.log_likelihood(outputs, target)
    is_missing = torch.rand(8, 3, generator=make_generator(2)) < 0.5
    target[is_missing] = torch.nan
    found = head.log_likelihood(outputs, target)
    assert torch.equal(found, torch.where(is_missing, 0.0, known))
    found.sum().backward()
    assert outputs.grad.isfinite().all()
    if name != "mixture":  # which has several outputs a column
        assert ((outputs.grad == 0) == is_missing).all()
    for parameter in head.parameters():
        assert parameter.grad.isfinite().all()
