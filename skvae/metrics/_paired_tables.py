"""Bring a real and a generated table into line, column by column."""

import numpy as np
import pandas as pd


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


def paired_tables(real, other):
    """Return both tables as DataFrames with the columns of `real`, in its order.

    Two DataFrames are matched by name. If one side or both are arrays, columns are
    matched by position, and the names are those of the DataFrame, if there is one.
    """
    real_frame, other_frame = _as_frame(real, "real"), _as_frame(other, "other")
    if isinstance(real, pd.DataFrame) and isinstance(other, pd.DataFrame):
        absent = [c for c in real_frame.columns if c not in other_frame.columns]
        surplus = [c for c in other_frame.columns if c not in real_frame.columns]
        if absent or surplus:
            raise ValueError(
                "Expected the same columns in real and other; other lacks "
                f"{absent} and has {surplus} besides."
            )
        return real_frame, other_frame[real_frame.columns]
    if real_frame.shape[1] != other_frame.shape[1]:
        raise ValueError(
            "Expected as many columns in real as in other, got real of shape "
            f"{real_frame.shape} and other of shape {other_frame.shape}."
        )
    names = (other_frame if isinstance(other, pd.DataFrame) else real_frame).columns
    return real_frame.set_axis(names, axis=1), other_frame.set_axis(names, axis=1)


def is_real_number(column):
    """Whether `column` holds numbers that can be ordered; booleans count as 0, 1."""
    types = pd.api.types
    return types.is_numeric_dtype(column) and not types.is_complex_dtype(column)


def is_time(column):
    """Whether `column` holds dates or durations."""
    types = pd.api.types
    return types.is_datetime64_any_dtype(column) or types.is_timedelta64_dtype(column)


def as_float(column):
    """Return a numeric column as float64, its missing cells as NaN."""
    return column.to_numpy(dtype=np.float64, na_value=np.nan)
