"""Columns of numbers and of booleans: as floats, and as cells again."""

import numpy as np
import pandas as pd
import pytest

from skvae.tables import Boolean, Number
from skvae.tables._kinds import column_of
from skvae.tables._number import rounding_of


def column_from(cells, min_atom_share=None):
    values = pd.Series(cells)
    return column_of("amount", values, False, min_atom_share), values


def assert_comes_back(cells):
    column, values = column_from(cells)
    pd.testing.assert_series_equal(column.cells(column.numbers(values)), values)


@pytest.fixture
def uniform():
    return np.random.RandomState(0).uniform(-1, 1, size=50)


@pytest.mark.parametrize(
    "cells",
    [
        np.array([1.5, -2.0, 1e300]),
        np.array([1.5, -2.0, 3e38], dtype=np.float32),
        np.array([1.5, -2.0, 6e4], dtype=np.float16),
        np.array([-5, 0, 2**53], dtype=np.int64),
        np.array([-(2**53), 0, 1], dtype=np.int64),
        np.array([5, 0, 2**53], dtype=np.uint64),
        np.array([-128, 0, 127], dtype=np.int8),
        np.array([0, 1, 255], dtype=np.uint8),
        np.array([True, False, True]),
        pd.array([1, 2, -3], dtype="Int64"),
        pd.array([-128, 2, 127], dtype="Int8"),
        pd.array([1.5, 2, -3], dtype="Float32"),
        pd.array([True, False, True], dtype="boolean"),
    ],
    ids=lambda cells: f"{cells.dtype} {cells[-1]}",
)
def test_dtype_and_cells_come_back(cells):
    assert_comes_back(cells)


@pytest.mark.parametrize(
    "cells",
    [
        np.array([1.5, np.nan, -2.0]),
        np.array([1.5, np.nan, -2.0], dtype=np.float32),
        pd.array([1, None, 3], dtype="Int64"),
        pd.array([1, None, 3], dtype="UInt8"),
        pd.array([1.5, None, 3], dtype="Float64"),
        pd.array([True, None, False], dtype="boolean"),
        np.array([True, None, False], dtype=object),
        np.array([1, None, 2.5], dtype=object),
    ],
    ids=lambda cells: str(cells.dtype),
)
def test_holes_come_back(cells):
    column, values = column_from(cells)
    numbers = column.numbers(values)
    assert np.isnan(numbers).tolist() == values.isna().tolist()
    assert_comes_back(cells)
    assert column.missing_share == pytest.approx(1 / 3)


def test_objects_come_back_as_equal_objects():
    column, values = column_from(np.array([1, 2.5, True], dtype=object))
    assert type(column) is Number
    cells = column.cells(column.numbers(values))
    assert cells.dtype == object
    assert cells.tolist() == [1, 2.5, True]


def test_objects_that_are_all_booleans_are_booleans():
    column, _ = column_from(np.array([True, None, False], dtype=object))
    assert type(column) is Boolean
    assert column.cells(np.array([0.9, np.nan, 0.1])).tolist() == [True, None, False]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64, np.uint64])
def test_integers_at_and_beyond_their_limits(dtype):
    limits = np.iinfo(dtype)
    column = Number("n", np.dtype(dtype))
    numbers = np.array([-1e30, limits.min, 0.4, 3.6, limits.max, 1e30])
    cells = column.cells(numbers)
    assert cells.dtype == dtype
    expected = [limits.min, limits.min, 0, 4, limits.max, limits.max]
    assert cells.tolist() == expected


def test_nullable_integers_beyond_their_limits():
    cells = Number("n", pd.Int8Dtype()).cells(np.array([-1e30, 0.4, 1e30]))
    assert cells.dtype == "Int8"
    assert cells.tolist() == [-128, 0, 127]


def test_integers_have_no_room_for_a_hole():
    cells = Number("n", np.dtype(np.int8)).cells(np.array([1.0, np.nan]))
    assert cells.dtype == np.float64
    assert cells.isna().tolist() == [False, True]


