"""What every model promises about its bound, its parts, and its history."""

import numpy as np
import pandas as pd
import pytest
import torch
from model_cases import (
    ONE_STAGE,
    PENALTIES,
    changed,
    gentle,
    has_beta,
    make_numbers,
    small,
)
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from skvae import MSVAE, VAE

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")


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
        changed(model, **gentle(model_class))
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

    @pytest.mark.parametrize("model_class", ONE_STAGE)
    def test_is_the_bound_of_the_models_own_marginal(self, model_class, numbers):
        # One latent, so that log p(x) is an integral over a line.
        model = small(model_class, latent_dim=1, encoding=None, max_epochs=30)
        if "prior" in model.get_params():
            model.set_params(prior="standard")
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

    def test_is_the_bound_of_the_marginal_of_two_stages(self, numbers):
        # A factor c and a residual latent z: log p(x) is an integral over a plane.
        settings = {"encoding": None, "likelihood": "gaussian", "max_epochs": 30}
        model = small(MSVAE, latent_dim=1, residual_dim=1, **settings)
        model.fit(numbers)
        numbers = numbers[:20]
        module, rows = model.module_, torch.as_tensor(numbers)
        line, step = np.linspace(-8, 8, 201, retstep=True)
        plane = torch.as_tensor(np.stack(np.meshgrid(line, line, indexing="ij"), -1))
        latents = plane[:, :, None].expand(-1, -1, len(numbers), 2)  # (c, z, rows, 2)
        conditional = module.log_likelihood(latents, rows).numpy()
        prior = norm.logpdf(plane.numpy()).sum(axis=-1, keepdims=True)
        log_likelihood = logsumexp(conditional + prior + 2 * np.log(step), axis=(0, 1))
        bound = model.score_samples(numbers)
        assert (bound < log_likelihood + 0.02).all()

        # The same integral for the bound itself, where q(z|x, c) depends on c.
        def weights_and_kl(posterior):
            mean, log_variance = (part.numpy()[..., 0] for part in posterior)
            scale = np.exp(0.5 * log_variance)
            weights = norm.pdf(
                np.expand_dims(line, -1), mean[..., None, :], scale[..., None, :]
            )
            return weights * step, 0.5 * (mean**2 + scale**2 - 1 - log_variance)

        of_c, kl_of_c = weights_and_kl(module.first.encode(rows))
        of_z, kl_of_z = weights_and_kl(
            module.residual_posterior(rows, latents[:, 0, :, :1])
        )
        expected = (of_z * conditional).sum(axis=1) - kl_of_z  # (c, rows)
        exact = (of_c * expected).sum(axis=0) - kl_of_c
        np.testing.assert_allclose(bound, exact, atol=0.05)

    def test_weight_on_the_kl_is_one_whatever_was_trained(self, model_class, numbers):
        model = small(model_class, max_epochs=20).fit(numbers)
        if not has_beta(model):
            pytest.skip("has no beta")
        before = model.score_samples(numbers)
        changed(model, beta=100.0)
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
        if hasattr(model, "first_stage"):
            parts.append("residual_kl")
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
        terms = {"loss", "reconstruction", *PENALTIES[model_class.__name__](model)}
        terms.add("kl")
        expected = {f"{part}_{term}" for part in ("train", "valid") for term in terms}
        if hasattr(model, "discriminator_lr"):
            expected.add("train_adversary")
        assert set(history.columns) == expected | {"warmup", "dur"}
        assert list(history.index) == [1, 2, 3]
        assert np.isfinite(history).all(axis=None)

    def test_loss_is_the_sum_of_its_weighted_terms(self, model_class, numbers):
        model = small(model_class, max_epochs=6, kl_warmup=3)
        if "kl_weights" in model.get_params():
            model.set_params(kl_weights=(2, 2))
        history = model.fit(numbers).history_
        np.testing.assert_allclose(history["warmup"], [0.25, 0.5, 0.75, 1, 1, 1])
        weights = PENALTIES[model_class.__name__](model)
        for part, warmup in (("train", history["warmup"]), ("valid", 1)):
            penalty = sum(w * history[f"{part}_{term}"] for term, w in weights.items())
            np.testing.assert_allclose(
                history[f"{part}_loss"],
                history[f"{part}_reconstruction"] + warmup * penalty,
                rtol=1e-5,
                atol=1e-5,
            )

    def test_counts(self, model_class, numbers):
        model = small(model_class, max_epochs=12, kl_warmup=4).fit(numbers)
        assert model.n_iter_ == len(model.history_) == 12
        names = [f"valid_{name}" for name in model.net_.criterion_.watched]
        watched = model.history_.query("warmup == 1")[names].sum(axis=1)
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
        params["likelihood"] = "gaussian"
        model = small(model_class, **params).fit(numbers)
        assert model.best_epoch_ < 30
        shorter = small(model_class, **params)
        shorter.set_params(max_epochs=model.best_epoch_).fit(numbers)
        np.testing.assert_array_equal(
            model.transform(numbers), shorter.transform(numbers)
        )
