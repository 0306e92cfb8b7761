"""What each score with known factors must say of transformed codes.

The factors are three, with six values each, and every combination occurs equally
often, so that the values below follow from the definitions. SAP, whose values depend
on the kind of factor, has grids of its own at the end.
"""

import itertools
from functools import partial

import numpy as np
import pytest

from skvae.metrics import (
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
)


def grid(n_values, n_copies):
    """Every combination of three factors, so many times."""
    return np.array(list(itertools.product(range(n_values), repeat=3)) * n_copies)


def noise_like(factors, seed=0):
    return np.random.RandomState(seed).normal(size=factors.shape)


def turn(factors):
    """Sum and difference of the first two factors, a turn by 45 degrees.

    In whole numbers, so that equal sums stay equal in floating point.
    """
    return factors @ np.array([[1, 1, 0], [1, -1, 0], [0, 0, 1]])


def add_dead(factors):
    return np.column_stack([factors, 0.01 * noise_like(factors, seed=1)[:, :2]])


def store_first_twice(factors):
    return np.column_stack([factors, factors[:, 0]])


FACTORS = grid(6, n_copies=10)
NOISE = noise_like(FACTORS)
TURNED = turn(FACTORS)
DEAD = add_dead(FACTORS)[:, 3:]

factor_vae = partial(factor_vae_score, FACTORS, random_state=0)
beta_vae = partial(beta_vae_score, FACTORS, random_state=0)
dci = partial(dci_scores, FACTORS, random_state=0)
mig = partial(mig_score, FACTORS)
mig_sup = partial(mig_sup_score, FACTORS)
modularity = partial(modularity_score, FACTORS)
explicitness = partial(explicitness_score, FACTORS, random_state=0)
irs = partial(irs_score, FACTORS)


def recovered(codes):
    return recovered_factors(FACTORS, codes).share


SCORES = {
    "FactorVAE": factor_vae,
    "beta-VAE": beta_vae,
    "DCI": dci,
    "MIG": mig,
    "MIG-sup": mig_sup,
    "modularity": modularity,
    "explicitness": explicitness,
    "IRS": irs,
    "recovered": recovered,
}
# How far adjusted scores may be from 0 on noise. Modularity looks at proportions only,
# and those of next to nothing are a matter of chance.
TOLERANCE_OF_NOISE = {
    "FactorVAE": 0.08,
    "beta-VAE": 0.08,
    "MIG": 0.005,
    "MIG-sup": 0.005,
    "modularity": 0.35,
    "explicitness": 0.1,
}

# name: (codes, the scores that are not 1)
EXACT = {
    "identity": (FACTORS, {}),
    "permuted": (FACTORS[:, [2, 0, 1]], {}),
    "sign-flipped": (FACTORS * [1, -1, -1], {}),
    "rescaled": (FACTORS * [0.5, 4.0, 16.0] + [0, 8, -4], {}),
    "monotone": (np.exp(FACTORS / 2), {}),
    "constant code added": (np.column_stack([FACTORS, np.ones(len(FACTORS))]), {}),
    # MIG has no gap for the first factor; a vote goes to either copy, and either is
    # rightly taken for the first factor. Each copy serves no other factor, and the
    # first factor is spread over two codes of four, which is half of the base.
    "factor stored twice": (
        store_first_twice(FACTORS),
        {"MIG": 2 / 3, "DCI": (1, 5 / 6, 1)},
    ),
}


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("name", EXACT)
def test_exact_cells(name, score):
    codes, others = EXACT[name]
    # Which of two copies a tree takes is a matter of chance.
    tolerance = 0.01 if score == "DCI" else 1e-12
    expected = others.get(score, 1)
    np.testing.assert_allclose(SCORES[score](codes), expected, atol=tolerance)


@pytest.mark.parametrize("score", TOLERANCE_OF_NOISE)
def test_one_stays_one_and_noise_becomes_zero_if_adjusted(score):
    adjusted = partial(SCORES[score], adjusted=True, random_state=0)
    assert adjusted(FACTORS) == pytest.approx(1, abs=1e-12)
    assert adjusted(NOISE) == pytest.approx(0, abs=TOLERANCE_OF_NOISE[score])


@pytest.mark.parametrize("score", TOLERANCE_OF_NOISE)
def test_adjusting_takes_off_what_noise_reaches_on_few_rows(score):
    raw, adjusted = [], []
    for seed in range(10):
        rows = np.random.RandomState(seed).permutation(len(NOISE))[:200]
        few = partial(SCORES[score].func, FACTORS[rows], NOISE[rows], random_state=0)
        raw.append(few())
        adjusted.append(few(adjusted=True))
    assert abs(np.mean(adjusted)) < 0.3 * np.mean(raw)


DROP_DEAD_CODES = [s for s in SCORES if s not in ("MIG", "DCI", "recovered")]


@pytest.mark.parametrize("score", DROP_DEAD_CODES)
def test_dead_codes_are_dropped_by_their_standard_deviation(score):
    codes = np.column_stack([FACTORS, DEAD])
    assert SCORES[score](codes) == pytest.approx(1, abs=1e-12)
    assert SCORES[score](DEAD) == 0


