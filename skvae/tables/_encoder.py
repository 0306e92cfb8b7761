"""A row of a table to a row of a float matrix, and back."""

import numpy as np
from sklearn.base import clone
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from skvae._core.columns import ColumnGroup
from skvae.tables._pixels import PixelScaler, check_images
from skvae.tables._quantile import QuantileNormalEncoder
from skvae.tables._schema import Column, TableSchema
from skvae.tables._wording import listed

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
    encoding : {"auto", "quantile", "standard", "minmax"}, None or transformer, \
default="auto"
        How numeric columns are scaled. ``"auto"`` is ``"quantile"`` for tables and
        ``"minmax"`` for images. A transformer is cloned; it needs
        ``inverse_transform`` and has to keep the number of columns. Images go with
        ``"minmax"``, ``"standard"`` and None.

    image_shape : tuple of int, default=None
        Channels, height and width, where the columns are the pixels of one image in
        that order. All pixels then share one scale, and those that are constant stay,
        lest the image have holes. Under ``"minmax"`` a pixel on the way back lies
        within the range of the training images.

    left_out : sequence, default=()
        Columns that take no part in the matrix, whatever they hold: names of a
        DataFrame's columns, positions of an array's.

    Attributes
    ----------
    encoding_ : str, None or transformer
        `encoding`, with the choice that ``"auto"`` made.

    schema_ : TableSchema
        Names and dtypes of the columns and the container of the table.

    groups_ : list of ColumnGroup
        Which columns of the matrix belong to which columns of the table. Their kind
        is ``"pixel"`` for images and ``"continuous"`` otherwise.

    scaler_ : transformer
        The fitted scaler of the numeric columns.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skvae.tables import TableEncoder
    >>> table = pd.DataFrame(
    ...     {"age": [18, 40, 80], "region": ["N", "S", None], "paid": [0.0, 1.5, 9.0]}
    ... )
    >>> encoder = TableEncoder("minmax", left_out=["region"]).fit(table)
    >>> encoder.transform(table).shape
    (3, 2)

    On the way back, the columns left out are put in their place:

    >>> encoder.inverse_transform(
    ...     np.array([[0.5, 1.0]]), left_out=pd.DataFrame({"region": ["S"]})
    ... )
       age region  paid
    0   49      S   9.0
    """

    def __init__(self, encoding="auto", image_shape=None, left_out=()):
        self.encoding = encoding
        self.image_shape = image_shape
        self.left_out = left_out

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
            constant, if the scaler changes the number of columns, if columns are not
            those of `image_shape`, or if `left_out` names an unknown column or all.
        """
        self.schema_ = TableSchema.of(table, self.left_out)
        self.encoding_ = self._choose_encoding()
        if self._is_image:
            n_pixels = len(self.schema_.numeric)
            check_images(self.image_shape, n_pixels, self.encoding_)
        numbers = self.schema_.numbers(table)
        self._first_row = numbers[0].copy()
        varies = (numbers != self._first_row).any(axis=0)
        if not varies.any():
            raise ValueError(
                f"All {len(varies)} columns are constant over the {len(numbers)} rows "
                "of X; expected at least one column that varies."
            )
        # Positions among the numeric columns, not among all of the table.
        self._encoded = np.flatnonzero(varies | self._is_image)
        columns = np.array(self.schema_.numeric)[self._encoded]
        self.groups_ = [
            ColumnGroup(
                kind="pixel" if self._is_image else "continuous",
                columns=tuple(columns.tolist()),
                widths=(1,) * len(columns),
                start=0,
            )
        ]
        with np.errstate(all="ignore"):  # the checks name the column that overflows
            self.scaler_ = self._make_scaler().fit(numbers[:, self._encoded])
        self._check_way_back(numbers[:1])
        return self

    @property
    def _is_image(self) -> bool:
        return self.image_shape is not None

    def _choose_encoding(self):
        if isinstance(self.encoding, str) and self.encoding == "auto":
            return "minmax" if self._is_image else "quantile"
        return self.encoding

    def _make_scaler(self):
        if self._is_image:
            return PixelScaler(self.encoding_)
        if self.encoding_ is None or isinstance(self.encoding_, str):
            return _SCALERS[self.encoding_]()
        return clone(self.encoding_)

    def _check_way_back(self, numbers):
        """Raise where a range beyond float64 left the scaler without a way back."""
        with np.errstate(all="ignore"):
            back = self.scaler_.inverse_transform(self._scaled(numbers))
        lost = ~np.isfinite(np.asarray(back)).all(axis=0)
        if lost.any():
            column = self.column_at(lost.argmax())
            raise ValueError(
                f"Column {column.name!r} has a range that encoding={self.encoding_!r} "
                "cannot invert; expected a range within that of float64. "
                f"{self._remedy}"
            )

    @property
    def _remedy(self) -> str:
        if self._is_image:
            return "Rescale the images."
        return 'Rescale the column, or use encoding="quantile".'

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
        (group,) = self.groups_
        return self.schema_.columns[group.columns[matrix_column]]

    def matrix_column(self, name) -> int:
        """Return the column of the matrix that a column of the table has.

        Parameters
        ----------
        name : object
            What the column is called; in an array its position.

        Returns
        -------
        matrix_column : int
            Position in the matrix.

        Raises
        ------
        ValueError
            If no column has that name, or it takes no part in the matrix.
        """
        (group,) = self.groups_
        names = [column.name for column in self.schema_.columns]
        if name not in names:
            raise ValueError(
                f"Got column {name!r}; expected one of those of X: {listed(names)}."
            )
        position = names.index(name)
        if position not in group.columns:
            raise ValueError(
                f"Column {name!r} takes no part in the encoded table, as it is "
                "constant or a condition; expected one that varies and is modelled."
            )
        return group.columns.index(position)

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
        if len(self._encoded) < numbers.shape[1]:
            numbers = numbers[:, self._encoded]
        # The check names the column that overflows.
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = self.scaler_.transform(numbers)
        matrix = np.asarray(scaled, dtype=np.float64)
        self._check_matrix(matrix)
        return matrix

    def _check_matrix(self, matrix):
        if matrix.ndim != 2 or matrix.shape[1] != self.width:
            raise ValueError(
                f"encoding={self.encoding_!r} turned {self.width} columns into an "
                f"array of shape {matrix.shape}; expected one column for each."
            )
        low, high = matrix.min(axis=0), matrix.max(axis=0)
        bad = ~((low >= -_LARGEST) & (high <= _LARGEST))
        if bad.any():
            column = self.column_at(bad.argmax())
            raise ValueError(
                f"Column {column.name!r} leaves the range of float32 once scaled with "
                f"encoding={self.encoding_!r}; expected values whose scaled size is "
                f"below {_LARGEST:.0e}. {self._remedy}"
            )

    def inverse_transform(self, matrix, index=None, left_out=None):
        """Return the table of a matrix, in the units and dtypes that fit saw.

        Parameters
        ----------
        matrix : ndarray of shape (n_samples, width)
            Scaled values.

        index : pandas Index, default=None
            The row labels of the table, where it is a DataFrame.

        left_out : DataFrame of shape (n_samples, n_left_out), default=None
            The cells of the columns left out, in the order of the parameter
            `left_out`. Needed where there are any.

        Returns
        -------
        table : DataFrame or ndarray of shape (n_samples, n_features)
            The container that fit saw.

        Raises
        ------
        ValueError
            If the argument `left_out` is not a cell for each row and each column that
            was left out.
        """
        numbers = np.tile(self._first_row, (len(matrix), 1))
        numbers[:, self._encoded] = self.scaler_.inverse_transform(matrix)
        return self.schema_.table(numbers, index, left_out)
