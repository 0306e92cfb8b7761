"""Rows as they would look in another world: what moves, and what stays."""

import numpy as np
import pandas as pd
import pytest
from model_cases import small
from regime_cases import KINDS, NUMBERS, OF_CONDITIONS, TWO_STAGES, assert_same, case_of

from skvae import BetaTCVAE
from skvae.datasets import make_credit_portfolio

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

UNKNOWN = r"expected names among"


@pytest.fixture(scope="module")
def cases():
    return {}


@pytest.fixture(params=KINDS)
def case(request, cases):
    return case_of(cases, request.param)


@pytest.fixture(params=["BetaTCVAE", "MSVAE", "CVAE"])
def of_arrays(request, cases):
    return case_of(cases, request.param, as_array=True)


@pytest.fixture(params=[False, True], ids=["frame", "array"])
def any_table(request, cases):
    """A case of one stage, with tables of either kind."""
    return case_of(cases, "BetaTCVAE", request.param)


@pytest.fixture(params=TWO_STAGES)
def two_stages(request, cases):
    return case_of(cases, request.param)


@pytest.fixture(params=OF_CONDITIONS)
def conditional(request, cases):
    return case_of(cases, request.param)


@pytest.fixture
def plain(cases):
    return case_of(cases, "BetaTCVAE")


class TestStrength:
    def test_zero_is_the_reconstruction_to_the_bit(self, case):
        result = case.counterfactual(strength=0)
        assert_same(result.data, case.model.reconstruct(case.here))
        assert (result.shift == 0).all()

    def test_zero_is_the_reconstruction_of_arrays(self, of_arrays):
        result = of_arrays.counterfactual(strength=0)
        assert_same(result.data, of_arrays.model.reconstruct(of_arrays.here))

    def test_zero_takes_no_residuals(self, two_stages):
        result = two_stages.counterfactual(strength=0, transfer="residual")
        assert_same(result.data, two_stages.model.reconstruct(two_stages.here))

    def test_zero_takes_no_residuals_of_arrays(self, cases):
        case = case_of(cases, "MSVAE", as_array=True)
        result = case.counterfactual(strength=0, transfer="residual")
        assert_same(result.data, case.model.reconstruct(case.here))

    def test_shift_is_proportional_to_it(self, case):
        whole = case.counterfactual().shift
        assert whole.abs().max() > 0.5
        for strength in (-1, 0.5, 2):
            shift = case.counterfactual(strength=strength).shift
            np.testing.assert_allclose(shift, strength * whole, rtol=1e-12)

    def test_whole_shift_is_that_of_the_factors_that_moved(self, case):
        shifts = case.model.latent_shift(case.here, case.there).shifts
        expected = shifts["shift"].where(shifts["moved"], 0.0)
        shift = case.counterfactual().shift
        assert list(shift.index) == case.model.get_feature_names_out()[:2].tolist()
        np.testing.assert_allclose(shift, expected[shift.index], rtol=1e-9)

    def test_negative_moves_the_other_way(self, case):
        still = case.model.reconstruct(case.here)["a"]
        means = [
            (case.counterfactual(strength=strength).data["a"] - still).mean()
            for strength in (-1, 0.5, 1, 2)
        ]
        assert means[0] < -0.5 < 0.3 < means[1] < means[2] < means[3]

    def test_rows_come_nearer_to_the_truth(self, case):
        moved = case.counterfactual().data
        still = case.model.reconstruct(case.here)
        assert case.error(moved) < 0.5 * case.error(still)
        assert case.error(moved) < 0.6 * case.error(case.here)  # nothing done

    def test_moved_rows_have_the_means_of_the_environment(self, case):
        moved, there = case.counterfactual().data, case.there
        assert moved["a"].mean() == pytest.approx(there["a"].mean(), abs=0.35)
        assert moved["count"].mean() == pytest.approx(there["count"].mean(), abs=2)

    def test_order_of_rows_along_a_factor_stays(self, plain):
        moved = plain.model.transform(plain.counterfactual().data)
        still = plain.model.transform(plain.model.reconstruct(plain.here))
        place = plain.model.get_feature_names_out().tolist().index(plain.moving)
        ranks = np.argsort(np.argsort(moved[:, place]))
        expected = np.argsort(np.argsort(still[:, place]))
        assert np.corrcoef(ranks, expected)[0, 1] > 0.97

    def test_spread_of_a_factor_is_carried_over_as_well(self, plain):
        place = int(plain.moving[-1])
        codes = plain.model.transform(plain.there)[:, place]
        low, high = np.quantile(codes, [0.45, 0.55])
        alike = plain.there[(codes > low) & (codes < high)]
        moved = plain.counterfactual(environment=alike, factors=[place]).data["a"]
        still, expected = (
            plain.model.reconstruct(table)["a"] for table in (plain.here, alike)
        )
        assert expected.std() < 0.4 * still.std()
        assert moved.std() == pytest.approx(expected.std(), rel=0.4)

    def test_nothing_but_the_factor_is_moved(self, case):
        model, here = case.model, case.here[:6]
        place = model.get_feature_names_out().tolist().index(case.moving)
        result = case.counterfactual(here, reference=case.here, factors=[place])
        codes, conditions = model.transform(here), model._conditions(None, 6, here)
        grid = np.linspace(-5, 5, 501)
        for row in range(len(here)):
            along = codes[[row] * len(grid)]
            along[:, place] = grid
            rows = model._decode(along, conditions[[row] * len(grid)], "mean")
            distances = np.abs(rows[NUMBERS] - result.data[NUMBERS].iloc[row])
            assert distances.max(axis=1).min() < 0.03


