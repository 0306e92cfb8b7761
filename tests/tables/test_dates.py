"""Columns of dates, durations and periods: counted in steps, and as cells again."""

import datetime

import numpy as np
import pandas as pd
import pytest

from skvae.tables import Constant, Date
from skvae.tables._kinds import column_of


def column_from(cells):
    values = pd.Series(cells)
    return column_of("since", values, False, None), values


def assert_comes_back(cells):
    column, values = column_from(cells)
    assert type(column) is Date
    pd.testing.assert_series_equal(column.cells(column.numbers(values)), values)


def stamps(*texts, unit="us"):
    return pd.Series(np.array(texts, dtype=f"M8[{unit}]"))


BERLIN = pd.Series(
    pd.to_datetime(["2024-03-30", "2024-03-31", None, "2024-10-28"])
).dt.tz_localize("Europe/Berlin")
CELLS = {
    "days": stamps("2020-02-29", "NaT", "1969-12-31", unit="s"),
    "days in nanoseconds": stamps("2020-02-29", "1700-01-01", "NaT", unit="ns"),
    "seconds": stamps("2020-02-29T23:59:58", "2021-01-01T00:00:01"),
    "milliseconds": stamps("1990-01-01T00:00:00.001", "2024-05-06", unit="ms"),
    "microseconds": stamps("1990-01-01T00:00:00.000001", "2024-05-06T01:02:03"),
    "nanoseconds": stamps("2024-01-01T00:00:00.000000001", "2024-01-02", unit="ns"),
    # Of these numbers of nanoseconds, floats have lost the last digits.
    "fine and long": stamps("1980-01-01T00:00:00.001", "2024-05-06", unit="ns"),
    # Farther apart than 63 bits count.
    "the ends": stamps("1678-01-01", "2262-01-01T00:00:01", unit="ns"),
    "until further notice": stamps("2020-01-01", "9999-12-31"),
    "beyond the calendar": stamps("2020-01-01", "20000-12-31", unit="s"),
    "time zone": BERLIN,
    "time zone, until further notice": pd.Series(
        np.array(["2020-01-01", "9999-12-31"], dtype="M8[us]")
    ).dt.tz_localize("UTC"),
    "months": pd.Series(pd.PeriodIndex(["2020-01", None, "2021-12"], freq="M")),
    "quarters": pd.Series(pd.PeriodIndex(["2020Q1", "2021Q4"], freq="Q-MAR")),
    "durations": pd.Series(pd.to_timedelta(["1 days", None, "-3 days 02:00:00"])),
    "durations in seconds": pd.Series(np.array([5, -7], dtype="m8[s]")),
    "objects": pd.Series(
        [datetime.date(2020, 2, 29), pd.NaT, datetime.date(9999, 12, 31)], dtype=object
    ),
    "objects of year 1": pd.Series(
        [datetime.date(1, 1, 1), datetime.date(1582, 10, 4)], dtype=object
    ),
}


@pytest.mark.parametrize("case", CELLS)
def test_dtype_and_cells_come_back(case):
    assert_comes_back(CELLS[case])


@pytest.mark.parametrize("case", CELLS)
def test_dates_are_counted_from_the_first(case):
    column, values = column_from(CELLS[case])
    numbers = column.numbers(values)
    np.testing.assert_array_equal(np.isnan(numbers), values.isna())
    known = values.dropna()
    order = known.argsort().to_numpy()
    assert (np.diff(numbers[~np.isnan(numbers)][order]) > 0).all()
    assert np.nanmin(numbers) == column.low
    assert np.nanmax(numbers) == column.high
    if known.dtype.kind != "m":
        assert column.low == 0


@pytest.mark.parametrize(
    ("texts", "unit", "step"),
    [
        (["2020-01-01", "2020-01-05"], "s", 86_400),
        (["2020-01-01", "2020-01-05"], "ns", 86_400 * 10**9),
        (["2020-01-01T05:30", "2020-01-03T05:30"], "us", 86_400 * 10**6),
        (["2020-01-01T05", "2020-01-03T04"], "us", 3_600 * 10**6),
        (["2020-01-01T05:30", "2020-01-03T04:31"], "ms", 60_000),
        (["2020-01-01", "2020-01-01T00:00:07"], "ms", 1_000),
        (["2020-01-01", "2020-01-01T00:00:00.007"], "us", 1_000),
        (["2020-01-01", "2020-01-01T00:00:00.000007"], "us", 1),
    ],
)
def test_steps_are_as_coarse_as_the_dates(texts, unit, step):
    column, _ = column_from(stamps(*texts, unit=unit))
    assert (column.unit, column.step) == (unit, step)


