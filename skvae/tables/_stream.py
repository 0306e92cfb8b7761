"""A table that need not fit in memory, piece by piece."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from numbers import Integral
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api import types as dtypes
from sklearn.utils import check_random_state, check_scalar

from skvae._core.chunking import row_chunks
from skvae._core.errors import StreamError
from skvae._core.reservoir import Reservoir
from skvae.tables._parts import parts_of
from skvae.tables._survey import Survey, joined

_MAX_SEED = np.iinfo(np.int32).max
# Parts that are read in turn: rows of one are alike where a table is sorted.
_AT_ONCE = 4


class Piece(NamedTuple):
    """Some rows of a stream, and the position of the first of them among all."""

    start: int
    rows: pd.DataFrame | np.ndarray


class TableStream:
    """A table that need not fit in memory.

    ``fit`` of every model takes it in place of a table. Its rows are read in pieces:
    once to learn what columns hold, and once more in every epoch.

    Parameters
    ----------
    source : path, array of shape (n_samples, n_features), list, iterable or callable
        Where rows come from: a Parquet file, or a folder of them (``pip install
        'skvae[parquet]'``); an array, such as a memory map of the disk
        (``numpy.load(path, mmap_mode="r")``); or tables one below the other,
        DataFrames or arrays, in a list, in something else that can be iterated over
        again and again, or from a function that returns a new iterator in every call.

    columns : list, default=None
        Which columns to take, by name, or by position where rows are those of arrays.
        None takes all.

    rows_per_piece : int, default=65_536
        The most rows that are read, checked and encoded at once.

    Raises
    ------
    StreamError
        If there are no rows in `source`, or if they cannot be read a second time.
        While rows are read: if a piece has none, or has other columns, or columns of
        another kind, than the first one.

    TypeError, ValueError
        If `rows_per_piece` is no integer of at least 1.

    ModuleNotFoundError
        If `source` is a path, and pyarrow is not installed.

    See Also
    --------
    skvae.integrations.parquet : Writes what a model makes of a stream.

    Notes
    -----
    Parts that can be read on their own (row groups of Parquet, pieces of an array,
    tables of a list) are read in another order in every epoch, four at once and in
    turn, and rows are shuffled among some hundred thousand. Where rows come from an
    iterator their order is its own: if it means something, as that of dates, shuffle
    the rows on disk.

    Examples
    --------
    >>> from skvae import BetaTCVAE
    >>> from skvae.datasets import make_credit_portfolio
    >>> from skvae.tables import TableStream
    >>> def months():
    ...     for month in range(12):
    ...         yield make_credit_portfolio(500, random_state=month).data
    >>> stream = TableStream(months)
    >>> model = BetaTCVAE(max_epochs=3, random_state=0).fit(stream)
    >>> model.n_features_in_
    23

    For all that looks at a few rows only, such as a search, there is a sample:

    >>> stream.sample(1000, random_state=0).shape
    (1000, 23)
    """

    def __init__(self, source, *, columns=None, rows_per_piece=65_536):
        self.source = source
        self.columns = columns
        self.rows_per_piece = check_scalar(
            rows_per_piece, "rows_per_piece", Integral, min_val=1
        )
        self._parts = parts_of(source, columns, rows_per_piece)
        self._survey = None

    def __iter__(self) -> Iterator[pd.DataFrame | np.ndarray]:
        for piece in self.pieces():
            yield piece.rows

    def __array__(self, *args, **kwargs):
        raise TypeError(
            "Got a TableStream, which only fit of a model takes; expected a table. "
            "Iterate over it, take its sample(n_rows), or write what a method returns "
            "by skvae.integrations.parquet."
        )

    def __repr__(self):
        source = repr(self.source) if isinstance(self.source, str) else ""
        source = source or f"<{type(self.source).__name__}>"
        return f"TableStream({source})"

    def pieces(self, random_state=None) -> Iterator[Piece]:
        """Read all rows.

        Parameters
        ----------
        random_state : RandomState, default=None
            Draws the order in which parts are read. None reads them in order.

        Yields
        ------
        piece : Piece
            Rows, at least one, and the position of the first.
        """
        columns = _Columns(self)
        if random_state is None:
            for part in self._parts:
                yield from self._pieces_of(part, columns, 1)
        else:
            order = random_state.permutation(len(self._parts))
            parts = (self._parts[place] for place in order)
            yield from _in_turn(
                self._pieces_of(part, columns, _AT_ONCE) for part in parts
            )
        columns.check_any()

    def _pieces_of(self, part, columns, n_cuts):
        """Read a part, and cut each of its tables, into so many pieces at least."""
        start = part.start
        for table in part.read():
            rows = self._selected(table)
            columns.check(rows, f"{part.where}, rows from {start:,}")
            by_position = rows.iloc if isinstance(rows, pd.DataFrame) else rows
            size = min(self.rows_per_piece, -(-len(rows) // n_cuts))
            for some in row_chunks(len(rows), size):
                yield Piece(start + some.start, by_position[some])
            start += len(rows)

    def sample(self, n_rows, random_state=None):
        """Return some of the rows, each as likely as any other.

        Parameters
        ----------
        n_rows : int
            How many, at most.

        random_state : int, RandomState instance or None, default=None
            Determines which.

        Returns
        -------
        rows : DataFrame or ndarray of shape (n_rows, n_features)
            In the order of the stream.
        """
        seed = check_random_state(random_state).randint(_MAX_SEED)
        reservoir = Reservoir(n_rows, seed, joined)
        for rows in self:
            reservoir.add(rows)
        return reservoir.rows

    def survey(self) -> Survey:
        """Return what one pass over all rows tells, made when it is first asked for.

        Returns
        -------
        survey : Survey
            A sample of the rows, their number, and rows beside the sample that hold
            what it lacks.
        """
        if self._survey is None:
            self._survey = Survey.of(self.pieces())
        return self._survey

    def _selected(self, table):
        if isinstance(table, pd.DataFrame):
            if self.columns is None:
                return table
            missing = [name for name in self.columns if name not in table.columns]
            if missing:
                raise StreamError(
                    f"Column {missing[0]!r} is not in the table; expected columns "
                    f"among {', '.join(map(repr, table.columns))}."
                )
            return table[list(self.columns)]
        if isinstance(table, np.ndarray) and table.ndim == 2:
            return table if self.columns is None else table[:, list(self.columns)]
        raise StreamError(
            f"The stream yields {type(table).__name__}; expected DataFrames, or arrays "
            "of two dimensions."
        )


def _in_turn(iterators: Iterable[Iterator]) -> Iterator:
    """Yield an item of each of some iterators in turn; the next ones follow them."""
    waiting = iter(iterators)
    at_once = deque(islice(waiting, _AT_ONCE))
    while at_once:
        iterator = at_once.popleft()
        items = list(islice(iterator, 1))
        yield from items
        at_once.extend([iterator] if items else islice(waiting, 1))


class _Columns:
    """The columns of what is read first, which those of all others have to be."""

    def __init__(self, stream):
        self.stream = stream
        self.names = self.kinds = None

    def check_any(self):
        """Say so where nothing was read."""
        if self.names is None:
            raise StreamError(
                f"{self.stream!r} has no rows; expected at least one piece."
            )

    def check(self, rows, where):
        """Say so where rows are none, or have other columns."""
        if len(rows) == 0:
            raise StreamError(f"There are no rows in {where}; expected at least one.")
        names = _names(rows)
        if self.names is None:
            self.names, self.kinds = names, _kinds(rows)
        if names != self.names:
            raise StreamError(
                f"The columns of {where} are not those of the first piece: "
                f"{_difference(names, self.names)}."
            )
        kinds = _kinds(rows)
        for position, (kind, first) in enumerate(zip(kinds, self.kinds, strict=True)):
            is_other = kind is not None and first is not None and kind != first
            if is_other and not pd.isna(_column(rows, position)).all():
                raise StreamError(
                    f"Column {_name(names, position)!r} holds {kind} in {where}; "
                    f"expected {first}, as in the first piece."
                )
        # What a column of objects holds shows in the first piece of another dtype.
        both = zip(self.kinds, kinds, strict=True)
        self.kinds = [kind if first is None else first for first, kind in both]


def _names(rows):
    return list(rows.columns) if isinstance(rows, pd.DataFrame) else rows.shape[1]


def _name(names, position):
    return names[position] if isinstance(names, list) else position


def _difference(found, expected):
    """Return in words how columns differ."""
    if not (isinstance(found, list) and isinstance(expected, list)):
        both = (
            f"names {n[:8]!r}" if isinstance(n, list) else n for n in (found, expected)
        )
        return "got {}, expected {}".format(*both)
    missing = [name for name in expected if name not in found]
    added = [name for name in found if name not in expected]
    if not missing and not added:
        return "they come in another order"
    return f"missing are {missing[:8]!r}, new are {added[:8]!r}"


def _column(rows, position):
    is_frame = isinstance(rows, pd.DataFrame)
    return rows.iloc[:, position] if is_frame else rows[:, position]


def _kinds(rows):
    if not isinstance(rows, pd.DataFrame):
        return [_kind_of_dtype(rows.dtype)] * rows.shape[1]
    return [_kind(_column(rows, position)) for position in range(rows.shape[1])]


def _kind(values):
    """Return what a column holds, None where its cells do not tell."""
    if not dtypes.is_object_dtype(values.dtype):
        return _kind_of_dtype(values.dtype)
    # Before version 3 of pandas, columns of strings have no dtype of their own.
    return "levels" if dtypes.infer_dtype(values, skipna=True) == "string" else None


def _kind_of_dtype(dtype):
    if dtypes.is_object_dtype(dtype):
        return None
    if isinstance(dtype, pd.CategoricalDtype) or dtypes.is_string_dtype(dtype):
        return "levels"
    if dtypes.is_bool_dtype(dtype):
        return "booleans"
    return "numbers" if dtypes.is_numeric_dtype(dtype) else "dates"
