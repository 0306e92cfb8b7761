"""Images in the latent plane, each where it is decoded."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skvae import CVAE, VAE
from skvae.datasets import make_sprites
from skvae.inspection._manifold import ManifoldDisplay

show = ManifoldDisplay.from_estimator
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
def plane_model(sprites):
    return VAE(2, image_shape=sprites.image_shape, **SMALL).fit(sprites.data)


@pytest.fixture(scope="module")
def deep_model(sprites):
    model = VAE(4, image_shape=sprites.image_shape, **SMALL).fit(sprites.data)
    model.n_active_ = 3
    return model


@pytest.fixture(autouse=True)
def _all_are_active(plane_model, monkeypatch):
    monkeypatch.setattr(plane_model, "n_active_", 2)


def test_each_image_is_that_of_its_place(plane_model, images):
    display = show(plane_model, images, n_steps=3)
    codes = plane_model.transform(images)
    low, high = np.quantile(codes, [0.01, 0.99], axis=0)
    np.testing.assert_allclose(display.x, np.linspace(low[0], high[0], 3))
    np.testing.assert_allclose(display.y, np.linspace(low[1], high[1], 3))
    expected = plane_model.inverse_transform([[display.x[2], display.y[0]]])
    np.testing.assert_allclose(display.images[0, 2].reshape(1, -1), expected)
    assert display.images.shape == (3, 3, 1, 16, 16)


def test_the_lowest_row_is_drawn_at_the_bottom(images):
    shades = np.arange(4.0).reshape(2, 2, 1, 1, 1) * np.ones((1, 1, 1, 5, 5))
    display = ManifoldDisplay(images=shades, x=np.arange(2), y=np.arange(2)).plot()
    mosaic = display.im_.get_array()
    corners = mosaic[[-1, -1, 0, 0], [0, -1, 0, -1]]
    np.testing.assert_allclose(corners, [0, 1 / 3, 2 / 3, 1])


def test_the_middle_of_an_image_lies_where_it_is_decoded(plane_model, images):
    display = show(plane_model, images, n_steps=3)
    left, right, bottom, top = display.im_.get_extent()
    tall, wide = display.im_.get_array().shape
    to_x, to_y = (right - left) / wide, (top - bottom) / tall
    assert left + 8 * to_x == pytest.approx(display.x[0])
    assert right - 8 * to_x == pytest.approx(display.x[-1])
    assert bottom + 8 * to_y == pytest.approx(display.y[0])
    assert top - 8 * to_y == pytest.approx(display.y[-1])
    assert display.ax_.get_aspect() == pytest.approx(to_x / to_y)


def test_ticks_are_in_units_of_the_latents(plane_model, images):
    display = show(plane_model, images, n_steps=3)
    display.figure_.draw_without_rendering()
    ticks = display.ax_.get_xticks()
    texts = [label.get_text() for label in display.ax_.get_xticklabels()]
    np.testing.assert_allclose(
        [float(text.replace("\N{MINUS SIGN}", "-")) for text in texts], ticks
    )
    assert (ticks >= display.im_.get_extent()[0]).sum() >= 2
    assert display.ax_.get_xlabel() == "latent 0"
    assert display.ax_.get_ylabel() == "latent 1"


def test_more_latents_have_the_plane_of_their_principal_components(deep_model, images):
    display = show(deep_model, images, n_steps=3, max_rows=len(images))
    codes = deep_model.transform(images)
    shown = np.sort(np.argsort(-deep_model.kl_per_dimension_)[:3])
    pca = PCA(2, svd_solver="full").fit(codes[:, shown])
    share = 100 * pca.explained_variance_ratio_[0]
    assert display.ax_.get_xlabel() == f"PC 1 ({share:.0f} % of variance)"
    codes_there = codes.mean(axis=0, keepdims=True)
    codes_there[:, shown] += [display.x[1], display.y[2]] @ pca.components_
    np.testing.assert_allclose(
        display.images[2, 1].reshape(1, -1),
        deep_model.inverse_transform(codes_there),
        atol=1e-6,
    )


def test_images_are_decoded_under_the_condition(sprites, images):
    shape = np.asarray(sprites.factors["shape"])
    model = CVAE(2, image_shape=sprites.image_shape, **SMALL)
    model.fit(images, condition=shape)
    model.n_active_ = 2
    given = shape[0].item()
    display = show(model, images, condition=given, own_condition=shape, n_steps=2)
    corner = [[display.x[0], display.y[0]]]
    np.testing.assert_allclose(
        display.images[0, 0].reshape(1, -1),
        model.inverse_transform(corner, condition=given),
    )


def test_a_pipeline_leads_back_to_its_own_pixels(plane_model, images):
    halve = FunctionTransformer(np.negative, np.negative, check_inverse=False)
    pipe = make_pipeline(halve, plane_model)
    display = show(pipe, -images, n_steps=2)
    np.testing.assert_allclose(
        display.images, -show(plane_model, images, n_steps=2).images
    )
    one_way = make_pipeline(FunctionTransformer(lambda rows: rows + 1), plane_model)
    with pytest.raises(ValueError, match="no exact inverse"):
        show(one_way, images)


def test_black_and_white_are_those_of_the_rows(plane_model, images):
    assert show(plane_model, images, n_steps=2).limits == (images.min(), images.max())


def test_given_axes_and_keywords(plane_model, images):
    figure, ax = plt.subplots()
    display = show(plane_model, images, n_steps=2, ax=ax, im_kw={"cmap": "gray_r"})
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert display.im_.get_cmap().name == "gray_r"
    assert display.plot() is display
    assert display.ax_ is not ax


def test_subclass_returns_itself(plane_model, images):
    class Mine(ManifoldDisplay):
        pass

    assert type(Mine.from_estimator(plane_model, images, n_steps=2)) is Mine


def test_a_table_is_sent_to_the_display_that_suits_it(model, X):
    with pytest.raises(ValueError, match="LatentTraversalDisplay"):
        show(model, X)


def test_bad_input(plane_model, images, sprites, monkeypatch):
    with pytest.raises(ValueError, match="no model here takes one"):
        show(plane_model, images, condition=1)
    with pytest.raises(ValueError, match="'n_steps' parameter"):
        show(plane_model, images, n_steps=1)
    with pytest.raises(ValueError, match="quantiles"):
        show(plane_model, images, quantiles=(0.9, 0.1))
    with pytest.raises(ValueError, match="features"):
        show(plane_model, images[:, :-1])
    line = VAE(1, image_shape=sprites.image_shape, **SMALL).fit(images)
    monkeypatch.setattr(line, "n_active_", 1)
    with pytest.raises(ValueError, match="single latent"):
        show(line, images)
    monkeypatch.setattr(plane_model, "n_active_", 0)
    with pytest.raises(ValueError, match="n_active_ is 0"):
        show(plane_model, images)
