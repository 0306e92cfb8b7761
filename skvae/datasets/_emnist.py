"""EMNIST: handwritten letters and digits, in six splits.

NIST distributes all splits in one archive, gzip.zip, of 24 idx files. It is kept as it
is and read from; single files of it may lie beside it, or in its place.
"""

import gzip
import string
import zipfile
import zlib
from functools import partial

from sklearn.utils._param_validation import StrOptions, validate_params

from skvae.datasets._cache import check_content, read_or_download, resolve_data_home
from skvae.datasets._idx_images import (
    PARAMETER_CONSTRAINTS,
    as_dataset,
    parse_idx,
    shared_docs,
)

FOLDER = "emnist"
ARCHIVE = "gzip.zip"
URL = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"

# Where the two cases of a letter look alike they are one class, under the capital.
_MERGED_NAMES = string.digits + string.ascii_uppercase + "abdefghnqrt"
TARGET_NAMES = {
    "balanced": _MERGED_NAMES,
    "byclass": string.digits + string.ascii_uppercase + string.ascii_lowercase,
    "bymerge": _MERGED_NAMES,
    "digits": string.digits,
    "letters": string.ascii_uppercase,
    "mnist": string.digits,
}
# The labels of the letters are counted from 1 in the files.
FIRST_LABEL = {"letters": 1}

SHA256 = {
    "emnist-balanced-test-images-idx3-ubyte.gz": (
        "117fc12b015e37ea98bfb2cbba3f77c3782c056cdbd219b87abfc8661d7135db"
    ),
    "emnist-balanced-test-labels-idx1-ubyte.gz": (
        "a67cac948379b67270b9a4d0a01c8ec661598accf2f2b1964340b7c83cb175cd"
    ),
    "emnist-balanced-train-images-idx3-ubyte.gz": (
        "74295e75e4e9fa2c102147460ee7eb763653d5132d883a84fb88932bfb8d2db4"
    ),
    "emnist-balanced-train-labels-idx1-ubyte.gz": (
        "b46d41e5156a0a8aaaa4d18979fdd1588850fa8571018acffd5d93b325a7d6ed"
    ),
    "emnist-byclass-test-images-idx3-ubyte.gz": (
        "5ec835bd5d5b1a66378a132e727fef20fe994b3cc666899befcca5ac766f50cd"
    ),
    "emnist-byclass-test-labels-idx1-ubyte.gz": (
        "501e305eeeacb093b162592d80e8a2632040872360fa6d85cfcb2200d91ca92a"
    ),
    "emnist-byclass-train-images-idx3-ubyte.gz": (
        "9e21987f03a6eb8b870187e785883ddad96947299587908f1a7ec2ca0f4be5f0"
    ),
    "emnist-byclass-train-labels-idx1-ubyte.gz": (
        "f7ef403d48dc18a89dae0d83d11ee69cecb6e1c12c3a961d03712e495c02a8fa"
    ),
    "emnist-bymerge-test-images-idx3-ubyte.gz": (
        "5e5815ec1b522089134435f7c55e75a00960b58414793593ffff23efc0821683"
    ),
    "emnist-bymerge-test-labels-idx1-ubyte.gz": (
        "8bda1516255683ba9071e141947ca0c91a911176065cdd6259b0b4d8dc5b5f35"
    ),
    "emnist-bymerge-train-images-idx3-ubyte.gz": (
        "39bf8c68037dad40db35348895f7e4e056e8c0a005ab78869c9fbc2c96e947be"
    ),
    "emnist-bymerge-train-labels-idx1-ubyte.gz": (
        "2c47293b9e62d6abf6ad05fbf67e40baa32adfd380b8d7b44dcc35534b64e1f1"
    ),
    "emnist-digits-test-images-idx3-ubyte.gz": (
        "20ebe43509264f7639d37c835a3f0b009e90b29e00a099a03101abe1644a3f63"
    ),
    "emnist-digits-test-labels-idx1-ubyte.gz": (
        "bad1834c45d5988e270b99d43b13edc3fd898f658ffbc2caf2846ef27f7b05b0"
    ),
    "emnist-digits-train-images-idx3-ubyte.gz": (
        "f7c95004d14d81af89522e67d8f0c781dfb3bd544181c81bfe1eb6b41c35b726"
    ),
    "emnist-digits-train-labels-idx1-ubyte.gz": (
        "6638a6ff5fe2eefd9cca2471995b46c82986b8e4b2a70d2f5ce8e05d7edb319e"
    ),
    "emnist-letters-test-images-idx3-ubyte.gz": (
        "50f0e93d75b99b463e9760b8345866f22587fa2c2fba472730a5ba09c693412d"
    ),
    "emnist-letters-test-labels-idx1-ubyte.gz": (
        "924955c31fe7fd809b7303b5c0141282955f4b8390c74cdfd5d80435e0f4b4cb"
    ),
    "emnist-letters-train-images-idx3-ubyte.gz": (
        "6288f418a917e007bf5fddb823a2dc7a5c6a35031401b93292a539cb12bd881f"
    ),
    "emnist-letters-train-labels-idx1-ubyte.gz": (
        "9759af91ea6bccdf07a6040fd085861f2ec88e37f7c3f5760f6feb57106fbe5c"
    ),
    "emnist-mnist-test-images-idx3-ubyte.gz": (
        "b25640fa9e356c618132f5df347c95ef5bae6d9c2596be1de40f7e0ae1c3eac6"
    ),
    "emnist-mnist-test-labels-idx1-ubyte.gz": (
        "bcc5385d38f083dba046f5f756e99b32f5ea7fad122c6243c71c2239873065ca"
    ),
    "emnist-mnist-train-images-idx3-ubyte.gz": (
        "5f9942f441031c0f1f2e4d162059fd6e19ea808b34c328b6d16cab0ed24c78f2"
    ),
    "emnist-mnist-train-labels-idx1-ubyte.gz": (
        "00c6d3c2342fdffb1711e0b5656cac4ce5862d2826399d383a9bac07d612e9f8"
    ),
}

