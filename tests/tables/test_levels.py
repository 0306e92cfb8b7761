"""Columns of categories: levels to codes, and codes to levels."""

import numpy as np
import pandas as pd
import pytest

from skvae.tables import Levels
from skvae.tables._levels import MISSING, UNSEEN


def levels_of(cells, **kwargs):
    values = pd.Series(cells, **kwargs)
    return Levels.of("region", values), values


def assert_comes_back(cells, **kwargs):
    column, values = levels_of(cells, **kwargs)
    codes, unseen = column.codes(values)
    assert unseen == []
    pd.testing.assert_series_equal(column.cells(codes), values)


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(["b", "a", "b"]),
        pd.Series(["b", "a", None]),
        pd.Series(["b", "a", None], dtype=object),
        pd.Series(["b", "a", None], dtype="string"),
        pd.Series(["", " ", "01"]),
        pd.Series([3, 1, 3]),
        pd.Series([3, 1, 3], dtype=np.int8),
        pd.Series([3.0, 1.0, np.nan]),
        pd.Series([3, 1, None], dtype="Int64"),
        pd.Series([True, None, False], dtype="boolean"),
        pd.Series(pd.Categorical(["b", "a", None], categories=["c", "b", "a"])),
        pd.Series(pd.Categorical([2, 1, None], categories=[3, 2, 1], ordered=True)),
        pd.Series(pd.Categorical([True, False, None])),
        pd.Series(pd.cut([0.5, 1.5, 9.0], [0, 1, 2])),
        pd.Series(pd.to_datetime(["2020-01-02", "2020-01-01", None])),
        pd.Series([(1, 2), "a", None], dtype=object),
        pd.Series([True, "a", 2.5], dtype=object),
    ],
    ids=lambda values: f"{values.dtype} {values.tolist()}",
)
def test_dtype_and_cells_come_back(values):
    assert_comes_back(values)


def test_levels_are_sorted():
    column, values = levels_of(["b", "c", "a", "b"])
    assert column.levels == ("a", "b", "c")
    assert column.codes(values)[0].tolist() == [1, 2, 0, 1]
    assert (column.kind, column.group, column.width) == (*["categorical"] * 2, 3)


def test_levels_of_several_types_have_an_order_all_the_same():
    forward, _ = levels_of(["b", 2, "a", 1, True], dtype=object)
    backward, _ = levels_of([True, 1, "a", 2, "b"], dtype=object)
    assert set(forward.levels) == {1, 2, "a", "b"}
    assert [str(level) for level in forward.levels[-2:]] == ["a", "b"]
    assert len(forward.levels) == len(backward.levels) == 4


def test_true_is_one():
    # As in Python, and in pandas.
    column, _ = levels_of([1, "a"], dtype=object)
    assert column.codes(pd.Series([True, 1.0, "a"], dtype=object))[0].tolist() == [
        0,
        0,
        1,
    ]


def test_categories_keep_their_order_and_only_those_seen_count():
    cells = pd.Categorical(["large", "small"], ["small", "medium", "large"])
    column, _ = levels_of(cells)
    assert column.levels == ("small", "large")
    assert not column.is_ordered


def test_ordered_categories_are_ordinal():
    cells = pd.Categorical(["low", "high"], ["low", "high"], ordered=True)
    column, _ = levels_of(cells)
    assert (column.kind, column.group) == ("ordinal", "ordinal")
    assert column.holds == "low < high"


def test_missing_and_unseen_cells_have_codes_of_their_own():
    column, _ = levels_of(["a", "b", None])
    codes, unseen = column.codes(pd.Series(["b", None, "z", "y", "z"]))
    assert codes.tolist() == [1, MISSING, UNSEEN, UNSEEN, UNSEEN]
    assert unseen == ["z", "y"]
    assert column.missing_share == pytest.approx(1 / 3)


