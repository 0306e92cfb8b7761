"""What a user asks of columns, encoded and written into a table."""

import datetime
import re

import numpy as np
import pandas as pd
import pytest
from example_tables import N_ROWS, holey_table, mixed_table

from skvae.tables import TableEncoder
from skvae.tables._given import Given

NAMES = [name for name in mixed_table() if name != "bank"]
MISSING = [None, np.nan, pd.NA, pd.NaT]
DAY = pd.Timestamp("2021-01-05")
ZONED = DAY.tz_localize("Europe/Berlin")


def fitted(table, encoding="quantile", **kwargs):
    return TableEncoder(encoding, min_atom_share=0.02, **kwargs).fit(table)


@pytest.fixture(scope="module")
def table():
    return mixed_table()


@pytest.fixture(scope="module")
def holey():
    return holey_table()


@pytest.fixture(scope="module")
def encoder(table):
    return fitted(table)


@pytest.fixture(scope="module")
def of_holey(holey):
    return fitted(holey)


@pytest.fixture(scope="module")
def dated():
    """Return a table of dates of other dtypes, and of multiples of a thousand."""
    rng = np.random.RandomState(0)
    first = datetime.date(2020, 1, 1)
    days = rng.randint(0, 300, size=N_ROWS)
    return pd.DataFrame(
        {
            "month": pd.period_range("2015-01", periods=N_ROWS, freq="M"),
            "lasts": pd.to_timedelta(rng.randint(0, 50, size=N_ROWS), unit="D"),
            "day": [first + datetime.timedelta(int(n)) for n in days],
            "wage": rng.randint(2, 50, size=N_ROWS) * 1000,
            "single": rng.normal(size=N_ROWS).astype(np.float32),
        }
    )


@pytest.fixture(scope="module")
def array():
    rows = np.random.RandomState(0).normal(size=(N_ROWS, 3))
    rows[:, 1] = np.arange(N_ROWS) % 37
    rows[::7, 2] = np.nan
    return rows


def belongs_to(encoder, name):
    """Return which columns of the matrix belong to a column of the table."""
    return encoder.table_columns() == encoder.schema_.names.index(name)


def values_of(encoder, name):
    """Return where the values of a column begin in the matrix, and their columns."""
    columns = np.flatnonzero(belongs_to(encoder, name))
    width = encoder.schema_.columns[encoder.schema_.names.index(name)].width
    return columns[0], columns[:width]


def written(encoder, table, asked):
    """Return the table with what is asked written into it."""
    given = Given.of(encoder, asked)
    rows = table.copy()
    result = given.written_into(rows, encoder.schema_)
    assert type(result) is type(table)
    assert result.shape == table.shape
    return result


def assert_nothing_is_asked(given, but=()):
    """Check that no range, level or atom is asked for beyond some matrix columns."""
    others = ~np.isin(np.arange(len(given.row)), but)
    assert (given.low[others] == -np.inf).all()
    assert (given.high[others] == np.inf).all()
    assert given.allowed[others].all()


def test_nothing_given(encoder, table):
    given = Given.of(encoder, {})
    assert np.isnan(given.row).all()
    assert_nothing_is_asked(given)
    pd.testing.assert_frame_equal(given.written_into(table, encoder.schema_), table)


