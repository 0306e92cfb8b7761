"""The schema of a table: what it says of columns, and tables made of their cells."""

import datetime
import json

import numpy as np
import pandas as pd
import pytest

from skvae.tables import Column, Constant, Identifier, Levels, Number, TableSchema
from skvae.tables._schema import cells_at


@pytest.fixture
def table():
    """A table with columns of every kind, a hundred rows."""
    rng = np.random.RandomState(0)
    amounts = rng.exponential(100, size=100).round(2)
    amounts[:30] = 0.0
    days = pd.date_range("2020-01-01", periods=100).to_series().to_numpy()
    table = pd.DataFrame(
        {
            "customer": [f"K{n:03}" for n in range(100)],
            "age": rng.randint(18, 90, size=100),
            "amount": amounts,
            "children": rng.randint(0, 4, size=100).astype(np.int8),
            "member": rng.uniform(size=100) < 0.5,
            "region": pd.Series(["N", "S", None, "E"] * 25, dtype=object),
            "grade": pd.Categorical(["b", "a"] * 50, ["c", "b", "a"], ordered=True),
            "rank": pd.Categorical([2, 1] * 50, categories=np.array([1, 2], np.int16)),
            "since": days,
            "left": pd.array([*[None] * 60, *range(40)], dtype="Int64"),
            "month": pd.period_range("2020-01", periods=100, freq="M"),
            "seen": pd.Series(days).dt.tz_localize("Europe/Berlin"),
            "bank": "B1",
            "founded": pd.Timestamp("1999-01-01"),
            "level": pd.Categorical(["x"] * 100, categories=["x", "y"]),
            "nothing": np.nan,
        }
    )
    table["count"] = rng.permutation(100) * 7 + 10_000
    return table


@pytest.fixture
def schema(table):
    with pytest.warns(UserWarning, match="'customer'"):
        return TableSchema.of(table, min_atom_share=0.02)


def test_columns_are_those_of_the_table_in_order(schema, table):
    assert schema.names == list(table.columns)
    assert [column.dtype for column in schema.columns] == table.dtypes.tolist()
    assert schema.is_dataframe
    assert schema.kept == tuple(range(table.shape[1]))


def test_description_tells_kinds_shares_and_contents(schema, table):
    described = schema.describe()
    assert list(described.index) == list(table.columns)
    assert list(described.columns) == ["kind", "dtype", "missing", "holds"]
    assert described["kind"].to_dict() == {
        "customer": "identifier",
        "age": "integer",
        "amount": "continuous",
        "children": "integer",
        "member": "boolean",
        "region": "categorical",
        "grade": "ordinal",
        "rank": "categorical",
        "since": "datetime",
        "left": "integer",
        "month": "datetime",
        "seen": "datetime",
        "bank": "constant",
        "founded": "constant",
        "level": "constant",
        "nothing": "constant",
        "count": "integer",
    }
    missing = described["missing"]
    assert missing[missing > 0].to_dict() == {
        "region": 0.25,
        "left": 0.6,
        "nothing": 1.0,
    }
    holds = described["holds"]
    assert holds["amount"].endswith(", atoms 0")
    assert holds["children"] == "0 to 3, atoms 0, 1, 2, 3"
    assert holds["region"] == "E, N, S"
    assert holds["grade"] == "b < a"
    assert holds["since"] == "2020-01-01 00:00:00 to 2020-04-09 00:00:00"
    assert holds["bank"] == "B1"
    assert holds["founded"] == "1999-01-01 00:00:00"
    assert holds["nothing"] == "missing throughout"


def test_representation_is_for_people(schema):
    text = repr(schema)
    first, second, *rows = text.splitlines()
    assert first == "TableSchema of 17 columns (DataFrame)"
    assert second.split() == ["kind", "dtype", "missing", "holds"]
    assert len(rows) == 17
    assert rows[1].split()[:3] == ["age", "integer", "int64"]
    assert max(map(len, rows)) < 120


def test_array_is_called_one():
    schema = TableSchema.of(np.array([[1.5, 2.0], [2.5, 2.0]]))
    assert repr(schema).startswith("TableSchema of 2 columns (array)\n")
    assert schema.names == [0, 1]


