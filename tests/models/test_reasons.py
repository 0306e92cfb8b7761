"""Reasons for verdicts: scores split over cells, and cells against the others."""

import re

import numpy as np
import pandas as pd
import pytest
from model_cases import make_table, small
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.utils._param_validation import InvalidParameterError

from skvae import (
    DCVAE,
    MSVAE,
    VAE,
    ConditionalExplanation,
    DCVAEAnomalyDetector,
    UnseenConditionWarning,
    VAEAnomalyDetector,
)
from skvae.models._rules import RULES

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

SCORES = pytest.mark.parametrize("score", RULES)
NAMES = ["income", "rent", "food", "travel", "savings", "debt"]


def make_households(n_rows=300, seed=0):
    """Return a nearly linear table of two factors, its rows labelled."""
    rng = np.random.default_rng(seed)
    weights = np.array([[1, 1, 1, 0.3, 0.3, -0.3], [0.3, -0.3, 0.3, 1, 1, 1]])
    rows = rng.normal(size=(n_rows, 2)) @ weights
    rows += 0.3 * rng.normal(size=rows.shape)
    labels = [f"household{i}" for i in range(n_rows)]
    return pd.DataFrame(rows, columns=NAMES, index=labels)


@pytest.fixture(scope="module")
def households():
    return make_households()


def frozen(model, score):
    return VAEAnomalyDetector(FrozenEstimator(model), score=score)


@pytest.fixture(scope="module")
def detectors(households):
    """Of every rule, around one model that was trained for long enough."""
    settings = {"hidden_layer_sizes": (32,), "lr": 5e-3, "likelihood": "gaussian"}
    settings["encoding"] = "standard"
    model = small(VAE, **settings, max_epochs=60).fit(households)
    return {score: frozen(model, score).fit(households) for score in RULES}


@pytest.fixture(scope="module")
def groups():
    return np.random.default_rng(1).choice(["a", "b", "c"], 300, p=[0.5, 0.3, 0.2])


@pytest.fixture(scope="module")
def of_columns(households, groups):
    table = households.assign(group=groups)[["income", "group", *NAMES[1:]]]
    table["rent"] += table["group"].map({"a": -3, "b": 0, "c": 3})
    settings = {"max_epochs": 40, "lr": 1e-2, "encoding": "standard"}
    model = small(DCVAE, condition_columns=["group"], **settings).fit(table)
    return table, {score: frozen(model, score).fit(table) for score in RULES}


@pytest.fixture(scope="module")
def beside(of_columns):
    table, groups = of_columns[0][NAMES], of_columns[0]["group"]
    model = small(DCVAE, max_epochs=20, lr=1e-2, encoding="standard")
    model.fit(table, condition=groups)
    return {score: frozen(model, score).fit(table, condition=groups) for score in RULES}


def assert_adds_up(detector, rows, **condition):
    explanation = detector.explain(rows, **condition)
    np.testing.assert_allclose(
        explanation.sum(axis=1),
        -detector.score_samples(rows, **condition),
        rtol=1e-9,
        atol=1e-9,
    )


