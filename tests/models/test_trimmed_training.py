"""The rows of each batch that are explained worst, left out of the loss."""

import numpy as np
import pandas as pd
import pytest
from model_cases import MODELS, changed, gentle, small
from scipy.linalg import hadamard
from sklearn.utils._param_validation import InvalidParameterError

from skvae import (
    CVAE,
    DCVAE,
    MSVAE,
    RFVAE,
    VAE,
    BetaTCVAE,
    DCVAEAnomalyDetector,
    FactorVAE,
)

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

# Rows of which a fifth is outliers.
N_CLEAN, N_OUTLIERS = 240, 60


@pytest.fixture(scope="module")
def contaminated():
    return make_contaminated(seed=0)


def make_contaminated(seed):
    """Return rows of two factors, and behind them outliers of two other ones."""
    rng = np.random.default_rng(seed)
    directions = hadamard(8)[1:5]
    clean = rng.normal(size=(N_CLEAN, 2)) @ directions[:2]
    outliers = 4 * rng.normal(size=(N_OUTLIERS, 2)) @ directions[2:]
    rows = np.vstack([clean, outliers])
    return rows + 0.3 * rng.normal(size=rows.shape)


def trained(model_class, X, **params):
    settings = {"max_epochs": 30, "lr": 2e-2, "encoding": "standard", "kl_warmup": 0}
    settings |= {"hidden_layer_sizes": (16,), "batch_size": 50, "early_stopping": False}
    model = small(model_class, likelihood="gaussian", **gentle(model_class))
    return changed(model, **{**settings, **params}).fit(X)


def brief(model_class, X, **params):
    return trained(model_class, X, **{"max_epochs": 3, **params})


def assert_same_training(first, second):
    ours, theirs = first.module_.state_dict(), second.module_.state_dict()
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert np.array_equal(ours[name], theirs[name]), name
    pd.testing.assert_frame_equal(
        first.history_.drop(columns="dur"),
        second.history_.drop(columns="dur"),
        check_exact=True,
    )


class TestEveryModel:
    @pytest.mark.parametrize("early_stopping", [True, False])
    def test_zero_is_the_default_bit_by_bit(
        self, model_class, contaminated, early_stopping
    ):
        params = {"early_stopping": early_stopping}
        default = brief(model_class, contaminated, **params)
        zero = brief(model_class, contaminated, trimmed_fraction=0, **params)
        assert_same_training(zero, default)

    def test_a_share_of_less_than_a_row_changes_no_bit(self, model_class, contaminated):
        default = brief(model_class, contaminated)
        tiny = brief(model_class, contaminated, trimmed_fraction=0.01)
        assert_same_training(tiny, default)

    @pytest.mark.parametrize("early_stopping", [True, False])
    def test_history_is_finite(self, model_class, contaminated, early_stopping):
        params = {"early_stopping": early_stopping, "trimmed_fraction": 0.25}
        model = brief(model_class, contaminated, **params)
        assert np.isfinite(model.history_).to_numpy().all()
        assert np.isfinite(model.score_samples(contaminated)).all()

    def test_loss_is_that_of_the_rows_kept(self, model_class, contaminated):
        # Of one step, before which both models are the same.
        params = {"max_epochs": 1, "batch_size": len(contaminated)}
        if model_class is MSVAE:
            params["residual_training"] = "joint"
        losses = [
            brief(model_class, contaminated, trimmed_fraction=share, **params)
            for share in (0, 0.1, 0.2, 0.5)
        ]
        errors = [model.history_["train_reconstruction"].iloc[0] for model in losses]
        assert (np.diff(errors) < 0).all()

    def test_so_is_that_of_the_rows_held_out(self, model_class, contaminated):
        params = {"max_epochs": 1, "lr": 1e-30, "early_stopping": True}
        params |= {"validation_fraction": 0.5}
        errors = [
            brief(model_class, contaminated, trimmed_fraction=share, **params).history_[
                "valid_reconstruction"
            ]
            for share in (0, 0.2, 0.5)
        ]
        assert (np.diff(errors, axis=0) < 0).all()

    def test_same_twice(self, model_class, contaminated):
        first, second = (
            brief(model_class, contaminated, trimmed_fraction=0.2) for _ in range(2)
        )
        assert_same_training(first, second)

    @pytest.mark.parametrize("fraction", [-0.1, 1, 1.5, "auto", None])
    def test_out_of_range(self, model_class, contaminated, fraction):
        with pytest.raises(InvalidParameterError, match="'trimmed_fraction' parameter"):
            brief(model_class, contaminated, trimmed_fraction=fraction)

    def test_nearly_all_and_batches_of_a_few_rows(self, model_class, contaminated):
        params = {"trimmed_fraction": 0.9, "batch_size": 5, "max_epochs": 1}
        model = brief(model_class, contaminated[:30], **params)
        assert np.isfinite(model.history_).to_numpy().all()


