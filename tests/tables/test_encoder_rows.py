"""What an encoder does with encoded rows: means, ranges, quantiles, single cells."""

import numpy as np
import pandas as pd
import pytest
from example_tables import ENCODINGS, N_ROWS, holey_table, mixed_table
from scipy.stats import rankdata

from skvae.tables import TableEncoder

NAMES = [name for name in mixed_table() if name != "bank"]
NUMBERS = ["score", "age", "since", "seen", "amount", "children"]
CONTINUOUS = NUMBERS[:-2]


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


@pytest.fixture(scope="module", params=ENCODINGS, ids=repr)
def of_any(request, table):
    """Return an encoder with each of the encodings."""
    return fitted(table, request.param)


def position_of(encoder, name):
    return encoder.schema_.names.index(name)


def belongs_to(encoder, name):
    return encoder.table_columns() == position_of(encoder, name)


class TestLayout:
    def test_columns_of_values_are_those_of_numbers(self, encoder, table):
        held = [encoder.column_at(column).name for column in encoder.value_columns]
        assert sorted(held) == sorted(NUMBERS)
        scaled = encoder.transform(table)[:, encoder.value_columns]
        for place, position in enumerate(encoder.numeric):
            numbers = encoder.schema_.columns[position].numbers(table.iloc[:, position])
            expected = encoder.scaled_values(position, numbers)
            is_no_atom = ~np.isin(numbers, encoder.schema_.columns[position].atoms)
            np.testing.assert_array_equal(
                scaled[is_no_atom, place], expected[is_no_atom]
            )

    def test_a_table_column_for_each_matrix_column(self, of_holey, holey):
        positions = of_holey.table_columns()
        assert positions.shape == (of_holey.width,)
        expected = {
            name: of_holey.schema_.columns[p].width + 1 for p, name in enumerate(holey)
        }
        expected["bank"] = 1  # one value, or none
        found = {name: belongs_to(of_holey, name).sum() for name in holey}
        assert found == expected

    def test_a_cell_changes_the_columns_that_belong_to_it(self, encoder, table):
        for name in NAMES:
            changed = table.iloc[:1].copy()
            others = table.loc[table[name] != table[name].iloc[0], name]
            changed[name] = others.iloc[:1].set_axis(changed.index)
            is_changed = encoder.transform(changed) != encoder.transform(table.iloc[:1])
            assert is_changed.any()
            assert belongs_to(encoder, name)[is_changed[0]].all()

    def test_column_at(self, encoder):
        for column, position in enumerate(encoder.table_columns()):
            assert encoder.column_at(column) is encoder.schema_.columns[position]

    @pytest.mark.parametrize("name", NUMBERS)
    def test_matrix_column_of_a_number(self, encoder, name):
        column = encoder.matrix_column(name)
        assert column in encoder.value_columns
        assert encoder.column_at(column).name == name
        assert column == np.flatnonzero(belongs_to(encoder, name))[0]

    @pytest.mark.parametrize(
        ("name", "found"),
        [
            ("wealth", "expected one of those of X: 'region', 'score'"),
            ("bank", "takes no part"),
            ("region", "is categorical; expected a column of numbers"),
            ("grade", "is ordinal; expected a column of numbers"),
            ("member", "is boolean; expected a column of numbers"),
        ],
    )
    def test_matrix_column_of_no_number(self, encoder, name, found):
        with pytest.raises(ValueError, match=f"olumn '{name}'.*{found}"):
            encoder.matrix_column(name)

    def test_matrix_column_of_a_condition(self, table):
        encoder = fitted(table, left_out=["age"])
        with pytest.raises(ValueError, match=r"'age' takes no part.*condition"):
            encoder.matrix_column("age")

    def test_columns_of_an_array_are_called_by_their_position(self, table):
        rows = table[["score", "amount", "age"]].to_numpy()
        encoder = fitted(rows)
        columns = [encoder.matrix_column(position) for position in range(3)]
        assert columns == [0, 2, 1]  # the amounts have an atom, and so come last