class TestContributions:
    @SCORES
    def test_add_up_to_the_score(self, detectors, households, score):
        rows = pd.concat([households, 10 * households[:5]])
        assert_adds_up(detectors[score], rows)

    @SCORES
    def test_of_values_far_off(self, detectors, households, score):
        rows = households[:5].assign(food=1e12)
        explanation = detectors[score].explain(rows)
        assert np.isfinite(explanation.to_numpy()).all()
        assert_adds_up(detectors[score], rows)

    @SCORES
    def test_under_conditions(self, of_columns, score):
        table, detectors = of_columns
        assert_adds_up(detectors[score], table)
        holes = table.assign(group=table["group"].where(table["group"] != "b"))
        assert_adds_up(detectors[score], holes)
        with pytest.warns(UnseenConditionWarning):
            assert_adds_up(detectors[score], table.assign(group="never seen"))

    @SCORES
    def test_under_conditions_beside(self, beside, of_columns, score):
        rows, groups = of_columns[0][NAMES], of_columns[0]["group"]
        for condition in (groups, "b", None, groups.where(groups != "b")):
            assert_adds_up(beside[score], rows, condition=condition)

    @SCORES
    def test_of_two_stages(self, households, score):
        detector = VAEAnomalyDetector(small(MSVAE), score=score).fit(households)
        assert_adds_up(detector, households)

    @SCORES
    def test_columns_and_index(self, of_columns, score):
        table, detectors = of_columns
        explanation = detectors[score].explain(table[5:8])
        assert isinstance(explanation, pd.DataFrame)
        assert list(explanation) == [*table, "latent"]
        assert list(explanation.index) == list(table.index[5:8])
        assert (explanation.dtypes == np.float64).all()

    @SCORES
    def test_columns_that_take_no_part(self, score):
        table = make_table()  # in which the branch is constant
        table["group"] = np.arange(len(table)) % 2
        detector = small(DCVAEAnomalyDetector, condition_columns=["group"], score=score)
        explanation = detector.fit(table).explain(table.assign(branch=9))
        assert (explanation[["branch", "group"]] == 0).to_numpy().all()
        assert_adds_up(detector, table)

    def test_of_arrays(self, detectors, households):
        array = households.to_numpy()
        detector = frozen(small(VAE).fit(array), "elbo").fit(array)
        explanation = detector.explain(array[:4])
        assert explanation.shape == (4, 7)
        assert list(explanation.index) == [0, 1, 2, 3]
        assert explanation.columns[-1] == "latent"
        assert_adds_up(detector, array)

    @pytest.mark.parametrize("score", ["elbo", "reconstruction"])
    @pytest.mark.parametrize("column", NAMES)
    @pytest.mark.parametrize("side", [-1, 1])
    def test_the_planted_cell_contributes_most(
        self, detectors, households, score, column, side
    ):
        usual = households[:20]
        planted = usual.assign(**{column: usual[column] + 8 * side})
        explanation = detectors[score].explain(planted)[NAMES]
        assert (explanation.idxmax(axis=1) == column).mean() > 0.9
        assert explanation.mean().idxmax() == column

    def test_the_planted_cell_contributes_most_to_the_default_as_a_rule(
        self, detectors, households
    ):
        # Its reconstruction follows such a cell, so that others take some of the blame.
        found = []
        for column in NAMES:
            for shift in (-4, 4):
                planted = households[:20].assign(**{column: households[column] + shift})
                explanation = detectors["combined"].explain(planted)[NAMES]
                found.append(explanation.idxmax(axis=1) == column)
        assert np.mean(found) > 0.85

    def test_parts_of_rules(self, detectors, households):
        """Which of them only the columns have, and which only the latents."""
        of = {score: d.explain(households) for score, d in detectors.items()}
        assert (of["reconstruction"]["latent"] == 0).all()
        assert (of["reconstruction"] >= 0).to_numpy().all()
        assert (of["elbo"]["latent"] > 0).all()

    def test_reconstruction_shares_are_of_the_squared_error(
        self, detectors, households
    ):
        detector = detectors["reconstruction"]
        made = detector.model_.reconstruct(households)
        squares = ((households - made) / households.std(ddof=0)) ** 2
        explanation = detector.explain(households)[NAMES]
        length = np.sqrt(squares.sum(axis=1))
        np.testing.assert_allclose(explanation.mul(length, axis=0), squares, rtol=1e-8)

    def test_elbo_parts_are_the_terms_of_the_bound(self, detectors, households):
        detector = detectors["elbo"]
        explanation = detector.explain(households)
        log_likelihood, kl = detector.model_._bound(households)
        np.testing.assert_allclose(explanation["latent"], kl)
        np.testing.assert_allclose(-explanation[NAMES].sum(axis=1), log_likelihood)

    def test_a_row_does_not_depend_on_its_company(self, detectors, households):
        together = detectors["combined"].explain(households[:10])
        alone = pd.concat(
            [detectors["combined"].explain(households[i : i + 1]) for i in range(10)]
        )
        pd.testing.assert_frame_equal(alone, together, rtol=1e-10, atol=1e-10)

    @pytest.mark.parametrize("conditional", ["yes", 1.5, None])
    def test_conditional_is_yes_or_no(self, detectors, households, conditional):
        with pytest.raises(InvalidParameterError, match="conditional"):
            detectors["elbo"].explain(households, conditional=conditional)


def explained(detector, rows, **condition):
    return detector.explain(rows, conditional=True, **condition)


