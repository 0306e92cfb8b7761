"""Images over what models make of them, artist by artist."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler
from sklearn.utils._param_validation import InvalidParameterError

from skvae import CVAE, MSVAE, VAE, BetaTCVAE, VAEAnomalyDetector
from skvae.datasets import make_sprites
from skvae.inspection._reconstruction import ReconstructionDisplay

show = ReconstructionDisplay.from_estimator
show_several = ReconstructionDisplay.from_estimators
small = {
    "hidden_layer_sizes": (8,),
    "max_epochs": 3,
    "kl_warmup": 0,
    "lr": 1e-2,
    "device": "cpu",
    "random_state": 0,
}


@pytest.fixture(scope="module")
def sprites():
    return make_sprites(200, image_size=8, random_state=0)


def shapes(sprites):
    names = np.array(["square", "ellipse", "heart"])
    return names[sprites.factors["shape"].to_numpy(int)]


@pytest.fixture(scope="module")
def images(sprites):
    return sprites.data[:5]


@pytest.fixture(scope="module")
def image_model(sprites):
    return VAE(3, image_shape=sprites.image_shape, **small).fit(sprites.data)


@pytest.fixture(scope="module")
def conditional(sprites):
    model = CVAE(3, image_shape=sprites.image_shape, **small)
    return model.fit(sprites.data, condition=shapes(sprites))


def y_labels(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def x_labels(display):
    return [label.get_text() for label in display.ax_.get_xticklabels()]


def tile(display, row, column, size=8):
    """Return one image as it is drawn, where gaps are one pixel wide."""
    mosaic = display.im_.get_array()
    return mosaic[row * (size + 1) :, column * (size + 1) :][:size, :size]


def test_images_stand_over_their_reconstructions(image_model, images):
    display = show(image_model, images)
    assert y_labels(display) == ["image", "VAE"]
    again = image_model.reconstruct(images).reshape(-1, 8, 8)
    for column, image in enumerate(images.reshape(-1, 8, 8)):
        np.testing.assert_allclose(tile(display, 0, column), image / 255)
        np.testing.assert_allclose(tile(display, 1, column), again[column] / 255)
    assert display.text_ is None
    assert display.ax_.get_xlabel() == ""


def test_gaps_between_images_are_see_through(image_model, images):
    mosaic = show(image_model, images).im_.get_array()
    assert mosaic.mask[8].all()
    assert mosaic.mask[:, 8].all()
    assert mosaic.shape == (17, 44)


def test_each_stage_of_an_msvae_has_a_row(sprites, images):
    first = BetaTCVAE(2, image_shape=sprites.image_shape, **small)
    model = MSVAE(first, residual_dim=2, **small).fit(sprites.data)
    display = show(model, images)
    assert y_labels(display) == ["image", "first stage", "both stages"]
    one, both = display.reconstructions.values()
    np.testing.assert_allclose(
        one.reshape(5, -1), model.first_stage_.reconstruct(images)
    )
    np.testing.assert_allclose(both.reshape(5, -1), model.reconstruct(images))


def test_scores_are_the_bound_and_the_length_of_what_is_missed(image_model, images):
    display = show(image_model, images, scores=True)
    scores = display.scores["VAE"]
    np.testing.assert_allclose(scores["E"], -image_model.score_samples(images))
    missed = (images.astype(float) - image_model.reconstruct(images)) / 255
    np.testing.assert_allclose(scores["A"], np.linalg.norm(missed, axis=1))
    assert display.ax_.get_xlabel() == (
        "E: negative evidence lower bound (nats)\n"
        "A: length of what is missed (pixels from 0 to 1)"
    )


def test_scores_stand_below_reconstructions_only(image_model, images):
    shape = image_model.image_shape
    scores = {"mine": pd.DataFrame({"error": [0.5, 12.345, 678.9, -4, 0]})}
    display = ReconstructionDisplay.from_predictions(
        images, {"mine": images}, shape, scores=scores
    )
    assert [text.get_text() for text in display.text_[0]] == [""] * 5
    assert [text.get_text() for text in display.text_[1]] == [
        "error 0.500",
        "error 12.3",
        "error 679",
        "error −4.00",  # noqa: RUF001
        "error 0",
    ]
    assert display.ax_.get_xlabel() == ""


def test_models_in_columns_as_in_the_paper(image_model, conditional, images):
    display = show_several(
        {"one": image_model, "two": conditional},
        images[:2],
        scores=True,
        labels=["anomaly", "normal"],
        models_in="columns",
    )
    assert y_labels(display) == ["anomaly", "normal"]
    assert x_labels(display) == ["image", "one", "two"]
    assert display.text_.shape == (2, 3)
    assert display.text_[1, 2].get_text().startswith("E ")
    box = display.text_[0, 1].get_window_extent()
    below = display.ax_.transData.transform((0, display.im_.get_array().shape[0] / 2))
    assert box.y0 > below[1]


def test_labels_stand_above_the_images(image_model, images):
    display = show(image_model, images, labels=list("abcde"))
    assert x_labels(display) == list("abcde")
    assert display.ax_.xaxis.get_ticks_position() == "top"


def test_models_of_one_class_are_numbered(image_model, conditional, images):
    display = show_several([image_model, conditional, image_model], images)
    assert y_labels(display) == ["image", "VAE", "CVAE", "VAE 2"]


def test_a_detector_shows_the_model_inside(image_model, sprites, images):
    detector = VAEAnomalyDetector(image_model).fit(sprites.data)
    display = show(detector, images)
    again = detector.model_.reconstruct(images)
    np.testing.assert_allclose(display.reconstructions["VAE"].reshape(5, -1), again)


def test_under_an_unknown_condition_the_likeliest_is_taken(conditional, images):
    display = show(conditional, images, scores=True)
    levels = ["ellipse", "heart", "square"]
    bounds = [conditional.score_samples(images, condition=name) for name in levels]
    likeliest = np.array(levels)[np.argmax(bounds, axis=0)]
    again = conditional.reconstruct(
        images, condition=likeliest, own_condition=likeliest
    )
    np.testing.assert_allclose(display.reconstructions["CVAE"].reshape(5, -1), again)
    marginal = -conditional.score_samples(images)
    np.testing.assert_allclose(display.scores["CVAE"]["E"], marginal)


def test_a_given_condition_is_passed_on(conditional, images):
    display = show(conditional, images, condition="heart")
    again = conditional.reconstruct(images, condition="heart", own_condition="heart")
    np.testing.assert_allclose(display.reconstructions["CVAE"].reshape(5, -1), again)


def test_draws_differ_from_means_and_are_reproducible(image_model, images):
    one, same = (
        show(image_model, images, kind="draw").reconstructions["VAE"] for _ in range(2)
    )
    np.testing.assert_array_equal(one, same)
    mean = show(image_model, images).reconstructions["VAE"]
    assert not np.allclose(one, mean)


def test_a_pipeline_is_taken_back_to_pixels(sprites, images):
    pipeline = make_pipeline(
        MinMaxScaler(clip=False), VAE(2, image_shape=sprites.image_shape, **small)
    ).fit(sprites.data.astype(float))
    display = show(pipeline, images.astype(float))
    again = pipeline[:-1].inverse_transform(
        pipeline[-1].reconstruct(pipeline[:-1].transform(images))
    )
    np.testing.assert_allclose(display.reconstructions["VAE"].reshape(5, -1), again)


def test_colours_are_drawn(images):
    colours = np.random.RandomState(0).randint(256, size=(2, 3 * 4 * 5), dtype=np.uint8)
    display = ReconstructionDisplay.from_predictions(
        colours, {"same": colours}, (3, 4, 5)
    )
    mosaic = display.im_.get_array()
    assert mosaic.shape == (9, 11, 4)
    expected = colours[0].reshape(3, 4, 5).transpose(1, 2, 0) / 255
    np.testing.assert_allclose(mosaic[:4, :5, :3], expected)
    assert (mosaic[4, :, 3] == 0).all()


def test_in_given_axes_and_again(image_model, images):
    figure, axes = plt.subplots(1, 2)
    display = show(image_model, images, ax=axes[1], im_kw={"cmap": "gray_r"})
    assert display.ax_ is axes[1]
    assert display.figure_ is figure
    assert display.im_.get_cmap().name == "gray_r"
    assert display.plot(axes[0]) is display
    assert display.ax_ is axes[0]


def test_subclass_returns_itself(image_model, images):
    class Mine(ReconstructionDisplay):
        pass

    shape = image_model.image_shape
    assert type(Mine.from_estimator(image_model, images)) is Mine
    assert type(Mine.from_estimators([image_model], images)) is Mine
    assert type(Mine.from_predictions(images, {"a": images}, shape)) is Mine


def test_models_without_images_or_a_way_back_are_refused(model, X, sprites, images):
    with pytest.raises(ValueError, match="BetaTCVAE was fitted without image_shape"):
        show(model, X[:3])
    pipeline = make_pipeline(
        FunctionTransformer(np.sqrt), VAE(2, image_shape=sprites.image_shape, **small)
    ).fit(sprites.data.astype(float))
    with pytest.raises(ValueError, match="before the VAE have no exact inverse"):
        show(pipeline, images.astype(float))


def test_what_does_not_match_is_named(image_model, images):
    shape, given = image_model.image_shape, ReconstructionDisplay.from_predictions
    with pytest.raises(ValueError, match="Got no estimators"):
        show_several([], images)
    with pytest.raises(ValueError, match=r"Got rows of shape \(5, 64\); .*63"):
        given(images, {"a": images}, (1, 7, 9))
    with pytest.raises(ValueError, match="images of 2 channels"):
        given(images, {"a": images}, (2, 4, 8))
    with pytest.raises(ValueError, match="'a'; expected"):
        given(images, {"a": images[:4]}, shape)
    with pytest.raises(ValueError, match=r"Got scores for \['b'\]"):
        given(images, {"a": images}, shape, scores={"b": pd.DataFrame({"E": [1]})})
    with pytest.raises(ValueError, match=r"Got 2 labels; .* 5 images"):
        given(images, {"a": images}, shape, labels=["x", "y"])
    with pytest.raises(InvalidParameterError, match="models_in"):
        show(image_model, images, models_in="both")
