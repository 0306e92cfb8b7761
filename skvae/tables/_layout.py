"""How the columns of a table lie in the encoded matrix."""

from dataclasses import replace

import numpy as np

from skvae._core.columns import ColumnGroup
from skvae._core.errors import ModelFileError
from skvae.tables._column import Column
from skvae.tables._wording import listed

# Groups whose columns begin with the scaled value of a number.
NUMERIC = ("continuous", "mixed", "discrete", "pixel")
WITH_ATOMS = ("mixed", "discrete")
LEVELS = ("categorical", "ordinal")
# The groups, in the order of the matrix.
_KINDS = ("continuous", "mixed", "discrete", "boolean", "categorical", "ordinal")


def groups_of(schema) -> list[ColumnGroup]:
    """Return which columns of the matrix belong to which columns of the table.

    Parameters
    ----------
    schema : TableSchema
        The table.

    Returns
    -------
    groups : list of ColumnGroup
        Of those kinds that the table has, and of kind ``"missing"`` behind them, of
        which each column says where a cell is missing.
    """
    members = {kind: [] for kind in (*_KINDS, "missing")}
    for position in schema.kept:
        column = schema.columns[position]
        if column.group is not None:
            members[column.group].append((position, column.width))
        if 0 < column.missing_share < 1:
            members["missing"].append((position, 1))
    groups, start = [], 0
    for kind, columns in members.items():
        if columns:
            group = ColumnGroup(kind, *map(tuple, zip(*columns, strict=True)), start)
            groups.append(group)
            start += group.width
    return groups


def pixel_group(schema) -> ColumnGroup:
    """Return the group of the pixels of images."""
    return ColumnGroup("pixel", schema.kept, (1,) * len(schema.kept), 0)


class MatrixLayout:
    """Where the columns of a table are in the encoded matrix.

    For those that have `image_shape` and have learned `schema_` and `groups_`.
    """

    def _check_stored(self):
        """Say so where a file has other groups than the table of its schema."""
        of_schema = groups_of(self.schema_)
        if self.image_shape is not None:
            of_schema = [pixel_group(self.schema_)]
        if [replace(group, atom_scores=()) for group in self.groups_] != of_schema:
            raise ModelFileError("The matrix is not that of the table's columns.")

    @property
    def width(self) -> int:
        """How many columns the matrix has."""
        return sum(group.width for group in self.groups_)

    @property
    def modelled(self) -> tuple[int, ...]:
        """Positions of the columns of the table that have a part in the matrix."""
        return tuple(sorted({p for group in self.groups_ for p in group.columns}))

    @property
    def numeric(self) -> list[int]:
        """Positions of the columns of numbers in the table, in the matrix' order."""
        return [p for g in self.groups_ if g.kind in NUMERIC for p in g.columns]

    @property
    def value_columns(self) -> list[int]:
        """Columns of the matrix that hold the scaled values of numbers."""
        return [s for g in self.groups_ if g.kind in NUMERIC for s in g.starts]

    def table_columns(self) -> np.ndarray:
        """Return the position of the table column that each matrix column belongs to.

        Returns
        -------
        positions : ndarray of shape (width,)
            Positions in the table.
        """
        return np.concatenate([np.repeat(g.columns, g.widths) for g in self.groups_])

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
        return self.schema_.columns[self.table_columns()[matrix_column]]

    def matrix_column(self, name) -> int:
        """Return the column of the matrix that holds the values of a numeric column.

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
            If no column has that name, it takes no part in the matrix, or it is not
            numeric.
        """
        names = self.schema_.names
        if name not in names:
            raise ValueError(
                f"Got column {name!r}; expected one of those of X: {listed(names)}."
            )
        position, numeric = names.index(name), self.numeric
        if position not in self.modelled:
            raise ValueError(
                f"Column {name!r} takes no part in the encoded table, as it is "
                "constant or a condition; expected one that varies and is modelled."
            )
        if position not in numeric:
            kind = self.schema_.columns[position].kind
            raise ValueError(
                f"Column {name!r} is {kind}; expected a column of numbers."
            )
        return self.value_columns[numeric.index(position)]
