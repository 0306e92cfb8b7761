"""What differs between two worlds, and rows of one as they would look in the other."""

import numpy as np
import pandas as pd
import pytest
from model_cases import small
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from skvae import CVAE, DCVAE, MSVAE, BetaTCVAE, UnsupportedRegimeWarning
from skvae.datasets import make_credit_portfolio

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

KINDS = ["BetaTCVAE", "MSVAE", "CVAE", "DCVAE", "MSVAE of CVAE"]
TWO_STAGES = ["MSVAE", "MSVAE of CVAE"]
OF_CONDITIONS = ["CVAE", "DCVAE"]
CONDITIONS = ["group", "age"]
SHIFT = 1.5
UNKNOWN = r"expected names among"
NUMBERS = ["a", "b", "d", "f"]


def make_world(shift=0.0, seed=0, n_rows=300):
    """Return columns of two factors, of which the first is moved, and of a rest.

    With the same seed, the rows are the same clients.
    """
    rng = np.random.default_rng(seed)
    group = rng.choice(["low", "middle", "high"], n_rows, p=[0.5, 0.3, 0.2])
    age = rng.uniform(20, 70, n_rows)
    factors = rng.normal(size=(n_rows, 2))
    factors[:, 0] += shift
    of_factors = [[1, 0.9, 0.8, 0, 0, 0], [0, 0, 0, 1, -0.9, 0.8]]
    of_rest = [[0.4, -0.4, 0.1, 0.4, 0.3, -0.2], [-0.3, 0.1, 0.4, 0.2, -0.4, 0.4]]
    values = factors @ of_factors + rng.normal(size=(n_rows, 2)) @ of_rest
    values += 0.1 * rng.normal(size=values.shape)
    values[:, 3] += pd.Series(group).map({"low": -1, "middle": 0, "high": 1})
    values[:, 5] += (age - 45) / 20
    return pd.DataFrame(
        {
            "a": values[:, 0],
            "b": values[:, 1].astype(np.float32),
            "count": (20 + 5 * values[:, 2]).round().astype(np.int64),
            "group": group,
            "d": values[:, 3],
            "owner": values[:, 4] > 0,
            "f": values[:, 5],
            "age": age,
        },
        index=pd.Index([f"client{n}" for n in range(n_rows)], name="client"),
    )


def as_numbers(table):
    """Return an array of the same cells, groups by number."""
    numbers = {"low": 0, "middle": 1, "high": 2}
    return table.replace(numbers).to_numpy(dtype=float)


class Case:
    """A fitted model, with tables of two worlds in the container that it saw."""

    def __init__(self, kind, as_array, first=None):
        self.kind = kind
        tables = (
            make_world(),
            make_world(SHIFT, seed=1),
            make_world(SHIFT),  # the clients of the first, in the other world
        )
        conditions = CONDITIONS
        if kind in ("BetaTCVAE", "MSVAE"):
            tables = [table.drop(columns=CONDITIONS) for table in tables]
            conditions = None
        if as_array:
            tables = [as_numbers(table) for table in tables]
            conditions = None if conditions is None else [3, 7]
        self.here, self.there, self.truth = tables
        join = np.concatenate if as_array else pd.concat
        self.model = self.unfitted(conditions, first).fit(join(tables[:2]))

    def unfitted(self, conditions, first):
        settings = {"hidden_layer_sizes": (16,), "batch_size": 64}
        settings |= {"max_epochs": 40, "lr": 2e-2, "device": "cpu", "random_state": 0}
        if first is not None:
            return MSVAE(FrozenEstimator(first), residual_dim=3, **settings)
        settings |= {"latent_dim": 2, "encoding": "standard"}
        if conditions is None:
            return BetaTCVAE(beta=1.5, **settings)
        if self.kind == "DCVAE":
            return DCVAE(beta=1.5, condition_columns=conditions, **settings)
        return CVAE(condition_columns=conditions, **settings)

    def counterfactual(self, X=None, environment=None, **settings):
        X = self.here if X is None else X
        environment = self.there if environment is None else environment
        return self.model.counterfactual(X, environment, **settings)

    def error(self, table):
        """Return how far a table is from the truth, in the encoded matrix."""
        encode = self.model.table_encoder_.transform
        return np.mean((encode(table) - encode(self.truth)) ** 2)

    @property
    def moving(self):
        """The name of the factor that differs most between the worlds."""
        return self.model.latent_shift(self.here, self.there).shifts.index[0]


