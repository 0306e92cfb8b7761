"""Detectors of mixed tables: holes, unseen levels, and reasons that name them."""

import numpy as np
import pandas as pd
import pytest
from detector_cases import frozen
from mixed_cases import CONDITIONS, make_mixed
from model_cases import small

from skvae import CVAE, VAE, DCVAEAnomalyDetector
from skvae.models._rules import RULES, AdditiveRule

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

TRAINING = {"max_epochs": 40, "lr": 1e-2, "batch_size": 32}
SCORES = pytest.mark.parametrize("score", RULES)
HOLED = ["amount", "region", "grade", "since", "visits", "rate", "vip"]
# All but the distance of latents, which lie the closer to the centre the less is known.
OF_CELLS = pytest.mark.parametrize("score", [s for s in RULES if s != "latent"])
unseen = pytest.mark.filterwarnings("ignore:Levels that training never saw")


@pytest.fixture(scope="module")
def mixed():
    return make_mixed(400)


@pytest.fixture(scope="module")
def detectors(mixed):
    model = small(VAE, **TRAINING).fit(mixed)
    return {score: frozen(model, score).fit(mixed) for score in RULES}


@pytest.fixture(scope="module")
def complete():
    """New rows without a hole."""
    return make_mixed(300, seed=9, missing=0)


def without(rows, names):
    """Return rows whose cells in some columns are missing."""
    return rows.assign(**dict.fromkeys(names)).astype(rows.dtypes.to_dict())


def standardised_change(detector, rows, changed):
    """Return how much more normal changed rows look, in spreads of the scores."""
    scores = detector.score_samples(rows)
    return (detector.score_samples(changed) - scores).mean() / scores.std()


class TestScores:
    @SCORES
    def test_are_finite(self, detectors, mixed, score):
        assert np.isfinite(detectors[score].score_samples(mixed)).all()
        nothing = without(mixed[:3], HOLED)
        assert np.isfinite(detectors[score].score_samples(nothing)).all()

    @OF_CELLS
    @pytest.mark.parametrize("name", HOLED)
    def test_a_hole_is_no_way_to_look_normal(self, detectors, complete, score, name):
        holes = without(complete, [name])
        assert standardised_change(detectors[score], complete, holes) < 0.1

    @OF_CELLS
    def test_many_holes_are_not_either(self, detectors, complete, score):
        holes = without(complete, HOLED)
        assert standardised_change(detectors[score], complete, holes) < 0.1

    @SCORES
    def test_a_hole_that_training_lacked_is_none_either(self, complete, score):
        detector = frozen(small(VAE, **TRAINING).fit(complete), score).fit(complete)
        holes = without(complete, ["grade"])
        assert standardised_change(detector, complete, holes) < 0.4

    @OF_CELLS
    @unseen
    def test_an_unseen_level_looks_less_normal(self, detectors, complete, score):
        rows = complete.assign(region="atlantis")
        assert standardised_change(detectors[score], complete, rows) < -0.1

    @OF_CELLS
    def test_a_level_that_contradicts_the_others_looks_less_normal(
        self, detectors, complete, score
    ):
        high = complete[complete["grade"] == "high"]
        wrong = high.assign(grade="low").astype(high.dtypes.to_dict())
        assert standardised_change(detectors[score], high, wrong) < -0.1


class TestConditions:
    @pytest.fixture(params=["combined", "elbo"])
    def detector(self, request, mixed):
        known = mixed.dropna(subset=CONDITIONS)
        model = small(CVAE, condition_columns=CONDITIONS, **TRAINING).fit(known)
        return frozen(model, request.param).fit(known)

    def test_a_hole_in_a_condition_does_not_make_rows_normal(self, detector, complete):
        holes = without(complete[:60], ["region"])
        change = detector.score_samples(holes) - detector.score_samples(complete[:60])
        assert change.max() < 1e-9


class TestReasons:
    @SCORES
    @unseen
    def test_contributions_add_up(self, detectors, mixed, score):
        rows = pd.concat([mixed[:40], mixed[40:60].assign(region="atlantis")])
        explained = detectors[score].explain(rows)
        assert list(explained) == [*mixed.columns, "latent"]
        assert (explained["plan"] == 0).all()
        expected = -detectors[score].score_samples(rows)
        np.testing.assert_allclose(explained.sum(axis=1), expected)

    @pytest.mark.parametrize(
        "score",
        [name for name, rule in RULES.items() if issubclass(rule, AdditiveRule)],
    )
    @unseen
    def test_an_unseen_level_is_what_changed(self, detectors, complete, score):
        detector, rows = detectors[score], complete[:60]
        change = detector.explain(rows.assign(region="atlantis"))
        change -= detector.explain(rows)
        assert change.mean().idxmax() == "region"

    def test_deviations_have_a_sign_only_where_cells_have_an_order(
        self, detectors, mixed
    ):
        deviation = detectors["elbo"].explain(mixed[:60], conditional=True).deviation
        assert np.isfinite(deviation).all(axis=None)
        assert (deviation[["region", "grade", "vip"]].dropna() >= 0).all(axis=None)
        assert (deviation["age"] < 0).any()

    def test_what_is_implied_is_of_the_kind_of_the_cells(self, detectors, mixed):
        implied = detectors["elbo"].explain(mixed[:60], conditional=True).implied
        pd.testing.assert_series_equal(implied.dtypes, mixed.dtypes)
        assert implied.notna().all(axis=None)


class TestSentences:
    """In a table in which all columns tell the same, but for a hole now and then."""

    @pytest.fixture(scope="class")
    @classmethod
    def table(cls):
        rng = np.random.default_rng(0)
        value = rng.normal(size=400)
        side = np.where(value > 0, "right", "left").astype(object)
        side[:6] = None
        numbers = value[:, None] + 0.2 * rng.normal(size=(400, 3))
        table = pd.DataFrame(numbers, columns=["a", "b", "c"]).assign(side=side)
        return table[np.abs(value) > 0.4]

    @pytest.fixture(scope="class")
    @classmethod
    def detector(cls, table):
        model = small(VAE, max_epochs=80, lr=1e-2, hidden_layer_sizes=(16,)).fit(table)
        return frozen(model, "elbo").fit(table)

    def reason(self, detector, **cells):
        row = pd.DataFrame({name: [cell] for name, cell in cells.items()})
        return detector.explain(row, conditional=True).reason.iloc[0]

    def test_of_a_category(self, detector):
        reason = self.reason(detector, a=1.2, b=1.2, c=1.2, side="left")
        assert reason == "side is left, where its other columns imply right"

    @unseen
    def test_of_an_unseen_level(self, detector):
        reason = self.reason(detector, a=1.2, b=1.2, c=1.2, side="middle")
        assert reason == "side is middle, where its other columns imply right"

    def test_of_a_missing_cell(self, detector):
        reason = self.reason(detector, a=1.2, b=1.2, c=1.2, side=None)
        assert reason == "side is missing, where its other columns imply right"

    def test_of_a_number(self, detector):
        reason = self.reason(detector, a=1.2, b=-2.0, c=1.2, side="right")
        assert reason.startswith("b is ")
        assert " sd below what its other columns imply (-2 against " in reason


def test_a_detector_of_its_own_model(mixed, complete):
    detector = small(DCVAEAnomalyDetector).fit(mixed)
    labels = detector.predict(complete)
    assert set(labels) <= {-1, 1}
    assert detector.explain(complete[:10]).shape == (10, mixed.shape[1] + 1)
