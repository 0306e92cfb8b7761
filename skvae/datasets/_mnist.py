"""MNIST and Fashion-MNIST, which come in the same four files."""

import gzip
import zlib
from functools import partial

from sklearn.utils._param_validation import validate_params

from skvae.datasets._cache import check_content, read_or_download, resolve_data_home
from skvae.datasets._idx_images import (
    PARAMETER_CONSTRAINTS,
    as_dataset,
    parse_idx,
    shared_docs,
)

FILENAMES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}

DIGITS_FOLDER = "mnist"
# The original address, yann.lecun.com, no longer serves everybody.
DIGITS_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
DIGITS_MD5 = {
    "train-images-idx3-ubyte.gz": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte.gz": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte.gz": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte.gz": "27ae3e4e09519cfbb04c329615203637",
}
DIGITS_NAMES = list("0123456789")
DIGITS_DESCRIPTION = """\
MNIST: handwritten digits
-------------------------

:Number of images: 60,000 to train on, 10,000 to test on
:Size: 28 x 28 pixels, one channel, 0 (paper) to 255 (ink)
:Classes: the ten digits, of unequal frequency
:Licence: CC BY-SA 3.0
:Source: Yann LeCun, Corinna Cortes, Christopher J. C. Burges,
    http://yann.lecun.com/exdb/mnist/

Digits of employees of the Census Bureau and of high-school students, from NIST's
Special Databases 3 and 1, scaled into 20 x 20 pixels and centred by mass. No writer is
in both parts.

.. rubric:: References

Yann LeCun, Léon Bottou, Yoshua Bengio and Patrick Haffner, "Gradient-based learning
applied to document recognition", Proceedings of the IEEE 86(11), 2278-2324, 1998.
https://doi.org/10.1109/5.726791
"""

FASHION_FOLDER = "fashion_mnist"
FASHION_URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
FASHION_MD5 = {
    "train-images-idx3-ubyte.gz": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte.gz": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte.gz": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte.gz": "15d484375f8d13e6eb1aabb0c3f46965",
}
FASHION_NAMES = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
]
FASHION_DESCRIPTION = """\
Fashion-MNIST: articles of clothing
-----------------------------------

:Number of images: 60,000 to train on, 10,000 to test on
:Size: 28 x 28 pixels, one channel, 0 (background) to 255
:Classes: ten kinds of article, equally frequent in each part
:Licence: MIT
:Source: Zalando Research, https://github.com/zalandoresearch/fashion-mnist

Photographs of Zalando's shop, turned to grey, inverted, trimmed and centred: a drop-in
replacement for MNIST that is harder to classify.

.. rubric:: References

Han Xiao, Kashif Rasul and Roland Vollgraf, "Fashion-MNIST: a novel image dataset for
benchmarking machine learning algorithms", arXiv:1708.07747, 2017.
https://arxiv.org/abs/1708.07747
"""


def _read_idx(md5, path, source):
    # The checksum is that of the content: copies of these files circulate that were
    # compressed anew.
    try:
        content = gzip.decompress(path.read_bytes())
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{source} is not a whole gzip file: {error}.") from error
    return parse_idx(check_content(content, "md5", md5, source))


def _read_part(part, folder, url, checksums, download_if_missing):
    return tuple(
        read_or_download(
            folder / name,
            url + name,
            partial(_read_idx, checksums[name]),
            download_if_missing=download_if_missing,
        )
        for name in FILENAMES[part]
    )


@validate_params(PARAMETER_CONSTRAINTS, prefer_skip_nested_validation=True)
@shared_docs(DIGITS_FOLDER)
def fetch_mnist(
    *, subset="train", data_home=None, download_if_missing=True, return_X_y=False
):
    """Load MNIST, 70,000 images of handwritten digits (classification).

    The images [1]_ are downloaded once and then read from the cache. The content of
    the files is checked every time.

    ==============   ==========================
    Samples          60,000 train, 10,000 test
    Dimensionality   784 = 1 x 28 x 28
    Features         integers, 0 to 255
    Classes          10
    ==============   ==========================

    Parameters
    ----------
    {parameters}

    Returns
    -------
    {returns}

    Raises
    ------
    {raises}

    See Also
    --------
    fetch_fashion_mnist : Articles of clothing, harder to classify.
    fetch_kmnist : Cursive Japanese characters.
    fetch_emnist : Handwritten letters and digits.

    Notes
    -----
    The images are licensed CC BY-SA 3.0: cite [1]_ when you publish results on them.

    References
    ----------
    .. [1] Yann LeCun, Léon Bottou, Yoshua Bengio and Patrick Haffner, "Gradient-based
           learning applied to document recognition", Proceedings of the IEEE 86(11),
           2278-2324, 1998.

    Examples
    --------
    >>> from skvae.datasets import fetch_mnist
    >>> mnist = fetch_mnist()  # doctest: +SKIP
    >>> mnist.data.shape, mnist.image_shape  # doctest: +SKIP
    ((60000, 784), (1, 28, 28))
    """
    read_part = partial(
        _read_part,
        folder=resolve_data_home(data_home) / DIGITS_FOLDER,
        url=DIGITS_URL,
        checksums=DIGITS_MD5,
        download_if_missing=download_if_missing,
    )
    return as_dataset(
        read_part,
        subset,
        return_X_y,
        target_names=list(DIGITS_NAMES),
        DESCR=DIGITS_DESCRIPTION,
    )


@validate_params(PARAMETER_CONSTRAINTS, prefer_skip_nested_validation=True)
@shared_docs(FASHION_FOLDER)
def fetch_fashion_mnist(
    *, subset="train", data_home=None, download_if_missing=True, return_X_y=False
):
    """Load Fashion-MNIST, 70,000 images of articles of clothing (classification).

    The images [1]_ are downloaded once and then read from the cache. The content of
    the files is checked every time.

    ==============   ==========================
    Samples          60,000 train, 10,000 test
    Dimensionality   784 = 1 x 28 x 28
    Features         integers, 0 to 255
    Classes          10
    ==============   ==========================

    Parameters
    ----------
    {parameters}

    Returns
    -------
    {returns}

    Raises
    ------
    {raises}

    See Also
    --------
    fetch_mnist : Handwritten digits in the same format.

    Notes
    -----
    The images are licensed MIT: cite [1]_ when you publish results on them.

    References
    ----------
    .. [1] Han Xiao, Kashif Rasul and Roland Vollgraf, "Fashion-MNIST: a novel image
           dataset for benchmarking machine learning algorithms", arXiv:1708.07747,
           2017.

    Examples
    --------
    >>> from skvae.datasets import fetch_fashion_mnist
    >>> fashion = fetch_fashion_mnist()  # doctest: +SKIP
    >>> fashion.target_names[fashion.target[0]]  # doctest: +SKIP
    'Ankle boot'
    """
    read_part = partial(
        _read_part,
        folder=resolve_data_home(data_home) / FASHION_FOLDER,
        url=FASHION_URL,
        checksums=FASHION_MD5,
        download_if_missing=download_if_missing,
    )
    return as_dataset(
        read_part,
        subset,
        return_X_y,
        target_names=list(FASHION_NAMES),
        DESCR=FASHION_DESCRIPTION,
    )
