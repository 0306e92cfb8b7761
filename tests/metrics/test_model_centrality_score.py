"""ModelCentrality on linear models whose similarity is known."""

import numpy as np
import pandas as pd
import pytest

from skvae.metrics import ModelCentrality, model_centrality_score

FEW = {"n_votes_train": 200, "n_votes_eval": 200, "random_state": 0}
FACTORS = np.random.RandomState(0).normal(size=(500, 3))
IDENTITY = np.eye(3)
ORDER = IDENTITY[:, [2, 0, 1]]
# Two of the three latents turned by 45 degrees: neither dominates.
TURN = np.array([[1, 1, 0], [-1, 1, 0], [0, 0, np.sqrt(2)]]) / np.sqrt(2)


def linear_models(*mixings):
    """Models that encode by a matrix and decode by its inverse."""
    codes = [FACTORS @ mixing for mixing in mixings]
    decode = [lambda z, m=mixing: z @ np.linalg.pinv(m) for mixing in mixings]
    encode = [lambda rows, m=mixing: rows @ m for mixing in mixings]
    return codes, decode, encode


def random_mixing(seed):
    return IDENTITY + 0.7 * np.random.RandomState(seed).normal(size=(3, 3))


def accuracy_by_loop(blocks, fixed, n_train, reference_codes, encode):
    """The vote on given blocks, one after the other."""
    variance = encode(reference_codes).var(axis=0, ddof=1)
    votes = []
    for block in blocks:
        ratios = encode(block).var(axis=0, ddof=1) / variance
        votes.append(min(range(len(ratios)), key=lambda d: ratios[d]))
    table = np.zeros((len(variance), max(fixed) + 1))
    for vote, factor in zip(votes[:n_train], fixed[:n_train], strict=True):
        table[vote, factor] += 1
    hits = [
        table[vote].argmax() == factor
        for vote, factor in zip(votes[n_train:], fixed[n_train:], strict=True)
    ]
    return np.mean(hits)


def test_equals_plain_loop_on_the_same_rows():
    codes, decode, encode = linear_models(*(random_mixing(seed) for seed in range(3)))
    seen = [[], [], []]

    def listen(i):
        def decode_and_note(z):
            seen[i].append(z)
            return decode[i](z)

        return decode_and_note

    result = model_centrality_score(
        codes, [listen(i) for i in range(3)], encode, n_rows_per_vote=20, **FEW
    )
    expected = np.full((3, 3), np.nan)
    for i in range(3):
        reference_codes, *calls = seen[i]
        assert len(reference_codes) == 500
        blocks = np.concatenate(calls).reshape(400, 20, 3)
        is_fixed = np.ptp(blocks, axis=1) == 0
        assert (is_fixed.sum(axis=1) == 1).all()
        fixed = is_fixed.argmax(axis=1)
        for j in {0, 1, 2} - {i}:
            expected[i, j] = accuracy_by_loop(
                blocks,
                fixed,
                200,
                reference_codes,
                lambda z, i=i, j=j: encode[j](decode[i](z)),
            )
    np.testing.assert_allclose(result.pairwise, expected, atol=1e-12)
    assert 0.5 < np.nanmax(expected) < 0.95  # neither chance nor certainty
    similarity = (expected + expected.T) / 2
    np.testing.assert_allclose(result.per_model, np.nanmean(similarity, axis=0))
    assert result.mean == pytest.approx(np.nanmean(similarity))
    assert isinstance(result, ModelCentrality)
    assert type(result.mean) is float


def test_fixed_values_are_those_of_rows():
    codes, decode, encode = linear_models(IDENTITY, ORDER)
    seen = []

    def note(z):
        seen.append(z)
        return z

    model_centrality_score(codes, [note, decode[1]], encode, **FEW)
    blocks = np.concatenate(seen[1:]).reshape(-1, 100, 3)
    for d in range(3):
        assert np.isin(blocks[:, :, d], codes[0][:, d]).all()


def test_order_sign_and_scale_make_no_difference():
    mixings = [IDENTITY, ORDER, -IDENTITY, np.diag([0.1, 1.0, 10.0])]
    result = model_centrality_score(*linear_models(*mixings), **FEW)
    np.testing.assert_array_equal(result.per_model, np.ones(4))
    assert np.isnan(np.diag(result.pairwise)).all()


def test_the_model_unlike_the_others_is_the_least_central():
    result = model_centrality_score(*linear_models(IDENTITY, ORDER, TURN), **FEW)
    assert result.pairwise[0, 1] == result.pairwise[1, 0] == 1
    # One latent in three is told, the other two are guessed.
    np.testing.assert_allclose(result.pairwise[2, :2], 2 / 3, atol=0.1)
    np.testing.assert_allclose(result.pairwise[:2, 2], 2 / 3, atol=0.1)
    assert result.per_model.argmin() == 2


def test_small_turn_is_not_seen():
    angle = np.deg2rad(20)
    turn = IDENTITY.copy()
    turn[:2, :2] = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    result = model_centrality_score(*linear_models(IDENTITY, turn), **FEW)
    assert result.mean == 1


def test_encoders_that_forget_are_at_chance():
    codes, decode, _ = linear_models(IDENTITY, IDENTITY)
    rng = np.random.RandomState(1)
    encode = [lambda rows: rng.normal(size=rows.shape)] * 2
    options = {"n_votes_train": 2000, "n_votes_eval": 2000, "n_rows_per_vote": 10}
    result = model_centrality_score(codes, decode, encode, random_state=0, **options)
    assert result.mean == pytest.approx(1 / 3, abs=0.04)
    result = model_centrality_score(
        codes, decode, encode, adjusted=True, random_state=0, **options
    )
    assert result.mean == pytest.approx(0, abs=0.06)


