"""One condition of a model: levels to one-hot columns, numbers to normal scores."""

import numpy as np
import pandas as pd
from pandas.api import types as dtypes

from skvae.tables._column import Column
from skvae.tables._quantile import QuantileNormalEncoder

# Integers with more distinct values are read as numbers: whatever is coded by hand
# seldom has more codes, and whatever is counted or measured seldom has fewer.
_MOST_CODES = 20
_LARGEST = float(np.finfo(np.float32).max)


def encoder_of(name, values):
    """Return the encoder of one condition, fitted to its cells."""
    column = Column(name, values.dtype)
    missing = values.isna()
    if missing.any():
        raise ValueError(
            f"Condition {name!r} is missing in row {int(missing.argmax())}; expected "
            "a known condition for every training row. Impute missing numbers, and "
            "give missing categories a level of their own, e.g. with "
            'fillna("missing").'
        )
    if _is_categorical(values):
        return Levels(column, values)
    numbers = column.numbers(values)
    # Of a constant the encoder knows no more than of a single level.
    if (numbers == numbers[0]).all():
        return Levels(column, values)
    return Scores(column, numbers)


def _is_categorical(values) -> bool:
    dtype = values.dtype
    if dtypes.is_integer_dtype(dtype):
        return values.nunique() <= _MOST_CODES
    return (
        isinstance(dtype, pd.CategoricalDtype)
        or dtypes.is_bool_dtype(dtype)
        or dtypes.is_string_dtype(dtype)  # of objects too
    )


class Levels:
    """A categorical condition, one-hot.

    Parameters
    ----------
    column : Column
        Its name and dtype.

    values : Series of shape (n_samples,)
        The cells of the training rows, none of them missing.
    """

    def __init__(self, column, values):
        self._column = column
        _, found = _factorized(column, values)
        levels = _in_order(set(found), column.dtype)
        self._code_of = {level: code for code, level in enumerate(levels)}
        self.width = len(levels)
        codes, _ = self._codes(values)
        self._commonest = np.bincount(codes).argmax()

    def matrix(self, values):
        """Return the one-hot matrix of cells, and the levels that fit never saw."""
        codes, unseen = self._codes(values)
        matrix = np.zeros((len(values), self.width))
        matrix[np.arange(len(values)), codes] = 1
        matrix[codes < 0] = np.nan
        return matrix, unseen

    def _codes(self, values):
        """Return each cell's level as its number, -1 where it is unknown."""
        positions, found = _factorized(self._column, values)
        codes = [self._code_of.get(level, -1) for level in found]
        unseen = [level for level in found if level not in self._code_of]
        # A missing cell has position -1, and so the last of these.
        return np.array([*codes, -1])[positions], unseen

    def cells(self, matrix):
        """Return the level with the largest entry of each row."""
        known = ~np.isnan(matrix).any(axis=1)
        codes = np.where(known, matrix.argmax(axis=1), self._commonest)
        levels = pd.Series(list(self._code_of), dtype=object)
        return self._column.cast(levels.iloc[codes])


class Scores:
    """A continuous condition, as normal scores.

    Parameters
    ----------
    column : Column
        Its name and dtype.

    numbers : ndarray of shape (n_samples,)
        The numbers of the training rows.
    """

    width = 1

    def __init__(self, column, numbers):
        self._column = column
        self._scaler = QuantileNormalEncoder().fit(numbers[:, None])

    def matrix(self, values):
        """Return the scores of cells as one column, and no levels."""
        if values.isna().all():  # in whatever dtype
            return np.full((len(values), 1), np.nan), []
        scores = self._scaler.transform(self._column.floats(values)[:, None])
        too_large = np.abs(scores.ravel()) > _LARGEST
        if too_large.any():
            found = values.iloc[too_large.argmax()]
            raise ValueError(
                f"Condition {self._column.name!r} is {found} in row "
                f"{too_large.argmax()}; expected numbers within reach of those in "
                "training."
            )
        return scores, []

    def cells(self, matrix):
        """Return the values of scores, the median where they are NaN."""
        scores = np.nan_to_num(matrix)  # the median has score 0
        # A condition is given, and comes back as given: no jump to one of training.
        return self._column.cells(self._scaler.knots_[0].unscored(scores.ravel()))


def _factorized(column, values):
    """Return the number of each cell's level, -1 if missing, and the levels."""
    try:
        positions, found = pd.factorize(values)
    except TypeError as error:
        raise ValueError(
            f"Condition {column.name!r} holds values that are not hashable, such as "
            f"{values.iloc[0]!r}; expected strings, numbers, booleans or categories."
        ) from error
    return positions, list(found)


def _in_order(levels, dtype):
    """Return levels in the order of a categorical dtype, or else sorted."""
    if isinstance(dtype, pd.CategoricalDtype):
        return [level for level in dtype.categories if level in levels]
    try:
        return sorted(levels)
    except TypeError:  # numbers beside strings
        return sorted(levels, key=lambda level: (type(level).__name__, str(level)))
