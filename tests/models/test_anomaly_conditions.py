"""Detectors given a condition, known or not."""

import numpy as np
import pandas as pd
import pytest
from detector_cases import (
    LEVELS,
    SCORES,
    VALUES,
    detectors_of_columns,
    detectors_of_group,
    frozen,
    make_clients,
    model_of,
)
from model_cases import make_numbers, small
from scipy.special import logsumexp
from sklearn import config_context
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skvae import (
    CVAE,
    MSVAE,
    VAE,
    DCVAEAnomalyDetector,
    UnseenConditionWarning,
    VAEAnomalyDetector,
)
from skvae.models._rules import RULES

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")


@pytest.fixture(scope="module")
def clients():
    return make_clients()


@pytest.fixture(scope="module")
def numbers():
    return make_numbers()


@pytest.fixture(scope="module")
def of_columns(clients):
    return detectors_of_columns(clients)


@pytest.fixture(scope="module")
def of_group(clients):
    return detectors_of_group(clients)


class TestConditions:
    def test_columns_or_beside(self, clients):
        columns = ["group", "region"]
        inside = small(DCVAEAnomalyDetector, condition_columns=columns).fit(clients)
        values, condition = clients[VALUES], clients[columns]
        beside = small(DCVAEAnomalyDetector).fit(values, condition=condition)
        np.testing.assert_array_equal(
            inside.score_samples(clients),
            beside.score_samples(values, condition=condition),
        )
        assert inside.offset_ == beside.offset_

    def test_condition_makes_a_difference(self, of_group, clients):
        detector, rows = of_group["elbo"], clients[VALUES]
        own = detector.score_samples(rows, condition=clients["group"])
        others = {
            level: detector.score_samples(rows, condition=level) for level in LEVELS
        }
        for level, scores in others.items():
            is_own = clients["group"] == level
            np.testing.assert_allclose(scores[is_own], own[is_own], rtol=1e-12)
        assert others["low"][clients["group"] == "high"].mean() < (
            own[clients["group"] == "high"].mean() - 1
        )

    @SCORES
    def test_left_out(self, of_group, clients, score):
        detector, rows = of_group[score], clients[VALUES]
        shares = clients["group"].value_counts(normalize=True)
        under = [
            detector.score_samples(rows, condition=level) for level in shares.index
        ]
        joint = np.log(shares.to_numpy())[:, None] + under
        expected = logsumexp(joint, axis=0)
        if score == "combined":
            own = joint.argmax(axis=0), np.arange(len(rows))
            expected = np.array(under)[own] - 4 * (expected - joint[own])
        scores = detector.score_samples(rows)
        np.testing.assert_allclose(scores, expected, rtol=1e-9)
        unequal = np.ptp(under, axis=0) > 1e-6
        assert (scores < np.max(under, axis=0))[unequal].all()

    @SCORES
    @pytest.mark.parametrize("unknown", ["never seen", None, np.nan])
    def test_unknown_never_looks_more_normal(self, of_group, clients, score, unknown):
        detector, rows = of_group[score], clients[VALUES]
        known = [detector.score_samples(rows, condition=level) for level in LEVELS]
        condition = np.full(len(rows), unknown, dtype=object)
        if unknown == "never seen":
            with pytest.warns(UnseenConditionWarning, match="never seen"):
                scores = detector.score_samples(rows, condition=condition)
        else:
            scores = detector.score_samples(rows, condition=condition)
        assert (scores <= np.min(known, axis=0) + 1e-9).all()

    @SCORES
    @pytest.mark.parametrize("column", ["group", "region"])
    @pytest.mark.parametrize("unknown", ["never seen", None])
    def test_nor_does_a_hole_in_a_column(
        self, of_columns, clients, score, column, unknown
    ):
        detector = of_columns[score]
        known = [
            detector.score_samples(clients.assign(**{column: level}))
            for level in clients[column].unique()
        ]
        rows = clients.assign(**{column: unknown})
        if unknown is None:
            scores = detector.score_samples(rows)
        else:
            with pytest.warns(UnseenConditionWarning, match="never seen"):
                scores = detector.score_samples(rows)
        lowest = np.min(known, axis=0)
        assert (scores <= lowest + 1e-9 * np.abs(lowest)).all()

    @SCORES
    def test_all_columns_unknown(self, of_columns, clients, score):
        own = of_columns[score].score_samples(clients)
        rows = clients.assign(group=None, region=None)
        assert (of_columns[score].score_samples(rows) <= own + 1e-9).all()

    def test_nor_does_a_hole_where_a_first_stage_finds_the_condition(self, clients):
        first = model_of(CVAE, condition_columns=["group"])
        rows = clients[[*VALUES, "group"]]
        model = model_of(MSVAE, first_stage=first).fit(rows)
        for score in RULES:
            scores_of = frozen(model, score).fit(rows).score_samples
            known = [scores_of(rows.assign(group=level)) for level in LEVELS]
            unknown = scores_of(rows.assign(group=None))
            assert (unknown <= np.min(known, axis=0) + 1e-9).all(), score

    @pytest.mark.parametrize("method", ["score_samples", "decision_function"])
    def test_every_method_takes_it(self, of_group, clients, method):
        call = getattr(of_group["elbo"], method)
        rows = clients[VALUES]
        wrong = np.roll(clients["group"], 1)
        own = call(rows, condition=clients["group"])
        assert not np.array_equal(call(rows, condition=wrong), own)
        np.testing.assert_array_equal(call(rows, clients["group"].to_numpy()), own)

    def test_routed_through_a_pipeline(self, clients):
        rows, given = clients[VALUES], {"condition": clients["group"].to_numpy()}
        values = FunctionTransformer()
        with config_context(enable_metadata_routing=True):
            detector = (
                small(DCVAEAnomalyDetector, score="elbo")
                .set_fit_request(condition=True)
                .set_predict_request(condition=True)
                .set_decision_function_request(condition=True)
            )
            pipeline = make_pipeline(values, detector).fit(rows, **given)
            decisions = pipeline.decision_function(rows, **given)
            labels = pipeline.predict(rows, **given)
        alone = small(DCVAEAnomalyDetector, score="elbo").fit(rows, **given)
        np.testing.assert_array_equal(labels, alone.predict(rows, **given))
        np.testing.assert_array_equal(decisions, alone.decision_function(rows, **given))
        assert not np.array_equal(decisions, alone.decision_function(rows))

    def test_both_ways_at_once(self, of_columns, clients):
        with pytest.raises(ValueError, match="Got a condition beside X"):
            of_columns["elbo"].score_samples(clients, condition=clients["group"])

    def test_one_that_fit_did_not_see(self, numbers):
        detector = small(DCVAEAnomalyDetector).fit(numbers)
        with pytest.raises(ValueError, match="was fitted without"):
            detector.score_samples(numbers, condition=1)

    def test_of_another_length(self, clients):
        with pytest.raises(ValueError, match=r"150.*149|149.*150"):
            small(DCVAEAnomalyDetector).fit(
                clients[VALUES], condition=clients["group"][1:]
            )


