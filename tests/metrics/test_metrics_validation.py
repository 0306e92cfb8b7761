"""Input checks that the metrics share."""

import numpy as np
import pandas as pd
import pytest

import skvae.metrics
from skvae.metrics import (
    beta_vae_score,
    dci_scores,
    explicitness_score,
    factor_vae_score,
    irs_score,
    latent_consistency_score,
    mig_score,
    mig_sup_score,
    modularity_score,
    mutual_information_matrix,
    recovered_factors,
    sap_score,
)

WITH_FACTORS = [
    beta_vae_score,
    dci_scores,
    explicitness_score,
    factor_vae_score,
    irs_score,
    mig_score,
    mig_sup_score,
    modularity_score,
    mutual_information_matrix,
    recovered_factors,
    sap_score,
]


@pytest.fixture
def factors():
    return np.random.RandomState(0).randint(3, size=(50, 2))


@pytest.fixture
def codes():
    return np.random.RandomState(1).normal(size=(50, 3))


@pytest.mark.parametrize("metric", WITH_FACTORS)
def test_lengths_must_match(metric, factors, codes):
    with pytest.raises(ValueError, match=r"\(49, 2\) and codes of shape \(50, 3\)"):
        metric(factors[:49], codes)


@pytest.mark.parametrize("metric", WITH_FACTORS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_codes_must_be_finite(metric, factors, codes, value):
    codes[3, 1] = value
    with pytest.raises(ValueError, match="Input codes contains"):
        metric(factors, codes)


@pytest.mark.parametrize("metric", WITH_FACTORS)
def test_codes_must_be_two_dimensional(metric, factors, codes):
    with pytest.raises(ValueError, match="Expected 2D array"):
        metric(factors, codes[:, 0])


@pytest.mark.parametrize("metric", WITH_FACTORS)
def test_factors_of_strange_shape(metric, codes):
    with pytest.raises(ValueError, match=r"got \(50, 1, 1\)"):
        metric(np.zeros((50, 1, 1)), codes)
    with pytest.raises(ValueError, match="at least one factor"):
        metric(np.zeros((50, 0)), codes)


@pytest.mark.parametrize(
    "metric", [mig_score, mig_sup_score, modularity_score, mutual_information_matrix]
)
def test_containers_of_factors(metric, factors, codes):
    expected = metric(factors, codes)
    np.testing.assert_array_equal(metric(factors.tolist(), codes.tolist()), expected)
    np.testing.assert_array_equal(metric(factors.astype(object), codes), expected)
    frame = pd.DataFrame(factors, columns=["a", "a"])  # a repeated name does no harm
    np.testing.assert_array_equal(metric(frame, pd.DataFrame(codes)), expected)
    expected = metric(factors[:, :1], codes)
    np.testing.assert_array_equal(metric(factors[:, 0], codes), expected)
    np.testing.assert_array_equal(metric(pd.Series(factors[:, 0]), codes), expected)


@pytest.mark.parametrize(
    ("metric", "parameters"),
    [
        (factor_vae_score, {"n_votes_train": 0}),
        (factor_vae_score, {"n_rows_per_vote": 1}),
        (factor_vae_score, {"n_bins": 1}),
        (factor_vae_score, {"min_std": -1}),
        (factor_vae_score, {"adjusted": "yes"}),
        (factor_vae_score, {"random_state": "seed"}),
        (mig_score, {"n_bins": 2.5}),
        (mig_score, {"adjusted": 0.5}),
        (mig_sup_score, {"min_std": -1}),
        (mig_sup_score, {"random_state": "seed"}),
        (modularity_score, {"n_bins": 1}),
        (modularity_score, {"min_std": None}),
    ],
)
def test_parameters_are_checked(metric, parameters, factors, codes):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"The '{name}' parameter"):
        metric(factors, codes, **parameters)


def test_callables_and_protocol_are_checked(codes):
    with pytest.raises(ValueError, match="The 'decode' parameter"):
        latent_consistency_score(codes, None, np.asarray)
    with pytest.raises(ValueError, match="The 'protocol' parameter"):
        latent_consistency_score(codes, np.asarray, np.asarray, protocol="draws")


def test_public_names():
    assert sorted(skvae.metrics.__all__) == skvae.metrics.__all__
    for name in skvae.metrics.__all__:
        assert getattr(skvae.metrics, name).__doc__
