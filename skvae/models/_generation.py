"""From latents back to rows of the table."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import (
    Interval,
    StrOptions,
    validate_params,
)
from sklearn.utils.validation import check_is_fitted

from skvae._core.random import make_generator
from skvae.models._aggregate import AggregatePosterior, StandardNormal
from skvae.models._particles import LEAST_PARTICLES, ParticleSampler
from skvae.models._validation import check_can_be_given, check_latents
from skvae.tables import Given

_MAX_SEED = np.iinfo(np.int32).max

RECONSTRUCT_CONSTRAINTS = {
    "kind": [StrOptions({"mean", "draw"})],
    "random_state": ["random_state"],
}
SAMPLE_CONSTRAINTS = {
    "given": [dict, None],
    "calibrate_marginals": ["boolean"],
    "n_samples": [Interval(Integral, 1, None, closed="left")],
    "latent": [StrOptions({"aggregate", "prior"})],
    "kind": [StrOptions({"mean", "draw"}), None],
    "random_state": ["random_state"],
}


class GenerationMixin:
    """Rows out of a fitted model: decoded, reconstructed, drawn."""

    def inverse_transform(self, Z):
        """Return the rows that latents stand for.

        Parameters
        ----------
        Z : DataFrame or array-like of shape (n_samples, latent_dim)
            Latents, as `transform` returns them.

        Returns
        -------
        X : DataFrame or ndarray of shape (n_samples, n_features)
            The mean row given each row of `Z`, in the units, column order, dtypes and
            container that `fit` saw, with the index of `Z`.
        """
        return self._inverse_transform(Z)

    def _inverse_transform(self, Z, condition=None):
        check_is_fitted(self)
        latents, index = check_latents(self, Z)
        conditions = self._conditions(condition, len(latents))
        return self._decode(latents, conditions, "mean", index=index)

    @validate_params(RECONSTRUCT_CONSTRAINTS, prefer_skip_nested_validation=True)
    def reconstruct(self, X, *, kind="mean", random_state=None):
        """Return each row as the model sees it: encoded and decoded again.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw.

        kind : {"mean", "draw"}, default="mean"
            Whether to return the mean row at the mean of the posterior, or a row drawn
            from the decoder at a draw from the posterior.

        random_state : int, RandomState instance or None, default=None
            Determines the draws.

        Returns
        -------
        X_reconstructed : DataFrame or ndarray of shape (n_samples, n_features)
            In the container that `fit` saw, with the index of `X`.
        """
        latents, random_state = self._latents_of(X, kind, random_state)
        conditions = self._conditions(None, len(latents), X)
        return self._decode(latents, conditions, kind, random_state, row_labels(X))

    def _latents_of(self, X, kind, random_state, condition=None):
        """Return posterior means or draws, and the generator as these leave it."""
        random_state = check_random_state(random_state)
        if kind == "mean":
            return self._encode(X, condition)[0], random_state
        return self._draw_latents(X, condition, random_state), random_state

    @validate_params(SAMPLE_CONSTRAINTS, prefer_skip_nested_validation=True)
    def sample(
        self,
        n_samples=1,
        *,
        given=None,
        latent="aggregate",
        kind=None,
        calibrate_marginals=False,
        random_state=None,
    ):
        """Generate rows that the table never held.

        Parameters
        ----------
        n_samples : int, default=1
            How many rows.

        given : dict, default=None
            What is asked of columns that the model explains, by their names:
            ``{"EDUCATION": 2, "AGE": (25, 35)}`` are rows with that level and with an
            age from 25 to 35; ``(25, None)`` has an open end. A list of levels asks for
            any of them, None for a missing cell. Rows come from the distribution of the
            others given these.

        latent : {"aggregate", "prior"}, default="aggregate"
            Where latents come from: a density fitted to the aggregate posterior of the
            training rows (posteriors of at most 30,000 of them), or the prior, from
            which the aggregate posterior differs by a gap that training leaves.

        kind : {"mean", "draw"}, default=None
            Whether to draw rows from the decoder's distribution or to return its mean,
            which varies too little. None draws, except under
            ``likelihood="bernoulli"``, whose draws would be 0 and 1 only.

        calibrate_marginals : bool, default=False
            Whether to move the numbers of each column, which keep their order, to the
            quantiles that the column had in training. That mends how single columns are
            distributed and nothing else: relations between columns are those of the
            model, and a score of single columns then says nothing about the model. Not
            with `given`, under which columns are distributed otherwise; best with
            hundreds of rows.

        random_state : int, RandomState instance or None, default=None
            Determines the draws.

        Returns
        -------
        X : DataFrame or ndarray of shape (n_samples, n_features)
            Rows in the units, column order, dtypes and container that `fit` saw, within
            the range of the training rows.

        Raises
        ------
        ValueError
            If `given` names a column that is not modelled, or asks for values that it
            did not have in training, or comes with `calibrate_marginals`.

        Notes
        -----
        Under `given` latents are drawn from p(z | given) by sequential Monte Carlo, and
        rows from p(x | z) where it is as asked: no row is rejected, however rare.
        """
        wanted = self._nothing_wanted(n_samples)
        return self._sample(
            wanted, given, latent, kind, calibrate_marginals, random_state
        )

    def _nothing_wanted(self, n_samples):
        """Return encoded conditions of which nothing is asked."""
        check_is_fitted(self)
        return np.full((n_samples, self._training_conditions.shape[1]), np.nan)

    def _sample(self, wanted, given, latent, kind, calibrates, random_state):
        """Return a row for each encoded condition that is wanted."""
        random_state = check_random_state(random_state)
        if given is not None:
            if calibrates:
                raise ValueError(
                    "Got given= and calibrate_marginals=True; expected one of the two: "
                    "under what is given columns are distributed otherwise."
                )
            return self._sample_given(given, wanted, latent, kind, random_state)
        latents, conditions = self._draw_pairs(wanted, latent, random_state)
        matrix = self._decoded(latents, conditions, kind, random_state)
        return self._generated(matrix, calibrates, random_state)

    def _draw_pairs(self, wanted, latent, random_state):
        """Return latents and conditions, as far as these are not what is wanted.

        Where there are conditions, both are those of a training row.
        """
        if wanted.shape[1] == 0:
            density = self._latent_density(latent)
            return density.sample(len(wanted), random_state), wanted
        rows = self._donors(wanted, random_state)
        own = self._training_conditions[rows]
        conditions = np.where(np.isnan(wanted), own, wanted)
        return self._draw_latents_of(rows, latent, random_state), conditions

    def _donors(self, wanted, random_state):
        """Draw, for each wanted condition, a training row that suits it: any will."""
        return random_state.randint(len(self._training_conditions), size=len(wanted))

    def _latent_density(self, latent):
        """Return what latents come from: something to draw from, with a log density."""
        if latent == "prior":
            return StandardNormal(self._n_features_out)
        if self._aggregate is None:  # fitted when it is first asked for
            self._aggregate = AggregatePosterior(*self._posteriors, self._seed)
        return self._aggregate

    def _sample_given(self, given, wanted, latent, kind, random_state):
        """Return a row for each wanted condition, with cells that are as given."""
        encoder = self.table_encoder_
        check_can_be_given(self)
        given = Given.of(encoder, given)
        requests, request_of = np.unique(
            np.nan_to_num(wanted, nan=np.inf), axis=0, return_inverse=True
        )
        latents = np.empty((len(wanted), self._n_features_out))
        conditions = np.empty_like(wanted)
        for number, request in enumerate(requests):
            asks = np.flatnonzero(request_of.ravel() == number)
            request = np.where(np.isinf(request), np.nan, request)
            some = np.tile(request, (max(len(asks), LEAST_PARTICLES), 1))
            pairs = self._draw_pairs(some, latent, random_state)
            drawn = self._particle_sampler(given, latent).run(*pairs, random_state)
            latents[asks], conditions[asks] = (part[: len(asks)] for part in drawn)
        if kind == "mean":
            table = self._decode(latents, conditions, kind)
        else:
            infer = self._inference
            generator = make_generator(random_state.randint(_MAX_SEED), infer.device)
            matrix = infer.draw_asked(latents, given.asked, generator, conditions)
            known = np.flatnonzero(~np.isnan(given.row))
            matrix[:, known] = given.row[known]
            table = self._generated(matrix, False, random_state)
        return given.written_into(table, encoder.schema_)

    def _particle_sampler(self, given, latent):
        infer = self._inference

        def log_given(latents, conditions):
            row = np.broadcast_to(given.row, (len(latents), len(given.row)))
            return infer.log_mass(latents, np.hstack([row, conditions]), given.asked)

        return ParticleSampler(log_given, self._latent_density(latent).log_density)

    def _draw_latents_of(self, rows, latent, random_state):
        """Return latents drawn from posteriors of training rows, or from the prior."""
        means, log_variances = (moments[rows] for moments in self._posteriors)
        if latent == "prior":
            return random_state.standard_normal(means.shape)
        noise = random_state.standard_normal(means.shape)
        return means + np.exp(0.5 * log_variances) * noise

    def _decode(self, latents, conditions, kind, random_state=None, index=None):
        """Return the table of rows given latents: mean, drawn, or as the heads do."""
        matrix = self._decoded(latents, conditions, kind, random_state)
        return self._table(matrix, index, random_state)

    def _decoded(self, latents, conditions, kind, random_state):
        """Return encoded rows given latents: mean, drawn, or as the heads do."""
        infer = self._inference
        if kind == "mean":
            return infer.decode(latents, conditions)
        conditions = self._completed(conditions, random_state)
        generator = make_generator(random_state.randint(_MAX_SEED), infer.device)
        draw = infer.draw if kind == "draw" else infer.generate
        return draw(latents, generator, conditions)

    def _generated(self, matrix, calibrates, random_state):
        """Return the table of drawn rows, within the range of the training rows."""
        values, conditions = np.split(matrix, [self._width], axis=1)
        if calibrates:
            values = self.table_encoder_.calibrated(values)
        values = self.table_encoder_.within_training(values)
        return self._table(np.hstack([values, conditions]), None, random_state)


def row_labels(X):
    """Return the row labels of a DataFrame, None for other tables."""
    return X.index if isinstance(X, pd.DataFrame) else None


def index_of_draws(X, n_samples):
    """Return the row labels of `X`, with the number of the draw where there are any."""
    labels = row_labels(X)
    if labels is None or n_samples is None:
        return labels
    draws = np.tile(np.arange(n_samples), len(labels))
    return pd.MultiIndex.from_arrays(
        [labels.repeat(n_samples), draws], names=[labels.name, "draw"]
    )
