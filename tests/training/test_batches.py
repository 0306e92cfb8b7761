"""Batches that cover the rows, evenly."""

import itertools

import pytest
import torch

from skvae._core.random import make_generator
from skvae.training._batches import Rows, WholeBatches


def numbered_rows(n_rows, with_noise=False):
    numbers = torch.arange(n_rows, dtype=torch.float32)[:, None]
    return Rows(numbers, noise=-numbers if with_noise else None)


def one_pass(batches):
    return [rows.ravel().tolist() for rows, _ in batches]


def joined(lists):
    return list(itertools.chain.from_iterable(lists))


@pytest.mark.parametrize("shuffled", [True, False])
@pytest.mark.parametrize(
    ("n_rows", "batch_size"), [(100, 10), (101, 10), (99, 10), (7, 3), (5, 64), (1, 1)]
)
def test_each_row_once_in_batches_of_nearly_equal_size(n_rows, batch_size, shuffled):
    generator = make_generator(0) if shuffled else None
    batches = WholeBatches(numbered_rows(n_rows), batch_size, generator)
    for _ in range(3):
        numbers = one_pass(batches)
        assert sorted(joined(numbers)) == list(range(n_rows))
        sizes = [len(batch) for batch in numbers]
        assert max(sizes) <= batch_size
        assert max(sizes) - min(sizes) <= 1
        assert len(sizes) == len(batches) == -(-n_rows // batch_size)


def test_fewer_rows_than_a_batch_make_one_batch():
    (batch,) = one_pass(WholeBatches(numbered_rows(5), 64))
    assert batch == [0, 1, 2, 3, 4]


def test_every_pass_has_another_order():
    batches = WholeBatches(numbered_rows(50), 10, make_generator(0))
    passes = [joined(one_pass(batches)) for _ in range(3)]
    assert passes[0] != passes[1]
    assert passes[1] != passes[2]
    assert all(order != sorted(order) for order in passes)


def test_order_is_a_function_of_the_seed():
    first, again, other = (
        [one_pass(batches) for _ in range(2)]
        for batches in (
            WholeBatches(numbered_rows(50), 10, make_generator(seed))
            for seed in (0, 0, 1)
        )
    )
    assert first == again
    assert first != other


def test_rows_keep_their_order_without_a_generator():
    assert joined(one_pass(WholeBatches(numbered_rows(10), 3))) == list(range(10))


def test_noise_stays_with_its_row():
    rows = numbered_rows(20, with_noise=True)
    for batch, noise in WholeBatches(rows, 7, make_generator(0)):
        assert torch.equal(noise, -batch)


def test_no_noise_where_none_is_fixed():
    assert all(noise is None for _, noise in WholeBatches(numbered_rows(20), 7))


@pytest.mark.parametrize("shuffled", [True, False])
def test_global_generator_is_left_alone(shuffled):
    # Torch's own DataLoader draws from it, shuffled or not.
    before = torch.random.get_rng_state()
    generator = make_generator(0) if shuffled else None
    one_pass(WholeBatches(numbered_rows(20), 7, generator))
    assert torch.equal(torch.random.get_rng_state(), before)
