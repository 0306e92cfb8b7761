"""What every model promises beyond scikit-learn's own checks."""

import copy
import itertools
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from model_cases import MODELS, make_numbers, make_table, small
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer, StandardScaler
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback, EarlyStopping, LRScheduler

from skvae import VAE, BetaTCVAE

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")


@pytest.fixture
def fitted(model, table):
    return model.fit(table)


def has_beta(model):
    return "beta" in model.get_params()


class TestShapes:
    def test_fit_returns_self_and_transform_gives_one_column_a_latent(
        self, model, table
    ):
        assert model.fit(table) is model
        latents = model.transform(table)
        assert isinstance(latents, np.ndarray)
        assert latents.shape == (len(table), 2)
        assert latents.dtype == np.float64
        assert model._n_features_out == 2

    def test_fit_transform_is_fit_then_transform(self, model, table):
        np.testing.assert_array_equal(
            clone(model).fit_transform(table), model.fit(table).transform(table)
        )

    def test_feature_names_out(self, fitted, model_class):
        prefix = model_class.__name__.lower()
        names = fitted.get_feature_names_out()
        assert list(names) == [f"{prefix}0", f"{prefix}1"]

    @pytest.mark.parametrize("latent_dim", [1, 9])
    def test_any_number_of_latents(self, model_class, numbers, latent_dim):
        model = small(model_class, latent_dim=latent_dim).fit(numbers)
        assert model.transform(numbers).shape == (120, latent_dim)
        assert model.kl_per_dimension_.shape == (latent_dim,)
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
        assert fitted.transform(table[:1]).shape == (1, 2)
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
        model = small(model_class, max_epochs=40, kl_warmup=0).fit(table)
        rows = model.sample(2000, random_state=0)
        for name in ("balance", "age", "rate"):
            assert table[name].median() == pytest.approx(rows[name].median(), rel=0.5)
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
        latents = np.random.RandomState(0).standard_normal((50, 2))
        np.testing.assert_array_equal(prior, model.inverse_transform(latents))

    def test_prior_knows_how_many_latents_were_fitted(self, fitted):
        fitted.set_params(latent_dim=5)  # for a fit to come
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


