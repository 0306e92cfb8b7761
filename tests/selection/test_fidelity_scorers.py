"""Scorers of fidelity, on numbers and on mixed tables."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV

from skvae import VAE
from skvae.metrics import (
    detection_score,
    fidelity_score,
    ks_score,
    shape_score,
    trend_score,
    tv_score,
    utility_score,
)
from skvae.selection import (
    detection_scorer,
    fidelity_scorer,
    ks_sample_scorer,
    ks_scorer,
    reconstruction_scorer,
    shape_scorer,
    trend_scorer,
    tv_scorer,
    utility_scorer,
)

OF_DRAWS = [
    fidelity_scorer,
    ks_sample_scorer,
    tv_scorer,
    shape_scorer,
    trend_scorer,
    detection_scorer,
    partial(utility_scorer, target="owns"),
]


def mixed_rows(seed, n_rows):
    rng = np.random.RandomState(seed)
    age = rng.uniform(20, 60, size=n_rows)
    opened = pd.Timestamp("2020-01-01") + pd.to_timedelta(age.round(), unit="D")
    return pd.DataFrame(
        {
            "age": np.where(rng.uniform(size=n_rows) < 0.1, np.nan, age),
            "savings": age * rng.lognormal(sigma=0.2, size=n_rows),
            "opened": opened,
            "grade": pd.Categorical(np.where(age > 40, "high", "low")),
            "owns": age + rng.normal(scale=5, size=n_rows) > 45,
        }
    )


class Resampler(VAE):
    """A model that draws training rows, whole or each column by itself."""

    def __init__(self, independent=False):
        self.independent = independent

    def fit(self, X, y=None):
        self.rows_ = X
        return self

    def sample(self, n_samples=1, *, random_state=None):
        rng = np.random.RandomState(random_state)

        def drawn():
            return rng.randint(len(self.rows_), size=n_samples)

        if not self.independent:
            return self.rows_.iloc[drawn()]
        return self.rows_.apply(lambda column: column.iloc[drawn()].to_numpy())

    def _modelled(self, table):
        return table


@pytest.fixture(scope="module")
def held_out():
    return mixed_rows(1, 800)


@pytest.fixture(scope="module")
def whole():
    return Resampler().fit(mixed_rows(0, 800))


@pytest.fixture(scope="module")
def independent():
    return Resampler(independent=True).fit(mixed_rows(0, 800))


@pytest.mark.parametrize("scorer", OF_DRAWS)
def test_the_same_number_on_a_mixed_table_every_time(scorer, whole, held_out):
    first, second = scorer(whole, held_out), scorer(whole, held_out)
    assert first == second
    assert 0 < first <= 1


def test_scorers_are_the_metrics_of_ten_thousand_draws(whole, held_out):
    draws = whole.sample(10_000, random_state=0)
    for scorer, metric in [
        (tv_scorer, tv_score),
        (shape_scorer, shape_score),
        (trend_scorer, trend_score),
    ]:
        assert scorer(whole, held_out) == metric(held_out, draws).mean
    for scorer, metric in [
        (detection_scorer, detection_score),
        (fidelity_scorer, fidelity_score),
    ]:
        expected = metric(held_out, draws, max_rows=800, random_state=0)
        assert scorer(whole, held_out) == expected
    expected = utility_score(draws, held_out, "owns", random_state=0).synthetic
    assert utility_scorer(whole, held_out, target="owns") == expected


def test_independent_columns_win_by_shape_and_lose_by_fidelity(
    whole, independent, held_out
):
    for scorer in (shape_scorer, ks_sample_scorer, tv_scorer):
        assert scorer(independent, held_out) > 0.95
    assert fidelity_scorer(independent, held_out) < 0.05
    assert fidelity_scorer(whole, held_out) > 0.7


@pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")
def test_a_model_of_a_mixed_table_has_every_score(held_out):
    model = VAE(latent_dim=2, hidden_layer_sizes=(16,), max_epochs=10, random_state=0)
    model.fit(mixed_rows(0, 400))
    for scorer in (*OF_DRAWS, ks_scorer, reconstruction_scorer):
        assert 0 <= scorer(model, held_out) <= 1
    reconstructed = model.reconstruct(held_out)
    assert ks_scorer(model, held_out) == ks_score(held_out, reconstructed).mean
    with pytest.raises(ValueError, match="numbers or dates that varies; got none"):
        reconstruction_scorer(model, held_out.assign(age=1, savings=1, opened=pd.NaT))


def test_utility_has_to_know_the_column(whole, held_out):
    with pytest.raises(ValueError, match="target='income'; expected one of"):
        utility_scorer(whole, held_out, target="income")


@pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")
def test_a_search_by_fidelity():
    rng = np.random.RandomState(0)
    first = rng.normal(size=300)
    table = pd.DataFrame({"a": first, "b": first + 0.3 * rng.normal(size=300)})
    search = GridSearchCV(
        VAE(hidden_layer_sizes=(16,), latent_dim=1, lr=1e-2, random_state=0),
        {"max_epochs": [1, 30]},
        scoring={
            "fidelity": fidelity_scorer,
            "shape": shape_scorer,
            "utility": partial(utility_scorer, target="b"),
        },
        refit="fidelity",
        cv=2,
        error_score="raise",
    ).fit(table)
    assert search.best_params_ == {"max_epochs": 30}
    assert search.cv_results_["mean_test_fidelity"][0] < 0.5


def test_columns_are_categories_where_the_model_was_told_so(held_out):
    codes = held_out.assign(grade=held_out["grade"].cat.codes)[["age", "grade"]]
    model = Resampler().fit(codes)
    with pytest.raises(ValueError, match="Expected a column of categories"):
        tv_scorer(model, codes)
    draws = model.sample(10_000, random_state=0)
    expected = tv_score(codes, draws, categorical_features=["grade"]).mean
    for told in (["grade"], [1], [False, True]):
        model.categorical_features = told
        assert tv_scorer(model, codes) == expected