class TestCells:
    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("which", ["table", "holey"])
    def test_a_value_is_encoded_as_in_the_table(self, which, name, request):
        table = request.getfixturevalue(which)
        encoder = fitted(table)
        row = int(table[name].notna().argmax())
        given = Given.of(encoder, {name: table[name].iloc[row]})
        is_own = belongs_to(encoder, name)
        expected = encoder.transform(table)[row]
        np.testing.assert_allclose(given.row[is_own], expected[is_own], rtol=1e-12)
        assert np.isnan(given.row[~is_own]).all()
        assert_nothing_is_asked(given)

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("which", ["table", "holey"])
    def test_a_value_is_written_into_every_row(self, which, name, request):
        table = request.getfixturevalue(which)
        value = table[name].dropna().iloc[3]
        result = written(fitted(table), table, {name: value})
        assert (result[name] == value).all()
        assert result[name].dtype == table[name].dtype
        others = [other for other in table if other != name]
        pd.testing.assert_frame_equal(result[others], table[others])
        assert result.index.equals(table.index)
        assert result.columns.equals(table.columns)

    @pytest.mark.parametrize("name", NAMES)
    def test_a_hole_is_encoded_as_in_the_table(self, of_holey, holey, name):
        row = int(holey[name].isna().argmax())
        given = Given.of(of_holey, {name: None})
        is_own = belongs_to(of_holey, name)
        expected = of_holey.transform(holey)[row]
        np.testing.assert_array_equal(given.row[is_own], expected[is_own])
        assert given.row[is_own][-1] == 1
        assert np.isnan(given.row[~is_own]).all()
        assert_nothing_is_asked(given)

    @pytest.mark.parametrize("missing", MISSING, ids=repr)
    @pytest.mark.parametrize("name", NAMES)
    def test_a_hole_is_written_into_every_row(self, of_holey, holey, name, missing):
        result = written(of_holey, holey, {name: missing})
        assert result[name].isna().all()
        assert result[name].dtype == holey[name].dtype

    def test_one_value_with_holes(self, of_holey, holey):
        given = Given.of(of_holey, {"bank": "B1"})
        assert given.row[belongs_to(of_holey, "bank")].tolist() == [0]
        assert (written(of_holey, holey, {"bank": "B1"})["bank"] == "B1").all()
        assert written(of_holey, holey, {"bank": None})["bank"].isna().all()

    def test_several_at_a_time(self, encoder, table):
        asked = {"age": 30, "region": "N", "member": True}
        result = written(encoder, table, asked)
        for name, value in asked.items():
            assert (result[name] == value).all()

    def test_a_truth_may_be_a_number(self, encoder, table):
        result = written(encoder, table, {"member": 1})
        assert result["member"].all()
        assert result["member"].dtype == bool

    def test_a_value_that_training_never_had_within_the_range(self, encoder, table):
        assert 0.123456 not in set(table["score"])
        result = written(encoder, table, {"score": 0.123456})
        assert (result["score"] == 0.123456).all()

    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("since", "2021-01-05", DAY),
            ("since", DAY, DAY),
            ("since", DAY.to_pydatetime(), DAY),
            ("since", DAY.to_datetime64(), DAY),
            ("since", DAY.date(), DAY),
            ("seen", "2021-01-05", ZONED),
            ("seen", DAY, ZONED),
            ("seen", ZONED, ZONED),
            ("seen", ZONED.tz_convert("UTC"), ZONED),
            ("seen", ZONED.tz_convert("Asia/Tokyo"), ZONED),
        ],
        ids=repr,
    )
    def test_dates(self, encoder, table, name, value, expected):
        result = written(encoder, table, {name: value})
        assert (result[name] == expected).all()
        assert result[name].dtype == table[name].dtype
        given, of_expected = (Given.of(encoder, {name: v}) for v in (value, expected))
        np.testing.assert_array_equal(given.row, of_expected.row)

    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("month", "2016-03", pd.Period("2016-03", "M")),
            ("month", pd.Period("2016-03", "M"), pd.Period("2016-03", "M")),
            ("lasts", "3 days", pd.Timedelta(days=3)),
            ("lasts", pd.Timedelta(days=3), pd.Timedelta(days=3)),
            ("day", "2020-02-01", datetime.date(2020, 2, 1)),
            ("day", datetime.date(2020, 2, 1), datetime.date(2020, 2, 1)),
            ("wage", 3000, 3000),
            ("single", 0.1, np.float32(0.1)),
        ],
        ids=repr,
    )
    def test_other_dtypes(self, dated, name, value, expected):
        result = written(fitted(dated), dated, {name: value})
        assert result[name].tolist() == [expected] * N_ROWS
        assert result[name].dtype == dated[name].dtype

    def test_dates_over_centuries_keep_all_their_digits(self):
        ends = ["1846-01-01 00:00:00", "2131-07-01 00:00:00.000001"]
        dates = pd.Series(np.array(ends * 60, dtype="M8[us]"))
        table = pd.DataFrame({"day": dates.dt.tz_localize("Asia/Tokyo")})
        cell = table["day"].iloc[1]
        assert (written(fitted(table), table, {"day": cell})["day"] == cell).all()


