"""Unsupervised disentanglement ranking against closed forms and a plain loop."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import Lasso

from skvae.metrics import UDR, udr_score

SIMILARITIES = ["spearman", "lasso"]
# A perfect match: the Lasso shrinks its coefficients of 1 by its penalty.
PERFECT = {"spearman": 1.0, "lasso": 0.9}


def crossed_codes(n_latents=3):
    """Codes that cross all their levels: values and ranks are uncorrelated."""
    return np.indices((7,) * n_latents).reshape(n_latents, -1).T - 3.0


def entangled_codes(n_models, n_latents=3, seed=0):
    """Models that mix the same factors, each in its own way."""
    rng = np.random.RandomState(seed)
    factors = rng.normal(size=(60, n_latents))
    return [factors @ rng.normal(size=(n_latents,) * 2) for _ in range(n_models)]


def score_of_pair(codes, other_codes, similarity):
    """The published formula, latent by latent."""
    matrix = np.zeros((codes.shape[1], other_codes.shape[1]))
    codes, other_codes = (
        (c - c.mean(axis=0)) / c.std(axis=0) for c in (codes, other_codes)
    )
    for b in range(other_codes.shape[1]):
        lasso = Lasso(alpha=0.1).fit(codes, other_codes[:, b])
        for a in range(codes.shape[1]):
            rank_correlation = spearmanr(codes[:, a], other_codes[:, b]).statistic
            matrix[a, b] = abs(
                rank_correlation if similarity == "spearman" else lasso.coef_[a]
            )
    columns = [max(c) ** 2 / sum(c) if any(c) else 0 for c in matrix.T]
    rows = [max(r) ** 2 / sum(r) if any(r) else 0 for r in matrix]
    return (np.mean(columns) + np.mean(rows)) / 2, min(sum(columns), sum(rows))


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_equals_plain_loop(similarity):
    codes = entangled_codes(4)
    codes[1] = codes[1].round()  # ties
    codes[2] = codes[2][:, :2]  # another number of latents
    expected, shared = np.full((2, 4, 4), np.nan)
    for i in range(4):
        for j in range(4):
            if i != j:
                pair = score_of_pair(codes[i], codes[j], similarity)
                expected[i, j], shared[i, j] = pair
    result = udr_score(codes, similarity=similarity)
    np.testing.assert_allclose(result.pairwise, expected, rtol=1e-6)
    # Column j tells how well the others predict model j.
    medians = [np.median(np.delete(expected[:, j], j)) for j in range(4)]
    np.testing.assert_allclose(result.per_model, medians, rtol=1e-6)
    assert result.mean == pytest.approx(np.mean(medians), rel=1e-6)
    of_models = [np.median(np.delete(shared[:, j], j)) for j in range(4)]
    assert result.n_shared == pytest.approx(np.mean(of_models), rel=1e-6)
    assert isinstance(result, UDR)
    assert type(result.mean) is type(result.n_shared) is float


def test_a_latent_that_others_lack_costs_the_mean_and_not_the_count():
    codes = crossed_codes(4)
    few = [codes[:, :3], -codes[:, :3]]
    more = [codes, -codes[:, :3]]
    assert udr_score(few).n_shared == pytest.approx(3)
    assert udr_score(more).n_shared == pytest.approx(3)
    assert udr_score(more).mean < udr_score(few).mean == pytest.approx(1)
    assert udr_score([codes, codes]).n_shared == pytest.approx(4)


def test_copies_are_shared_once_at_most():
    codes = crossed_codes()
    assert udr_score([codes[:, :1], codes[:, [0] * 10]]).n_shared <= 1
    noise = np.random.RandomState(0).normal(size=codes.shape)
    doubled = np.column_stack([codes, codes + noise])
    assert udr_score([codes, doubled]).n_shared < 3
    assert udr_score([codes, codes]).n_shared == pytest.approx(3)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_order_sign_and_scale_do_not_matter(similarity):
    codes = crossed_codes()
    models = [codes, codes[:, [2, 0, 1]], -codes, codes * [0.1, 1, 10] + 5]
    result = udr_score(models, similarity=similarity)
    off_diagonal = ~np.eye(4, dtype=bool)
    np.testing.assert_allclose(
        result.pairwise[off_diagonal], PERFECT[similarity], rtol=1e-9
    )
    assert np.isnan(result.pairwise[~off_diagonal]).all()
    assert result.mean == pytest.approx(PERFECT[similarity])


def test_monotone_curves_do_not_matter_to_ranks_only():
    codes = crossed_codes()
    assert udr_score([codes, np.exp(codes)]).mean == pytest.approx(1)
    assert udr_score([codes, np.exp(codes)], similarity="lasso").mean < 0.8


def test_correlated_latents_cost_identical_models_too():
    codes = entangled_codes(1)[0]
    correlations = np.abs(spearmanr(codes).statistic)
    expected = np.mean(1 / correlations.sum(axis=0))
    assert udr_score([codes, codes]).mean == pytest.approx(expected)
    assert expected < 0.8


@pytest.mark.parametrize("degrees", [20, 45])
def test_rotated_latents_have_a_closed_form(degrees):
    angle = np.deg2rad(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    draws = np.random.RandomState(0).normal(size=(20_000, 2))
    codes, _ = np.linalg.qr(draws - draws.mean(axis=0))
    codes *= np.sqrt(20_000)
    turned = codes @ [[cosine, -sine], [sine, cosine]]
    # Soft thresholds, where the latents are orthogonal.
    strong, weak = cosine - 0.1, sine - 0.1
    expected = strong**2 / (strong + weak)
    result = udr_score([codes, turned], similarity="lasso")
    assert result.mean == pytest.approx(expected, rel=1e-6)
    # The rank correlation of Gaussian variables.
    strong, weak = 6 / np.pi * np.arcsin(np.array([cosine, sine]) / 2)
    expected = strong**2 / (strong + weak)
    assert udr_score([codes, turned]).mean == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("n_latents", "half_normal"), [(1, 0.7979), (2, 0.8277)])
def test_independent_noise_is_at_chance(n_latents, half_normal):
    # A correlation of independent ranks has variance 1 / (n - 1). With m such in a
    # row, max**2 / sum has mean c / sqrt(n - 1): c is sqrt(2 / pi) for m = 1, and
    # sqrt(2 / pi) * (log(1 + sqrt(2)) / sqrt(2) + sqrt(2) - 1) for m = 2.
    rng = np.random.RandomState(0)
    codes = [rng.normal(size=(500, n_latents)) for _ in range(40)]
    chance = half_normal / np.sqrt(499)
    assert np.nanmean(udr_score(codes).pairwise) == pytest.approx(chance, rel=0.05)
    # The Lasso sets what is as weak as this to 0.
    assert udr_score(codes[:3], similarity="lasso").mean < 0.02


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_half_of_the_latents_shared(similarity):
    codes = crossed_codes(n_latents=3)
    result = udr_score([codes[:, [0, 1]], codes[:, [0, 2]]], similarity=similarity)
    assert result.mean == pytest.approx(PERFECT[similarity] / 2)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_latent_stored_twice_costs(similarity):
    codes = crossed_codes(n_latents=2)
    twice = codes[:, [0, 1, 1]]
    result = udr_score([codes, twice], similarity=similarity)
    if similarity == "spearman":
        # Rows: 1 and 1 / 2. Columns: 1, 1 and 1.
        assert result.mean == pytest.approx((0.75 + 1) / 2)
    # Predicting the copies is as easy as predicting one.
    assert result.pairwise[0, 1] < PERFECT[similarity]
    assert result.mean < PERFECT[similarity]


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_dead_latents_take_no_part(similarity):
    codes = entangled_codes(3)
    rng = np.random.RandomState(1)
    dead = [
        np.column_stack([c, 1e-3 * rng.normal(size=60), np.ones(60)]) for c in codes
    ]
    expected = udr_score(codes, similarity=similarity)
    result = udr_score(dead, similarity=similarity)
    np.testing.assert_array_equal(result.pairwise, expected.pairwise)
    # The same latents by mask and by divergence, of which .01 itself is too little.
    mask = [True, True, True, False, False]
    for rule in ({"active": [mask] * 3}, {"kl": [[1, 0.011, 1, 0.01, 0]] * 3}):
        result = udr_score(dead, similarity=similarity, **rule)
        np.testing.assert_array_equal(result.pairwise, expected.pairwise)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_constant_latent_that_is_called_active_counts_zero(similarity):
    codes = crossed_codes(n_latents=2)
    models = [np.column_stack([codes, np.full(49, 0.1)])] * 2
    result = udr_score(models, active=[[True] * 3] * 2, similarity=similarity)
    assert result.mean == pytest.approx(PERFECT[similarity] * 2 / 3)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_collapsed_model_scores_zero(similarity):
    codes = crossed_codes()
    result = udr_score([codes, codes, codes, 0 * codes], similarity=similarity)
    np.testing.assert_array_equal(result.pairwise[3, :3], 0)
    np.testing.assert_array_equal(result.pairwise[:3, 3], 0)
    np.testing.assert_allclose(result.per_model, [PERFECT[similarity]] * 3 + [0])
    assert udr_score([0 * codes, 0 * codes], similarity=similarity).mean == 0


def test_codes_stay_untouched_and_lists_will_do():
    codes = entangled_codes(2)
    before = [c.copy() for c in codes]
    result = udr_score(codes)
    np.testing.assert_array_equal(codes, before)
    assert udr_score([c.tolist() for c in codes]).mean == result.mean


def test_at_least_two_models():
    with pytest.raises(ValueError, match="at least two models to compare, got 1"):
        udr_score(entangled_codes(1))


def test_codes_are_checked():
    codes = entangled_codes(2)
    with pytest.raises(ValueError, match=r"same rows .* \[\(60, 3\), \(59, 3\)\]"):
        udr_score([codes[0], codes[1][1:]])
    with pytest.raises(ValueError, match="The 'codes' parameter"):
        udr_score(np.array(codes))
    codes[1][3, 1] = np.nan
    with pytest.raises(ValueError, match=r"Input codes\[1\] contains NaN"):
        udr_score(codes)


def test_masks_and_divergences_are_checked():
    codes = entangled_codes(2)
    with pytest.raises(ValueError, match="entry of active for each of the 2 models"):
        udr_score(codes, active=[[True] * 3])
    with pytest.raises(ValueError, match=r"active\[1\] as a boolean mask of .* \(3,\)"):
        udr_score(codes, active=[[True] * 3, [1, 1, 0]])
    with pytest.raises(ValueError, match=r"kl\[0\] as finite numbers of shape \(3,\)"):
        udr_score(codes, kl=[[1.0, 2.0], [1.0, 2.0, 3.0]])
    with pytest.raises(ValueError, match=r"kl\[1\] as finite numbers"):
        udr_score(codes, kl=[[1.0, 2.0, 3.0], [1.0, np.nan, 3.0]])
    with pytest.raises(ValueError, match="expected at most one"):
        udr_score(codes, active=[[True] * 3] * 2, kl=[[1.0] * 3] * 2)
    with pytest.raises(ValueError, match="The 'similarity' parameter"):
        udr_score(codes, similarity="pearson")