def test_dead_codes_added():
    codes = np.column_stack([FACTORS, DEAD])
    # MIG is free of scale: to it they are noise, whose information is the bias of
    # counting 19 * 5 cells.
    bias = 19 * 5 / (2 * len(FACTORS)) / np.log(6)
    assert 1 - 2 * bias < mig(codes) < 1
    # DCI is free of scale too, but no tree splits on noise where a factor is at hand.
    np.testing.assert_allclose(dci(codes), 1, atol=0.01)
    # Nor is a factor matched with noise.
    assert recovered(codes) == 1


@pytest.mark.parametrize("score", SCORES)
def test_all_codes_dead(score):
    np.testing.assert_array_equal(SCORES[score](0 * FACTORS), 0)


def test_turned():
    # With one of the first two factors fixed, both turned codes lose half of their
    # variance: a coin decides, and half of these votes are wrong.
    assert factor_vae(TURNED) == pytest.approx(2 / 3, abs=0.02)
    # Nor can a line tell what stills two codes alike.
    assert beta_vae(TURNED) == pytest.approx(2 / 3, abs=0.02)
    # Both know the same of each of the two factors.
    assert mig(TURNED) == pytest.approx(1 / 3, abs=1e-12)
    assert mig_sup(TURNED) == pytest.approx(1 / 3, abs=1e-12)
    # A code that knows two factors of three alike is half modular.
    assert modularity(TURNED) == pytest.approx(2 / 3, abs=1e-12)
    # Both are as important to each: their concentration is that of a coin among three.
    concentration = np.mean([1 - np.log(2) / np.log(3)] * 2 + [1])
    assert dci(TURNED).disentanglement == pytest.approx(concentration, abs=0.02)
    assert dci(TURNED).completeness == pytest.approx(concentration, abs=0.02)
    # Sum and difference determine both factors: a forest can find them, and a line.
    assert dci(TURNED).informativeness > 0.95
    assert explicitness(TURNED) == pytest.approx(1, abs=1e-12)
    # Whichever factor is fixed, both keep half of their range. They have twice the
    # range, and so twice the weight, of the third code.
    assert irs(TURNED) == pytest.approx((2 * 0.5 + 2 * 0.5 + 1) / 5, abs=1e-12)
    # The rank correlations are near 1 / sqrt(2).
    assert recovered(TURNED) == pytest.approx(1 / 3)


def test_mixed_evenly():
    # Each code is two thirds of two factors and one third of the last: a factor that
    # is fixed stills two codes alike, and each code is stilled by two factors.
    codes = FACTORS @ (np.eye(3) - 2 / 3)
    assert factor_vae(codes) == pytest.approx(1 / 2, abs=0.02)
    assert mig(codes) < 0.1
    assert mig_sup(codes) == pytest.approx(0.084, abs=0.001)
    # Half, less for what it knows of the third factor, more by the ties in its bins.
    assert modularity(codes) == pytest.approx(0.526, abs=0.001)
    assert dci(codes).disentanglement < 0.1
    assert dci(codes).completeness < 0.1
    assert dci(codes).informativeness > 0.9
    assert recovered(codes) == 0
    # A fixed factor takes two of five parts from a code.
    assert irs(codes) == pytest.approx(2 / 5, abs=1e-12)
    # No two factors still the same two codes, and a line undoes any mixture.
    assert beta_vae(codes) > 0.9
    assert explicitness(codes) == pytest.approx(1, abs=1e-12)