class TestRanges:
    @pytest.mark.parametrize(
        ("name", "asked", "ends"),
        [
            ("score", (-0.5, 1), (-0.5, 1)),
            ("age", (25, 35), (24.5, 35.5)),
            ("age", (25, 25), (24.5, 25.5)),
            ("age", (24.2, 35.9), (24.5, 35.5)),
            ("age", (-1000, 35), (-1000.5, 35.5)),
            ("amount", (10, 20), (9.995, 20.005)),
            ("amount", (10.001, 20.009), (10.005, 20.005)),
            ("children", (1, 2), (0.5, 2.5)),
        ],
        ids=repr,
    )
    def test_ends_are_those_of_what_is_rounded_into_it(
        self, encoder, name, asked, ends
    ):
        given = Given.of(encoder, {name: asked})
        start, columns = values_of(encoder, name)
        position = encoder.schema_.names.index(name)
        expected = encoder.scaled_values(position, np.array(ends, dtype=float))
        found = given.low[start], given.high[start]
        np.testing.assert_allclose(found, expected, rtol=1e-9)
        assert found[0] < found[1]
        assert np.isnan(given.row).all()
        assert_nothing_is_asked(given, but=columns)

    @pytest.mark.parametrize(
        ("name", "asked", "allowed"),
        [
            ("amount", (0, 20), [True, True]),
            ("amount", (1, 20), [True, False]),
            ("amount", (-5, 0), [True, True]),
            ("children", (1, 2), [True, False, True, True, False]),
            ("children", (0.5, 1.5), [True, False, True, False, False]),
            ("children", (-9, 9), [True] * 5),
        ],
        ids=repr,
    )
    def test_atoms_outside_may_not_be(self, encoder, name, asked, allowed):
        given = Given.of(encoder, {name: asked})
        _, columns = values_of(encoder, name)
        assert given.allowed[columns].tolist() == allowed
        assert_nothing_is_asked(given, but=columns)

    @pytest.mark.parametrize("encoding", ["quantile", "standard", "minmax", None])
    def test_all_numbers_between_the_ends_come_back_and_no_others(
        self, table, encoding
    ):
        encoder = fitted(table, encoding)
        given = Given.of(encoder, {"age": (25, 35)})
        start, _ = values_of(encoder, "age")
        matrix = np.repeat(encoder.transform(table)[:1], 500, axis=0)
        matrix[:, start] = np.linspace(given.low[start], given.high[start], 500)
        rows = given.written_into(encoder.inverse_transform(matrix), encoder.schema_)
        held = set(table["age"]) if encoding == "quantile" else set(range(25, 36))
        assert set(rows["age"]) >= held & set(range(25, 36))
        assert rows["age"].between(25, 35).all()

    @pytest.mark.parametrize("asked", [(25, 35), (24.5, 35.5)])
    @pytest.mark.parametrize("which", ["table", "holey"])
    def test_cells_beyond_are_moved_to_the_ends(self, which, asked, request):
        table = request.getfixturevalue(which)
        result = written(fitted(table), table, {"age": asked})
        expected = table["age"].clip(25, 35)
        pd.testing.assert_series_equal(result["age"], expected)
        others = [other for other in table if other != "age"]
        pd.testing.assert_frame_equal(result[others], table[others])

    def test_cells_that_are_asked_for_are_there(self, of_holey):
        for asked in [{"age": (25, 35)}, {"region": ["N", "E"]}, {"amount": [0.0]}]:
            (name,) = asked
            given = Given.of(of_holey, asked)
            is_hole = belongs_to(of_holey, name)
            is_hole[values_of(of_holey, name)[1]] = False
            assert given.row[is_hole].tolist() == [0]
            assert np.isnan(given.row[~is_hole]).all()

    @pytest.mark.parametrize(
        ("name", "asked", "ends"),
        [
            ("since", ("2021-01-05", "2021-03-01"), (DAY, "2021-03-01")),
            ("since", ("2021-01-04 12:00", "2021-03-01"), (DAY, "2021-03-01")),
            ("since", (DAY, DAY), (DAY, DAY)),
            ("since", (DAY.date(), pd.Timestamp("2021-03-01")), (DAY, "2021-03-01")),
            ("seen", ("2021-01-05", "2021-01-09"), (ZONED, "2021-01-09")),
            ("seen", (DAY, DAY), (ZONED, ZONED)),
            ("seen", (ZONED.tz_convert("UTC"), ZONED), (ZONED, ZONED)),
            ("month", ("2016-03", "2016-08"), ("2016-03", "2016-08")),
            ("lasts", ("3 days", "9 days"), ("3 days", "9 days")),
            ("day", ("2020-02-01", datetime.date(2020, 3, 1)), None),
        ],
        ids=repr,
    )
    def test_dates(self, table, dated, name, asked, ends):
        both = pd.concat([table.reset_index(drop=True), dated], axis=1)
        ends = ends or (datetime.date(2020, 2, 1), datetime.date(2020, 3, 1))
        if name != "day":  # of which a Series holds objects
            ends = pd.Series(ends).astype(both[name].dtype)
        low, high = ends
        encoder = fitted(both)
        cells = written(encoder, both, {name: asked})[name]
        assert cells.dtype == both[name].dtype
        expected = [min(max(cell, low), high) for cell in both[name]]
        assert cells.tolist() == expected
        start, _ = values_of(encoder, name)
        given = Given.of(encoder, {name: asked})
        assert given.low[start] < given.high[start]

    @pytest.mark.parametrize("asked", [(3000, 9000), (2999, 9001), (2001, 9999)])
    def test_numbers_are_as_round_as_in_training(self, dated, asked):
        wages = written(fitted(dated), dated, {"wage": asked})["wage"]
        low = 3000
        pd.testing.assert_series_equal(wages, dated["wage"].clip(low, 9000))

    def test_decimals_that_binary_numbers_lack(self, dated):
        # 0.3 / 0.1 is a little less than 3.
        tenths = dated.assign(share=np.arange(N_ROWS) % 11 / 10)
        encoder = TableEncoder("minmax").fit(tenths)
        shares = written(encoder, tenths, {"share": (0.1, 0.3)})["share"]
        assert set(shares) == {0.1, 0.2, 0.3}

    @pytest.mark.parametrize(
        ("name", "asked", "closed"),
        [
            ("age", (30, None), (30, 89)),
            ("age", (None, 30), (18, 30)),
            ("age", (None, None), (18, 89)),
            ("age", (30, np.inf), (30, 89)),
            ("age", (-np.inf, 30), (18, 30)),
            ("children", (1, None), (1, 3)),
            ("since", ("2021-01-05", None), ("2021-01-05", "2100-01-01")),
        ],
        ids=repr,
    )
    def test_an_open_end_is_that_of_training(self, encoder, table, name, asked, closed):
        given, of_closed = (Given.of(encoder, {name: ends}) for ends in (asked, closed))
        start, columns = values_of(encoder, name)
        assert given.low[start] == of_closed.low[start]
        if name != "since":  # which is closed beyond what training holds
            assert given.high[start] == of_closed.high[start]
        assert given.allowed[columns].tolist() == of_closed.allowed[columns].tolist()
        cells = written(encoder, table, {name: asked})[name]
        expected = written(encoder, table, {name: closed})[name]
        pd.testing.assert_series_equal(cells, expected)

    def test_a_number_without_width_is_that_number(self, encoder, table):
        given = Given.of(encoder, {"score": (0.25, 0.25)})
        of_cell = Given.of(encoder, {"score": 0.25})
        np.testing.assert_array_equal(given.row, of_cell.row)
        assert_nothing_is_asked(given)
        assert (written(encoder, table, {"score": (0.25, 0.25)})["score"] == 0.25).all()