@pytest.mark.parametrize("dtype", [np.dtype(bool), pd.BooleanDtype()], ids=str)
def test_booleans_are_cut_at_a_half(dtype):
    cells = Boolean("b", dtype).cells(np.array([-3.0, 0.49, 0.5, 7.0]))
    assert cells.dtype == dtype
    assert cells.tolist() == [False, False, True, True]


class TestRounding:
    @pytest.mark.parametrize("decimals", [6, 3, 2, 1, 0, -1, -2, -3])
    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    def test_decimals_are_found(self, uniform, decimals, dtype):
        # Three digits, which any dtype holds.
        whole = np.round(uniform * 1000)
        numbers = np.round(whole * 10.0**-decimals, decimals).astype(dtype)
        assert rounding_of(numbers.astype(np.float64), np.dtype(dtype)) == decimals

    @pytest.mark.parametrize("dtype", ["Float64", "Float32"])
    def test_decimals_of_nullable_floats(self, uniform, dtype):
        cells = pd.array(uniform.round(2), dtype=dtype)
        column, _ = column_from(cells)
        assert column.decimals == 2
        assert_comes_back(cells)

    def test_numbers_that_are_not_rounded(self, uniform):
        assert rounding_of(uniform, uniform.dtype) is None
        almost = np.append(uniform.round(2), 0.123456789)
        assert rounding_of(almost, uniform.dtype) is None

    def test_few_numbers_may_be_rounded_by_chance(self, uniform):
        assert rounding_of(uniform[:19].round(2), uniform.dtype) is None
        assert rounding_of(uniform[:20].round(2), uniform.dtype) == 2
        assert rounding_of(np.array([10.0, 20.0]), np.dtype(np.int64)) == 0

    def test_integers_in_tens_and_hundreds(self, uniform):
        tens = (uniform * 100).astype(np.int64) * 10
        column, _ = column_from(tens)
        assert column.decimals == -1
        assert column.kind == "integer"
        assert column.cells(np.array([14.9, 15.1, 1230.0])).tolist() == [10, 20, 1230]

    def test_cells_are_rounded_as_in_training(self, uniform):
        column, _ = column_from((100 * uniform).round(2))
        assert column.cells(np.array([1.23456, -0.001, 7.0])).tolist() == [1.23, 0, 7]

    def test_single_precision_is_rounded_in_its_own_digits(self, uniform):
        prices = (100 * uniform).round(1).astype(np.float32)
        column, _ = column_from(prices)
        assert column.decimals == 1
        assert_comes_back(prices)

    @pytest.mark.parametrize("size", [1e9, 1e11, 1e13, 1e15])
    def test_whole_numbers_may_be_large(self, uniform, size):
        whole = np.round(size * uniform)
        assert rounding_of(whole, whole.dtype) == 0
        assert_comes_back(whole)

    @pytest.mark.parametrize(
        ("size", "dtype"), [(1e305, np.float64), (1e30, np.float32), (6e4, np.float16)]
    )
    def test_numbers_at_the_end_of_their_dtype(self, uniform, size, dtype):
        assert_comes_back((size * uniform).astype(dtype))

    @pytest.mark.parametrize(
        ("cells", "kind"),
        [
            (np.arange(30.0) * 7, "integer"),
            (np.arange(30) * 7, "integer"),
            (np.arange(30.0) / 2, "continuous"),
        ],
    )
    def test_whole_numbers_are_integers_in_any_dtype(self, cells, kind):
        assert column_from(cells)[0].kind == kind


def test_range_and_description():
    column, _ = column_from([1234567.0, -2.5, np.nan, 0.0])
    assert (column.low, column.high) == (-2.5, 1234567.0)
    assert column.holds == "-2.5 to 1,234,567"
    with_atoms = Number("n", np.dtype(float), low=0.0, high=9.5, atoms=(0.0, 2.5))
    assert with_atoms.holds == "0 to 9.5, atoms 0, 2.5"