class TestScore:
    def test_same_in_every_call(self, fitted, table):
        np.testing.assert_array_equal(
            fitted.score_samples(table), fitted.score_samples(table)
        )

    def test_a_row_does_not_depend_on_its_company(self, model_class):
        numbers = make_numbers(600)
        sizes = (64, 32)  # wide enough for blocked matrix products
        model = small(model_class, hidden_layer_sizes=sizes, latent_dim=5).fit(numbers)
        order = np.random.default_rng(0).permutation(600)
        for values in (model.score_samples, model.transform):
            together = values(numbers)
            alone = np.concatenate([values(row[None]) for row in numbers])
            in_threes = np.concatenate([values(rows) for rows in np.split(numbers, 3)])
            shuffled = np.empty_like(together)
            shuffled[order] = values(numbers[order])
            for other in (alone, in_threes, shuffled):
                np.testing.assert_allclose(other, together, rtol=1e-12, atol=1e-14)

    def test_score_is_the_mean(self, fitted, table):
        bound = fitted.score_samples(table)
        score = fitted.score(table)
        assert type(score) is float
        assert score == pytest.approx(bound.mean(), rel=1e-12)
        assert fitted.score(table, y=np.ones(len(table))) == score

    def test_score_weighs_rows(self, fitted, table):
        weights = np.random.default_rng(0).uniform(size=len(table))
        expected = np.average(fitted.score_samples(table), weights=weights)
        actual = fitted.score(table, sample_weight=weights)
        assert actual == pytest.approx(expected, rel=1e-12)
        assert actual != fitted.score(table)

    @pytest.mark.parametrize("encoding", ["quantile", "standard", "minmax", None])
    def test_farther_out_is_worse(self, model_class, numbers, encoding):
        model = small(model_class, encoding=encoding).fit(numbers)
        rows = np.tile(np.median(numbers, axis=0), (7, 1))
        rows[1:, 0] = [1e6, 1e12, 1e24, -1e6, -1e12, -1e24]
        inside, *outside = model.score_samples(rows)
        for near, far, farther in (outside[:3], outside[3:]):
            assert inside > near > far > farther
        assert np.isfinite(outside).all()

    def test_is_below_the_log_likelihood_of_linear_gaussian_rows(self, model_class):
        # Any model's mean log-likelihood is at most that of the distribution the rows
        # come from, and the bound is at most the former.
        covariance = np.array([[2.0, 1.2, -0.8], [1.2, 1.5, 0.2], [-0.8, 0.2, 1.0]])
        truth = multivariate_normal(np.zeros(3), covariance)
        rows = truth.rvs(4000, random_state=0)
        model = small(model_class, encoding=None, max_epochs=40, lr=1e-2)
        if has_beta(model):
            model.set_params(beta=1.5)  # else the latents switch off
        bound = model.fit(rows[:1000]).score_samples(rows[1000:])
        assert model.n_active_ > 0
        gap = truth.logpdf(rows[1000:]) - bound
        assert gap.mean() > -3 * gap.std() / np.sqrt(len(gap))

    def test_comes_close_to_the_log_likelihood(self):
        # With linear networks the model holds the truth: two factors and noise.
        weights = np.array([[1.0, 0.8, 0.0, -0.5], [0.0, 0.6, 1.0, 0.5]])
        covariance = weights.T @ weights + 0.3**2 * np.eye(4)
        truth = multivariate_normal(np.zeros(4), covariance)
        rows = truth.rvs(4000, random_state=0)
        model = VAE(
            2,
            encoding=None,
            hidden_layer_sizes=(),
            lr=1e-2,
            max_epochs=60,
            device="cpu",
            random_state=0,
        )
        model.fit(rows[:2000])
        gap = truth.logpdf(rows[2000:]).mean() - model.score(rows[2000:])
        assert -0.02 < gap < 0.1

    def test_is_the_bound_of_the_models_own_marginal(self, model_class, numbers):
        # One latent, so that log p(x) is an integral over a line.
        model = small(model_class, latent_dim=1, encoding=None, max_epochs=30)
        bound = model.fit(numbers).score_samples(numbers)
        module, rows = model.module_, torch.as_tensor(numbers)
        line = np.linspace(-10, 10, 2001)
        latents = torch.as_tensor(line[:, None, None]).expand(-1, len(numbers), 1)
        conditional = module.log_likelihood(latents, rows).numpy()
        integrand = conditional + norm.logpdf(line)[:, None] + np.log(line[1] - line[0])
        log_likelihood = logsumexp(integrand, axis=0)
        assert (bound < log_likelihood + 0.02).all()
        # The same integral for the bound itself: 32 points are enough.
        mean, log_variance = (part.numpy()[:, 0] for part in module.encode(rows))
        scale = np.exp(0.5 * log_variance)
        weights = norm.pdf(line[:, None], mean, scale) * (line[1] - line[0])
        kl = 0.5 * (mean**2 + scale**2 - 1 - log_variance)
        exact = (weights * conditional).sum(axis=0) - kl
        np.testing.assert_allclose(bound, exact, atol=0.05)

    def test_weight_on_the_kl_is_one_whatever_was_trained(self, model_class, numbers):
        model = small(model_class, max_epochs=20).fit(numbers)
        if not has_beta(model):
            pytest.skip("has no beta")
        before = model.score_samples(numbers)
        model.set_params(beta=100.0)
        np.testing.assert_array_equal(model.score_samples(numbers), before)


