"""Encoders and decoders that users bring along."""

from functools import partial

import numpy as np
import pytest
import torch
from model_cases import make_numbers, small
from sklearn.base import clone
from sklearn.datasets import load_digits
from torch import nn

from skvae import CVAE, VAE
from skvae.networks import MLP

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")


def make_linear(n_inputs, n_outputs):
    return nn.Sequential(nn.Linear(n_inputs, 7), nn.Tanh(), nn.Linear(7, n_outputs))


def make_dropping(n_inputs, n_outputs):
    return nn.Sequential(nn.Dropout(0.5), nn.Linear(n_inputs, n_outputs))


def make_image_encoder(image_shape, n_outputs):
    convolution = nn.Conv2d(image_shape[0], 4, 3, stride=2)
    return nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), nn.LazyLinear(n_outputs))


class Conditioned(nn.Module):
    def __init__(self, n_inputs, n_outputs, n_conditions):
        super().__init__()
        self.linear = nn.Linear(n_inputs + n_conditions, n_outputs)

    def forward(self, inputs, condition):
        return self.linear(torch.cat([inputs, condition], dim=1))


class TestFactory:
    def test_is_called_with_the_sizes(self, numbers):
        modules = {"encoder": make_linear, "decoder": make_linear}
        model = small(VAE, likelihood="gaussian", **modules).fit(numbers)
        assert model.module_.encoder[0].in_features == 5
        assert model.module_.encoder[2].out_features == 4
        assert model.module_.decoder[0].in_features == 2
        assert model.module_.decoder[2].out_features == 5

    def test_is_a_function_of_the_seed(self, numbers):
        first, same, other = (
            small(VAE, encoder=make_linear, random_state=seed).fit_transform(numbers)
            for seed in (0, 0, 1)
        )
        np.testing.assert_array_equal(first, same)
        assert not np.array_equal(first, other)

    def test_dropout_is_a_function_of_the_seed(self, numbers):
        state = torch.get_rng_state()
        first, same = (
            small(VAE, encoder=make_dropping).fit_transform(numbers) for _ in range(2)
        )
        np.testing.assert_array_equal(first, same)
        assert torch.equal(state, torch.get_rng_state())

    def test_of_our_own_parts(self, numbers):
        encoder = partial(
            MLP, hidden_layer_sizes=(8, 8), layer_norm=True, dropout=0.1, residual=True
        )
        model = small(VAE, encoder=lambda i, o: encoder(i, n_outputs=o)).fit(numbers)
        assert np.isfinite(model.score(numbers))

    def test_with_a_condition(self, numbers):
        model = small(CVAE, encoder=Conditioned, decoder=Conditioned)
        model.fit(numbers, condition=np.arange(120) % 3)
        assert model.module_.encoder.linear.in_features == 8
        assert np.isfinite(model.score(numbers))


class TestModule:
    def test_is_copied_and_keeps_its_weights(self, numbers):
        encoder = make_linear(5, 4)
        before = encoder[0].weight.detach().clone()
        model = small(VAE, encoder=encoder, lr=1e-30, max_epochs=1).fit(numbers)
        assert model.encoder is encoder
        assert torch.equal(encoder[0].weight, before)
        learned = model.module_.encoder[0].weight
        np.testing.assert_array_equal(learned.numpy(), before.double().numpy())

    def test_two_fits_start_alike(self, numbers):
        model = small(VAE, encoder=make_linear(5, 4))
        latents = model.fit_transform(numbers)
        np.testing.assert_array_equal(latents, model.fit_transform(numbers))
        np.testing.assert_array_equal(latents, clone(model).fit_transform(numbers))

    def test_of_images(self):
        digits = load_digits(return_X_y=True)[0][:200]
        decoder = nn.Sequential(nn.Linear(2, 64), nn.Unflatten(1, (1, 8, 8)))
        model = small(
            VAE,
            image_shape=(1, 8, 8),
            encoder=make_image_encoder,
            decoder=decoder,
        ).fit(digits)
        assert model.transform(digits).shape == (200, 2)
        assert model.sample(3).shape == (3, 64)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"encoder": nn.Linear(4, 4)}, "The encoder could not take"),
        ({"encoder": nn.Linear(5, 3)}, r"The encoder took .* expected shape \(2, 4\)"),
        ({"decoder": nn.Linear(2, 4)}, r"The decoder took .* expected shape \(2, 5\)"),
        ({"decoder": nn.Linear(3, 5)}, "The decoder could not take"),
        ({"encoder": lambda i, o: "network"}, "returned str; expected a torch"),
    ],
)
def test_modules_that_do_not_fit(params, message):
    with pytest.raises(ValueError, match=message):
        small(VAE, likelihood="gaussian", **params).fit(make_numbers())
