import colorsys

import numpy as np
import pandas as pd
import pytest

from skvae.datasets import _sprites, make_sprites

CENTRED = {"scale": 1.0, "rotation": 0.0, "position_x": 0.5, "position_y": 0.5}
SHAPES = {"square": 0, "ellipse": 1, "heart": 2}


def draw(shape, size=64, **factors):
    """Return one image, as floats from 0 to 1."""
    factors = pd.DataFrame([{"shape": SHAPES[shape], **CENTRED, **factors}])
    return _sprites._render(factors, size)[0] / 255


def extent(image):
    """First and last row and column with light, as (top, bottom, left, right)."""
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    return rows[0], rows[-1], columns[0], columns[-1]


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("size", [8, 32, 64])
def test_shapes_and_names(size, color):
    sprites = make_sprites(50, image_size=size, color=color, random_state=0)
    channels = 3 if color else 1
    names = ["shape", "scale", "rotation", "position_x", "position_y"]
    assert sprites.image_shape == (channels, size, size)
    assert sprites.data.shape == (50, channels * size * size)
    assert sprites.data.dtype == np.uint8
    assert sprites.factor_names == names + ["hue"] * color
    assert list(sprites.factors.columns) == sprites.factor_names
    assert len(sprites.factors) == 50
    assert "50 images" in sprites.DESCR


def test_factors_are_independent_and_fill_their_ranges():
    factors = make_sprites(20_000, image_size=8, color=True, random_state=0).factors
    assert np.abs(factors.corr().to_numpy() - np.eye(6)).max() < 0.03
    assert np.bincount(factors["shape"]).min() > 6_000
    for name, (low, high) in _sprites.FACTOR_RANGES.items():
        deciles = np.quantile(factors[name], np.linspace(0, 1, 11))
        np.testing.assert_allclose(
            deciles, np.linspace(low, high, 11), atol=0.02 * (high - low)
        )


def test_grid():
    factors = make_sprites(2_000, image_size=8, grid=5, random_state=0).factors
    assert np.unique(factors["shape"]).tolist() == [0, 1, 2]
    for name in factors.columns.drop("shape"):
        np.testing.assert_allclose(
            np.unique(factors[name]), np.linspace(*_sprites.FACTOR_RANGES[name], 5)
        )


@pytest.mark.parametrize("size", [8, 17, 64])
def test_light_is_the_area_whatever_the_shape(size):
    sprites = make_sprites(500, image_size=size, random_state=0)
    light = sprites.data.sum(axis=1) / 255
    area = (0.3 * size * sprites.factors["scale"]) ** 2
    np.testing.assert_allclose(light / area, 1, atol=0.04)


@pytest.mark.parametrize("size", [8, 21, 32, 64])
def test_no_shape_is_cut_off(size):
    # A border of one pixel would hold light if a shape were cut.
    corners = [
        {
            "shape": shape,
            "scale": 1,
            "rotation": angle,
            "position_x": x,
            "position_y": y,
        }
        for shape in range(3)
        for angle in np.linspace(-22.5, 22.5, 7)
        for x in (0, 1)
        for y in (0, 1)
    ]
    factors = pd.DataFrame(corners)
    centred = factors.assign(position_x=0.5, position_y=0.5)
    light = _sprites._render(factors, size).sum(axis=(1, 2, 3)) / 255
    expected = _sprites._render(centred, size).sum(axis=(1, 2, 3)) / 255
    np.testing.assert_allclose(light, expected, rtol=0.02)


def test_shapes_have_the_outlines_they_are_named_after():
    # At 64 pixels the side of the square is 19.2.
    top, bottom, left, right = extent(draw("square")[0])
    assert (bottom - top + 1, right - left + 1) == (20, 20)
    top, bottom, left, right = extent(draw("ellipse")[0] > 0.5)
    assert (right - left + 1) / (bottom - top + 1) == pytest.approx(2, rel=0.1)
    heart = draw("heart")[0]
    np.testing.assert_array_equal(heart, heart[:, ::-1])
    top, bottom, _, _ = extent(heart > 0.5)
    # Two lobes at the top with a notch between them, one tip at the bottom.
    assert heart[top, 31] == 0
    assert heart[bottom, 31] > 0.5
    assert (heart[bottom] > 0.5).sum() <= 3


