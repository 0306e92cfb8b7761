"""What a table looks like: its columns, their names and dtypes, its container."""

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
        numbers = self._as_float(values)
        finite = np.isfinite(numbers)
        if not finite.all():
            found = "NaN" if np.isnan(numbers[~finite][0]) else "infinity"
            raise ValueError(
                f"Column {self.name!r} contains {found} (row {int(finite.argmin())}); "
                "expected finite numbers. Impute missing cells first, e.g. with "
                "sklearn.impute.SimpleImputer in a Pipeline."
            )
        return numbers

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
        series = pd.Series(numbers)
        if dtypes.is_bool_dtype(self.dtype):
            return (series >= 0.5).astype(self.dtype)
        if dtypes.is_integer_dtype(self.dtype):
            return _round_into(numbers, self.dtype).astype(self.dtype)
        return series.astype(self.dtype)


def _is_plain(dtype) -> bool:
    """Whether numpy itself turns the column into floats, at a fraction of the cost."""
    return isinstance(dtype, np.dtype) and dtype.kind in "biuf"


def _is_number(value) -> bool:
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return not isinstance(value, str)


def _round_into(numbers: np.ndarray, dtype) -> pd.Series:
    """Round to integers that fit `dtype`, a numpy or a nullable pandas one."""
    limits = np.iinfo(getattr(dtype, "numpy_dtype", dtype))
    rounded = np.rint(numbers)
    # float(limits.max) is one above limits.max for 64 bits and would wrap around.
    below_max = np.nextafter(float(limits.max), 0)
    integers = np.clip(rounded, limits.min, below_max).astype(limits.dtype)
    integers[rounded >= float(limits.max)] = limits.max
    return pd.Series(integers)


@dataclass(frozen=True)
class TableSchema:
    """The columns of a table and the container it came in.

    Parameters
    ----------
    columns : tuple of Column
        The columns in order.

    is_dataframe : bool
        Whether the table was a DataFrame; otherwise it was an array.
    """

    columns: tuple[Column, ...]
    is_dataframe: bool

    @classmethod
    def of(cls, table) -> "TableSchema":
        """Read the schema off a DataFrame or a two-dimensional array.

        Parameters
        ----------
        table : DataFrame or ndarray of shape (n_samples, n_features)
            Any rows of the table.

        Returns
        -------
        schema : TableSchema
            Its columns and container.
        """
        if isinstance(table, pd.DataFrame):
            columns = (Column(name, dtype) for name, dtype in table.dtypes.items())
            return cls(tuple(columns), is_dataframe=True)
        columns = (Column(position, table.dtype) for position in range(table.shape[1]))
        return cls(tuple(columns), is_dataframe=False)

    def numbers(self, table) -> np.ndarray:
        """Return the cells of a table with this schema as a float64 matrix.

        Parameters
        ----------
        table : DataFrame or ndarray of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        numbers : ndarray of shape (n_samples, n_features)
            Finite numbers.

        Raises
        ------
        ValueError
            If a column cannot be read as finite numbers.
        """
        if not isinstance(table, pd.DataFrame):
            return np.asarray(table, dtype=np.float64)
        if all(_is_plain(dtype) for dtype in table.dtypes):
            numbers = table.to_numpy(dtype=np.float64)
            if np.isfinite(numbers).all():
                return numbers
        numbers = np.empty(table.shape)
        for position, column in enumerate(self.columns):
            numbers[:, position] = column.numbers(table.iloc[:, position])
        return numbers

    def table(self, numbers: np.ndarray, index=None):
        """Return a matrix of numbers as a table with this schema.

        Parameters
        ----------
        numbers : ndarray of shape (n_samples, n_features)
            Finite numbers.

        index : pandas Index, default=None
            The row labels of a DataFrame.

        Returns
        -------
        table : DataFrame or ndarray of shape (n_samples, n_features)
            The container, names and dtypes that the schema holds.
        """
        cells = [
            column.cells(values)
            for column, values in zip(self.columns, numbers.T, strict=True)
        ]
        if not self.is_dataframe:
            return np.column_stack(cells)
        names = pd.Index([column.name for column in self.columns])
        table = pd.concat(cells, axis=1)
        table.columns = names
        if index is not None:
            table.index = index
        return table
