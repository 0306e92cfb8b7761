"""The thesis' label-free variant of the FactorVAE metric."""

import numpy as np
import pandas as pd
import pytest

from skvae.metrics import LatentConsistency, latent_consistency_score

FEW = {"n_runs_train": 200, "n_runs_eval": 200}


@pytest.fixture
def codes():
    return np.random.RandomState(0).normal(size=(500, 3))


def identity(rows):
    return rows


def listing_c3(codes, decode, encode, n_runs, random_state):
    """Listing C.3 of the thesis as it stands, one run after the other."""
    n_rows, n_latents = codes.shape
    global_variances = np.var(codes, axis=0, ddof=1)
    votes = np.zeros((n_latents, n_latents), dtype=int)
    for _ in range(n_runs):
        fixed_codes = codes.copy()
        fixed = random_state.randint(n_latents)
        fixed_codes[:, fixed] = fixed_codes[random_state.randint(n_rows), fixed]
        encoded = encode(decode(fixed_codes))
        local_variances = np.var(encoded, axis=0, ddof=1)
        votes[np.argmin(local_variances / global_variances), fixed] += 1
    return votes


def accuracy(classifier_votes, votes):
    predicted = classifier_votes.argmax(axis=1)
    return votes[np.arange(len(votes)), predicted].sum() / votes.sum()


def noisy_round_trip(seed):
    """A model that mixes its latents a little and draws its codes."""
    rng = np.random.RandomState(seed)
    mixing = np.eye(3) + 0.8 * np.random.RandomState(5).normal(size=(3, 3))
    return lambda codes: codes @ mixing, lambda rows: rows + rng.normal(size=rows.shape)


def test_thesis_protocol_agrees_with_the_listing(codes):
    codes = codes[:60]
    decode, encode = noisy_round_trip(1)
    result = latent_consistency_score(
        codes, decode, encode, protocol="thesis", n_runs_eval=4000, random_state=0
    )
    decode, encode = noisy_round_trip(2)
    rng = np.random.RandomState(3)
    train = listing_c3(codes, decode, encode, 1000, rng)
    evaluation = listing_c3(codes, decode, encode, 4000, rng)
    expected = accuracy(train, evaluation)
    assert 0.4 < expected < 0.95  # neither chance nor certainty
    assert result.eval_accuracy == pytest.approx(expected, abs=0.03)
    assert result.train_accuracy == pytest.approx(accuracy(train, train), abs=0.05)


def test_thesis_protocol_sends_every_row_once(codes):
    seen = []

    def decode(rows):
        seen.extend(rows.reshape(-1, 500, 3))
        return rows

    latent_consistency_score(codes, decode, identity, protocol="thesis", **FEW)
    assert len(seen) == 400
    for block in seen:
        changed = (block != codes).any(axis=0)
        assert changed.sum() == 1
        (value,) = np.unique(block[:, changed])
        assert value in codes[:, changed]


def test_perfect_round_trip_scores_one_even_if_rotated(codes):
    rotation = np.linalg.qr(np.random.RandomState(1).normal(size=(3, 3)))[0]
    result = latent_consistency_score(
        codes,
        lambda z: z @ rotation,
        lambda rows: rows @ rotation.T,
        random_state=0,
        **FEW,
    )
    assert result == LatentConsistency(1.0, 1.0)
    assert isinstance(result.eval_accuracy, float)


def test_relabelled_latents_are_learnt_by_the_classifier(codes):
    def shuffle(rows):
        return rows[:, [1, 2, 0]]

    result = latent_consistency_score(codes, shuffle, identity, random_state=0, **FEW)
    assert result == LatentConsistency(1.0, 1.0)


def test_scale_of_the_latents_does_not_matter(codes):
    mixing = np.eye(3) + 0.8 * np.random.RandomState(5).normal(size=(3, 3))
    scale = np.array([1.0, 8.0, 64.0])

    def score(scale):
        return latent_consistency_score(
            codes * scale,
            lambda z: (z / scale) @ mixing,
            lambda rows: rows * scale,
            random_state=0,
            **FEW,
        )

    assert score(scale) == score(1.0)
    assert score(1.0).eval_accuracy < 1