def test_levels_match_by_value_whatever_the_dtype():
    column, _ = levels_of(pd.Categorical([1, 2, 1]))
    for same in (
        pd.Series([2, 1]),
        pd.Series([2.0, 1.0]),
        pd.Series([2, 1], dtype=object),
        pd.Series([2, 1], dtype="Int64"),
        pd.Series(pd.Categorical([2, 1], categories=[7, 2, 1])),
    ):
        codes, unseen = column.codes(same)
        assert codes.tolist() == [1, 0]
        assert unseen == []
    assert column.codes(pd.Series(["1"]))[0].tolist() == [UNSEEN]


def test_integers_with_a_hole_come_back_as_objects():
    column, _ = levels_of([3, 1, 3])
    cells = column.cells(np.array([0, MISSING, 1]))
    assert cells.tolist() == [1, None, 3]


def test_no_rows():
    column, values = levels_of(["a", "b"])
    codes, unseen = column.codes(values.iloc[:0])
    assert (len(codes), unseen) == (0, [])
    cells = column.cells(codes)
    assert len(cells) == 0
    assert cells.dtype == values.dtype


@pytest.mark.parametrize("cells", [[[1], [2]], ["a", {}], ["a", ["b"]], [{1}, "a"]])
def test_cell_that_is_not_hashable(cells):
    wrong = next(cell for cell in cells if cell != "a")
    with pytest.raises(ValueError, match="Column 'region' holds values") as raised:
        levels_of(cells)
    assert f"such as {wrong!r};" in str(raised.value)
    column, _ = levels_of(["a", "b"])
    with pytest.raises(ValueError, match="Column 'region' holds values"):
        column.codes(pd.Series(cells))


class TestRareLevels:
    """Beyond the 99 commonest, levels share one place."""

    @pytest.fixture
    def values(self):
        # Each of 99 common levels three times, ten rare ones once, one of them twice.
        common = [f"common {n:02}" for n in range(99)] * 3
        rare = [f"rare {n}" for n in range(10)]
        return pd.Series([*common, *rare, "rare 7"])

    @pytest.fixture
    def column(self, values):
        return Levels.of("region", values)

    def test_hundred_levels_are_not_too_many(self):
        column, _ = levels_of([str(n) for n in range(100)])
        assert (len(column.levels), column.rare, column.width) == (100, (), 100)

    def test_the_rarest_share_one_place(self, column, values):
        assert len(column.levels) == 99
        assert all(level.startswith("common") for level in column.levels)
        assert column.rare == tuple(f"rare {n}" for n in range(10))
        assert column.width == 100
        codes, unseen = column.codes(values)
        assert unseen == []
        assert (codes[-11:] == 99).all()
        assert (codes[:-11] < 99).all()
        assert column.holds.endswith("and 103 more")

    def test_they_are_drawn_by_share(self, column):
        codes = np.full(11_000, 99)
        drawn = column.cells(codes, np.random.RandomState(0))
        counts = drawn.value_counts()
        assert set(counts.index) == set(column.rare)
        assert counts["rare 7"] == pytest.approx(2000, abs=150)
        assert counts["rare 0"] == pytest.approx(1000, abs=120)
        again = column.cells(codes, np.random.RandomState(0))
        pd.testing.assert_series_equal(drawn, again)

    def test_without_a_draw_the_commonest_of_them_stands_for_all(self, column):
        cells = column.cells(np.array([99, 0, MISSING, 99]))
        assert cells.iloc[[0, 1, 3]].tolist() == ["rare 7", "common 00", "rare 7"]
        assert cells.isna().tolist() == [False, False, True, False]

    def test_codes_that_go_in_stay_as_they_are(self, column):
        codes = np.array([99, 99])
        column.cells(codes, np.random.RandomState(0))
        assert codes.tolist() == [99, 99]

    def test_categories(self, values):
        column = Levels.of("region", values.astype("category"))
        cells = column.cells(np.array([99, 98, MISSING]))
        assert cells.dtype == values.astype("category").dtype
        assert cells.iloc[0] == "rare 7"

    def test_many_ordered_levels_are_categorical(self):
        grades = pd.Categorical(range(150), ordered=True)
        column = Levels.of("grade", pd.Series(grades))
        assert column.kind == "categorical"
        assert column.cells(np.array([0])).dtype == grades.dtype