def test_turned_a_little():
    angle = np.deg2rad(20)
    cos, sin = np.cos(angle), np.sin(angle)
    codes = FACTORS @ [[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]
    # One factor still dominates each code, which is all that these ask for.
    assert factor_vae(codes) == 1
    assert beta_vae(codes) == 1
    assert recovered(codes) == 1
    assert explicitness(codes) == pytest.approx(1, abs=1e-12)
    assert mig(codes) < 0.7
    assert mig_sup(codes) < 0.7
    assert modularity(codes) < 0.7
    assert dci(codes).disentanglement < 0.8
    assert dci(codes).informativeness > 0.95
    # A turned code keeps sin of a range of cos + sin, which is its weight.
    expected = (2 * cos + 1) / (2 * (cos + sin) + 1)
    assert irs(codes) == pytest.approx(expected, abs=1e-12)


def test_pure_noise_is_at_chance():
    assert factor_vae(NOISE) == pytest.approx(1 / 3, abs=0.05)
    assert beta_vae(NOISE) == pytest.approx(1 / 3, abs=0.05)
    assert explicitness(NOISE) == pytest.approx(1 / 2, abs=0.05)
    assert 0 <= mig(NOISE) < 0.02
    assert 0 <= mig_sup(NOISE) < 0.01
    assert max(dci(NOISE)) < 0.05
    assert recovered(NOISE) == 0
    # These two do not reach 0.
    assert modularity(NOISE) < 0.5
    assert irs(NOISE) < 0.5


def test_one_factor_missing_from_the_codes():
    codes = FACTORS[:, :2]
    # The missing factor stills no code, and its votes are taken for other factors.
    assert factor_vae(codes) == pytest.approx(2 / 3, abs=0.03)
    # To a line, what stills no code is the missing factor.
    assert beta_vae(codes) == 1
    assert mig(codes) == pytest.approx(2 / 3, abs=1e-12)
    assert recovered(codes) == pytest.approx(2 / 3)
    # These ask whether each code serves one factor, and not what is missing.
    assert mig_sup(codes) == pytest.approx(1, abs=1e-12)
    assert modularity(codes) == pytest.approx(1, abs=1e-12)
    assert irs(codes) == 1
    # Where nothing is known, half of the pairs of rows are in the right order.
    assert explicitness(codes) == pytest.approx((1 + 1 + 1 / 2) / 3, abs=0.03)
    # The forest of the missing factor splits on the two codes at random, so that a
    # third of the importance of each is for a factor it knows nothing of.
    third = (np.log(3) - 2 / 3 * np.log(2)) / np.log(3)
    assert dci(codes).disentanglement == pytest.approx(1 - third, abs=0.04)
    assert dci(codes).completeness == pytest.approx(2 / 3, abs=0.06)
    assert dci(codes).informativeness == pytest.approx(2 / 3, abs=0.02)


def test_matrix_of_the_identity_is_diagonal():
    information = mutual_information_matrix(FACTORS, FACTORS)
    np.testing.assert_allclose(information, np.log(6) * np.eye(3), atol=1e-12)


@pytest.fixture(scope="module")
def ever_noisier():
    """Codes with a share of noise of 0, 0.3, 0.6 and 1."""
    centred = (FACTORS - 2.5) / FACTORS.std()
    return [(1 - share) * centred + share * NOISE for share in [0, 0.3, 0.6, 1]]


@pytest.mark.parametrize("score", ["DCI", "MIG", "MIG-sup", "explicitness", "IRS"])
def test_falls_as_noise_is_mixed_in(score, ever_noisier):
    scores = [SCORES[score](codes) for codes in ever_noisier]
    assert (np.diff(scores, axis=0) < 0).all()


@pytest.mark.parametrize("score", ["FactorVAE", "beta-VAE", "recovered"])
def test_forgives_a_little_noise_and_then_falls(score, ever_noisier):
    scores = [SCORES[score](codes) for codes in ever_noisier]
    assert scores[:2] == [1, 1]
    assert (np.diff(scores) <= 0).all()
    assert scores[-1] < 0.5


def test_modularity_falls_only_at_the_end(ever_noisier):
    # What little a noisy code knows is of one factor as long as it knows any.
    *noisy, pure_noise = [modularity(codes) for codes in ever_noisier]
    assert min(noisy) > 0.98
    assert pure_noise < 0.5


# name: (what makes the codes, SAP of continuous factors, SAP of yes/no factors). Who
# knows nothing is right about a yes or no half of the time, so that no gap exceeds 1/2.
SAP = {
    "identity": (lambda factors: factors, 1, 1 / 2),
    "permuted": (lambda factors: factors[:, [2, 0, 1]], 1, 1 / 2),
    "sign-flipped": (lambda factors: factors * [1, -1, -1], 1, 1 / 2),
    "rescaled": (lambda factors: factors * [0.5, 4.0, 16.0] + [0, 8, -4], 1, 1 / 2),
    "dead codes added": (add_dead, 1, 1 / 2),
    # No gap for one factor of three, or for two.
    "factor stored twice": (store_first_twice, 2 / 3, 1 / 3),
    "turned": (turn, 1 / 3, 1 / 6),
    "one factor missing": (lambda factors: factors[:, :2], 2 / 3, 1 / 3),
    "noise": (noise_like, 0, 0),
    "all codes dead": (lambda factors: 0 * factors, 0, 0),
}


@pytest.mark.parametrize("name", SAP)
def test_sap_of_continuous_factors(name):
    factors = grid(24, n_copies=1)
    codes_of, expected, _ = SAP[name]
    tolerance = 0.001 if name == "noise" else 1e-9
    score = sap_score(factors / 7, codes_of(factors))  # no whole numbers
    assert score == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("name", SAP)
def test_sap_of_yes_or_no(name):
    factors = grid(2, n_copies=250)
    codes_of, _, expected = SAP[name]
    score = sap_score(factors == 1, codes_of(factors), random_state=0)
    assert score == pytest.approx(expected, abs=0.03)


def test_sap_sees_straight_lines_only():
    # Codes that bend a factor know it as well, but no line says so.
    factors = grid(24, n_copies=1)
    correlation = np.corrcoef(factors[:, 0], np.exp(factors[:, 0] / 8))[0, 1]
    score = sap_score(factors / 7, np.exp(factors / 8))
    assert score == pytest.approx(correlation**2, abs=1e-9)
    assert score < 0.9
