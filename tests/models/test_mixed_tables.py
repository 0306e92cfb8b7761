"""Mixed tables: every kind of column, with holes, through every method of a model."""

import pickle

import numpy as np
import pandas as pd
import pytest
from mixed_cases import COMPLETE, CONDITIONS, assert_like, make_mixed
from model_cases import MODELS, n_latents, small
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import CVAE, DCVAE, MSVAE, VAE, BetaTCVAE

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

TRAINING = {"max_epochs": 40, "lr": 1e-2, "batch_size": 32}
HOLED = ["amount", "region", "grade", "since", "visits", "rate", "vip"]


@pytest.fixture(scope="module")
def mixed():
    return make_mixed()


@pytest.fixture(scope="module", params=MODELS, ids=lambda model: model.__name__)
def any_model(request, mixed):
    return small(request.param).fit(mixed)


@pytest.fixture(scope="module")
def two_stages(mixed):
    return small(MSVAE, **TRAINING).fit(mixed)


@pytest.fixture(scope="module", params=[CVAE, DCVAE], ids=["CVAE", "DCVAE"])
def conditional(request, mixed):
    mixed = mixed.dropna(subset=CONDITIONS)
    return small(request.param, condition_columns=CONDITIONS, **TRAINING).fit(mixed)


class TestEveryModel:
    def test_latents_are_finite(self, any_model, mixed):
        latents = any_model.transform(mixed)
        assert latents.shape == (len(mixed), n_latents(any_model))
        assert np.isfinite(latents).all()

    def test_scores_are_finite_and_do_not_depend_on_other_rows(self, any_model, mixed):
        scores = any_model.score_samples(mixed)
        assert np.isfinite(scores).all()
        np.testing.assert_allclose(any_model.score_samples(mixed[7:9]), scores[7:9])

    def test_samples_are_rows_of_the_table(self, any_model, mixed):
        rows = any_model.sample(60, random_state=0)
        assert_like(rows, mixed)
        assert rows[COMPLETE].notna().all(axis=None)
        low, high = mixed["age"].agg(["min", "max"])
        assert rows["age"].between(low, high).all()

    @pytest.mark.parametrize("kind", ["mean", "draw"])
    def test_reconstructions_keep_labels_and_dtypes(self, any_model, mixed, kind):
        rows = any_model.reconstruct(mixed[5:50], kind=kind, random_state=0)
        assert_like(rows, mixed)
        pd.testing.assert_index_equal(rows.index, mixed.index[5:50])

    def test_latents_go_back_to_rows(self, any_model, mixed):
        rows = any_model.inverse_transform(any_model.transform(mixed))
        assert_like(rows, mixed)
        expected = any_model.reconstruct(mixed).reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, expected)

    def test_holes_are_filled(self, any_model, mixed):
        rows = any_model.impute(mixed)
        assert_like(rows, mixed)
        assert rows.notna().all(axis=None)

    def test_decomposition_adds_up(self, any_model, mixed):
        terms = any_model.elbo_decomposition(mixed)["value"]
        assert terms["elbo"] == pytest.approx(terms["reconstruction"] - terms["kl"])

    def test_pickled_model_is_the_same(self, any_model, mixed):
        again = pickle.loads(pickle.dumps(any_model))
        np.testing.assert_array_equal(
            again.transform(mixed), any_model.transform(mixed)
        )
        pd.testing.assert_frame_equal(
            again.sample(20, random_state=0), any_model.sample(20, random_state=0)
        )

    def test_the_table_is_left_alone(self, any_model, mixed):
        before = mixed.copy()
        any_model.reconstruct(mixed)
        any_model.impute(mixed)
        pd.testing.assert_frame_equal(mixed, before)


class TestWhatHolesMean:
    @pytest.mark.parametrize("model_class", [VAE, CVAE, MSVAE])
    def test_samples_have_as_many_as_the_table(self, model_class):
        table = make_mixed(400, missing=0.3)
        rows = small(model_class, **TRAINING).fit(table).sample(2000, random_state=0)
        difference = rows[HOLED].isna().mean() - table[HOLED].isna().mean()
        assert difference.abs().max() < 0.08

    def test_a_table_without_holes_gets_none(self):
        table = make_mixed(missing=0)
        model = small(VAE, **TRAINING).fit(table)
        assert model.sample(500, random_state=0).notna().all(axis=None)

    def test_holes_that_training_lacked_are_read_all_the_same(self, mixed):
        model = small(VAE, **TRAINING).fit(make_mixed(missing=0))
        assert np.isfinite(model.transform(mixed)).all()
        assert np.isfinite(model.score_samples(mixed)).all()

    def test_a_row_of_holes_is_read(self, two_stages, mixed):
        row = mixed[:1].assign(**dict.fromkeys(HOLED))
        row = row.astype({name: mixed[name].dtype for name in HOLED})
        assert np.isfinite(two_stages.transform(row)).all()
        assert two_stages.impute(row).notna().all(axis=None)

    def test_missing_in_other_words(self, mixed):
        model = small(VAE).fit(mixed)
        as_objects = mixed.astype({"visits": object, "region": object})
        nothing = {pd.NA: None, np.nan: None}
        as_objects["visits"] = as_objects["visits"].replace(nothing)
        np.testing.assert_array_equal(
            model.transform(as_objects), model.transform(mixed)
        )


