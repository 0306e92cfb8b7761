"""Rows of one world as they would look in another."""

import warnings
from contextlib import contextmanager
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions, validate_params
from sklearn.utils.validation import check_is_fitted

from skvae._core.activity import ACTIVE_KL
from skvae._core.errors import UnsupportedRegimeWarning
from skvae.metrics import latent_shift, support_score
from skvae.models._generation import index_of_draws

COUNTERFACTUAL_CONSTRAINTS = {
    "factors": ["array-like", None],
    "strength": [Interval(Real, None, None, closed="neither")],
    "hold": ["array-like", None],
    "unexplained": [StrOptions({"drop", "keep"})],
    "n_samples": [Interval(Integral, 1, None, closed="left"), None],
    "random_state": ["random_state"],
}
LATENT_SHIFT_CONSTRAINTS = {
    "level": [Interval(Real, 0, 1, closed="neither")],
    "n_bootstrap": [Interval(Integral, 2, None, closed="left")],
    "random_state": ["random_state"],
}
# A row with less support than this lies outside: so do 5 of 100 rows of the data.
_LEAST_SUPPORT = 0.05
# Enough to follow the shape of a shift, and few enough for some hundred rows.
_N_QUANTILES = 100


class Counterfactual(NamedTuple):
    """What ``counterfactual`` returns.

    Parameters
    ----------
    data : DataFrame or ndarray of shape (n_rows, n_features)
        The rows in the other world.

    support : ndarray of shape (n_rows,)
        How far inside of the training data each of them lies, from 1, in the middle,
        to 0, far outside; see :func:`skvae.metrics.support_score`.

    shift : Series of shape (n_factors,)
        How far each factor was moved, as a mean over the reference rows, in standard
        deviations of the prior.
    """

    data: object
    support: np.ndarray
    shift: pd.Series


