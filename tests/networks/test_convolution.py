"""Convolutional bodies for images of any size."""

from itertools import pairwise

import pytest
import torch
from conditioned import awaken
from torch import nn

from skvae._core.random import UseGenerator, make_generator
from skvae.networks import ConvDecoder, ConvEncoder, FiLM
from skvae.networks._convolution import image_sizes

SIZES = [
    *((side, side) for side in (8, 9, 15, 28, 31, 32, 33, 47, 64)),
    (8, 64),
    (64, 8),
    (28, 40),
]
LATENT_DIM, N_IMAGES = 3, 4


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=make_generator(seed))


def make_encoder(image_shape, n_conditions=0, sizes=(16,)):
    with UseGenerator(make_generator(0)):
        return ConvEncoder(
            image_shape, sizes, 2 * LATENT_DIM, n_conditions=n_conditions
        )


def make_decoder(image_shape, n_conditions=0, sizes=(16,)):
    with UseGenerator(make_generator(0)):
        return ConvDecoder(LATENT_DIM, sizes, image_shape, n_conditions=n_conditions)


@pytest.mark.parametrize("n_conditions", [0, 2])
@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_there_and_back(size, n_channels, n_conditions):
    shape = (n_channels, *size)
    given = [draws(N_IMAGES, n_conditions, seed=1)] if n_conditions else []
    images, latents = draws(N_IMAGES, *shape), draws(N_IMAGES, LATENT_DIM)
    encoder = awaken(make_encoder(shape, n_conditions))
    decoder = awaken(make_decoder(shape, n_conditions))
    outputs, decoded = encoder(images, *given), decoder(latents, *given)
    assert outputs.shape == (N_IMAGES, 2 * LATENT_DIM)
    assert decoded.shape == images.shape
    (outputs.square().sum() + decoded.square().sum()).backward()
    for network in (encoder, decoder):
        for name, parameter in network.named_parameters():
            assert (parameter.grad != 0).any(), name


@pytest.mark.parametrize("size", [(1, 1), (4, 4), (2, 30)], ids=str)
def test_images_too_small_to_halve(size):
    shape = (1, *size)
    assert make_encoder(shape)(draws(2, *shape)).shape == (2, 2 * LATENT_DIM)
    assert make_decoder(shape)(draws(2, LATENT_DIM)).shape == (2, *shape)


@pytest.mark.parametrize("size", [*SIZES, (5, 5), (300, 500)], ids=str)
def test_sizes_halve_until_a_side_is_at_most_4(size):
    sizes = image_sizes(*size)
    assert sizes[0] == size
    assert 2 <= min(sizes[-1]) <= 4
    for larger, smaller in pairwise(sizes):
        assert smaller == (larger[0] // 2, larger[1] // 2)
        assert min(larger) > 4


@pytest.mark.parametrize("side", [28, 47])
def test_decoder_takes_the_steps_of_the_encoder_back(side):
    def maps_of(network):
        """The shape of what each convolution gives."""
        shapes = []
        for part in network.modules():
            if isinstance(part, (nn.Conv2d, nn.ConvTranspose2d)):
                part.register_forward_hook(lambda *a: shapes.append(a[2].shape[1:]))
        return shapes

    image_shape = (3, side, side)
    encoder, decoder = make_encoder(image_shape), make_decoder(image_shape)
    there, back = maps_of(encoder), maps_of(decoder)
    encoder(draws(2, *image_shape))
    decoder(draws(2, LATENT_DIM))
    assert back == [*there[-2::-1], image_shape]


def test_every_pixel_counts_and_is_reached():
    # An odd side loses no border, neither on the way in nor on the way out.
    shape = (1, 15, 9)
    images = draws(N_IMAGES, *shape).requires_grad_()
    make_encoder(shape)(images).square().sum().backward()
    assert (images.grad != 0).any(dim=0).all()
    decoded = make_decoder(shape)(draws(N_IMAGES, LATENT_DIM))
    assert (decoded.std(dim=0) > 0).all()


@pytest.mark.parametrize("make", [make_encoder, make_decoder])
def test_no_condition_no_parameters_for_one(make):
    network = make((1, 28, 28))
    assert not any(isinstance(part, FiLM) for part in network.modules())


@pytest.mark.parametrize("make", [make_encoder, make_decoder])
def test_condition_modulates_every_layer_and_changes_the_output(make):
    network = make((1, 28, 28), n_conditions=2)
    layers = [
        part
        for part in network.modules()
        if isinstance(part, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d))
    ]
    films = [part for part in network.modules() if isinstance(part, FiLM)]
    assert len(layers) == 2 * len(films)  # each has a linear map of its own
    is_encoder = make is make_encoder
    inputs = draws(N_IMAGES, 1, 28, 28) if is_encoder else draws(N_IMAGES, LATENT_DIM)
    condition = draws(N_IMAGES, 2, seed=1)
    assert torch.equal(network(inputs, condition), network(inputs, condition.flip(0)))
    awaken(network)
    changed = network(inputs, condition) != network(inputs, condition.flip(0))
    assert changed.all()


@pytest.mark.parametrize("make", [make_encoder, make_decoder])
def test_dense_layers_may_be_none(make):
    shape = (1, 8, 8)
    network = make(shape, sizes=())
    inputs = draws(2, *shape) if make is make_encoder else draws(2, LATENT_DIM)
    outputs = shape if make is make_decoder else (2 * LATENT_DIM,)
    assert network(inputs).shape == (2, *outputs)


def test_images_do_not_see_each_other():
    encoder, images = make_encoder((1, 9, 9)), draws(N_IMAGES, 1, 9, 9)
    together = encoder(images)
    for image, expected in zip(images, together, strict=True):
        torch.testing.assert_close(encoder(image[None])[0], expected)
