"""Columns of numbers and of booleans."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from pandas.api import types as dtypes

from skvae._core.storing import storable
from skvae.tables._column import Column

# Doubles do not tell larger integers apart.
_LARGEST_INTEGER = 2**53
# A column is taken to be rounded where so many values are; fewer may be so by chance.
_ENOUGH_TO_BE_ROUNDED = 20
# Finest and coarsest rounding looked for, in digits after the point.
_MOST_DECIMALS, _FEWEST_DECIMALS = 6, -9


@storable
@dataclass(frozen=True)
class Number(Column):
    """A column of numbers.

    Parameters
    ----------
    name : object
        What the column is called.

    dtype : object
        The dtype of its cells.

    missing_share : float, default=0.0
        Share of the cells that were missing.

    low, high : float
        The range of its values in training.

    decimals : int or None, default=None
        Digits after the point to which all its values are rounded; negative where they
        are multiples of 10, 100 and so on. None if they are not rounded.

    atoms : tuple of float, default=()
        Values that a noticeable share of the cells have: zeros, caps, codes.

    is_discrete : bool, default=False
        Whether it has no other values than the atoms.
    """

    low: float = -np.inf
    high: float = np.inf
    decimals: int | None = None
    atoms: tuple[float, ...] = ()
    is_discrete: bool = False

    @property
    def kind(self) -> str:
        """What its values are."""
        is_whole = self.decimals is not None and self.decimals <= 0
        return "integer" if is_whole else "continuous"

    @property
    def group(self) -> str:
        """The kind of group that it is modelled in."""
        if self.is_discrete:
            return "discrete"
        return "mixed" if self.atoms else "continuous"

    @property
    def width(self) -> int:
        """One column for the value, and one for each atom."""
        return 1 + len(self.atoms)

    @property
    def holds(self) -> str:
        """The range and the atoms."""
        text = f"{_shown(self.low)} to {_shown(self.high)}"
        if self.atoms:
            text += ", atoms " + ", ".join(map(_shown, self.atoms))
        return text

    def numbers(self, values: pd.Series) -> np.ndarray:
        """Return the column's cells as float64, NaN where one is missing.

        Parameters
        ----------
        values : Series of shape (n_samples,)
            The cells.

        Returns
        -------
        numbers : ndarray of shape (n_samples,)
            The same as float64 numbers.

        Raises
        ------
        ValueError
            If a cell is infinite, no number, or an integer that float64 does not hold.
        """
        return numbers_in(self.name, values)

    def cells(self, numbers: np.ndarray) -> pd.Series:
        """Return numbers as cells of the column's own dtype.

        Parameters
        ----------
        numbers : ndarray of shape (n_samples,)
            Numbers, NaN where a cell is missing.

        Returns
        -------
        cells : Series of shape (n_samples,)
            Rounded as the column's values are.
        """
        if self.decimals is not None:
            numbers = np.round(numbers, self.decimals)
        return cells_of(self.dtype, numbers)


@storable
@dataclass(frozen=True)
class Boolean(Column):
    """A column of booleans.

    Parameters
    ----------
    name : object
        What the column is called.

    dtype : object
        The dtype of its cells.

    missing_share : float, default=0.0
        Share of the cells that were missing.
    """

    kind: ClassVar[str] = "boolean"
    group: ClassVar[str] = "boolean"

    def numbers(self, values: pd.Series) -> np.ndarray:
        """Return truth as numbers.

        Parameters
        ----------
        values : Series of shape (n_samples,)
            The cells.

        Returns
        -------
        numbers : ndarray of shape (n_samples,)
            1 for True, 0 for False, NaN for missing cells.
        """
        return numbers_in(self.name, values)

    def cells(self, numbers: np.ndarray) -> pd.Series:
        """Return numbers as truth.

        Parameters
        ----------
        numbers : ndarray of shape (n_samples,)
            Of 0 to 1, NaN where a cell is missing.

        Returns
        -------
        cells : Series of shape (n_samples,)
            True from 0.5 on.
        """
        truths = np.where(np.isnan(numbers), np.nan, numbers >= 0.5)
        if dtypes.is_object_dtype(self.dtype):
            is_missing = np.isnan(truths)
            return pd.Series(np.where(is_missing, None, truths == 1), dtype=object)
        return cells_of(self.dtype, truths)


def rounding_of(numbers, dtype) -> int | None:
    """Return the digits after the point to which numbers are rounded, None if to none.

    Parameters
    ----------
    numbers : ndarray of shape (n_samples,)
        Finite numbers.

    dtype : object
        The dtype they came in: single precision has decimals of its own.

    Returns
    -------
    decimals : int or None
        The fewest that leave every number as it is.
    """
    is_whole = dtypes.is_integer_dtype(dtype)
    if len(numbers) < _ENOUGH_TO_BE_ROUNDED:
        return 0 if is_whole else None
    if dtypes.is_float_dtype(dtype):
        numbers = numbers.astype(getattr(dtype, "numpy_dtype", dtype), copy=False)
    # Of finer units doubles do not hold so many.
    held = math.log10(_LARGEST_INTEGER) - math.log10(np.abs(numbers).max())
    finest = min(0 if is_whole else _MOST_DECIMALS, math.floor(held))
    some = numbers[:_ENOUGH_TO_BE_ROUNDED]
    found = None
    for decimals in range(finest, _FEWEST_DECIMALS - 1, -1):
        if not (_is_rounded(some, decimals) and _is_rounded(numbers, decimals)):
            break
        found = decimals
    return found


def _is_rounded(numbers, decimals):
    with np.errstate(over="ignore"):  # half precision ends at 65,504
        rounded = np.round(numbers.astype(np.float64), decimals).astype(numbers.dtype)
    return bool((rounded == numbers).all())


def numbers_in(name, values: pd.Series) -> np.ndarray:
    """Return cells as float64, NaN where missing, or say what is wrong with them.

    Parameters
    ----------
    name : object
        What the column is called.

    values : Series of shape (n_samples,)
        The cells.

    Returns
    -------
    numbers : ndarray of shape (n_samples,)
        Finite or NaN.

    Raises
    ------
    ValueError
        If a cell is infinite, no number, or an integer that float64 does not hold.
    """
    dtype = values.dtype
    if isinstance(dtype, pd.SparseDtype):
        raise ValueError(
            f"Column {name!r} is sparse; expected a dense column "
            "(`values.sparse.to_dense()`)."
        )
    if dtypes.is_complex_dtype(dtype):
        raise ValueError(f"Complex data not supported: column {name!r} is {dtype}.")
    if (
        isinstance(dtype, pd.CategoricalDtype)
        or dtypes.is_datetime64_any_dtype(dtype)
        or dtypes.is_timedelta64_dtype(dtype)  # its NaT would become a number
    ):
        raise ValueError(f"Column {name!r} has dtype {dtype}; expected numbers.")
    numbers = _as_float(name, values)
    if np.isinf(numbers).any():
        raise ValueError(
            f"Column {name!r} contains infinity (row {int(np.isinf(numbers).argmax())})"
            "; expected finite numbers or missing cells."
        )
    if dtypes.is_integer_dtype(dtype):
        _check_integers(name, values)
    return numbers


def _as_float(name, values):
    cause = None
    # Strings are no numbers, even those that spell one: "01" would come back as 1.
    if not dtypes.is_string_dtype(values) or values.isna().all():
        try:
            return values.to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError, OverflowError) as error:
            cause = error
    # A column of strings that all spell numbers has no worst cell: show the first.
    wrong = (value for value in values if not is_number(value))
    found = next(wrong, values.iloc[0])
    raise ValueError(
        f"Column {name!r} holds {found!r} of type {type(found).__name__}; expected "
        "numbers, as in fit. Convert it first (pandas.to_numeric)."
    ) from cause


def _check_integers(name, values):
    is_large = values.notna() & ~values.between(-_LARGEST_INTEGER, _LARGEST_INTEGER)
    if is_large.any():
        raise ValueError(
            f"Column {name!r} holds {values[is_large].iloc[0]}; expected "
            "integers up to 2**53, beyond which float64 does not tell them apart. Drop "
            "the column if it is an identifier, make it a category, or convert it to "
            "float64 if its last digits do not matter."
        )


def is_number(value) -> bool:
    """Whether a cell is a number, or missing."""
    if value is None or value is pd.NA:
        return True
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return not isinstance(value, str)


def is_plain(dtype) -> bool:
    """Whether numpy itself turns the column into floats, at a fraction of the cost."""
    return isinstance(dtype, np.dtype) and dtype.kind == "f"


def cells_of(dtype, numbers: np.ndarray) -> pd.Series:
    """Return numbers as cells of a dtype, missing ones where they are NaN."""
    is_missing = np.isnan(numbers)
    if not is_missing.any():
        return pd.Series(in_kind_of(dtype, numbers)).astype(dtype)
    if isinstance(dtype, np.dtype) and dtype.kind in "iub":
        return pd.Series(numbers)  # it cannot hold a hole
    cells = pd.Series(in_kind_of(dtype, np.nan_to_num(numbers))).astype(dtype)
    cells[is_missing] = None if dtypes.is_object_dtype(dtype) else np.nan
    return cells


def in_kind_of(dtype, numbers: np.ndarray) -> np.ndarray:
    """Return numbers as booleans or integers where that is what `dtype` holds."""
    if dtypes.is_bool_dtype(dtype):
        return numbers >= 0.5
    if dtypes.is_integer_dtype(dtype):
        return _round_into(dtype, numbers)
    return numbers


def _round_into(dtype, numbers: np.ndarray) -> np.ndarray:
    """Round to integers that fit `dtype`, a numpy or a nullable pandas one."""
    limits = np.iinfo(getattr(dtype, "numpy_dtype", dtype))
    rounded = np.rint(numbers)
    # float(limits.max) is one above limits.max for 64 bits and would wrap around.
    below_max = np.nextafter(float(limits.max), 0)
    integers = np.clip(rounded, limits.min, below_max).astype(limits.dtype)
    integers[rounded >= float(limits.max)] = limits.max
    return integers


def _shown(value) -> str:
    """Return a number as one would write it: 1,000,000 and not 1e+06."""
    return f"{value:,.0f}" if 1e6 <= abs(value) < 1e15 else f"{value:,.6g}"
