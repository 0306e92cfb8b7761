"""Adult, or Census Income: persons of the United States, 1994.

The table was published with

    Ron Kohavi, "Scaling up the accuracy of naive-Bayes classifiers: a decision-tree
    hybrid", Proceedings of the Second International Conference on Knowledge Discovery
    and Data Mining, 202-207, 1996.

and is kept by the UCI Machine Learning Repository (https://doi.org/10.24432/C5XW20).
"""

import gzip
import io
import zlib
from functools import partial

import numpy as np
import pandas as pd
from sklearn.utils import Bunch
from sklearn.utils._param_validation import validate_params

from skvae.datasets._cache import check_content, read_or_download, resolve_data_home
from skvae.datasets._idx_images import PARAMETER_CONSTRAINTS, PARTS

FOLDER = "adult"
URL = "https://archive.ics.uci.edu/ml/machine-learning-databases/adult/"
FILENAMES = {"train": "adult.data", "test": "adult.test"}
SHA256 = {
    "train": "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
    "test": "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
}

FEATURE_NAMES = [
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education-num",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital-gain",
    "capital-loss",
    "hours-per-week",
    "native-country",
]
TARGET_NAME = "income"

# The k-th level, counted from 1, is the one whose education-num is k.
EDUCATION_LEVELS = [
    "Preschool",
    "1st-4th",
    "5th-6th",
    "7th-8th",
    "9th",
    "10th",
    "11th",
    "12th",
    "HS-grad",
    "Some-college",
    "Assoc-voc",
    "Assoc-acdm",
    "Bachelors",
    "Masters",
    "Prof-school",
    "Doctorate",
]
# Written down, not collected from the rows: a level may be in one part only.
LEVELS = {
    "workclass": [
        "Federal-gov",
        "Local-gov",
        "Never-worked",
        "Private",
        "Self-emp-inc",
        "Self-emp-not-inc",
        "State-gov",
        "Without-pay",
    ],
    "marital-status": [
        "Divorced",
        "Married-AF-spouse",
        "Married-civ-spouse",
        "Married-spouse-absent",
        "Never-married",
        "Separated",
        "Widowed",
    ],
    "occupation": [
        "Adm-clerical",
        "Armed-Forces",
        "Craft-repair",
        "Exec-managerial",
        "Farming-fishing",
        "Handlers-cleaners",
        "Machine-op-inspct",
        "Other-service",
        "Priv-house-serv",
        "Prof-specialty",
        "Protective-serv",
        "Sales",
        "Tech-support",
        "Transport-moving",
    ],
    "relationship": [
        "Husband",
        "Not-in-family",
        "Other-relative",
        "Own-child",
        "Unmarried",
        "Wife",
    ],
    "race": ["Amer-Indian-Eskimo", "Asian-Pac-Islander", "Black", "Other", "White"],
    "sex": ["Female", "Male"],
    "native-country": [
        *("Cambodia", "Canada", "China", "Columbia", "Cuba", "Dominican-Republic"),
        *("Ecuador", "El-Salvador", "England", "France", "Germany", "Greece"),
        *("Guatemala", "Haiti", "Holand-Netherlands", "Honduras", "Hong", "Hungary"),
        *("India", "Iran", "Ireland", "Italy", "Jamaica", "Japan", "Laos", "Mexico"),
        *("Nicaragua", "Outlying-US(Guam-USVI-etc)", "Peru", "Philippines", "Poland"),
        *("Portugal", "Puerto-Rico", "Scotland", "South", "Taiwan", "Thailand"),
        *("Trinadad&Tobago", "United-States", "Vietnam", "Yugoslavia"),
    ],
    TARGET_NAME: ["<=50K", ">50K"],
}
CATEGORIES = {
    "education": pd.CategoricalDtype(EDUCATION_LEVELS, ordered=True),
    **{name: pd.CategoricalDtype(levels) for name, levels in LEVELS.items()},
}

DESCRIPTION = """\
Adult (Census Income)
---------------------

:Number of rows: 48,842 persons: 32,561 to train on, 16,281 to test on
:Number of columns: 14: six of integers, eight of categories
:Missing cells: workclass 2,799, occupation 2,809, native-country 857; in 3,620 rows
:Target: income, ">50K" where a person earns more than 50,000 dollars a year
    (11,687 rows, 23.93 %), else "<=50K"
:Licence: CC BY 4.0
:Source: Barry Becker and Ronny Kohavi, UCI Machine Learning Repository,
    https://doi.org/10.24432/C5XW20

Taken from the census database of the United States for 1994: persons over 16 with an
adjusted gross income above 100 dollars, who work at least one hour a week.

Columns:

age
    years; 90 is commonly read as 90 and more (55 rows)
workclass
    kind of employer
fnlwgt
    final weight of the survey: how many inhabitants the row stands for, within its
    state
education
    highest level reached, in the order of education-num
education-num
    number of the level of education, from 1 = Preschool to 16 = Doctorate
marital-status, occupation, relationship, race, sex, native-country
    as their names say; relationship is the role in the household
capital-gain, capital-loss
    dollars a year
hours-per-week
    hours of work; 99 is commonly read as 99 and more (137 rows)

What to know before modelling it:

- education and education-num say the same.
- capital-gain is 0 in 91.7 % of the rows and capital-loss in 95.3 %; no row has both.
  A capital-gain of 99,999 is commonly read as a cap (244 rows).
- occupation is missing wherever workclass is, and for the ten who never worked.
- All but one husband are male, all but three wives female.
- Levels are spelt as published: Columbia, Holand-Netherlands (one row), Hong, South,
  Trinadad&Tobago.
- 52 rows repeat another row.
- In the published test rows the labels end with a full stop. It is taken off here.

.. rubric:: References

Ron Kohavi, "Scaling up the accuracy of naive-Bayes classifiers: a decision-tree
hybrid", Proceedings of the Second International Conference on Knowledge Discovery and
Data Mining, 202-207, 1996.

Barry Becker and Ronny Kohavi, "Adult", UCI Machine Learning Repository, 1996.
https://doi.org/10.24432/C5XW20
"""