class TestDecomposition:
    @pytest.fixture
    def trained(self, model_class):
        numbers = make_numbers(400)
        return small(model_class, latent_dim=3, max_epochs=30).fit(numbers), numbers

    def test_terms_add_up(self, trained):
        model, numbers = trained
        terms = model.elbo_decomposition(numbers)
        assert list(terms.columns) == ["value", "standard_error"]
        assert np.isfinite(terms).all(axis=None)
        assert (terms["standard_error"] >= 0).all()
        value = terms["value"]
        parts = ["mutual_information", "total_correlation", "dimension_wise_kl"]
        assert value["kl"] == pytest.approx(value[parts].sum(), rel=1e-9)
        assert value["elbo"] == pytest.approx(value["reconstruction"] - value["kl"])

    def test_invariants(self, trained):
        model, numbers = trained
        terms = model.elbo_decomposition(numbers)
        value, error = terms["value"], terms["standard_error"]
        assert 0 < value["mutual_information"] <= np.log(len(numbers))
        assert value["total_correlation"] > -3 * error["total_correlation"]
        assert value["dimension_wise_kl"] > -3 * error["dimension_wise_kl"]

    def test_agrees_with_score_and_kl(self, trained):
        model, numbers = trained
        terms = model.elbo_decomposition(numbers)
        value, error = terms["value"], terms["standard_error"]
        analytic = model.kl_per_dimension_.sum()
        assert abs(value["kl"] - analytic) < 4 * error["kl"]
        assert abs(value["elbo"] - model.score(numbers)) < 4 * error["kl"]

    def test_rows_are_drawn_by_random_state(self, trained):
        model, numbers = trained
        few = model.elbo_decomposition(numbers, max_rows=50, random_state=1)
        again = model.elbo_decomposition(numbers, max_rows=50, random_state=1)
        pd.testing.assert_frame_equal(few, again)
        other = model.elbo_decomposition(numbers, max_rows=50, random_state=2)
        assert not few.equals(other)
        assert few.loc["mutual_information", "value"] <= np.log(50)


class TestHistory:
    def test_columns_are_named_terms(self, model_class, numbers):
        model = small(model_class).fit(numbers)
        history = model.history_
        terms = ["loss", "reconstruction", "kl"]
        if model_class is BetaTCVAE:
            terms.append("total_correlation")
        expected = {f"{part}_{term}" for part in ("train", "valid") for term in terms}
        assert set(history.columns) == expected | {"warmup", "dur"}
        assert list(history.index) == [1, 2, 3]
        assert np.isfinite(history).all(axis=None)

    def test_loss_is_the_sum_of_its_weighted_terms(self, model_class, numbers):
        model = small(model_class, max_epochs=6, kl_warmup=3).fit(numbers)
        history = model.history_
        np.testing.assert_allclose(history["warmup"], [0.25, 0.5, 0.75, 1, 1, 1])
        beta = getattr(model, "beta", 1)
        for part, warmup in (("train", history["warmup"]), ("valid", 1)):
            if model_class is BetaTCVAE:
                penalty = history[f"{part}_kl"]
                penalty = penalty + (beta - 1) * history[f"{part}_total_correlation"]
            else:
                penalty = beta * history[f"{part}_kl"]
            np.testing.assert_allclose(
                history[f"{part}_loss"],
                history[f"{part}_reconstruction"] + warmup * penalty,
                rtol=1e-5,
                atol=1e-5,
            )

    def test_counts(self, model_class, numbers):
        model = small(model_class, max_epochs=12, kl_warmup=4).fit(numbers)
        assert model.n_iter_ == len(model.history_) == 12
        watched = model.history_.query("warmup == 1")["valid_loss"]
        assert model.best_epoch_ == watched.idxmin()
        assert model.n_active_ == (model.kl_per_dimension_ > 0.01).sum()
        assert (model.kl_per_dimension_ >= 0).all()

    def test_warmup_takes_at_most_half_of_the_epochs(self, model_class, numbers):
        model = small(model_class, max_epochs=5, kl_warmup=50).fit(numbers)
        np.testing.assert_allclose(model.history_["warmup"], [1 / 3, 2 / 3, 1, 1, 1])

    def test_early_stopping_stops(self, model_class, numbers):
        model = small(model_class, max_epochs=50, kl_warmup=10, n_iter_no_change=2)
        model.set_params(tol=1e6).fit(numbers)
        # Epochs below the final weight do not count, the first at it always improves.
        assert model.n_iter_ == 10 + 1 + 2

    def test_no_early_stopping(self, model_class, numbers):
        model = small(
            model_class,
            early_stopping=False,
            max_epochs=8,
            n_iter_no_change=1,
            tol=1e6,
        ).fit(numbers)
        assert model.n_iter_ == model.best_epoch_ == 8
        assert not any(name.startswith("valid_") for name in model.history_)

    def test_best_weights_are_restored(self, model_class, numbers):
        # A learning rate so high that the loss jumps about.
        params = {"lr": 0.1, "max_epochs": 30, "kl_warmup": 0}
        model = small(model_class, **params).fit(numbers)
        assert model.best_epoch_ < 30
        params["max_epochs"] = model.best_epoch_
        shorter = small(model_class, **params).fit(numbers)
        np.testing.assert_array_equal(
            model.transform(numbers), shorter.transform(numbers)
        )