def test_edges_are_smooth():
    for shape in SHAPES:
        image = draw(shape, rotation=20.0)
        between = (image > 0.02) & (image < 0.98)
        assert 30 < between.sum() < 150
        assert (image == 1).sum() > 200


def test_positions_move_the_centre():
    for shape in SHAPES:
        columns = [
            np.average(np.arange(64), weights=draw(shape, position_x=place)[0].sum(0))
            for place in (0, 0.5, 1)
        ]
        rows = [
            np.average(np.arange(64), weights=draw(shape, position_y=place)[0].sum(1))
            for place in (0, 0.5, 1)
        ]
        assert np.diff(columns) == pytest.approx([16.2, 16.2], abs=0.3)
        assert np.diff(rows) == pytest.approx([16.2, 16.2], abs=0.3)
        assert columns[1] == pytest.approx(31.5, abs=0.1)


def test_rotation_is_counterclockwise():
    image = draw("ellipse", rotation=22.5)[0]
    rows, columns = np.nonzero(image > 0.5)
    # Rows count downwards, so that rising to the right is a negative slope.
    slope = np.polyfit(columns, rows, 1)[0]
    assert slope < -0.2
    np.testing.assert_allclose(
        image, draw("ellipse", rotation=-22.5)[0][:, ::-1], atol=0.01
    )


def test_scale_is_the_ratio_of_lengths():
    for shape in SHAPES:
        large, small = (draw(shape, scale=scale).sum() for scale in (1.0, 0.5))
        assert small / large == pytest.approx(0.25, rel=0.03)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", [*CENTRED, "hue"])
def test_images_differ_the_more_the_farther_a_factor_is(shape, name):
    low, high = _sprites.FACTOR_RANGES[name]
    values = np.linspace(low, high, 7)
    colored = {"hue": 0.3}
    first = draw(shape, **{**colored, name: low})
    distances = [
        np.abs(draw(shape, **{**colored, name: value}) - first).sum()
        for value in values
    ]
    assert distances[0] == 0
    # Shapes that no longer overlap are as different as they can be.
    growth = np.diff(distances) / max(distances)
    assert (growth > (-0.003 if name.startswith("position") else 0.01)).all()
    assert distances[1] == min(distances[1:])


def test_hue_is_that_of_everybody_else():
    for hue in np.linspace(0, 0.5, 7):
        middle = draw("square", hue=hue)[:, 32, 32]
        np.testing.assert_allclose(middle, colorsys.hsv_to_rgb(hue, 1, 1), atol=1 / 255)


def test_colour_changes_nothing_but_the_colour():
    white = make_sprites(60, random_state=0)
    colored = make_sprites(60, color=True, random_state=0)
    pd.testing.assert_frame_equal(white.factors, colored.factors.drop(columns="hue"))
    brightest = colored.data.reshape(60, *colored.image_shape).max(axis=1)
    np.testing.assert_array_equal(brightest.reshape(60, -1), white.data)


def test_chunks_do_not_show(monkeypatch):
    whole = make_sprites(40, image_size=16, random_state=0)
    monkeypatch.setattr(_sprites, "_CHUNK_PIXELS", 32**2 * 3)
    np.testing.assert_array_equal(
        make_sprites(40, image_size=16, random_state=0).data, whole.data
    )


def test_random_state_and_return_X_y():
    first = make_sprites(30, random_state=3)
    data, factors = make_sprites(
        30, return_X_y=True, random_state=np.random.RandomState(3)
    )
    np.testing.assert_array_equal(data, first.data)
    pd.testing.assert_frame_equal(factors, first.factors)
    assert not np.array_equal(make_sprites(30, random_state=4).data, first.data)


def test_one_image():
    assert make_sprites(1, random_state=0).data.shape == (1, 1024)


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_samples": 0},
        {"image_size": 7},
        {"image_size": 65},
        {"color": "red"},
        {"grid": 1},
        {"return_X_y": "yes"},
        {"random_state": "zero"},
    ],
)
def test_parameters_are_validated(parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"The '{name}' parameter of"):
        make_sprites(**parameters)