@pytest.fixture(scope="module")
def cases():
    return {}


def case_of(cases, kind, as_array=False):
    if (kind, as_array) not in cases:
        first = None
        if kind in TWO_STAGES:
            kind_of_first = "BetaTCVAE" if kind == "MSVAE" else "CVAE"
            first = case_of(cases, kind_of_first, as_array).model
        cases[kind, as_array] = Case(kind, as_array, first)
    return cases[kind, as_array]


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


def assert_same(one, other):
    """Say so where two tables are not the same to the bit."""
    assert type(one) is type(other)
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    else:
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


class TestLatentShift:
    def test_factors_have_the_names_of_the_features(self, case):
        shifts = case.model.latent_shift(case.here, case.there).shifts
        names = case.model.get_feature_names_out()[:2].tolist()
        assert sorted(shifts.index) == names
        assert list(shifts) == ["shift", "lower", "upper", "moved"]

    def test_it_is_the_difference_of_the_mean_codes(self, case):
        shifts = case.model.latent_shift(case.here, case.there).shifts["shift"]
        here, there = map(case.model.transform, (case.here, case.there))
        expected = (there.mean(axis=0) - here.mean(axis=0))[:2]
        names = case.model.get_feature_names_out()[:2]
        np.testing.assert_allclose(shifts[names], expected, rtol=1e-9)

    def test_one_factor_moved(self, plain):
        shifts = plain.model.latent_shift(plain.here, plain.there).shifts
        assert shifts["moved"].tolist() == [True, False]
        same = plain.model.latent_shift(plain.here, plain.here)
        assert not same.shifts["moved"].any()

    def test_by_segments_gives_the_cosines_between_them(self, case):
        result = case.model.latent_shift(case.here, case.there, by="owner")
        assert result.cosines.shape == (2, 2)
        assert result.cosines.loc[False, True] > 0.8  # one movement
        assert result.shifts.index.names == ["segment", "factor"]
        for owner in (False, True):
            here, there = (t[t["owner"] == owner] for t in (case.here, case.there))
            alone = case.model.latent_shift(here, there).shifts["shift"]
            of_segment = result.shifts["shift"][owner]
            np.testing.assert_allclose(of_segment[alone.index], alone)

    def test_by_a_condition(self, conditional):
        here, there = conditional.here, conditional.there
        result = conditional.model.latent_shift(here, there, by="group")
        assert sorted(result.cosines.index) == ["high", "low", "middle"]

    def test_by_the_position_of_a_column_of_an_array(self, cases):
        case = case_of(cases, "BetaTCVAE", as_array=True)
        frame = case_of(cases, "BetaTCVAE")
        by_name = frame.model.latent_shift(frame.here, frame.there, by="owner")
        by_position = case.model.latent_shift(case.here, case.there, by=4)
        of_lists = case.model.latent_shift(
            case.here.tolist(), case.there.tolist(), by=4
        )
        for found in (by_position, of_lists):
            np.testing.assert_array_equal(found.cosines.index, [0, 1])
            np.testing.assert_allclose(found.cosines, by_name.cosines, atol=0.05)

    def test_level_and_replicates_are_passed_on(self, plain):
        def width(**settings):
            shifts = plain.model.latent_shift(plain.here, plain.there, **settings)
            return (shifts.shifts["upper"] - shifts.shifts["lower"]).iloc[0]

        assert width(level=0.5) < width(level=0.99)
        assert width(n_bootstrap=50, random_state=1) != width(n_bootstrap=50)

    @pytest.mark.parametrize("missing", ["A", "B"])
    def test_unknown_segments(self, plain, missing):
        tables = {"A": plain.here, "B": plain.there}
        with pytest.raises(ValueError, match="A has no column 'region'"):
            plain.model.latent_shift(**tables, by="region")
        tables[missing] = tables[missing].drop(columns="owner")
        with pytest.raises(ValueError, match=f"{missing} has no column 'owner'"):
            plain.model.latent_shift(**tables, by="owner")

    @pytest.mark.parametrize("by", [99, "owner"])
    def test_unknown_segments_of_arrays(self, cases, by):
        case = case_of(cases, "BetaTCVAE", as_array=True)
        with pytest.raises(ValueError, match=f"A has no column {by!r}"):
            case.model.latent_shift(case.here, case.there, by=by)

    @pytest.mark.parametrize("argument", ["A", "B"])
    def test_errors_name_the_table(self, plain, argument):
        tables = {"A": plain.here, "B": plain.there}
        for bad in (plain.here.drop(columns="a"), plain.here[:0]):
            with pytest.raises(ValueError, match=f"^{argument}: "):
                plain.model.latent_shift(**{**tables, argument: bad})

    def test_before_fit(self, plain):
        with pytest.raises(NotFittedError):
            BetaTCVAE().latent_shift(plain.here, plain.there)


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
        low, high = np.quantile(codes, [0.4, 0.6])
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
        table[:, 2] += 2**60  # more digits than a float has
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


