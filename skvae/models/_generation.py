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
from skvae.models._validation import check_latents

_MAX_SEED = np.iinfo(np.int32).max

RECONSTRUCT_CONSTRAINTS = {
    "kind": [StrOptions({"mean", "draw"})],
    "random_state": ["random_state"],
}
SAMPLE_CONSTRAINTS = {
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
    def sample(self, n_samples=1, *, latent="aggregate", kind=None, random_state=None):
        """Generate rows that the table never held.

        Parameters
        ----------
        n_samples : int, default=1
            How many rows.

        latent : {"aggregate", "prior"}, default="aggregate"
            Where latents come from: the aggregate posterior of the training rows
            (posteriors of at most 10,000 of them), or the prior, from which the
            aggregate posterior differs by a gap that training leaves.

        kind : {"mean", "draw"}, default=None
            Whether to draw rows from the decoder's distribution or to return its mean,
            which varies too little. None draws, except under
            ``likelihood="bernoulli"``, whose draws would be 0 and 1 only.

        random_state : int, RandomState instance or None, default=None
            Determines the draws.

        Returns
        -------
        X : DataFrame or ndarray of shape (n_samples, n_features)
            Rows in the units, column order, dtypes and container that `fit` saw.
        """
        check_is_fitted(self)
        random_state = check_random_state(random_state)
        rows = random_state.randint(len(self._posteriors[0]), size=n_samples)
        conditions = self._training_conditions[rows]
        latents = self._draw_latents_of(rows, latent, random_state)
        return self._decode(latents, conditions, kind, random_state)

    def _draw_latents_of(self, rows, latent, random_state):
        """Return latents drawn from posteriors of training rows, or from the prior."""
        means, log_variances = (moments[rows] for moments in self._posteriors)
        if latent == "prior":
            return random_state.standard_normal(means.shape)
        noise = random_state.standard_normal(means.shape)
        return means + np.exp(0.5 * log_variances) * noise

    def _decode(self, latents, conditions, kind, random_state=None, index=None):
        """Return the table of rows given latents: mean, drawn, or as the heads do."""
        infer = self._inference
        if kind == "mean":
            matrix = infer.decode(latents, conditions)
        else:
            conditions = self._completed(conditions, random_state)
            seed = random_state.randint(_MAX_SEED)
            generator = make_generator(seed, infer.device)
            draw = infer.draw if kind == "draw" else infer.generate
            matrix = draw(latents, generator, conditions)
        return self._table(matrix, index)


def row_labels(X):
    """Return the row labels of a DataFrame, None for other tables."""
    return X.index if isinstance(X, pd.DataFrame) else None
