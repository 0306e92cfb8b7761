"""Default of credit card clients in Taiwan, 2005.

The table was published with

    I-Cheng Yeh and Che-hui Lien, "The comparisons of data mining techniques for the
    predictive accuracy of probability of default of credit card clients", Expert
    Systems with Applications 36(2), 2473-2480, 2009.

and is kept by the UCI Machine Learning Repository (https://doi.org/10.24432/C55S3H)
and, under other column names, by OpenML (https://www.openml.org/d/42477).
"""

import gzip
import warnings
import zlib
from http.client import HTTPException
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import fetch_openml
from sklearn.utils import Bunch
from sklearn.utils._param_validation import validate_params

from skvae._core.errors import DataUnavailableError
from skvae.datasets._cache import (
    DATA_HOME_VARIABLE,
    integer_table_checksum,
    resolve_data_home,
    write_atomically,
)

FOLDER = "taiwan_credit"
FILENAME = "UCI_Credit_Card.csv.gz"
OPENML_ID = 42477

STATUS_NAMES = ["PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"]
BILL_NAMES = [f"BILL_AMT{month}" for month in range(1, 7)]
PAYMENT_NAMES = [f"PAY_AMT{month}" for month in range(1, 7)]
FEATURE_NAMES = [
    "LIMIT_BAL",
    "SEX",
    "EDUCATION",
    "MARRIAGE",
    "AGE",
    *STATUS_NAMES,
    *BILL_NAMES,
    *PAYMENT_NAMES,
]
# Their numbers are codes. Even the repayment status, which counts months from 1 on, has
# codes below, which are not fewer months.
CODED_NAMES = ["SEX", "EDUCATION", "MARRIAGE", *STATUS_NAMES]
TARGET_NAME = "default.payment.next.month"
IDENTIFIER_NAME = "ID"

N_ROWS = 30_000
N_DEFAULTS = 6_636
SMALLEST_FIRST_BILL = -165_580
CHECKSUM = "cd1e2be26f6b244f2e3d6e31fe11f5ae7f7618e2ae9685c9cf2d845b3c1ed18a"

DESCRIPTION = """\
Default of credit card clients in Taiwan
----------------------------------------

:Number of rows: 30,000, one for each card holder of one bank, October 2005
:Number of columns: 23, 9 of categories and 14 of integers, none missing
:Target: default on the payment of the following month (1 = yes, 6,636 rows, 22.12 %)
:Licence: CC BY 4.0
:Source: I-Cheng Yeh, UCI Machine Learning Repository,
    https://doi.org/10.24432/C55S3H

Columns. Amounts are in New Taiwan dollars. Months run backwards, from September 2005
(first) to April 2005 (last).

LIMIT_BAL
    credit given, to the client and the family's supplementary cards
SEX
    1 = male, 2 = female
EDUCATION
    1 = graduate school, 2 = university, 3 = high school, 4 = other
MARRIAGE
    1 = married, 2 = single, 3 = other
AGE
    years
PAY_0, PAY_2, ..., PAY_6
    repayment status in September, August, ..., April: -1 = paid duly, 1 = one month
    late, 2 = two months late, ..., 8 = eight months late, 9 = nine or more
BILL_AMT1, ..., BILL_AMT6
    the statement of September, ..., April
PAY_AMT1, ..., PAY_AMT6
    what was paid in September, ..., April; PAY_AMT1 therefore answers BILL_AMT2

What the published description leaves out, and is in the table all the same:

- EDUCATION also holds 0, 5 and 6 (345 rows), MARRIAGE also holds 0 (54 rows). They
  are commonly read as "unknown".
- The repayment status also holds -2 and 0, and 0 is the most common value. They are
  commonly read as "card not used" and "minimum paid, the rest carried over". Status 9
  does not occur; status 1 occurs in PAY_0 and hardly anywhere else.
- There is no PAY_1: the status of September is named PAY_0.
- Statements below zero are credit balances. BILL_AMT1 goes down to -165,580 and
  BILL_AMT6 to -339,603.
- 35 rows repeat another row once the identifier is left out.

Altered copies of this table circulate under the same file name. The loader therefore
checks the values and not the file.

.. rubric:: References

I-Cheng Yeh and Che-hui Lien, "The comparisons of data mining techniques for the
predictive accuracy of probability of default of credit card clients", Expert Systems
with Applications 36(2), 2473-2480, 2009. https://doi.org/10.1016/j.eswa.2007.12.020
"""


