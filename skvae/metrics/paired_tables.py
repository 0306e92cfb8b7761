"""Bring real and generated tables into line, column by column."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import StrOptions

CATEGORICAL_FEATURES = ["array-like", StrOptions({"from_dtype"})]

# What `pandas.api.types.infer_dtype` says of columns of objects.
_KIND_OF_OBJECTS = {
    "integer": "number",
    "floating": "number",
    "mixed-integer-float": "number",
    "decimal": "number",
    "date": "time",
    "datetime": "time",
}


def align_tables(tables, categorical_features="from_dtype"):
    """Return tables as DataFrames with the same columns, and what these hold.

    DataFrames are matched by name. An array is matched by position, and takes the
    names of the first DataFrame, if there is one.

    Parameters
    ----------
    tables : dict of str to array-like of shape (n_rows, n_columns)
        The tables by the names that errors call them.

    categorical_features : "from_dtype" or array-like
        Columns of categories, as :func:`marked_columns` takes them, besides those
        whose dtype says so.

    Returns
    -------
    frames : list of DataFrame
        One for each table, the columns in the order of the first DataFrame.

    is_category : ndarray of shape (n_columns,), of bool
        False for numbers, dates and durations.
    """
    frames = {name: _as_frame(table, name) for name, table in tables.items()}
    by_name = [name for name in tables if isinstance(tables[name], pd.DataFrame)]
    like = by_name[0] if by_name else next(iter(frames))
    frames = [
        _matched_by_name(frame, name, frames[like], like)
        if name in by_name
        else _matched_by_position(frame, name, frames[like], like)
        for name, frame in frames.items()
    ]
    columns = frames[0].columns
    by_dtype = [
        _is_category(dict(zip(tables, [f[column] for f in frames], strict=True)))
        for column in columns
    ]
    return frames, marked_columns(categorical_features, columns) | np.array(by_dtype)


def marked_columns(categorical_features, columns):
    """Return as a mask which columns are said to hold categories.

    Parameters
    ----------
    categorical_features : "from_dtype" or array-like
        Names of columns, positions, or a mask of all.

    columns : Index or sequence of shape (n_columns,)
        What the columns are called.

    Returns
    -------
    is_marked : ndarray of shape (n_columns,), of bool
        All False for "from_dtype".
    """
    is_marked = np.zeros(len(columns), dtype=bool)
    if isinstance(categorical_features, str):
        return is_marked
    entries = list(categorical_features)
    if entries and all(isinstance(entry, bool | np.bool_) for entry in entries):
        if len(entries) != len(columns):
            raise ValueError(
                f"Got categorical_features as a mask of {len(entries)} entries; "
                f"expected one for each of the {len(columns)} columns."
            )
        return np.array(entries)
    position_of = {name: position for position, name in enumerate(columns)}
    for entry in entries:
        is_position = isinstance(entry, Integral) and 0 <= entry < len(columns)
        if entry not in position_of and not is_position:
            raise ValueError(
                f"Got {entry!r} in categorical_features; expected columns among "
                f"{list(columns)}."
            )
        is_marked[position_of.get(entry, entry)] = True
    return is_marked


def _as_frame(table, name):
    """Return `table` as a DataFrame; arrays get column numbers for names."""
    if isinstance(table, pd.DataFrame):
        frame = table
    else:
        if not isinstance(table, pd.Series):
            table = np.asarray(table)
            if table.ndim not in (1, 2):
                raise ValueError(
                    f"Expected {name} of shape (n_rows, n_columns), got {table.shape}."
                )
        frame = pd.DataFrame(table).infer_objects()
    if 0 in frame.shape:
        raise ValueError(f"Expected rows and columns in {name}, got {frame.shape}.")
    if not frame.columns.is_unique:
        repeated = list(frame.columns[frame.columns.duplicated()].unique())
        raise ValueError(
            f"Expected unique column names in {name}, got {repeated} twice."
        )
    return frame


def _matched_by_name(frame, name, like_frame, like):
    absent = [c for c in like_frame.columns if c not in frame.columns]
    surplus = [c for c in frame.columns if c not in like_frame.columns]
    if absent or surplus:
        raise ValueError(
            f"Expected the same columns in {like} and {name}; {name} lacks "
            f"{absent} and has {surplus} besides."
        )
    return frame[like_frame.columns]


def _matched_by_position(frame, name, like_frame, like):
    if frame.shape[1] != like_frame.shape[1]:
        raise ValueError(
            f"Expected as many columns in {like} as in {name}, got {like} of shape "
            f"{like_frame.shape} and {name} of shape {frame.shape}."
        )
    return frame.set_axis(like_frame.columns, axis=1)


def _is_category(column_by_table):
    """Whether a column holds categories in any table; one that is mixed up raises."""
    kinds = {name: kind_of(column) for name, column in column_by_table.items()}
    if len(set(kinds.values())) > 1:
        kinds = {
            name: _kind_of_values(column)
            for name, column in column_by_table.items()
            if column.notna().any()
        }
        if len(set(kinds.values())) > 1:
            found = [
                f"{column_by_table[name].dtype} in {name}" for name in column_by_table
            ]
            column = next(iter(column_by_table.values())).name
            raise ValueError(
                f"Expected column {column!r} of one kind in all tables, got "
                f"{' and '.join(found)}."
            )
        return True
    return "category" in kinds.values()


def kind_of(column):
    """Return "number", "time" or "category", by the dtype, or by objects' types."""
    types = pd.api.types
    if column.dtype == object:
        return _KIND_OF_OBJECTS.get(types.infer_dtype(column, skipna=True), "category")
    if (
        types.is_datetime64_any_dtype(column)
        or types.is_timedelta64_dtype(column)
        or isinstance(column.dtype, pd.PeriodDtype)
    ):
        return "time"
    is_number = types.is_numeric_dtype(column) and not (
        types.is_bool_dtype(column) or types.is_complex_dtype(column)
    )
    return "number" if is_number else "category"


def _kind_of_values(column):
    """Return the kind of a column, looking into categories, which may be numbers."""
    values = pd.Series(column.dropna().unique().tolist()).infer_objects()
    return "number" if pd.api.types.is_bool_dtype(values) else kind_of(values)


def as_float(column):
    """Return numbers, or microseconds of dates, as float64; missing cells as NaN."""
    if kind_of(column) != "time":
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    elif column.dtype == object:
        column = pd.to_datetime(column)
    unit = "m8[us]" if pd.api.types.is_timedelta64_dtype(column) else "M8[us]"
    times = column.to_numpy(dtype=unit, na_value=np.array("NaT", dtype=unit)[()])
    microseconds = times.astype(np.int64).astype(np.float64)
    microseconds[np.isnat(times)] = np.nan
    return microseconds


def level_codes(columns):
    """Number the values of a column alike in all tables.

    Parameters
    ----------
    columns : list of Series
        The column in each table.

    Returns
    -------
    codes : list of ndarray of shape (n_rows,), of int
        -1 for a missing cell.

    levels : ndarray of shape (n_levels,)
        The values that the codes stand for, in order of appearance.
    """
    cells = [column.astype(object).to_numpy() for column in columns]
    codes, levels = pd.factorize(np.concatenate(cells))
    return np.split(codes, np.cumsum([len(column) for column in columns])[:-1]), levels


def draw_rows(table, max_rows, random_state):
    """At most `max_rows` rows of `table`, without replacement."""
    if max_rows is None or len(table) <= max_rows:
        return table
    return table.iloc[random_state.choice(len(table), size=max_rows, replace=False)]
