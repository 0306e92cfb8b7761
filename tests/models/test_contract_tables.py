"""What every model promises about tables: shapes, containers, kinds, samples."""

import numpy as np
import pandas as pd
import pytest
import torch
from model_cases import changed, gentle, n_latents, small
from sklearn.base import clone

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")


class TestShapes:
    def test_fit_returns_self_and_transform_gives_one_column_a_latent(
        self, model, table
    ):
        assert model.fit(table) is model
        latents = model.transform(table)
        assert isinstance(latents, np.ndarray)
        assert latents.shape == (len(table), n_latents(model))
        assert latents.dtype == np.float64
        assert model._n_features_out == n_latents(model)

    def test_fit_transform_is_fit_then_transform(self, model, table):
        np.testing.assert_array_equal(
            clone(model).fit_transform(table), model.fit(table).transform(table)
        )

    def test_feature_names_out(self, fitted, model_class):
        prefix = model_class.__name__.lower()
        names = fitted.get_feature_names_out()
        latents = ["_c0", "_c1", "_z0", "_z1"] if prefix == "msvae" else ["0", "1"]
        assert list(names) == [f"{prefix}{latent}" for latent in latents]

    @pytest.mark.parametrize("latent_dim", [1, 9])
    def test_any_number_of_latents(self, model_class, numbers, latent_dim):
        model = small(model_class, latent_dim=latent_dim).fit(numbers)
        n_all = latent_dim + (2 if hasattr(model, "residual_dim") else 0)
        assert model.transform(numbers).shape == (120, n_all)
        assert model.kl_per_dimension_.shape == (n_all,)
        assert np.isfinite(model.score(numbers))

    @pytest.mark.parametrize("batch_size", [1, 7, 120, 10_000, "auto"])
    def test_any_batch_size(self, model_class, numbers, batch_size):
        model = small(model_class, batch_size=batch_size, max_epochs=1).fit(numbers)
        assert np.isfinite(model.score(numbers))

    @pytest.mark.parametrize("n_rows", [2, 3])
    def test_a_few_rows_are_enough(self, model_class, n_rows):
        numbers = np.arange(3.0 * n_rows).reshape(n_rows, 3)
        model = small(model_class).fit(numbers)
        assert model.sample(3, random_state=0).shape == (3, 3)
        assert np.isfinite(model.score_samples(numbers)).all()

    def test_one_row_is_enough_after_fit(self, fitted, table):
        assert fitted.transform(table[:1]).shape == (1, n_latents(fitted))
        assert fitted.score_samples(table[:1]).shape == (1,)