class TestReference:
    @pytest.mark.filterwarnings("ignore::skvae.UnsupportedRegimeWarning")
    def test_a_single_row_moves_as_it_does_among_all(self, case):
        whole = case.counterfactual()
        for position in (0, 7):
            row = case.here.iloc[[position]]
            alone = case.counterfactual(row, reference=case.here)
            expected = whole.data.iloc[[position]]
            pd.testing.assert_frame_equal(alone.data, expected, rtol=1e-6)
            pd.testing.assert_series_equal(alone.shift, whole.shift)
            assert alone.support == pytest.approx(whole.support[[position]])

    def test_without_it_a_single_row_cannot_tell_what_moved(self, case):
        with pytest.raises(ValueError, match="expected at least 2 of both"):
            case.counterfactual(case.here[:1])

    @pytest.mark.filterwarnings("ignore::skvae.UnsupportedRegimeWarning")
    def test_a_single_row_stands_for_its_world_where_factors_are_named(self, cases):
        # It has to arrive in the middle of the other world, where its shift points.
        case = case_of(cases, "BetaTCVAE", as_array=True)
        place = int(case.moving[-1])
        result = case.counterfactual(case.here[:1], factors=[place])
        codes = case.model.transform(case.here[:1]) + result.shift.to_numpy()
        expected = case.model.inverse_transform(codes)
        np.testing.assert_allclose(result.data[:, 0], expected[:, 0], atol=0.1)

    @pytest.mark.parametrize("argument", ["environment", "reference"])
    def test_errors_name_the_table(self, case, argument):
        tables = {"X": case.here, "environment": case.there, "reference": case.here}
        for bad in (
            case.here.drop(columns="a"),
            case.here[:0],
            case.here.assign(a="x"),
            case.here.assign(a=np.nan),
        ):
            with pytest.raises(ValueError, match=f"^{argument}: "):
                case.model.counterfactual(**{**tables, argument: bad})

    def test_environment_of_one_row(self, case):
        with pytest.raises(ValueError, match="expected at least 2 of both"):
            case.counterfactual(environment=case.there[:1])

    def test_errors_name_the_table_that_gives_residuals(self, two_stages):
        there = two_stages.there
        for bad in (there.drop(columns="a"), there[:0], there.assign(a="x")):
            with pytest.raises(ValueError, match=r"^environment: "):
                two_stages.counterfactual(environment=bad, transfer="residual")

    @pytest.mark.parametrize("transfer", ["shift", "residual"])
    def test_rows_of_another_table(self, two_stages, transfer):
        here = two_stages.here
        for bad in (here.drop(columns="a"), here[:0], here.assign(a="x")):
            with pytest.raises(ValueError, match=r"- a|0 sample|Column 'a'"):
                two_stages.counterfactual(bad, transfer=transfer)

    def test_before_fit(self, plain):
        for model in (BetaTCVAE(), MSVAE(), CVAE()):
            with pytest.raises(NotFittedError):
                model.counterfactual(plain.here, plain.there)


