"""Columns to normal scores and back."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from joblib import cpu_count
from scipy.special import ndtr, ndtri
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skvae._core.stored_types import Vector
from skvae._core.storing import storable

# A column with more distinct values has its ranks interpolated between this many: 1e-4
# of the rows between two knots changes no score that a user can see, and it bounds both
# the memory of a fitted model and the cost of a look-up.
_MAX_KNOTS = 10_000
# From this many cells on, columns are looked up in threads: beside a large network on
# many rows the look-up would be a fifth of the time of transform.
_LARGE = 50_000
# Keeps the slope of a column of subnormal numbers finite.
_STEEPEST = 1e300


class QuantileNormalEncoder(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Map each column to the normal scores of its ranks, with linear tails.

    A value goes to the normal quantile of its mid-rank (van der Waerden scores), so
    that any skewed column becomes nearly normal and ties go to the middle of the
    ranks they share. Beyond the training range the map goes on as a straight line,
    so that a value farther out stays farther out, which a clipped quantile transform
    does not give.

    The way back gives each value the whole interval of ranks that it held in
    training: a draw that falls anywhere between the ranks of the zeros is a zero.

    Attributes
    ----------
    knots_ : list of ColumnKnots
        The piecewise linear map of each column.

    See Also
    --------
    sklearn.preprocessing.QuantileTransformer : Clips beyond the training range.

    Notes
    -----
    The slope of each tail is the mean slope between the median and the end of the
    range on that side.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.tables._quantile import QuantileNormalEncoder
    >>> X = np.array([[0.0], [0.0], [0.0], [5.0], [1000.0]])
    >>> encoder = QuantileNormalEncoder().fit(X)
    >>> encoder.transform(X).ravel().round(2)
    array([-0.52, -0.52, -0.52,  0.52,  1.28])

    Any score between the first and the last rank of the zeros is a zero again:

    >>> encoder.inverse_transform(np.array([[-0.9], [-0.2]])).ravel()
    array([0., 0.])
    """

    def fit(self, X, y=None):
        """Learn the ranks of each column.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Finite numbers, or NaN where a cell is missing.

        y : None
            Ignored.

        Returns
        -------
        self : QuantileNormalEncoder
            The fitted encoder.
        """
        self.n_features_in_ = X.shape[1]
        self.knots_ = [_ColumnKnots.of(column[~np.isnan(column)]) for column in X.T]
        return self

    def transform(self, X):
        """Return normal scores.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Values in the columns' own units.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_features)
            Normal scores, about -4 to 4 within the training range.
        """
        check_is_fitted(self)
        return self._by_column(lambda knots, values: knots.scores(values), X)

    def spread(self, X, scores, random_state):
        """Return scores of which those of tied values are spread over their ranks.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Values in the columns' own units.

        scores : ndarray of shape (n_samples, n_features)
            Their normal scores.

        random_state : RandomState
            What to draw from.

        Returns
        -------
        spread : ndarray of shape (n_samples, n_features)
            For each value that several training rows share, the normal score of a
            uniform draw from their ranks: the randomised probability integral
            transform. `inverse_transform` gives the value back.
        """
        columns = [
            knots.spread(X[:, place], scores[:, place], random_state)
            for place, knots in enumerate(self.knots_)
        ]
        return np.column_stack(columns)

    def _by_column(self, function, X):
        """Apply a function of knots and values to each column, in threads if large."""
        results = np.empty(X.shape, order="F")

        def fill(place):
            results[:, place] = function(self.knots_[place], X[:, place])

        if X.size < _LARGE:
            for place in range(X.shape[1]):
                fill(place)
        else:
            with ThreadPoolExecutor(cpu_count()) as threads:
                list(threads.map(fill, range(X.shape[1])))
        return results

    def inverse_transform(self, X):
        """Return values in the columns' own units.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Normal scores.

        Returns
        -------
        values : ndarray of shape (n_samples, n_features)
            Values in the columns' own units.
        """
        check_is_fitted(self)
        return self._by_column(lambda knots, scores: knots.values(scores), X)


