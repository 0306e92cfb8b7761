"""Folders of image files as one array."""

from collections.abc import Callable, Iterable
from os import PathLike
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from sklearn.utils import Bunch
from sklearn.utils._param_validation import validate_params

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")

# Pillow's name for images of so many channels.
_MODES = {1: "L", 3: "RGB"}

DESCRIPTION = """\
Images of a folder
------------------

{n_samples} images below {folder}, cropped about their centre and scaled to {height} x
{width} pixels of {channels} channels.
"""


def check_image_shape(image_shape):
    """Raise a ValueError unless `image_shape` is that of a grey or a coloured image."""
    is_shape = (
        len(image_shape) == 3
        and all(isinstance(length, int | np.integer) for length in image_shape)
        and image_shape[0] in _MODES
        and min(image_shape) >= 1
    )
    if not is_shape:
        raise ValueError(
            "image_shape must be (channels, height, width), positive integers with 1 "
            f"or 3 channels. Got {tuple(image_shape)}."
        )


def _in_eight_bits(image):
    """Return `image` without transparency and without more than 8 bits a channel."""
    if image.mode.startswith("I"):
        # Pillow would clip 16 bits, not scale them.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        # What lies under transparent pixels is arbitrary, and often black.
        opaque = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), opaque)
    return image


def to_pixels(image: Image.Image, image_shape: tuple[int, int, int]) -> np.ndarray:
    """Return the largest centred part of `image` that fits, as uint8 `image_shape`."""
    channels, height, width = image_shape
    # Bilinear, as is customary; Pillow averages over all that a pixel covers.
    fitted = ImageOps.fit(
        _in_eight_bits(image).convert(_MODES[channels]),
        (width, height),
        method=Image.Resampling.BILINEAR,
    )
    # (height, width, channels) to (channels, height, width), the channels last or none.
    return np.atleast_3d(np.asarray(fitted)).transpose(2, 0, 1)


def read_images(
    paths: Iterable[Path],
    image_shape: tuple[int, int, int],
    crop: Callable[[Image.Image], Image.Image] | None = None,
) -> np.ndarray:
    """Read the files at `paths` into one uint8 array, an image a row.

    `crop` may cut an image before it is fitted, or refuse it with a ValueError.
    """
    paths = list(paths)
    data = np.empty((len(paths), *image_shape), dtype=np.uint8)
    for row, path in zip(data, paths, strict=True):
        try:
            with Image.open(path) as image:
                # Cameras write which side is up beside the pixels.
                upright = ImageOps.exif_transpose(image)
                row[...] = to_pixels(crop(upright) if crop else upright, image_shape)
        except (
            OSError,
            ValueError,
            SyntaxError,
            Image.DecompressionBombError,
        ) as error:
            # SyntaxError is what Pillow raises for some broken files.
            raise ValueError(f"{path} cannot be read as an image: {error}") from error
    return data.reshape(len(paths), -1)


def _find_images(folder):
    """Return the visible image files below `folder`, relative to it, sorted."""
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    found = [
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file()
    ]
    # Files with a leading dot are thumbnails and the like, not images of the user's.
    visible = [
        path for path in found if not any(part.startswith(".") for part in path.parts)
    ]
    if not visible:
        raise ValueError(
            f"There are no images below {folder}: no file ends in "
            f"{', '.join(SUFFIXES)}."
        )
    return sorted(visible, key=lambda path: path.as_posix())


@validate_params(
    {"folder": [str, PathLike], "image_shape": [tuple, list]},
    prefer_skip_nested_validation=True,
)
def load_images(folder, *, image_shape=(3, 64, 64)):
    """Load all images below a folder, in one shape.

    Each image is cut about its centre to the aspect ratio of `image_shape`, as little
    as possible, and then scaled. Where the images lie in sub-folders, the name of the
    sub-folder is the class of an image.

    Parameters
    ----------
    folder : str or path-like
        The folder. Images are files that end in .bmp, .jpg, .jpeg, .pgm, .png, .ppm,
        .tif, .tiff or .webp, in any case, in the folder itself or in sub-folders of any
        depth. Names with a leading dot are left out.

    image_shape : tuple of int, default=(3, 64, 64)
        Channels, height and width of the images to return. With 1 channel they are
        grey, with 3 red, green and blue. Transparent pixels become white.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        data : ndarray of shape (n_samples, channels * height * width)
            The pixels, uint8 from 0 to 255: all rows of the first channel, then of the
            next. ``data.reshape(-1, *image_shape)`` are the images.
        target : ndarray of shape (n_samples,) or None
            The name of the sub-folder of `folder` that holds the image; None unless
            all images lie in sub-folders.
        filenames : list of str
            The files, relative to `folder`, sorted; the rows are in this order.
        image_shape : tuple
            Channels, height and width.
        DESCR : str
            What was loaded.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If there are no images in it, or one of them cannot be read.

    See Also
    --------
    load_celeba : Faces with attributes, from a folder downloaded by the user.

    Examples
    --------
    >>> from skvae.datasets import load_images
    >>> photographs = load_images("photographs")  # doctest: +SKIP
    >>> photographs.data.shape  # doctest: +SKIP
    (533, 12288)
    """
    check_image_shape(image_shape)
    folder = Path(folder).expanduser()
    files = _find_images(folder)
    data = read_images((folder / file for file in files), image_shape)
    in_subfolders = all(len(file.parts) > 1 for file in files)
    channels, height, width = image_shape
    return Bunch(
        data=data,
        target=np.array([file.parts[0] for file in files]) if in_subfolders else None,
        filenames=[file.as_posix() for file in files],
        image_shape=tuple(image_shape),
        DESCR=DESCRIPTION.format(
            n_samples=len(files),
            folder=folder,
            channels=channels,
            height=height,
            width=width,
        ),
    )