def test_group_and_width_follow_the_atoms():
    column = Number("n", np.dtype(float))
    assert (column.group, column.width) == ("continuous", 1)
    mixed = Number("n", np.dtype(float), atoms=(0.0, 9.0))
    assert (mixed.group, mixed.width) == ("mixed", 3)
    discrete = Number("n", np.dtype(float), atoms=(0.0, 9.0), is_discrete=True)
    assert (discrete.group, discrete.width) == ("discrete", 3)


REFUSED = {
    "infinity": ([1.0, -np.inf], "contains infinity (row 1)"),
    "infinity beside a hole": ([np.nan, 1.0, np.inf], "contains infinity (row 2)"),
    "complex": (np.array([1, 2j]), "is complex128"),
    "complex object": (np.array([1j, 2j], dtype=object), "holds 1j of type complex"),
    "sparse": (pd.arrays.SparseArray([0.0, 1.0]), "is sparse"),
    "sparse booleans": (pd.arrays.SparseArray([False, True]), "is sparse"),
    # 2**53 + 1 is 2**53 to a float: the cell itself has to be looked at.
    "beyond 2**53": (np.array([1, 2**53 + 1]), f"holds {2**53 + 1}; expected integers"),
    "beyond -2**53": (np.array([-(2**53) - 1, 1]), f"holds {-(2**53) - 1}; expected"),
    "int64 at its end": (np.array([-(2**63), 1]), f"holds {-(2**63)}; expected"),
    "beyond 2**53, unsigned": (
        np.array([1, 2**64 - 1], dtype=np.uint64),
        f"holds {2**64 - 1}; expected integers up to 2**53",
    ),
    "beyond 2**53, nullable": (
        pd.array([None, 2**53 + 1], dtype="Int64"),
        f"holds {2**53 + 1}; expected",
    ),
    "interval": (pd.interval_range(0, 2), "of type Interval; expected numbers"),
    "list": ([[1], [2]], "holds values that are not hashable, such as [1]"),
    "list among strings": (["a", [2]], "that are not hashable, such as [2]"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_column_is_named(case):
    cells, reason = REFUSED[case]
    with pytest.raises(ValueError) as raised:
        column_from(cells)
    message = str(raised.value)
    assert "olumn 'amount'" in message
    assert reason in message


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (["a", "b"], "holds 'a' of type str; expected numbers, as in fit"),
        (np.array([1, "b"], dtype=object), "holds 'b' of type str"),
        # Were they read as numbers, "01" would come back as "1.0".
        (["01", "02"], "holds '01' of type str"),
        (pd.Categorical([1, 2]), "has dtype category; expected numbers"),
        (pd.date_range("2020", periods=2), "has dtype datetime64"),
        (pd.date_range("2020", periods=2, tz="UTC"), "has dtype datetime64"),
        # Its missing cells would turn into -9.2e18.
        (pd.to_timedelta([1, None], unit="D"), "has dtype timedelta64"),
        (pd.period_range("2020", periods=2), "of type Period"),
        (pd.arrays.SparseArray([0.0, 1.0]), "is sparse"),
    ],
    ids=str,
)
@pytest.mark.parametrize("of_kind", [Number, Boolean])
def test_new_cells_that_are_no_numbers(of_kind, cells, reason):
    column = of_kind("amount", np.dtype(float))
    with pytest.raises(ValueError, match="olumn 'amount'") as raised:
        column.numbers(pd.Series(cells))
    assert reason in str(raised.value)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA], ids=repr)
def test_new_cells_may_be_missing_in_any_way(missing):
    column = Number("amount", np.dtype(np.int64))
    numbers = column.numbers(pd.Series([missing, 3], dtype=object))
    np.testing.assert_array_equal(numbers, [np.nan, 3])
    assert np.isnan(column.numbers(pd.Series([missing, missing], dtype=object))).all()
