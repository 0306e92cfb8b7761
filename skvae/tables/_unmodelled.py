"""Columns that take no part: constant ones, and identifiers."""

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from pandas.api import types as dtypes

from skvae._core.storing import storable
from skvae.tables._column import Column


@storable
@dataclass(frozen=True)
class Constant(Column):
    """A column with one value throughout, or with none.

    Parameters
    ----------
    name : object
        What the column is called.

    dtype : object
        The dtype of its cells.

    missing_share : float, default=0.0
        Share of the cells that were missing.

    value : object, default=None
        The value, that of a date in letters; None if every cell was missing.
    """

    value: object = None

    kind: ClassVar[str] = "constant"

    @classmethod
    def of(cls, name, values: pd.Series) -> "Constant":
        """Return the column of cells that are one value, or missing.

        Parameters
        ----------
        name : object
            What the column is called.

        values : Series of shape (n_samples,)
            The cells of training rows.

        Returns
        -------
        column : Constant
            With its value.
        """
        present = values.dropna()
        value = present.iloc[0] if len(present) else None
        is_date = isinstance(values.dtype, pd.PeriodDtype) or values.dtype.kind in "mM"
        if is_date and value is not None:
            value = str(value)  # pandas reads it, and JSON holds it
        return cls(name, values.dtype, value=value)

    def cells(self, n_rows: int) -> pd.Series:
        """Return so many cells of the value.

        Parameters
        ----------
        n_rows : int
            How many.

        Returns
        -------
        cells : Series of shape (n_rows,)
            Of the dtype that fit saw.
        """
        one = pd.Series([self.value], dtype=self.dtype)
        return one.take(np.zeros(n_rows, dtype=int))

    @property
    def holds(self) -> str:
        """The value."""
        return "missing throughout" if self.value is None else str(self.value)


@storable
@dataclass(frozen=True)
class Identifier(Column):
    """A column whose every value names one row, and of which none comes back.

    Parameters
    ----------
    name : object
        What the column is called.

    dtype : object
        The dtype of its cells.

    missing_share : float, default=0.0
        Share of the cells that were missing.

    start : int, default=0
        The first of the numbers that new rows are given.
    """

    start: int = 0

    kind: ClassVar[str] = "identifier"

    @classmethod
    def of(cls, name, values: pd.Series) -> "Identifier":
        """Return the column of cells that name their rows.

        Parameters
        ----------
        name : object
            What the column is called.

        values : Series of shape (n_samples,)
            The cells of training rows.

        Returns
        -------
        column : Identifier
            With the first number that is free.
        """
        present = values.dropna()
        if dtypes.is_integer_dtype(values.dtype):
            return cls(name, values.dtype, start=int(present.max()) + 1)
        # Names of our own may be among those of training, as after a first sample.
        own = re.escape(f"{name}-") + r"(\d{1,15})"
        matches = (re.fullmatch(own, str(value)) for value in present)
        taken = [int(match[1]) for match in matches if match]
        return cls(name, values.dtype, start=max(taken, default=-1) + 1)

    def cells(self, n_rows: int) -> pd.Series:
        """Return so many names that no training row had.

        Parameters
        ----------
        n_rows : int
            How many.

        Returns
        -------
        cells : Series of shape (n_rows,)
            Of the dtype that fit saw.
        """
        numbers = pd.Series(np.arange(self.start, self.start + n_rows))
        if dtypes.is_integer_dtype(self.dtype):
            return self.cast(numbers)
        names = pd.Series([f"{self.name}-{number}" for number in numbers], dtype=object)
        return names.astype(self.dtype)

    @property
    def holds(self) -> str:
        """What becomes of it."""
        return "different in every row; takes no part"