class TestContainers:
    def test_inverse_transform_keeps_names_order_and_dtypes(self, fitted, table):
        rows = fitted.inverse_transform(fitted.transform(table))
        pd.testing.assert_index_equal(rows.columns, table.columns)
        pd.testing.assert_series_equal(rows.dtypes, table.dtypes)
        assert rows.notna().all(axis=None)
        pd.testing.assert_index_equal(rows.index, pd.RangeIndex(len(table)))

    def test_inverse_transform_keeps_the_index_of_a_dataframe(self, fitted, table):
        latents = pd.DataFrame(fitted.transform(table), index=table.index)
        rows = fitted.inverse_transform(latents)
        pd.testing.assert_index_equal(rows.index, table.index)
        pd.testing.assert_frame_equal(
            rows.reset_index(drop=True), fitted.inverse_transform(latents.to_numpy())
        )

    @pytest.mark.parametrize("kind", ["mean", "draw"])
    def test_reconstruct_keeps_index_names_and_dtypes(self, fitted, table, kind):
        rows = fitted.reconstruct(table[10:40], kind=kind, random_state=0)
        pd.testing.assert_index_equal(rows.index, table.index[10:40])
        pd.testing.assert_series_equal(rows.dtypes, table.dtypes)
        assert (rows["branch"] == 7).all()

    def test_reconstruct_is_decode_after_encode(self, fitted, table):
        rows = fitted.reconstruct(table)
        decoded = fitted.inverse_transform(fitted.transform(table))
        pd.testing.assert_frame_equal(rows.reset_index(drop=True), decoded)

    def test_rows_come_in_the_units_of_the_table(self, model_class, table):
        model = small(model_class, max_epochs=40, kl_warmup=0)
        rows = (
            changed(model, **gentle(model_class))
            .fit(table)
            .sample(2000, random_state=0)
        )
        for name in ("balance", "age", "rate"):
            low, middle, high = table[name].quantile([0.25, 0.5, 0.75])
            assert abs(rows[name].median() - middle) < 0.15 * (high - low)
        assert set(rows["late"][rows["late"].isin([0.0, 30.0])]) == {0.0, 30.0}
        assert 0.1 < rows["owner"].mean() < 0.9

    @pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int32])
    def test_array_in_array_out(self, model, numbers, dtype):
        numbers = (10 * numbers).astype(dtype)
        model.fit(numbers)
        for rows in (
            model.inverse_transform(model.transform(numbers)),
            model.sample(120, random_state=0),
            model.reconstruct(numbers),
        ):
            assert isinstance(rows, np.ndarray)
            assert rows.shape == numbers.shape
            assert rows.dtype == dtype

    def test_list_in_array_out(self, model, numbers):
        expected = clone(model).fit(numbers).sample(3, random_state=0)
        actual = model.fit(numbers.tolist()).sample(3, random_state=0)
        np.testing.assert_array_equal(actual, expected)

    def test_dataframe_and_array_train_alike(self, model, numbers):
        by_array = clone(model).fit(numbers).transform(numbers)
        frame = pd.DataFrame(numbers).add_prefix("x")
        np.testing.assert_array_equal(model.fit(frame).transform(frame), by_array)

    def test_array_of_one_dtype_after_fit_on_dataframe(self, fitted, table):
        expected = fitted.transform(table)
        with pytest.warns(UserWarning, match="does not have valid feature names"):
            actual = fitted.transform(table.to_numpy(dtype=float))
        np.testing.assert_array_equal(actual, expected)

    def test_fit_leaves_the_table_alone(self, model, table):
        before = table.copy()
        model.fit(table)
        model.score(table)
        pd.testing.assert_frame_equal(table, before)

    @pytest.mark.parametrize("encoding", ["quantile", None])
    def test_read_only_input(self, model_class, numbers, encoding):
        model = small(model_class, encoding=encoding)
        numbers.setflags(write=False)
        torch.set_warn_always(True)  # it warns of memory that is read-only
        try:
            latents = model.fit(numbers).transform(numbers)
            latents.setflags(write=False)
            model.inverse_transform(latents)
            model.score(numbers)
        finally:
            torch.set_warn_always(False)

    def test_set_output_is_for_transform_only(self, model, table):
        model.set_output(transform="pandas").fit(table)
        latents = model.transform(table)
        assert isinstance(latents, pd.DataFrame)
        pd.testing.assert_index_equal(latents.index, table.index)
        assert list(latents) == list(model.get_feature_names_out())
        rows = model.inverse_transform(latents)
        pd.testing.assert_series_equal(rows.dtypes, table.dtypes)
        pd.testing.assert_index_equal(rows.index, table.index)

    def test_set_output_leaves_arrays_and_scores_alone(self, model, numbers):
        expected = clone(model).fit(numbers)
        model.set_output(transform="pandas").fit(numbers)
        assert isinstance(model.inverse_transform(model.transform(numbers)), np.ndarray)
        assert isinstance(model.sample(2), np.ndarray)
        assert model.score(numbers) == expected.score(numbers)
        pd.testing.assert_frame_equal(
            model.elbo_decomposition(numbers), expected.elbo_decomposition(numbers)
        )

    def test_set_output_default_undoes_pandas(self, model, table):
        model.set_output(transform="pandas").set_output(transform="default")
        assert isinstance(model.fit_transform(table), np.ndarray)


class TestKindsOfColumns:
    def test_constant_columns_come_back_and_take_no_part(self, model, table):
        without = table.drop(columns="branch")
        by_less = clone(model).fit(without)
        model.fit(table)
        np.testing.assert_array_equal(
            model.score_samples(table), by_less.score_samples(without)
        )
        assert (model.sample(9, random_state=0)["branch"] == 7).all()
        # What the constant column holds later makes no difference either.
        moved = model.score_samples(table.assign(branch=np.int8(9)))
        np.testing.assert_array_equal(moved, model.score_samples(table))

    def test_object_columns_that_hold_numbers(self, model, table):
        as_objects = table.assign(age=table["age"].astype(object))
        expected = clone(model).fit(table)
        model.fit(as_objects)
        np.testing.assert_array_equal(
            model.transform(as_objects), expected.transform(table)
        )
        assert model.sample(2)["age"].dtype == object

    def test_integers_and_booleans_stay_in_range(self, model, table):
        rows = model.fit(table).sample(500, random_state=0)
        assert rows["owner"].dtype == bool
        assert rows["age"].dtype == np.int64
        assert str(rows["visits"].dtype) == "Int64"

    def test_column_names_need_not_be_strings(self, model, numbers):
        frame = pd.DataFrame(numbers, columns=[3, 1, 4, 15, 9])
        rows = model.fit(frame).sample(2)
        assert list(rows.columns) == [3, 1, 4, 15, 9]