class TestWithoutHoles:
    def test_no_cell_is_missing(self, of_holey, holey):
        matrix = of_holey.transform(holey)
        matrix[np.isnan(matrix)] = 0.5  # all values are known
        before = matrix.copy()
        assert of_holey.inverse_transform(matrix).isna().to_numpy().any()
        filled = of_holey.without_holes(matrix)
        assert not of_holey.inverse_transform(filled).isna().to_numpy().any()
        np.testing.assert_array_equal(matrix, before)

    def test_values_stay(self, of_holey, holey):
        matrix = of_holey.transform(holey)
        (missing,) = (g for g in of_holey.groups_ if g.kind == "missing")
        is_mask = np.arange(of_holey.width) >= missing.start
        filled = of_holey.without_holes(matrix)
        np.testing.assert_array_equal(filled[:, ~is_mask], matrix[:, ~is_mask])
        assert (filled[:, is_mask] == 0).all()
        assert (matrix[:, is_mask] == 1).any()

    def test_table_without_any(self, encoder, table):
        matrix = encoder.transform(table)
        filled = encoder.without_holes(matrix)
        np.testing.assert_array_equal(filled, matrix)
        assert not np.shares_memory(filled, matrix)


class TestScaledValues:
    @pytest.mark.parametrize("name", CONTINUOUS)
    def test_they_are_those_of_transform(self, of_any, table, name):
        position = position_of(of_any, name)
        numbers = of_any.schema_.columns[position].numbers(table[name])
        found = of_any.scaled_values(position, numbers)
        expected = of_any.transform(table)[:, of_any.matrix_column(name)]
        np.testing.assert_allclose(found, expected, rtol=1e-12)

    def test_without_an_encoding_numbers_stay(self, table):
        encoder = fitted(table, None)
        numbers = np.array([-5.0, 0.25, 1e6, np.nan])
        for name in NUMBERS:
            found = encoder.scaled_values(position_of(encoder, name), numbers)
            np.testing.assert_array_equal(found, numbers)

    def test_any_number_of_them(self, encoder):
        position = position_of(encoder, "age")
        assert encoder.scaled_values(position, np.empty(0)).shape == (0,)
        scaled = encoder.scaled_values(position, np.linspace(-100, 300, 900))
        assert (np.diff(scaled) >= 0).all()
        assert np.isfinite(scaled).all()


class TestEncodedCell:
    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("which", ["table", "holey"])
    def test_each_is_encoded_as_in_its_row(self, which, name, request):
        table = request.getfixturevalue(which)
        encoder = fitted(table)
        matrix, is_own = encoder.transform(table), belongs_to(encoder, name)
        for row in range(0, N_ROWS, 7):
            value = table[name].iloc[row]
            value = None if pd.isna(value) else value
            encoded = encoder.encoded_cell(position_of(encoder, name), value)
            assert encoded.shape == (encoder.width,)
            np.testing.assert_allclose(encoded[is_own], matrix[row, is_own], rtol=1e-12)
            assert np.isnan(encoded[~is_own]).all()

    @pytest.mark.parametrize("name", ["score", "amount", "age", "children"])
    def test_under_each_encoding(self, of_any, table, name):
        matrix, is_own = of_any.transform(table), belongs_to(of_any, name)
        for row in range(5):
            value = table[name].iloc[row]
            encoded = of_any.encoded_cell(position_of(of_any, name), value)
            np.testing.assert_allclose(encoded[is_own], matrix[row, is_own], rtol=1e-12)

    def test_one_value_or_none(self, of_holey):
        position = position_of(of_holey, "bank")
        is_own = belongs_to(of_holey, "bank")
        for value, expected in [("B1", 0.0), (None, 1.0)]:
            encoded = of_holey.encoded_cell(position, value)
            assert encoded[is_own].tolist() == [expected]
            assert np.isnan(encoded[~is_own]).all()


class TestWithinTraining:
    def test_training_rows_stay(self, of_any, table):
        matrix = of_any.transform(table)
        np.testing.assert_array_equal(of_any.within_training(matrix), matrix)

    def test_spread_training_rows_stay_in_the_table(self, encoder, table):
        matrix = encoder.training_matrix(table, np.random.RandomState(0))
        back = encoder.inverse_transform(encoder.within_training(matrix), table.index)
        pd.testing.assert_frame_equal(back, table)

    @pytest.mark.parametrize("farther", [-1e3, 1e3])
    def test_numbers_farther_out_go_to_the_ends(self, of_any, table, farther):
        matrix = of_any.transform(table)
        columns = [of_any.matrix_column(name) for name in CONTINUOUS]
        moved = matrix.copy()
        moved[:, columns] += farther * (1 + np.abs(matrix[:, columns]).max(axis=0))
        clipped = of_any.within_training(moved)
        rows = of_any.inverse_transform(clipped)
        for name in ("age", "since", "seen"):
            end = table[name].min() if farther < 0 else table[name].max()
            assert (rows[name] == end).all()
        end = table["score"].min() if farther < 0 else table["score"].max()
        np.testing.assert_allclose(rows["score"], end)
        others = np.setdiff1d(np.arange(of_any.width), columns)
        np.testing.assert_array_equal(clipped[:, others], matrix[:, others])

    def test_holes_stay(self, of_holey, holey):
        matrix = of_holey.transform(holey)
        np.testing.assert_array_equal(of_holey.within_training(matrix), matrix)

    def test_table_without_numbers(self, table):
        encoder = fitted(table[["region", "member"]])
        matrix = 5 * encoder.transform(table[["region", "member"]])
        np.testing.assert_array_equal(encoder.within_training(matrix), matrix)


