"""Which kind of column some cells are."""

import datetime
import warnings

import numpy as np
import pandas as pd
import pytest

from skvae.tables import Boolean, Constant, Date, Identifier, Levels, Number
from skvae.tables._kinds import column_of


def kind_of(cells, is_categorical=False, min_atom_share=None, **kwargs):
    values = pd.Series(cells, **kwargs)
    return column_of("code", values, is_categorical, min_atom_share)


KINDS = {
    "floats": ([1.5, 2.5, 1.5], Number, "continuous"),
    "integers": ([1, 2, 1], Number, "integer"),
    "nullable integers": (pd.array([1, None, 2]), Number, "integer"),
    "objects that are numbers": (
        np.array([1, 2.5, None], object),
        Number,
        "continuous",
    ),
    "numbers and booleans": (np.array([1, True, 3], object), Number, "continuous"),
    "booleans": ([True, False, True], Boolean, "boolean"),
    "nullable booleans": (pd.array([True, None, False]), Boolean, "boolean"),
    "objects that are booleans": ([True, None, False], Boolean, "boolean"),
    "strings": (["a", "b", "a"], Levels, "categorical"),
    "strings with holes": (["a", None, "b"], Levels, "categorical"),
    "string dtype": (pd.array(["a", "b"], dtype="string"), Levels, "categorical"),
    "numbers spelled out": (["01", "02", "1"], Levels, "categorical"),
    "strings and numbers": (["a", 1, 2.5], Levels, "categorical"),
    "categories": (pd.Categorical(["a", "b"]), Levels, "categorical"),
    "categories of numbers": (pd.Categorical([1, 2]), Levels, "categorical"),
    "categories of booleans": (pd.Categorical([True, False]), Levels, "categorical"),
    "ordered categories": (pd.Categorical([1, 2], ordered=True), Levels, "ordinal"),
    "dates": (pd.date_range("2020", periods=3), Date, "datetime"),
    "dates of a zone": (pd.date_range("2020", periods=3, tz="UTC"), Date, "datetime"),
    "durations": (pd.to_timedelta([1, 2], unit="D"), Date, "datetime"),
    "periods": (pd.period_range("2020", periods=3, freq="M"), Date, "datetime"),
    "date objects": (
        [datetime.date(2020, 1, 1), None, datetime.date(2020, 1, 2)],
        Date,
        "datetime",
    ),
    "one float": ([1.5, 1.5, np.nan], Constant, "constant"),
    "one string": (["a", "a", None], Constant, "constant"),
    "one truth": ([True, True], Constant, "constant"),
    "one category": (pd.Categorical(["a", "a"], ["a", "b"]), Constant, "constant"),
    "all missing": ([np.nan, np.nan], Constant, "constant"),
}


@pytest.mark.parametrize("case", KINDS)
def test_kind_is_that_of_the_cells(case):
    cells, of_class, kind = KINDS[case]
    column = kind_of(cells)
    assert type(column) is of_class
    assert column.kind == kind
    assert column.name == "code"
    assert column.dtype == pd.Series(cells).dtype
    assert column.missing_share == pd.Series(cells).isna().mean()


@pytest.mark.parametrize("case", KINDS)
def test_whatever_is_said_to_be_categorical_is(case):
    cells, of_class, _ = KINDS[case]
    column = kind_of(cells, is_categorical=True)
    assert type(column) is (Constant if of_class is Constant else Levels)


def test_number_with_atoms():
    amounts = np.random.RandomState(0).exponential(100, size=200).round(1)
    amounts[:50] = 0.0
    assert kind_of(amounts).atoms == ()
    column = kind_of(amounts, min_atom_share=0.02)
    assert (column.atoms, column.is_discrete, column.group) == ((0.0,), False, "mixed")
    assert column.decimals == 1
    with_holes = kind_of(np.append(amounts, [np.nan] * 9), min_atom_share=0.02)
    assert with_holes.atoms == (0.0,)
    few = kind_of(np.repeat([1.0, 2.0], 20), min_atom_share=0.02)
    assert (few.atoms, few.group) == ((1.0, 2.0), "discrete")


