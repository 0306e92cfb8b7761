"""What each score with known factors must say of transformed codes.

The factors are three, with six values each, and every combination occurs equally
often, so that the values below follow from the definitions.
"""

import itertools

import numpy as np
import pytest

from skvae.metrics import (
    dci_score,
    factor_vae_score,
    mig_score,
    mutual_information_matrix,
)

FACTORS = np.array(list(itertools.product(range(6), repeat=3)) * 10)
NOISE = np.random.RandomState(0).normal(size=FACTORS.shape)
DEAD = np.random.RandomState(1).normal(scale=0.01, size=(len(FACTORS), 2))
# Sum and difference of the first two factors, a turn by 45 degrees; in whole numbers,
# so that equal sums stay equal in floating point.
TURNED = FACTORS @ np.array([[1, 1, 0], [1, -1, 0], [0, 0, 1]])

# name: (codes, FactorVAE score, MIG, DCI)
EXACT = {
    "identity": (FACTORS, 1, 1, (1, 1, 1)),
    "permuted": (FACTORS[:, [2, 0, 1]], 1, 1, (1, 1, 1)),
    "sign-flipped": (FACTORS * [1, -1, -1], 1, 1, (1, 1, 1)),
    "rescaled": (FACTORS * [0.5, 4.0, 16.0] + [0, 8, -4], 1, 1, (1, 1, 1)),
    "monotone": (np.exp(FACTORS / 2), 1, 1, (1, 1, 1)),
    "constant code added": (
        np.column_stack([FACTORS, np.ones(len(FACTORS))]),
        1,
        1,
        (1, 1, 1),
    ),
    # MIG has no gap for the first factor; a vote goes to either copy, and either is
    # rightly taken for the first factor. Each copy serves no other factor, and the
    # first factor is spread over two codes of four, which is half of the base.
    "factor stored twice": (
        np.column_stack([FACTORS, FACTORS[:, 0]]),
        1,
        2 / 3,
        (1, 5 / 6, 1),
    ),
}


@pytest.mark.parametrize("name", EXACT)
def test_exact_cells(name):
    codes, expected_factor_vae, expected_mig, expected_dci = EXACT[name]
    assert factor_vae_score(FACTORS, codes, random_state=0) == expected_factor_vae
    adjusted = factor_vae_score(FACTORS, codes, adjusted=True, random_state=0)
    assert adjusted == expected_factor_vae
    assert mig_score(FACTORS, codes) == pytest.approx(expected_mig, abs=1e-12)
    # Which of two copies a tree takes is a matter of chance.
    dci = dci_score(FACTORS, codes, random_state=0)
    np.testing.assert_allclose(dci, expected_dci, atol=0.01)


def test_dead_codes_added():
    codes = np.column_stack([FACTORS, DEAD])
    # FactorVAE drops them by their standard deviation.
    assert factor_vae_score(FACTORS, codes, random_state=0) == 1
    # MIG is free of scale: to it they are noise, whose information is the bias of
    # counting 19 * 5 cells.
    bias = 19 * 5 / (2 * len(FACTORS)) / np.log(6)
    assert 1 - 2 * bias < mig_score(FACTORS, codes) < 1
    # DCI is free of scale too, but no tree splits on noise where a factor is at hand.
    np.testing.assert_allclose(dci_score(FACTORS, codes, random_state=0), 1, atol=0.01)


def test_rotated():
    # With one of the first two factors fixed, both turned codes lose half of their
    # variance: a coin decides, and half of these votes are wrong.
    score = factor_vae_score(FACTORS, TURNED, random_state=0)
    assert score == pytest.approx(2 / 3, abs=0.02)
    # Both know the same of each of the two factors.
    assert mig_score(FACTORS, TURNED) == pytest.approx(1 / 3, abs=1e-12)
    # Both are as important to each: their concentration is that of a coin among three.
    concentration = np.mean([1 - np.log(2) / np.log(3)] * 2 + [1])
    dci = dci_score(FACTORS, TURNED, random_state=0)
    assert dci.disentanglement == pytest.approx(concentration, abs=0.02)
    assert dci.completeness == pytest.approx(concentration, abs=0.02)
    # Sum and difference determine both factors, and a forest can find them.
    assert dci.informativeness > 0.95