class TestConditionsThatDoNotFit:
    def test_given_to_a_model_that_takes_none(self, numbers):
        detector = small(VAEAnomalyDetector).fit(numbers)
        for method in (detector.score_samples, detector.predict, detector.explain):
            with pytest.raises(ValueError, match="Got a condition, which VAE does not"):
                method(numbers, condition=np.zeros(len(numbers)))

    @pytest.mark.parametrize("score", RULES)
    def test_missing_for_a_frozen_model_that_has_one(self, numbers, score):
        condition = np.arange(len(numbers)) % 2
        model = small(CVAE).fit(numbers, condition=condition)
        with pytest.raises(ValueError, match="CVAE that was fitted with condition="):
            frozen(model, score).fit(numbers)
        detector = frozen(model, score).fit(numbers, condition=condition)
        assert np.isfinite(detector.score_samples(numbers)).all()

    def test_given_to_a_frozen_model_that_takes_none(self, numbers):
        model = small(VAE).fit(numbers)
        with pytest.raises(ValueError, match="Got a condition, which VAE does not"):
            frozen(model, "elbo").fit(numbers, condition=np.zeros(len(numbers)))


def test_rows_of_a_condition_that_are_all_alike(numbers):
    """They differ by rounding alone, which must not look like a spread."""
    table = pd.DataFrame(numbers, columns=list("abcde")).assign(group="varied")
    alike = pd.DataFrame(np.full((130, 5), 1.5), columns=list("abcde"))
    both = pd.concat([table, alike.assign(group="alike")], ignore_index=True)
    detector = small(DCVAEAnomalyDetector, condition_columns=["group"]).fit(both)
    scores = detector.score_samples(both)
    assert np.ptp(scores[-130:]) < 1e-12
    assert abs(detector.score_samples(both[-1:])[0] - scores[-1]) < 1e-12