def test_days_are_numbers_of_days():
    column, values = column_from(stamps("2020-03-01", "2020-02-28", "NaT"))
    np.testing.assert_array_equal(column.numbers(values), [2, 0, np.nan])
    assert column.cells(np.array([1.4, -0.6])).dt.strftime("%F").tolist() == [
        "2020-02-29",
        "2020-02-27",
    ]


def test_new_dates_may_lie_outside_and_between_steps():
    column, _ = column_from(stamps("2020-01-01", "2020-01-09"))
    new = stamps("2019-12-31", "2020-01-02T12:00", "2021-01-01")
    np.testing.assert_array_equal(column.numbers(new), [-1, 1.5, 366])


def test_new_dates_in_another_unit_zone_or_type():
    column, _ = column_from(stamps("2020-01-01", "2020-01-09"))
    day = datetime.date(2020, 1, 3)
    for same in (
        stamps("2020-01-03", unit="s"),
        stamps("2020-01-03", unit="ns"),
        pd.Series(pd.to_datetime(["2020-01-03T01:00"])).dt.tz_localize("Europe/Berlin"),
        pd.Series([day], dtype=object),
        pd.Series([pd.Timestamp(day)], dtype=object),
        pd.Series(pd.period_range(day, periods=1, freq="D")),
    ):
        np.testing.assert_array_equal(column.numbers(same), [2])


@pytest.mark.parametrize("case", CELLS)
@pytest.mark.parametrize("missing", [None, np.nan, pd.NaT], ids=repr)
def test_new_dates_may_all_be_missing_in_any_way(case, missing):
    column, values = column_from(CELLS[case])
    numbers = column.numbers(pd.Series([missing, missing], dtype=object))
    assert np.isnan(numbers).all()
    cells = column.cells(numbers)
    assert cells.isna().all()
    assert cells.dtype == values.dtype


@pytest.mark.parametrize("case", CELLS)
def test_dates_far_out_are_clipped_to_those_that_there_are(case):
    column, values = column_from(CELLS[case])
    cells = column.cells(np.array([-1e300, -1e18, 0.0, 1e18, 1e300]))
    assert cells.dtype == values.dtype
    assert cells.notna().all()
    assert (cells.iloc[1:].to_numpy() >= cells.iloc[:-1].to_numpy()).all()
    assert cells.iloc[0] <= values.dropna().min()
    assert cells.iloc[-1] >= values.dropna().max()


def test_the_calendar_ends_with_year_9999():
    column, _ = column_from(stamps("2020-01-01", "2021-01-01"))
    ends = column.cells(np.array([-1e18, 1e18])).dt.date.tolist()
    assert ends == [datetime.date.min, datetime.date.max]


@pytest.mark.parametrize(
    "cells",
    [["2020-01-01", "2020-01-02"], [1, 2], [1.5, 2.5], [True, False], [[1], [2]]],
    ids=str,
)
@pytest.mark.parametrize("case", ["days", "time zone", "months", "durations"])
def test_new_cells_that_are_no_dates(case, cells):
    column, values = column_from(CELLS[case])
    with pytest.raises(ValueError, match="Column 'since' of dtype") as raised:
        column.numbers(pd.Series(cells))
    assert f"expected what {values.dtype} can hold" in str(raised.value)


def test_new_durations_may_be_objects():
    column, values = column_from(CELLS["durations"])
    known = column.numbers(values)
    np.testing.assert_array_equal(column.numbers(values.astype(object)), known)


def test_a_date_is_no_duration():
    of_dates, _ = column_from(CELLS["seconds"])
    of_durations, _ = column_from(CELLS["durations"])
    with pytest.raises(ValueError, match=r"'since' .*a date is no duration"):
        of_dates.numbers(CELLS["durations"])
    with pytest.raises(ValueError, match=r"'since' .*a date is no duration"):
        of_durations.numbers(CELLS["seconds"])


def test_new_date_beyond_what_the_unit_counts():
    column, _ = column_from(stamps("2020-01-01", "2021-01-01", unit="ns"))
    with pytest.raises(ValueError, match=r"Column 'since' .* holds .*9999.*Out of bou"):
        column.numbers(stamps("9999-12-31"))


def test_one_date_throughout_is_constant():
    for case, cells in CELLS.items():
        one = pd.Series([cells.iloc[0], None, cells.iloc[0]], dtype=cells.dtype)
        column, _ = column_from(one)
        assert type(column) is Constant, case
        expected = pd.Series([cells.iloc[0]] * 2, dtype=cells.dtype)
        found = column.cells(2).reset_index(drop=True)
        pd.testing.assert_series_equal(found, expected)


def test_description_has_the_first_and_the_last_date():
    column, _ = column_from(stamps("2020-03-01", "2020-02-28", "NaT"))
    assert column.holds == "2020-02-28 00:00:00 to 2020-03-01 00:00:00"
    assert (column.kind, column.group, column.width) == ("datetime", "continuous", 1)
