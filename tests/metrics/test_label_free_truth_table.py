"""What each score without factors must say of transformed codes, and cannot see.

The codes to begin with are crossed: every combination of six values of three latents
occurs equally often, so that they are uncorrelated to the last digit.
"""

import itertools

import numpy as np
import pytest

from skvae.metrics import (
    gaussian_total_correlation,
    latent_consistency_score,
    udr_score,
)

CODES = np.array(list(itertools.product(range(6), repeat=3)) * 10, dtype=float)
NOISE = np.random.RandomState(0).normal(size=CODES.shape)
TURNED = CODES @ np.array([[1, 1, 0], [1, -1, 0], [0, 0, 1]])

SAME_LATENTS = {
    "identity": CODES,
    "permuted": CODES[:, [2, 0, 1]],
    "sign-flipped": CODES * [1, -1, -1],
    "rescaled": CODES * [0.5, 4.0, 16.0] + [0, 8, -4],
    "monotone": np.exp(CODES / 2),
}


@pytest.mark.parametrize("name", SAME_LATENTS)
def test_udr_of_models_that_agree(name):
    assert udr_score([CODES, SAME_LATENTS[name]]).mean == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("n_rows", [200, 1000, 5000])
def test_udr_of_models_that_agree_falls_short_of_one_by_chance_correlations(n_rows):
    # The rows that are at hand decide by how much: 0.8 / sqrt(n_rows) is the mean size
    # of a chance correlation, and each latent has it with two others.
    bound = 1 / (1 + 2 * 0.8 / np.sqrt(n_rows))
    scores = [
        udr_score([codes, -codes[:, ::-1]]).mean
        for codes in np.random.RandomState(0).normal(size=(100, n_rows, 3))
    ]
    assert np.mean(scores) == pytest.approx(bound, abs=0.01)


def test_udr_of_models_that_disagree():
    assert udr_score([CODES, TURNED]).mean < 0.8
    assert udr_score([CODES, NOISE]).mean < 0.03
    # It cannot see what they agree on.
    assert udr_score([TURNED, -TURNED]).mean == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("name", SAME_LATENTS)
def test_gaussian_total_correlation_of_independent_latents(name):
    codes = SAME_LATENTS[name]
    assert gaussian_total_correlation(codes) == pytest.approx(0, abs=1e-12)


def test_gaussian_total_correlation_of_others():
    # The second latent takes half of its variance from the first.
    sheared = CODES @ np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]])
    expected = np.log(2) / 2
    assert gaussian_total_correlation(sheared) == pytest.approx(expected, abs=1e-9)
    # It cannot see a turn, nor that codes know nothing.
    assert gaussian_total_correlation(TURNED) == pytest.approx(0, abs=1e-12)
    assert gaussian_total_correlation(NOISE) < 0.001


@pytest.mark.parametrize(
    "codes",
    [*SAME_LATENTS.values(), TURNED, NOISE],
    ids=[*SAME_LATENTS, "turned", "noise"],
)
def test_latent_consistency_of_codes_that_survive_a_round_trip(codes):
    # It cannot see a turn, nor that codes know nothing.
    score = latent_consistency_score(
        codes, np.asarray, np.asarray, n_runs_train=60, n_runs_eval=60, random_state=0
    )
    assert score.eval_accuracy == 1


def test_latent_consistency_of_codes_that_do_not():
    score = latent_consistency_score(
        CODES,
        np.asarray,
        lambda rows: np.random.RandomState(len(rows)).normal(size=rows.shape),
        n_runs_train=300,
        n_runs_eval=300,
        random_state=0,
    )
    assert score.eval_accuracy < 0.5
