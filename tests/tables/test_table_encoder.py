"""A mixed table to a matrix and back."""

import numpy as np
import pandas as pd
import pytest
from example_tables import ENCODINGS, N_ROWS, holey_table, mixed_table

from skvae.tables import Levels, TableEncoder


@pytest.fixture
def table():
    return mixed_table()


@pytest.fixture
def holey():
    return holey_table()


def fitted(table, encoding="auto", **kwargs):
    kwargs = {"min_atom_share": 0.02} | kwargs
    return TableEncoder(encoding, **kwargs).fit(table)


def part_of(encoder, name):
    """Return the columns of the matrix that hold the values of a column."""
    position = encoder.schema_.names.index(name)
    group = next(group for group in encoder.groups_ if position in group.columns)
    return group.parts[group.columns.index(position)]


class TestRoundTrip:
    @pytest.mark.parametrize("encoding", ENCODINGS, ids=repr)
    @pytest.mark.parametrize("name", ["table", "holey"])
    @pytest.mark.parametrize("min_atom_share", [None, 0.02])
    def test_training_rows_come_back(self, name, encoding, min_atom_share, request):
        table = request.getfixturevalue(name)
        encoder = fitted(table, encoding, min_atom_share=min_atom_share)
        result = encoder.inverse_transform(encoder.transform(table), table.index)
        pd.testing.assert_frame_equal(result, table, rtol=1e-9, atol=1e-9)

    @pytest.mark.parametrize("encoding", ENCODINGS, ids=repr)
    @pytest.mark.parametrize("name", ["table", "holey"])
    def test_training_matrix_goes_back_to_the_same_table(self, name, encoding, request):
        table = request.getfixturevalue(name)
        encoder = fitted(table, encoding)
        matrix = encoder.training_matrix(table, np.random.RandomState(0))
        result = encoder.inverse_transform(matrix, table.index)
        pd.testing.assert_frame_equal(result, table, rtol=1e-9, atol=1e-9)

    @pytest.mark.parametrize("name", ["table", "holey"])
    def test_cells_are_encoded_row_by_row(self, name, request):
        table = request.getfixturevalue(name)
        encoder = fitted(table)
        matrix = encoder.transform(table)
        few = table.iloc[[7, 3, 7]]
        np.testing.assert_array_equal(encoder.transform(few), matrix[[7, 3, 7]])
        assert encoder.transform(table.iloc[:0]).shape == (0, encoder.width)
        empty = encoder.inverse_transform(np.empty((0, encoder.width)))
        assert empty.shape == (0, table.shape[1])
        assert empty.dtypes.equals(table.dtypes)

    @pytest.mark.parametrize("name", ["table", "holey"])
    def test_memory_order_of_the_matrix_is_irrelevant(self, name, request):
        table = request.getfixturevalue(name)
        encoder = fitted(table)
        matrix = encoder.transform(table)
        by_rows, by_columns = (
            encoder.inverse_transform(np.array(matrix, order=order)) for order in "CF"
        )
        pd.testing.assert_frame_equal(by_rows, by_columns)

    def test_matrix_that_goes_in_stays_as_it_is(self, holey):
        encoder = fitted(holey)
        matrix = encoder.transform(holey)
        before = matrix.copy()
        encoder.inverse_transform(matrix)
        encoder.within_training(matrix)
        np.testing.assert_array_equal(matrix, before)

    def test_table_that_goes_in_stays_as_it_is(self, holey):
        before = holey.copy()
        encoder = fitted(holey)
        encoder.training_matrix(holey, np.random.RandomState(0))
        pd.testing.assert_frame_equal(holey, before)

    @pytest.mark.parametrize("order", "CF")
    @pytest.mark.parametrize(
        ("categorical_features", "kind"),
        [("from_dtype", "discrete"), ([2], "categorical")],
    )
    def test_array_whose_columns_lie_in_another_order_in_the_matrix(
        self, order, categorical_features, kind
    ):
        rng = np.random.RandomState(0)
        rows = rng.exponential(size=(200, 4))
        rows[:80, 0] = 0.0  # atoms, and so behind the others
        rows[:, 2] = rng.randint(0, 3, size=200)
        rows[rng.uniform(size=200) < 0.1, 3] = np.nan
        rows = np.array(rows, order=order)
        encoder = fitted(rows, categorical_features=categorical_features)
        assert {group.kind: group.columns for group in encoder.groups_} == {
            "continuous": (1, 3),
            "mixed": (0,),
            kind: (2,),
            "missing": (3,),
        }
        result = encoder.inverse_transform(encoder.transform(rows))
        assert type(result) is np.ndarray
        np.testing.assert_allclose(result, rows)