class TestSample:
    def test_one_row_by_default(self, fitted):
        assert fitted.sample().shape == (1, 7)

    def test_reproducible_with_a_seed(self, fitted):
        first = fitted.sample(20, random_state=3)
        pd.testing.assert_frame_equal(first, fitted.sample(20, random_state=3))
        assert not first.equals(fitted.sample(20, random_state=4))

    def test_random_state_instance_moves_on(self, fitted):
        random_state = np.random.RandomState(3)
        first = fitted.sample(20, random_state=random_state)
        second = fitted.sample(20, random_state=random_state)
        assert not first.equals(second)
        again = fitted.sample(20, random_state=np.random.RandomState(3))
        pd.testing.assert_frame_equal(first, again)

    def test_fit_takes_a_random_state_instance(self, model_class, numbers):
        first = small(model_class, random_state=np.random.RandomState(3)).fit(numbers)
        again = small(model_class, random_state=np.random.RandomState(3)).fit(numbers)
        other = small(model_class, random_state=np.random.RandomState(4)).fit(numbers)
        latents = first.transform(numbers)
        np.testing.assert_array_equal(latents, again.transform(numbers))
        assert not np.array_equal(latents, other.transform(numbers))

    def test_draws_vary_more_than_means(self, model, numbers):
        model.fit(numbers)
        draws = model.sample(2000, kind="draw", random_state=0)
        means = model.sample(2000, kind="mean", random_state=0)
        assert (draws.std(axis=0) > means.std(axis=0)).all()
        np.testing.assert_array_equal(draws, model.sample(2000, random_state=0))

    def test_latents_come_from_the_prior_on_request(self, model_class, numbers):
        model = small(model_class, max_epochs=30, kl_warmup=0).fit(numbers)
        prior = model.sample(50, latent="prior", kind="mean", random_state=0)
        aggregate = model.sample(50, kind="mean", random_state=0)
        assert not np.allclose(prior, aggregate)
        draws = model.sample(4000, latent="prior", kind="mean", random_state=0)
        shape = 4000, n_latents(model)
        latents = np.random.RandomState(1).standard_normal(shape)
        expected = model.inverse_transform(latents)  # a learned prior starts standard
        np.testing.assert_allclose(draws.mean(axis=0), expected.mean(axis=0), atol=0.15)
        np.testing.assert_allclose(draws.std(axis=0), expected.std(axis=0), rtol=0.3)

    def test_prior_knows_how_many_latents_were_fitted(self, fitted):
        changed(fitted, latent_dim=5)  # for a fit to come
        assert fitted.sample(3, latent="prior").shape == (3, 7)

    def test_bernoulli_gives_means_by_default(self, model_class, numbers):
        scaled = {"encoding": "minmax", "likelihood": "bernoulli"}
        model = small(model_class, **scaled).fit(numbers)
        rows = model.sample(50, random_state=0)
        np.testing.assert_array_equal(
            rows, model.sample(50, kind="mean", random_state=0)
        )
        low, high = numbers.min(axis=0), numbers.max(axis=0)
        assert ((rows > low) & (rows < high)).all()
        draws = model.sample(50, kind="draw", random_state=0)
        assert (np.isclose(draws, low) | np.isclose(draws, high)).all()

    def test_reconstruct_draws_on_request(self, fitted, table):
        first = fitted.reconstruct(table, kind="draw", random_state=0)
        again = fitted.reconstruct(table, kind="draw", random_state=0)
        pd.testing.assert_frame_equal(first, again)
        assert not first.equals(fitted.reconstruct(table, kind="draw", random_state=1))
        assert not first.equals(fitted.reconstruct(table))