def test_decoded_by_hand(any_table):
    """A factor goes by the map of its quantiles, the other one stays."""
    model, here, there = any_table.model, any_table.here, any_table.there
    place = model.get_feature_names_out().tolist().index(any_table.moving)
    codes, others = model.transform(here), model.transform(there)
    for strength in (1.0, 0.5):
        data = any_table.counterfactual(factors=[place], strength=strength).data
        ranks = np.argsort(np.argsort(codes[:, place]))
        quantiles = np.sort(others[:, place])[ranks]  # as many rows in both
        moved = codes.copy()
        moved[:, place] += strength * (quantiles - codes[:, place])
        expected = model.inverse_transform(moved)
        found, expected = (np.asarray(t, dtype=float) for t in (data, expected))
        near = np.isclose(found, expected, rtol=0.05, atol=0.15)
        near[:, 2] |= np.abs(found - expected)[:, 2] <= 1  # rounded
        assert near.mean() > 0.95


class TestFactors:
    def test_by_name_and_by_position(self, case):
        names = case.model.get_feature_names_out()[:2].tolist()
        for place, name in enumerate(names):
            by_name = case.counterfactual(factors=[name])
            by_position = case.counterfactual(factors=np.array([place]))
            assert_same(by_name.data, by_position.data)
            assert by_name.shift.drop(name).tolist() == [0.0]
            assert by_name.shift[name] != 0
        both = case.counterfactual(factors=names)
        assert (both.shift != 0).all()

    @pytest.mark.parametrize("factors", [["z9"], [2], [-1], [0.5], [True], [None]])
    def test_unknown(self, case, factors):
        with pytest.raises(ValueError, match=UNKNOWN):
            case.counterfactual(factors=factors)

    def test_residual_latents_are_no_factors(self, two_stages):
        with pytest.raises(ValueError, match=UNKNOWN):
            two_stages.counterfactual(factors=["msvae_z0"])

    def test_none_that_moved(self, case):
        with pytest.warns(UserWarning, match="No factor differs"):
            result = case.counterfactual(environment=case.here)
        assert_same(result.data, case.model.reconstruct(case.here))
        assert (result.shift == 0).all()

    def test_none_asked_for(self, case):
        result = case.counterfactual(factors=[])  # and no warning
        assert_same(result.data, case.model.reconstruct(case.here))


