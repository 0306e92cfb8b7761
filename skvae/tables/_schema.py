"""What a table looks like: its columns, their names and dtypes, its container."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skvae.tables._column import Column, in_kind_of, is_plain
from skvae.tables._wording import listed


@dataclass(frozen=True)
class TableSchema:
    """The columns of a table and the container it came in.

    Parameters
    ----------
    columns : tuple of Column
        The columns in order.

    is_dataframe : bool
        Whether the table was a DataFrame; otherwise it was an array.

    left_out : tuple of int, default=()
        Positions of columns that are not read as numbers, in the order in which their
        cells are given back.
    """

    columns: tuple[Column, ...]
    is_dataframe: bool
    left_out: tuple[int, ...] = ()

    @classmethod
    def of(cls, table, left_out=()) -> "TableSchema":
        """Read the schema off a DataFrame or a two-dimensional array.

        Parameters
        ----------
        table : DataFrame or ndarray of shape (n_samples, n_features)
            Any rows of the table.

        left_out : sequence, default=()
            Columns that are not read as numbers: names of a DataFrame's, positions of
            an array's.

        Returns
        -------
        schema : TableSchema
            Its columns and container.

        Raises
        ------
        ValueError
            If `left_out` names a column that is not there, or one twice, or if it
            leaves none to read.
        """
        is_dataframe = isinstance(table, pd.DataFrame)
        if is_dataframe:
            columns = [Column(name, dtype) for name, dtype in table.dtypes.items()]
        else:
            columns = [Column(place, table.dtype) for place in range(table.shape[1])]
        positions = _positions([column.name for column in columns], left_out)
        return cls(tuple(columns), is_dataframe, positions)

    @property
    def numeric(self) -> tuple[int, ...]:
        """Positions of the columns that are read as numbers, ascending."""
        left_out = set(self.left_out)
        return tuple(p for p in range(len(self.columns)) if p not in left_out)

    def numbers(self, table) -> np.ndarray:
        """Return the cells of a table with this schema as a float64 matrix.

        Parameters
        ----------
        table : DataFrame or ndarray of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        numbers : ndarray of shape (n_samples, n_features - n_left_out)
            Finite numbers.

        Raises
        ------
        ValueError
            If a column cannot be read as finite numbers.
        """
        numeric = self.numeric
        if self.left_out:
            rows = table.iloc if isinstance(table, pd.DataFrame) else table
            table = rows[:, list(numeric)]
        if not isinstance(table, pd.DataFrame):
            return np.asarray(table, dtype=np.float64)
        if all(is_plain(dtype) for dtype in table.dtypes):
            numbers = table.to_numpy(dtype=np.float64)
            if np.isfinite(numbers).all():
                return numbers
        numbers = np.empty(table.shape)
        for position, column in enumerate(numeric):
            cells = table.iloc[:, position]
            numbers[:, position] = self.columns[column].numbers(cells)
        return numbers

    def table(self, numbers: np.ndarray, index=None, left_out=None):
        """Return a matrix of numbers as a table with this schema.

        Parameters
        ----------
        numbers : ndarray of shape (n_samples, n_features - n_left_out)
            Finite numbers.

        index : pandas Index, default=None
            The row labels of a DataFrame.

        left_out : DataFrame of shape (n_samples, n_left_out), default=None
            The cells of the columns left out, in the order of `left_out`; what its
            columns are called does not count.

        Returns
        -------
        table : DataFrame or ndarray of shape (n_samples, n_features)
            The container, names and dtypes that the schema holds. A column left out
            has another dtype where its own cannot hold the given cells, and so has an
            array, whose columns share one.

        Raises
        ------
        ValueError
            If `left_out` is not a cell for each row and each column left out.
        """
        self._check_left_out(left_out, len(numbers))
        if not (self.is_dataframe or self.left_out):
            dtype = self.columns[0].dtype
            return in_kind_of(dtype, numbers).astype(dtype)
        cells = {
            position: self.columns[position].cells(values)
            for position, values in zip(self.numeric, numbers.T, strict=True)
        }
        for number, position in enumerate(self.left_out):
            cells[position] = self.columns[position].cast(left_out.iloc[:, number])
        in_order = [cells[position] for position in range(len(self.columns))]
        if not self.is_dataframe:
            return np.column_stack(in_order)
        table = pd.concat(in_order, axis=1)
        table.columns = pd.Index([column.name for column in self.columns])
        if index is not None:
            table.index = index
        return table

    def _check_left_out(self, left_out, n_rows):
        expected = (n_rows, len(self.left_out))
        found = (n_rows, 0) if left_out is None else left_out.shape
        if found != expected:
            names = [self.columns[position].name for position in self.left_out]
            raise ValueError(
                f"Got left_out of shape {found}; expected {expected}, a cell in each "
                f"row for each column left out in fit: {listed(names)}."
            )


def _positions(names, chosen) -> tuple[int, ...]:
    """Return where the chosen names are, or say which of them cannot be had."""
    position_of = {name: position for position, name in enumerate(names)}
    unknown = [name for name in chosen if name not in position_of]
    if unknown:
        raise ValueError(
            f"Column {unknown[0]!r} is not in the table; expected columns among "
            f"{listed(names)}."
        )
    positions = tuple(position_of[name] for name in chosen)
    if len(set(positions)) < len(positions):
        raise ValueError(f"Got columns {listed(chosen)}; expected each of them once.")
    if positions and len(positions) == len(names):
        raise ValueError(
            f"All {len(names)} columns are left out of the matrix; expected at least "
            "one that is not."
        )
    return positions
