"""What a table looks like: its columns, their names and dtypes, its container."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types as dtypes


@dataclass(frozen=True)
class Column:
    """One column of a table as fit saw it."""

    name: object
    dtype: object

    def numbers(self, values: pd.Series) -> np.ndarray:
        """Return the column's cells as float64, or say what is wrong with them."""
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
        if isinstance(dtype, pd.CategoricalDtype) or dtypes.is_datetime64_any_dtype(
            dtype
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
        try:
            return values.to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError) as error:
            found = next(value for value in values if not _is_number(value))
            raise ValueError(
                f"Column {self.name!r} holds {found!r} of type "
                f"{type(found).__name__}; expected numbers. Encode such columns "
                "first, e.g. with a ColumnTransformer in a Pipeline."
            ) from error

    def cells(self, numbers: np.ndarray) -> pd.Series:
        """Return numbers as cells of the column's own dtype."""
        series = pd.Series(numbers)
        if dtypes.is_bool_dtype(self.dtype):
            return (series >= 0.5).astype(self.dtype)
        if dtypes.is_integer_dtype(self.dtype):
            return _round_into(numbers, self.dtype).astype(self.dtype)
        return series.astype(self.dtype)


def _is_number(value) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _round_into(numbers: np.ndarray, dtype) -> pd.Series:
    """Round to integers that fit `dtype`, a numpy or a nullable pandas one."""
    limits = np.iinfo(getattr(dtype, "numpy_dtype", dtype))
    rounded = np.rint(numbers)
    integers = np.clip(rounded, limits.min, limits.max).astype(limits.dtype)
    # float(limits.max) is one above limits.max for 64 bits and would wrap around.
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
        """Read the schema off a DataFrame or a two-dimensional array."""
        if isinstance(table, pd.DataFrame):
            columns = (Column(name, dtype) for name, dtype in table.dtypes.items())
            return cls(tuple(columns), is_dataframe=True)
        columns = (Column(position, table.dtype) for position in range(table.shape[1]))
        return cls(tuple(columns), is_dataframe=False)

    def numbers(self, table) -> np.ndarray:
        """Return the cells of a table with this schema as a float64 matrix."""
        if not isinstance(table, pd.DataFrame):
            return np.asarray(table, dtype=np.float64)
        numbers = np.empty(table.shape)
        for position, column in enumerate(self.columns):
            numbers[:, position] = column.numbers(table.iloc[:, position])
        return numbers

    def table(self, numbers: np.ndarray, index=None):
        """Return a matrix of numbers as a table with this schema."""
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
