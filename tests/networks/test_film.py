"""What a condition does to features."""

import pytest
import torch
from conditioned import awaken
from torch import nn

from skvae._core.random import make_generator
from skvae.networks import FiLM
from skvae.networks._film import Modulated


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=make_generator(seed))


@pytest.mark.parametrize("shape", [(6, 4), (6, 4, 3), (6, 4, 5, 3)])
def test_starts_as_the_identity(shape):
    features = draws(*shape)
    assert torch.equal(FiLM(2, 4)(features, draws(6, 2, seed=1)), features)


def test_each_feature_is_scaled_and_shifted_by_its_own_amount():
    film = awaken(FiLM(2, 4))
    features, condition = draws(6, 4), draws(6, 2, seed=1)
    weight, bias = film.amounts.weight, film.amounts.bias
    for row in range(6):
        amounts = weight @ condition[row] + bias
        expected = features[row] * (1 + amounts[:4]) + amounts[4:]
        found = film(features, condition)[row]
        torch.testing.assert_close(found, expected)


def test_all_of_a_channel_is_treated_alike():
    film = awaken(FiLM(2, 4))
    images, condition = draws(6, 4, 5, 3), draws(6, 2, seed=1)
    result = film(images, condition)
    for row in range(5):
        for column in range(3):
            expected = film(images[:, :, row, column], condition)
            torch.testing.assert_close(result[:, :, row, column], expected)


def test_identity_does_not_last():
    film = FiLM(2, 4)
    features, condition = draws(6, 4), draws(6, 2, seed=1)
    optimizer = torch.optim.SGD(film.parameters(), lr=0.1)
    film(features, condition).square().sum().backward()
    for name, parameter in film.named_parameters():
        assert (parameter.grad != 0).all(), name
    optimizer.step()
    assert not torch.equal(film(features, condition), features)


def test_condition_gets_gradient_once_it_counts():
    film, condition = awaken(FiLM(2, 4)), draws(6, 2, seed=1).requires_grad_()
    film(draws(6, 4), condition).square().sum().backward()
    assert (condition.grad != 0).all()


class TestModulated:
    """A linear map that may have a condition."""

    def test_without_a_condition_it_is_the_linear_map(self):
        linear = nn.Linear(3, 4)
        modulated = Modulated(linear, 4, n_conditions=0)
        rows = draws(6, 3)
        assert torch.equal(modulated(rows), linear(rows))
        assert sum(1 for _ in modulated.parameters()) == 2

    def test_condition_follows_the_linear_map(self):
        modulated = awaken(Modulated(nn.Linear(3, 4), 4, n_conditions=2))
        rows, condition = draws(6, 3), draws(6, 2, seed=1)
        expected = modulated.film(modulated.linear(rows), condition)
        assert torch.equal(modulated(rows, condition), expected)

    def test_condition_follows_the_norm(self):
        norm = nn.LayerNorm(4)
        modulated = awaken(Modulated(nn.Linear(3, 4), 4, n_conditions=2, norm=norm))
        rows, condition = draws(6, 3), draws(6, 2, seed=1)
        expected = modulated.film(norm(modulated.linear(rows)), condition)
        assert torch.equal(modulated(rows, condition), expected)

    def test_norm_without_a_condition(self):
        norm, linear = nn.LayerNorm(4), nn.Linear(3, 4)
        modulated = Modulated(linear, 4, n_conditions=0, norm=norm)
        rows = draws(6, 3)
        assert torch.equal(modulated(rows), norm(linear(rows)))

    def test_shift_of_all_features_survives_the_norm(self):
        # A norm after the condition would take the shift away, and the scale too.
        modulated = Modulated(nn.Linear(3, 4), 4, 2, norm=nn.LayerNorm(4))
        rows, condition = draws(6, 3), torch.ones(6, 2)
        before = modulated(rows, condition)
        with torch.no_grad():
            modulated.film.amounts.bias.copy_(torch.tensor([0.5] * 4 + [7.0] * 4))
        torch.testing.assert_close(modulated(rows, condition), 1.5 * before + 7)

    def test_condition_that_is_not_expected_is_not_ignored(self):
        modulated = Modulated(nn.Linear(3, 4), 4, n_conditions=0)
        with pytest.raises(ValueError, match="Got a condition, expected none"):
            modulated(draws(6, 3), draws(6, 2))

    def test_condition_that_is_missing(self):
        modulated = Modulated(nn.Linear(3, 4), 4, n_conditions=2)
        with pytest.raises(ValueError, match=r"expected one: .* n_conditions=2"):
            modulated(draws(6, 3))
