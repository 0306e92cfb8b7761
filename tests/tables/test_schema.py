"""Columns to numbers and back: dtypes, limits, and what is refused by name."""

import numpy as np
import pandas as pd
import pytest

from skvae.tables import Column, TableSchema


def round_trip(table):
    schema = TableSchema.of(table)
    index = table.index if isinstance(table, pd.DataFrame) else None
    return schema.table(schema.numbers(table), index)


@pytest.mark.parametrize(
    "cells",
    [
        np.array([1.5, -2.0, 1e300]),
        np.array([1.5, -2.0, 3e38], dtype=np.float32),
        np.array([1.5, -2.0, 6e4], dtype=np.float16),
        np.array([-5, 0, 2**52], dtype=np.int64),
        np.array([-128, 0, 127], dtype=np.int8),
        np.array([0, 1, 255], dtype=np.uint8),
        np.array([True, False, True]),
        pd.array([1, 2, -3], dtype="Int64"),
        pd.array([-128, 2, 127], dtype="Int8"),
        pd.array([1.5, 2, -3], dtype="Float32"),
        pd.array([True, False, True], dtype="boolean"),
    ],
    ids=lambda cells: str(cells.dtype),
)
def test_dtype_and_cells_come_back(cells):
    table = pd.DataFrame({"cells": cells})
    pd.testing.assert_frame_equal(round_trip(table), table)


def test_object_column_of_numbers_stays_object():
    table = pd.DataFrame({"cells": np.array([1, 2.5, True], dtype=object)})
    result = round_trip(table)
    assert result["cells"].dtype == object
    assert result["cells"].tolist() == [1, 2.5, True]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64, np.uint64])
def test_integers_at_and_beyond_their_limits(dtype):
    limits = np.iinfo(dtype)
    column = Column("n", np.dtype(dtype))
    numbers = np.array([-1e30, limits.min, 0.4, 3.6, limits.max, 1e30])
    cells = column.cells(numbers)
    assert cells.dtype == dtype
    expected = [limits.min, limits.min, 0, 4, limits.max, limits.max]
    assert cells.tolist() == expected


def test_nullable_integers_beyond_their_limits():
    cells = Column("n", pd.Int8Dtype()).cells(np.array([-1e30, 0.4, 1e30]))
    assert cells.dtype == "Int8"
    assert cells.tolist() == [-128, 0, 127]


@pytest.mark.parametrize("dtype", [np.dtype(bool), pd.BooleanDtype()], ids=str)
def test_booleans_are_cut_at_a_half(dtype):
    cells = Column("b", dtype).cells(np.array([-3.0, 0.49, 0.5, 7.0]))
    assert cells.dtype == dtype
    assert cells.tolist() == [False, False, True, True]


def test_column_order_names_and_index_come_back():
    table = pd.DataFrame(
        {"b": [1, 2], 3: [0.5, 1.5], "a": [True, False]}, index=["x", "x"]
    )
    pd.testing.assert_frame_equal(round_trip(table), table)


def test_row_labels_start_at_zero_where_none_are_given():
    table = pd.DataFrame({"a": [1, 2]}, index=[7, 8])
    schema = TableSchema.of(table)
    result = schema.table(schema.numbers(table))
    assert result.index.tolist() == [0, 1]


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int32])
def test_array_in_array_out(dtype):
    table = np.arange(6).reshape(3, 2).astype(dtype)
    result = round_trip(table)
    assert type(result) is np.ndarray
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, table)


REFUSED = {
    "nan": ([1.0, np.nan], "contains NaN (row 1)"),
    "missing Int64": (pd.array([1, None], dtype="Int64"), "contains NaN (row 1)"),
    "missing boolean": (
        pd.array([None, True], dtype="boolean"),
        "contains NaN (row 0)",
    ),
    "None": (np.array([1, None], dtype=object), "contains NaN (row 1)"),
    "infinity": ([1.0, -np.inf], "contains infinity (row 1)"),
    "complex": (np.array([1, 2j]), "is complex128"),
    "complex object": (np.array([1, 2j], dtype=object), "holds 2j of type complex"),
    "sparse": (pd.arrays.SparseArray([0.0, 1.0]), "is sparse"),
    "string": (["a", "b"], "holds 'a' of type str"),
    "string among numbers": (
        np.array([1, "b"], dtype=object),
        "holds 'b' of type str",
    ),
    # Were they read as numbers, "01" would come back as "1.0".
    "numbers spelled out": (["01", "02"], "holds '01' of type str"),
    "numbers spelled out, object": (
        np.array(["01", "02"], dtype=object),
        "holds '01' of type str",
    ),
    "beyond float64": (pd.Series([10**400, 1], dtype=object), "of type int"),
    "category": (pd.Categorical([1, 2]), "has dtype category"),
    "datetime": (pd.date_range("2020", periods=2), "has dtype datetime64"),
    "datetime with zone": (
        pd.date_range("2020", periods=2, tz="UTC"),
        "has dtype datetime64",
    ),
    # Its missing cells would turn into -9.2e18.
    "timedelta": (pd.to_timedelta([1, None], unit="D"), "has dtype timedelta64"),
    "period": (pd.period_range("2020", periods=2), "of type Period"),
    "list": ([[1], [2]], "holds [1] of type list"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_column_is_named(case):
    cells, reason = REFUSED[case]
    table = pd.DataFrame({"fine": [1, 2], "the bad one": cells})
    with pytest.raises(ValueError) as raised:
        TableSchema.of(table).numbers(table)
    message = str(raised.value)
    assert "olumn 'the bad one'" in message
    assert reason in message