class Interrupt(Callback):
    """What Ctrl-C does, at the given event."""

    def __init__(self, event):
        setattr(self, event, self.strike)

    def strike(self, net, **kwargs):
        raise KeyboardInterrupt


class TestFailedFit:
    def test_failed_refit_does_not_look_fitted(self, fitted, table):
        with pytest.raises(ValueError, match="NaN"):
            fitted.fit(table.assign(balance=np.nan))
        self.assert_not_fitted(fitted, table)

    @pytest.mark.parametrize("event", ["on_train_begin", "on_batch_end"])
    def test_interrupted_refit_does_not_look_fitted(self, fitted, table, event):
        fitted.set_params(callbacks=[Interrupt(event)])
        with pytest.raises(KeyboardInterrupt):
            fitted.fit(table)
        self.assert_not_fitted(fitted, table)

    def test_refit_after_failure(self, fitted, table):
        expected = fitted.transform(table)
        with pytest.raises(ValueError, match="NaN"):
            fitted.fit(table.assign(balance=np.nan))
        np.testing.assert_array_equal(fitted.fit(table).transform(table), expected)

    def assert_not_fitted(self, model, table):
        with pytest.raises(NotFittedError):
            check_is_fitted(model)
        for method in (model.transform, model.score, model.reconstruct):
            with pytest.raises(NotFittedError):
                method(table)
        with pytest.raises(NotFittedError):
            model.sample()
        with pytest.raises(NotFittedError):
            model.inverse_transform(np.zeros((1, 2)))
        assert not {"net_", "table_encoder_", "n_active_"} & set(vars(model))

    def test_refit_on_another_table(self, fitted, numbers):
        assert not hasattr(fitted.fit(numbers), "feature_names_in_")
        assert fitted.n_features_in_ == 5
        assert isinstance(fitted.sample(), np.ndarray)


class TestCopies:
    def test_clone_is_unfitted_with_equal_parameters(self, fitted):
        copied = clone(fitted)
        assert copied.get_params() == fitted.get_params()
        with pytest.raises(NotFittedError):
            check_is_fitted(copied)

    @pytest.mark.parametrize(
        "duplicate",
        [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))],
        ids=["deepcopy", "pickle"],
    )
    def test_a_copy_behaves_alike(self, fitted, table, duplicate):
        copied = duplicate(fitted)
        np.testing.assert_array_equal(copied.transform(table), fitted.transform(table))
        np.testing.assert_array_equal(
            copied.score_samples(table), fitted.score_samples(table)
        )
        pd.testing.assert_frame_equal(
            copied.sample(5, random_state=0), fitted.sample(5, random_state=0)
        )
        pd.testing.assert_frame_equal(copied.history_, fitted.history_)
        # And it is one of its own.
        copied.fit(table[:60])
        assert not np.array_equal(copied.transform(table), fitted.transform(table))