class TestSupport:
    def test_it_is_between_zero_and_one_for_each_row(self, case):
        support = case.counterfactual().support
        assert support.shape == (300,)
        assert support.min() > 0
        assert support.max() <= 1

    @pytest.mark.filterwarnings("ignore::skvae.UnsupportedRegimeWarning")
    def test_it_falls_as_strength_grows(self, case):
        means = [
            case.counterfactual(strength=strength).support.mean()
            for strength in (0, 2, 4, 20)
        ]
        assert 0.35 < means[0] < 0.65  # the rows themselves are in the middle
        assert (np.diff(means) < 0).all()
        assert means[-1] < 0.01

    def test_far_outside_it_warns(self, case):
        with pytest.warns(UnsupportedRegimeWarning, match="100% of the rows"):
            case.counterfactual(strength=30)

    def test_draws_have_the_support_of_draws(self, case):
        support = case.counterfactual(strength=0, n_samples=2, random_state=0).support
        assert 0.35 < support.mean() < 0.65

    def test_a_condition_out_of_all_proportion_warns(self, conditional):
        with pytest.warns(UnsupportedRegimeWarning, match="100% of the rows"):
            conditional.model.counterfactual(conditional.here, condition={"age": 700.0})

    def test_inputs_stay_as_they_are(self, case):
        here, there = case.here.copy(), case.there.copy()
        for settings in ({}, {"hold": ["a", "count"]}, {"n_samples": 2}):
            data = case.counterfactual(here, there, **settings).data
            data["a"] = 0.0  # and the result is a table of its own
            data.iloc[:, 1] = 0.0
            assert_same(here, case.here)
            assert_same(there, case.there)

    def test_input_arrays_stay_as_they_are(self, of_arrays):
        here, there = of_arrays.here.copy(), of_arrays.there.copy()
        data = of_arrays.counterfactual(here, there, hold=[0]).data
        data[:] = 0
        assert_same(here, of_arrays.here)
        assert_same(there, of_arrays.there)


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


