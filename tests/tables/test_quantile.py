"""Normal scores: ranks inside the range, straight lines outside, plateaus back."""

import numpy as np
import pytest
from scipy.stats import norm, rankdata
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skvae.tables._quantile import _MAX_KNOTS, QuantileNormalEncoder


def fit_column(values):
    values = np.asarray(values, dtype=np.float64)
    return QuantileNormalEncoder().fit(values[:, None])


def scores_of(encoder, values):
    return encoder.transform(np.asarray(values, dtype=np.float64)[:, None]).ravel()


def values_of(encoder, scores):
    return encoder.inverse_transform(np.asarray(scores)[:, None]).ravel()


@pytest.fixture
def skewed():
    """A log-normal column, a quarter of it zeros."""
    rng = np.random.RandomState(0)
    return np.where(rng.uniform(size=500) < 0.25, 0.0, rng.lognormal(8, 2, size=500))


def test_scores_are_those_of_mid_ranks(skewed):
    expected = norm.ppf((rankdata(skewed) - 0.5) / len(skewed))
    scores = scores_of(fit_column(skewed), skewed)
    np.testing.assert_allclose(scores, expected, rtol=1e-12, atol=1e-12)


def test_columns_do_not_see_each_other(skewed):
    other = np.arange(500.0)[::-1]
    both = QuantileNormalEncoder().fit(np.column_stack([skewed, other]))
    scores = both.transform(np.column_stack([skewed, other]))
    np.testing.assert_array_equal(scores[:, 0], scores_of(fit_column(skewed), skewed))
    np.testing.assert_array_equal(scores[:, 1], scores_of(fit_column(other), other))


def test_monotone_and_strictly_so_outside_the_range(skewed):
    encoder = fit_column(skewed)
    largest = skewed.max()
    grid = np.concatenate([
        np.linspace(-1e13, -1, 200),
        np.linspace(0, largest, 2000),
        largest * np.logspace(0.1, 8, 200),
    ])  # fmt: skip
    scores = scores_of(encoder, grid)
    assert (np.diff(scores) >= 0).all()
    outside = (grid < 0) | (grid > largest)
    assert (np.diff(scores[outside]) > 0).all()


def test_tails_are_linear():
    encoder = fit_column(np.random.RandomState(0).lognormal(size=300))
    far, farther, farthest = scores_of(encoder, [1e6, 1e9, 1e12])
    assert far < farther < farthest
    assert (farthest - far) / (farther - far) == pytest.approx(
        (1e12 - 1e6) / (1e9 - 1e6)
    )
    below = scores_of(encoder, [-1e6, -1e12])
    assert below[1] < below[0] < -4


def test_slopes_of_the_tails_are_mean_slopes_of_the_halves():
    encoder = fit_column([0.0, 1.0, 2.0, 6.0, 10.0])
    end = norm.ppf(0.9)
    scores = scores_of(encoder, [-3.0, 18.0])
    np.testing.assert_allclose(scores, [-end - 3 * end / 2, end + 8 * end / 8])


def test_tails_are_continuous(skewed):
    encoder = fit_column(skewed)
    ends = np.array([skewed.min(), skewed.max()])
    just_outside = scores_of(encoder, [np.nextafter(ends[0], -1), ends[1] * (1 + 1e-9)])
    np.testing.assert_allclose(just_outside, scores_of(encoder, ends), atol=1e-6)


def test_training_values_come_back(skewed):
    encoder = fit_column(skewed)
    back = values_of(encoder, scores_of(encoder, skewed))
    np.testing.assert_allclose(back, skewed, rtol=1e-12)


def test_values_outside_the_range_come_back():
    values = np.random.RandomState(0).normal(size=200)
    encoder = fit_column(values)
    outside = np.array([-1e6, -50.0, 50.0, 1e6])
    back = values_of(encoder, scores_of(encoder, outside))
    # The ends of the range are half a rank apart on the two ways.
    assert (np.abs(back - outside) < np.ptp(values)).all()


def test_any_score_within_the_ranks_of_a_tie_is_the_tied_value(skewed):
    encoder = fit_column(skewed)
    n_zeros = int((skewed == 0).sum())
    first = norm.ppf(0.5 / len(skewed))
    last = norm.ppf((n_zeros - 0.5) / len(skewed))
    assert (values_of(encoder, np.linspace(first, last, 1000)) == 0).all()
    assert values_of(encoder, [last + 0.01])[0] > 0


