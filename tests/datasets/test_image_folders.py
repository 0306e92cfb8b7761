import numpy as np
import pytest
from PIL import Image

from skvae.datasets import load_images


def write(folder, name, array):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array, dtype=np.uint8)).save(path)
    return path


def plain(color, height=4, width=4):
    return np.broadcast_to(np.array(color), (height, width, 3))


def test_layout_is_channels_height_width(tmp_path):
    pixels = np.random.RandomState(0).randint(256, size=(4, 6, 3))
    write(tmp_path, "image.png", pixels)
    images = load_images(tmp_path, image_shape=(3, 4, 6))
    assert images.data.shape == (1, 72)
    assert images.data.dtype == np.uint8
    assert images.image_shape == (3, 4, 6)
    restored = images.data.reshape(-1, *images.image_shape)
    np.testing.assert_array_equal(restored[0].transpose(1, 2, 0), pixels)
    assert "1 images" in images.DESCR


def test_files_are_sorted_and_found_in_any_case_and_format(tmp_path):
    names = ["b.PNG", "a.bmp", "d.webp", "c.jpg", "e.jpeg", "f.tif"]
    for name in names:
        write(tmp_path, name, plain((200, 100, 50)))
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / "._c.jpg").write_text("what another system leaves behind")
    images = load_images(str(tmp_path), image_shape=[3, 2, 2])
    assert images.filenames == ["a.bmp", "b.PNG", "c.jpg", "d.webp", "e.jpeg", "f.tif"]
    assert images.target is None
    # Lossy formats are a little off.
    colors = images.data.reshape(-1, 3, 4).mean(axis=2)
    np.testing.assert_allclose(colors, [[200, 100, 50]] * 6, atol=4)


def test_subfolders_are_classes(tmp_path):
    write(tmp_path, "dogs/1.png", plain((1, 0, 0)))
    write(tmp_path, "cats/2.png", plain((2, 0, 0)))
    write(tmp_path, "cats/young/3.png", plain((3, 0, 0)))
    images = load_images(tmp_path, image_shape=(3, 1, 1))
    assert images.filenames == ["cats/2.png", "cats/young/3.png", "dogs/1.png"]
    assert images.target.tolist() == ["cats", "cats", "dogs"]
    assert images.data[:, 0].tolist() == [2, 3, 1]

    write(tmp_path, "stray.png", plain((4, 0, 0)))
    assert load_images(tmp_path, image_shape=(3, 1, 1)).target is None


@pytest.mark.parametrize("is_wide", [True, False])
def test_images_are_cropped_about_their_centre(is_wide, tmp_path):
    # White in the middle square, black on both sides of it.
    pixels = np.zeros((10, 30, 3))
    pixels[:, 10:20] = 255
    write(tmp_path, "image.png", pixels if is_wide else pixels.transpose(1, 0, 2))
    square = load_images(tmp_path, image_shape=(1, 5, 5)).data.reshape(5, 5)
    assert (square[1:-1, 1:-1] == 255).all()
    # A pixel on the edge of the cut has a little of its neighbour beyond.
    assert square.min() > 200
    whole = (1, 5, 15) if is_wide else (1, 15, 5)
    assert load_images(tmp_path, image_shape=whole).data.mean() == pytest.approx(
        255 / 3, rel=0.01
    )


def test_reduction_averages(tmp_path):
    checks = 255 * (np.indices((64, 64)).sum(axis=0) % 2)
    write(tmp_path, "image.png", checks)
    reduced = load_images(tmp_path, image_shape=(1, 8, 8)).data
    np.testing.assert_allclose(reduced, 127.5, atol=2)


def test_grey_and_colour_become_what_is_asked_for(tmp_path):
    write(tmp_path, "1_grey.png", np.full((4, 4), 77))
    write(tmp_path, "2_red.png", plain((255, 0, 0)))
    colored = load_images(tmp_path, image_shape=(3, 2, 2)).data.reshape(2, 3, 4)
    assert colored[:, :, 0].tolist() == [[77, 77, 77], [255, 0, 0]]
    grey = load_images(tmp_path, image_shape=(1, 2, 2)).data
    assert grey[:, 0].tolist() == [77, 76]  # 0.299 of 255


def test_transparent_pixels_become_white(tmp_path):
    pixels = np.zeros((2, 4, 4))
    pixels[:, 2:, 3] = 255
    write(tmp_path, "1_alpha.png", pixels)
    palette = Image.fromarray(np.array([[0, 0, 1, 1]] * 2, dtype=np.uint8))
    palette.putpalette([9, 9, 9, 0, 0, 0])
    palette.save(tmp_path / "2_palette.png", transparency=bytes([0, 255]))
    expected = [[255, 255, 0, 0] * 2] * 2
    assert load_images(tmp_path, image_shape=(1, 2, 4)).data.tolist() == expected


def test_sixteen_bits_are_scaled(tmp_path):
    values = np.array([[0, 1000, 32768, 65535]] * 2, dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    loaded = load_images(tmp_path, image_shape=(1, 2, 4)).data
    assert loaded.tolist() == [[0, 3, 128, 255] * 2]


def test_photographs_are_turned_upright(tmp_path):
    pixels = np.zeros((2, 4))
    pixels[:, :2] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: right is up
    Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "a.png", exif=exif)
    turned = load_images(tmp_path, image_shape=(1, 4, 2)).data
    assert turned.tolist() == [[255] * 4 + [0] * 4]


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere"):
        load_images(tmp_path / "nowhere")


def test_folder_without_images_is_told(tmp_path):
    (tmp_path / "notes.txt").write_text("not an image")
    with pytest.raises(ValueError, match=r"no images below .*\.jpg"):
        load_images(tmp_path)


@pytest.mark.parametrize("content", ["text", "half"])
def test_unreadable_file_is_named(content, tmp_path):
    write(tmp_path, "fine.png", plain((0, 0, 0)))
    noise = np.random.RandomState(0).randint(256, size=(40, 40, 3))
    path = write(tmp_path, "sub/broken.png", noise)
    whole = path.read_bytes()
    path.write_bytes(b"no image" if content == "text" else whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"broken\.png cannot be read as an image"):
        load_images(tmp_path)


@pytest.mark.parametrize(
    "image_shape", [(64, 64), (2, 64, 64), (3, 0, 64), (3, 64.0, 64), (64, 64, 3)]
)
def test_image_shape_is_checked(image_shape, tmp_path):
    with pytest.raises(ValueError, match=r"image_shape must be \(channels, height"):
        load_images(tmp_path, image_shape=image_shape)


def test_parameters_are_validated(tmp_path):
    with pytest.raises(ValueError, match="'folder' parameter"):
        load_images(3)
    with pytest.raises(ValueError, match="'image_shape' parameter"):
        load_images(tmp_path, image_shape=64)
