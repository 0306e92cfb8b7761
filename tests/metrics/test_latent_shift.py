"""Shifts of latents between two data sets, and the intervals around them."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from skvae.metrics import LatentShift, _latent_shift, latent_shift

LATENTS = ["latent0", "latent1", "latent2", "latent3"]


@pytest.fixture
def codes():
    return np.random.RandomState(0).normal(size=(300, 4))


@pytest.fixture
def other_codes():
    """The third latent moved by -1, nothing else did."""
    other = np.random.RandomState(1).normal(size=(200, 4))
    other[:, 2] -= 1.0
    return other


def half_width(shifts):
    return (shifts["upper"] - shifts["lower"]) / 2


def segmented(shift_by_segment, n_rows=100, seed=0):
    """Two sets of codes and their labels, moved by a vector in each segment."""
    rng = np.random.RandomState(seed)
    labels = np.repeat(list(shift_by_segment), n_rows)
    moves = np.repeat(list(shift_by_segment.values()), n_rows, axis=0)
    codes = rng.normal(size=moves.shape)
    other_codes = rng.normal(size=moves.shape) + moves
    shuffled = rng.permutation(len(labels))
    return codes, other_codes[shuffled], labels, labels[shuffled]


def shift_of_segments(codes, other_codes, segments, other_segments, **kwargs):
    return latent_shift(
        codes,
        other_codes,
        segments=segments,
        other_segments=other_segments,
        **kwargs,
    )


def test_shift_is_the_difference_of_the_means(codes, other_codes):
    result = latent_shift(codes, other_codes, n_bootstrap=20)
    assert isinstance(result, LatentShift)
    assert result.cosines is None
    expected = other_codes.mean(axis=0) - codes.mean(axis=0)
    shifts = result.shifts
    assert list(shifts.columns) == ["shift", "lower", "upper", "moved"]
    np.testing.assert_allclose(shifts.loc[LATENTS, "shift"], expected)
    np.testing.assert_allclose(shifts["upper"] - shifts["shift"], half_width(shifts))
    excludes_zero = shifts["lower"].gt(0) | shifts["upper"].lt(0)
    pd.testing.assert_series_equal(shifts["moved"], excludes_zero, check_names=False)
    assert shifts["moved"].dtype == bool


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_a_single_latent_has_the_normal_interval(codes, other_codes, level):
    codes, other_codes = 3.0 * codes[:, :1], other_codes[:, :1]
    shifts = latent_shift(codes, other_codes, level=level, n_bootstrap=2000).shifts
    standard_error = np.sqrt(codes.var() / 300 + other_codes.var() / 200)
    expected = norm.ppf((1 + level) / 2) * standard_error
    assert half_width(shifts).item() == pytest.approx(expected, rel=0.1)


def test_independent_latents_have_the_interval_of_sidak():
    rng = np.random.RandomState(0)
    codes, other_codes = rng.normal(size=(2, 2000, 6))
    shifts = latent_shift(codes, other_codes, n_bootstrap=4000).shifts
    standard_errors = np.sqrt((codes.var(axis=0) + other_codes.var(axis=0)) / 2000)
    expected = norm.ppf((1 + 0.95 ** (1 / 6)) / 2) * standard_errors
    widths = half_width(shifts.loc[[f"latent{d}" for d in range(6)]])
    np.testing.assert_allclose(widths, expected, rtol=0.08)


def test_equal_latents_cost_no_more_than_one(codes, other_codes):
    one = latent_shift(codes[:, :1], other_codes[:, :1]).shifts
    three = latent_shift(codes[:, [0, 0, 0]], other_codes[:, [0, 0, 0]]).shifts
    np.testing.assert_allclose(half_width(three), half_width(one).item())


def test_bootstrap_agrees_with_resampling_row_by_row(codes, other_codes):
    # Skewed codes of different spread.
    codes, other_codes = np.exp(codes[:, :3]), np.exp(other_codes[:, :3] / 2)
    shifts = latent_shift(codes, other_codes, n_bootstrap=4000).shifts
    rng = np.random.RandomState(5)
    replicates = np.array(
        [
            other_codes[rng.choice(200, 200)].mean(axis=0)
            - codes[rng.choice(300, 300)].mean(axis=0)
            for _ in range(4000)
        ]
    )
    standard_errors = replicates.std(axis=0)
    observed = other_codes.mean(axis=0) - codes.mean(axis=0)
    largest = (np.abs(replicates - observed) / standard_errors).max(axis=1)
    expected = np.quantile(largest, 0.95) * standard_errors
    np.testing.assert_allclose(half_width(shifts.loc[LATENTS[:3]]), expected, rtol=0.06)


def test_intervals_hold_together():
    rng = np.random.RandomState(0)
    any_moved = [
        latent_shift(
            rng.normal(size=(150, 5)),
            rng.normal(size=(100, 5)),
            n_bootstrap=300,
            random_state=rng,
        )
        .shifts["moved"]
        .any()
        for _ in range(200)
    ]
    assert 0.01 < np.mean(any_moved) < 0.12


def test_moved_latent_comes_first(codes, other_codes):
    shifts = latent_shift(codes, other_codes).shifts
    assert shifts.index[0] == "latent2"
    assert shifts["moved"].tolist() == [True, False, False, False]
    assert shifts["shift"].abs().is_monotonic_decreasing
    assert shifts.index.name == "factor"


def test_equal_shifts_stay_in_order(codes):
    moved = codes + np.array([1.0, -1.0, 0.0, 1.0])
    # Whole numbers, so that means are exact.
    shifts = latent_shift(np.round(codes) * 0, np.round(moved - codes)).shifts
    assert shifts.index.tolist() == ["latent0", "latent1", "latent3", "latent2"]


def test_greater_level_has_wider_intervals(codes, other_codes):
    narrow, wide = (
        latent_shift(codes, other_codes, level=level).shifts for level in (0.5, 0.99)
    )
    assert (half_width(wide) > half_width(narrow)).all()


def test_names_label_the_rows(codes, other_codes):
    names = np.array(["size", "risk", "age", "region"])
    shifts = latent_shift(codes, other_codes, names=names).shifts
    assert shifts.index[0] == "age"
    assert set(shifts.index) == set(names)


def test_permuting_latents_permutes_rows(codes, other_codes):
    order = [2, 0, 3, 1]
    shifts = latent_shift(codes, other_codes, names=LATENTS).shifts
    permuted = latent_shift(
        codes[:, order], other_codes[:, order], names=[LATENTS[d] for d in order]
    ).shifts
    pd.testing.assert_frame_equal(permuted, shifts)


def test_location_and_scale_of_codes_carry_over(codes, other_codes):
    shifts = latent_shift(codes, other_codes).shifts
    stretched = latent_shift(1e6 + 5.0 * codes, 1e6 + 5.0 * other_codes).shifts
    columns = ["shift", "lower", "upper"]
    np.testing.assert_allclose(stretched[columns], 5.0 * shifts[columns], rtol=1e-6)


def test_exchanging_the_data_sets_flips_the_shift(codes, other_codes):
    forth = latent_shift(codes, other_codes).shifts
    back = latent_shift(other_codes, codes).shifts
    np.testing.assert_allclose(back["shift"], -forth["shift"])


def test_constant_latents_have_no_width_and_widen_no_others(codes, other_codes):
    alone = latent_shift(codes[:, :2], other_codes[:, :2]).shifts
    # The mean of many numbers 0.1 is not 0.1.
    codes[:, 2:], other_codes[:, 2:] = 0.1, [0.1, 0.7]
    shifts = latent_shift(codes, other_codes).shifts
    pd.testing.assert_frame_equal(
        shifts.loc[LATENTS[:2]].sort_index(), alone.sort_index()
    )
    assert shifts.loc["latent2"].tolist() == [0.0, 0.0, 0.0, False]
    still = shifts.loc["latent3"]
    assert still["shift"] == still["lower"] == still["upper"] == 0.7 - 0.1
    assert still["moved"]


def test_all_latents_constant():
    shifts = latent_shift(np.full((30, 2), 0.1), np.full((7, 2), 0.1)).shifts
    assert not shifts["moved"].any()
    assert (shifts[["shift", "lower", "upper"]] == 0.0).all(axis=None)


def test_latent_constant_on_one_side_has_an_interval(codes, other_codes):
    codes[:, 0] = 0.0
    shifts = latent_shift(codes, other_codes).shifts
    assert half_width(shifts)["latent0"] > 0


def test_same_seed_gives_the_same_numbers(codes, other_codes):
    first = latent_shift(codes, other_codes)
    pd.testing.assert_frame_equal(
        first.shifts, latent_shift(codes, other_codes).shifts, check_exact=True
    )
    other_seed = latent_shift(codes, other_codes, random_state=1).shifts
    assert (other_seed["lower"] != first.shifts["lower"]).all()
    np.testing.assert_array_equal(other_seed["shift"], first.shifts["shift"])


def test_global_generator_is_left_alone(codes, other_codes):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    latent_shift(codes, other_codes)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("numbers_per_chunk", [1, 1000])
def test_size_of_chunks_does_not_matter(
    monkeypatch, codes, other_codes, numbers_per_chunk
):
    shifts = latent_shift(codes, other_codes, n_bootstrap=50).shifts
    monkeypatch.setattr(_latent_shift, "_NUMBERS_PER_CHUNK", numbers_per_chunk)
    chunked = latent_shift(codes, other_codes, n_bootstrap=50).shifts
    pd.testing.assert_frame_equal(chunked, shifts)


def test_inputs_are_left_as_they_are(codes, other_codes):
    copies = codes.copy(), other_codes.copy()
    latent_shift(codes, other_codes, n_bootstrap=2)
    np.testing.assert_array_equal(codes, copies[0])
    np.testing.assert_array_equal(other_codes, copies[1])


def test_segments_that_move_alike_have_a_cosine_near_one():
    moves = {"c": [2, 1, 0], "a": [4, 2, 0], "d": [-2, -1, 0], "b": [1, -2, 0]}
    result = shift_of_segments(*segmented(moves, n_rows=1000))
    cosines = result.cosines
    assert list(cosines.index) == list(cosines.columns) == ["a", "b", "c", "d"]
    expected = [[1, 0, 1, -1], [0, 1, 0, 0], [1, 0, 1, -1], [-1, 0, -1, 1]]
    np.testing.assert_allclose(cosines, expected, atol=0.1)
    np.testing.assert_array_equal(np.diag(cosines), 1.0)
    assert (cosines.abs() <= 1).all(axis=None)


def test_segments_are_sorted_and_latents_within_them():
    moves = {"b": [0, 0, 3], "c": [0, 2, 0], "a": [-1, 0, 0]}
    shifts = shift_of_segments(*segmented(moves)).shifts
    assert shifts.index.names == ["segment", "factor"]
    assert list(shifts.index.unique("segment")) == ["a", "b", "c"]
    first = shifts.groupby("segment").head(1)
    expected = [("a", "latent0"), ("b", "latent2"), ("c", "latent1")]
    assert first.index.tolist() == expected
    assert first["moved"].all()
    assert shifts.loc[("b", "latent2"), "shift"] == shifts["shift"].max()
    for _, table in shifts.groupby("segment"):
        assert table["shift"].abs().is_monotonic_decreasing


def test_a_segment_is_compared_as_if_it_were_alone():
    codes, other_codes, labels, other_labels = segmented({1: [0, 1], 2: [1, 0]})
    shifts = shift_of_segments(codes, other_codes, labels, other_labels).shifts
    alone = latent_shift(codes[labels == 1], other_codes[other_labels == 1]).shifts
    pd.testing.assert_frame_equal(shifts.loc[1], alone)


def test_segments_without_enough_rows_are_left_out(codes, other_codes):
    labels = np.array(["a", "b", None], dtype=object)[np.arange(300) % 3]
    other_labels = np.array(["b", "c", np.nan], dtype=object)[np.arange(200) % 3]
    labels[0] = "d"  # a single row here, many there
    other_labels[5:50] = "d"
    result = shift_of_segments(codes, other_codes, labels, other_labels)
    assert list(result.shifts.index.unique("segment")) == ["b"]
    assert result.cosines.to_dict() == {"b": {"b": 1.0}}
    alone = latent_shift(codes[labels == "b"], other_codes[other_labels == "b"]).shifts
    pd.testing.assert_frame_equal(result.shifts.loc["b"], alone)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([10, 9], [9, 10]),
        ([True, False], [False, True]),
        (["b", 1], [1, "b"]),
        ([("b", 1), ("a", 2)], [("a", 2), ("b", 1)]),
        (list(pd.to_datetime(["2020-02-01", "2020-01-01"])), None),
        (list(pd.interval_range(0, 2))[::-1], None),
    ],
)
def test_labels_of_any_kind(codes, other_codes, labels, expected):
    result = shift_of_segments(codes, other_codes, labels * 150, labels * 100)
    expected = labels[::-1] if expected is None else expected
    assert list(result.cosines.index) == expected
    assert list(result.shifts.index.unique("segment")) == expected


def test_categorical_labels_keep_the_order_of_their_categories(codes, other_codes):
    kind = pd.CategoricalDtype(["low", "never", "high"], ordered=True)
    labels = pd.Series(["high", "low", None], dtype=kind)
    result = shift_of_segments(
        codes,
        other_codes,
        # Rows are matched by position, whatever the index says.
        labels.iloc[np.arange(300) % 3],
        labels.iloc[np.arange(200) % 3],
    )
    assert list(result.cosines.index) == ["low", "high"]


def test_segment_that_did_not_move_has_cosine_zero(codes):
    labels = np.repeat(["moved", "still"], 150)
    other_codes = codes.copy()
    other_codes[:150] += 1.0
    cosines = shift_of_segments(codes, other_codes, labels, labels).cosines
    np.testing.assert_array_equal(cosines, np.eye(2))


def test_cosines_of_tiny_shifts():
    labels = np.repeat([0, 1], 2)
    codes = np.zeros((4, 2))
    other_codes = np.array([[1e-200, 0], [1e-200, 0], [-1e200, 0], [-1e200, 0]])
    cosines = shift_of_segments(codes, other_codes, labels, labels).cosines
    np.testing.assert_array_equal(cosines, [[1.0, -1.0], [-1.0, 1.0]])


def test_segments_have_to_come_in_pairs(codes, other_codes):
    with pytest.raises(ValueError, match="got segments and other_segments=None"):
        latent_shift(codes, other_codes, segments=[0] * 300)
    with pytest.raises(ValueError, match="got other_segments and segments=None"):
        latent_shift(codes, other_codes, other_segments=[0] * 200)


@pytest.mark.parametrize(
    ("segments", "other_segments", "message"),
    [
        ([0] * 299, [0] * 200, r"Expected segments of shape \(300,\).*\(299,\)"),
        ([0] * 300, np.zeros((200, 1)), r"other_segments of shape.*\(200, 1\)"),
        (
            [1] * 300,
            list("abcdefgh") * 25,
            r"among the segments 1 and the other_segments 'a', .*'e', \.\.\.\.",
        ),
        ([None] * 300, [None] * 200, "segments none and the other_segments none"),
        ([1] * 300, [1] + [2] * 199, "Expected a segment with at least 2 rows"),
        ([1, (2,)] * 150, [1] * 200, "labels of segments that can be sorted"),
    ],
)
def test_segments_that_do_not_fit(
    codes, other_codes, segments, other_segments, message
):
    with pytest.raises(ValueError, match=message):
        shift_of_segments(codes, other_codes, segments, other_segments)


def test_codes_that_do_not_fit(codes, other_codes):
    with pytest.raises(ValueError, match=r"\(300, 4\) and other_codes .*\(200, 3\)"):
        latent_shift(codes, other_codes[:, :3])
    with pytest.raises(ValueError, match="minimum of 2"):
        latent_shift(codes, other_codes[:1])
    with pytest.raises(ValueError, match="minimum of 2"):
        latent_shift(codes[:1], other_codes)
    other_codes[3, 1] = np.nan
    with pytest.raises(ValueError, match="other_codes contains NaN"):
        latent_shift(codes, other_codes)


def test_names_that_do_not_fit(codes, other_codes):
    with pytest.raises(ValueError, match=r"Expected 4 names.* got 2"):
        latent_shift(codes, other_codes, names=["a", "b"])
    with pytest.raises(ValueError, match=r"more than once: \['a'\]"):
        latent_shift(codes, other_codes, names=["a", "b", "a", "c"])


@pytest.mark.parametrize(
    "parameter",
    [{"level": 1.0}, {"level": 0}, {"n_bootstrap": 1}, {"random_state": "x"}],
)
def test_parameters_are_checked(codes, other_codes, parameter):
    with pytest.raises(ValueError, match=next(iter(parameter))):
        latent_shift(codes, other_codes, **parameter)