def _parse(content):
    """Return the table in a published file: integers, categories, "?" as NaN."""
    names = [*FEATURE_NAMES, TARGET_NAME]
    # The labels are read as text first, for the full stop that those to test on have.
    dtypes = {name: CATEGORIES.get(name, np.int64) for name in names}
    table = pd.read_csv(
        io.BytesIO(content),
        names=names,
        dtype={**dtypes, TARGET_NAME: str},
        skipinitialspace=True,
        na_values="?",
        keep_default_na=False,
        comment="|",  # the first line of the test rows
    )
    labels = table[TARGET_NAME].str.rstrip(".")
    table[TARGET_NAME] = labels.astype(dtypes[TARGET_NAME])
    return table


def _read(part, path, source):
    content = path.read_bytes()
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"{source} is not a whole gzip file: {error}.") from error
    # The content and not the file: it may have been compressed by anyone.
    return _parse(check_content(content, "sha256", SHA256[part], source))


def _read_part(part, folder, download_if_missing):
    name = FILENAMES[part]
    compressed = folder / f"{name}.gz"
    if compressed.exists():
        return _read(part, compressed, compressed)
    return read_or_download(
        folder / name,
        URL + name,
        partial(_read, part),
        download_if_missing=download_if_missing,
    )


@validate_params(PARAMETER_CONSTRAINTS, prefer_skip_nested_validation=True)
def fetch_adult(
    *, subset="train", data_home=None, download_if_missing=True, return_X_y=False
):
    """Load the Adult table, also known as Census Income (classification).

    What the census of the United States of 1994 knows of 48,842 persons, and whether
    they earn more than 50,000 dollars a year [1]_. It has columns of numbers and of
    categories, an ordered one, and missing cells. It is downloaded from UCI [2]_ once
    and then read from the cache. The content of the files is checked every time.

    ==============   ==============================
    Samples              32,561 train, 16,281 test
    Dimensionality                              14
    Features              6 integers, 8 categories
    Missing cells                    6,465 (0.9 %)
    Targets               "<=50K", ">50K" (23.9 %)
    ==============   ==============================

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        The rows to train on, the rows to test on, or both in this order.

    data_home : str or path-like, default=None
        Folder that holds the cached data sets; this one is read from and written to
        ``<data_home>/adult``: ``adult.data`` and ``adult.test``, or the same files
        compressed, ``adult.data.gz`` and ``adult.test.gz``. If None, the environment
        variable ``SKVAE_DATA_HOME`` names it, else it is ``$XDG_CACHE_HOME/skvae``,
        else ``~/.cache/skvae``.

    download_if_missing : bool, default=True
        If False, raise :class:`DataUnavailableError` when a file is not in the cache,
        instead of downloading it.

    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        data : DataFrame of shape (n_samples, 14)
            Numbers as int64, all else as categories, NaN where a cell is missing. The
            levels are the same in every subset. Those of ``education`` are ordered, as
            ``education-num`` counts them.
        target : Series of shape (n_samples,)
            The category ``"<=50K"`` or ``">50K"``, with the same spelling in every
            subset. ``">50K"`` is the positive class, for scikit-learn too.
        frame : DataFrame of shape (n_samples, 15)
            `data` and `target` together.
        feature_names : list of length 14
            The names of the columns of `data`, as UCI has them.
        target_names : list of length 1
            The name of `target`, ``"income"``.
        DESCR : str
            What the columns mean, and the known oddities.

    (data, target) : tuple if ``return_X_y`` is True
        The table and the target alone.

    Raises
    ------
    DataUnavailableError
        If a file is not in the cache and is not or cannot be downloaded. It is an
        :class:`OSError`.
    ValueError
        If a file, or a download, is not the published one. A download that fails this
        check is not stored.

    See Also
    --------
    fetch_taiwan_credit : Card holders who default or do not, without missing cells.

    Notes
    -----
    The table is licensed CC BY 4.0: cite [1]_ and [2]_ when you publish results on it.

    References
    ----------
    .. [1] Ron Kohavi, "Scaling up the accuracy of naive-Bayes classifiers: a
           decision-tree hybrid", Proceedings of the Second International Conference on
           Knowledge Discovery and Data Mining, 202-207, 1996.

    .. [2] Barry Becker and Ronny Kohavi, "Adult", UCI Machine Learning Repository,
           1996. https://doi.org/10.24432/C5XW20

    Examples
    --------
    >>> from skvae.datasets import fetch_adult
    >>> adult = fetch_adult()  # doctest: +SKIP
    >>> adult.data.shape, int((adult.target == ">50K").sum())  # doctest: +SKIP
    ((32561, 14), 7841)
    >>> adult.data["education"].max()  # doctest: +SKIP
    'Doctorate'
    >>> int(adult.data["occupation"].isna().sum())  # doctest: +SKIP
    1843
    """
    folder = resolve_data_home(data_home) / FOLDER
    parts = [_read_part(part, folder, download_if_missing) for part in PARTS[subset]]
    frame = pd.concat(parts, ignore_index=True)
    data, target = frame[FEATURE_NAMES], frame[TARGET_NAME]
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        frame=frame,
        feature_names=list(FEATURE_NAMES),
        target_names=[TARGET_NAME],
        DESCR=DESCRIPTION,
    )