@storable(value=Vector, score=Vector, lower_score=Vector, upper_score=Vector)
class _ColumnKnots:
    """The map of one column: value to normal score, and normal score to value.

    Parameters
    ----------
    value : ndarray of shape (n_knots,)
        Distinct values, ascending.

    score : ndarray of shape (n_knots,)
        The normal score of the middle of each value's ranks.

    lower_score, upper_score : ndarray of shape (n_knots,)
        The normal scores of the first and the last rank of each value.
    """

    def __init__(self, value, score, lower_score, upper_score):
        self.value = value
        self.score = score
        # On the way back a tied value is a plateau: two knots with the same value.
        edges = np.column_stack([lower_score, upper_score]).ravel()
        self.lower_score, self.upper_score = lower_score, upper_score
        self._edge_score, first = np.unique(edges, return_index=True)
        self._edge_value = np.repeat(value, 2)[first]
        self._lower_slope, self._upper_slope = _tail_slopes(value, score)

    @classmethod
    def of(cls, column):
        value, count = np.unique(column, return_counts=True)
        n = len(column)
        last = np.cumsum(count)
        first = last - count
        kept = _knots(count)
        return cls(
            value[kept],
            ndtri((first + last)[kept] / (2 * n)),
            ndtri((first[kept] + 0.5) / n),
            ndtri((last[kept] - 0.5) / n),
        )

    def scores(self, values):
        scores = np.interp(values, self.value, self.score)
        below, above = values < self.value[0], values > self.value[-1]
        # A value so far out that its score overflows gets an infinite one.
        with np.errstate(over="ignore"):
            scores[below] += (values[below] - self.value[0]) * self._lower_slope
            scores[above] += (values[above] - self.value[-1]) * self._upper_slope
        return scores

    def spread(self, values, scores, random_state):
        place = np.searchsorted(self.value, values).clip(max=len(self.value) - 1)
        is_tied = self.lower_score < self.upper_score
        rows = np.flatnonzero((self.value[place] == values) & is_tied[place])
        place = place[rows]
        low, high = ndtr(self.lower_score[place]), ndtr(self.upper_score[place])
        spread = scores.copy()
        spread[rows] = ndtri(random_state.uniform(low, high))
        return spread

    def unscored(self, scores):
        """Return the values that have these scores, also where none was in training."""
        values = np.interp(scores, self.score, self.value)
        below, above = scores < self.score[0], scores > self.score[-1]
        values[below] += (scores[below] - self.score[0]) / self._lower_slope
        values[above] += (scores[above] - self.score[-1]) / self._upper_slope
        return values

    def values(self, scores):
        """Return values that training rows may have had at these scores."""
        low, high = self._edge_score[[0, -1]]
        values = np.interp(scores, self._edge_score, self._edge_value)
        below, above = scores < low, scores > high
        values[below] += (scores[below] - low) / self._lower_slope
        values[above] += (scores[above] - high) / self._upper_slope
        return values


storable(n_features_in_=int, knots_=list[_ColumnKnots])(QuantileNormalEncoder)


def _knots(count):
    """Return which distinct values are kept as knots, given how often each occurs.

    Kept are the ends, values that share their ranks with many rows (the zeros of an
    amount, say), and of the others so many that the knots are even over the ranks.
    """
    if len(count) <= _MAX_KNOTS:
        return np.arange(len(count))
    n_rows = count.sum()
    many = np.flatnonzero(count > n_rows / _MAX_KNOTS)
    even = np.searchsorted(count.cumsum(), np.linspace(1, n_rows, _MAX_KNOTS))
    return np.union1d(many, np.append(even, len(count) - 1))


def _tail_slopes(value, score):
    """Return scores per unit below and above the training range."""
    middle = np.interp(0.0, score, value)
    lower = _slope(value[0], middle, score[0])
    upper = _slope(middle, value[-1], score[-1])
    whole = _slope(value[0], value[-1], score[-1] - score[0])
    return lower or whole or _STEEPEST, upper or whole or _STEEPEST


def _slope(start, stop, rise):
    """Return |rise| / (stop - start), or 0 where there is no such slope."""
    half_run = stop / 2 - start / 2  # halved: the range itself may overflow
    if half_run == 0:
        return 0.0
    half_rise = abs(rise) / 2
    return half_rise / max(half_run, half_rise / _STEEPEST)