class TestLevels:
    def test_unseen_level_is_warned_about_and_read(self, mixed):
        model = small(VAE).fit(mixed)
        with pytest.warns(UserWarning, match="'south' in column 'region'"):
            latents = model.transform(mixed[:5].assign(region="south"))
        assert np.isfinite(latents).all()

    def test_codes_are_levels_on_request(self):
        codes = np.random.default_rng(0).choice([3.0, 11.0, 40.0], (150, 2))
        model = small(VAE, categorical_features=[1]).fit(codes)
        kinds = [column.kind for column in model.table_encoder_.schema_.columns]
        assert kinds == ["integer", "categorical"]
        rows = model.sample(100, random_state=0)
        assert rows.dtype == float
        assert set(rows[:, 1]) <= {3.0, 11.0, 40.0}

    def test_two_stages_take_the_categories_of_the_first(self, mixed):
        first = BetaTCVAE(categorical_features=["visits"])
        model = small(MSVAE, first_stage=first).fit(mixed)
        column = model.table_encoder_.schema_.columns[6]
        assert (column.name, column.kind) == ("visits", "categorical")


class TestTwoStages:
    @pytest.mark.parametrize("variant", ["residual", "raw", "crossed"])
    def test_mix(self, two_stages, mixed, variant):
        rows = two_stages.mix(mixed[:40], mixed[40:80], variant=variant)
        assert_like(rows, mixed)
        pd.testing.assert_index_equal(rows.index, mixed.index[:40])

    @pytest.mark.parametrize("unexplained", ["drop", "keep"])
    def test_counterfactual_moves_the_factors_and_holds_cells(
        self, two_stages, mixed, unexplained
    ):
        other = mixed[mixed["owner"]]
        moved = two_stages.counterfactual(
            mixed[:30],
            other,
            reference=mixed,
            factors=[0, 1],
            hold=["region"],
            unexplained=unexplained,
        )
        assert_like(moved.data, mixed)
        pd.testing.assert_series_equal(moved.data["region"], mixed["region"][:30])
        assert np.isfinite(moved.support).all()

    def test_residuals_of_others(self, two_stages, mixed):
        moved = two_stages.counterfactual(
            mixed[:30], mixed[30:], transfer="residual", random_state=0
        )
        assert_like(moved.data, mixed)


class TestConditionsAmongTheColumns:
    def test_all_columns_come_back_in_order(self, conditional, mixed):
        assert_like(conditional.sample(40, random_state=0), mixed)
        assert_like(conditional.reconstruct(mixed), mixed)
        assert_like(conditional.impute(mixed), mixed)

    def test_rows_have_the_condition_that_is_wanted(self, conditional, mixed):
        rows = conditional.sample(
            40, condition={"region": "west", "age": 30}, random_state=0
        )
        assert_like(rows, mixed)
        assert (rows["region"] == "west").all()
        assert (rows["age"] == 30).all()

    def test_a_hole_in_a_condition_is_averaged_over(self, conditional, mixed):
        assert mixed["region"].isna().any()
        assert np.isfinite(conditional.score_samples(mixed)).all()

    def test_holes_in_a_condition_are_no_training_rows(self, mixed):
        with pytest.raises(ValueError, match="Condition 'region' is missing in row"):
            small(CVAE, condition_columns=CONDITIONS).fit(mixed)

    def test_two_stages_of_it(self, mixed):
        first = CVAE(condition_columns=CONDITIONS)
        model = small(MSVAE, first_stage=first, **TRAINING)
        model.fit(mixed.dropna(subset=CONDITIONS))
        assert_like(model.sample(40, random_state=0), mixed)
        assert_like(model.impute(mixed), mixed)


def test_in_a_pipeline(mixed):
    pipeline = make_pipeline(small(VAE), StandardScaler()).fit(mixed)
    assert pipeline.transform(mixed).shape == (len(mixed), 2)


def test_array_with_holes_gives_an_array_with_holes():
    numbers = np.random.default_rng(0).normal(size=(200, 4))
    numbers[numbers > 1] = np.nan
    model = small(VAE, **TRAINING).fit(numbers)
    rows = model.sample(500, random_state=0)
    assert rows.dtype == np.float64
    assert 0.1 < np.isnan(rows).mean() < 0.25
    assert np.isfinite(model.impute(numbers)).all()