class RegimeMixin:
    """What differs between two worlds, and rows moved from one to the other."""

    @validate_params(LATENT_SHIFT_CONSTRAINTS, prefer_skip_nested_validation=True)
    def latent_shift(
        self, A, B, *, by=None, level=0.95, n_bootstrap=1000, random_state=0
    ):
        """Say which factors moved between two tables, and how far.

        In large tables a shift is found however small it is, also of a factor that
        carries next to nothing: read ``shift`` before ``moved``.

        Parameters
        ----------
        A : DataFrame or array-like of shape (n_samples, n_features)
            Rows of one world, with the columns that `fit` saw.

        B : DataFrame or array-like of shape (n_other_samples, n_features)
            Rows of the other.

        by : object, default=None
            A column that `fit` saw, whose values are segments: its name, or in an array
            its position. The shift is then taken in each of them, with the cosine of
            the angle between the shifts of every two, which says whether it is one
            movement or several.

        level : float, default=0.95
            Probability with which all intervals hold together.

        n_bootstrap : int, default=1000
            Number of bootstrap replicates.

        random_state : int, RandomState instance or None, default=0
            Determines the replicates.

        Returns
        -------
        shift : skvae.metrics.LatentShift
            Named tuple of ``shifts``, a table of the factors with ``shift``, ``lower``,
            ``upper`` and ``moved``, the largest shift first, in standard deviations of
            the prior; and of ``cosines``, a table of segments by segments, or None.

        See Also
        --------
        skvae.metrics.latent_shift : The same for arrays of codes.
        """
        segments, other_segments = None, None
        if by is not None:
            segments, other_segments = _column(A, by, "A"), _column(B, by, "B")
        return latent_shift(
            self._factor_codes(A, "A"),
            self._factor_codes(B, "B"),
            segments=segments,
            other_segments=other_segments,
            names=self._factor_names,
            level=level,
            n_bootstrap=n_bootstrap,
            random_state=random_state,
        )

    @validate_params(COUNTERFACTUAL_CONSTRAINTS, prefer_skip_nested_validation=True)
    def counterfactual(
        self,
        X,
        environment,
        *,
        reference=None,
        factors=None,
        strength=1.0,
        hold=None,
        unexplained="drop",
        n_samples=None,
        random_state=None,
    ):
        """Return rows as they would look in the world of another table.

        Every row moves along the factors that differ between the two tables: a factor
        whose distribution differs is taken from the one to the other, and the order of
        the rows along it stays. So does all else that is a row's own. This says how
        the rows would look in a world that differs as the tables do, not what caused
        the difference.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The rows, with the columns that `fit` saw.

        environment : DataFrame or array-like of shape (n_other_samples, n_features)
            Rows of the other world. They need not be the same clients.

        reference : DataFrame or array-like of shape (n_reference, n_features), \
default=None
            Rows of the world that `X` comes from, with which `environment` is compared.
            None takes `X` itself, which has to stand for its world then.

        factors : list, default=None
            Which factors move: names, or positions. None moves the active ones whose
            interval in `latent_shift` leaves out 0.

        strength : float, default=1.0
            Scales the move. 0 is the reconstruction; negative values move the other
            way.

        hold : list, default=None
            Columns that keep the cells of `X`: names, or in an array positions.

        unexplained : {"drop", "keep"}, default="drop"
            What becomes of that part of a row which its reconstruction misses. Kept, it
            joins the moved row (in the encoded table), and `strength` 0 is the row
            itself, up to the rounding of the encoding: the abduction of [1]_, section
            7.1. Rows come out closer to the truth then, as long as what is missed does
            not itself depend on the world.

        n_samples : int, default=None
            If given, so many draws of each row, one below the other, instead of its
            mean. Their spread is that of the posterior and the decoder; that the model
            itself may be wrong is not in it.

        random_state : int, RandomState instance or None, default=None
            Determines the draws.

        Returns
        -------
        counterfactual : Counterfactual
            Named tuple of ``data``, the rows in the container that `fit` saw and with
            the index of `X` (and the number of the draw); ``support``, in (0, 1] for
            each row, how far inside of the training data it lies; and ``shift``, how
            far each factor was moved on average.

        Raises
        ------
        ValueError
            If a table lacks columns or rows, or a factor or a held column is unknown.

        Warns
        -----
        UnsupportedRegimeWarning
            If most rows have a support below 0.05: the model has seen next to nothing
            like them.

        References
        ----------
        .. [1] Pearl, J. (2009). Causality: models, reasoning, and inference, 2nd ed.
           Cambridge University Press.
        """
        shift, moved = self._moves(environment, X, reference, factors, strength)
        return self._counterfactual(
            X, shift, moved, hold, unexplained, n_samples, random_state
        )

    def _moves(self, environment, X, reference, factors, strength):
        """Return how far factors move on average, and what moves latents so.

        Each factor goes by the map that takes its distribution in one world to that in
        the other and keeps the order of the rows: optimal transport in one dimension.
        """
        codes = self._factor_codes(
            X if reference is None else reference,
            "X" if reference is None else "reference",
        )
        others = self._factor_codes(environment, "environment")
        chosen = self._chosen_factors(codes, others, factors)
        maps = {
            place: _monotone_map(codes[:, place], others[:, place]) for place in chosen
        }

        def moved(latents, random_state):
            latents = latents.copy()
            for place, to_other in maps.items():
                column = latents[:, place]
                column += strength * (to_other(column) - column)
            return latents

        shift = pd.Series(0.0, index=self._factor_names, name="shift")
        shift.iloc[chosen] = (
            strength * (others.mean(axis=0) - codes.mean(axis=0))[chosen]
        )
        return shift, moved

    def _chosen_factors(self, codes, others, factors):
        """Return the positions of the factors asked for, or of those that differ."""
        if factors is not None:
            return self._positions(factors)
        if min(len(codes), len(others)) < 2:
            raise ValueError(
                f"Got {len(codes)} row(s) of one world and {len(others)} of the other; "
                "expected at least 2 of both, to say which factors differ. Pass more "
                "rows as reference, or name the factors."
            )
        names = self._factor_names
        shifts = latent_shift(codes, others, names=names).shifts.loc[names]
        active = self._factor_model.kl_per_dimension_ > ACTIVE_KL
        moved = shifts["moved"].to_numpy() & active
        if not moved.any():
            warnings.warn(
                "No factor differs between the two tables by more than chance, so rows "
                "stay where they are. Name the factors to move them anyway.",
                UserWarning,
                stacklevel=5,
            )
        return np.flatnonzero(moved).tolist()

    def _counterfactual(
        self,
        X,
        shift,
        moved,
        hold,
        unexplained,
        n_samples,
        random_state,
        conditions=None,
        own_condition=None,
    ):
        """Return the rows of `X` with their latents moved, decoded under conditions.

        `moved` takes latents and a generator to latents; `conditions` takes the
        encoded conditions of the rows to others. None leaves them.
        """
        held = self._held_positions(hold)
        random_state = check_random_state(random_state)
        matrix = np.concatenate(list(self._encoded_chunks(X, own_condition)))
        latents, rows = self._latents_and_rows(matrix, n_samples, random_state)
        own = matrix[rows, self._width :]
        others = own if conditions is None else conditions(own)
        new = moved(latents, random_state)
        index = index_of_draws(X, n_samples)
        if unexplained == "keep":
            there = self._inference.decode(new, others)
            here = self._inference.decode(latents, own)
            moved_rows = matrix[rows] + there - here
            encoded = np.where(np.isnan(moved_rows), there, moved_rows)
            encoded[:, self._width :] = others
            data = self._table(encoded, index)
        else:
            kind = "mean" if n_samples is None else None
            data = self._decode(new, others, kind, random_state, index)
        support = self._support(new, others, n_samples)
        _warn_where_unsupported(support)
        return Counterfactual(_with_held(data, X, held, rows), support, shift)

    def _latents_and_rows(self, matrix, n_samples, random_state):
        """Return mean latents, or draws one below the other, and whose they are."""
        if n_samples is None:
            return self._inference.encode(matrix)[0], np.arange(len(matrix))
        rows = np.arange(len(matrix)).repeat(n_samples)
        noise = random_state.standard_normal((len(rows), self._n_features_out))
        return self._inference.posterior_at(matrix[rows], noise)[-1], rows

    def _support(self, latents, conditions, n_samples):
        """Return the support that latents and conditions have in the training rows."""
        codes = self._codes
        if n_samples is not None:  # draws compare with draws
            rows = np.arange(len(codes))
            random_state = np.random.RandomState(self._seed)
            codes = self._draw_latents_of(rows, "aggregate", random_state)
        active = self.kl_per_dimension_ > ACTIVE_KL
        known = np.hstack([codes[:, active], self._training_conditions])
        new = np.hstack([latents[:, active], conditions])
        is_given = ~np.isnan(new).any(axis=0)  # and no condition to average over
        if not is_given.any():
            return np.ones(len(new))
        return support_score(known[:, is_given], new[:, is_given])

    def _factor_codes(self, X, argument):
        check_is_fitted(self)
        with naming(argument):
            return self._factor_model._encode(X)[0]

    @property
    def _factor_names(self):
        return list(self.get_feature_names_out()[: self._n_factors])

    @property
    def _n_factors(self):
        """How many of the latents are factors: the first ones."""
        return self._factor_model._n_features_out

    def _positions(self, factors):
        """Return the positions of factors, given by name or by position."""
        names = self._factor_names
        positions = [names.index(f) if f in names else f for f in factors]
        for position in positions:
            is_whole = isinstance(position, Integral) and not isinstance(position, bool)
            if not is_whole or not 0 <= position < len(names):
                raise ValueError(
                    f"Got factors={list(factors)!r}; expected names among {names}, or "
                    f"positions from 0 to {len(names) - 1}."
                )
        return positions

    def _held_positions(self, hold):
        """Return where the columns to hold are."""
        check_is_fitted(self)
        names = self.table_encoder_.schema_.names
        hold = [] if hold is None else list(hold)
        for name in hold:
            if name not in names:
                raise ValueError(
                    f"Got hold={hold!r}; expected columns of X, and there is no "
                    f"{name!r}."
                )
        return [names.index(name) for name in hold]