class TestCondition:
    @pytest.mark.parametrize(
        "condition", [{"group": "high"}, {"age": 37.5}, {"group": "low", "age": 66.0}]
    )
    def test_it_is_the_reconstruction_under_it(self, conditional, condition):
        model, here = conditional.model, conditional.here
        result = model.counterfactual(here, condition=condition)
        assert_same(result.data, model.reconstruct(here, condition=condition))
        assert (result.shift == 0).all()
        assert list(result.shift.index) == model.get_feature_names_out().tolist()

    def test_one_for_each_row(self, conditional):
        model, here = conditional.model, conditional.here
        condition = {"age": np.linspace(25, 65, 300)}
        result = model.counterfactual(here, condition=condition)
        assert_same(result.data, model.reconstruct(here, condition=condition))
        np.testing.assert_allclose(result.data["age"], condition["age"])
        drawn = model.counterfactual(
            here, condition=condition, n_samples=2, random_state=0
        ).data
        np.testing.assert_allclose(drawn["age"], condition["age"].repeat(2))

    def test_a_number_between_is_in_between(self, conditional):
        model, here = conditional.model, conditional.here
        means = [
            model.counterfactual(here, condition={"age": age}).data["f"].mean()
            for age in (25.0, 38.0, 52.0, 65.0)
        ]
        assert (np.diff(means) > 0.2).all()
        assert means[-1] - means[0] == pytest.approx(2, abs=0.8)

    def test_strength_scales_the_way_to_it(self, conditional):
        model, here = conditional.model, conditional.here
        young = here[here["age"] < 30]
        ages, means = [], []
        for strength in (0, 0.25, 0.5, 0.75, 1):
            data = model.counterfactual(
                young, condition={"age": 65.0}, strength=strength
            ).data
            ages.append(data["age"].mean())
            means.append(data["f"].mean())
        assert (np.diff(ages) > 1).all()
        assert (np.diff(means) > 0).all()
        assert ages[0] == pytest.approx(young["age"].mean())
        assert ages[-1] == pytest.approx(65)

    def test_strength_zero_is_the_reconstruction(self, conditional):
        model, here = conditional.model, conditional.here
        data = model.counterfactual(here, condition={"group": "high"}, strength=0).data
        assert_same(data, model.reconstruct(here))

    def test_of_categories_halfway_the_nearest_is_shown(self, conditional):
        model, here = conditional.model, conditional.here
        low = here[here["group"] == "low"]
        shown, means = [], []
        for strength in (0.0, 0.3, 0.7, 1.0):
            data = model.counterfactual(
                low, condition={"group": "high"}, strength=strength
            ).data
            shown.append(data["group"].unique().tolist())
            means.append(data["d"].mean())
        assert shown == [["low"], ["low"], ["high"], ["high"]]
        assert (np.diff(means) > 0).all()

    def test_with_an_environment_rows_move_to_both(self, conditional):
        model, here, there = conditional.model, conditional.here, conditional.there
        both = model.counterfactual(here, there, condition={"group": "high"})
        to_there, to_high = (
            model.counterfactual(here, there),
            model.counterfactual(here, condition={"group": "high"}),
        )
        assert (both.data["group"] == "high").all()
        pd.testing.assert_series_equal(both.shift, to_there.shift)
        for name, one in (("a", to_there), ("d", to_high)):
            assert both.data[name].mean() == pytest.approx(
                one.data[name].mean(), abs=0.4
            )

    def test_under_an_environment_alone_they_keep_their_own(self, conditional):
        data = conditional.counterfactual().data
        pd.testing.assert_series_equal(data["group"], conditional.here["group"])
        np.testing.assert_allclose(data["age"], conditional.here["age"])

    def test_neither_environment_nor_condition(self, conditional):
        with pytest.raises(ValueError, match="neither environment nor condition"):
            conditional.model.counterfactual(conditional.here)

    def test_unknown_name(self, conditional):
        with pytest.raises(ValueError, match=r"'salary'.*'group'"):
            conditional.model.counterfactual(conditional.here, condition={"salary": 1})

    def test_beside_rows_that_hold_it(self, conditional):
        with pytest.raises(ValueError, match="beside X"):
            conditional.model.counterfactual(
                conditional.here,
                condition={"group": "high"},
                own_condition={"group": "low"},
            )

    @pytest.mark.parametrize("unexplained", ["drop", "keep"])
    def test_of_rows_whose_own_is_unknown(self, conditional, unexplained):
        unknown = conditional.here.assign(group=None, age=np.nan)
        result = conditional.model.counterfactual(
            unknown,
            condition={"group": "high", "age": 40.0},
            unexplained=unexplained,
        )
        np.testing.assert_allclose(result.data["age"], 40.0)
        assert (result.data["group"] == "high").all()
        assert np.isfinite(result.data[["a", "d", "f"]]).all(axis=None)
        assert ((result.support > 0) & (result.support <= 1)).all()


