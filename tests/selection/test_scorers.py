from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import VAE, BetaTCVAE, BetaVAE
from skvae._core.errors import PosteriorCollapseWarning
from skvae.datasets import make_factor_table
from skvae.metrics import factor_vae_score, ks_score, mig_score
from skvae.selection import (
    factor_vae_scorer,
    ks_sample_scorer,
    ks_scorer,
    latent_consistency_scorer,
    mig_scorer,
    n_active_scorer,
    neg_total_correlation_scorer,
    reconstruction_scorer,
    scorers,
)

# Those of mixed tables. Outlier detectors and ensembles are no models.
ELSEWHERE = ["detection", "fidelity", "shape", "trend"]
NEEDS = ["nothing but rows", "true factors as y"]
SCORERS = scorers().query("needs in @NEEDS")["scorer"].drop(ELSEWHERE).to_dict()
FIDELITY = [ks_scorer, ks_sample_scorer, reconstruction_scorer]
SUPERVISED = [factor_vae_scorer, mig_scorer]


@pytest.fixture(scope="module")
def table():
    return make_factor_table(600, n_factors=3, n_features=8, random_state=0)


@pytest.fixture(scope="module")
def model(table):
    return VAE(latent_dim=3, max_epochs=30, random_state=0).fit(table.data)


@pytest.mark.parametrize("name", SCORERS)
def test_the_same_number_every_time(name, model, table):
    first, second = (SCORERS[name](model, table.data, table.factors) for _ in "ab")
    assert first == second
    assert np.isfinite(first)


def test_supervised_scorers_are_the_metrics_of_the_codes(model, table):
    codes = model.transform(table.data)
    found = factor_vae_scorer(model, table.data, table.factors)
    assert found == factor_vae_score(table.factors, codes, random_state=0)
    found = mig_scorer(model, table.data, table.factors)
    assert found == mig_score(table.factors, codes)


def test_ks_scorer_compares_reconstructions_in_the_units_of_the_table(model, table):
    expected = ks_score(table.data, model.reconstruct(table.data)).mean
    assert ks_scorer(model, table.data) == expected


def test_reconstruction_scorer_is_r2_and_leaves_out_constant_columns(table):
    data = table.data.assign(constant=1.0)
    model = VAE(latent_dim=3, max_epochs=5, random_state=0).fit(data)
    varying = model.reconstruct(data)[table.data.columns]
    expected = r2_score(table.data, varying)
    assert reconstruction_scorer(model, data) == pytest.approx(expected)


@pytest.mark.parametrize("scorer", FIDELITY)
def test_fidelity_is_compared_in_the_units_of_the_table(scorer, table):
    pipeline = make_pipeline(
        StandardScaler(), VAE(latent_dim=3, max_epochs=3, random_state=0)
    ).fit(table.data)
    in_units = scorer(pipeline, table.data)
    assert in_units == pytest.approx(scorer(pipeline, table.data, space="model"))
    shifted = make_pipeline(PCA(n_components=4), pipeline[-1].set_params()).fit(
        table.data
    )
    with pytest.raises(ValueError, match="no exact inverse"):
        scorer(shifted, table.data)
    assert np.isfinite(partial(scorer, space="model")(shifted, table.data))


def test_a_better_model_scores_better(table):
    short, long = (
        VAE(latent_dim=3, max_epochs=epochs, random_state=0).fit(table.data)
        for epochs in (1, 40)
    )
    for scorer in (ks_scorer, reconstruction_scorer):
        assert scorer(long, table.data) > scorer(short, table.data)


def test_a_collapsed_model_scores_nothing(table):
    model = BetaVAE(latent_dim=3, beta=1000, max_epochs=20, random_state=0)
    with pytest.warns(PosteriorCollapseWarning):
        model.fit(table.data)
    assert n_active_scorer(model, table.data) == 0
    assert latent_consistency_scorer(model, table.data) == 0
    assert neg_total_correlation_scorer(model, table.data) == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("scorer", SUPERVISED)
def test_true_factors_are_required_and_fit_the_table(scorer, model, table):
    with pytest.raises(ValueError, match="got y=None; expected the true factors"):
        scorer(model, table.data, None)
    with pytest.raises(ValueError, match="599") as error:
        scorer(model, table.data, table.factors.iloc[:-1])
    assert "600" in str(error.value)


@pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")
def test_all_scorers_at_once_in_a_grid_search(table):
    pipeline = make_pipeline(
        StandardScaler(),
        BetaTCVAE(max_epochs=2, hidden_layer_sizes=(16,), random_state=0),
    )
    search = GridSearchCV(
        pipeline,
        {
            "betatcvae__beta": [1, 4],
            "betatcvae__latent_dim": [2, 3],
            "betatcvae__lr": [1e-3, 1e-2],
        },
        scoring=SCORERS,
        refit="latent_consistency",
        cv=2,
        n_jobs=2,
        error_score="raise",
    ).fit(table.data, table.factors)
    results = pd.DataFrame(search.cv_results_)
    assert len(results) == 8
    for name in SCORERS:
        assert results[f"mean_test_{name}"].notna().all()
    best = results["mean_test_latent_consistency"].idxmax()
    assert search.best_index_ == best
    assert search.best_estimator_.transform(table.data).shape[0] == 600
