"""How the cells of a column are distributed in some tables."""

import warnings
from numbers import Number
from typing import NamedTuple

import numpy as np
import pandas as pd

from skvae.metrics.paired_tables import as_float, kind_of
from skvae.tables import Boolean, Levels, TableSchema

DATE = "date"
_MICROSECONDS = {"days": 86_400e6, "hours": 3_600e6, "minutes": 60e6, "seconds": 1e6}
# Bins reach so many interquartile ranges beyond the quartiles of the original: a few
# values far out would leave no room for the rest.
_OUTER_FENCE = 3
_FEWEST_BINS, _MOST_BINS = 8, 30
# Bins are as wide as a multiple of the unit that all values are multiples of, lest
# some hold one value more than their neighbours and the histogram is a comb.
_UNITS = 10.0 ** np.arange(9, -1, -1)
# Share of the rows that an atom has at least, and the most bars of a column.
_ATOM_SHARE, _MOST_BARS = 0.02, 20
# Shares that add up to 1 leave as much at most.
_ROUNDING = 1e-9


class ColumnShares(NamedTuple):
    """How the cells of a column are distributed in some tables.

    All are shares of a table's rows, so that those of a table add up to 1.

    Parameters
    ----------
    bars : DataFrame of shape (n_bars, n_tables)
        Of levels or atoms, which are the index, of all ``"others"`` and of cells that
        are ``"missing"``, where there are any.

    bins : DataFrame of shape (n_bins, n_tables)
        Of the numbers or dates in each interval of its index.

    outside : Series of shape (n_tables,)
        Of the numbers or dates in no interval.

    unit : {"days", "hours", "minutes", "seconds", "date"} or None
        What the intervals are counted in: durations in units of time, dates in days
        since 1970. None for plain numbers.

    is_category : bool
        Whether the column holds categories.
    """

    bars: pd.DataFrame
    bins: pd.DataFrame
    outside: pd.Series
    unit: str | None
    is_category: bool


def column_schema(table, is_category):
    """Return the kinds, levels and atoms of a table's columns.

    Parameters
    ----------
    table : DataFrame of shape (n_rows, n_columns)
        The original.

    is_category : ndarray of shape (n_columns,), of bool
        Which columns hold categories.

    Returns
    -------
    schema : TableSchema
        Of all columns.
    """
    # A dtype tells more than that: which are booleans, and which names of rows.
    by_dtype = [kind_of(table[name]) == "category" for name in table]
    said = (is_category & ~np.array(by_dtype)).tolist()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*looks like an identifier")
        return TableSchema.of(
            table, categorical_features=said, min_atom_share=_ATOM_SHARE
        )


def shares_of(column, cells, is_category):
    """Return how the cells of a column are distributed.

    Parameters
    ----------
    column : Column
        What the original's cells show of it.

    cells : dict of str to Series
        Its cells in each table, the original first.

    is_category : bool
        Whether it holds categories.

    Returns
    -------
    shares : ColumnShares
        In the order of `cells`.
    """
    unit = None
    if is_category:
        values = {name: part.astype(object) for name, part in cells.items()}
        levels = _levels(column, next(iter(values.values())))
    else:
        unit, values = _measured(cells)
        levels = list(getattr(column, "atoms", ()))
    bars = _counted(values, levels)
    ends = pd.DataFrame({"missing": {n: v.isna().mean() for n, v in values.items()}}).T
    if is_category or getattr(column, "is_discrete", False):
        rest = dict.fromkeys(values, np.empty(0))
        ends.loc["others"] = 1.0 - ends.loc["missing"] - bars.sum()
    else:
        is_rest = {name: v.notna() & ~v.isin(levels) for name, v in values.items()}
        rest = {name: v[is_rest[name]].to_numpy() for name, v in values.items()}
    ends = ends[(ends > _ROUNDING).any(axis=1)].iloc[::-1]
    bins, outside = _binned(rest, {name: len(v) for name, v in values.items()})
    return ColumnShares(pd.concat([bars, ends]), bins, outside, unit, is_category)


def _levels(column, cells):
    """Return the commonest levels, in order where they have one."""
    if isinstance(column, Boolean):
        return [False, True]
    common = list(cells.value_counts().index[:_MOST_BARS])
    if not isinstance(column, Levels):
        return common
    are_numbers = all(isinstance(level, Number) for level in column.levels)
    if not (column.is_ordered or are_numbers):
        return common
    return [level for level in column.levels if level in common]


def _counted(values, levels):
    """Return the share of each table's cells that have these values."""
    index = pd.Index(levels, dtype=object)
    return pd.DataFrame(
        {
            name: part.value_counts().reindex(index, fill_value=0) / len(part)
            for name, part in values.items()
        },
        dtype=float,
    )


def _measured(cells):
    """Return the unit in which numbers, dates or durations are shown, and these."""
    original = next(iter(cells.values()))
    values = {name: pd.Series(as_float(part)) for name, part in cells.items()}
    if kind_of(original) != "time":
        return None, values
    unit, per_unit = DATE, _MICROSECONDS["days"]
    if pd.api.types.is_timedelta64_dtype(original):
        usual = next(iter(values.values())).abs().median()
        unit = next((u for u, m in _MICROSECONDS.items() if usual >= 2 * m), "seconds")
        per_unit = _MICROSECONDS[unit]
    return unit, {name: part / per_unit for name, part in values.items()}


def _binned(values, n_rows):
    """Return the shares of rows in bins that all tables share, and beyond them."""
    original = next((part for part in values.values() if len(part)), None)
    edges = np.empty(0) if original is None else _edges(original)
    intervals = pd.IntervalIndex.from_breaks(edges, closed="left")
    bins = pd.DataFrame(0.0, index=intervals, columns=list(values))
    outside = pd.Series(0.0, index=list(values))
    for name, part in values.items() if len(edges) else ():
        counts, _ = np.histogram(part, edges)
        bins[name] = counts / n_rows[name]
        outside[name] = (len(part) - counts.sum()) / n_rows[name]
    return bins, outside


def _edges(values):
    """Return where bins of equal width begin and end."""
    low, high = _ends(values)
    most = np.clip(np.sqrt(len(values)), _FEWEST_BINS, _MOST_BINS)
    unit = _unit(values)
    if unit is None:
        return np.linspace(low, high if high > low else low + 1, int(most) + 1)
    n_units = (high - low) / unit + 1
    per_bin = np.ceil(n_units / most)
    n_bins = int(np.ceil(n_units / per_bin))
    return low - unit / 2 + unit * per_bin * np.arange(n_bins + 1)


def _ends(values):
    """Return the first and the last value within the outer fences, of quite some."""
    lower, upper = np.quantile(values, [0.25, 0.75])
    reach = _OUTER_FENCE * (upper - lower)
    if reach:
        values = values[(values >= lower - reach) & (values <= upper + reach)]
    return values.min(), values.max()


def _unit(values):
    """Return the largest power of ten that divides all values; None below 1."""
    return next((u for u in _UNITS if not np.remainder(values, u).any()), None)
