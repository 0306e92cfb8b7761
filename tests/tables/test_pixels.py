"""Pixels share one scale, keep their place, and never leave their dtype."""

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from skvae.tables import TableEncoder
from skvae.tables._pixels import PixelScaler

SHAPE = (2, 3, 4)


@pytest.fixture
def images():
    """Bytes, black in one corner of every image."""
    rows = np.random.RandomState(0).randint(10, 250, size=(30, 24)).astype(np.uint8)
    rows[:, 0] = 5
    return rows


def test_minmax_takes_the_whole_range_to_0_and_1(images):
    scaled = PixelScaler("minmax").fit(images * 1.0).transform(images * 1.0)
    np.testing.assert_allclose(scaled, (images - 5.0) / (images.max() - 5.0))
    assert scaled.min() == 0
    assert scaled.max() == 1


def test_standard_gives_all_pixels_together_mean_0_and_deviation_1(images):
    scaled = PixelScaler("standard").fit(images * 1.0).transform(images * 1.0)
    assert scaled.mean() == pytest.approx(0)
    assert scaled.std() == pytest.approx(1)
    # Each pixel by itself has not, which is the point.
    assert np.abs(scaled.mean(axis=0)).max() > 0.1


def test_no_encoding_leaves_pixels_as_they_are(images):
    scaler = PixelScaler(None).fit(images * 1.0)
    np.testing.assert_array_equal(scaler.transform(images * 1.0), images)
    np.testing.assert_array_equal(
        scaler.inverse_transform(images - 500.0), images - 500.0
    )


def test_pixels_all_but_equal_stay_finite():
    nearly_equal = np.array([[0.0, 5e-324], [0.0, 0.0]])
    for encoding in ("minmax", "standard"):
        scaler = PixelScaler(encoding).fit(nearly_equal)
        assert np.isfinite(scaler.transform(nearly_equal)).all()


def test_pixels_beyond_the_training_range_are_clipped_under_minmax_only():
    images = np.array([[0.0, 1.0], [2.0, 4.0]])
    drawn = np.array([[-3.0, 3.0]])
    clipped = PixelScaler("minmax").fit(images).inverse_transform(drawn)
    assert clipped.tolist() == [[0.0, 4.0]]
    free = PixelScaler("standard").fit(images)
    np.testing.assert_allclose(free.transform(free.inverse_transform(drawn)), drawn)


def test_scaler_leaves_its_input_alone(images):
    rows = images * 1.0
    scaler = PixelScaler("minmax").fit(rows)
    scaler.inverse_transform(scaler.transform(rows))
    np.testing.assert_array_equal(rows, images)


@pytest.mark.parametrize("encoding", ["auto", "minmax", "standard", None])
@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float32, np.float64])
def test_images_come_back(images, encoding, dtype):
    rows = images.astype(dtype)
    encoder = TableEncoder(encoding, image_shape=SHAPE).fit(rows)
    result = encoder.inverse_transform(encoder.transform(rows))
    assert type(result) is np.ndarray
    assert result.dtype == dtype
    np.testing.assert_allclose(result, rows, rtol=1e-6)


def test_images_in_a_dataframe_come_back(images):
    table = pd.DataFrame(images).add_prefix("pixel").rename(index="image {}".format)
    encoder = TableEncoder(image_shape=SHAPE).fit(table)
    result = encoder.inverse_transform(encoder.transform(table), table.index)
    pd.testing.assert_frame_equal(result, table)


def test_auto_is_minmax_for_images(images):
    encoder = TableEncoder(image_shape=SHAPE).fit(images)
    assert encoder.encoding_ == "minmax"
    matrix = encoder.transform(images)
    assert matrix.dtype == np.float64
    assert matrix.min() == 0
    assert matrix.max() == 1


def test_constant_pixels_keep_their_place(images):
    encoder = TableEncoder(image_shape=SHAPE).fit(images)
    (group,) = encoder.groups_
    assert group.kind == "pixel"
    assert group.columns == tuple(range(24))
    assert encoder.width == 24
    # A decoder may light a pixel that was dark in every training image.
    assert (encoder.inverse_transform(np.ones((1, 24))) == images.max()).all()


@pytest.mark.parametrize("encoding", ["minmax", "standard", None])
def test_bytes_do_not_wrap_around(images, encoding):
    encoder = TableEncoder(encoding, image_shape=SHAPE).fit(images)
    dark = encoder.inverse_transform(np.full((1, 24), -1e4))
    bright = encoder.inverse_transform(np.full((1, 24), 1e4))
    low, high = (5, images.max()) if encoding == "minmax" else (0, 255)
    assert dark.dtype == bright.dtype == np.uint8
    assert (dark == low).all()
    assert (bright == high).all()


def test_bytes_are_rounded_not_cut_off(images):
    encoder = TableEncoder(None, image_shape=SHAPE).fit(images)
    assert (encoder.inverse_transform(np.full((1, 24), 99.6)) == 100).all()


def test_pixels_stand_beside_columns_left_out(images):
    table = pd.DataFrame(images)
    table.insert(10, "digit", "seven")
    encoder = TableEncoder(image_shape=SHAPE, left_out=["digit"]).fit(table)
    assert encoder.groups_[0].columns == (*range(10), *range(11, 25))
    matrix = encoder.transform(table)
    np.testing.assert_array_equal(
        matrix, TableEncoder(image_shape=SHAPE).fit(images).transform(images)
    )
    assert encoder.column_at(10).name == 10  # the pixel right of "digit"
    result = encoder.inverse_transform(matrix, left_out=table[["digit"]])
    pd.testing.assert_frame_equal(result, table)


def test_images_all_the_same():
    with pytest.raises(ValueError, match="All 4 columns are constant over the 3 rows"):
        TableEncoder(image_shape=(1, 2, 2)).fit(np.tile([0, 1, 2, 3], (3, 1)))


def test_wrong_number_of_pixels_names_both(images):
    with pytest.raises(ValueError, match=r"\(1, 5, 5\) makes 25 pixels; .*columns, 24"):
        TableEncoder(image_shape=(1, 5, 5)).fit(images)


@pytest.mark.parametrize("shape", [(4, 6), (24,), (1, -4, -6), (1, 4.0, 6), "abc"])
def test_image_shape_that_is_none(images, shape):
    with pytest.raises(ValueError, match="expected three positive integers"):
        TableEncoder(image_shape=shape).fit(images)


@pytest.mark.parametrize("encoding", ["quantile", StandardScaler()], ids=repr)
def test_scaling_by_column_is_refused(images, encoding):
    with pytest.raises(ValueError, match=r'all pixels .* share one scale.*"minmax"'):
        TableEncoder(encoding, image_shape=SHAPE).fit(images)


def test_pixels_beyond_float32_get_a_remedy_for_images():
    images = np.array([[0.0, 1.0], [2.0, 1e300]])
    with pytest.raises(ValueError, match=r"float32.*Rescale the images\."):
        TableEncoder(None, image_shape=(1, 1, 2)).fit(images).transform(images)


@pytest.mark.parametrize("encoding", ["minmax", "standard"])
def test_range_beyond_float64_is_an_error(encoding):
    images = np.array([[-1.7e308, 0.0], [0.0, 1.7e308]])
    with pytest.raises(ValueError, match="Rescale the images"):
        TableEncoder(encoding, image_shape=(1, 1, 2)).fit(images)
