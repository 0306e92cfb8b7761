"""Columns of dates and of durations."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
from pandas.api import types as dtypes

from skvae._core.storing import storable
from skvae.tables._number import Number

# Resolutions that dates may have, in nanoseconds, the coarsest first.
_STEPS = (
    86_400_000_000_000,
    3_600_000_000_000,
    60_000_000_000,
    1_000_000_000,
    1_000_000,
    1_000,
    1,
)
_PER_TICK = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
# The years 1 to 9999, in seconds since 1970, and what 64 bits count; the smallest
# number stands for a missing date.
_FIRST_SECOND, _END_SECOND = -62_135_596_800, 253_402_300_800
_FIRST_TICK, _LAST_TICK = -(2**63) + 1, 2**63 - 1
# A time zone may move a date by so many seconds.
_ZONES = 172_800


@storable
@dataclass(frozen=True)
class Date(Number):
    """A column of dates, durations or periods, counted in steps from the first of them.

    Parameters
    ----------
    name : object
        What the column is called.

    dtype : object
        The dtype of its cells.

    missing_share : float, default=0.0
        Share of the cells that were missing.

    low, high : float
        First and last date, in steps from the origin.

    decimals : None
        Steps are whole numbers.

    atoms : tuple, default=()
        Dates have none.

    is_discrete : bool, default=False
        Nor are they nothing but atoms.

    unit : {"s", "ms", "us", "ns"}, default="ns"
        What pandas counts the cells in.

    origin : int, default=0
        The first date, in that unit since 1970. Durations are counted from 0.

    step : int, default=1
        The coarsest resolution that all dates have, in that unit: days, mostly.
    """

    unit: str = "ns"
    origin: int = 0
    step: int = 1

    kind: ClassVar[str] = "datetime"

    @classmethod
    def counting(cls, name, values: pd.Series) -> "Date":
        """Return the column, with what it takes to count its cells.

        Parameters
        ----------
        name : object
            What the column is called.

        values : Series of shape (n_samples,)
            The cells of training rows.

        Returns
        -------
        column : Date
            Without its range.
        """
        column = cls(name, values.dtype)
        stamps = column._stamps(values)
        unit = np.datetime_data(stamps.dtype)[0]
        ticks = stamps.dropna().astype("int64").to_numpy()
        is_duration = dtypes.is_timedelta64_dtype(values.dtype)
        origin = 0 if is_duration or not len(ticks) else int(ticks.min())
        since, is_before = _gaps(ticks, origin)
        steps = (step // _PER_TICK[unit] for step in _STEPS if step >= _PER_TICK[unit])
        step = next((s for s in steps if s == 1 or not (since % s).any()), 1)
        steps = np.where(is_before, -1.0, 1.0) * (since / step)
        ends = {"low": steps.min(), "high": steps.max()} if len(steps) else {}
        return replace(column, unit=unit, origin=origin, step=step, **ends)

    def numbers(self, values: pd.Series) -> np.ndarray:
        """Return how many steps each cell lies after the origin.

        Parameters
        ----------
        values : Series of shape (n_samples,)
            The cells.

        Returns
        -------
        numbers : ndarray of shape (n_samples,)
            NaN where a cell is missing.

        Raises
        ------
        ValueError
            If the cells are no dates, or durations where fit saw dates, or the reverse.
        """
        if values.isna().all():  # in whatever dtype
            return np.full(len(values), np.nan)
        stamps = self._stamps(values, self.unit)
        ticks = stamps.astype("int64").to_numpy()
        gaps, is_before = _gaps(ticks, self.origin)
        # Whole parts first: as floats, many ticks lack their last digits.
        whole, rest = np.divmod(gaps, np.uint64(self.step))
        steps = whole + rest / self.step
        return np.where(stamps.isna(), np.nan, np.where(is_before, -steps, steps))

    def cells(self, numbers: np.ndarray) -> pd.Series:
        """Return steps as dates of the column's own dtype.

        Parameters
        ----------
        numbers : ndarray of shape (n_samples,)
            Steps from the origin, NaN where a cell is missing.

        Returns
        -------
        cells : Series of shape (n_samples,)
            Of whole steps, within the calendar.
        """
        ticks = self._ticks(np.rint(np.nan_to_num(numbers)))
        stamps = pd.Series(ticks.view(f"{self._stamp_kind}[{self.unit}]"))
        stamps[np.isnan(numbers)] = pd.NaT
        if isinstance(self.dtype, pd.DatetimeTZDtype):
            return stamps.dt.tz_localize("UTC").astype(self.dtype)
        if isinstance(self.dtype, pd.PeriodDtype):
            return stamps.dt.to_period(self.dtype.freq)
        if dtypes.is_object_dtype(self.dtype):
            return stamps.dt.date.astype(object)
        return stamps.astype(self.dtype)

    def _ticks(self, steps):
        """Return when whole steps are, in the unit since 1970, within the calendar."""
        first, last = self._calendar()
        farthest = (2**64 - 4096) / self.step  # what 64 bits count
        gaps = np.minimum(np.abs(steps), farthest).astype(np.uint64)
        gaps *= np.uint64(self.step)
        origin = np.array([self.origin]).view(np.uint64)
        before = origin - np.minimum(gaps, np.uint64(self.origin - first))
        after = origin + np.minimum(gaps, np.uint64(last - self.origin))
        return np.where(steps < 0, before, after).view(np.int64)

    def _calendar(self):
        """Return the first and the last tick that a cell may have."""
        per_second = 1_000_000_000 // _PER_TICK[self.unit]
        slack = _ZONES if isinstance(self.dtype, pd.DatetimeTZDtype) else 0
        first = max(_FIRST_SECOND * per_second, _FIRST_TICK) + slack * per_second
        last = min(_END_SECOND * per_second - 1, _LAST_TICK) - slack * per_second
        seen = [self.origin + round(n) * self.step for n in (self.low, self.high)]
        return max(min(first, *seen), _FIRST_TICK), min(max(last, *seen), _LAST_TICK)

    @property
    def _stamp_kind(self) -> str:
        return "m8" if dtypes.is_timedelta64_dtype(self.dtype) else "M8"

    def _stamps(self, values, unit=None):
        """Return cells without zone, in a unit, or say what is wrong with them."""
        try:
            stamps = _as_stamps(values)
            if stamps.dtype.str[1:3] != self._stamp_kind:
                raise TypeError("a date is no duration")
            unit = unit or np.datetime_data(stamps.dtype)[0]
            return stamps.astype(f"{self._stamp_kind}[{unit}]")
        except (TypeError, ValueError, OverflowError, AttributeError) as error:
            found = values.dropna().iloc[0]
            raise ValueError(
                f"Column {self.name!r} of dtype {values.dtype} holds {found!r}; "
                f"expected what {self.dtype} can hold, as in fit ({error})."
            ) from error

    @property
    def holds(self) -> str:
        """The first and the last date."""
        ends = self.cells(np.array([self.low, self.high]))
        return f"{ends.iloc[0]} to {ends.iloc[1]}"


def _as_stamps(values):
    """Return dates or durations without zone, in the unit that pandas counts in."""
    dtype = values.dtype
    if isinstance(dtype, pd.PeriodDtype):
        return values.dt.to_timestamp()
    if isinstance(dtype, pd.DatetimeTZDtype):
        return values.dt.tz_convert("UTC").dt.tz_localize(None)
    if dtypes.is_datetime64_dtype(dtype) or dtypes.is_timedelta64_dtype(dtype):
        return values
    inferred = dtypes.infer_dtype(values.dropna())
    if inferred == "date":
        # In seconds, of which pandas counts those of any year.
        days = values.where(values.notna(), None).to_numpy().astype("M8[D]")
        return pd.Series(days.astype("M8[s]"))
    if inferred == "datetime":
        return _as_stamps(pd.to_datetime(values))  # they may have a zone
    if inferred == "timedelta":
        return pd.to_timedelta(values)
    raise TypeError("these are no dates")


def _gaps(ticks, origin):
    """Return how far ticks are from the origin, and which of them lie before it."""
    is_before = ticks < origin
    # Without sign, since two dates may be farther apart than 63 bits count.
    ticks, origin = ticks.view(np.uint64), np.array([origin]).view(np.uint64)
    return np.where(is_before, origin - ticks, ticks - origin), is_before
