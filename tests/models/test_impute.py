"""Holes, filled from what the model makes of the rest of the row."""

import numpy as np
import pandas as pd
import pytest
import torch
from linear_cases import given, linear, make_normal, moments
from mixed_cases import CONDITIONS, assert_like, make_mixed
from model_cases import small

from skvae import CVAE, MSVAE, VAE
from skvae.models import _imputation

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

TRAINING = {"max_epochs": 40, "lr": 1e-2, "batch_size": 32}


@pytest.fixture(scope="module")
def mixed():
    return make_mixed(200)


@pytest.fixture(scope="module")
def model(mixed):
    return small(VAE, **TRAINING).fit(mixed)


def with_holes(table, share=0.25, seed=1):
    return table.mask(np.random.default_rng(seed).uniform(size=table.shape) < share)


@pytest.fixture(scope="module")
def normal():
    return make_normal(800)


@pytest.fixture(scope="module")
def of_normal(normal):
    """A linear decoder, an encoder that is not, and holes that tell nothing."""
    settings = {"encoder": None, "hidden_layer_sizes": (32,)}
    model = linear(VAE, **settings).fit(with_holes(normal))
    with torch.no_grad():
        model.module_.decoder.weight[normal.shape[1] :] = 0.0
    return model


def without(table, *names):
    """Return a table of which some columns are missing throughout."""
    return table.assign(**dict.fromkeys(names)).astype(table.dtypes.to_dict())


def assert_known_cells_are_kept(imputed, table):
    for name in table:
        known = table[name].notna().to_numpy()
        pd.testing.assert_series_equal(imputed[name][known], table[name][known])


class TestTables:
    def test_what_is_known_stays_and_the_rest_is_filled(self, model, mixed):
        imputed = model.impute(mixed)
        assert_like(imputed, mixed)
        pd.testing.assert_index_equal(imputed.index, mixed.index)
        assert_known_cells_are_kept(imputed, mixed)
        assert imputed.notna().all(axis=None)

    def test_draws_stand_one_below_the_other(self, model, mixed):
        imputed = model.impute(mixed[:30], n_imputations=3)
        assert_like(imputed, mixed)
        assert imputed.index.names == ["client", "draw"]
        assert imputed.notna().all(axis=None)
        for draw in range(3):
            own = imputed.xs(draw, level="draw")
            pd.testing.assert_index_equal(own.index, mixed.index[:30])
            assert_known_cells_are_kept(own, mixed[:30])

    def test_a_row_without_holes_comes_back(self, model, mixed):
        complete = mixed.dropna()
        assert len(complete) > 10
        pd.testing.assert_frame_equal(model.impute(complete), complete)

    def test_values_are_those_of_the_table(self, model, mixed):
        imputed = model.impute(mixed, n_imputations=5)
        assert imputed["visits"].between(0, mixed["visits"].max()).all()
        assert imputed["since"].dt.tz == mixed["since"].dt.tz
        assert imputed["grade"].cat.ordered

    def test_array(self):
        numbers = with_holes(make_normal(200)).to_numpy()
        model = small(VAE, **TRAINING).fit(numbers)
        imputed = model.impute(numbers)
        is_known = ~np.isnan(numbers)
        assert isinstance(imputed, np.ndarray)
        np.testing.assert_array_equal(imputed[is_known], numbers[is_known])
        assert np.isfinite(imputed).all()
        assert model.impute(numbers, n_imputations=4).shape == (800, 4)

    def test_holes_that_training_lacked(self):
        complete = make_mixed(missing=0)
        model = small(VAE, **TRAINING).fit(complete)
        holes = make_mixed()
        imputed = model.impute(holes)
        assert_like(imputed, complete)
        assert_known_cells_are_kept(imputed, holes)
        assert imputed.notna().all(axis=None)

    def test_integers_that_became_floats_for_their_holes_are_integers_again(self):
        complete = make_mixed(missing=0)
        model = small(VAE).fit(complete)
        holes = complete.assign(age=complete["age"].where(complete["owner"]))
        assert holes["age"].dtype == float
        assert model.impute(holes)["age"].dtype == np.int64

    def test_the_seed_determines_it(self, model, mixed):
        first = model.impute(mixed, 2, random_state=3)
        pd.testing.assert_frame_equal(first, model.impute(mixed, 2, random_state=3))
        assert not first.equals(model.impute(mixed, 2, random_state=4))

    def test_two_stages(self, mixed):
        imputed = small(MSVAE, **TRAINING).fit(mixed).impute(mixed)
        assert_like(imputed, mixed)
        assert_known_cells_are_kept(imputed, mixed)


