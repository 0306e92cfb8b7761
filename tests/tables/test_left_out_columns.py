"""Columns that take no part in the matrix, whatever they hold, and come back."""

import numpy as np
import pandas as pd
import pytest
from example_tables import ENCODINGS, numeric_table

from skvae.tables import TableEncoder


@pytest.fixture
def table():
    return numeric_table()


@pytest.fixture
def wide(table):
    """The table with columns that no number can stand for among the others."""
    wide = table.copy()
    wide.insert(0, "region", ["north", "south", None] * 20)
    wide.insert(4, "grade", pd.Categorical(["b", "a"] * 30, categories=["c", "b", "a"]))
    wide["year"] = pd.array([2023, None, 2024] * 20, dtype="Int64")
    wide["since"] = pd.date_range("2020", periods=60)
    wide["code"] = np.arange(60)
    return wide


LEFT_OUT = ["since", "region", "code", "grade", "year"]  # not in the table's order


@pytest.mark.parametrize("encoding", ENCODINGS, ids=repr)
def test_left_out_columns_take_no_part_and_come_back(table, wide, encoding):
    encoder = TableEncoder(encoding, left_out=LEFT_OUT).fit(wide)
    matrix = encoder.transform(wide)
    alone = TableEncoder(encoding).fit(table)
    np.testing.assert_array_equal(matrix, alone.transform(table))
    changed = wide.assign(region=1.5, since=np.nan)
    np.testing.assert_array_equal(encoder.transform(changed), matrix)
    result = encoder.inverse_transform(matrix, wide.index, wide[LEFT_OUT])
    pd.testing.assert_frame_equal(
        result.drop(columns="object"), wide.drop(columns="object"), rtol=1e-6
    )
    assert result.columns.equals(wide.columns)


def test_groups_and_columns_count_those_left_out(wide):
    encoder = TableEncoder(left_out=LEFT_OUT).fit(wide)
    positions = [p for group in encoder.groups_ for p in group.columns]
    names = [wide.columns[position] for position in positions]
    assert names == ["amount", "age", "small", "count", "single", "object", "flag"]
    assert [encoder.column_at(n).name for n in range(encoder.width)] == names
    with pytest.raises(ValueError, match="Column 'single' leaves the range"):
        TableEncoder(None, left_out=LEFT_OUT).fit(wide).transform(
            wide.assign(single=1e300)
        )


def test_left_out_cells_are_cast_to_the_dtype_of_fit(wide):
    encoder = TableEncoder(left_out=LEFT_OUT).fit(wide)
    given = pd.DataFrame(
        {
            "since": np.array([pd.Timestamp("2020-02-01")] * 2, dtype=object),
            "region": np.array(["east", None], dtype=object),
            "code": [3.0, 4.0],
            "grade": ["a", None],
            "year": [2024.0, np.nan],
        },
        index=[7, 7],
    )
    result = encoder.inverse_transform(np.zeros((2, encoder.width)), None, given)
    assert result.dtypes.equals(wide.dtypes)
    assert result["code"].tolist() == [3, 4]
    assert result["year"].isna().tolist() == [False, True]
    assert result.index.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("code", [1.0, np.nan]),
        ("code", [1.5, 2.0]),
        ("code", [1e30, 2.0]),
        ("code", ["1", "2"]),
        ("grade", ["a", "unheard of"]),
        ("since", ["long", "ago"]),
        ("flag", [True, None]),
        ("flag", ["no", "yes"]),
    ],
)
def test_left_out_cells_that_their_dtype_cannot_hold_stay(table, wide, name, cells):
    encoder = TableEncoder(left_out=[name]).fit(table.assign(**{name: wide[name]}))
    cells = pd.Series(cells)
    matrix = np.zeros((2, encoder.width))
    result = encoder.inverse_transform(matrix, left_out=cells.to_frame(name))
    pd.testing.assert_series_equal(result[name], cells, check_names=False)


def test_array_with_columns_left_out():
    rows = np.random.RandomState(0).randint(0, 9, size=(20, 4)).astype(np.uint8)
    encoder = TableEncoder(left_out=[2, 0]).fit(rows)
    assert encoder.groups_[0].columns == (1, 3)
    matrix = encoder.transform(rows)
    np.testing.assert_array_equal(
        matrix, TableEncoder().fit(rows[:, [1, 3]]).transform(rows[:, [1, 3]])
    )
    given = pd.DataFrame(rows[:, [2, 0]].astype(float))
    result = encoder.inverse_transform(matrix, left_out=given)
    assert type(result) is np.ndarray
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, rows)
    # An array has one dtype, and a missing cell changes it.
    given.iloc[0, 0] = np.nan
    result = encoder.inverse_transform(matrix, left_out=given)
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result[1:], rows[1:])
    assert np.isnan(result[0, 2])


def test_unknown_column_left_out_is_named(table):
    with pytest.raises(ValueError, match=r"'colour' is not in the table; .*'amount', "):
        TableEncoder(left_out=["colour"]).fit(table)
    rows = table[["amount", "age"]].to_numpy()
    for unknown in (2, -1, "amount"):
        with pytest.raises(ValueError, match=f"{unknown!r} is not .*among 0, 1"):
            TableEncoder(left_out=[unknown]).fit(rows)


def test_position_is_no_name(table):
    with pytest.raises(ValueError, match="Column 0 is not in the table"):
        TableEncoder(left_out=[0]).fit(table)
    numbered = table[["amount", "age"]].set_axis([7, 0], axis=1)
    assert TableEncoder(left_out=[0]).fit(numbered).groups_[0].columns == (0,)


def test_column_left_out_twice(table):
    with pytest.raises(ValueError, match="'age', 'age'; expected each of them once"):
        TableEncoder(left_out=["age", "age"]).fit(table)


def test_all_columns_left_out(table):
    with pytest.raises(ValueError, match="All 9 columns are left out"):
        TableEncoder(left_out=table.columns).fit(table)


@pytest.mark.parametrize("n_rows", [None, 1, 3])
def test_way_back_needs_a_cell_for_each_row_left_out(table, n_rows):
    encoder = TableEncoder(left_out=["age", "flag"]).fit(table)
    given = None if n_rows is None else table[["age", "flag"]].iloc[:n_rows]
    with pytest.raises(ValueError, match=r"expected \(2, 2\), a cell .*'age', 'flag'"):
        encoder.inverse_transform(np.zeros((2, encoder.width)), left_out=given)


def test_way_back_takes_no_cells_where_no_column_was_left_out(table):
    encoder = TableEncoder().fit(table)
    with pytest.raises(ValueError, match=r"\(2, 1\); expected \(2, 0\).*: none\."):
        encoder.inverse_transform(
            np.zeros((2, encoder.width)), left_out=table[["age"]].iloc[:2]
        )
