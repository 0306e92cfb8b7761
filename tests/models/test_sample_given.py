"""Rows of which some cells are given: exactly so, and the others as these imply."""

import numpy as np
import pandas as pd
import pytest
from linear_cases import NAMES, given, linear, make_normal, moments
from mixed_cases import CONDITIONS, assert_like, make_mixed
from model_cases import small

from skvae import CVAE, MSVAE, VAE
from skvae.models._particles import ParticleSampler

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

TRAINING = {"max_epochs": 40, "lr": 1e-2, "batch_size": 32}
DAY = pd.Timestamp("2020-11-01", tz="Europe/Berlin")


@pytest.fixture(scope="module")
def mixed():
    return make_mixed(300)


@pytest.fixture(scope="module")
def model(mixed):
    return small(VAE, **TRAINING).fit(mixed)


@pytest.fixture(scope="module")
def of_normal():
    return linear(VAE).fit(make_normal())


@pytest.fixture(scope="module")
def conditional(mixed):
    complete = mixed.dropna(subset=CONDITIONS)
    return small(CVAE, condition_columns=CONDITIONS, **TRAINING).fit(complete)


def sample(model, asked, n_rows=200, **settings):
    return model.sample(n_rows, given=asked, random_state=0, **settings)


class TestCellsAreAsGiven:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("amount", 0.0),
            ("amount", 1.25),
            ("age", 44),
            ("age", np.float64(44)),
            ("region", "west"),
            ("grade", "low"),
            ("owner", True),
            ("since", DAY),
            ("visits", 2),
            ("vip", False),
        ],
    )
    def test_values(self, model, mixed, name, value):
        rows = sample(model, {name: value})
        assert_like(rows, mixed)
        assert (rows[name] == value).all()

    @pytest.mark.parametrize("name", ["amount", "region", "grade", "since", "visits"])
    @pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
    def test_missing(self, model, mixed, name, missing):
        rows = sample(model, {name: missing})
        assert_like(rows, mixed)
        assert rows[name].isna().all()

    @pytest.mark.parametrize(
        ("name", "low", "high"),
        [
            ("amount", 0.5, 1.5),
            ("amount", 0.0, 0.3),
            ("age", 50, 55),
            ("age", 30, 30),
            ("since", DAY, DAY + pd.Timedelta("20 days")),
            ("visits", 1, 3),
            ("rate", -0.01, 0.0),
        ],
    )
    def test_ranges(self, model, mixed, name, low, high):
        rows = sample(model, {name: (low, high)})
        assert_like(rows, mixed)
        assert rows[name].between(low, high).all()
        assert rows[name].notna().all()

    def test_ends_of_a_range_may_be_had(self, model):
        rows = sample(model, {"age": (38, 41)}, 1000)
        assert set(rows["age"]) == {38, 39, 40, 41}

    def test_a_range_may_reach_beyond_the_table(self, model, mixed):
        rows = sample(model, {"age": (55, 10_000)})
        assert rows["age"].between(55, mixed["age"].max()).all()

    def test_a_range_has_the_atoms_inside_and_no_others(self, model):
        rows = sample(model, {"amount": (0.0, 0.5)}, 500)
        assert 0.2 < (rows["amount"] == 0).mean() < 0.95
        assert (sample(model, {"amount": (0.1, 0.5)})["amount"] != 0).all()

    @pytest.mark.parametrize(
        ("name", "values"),
        [
            ("region", ["west", "east"]),
            ("grade", ["low", "high"]),
            ("visits", [0, 1]),
            ("amount", [0.0]),
        ],
    )
    def test_lists(self, model, mixed, name, values):
        rows = sample(model, {name: values})
        assert_like(rows, mixed)
        assert set(rows[name]) == set(values)

    def test_two_at_a_time(self, model, mixed):
        rows = sample(model, {"region": "east", "age": (30, 45)})
        assert_like(rows, mixed)
        assert (rows["region"] == "east").all()
        assert rows["age"].between(30, 45).all()

    def test_a_corner_that_the_table_lacks(self, model, mixed):
        asked = {"owner": True, "vip": True, "grade": "low", "age": (20, 30)}
        assert not ((mixed["grade"] == "low") & mixed["vip"].eq(True)).any()
        rows = sample(model, asked)
        assert (rows["owner"] & rows["vip"] & (rows["grade"] == "low")).all()

    def test_a_constant_that_is_missing_at_times(self, mixed):
        table = mixed[["age", "rate"]].assign(plan=None)
        table["plan"] = table["plan"].where(mixed["owner"], "basic")
        model = small(VAE).fit(table)
        assert (sample(model, {"plan": "basic"})["plan"] == "basic").all()
        assert sample(model, {"plan": None})["plan"].isna().all()
        with pytest.raises(ValueError, match=r"given\['plan'\].*it holds basic"):
            sample(model, {"plan": "premium"})

    def test_dates_may_be_strings(self, model):
        rows = sample(model, {"since": ("2020-10-15", "2020-11-30")})
        days = rows["since"].dt.tz_localize(None)
        assert days.between("2020-10-15", "2020-11-30").all()

    def test_means_keep_the_cells(self, model):
        rows = sample(model, {"age": 44, "region": "west"}, kind="mean")
        assert (rows["age"] == 44).all()
        assert (rows["region"] == "west").all()

    @pytest.mark.parametrize("n_rows", [1, 7])
    def test_as_many_rows_as_wanted(self, model, n_rows):
        assert len(sample(model, {"owner": False}, n_rows)) == n_rows

    def test_the_seed_determines_it(self, model):
        first = sample(model, {"age": (30, 40)})
        pd.testing.assert_frame_equal(first, sample(model, {"age": (30, 40)}))
        other = model.sample(200, given={"age": (30, 40)}, random_state=1)
        assert not first.equals(other)

    def test_nothing_given_is_no_restriction(self, model, mixed):
        rows = sample(model, {}, 500)
        assert_like(rows, mixed)
        assert set(rows["region"].dropna()) == {"north", "east", "west"}

    def test_array(self):
        numbers = make_normal(300).to_numpy()
        model = small(VAE, **TRAINING).fit(numbers)
        rows = sample(model, {0: 0.5, 2: (1.0, 2.0)})
        assert (rows[:, 0] == 0.5).all()
        assert ((rows[:, 2] >= 1.0) & (rows[:, 2] <= 2.0)).all()