def test_model_that_forgets_is_at_chance(codes):
    rng = np.random.RandomState(1)

    def forget(rows):
        return rng.normal(size=rows.shape)

    result = latent_consistency_score(codes, identity, forget, random_state=0)
    assert result.eval_accuracy == pytest.approx(1 / 3, abs=0.07)


def test_dead_latent_counts_in_the_thesis_protocol_only(codes):
    rng = np.random.RandomState(1)

    def ignore_last(rows):
        return rows[:, :2]

    def encode_means(rows):
        return np.column_stack([rows, np.zeros(len(rows))])

    def encode_draws(rows):
        return np.column_stack([rows, rng.normal(size=len(rows))])

    means = codes * [1, 1, 0]
    result = latent_consistency_score(
        means, ignore_last, encode_means, random_state=0, **FEW
    )
    assert result == LatentConsistency(1.0, 1.0)
    # With the dead latent fixed, the vote is a matter of luck.
    result = latent_consistency_score(
        codes, ignore_last, encode_draws, protocol="thesis", random_state=0, **FEW
    )
    assert 0.6 < result.eval_accuracy < 0.95


def test_only_active_latents_are_fixed(codes):
    changed = set()

    def decode(rows):
        for block in rows.reshape(-1, 256, 3):
            changed.update(np.flatnonzero(np.ptp(block, axis=0) == 0))
        return rows

    options = dict(random_state=0, **FEW)
    latent_consistency_score(
        codes, decode, identity, active=[True, False, True], **options
    )
    assert changed == {0, 2}
    changed.clear()
    latent_consistency_score(codes * [1, 1, 0.01], decode, identity, **options)
    assert changed == {0, 1}


def test_no_active_and_one_active_latent(codes):
    def never(rows):
        raise AssertionError("nothing to decode")

    assert latent_consistency_score(0 * codes, never, never) == (0.0, 0.0)
    assert latent_consistency_score(codes, never, never, active=[False] * 3) == (0, 0)
    result = latent_consistency_score(
        codes, identity, identity, active=[True, False, False], **FEW
    )
    assert result == (1.0, 1.0)


def test_runs_share_calls(codes):
    sizes = []

    def decode(rows):
        sizes.append(len(rows))
        return rows

    latent_consistency_score(codes, decode, identity, **FEW)
    assert sum(sizes) == 400 * 256
    assert len(sizes) < 20


def test_number_of_rows(codes):
    sizes = []

    def decode(rows):
        sizes.append(len(rows))
        return rows

    latent_consistency_score(codes, decode, identity, n_rows_per_run=10, **FEW)
    assert sum(sizes) == 400 * 10
    sizes.clear()
    latent_consistency_score(codes, decode, identity, n_rows_per_run=10**6, **FEW)
    assert sum(sizes) == 400 * 500


def test_deterministic_and_codes_untouched(codes):
    before = codes.copy()
    mixing = np.eye(3) + 0.8 * np.random.RandomState(5).normal(size=(3, 3))

    def score(seed):
        return latent_consistency_score(
            codes, lambda z: np.tanh(z @ mixing), identity, random_state=seed, **FEW
        )

    assert score(0) == score(0)
    assert score(0) != score(1)
    np.testing.assert_array_equal(codes, before)


def test_encode_may_return_a_frame(codes):
    result = latent_consistency_score(codes, pd.DataFrame, identity, **FEW)
    assert result == (1.0, 1.0)


def test_what_comes_back_is_checked(codes):
    with pytest.raises(
        ValueError, match=r"Expected encode\(decode\(codes\)\) of shape"
    ):
        latent_consistency_score(codes, identity, lambda rows: rows[:, :2])
    with pytest.raises(ValueError, match="contains NaN"):
        latent_consistency_score(codes, identity, lambda rows: rows * np.nan)


def test_active_is_checked(codes):
    with pytest.raises(ValueError, match=r"boolean mask of shape \(3,\)"):
        latent_consistency_score(codes, identity, identity, active=[True, False])
    with pytest.raises(ValueError, match="boolean mask"):
        latent_consistency_score(codes, identity, identity, active=[0, 2, 1])
    with pytest.raises(ValueError, match="fixes every latent"):
        latent_consistency_score(
            codes, identity, identity, protocol="thesis", active=[True] * 3
        )