class TestHold:
    def test_held_columns_stay_to_the_bit(self, case):
        held = ["b", "count", "owner", "a"]
        result = case.counterfactual(hold=held)
        free = case.counterfactual().data
        for name in case.here:
            expected = case.here[name] if name in held else free[name]
            pd.testing.assert_series_equal(result.data[name], expected)
        assert not free[held].equals(case.here[held])
        assert list(result.data) == list(case.here)

    @pytest.mark.parametrize("n_samples", [1, 3])
    def test_held_columns_of_draws(self, case, n_samples):
        held = ["count", "owner"]
        data = case.counterfactual(hold=held, n_samples=n_samples, random_state=0).data
        for name in held:
            assert data[name].dtype == case.here[name].dtype
            expected = case.here[name].to_numpy().repeat(n_samples)
            np.testing.assert_array_equal(data[name], expected)

    def test_held_columns_of_arrays(self, of_arrays):
        data = of_arrays.counterfactual(hold=[0, 2]).data
        free = of_arrays.counterfactual().data
        expected = free.copy()
        expected[:, [0, 2]] = of_arrays.here[:, [0, 2]]
        assert_same(data, expected)
        drawn = of_arrays.counterfactual(hold=[2], n_samples=2, random_state=0).data
        np.testing.assert_array_equal(drawn[:, 2], of_arrays.here[:, 2].repeat(2))

    def test_held_columns_of_lists(self, of_arrays):
        here, there = of_arrays.here.tolist(), of_arrays.there.tolist()
        data = of_arrays.counterfactual(here, there, hold=[0, 2]).data
        expected = of_arrays.counterfactual(hold=[0, 2]).data
        np.testing.assert_array_equal(data[:, [0, 2]], expected[:, [0, 2]])
        np.testing.assert_allclose(data, expected, rtol=1e-10)

    def test_held_integers_keep_all_their_digits(self):
        rng = np.random.default_rng(0)
        table = (1000 * rng.normal(size=(200, 3))).astype(np.int64)
        table[:, 2] += 2**52  # more digits than single precision has
        model = small(BetaTCVAE, beta=1, max_epochs=5).fit(table)
        data = model.counterfactual(table[:99], table[99:], hold=[2], factors=[0]).data
        np.testing.assert_array_equal(data[:, 2], table[:99, 2])
        assert data.dtype == np.int64

    def test_held_condition(self, conditional):
        data = conditional.model.counterfactual(
            conditional.here, condition={"group": "high", "age": 60.0}, hold=["group"]
        ).data
        pd.testing.assert_series_equal(data["group"], conditional.here["group"])
        np.testing.assert_allclose(data["age"], 60.0)

    @pytest.mark.parametrize("hold", [["salary"], ["a", 0], [None]])
    def test_unknown(self, case, hold):
        with pytest.raises(ValueError, match=r"Got hold=.*expected columns of X"):
            case.counterfactual(hold=hold)

    @pytest.mark.parametrize("hold", [["a"], [99], [-1]])
    def test_unknown_in_arrays(self, of_arrays, hold):
        with pytest.raises(ValueError, match=r"Got hold=.*expected columns of X"):
            of_arrays.counterfactual(hold=hold)