class TestTheOthersAreAsImplied:
    @pytest.mark.parametrize("known", [["a"], ["d"], ["a", "d"]])
    def test_values_of_normal_columns(self, of_normal, known):
        values = make_normal()[known].quantile(0.9)
        rows = sample(of_normal, values.to_dict(), 4000, latent="prior")
        places = [NAMES.index(name) for name in known]
        mean, covariance = given(*moments(of_normal), places, values.to_numpy())
        others = rows.drop(columns=known)
        spread = np.sqrt(np.diag(covariance))
        assert (np.abs(others.mean() - mean) < 0.08 * spread).all()
        np.testing.assert_allclose(others.cov(), covariance, atol=0.08 * spread.max())

    def test_range_of_a_normal_column(self, of_normal):
        mean, covariance = moments(of_normal)
        drawn = np.random.default_rng(0).multivariate_normal(mean, covariance, 400_000)
        low, high = np.quantile(drawn[:, 2], [0.9, 0.97])
        expected = drawn[(drawn[:, 2] > low) & (drawn[:, 2] < high)]
        rows = sample(of_normal, {"c": (low, high)}, 4000, latent="prior")
        error = (rows.mean() - expected.mean(axis=0)) / expected.std(axis=0)
        assert error.abs().max() < 0.08
        np.testing.assert_allclose(rows.std(), expected.std(axis=0), rtol=0.08)

    @pytest.mark.parametrize("model_class", [VAE, MSVAE])
    def test_neighbours_in_the_table(self, model_class):
        table = make_normal(1500)
        settings = {"max_epochs": 60, "lr": 1e-2, "batch_size": 64, "kl_warmup": 0}
        model = small(model_class, hidden_layer_sizes=(32,), **settings).fit(table)
        near = table[table["a"].between(1.0, 1.6)]
        rows = sample(model, {"a": (1.0, 1.6)}, 1000)
        everywhere = np.abs(table.mean() - near.mean()) / table.std()
        error = np.abs(rows.mean() - near.mean()) / table.std()
        assert everywhere["c"] > 0.8
        assert error["c"] < 0.3
        assert error["d"] < 0.3

    def test_levels_go_with_what_drives_them(self, model, mixed):
        rich, poor = (
            sample(model, {"rate": ends}) for ends in [(0.02, 1), (-1, -0.02)]
        )
        assert (rich["grade"] == "high").mean() > 0.5 > (poor["grade"] == "high").mean()
        assert rich["age"].mean() > mixed["age"].mean() > poor["age"].mean()