class TestGroups:
    def test_columns_of_a_kind_lie_side_by_side(self, table):
        encoder = fitted(table)
        names = {
            group.kind: [table.columns[p] for p in group.columns]
            for group in encoder.groups_
        }
        assert names == {
            "continuous": ["score", "age", "since", "seen"],
            "mixed": ["amount"],
            "discrete": ["children"],
            "boolean": ["member"],
            "categorical": ["region", "sex"],
            "ordinal": ["grade"],
        }
        widths = {group.kind: group.widths for group in encoder.groups_}
        assert widths == {
            "continuous": (1, 1, 1, 1),
            "mixed": (2,),
            "discrete": (5,),
            "boolean": (1,),
            "categorical": (3, 2),
            "ordinal": (2,),
        }
        starts = [group.start for group in encoder.groups_]
        assert starts == [0, 4, 6, 11, 12, 17]
        assert encoder.width == 19
        assert encoder.transform(table).shape == (N_ROWS, 19)

    def test_columns_with_holes_have_one_column_more(self, holey):
        encoder = fitted(holey)
        group = encoder.groups_[-1]
        assert group.kind == "missing"
        assert group.columns == tuple(range(holey.shape[1]))  # the constant one too
        assert group.widths == (1,) * holey.shape[1]
        matrix = encoder.transform(holey)
        np.testing.assert_array_equal(matrix[:, group.matrix_columns], holey.isna())

    def test_each_column_of_the_matrix_has_its_column_of_the_table(self, holey):
        encoder = fitted(holey)
        positions = encoder.table_columns()
        assert positions.shape == (encoder.width,)
        for group in encoder.groups_:
            for position, part in zip(group.columns, group.parts, strict=True):
                assert (positions[part] == position).all()
        assert encoder.column_at(0).name == "score"
        assert encoder.column_at(encoder.width - 1).name == "bank"

    def test_modelled_columns_have_a_part(self, table, holey):
        assert encoder_names(fitted(table)) == [n for n in table if n != "bank"]
        assert encoder_names(fitted(holey)) == list(holey)

    def test_matrix_column_of_a_column_of_numbers(self, table):
        encoder = fitted(table)
        matrix = encoder.transform(table)
        for name in ("score", "age", "amount", "children", "since"):
            column = matrix[:, encoder.matrix_column(name)]
            order = np.argsort(table[name].to_numpy(), kind="stable")
            assert (np.diff(column[order]) >= 0).all()
        with pytest.raises(ValueError, match="Column 'region' is categorical; expec"):
            encoder.matrix_column("region")
        with pytest.raises(ValueError, match="Column 'member' is boolean; expected"):
            encoder.matrix_column("member")
        with pytest.raises(ValueError, match="Column 'bank' takes no part"):
            encoder.matrix_column("bank")
        with pytest.raises(ValueError, match="Got column 'colour'; expected one of"):
            encoder.matrix_column("colour")

    def test_table_without_a_number(self, table):
        few = table[["region", "member", "grade"]]
        encoder = fitted(few)
        assert encoder.scaler_ is None
        matrix = encoder.training_matrix(few, np.random.RandomState(0))
        np.testing.assert_array_equal(matrix, encoder.transform(few))
        np.testing.assert_array_equal(encoder.within_training(matrix), matrix)
        result = encoder.inverse_transform(matrix, few.index)
        pd.testing.assert_frame_equal(result, few)


def encoder_names(encoder):
    return [encoder.schema_.names[position] for position in encoder.modelled]


