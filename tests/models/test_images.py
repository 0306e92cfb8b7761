"""Images through the same estimators: pixels in a row, convolutions inside."""

import pickle

import numpy as np
import pytest
from model_cases import MODELS, ONE_STAGE, changed, gentle, n_latents, small
from sklearn.datasets import load_digits

from skvae import CVAE, VAE
from skvae.datasets import make_sprites
from skvae.networks import ConvDecoder, ConvEncoder

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)[0][:400]


def imaged(model_class, image_shape=(1, 8, 8), **params):
    settings = {"image_shape": image_shape, "max_epochs": 2, "batch_size": 64}
    return small(model_class, **{**settings, **gentle(model_class), **params})


class TestEveryModel:
    def test_learns_the_digits(self, model_class, digits):
        model = imaged(model_class, max_epochs=25, lr=5e-3, hidden_layer_sizes=(32,))
        changed(model, latent_dim=5).fit(digits)
        error = np.mean((model.reconstruct(digits) - digits) ** 2)
        assert error < 0.75 * np.mean((digits.mean(axis=0) - digits) ** 2)
        history = model.history_["valid_reconstruction"]
        # A second stage starts from what the first one has learned.
        least = 1 if model_class in ONE_STAGE else 0.3
        assert history.iloc[-1] < history.iloc[0] - least

    def test_shapes_and_range(self, model_class, digits):
        model = imaged(model_class).fit(digits)
        assert model.transform(digits).shape == (400, n_latents(model))
        for rows in (model.reconstruct(digits), model.sample(400, random_state=0)):
            assert rows.shape == digits.shape
            assert rows.min() >= 0
            assert rows.max() <= 16
        assert np.isfinite(model.score_samples(digits)).all()
        n_terms = 7 if hasattr(model, "first_stage") else 6
        assert model.elbo_decomposition(digits).shape == (n_terms, 2)

    def test_same_twice_and_pickled(self, model_class, digits):
        first, second = (imaged(model_class).fit(digits) for _ in range(2))
        again = pickle.loads(pickle.dumps(first))
        for other in (second, again):
            np.testing.assert_array_equal(
                other.transform(digits), first.transform(digits)
            )

    def test_a_row_does_not_depend_on_its_company(self, model_class, digits):
        model = imaged(model_class).fit(digits)
        together = model.score_samples(digits[:50])
        alone = [model.score_samples(row[None])[0] for row in digits[:50]]
        np.testing.assert_allclose(alone, together, rtol=1e-10)


SIZES = [(1, 8, 8), (1, 9, 11), (3, 8, 8), (1, 15, 15), (1, 28, 28), (3, 32, 32)]
SIZES += [(1, 33, 17), (3, 64, 64), (1, 64, 8)]


@pytest.mark.parametrize("image_shape", SIZES, ids=str)
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_any_size(image_shape, likelihood):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, np.prod(image_shape)), dtype=np.uint8)
    model = imaged(VAE, image_shape, likelihood=likelihood, max_epochs=1).fit(images)
    rows = model.reconstruct(images)
    assert rows.shape == images.shape
    assert rows.dtype == np.uint8
    assert np.isfinite(model.score(images))


def test_colour_sprites_gaussian():
    sprites = make_sprites(300, image_size=16, color=True, random_state=0)
    model = imaged(
        VAE,
        sprites.image_shape,
        likelihood="gaussian",
        max_epochs=20,
        lr=5e-3,
        latent_dim=6,
        hidden_layer_sizes=(64,),
    ).fit(sprites.data)
    pixels = sprites.data.astype(float)
    error = np.mean((model.reconstruct(sprites.data) - pixels) ** 2)
    assert error < 0.7 * np.mean((pixels - pixels.mean(axis=0)) ** 2)


def test_pixels_that_never_change_are_kept(digits):
    assert (digits.std(axis=0) == 0).any()
    model = imaged(VAE).fit(digits)
    assert model.table_encoder_.width == 64


def test_bernoulli_is_the_default_for_images(digits):
    auto = imaged(VAE).fit(digits).score_samples(digits)
    named = imaged(VAE, likelihood="bernoulli", encoding="minmax").fit(digits)
    np.testing.assert_array_equal(auto, named.score_samples(digits))
    assert not np.allclose(
        auto, imaged(VAE, likelihood="gaussian").fit(digits).score(digits)
    )


def test_condition_and_image():
    digits, labels = load_digits(return_X_y=True)
    model = imaged(CVAE, max_epochs=25, lr=5e-3, hidden_layer_sizes=(32,), latent_dim=4)
    model.fit(digits[:900], condition=labels[:900])
    test, truth = digits[900:1300], labels[900:1300]
    scores = [model.score_samples(test, condition=int(label)) for label in range(10)]
    assert np.mean(np.argmax(scores, axis=0) == truth) > 0.7
    zeros = model.sample(50, condition=0, random_state=0).mean(axis=0)
    ones = model.sample(50, condition=1, random_state=0).mean(axis=0)
    means = [digits[labels == label].mean(axis=0) for label in (0, 1)]
    assert np.abs(zeros - means[0]).mean() < np.abs(zeros - means[1]).mean()
    assert np.abs(ones - means[1]).mean() < np.abs(ones - means[0]).mean()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"image_shape": (1, 7, 9)}, "63"),
        ({"image_shape": (8, 8)}, r"expected \(channels, height, width\)"),
        ({"image_shape": (1, 8, 8.0)}, r"expected \(channels, height, width\)"),
        ({"image_shape": (1, 32, 2)}, "at least 4 pixels"),
        ({"encoding": "quantile"}, "pixel"),
        ({"encoding": "standard", "likelihood": "bernoulli"}, r"\[0, 1\]"),
        ({"encoding": "standard"}, "likelihood='auto' needs scaled values in"),
    ],
)
def test_bad_image_parameters(digits, params, message):
    with pytest.raises(ValueError, match=message):
        imaged(VAE, **params).fit(digits)


def test_convolutions_are_used(digits):
    body = imaged(MODELS[0]).fit(digits).module_
    assert isinstance(body.encoder.body, ConvEncoder)
    assert isinstance(body.decoder, ConvDecoder)