class TestDictionary:
    def there_and_back(self, schema):
        return TableSchema.from_dict(json.loads(json.dumps(schema.to_dict())))

    def test_schema_comes_back_by_way_of_json(self, schema):
        again = self.there_and_back(schema)
        assert again == schema
        assert repr(again) == repr(schema)
        pd.testing.assert_series_equal(
            again.columns[5].cells(np.array([0, -1])),
            schema.columns[5].cells(np.array([0, -1])),
        )

    def test_array(self):
        schema = TableSchema.of(np.array([[1, 2], [2, 3]], dtype=np.int32))
        assert self.there_and_back(schema) == schema

    def test_columns_left_out(self, table):
        table = table.drop(columns="customer")
        schema = TableSchema.of(table, left_out=["grade", "age"])
        again = self.there_and_back(schema)
        assert again == schema
        assert again.columns[schema.left_out[0]].dtype == table["grade"].dtype

    def test_pixels(self):
        schema = TableSchema.of_pixels(np.zeros((2, 4), dtype=np.uint8))
        assert self.there_and_back(schema) == schema

    def test_rare_levels(self):
        cells = pd.Categorical([n % 120 for n in range(1000)], ordered=True)
        schema = TableSchema.of(pd.DataFrame({"code": cells}))
        assert len(schema.columns[0].rare) == 21
        assert self.there_and_back(schema) == schema

    def test_names_that_are_tuples_or_numbers(self):
        table = pd.DataFrame([[1, 2.5], [2, 3.5]], columns=[("a", "b"), np.int64(3)])
        schema = TableSchema.of(table)
        assert self.there_and_back(schema).names == [("a", "b"), 3]

    @pytest.mark.parametrize(
        "cells",
        [
            pd.cut([0.5, 1.5], [0, 1, 2]),
            pd.Categorical(pd.to_datetime(["2020-01-01", "2020-01-02"])),
            [datetime.date(2020, 1, 1)] * 2,
        ],
        ids=["interval", "category of dates", "constant date object"],
    )
    def test_what_json_cannot_hold_is_named(self, cells):
        schema = TableSchema.of(pd.DataFrame({"fine": [1, 2], "the bad one": cells}))
        with pytest.raises(ValueError, match="Column 'the bad one' does not go into"):
            schema.to_dict()


class TestCategoricalFeatures:
    @pytest.fixture
    def coded(self):
        return pd.DataFrame({"age": [18, 40, 80], "sex": [1, 2, 1], 7: [3, 4, 3]})

    @pytest.mark.parametrize(
        "chosen",
        [
            ["sex", 7],
            ("sex", 7),
            {"sex", 7},
            pd.Index([7, "sex"]),
            [1, 2],
            np.array([2, 1]),
            [False, True, True],
            np.array([False, True, True]),
            pd.Series([False, True, True]),
        ],
        ids=lambda chosen: type(chosen).__name__,
    )
    def test_names_positions_or_a_mask(self, coded, chosen):
        schema = TableSchema.of(coded, categorical_features=chosen)
        assert [column.kind for column in schema.columns] == [
            "integer",
            "categorical",
            "categorical",
        ]

    def test_array(self, coded):
        rows = coded.to_numpy()
        for chosen in ([1], [False, True, False]):
            schema = TableSchema.of(rows, categorical_features=chosen)
            assert [type(column) for column in schema.columns] == [
                Number,
                Levels,
                Number,
            ]

    def test_a_name_comes_before_a_position(self):
        table = pd.DataFrame({1: [1, 2], 0: [3, 4]})
        schema = TableSchema.of(table, categorical_features=[0])
        assert [column.kind for column in schema.columns] == ["integer", "categorical"]

    @pytest.mark.parametrize("chosen", ["from_dtype", [], (), [False] * 3], ids=repr)
    def test_none_but_those_whose_dtype_says_so(self, coded, chosen):
        coded["sex"] = coded["sex"].astype("category")
        schema = TableSchema.of(coded, categorical_features=chosen)
        assert [column.kind for column in schema.columns] == [
            "integer",
            "categorical",
            "integer",
        ]

    @pytest.mark.parametrize("chosen", ["sex", "from dtype", None, 1], ids=repr)
    def test_neither_list_nor_mask(self, coded, chosen):
        with pytest.raises(ValueError, match="Got categorical_features=") as raised:
            TableSchema.of(coded, categorical_features=chosen)
        assert 'expected "from_dtype", names or positions' in str(raised.value)

    @pytest.mark.parametrize("unknown", ["colour", 3, -1, 1.5], ids=repr)
    def test_unknown_column(self, coded, unknown):
        match = rf"Got {unknown!r} in categorical_features; .*among 'age', 'sex', 7"
        with pytest.raises(ValueError, match=match):
            TableSchema.of(coded, categorical_features=["age", unknown])

    def test_mask_of_another_length(self, coded):
        with pytest.raises(ValueError, match=r"mask of 2 entries; .* 3 columns"):
            TableSchema.of(coded, categorical_features=[True, False])


