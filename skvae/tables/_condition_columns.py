"""One condition of a model: levels to one-hot columns, numbers to normal scores."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from pandas.api import types as dtypes

from skvae._core.storing import storable
from skvae.tables._levels import Levels
from skvae.tables._number import Number
from skvae.tables._quantile import QuantileNormalEncoder

# Integers with more distinct values are read as numbers: whatever is coded by hand
# seldom has more codes, and whatever is counted or measured seldom has fewer.
_MOST_CODES = 20
_LARGEST = float(np.finfo(np.float32).max)


def encoder_of(name, values):
    """Return the encoder of one condition, fitted to its cells."""
    missing = values.isna()
    if missing.any():
        raise ValueError(
            f"Condition {name!r} is missing in row {int(missing.argmax())}; expected "
            "a known condition for every training row. Impute missing numbers, and "
            "give missing categories a level of their own, e.g. with "
            'fillna("missing").'
        )
    if _is_categorical(values):
        return OneHot.of(name, values)
    column = Number(name, values.dtype)
    numbers = column.numbers(values)
    # Of a constant the encoder knows no more than of a single level.
    if (numbers == numbers[0]).all():
        return OneHot.of(name, values)
    return Scores.of(column, numbers)


def _is_categorical(values) -> bool:
    dtype = values.dtype
    if dtypes.is_integer_dtype(dtype):
        return values.nunique() <= _MOST_CODES
    return (
        isinstance(dtype, pd.CategoricalDtype)
        or dtypes.is_bool_dtype(dtype)
        or dtypes.is_string_dtype(dtype)  # of objects too
    )


@storable
@dataclass(frozen=True)
class OneHot:
    """A categorical condition, one-hot.

    Parameters
    ----------
    levels : Levels
        The column.

    commonest : int
        The number of the level that most of the training rows have.
    """

    levels: Levels
    commonest: int

    @classmethod
    def of(cls, name, values):
        """Return the encoder of cells, none of them missing."""
        levels = Levels.of(name, values)
        codes, _ = levels.codes(values)
        return cls(levels, int(np.bincount(codes).argmax()))

    @property
    def width(self):
        """One column for each level."""
        return self.levels.width

    def matrix(self, values):
        """Return the one-hot matrix of cells, and the levels that fit never saw."""
        codes, unseen = self.levels.codes(values)
        matrix = np.eye(self.width)[codes.clip(0)]
        matrix[codes < 0] = np.nan
        return matrix, unseen

    def cells(self, matrix):
        """Return the level with the largest entry of each row."""
        known = ~np.isnan(matrix).any(axis=1)
        codes = np.where(known, matrix.argmax(axis=1), self.commonest)
        return self.levels.cells(codes)


@storable
@dataclass(frozen=True)
class Scores:
    """A continuous condition, as normal scores.

    Parameters
    ----------
    column : Number
        Its name and dtype.

    scaler : QuantileNormalEncoder
        Fitted to the numbers of the training rows.
    """

    column: Number
    scaler: QuantileNormalEncoder

    width: ClassVar[int] = 1

    @classmethod
    def of(cls, column, numbers):
        """Return the encoder of a column, given its numbers in training."""
        return cls(column, QuantileNormalEncoder().fit(numbers[:, None]))

    def matrix(self, values):
        """Return the scores of cells as one column, and no levels."""
        if values.isna().all():  # in whatever dtype
            return np.full((len(values), 1), np.nan), []
        scores = self.scaler.transform(self.column.numbers(values)[:, None])
        too_large = np.abs(scores.ravel()) > _LARGEST
        if too_large.any():
            found = values.iloc[too_large.argmax()]
            raise ValueError(
                f"Condition {self.column.name!r} is {found} in row "
                f"{too_large.argmax()}; expected numbers within reach of those in "
                "training."
            )
        return scores, []

    def cells(self, matrix):
        """Return the values of scores, the median where they are NaN."""
        scores = np.nan_to_num(matrix)  # the median has score 0
        # A condition is given, and comes back as given: no jump to one of training.
        return self.column.cells(self.scaler.knots_[0].unscored(scores.ravel()))