def test_adjusted_score_is_linear_in_the_score():
    models = linear_models(IDENTITY, TURN)
    score = model_centrality_score(*models, **FEW).pairwise
    adjusted = model_centrality_score(*models, adjusted=True, **FEW).pairwise
    np.testing.assert_allclose(adjusted, (score - 1 / 3) / (2 / 3))


def test_dead_latents_are_neither_fixed_nor_voted_for():
    codes, decode, encode = linear_models(IDENTITY, ORDER)

    def with_dead(rows):
        return np.column_stack([np.zeros(len(rows)), rows, 1e-3 * rows[:, 0]])

    codes[1] = with_dead(codes[1])
    decode[1] = lambda z: z[:, 1:4] @ ORDER.T
    encode[1] = lambda rows: with_dead(rows @ ORDER)
    result = model_centrality_score(codes, decode, encode, **FEW)
    assert result.mean == 1


def test_latent_that_another_models_rows_do_not_stir_is_not_voted_for():
    # Model 1 knows a third factor that the decoder of model 0 never moves.
    codes, decode, encode = linear_models(IDENTITY[:, :2], IDENTITY)
    result = model_centrality_score(codes, decode, encode, **FEW)
    assert result.pairwise[0, 1] == 1
    # Of rows of model 1, model 0 tells all but the third latent.
    assert 0.6 < result.pairwise[1, 0] < 0.8


def test_only_latents_called_active_are_fixed():
    codes, decode, encode = linear_models(IDENTITY, ORDER)
    fixed = set()

    def note(z):
        for block in z[: len(z) // 100 * 100].reshape(-1, 100, 3):
            fixed.update(np.flatnonzero(np.ptp(block, axis=0) == 0))
        return z

    active = [[True, False, True], [True, True, True]]
    model_centrality_score(codes, [note, decode[1]], encode, active=active, **FEW)
    assert fixed == {0, 2}


@pytest.mark.parametrize("adjusted", [False, True])
def test_collapsed_model_scores_zero(adjusted):
    mixings = [IDENTITY, ORDER, 0 * IDENTITY]
    result = model_centrality_score(*linear_models(*mixings), adjusted=adjusted, **FEW)
    np.testing.assert_array_equal(result.per_model, [0.5, 0.5, 0])
    result = model_centrality_score(*linear_models(*(0 * ORDER,) * 2), **FEW)
    assert result.mean == 0


def test_single_latent_teaches_nothing():
    models = linear_models(IDENTITY[:, :1], TURN[:, :1])
    assert model_centrality_score(*models, **FEW).mean == 1
    assert model_centrality_score(*models, adjusted=True, **FEW).mean == 0


def test_rows_are_decoded_once_for_all_encoders():
    codes, _, encode = linear_models(*(IDENTITY,) * 5)
    n_decoded = []

    def note(z):
        n_decoded.append(len(z))
        return z

    model_centrality_score(codes, [note] * 5, encode, **FEW)
    assert sum(n_decoded) == 5 * (500 + 400 * 100)
    assert max(n_decoded) <= 2**14
    assert len(n_decoded) < 5 * 6


def test_same_seed_same_score_and_codes_untouched():
    codes, decode, encode = linear_models(random_mixing(0), random_mixing(1))
    before = [c.copy() for c in codes]
    options = {**FEW, "n_rows_per_vote": 10}

    def score(seed):
        options["random_state"] = seed
        return model_centrality_score(codes, decode, encode, **options).mean

    assert score(0) == score(0)
    assert score(0) != score(1)
    np.testing.assert_array_equal(codes, before)


def test_rows_may_be_frames_and_models_may_see_different_rows():
    codes, _, encode = linear_models(IDENTITY, IDENTITY)
    codes[1] = codes[1][:300]
    decode = [lambda z: pd.DataFrame(z, columns=list("abc"))] * 2
    assert model_centrality_score(codes, decode, encode, **FEW).mean == 1


def test_models_are_checked():
    codes, decode, encode = linear_models(IDENTITY, ORDER)
    with pytest.raises(ValueError, match="at least two models to compare, got 1"):
        model_centrality_score(codes[:1], decode[:1], encode[:1])
    with pytest.raises(ValueError, match="entry of decode for each of the 2 models"):
        model_centrality_score(codes, decode[:1], encode)
    with pytest.raises(TypeError, match=r"encode\[1\] to be callable, got None"):
        model_centrality_score(codes, decode, [encode[0], None])
    with pytest.raises(ValueError, match=r"active\[0\] as a boolean mask of .* \(3,\)"):
        model_centrality_score(codes, decode, encode, active=[[True], [True] * 3])
    with pytest.raises(ValueError, match="The 'n_rows_per_vote' parameter"):
        model_centrality_score(codes, decode, encode, n_rows_per_vote=1)
    with pytest.raises(ValueError, match=r"Input codes\[1\] contains NaN"):
        model_centrality_score([codes[0], codes[1] * np.nan], decode, encode)


def test_what_encode_returns_is_checked():
    codes, decode, encode = linear_models(IDENTITY, ORDER)
    narrow = [encode[0], lambda rows: rows[:, :2]]
    with pytest.raises(ValueError, match=r"encode\[1\] .* \(500, 3\), got \(500, 2\)"):
        model_centrality_score(codes, decode, narrow)
    broken = [encode[0], lambda rows: rows * np.nan]
    with pytest.raises(ValueError, match=r"output of encode\[1\] contains NaN"):
        model_centrality_score(codes, decode, broken)
