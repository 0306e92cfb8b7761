"""Holes in rows, filled by what the model makes of the rest of the row."""

from numbers import Integral

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from skvae._core.chunking import row_chunks
from skvae._core.random import make_generator
from skvae.models._generation import index_of_draws
from skvae.models._inference import quasi_normal_nodes

IMPUTE_CONSTRAINTS = {
    "n_imputations": [Interval(Integral, 1, None, closed="left")],
    "random_state": ["random_state"],
}
# Points of the posterior over which holes are averaged.
_N_POINTS = 128
_MAX_SEED = np.iinfo(np.int32).max
# Rows whose draws are averaged at once.
_ROWS = 1024


class ImputationMixin:
    """Missing cells, given those that are there."""

    @validate_params(IMPUTE_CONSTRAINTS, prefer_skip_nested_validation=True)
    def impute(self, X, n_imputations=1, *, random_state=0):
        """Fill missing cells from their distribution given the other cells of the row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw. Best, training rows had holes as
            these have: the encoder then knows how to read them.

        n_imputations : int, default=1
            1 fills each hole with the mean of that distribution, or the likeliest
            level. More give so many rows for each, one below the other, whose holes
            are draws: their spread tells how uncertain a cell is (multiple
            imputation).

        random_state : int, RandomState instance or None, default=0
            Determines the draws, over which means are taken, too.

        Returns
        -------
        X_imputed : DataFrame or ndarray of shape (n_samples * n_imputations, \
n_features)
            The rows in the container that `fit` saw, cells that are there as they are,
            with the index of `X` and, of several imputations, the number of the draw.

        Notes
        -----
        Latents are drawn from q(z | what is there), 128 for each row, and weighted by
        p(what is there, z) / q, as in Mattei, P.-A. & Frellsen, J. (2019). MIWAE: deep
        generative modelling and imputation of incomplete data sets. ICML, equation 8.
        """
        return self._impute(X, n_imputations, random_state)

    def _impute(self, X, n_imputations, random_state, condition=None):
        random_state = check_random_state(random_state)
        matrix = np.concatenate(list(self._encoded_chunks(X, condition)))
        index = index_of_draws(X, n_imputations if n_imputations > 1 else None)
        fill = self._expected_cells if n_imputations == 1 else self._drawn_cells
        filled = [
            fill(matrix[rows], n_imputations, random_state)
            for rows in row_chunks(len(matrix), _ROWS)
        ]
        values, conditions = np.split(np.concatenate(filled), [self._width], axis=1)
        matrix = np.hstack([self.table_encoder_.without_holes(values), conditions])
        imputed = self._table(matrix, index, random_state)
        rows = np.arange(len(X)).repeat(n_imputations)
        return self._with_known(imputed, X, rows)

    def _weighted_latents(self, matrix, random_state):
        """Return points of the posteriors of rows: latents, weights, conditions."""
        seed = random_state.randint(_MAX_SEED)
        nodes = quasi_normal_nodes(_N_POINTS, self._n_features_out, seed)
        latents, log_weights, conditions = self._inference.weighted_latents(
            matrix, nodes, random_state
        )
        return latents, softmax(log_weights, axis=1), conditions

    def _draws(self, latents, conditions, random_state):
        infer = self._inference
        generator = make_generator(random_state.randint(_MAX_SEED), infer.device)
        return infer.draw(latents, generator, conditions)

    def _drawn_cells(self, matrix, n_imputations, random_state):
        """Return encoded rows drawn given what is there, several for each."""
        latents, weights, conditions = self._weighted_latents(matrix, random_state)
        draws = random_state.uniform(size=(len(matrix), n_imputations, 1))
        point = (weights.cumsum(axis=1)[:, None] < draws).sum(axis=2)
        point = point.clip(max=_N_POINTS - 1)
        rows = np.arange(len(matrix))[:, None]
        chosen, of_chosen = (
            part[rows, point].reshape(point.size, part.shape[2])
            for part in (latents, conditions)
        )
        return self._draws(chosen, of_chosen, random_state)

    def _expected_cells(self, matrix, n_imputations, random_state):
        """Return encoded rows as they are expected given what is there."""
        latents, weights, conditions = self._weighted_latents(matrix, random_state)
        points, of_points = (
            part.reshape(len(part) * _N_POINTS, part.shape[2])
            for part in (latents, conditions)
        )
        drawn = self._draws(points, of_points, random_state)[:, : self._width]
        decoded = self._inference.decode(points, of_points)[:, : self._width]
        expected = self.table_encoder_.mean_rows(drawn, decoded, weights)
        return np.hstack([expected, np.einsum("nk,nkc->nc", weights, conditions)])

    def _with_known(self, imputed, X, rows):
        """Return an imputed table with the cells of `X` that are there."""
        if not isinstance(imputed, pd.DataFrame):
            known = np.asarray(X)[rows]
            return np.where(pd.isna(known), imputed, known)
        schema, columns = self.table_encoder_.schema_, {}
        known = X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X))
        for position, column in enumerate(schema.columns):
            own, filled = known.iloc[rows, position], imputed.iloc[:, position]
            hole = own.isna().to_numpy()
            if hole.any():
                own = own.astype(object).where(~hole, filled.astype(object).to_numpy())
            columns[position] = column.cast(own).set_axis(imputed.index)
        table = pd.DataFrame(columns, index=imputed.index)
        table.columns = imputed.columns
        return table