class TestLists:
    @pytest.mark.parametrize(
        ("name", "asked", "allowed"),
        [
            ("region", ["S", "N"], [False, True, True]),
            ("region", {"E"}, [True, False, False]),
            ("region", frozenset(["E"]), [True, False, False]),
            ("region", ["S", "E", "N"], [True, True, True]),
            ("grade", ["high"], [False, True]),
            ("sex", [1], [True, False]),
            ("children", [3, 0], [False, True, False, False, True]),
            ("amount", [0], [False, True]),
        ],
        ids=repr,
    )
    def test_only_those_may_be(self, encoder, table, name, asked, allowed):
        given = Given.of(encoder, {name: asked})
        _, columns = values_of(encoder, name)
        assert given.allowed[columns].tolist() == allowed
        assert np.isnan(given.row).all()
        assert_nothing_is_asked(given, but=columns)
        # They are drawn so; nothing is left to write.
        rows = given.written_into(table, encoder.schema_)
        pd.testing.assert_frame_equal(rows, table)

    def test_rare_levels_share_one_place(self, table):
        towns = [f"common {n % 99}" for n in range(3 * N_ROWS - 2)] + ["rare", "rarer"]
        table = pd.concat([table] * 3, ignore_index=True).assign(town=towns)
        encoder = fitted(table)
        assert written(encoder, table, {"town": "rare"})["town"].eq("rare").all()
        for asked in (["common 5", "rare"], ["rare", "rarer"]):
            with pytest.raises(ValueError, match=r"given\['town'\].*share one place"):
                Given.of(encoder, {"town": asked})