@contextmanager
def naming(argument):
    """Put the name of an argument before the message of an error."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{argument}: {error}") from error


def _column(table, name, argument):
    """Return the cells of one column of a table."""
    if not isinstance(table, pd.DataFrame):
        table = pd.DataFrame(np.asarray(table))
    if name not in table.columns:
        raise ValueError(
            f"{argument} has no column {name!r}; expected by to be one of both tables."
        )
    return table[name].to_numpy()


def _monotone_map(values, others):
    """Return the map from the quantiles of some values to those of others."""
    shares = (np.arange(_N_QUANTILES) + 0.5) / _N_QUANTILES
    # Where quantiles coincide, the values there go to the mean of what they may go to.
    here, place = np.unique(np.quantile(values, shares), return_inverse=True)
    there = np.bincount(place, np.quantile(others, shares)) / np.bincount(place)

    def to_other(points):
        inside = np.interp(points, here, there)
        # Beyond the outermost quantiles the map is a shift.
        below, above = (points - here[0]).clip(max=0), (points - here[-1]).clip(min=0)
        return inside + below + above

    return to_other


def _with_held(data, X, held, rows):
    """Return a table in which some columns hold the very cells of `X`."""
    if not held:
        return data
    if isinstance(data, pd.DataFrame):
        for position in held:
            cells = pd.Series(_cells(X, position)).iloc[rows]
            data.isetitem(position, cells.set_axis(data.index))
        return data
    columns = [np.asarray(_cells(X, position))[rows] for position in held]
    data = data.astype(np.result_type(data, *columns), copy=False)
    data[:, held] = np.column_stack(columns)
    return data


def _cells(X, position):
    if isinstance(X, pd.DataFrame):
        return X.iloc[:, position]
    return np.asarray(X)[:, position]


def _warn_where_unsupported(support):
    outside = (support < _LEAST_SUPPORT).mean()
    if outside > 0.5:
        warnings.warn(
            f"{outside:.0%} of the rows lie outside of the training data (support "
            f"below {_LEAST_SUPPORT}): the model extrapolates. Use a smaller strength, "
            "or fit the model to both tables together.",
            UnsupportedRegimeWarning,
            stacklevel=5,
        )