class TestUnexplained:
    def test_kept_at_strength_zero_it_is_the_row_itself(self, case):
        data = case.counterfactual(strength=0, unexplained="keep").data
        numbers = ["a", "b", "count", "d", "f"]
        np.testing.assert_allclose(data[numbers], case.here[numbers], rtol=1e-5)
        pd.testing.assert_series_equal(data["owner"], case.here["owner"])
        pd.testing.assert_series_equal(data.dtypes, case.here.dtypes)

    def test_kept_rows_come_closer_to_the_truth(self, case):
        kept, dropped = (
            case.error(case.counterfactual(unexplained=what).data)
            for what in ("keep", "drop")
        )
        assert kept < dropped
        assert kept < 0.5 * case.error(case.here)

    def test_kept_is_what_the_reconstruction_misses(self, cases):
        case = case_of(cases, "BetaTCVAE", as_array=True)
        kept = case.counterfactual(unexplained="keep").data
        moved = case.counterfactual().data
        missed = case.here - case.model.reconstruct(case.here)
        # All encodings of the column are linear, so what is added is the same.
        np.testing.assert_allclose((kept - moved)[:, 0], missed[:, 0], atol=1e-9)

    def test_kept_under_a_condition(self, conditional):
        model, here = conditional.model, conditional.here
        data = model.counterfactual(
            here, condition={"group": "high"}, unexplained="keep"
        ).data
        assert (data["group"] == "high").all()
        own = model.counterfactual(here, condition=here, unexplained="keep").data
        np.testing.assert_allclose(own["d"], here["d"], rtol=1e-6)
        np.testing.assert_allclose(own["age"], here["age"])


class TestDraws:
    def test_they_are_one_below_the_other(self, case):
        result = case.counterfactual(n_samples=4, random_state=0)
        assert result.data.shape == (1200, case.here.shape[1])
        assert result.support.shape == (1200,)
        expected = pd.MultiIndex.from_product(
            [case.here.index, range(4)], names=["client", "draw"]
        )
        pd.testing.assert_index_equal(result.data.index, expected)
        pd.testing.assert_series_equal(result.data.dtypes, case.here.dtypes)

    def test_index_that_repeats_itself(self, plain):
        some = plain.here[:4].set_axis(["x", "y", "x", "y"])
        data = plain.counterfactual(some, reference=plain.here, n_samples=2).data
        assert data.index.tolist() == [(name, n) for name in "xyxy" for n in range(2)]

    def test_of_arrays(self, of_arrays):
        data = of_arrays.counterfactual(n_samples=3, random_state=0).data
        assert isinstance(data, np.ndarray)
        assert data.shape == (900, of_arrays.here.shape[1])

    def test_same_random_state_same_draws(self, case):
        one, again, other = (
            case.counterfactual(n_samples=2, random_state=seed) for seed in (0, 0, 1)
        )
        assert_same(one.data, again.data)
        np.testing.assert_array_equal(one.support, again.support)
        assert not np.isclose(one.data["a"], other.data["a"]).any()
        generator = np.random.RandomState(0)
        given = case.counterfactual(n_samples=2, random_state=generator)
        assert_same(one.data, given.data)

    def test_draws_of_a_row_differ_and_scatter_about_its_mean(self, case):
        data = case.counterfactual(n_samples=40, random_state=0).data
        of_row = data["a"].to_numpy().reshape(300, 40)
        assert (of_row.std(axis=1) > 0.02).all()
        mean = case.counterfactual().data["a"].to_numpy()
        assert np.corrcoef(of_row.mean(axis=1), mean)[0, 1] > 0.9
        assert np.abs(of_row.mean(axis=1) - mean).mean() < 0.3

    def test_each_draw_is_of_its_own_row(self, case):
        data = case.counterfactual(n_samples=2, random_state=0).data
        for draw in range(2):
            of_draw = data["a"].to_numpy()[draw::2]
            assert np.corrcoef(of_draw, case.here["a"])[0, 1] > 0.5

    def test_residuals_of_others(self, two_stages):
        one, again = (
            two_stages.counterfactual(
                n_samples=3, random_state=0, transfer="residual"
            ).data
            for _ in range(2)
        )
        assert len(one) == 900
        assert_same(one, again)

    @pytest.mark.parametrize("n_samples", [0, 1.5])
    def test_bad_number(self, case, n_samples):
        with pytest.raises(ValueError, match="'n_samples' parameter"):
            case.counterfactual(n_samples=n_samples)