@pytest.mark.parametrize("kind", [CVAE, DCVAE])
def test_condition_beside_the_rows(kind):
    table = make_world()
    values, own = table.drop(columns=CONDITIONS), table[CONDITIONS]
    model = small(kind, beta=1.5) if kind is DCVAE else small(kind)
    model.set_params(encoding="standard", max_epochs=20, lr=1e-2)
    model.fit(values, condition=own)
    condition = {"group": "high"}
    result = model.counterfactual(values, condition=condition, own_condition=own)
    expected = model.reconstruct(values, condition=condition, own_condition=own)
    assert_same(result.data, expected)
    still = model.counterfactual(
        values, condition=condition, own_condition=own, strength=0
    )
    assert_same(still.data, model.reconstruct(values, own_condition=own))
    there = make_world(SHIFT, seed=1).drop(columns=CONDITIONS)
    moved = model.counterfactual(
        values, there, own_condition=own, factors=[0, 1], n_samples=2, random_state=0
    )
    assert len(moved.data) == 600
    with pytest.raises(ValueError, match="'group' has 3 cells"):
        model.counterfactual(values, condition=condition, own_condition=own[:3])


EFFECTS = {
    "region": {"north": [2, 0, 1, 0, 0], "south": [0] * 5, "west": [-2, 1, 0, 0, 1]},
    "size": {"small": [0, 2, 0, 1, 0], "medium": [0] * 5, "large": [0, -2, 0, 0, 2]},
}


def make_shops(region, size, seed):
    """Return rows that are a sum of two effects and of what is a shop's own."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(len(region), 1)) * [1.0, 0.5, 0.8, -1.0, 0.3]
    values += 0.1 * rng.normal(size=values.shape)
    for name, levels in (("region", region), ("size", size)):
        values += np.array([EFFECTS[name][level] for level in levels])
    return pd.DataFrame(values, columns=list("abcde")).assign(region=region, size=size)


@pytest.fixture(scope="module")
def training_shops():
    rng = np.random.default_rng(0)
    region = rng.choice(list(EFFECTS["region"]), 700)
    size = rng.choice(list(EFFECTS["size"]), 700)
    shops = make_shops(region, size, seed=1)
    return shops[(shops["region"] != "north") | (shops["size"] != "large")]


@pytest.fixture(scope="module", params=[CVAE, DCVAE], ids=lambda kind: kind.__name__)
def model_of_shops(request, training_shops):
    return small(
        request.param,
        latent_dim=1,
        condition_columns=["region", "size"],
        encoding="standard",
        hidden_layer_sizes=(16,),
        max_epochs=40,
        lr=1e-2,
        batch_size=32,
    ).fit(training_shops)


@pytest.mark.filterwarnings("ignore::skvae.UnsupportedRegimeWarning")
@pytest.mark.parametrize("unexplained", ["drop", "keep"])
def test_into_a_combination_of_conditions_that_training_never_saw(
    model_of_shops, training_shops, unexplained
):
    large, north = ["large"] * 200, ["north"] * 200
    rows = make_shops(["west"] * 200, large, seed=2)
    truth = make_shops(north, large, seed=2)  # the same shops
    found = model_of_shops.counterfactual(
        rows, condition={"region": "north"}, unexplained=unexplained
    ).data
    assert (found["region"] == "north").all()
    assert (found["size"] == "large").all()

    values = list("abcde")
    spread = training_shops[values].std()

    def error(table):
        return (((table[values] - truth[values]) / spread) ** 2).to_numpy().mean()

    as_they_are, nothing_moved = error(rows), error(model_of_shops.reconstruct(rows))
    mean = training_shops[values].mean().to_frame().T
    mean_of_training = error(pd.concat([mean] * 200, ignore_index=True))
    own_part_lost = error(truth.assign(**truth[values].mean()))
    assert error(found) < 0.3 * min(as_they_are, nothing_moved, mean_of_training)
    assert error(found) < own_part_lost  # a shop keeps what is its own


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