class TestWithScikitLearn:
    def test_pipeline(self, model, numbers):
        frame = pd.DataFrame(1000 * numbers + 5).add_prefix("x")
        model.set_params(encoding=None)
        pipeline = make_pipeline(StandardScaler(), model).fit(frame)
        latents = pipeline.transform(frame)
        assert latents.shape == (120, 2)
        back = pipeline.inverse_transform(latents)
        np.testing.assert_allclose(back.mean(axis=0), frame.mean(), atol=500)
        assert pipeline[-1].sample(3).shape == (3, 5)
        assert np.isfinite(pipeline.score(frame))

    def test_pipeline_that_hands_on_dataframes(self, model, numbers):
        frame = pd.DataFrame(numbers).add_prefix("x")
        pipeline = make_pipeline(StandardScaler(), model).set_output(transform="pandas")
        latents = pipeline.fit_transform(frame)
        assert list(latents) == list(pipeline.get_feature_names_out())
        assert list(pipeline[-1].sample()) == list(frame)

    def test_pipeline_scores_with_routed_weights(self, model, numbers):
        weights = np.random.default_rng(0).uniform(size=len(numbers))
        with config_context(enable_metadata_routing=True):
            model.set_score_request(sample_weight=True)
            scaler = StandardScaler().set_fit_request(sample_weight=False)
            pipeline = make_pipeline(scaler, model).fit(numbers)
            score = pipeline.score(numbers, sample_weight=weights)
            assert np.isfinite(pipeline.score(numbers))
        scaled = pipeline[:-1].transform(numbers)
        expected = np.average(pipeline[-1].score_samples(scaled), weights=weights)
        assert score == pytest.approx(expected, rel=1e-12)

    def test_column_transformer(self, model, table):
        parts = ColumnTransformer(
            [("amounts", model, ["balance", "late"]), ("rest", "passthrough", ["age"])]
        )
        latents = parts.fit_transform(table)
        assert latents.shape == (120, 3)
        np.testing.assert_array_equal(latents[:, 2], table["age"])
        assert parts.get_feature_names_out()[0].startswith("amounts__")
        assert list(parts.named_transformers_["amounts"].sample()) == [
            "balance",
            "late",
        ]

    def test_grid_search_in_processes(self, model, numbers):
        grid = {"latent_dim": [2, 3], "lr": [1e-3, 1e-2]}
        if has_beta(model):
            grid["beta"] = [1.0, 6.0]
        search = GridSearchCV(model, grid, cv=2, n_jobs=2, error_score="raise")
        search.fit(numbers)
        scores = search.cv_results_["mean_test_score"]
        assert np.isfinite(scores).all()
        assert len(np.unique(scores)) == len(scores)
        alone = clone(model).set_params(**search.best_params_).fit(numbers)
        np.testing.assert_array_equal(
            search.transform(numbers), alone.transform(numbers)
        )


class TestParameters:
    @pytest.mark.parametrize(
        "encoding",
        ["quantile", "standard", "minmax", None, StandardScaler(), PowerTransformer()],
        ids=str,
    )
    def test_encoding(self, model_class, numbers, encoding):
        numbers = 100 + 5 * numbers
        model = small(model_class, encoding=encoding, max_epochs=40, lr=1e-2)
        model.fit(numbers)
        assert np.isfinite(model.score_samples(numbers)).all()
        if encoding is not None:  # an unscaled network has not come that far
            means = model.sample(1000, random_state=0).mean(axis=0)
            np.testing.assert_allclose(means, numbers.mean(axis=0), atol=2)

    def test_encodings_differ(self, model_class, numbers):
        latents = [
            small(model_class, encoding=encoding).fit_transform(numbers)
            for encoding in ("quantile", "standard", "minmax", None)
        ]
        for first, second in itertools.pairwise(latents):
            assert not np.allclose(first, second)

    def test_transformer_as_encoding_is_cloned(self, model_class, numbers):
        scaler = StandardScaler()
        model = small(model_class, encoding=scaler).fit(numbers)
        assert model.encoding is scaler
        with pytest.raises(NotFittedError):
            check_is_fitted(scaler)
        named = small(model_class, encoding="standard").fit(numbers)
        np.testing.assert_array_equal(
            model.transform(numbers), named.transform(numbers)
        )

    @pytest.mark.parametrize("likelihood", ["auto", "gaussian"])
    def test_numbers_are_gaussian(self, model_class, numbers, likelihood):
        expected = small(model_class, likelihood="gaussian").fit_transform(numbers)
        actual = small(model_class, likelihood=likelihood).fit_transform(numbers)
        np.testing.assert_array_equal(actual, expected)

    @pytest.mark.parametrize("sizes", [[8, 4], np.array([8, 4])], ids=type)
    def test_hidden_layer_sizes_of_any_sequence(self, model_class, numbers, sizes):
        expected = small(model_class, hidden_layer_sizes=(8, 4)).fit_transform(numbers)
        model = small(model_class, hidden_layer_sizes=sizes)
        np.testing.assert_array_equal(model.fit_transform(numbers), expected)
        assert model.hidden_layer_sizes is sizes

    @pytest.mark.parametrize(
        "activation", ["silu", "relu", "leaky_relu", "gelu", "elu", "tanh"]
    )
    def test_activation(self, model_class, numbers, activation):
        model = small(model_class, activation=activation).fit(numbers)
        assert np.isfinite(model.score(numbers))
        other = "tanh" if activation != "tanh" else "relu"
        assert model.score(numbers) != small(model_class, activation=other).fit(
            numbers
        ).score(numbers)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("lr", 1e-2),
            ("max_epochs", 4),
            ("batch_size", 8),
            ("batch_size", "auto"),
            ("hidden_layer_sizes", (9,)),
            ("kl_warmup", 0),
            ("early_stopping", False),
            ("validation_fraction", 0.5),
            ("random_state", 1),
        ],
    )
    def test_parameter_is_not_ignored(self, model_class, numbers, name, value):
        default = small(model_class).fit(numbers)
        changed = small(model_class, **{name: value}).fit(numbers)
        assert default.score(numbers) != changed.score(numbers)