class TestResidualTransfer:
    def test_factors_stay_and_the_rest_is_that_of_a_row_of_the_environment(
        self, two_stages
    ):
        model = two_stages.model
        here, there = two_stages.here[:8], two_stages.there[:20]
        result = model.counterfactual(here, there, transfer="residual", random_state=0)
        assert (result.shift == 0).all()
        codes, others = model.transform(here), model.transform(there)
        conditions = model._conditions(None, len(here), here)
        givers = []
        for row in range(len(here)):
            mixed = np.hstack([codes[[row] * 20, :2], others[:, 2:]])
            rows = model._decode(mixed, conditions[[row] * 20], "mean")
            found = result.data[NUMBERS].iloc[row]
            same = np.isclose(rows[NUMBERS], found)
            givers.append(np.flatnonzero(same.all(axis=1)).tolist())
        assert all(len(giver) == 1 for giver in givers)
        assert len({giver[0] for giver in givers}) > 2  # one drawn for each row

    def test_they_are_drawn_by_random_state(self, two_stages):
        one, again, other = (
            two_stages.counterfactual(transfer="residual", random_state=seed).data
            for seed in (0, 0, 1)
        )
        assert_same(one, again)
        assert not one.equals(other)

    def test_strength_scales_the_way_to_them(self, two_stages):
        still = two_stages.model.reconstruct(two_stages.here)["a"]
        changes = [
            two_stages.counterfactual(
                transfer="residual", strength=strength, random_state=0
            ).data["a"]
            - still
            for strength in (0.25, 1)
        ]
        near, far = (np.sqrt((change**2).mean()) for change in changes)
        assert 0 < near < 0.5 * far
        assert np.corrcoef(*changes)[0, 1] > 0.8

    def test_conditions_are_those_of_the_rows(self, cases):
        case = case_of(cases, "MSVAE of CVAE")
        data = case.counterfactual(transfer="residual", random_state=0).data
        pd.testing.assert_series_equal(data["group"], case.here["group"])
        np.testing.assert_allclose(data["age"], case.here["age"])

    def test_of_arrays(self, cases):
        case = case_of(cases, "MSVAE", as_array=True)
        result = case.counterfactual(transfer="residual", hold=[0], random_state=0)
        assert isinstance(result.data, np.ndarray)
        np.testing.assert_array_equal(result.data[:, 0], case.here[:, 0])

    def test_neither_factors_nor_reference(self, two_stages):
        for settings in ({"factors": [0]}, {"reference": two_stages.here}):
            with pytest.raises(ValueError, match="factors stay where they are"):
                two_stages.counterfactual(transfer="residual", **settings)

    def test_unknown_transfer(self, two_stages):
        with pytest.raises(ValueError, match="'transfer' parameter"):
            two_stages.counterfactual(transfer="factors")


def test_portfolio_in_a_recession_comes_closer_to_the_same_clients_there():
    settings = {"n_factors": 4, "random_state": 0}
    recession = {"factor_shift": {"utilisation": 0.5, "arrears": 0.5}}
    here = make_credit_portfolio(400, **settings).data
    truth = make_credit_portfolio(400, **settings, **recession).data  # paired
    there = make_credit_portfolio(
        400, **{**settings, **recession, "random_state": 1}
    ).data
    model = small(
        BetaTCVAE,
        beta=2,
        latent_dim=5,
        hidden_layer_sizes=(32,),
        max_epochs=40,
        lr=1e-2,
        batch_size=64,
    ).fit(pd.concat([here, there]))
    held = ["SEX", "AGE"]
    result = model.counterfactual(here, there, hold=held, unexplained="keep")
    pd.testing.assert_frame_equal(result.data[held], truth[held])  # as it did not move
    pd.testing.assert_series_equal(result.data.dtypes, here.dtypes)
    moved = [name for name in here if not truth[name].equals(here[name])]
    encode = model.table_encoder_.transform

    def error(table):
        return np.mean((encode(table) - encode(truth)) ** 2)

    assert len(moved) == 18
    assert error(result.data) < 0.8 * error(here)
    assert error(result.data) < 0.8 * error(model.reconstruct(here))
