"""A row of a table to a row of a float matrix, and back."""

import numpy as np
from sklearn.base import clone
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from skvae._core.columns import ColumnGroup
from skvae.tables._quantile import QuantileNormalEncoder
from skvae.tables._schema import Column, TableSchema

_SCALERS = {
    "quantile": QuantileNormalEncoder,
    "standard": StandardScaler,
    "minmax": MinMaxScaler,
    None: FunctionTransformer,
}
_LARGEST = float(np.finfo(np.float32).max)


class TableEncoder:
    """Turn a table into the matrix that networks read, and a matrix into a table.

    Columns that are constant in training take no part in the matrix; on the way back
    they get their one value.

    Parameters
    ----------
    encoding : {"quantile", "standard", "minmax"}, None or transformer
        How numeric columns are scaled. A transformer is cloned; it needs
        ``inverse_transform`` and has to keep the number of columns.

    Attributes
    ----------
    schema_ : TableSchema
        Names and dtypes of the columns and the container of the table.

    groups_ : list of ColumnGroup
        Which columns of the matrix belong to which columns of the table.

    scaler_ : transformer
        The fitted scaler of the numeric columns.
    """

    def __init__(self, encoding="quantile"):
        self.encoding = encoding

    def fit(self, table):
        """Learn the schema and the scale of each column.

        Parameters
        ----------
        table : DataFrame or ndarray of shape (n_samples, n_features)
            The training rows.

        Returns
        -------
        self : TableEncoder
            The fitted encoder.

        Raises
        ------
        ValueError
            If a column cannot be read as finite numbers, if every column is
            constant, or if the scaler changes the number of columns.
        """
        self.schema_ = TableSchema.of(table)
        numbers = self.schema_.numbers(table)
        self._first_row = numbers[0].copy()
        varies = (numbers != self._first_row).any(axis=0)
        if not varies.any():
            raise ValueError(
                f"All {len(varies)} columns are constant over the {len(numbers)} rows "
                "of X; expected at least one column that varies."
            )
        self._varying = np.flatnonzero(varies)
        scaler = _SCALERS[self.encoding]() if self._is_named else clone(self.encoding)
        with np.errstate(all="ignore"):  # the checks name the column that overflows
            self.scaler_ = scaler.fit(numbers[:, self._varying])
        self.groups_ = [
            ColumnGroup(
                kind="continuous",
                columns=tuple(self._varying.tolist()),
                widths=(1,) * len(self._varying),
                start=0,
            )
        ]
        self._check_way_back(numbers[:1])
        return self

    def _check_way_back(self, numbers):
        """Raise where a range beyond float64 left the scaler without a way back."""
        with np.errstate(all="ignore"):
            back = self.scaler_.inverse_transform(self._scaled(numbers))
        lost = ~np.isfinite(np.asarray(back)).all(axis=0)
        if lost.any():
            column = self.column_at(lost.argmax())
            raise ValueError(
                f"Column {column.name!r} has a range that encoding={self.encoding!r} "
                "cannot invert; expected a range within that of float64. Rescale the "
                'column, or use encoding="quantile".'
            )

    @property
    def _is_named(self) -> bool:
        return self.encoding is None or isinstance(self.encoding, str)

    @property
    def width(self) -> int:
        """How many columns the matrix has."""
        return sum(group.width for group in self.groups_)

    def column_at(self, matrix_column: int) -> Column:
        """Return the table column that a column of the matrix belongs to.

        Parameters
        ----------
        matrix_column : int
            Position in the matrix.

        Returns
        -------
        column : Column
            As the schema has it.
        """
        return self.schema_.columns[self._varying[matrix_column]]

    def transform(self, table) -> np.ndarray:
        """Return the matrix of a table.

        Parameters
        ----------
        table : DataFrame or ndarray of shape (n_samples, n_features)
            Rows with the columns that fit saw.

        Returns
        -------
        matrix : ndarray of shape (n_samples, width)
            Finite float64 numbers.

        Raises
        ------
        ValueError
            If a column cannot be read as numbers, or its scaled values leave the
            range of float32, in which networks train.
        """
        return self._scaled(self.schema_.numbers(table))

    def _scaled(self, numbers):
        if len(self._varying) < numbers.shape[1]:
            numbers = numbers[:, self._varying]
        with np.errstate(over="ignore"):  # the check names the column that overflows
            scaled = self.scaler_.transform(numbers)
        matrix = np.asarray(scaled, dtype=np.float64)
        self._check_matrix(matrix)
        return matrix

    def _check_matrix(self, matrix):
        if matrix.ndim != 2 or matrix.shape[1] != self.width:
            raise ValueError(
                f"encoding={self.encoding!r} turned {self.width} columns into an "
                f"array of shape {matrix.shape}; expected one column for each."
            )
        low, high = matrix.min(axis=0), matrix.max(axis=0)
        bad = ~((low >= -_LARGEST) & (high <= _LARGEST))
        if bad.any():
            column = self.column_at(bad.argmax())
            raise ValueError(
                f"Column {column.name!r} leaves the range of float32 once scaled with "
                f"encoding={self.encoding!r}; expected values whose scaled size is "
                f"below {_LARGEST:.0e}. Rescale the column, or use "
                'encoding="quantile".'
            )

    def inverse_transform(self, matrix, index=None):
        """Return the table of a matrix, in the units and dtypes that fit saw.

        Parameters
        ----------
        matrix : ndarray of shape (n_samples, width)
            Scaled values.

        index : pandas Index, default=None
            The row labels of the table, where it is a DataFrame.

        Returns
        -------
        table : DataFrame or ndarray of shape (n_samples, n_features)
            The container that fit saw.
        """
        numbers = np.tile(self._first_row, (len(matrix), 1))
        numbers[:, self._varying] = self.scaler_.inverse_transform(matrix)
        return self.schema_.table(numbers, index)