DESCRIPTION = """\
EMNIST: handwritten letters and digits
--------------------------------------

:Split: {split}
:Size: 28 x 28 pixels, one channel, 0 (paper) to 255 (ink)
:Licence: public domain (NIST)
:Source: National Institute of Standards and Technology,
    https://www.nist.gov/itl/products-and-services/emnist-dataset

Characters of NIST's Special Database 19, smoothed, centred and reduced in the manner of
MNIST. The splits:

=============  =========  =======  =======  ==========================================
split          train      test     classes  what
=============  =========  =======  =======  ==========================================
``balanced``   112,800    18,800   47       as bymerge, classes equally frequent
``byclass``    697,932    116,323  62       digits, capitals and small letters
``bymerge``    697,932    116,323  47       as byclass, with the two cases of c, i, j,
                                            k, l, m, o, p, s, u, v, w, x, y, z merged
``digits``     240,000    40,000   10       digits, equally frequent
``letters``    124,800    20,800   26       letters, both cases of each merged
``mnist``      60,000     10,000   10       digits, as many as in MNIST
=============  =========  =======  =======  ==========================================

The files hold the images transposed, and count letters from 1; the loader turns the
images upright and counts classes from 0.

.. rubric:: References

Gregory Cohen, Saeed Afshar, Jonathan Tapson and André van Schaik, "EMNIST: extending
MNIST to handwritten letters", International Joint Conference on Neural Networks,
2921-2926, 2017. https://doi.org/10.1109/IJCNN.2017.7966217
"""


def _read_member(name, path, source):
    """Return the file `name` out of the archive at `path`."""
    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.read(f"gzip/{name}")
    except (zipfile.BadZipFile, KeyError, EOFError, zlib.error) as error:
        raise ValueError(
            f"{source} is not EMNIST's whole archive: {error}. Remove or replace it."
        ) from error
    return check_content(content, "sha256", SHA256[name], f"{name} in {source}")


def _read_idx(name, folder, download_if_missing):
    path = folder / name
    if path.exists():
        content = check_content(path.read_bytes(), "sha256", SHA256[name], path)
    else:
        content = read_or_download(
            folder / ARCHIVE,
            URL,
            partial(_read_member, name),
            download_if_missing=download_if_missing,
        )
    return parse_idx(gzip.decompress(content))


def _read_part(part, split, folder, download_if_missing):
    prefix = f"emnist-{split}-{part}"
    images, labels = (
        _read_idx(f"{prefix}-{suffix}", folder, download_if_missing)
        for suffix in ("images-idx3-ubyte.gz", "labels-idx1-ubyte.gz")
    )
    return images.transpose(0, 2, 1), labels - FIRST_LABEL.get(split, 0)


@validate_params(
    {"split": [StrOptions(set(TARGET_NAMES))], **PARAMETER_CONSTRAINTS},
    prefer_skip_nested_validation=True,
)
@shared_docs(FOLDER)
def fetch_emnist(
    *,
    split="balanced",
    subset="train",
    data_home=None,
    download_if_missing=True,
    return_X_y=False,
):
    """Load EMNIST, handwritten letters and digits (classification).

    The images [1]_ come in six splits, which overlap: each is a data set for itself.
    All of them are downloaded at once, as NIST's archive ``gzip.zip`` of 562 MB, and
    then read from the cache. Where the cache holds single files of that archive, such
    as ``emnist-balanced-train-images-idx3-ubyte.gz``, they are enough. The files read
    are checked every time. Images are upright, unlike in the files.

    ============   =======   =======   =======   ===================================
    split          train     test      classes   what
    ============   =======   =======   =======   ===================================
    ``balanced``   112,800   18,800    47        as bymerge, equally frequent
    ``byclass``    697,932   116,323   62        digits, capitals and small letters
    ``bymerge``    697,932   116,323   47        look-alike cases of letters merged
    ``digits``     240,000   40,000    10        digits
    ``letters``    124,800   20,800    26        letters, both cases of each merged
    ``mnist``      60,000    10,000    10        digits, as many as in MNIST
    ============   =======   =======   =======   ===================================

    Parameters
    ----------
    split : {"balanced", "byclass", "bymerge", "digits", "letters", "mnist"}, \
default="balanced"
        Which of the data sets.

    {parameters}

    Returns
    -------
    {returns}

    Raises
    ------
    {raises}

    See Also
    --------
    fetch_mnist : Handwritten digits in the same shape.

    Notes
    -----
    The images are in the public domain: cite [1]_ when you publish results on them.

    References
    ----------
    .. [1] Gregory Cohen, Saeed Afshar, Jonathan Tapson and André van Schaik, "EMNIST:
           extending MNIST to handwritten letters", International Joint Conference on
           Neural Networks, 2921-2926, 2017.

    Examples
    --------
    >>> from skvae.datasets import fetch_emnist
    >>> letters = fetch_emnist(split="letters", subset="test")  # doctest: +SKIP
    >>> letters.data.shape, letters.target_names[:3]  # doctest: +SKIP
    ((20800, 784), ['A', 'B', 'C'])
    """
    read_part = partial(
        _read_part,
        split=split,
        folder=resolve_data_home(data_home) / FOLDER,
        download_if_missing=download_if_missing,
    )
    return as_dataset(
        read_part,
        subset,
        return_X_y,
        target_names=list(TARGET_NAMES[split]),
        DESCR=DESCRIPTION.format(split=split),
    )
