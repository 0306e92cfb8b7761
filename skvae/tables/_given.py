"""What is asked of the columns of rows to come, in the encoded matrix."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd

from skvae.tables._date import Date
from skvae.tables._encoder import TableEncoder
from skvae.tables._levels import MISSING, Levels
from skvae.tables._number import Boolean, Number
from skvae.tables._unmodelled import Constant
from skvae.tables._wording import listed


@dataclass(frozen=True)
class Given:
    """What is asked of rows, for the matrix and for the table.

    Parameters
    ----------
    row : ndarray of shape (width,)
        The encoded cells that are given as such, NaN elsewhere.

    low, high : ndarray of shape (width,)
        Between them lie the scaled values of numbers; infinite where nothing is asked.

    allowed : ndarray of shape (width,)
        Which levels and atoms may be.

    cells : dict of int to object
        The cells that are given as such, by the position of the column, in its type.

    ranges : dict of int to tuple
        The first and the last cell of the ranges of others.
    """

    row: np.ndarray
    low: np.ndarray
    high: np.ndarray
    allowed: np.ndarray
    cells: dict
    ranges: dict

    @property
    def asked(self) -> tuple:
        """What is asked of columns whose cells are not given as such."""
        return self.low, self.high, self.allowed

    @classmethod
    def of(cls, encoder: TableEncoder, given) -> "Given":
        """Read what a user asks of the columns of a table.

        Parameters
        ----------
        encoder : TableEncoder
            Fitted.

        given : dict
            By the name of a column: a value; a pair ``(low, high)`` that numbers and
            dates lie between, ends included, None for an open one; a list of values; or
            None for missing.

        Returns
        -------
        given : Given
            The same, encoded.

        Raises
        ------
        ValueError
            If a name is not that of a modelled column, or if no row of the table could
            have such a value.
        """
        if not isinstance(given, Mapping):
            raise ValueError(
                f"Got given={given!r}; expected a dictionary of columns, e.g. "
                '{"EDUCATION": 2, "AGE": (25, 35)}.'
            )
        width = encoder.width
        made = cls(
            np.full(width, np.nan),
            np.full(width, -np.inf),
            np.full(width, np.inf),
            np.ones(width, dtype=bool),
            {},
            {},
        )
        for name, asked in given.items():
            made._ask(encoder, name, asked)
        return made

    def _ask(self, encoder, name, asked):
        position = _position(encoder, name)
        column = encoder.schema_.columns[position]
        part = _part(encoder, position)
        if isinstance(asked, list | set | frozenset):
            self._ask_any(column, part, position, list(asked))
        elif isinstance(asked, tuple):
            self._ask_range(encoder, column, part, position, asked)
        else:
            self._ask_cell(encoder, column, position, asked)
            return
        is_hole = encoder.table_columns() == position
        is_hole[part] = False
        self.row[is_hole] = 0.0  # whatever it is, it is there

    def _ask_cell(self, encoder, column, position, asked):
        is_missing = pd.isna(asked)
        if np.ndim(is_missing):
            raise _impossible(column, asked, "expected a value, (low, high) or a list")
        if is_missing and column.missing_share == 0:
            raise _impossible(column, asked, "it has no missing cells in training")
        cell = None if is_missing else _own_cell(column, asked)
        self.cells[position] = cell
        encoded = encoder.encoded_cell(position, cell)
        is_own = encoder.table_columns() == position
        self.row[is_own] = encoded[is_own]

    def _ask_any(self, column, part, position, asked):
        if isinstance(column, Levels):
            known = pd.Series(asked, dtype=object)
            codes, unseen = column.codes(known)
            if unseen or not asked or MISSING in codes:
                raise _impossible(column, asked, f"its levels are {column.holds}")
            if set(asked) & set(column.rare):
                reason = "rare levels share one place: expected one of them by itself"
                raise _impossible(column, asked, reason)
            self.allowed[part] = np.isin(np.arange(column.width), codes)
        elif isinstance(column, Number) and asked and _are_atoms(column, asked):
            self.allowed[part] = [False, *np.isin(column.atoms, asked)]
        else:
            raise _impossible(column, asked, "expected a value, or (low, high)")

    def _ask_range(self, encoder, column, part, position, asked):
        if isinstance(column, Boolean | Levels | Constant):
            raise _impossible(column, asked, "ranges (low, high) are for numbers")
        if len(asked) != 2:
            raise _impossible(column, asked, "a range has two ends, (low, high)")
        ends = _ends(column, asked)
        if not ends[0] <= ends[1]:
            raise _impossible(column, asked, "expected (low, high) with low <= high")
        decimals = _decimals(column)
        if decimals is None and ends[0] == ends[1]:  # no share of the values
            self._ask_cell(encoder, column, position, asked[0])
            return
        ends = _rounded_inwards(ends, decimals)
        if ends[1] < column.low or ends[0] > column.high or ends[0] > ends[1]:
            raise _impossible(column, asked, f"its values are {column.holds}")
        self.ranges[position] = tuple(column.cells(ends))
        # A value stands for all that is rounded to it.
        half = 0.0 if decimals is None else 0.5 * 10.0**-decimals
        scaled = encoder.scaled_values(position, ends + [-half, half])
        self.low[part.start], self.high[part.start] = scaled
        if column.atoms:
            atoms = np.array(column.atoms)
            inside = (atoms >= ends[0]) & (atoms <= ends[1])
            self.allowed[part.start + 1 : part.stop] = inside
            if column.is_discrete and not inside.any():
                raise _impossible(column, asked, f"its values are {column.holds}")

    def written_into(self, table, schema):
        """Return a table with the cells that were given, and ranges kept exactly.

        Parameters
        ----------
        table : DataFrame or ndarray of shape (n_samples, n_features)
            Drawn rows.

        schema : TableSchema
            Of the table.

        Returns
        -------
        table : DataFrame or ndarray of shape (n_samples, n_features)
            The same rows, changed; an array in place.
        """
        if not isinstance(table, pd.DataFrame):
            for position, asked in self.cells.items():
                table[:, position] = np.nan if asked is None else asked
            for position, ends in self.ranges.items():
                table[:, position] = table[:, position].clip(*ends)
            return table
        columns = {p: table.iloc[:, p] for p in range(table.shape[1])}
        for position, asked in self.cells.items():
            cells = pd.Series([asked] * len(table), dtype=object)
            cast = schema.columns[position].cast(cells)
            columns[position] = cast.set_axis(table.index)
        for position, ends in self.ranges.items():
            cells = columns[position]
            columns[position] = cells.clip(*ends).astype(cells.dtype)
        written = pd.DataFrame(columns, index=table.index)
        written.columns = table.columns
        return written


def _position(encoder, name):
    names = encoder.schema_.names
    if name not in names:
        raise ValueError(
            f"Got given[{name!r}]; expected columns of X, among {listed(names)}."
        )
    position = names.index(name)
    if position in encoder.schema_.left_out:
        raise ValueError(
            f"Got given[{name!r}], which is a condition of the model; expected it in "
            "condition=."
        )
    if position not in encoder.modelled:
        kind = encoder.schema_.columns[position].kind
        raise ValueError(
            f"Got given[{name!r}], a column that takes no part, as it is {kind}; "
            "expected a column that is modelled."
        )
    return position


def _part(encoder, position):
    """Return the matrix columns of the values of a column."""
    for group in encoder.groups_:
        if position in group.columns:
            return group.parts[group.columns.index(position)]
    raise AssertionError("modelled columns are in a group")


def _own_cell(column, asked):
    """Return a value as a column holds it, or say why it does not."""
    if isinstance(column, Levels):
        _, unseen = column.codes(pd.Series([asked], dtype=object))
        if unseen:
            raise _impossible(column, asked, f"its levels are {column.holds}")
        return asked
    if isinstance(column, Constant):  # with holes
        if asked != column.cells(1).iloc[0]:
            raise _impossible(column, asked, f"it holds {column.holds}")
        return asked
    number = _numbers(column, [asked])[0]
    _check_value(column, asked, number)
    if isinstance(column, Date) and column.dtype != object:  # exact over centuries
        return _dates(column, [asked]).iloc[0]
    return column.cells(np.array([number])).iloc[0]


def _check_value(column, asked, number):
    if isinstance(column, Boolean):
        if number not in (0, 1):
            raise _impossible(column, asked, f"it holds {_held(column)}")
        return
    is_outside = not column.low <= number <= column.high
    if is_outside or (column.is_discrete and number not in column.atoms):
        raise _impossible(column, asked, f"its values are {column.holds}")
    decimals = _decimals(column)
    if decimals is not None and np.round(number, decimals) != number:
        digits = f"{decimals} digits after the point"
        unit = "the unit of its dates" if isinstance(column, Date) else digits
        raise _impossible(column, asked, f"its values are rounded to {unit}")


def _are_atoms(column, values):
    return all(value in column.atoms for value in values)


def _decimals(column):
    """Return the digits to which the numbers of a column are rounded, if at all."""
    return 0 if isinstance(column, Date) else column.decimals


def _ends(column, asked):
    """Return the ends of a range as numbers, those of training where it is open."""
    ends = np.array([column.low, column.high])
    for place, end in enumerate(asked):
        is_open = end is None or (isinstance(end, Real) and np.isinf(end))
        if not is_open:
            ends[place] = _numbers(column, [end])[0]
        elif end is not None and (end > 0) != bool(place):
            raise _impossible(column, asked, "expected (low, high) with low <= high")
    return ends


def _rounded_inwards(ends, decimals):
    """Return the first and the last rounded number between two ends."""
    if decimals is None:
        return ends
    low, high = np.round(ends, decimals)
    unit = 10.0**-decimals
    inner = [low + unit * (low < ends[0]), high - unit * (high > ends[1])]
    return np.round(inner, decimals)


def _numbers(column, values):
    """Return values as the numbers of a column."""
    try:
        is_date = isinstance(column, Date)
        cells = _dates(column, values) if is_date else pd.Series(values)
        numbers = column.numbers(cells)
    except (ValueError, TypeError) as error:
        raise _impossible(column, values, f"it holds {_held(column)}") from error
    if np.isnan(numbers).any():
        raise _impossible(column, values, "expected known values")
    return numbers


def _dates(column, values):
    """Return dates as a column holds them; strings may stand for them."""
    cells = pd.Series(values).astype(object)  # without the zone, if need be
    return (
        pd.to_datetime(cells) if column.dtype == object else cells.astype(column.dtype)
    )


def _held(column):
    return "True and False" if isinstance(column, Boolean) else column.holds


def _impossible(column, asked, reason):
    return ValueError(f"Got given[{column.name!r}]={asked!r}, but {reason}.")