class TestCalibrated:
    @staticmethod
    def distorted(encoder, table, n_copies=10):
        """Return rows whose numbers are squeezed and moved, their order kept."""
        matrix = np.repeat(encoder.transform(table), n_copies, axis=0)
        noise = np.random.RandomState(0).normal(size=matrix.shape)
        values = encoder.value_columns
        moved = 0.3 * matrix[:, values] + 0.01 * noise[:, values]
        matrix[:, values] = np.arctan(moved) + 2.0
        return matrix

    def test_marginals_are_those_of_training(self, encoder, table):
        matrix = self.distorted(encoder, table)
        columns = [encoder.matrix_column(name) for name in CONTINUOUS]
        calibrated = encoder.calibrated(matrix)
        shares = np.linspace(0.01, 0.99, 99)
        expected = np.quantile(encoder.transform(table)[:, columns], shares, axis=0)
        found = np.quantile(calibrated[:, columns], shares, axis=0)
        before = np.quantile(matrix[:, columns], shares, axis=0)
        assert (np.abs(before - expected).max(axis=0) > 1).all()
        np.testing.assert_allclose(found, expected, atol=0.05)

    def test_rows_are_distributed_as_the_table(self, of_any, table):
        rows = of_any.inverse_transform(
            of_any.calibrated(self.distorted(of_any, table))
        )
        is_paid = rows["amount"] != 0
        assert is_paid.any()
        for share in (0.1, 0.5, 0.9):
            for name in ("score", "age"):
                expected = table[name].quantile(share)
                allowed = 0.05 * (table[name].max() - table[name].min())
                assert rows[name].quantile(share) == pytest.approx(
                    expected, abs=allowed
                )
            paid = table.loc[table["amount"] != 0, "amount"]
            found = rows.loc[is_paid, "amount"].quantile(share)
            assert found == pytest.approx(paid.quantile(share), rel=0.15)

    def test_order_stays(self, encoder, table):
        matrix = self.distorted(encoder, table)
        calibrated = encoder.calibrated(matrix)
        for name in CONTINUOUS:
            column = encoder.matrix_column(name)
            order = matrix[:, column].argsort()
            assert (np.diff(calibrated[order, column]) >= 0).all()
        column = encoder.matrix_column("amount")
        is_number = matrix[:, column + 1] == 0
        order = matrix[is_number, column].argsort()
        assert (np.diff(calibrated[is_number, column][order]) >= 0).all()

    def test_atoms_and_levels_stay(self, encoder, table):
        matrix = self.distorted(encoder, table)
        before = matrix.copy()
        calibrated = encoder.calibrated(matrix)
        np.testing.assert_array_equal(matrix, before)
        moved = [encoder.matrix_column(name) for name in [*CONTINUOUS, "amount"]]
        others = np.setdiff1d(np.arange(encoder.width), moved)
        np.testing.assert_array_equal(calibrated[:, others], matrix[:, others])
        amount = encoder.matrix_column("amount")
        is_atom = matrix[:, amount + 1] == 1
        assert is_atom.any()
        np.testing.assert_array_equal(
            calibrated[is_atom, amount], matrix[is_atom, amount]
        )

    def test_numbers_beside_atoms_have_their_own_marginal(self, encoder, table):
        matrix = self.distorted(encoder, table)
        column = encoder.matrix_column("amount")
        is_number = matrix[:, column + 1] == 0
        found = encoder.calibrated(matrix)[is_number, column]
        expected = encoder.transform(table)
        expected = expected[expected[:, column + 1] == 0, column]
        for share in (0.05, 0.5, 0.95):
            assert np.quantile(found, share) == pytest.approx(
                np.quantile(expected, share), abs=0.05
            )

    def test_every_copy_of_a_value_gets_a_quantile_of_its_own(self, encoder, table):
        matrix = np.repeat(encoder.transform(table)[:1], 1000, axis=0)
        column = encoder.matrix_column("score")
        found = encoder.calibrated(matrix)[:, column]
        np.testing.assert_array_equal(rankdata(found), np.arange(1, 1001))

    def test_no_rows(self, encoder):
        calibrated = encoder.calibrated(np.empty((0, encoder.width)))
        assert calibrated.shape == (0, encoder.width)


