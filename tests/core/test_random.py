"""Random numbers of torch as functions of a seed, in one thread or in many."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import torch
from torch import nn
from torch.nn import functional

from skvae._core.random import UseGenerator, make_generator

DRAWS = {
    "Linear": lambda: nn.Linear(4, 3).weight,
    "Linear bias": lambda: nn.Linear(4, 3).bias,
    "Embedding": lambda: nn.Embedding(4, 3).weight,
    "Conv2d": lambda: nn.Conv2d(2, 3, 3).weight,
    "ConvTranspose2d": lambda: nn.ConvTranspose2d(2, 3, 3).weight,
    "LSTM": lambda: nn.LSTM(3, 4).weight_hh_l0,
    "attention": lambda: nn.MultiheadAttention(4, 2).in_proj_weight,
    "orthogonal_": lambda: nn.init.orthogonal_(torch.empty(4, 3)),
    "xavier_normal_": lambda: nn.init.xavier_normal_(torch.empty(4, 3)),
    "xavier_uniform_": lambda: nn.init.xavier_uniform_(torch.empty(4, 3)),
    "kaiming_normal_": lambda: nn.init.kaiming_normal_(torch.empty(4, 3)),
    "kaiming_uniform_": lambda: nn.init.kaiming_uniform_(torch.empty(4, 3)),
    "trunc_normal_": lambda: nn.init.trunc_normal_(torch.empty(4, 3)),
    "sparse_": lambda: nn.init.sparse_(torch.empty(8, 8), 0.5),
    "randn_like": lambda: torch.randn_like(torch.empty(12)),
    "rand_like": lambda: torch.rand_like(torch.empty(12)),
    "randn": lambda: torch.randn(12),
    "rand": lambda: torch.rand(12),
    "randint": lambda: torch.randint(1000, (12,)),
    "randperm": lambda: torch.randperm(50),
    "normal": lambda: torch.normal(0.0, torch.ones(12)),
    "multinomial": lambda: torch.multinomial(torch.ones(50), 12),
    "bernoulli": lambda: torch.bernoulli(torch.full((100,), 0.5)),
    "poisson": lambda: torch.poisson(torch.full((100,), 9.0)),
    "Tensor.normal_": lambda: torch.empty(12).normal_(),
    "Tensor.exponential_": lambda: torch.empty(12).exponential_(),
    "Tensor.bernoulli": lambda: torch.full((100,), 0.5).bernoulli(),
    "Tensor.multinomial": lambda: torch.ones(50).multinomial(12),
    "distribution": lambda: torch.distributions.Normal(0, torch.ones(12)).sample(),
}


def drawn(name, seed):
    with UseGenerator(make_generator(seed)):
        return DRAWS[name]().detach()


@pytest.mark.parametrize("name", DRAWS)
def test_draw_is_a_function_of_the_seed(name):
    before = torch.random.get_rng_state()
    first = drawn(name, seed=0)
    torch.random.manual_seed(99)  # whatever happens to the global generator
    assert torch.equal(drawn(name, seed=0), first)
    assert not torch.equal(drawn(name, seed=1), first)
    torch.random.set_rng_state(before)


@pytest.mark.parametrize("name", DRAWS)
def test_global_generator_is_left_alone(name):
    before = torch.random.get_rng_state()
    drawn(name, seed=0)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_like_functions_keep_dtype_shape_and_distribution():
    like = torch.empty(200, 100, dtype=torch.float64)
    with UseGenerator(make_generator(0)):
        normal, uniform = torch.randn_like(like), torch.rand_like(like)
        single = torch.randn_like(like, dtype=torch.float32)
    assert normal.shape == uniform.shape == like.shape
    assert normal.dtype == uniform.dtype == torch.float64
    assert single.dtype == torch.float32
    assert normal.mean().item() == pytest.approx(0, abs=0.03)
    assert normal.std().item() == pytest.approx(1, abs=0.03)
    assert uniform.min() >= 0
    assert uniform.mean().item() == pytest.approx(0.5, abs=0.01)
    assert uniform.max() <= 1


def test_generator_of_the_caller_has_precedence():
    with UseGenerator(make_generator(0)):
        inside = torch.randn(5, generator=make_generator(7))
    assert torch.equal(inside, torch.randn(5, generator=make_generator(7)))


def test_draws_follow_on_one_another():
    generator = make_generator(0)
    with UseGenerator(generator):
        together = torch.randn(10)
    generator.manual_seed(0)
    with UseGenerator(generator):
        first = torch.rand(3)
    with UseGenerator(generator):
        second = torch.rand(3)
    assert len(together.unique()) == 10
    assert not torch.equal(first, second)


def test_nothing_is_left_after_the_context():
    torch.random.manual_seed(3)
    expected = torch.randn(4)
    torch.random.manual_seed(3)
    with pytest.raises(RuntimeError, match="inside"), UseGenerator(make_generator(0)):
        raise RuntimeError("inside")
    assert torch.equal(torch.randn(4), expected)


def weights_of(seed, barrier):
    """Build layers in step with the other threads, so that draws interleave."""
    weights = []
    with UseGenerator(make_generator(seed)):
        for _ in range(20):
            barrier.wait()
            weights.append(nn.Linear(8, 8).weight.detach())
            weights.append(nn.init.orthogonal_(torch.empty(8, 8)))
    return weights


def test_threads_do_not_see_each_other():
    seeds = [0, 1, 2, 3]
    serial = [weights_of(seed, Barrier(1)) for seed in seeds]
    before = torch.random.get_rng_state()
    barrier = Barrier(len(seeds), timeout=30)
    with ThreadPoolExecutor(len(seeds)) as pool:
        parallel = list(pool.map(weights_of, seeds, [barrier] * len(seeds)))
    for alone, among_others in zip(serial, parallel, strict=True):
        for expected, found in zip(alone, among_others, strict=True):
            assert torch.equal(found, expected)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_thread_outside_the_context_draws_globally():
    with UseGenerator(make_generator(0)), ThreadPoolExecutor(1) as pool:
        torch.random.manual_seed(3)
        found = pool.submit(torch.randn, 4).result()
    torch.random.manual_seed(3)
    assert torch.equal(found, torch.randn(4))


INPUTS = {
    functional.dropout: (4, 50),
    functional.dropout1d: (8, 5, 4),
    functional.dropout2d: (8, 5, 4, 3),
    functional.dropout3d: (8, 5, 4, 3, 2),
}


@pytest.fixture(params=INPUTS, ids=lambda function: function.__name__)
def dropout(request):
    return request.param


def dropped(dropout, seed=0, p=0.4, shape=None, **parameters):
    ones = torch.ones(shape or INPUTS[dropout])
    with UseGenerator(make_generator(seed)):
        return dropout(ones, p, **parameters)


class TestDropout:
    """Dropout draws inside, where no generator can be handed on."""

    def test_is_a_function_of_the_seed(self, dropout):
        before = torch.random.get_rng_state()
        first = dropped(dropout)
        assert torch.equal(torch.random.get_rng_state(), before)
        torch.random.manual_seed(99)
        assert torch.equal(dropped(dropout), first)
        assert not torch.equal(dropped(dropout, seed=1), first)
        torch.random.set_rng_state(before)

    def test_what_is_kept_is_scaled_up(self, dropout):
        shape = INPUTS[dropout]
        many = dropped(dropout, shape=(4000, *shape[1:]))
        assert set(many.unique().tolist()) == {0, torch.tensor(1 / 0.6).item()}
        assert many.mean().item() == pytest.approx(1, abs=0.03)

    def test_channels_are_dropped_as_a_whole(self, dropout):
        result = dropped(dropout)
        if dropout is functional.dropout:
            assert (result.std(dim=1) > 0).all()
            return
        channels = result.flatten(2)
        assert torch.equal(channels.amin(dim=2), channels.amax(dim=2))
        assert (channels.amax(dim=2).std(dim=1) > 0).any()  # each on its own

    def test_nothing_is_dropped_in_evaluation_or_at_probability_0(self, dropout):
        assert (dropped(dropout, training=False) == 1).all()
        assert (dropped(dropout, p=0.0) == 1).all()

    def test_all_is_dropped_at_probability_1(self, dropout):
        assert (dropped(dropout, p=1.0) == 0).all()

    def test_in_place(self, dropout):
        ones = torch.ones(INPUTS[dropout])
        with UseGenerator(make_generator(0)):
            result = dropout(ones, 0.4, inplace=True)
        assert result is ones
        assert torch.equal(ones, dropped(dropout))

    def test_gradient_passes_what_is_kept(self, dropout):
        inputs = torch.ones(INPUTS[dropout], requires_grad=True)
        with UseGenerator(make_generator(0)):
            result = dropout(inputs, 0.4)
        result.sum().backward()
        assert torch.equal(inputs.grad, result)


@pytest.mark.parametrize(
    ("dropout", "shape"),
    [(functional.dropout1d, (6, 4)), (functional.dropout3d, (6, 4, 3, 2))],
)
def test_channels_without_rows(dropout, shape):
    channels = dropped(dropout, shape=shape).flatten(1)
    assert torch.equal(channels.amin(dim=1), channels.amax(dim=1))
    assert len(channels.amax(dim=1).unique()) == 2


def test_context_tells_whether_anything_drew():
    with UseGenerator(make_generator(0)) as drawing:
        torch.ones(3).add(1).sum()
        torch.empty(3).normal_(generator=make_generator(1))
    assert not drawing.has_drawn
    for draw in (
        lambda: functional.dropout(torch.ones(3)),
        lambda: torch.randn(3),
        lambda: torch.randn_like(torch.ones(3)),
    ):
        with UseGenerator(make_generator(0)) as drawing:
            draw()
        assert drawing.has_drawn
