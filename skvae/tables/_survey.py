"""What one pass over the rows of a stream tells, in bounded memory."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types as dtypes

from skvae._core.errors import StreamError
from skvae._core.reservoir import Reservoir

# Of so many rows a quantile of the sample is off by .0027 of the ranks at most, with
# probability .95 (Dvoretzky-Kiefer-Wolfowitz: sqrt(log(2 / .05) / (2 n))).
_ROWS = 2**18
# Wider tables have fewer: half a gigabyte of doubles.
_CELLS = 2**26
# Columns of more levels than that are known by the sample only.
_MOST_LEVELS = 200
# Which rows are in the sample does not depend on the seed of a model.
_SEED = 0


@dataclass(frozen=True)
class Survey:
    """A sample of the rows of a stream, and what the sample may lack.

    Parameters
    ----------
    n_rows : int
        How many rows there are.

    rows : DataFrame or ndarray of shape (n_sampled, n_features)
        At most 262,144 of them, each as likely as any other, in their order.

    positions : ndarray of shape (n_sampled,)
        Where they are among all rows.

    telling : DataFrame, ndarray or None
        Rows beside the sample that hold what it lacks: the smallest and the largest
        value of each column, levels, a missing cell. None where it lacks nothing.
    """

    n_rows: int
    rows: pd.DataFrame | np.ndarray
    positions: np.ndarray
    telling: pd.DataFrame | np.ndarray | None

    @classmethod
    def of(cls, pieces):
        """Make the survey in one pass.

        Parameters
        ----------
        pieces : iterable of Piece
            All rows.

        Returns
        -------
        survey : Survey
            What they tell.
        """
        reservoir, telling = None, _TellingRows()
        for piece in pieces:
            if reservoir is None:
                size = max(min(_ROWS, _CELLS // piece.rows.shape[1]), 1)
                reservoir = Reservoir(size, _SEED, joined)
            reservoir.add(piece.rows)
            telling.add(piece)
        rows, n_rows = reservoir.rows, reservoir.n_seen
        lacking = None if len(rows) == n_rows else telling.beside(rows)
        return cls(n_rows, rows, reservoir.positions, lacking)

    @property
    def is_whole(self):
        """Whether the sample has all rows."""
        return len(self.rows) == self.n_rows

    @property
    def learning_rows(self):
        """The rows that tell what columns hold."""
        if self.telling is None:
            return self.rows
        return joined([self.rows, self.telling])


def joined(tables):
    """Return tables one below the other; categories are those of any of them."""
    if not isinstance(tables[0], pd.DataFrame):
        return np.concatenate(tables)
    categories = {
        name: dtype
        for name in tables[0].columns
        if (dtype := _common_categories([table[name].dtype for table in tables]))
    }
    if categories:
        tables = [table.astype(categories) for table in tables]
    return pd.concat(tables, ignore_index=True)


def _common_categories(of_tables):
    """Return a dtype with the categories of all, None where there is nothing to do."""
    if not all(isinstance(dtype, pd.CategoricalDtype) for dtype in of_tables):
        return None
    first = of_tables[0]
    if all(dtype == first for dtype in of_tables) or any(d.ordered for d in of_tables):
        return None
    categories = first.categories
    for dtype in of_tables[1:]:
        categories = categories.append(dtype.categories.difference(categories))
    return pd.CategoricalDtype(categories)


class _TellingRows:
    """One row for each smallest and largest value, each level and the first hole."""

    def __init__(self):
        self.columns = None

    def add(self, piece):
        """Look for rows that tell something new."""
        columns = _columns(piece.rows)
        if self.columns is None:
            self.columns = [_Telling() for _ in columns]
        for telling, values in zip(self.columns, columns, strict=True):
            telling.add(values, piece.rows)
            if telling.is_infinite:
                raise StreamError(
                    f"Column {values.name!r} contains infinity in rows from "
                    f"{piece.start:,} on; expected finite numbers or missing cells."
                )

    def beside(self, sample):
        """Return rows that hold what a sample lacks, None if it lacks nothing."""
        both = zip(self.columns, _columns(sample), strict=True)
        rows = [row for telling, values in both for row in telling.beside(values)]
        return joined(rows) if rows else None


def _columns(rows):
    """Return the columns of a table as Series."""
    if isinstance(rows, pd.DataFrame):
        return [rows.iloc[:, position] for position in range(rows.shape[1])]
    return [pd.Series(c, name=n, copy=False) for n, c in enumerate(rows.T)]


class _Telling:
    """Rows of one column that hold its range, its levels and a missing cell."""

    def __init__(self):
        self.low = self.high = self.hole = None  # a value and its row, or a row
        self.row_of = {}  # of each level; None once there are too many

    def add(self, values, rows):
        """Keep rows that hold what none before did."""
        if self.hole is None and (is_missing := values.isna()).any():
            self.hole = rows.take([int(is_missing.argmax())], axis=0)
        if _has_range(values.dtype):
            self._add_range(values, rows)
        if self.row_of is not None and not dtypes.is_float_dtype(values.dtype):
            self._add_levels(values, rows)

    @property
    def is_infinite(self):
        """Whether an end of the range is no number."""
        ends = [] if self.low is None else [self.low[0], self.high[0]]
        return any(isinstance(end, float) and np.isinf(end) for end in ends)

    def _add_range(self, values, rows):
        present = values.dropna()
        if len(present) == 0:
            return
        low, high = present.min(), present.max()
        if self.low is None or low < self.low[0]:
            self.low = low, rows.take([_place(values, low)], axis=0)
        if self.high is None or high > self.high[0]:
            self.high = high, rows.take([_place(values, high)], axis=0)

    def _add_levels(self, values, rows):
        try:
            levels = values.drop_duplicates().dropna()
        except TypeError:  # what cannot be a level is refused where columns are read
            self.row_of = None
            return
        new = [level for level in levels if level not in self.row_of]
        if len(self.row_of) + len(new) > _MOST_LEVELS:
            self.row_of = None
            return
        for level in new:
            self.row_of[level] = rows.take([_place(values, level)], axis=0)

    def beside(self, sampled):
        """Return rows with what a sample of the column lacks."""
        has_hole = self.hole is None or sampled.isna().any()
        rows = [] if has_hole else [self.hole]
        if self.low is not None:
            rows += [row for value, row in (self.low, self.high)]
        known = set(sampled.dropna().unique()) if self.row_of else set()
        return rows + [r for lvl, r in (self.row_of or {}).items() if lvl not in known]


def _place(values, value):
    return int((values == value).fillna(False).to_numpy(dtype=bool).argmax())


def _has_range(dtype):
    """Whether columns of a dtype are numbers, or dates, of which two ends tell."""
    if dtypes.is_bool_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype):
        return False
    is_date = isinstance(dtype, pd.PeriodDtype) or dtypes.is_datetime64_any_dtype(dtype)
    is_date = is_date or dtypes.is_timedelta64_dtype(dtype)
    return is_date or dtypes.is_numeric_dtype(dtype)
