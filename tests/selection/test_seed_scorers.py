"""Scorers of several seeds, alone and in a search that has no labels."""

from functools import partial

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import BetaTCVAE, BetaVAE
from skvae.datasets import make_credit_portfolio, make_factor_table
from skvae.metrics import kl_per_dimension, udr_score
from skvae.selection import (
    SeedEnsemble,
    model_centrality_scorer,
    one_standard_error_rule,
    reconstruction_scorer,
    scorers,
    shared_latents_scorer,
    udr_scorer,
)

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

SETTINGS = {"latent_dim": 3, "hidden_layer_sizes": (16,), "lr": 1e-2, "device": "cpu"}
SCORERS = [udr_scorer, shared_latents_scorer, model_centrality_scorer]


@pytest.fixture(scope="module")
def rows():
    return make_factor_table(300, n_factors=3, random_state=0).data


@pytest.fixture(scope="module")
def ensemble(rows):
    model = BetaTCVAE(max_epochs=8, **SETTINGS)
    return SeedEnsemble(model, n_seeds=3, random_state=0).fit(rows)


def test_udr_is_that_of_the_codes(ensemble, rows):
    posteriors = [member._encode(rows) for member in ensemble.estimators_]
    expected = udr_score(
        [means for means, _ in posteriors],
        kl=[kl_per_dimension(*posterior) for posterior in posteriors],
    )
    assert udr_scorer(ensemble, rows) == expected.mean == ensemble.udr_.mean
    assert shared_latents_scorer(ensemble, rows) == expected.n_shared


@pytest.mark.parametrize("scorer", SCORERS)
def test_wherever_the_ensemble_is(scorer, ensemble, rows):
    score = scorer(ensemble, rows)
    assert 0 < score <= (3 if scorer is shared_latents_scorer else 1)
    assert scorer(FrozenEstimator(ensemble), rows) == score
    same = make_pipeline("passthrough", FrozenEstimator(ensemble))
    assert scorer(same, rows) == score


def test_behind_a_step(rows):
    model = BetaTCVAE(max_epochs=2, **SETTINGS)
    pipeline = make_pipeline(StandardScaler(), SeedEnsemble(model, n_seeds=2))
    pipeline.set_params(seedensemble__random_state=0).fit(rows)
    scaled = pipeline[0].transform(rows)
    assert udr_scorer(pipeline, rows) == udr_scorer(pipeline[1], scaled)


@pytest.mark.parametrize("scorer", SCORERS)
def test_seeds_that_are_the_same_agree(scorer, ensemble, rows):
    alike = SeedEnsemble(ensemble.estimator, n_seeds=2, random_state=0).fit(rows)
    alike.estimators_ = [alike.estimators_[0]] * 2
    assert scorer(alike, rows) > scorer(ensemble, rows)


@pytest.mark.parametrize("scorer", SCORERS)
def test_collapsed_members_get_nothing(scorer, rows):
    model = BetaVAE(max_epochs=10, beta=1e4, kl_warmup=0, **SETTINGS)
    assert scorer(SeedEnsemble(model, n_seeds=2, random_state=0).fit(rows), rows) == 0


@pytest.mark.parametrize("scorer", SCORERS)
def test_one_fit_has_nobody_to_agree_with(scorer, rows):
    model = BetaTCVAE(max_epochs=1, random_state=0, **SETTINGS).fit(rows)
    with pytest.raises(TypeError, match="expected a fitted SeedEnsemble"):
        scorer(model, rows)


def test_a_search_without_labels(rows):
    search = GridSearchCV(
        SeedEnsemble(BetaTCVAE(max_epochs=4, **SETTINGS), n_seeds=2, random_state=0),
        {"estimator__beta": [1, 4]},
        scoring={"agreement": udr_scorer, "fidelity": reconstruction_scorer},
        refit=one_standard_error_rule("fidelity", "agreement"),
        cv=2,
    ).fit(rows)
    assert np.isfinite(search.cv_results_["mean_test_agreement"]).all()
    assert udr_scorer(search, rows) == udr_scorer(search.best_estimator_, rows)
    assert search.transform(rows).shape == (300, 3)


class TestTheList:
    def test_names_every_scorer_once(self):
        import skvae.selection

        public = {n for n in skvae.selection.__all__ if n.endswith("_scorer")}
        assert {f"{name}_scorer" for name in scorers().index} == public
        assert scorers().index.is_unique

    def test_says_what_each_is_for(self):
        table = scorers()
        assert table["says"].str.startswith("Score").sum() >= len(table) - 1
        assert table["needs"].nunique() == 6
        assert all(callable(scorer) for scorer in table["scorer"])

    def test_all_of_models_in_one_search(self):
        portfolio = make_credit_portfolio(200, random_state=0)
        codes = dict.fromkeys(["SEX", "EDUCATION", "MARRIAGE"], "category")
        table = scorers().drop(["outlier_roc_auc", "outlier_average_precision"])
        scoring = table["scorer"].to_dict()
        scoring["utility"] = partial(scoring["utility"], target="EDUCATION")
        model = BetaTCVAE(max_epochs=2, **SETTINGS)
        search = GridSearchCV(
            SeedEnsemble(model, n_seeds=2, random_state=0),
            {"estimator__beta": [1, 4]},
            scoring=scoring,
            refit="shared_latents",
            cv=2,
            error_score="raise",
        ).fit(portfolio.data.astype(codes), portfolio.factors)
        for name in scoring:
            assert np.isfinite(search.cv_results_[f"mean_test_{name}"]).all(), name
        shared = search.cv_results_["mean_test_shared_latents"]
        assert search.best_index_ == shared.argmax()

    def test_all_with_factors_in_one_search(self, ensemble, rows):
        portfolio = make_factor_table(200, n_factors=2, random_state=1)
        table = scorers()
        of_factors = table[table["needs"] == "true factors as y"]["scorer"].to_dict()
        search = GridSearchCV(
            BetaTCVAE(max_epochs=3, random_state=0, **SETTINGS),
            {"beta": [1, 4]},
            scoring=of_factors,
            refit="mig",
            cv=2,
        ).fit(portfolio.data, portfolio.factors)
        for name in of_factors:
            assert np.isfinite(search.cv_results_[f"mean_test_{name}"]).all()
