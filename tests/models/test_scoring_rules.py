"""Scoring rules of detectors against formulas worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from model_cases import make_numbers, small
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.covariance import LedoitWolf
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator

from skvae import CVAE, DCVAE, MSVAE, VAE, FactorVAE, VAEAnomalyDetector
from skvae.models._inference import quasi_normal_nodes
from skvae.models._rules import RULES, worst

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

averaged = RULES["elbo"].over_conditions
likeliest = RULES["combined"].over_conditions
SCORES = pytest.mark.parametrize("score", RULES)


def trained(model_class, X, condition=None, **params):
    settings = {"max_epochs": 30, "lr": 1e-2, "encoding": "standard"}
    model = small(model_class, **{**settings, **params})
    return model.fit(X) if condition is None else model.fit(X, condition=condition)


def detector_around(model, score, X, condition=None, **params):
    detector = VAEAnomalyDetector(FrozenEstimator(model), score=score, **params)
    return detector.fit(X, condition=condition)


@pytest.fixture(scope="module")
def numbers():
    return make_numbers(200, n_columns=6, n_factors=2, noise=0.3)


@pytest.fixture(scope="module")
def rows(numbers):
    """New rows: ordinary ones, and some that are not."""
    ordinary = make_numbers(30, n_columns=6, n_factors=2, noise=0.3, seed=1)
    return np.vstack([ordinary, 5 * ordinary[:5], numbers[:5]])


@pytest.fixture(scope="module")
def groups():
    return np.random.default_rng(2).choice(["one", "two", "three"], 200)


@pytest.fixture(scope="module", params=[VAE, FactorVAE, MSVAE])
def model(request, numbers):
    return trained(request.param, numbers)


@pytest.fixture(scope="module", params=[CVAE, DCVAE])
def conditional(request, numbers, groups):
    return trained(request.param, numbers, groups)


@pytest.fixture(scope="module")
def linear(numbers):
    """A VAE of two linear maps, whose log-likelihood has a closed form."""
    settings = {"hidden_layer_sizes": (), "likelihood": "gaussian"}
    return trained(VAE, numbers, max_epochs=200, **settings)


class TestReconstruction:
    def test_is_the_length_of_the_error(self, model, numbers, rows):
        detector = detector_around(model, "reconstruction", numbers)
        error = (rows - model.reconstruct(rows)) / numbers.std(axis=0)
        expected = -np.sqrt((error**2).sum(axis=1))
        np.testing.assert_allclose(detector.score_samples(rows), expected, rtol=1e-9)

    def test_orders_rows_as_the_squared_error(self, model, numbers, rows):
        detector = detector_around(model, "reconstruction", numbers)
        error = (rows - model.reconstruct(rows)) / numbers.std(axis=0)
        np.testing.assert_array_equal(
            np.argsort(-detector.score_samples(rows)),
            np.argsort((error**2).sum(axis=1)),
        )

    def test_under_a_condition(self, conditional, numbers, groups):
        detector = detector_around(conditional, "reconstruction", numbers, groups)
        for level in np.unique(groups):
            made = conditional.reconstruct(
                numbers, condition=level, own_condition=level
            )
            error = (numbers - made) / numbers.std(axis=0)
            np.testing.assert_allclose(
                detector.score_samples(numbers, condition=level),
                -np.sqrt((error**2).sum(axis=1)),
                rtol=1e-9,
            )

    def test_of_rows_that_are_met_exactly(self, linear, numbers, monkeypatch):
        detector = detector_around(linear, "reconstruction", numbers)
        monkeypatch.setattr(detector._rule, "reconstruct", lambda matrix: matrix)
        np.testing.assert_array_equal(detector.score_samples(numbers), 0)


class TestElbo:
    def test_is_the_bound_of_the_model(self, model, numbers, rows):
        detector = detector_around(model, "elbo", numbers)
        np.testing.assert_allclose(
            detector.score_samples(rows), model.score_samples(rows), rtol=1e-10
        )

    def test_under_a_condition_and_without(self, conditional, numbers, groups):
        detector = detector_around(conditional, "elbo", numbers, groups)
        for condition in (groups, "two", None):
            np.testing.assert_allclose(
                detector.score_samples(numbers, condition=condition),
                conditional.score_samples(numbers, condition=condition),
                rtol=1e-10,
            )

    def test_closed_form(self, linear, numbers, rows):
        weights, bias, scales = decoder_of(linear)
        mean, log_variance = linear._encode(rows)
        variance = np.exp(log_variance)
        error = (standardised(rows, numbers) - mean @ weights.T - bias) / scales
        spread = variance @ (weights.T**2 / scales**2)
        log_likelihoods = (
            -0.5 * (error**2 + spread) - np.log(scales) - 0.5 * np.log(2 * np.pi)
        )
        kl = 0.5 * (mean**2 + variance - log_variance - 1).sum(axis=1)
        expected = log_likelihoods.sum(axis=1) - kl
        scores = detector_around(linear, "elbo", numbers).score_samples(rows)
        # But for the points that the expectation is taken over.
        np.testing.assert_allclose(scores, expected, rtol=0.01, atol=0.1)


class TestImportance:
    def test_is_the_bound_of_the_model_at_the_same_nodes(self, model, numbers, rows):
        detector = detector_around(model, "importance", numbers)
        nodes = quasi_normal_nodes(128, model.transform(rows).shape[1], model._seed)
        (expected,) = model._infer("importance_bound", rows, nodes=nodes)
        np.testing.assert_allclose(detector.score_samples(rows), expected, rtol=1e-10)

    def test_under_a_condition_and_without(self, conditional, numbers, groups):
        detector = detector_around(conditional, "importance", numbers, groups)
        nodes = quasi_normal_nodes(128, 2, conditional._seed)
        for condition in (groups, "two", None):
            (expected,) = conditional._infer(
                "importance_bound", numbers, condition, nodes=nodes
            )
            np.testing.assert_allclose(
                detector.score_samples(numbers, condition=condition),
                expected,
                rtol=1e-10,
            )

    def test_closed_form(self, linear, numbers):
        weights, bias, scales = decoder_of(linear)
        covariance = weights @ weights.T + np.diag(scales**2)
        log_density = multivariate_normal(bias, covariance).logpdf(
            standardised(numbers, numbers)
        )
        importance, elbo = (
            detector_around(linear, score, numbers).score_samples(numbers)
            for score in ("importance", "elbo")
        )
        np.testing.assert_allclose(importance, log_density, atol=0.05)
        assert (elbo < log_density + 0.05).all()
        gap = np.abs(importance - log_density).mean()
        assert gap < 0.2 * np.abs(elbo - log_density).mean()


def decoder_of(linear):
    """Return weights, bias and scales of the decoder of a linear VAE."""
    (layer,) = [m for m in linear.module_.decoder.modules() if hasattr(m, "weight")]
    scales = linear.module_.heads[0].scales
    return layer.weight.numpy(), layer.bias.numpy(), scales.numpy()


def standardised(rows, numbers):
    return (rows - numbers.mean(axis=0)) / numbers.std(axis=0)


class TestLatent:
    def test_is_the_mahalanobis_distance(self, model, numbers, rows):
        detector = detector_around(model, "latent", numbers)
        usual = LedoitWolf().fit(model.transform(numbers))
        from_centre = model.transform(rows) - model.transform(numbers).mean(axis=0)
        squares = np.einsum(
            "ij,jk,ik->i", from_centre, np.linalg.inv(usual.covariance_), from_centre
        )
        np.testing.assert_allclose(
            detector.score_samples(rows), -np.sqrt(squares), rtol=1e-8
        )

    def test_training_rows_come_with_their_condition(
        self, conditional, numbers, groups
    ):
        detector = detector_around(conditional, "latent", numbers, groups)
        usual = LedoitWolf().fit(conditional.transform(numbers, condition=groups))
        latents = conditional.transform(numbers, condition="one")
        np.testing.assert_allclose(
            detector.score_samples(numbers, condition="one"),
            -np.sqrt(usual.mahalanobis(latents)),
            rtol=1e-8,
        )


class TestCombined:
    def test_farther_is_more_anomalous(self, model, numbers):
        detector = detector_around(model, "combined", numbers)
        direction = np.random.default_rng(3).normal(size=(1, 6))
        line = np.array([[10.0], [30.0], [100.0], [1e3], [1e6], [1e9]]) * direction
        assert (np.diff(detector.score_samples(line)) < 0).all()

    def test_sees_rows_that_break_the_pattern(self, model, numbers):
        detector = detector_around(model, "combined", numbers)
        broken = np.random.default_rng(1).permuted(numbers, axis=0)  # margins kept
        usual = make_numbers(230, n_columns=6, n_factors=2, noise=0.3)[200:]
        assert np.median(detector.score_samples(broken)) < (
            np.median(detector.score_samples(usual)) - 1
        )

    def test_trimmed_rows_are_not_usual(self, numbers):
        outliers = numbers[:20] @ np.diag([1, -1, 1, -1, 1, -1]) * 4
        both = np.vstack([numbers, outliers])
        model = trained(VAE, both, trimmed_fraction=0.15)
        wary = detector_around(model, "combined", both)
        model.set_params(trimmed_fraction=0)
        trusting = detector_around(model, "combined", both)
        ranks = [
            pd.Series(detector.score_samples(both)).rank().tail(20).mean()
            for detector in (trusting, wary)
        ]
        assert ranks[1] <= ranks[0]
        contrast = [
            np.median(detector.score_samples(numbers))
            - np.median(detector.score_samples(outliers))
            for detector in (trusting, wary)
        ]
        assert contrast[1] > contrast[0]


@SCORES
def test_images(score):
    X = load_digits().data[:200]
    model = small(VAE, image_shape=(1, 8, 8), hidden_layer_sizes=(16,))
    detector = VAEAnomalyDetector(model, score=score).fit(X)
    scores = detector.score_samples(X)
    assert np.isfinite(scores).all()
    assert len(np.unique(scores)) == len(X)
    negative = 16 - X[:10]
    assert detector.score_samples(negative).mean() < scores[:10].mean()
    assert np.isfinite(detector.score_samples(1e12 * X[:3])).all()


@pytest.fixture
def parts():
    """Of 20 rows under each of 4 conditions."""
    return np.random.default_rng(0).normal(scale=3, size=(20, 4, 5))


@pytest.fixture
def shares():
    """Of the conditions, for each row."""
    return np.random.default_rng(1).dirichlet(np.ones(4), size=20)


class TestAveraged:
    """Conditions that were left out, under every rule but the default."""

    def test_of_which_rules(self):
        others = {name: rule.over_conditions for name, rule in RULES.items()}
        assert others.pop("combined") is likeliest
        assert set(others.values()) == {averaged}

    def test_brute_force(self, parts, shares):
        result = averaged(parts, np.log(shares))
        assert result.shape == (20, 5)
        for row, own, share in zip(result, parts, shares, strict=True):
            joint = share * np.exp(-own.sum(axis=1))
            weights = joint / joint.sum()
            mean = weights @ own
            np.testing.assert_allclose(row[:-1], mean[:-1])
            kl = np.sum(weights * np.log(weights / share))
            np.testing.assert_allclose(row[-1], mean[-1] + kl)
            np.testing.assert_allclose(row.sum(), -np.log(joint.sum()))

    def test_impossible_conditions_do_not_count(self, parts, shares):
        shares[:, 2] = 0
        shares /= shares.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):
            log_shares = np.log(shares)
        result = averaged(parts, log_shares)
        possible = [0, 1, 3]
        expected = averaged(parts[:, possible], np.log(shares[:, possible]))
        np.testing.assert_allclose(result, expected)

    def test_one_condition_is_itself(self, parts):
        result = averaged(parts[:, :1], np.zeros((20, 1)))
        np.testing.assert_allclose(result, parts[:, 0])

    def test_equal_parts_are_themselves(self, parts, shares):
        same = np.repeat(parts[:, :1], 4, axis=1)
        np.testing.assert_allclose(averaged(same, np.log(shares)), parts[:, 0])

    def test_lies_between_the_extremes(self, parts, shares):
        totals = averaged(parts, np.log(shares)).sum(axis=1)
        anomalies = parts.sum(axis=2)
        assert (totals <= anomalies.max(axis=1)).all()
        assert (totals >= anomalies.min(axis=1)).all()

    def test_huge_parts_stay_finite(self, parts, shares):
        result = averaged(1e24 * parts, np.log(shares))
        expected = -logsumexp(np.log(shares) - 1e24 * parts.sum(axis=2), axis=1)
        assert np.isfinite(result).all()
        np.testing.assert_allclose(result.sum(axis=1), expected, rtol=1e-9)


class TestLikeliest:
    """Conditions that were left out, under the default rule."""

    def test_brute_force(self, parts, shares):
        result = likeliest(parts.copy(), np.log(shares))
        for row, own, share in zip(result, parts, shares, strict=True):
            joint = share * np.exp(-own.sum(axis=1))
            chosen = joint.argmax()
            np.testing.assert_array_equal(row[:-1], own[chosen, :-1])
            surprise = -np.log(joint[chosen] / joint.sum())
            np.testing.assert_allclose(row[-1], own[chosen, -1] + 4 * surprise)

    def test_one_condition_is_itself(self, parts):
        result = likeliest(parts[:, :1], np.zeros((20, 1)))
        np.testing.assert_allclose(result, parts[:, 0])

    def test_impossible_conditions_do_not_count(self, parts, shares):
        shares[:, 2] = 0
        shares /= shares.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):
            log_shares = np.log(shares)
        possible = [0, 1, 3]
        np.testing.assert_allclose(
            likeliest(parts, log_shares),
            likeliest(parts[:, possible], np.log(shares[:, possible])),
        )

    def test_leaves_its_input_alone(self, parts, shares):
        before = parts.copy()
        likeliest(parts, np.log(shares))
        np.testing.assert_array_equal(parts, before)


class TestWorst:
    def test_brute_force(self):
        rng = np.random.default_rng(0)
        parts = rng.normal(size=(50, 4, 3))
        log_shares = np.log(rng.dirichlet(np.ones(4), size=50))
        log_shares[:, 1][rng.uniform(size=50) < 0.5] = -np.inf
        result = worst(parts, log_shares)
        for row, own, logs in zip(result, parts, log_shares, strict=True):
            possible = own[np.isfinite(logs)]
            largest = max(possible, key=lambda each: each.sum())
            np.testing.assert_array_equal(row, largest)

    def test_shares_do_not_matter(self):
        parts = np.random.default_rng(0).normal(size=(50, 3, 4))
        rare = np.log(np.broadcast_to([0.98, 0.01, 0.01], (50, 3)))
        even = np.log(np.full((50, 3), 1 / 3))
        np.testing.assert_array_equal(worst(parts, rare), worst(parts, even))
        totals = worst(parts, even).sum(axis=1)
        assert (totals >= averaged(parts, even).sum(axis=1)).all()
