"""A row of a table to a row of a float matrix, and back."""

from dataclasses import replace

import numpy as np
import pandas as pd

from skvae._core.columns import ColumnGroup
from skvae._core.storing import storable
from skvae.tables._cells import (
    codes_of,
    warn_of_unseen,
    with_atoms,
    write,
    write_atoms,
)
from skvae.tables._layout import (
    LEVELS,
    NUMERIC,
    WITH_ATOMS,
    MatrixLayout,
    groups_of,
    pixel_group,
)
from skvae.tables._pixels import check_images
from skvae.tables._scaled_numbers import ScaledNumbers
from skvae.tables._schema import TableSchema, array_of, cells_at


@storable(
    encoding_=object,
    schema_=TableSchema,
    groups_=list[ColumnGroup],
    _numbers=ScaledNumbers,
)
class TableEncoder(MatrixLayout):
    """Turn a table into the matrix that networks read, and a matrix into a table.

    A number takes one column of the matrix, its scaled value. If it has atoms, values
    that many cells share, each of these takes a column more, 1 where a cell has it and
    0 elsewhere. A boolean takes one column, a category one for each level. A column
    with holes has one more at the end, 1 where a cell is missing. What is unknown is
    NaN, and a level that fit never saw 0 in the columns of all levels.

    Columns that are constant in training, and those whose values name their rows, take
    no part in the matrix; on the way back they get their one value, or new names.

    Parameters
    ----------
    encoding : {"auto", "quantile", "standard", "minmax"}, None or transformer, \
default="auto"
        How numeric columns are scaled. ``"auto"`` is ``"quantile"`` for tables and
        ``"minmax"`` for images. A transformer is cloned; it needs
        ``inverse_transform``, has to keep the number of columns and, if there are
        missing cells, to let NaN pass. Images go with ``"minmax"``, ``"standard"`` and
        None.

    image_shape : tuple of int, default=None
        Channels, height and width, where the columns are the pixels of one image in
        that order. All pixels then share one scale, and those that are constant stay,
        lest the image have holes. Under ``"minmax"`` a pixel on the way back lies
        within the range of the training images.

    left_out : sequence, default=()
        Columns that take no part in the matrix, whatever they hold: names of a
        DataFrame's columns, positions of an array's.

    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Which columns are categorical beside those of categorical or string dtype:
        names, positions, or a boolean mask.

    min_atom_share : float, default=None
        Share of the rows from which on a number may be an atom. None looks for none.

    Attributes
    ----------
    encoding_ : str, None or transformer
        `encoding`, with the choice that ``"auto"`` made.

    schema_ : TableSchema
        The columns, of what kind they are, and the container of the table.

    groups_ : list of ColumnGroup
        Which columns of the matrix belong to which columns of the table.

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
    >>> encoder = TableEncoder("minmax").fit(table)
    >>> encoder.transform(table).round(2)
    array([[0.  , 0.  , 1.  , 0.  , 0.  ],
           [0.35, 0.17, 0.  , 1.  , 0.  ],
           [1.  , 1.  ,  nan,  nan, 1.  ]])
    >>> encoder.inverse_transform(np.array([[0.5, 1.0, 0.7, 0.3, 0.0]]))
       age region  paid
    0   49      N   9.0
    """

    def __init__(
        self,
        encoding="auto",
        image_shape=None,
        left_out=(),
        categorical_features="from_dtype",
        min_atom_share=None,
    ):
        self.encoding = encoding
        self.image_shape = image_shape
        self.left_out = left_out
        self.categorical_features = categorical_features
        self.min_atom_share = min_atom_share

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
            If a column cannot be read, if every column is constant, if the scaler
            changes the number of columns, if columns are not those of `image_shape`,
            or if a parameter names an unknown column or `left_out` all of them.

        Warns
        -----
        UserWarning
            If a column looks like an identifier.
        """
        self.encoding_ = self._choose_encoding()
        if self._is_image:
            self.schema_ = TableSchema.of_pixels(table, self.left_out)
            check_images(self.image_shape, len(self.schema_.kept), self.encoding_)
            self.groups_ = [pixel_group(self.schema_)]
        else:
            self.schema_ = TableSchema.of(
                table, self.left_out, self.categorical_features, self.min_atom_share
            )
            self.groups_ = groups_of(self.schema_)
        if not self.groups_:
            self._raise_constant(len(table))
        numbers = self._learn_numbers(table)
        if self._is_image and (numbers == numbers[0]).all():
            self._raise_constant(len(table))
        return self

    def _raise_constant(self, n_rows):
        raise ValueError(
            f"All {len(self.schema_.kept)} columns are constant over the {n_rows} rows "
            "of X; expected at least one column that varies."
        )

    def _learn_numbers(self, table):
        """Learn the scale of numeric columns, and tell groups that of their atoms."""
        positions = self.numeric
        columns = [self.schema_.columns[position] for position in positions]
        numbers = ScaledNumbers(columns, positions, self.encoding_, self._is_image)
        floats = numbers.floats(table)
        self._numbers = numbers.fit(floats)
        self.groups_ = [
            replace(group, atom_scores=tuple(map(numbers.atom_scores, group.columns)))
            if group.kind in WITH_ATOMS
            else group
            for group in self.groups_
        ]
        return floats

    @property
    def scaler_(self):
        """The fitted scaler of the numeric columns, None if there are none."""
        return self._numbers.scaler

    @property
    def _is_image(self) -> bool:
        return self.image_shape is not None

    def _choose_encoding(self):
        if isinstance(self.encoding, str) and self.encoding == "auto":
            return "minmax" if self._is_image else "quantile"
        return self.encoding

    def transform(self, table) -> np.ndarray:
        """Return the matrix of a table.

        Parameters
        ----------
        table : DataFrame or ndarray of shape (n_samples, n_features)
            Rows with the columns that fit saw.

        Returns
        -------
        matrix : ndarray of shape (n_samples, width)
            Float64 numbers, NaN where a cell is missing.

        Raises
        ------
        ValueError
            If a column cannot be read as in fit, or its scaled values leave the range
            of float32, in which networks train.

        Warns
        -----
        UserWarning
            If a column has levels that fit never saw.
        """
        numbers = self._numbers.floats(table)
        return self._matrix(table, numbers, self._numbers.scale(numbers))

    def training_matrix(self, table, random_state) -> np.ndarray:
        """Return the matrix of the training table, with tied values spread out.

        Under ``encoding="quantile"`` a value that several rows share is drawn from the
        ranks that they have together, so that scaled columns are continuous. The way
        back takes all of these to the one value.

        Parameters
        ----------
        table : DataFrame or ndarray of shape (n_samples, n_features)
            The rows that fit saw.

        random_state : RandomState
            What to draw from.

        Returns
        -------
        matrix : ndarray of shape (n_samples, width)
            As `transform` gives it, but for ties.
        """
        numbers = self._numbers.floats(table)
        scaled = self._numbers.spread(numbers, random_state)
        return self._matrix(table, numbers, scaled)

    def _matrix(self, table, numbers, scaled):
        """Return the matrix, given the numeric columns and what they are scaled to."""
        if len(self.groups_) == 1 and self.groups_[0].kind in ("continuous", "pixel"):
            return scaled
        matrix = np.zeros((len(numbers), self.width))
        matrix[:, self.value_columns] = scaled
        unseen = {}
        for group in self.groups_:
            parts = [matrix[:, part] for part in group.parts]
            for position, part in zip(group.columns, parts, strict=True):
                column = self.schema_.columns[position]
                if group.kind in WITH_ATOMS:
                    number = numbers[:, self._numbers.place(position)]
                    write_atoms(part, number, column.atoms, group.scores_of(position))
                elif group.kind not in NUMERIC:
                    cells = cells_at(table, position)
                    levels = write(part, group.kind, column, cells)
                    unseen.setdefault(column.name, []).extend(levels)
        warn_of_unseen(unseen)
        return matrix

    def inverse_transform(self, matrix, index=None, left_out=None, random_state=None):
        """Return the table of a matrix, in the units and dtypes that fit saw.

        Parameters
        ----------
        matrix : ndarray of shape (n_samples, width)
            Scaled values, and weights of atoms and levels, of which the largest
            counts. A cell is missing where its value is NaN, or where the matrix says
            so for sure, by a 1.

        index : pandas Index, default=None
            The row labels of the table, where it is a DataFrame.

        left_out : DataFrame of shape (n_samples, n_left_out), default=None
            The cells of the columns left out, in the order of the parameter
            `left_out`. Needed where there are any.

        random_state : RandomState, default=None
            Draws levels that are too rare to have a column of their own. Without one,
            the commonest stands for all.

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
        numbers = self._unscaled(matrix)
        schema = self.schema_
        if self._is_image and not (schema.is_dataframe or schema.left_out):
            return array_of(schema.columns[0].dtype, numbers)
        holes = self._holes(matrix)
        cells = {}
        for group in self.groups_:
            for position, part in zip(group.columns, group.parts, strict=True):
                column, values = schema.columns[position], matrix[:, part]
                hole = holes.get(position, np.zeros(len(matrix), dtype=bool))
                if group.kind in NUMERIC:
                    number = numbers[:, self._numbers.place(position)]
                    cells[position] = column.cells(np.where(hole, np.nan, number))
                elif group.kind == "boolean":
                    cells[position] = column.cells(np.where(hole, np.nan, values[:, 0]))
                elif group.kind in LEVELS:
                    cells[position] = column.cells(codes_of(values, hole), random_state)
                elif column.group is None:  # one value, or none
                    cells[position] = column.cells(len(matrix)).reset_index(drop=True)
                    cells[position][hole] = None
        return schema.table(cells, len(matrix), index, left_out)

    def _unscaled(self, matrix):
        """Return the numeric columns of a matrix in their own units."""
        numbers = self._numbers.unscale(matrix[:, self.value_columns])
        for group in self.groups_:
            if group.kind not in WITH_ATOMS:
                continue
            for position, part in zip(group.columns, group.parts, strict=True):
                place = self._numbers.place(position)
                atoms = self.schema_.columns[position].atoms
                values = with_atoms(numbers[:, place], matrix[:, part], atoms)
                numbers[:, place] = values
        return numbers

    def without_holes(self, matrix) -> np.ndarray:
        """Return a matrix that says of no cell that it is missing.

        Parameters
        ----------
        matrix : ndarray of shape (n_samples, width)
            Encoded rows.

        Returns
        -------
        matrix : ndarray of shape (n_samples, width)
            The same otherwise.
        """
        matrix = matrix.copy()
        for group in self.groups_:
            if group.kind == "missing":
                matrix[:, group.matrix_columns] = 0.0
        return matrix

    def mean_rows(self, drawn, decoded, weights) -> np.ndarray:
        """Return the mean of several encoded rows for each row of the table.

        Numbers are averaged in their own units, so that they are the best guess there;
        levels, by their weights.

        Parameters
        ----------
        drawn : ndarray of shape (n_samples * n_draws, width)
            Encoded rows, those for one row of the table one below the other.

        decoded : ndarray of shape (n_samples * n_draws, width)
            The means of the distributions that these are drawn from.

        weights : ndarray of shape (n_samples, n_draws)
            What each of them counts; the rows sum to 1.

        Returns
        -------
        mean : ndarray of shape (n_samples, width)
            Encoded rows.
        """

        def averaged(rows):
            rows = rows.reshape(*weights.shape, -1)
            return np.einsum("nd,ndw->nw", weights, rows)

        mean = averaged(decoded)
        numbers = averaged(self._unscaled(drawn))
        mean[:, self.value_columns] = self._numbers.scale(numbers)
        for group in self.groups_:
            if group.kind in WITH_ATOMS:  # a mean is none
                atoms = [c for p in group.parts for c in range(p.start + 1, p.stop)]
                mean[:, atoms] = 0.0
        return mean

    def _holes(self, matrix):
        """Return where cells are missing for sure, by the position of the column."""
        return {
            position: matrix[:, start] == 1
            for group in self.groups_
            if group.kind == "missing"
            for position, start in zip(group.columns, group.starts, strict=True)
        }

    def scaled_values(self, position, numbers) -> np.ndarray:
        """Return numbers of one column as they are scaled.

        Parameters
        ----------
        position : int
            The column of the table, which is numeric.

        numbers : ndarray of shape (n_values,)
            Its numbers.

        Returns
        -------
        scaled : ndarray of shape (n_values,)
            Their scaled values.
        """
        return self._numbers.scaled_values(position, numbers)

    def encoded_cell(self, position, value) -> np.ndarray:
        """Return the encoded row of which only one cell is known.

        Parameters
        ----------
        position : int
            The column of the table, which is modelled.

        value : object
            Its cell; None if that is missing.

        Returns
        -------
        row : ndarray of shape (width,)
            NaN but in the columns of the matrix that belong to the cell.
        """
        row = np.full((1, self.width), np.nan)
        column = self.schema_.columns[position]
        cells = pd.Series([value], dtype=object)
        if value is not None:
            cells = cells.infer_objects()
        for group in self.groups_:
            if position not in group.columns:
                continue
            place = group.columns.index(position)
            part = row[:, group.parts[place]]
            part[:] = 0.0
            if group.kind in NUMERIC:
                missing = np.array([np.nan])
                number = missing if value is None else column.numbers(cells)
                part[:, 0] = self.scaled_values(position, number)
                if group.kind in WITH_ATOMS:
                    write_atoms(part, number, column.atoms, group.scores_of(position))
            else:
                write(part, group.kind, column, cells)
        return row[0]

    def within_training(self, matrix) -> np.ndarray:
        """Return a matrix whose numbers lie within the range of the training rows.

        Parameters
        ----------
        matrix : ndarray of shape (n_samples, width)
            Scaled values.

        Returns
        -------
        clipped : ndarray of shape (n_samples, width)
            The same, where they were within it.
        """
        clipped = matrix.copy()
        values = self.value_columns
        clipped[:, values] = self._numbers.clip(matrix[:, values])
        return clipped

    def calibrated(self, matrix) -> np.ndarray:
        """Return a matrix whose numbers are distributed as those of the training rows.

        Atoms and levels stay, and so does the order of the values of each column.

        Parameters
        ----------
        matrix : ndarray of shape (n_samples, width)
            Encoded rows, many of them.

        Returns
        -------
        calibrated : ndarray of shape (n_samples, width)
            The same, each column of numbers moved to the quantiles that it had in
            training.
        """
        calibrated = matrix.copy()
        for group in self.groups_:
            if group.kind not in ("continuous", "mixed"):
                continue
            for position, part in zip(group.columns, group.parts, strict=True):
                is_atom = (matrix[:, part.start + 1 : part.stop] > 0.5).any(axis=1)
                rows = np.flatnonzero(~is_atom)
                values = calibrated[rows, part.start]
                place = self._numbers.place(position)
                calibrated[rows, part.start] = self._numbers.calibrate(place, values)
        return calibrated
