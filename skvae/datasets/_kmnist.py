"""Kuzushiji-MNIST: ten characters of cursive Japanese."""

import io
import warnings
from functools import partial

import numpy as np
from sklearn.utils._param_validation import validate_params

from skvae.datasets._cache import check_content, read_or_download, resolve_data_home
from skvae.datasets._idx_images import (
    PARAMETER_CONSTRAINTS,
    as_dataset,
    shared_docs,
)

FOLDER = "kmnist"
URL = "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"
FILENAMES = {
    "train": ("kmnist-train-imgs.npz", "kmnist-train-labels.npz"),
    "test": ("kmnist-test-imgs.npz", "kmnist-test-labels.npz"),
}
# Where disk space is short, the first training images may stand in for all of them.
EXCERPT = "kmnist-train-first7000-imgs.npz"
N_EXCERPT = 7_000
MD5 = {
    "kmnist-train-imgs.npz": "a183fbc01ed9a345513b145673d3d0bb",
    "kmnist-train-labels.npz": "b0e1d240e8afec72b50437fc3bc5908a",
    "kmnist-test-imgs.npz": "dace6de62ca8b90843cc45366337d02e",
    "kmnist-test-labels.npz": "3ae489a79983d0fe386152684e3b5412",
    EXCERPT: "e2d6bc17e3f70318f8b45d959a129e41",
}
# Romanised, because the fonts of plots seldom hold the characters themselves.
TARGET_NAMES = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]

DESCRIPTION = """\
Kuzushiji-MNIST: cursive Japanese characters
--------------------------------------------

:Number of images: 60,000 to train on, 10,000 to test on
:Size: 28 x 28 pixels, one channel, 0 (paper) to 255 (ink)
:Classes: ten hiragana, one for each row of the syllabary, equally frequent:
    o お, ki き, su す, tsu つ, na な, ha は, ma ま, ya や, re れ, wo を
:Licence: CC BY-SA 4.0
:Source: "KMNIST Dataset" (created by CODH), adapted from "Kuzushiji Dataset" (created
    by NIJL and others), https://doi.org/10.20676/00000341

Cut out of Japanese books of the Edo period. One character has several forms here, some
of which resemble each other no more than two characters do.

.. rubric:: References

Tarin Clanuwat, Mikel Bober-Irizar, Asanobu Kitamoto, Alex Lamb, Kazuaki Yamamoto and
David Ha, "Deep learning for classical Japanese literature", arXiv:1812.01718, 2018.
https://arxiv.org/abs/1812.01718
"""

EXCERPT_NOTE = f"""
Beware: {EXCERPT} stood in for the training images. There are {N_EXCERPT:,} of them
here, not 60,000; say so beside any result.
"""


def _read_npz(md5, path, source):
    content = check_content(path.read_bytes(), "md5", md5, source)
    with np.load(io.BytesIO(content)) as arrays:
        return arrays["arr_0"]


def _read_part(part, folder, download_if_missing, from_excerpt):
    def read(name):
        return read_or_download(
            folder / name,
            URL + name,
            partial(_read_npz, MD5[name]),
            download_if_missing=download_if_missing,
        )

    images, labels = FILENAMES[part]
    if part == "train" and from_excerpt:
        return read(EXCERPT), read(labels)[:N_EXCERPT]
    return read(images), read(labels)


@validate_params(PARAMETER_CONSTRAINTS, prefer_skip_nested_validation=True)
@shared_docs(FOLDER)
def fetch_kmnist(
    *, subset="train", data_home=None, download_if_missing=True, return_X_y=False
):
    """Load Kuzushiji-MNIST, 70,000 cursive Japanese characters (classification).

    The images [1]_ are downloaded once and then read from the cache. The files are
    checked every time.

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

    Warns
    -----
    UserWarning
        If the cache holds the excerpt ``kmnist-train-first7000-imgs.npz`` in place of
        all training images: there are then 7,000 of them, and DESCR says so.

    See Also
    --------
    fetch_mnist : Handwritten digits in the same shape.

    Notes
    -----
    The images are licensed CC BY-SA 4.0: cite [1]_ when you publish results on them.

    References
    ----------
    .. [1] Tarin Clanuwat, Mikel Bober-Irizar, Asanobu Kitamoto, Alex Lamb, Kazuaki
           Yamamoto and David Ha, "Deep learning for classical Japanese literature",
           arXiv:1812.01718, 2018.

    Examples
    --------
    >>> from skvae.datasets import fetch_kmnist
    >>> characters = fetch_kmnist(subset="test")  # doctest: +SKIP
    >>> characters.data.shape, characters.image_shape  # doctest: +SKIP
    ((10000, 784), (1, 28, 28))
    """
    folder = resolve_data_home(data_home) / FOLDER
    all_images, _ = FILENAMES["train"]
    from_excerpt = (
        subset != "test"
        and (folder / EXCERPT).exists()
        and not (folder / all_images).exists()
    )
    if from_excerpt:
        warnings.warn(
            f"{folder} holds {EXCERPT} in place of {all_images}: these are the first "
            f"{N_EXCERPT:,} training images of 60,000.",
            UserWarning,
            # The caller's line, past the wrapper that validates the parameters.
            stacklevel=3,
        )
    read_part = partial(
        _read_part,
        folder=folder,
        download_if_missing=download_if_missing,
        from_excerpt=from_excerpt,
    )
    return as_dataset(
        read_part,
        subset,
        return_X_y,
        target_names=list(TARGET_NAMES),
        DESCR=DESCRIPTION + (EXCERPT_NOTE if from_excerpt else ""),
    )
