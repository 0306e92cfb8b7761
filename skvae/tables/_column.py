"""One column of a table: its cells to numbers and back."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types as dtypes


@dataclass(frozen=True)
class Column:
    """One column of a table as fit saw it.

    Parameters
    ----------
    name : object
        What the column is called.

    dtype : object
        The dtype of its cells, of numpy or of pandas.
    """

    name: object
    dtype: object

    def numbers(self, values: pd.Series) -> np.ndarray:
        """Return the column's cells as float64, or say what is wrong with them.

        Parameters
        ----------
        values : Series of shape (n_samples,)
            The cells.

        Returns
        -------
        numbers : ndarray of shape (n_samples,)
            The same as finite float64 numbers.

        Raises
        ------
        ValueError
            If a cell is missing, infinite or no number.
        """
        numbers = self.floats(values)
        finite = np.isfinite(numbers)
        if not finite.all():
            found = "NaN" if np.isnan(numbers[~finite][0]) else "infinity"
            raise ValueError(
                f"Column {self.name!r} contains {found} (row {int(finite.argmin())}); "
                "expected finite numbers. Impute missing cells first, e.g. with "
                "sklearn.impute.SimpleImputer in a Pipeline."
            )
        return numbers

    def floats(self, values: pd.Series) -> np.ndarray:
        """Return the column's cells as float64, NaN where one is missing.

        Parameters
        ----------
        values : Series of shape (n_samples,)
            The cells.

        Returns
        -------
        numbers : ndarray of shape (n_samples,)
            The same as float64 numbers.

        Raises
        ------
        ValueError
            If a cell is no number.
        """
        dtype = values.dtype
        if isinstance(dtype, pd.SparseDtype):
            raise ValueError(
                f"Column {self.name!r} is sparse; expected a dense column "
                "(`values.sparse.to_dense()`)."
            )
        if dtypes.is_complex_dtype(dtype):
            raise ValueError(
                f"Complex data not supported: column {self.name!r} is {dtype}."
            )
        if (
            isinstance(dtype, pd.CategoricalDtype)
            or dtypes.is_datetime64_any_dtype(dtype)
            or dtypes.is_timedelta64_dtype(dtype)  # its NaT would become a number
        ):
            raise ValueError(
                f"Column {self.name!r} has dtype {dtype}; expected numbers. Encode "
                "such columns first, e.g. with a ColumnTransformer in a Pipeline."
            )
        return self._as_float(values)

    def _as_float(self, values: pd.Series) -> np.ndarray:
        cause = None
        # Strings are no numbers, even those that spell one: "01" would come back as 1.
        if not dtypes.is_string_dtype(values):
            try:
                return values.to_numpy(dtype=np.float64, na_value=np.nan)
            except (TypeError, ValueError, OverflowError) as error:
                cause = error
        # A column of strings that all spell numbers has no worst cell: show the first.
        wrong = (value for value in values if not _is_number(value))
        found = next(wrong, values.iloc[0])
        raise ValueError(
            f"Column {self.name!r} holds {found!r} of type {type(found).__name__}; "
            "expected numbers. Convert it (pandas.to_numeric) or encode it first, e.g. "
            "with a ColumnTransformer in a Pipeline."
        ) from cause

    def cells(self, numbers: np.ndarray) -> pd.Series:
        """Return numbers as cells of the column's own dtype.

        Parameters
        ----------
        numbers : ndarray of shape (n_samples,)
            Finite numbers.

        Returns
        -------
        cells : Series of shape (n_samples,)
            Rounded where the column holds integers, and True from 0.5 on where it
            holds booleans.
        """
        return pd.Series(in_kind_of(self.dtype, numbers)).astype(self.dtype)

    def cast(self, values: pd.Series) -> pd.Series:
        """Return cells that were kept aside as cells of the column's own dtype.

        Parameters
        ----------
        values : Series of shape (n_samples,)
            The cells, in any dtype, missing ones too.

        Returns
        -------
        cells : Series of shape (n_samples,)
            The same values, in the column's dtype where it can hold all of them and
            as they are where not: an integer column cannot hold a missing cell, nor a
            category a level it does not list. Row labels are dropped.
        """
        values = values.reset_index(drop=True)
        if isinstance(self.dtype, pd.CategoricalDtype):
            fits = values.dropna().isin(self.dtype.categories).all()
            return values.astype(self.dtype) if fits else values
        try:
            with np.errstate(invalid="ignore"):  # compared below
                cells = values.astype(self.dtype)
        except (TypeError, ValueError, OverflowError):
            return values
        return cells if self._holds(cells, values) else values

    def _holds(self, cells, values) -> bool:
        """Whether a cast kept every value, up to the precision of a float."""
        present = values.notna()
        if not cells.notna().equals(present):
            return False
        if dtypes.is_float_dtype(self.dtype):
            return True
        same = cells[present].astype(object) == values[present].astype(object)
        return bool(same.all())


def is_plain(dtype) -> bool:
    """Whether numpy itself turns the column into floats, at a fraction of the cost."""
    return isinstance(dtype, np.dtype) and dtype.kind in "biuf"


def _is_number(value) -> bool:
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return not isinstance(value, str)


def in_kind_of(dtype, numbers: np.ndarray) -> np.ndarray:
    """Return numbers as booleans or integers where that is what `dtype` holds."""
    if dtypes.is_bool_dtype(dtype):
        return numbers >= 0.5
    if dtypes.is_integer_dtype(dtype):
        return _round_into(dtype, numbers)
    return numbers


def _round_into(dtype, numbers: np.ndarray) -> np.ndarray:
    """Round to integers that fit `dtype`, a numpy or a nullable pandas one."""
    limits = np.iinfo(getattr(dtype, "numpy_dtype", dtype))
    rounded = np.rint(numbers)
    # float(limits.max) is one above limits.max for 64 bits and would wrap around.
    below_max = np.nextafter(float(limits.max), 0)
    integers = np.clip(rounded, limits.min, below_max).astype(limits.dtype)
    integers[rounded >= float(limits.max)] = limits.max
    return integers
