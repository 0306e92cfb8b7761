"""What a table looks like: its columns, their kinds, its container."""

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral

import numpy as np
import pandas as pd

from skvae._core.storing import storable
from skvae.tables._column import Column, dtype_from
from skvae.tables._date import Date
from skvae.tables._kinds import column_of
from skvae.tables._levels import Levels
from skvae.tables._number import Boolean, Number, in_kind_of
from skvae.tables._unmodelled import Constant, Identifier
from skvae.tables._wording import listed

_CLASS_OF_KIND = {
    "kept aside": Column,
    "continuous": Number,
    "integer": Number,
    "boolean": Boolean,
    "datetime": Date,
    "categorical": Levels,
    "ordinal": Levels,
    "constant": Constant,
    "identifier": Identifier,
}


@storable
@dataclass(frozen=True)
class TableSchema:
    """The columns of a table, of what kind they are, and the container it came in.

    Parameters
    ----------
    columns : tuple of Column
        The columns in order.

    is_dataframe : bool
        Whether the table was a DataFrame; otherwise it was an array.

    left_out : tuple of int, default=()
        Positions of columns that are kept aside, in the order in which their cells are
        given back.

    Examples
    --------
    >>> import pandas as pd
    >>> from skvae.tables import TableSchema
    >>> table = pd.DataFrame(
    ...     {
    ...         "age": [18, 40, 80],
    ...         "region": ["N", "S", None],
    ...         "since": pd.to_datetime(["2020-01-01", "2021-06-30", "2024-02-29"]),
    ...         "bank": "B1",
    ...     }
    ... )
    >>> schema = TableSchema.of(table)
    >>> schema.describe()[["kind", "missing"]]
                   kind  missing
    age         integer     0.00
    region  categorical     0.33
    since      datetime     0.00
    bank       constant     0.00
    >>> TableSchema.from_dict(schema.to_dict()) == schema
    True
    """

    columns: tuple[Column, ...]
    is_dataframe: bool
    left_out: tuple[int, ...] = ()

    @classmethod
    def of(
        cls, table, left_out=(), categorical_features="from_dtype", min_atom_share=None
    ) -> "TableSchema":
        """Read the schema off a DataFrame or a two-dimensional array.

        Parameters
        ----------
        table : DataFrame or ndarray of shape (n_samples, n_features)
            The training rows.

        left_out : sequence, default=()
            Columns that are kept aside: names of a DataFrame's, positions of an
            array's.

        categorical_features : "from_dtype" or array-like, default="from_dtype"
            Columns that are categorical beside those whose dtype says so: names or
            positions, or a boolean mask.

        min_atom_share : float or None, default=None
            Share of the rows from which on a number may be an atom.

        Returns
        -------
        schema : TableSchema
            Its columns and container.

        Raises
        ------
        ValueError
            If a name is not that of a column, if `left_out` names one twice or all of
            them, or if a column cannot be read.

        Warns
        -----
        UserWarning
            If a column looks like an identifier.
        """
        is_dataframe = isinstance(table, pd.DataFrame)
        names = list(table.columns) if is_dataframe else list(range(table.shape[1]))
        aside = _positions(names, left_out)
        categorical = _categorical_positions(names, categorical_features)
        columns = []
        for position, name in enumerate(names):
            values = cells_at(table, position)
            if position in aside:
                columns.append(Column(name, values.dtype))
            else:
                is_categorical = position in categorical
                columns.append(column_of(name, values, is_categorical, min_atom_share))
        return cls(tuple(columns), is_dataframe, aside)

    @classmethod
    def of_pixels(cls, table, left_out=()) -> "TableSchema":
        """Read the schema off the rows of images, whose columns are plain numbers.

        Parameters
        ----------
        table : DataFrame or ndarray of shape (n_samples, n_pixels)
            The training images.

        left_out : sequence, default=()
            Columns that are kept aside.

        Returns
        -------
        schema : TableSchema
            Its columns and container.
        """
        is_dataframe = isinstance(table, pd.DataFrame)
        names = list(table.columns) if is_dataframe else list(range(table.shape[1]))
        if is_dataframe:
            of_columns = table.dtypes.tolist()
        else:
            of_columns = [table.dtype] * len(names)
        aside = _positions(names, left_out)
        columns = [
            (Column if position in aside else Number)(name, dtype)
            for position, (name, dtype) in enumerate(
                zip(names, of_columns, strict=True)
            )
        ]
        return cls(tuple(columns), is_dataframe, aside)

    @property
    def names(self) -> list:
        """What the columns are called."""
        return [column.name for column in self.columns]

    @property
    def kept(self) -> tuple[int, ...]:
        """Positions of the columns that are not kept aside, ascending."""
        aside = set(self.left_out)
        return tuple(p for p in range(len(self.columns)) if p not in aside)

    def describe(self) -> pd.DataFrame:
        """Return the columns as a table.

        Returns
        -------
        columns : DataFrame of shape (n_features, 4)
            ``kind``, ``dtype``, the share of ``missing`` cells, and what a column
            ``holds``: its range, atoms or levels.
        """
        rows = [
            (
                column.kind,
                str(column.dtype),
                round(column.missing_share, 2),
                column.holds,
            )
            for column in self.columns
        ]
        columns = ["kind", "dtype", "missing", "holds"]
        return pd.DataFrame(rows, index=self.names, columns=columns)

    def __repr__(self) -> str:
        container = "DataFrame" if self.is_dataframe else "array"
        table = self.describe().to_string(max_colwidth=48, justify="left")
        return f"TableSchema of {len(self.columns)} columns ({container})\n{table}"

    def to_dict(self) -> dict:
        """Return the schema in values that JSON can hold.

        Returns
        -------
        schema : dict
            ``"container"``, ``"columns"``, a dictionary each, and ``"left_out"``.

        Raises
        ------
        ValueError
            If a level is neither string, number nor boolean.
        """
        return {
            "container": "DataFrame" if self.is_dataframe else "array",
            "columns": [column.facts for column in self.columns],
            "left_out": list(self.left_out),
        }

    @classmethod
    def from_dict(cls, schema: dict) -> "TableSchema":
        """Return the schema that `to_dict` was called of.

        Parameters
        ----------
        schema : dict
            As `to_dict` returns it, also by way of JSON.

        Returns
        -------
        schema : TableSchema
            The same schema.
        """
        return cls(
            tuple(_column_from(facts) for facts in schema["columns"]),
            schema["container"] == "DataFrame",
            tuple(schema["left_out"]),
        )

    def table(self, cells: dict, n_rows: int, index=None, left_out=None):
        """Put columns together to a table with this schema.

        Parameters
        ----------
        cells : dict of int to Series
            The cells of the columns by their positions. Constants and identifiers,
            which need none, may lack.

        n_rows : int
            How many rows there are.

        index : pandas Index, default=None
            The row labels of a DataFrame.

        left_out : DataFrame of shape (n_samples, n_left_out), default=None
            The cells of the columns kept aside, in the order of `left_out`; what its
            columns are called does not count.

        Returns
        -------
        table : DataFrame or ndarray of shape (n_samples, n_features)
            The container, names and dtypes that the schema holds. A column kept aside
            has another dtype where its own cannot hold the given cells, and so has an
            array, whose columns share one.

        Raises
        ------
        ValueError
            If `left_out` is not a cell for each row and each column kept aside.
        """
        self._check_left_out(left_out, n_rows)
        cells = dict(cells)
        for number, position in enumerate(self.left_out):
            cells[position] = self.columns[position].cast(left_out.iloc[:, number])
        in_order = [
            cells[position] if position in cells else column.cells(n_rows)
            for position, column in enumerate(self.columns)
        ]
        if not self.is_dataframe:
            return np.column_stack(in_order)
        columns = {n: c.set_axis(range(n_rows)) for n, c in enumerate(in_order)}
        table = pd.DataFrame(columns, index=range(n_rows))
        table.columns = pd.Index(self.names)
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