class TestMeanRows:
    N_DRAWS = 3

    @pytest.fixture
    def weights(self):
        weights = np.random.RandomState(0).uniform(size=(20, self.N_DRAWS))
        return weights / weights.sum(axis=1, keepdims=True)

    @pytest.fixture
    def drawn(self, encoder, table):
        """Three rows of the table below each other for each of twenty rows."""
        return encoder.transform(table.iloc[: 20 * self.N_DRAWS])

    def averaged(self, values, weights):
        values = np.reshape(values, (20, self.N_DRAWS, -1))
        return (weights[:, :, None] * values).sum(axis=1)

    @pytest.mark.parametrize("encoding", ENCODINGS, ids=repr)
    @pytest.mark.parametrize("name", ["score", "amount"])
    def test_numbers_are_averaged_in_their_own_units(
        self, table, weights, encoding, name
    ):
        encoder = fitted(table, encoding)
        some = table.iloc[: 20 * self.N_DRAWS]
        drawn = encoder.transform(some)
        mean = encoder.mean_rows(drawn, np.zeros_like(drawn), weights)
        found = encoder.inverse_transform(mean)[name]
        expected = self.averaged(some[name], weights).ravel()
        # Amounts are rounded, and quantiles have plateaus half a rank wide.
        allowed = np.ptp(table[name]) * (0.06 if encoding == "quantile" else 1e-4)
        np.testing.assert_allclose(found, expected, atol=allowed)

    def test_scaled_means_are_those_of_means(self, encoder, table, drawn, weights):
        mean = encoder.mean_rows(drawn, np.zeros_like(drawn), weights)
        position = position_of(encoder, "age")
        ages = self.averaged(table["age"].iloc[: 20 * self.N_DRAWS], weights)
        expected = encoder.scaled_values(position, ages.ravel())
        found = mean[:, encoder.matrix_column("age")]
        np.testing.assert_allclose(found, expected, rtol=1e-9)
        of_scores = self.averaged(drawn[:, encoder.matrix_column("age")], weights)
        assert np.abs(found - of_scores.ravel()).max() > 0.05

    def test_levels_are_averaged_as_they_are_decoded(self, encoder, drawn, weights):
        decoded = np.random.RandomState(1).uniform(size=drawn.shape)
        mean = encoder.mean_rows(drawn, decoded, weights)
        expected = self.averaged(decoded, weights)
        for name in ("region", "grade", "sex", "member"):
            is_own = belongs_to(encoder, name)
            np.testing.assert_allclose(mean[:, is_own], expected[:, is_own])

    def test_a_mean_is_no_atom(self, encoder, drawn, weights):
        mean = encoder.mean_rows(drawn, np.ones_like(drawn), weights)
        for name in ("amount", "children"):
            first = encoder.matrix_column(name)
            is_atom = belongs_to(encoder, name)
            is_atom[first] = False
            assert is_atom.any()
            assert (mean[:, is_atom] == 0).all()

    def test_all_draws_alike(self, encoder, table, weights):
        rows = encoder.transform(table.iloc[:20])
        alike = np.repeat(rows, self.N_DRAWS, axis=0)
        mean = encoder.mean_rows(alike, alike, weights)
        back = encoder.inverse_transform(mean, table.index[:20])
        pd.testing.assert_frame_equal(back, table.iloc[:20])

    def test_one_draw_with_all_the_weight(self, encoder, table):
        drawn = encoder.transform(table.iloc[:60])
        mean = encoder.mean_rows(drawn, drawn, np.tile([0.0, 1.0, 0.0], (20, 1)))
        back = encoder.inverse_transform(mean, table.index[1:60:3])
        pd.testing.assert_frame_equal(back, table.iloc[1:60:3])

    def test_what_goes_in_stays(self, encoder, drawn, weights):
        decoded = drawn + 0.5
        before = drawn.copy()
        encoder.mean_rows(drawn, decoded, weights)
        np.testing.assert_array_equal(drawn, before)
        np.testing.assert_array_equal(decoded, before + 0.5)