class TestLevels:
    def test_levels_are_one_hot(self, table):
        encoder = fitted(table)
        matrix = encoder.transform(table)
        for name, levels in [
            ("region", ["E", "N", "S"]),
            ("grade", ["low", "high"]),
            ("sex", [1, 2]),
        ]:
            expected = table[name].to_numpy()[:, None] == np.array(levels, dtype=object)
            np.testing.assert_array_equal(matrix[:, part_of(encoder, name)], expected)

    def test_the_largest_weight_counts(self, table):
        encoder = fitted(table[["score", "region"]])
        result = encoder.inverse_transform(
            np.array([[0, 0.2, 0.5, 0.3], [0, 0.4, 0.1, 0.39]])
        )
        assert result["region"].tolist() == ["N", "E"]

    def test_unseen_levels_are_zeros_and_warned_of_once(self, table):
        encoder = fitted(table)
        new = table.iloc[:4].assign(
            region=["N", "W", "X", "W"],
            grade=pd.Categorical(["mid", "low", "low", "mid"], ["low", "mid", "high"]),
        )
        with pytest.warns(
            UserWarning, match="Levels that training never saw"
        ) as warned:
            matrix = encoder.transform(new)
        assert len(warned) == 1
        message = str(warned[0].message)
        assert "'W', 'X' in column 'region'" in message
        assert "grade" not in message  # whose dtype lists it
        assert warned[0].filename == __file__
        region = matrix[:, part_of(encoder, "region")]
        assert region.sum(axis=1).tolist() == [1, 0, 0, 0]
        grade = matrix[:, part_of(encoder, "grade")]
        assert grade.sum(axis=1).tolist() == [0, 1, 1, 0]

    def test_columns_said_to_be_categorical(self, table):
        encoder = fitted(table, categorical_features=["children", "member", "since"])
        for name in ("children", "member", "since"):
            position = table.columns.get_loc(name)
            assert type(encoder.schema_.columns[position]) is Levels
        result = encoder.inverse_transform(encoder.transform(table), table.index)
        few = ["children", "member", "region"]
        pd.testing.assert_frame_equal(result[few], table[few])

    def test_rare_levels_are_drawn(self):
        cells = [f"common {n}" for n in range(99)] * 3 + ["rare", "seldom"]
        table = pd.DataFrame({"code": cells, "n": np.arange(299.0)})
        encoder = fitted(table)
        assert encoder.groups_[-1].widths == (100,)
        matrix = np.zeros((200, encoder.width))
        matrix[:, -1] = 1
        result = encoder.inverse_transform(
            matrix, random_state=np.random.RandomState(0)
        )
        counts = result["code"].value_counts()
        assert set(counts.index) == {"rare", "seldom"}
        assert 70 < counts["rare"] < 130
        still = encoder.inverse_transform(matrix)
        assert still["code"].nunique() == 1


class TestMissing:
    def test_missing_cells_are_nan_in_all_of_their_part(self, holey):
        encoder = fitted(holey)
        matrix = encoder.transform(holey)
        for position in encoder.modelled:
            name = holey.columns[position]
            if name != "bank":
                part = matrix[:, part_of(encoder, name)]
                expected = np.repeat(holey[[name]].isna(), part.shape[1], axis=1)
                np.testing.assert_array_equal(np.isnan(part), expected)

    @pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT], ids=repr)
    def test_new_cells_may_be_missing_where_none_was(self, table, missing):
        encoder = fitted(table)
        known = encoder.transform(table)
        for name in table.columns.drop("bank"):
            if missing is pd.NaT and name not in ("since", "seen"):
                continue
            cells = table[name].astype(object)
            cells.iloc[3] = missing
            matrix = encoder.transform(table.assign(**{name: cells}))
            part = part_of(encoder, name)
            assert np.isnan(matrix[3, part]).all()
            matrix[3, part] = known[3, part]
            np.testing.assert_array_equal(matrix, known)
            hole = known[3:4].copy()
            hole[0, part] = np.nan
            assert encoder.inverse_transform(hole)[name].isna().all()

    def test_cell_is_missing_where_the_matrix_is_sure_of_it(self, holey):
        encoder = fitted(holey)
        matrix = encoder.without_holes(np.zeros((2, encoder.width)))
        missing = encoder.groups_[-1].matrix_columns
        matrix[:, missing] = [[0.99], [1.0]]
        result = encoder.inverse_transform(matrix)
        assert result.dtypes.equals(holey.dtypes)
        assert result.iloc[0].notna().all()
        assert result.iloc[1].isna().all()

    def test_column_missing_throughout_takes_no_part(self, table):
        table["nothing"] = np.nan
        encoder = fitted(table)
        assert table.columns.get_loc("nothing") not in encoder.modelled
        result = encoder.inverse_transform(encoder.transform(table), table.index)
        assert result["nothing"].isna().all()

    def test_nothing_but_a_hole_may_vary(self):
        table = pd.DataFrame({"a": [1.0, np.nan, 1.0], "b": ["x", "x", None]})
        encoder = fitted(table)
        assert [group.kind for group in encoder.groups_] == ["missing"]
        matrix = encoder.transform(table)
        assert matrix.tolist() == [[0, 0], [1, 0], [0, 1]]
        pd.testing.assert_frame_equal(encoder.inverse_transform(matrix), table)

    def test_first_row_may_have_a_hole_where_the_range_is_too_wide(self):
        wide = [np.nan, -1.7e308, 1.7e308]
        table = pd.DataFrame({"fine": [0.0, 1.0, 2.0], "wide": wide})
        with pytest.raises(ValueError, match="Column 'wide' has a range"):
            fitted(table, "minmax")

    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    def test_pixels_are_never_missing(self, dtype):
        rows = np.random.RandomState(0).uniform(size=(5, 4)).astype(dtype)
        rows[2, 1] = np.nan
        for images in (rows, pd.DataFrame(rows)):
            encoder = TableEncoder(image_shape=(1, 2, 2))
            with pytest.raises(ValueError, match=r"Column 1 contains NaN; .*images"):
                encoder.fit(images)