def _wrong_content(source, what, found, expected):
    return ValueError(
        f"{source} does not hold the original Taiwan credit table: {what} is {found}, "
        f"expected {expected}. Altered copies circulate; remove or replace it."
    )


def _as_integers(table, source):
    """Return `table` as int64, or say which column holds something else."""
    columns = {}
    for name in table.columns:
        # OpenML gives the target as category of strings, Kaggle's copy amounts as
        # 20000.0; both are the same numbers.
        values = pd.to_numeric(table[name].astype(object), errors="coerce").astype(
            np.float64
        )
        unfit = ~(np.isfinite(values) & (values == np.floor(values)))
        if unfit.any():
            found = f"{table[name][unfit].iloc[0]!r} in {int(unfit.sum())} rows"
            raise _wrong_content(source, f"column {name!r}", found, "whole numbers")
        columns[name] = values.astype(np.int64)
    return pd.DataFrame(columns)


def _check_content(table, source):
    """Return `table` as int64 after checking that it is the published one.

    The coarse checks come first because they tell the reader more than two
    checksums that differ.
    """
    names = [*FEATURE_NAMES, TARGET_NAME]
    if list(table.columns) != names:
        raise _wrong_content(source, "the list of columns", list(table.columns), names)
    if len(table) != N_ROWS:
        raise _wrong_content(source, "the number of rows", len(table), N_ROWS)
    table = _as_integers(table, source)
    facts = [
        ("the number of defaults", int(table[TARGET_NAME].sum()), N_DEFAULTS),
        (
            "the smallest BILL_AMT1",
            int(table["BILL_AMT1"].min()),
            SMALLEST_FIRST_BILL,
        ),
        ("the sha256 of the values", integer_table_checksum(table), CHECKSUM),
    ]
    for what, found, expected in facts:
        if found != expected:
            raise _wrong_content(source, what, found, expected)
    return table


def _read(path):
    """Read the cached file at `path`, checked and in the order of its identifiers."""
    try:
        table = pd.read_csv(path, compression="gzip")
    except (gzip.BadGzipFile, EOFError, zlib.error, ValueError) as error:
        raise _wrong_content(
            path, "the file", "not readable", "a table as csv.gz"
        ) from error
    if IDENTIFIER_NAME in table.columns:
        table = table.sort_values(IDENTIFIER_NAME, ignore_index=True)
        table = table.drop(columns=IDENTIFIER_NAME)
    return _check_content(table, path)


def _as_file(table):
    """Return `table` as the bytes of UCI's csv, compressed, for the cache."""
    stored = table.copy()
    stored.insert(0, IDENTIFIER_NAME, np.arange(1, len(table) + 1))
    csv = stored.to_csv(index=False, lineterminator="\n")
    # Without a fixed time stamp the same table would give a new file every time.
    return gzip.compress(csv.encode(), mtime=0)


def _download(path):
    """Fetch the table from OpenML, check it, then store it at `path`."""
    source = f"OpenML data set {OPENML_ID}"
    try:
        with warnings.catch_warnings():
            # It warns at every retry; if all of them fail, the error below says so.
            warnings.filterwarnings("ignore", "A network error", UserWarning)
            # cache=False: one checked copy in our cache is enough.
            remote = fetch_openml(
                data_id=OPENML_ID, as_frame=True, cache=False, parser="auto"
            )
    except (OSError, HTTPException, ValueError) as error:
        # ValueError covers OpenML's own refusals and broken transfers.
        raise DataUnavailableError(
            f"The Taiwan credit table is not at {path}, and {source} could not be "
            f"downloaded ({type(error).__name__}: {error}). Connect to the network, or "
            f"put {FILENAME} into the folder {FOLDER!r} of a data home and name that "
            f"data home with data_home= or the environment variable "
            f"{DATA_HOME_VARIABLE}."
        ) from error
    table = remote.frame
    names = [*FEATURE_NAMES, TARGET_NAME]
    if table.shape[1] != len(names):
        raise _wrong_content(
            source, "the number of columns", table.shape[1], len(names)
        )
    # OpenML calls them x1, ..., x23, y, in UCI's order.
    table = _check_content(table.set_axis(names, axis=1), source)
    write_atomically(path, _as_file(table))
    return table


