"""The network that tells latents from permuted ones."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from skvae._core.random import UseGenerator, make_generator
from skvae.networks import Discriminator


@pytest.mark.parametrize("sizes", [(), (5,), (7, 6)])
def test_one_log_odds_for_each_row(sizes):
    network = Discriminator(4, sizes)
    assert network(torch.zeros(9, 4)).shape == (9, 1)
    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    widths = [4, *sizes, 1]
    found = [(layer.in_features, layer.out_features) for layer in linear]
    assert found == list(pairwise(widths))


def test_leaky_slope_is_that_of_the_paper():
    slopes = [
        layer.negative_slope
        for layer in Discriminator(4, (5, 5))
        if isinstance(layer, nn.LeakyReLU)
    ]
    assert slopes == [0.2, 0.2]


def test_learns_to_tell_dependent_latents_from_independent_ones():
    generator = make_generator(0)
    with UseGenerator(generator):
        network = Discriminator(2, (32, 32))
        shared = torch.randn(1000, 1)
        dependent = shared + 0.1 * torch.randn(1000, 2)
        independent = torch.randn(1000, 2)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        softplus = nn.functional.softplus
        loss = (
            softplus(-network(dependent)).mean() + softplus(network(independent)).mean()
        )
        loss.backward()
        optimizer.step()
    assert (network(dependent) > 0).float().mean() > 0.9
    assert (network(independent) < 0).float().mean() > 0.8


def test_every_parameter_gets_gradient():
    with UseGenerator(make_generator(0)):
        network, latents = Discriminator(3, (16, 16)), torch.randn(50, 3)
    network(latents).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert (parameter.grad != 0).all(), name