class TestAtoms:
    def test_atoms_are_ones_and_their_value_is_their_score(self, table):
        encoder = fitted(table)
        matrix = encoder.transform(table)
        amount = matrix[:, part_of(encoder, "amount")]
        is_zero = table["amount"].to_numpy() == 0
        np.testing.assert_array_equal(amount[:, 1], is_zero)
        group = next(g for g in encoder.groups_ if g.kind == "mixed")
        ((score,),) = group.atom_scores
        assert (amount[is_zero, 0] == score).all()
        others = amount[~is_zero, 0]
        # The score of an atom lies within those of the other values.
        assert others.min() <= score <= others.max()

    def test_scale_is_that_of_the_other_values(self, table):
        encoder = fitted(table, "standard")
        matrix = encoder.transform(table)
        amount = matrix[:, part_of(encoder, "amount")]
        others = amount[amount[:, 1] == 0, 0]
        assert others.mean() == pytest.approx(0, abs=1e-12)
        assert others.std() == pytest.approx(1)

    def test_column_of_few_values_is_nothing_but_atoms(self, table):
        encoder = fitted(table)
        group = next(g for g in encoder.groups_ if g.kind == "discrete")
        children = encoder.transform(table)[:, group.matrix_columns]
        expected = table["children"].to_numpy()[:, None] == np.arange(4)
        np.testing.assert_array_equal(children[:, 1:], expected)
        scores = np.array(group.atom_scores[0])
        assert (np.diff(scores) > 0).all()
        np.testing.assert_array_equal(children[:, 0], scores[table["children"]])

    def test_atom_counts_where_it_is_more_likely_than_not(self, table):
        encoder = fitted(table[["amount", "score"]])
        value = encoder.matrix_column("amount")
        matrix = np.zeros((3, encoder.width))
        matrix[:, value + 1] = [0.5, 0.51, 1.0]
        amounts = encoder.inverse_transform(matrix)["amount"]
        assert amounts[0] > 0
        assert amounts[1:].tolist() == [0, 0]

    def test_new_value_of_a_column_of_few_values_is_none_of_them(self, table):
        encoder = fitted(table)
        new = table.iloc[:2].assign(children=np.array([7, 2], dtype=np.int8))
        matrix = encoder.transform(new)
        children = matrix[:, part_of(encoder, "children")]
        assert children[:, 1:].tolist() == [[0, 0, 0, 0], [0, 0, 1, 0]]
        assert children[0, 0] > children[1, 0]
        back = encoder.inverse_transform(matrix)["children"]
        assert back[0] > 3
        assert back[1] == 2

    @pytest.mark.parametrize("encoding", ENCODINGS, ids=repr)
    def test_code_far_from_all_else_does_not_stretch_the_scale(self, table, encoding):
        table["income"] = table["score"].where(np.arange(N_ROWS) % 4 > 0, 99_999_999.0)
        encoder = fitted(table, encoding)
        matrix = encoder.transform(table)
        score = matrix[:, encoder.matrix_column("income")]
        plain = matrix[:, encoder.matrix_column("score")]
        assert np.abs(score).max() <= np.abs(plain).max() * 1.5
        result = encoder.inverse_transform(matrix, table.index)
        pd.testing.assert_frame_equal(result, table, rtol=1e-9, atol=1e-9)