@validate_params(
    {
        "data_home": [str, PathLike, None],
        "download_if_missing": ["boolean"],
        "return_X_y": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_taiwan_credit(*, data_home=None, download_if_missing=True, return_X_y=False):
    """Load the Taiwan credit card table (classification).

    What 30,000 card holders owed, paid and were late with over six months of 2005, and
    whether they defaulted in the seventh [1]_. It is downloaded from OpenML [2]_ once
    and then read from the cache. The values are checked every time, because altered
    copies of this table circulate under the same name.

    ==============   ====================
    Samples total                  30,000
    Dimensionality                     23
    Features         integers, categories
    Targets                 0 or 1 (22 %)
    ==============   ====================

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder that holds the cached data sets; this one is read from and written to
        ``<data_home>/taiwan_credit/UCI_Credit_Card.csv.gz``. If None, the environment
        variable ``SKVAE_DATA_HOME`` names it, else it is ``$XDG_CACHE_HOME/skvae``,
        else ``~/.cache/skvae``.

    download_if_missing : bool, default=True
        If False, raise :class:`DataUnavailableError` when the file is not in the
        cache, instead of downloading it.

    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        data : DataFrame of shape (30000, 23)
            The columns: SEX, EDUCATION, MARRIAGE and the six repayment statuses are
            categories of integer codes, the others int64, amounts in New Taiwan
            dollars. The identifier is left out.
        target : Series of shape (30000,)
            1 where the client defaulted on the next payment, else 0.
        frame : DataFrame of shape (30000, 24)
            `data` and `target` together.
        feature_names : list of length 23
            The names of the columns of `data`.
        target_names : list of length 1
            The name of `target`.
        DESCR : str
            What the codes mean, and the known oddities.

    (data, target) : tuple if ``return_X_y`` is True
        The table and the target alone.

    Raises
    ------
    DataUnavailableError
        If the file is not in the cache and is not or cannot be downloaded. It is an
        :class:`OSError`.
    ValueError
        If the file, or the download, is not the published table. A download that
        fails this check is not stored.

    See Also
    --------
    make_credit_portfolio : A simulated table of the same shape with known factors.

    Notes
    -----
    The table is licensed CC BY 4.0: cite [1]_ when you publish results on it.

    References
    ----------
    .. [1] I-Cheng Yeh and Che-hui Lien, "The comparisons of data mining techniques for
           the predictive accuracy of probability of default of credit card clients",
           Expert Systems with Applications 36(2), 2473-2480, 2009.

    .. [2] `OpenML data set 42477 <https://www.openml.org/d/42477>`_.

    Examples
    --------
    >>> from skvae.datasets import fetch_taiwan_credit
    >>> credit = fetch_taiwan_credit()  # doctest: +SKIP
    >>> credit.data.shape, int(credit.target.sum())  # doctest: +SKIP
    ((30000, 23), 6636)
    >>> credit.feature_names[:5]  # doctest: +SKIP
    ['LIMIT_BAL', 'SEX', 'EDUCATION', 'MARRIAGE', 'AGE']
    """
    path: Path = resolve_data_home(data_home) / FOLDER / FILENAME
    if path.exists():
        frame = _read(path)
    elif download_if_missing:
        frame = _download(path)
    else:
        raise DataUnavailableError(
            f"The Taiwan credit table is not at {path}. Put it there, name another "
            f"folder with data_home= or the environment variable {DATA_HOME_VARIABLE}, "
            "or pass download_if_missing=True to fetch it from OpenML."
        )

    frame = frame.astype(dict.fromkeys(CODED_NAMES, "category"))
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