def test_tie_in_the_middle_of_the_range():
    values = np.concatenate([np.arange(10), np.full(80, 20), np.arange(30, 40)])
    encoder = fit_column(values)
    inside = norm.ppf(np.linspace(10.5, 89.5, 500) / 100)
    np.testing.assert_array_equal(values_of(encoder, inside), 20)


def test_draws_from_the_normal_give_the_column_again(skewed):
    # What sampling relies on: frequencies of a tie and quantiles of the rest.
    encoder = fit_column(skewed)
    draws = values_of(encoder, np.random.RandomState(1).normal(size=20_000))
    assert (draws == 0).mean() == pytest.approx((skewed == 0).mean(), abs=0.01)
    np.testing.assert_allclose(
        np.quantile(draws, [0.5, 0.9]), np.quantile(skewed, [0.5, 0.9]), rtol=0.1
    )


def test_more_distinct_values_than_knots():
    values = np.random.RandomState(0).lognormal(size=3 * _MAX_KNOTS)
    encoder = fit_column(values)
    assert len(encoder.knots_[0].value) <= 2 * _MAX_KNOTS
    scores = scores_of(encoder, values)
    expected = norm.ppf((rankdata(values) - 0.5) / len(values))
    # About three ranks of 30,000 lie between two knots.
    np.testing.assert_allclose(norm.cdf(scores), norm.cdf(expected), atol=1.1e-4)
    assert (np.diff(scores[np.argsort(values)]) > 0).all()
    # The ends of the range are knots.
    assert scores.min() == pytest.approx(expected.min())
    assert scores.max() == pytest.approx(expected.max())
    back = values_of(encoder, scores)
    np.testing.assert_allclose(back, values, rtol=0.02)


def test_tie_among_more_distinct_values_than_knots():
    rng = np.random.RandomState(0)
    tied = np.full(_MAX_KNOTS, 0.123)
    values = np.concatenate([rng.uniform(size=3 * _MAX_KNOTS), tied])
    encoder = fit_column(values)
    mid_rank = (rankdata(values)[-1] - 0.5) / len(values)
    assert scores_of(encoder, [0.123])[0] == pytest.approx(norm.ppf(mid_rank))
    draws = values_of(encoder, rng.normal(size=20_000))
    assert (draws == 0.123).mean() == pytest.approx(0.25, abs=0.01)


def test_many_cells_give_the_scores_of_few():
    values = np.random.RandomState(0).lognormal(size=(20_000, 5))
    encoder = QuantileNormalEncoder().fit(values)
    few = [encoder.transform(rows) for rows in np.array_split(values, 20)]
    np.testing.assert_array_equal(encoder.transform(values), np.concatenate(few))


@pytest.mark.parametrize(
    "values",
    [
        [-1e300, 0.0, 1e300],
        [-1.7e308, 1.7e308],
        [-1.7e308, -1.7e308, 1.7e308],
        [1e-300, 2e-300, 3e-300],
        [0.0, 5e-324],
        [5e-324, 1e-323, 1.5e-323],
        [0.0, 1e-310, 1e300],
        [1e16, 1e16 + 2, 1e16 + 4],
        [-0.0, 0.0, 1.0],
    ],
    ids=str,
)
def test_extreme_values_stay_finite_and_come_back(values):
    encoder = fit_column(values)
    scores = scores_of(encoder, values)
    assert np.isfinite(scores).all()
    order = np.argsort(values)
    assert (np.diff(scores[order]) >= 0).all()
    back = values_of(encoder, scores)
    np.testing.assert_allclose(back, values, rtol=1e-12, atol=5e-324)


def test_score_beyond_float64_is_infinite_rather_than_wrong():
    encoder = fit_column([0.0, 5e-324, 1e-323])
    assert scores_of(encoder, [-1e300, 1e300]).tolist() == [-np.inf, np.inf]


def test_constant_column_has_finite_scores():
    encoder = fit_column([2.0, 2.0, 2.0])
    assert scores_of(encoder, [2.0]).tolist() == [0.0]
    assert values_of(encoder, [0.0]).tolist() == [2.0]


def test_unfitted_encoder_says_so():
    with pytest.raises(NotFittedError):
        QuantileNormalEncoder().transform(np.zeros((2, 1)))
    with pytest.raises(NotFittedError):
        clone(fit_column([0.0, 1.0])).inverse_transform(np.zeros((2, 1)))
