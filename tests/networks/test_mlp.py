"""Fully connected bodies."""

import pytest
import torch
from conditioned import awaken
from torch import nn
from torch.nn import functional

from skvae._core.random import UseGenerator, make_generator
from skvae.networks import ACTIVATIONS, MLP, FiLM


def layers_of(network):
    """The layers that hold no others, in the order in which they are called."""
    called = []
    for layer in network.modules():
        if not list(layer.children()):
            layer.register_forward_hook(lambda layer, *_: called.append(layer))
    width = next(network.parameters()).shape[1]
    network(torch.zeros(2, width))
    return called


def test_widths_from_the_input_on():
    network = MLP(7, (5, 3), 2, "relu")
    linear = [layer for layer in layers_of(network) if isinstance(layer, nn.Linear)]
    shapes = [(layer.in_features, layer.out_features) for layer in linear]
    assert shapes == [(7, 5), (5, 3), (3, 2)]


def test_no_hidden_layers_is_one_linear_map():
    assert [type(layer) for layer in layers_of(MLP(4, (), 2, "silu"))] == [nn.Linear]


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_activation_between_layers_and_none_after_the_last(activation):
    network = MLP(3, (4, 4), 2, activation)
    kinds = [type(layer) for layer in layers_of(network)]
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


def make_mlp(*args, **kwargs):
    with UseGenerator(make_generator(0)):
        return MLP(*args, **kwargs)


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=make_generator(seed))


def test_number_and_order_of_parameters():
    # Weights then bias, layer by layer: what the optimizer and stored models go by.
    shapes = [tuple(parameter.shape) for parameter in MLP(7, (5, 3), 2).parameters()]
    assert shapes == [(5, 7), (5,), (3, 5), (3,), (2, 3), (2,)]


def test_no_condition_no_parameters_for_one():
    network = MLP(7, (5, 3), 2, n_conditions=0)
    assert not any(isinstance(part, FiLM) for part in network.modules())


def test_condition_modulates_every_layer():
    network = MLP(7, (5, 3), 2, n_conditions=4)
    films = [part for part in network.modules() if isinstance(part, FiLM)]
    shapes = [tuple(film.amounts.weight.shape) for film in films]
    assert shapes == [(10, 4), (6, 4), (4, 4)]


def test_condition_starts_without_effect_and_gets_one():
    network, plain = make_mlp(7, (5, 3), 2, n_conditions=4), make_mlp(7, (5, 3), 2)
    plain.load_state_dict(network.state_dict(), strict=False)
    rows, condition = draws(6, 7), draws(6, 4, seed=1)
    assert torch.equal(network(rows, condition), plain(rows))
    awaken(network)
    result = network(rows, condition)
    assert not torch.isclose(result, plain(rows)).any()
    assert not torch.isclose(result, network(rows, condition.flip(0))).any()


def test_every_parameter_of_a_conditional_network_gets_gradient():
    network = awaken(make_mlp(3, (16, 16), 2, n_conditions=4, layer_norm=True))
    network(draws(50, 3), draws(50, 4, seed=1)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert (parameter.grad != 0).all(), name


def test_condition_for_a_network_that_has_none():
    with pytest.raises(ValueError, match="Got a condition, expected none"):
        MLP(3, (4,), 2)(torch.zeros(5, 3), torch.zeros(5, 1))


def test_layer_norm_by_definition():
    network = make_mlp(3, (8,), 2, "tanh", layer_norm=True)
    rows = draws(6, 3)
    first, last = (layer for layer in network.modules() if isinstance(layer, nn.Linear))
    hidden = first(rows)
    centred = hidden - hidden.mean(dim=1, keepdim=True)
    scales = hidden.var(dim=1, keepdim=True, unbiased=False).sqrt()
    torch.testing.assert_close(network(rows), last((centred / scales).tanh()))


def test_layer_norm_makes_rows_of_any_size_alike():
    network = make_mlp(3, (8,), 2, "tanh", layer_norm=True)
    first = next(layer for layer in network.modules() if isinstance(layer, nn.Linear))
    nn.init.zeros_(first.bias)
    rows = draws(6, 3)
    torch.testing.assert_close(network(1000 * rows), network(rows), rtol=1e-3, atol=0)


def test_condition_comes_after_the_norm_and_before_the_activation():
    network = awaken(make_mlp(3, (8,), 2, "tanh", n_conditions=4, layer_norm=True))
    rows, condition = draws(6, 3), draws(6, 4, seed=1)
    (layer,) = network.hidden
    normal = functional.layer_norm(layer.linear(rows), (8,))
    hidden = layer.film(normal, condition).tanh()
    torch.testing.assert_close(layer(rows, condition), hidden)
    expected = network.output(hidden, condition)
    torch.testing.assert_close(network(rows, condition), expected)


def test_shift_by_the_condition_survives_layer_norm():
    network = make_mlp(3, (8,), 2, n_conditions=4, layer_norm=True)
    (layer,) = network.hidden
    layer.activation = nn.Identity()
    rows, condition = draws(6, 3), draws(6, 4, seed=1)
    before = layer(rows, condition)
    torch.testing.assert_close(before.mean(dim=1), torch.zeros(6))
    with torch.no_grad():
        layer.film.amounts.bias[8:] = 7.0
    after = layer(rows, condition)
    torch.testing.assert_close(after, before + 7)


def test_dropout_drops_in_training_only():
    network, plain = make_mlp(3, (400,), 2, dropout=0.25), make_mlp(3, (400,), 2)
    rows = draws(1, 3).expand(2000, 3)
    with UseGenerator(make_generator(0)):
        dropped = network(rows)
    expected = plain(rows)
    assert len(dropped.unique(dim=0)) == 2000
    # What is left is scaled up, so that the mean stays.
    torch.testing.assert_close(dropped.mean(0), expected[0], rtol=0, atol=0.02)
    assert torch.equal(network.eval()(rows), expected)


def test_dropout_of_hidden_features_only():
    network = make_mlp(3, (), 2, dropout=0.5)
    rows = draws(6, 3)
    assert torch.equal(network(rows), network.eval()(rows))


def test_residual_layers_add_where_widths_agree():
    network = make_mlp(4, (4, 6, 6), 2, residual=True)
    first, second, third, last = (
        layer for layer in network.modules() if isinstance(layer, nn.Linear)
    )
    silu = nn.SiLU()
    rows = draws(6, 4)
    hidden = rows + silu(first(rows))
    hidden = silu(second(hidden))
    hidden = hidden + silu(third(hidden))
    torch.testing.assert_close(network(rows), last(hidden))


def test_residual_costs_no_parameters():
    with_it, without = MLP(4, (4, 4), 2, residual=True), MLP(4, (4, 4), 2)
    assert list(with_it.state_dict()) == list(without.state_dict())
