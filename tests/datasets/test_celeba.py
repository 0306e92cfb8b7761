import numpy as np
import pytest
from PIL import Image

from skvae._core.errors import DataUnavailableError
from skvae.datasets import load_celeba

NAMES = [f"{number:06d}.jpg" for number in range(1, 5)]
ATTRIBUTES = [f"Attribute_{number}" for number in range(40)]
VALUES = np.where(np.random.RandomState(0).uniform(size=(4, 40)) < 0.3, 1, -1)


def face(brightness):
    """A grey square of 148 x 148 pixels in the middle of a white image."""
    pixels = np.full((218, 178), 255, dtype=np.uint8)
    pixels[35:183, 15:163] = brightness
    return Image.fromarray(pixels).convert("RGB")


def write_images(folder):
    folder.mkdir(parents=True)
    for position, name in enumerate(NAMES):
        face(40 * position).save(folder / name, quality=95)


def write_official(path, values=VALUES):
    path.parent.mkdir(parents=True, exist_ok=True)
    # As published: padded with blanks, a blank at the end of the names.
    lines = [str(len(values)), " ".join(ATTRIBUTES) + " "]
    for name, row in zip(NAMES, values, strict=True):
        lines.append(f"{name} " + " ".join(f"{value:2d}" for value in row))
    path.write_text("\n".join(lines) + "\n")


def write_kaggle(path):
    lines = [",".join(["image_id", *ATTRIBUTES])]
    for name, row in zip(NAMES, VALUES, strict=True):
        lines.append(",".join([name, *map(str, row)]))
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(params=["flat", "original", "kaggle"])
def folder(request, tmp_path):
    if request.param == "flat":
        write_images(tmp_path / "img_align_celeba")
        write_official(tmp_path / "list_attr_celeba.txt")
    elif request.param == "original":
        write_images(tmp_path / "Img" / "img_align_celeba")
        write_official(tmp_path / "Anno" / "list_attr_celeba.txt")
    else:
        write_images(tmp_path / "img_align_celeba" / "img_align_celeba")
        write_kaggle(tmp_path / "list_attr_celeba.csv")
    return tmp_path


@pytest.fixture
def flat_folder(tmp_path):
    write_images(tmp_path / "img_align_celeba")
    write_official(tmp_path / "list_attr_celeba.txt")
    return tmp_path


def test_images_and_attributes_belong_together(folder):
    faces = load_celeba(folder)
    assert faces.data.shape == (4, 3 * 64 * 64)
    assert faces.data.dtype == np.uint8
    assert faces.image_shape == (3, 64, 64)
    assert faces.filenames == NAMES
    np.testing.assert_allclose(faces.data.mean(axis=1), [0, 40, 80, 120], atol=1)
    assert list(faces.attributes.columns) == ATTRIBUTES
    assert set(faces.attributes.dtypes) == {np.dtype(bool)}
    np.testing.assert_array_equal(faces.attributes, VALUES == 1)
    assert list(faces.attributes.index) == [0, 1, 2, 3]
    assert "non-commercial research only" in faces.DESCR
    assert "4 loaded" in faces.DESCR


def test_first_rows_only(folder):
    faces = load_celeba(str(folder), image_shape=(1, 8, 8), max_rows=2)
    assert faces.data.shape == (2, 64)
    assert faces.attributes.shape == (2, 40)
    assert faces.filenames == NAMES[:2]


def test_background_is_cut_off(flat_folder):
    # Without the cut, white would show; the edges of the cut are lossy by a little.
    images = load_celeba(flat_folder, image_shape=(1, 148, 148)).data
    assert images[0].max() < 30


def test_folder_that_lacks_something_is_told(tmp_path):
    with pytest.raises(
        DataUnavailableError, match="none of img_align_celeba"
    ) as caught:
        load_celeba(tmp_path)
    assert "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html" in str(caught.value)
    write_images(tmp_path / "img_align_celeba")
    with pytest.raises(DataUnavailableError, match=r"none of list_attr_celeba\.txt"):
        load_celeba(tmp_path)


def test_missing_image_is_named(flat_folder):
    (flat_folder / "img_align_celeba" / NAMES[2]).unlink()
    with pytest.raises(ValueError, match=NAMES[2]):
        load_celeba(flat_folder)
    assert len(load_celeba(flat_folder, max_rows=2).data) == 2


def test_image_that_is_not_aligned_is_refused(flat_folder):
    face(0).resize((64, 64)).save(flat_folder / "img_align_celeba" / NAMES[1])
    with pytest.raises(ValueError, match=f"{NAMES[1]}.* 178 x 218 .*64 x 64"):
        load_celeba(flat_folder)


@pytest.mark.parametrize("values", [VALUES + 5, VALUES[:, :39]])
def test_other_attributes_are_refused(values, flat_folder, monkeypatch):
    monkeypatch.setitem(globals(), "ATTRIBUTES", ATTRIBUTES[: values.shape[1]])
    write_official(flat_folder / "list_attr_celeba.txt", values)
    with pytest.raises(ValueError, match="does not hold CelebA's attributes"):
        load_celeba(flat_folder)


def test_parameters_are_validated(flat_folder):
    for parameters in ({"path": 3}, {"max_rows": 0}, {"image_shape": "64"}):
        (name,) = parameters
        with pytest.raises(ValueError, match=f"The '{name}' parameter of"):
            load_celeba(**{"path": flat_folder, **parameters})
    with pytest.raises(ValueError, match="image_shape must be"):
        load_celeba(flat_folder, image_shape=(64, 64))