class TestConstants:
    @pytest.mark.parametrize("case", [c for c in KINDS if KINDS[c][1] is Constant])
    def test_cells_are_their_value_in_their_dtype(self, case):
        values = pd.Series(KINDS[case][0])
        column = kind_of(values)
        cells = column.cells(2).reset_index(drop=True)
        assert cells.dtype == values.dtype
        if case == "all missing":
            assert cells.isna().all()
            assert column.holds == "missing throughout"
        else:
            assert cells.tolist() == [values.iloc[0]] * 2
            assert column.holds == str(values.iloc[0])

    @pytest.mark.parametrize(
        "dtype",
        [
            "float64",
            "Int64",
            "boolean",
            "string",
            "object",
            "category",
            "datetime64[ns]",
            "datetime64[us, UTC]",
            "timedelta64[s]",
            "period[M]",
        ],
    )
    def test_columns_that_are_missing_throughout(self, dtype):
        values = pd.Series([None, None], dtype=dtype)
        column = kind_of(values)
        assert type(column) is Constant
        assert (column.value, column.missing_share) == (None, 1.0)
        pd.testing.assert_series_equal(
            column.cells(2).reset_index(drop=True), values, check_dtype=True
        )


class TestIdentifiers:
    def test_warning_names_the_column_and_says_what_to_do(self):
        with pytest.warns(
            UserWarning, match="Column 'code' looks like an identif"
        ) as w:
            column = kind_of([f"x{n}" for n in range(100)])
        assert type(column) is Identifier
        assert len(w) == 1
        for part in ("takes no part", "new rows get new names", "Drop it", "float64"):
            assert part in str(w[0].message)
        assert (column.kind, column.group) == ("identifier", None)

    @pytest.mark.parametrize(
        ("cells", "is_identifier"),
        [
            ([f"x{n}" for n in range(99)], False),
            ([f"x{n}" for n in range(100)], True),
            ([f"x{n}" for n in range(100)] + [None] * 50, True),
            ([f"x{n % 95}" for n in range(100)], True),
            ([f"x{n % 94}" for n in range(100)], False),
            (pd.Categorical([f"x{n}" for n in range(100)]), False),
            (pd.Categorical(range(100), ordered=True), False),
            (np.arange(100), True),
            (np.arange(7, 107)[::-1], True),
            (np.arange(99), False),
            (np.arange(100) * 2, True),
            (np.arange(100) * 3, False),
            (np.append(np.arange(100), 0), False),
            (np.arange(100.0), False),
            (pd.array([*range(100), None], dtype="Int64"), True),
        ],
    )
    @pytest.mark.filterwarnings("ignore:Column 'code' looks like")
    def test_what_looks_like_one(self, cells, is_identifier):
        assert (type(kind_of(cells)) is Identifier) == is_identifier

    def test_what_is_said_to_be_categorical_is_none(self):
        for cells in ([f"x{n}" for n in range(120)], np.arange(120), np.arange(120.0)):
            column = kind_of(cells, is_categorical=True)
            assert type(column) is Levels
            assert len(column.levels) + len(column.rare) == 120

    @pytest.mark.parametrize(
        "values",
        [
            pd.Series([f"x{n}" for n in range(120)]),
            pd.Series([f"code-{n}" for n in range(120)]),
            pd.Series([f"code-{n}" for n in range(120)], dtype=object),
            pd.Series([f"code-{n}" for n in range(120)], dtype="string"),
            pd.Series(["code-", "code-x", *(f"{n}" for n in range(120))]),
            pd.Series(range(120)),
            pd.Series(range(-60, 60)),
            pd.Series(range(120), dtype="Int64"),
            pd.Series(range(120), dtype=np.int8),
            pd.Series(range(100, 250), dtype=np.uint8),
        ],
        ids=lambda values: f"{values.dtype} {values.iloc[0]}",
    )
    @pytest.mark.filterwarnings("ignore:Column 'code' looks like")
    def test_new_rows_get_new_names(self, values):
        cells = kind_of(values).cells(300)
        assert len(cells) == 300
        assert cells.is_unique
        assert not set(cells) & set(values)
        is_small = values.dtype in (np.dtype(np.int8), np.dtype(np.uint8))
        if is_small:  # 300 new names go beyond it
            assert cells.dtype == np.int64
            assert kind_of(values).cells(3).dtype == values.dtype
        else:
            assert cells.dtype == values.dtype


@pytest.mark.parametrize(
    "cells",
    [
        np.array([1, 2j, 3]),
        pd.arrays.SparseArray([0, 0, 1]),
        [1.0, np.inf, 3.0],
        [[1], [2], [3]],
        [1, 2**53 + 1],
    ],
    ids=["complex", "sparse", "infinite", "list", "integer"],
)
def test_refused_cells(cells):
    with pytest.raises(ValueError, match="olumn 'code'"):
        kind_of(cells)


def test_nothing_else_is_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for cells, _, _ in KINDS.values():
            kind_of(cells)