class TestConditional:
    def test_what_comes_back(self, detectors, households):
        explanation = explained(detectors["combined"], households[3:9])
        assert isinstance(explanation, ConditionalExplanation)
        for part in explanation:
            assert list(part.index) == list(households.index[3:9])
        assert list(explanation.deviation) == list(explanation.implied) == NAMES
        assert all(isinstance(reason, str) for reason in explanation.reason)

    def test_implied_is_what_a_regression_on_the_others_gives(
        self, detectors, households
    ):
        implied = explained(detectors["combined"], households).implied.astype(float)
        for column in NAMES:
            others, own = households.drop(columns=column), households[column]
            expected = LinearRegression().fit(others, own).predict(others)
            unexplained = np.mean((own - expected) ** 2)
            assert np.corrcoef(implied[column], expected)[0, 1] > 0.97
            # Hardly worse than the best that a linear map can do.
            assert np.mean((own - implied[column]) ** 2) < 1.35 * unexplained

    @pytest.mark.parametrize("column", NAMES)
    def test_does_not_depend_on_the_cell_itself(self, detectors, households, column):
        implied = [
            explained(
                detectors["elbo"], households[:10].assign(**{column: value})
            ).implied[column]
            for value in (-50.0, 0.0, 1e6)
        ]
        for other in implied[1:]:
            np.testing.assert_allclose(
                other.astype(float), implied[0].astype(float), rtol=1e-9, atol=1e-9
            )

    def test_depends_on_the_other_cells(self, detectors, households):
        rows = households[:10]
        before = explained(detectors["elbo"], rows).implied["income"].astype(float)
        richer = rows.assign(**{name: rows[name] + 1 for name in NAMES[1:3]})
        after = explained(detectors["elbo"], richer).implied["income"].astype(float)
        assert (after > before + 0.3).all()

    def test_usual_deviations_have_a_spread_of_one(self, detectors, households):
        deviation = explained(detectors["combined"], households).deviation
        np.testing.assert_allclose((deviation**2).mean() ** 0.5, 1, rtol=0.05)
        fresh = explained(detectors["combined"], make_households(seed=1)).deviation
        np.testing.assert_allclose((fresh**2).mean() ** 0.5, 1, rtol=0.3)

    @pytest.mark.parametrize("column", NAMES)
    @pytest.mark.parametrize(("shift", "side"), [(6, "above"), (-6, "below")])
    def test_names_the_planted_cell(self, detectors, households, column, shift, side):
        rows = households[:20]
        explanation = explained(
            detectors["combined"], rows.assign(**{column: rows[column] + shift})
        )
        begins = [
            re.match(rf"{column} is [\d.]+ sd {side} what its other columns", reason)
            for reason in explanation.reason
        ]
        assert np.mean([begin is not None for begin in begins]) > 0.9
        assert (np.sign(explanation.deviation[column]) == np.sign(shift)).all()

    def test_sentence(self, detectors, households):
        row = households[:1].assign(food=12345.678)
        explanation = explained(detectors["combined"], row)
        size = explanation.deviation["food"].iloc[0]
        implied = explanation.implied["food"].iloc[0]
        assert explanation.reason.iloc[0] == (
            f"food is {size:,.0f} sd above what its other columns imply "
            f"(12,346 against {implied:.3g})"
        )

    def test_where_no_cell_stands_out(self, detectors, households):
        explanation = explained(detectors["combined"], households)
        largest = explanation.deviation.abs()
        stands_out = largest.max(axis=1) >= 3
        assert 0 < stands_out.mean() < 0.2
        is_said = explanation.reason.str.startswith("no cell stands out: ")
        np.testing.assert_array_equal(is_said, ~stands_out)
        named = explanation.reason.str.extract(r"(\w+) is [\d.]+ sd")[0]
        assert list(named) == list(largest.idxmax(axis=1))

    def test_rules_agree_on_what_is_implied(self, detectors, households):
        first, *others = (
            explained(detector, households[:5]).deviation
            for detector in detectors.values()
        )
        for other in others:
            pd.testing.assert_frame_equal(first, other)

    def test_a_row_does_not_depend_on_its_company(self, detectors, households):
        together = explained(detectors["combined"], households[:8])
        for position, label in enumerate(households.index[:8]):
            alone = explained(
                detectors["combined"], households[position : position + 1]
            )
            np.testing.assert_allclose(
                alone.deviation.loc[label], together.deviation.loc[label], rtol=1e-9
            )

    def test_of_values_far_off(self, detectors, households):
        rows = households[:3].assign(rent=[1e12, -1e12, 0])
        explanation = explained(detectors["combined"], rows)
        assert np.isfinite(explanation.deviation.to_numpy()).all()
        assert explanation.deviation["rent"].iloc[0] > 1e9
        assert explanation.deviation["rent"].iloc[1] < -1e9

    def test_of_values_far_off_under_two_stages(self, households):
        settings = {"max_epochs": 20, "lr": 1e-2, "encoding": "standard"}
        detector = VAEAnomalyDetector(small(MSVAE, **settings)).fit(households)
        explanation = explained(detector, households[:2].assign(rent=[1e6, 1e12]))
        assert np.isfinite(explanation.deviation.to_numpy()).all()
        assert explanation.reason.str.startswith("rent is ").all()

    def test_of_arrays(self, households):
        array = households.to_numpy()
        detector = frozen(small(VAE).fit(array), "elbo").fit(array)
        explanation = explained(detector, array[:3])
        assert explanation.deviation.shape == (3, 6)
        assert list(explanation.reason.index) == [0, 1, 2]
        planted = array[:1].copy()
        planted[0, 2] += 100
        assert re.match(r"x?2 is ", explained(detector, planted).reason[0])

    def test_of_every_numeric_kind(self):
        table = make_table()
        detector = small(DCVAEAnomalyDetector).fit(table)
        explanation = explained(detector, table[:9])
        assert list(explanation.deviation) == list(table)
        assert (explanation.deviation["branch"] == 0).all()
        assert (explanation.implied["branch"] == 7).all()
        far = table[:1].assign(age=4000)
        reason = explained(detector, far).reason.iloc[0]
        assert reason.startswith("age is ")
        assert "(4,000 against " in reason

    def test_of_images(self):
        X = load_digits().images[:200, ::2, ::2].reshape(200, 16)
        model = small(VAE, image_shape=(1, 4, 4), max_epochs=10)
        detector = VAEAnomalyDetector(model).fit(X)
        explanation = explained(detector, X[:5])
        assert explanation.deviation.shape == (5, 16)
        assert np.isfinite(explanation.deviation.to_numpy()).all()
        assert_adds_up(detector, X)