class TestArrays:
    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            ({0: 0.5}, (0.5, 0.5)),
            ({0: (-0.5, 0.5)}, (-0.5, 0.5)),
            ({0: (0.5, None)}, (0.5, np.inf)),
            ({1: 3}, (3, 3)),
            ({1: (2.5, 7.2)}, (3, 7)),
            ({2: (0, 1)}, (0, 1)),
        ],
        ids=repr,
    )
    def test_cells_and_ranges_are_written(self, array, asked, expected):
        encoder = fitted(array)
        (position,) = asked
        result = written(encoder, array, asked)
        clipped = array[:, position].clip(*expected)
        np.testing.assert_array_equal(result[:, position], clipped)
        others = [p for p in range(3) if p != position]
        np.testing.assert_array_equal(result[:, others], array[:, others])

    @pytest.mark.parametrize("missing", MISSING, ids=repr)
    def test_holes_are_written(self, array, missing):
        result = written(fitted(array), array, {2: missing})
        assert np.isnan(result[:, 2]).all()
        np.testing.assert_array_equal(result[:, :2], array[:, :2])

    def test_columns_are_named_by_their_position(self, array):
        encoder = fitted(array)
        for name in ("0", 3):
            with pytest.raises(ValueError, match=rf"given\[{name!r}\].*among 0, 1, 2"):
                Given.of(encoder, {name: 1.0})


