"""Conditions to a matrix and back: kinds, levels, what is unknown."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skvae._core.errors import UnseenConditionWarning
from skvae.tables import ConditionEncoder
from skvae.tables._quantile import QuantileNormalEncoder


def fit_one(cells, **kwargs):
    return ConditionEncoder().fit(pd.DataFrame({"c": pd.Series(cells, **kwargs)}))


def matrix_of(encoder, cells, **kwargs):
    return encoder.transform(pd.DataFrame({"c": pd.Series(cells, **kwargs)}))


@pytest.fixture
def conditions():
    """Conditions of every kind; forty rows."""
    rng = np.random.RandomState(0)
    return pd.DataFrame(
        {
            "region": rng.permutation(["south", "north", "north", "east"] * 10),
            "income": rng.lognormal(size=40),
            "grade": pd.Categorical(
                rng.permutation(["low", "high"] * 20),
                categories=["never", "low", "high"],
            ),
            "age": rng.permutation(np.arange(40)),
            "year": rng.permutation([2023, 2024] * 20).astype(np.int16),
            "member": rng.permutation([True, False] * 20),
            "visits": pd.array(rng.permutation([0, 1, 2, 3] * 10), dtype="Int64"),
            "opted": pd.array(rng.permutation([True, False] * 20), dtype="boolean"),
            "rate": rng.normal(size=40).astype(np.float32),
        }
    )


class TestConditionEncoder:
    def test_kinds_and_parts(self, conditions):
        encoder = ConditionEncoder().fit(conditions)
        assert encoder.columns_ == list(conditions.columns)
        assert encoder.is_categorical_ == [
            True, False, True, False, True, True, True, True, False
        ]  # fmt: skip
        widths = [3, 1, 2, 1, 2, 2, 4, 2, 1]
        assert [part.stop - part.start for part in encoder.parts_] == widths
        assert encoder.width == sum(widths) == encoder.parts_[-1].stop
        matrix = encoder.transform(conditions)
        assert matrix.shape == (40, encoder.width)
        assert matrix.dtype == np.float64
        assert np.isfinite(matrix).all()

    def test_each_condition_is_encoded_by_itself(self, conditions):
        encoder = ConditionEncoder().fit(conditions)
        matrix = encoder.transform(conditions)
        for name, part in zip(encoder.columns_, encoder.parts_, strict=True):
            alone = ConditionEncoder().fit(conditions[[name]])
            expected = alone.transform(conditions[[name]])
            np.testing.assert_array_equal(matrix[:, part], expected)

    def test_there_and_back(self, conditions):
        encoder = ConditionEncoder().fit(conditions)
        result = encoder.inverse_transform(encoder.transform(conditions))
        pd.testing.assert_frame_equal(result, conditions, rtol=1e-6)

    def test_levels_are_sorted(self):
        encoder = fit_one(["b", "c", "a", "b"])
        expected = [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]
        assert matrix_of(encoder, ["b", "c", "a", "b"]).tolist() == expected

    def test_levels_in_the_order_of_the_dtype_and_only_those_seen(self):
        dtype = pd.CategoricalDtype(["small", "medium", "huge", "large"])
        encoder = fit_one(["large", "small", "medium"], dtype=dtype)
        matrix = matrix_of(encoder, ["small", "medium", "large"])
        assert matrix.tolist() == np.eye(3).tolist()
        with pytest.warns(UnseenConditionWarning, match="'huge'"):
            assert np.isnan(matrix_of(encoder, ["huge"], dtype=dtype)).all()

    def test_levels_of_several_types(self):
        cells = ["b", 2, "1", 1, (3, 4)]
        encoder = fit_one(cells, dtype=object)
        matrix = matrix_of(encoder, cells, dtype=object)
        np.testing.assert_array_equal(np.sort(matrix.argmax(axis=1)), np.arange(5))
        result = encoder.inverse_transform(matrix)["c"]
        assert result.tolist() == cells

    @pytest.mark.parametrize("dtype", [int, bool, object, "category", "Int64"])
    def test_levels_match_by_value(self, dtype):
        encoder = fit_one([0, 1, 0], dtype=dtype)
        for one in (1, 1.0, True, np.int64(1), np.float32(1), np.True_):
            assert matrix_of(encoder, [one]).tolist() == [[0, 1]]
            assert matrix_of(encoder, [one], dtype=object).tolist() == [[0, 1]]
        with pytest.warns(UnseenConditionWarning, match="'1' in condition 'c'"):
            assert np.isnan(matrix_of(encoder, ["1"])).all()

    def test_number_is_no_level_among_strings(self):
        encoder = fit_one(["0", "1"])
        with pytest.warns(UnseenConditionWarning, match=": 1 in condition 'c'"):
            assert np.isnan(matrix_of(encoder, [1])).all()

    def test_few_integers_are_categories_and_many_are_numbers(self):
        assert fit_one(list(range(20)) * 3).is_categorical_ == [True]
        assert fit_one(list(range(21)) * 3).is_categorical_ == [False]
        assert fit_one([0.0, 1.0]).is_categorical_ == [False]

    def test_numbers_are_normal_scores(self):
        numbers = np.random.RandomState(0).lognormal(size=100)
        expected = QuantileNormalEncoder().fit_transform(numbers[:, None])
        encoder = fit_one(numbers)
        np.testing.assert_array_equal(matrix_of(encoder, numbers), expected)
        # Linear tails: farther out is farther out.
        far, farther = matrix_of(encoder, [1e3, 1e6]).ravel()
        assert 3 < far < farther

    @pytest.mark.parametrize("missing", [None, np.nan, pd.NA], ids=repr)
    def test_missing_cell_is_nan_in_all_of_its_part(self, conditions, missing):
        encoder = ConditionEncoder().fit(conditions)
        known = encoder.transform(conditions)
        for name, part in zip(encoder.columns_, encoder.parts_, strict=True):
            cells = conditions[name].astype(object)
            cells[3] = missing
            matrix = encoder.transform(conditions.assign(**{name: cells}))
            assert np.isnan(matrix[3, part]).all()
            matrix[3, part] = known[3, part]
            np.testing.assert_array_equal(matrix, known)

    def test_missing_cells_in_the_dtypes_of_fit(self, conditions):
        encoder = ConditionEncoder().fit(conditions)
        nothing = conditions.iloc[:2].mask(np.ones((2, 9), dtype=bool))
        assert np.isnan(encoder.transform(nothing)).all()

    def test_unseen_levels_are_unknown_and_warned_of_once(self, conditions):
        encoder = ConditionEncoder().fit(conditions)
        new = conditions.assign(
            year=conditions["year"].where(conditions.index > 1, 1999)
        )
        new.loc[0, "region"] = "west"
        new.loc[1, "region"] = None
        with pytest.warns(UnseenConditionWarning) as warned:
            matrix = encoder.transform(new)
        assert len(warned) == 1
        message = str(warned[0].message)
        assert "'west' in condition 'region'; 1999 in condition 'year'" in message
        assert "None" not in message
        assert "treated as unknown" in message
        assert warned[0].filename == __file__
        region, year = encoder.parts_[0], encoder.parts_[4]
        assert np.isnan(matrix[:2, region]).all()
        assert np.isnan(matrix[:2, year]).all()
        assert np.isnan(matrix).sum() == 2 * (3 + 2)

    def test_many_unseen_levels_are_cut_short(self):
        encoder = fit_one(["a", "b"])
        with pytest.warns(UnseenConditionWarning, match=r"'9', \.\.\. in condition"):
            matrix_of(encoder, [str(number) for number in range(100)])

    def test_what_is_unknown_comes_back_as_what_is_typical(self, conditions):
        encoder = ConditionEncoder().fit(conditions)
        unknown = np.full((2, encoder.width), np.nan)
        result = encoder.inverse_transform(unknown)
        assert result.dtypes.equals(conditions.dtypes)
        assert result["region"].tolist() == ["north"] * 2
        for name in ("income", "rate"):
            median = conditions[name].median()
            assert result[name].tolist() == pytest.approx([median] * 2)
        assert result["age"].iloc[0] in (19, 20)
        # Of levels that are equally common, the first.
        assert result["grade"].tolist() == ["low"] * 2
        assert result["member"].tolist() == [False] * 2

    def test_soft_levels_come_back_as_the_likeliest(self):
        encoder = fit_one(["a", "b", "c"])
        result = encoder.inverse_transform(np.array([[0.2, 0.5, 0.3], [0.1, 0, 0.9]]))
        assert result["c"].tolist() == ["b", "c"]

    def test_constant_conditions_carry_nothing_and_do_no_harm(self):
        constant = pd.DataFrame({"a": ["x"] * 3, "b": [2.5] * 3, "c": [7] * 3})
        encoder = ConditionEncoder().fit(constant)
        assert encoder.is_categorical_ == [True] * 3
        assert encoder.transform(constant).tolist() == [[1, 1, 1]] * 3
        pd.testing.assert_frame_equal(
            encoder.inverse_transform(np.full((3, 3), np.nan)), constant
        )
        with pytest.warns(UnseenConditionWarning, match=r"2\.6 in condition 'b'"):
            matrix = encoder.transform(constant.assign(b=2.6))
        assert np.isnan(matrix[:, 1]).all()

    def test_no_conditions(self):
        none = pd.DataFrame(index=range(3))
        encoder = ConditionEncoder().fit(none)
        assert encoder.width == 0
        assert encoder.transform(none).shape == (3, 0)
        assert encoder.inverse_transform(np.empty((3, 0))).shape == (3, 0)

    def test_no_rows(self, conditions):
        encoder = ConditionEncoder().fit(conditions)
        assert encoder.transform(conditions.iloc[:0]).shape == (0, encoder.width)
        result = encoder.inverse_transform(np.empty((0, encoder.width)))
        assert result.shape == (0, 9)
        assert result.dtypes.equals(conditions.dtypes)

    def test_pickle(self, conditions):
        encoder = ConditionEncoder().fit(conditions)
        copy = pickle.loads(pickle.dumps(encoder))
        np.testing.assert_array_equal(
            copy.transform(conditions), encoder.transform(conditions)
        )

    @pytest.mark.parametrize(
        "cells",
        [["a", "b", None], [1.5, 2.5, np.nan], pd.array([1, 2, None], dtype="Int64")],
        ids=["string", "float", "Int64"],
    )
    def test_missing_cell_in_fit(self, cells):
        with pytest.raises(ValueError, match=r"'c' is missing in row 2; .*every train"):
            fit_one(cells)

    @pytest.mark.parametrize(
        ("cells", "reason"),
        [
            (pd.date_range("2020", periods=3), "'c' has dtype datetime64"),
            (pd.DatetimeIndex(["2020"] * 3), "'c' has dtype datetime64"),
            ([1.0, np.inf, 2.0], r"'c' contains infinity \(row 1\)"),
            (np.array([1, 2j, 3]), "'c' is complex"),
            ([[1], [2], [3]], r"'c' holds values .* not hashable, such as \[1\]"),
        ],
        ids=["datetime", "constant datetime", "infinite", "complex", "list"],
    )
    def test_refused_condition_is_named(self, cells, reason):
        with pytest.raises(ValueError, match=reason):
            fit_one(cells)

    def test_word_for_a_number(self):
        encoder = fit_one([1.5, 2.5, 3.5])
        with pytest.raises(ValueError, match="'c' holds 'high' of type str"):
            matrix_of(encoder, [2.0, "high"])

    def test_infinite_number(self):
        encoder = fit_one([1.5, 2.5, 3.5])
        with pytest.raises(ValueError, match=r"'c' contains infinity \(row 1\)"):
            matrix_of(encoder, [np.nan, np.inf])

    @pytest.mark.parametrize("number", [1e300, -1e300])
    def test_number_out_of_all_proportion(self, number):
        encoder = fit_one([0.0, 1e-300, 2e-300])
        with pytest.raises(ValueError, match=r"Condition 'c' is .* in row 1"):
            matrix_of(encoder, [np.nan, number])

    def test_other_columns(self, conditions):
        encoder = ConditionEncoder().fit(conditions[["region", "age"]])
        with pytest.raises(ValueError, match="Got conditions 'age', 'region'; expec"):
            encoder.transform(conditions[["age", "region"]])
        with pytest.raises(ValueError, match="Got conditions none; expected 'region',"):
            encoder.transform(conditions[[]])


levels = st.one_of(
    st.integers(-3, 3), st.booleans(), st.sampled_from(["", "1", "a"]), st.just(0.5)
)


@settings(max_examples=100, deadline=None)
@given(seen=st.lists(levels, min_size=1, max_size=8), new=st.lists(levels, max_size=8))
@pytest.mark.filterwarnings("ignore::skvae._core.errors.UnseenConditionWarning")
def test_any_level_is_itself_or_unknown(seen, new):
    encoder = fit_one(seen, dtype=object)
    matrix = matrix_of(encoder, [*seen, *new], dtype=object)
    known = np.array([level in seen for level in [*seen, *new]])
    assert (np.isnan(matrix).all(axis=1) == ~known).all()
    assert (matrix[known].sum(axis=1) == 1).all()
    cells = encoder.inverse_transform(matrix)["c"]
    assert cells[known].tolist() == [level for level in [*seen, *new] if level in seen]


def test_a_condition_between_those_of_training_comes_back_as_given():
    table = pd.DataFrame({"unemployment": np.repeat([0.04, 0.06, 0.10], 20)})
    encoder = ConditionEncoder().fit(table)
    asked = pd.DataFrame({"unemployment": [0.04, 0.05, 0.08, 0.10, 0.02, 0.20]})
    back = encoder.inverse_transform(encoder.transform(asked))
    np.testing.assert_allclose(back["unemployment"], asked["unemployment"])