class TestTrainingMatrix:
    def test_ties_are_spread_over_their_ranks(self, table):
        encoder = fitted(table, "quantile", min_atom_share=None)
        plain = encoder.transform(table)
        spread = encoder.training_matrix(table, np.random.RandomState(0))
        amount = encoder.matrix_column("amount")
        is_zero = table["amount"].to_numpy() == 0
        assert len(np.unique(plain[is_zero, amount])) == 1
        assert len(np.unique(spread[is_zero, amount])) == is_zero.sum()
        # All that is not tied stays where it was.
        score = encoder.matrix_column("score")
        np.testing.assert_array_equal(spread[:, score], plain[:, score])
        # A column of normal scores is nearly normal then.
        assert spread[:, amount].mean() == pytest.approx(0, abs=0.1)
        assert spread[:, amount].std() == pytest.approx(1, abs=0.1)

    def test_draws_are_those_of_the_generator(self, table):
        encoder = fitted(table, "quantile")
        first, again, other = (
            encoder.training_matrix(table, np.random.RandomState(seed))
            for seed in (0, 0, 1)
        )
        np.testing.assert_array_equal(first, again)
        assert (first != other).any()

    @pytest.mark.parametrize("encoding", ["standard", "minmax", None])
    def test_nothing_is_spread_under_other_encodings(self, holey, encoding):
        encoder = fitted(holey, encoding)
        matrix = encoder.training_matrix(holey, np.random.RandomState(0))
        np.testing.assert_array_equal(matrix, encoder.transform(holey))


class TestWithinTraining:
    @pytest.mark.parametrize("encoding", ENCODINGS, ids=repr)
    def test_numbers_are_clipped_to_those_of_training(self, holey, encoding):
        encoder = fitted(holey, encoding)
        matrix = encoder.transform(holey)
        np.testing.assert_allclose(encoder.within_training(matrix), matrix)
        for name in ("score", "age", "since"):
            column = encoder.matrix_column(name)
            far = matrix.copy()
            far[:, column] = np.where(np.arange(N_ROWS) % 2, -1e5, 1e5)
            clipped = encoder.within_training(far)
            assert clipped[0, column] == pytest.approx(np.nanmax(matrix[:, column]))
            assert clipped[1, column] == pytest.approx(np.nanmin(matrix[:, column]))
            clipped[:, column] = matrix[:, column]
            np.testing.assert_allclose(clipped, matrix)
            far[:, encoder.groups_[-1].matrix_columns] = 0
            rows = encoder.inverse_transform(encoder.within_training(far))
            ends = pd.Series([holey[name].max(), holey[name].min()], name=name)
            found = rows[name].iloc[:2].astype(ends.dtype)
            pd.testing.assert_series_equal(found, ends)

    def test_nothing_else_is_clipped(self, holey):
        encoder = fitted(holey)
        matrix = np.full((1, encoder.width), 7.0)
        clipped = encoder.within_training(matrix)
        is_value = [encoder.matrix_column(n) for n in ("score", "age", "amount")]
        assert (clipped[0, is_value] < 7).all()
        assert (clipped[0, part_of(encoder, "region")] == 7).all()
        assert (clipped[0, encoder.groups_[-1].matrix_columns] == 7).all()


def test_dates_have_to_stay_dates():
    table = pd.DataFrame({"since": pd.date_range("2020", periods=3)})
    encoder = fitted(table)
    with pytest.raises(ValueError, match="Column 'since' of dtype float64"):
        encoder.transform(table.assign(since=[1.0, 2.0, 3.0]))


def test_identifiers_take_no_part_and_get_new_names(table):
    table["customer"] = [f"K{n}" for n in range(N_ROWS)]
    with pytest.warns(UserWarning, match="Column 'customer' looks like an identifier"):
        encoder = fitted(table)
    matrix = encoder.transform(table.assign(customer="whoever"))
    result = encoder.inverse_transform(matrix, table.index)
    assert not set(result["customer"]) & set(table["customer"])
    rest = table.columns.drop("customer")
    pd.testing.assert_frame_equal(result[rest], table[rest], rtol=1e-9, atol=1e-9)