def error_on_clean_rows(model, X):
    return np.mean((model.reconstruct(X[:N_CLEAN]) - X[:N_CLEAN]) ** 2)


def share_of_outliers_found(model, X):
    """Return how many of the outliers are among as many rows of the lowest score."""
    lowest = np.argsort(model.score_samples(X))[:N_OUTLIERS]
    return np.mean(lowest >= N_CLEAN)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("model_class", [VAE, BetaTCVAE])
def test_outliers_do_not_bend_the_model(model_class, seed):
    X = make_contaminated(seed)
    trusting, trimmed = (
        trained(model_class, X, trimmed_fraction=share, random_state=seed)
        for share in (0, 0.25)
    )
    assert error_on_clean_rows(trimmed, X) < 0.5 * error_on_clean_rows(trusting, X)
    scores = [model.score_samples(X) for model in (trusting, trimmed)]
    gaps = [np.median(s[:N_CLEAN]) - np.median(s[N_CLEAN:]) for s in scores]
    assert gaps[1] > 5 * gaps[0]
    assert share_of_outliers_found(trusting, X) < 0.9
    assert share_of_outliers_found(trimmed, X) > 0.9


@pytest.mark.parametrize("model_class", [FactorVAE, RFVAE])
def test_with_an_adversary(model_class, contaminated):
    model = trained(model_class, contaminated, trimmed_fraction=0.25, max_epochs=15)
    adversary = model.history_["train_adversary"]
    assert np.isfinite(adversary).all()
    assert adversary.nunique() == len(adversary)
    scores = model.score_samples(contaminated)
    assert np.median(scores[N_CLEAN:]) < np.median(scores[:N_CLEAN])
    if model_class is RFVAE:
        assert model.relevance_.shape == (2,)
        assert ((model.relevance_ >= 0) & (model.relevance_ <= 1)).all()


@pytest.mark.parametrize("model_class", [CVAE, DCVAE])
def test_conditions_stay_with_their_rows(model_class, contaminated):
    # Groups lie so far apart that a wrong one explains a row badly.
    groups = np.arange(len(contaminated)) % 3
    X = np.column_stack([contaminated + 6 * groups[:, None], groups])
    params = {"condition_columns": [8], "prior": "learned", "trimmed_fraction": 0.25}
    model = trained(model_class, X, **params)
    other = X.copy()
    other[:, 8] = (groups + 1) % 3
    assert model.score(other) < model.score(X) - 10


def test_first_stage_and_second_trim_by_themselves(contaminated):
    model = small(MSVAE).set_params(trimmed_fraction=0.2)
    assert model.get_params()["first_stage__trimmed_fraction"] == 0
    default = small(MSVAE).fit(contaminated)
    model.fit(contaminated)
    np.testing.assert_array_equal(
        model.first_stage_.score_samples(contaminated),
        default.first_stage_.score_samples(contaminated),
    )
    assert model.score(contaminated) != default.score(contaminated)


def test_every_model_has_the_parameter():
    for model_class in MODELS:
        assert model_class().get_params()["trimmed_fraction"] == 0
    assert DCVAEAnomalyDetector().trimmed_fraction == 0
