"""Whatever users pass as a condition becomes the same table of conditions."""

import numpy as np
import pandas as pd
import pytest

from skvae.tables import ConditionEncoder, as_conditions, condition_names


class TestConditionNames:
    @pytest.mark.parametrize(
        ("condition", "names"),
        [
            (pd.DataFrame({"a": [1], 7: [2]}), ["a", 7]),
            ({"a": 1, "b": [2, 3]}, ["a", "b"]),
            (pd.Series([1, 2], name="a"), ["a"]),
            (pd.Series([1, 2]), ["condition"]),
            ([1, 2], ["condition"]),
            (("a", None), ["condition"]),
            (np.array([1, 2]), ["condition"]),
            (pd.Categorical(["a"]), ["condition"]),
            (np.ones((2, 1)), ["condition"]),
            (np.ones((2, 2)), ["condition0", "condition1"]),
            ([["a", 1], ["b", 2]], ["condition0", "condition1"]),
            ("north", ["condition"]),
            (3.5, ["condition"]),
            (None, []),
        ],
        ids=str,
    )
    def test_names(self, condition, names):
        assert condition_names(condition) == names

    def test_repeated_name(self):
        twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
        with pytest.raises(ValueError, match="more than one condition named 'a'"):
            condition_names(twice)


class TestAsConditions:
    def test_none_is_nothing_known(self):
        result = as_conditions(None, ["a", 7], 3)
        assert list(result.columns) == ["a", 7]
        assert result.shape == (3, 2)
        assert result.isna().all(axis=None)

    @pytest.mark.parametrize(
        "condition",
        [
            [1, 2, 1],
            (1, 2, 1),
            np.array([1, 2, 1]),
            np.array([[1], [2], [1]]),
            [[1], [2], [1]],
            pd.Series([1, 2, 1], index=[5, 5, 9]),
            pd.Series([1, 2, 1], name="another name"),
            pd.Index([1, 2, 1]),
            {"a": [1, 2, 1]},
            {"a": pd.Series([1, 2, 1], index=[5, 5, 9])},
            pd.DataFrame({"a": [1, 2, 1]}, index=[5, 5, 9]),
        ],
        ids=lambda condition: type(condition).__name__,
    )
    def test_forms_of_one_condition(self, condition):
        expected = pd.DataFrame({"a": [1, 2, 1]})
        pd.testing.assert_frame_equal(as_conditions(condition, ["a"], 3), expected)

    @pytest.mark.parametrize(
        "condition",
        [
            {"a": ["x", "y"], "b": [0.5, 1.5]},
            {"b": (0.5, 1.5), "a": np.array(["x", "y"])},
            pd.DataFrame({"b": [0.5, 1.5], "a": ["x", "y"]}, index=[3, 3]),
            [["x", 0.5], ["y", 1.5]],
            [("x", 0.5), ("y", 1.5)],
        ],
        ids=lambda condition: type(condition).__name__,
    )
    def test_forms_of_several_conditions(self, condition):
        expected = pd.DataFrame({"a": ["x", "y"], "b": [0.5, 1.5]})
        result = as_conditions(condition, ["a", "b"], 2)
        pd.testing.assert_frame_equal(result, expected)

    def test_array_goes_by_position(self):
        rows = np.arange(6.0).reshape(3, 2)
        result = as_conditions(rows, ["a", "b"], 3)
        pd.testing.assert_frame_equal(result, pd.DataFrame(rows, columns=["a", "b"]))

    @pytest.mark.parametrize("scalar", ["north", 3, 2.5, True, pd.Timestamp(0), None])
    def test_scalars_hold_for_all_rows(self, scalar):
        expected = pd.DataFrame({"a": [scalar] * 3})
        for condition in (scalar, {"a": scalar}):
            result = as_conditions(condition, ["a"], 3)
            pd.testing.assert_frame_equal(result, expected)

    def test_names_left_out_are_unknown(self):
        for condition in ({"b": 1}, pd.DataFrame({"b": [1, 1]})):
            result = as_conditions(condition, ["a", "b"], 2)
            assert result["a"].isna().all()
            assert result["b"].tolist() == [1, 1]

    @pytest.mark.parametrize(
        ("cells", "dtype"),
        [
            ([1, 2], np.dtype(np.int64)),
            (np.array([1, None], dtype=object), np.dtype(object)),
            ([True, None], np.dtype(object)),
            (pd.array([1, None], dtype="Int8"), pd.Int8Dtype()),
            (pd.Categorical(["a", None]), pd.CategoricalDtype(["a"])),
            (np.array([1, 2], dtype=np.float32), np.dtype(np.float32)),
        ],
        ids=str,
    )
    def test_dtypes_stay(self, cells, dtype):
        for condition in (cells, {"c": cells}, pd.DataFrame({"c": cells})):
            result = as_conditions(condition, ["c"], 2)
            assert result["c"].dtype == dtype
            assert result["c"].isna().tolist() == pd.isna(cells).tolist()

    def test_frame_of_one_column_where_the_condition_has_no_name(self):
        frame = pd.DataFrame({"region": ["a", "b"]})
        result = as_conditions(frame, ["condition"], 2)
        assert result["condition"].tolist() == ["a", "b"]
        with pytest.raises(ValueError, match=r"Got conditions 'region'; .* 'area'"):
            as_conditions(frame, ["area"], 2)

    @pytest.mark.parametrize(
        "condition", [{"a": 1, "area": 2}, pd.DataFrame({"area": [1, 2]})], ids=type
    )
    def test_unknown_name(self, condition):
        with pytest.raises(
            ValueError, match=r"Got conditions 'area'; .* among 'a', 'b'"
        ):
            as_conditions(condition, ["a", "b"], 2)

    @pytest.mark.parametrize(
        "condition", [3, "north", [1, 2], pd.Series([1, 2], name="a")], ids=str
    )
    def test_one_condition_where_there_are_several(self, condition):
        with pytest.raises(ValueError, match=r"Got 1 condition.* expected 2: 'a', 'b'"):
            as_conditions(condition, ["a", "b"], 2)

    def test_wrong_number_of_columns(self):
        with pytest.raises(ValueError, match=r"Got 3 condition.* expected 1: 'a'\."):
            as_conditions(np.ones((2, 3)), ["a"], 2)
        with pytest.raises(ValueError, match=r"Got 1 condition.* expected 0: none\."):
            as_conditions("north", [], 2)

    @pytest.mark.parametrize(
        "condition",
        [[1, 2, 3], {"a": [1, 2, 3]}, pd.DataFrame({"a": [1, 2, 3]}), np.ones((3, 1))],
        ids=lambda condition: type(condition).__name__,
    )
    def test_wrong_number_of_rows(self, condition):
        with pytest.raises(ValueError, match=r"'a' has 3 cells; .* the 2 rows"):
            as_conditions(condition, ["a"], 2)

    def test_no_rows_and_no_names(self):
        assert as_conditions([], ["a"], 0).shape == (0, 1)
        assert as_conditions("x", ["a"], 0).shape == (0, 1)
        assert as_conditions(None, [], 3).shape == (3, 0)

    def test_from_what_a_user_passes_to_a_matrix(self):
        trained_on = {"region": ["N", "S", "N"], "income": [10.0, 20.0, 900.0]}
        names = condition_names(trained_on)
        encoder = ConditionEncoder().fit(as_conditions(trained_on, names, 3))
        matrix = encoder.transform(as_conditions({"region": "S"}, names, 2))
        np.testing.assert_array_equal(matrix, [[0, 1, np.nan]] * 2)