def array_of(dtype, numbers: np.ndarray) -> np.ndarray:
    """Return numbers as an array of a dtype that may be one of integers."""
    return in_kind_of(dtype, numbers).astype(dtype)


def cells_at(table, position) -> pd.Series:
    """Return the cells of one column of a DataFrame or an array."""
    if isinstance(table, pd.DataFrame):
        return table.iloc[:, position]
    return pd.Series(table[:, position], copy=False)


def _column_from(facts):
    """Return the column of the facts that `Column.facts` gave."""
    facts = dict(facts)
    column = _CLASS_OF_KIND[facts.pop("kind")]
    dtype = dtype_from(facts.pop("dtype"))
    return column(dtype=dtype, **{name: _hashable(f) for name, f in facts.items()})


def _hashable(fact):
    """Return a fact as a column has it: tuples, of which JSON makes lists."""
    return tuple(map(_hashable, fact)) if isinstance(fact, list) else fact


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


def _categorical_positions(names, categorical_features) -> set[int]:
    """Return which columns are categorical whatever their dtype."""
    if isinstance(categorical_features, str) and categorical_features == "from_dtype":
        return set()
    is_list = isinstance(categorical_features, Iterable)
    if isinstance(categorical_features, str) or not is_list:
        raise ValueError(
            f"Got categorical_features={categorical_features!r}; expected "
            '"from_dtype", names or positions of columns, or a boolean mask.'
        )
    chosen = list(categorical_features)
    if chosen and all(isinstance(item, bool | np.bool_) for item in chosen):
        if len(chosen) != len(names):
            raise ValueError(
                f"Got categorical_features as a mask of {len(chosen)} entries; "
                f"expected one for each of the {len(names)} columns of X."
            )
        return set(np.flatnonzero(chosen).tolist())
    position_of = {name: position for position, name in enumerate(names)}
    positions = set()
    for item in chosen:
        is_position = isinstance(item, Integral) and 0 <= item < len(names)
        if item in position_of:
            positions.add(position_of[item])
        elif is_position:
            positions.add(int(item))
        else:
            raise ValueError(
                f"Got {item!r} in categorical_features; expected columns among "
                f"{listed(names)}."
            )
    return positions