class TestConditionalOfConditions:
    def test_columns(self, of_columns):
        table, detectors = of_columns
        explanation = explained(detectors["combined"], table)
        assert list(explanation.deviation) == list(table)
        assert (explanation.deviation["group"] == 0).all()
        assert list(explanation.implied["group"]) == list(table["group"])

    def test_what_is_implied_depends_on_the_condition(self, of_columns):
        table, detectors = of_columns
        implied = {
            group: explained(detectors["elbo"], table.assign(group=group)).implied
            for group in ("a", "c")
        }
        difference = implied["c"]["rent"] - implied["a"]["rent"]
        assert difference.astype(float).mean() == pytest.approx(6, abs=1.5)

    def test_a_cell_that_belongs_to_another_group(self, of_columns):
        table, detectors = of_columns
        rows = table[table["group"] == "a"][:20]
        moved = rows.assign(rent=rows["rent"] + 6)
        reasons = explained(detectors["combined"], moved).reason
        assert reasons.str.match(r"rent is [\d.]+ sd above").mean() > 0.9

    def test_unknown_takes_the_likeliest(self, of_columns):
        table, detectors = of_columns
        unknown = table.assign(group=None)
        known = explained(detectors["elbo"], table)
        guessed = explained(detectors["elbo"], unknown)
        found = guessed.implied["group"] == table["group"]
        assert found.mean() > 0.8
        pd.testing.assert_frame_equal(
            guessed.deviation[found], known.deviation[found], rtol=1e-9
        )

    def test_never_seen(self, of_columns):
        table, detectors = of_columns
        with pytest.warns(UnseenConditionWarning):
            explanation = explained(
                detectors["combined"], table[:5].assign(group="never seen")
            )
        assert np.isfinite(explanation.deviation.to_numpy()).all()

    def test_beside(self, beside, of_columns):
        rows, groups = of_columns[0][NAMES], of_columns[0]["group"]
        detector = beside["elbo"]
        own = explained(detector, rows, condition=groups).deviation
        other = explained(detector, rows, condition="c").deviation
        is_own = groups == "c"
        pd.testing.assert_frame_equal(own[is_own], other[is_own])
        assert other[~is_own]["rent"].mean() < own[~is_own]["rent"].mean() - 1
        left_out = explained(detector, rows).deviation
        assert np.isfinite(left_out.to_numpy()).all()
