"""CelebA, faces with forty attributes, from a folder that the user has downloaded.

Its agreement forbids to pass the images on; there is therefore no download.
"""

from numbers import Integral
from os import PathLike
from pathlib import Path

import pandas as pd
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, validate_params

from skvae._core.errors import DataUnavailableError
from skvae.datasets._image_folders import check_image_shape, read_images

HOMEPAGE = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
# As published, and as Kaggle unpacks it.
IMAGE_FOLDERS = [
    "img_align_celeba",
    "img_align_celeba/img_align_celeba",
    "Img/img_align_celeba",
]
ATTRIBUTE_FILES = [
    "list_attr_celeba.txt",
    "list_attr_celeba.csv",
    "Anno/list_attr_celeba.txt",
]
N_ATTRIBUTES = 40
ALIGNED_SIZE = (178, 218)  # width, height
# The face without most of the background, as in most publications.
CROP_SIZE = 148

DESCRIPTION = """\
CelebFaces attributes
---------------------

:Number of images: 202,599 in all, of 10,177 people; {n_samples} loaded
:Attributes: 40 of the face, yes or no, labelled by people
:Licence: none. The agreement allows non-commercial research only, and forbids to copy,
    sell, publish or distribute any portion of the images, or of what is derived from
    them
:Source: Multimedia Laboratory, The Chinese University of Hong Kong,
    https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html

The images are the aligned ones, with the eyes in the same place. From each the middle
148 x 148 pixels were cut and scaled to {height} x {width}.

The attributes are judgements of appearance, some of them doubtful ("Attractive"), and
go together in ways that say more of celebrities than of faces. Those pictured have not
been asked.

.. rubric:: References

Ziwei Liu, Ping Luo, Xiaogang Wang and Xiaoou Tang, "Deep learning face attributes in
the wild", International Conference on Computer Vision, 3730-3738, 2015.
https://doi.org/10.1109/ICCV.2015.425
"""


def _find(folder, candidates):
    """Return the first of `candidates` that exists below `folder`."""
    # The deepest first: Kaggle's folder of images lies in one of the same name.
    for candidate in sorted(candidates, key=lambda name: -name.count("/")):
        if (folder / candidate).exists():
            return folder / candidate
    raise DataUnavailableError(
        f"CelebA is not in {folder}: it holds none of {', '.join(candidates)}. Accept "
        f"the agreement at {HOMEPAGE}, download the aligned images "
        "(img_align_celeba.zip) and the attributes (list_attr_celeba.txt), unpack the "
        "images, and pass the folder that holds both."
    )


def _read_attributes(path, max_rows):
    """Return a table of bool with the names of the image files as index."""
    if path.suffix == ".csv":
        table = pd.read_csv(path, index_col=0, nrows=max_rows)
    else:
        # The first line is the number of images; the second names the attributes only,
        # by which pandas knows that the first column is an index.
        table = pd.read_csv(path, sep=r"\s+", skiprows=1, nrows=max_rows)
    if table.shape[1] != N_ATTRIBUTES or not table.isin([-1, 1]).all(axis=None):
        raise ValueError(
            f"{path} does not hold CelebA's attributes, {N_ATTRIBUTES} columns of -1 "
            f"and 1. Found {table.shape[1]} columns."
        )
    return table == 1


def _crop(image):
    if image.size != ALIGNED_SIZE:
        raise ValueError(
            "an aligned image of CelebA has {} x {} pixels, this one {} x {}".format(
                *ALIGNED_SIZE, *image.size
            )
        )
    width, height = image.size
    left, top = (width - CROP_SIZE) // 2, (height - CROP_SIZE) // 2
    return image.crop((left, top, left + CROP_SIZE, top + CROP_SIZE))


@validate_params(
    {
        "path": [str, PathLike],
        "image_shape": [tuple, list],
        "max_rows": [Interval(Integral, 1, None, closed="left"), None],
    },
    prefer_skip_nested_validation=True,
)
def load_celeba(path, *, image_shape=(3, 64, 64), max_rows=None):
    """Load CelebA, faces with forty attributes, from a folder of yours.

    The images [1]_ are for non-commercial research only, and may not be passed on. This
    function therefore downloads nothing: accept the agreement at the `homepage of
    CelebA <https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html>`_, download the aligned
    images and the attributes, and unpack the images.

    From each image of 178 x 218 pixels the middle 148 x 148 are cut, as is customary,
    and scaled.

    Parameters
    ----------
    path : str or path-like
        The folder that holds ``img_align_celeba/`` and ``list_attr_celeba.txt``. The
        folders ``Img/`` and ``Anno/`` of the original are found in it, and so are
        Kaggle's ``list_attr_celeba.csv`` and its folder within a folder.

    image_shape : tuple of int, default=(3, 64, 64)
        Channels, height and width of the images to return. With 1 channel they are
        grey, with 3 red, green and blue. Where height and width differ, the cut is
        made narrower or lower to fit.

    max_rows : int, default=None
        Load the first so many images only; None loads all 202,599, which at 64 x 64
        pixels in colour take 2.5 GB.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        data : ndarray of shape (n_samples, channels * height * width)
            The pixels, uint8 from 0 to 255: all rows of the first channel, then of the
            next. ``data.reshape(-1, *image_shape)`` are the images.
        attributes : DataFrame of shape (n_samples, 40)
            Whether a face has an attribute, bool.
        filenames : list of str
            The image files, in the order of the rows.
        image_shape : tuple
            Channels, height and width.
        DESCR : str
            What the images are, and what the agreement allows.

    Raises
    ------
    DataUnavailableError
        If the folder does not hold the images and the attributes. It is an
        :class:`OSError`.
    ValueError
        If the attributes are not CelebA's, or an image is missing, cannot be read or
        is not an aligned one.

    See Also
    --------
    load_images : Any folder of images.

    References
    ----------
    .. [1] Ziwei Liu, Ping Luo, Xiaogang Wang and Xiaoou Tang, "Deep learning face
           attributes in the wild", International Conference on Computer Vision,
           3730-3738, 2015.

    Examples
    --------
    >>> from skvae.datasets import load_celeba
    >>> faces = load_celeba("celeba", max_rows=20_000)  # doctest: +SKIP
    >>> faces.data.shape  # doctest: +SKIP
    (20000, 12288)
    >>> round(faces.attributes["Smiling"].mean(), 2)  # doctest: +SKIP
    0.48
    """
    check_image_shape(image_shape)
    path = Path(path).expanduser()
    folder = _find(path, IMAGE_FOLDERS)
    attributes = _read_attributes(_find(path, ATTRIBUTE_FILES), max_rows)
    filenames = attributes.index.to_list()
    data = read_images((folder / name for name in filenames), image_shape, crop=_crop)
    _, height, width = image_shape
    return Bunch(
        data=data,
        attributes=attributes.reset_index(drop=True),
        filenames=filenames,
        image_shape=tuple(image_shape),
        DESCR=DESCRIPTION.format(n_samples=len(data), height=height, width=width),
    )