class TestLeftOut:
    def test_columns_are_kept_aside_whatever_they_hold(self, table):
        schema = TableSchema.of(
            table.assign(lists=[[n] for n in range(100)]), ["lists", "customer"]
        )
        assert schema.left_out == (17, 0)
        assert schema.kept == tuple(range(1, 17))
        for position in schema.left_out:
            assert type(schema.columns[position]) is Column
            assert schema.columns[position].kind == "kept aside"
        assert schema.describe().loc["lists", "kind"] == "kept aside"

    def test_unknown_column(self):
        table = pd.DataFrame({"a": [1, 2], "b": [1, 2]})
        with pytest.raises(ValueError, match=r"'c' is not in the table; .*'a', 'b'"):
            TableSchema.of(table, ["c"])

    def test_column_named_twice(self):
        table = pd.DataFrame({"a": [1, 2], "b": [1, 2], "c": [1, 2]})
        with pytest.raises(ValueError, match="'a', 'a'; expected each of them once"):
            TableSchema.of(table, ["a", "a"])

    def test_all_columns(self):
        table = pd.DataFrame({"a": [1, 2], "b": [1, 2]})
        with pytest.raises(ValueError, match="All 2 columns are left out"):
            TableSchema.of(table, ["a", "b"])


class TestTable:
    def test_names_order_and_index_come_back(self):
        table = pd.DataFrame(
            {"b": [1, 2], 3: [0.5, 1.5], "a": [True, False]}, index=["x", "x"]
        )
        schema = TableSchema.of(table)
        cells = {p: cells_at(table, p) for p in (2, 0, 1)}
        pd.testing.assert_frame_equal(schema.table(cells, 2, table.index), table)

    def test_row_labels_start_at_zero_where_none_are_given(self):
        table = pd.DataFrame({"a": [1, 2]}, index=[7, 8])
        schema = TableSchema.of(table)
        result = schema.table({0: table["a"]}, 2)
        assert result.index.tolist() == [0, 1]
        assert result["a"].tolist() == [1, 2]

    def test_constants_and_identifiers_need_no_cells(self, schema, table):
        cells = {
            position: table.iloc[:4, position]
            for position, column in enumerate(schema.columns)
            if not isinstance(column, Constant | Identifier)
        }
        result = schema.table(cells, 4)
        assert result.dtypes.equals(table.dtypes)
        assert result["customer"].tolist() == [f"customer-{n}" for n in range(4)]
        assert result["bank"].tolist() == ["B1"] * 4
        assert (result["founded"] == pd.Timestamp("1999-01-01")).all()
        assert result["nothing"].isna().all()
        pd.testing.assert_frame_equal(
            result.drop(columns="customer"), table.iloc[:4].drop(columns="customer")
        )

    def test_columns_of_one_name(self):
        table = pd.DataFrame([[1, 0.5], [2, 1.5]], columns=["a", "a"])
        schema = TableSchema.of(table)
        cells = {p: cells_at(table, p) for p in range(2)}
        assert [column.low for column in schema.columns] == [1, 0.5]
        result = schema.table(cells, 2)
        np.testing.assert_array_equal(result, table)
        assert list(result.columns) == ["a", "a"]

    @pytest.mark.parametrize(
        "dtype", [np.float64, np.float32, np.int64, np.uint8, bool]
    )
    def test_array_in_array_out(self, dtype):
        rows = np.array([[0, 1, 0], [1, 1, 1]]).astype(dtype)
        schema = TableSchema.of(rows)
        assert type(schema.columns[1]) is Constant
        result = schema.table({p: cells_at(rows, p) for p in (0, 2)}, 2)
        assert type(result) is np.ndarray
        assert result.dtype == dtype
        np.testing.assert_array_equal(result, rows)


def test_pixels_are_plain_numbers_even_where_they_are_constant():
    rows = np.zeros((3, 4), dtype=np.uint8)
    rows[:, 1] = [1, 2, 3]
    schema = TableSchema.of_pixels(rows, left_out=[3])
    assert [type(column) for column in schema.columns] == [*[Number] * 3, Column]
    assert schema.left_out == (3,)
    named = pd.DataFrame(rows, columns=list("abcd")).astype({"b": float})
    schema = TableSchema.of_pixels(named)
    assert schema.names == list("abcd")
    assert [column.dtype for column in schema.columns] == named.dtypes.tolist()


def test_refused_column_is_named():
    table = pd.DataFrame({"fine": [1, 2], "the bad one": [1.0, np.inf]})
    with pytest.raises(ValueError, match="Column 'the bad one' contains infinity"):
        TableSchema.of(table)