def test_mixed_evenly():
    # Each code is two thirds of two factors and one third of the last: a factor that
    # is fixed stills two codes alike, and each code is stilled by two factors.
    codes = FACTORS @ (np.eye(3) - 2 / 3)
    score = factor_vae_score(FACTORS, codes, random_state=0)
    assert score == pytest.approx(1 / 2, abs=0.02)
    assert mig_score(FACTORS, codes) < 0.1
    dci = dci_score(FACTORS, codes, random_state=0)
    assert dci.disentanglement < 0.1
    assert dci.completeness < 0.1
    assert dci.informativeness > 0.9


def test_rotated_a_little():
    # One factor still dominates each code, which is all that FactorVAE asks for.
    angle = np.deg2rad(20)
    rotation = np.eye(3)
    rotation[:2, :2] = [
        [np.cos(angle), -np.sin(angle)],
        [np.sin(angle), np.cos(angle)],
    ]
    assert factor_vae_score(FACTORS, FACTORS @ rotation, random_state=0) == 1
    assert mig_score(FACTORS, FACTORS @ rotation) < 0.7
    dci = dci_score(FACTORS, FACTORS @ rotation, random_state=0)
    assert dci.disentanglement < 0.8
    assert dci.informativeness > 0.95


def test_pure_noise_is_at_chance():
    score = factor_vae_score(FACTORS, NOISE, random_state=0)
    assert score == pytest.approx(1 / 3, abs=0.05)
    adjusted = factor_vae_score(FACTORS, NOISE, adjusted=True, random_state=0)
    assert adjusted == pytest.approx(0, abs=0.08)
    assert 0 <= mig_score(FACTORS, NOISE) < 0.02
    assert max(dci_score(FACTORS, NOISE, random_state=0)) < 0.05


def test_one_factor_missing_from_the_codes():
    # The missing factor stills no code, and its votes are taken for other factors.
    codes = FACTORS[:, :2]
    score = factor_vae_score(FACTORS, codes, random_state=0)
    assert score == pytest.approx(2 / 3, abs=0.03)
    assert mig_score(FACTORS, codes) == pytest.approx(2 / 3, abs=1e-12)
    # The forest of the missing factor splits on the two codes at random, so that a
    # third of the importance of each is for a factor it knows nothing of.
    dci = dci_score(FACTORS, codes, random_state=0)
    third = (np.log(3) - 2 / 3 * np.log(2)) / np.log(3)
    assert dci.disentanglement == pytest.approx(1 - third, abs=0.04)
    assert dci.completeness == pytest.approx(2 / 3, abs=0.06)
    assert dci.informativeness == pytest.approx(2 / 3, abs=0.02)


def test_all_codes_dead():
    assert factor_vae_score(FACTORS, 0 * FACTORS) == 0
    assert mig_score(FACTORS, 0 * FACTORS) == 0
    assert dci_score(FACTORS, 0 * FACTORS) == (0, 0, 0)


def test_matrix_of_the_identity_is_diagonal():
    information = mutual_information_matrix(FACTORS, FACTORS)
    np.testing.assert_allclose(information, np.log(6) * np.eye(3), atol=1e-12)


def test_scores_fall_as_noise_is_mixed_in():
    shares = [0, 0.3, 0.6, 1]
    centred = (FACTORS - 2.5) / FACTORS.std()
    mixed = [(1 - share) * centred + share * NOISE for share in shares]
    mig = [mig_score(FACTORS, codes) for codes in mixed]
    factor_vae = [factor_vae_score(FACTORS, c, random_state=0) for c in mixed]
    assert (np.diff(mig) < 0).all()
    assert factor_vae[0] == 1
    assert factor_vae[-1] < 0.5
    assert (np.diff(factor_vae) <= 0).all()
    dci = [dci_score(FACTORS, c, random_state=0) for c in mixed]
    assert (np.diff(dci, axis=0) < 0).all()
