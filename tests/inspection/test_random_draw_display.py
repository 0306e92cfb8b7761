"""Galleries of made-up images."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skvae import CVAE, VAE, BetaVAE
from skvae.datasets import make_sprites
from skvae.inspection._random_draw import RandomDrawDisplay

show = RandomDrawDisplay.from_estimator
show_several = RandomDrawDisplay.from_estimators
show_images = RandomDrawDisplay.from_predictions
SMALL = {
    "hidden_layer_sizes": (16,),
    "max_epochs": 2,
    "kl_warmup": 0,
    "device": "cpu",
    "random_state": 0,
}


@pytest.fixture(scope="module")
def sprites():
    return make_sprites(150, image_size=16, random_state=0)


@pytest.fixture(scope="module")
def images(sprites):
    return sprites.data


@pytest.fixture(scope="module")
def image_model(sprites):
    return VAE(3, image_shape=sprites.image_shape, **SMALL).fit(sprites.data)


@pytest.fixture(scope="module")
def conditional(sprites):
    model = CVAE(3, image_shape=sprites.image_shape, **SMALL)
    return model.fit(sprites.data, condition=sprites.factors[["shape"]])


def labels_of(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def n_lines(display):
    """Return how many lines of images are drawn, given that each is 16 pixels high."""
    filled = np.isfinite(np.ma.filled(display.im_.get_array(), np.nan)).any(axis=1)
    return filled.sum() / 16


def test_draws_are_those_of_sample(image_model):
    display = show(image_model, n_draws=6, random_state=3)
    (drawn,) = display.draws.values()
    seed = np.random.RandomState(3).randint(np.iinfo(np.int32).max)
    expected = image_model.sample(6, latent="prior", kind="mean", random_state=seed)
    np.testing.assert_array_equal(drawn.reshape(6, -1), expected)
    again = show(image_model, n_draws=6, random_state=3)
    np.testing.assert_array_equal(again.draws["VAE"], drawn)


def test_a_single_model_has_many_draws_and_no_label(image_model):
    display = show(image_model)
    assert display.draws["VAE"].shape == (50, 1, 16, 16)
    assert labels_of(display) == []
    assert n_lines(display) == 5


def test_models_have_a_line_each(image_model, conditional):
    display = show_several({"plain": image_model, "with shape": conditional})
    assert labels_of(display) == ["plain", "with shape"]
    assert [len(drawn) for drawn in display.draws.values()] == [10, 10]
    assert n_lines(display) == 2


def test_models_of_as_many_latents_get_the_same_ones(image_model):
    first, second = show_several([image_model, image_model]).draws.values()
    np.testing.assert_array_equal(first, second)


def test_real_images_come_first(image_model, images):
    display = show(image_model, images, n_draws=4)
    assert labels_of(display) == ["images", "VAE"]
    shown = display.draws["images"].reshape(4, -1)
    assert len(np.unique(shown, axis=0)) == 4
    assert all((row == images).all(axis=1).any() for row in shown)


def test_conditions_have_a_line_each(conditional):
    display = show(conditional, conditions=[0, 1], n_draws=4)
    assert labels_of(display) == ["0", "1"]
    seed = np.random.RandomState(0).randint(np.iinfo(np.int32).max)
    expected = conditional.sample(
        4, latent="prior", kind="mean", random_state=seed, condition=1
    )
    np.testing.assert_array_equal(display.draws["1"].reshape(4, -1), expected)


def test_names_of_conditions(conditional):
    display = show(conditional, conditions=[{"shape": 0}, {"shape": 2}], n_draws=2)
    assert labels_of(display) == ["shape = 0", "shape = 2"]
    display = show(conditional, conditions={"square": 0}, n_draws=2)
    assert [*display.draws] == ["square"]
    display = show_several(
        {"A": conditional, "B": conditional}, conditions=[0, 1], n_draws=2
    )
    assert labels_of(display) == ["A: 0", "B: 0", "A: 1", "B: 1"]


def test_many_draws_go_on_in_the_next_line(image_model, images):
    display = show(image_model, images, n_draws=7, n_columns=3)
    assert labels_of(display) == ["images", "", "", "VAE", "", ""]
    assert n_lines(display) == 6
    last_line = np.ma.filled(display.im_.get_array(), np.nan)[-16:]
    assert np.isfinite(last_line).any(axis=0).sum() == 16


def test_a_last_line_of_colours_ends_in_white():
    display = show_images(np.zeros((3, 48)), (3, 4, 4), n_columns=2)
    mosaic = display.im_.get_array()
    np.testing.assert_array_equal(mosaic[-1, -1, :3], [1, 1, 1])
    np.testing.assert_array_equal(mosaic[-1, 0, :3], [0, 0, 0])


def test_a_pipeline_leads_back_to_its_own_pixels(image_model, images):
    negative = FunctionTransformer(np.negative, np.negative, check_inverse=False)
    pipe = make_pipeline(negative, image_model)
    display = show(pipe, -images, n_draws=3)
    expected = show(image_model, n_draws=3).draws["VAE"]
    np.testing.assert_allclose(display.draws["VAE"], -expected)
    with pytest.raises(ValueError, match="X=None"):
        show(pipe)
    one_way = make_pipeline(FunctionTransformer(lambda rows: rows + 1), image_model)
    with pytest.raises(ValueError, match="no exact inverse"):
        show(one_way, images)


def test_draws_of_ones_own(images):
    display = show_images({"theirs": images[:2], "ours": images[2:4]}, (1, 16, 16))
    assert labels_of(display) == ["theirs", "ours"]
    assert show_images(images[:3], (1, 16, 16)).draws["draws"].shape == (3, 1, 16, 16)


def test_given_axes_and_keywords(image_model):
    figure, ax = plt.subplots()
    display = show(image_model, n_draws=2, ax=ax, im_kw={"cmap": "gray_r"})
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert display.im_.get_cmap().name == "gray_r"
    assert display.plot() is display
    assert display.ax_ is not ax


def test_subclass_returns_itself(image_model, images):
    class Mine(RandomDrawDisplay):
        pass

    assert type(Mine.from_estimator(image_model, n_draws=2)) is Mine
    assert type(Mine.from_predictions(images[:2], (1, 16, 16))) is Mine


def test_a_table_is_sent_to_the_display_that_suits_it(model):
    with pytest.raises(ValueError, match="DistributionDisplay"):
        show(model)


def test_bad_input(image_model, images):
    with pytest.raises(ValueError, match="fitted without one"):
        show(image_model, conditions=[0])
    with pytest.raises(ValueError, match="no estimators"):
        show_several({})
    with pytest.raises(ValueError, match="'n_draws' parameter"):
        show(image_model, n_draws=0)
    with pytest.raises(ValueError, match="no draws"):
        show_images({}, (1, 16, 16))
    with pytest.raises(ValueError, match="image_shape"):
        show_images(images, (1, 8, 8))
    with pytest.raises(ValueError, match="rows of shape"):
        show(image_model, images[:, :-1])


def test_models_of_different_images_are_refused(image_model):
    small = make_sprites(40, image_size=8, random_state=0)
    other = BetaVAE(2, beta=1e-3, image_shape=small.image_shape, **SMALL).fit(
        small.data
    )
    with pytest.raises(ValueError, match="the same images"):
        show_several([image_model, other])