class TestParticles:
    """Of a normal prior and a normal likelihood the posterior is known."""

    def test_mean_and_covariance(self):
        weight, spread, value = np.array([1.0, 0.5]), 0.4, 2.5

        def log_given(latents, conditions):
            return -0.5 * ((value - latents @ weight) / spread) ** 2

        def log_density(latents):
            return -0.5 * (latents**2).sum(axis=1)

        random_state = np.random.RandomState(0)
        start = random_state.standard_normal((8000, 2))
        latents, _ = ParticleSampler(log_given, log_density).run(
            start, np.empty((8000, 0)), random_state
        )
        covariance = np.linalg.inv(np.eye(2) + np.outer(weight, weight) / spread**2)
        mean = covariance @ weight * value / spread**2
        np.testing.assert_allclose(latents.mean(axis=0), mean, atol=0.05)
        np.testing.assert_allclose(np.cov(latents.T), covariance, atol=0.03)

    def test_what_is_next_to_impossible_is_reached(self):
        def log_given(latents, conditions):
            return -0.5 * ((latents[:, 0] - 6.0) / 0.05) ** 2

        random_state = np.random.RandomState(0)
        latents, _ = ParticleSampler(log_given, lambda z: -0.5 * z[:, 0] ** 2).run(
            random_state.standard_normal((1000, 1)), np.empty((1000, 0)), random_state
        )
        assert latents.mean() == pytest.approx(6.0, abs=0.05)
        assert latents.std() == pytest.approx(0.05, rel=0.2)

    def test_conditions_go_with_their_latents(self):
        random_state = np.random.RandomState(0)
        conditions = random_state.randint(2, size=(4000, 1)).astype(float)

        def log_given(latents, conditions):
            return np.where(conditions[:, 0] == 1, np.log(0.9), np.log(0.1))

        _, kept = ParticleSampler(log_given, lambda z: -0.5 * z[:, 0] ** 2).run(
            random_state.standard_normal((4000, 1)), conditions, random_state
        )
        assert kept.mean() == pytest.approx(0.9, abs=0.03)


class TestWithAConditionAsWell:
    def test_both_hold(self, conditional, mixed):
        rows = sample(conditional, {"owner": True}, condition={"region": "west"})
        assert_like(rows, mixed)
        assert (rows["region"] == "west").all()
        assert rows["owner"].all()

    def test_the_condition_is_inferred_where_it_is_unknown(self, conditional):
        young, old = (
            sample(conditional, {"rate": ends})["age"].mean()
            for ends in [(-1, -0.02), (0.02, 1)]
        )
        assert young < old

    def test_one_condition_a_row(self, conditional):
        ages = np.arange(30, 50)
        rows = sample(conditional, {"owner": True}, 20, condition={"age": ages})
        np.testing.assert_array_equal(rows["age"], ages)
        assert rows["owner"].all()

    def test_a_condition_is_not_given(self, conditional):
        message = r"given\['region'\], which is a condition.*expected it in condition="
        with pytest.raises(ValueError, match=message):
            sample(conditional, {"region": "west"})


class TestWhatCannotBe:
    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({"wealth": 3}, "expected columns of X, among 'amount'"),
            ({"plan": "basic"}, "takes no part, as it is constant"),
            ({"age": None}, "no missing cells in training"),
            ({"age": 500}, "its values are"),
            ({"age": (500, 600)}, "its values are"),
            ({"age": (50, 30)}, "low <= high"),
            ({"age": (50,)}, "a range has two ends"),
            ({"age": ("young", "old")}, "it holds"),
            ({"age": "40"}, "it holds"),
            ({"age": (np.nan, 30)}, "known values"),
            ({"age": [40, 41]}, "expected a value"),
            ({"age": 40.5}, "rounded to 0 digits"),
            ({"age": (40.2, 40.4)}, "its values are"),
            ({"age": []}, "expected"),
            ({"age": np.array([40, 41])}, "expected"),
            ({"region": "south"}, "its levels are"),
            ({"region": ["west", "south"]}, "its levels are"),
            ({"region": ["west", None]}, "its levels are"),
            ({"region": []}, "its levels are"),
            ({"region": ("east", "west")}, "for numbers"),
            ({"visits": 2.5}, "its values are"),
            ({"visits": (2.2, 2.8)}, "its values are"),
            ({"owner": (False, True)}, "for numbers"),
            ({"owner": "yes"}, "it holds True and False"),
            ({"owner": 2}, "it holds True and False"),
            ({"since": "soon"}, "it holds"),
            ({"rate": np.inf}, "it holds"),
        ],
        ids=repr,
    )
    def test_the_column_is_named(self, model, asked, found):
        (name,) = asked
        with pytest.raises(ValueError, match=rf"given\['{name}'\].*{found}"):
            sample(model, asked)

    def test_no_dictionary(self, model):
        with pytest.raises(ValueError, match=r"'given' parameter .* must be .* 'dict'"):
            sample(model, [("age", 40)])

    @pytest.mark.parametrize(
        "settings",
        [
            {"likelihood": "bernoulli", "encoding": "minmax"},
            {"image_shape": (1, 4, 4)},
        ],
        ids=["bernoulli", "image"],
    )
    def test_pixels_and_bernoulli_numbers(self, settings):
        pixels = np.random.default_rng(0).uniform(size=(40, 16))
        model = small(VAE, **settings).fit(pixels)
        with pytest.raises(ValueError, match='expected None, or likelihood="auto"'):
            sample(model, {0: 0.5})