class TestWhatCannotBe:
    @pytest.mark.parametrize(
        ("name", "asked", "found"),
        [
            ("wealth", 3, "expected columns of X, among 'region', 'score'"),
            ("bank", "B1", "takes no part, as it is constant"),
            ("region", "W", "its levels are E, N, S"),
            ("region", None, "no missing cells in training"),
            ("region", ["N", "W"], "its levels are"),
            ("region", ["N", None], "its levels are"),
            ("region", [], "its levels are"),
            ("region", ("E", "N"), "ranges .* are for numbers"),
            ("region", np.array(["N", "S"]), "expected a value"),
            ("region", pd.Series(["N"]), "expected a value"),
            ("grade", "mid", "its levels are low < high"),
            ("grade", ("low", "high"), "ranges .* are for numbers"),
            ("sex", "1", "its levels are"),
            ("age", 17, "its values are 18 to 89"),
            ("age", 90, "its values are 18 to 89"),
            ("age", 30.5, "rounded to 0 digits"),
            ("age", "30", "it holds 18 to 89"),
            ("age", 1 + 2j, "it holds"),
            ("age", np.inf, "it holds"),
            ("age", pd.NA, "no missing cells in training"),
            ("age", [30, 31], "expected a value, or"),
            ("age", [[30]], "expected a value, or"),
            ("age", [], "expected a value, or"),
            ("age", (35, 25), "expected .* with low <= high"),
            ("age", (100, 200), "its values are"),
            ("age", (-5, 17), "its values are"),
            ("age", (30.2, 30.8), "its values are"),
            ("age", (30,), "a range has two ends"),
            ("age", (30, 31, 32), "a range has two ends"),
            ("age", (30, np.nan), "known values"),
            ("age", (np.inf, 35), "low <= high"),
            ("age", (30, -np.inf), "low <= high"),
            ("age", (90, None), "low <= high"),
            ("age", (None, 17), "low <= high"),
            ("age", ("young", "old"), "it holds"),
            ("score", 100.0, "its values are"),
            ("score", (100.0, 100.0), "its values are"),
            ("score", [], "expected a value, or"),
            ("amount", 0.001, "rounded to 2 digits"),
            ("amount", [], "expected a value, or"),
            ("amount", [0.0, 1.0], "expected a value, or"),
            ("children", 1.5, "its values are"),
            ("children", 4, "its values are"),
            ("children", [1, 4], "expected a value, or"),
            ("children", [], "expected a value, or"),
            ("children", (1.2, 1.8), "its values are"),
            ("member", "yes", "it holds True and False"),
            ("member", 0.5, "it holds True and False"),
            ("member", [True], "expected a value, or"),
            ("member", (False, True), "ranges .* are for numbers"),
            ("since", "soon", "it holds 2020-03-09"),
            ("since", "2019-01-01", "its values are 2020-03-09"),
            ("since", "2021-01-05 13:00", "rounded to the unit of its dates"),
            ("since", ZONED, "it holds"),
            ("since", ("2021-03-01", "2021-01-05"), "low <= high"),
            ("since", ("1990-01-01", "1999-12-31"), "its values are"),
            ("since", ("2021-01-05 01:00", "2021-01-05 23:00"), "its values are"),
            ("since", [DAY], "expected a value, or"),
        ],
        ids=repr,
    )
    def test_the_column_is_named(self, encoder, name, asked, found):
        message = rf"(?s)given\['{name}'\].*{found}"
        with pytest.raises(ValueError, match=message):
            Given.of(encoder, {name: asked})

    def test_a_level_that_no_column_can_hold(self, encoder):
        with pytest.raises(ValueError, match=r"'region' holds .* not hashable"):
            Given.of(encoder, {"region": [["N"]]})

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ("B2", "it holds B1"),
            (("B1", "B2"), "ranges .* are for numbers"),
            (["B1"], "expected a value, or"),
        ],
        ids=repr,
    )
    def test_another_value_than_the_one(self, of_holey, asked, found):
        with pytest.raises(ValueError, match=rf"given\['bank'\].*{found}"):
            Given.of(of_holey, {"bank": asked})

    def test_a_condition(self, table):
        encoder = fitted(table, left_out=["region"])
        message = r"given\['region'\].*a condition.*expected it in condition="
        with pytest.raises(ValueError, match=message):
            Given.of(encoder, {"region": "N"})

    @pytest.mark.filterwarnings("ignore:Column 'client' looks like an identifier")
    def test_an_identifier(self, table):
        encoder = fitted(table.assign(client=np.arange(N_ROWS)))
        message = r"given\['client'\].*takes no part, as it is identifier"
        with pytest.raises(ValueError, match=message):
            Given.of(encoder, {"client": 5})

    @pytest.mark.parametrize("given", [5, "age", [("age", 30)], None], ids=repr)
    def test_no_dictionary(self, encoder, given):
        message = re.escape(f"Got given={given!r}; expected a dictionary of columns")
        with pytest.raises(ValueError, match=message):
            Given.of(encoder, given)

    @pytest.mark.parametrize("asked", [(3100, 3200), 3100])
    def test_numbers_that_are_less_round(self, dated, asked):
        with pytest.raises(ValueError, match=r"given\['wage'\].*its values are"):
            Given.of(fitted(dated), {"wage": asked})