class Recorder(Callback):
    """Remember what each epoch held, for all copies at once."""

    epochs = []

    def __init__(self):
        self.n_calls = 0

    def on_epoch_end(self, net, **kwargs):
        self.n_calls += 1
        self.epochs.append(dict(net.history[-1]))


class TestCallbacks:
    def test_see_the_terms_and_are_copied(self, model, numbers):
        Recorder.epochs = []
        recorder = Recorder()
        model.set_params(callbacks=[recorder]).fit(numbers)
        assert len(Recorder.epochs) == 3
        assert {"train_loss", "valid_loss", "train_kl"} <= set(Recorder.epochs[0])
        assert recorder.n_calls == 0
        assert model.callbacks == [recorder]
        copied = [c for _, c in model.net_.callbacks_ if isinstance(c, Recorder)]
        assert [c.n_calls for c in copied] == [3]
        model.fit(numbers)
        assert recorder.n_calls == 0

    def test_do_not_change_the_numbers(self, model, numbers):
        expected = clone(model).fit_transform(numbers)
        model.set_params(callbacks=[Recorder()])
        np.testing.assert_array_equal(model.fit_transform(numbers), expected)

    def test_may_end_training_at_the_end_of_an_epoch(self, model, numbers):
        model.set_params(callbacks=[Interrupt("on_epoch_end")]).fit(numbers)
        assert model.n_iter_ == 1
        assert np.isfinite(model.score(numbers))

    def test_skorchs_own_early_stopping(self, model_class, numbers):
        stopping = EarlyStopping(patience=2, threshold=1e6, threshold_mode="abs")
        model = small(model_class, max_epochs=30, callbacks=[stopping]).fit(numbers)
        assert model.n_iter_ < 30

    def test_skorchs_learning_rate_schedule(self, model_class, numbers):
        schedule = LRScheduler("StepLR", step_size=1, gamma=1e-9)
        slow = small(model_class, callbacks=[schedule]).fit(numbers)
        loss = slow.history_["valid_loss"]
        np.testing.assert_allclose(loss, loss.iloc[0], rtol=1e-5)
        usual = small(model_class).fit(numbers).history_["valid_loss"]
        assert usual.iloc[0] == loss.iloc[0] > usual.iloc[-1] + 1e-3


class TestOutput:
    def test_silent_by_default(self, model, table, capfd):
        model.fit(table)
        model.score(table)
        model.sample(2)
        assert capfd.readouterr() == ("", "")

    def test_verbose_shows_the_named_terms(self, model_class, numbers, capfd):
        small(model_class, verbose=1).fit(numbers)
        shown = capfd.readouterr().err
        assert model_class.__name__ in shown
        assert "3/3" in shown
        for term in ("loss=", "reconstruction=", "kl="):
            assert term in shown
        assert ("total correlation=" in shown) is (model_class is BetaTCVAE)

    def test_verbose_does_not_change_the_numbers(self, model_class, numbers, capfd):
        np.testing.assert_array_equal(
            small(model_class, verbose=1).fit_transform(numbers),
            small(model_class).fit_transform(numbers),
        )


def test_every_model_is_covered():
    assert len(MODELS) >= 3
    assert make_table().dtypes.nunique() == 6