class TestWhatIsFilledIn:
    def test_means_beat_those_of_columns(self, normal):
        holes = with_holes(normal)
        is_hole = holes.isna()
        settings = {"latent_dim": 4, "hidden_layer_sizes": (32,), "batch_size": 64}
        model = small(VAE, **{**TRAINING, **settings, "max_epochs": 60}).fit(holes)
        by_model = (model.impute(holes) - normal)[is_hole]
        by_mean = (holes.mean() - normal)[is_hole]
        error = np.sqrt((by_model**2).mean() / (by_mean**2).mean())
        assert (error < 0.95).all()

    def test_levels_beat_the_commonest(self):
        table = make_mixed(400, missing=0.2)
        truth = make_mixed(400, missing=0)
        imputed = small(VAE, **TRAINING).fit(table).impute(table)
        is_hole = table["grade"].isna()
        is_right = imputed["grade"][is_hole] == truth["grade"][is_hole]
        commonest = table["grade"].mode()[0]
        assert is_right.mean() > (truth["grade"][is_hole] == commonest).mean() + 0.1

    @pytest.fixture
    def many_points(self, monkeypatch):
        """Weighted points of which many are in effect, whatever the row."""
        monkeypatch.setattr(_imputation, "_N_POINTS", 2048)

    @pytest.mark.usefixtures("many_points")
    def test_means_and_spread_are_those_of_the_normal_distribution(self, of_normal):
        row = make_normal(1).assign(b=np.nan, d=np.nan)
        mean, covariance = given(
            *moments(of_normal), [0, 2], row[["a", "c"]].to_numpy()[0]
        )
        spread = np.sqrt(np.diag(covariance))
        draws = of_normal.impute(row, n_imputations=3000)[["b", "d"]]
        assert (np.abs(draws.mean() - mean) < 0.1 * spread).all()
        np.testing.assert_allclose(draws.std(), spread, rtol=0.08)
        correlation = covariance[0, 1] / spread.prod()
        assert draws.corr().iloc[0, 1] == pytest.approx(correlation, abs=0.08)
        expected = of_normal.impute(row)[["b", "d"]].iloc[0]
        assert (np.abs(expected - mean) < 0.1 * spread).all()

    def test_a_mean_varies_less_than_draws(self, of_normal, normal):
        holes = with_holes(normal[:300])
        filled = of_normal.impute(holes)[holes.isna()]
        drawn = of_normal.impute(holes, 2).xs(0, level="draw")[holes.isna()]
        assert (filled.std() < 0.9 * drawn.std()).all()

    @pytest.mark.usefixtures("many_points")
    def test_more_holes_more_spread(self, of_normal, normal):
        some = normal[:40].assign(c=np.nan)
        most = some.assign(a=np.nan, d=np.nan)
        little, much = (
            of_normal.impute(rows, 200)["c"].groupby(level=0).std().mean()
            for rows in (some, most)
        )
        row = normal.to_numpy()[0]
        _, of_some = given(*moments(of_normal), [0, 1, 3], row[[0, 1, 3]])
        _, of_most = given(*moments(of_normal), [1], row[[1]])
        assert little == pytest.approx(np.sqrt(of_some[0, 0]), rel=0.05)
        assert much == pytest.approx(np.sqrt(of_most[1, 1]), rel=0.05)


class TestConditions:
    def test_among_the_columns(self, mixed):
        complete = mixed.dropna(subset=CONDITIONS)
        model = small(CVAE, condition_columns=CONDITIONS, **TRAINING).fit(complete)
        imputed = model.impute(mixed)
        assert_like(imputed, mixed)
        assert_known_cells_are_kept(imputed, mixed)
        assert imputed.notna().all(axis=None)

    @pytest.fixture(scope="class")
    @classmethod
    def groups(cls):
        """Columns that tell the group of a row for sure, but for those between."""
        rng = np.random.default_rng(0)
        group = rng.choice(["low", "high"], 400)
        centre = np.where(group == "low", -3.0, 3.0)
        values = centre[:, None] + rng.normal(size=(400, 2))
        return pd.DataFrame({"a": values[:, 0], "group": group, "b": values[:, 1]})

    @pytest.fixture(scope="class", params=[CVAE, MSVAE], ids=["CVAE", "MSVAE"])
    @classmethod
    def of_groups(cls, request, groups):
        params = {"condition_columns": ["group"]}
        if request.param is MSVAE:
            params = {"first_stage": CVAE(**params)}
        return small(request.param, **params, **TRAINING).fit(groups)

    def test_a_missing_one_is_what_the_row_implies(self, of_groups, groups):
        holes = without(groups, "group", "a")
        imputed = of_groups.impute(holes)
        assert (imputed["group"] == groups["group"]).mean() > 0.9
        error = np.sqrt(((imputed["a"] - groups["a"]) ** 2).mean())
        assert error < 0.5 * groups["a"].std()

    def test_a_missing_one_varies_from_draw_to_draw(self, of_groups, groups):
        between = without(groups[:1].assign(b=0.0), "group", "a")
        draws = of_groups.impute(between, n_imputations=200)
        assert 0.1 < (draws["group"] == "low").mean() < 0.9
        means = draws.groupby("group")["a"].mean()
        assert means["high"] - means["low"] > 2

    def test_beside_the_table_they_matter(self):
        group = np.repeat(["low", "high"], 150)
        rng = np.random.default_rng(0)
        values = rng.normal(size=(300, 2)) + np.where(group == "low", -2, 2)[:, None]
        table = with_holes(pd.DataFrame(values, columns=["a", "b"]))
        model = small(CVAE, **{**TRAINING, "max_epochs": 60})
        model.fit(table, condition=group)
        row = pd.DataFrame({"a": [np.nan], "b": [0.0]})
        low, high = (
            model.impute(row, condition=value)["a"].iloc[0] for value in ("low", "high")
        )
        assert high - low > 2
        unknown = model.impute(row, 50)["a"]
        assert low - 1 < unknown.mean() < high + 1


@pytest.mark.parametrize("n_imputations", [0, 1.5, None])
def test_number_of_imputations(model, mixed, n_imputations):
    with pytest.raises(ValueError, match="The 'n_imputations' parameter of"):
        model.impute(mixed, n_imputations)
