"""What the loaders of the MNIST family share: format, parts, parameters, result."""

import inspect
from collections.abc import Callable
from os import PathLike

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils._param_validation import StrOptions

IMAGE_SHAPE = (1, 28, 28)

PARTS = {"train": ["train"], "test": ["test"], "all": ["train", "test"]}

PARAMETER_CONSTRAINTS = {
    "subset": [StrOptions(set(PARTS))],
    "data_home": [str, PathLike, None],
    "download_if_missing": ["boolean"],
    "return_X_y": ["boolean"],
}

_PARAMETERS = """
subset : {"train", "test", "all"}, default="train"
    The training images, the test images, or both in this order.

data_home : str or path-like, default=None
    Folder that holds the cached data sets; this one is read from and written to
    ``<data_home>/{folder}``. If None, the environment variable ``SKVAE_DATA_HOME``
    names it, else it is ``$XDG_CACHE_HOME/skvae``, else ``~/.cache/skvae``.

download_if_missing : bool, default=True
    If False, raise :class:`DataUnavailableError` when a file is not in the cache,
    instead of downloading it.

return_X_y : bool, default=False
    If True, return ``(data, target)`` instead of a Bunch.
"""

_RETURNS = """
dataset : :class:`~sklearn.utils.Bunch`
    Dictionary-like object, with the following attributes.

    data : ndarray of shape (n_samples, 784)
        The pixels, uint8 from 0 to 255, each image row by row:
        ``data.reshape(-1, *image_shape)`` are the images.
    target : ndarray of shape (n_samples,)
        The class of each image, as index of `target_names`.
    image_shape : tuple
        Channels, height and width: (1, 28, 28).
    target_names : list of str
        The names of the classes.
    DESCR : str
        What the images are, whence they come and under which licence.

(data, target) : tuple if ``return_X_y`` is True
    The images and their classes alone.
"""

_RAISES = """
DataUnavailableError
    If a file is not in the cache and is not or cannot be downloaded. It is an
    :class:`OSError`.
ValueError
    If a file, or a download, is not the published one. A download that fails this
    check is not stored.
"""


def shared_docs(folder: str) -> Callable:
    """Put the shared text in place of its marks in the docstring of a loader."""

    def fill(loader):
        if loader.__doc__ is None:  # python -OO
            return loader
        doc = inspect.cleandoc(loader.__doc__)
        doc = doc.replace("{parameters}", _PARAMETERS.strip())
        doc = doc.replace("{returns}", _RETURNS.strip())
        doc = doc.replace("{raises}", _RAISES.strip())
        loader.__doc__ = doc.replace("{folder}", folder) + "\n"
        return loader

    return fill


def parse_idx(content: bytes) -> np.ndarray:
    """Return the array in an idx file of unsigned bytes, read-only.

    The format: two zeros, 8 for unsigned bytes, the number of dimensions; the length
    of each as big-endian integer of four bytes; the values in C order.
    """
    n_dimensions = content[3]
    shape = np.frombuffer(content, ">i4", count=n_dimensions, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n_dimensions).reshape(shape)


def as_dataset(
    read_part: Callable[[str], tuple[np.ndarray, np.ndarray]],
    subset: str,
    return_X_y: bool,
    **described,
) -> Bunch | tuple[np.ndarray, np.ndarray]:
    """Read the parts of `subset` and return them as the loaders do.

    `read_part` is called with ``"train"`` or ``"test"`` and returns images and labels.
    `described` are the further attributes of the Bunch.
    """
    parts = [read_part(part) for part in PARTS[subset]]
    # Joining copies, of one part too: what was read cannot be written to.
    data = np.concatenate([images.reshape(len(images), -1) for images, _ in parts])
    target = np.concatenate([labels for _, labels in parts]).astype(np.int64)
    if return_X_y:
        return data, target
    return Bunch(data=data, target=target, image_shape=IMAGE_SHAPE, **described)
