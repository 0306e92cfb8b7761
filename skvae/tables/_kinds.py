"""Which kind of column some cells are."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
from pandas.api import types as dtypes

from skvae.tables._atoms import atoms_of
from skvae.tables._column import Column
from skvae.tables._date import Date
from skvae.tables._levels import Levels
from skvae.tables._number import Boolean, Number, is_number, rounding_of
from skvae.tables._unmodelled import Constant, Identifier

# Fewer rows may differ by chance in whatever column.
_ENOUGH_TO_IDENTIFY = 100
# Share of different values from which on strings are names of rows.
_DISTINCT = 0.95
# Different whole numbers that fill so much of their range are numbered through.
_FILLED = 0.5


def column_of(name, values, is_categorical, min_atom_share) -> Column:
    """Return a column as its cells in training show it.

    Parameters
    ----------
    name : object
        What it is called.

    values : Series of shape (n_samples,)
        Its cells.

    is_categorical : bool
        Whether it is to be taken as categorical whatever its dtype.

    min_atom_share : float or None
        Share of the cells from which on a number may be an atom; None looks for none.

    Returns
    -------
    column : Column
        Of the subclass for its kind.

    Raises
    ------
    ValueError
        If its cells are of no kind that a column can have.

    Warns
    -----
    UserWarning
        If it looks like an identifier.
    """
    column = _read(name, values, is_categorical, min_atom_share)
    share = float(values.isna().mean())
    if isinstance(column, Identifier):
        warnings.warn(
            f"Column {name!r} looks like an identifier: it is different in (nearly) "
            "every row. It takes no part, and new rows get new names. Drop it, or, if "
            "it is a quantity, convert it to float64.",
            UserWarning,
            stacklevel=2,
        )
    return replace(column, missing_share=share)


def _read(name, values, is_categorical, min_atom_share):
    kind = Levels if is_categorical else _kind_of(values)
    if values.isna().all():
        return Constant.of(name, values)
    if kind is Levels:
        return _levels(name, values, is_categorical)
    if kind is Boolean:
        column = Boolean(name, values.dtype)
    elif kind is Date:
        column = Date.counting(name, values)
    else:
        column = Number(name, values.dtype)
    numbers = column.numbers(values)
    observed = numbers[~np.isnan(numbers)]
    low, high = float(observed.min()), float(observed.max())
    if low == high:
        return Constant.of(name, values)
    if kind is Boolean:
        return column
    column = replace(column, low=low, high=high)
    if kind is Date:
        return column
    decimals = rounding_of(observed, values.dtype)
    if _is_numbered_through(observed, values.dtype):
        return Identifier.of(name, values)
    atoms, is_discrete = atoms_of(observed, min_atom_share)
    return replace(column, decimals=decimals, atoms=atoms, is_discrete=is_discrete)


def _kind_of(values):
    dtype = values.dtype
    if dtypes.is_bool_dtype(dtype) and not isinstance(dtype, pd.CategoricalDtype):
        return Boolean
    if (
        dtypes.is_datetime64_any_dtype(dtype)
        or dtypes.is_timedelta64_dtype(dtype)
        or isinstance(dtype, pd.PeriodDtype)
    ):
        return Date
    if dtypes.is_object_dtype(dtype):
        return _kind_of_objects(values)
    is_levels = isinstance(dtype, pd.CategoricalDtype) or dtypes.is_string_dtype(dtype)
    return Levels if is_levels else Number


def _kind_of_objects(values):
    inferred = dtypes.infer_dtype(values.dropna())
    if inferred == "boolean":
        return Boolean
    if inferred == "date":
        return Date
    # Complex numbers are refused as such, not taken as names.
    is_numeric = inferred == "complex" or all(map(is_number, values))
    return Number if is_numeric else Levels


def _levels(name, values, is_given):
    column = Levels.of(name, values)
    n_levels = len(column.levels) + len(column.rare)
    if n_levels == 1:
        return Constant.of(name, values)
    n_present = int(values.notna().sum())
    is_name = n_levels >= _DISTINCT * n_present and not is_given
    is_name = is_name and not isinstance(values.dtype, pd.CategoricalDtype)
    if is_name and n_present >= _ENOUGH_TO_IDENTIFY:
        return Identifier.of(name, values)
    return column


def _is_numbered_through(numbers, dtype):
    if not dtypes.is_integer_dtype(dtype) or len(numbers) < _ENOUGH_TO_IDENTIFY:
        return False
    width = numbers.max() - numbers.min() + 1
    is_filled = len(numbers) >= _FILLED * width
    return bool(is_filled and len(np.unique(numbers)) == len(numbers))
