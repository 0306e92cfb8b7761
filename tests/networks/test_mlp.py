"""Fully connected bodies."""

import pytest
import torch
from torch import nn

from skvae._core.random import UseGenerator, make_generator
from skvae.networks import ACTIVATIONS, MLP


def test_widths_from_the_input_on():
    network = MLP(7, (5, 3), 2, "relu")
    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    shapes = [(layer.in_features, layer.out_features) for layer in linear]
    assert shapes == [(7, 5), (5, 3), (3, 2)]


def test_no_hidden_layers_is_one_linear_map():
    network = MLP(4, (), 2, "silu")
    assert len(network) == 1
    assert isinstance(network[0], nn.Linear)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_activation_between_layers_and_none_after_the_last(activation):
    network = MLP(3, (4, 4), 2, activation)
    kinds = [type(layer) for layer in network]
    between = ACTIVATIONS[activation]
    assert kinds == [nn.Linear, between, nn.Linear, between, nn.Linear]


def test_leading_dimensions_pass_through():
    assert MLP(3, (4,), 2, "tanh")(torch.zeros(6, 5, 3)).shape == (6, 5, 2)


def test_every_parameter_gets_gradient():
    with UseGenerator(make_generator(0)):
        network = MLP(3, (16, 16), 2, "silu")
        rows = torch.randn(50, 3)
    network(rows).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert (parameter.grad != 0).all(), name
