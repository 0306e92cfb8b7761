"""Why a row is anomalous: its score, split over cells; cells against the others."""

from numbers import Real
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import validate_parameter_constraints
from sklearn.utils.validation import check_is_fitted

from skvae._core.chunking import row_chunks
from skvae.models._generation import row_labels
from skvae.models._rules import AdditiveRule

# Rounds in which a cell that is left out is filled with what the model makes of it.
_N_ROUNDS = 5
# The largest share of a guess for a cell that its reconstruction may take over.
_STEEPEST = 0.9
# Copies of rows, each without a cell, in one pass.
_COPIES = 16_384
# Training rows whose deviations tell what is usual: at most, at least, and cells.
USUAL_ROWS = 500
_LEAST_USUAL_ROWS, _USUAL_CELLS = 50, 20_000
# Spreads below this share of the columns' count as that.
_FLOOR = 0.01
# Where no cell of a row deviates more, none stands out.
_STANDS_OUT = 3


class ConditionalExplanation(NamedTuple):
    """What ``explain(X, conditional=True)`` returns.

    Parameters
    ----------
    deviation : DataFrame of shape (n_rows, n_features)
        How far each cell lies from what the other cells of its row imply: above it
        where positive, in units of what is usual (the root mean square of that
        difference over at most 500 training rows), for short "sd".

    implied : DataFrame of shape (n_rows, n_features)
        What they imply, in the units of the table, within the range of those rows.

    reason : Series of shape (n_rows,)
        A sentence for each row, on the cell that deviates most.
    """

    deviation: pd.DataFrame
    implied: pd.DataFrame
    reason: pd.Series


class ReasonsMixin:
    """What makes rows anomalous, cell by cell."""

    def explain(self, X, *, conditional=False, condition=None):
        """Return what makes rows anomalous, cell by cell.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw.

        conditional : bool, default=False
            If True, each cell is compared with what the other cells of its row imply.
            The cell is left out when the model looks at the row, and filled in by it.

        condition : DataFrame, array-like, dict or scalar, default=None
            The condition of the rows, as for `score_samples`.

        Returns
        -------
        explanation : DataFrame of shape (n_samples, n_features + 1)
            What each column of `X` contributes, in its order, and ``"latent"``, what no
            single cell does. The rows of the table add up to ``-score_samples(X)``; the
            larger a contribution, the more it makes the row anomalous. Columns that
            take no part, being conditions or constant in training, have 0.

            With `conditional`, a `ConditionalExplanation`: a named tuple of the tables
            ``deviation`` and ``implied`` and the sentences ``reason``.

        Notes
        -----
        The bounds and the reconstruction error are sums. Under ``score="elbo"`` a
        column contributes its negated expected log-likelihood, and the latents their
        KL; under ``"importance"`` the log-likelihood is weighted as the points of the
        bound are; under ``"reconstruction"`` a column contributes its share of the
        squared error, divided by the error.

        The other rules look at cells together. There, a cell contributes as much as the
        row gets less anomalous when the cell is what the others imply, and ``"latent"``
        is the rest. This takes a pass for each cell.
        """
        check_is_fitted(self)
        validate_parameter_constraints(
            {"conditional": ["boolean"]},
            {"conditional": conditional},
            type(self).__name__,
        )
        chunks = self.model_._encoded_chunks(X, condition)
        matrix, combine = np.concatenate(list(chunks)), self._combine(condition)
        if conditional:
            return self._explain_cells(X, self._with_likely_conditions(matrix))
        if isinstance(self._rule, AdditiveRule):
            parts = self._over_unknown(self._rule.parts, matrix, combine)
            table = self.model_._cell_table(parts[:, :-1], row_labels(X))
        else:
            parts = self._parts_of_cells(matrix, combine)
            table = self._table_of_cells(parts[:, :-1], row_labels(X))
        # Beside a column of that name, if there is one.
        latent = pd.Series(parts[:, -1], table.index, name="latent")
        return pd.concat([table, latent], axis=1)

    @property
    def _cells(self):
        """Which columns of the matrix each modelled column of the table has."""
        encoder = self.model_.table_encoder_
        return encoder.table_columns() == np.array(encoder.modelled)[:, None]

    def _parts_of_cells(self, matrix, combine):
        """Return how much less anomalous rows would be without a cell, and the rest."""
        anomaly = self._anomaly(matrix, combine)
        width, n_cells = self.model_._width, len(self._cells)
        implied = self._implied(self._with_likely_conditions(matrix))
        parts = np.empty((len(matrix), n_cells + 1))
        for rows, copies, is_cell in self._copies(matrix):
            filled = implied[rows, :width].repeat(n_cells, axis=0)
            np.copyto(copies[:, :width], filled, where=is_cell)
            without = self._anomaly(copies, combine).reshape(-1, n_cells)
            parts[rows, :-1] = anomaly[rows, None] - without
        parts[:, -1] = anomaly - parts[:, :-1].sum(axis=1)
        return parts

    def _explain_cells(self, X, matrix):
        implied, labels = self._implied(matrix), row_labels(X)
        deviations = self._deviations(matrix, implied) / self._usual_deviation()
        deviation = self._table_of_cells(deviations, labels)
        implied = pd.DataFrame(self.model_._table(implied, labels))
        implied.columns = deviation.columns
        cells = np.asarray(X, dtype=object)
        columns = self.model_.table_encoder_.schema_.columns
        reasons = [
            _reason(*row, columns)
            for row in zip(
                deviation.to_numpy(), cells, implied.to_numpy(dtype=object), strict=True
            )
        ]
        return ConditionalExplanation(deviation, implied, pd.Series(reasons, labels))

    def _deviations(self, matrix, implied):
        """Return how far each cell lies from what is implied, of shape (n_rows, n).

        Of numbers the difference of their scaled values, and of the others, which have
        no direction, the length of what is missed. A cell that is missing, where
        training had holes, lies off by how unlikely that is.
        """
        encoder = self.model_.table_encoder_
        missed = self._rule.residuals(matrix, implied[:, : self.model_._width])
        is_number = np.isin(np.arange(missed.shape[1]), encoder.value_columns)
        columns = []
        for cell in self._cells:
            value = np.flatnonzero(cell & is_number)
            length = np.sqrt((np.nan_to_num(missed[:, cell]) ** 2).sum(axis=1))
            if len(value):
                is_known = ~np.isnan(missed[:, value[0]])
                length = np.where(is_known, missed[:, value[0]], length)
            columns.append(length)
        return np.column_stack(columns)

    def _usual_deviation(self):
        """Return the spread of each column about what the others imply, in training."""
        width = self.model_._width
        n_rows = max(_USUAL_CELLS // width, _LEAST_USUAL_ROWS)
        usual = self._usual[:n_rows]
        deviation = self._deviations(usual, self._implied(usual))
        spread = np.sqrt((deviation**2).mean(axis=0))
        # A column that the others determine, or a pixel that never varies.
        return np.maximum(spread, _FLOOR * np.nanstd(usual[:, :width]))

    def _with_likely_conditions(self, matrix):
        """Return encoded rows, with the likeliest condition where it is unknown."""
        width = self.model_._width

        def parts_of(rows):
            return np.column_stack([rows[:, width:], self._rule.anomaly(rows)])

        def likeliest(parts, log_probabilities):
            chosen = (log_probabilities - parts[..., -1]).argmax(axis=1)
            return parts[np.arange(len(parts)), chosen]

        parts = self.model_._inference.over_unknown(parts_of, matrix, likeliest)
        return np.hstack([matrix[:, :width], parts[:, :-1]])

    def _implied(self, matrix):
        """Return rows of which each cell is what the other cells of its row imply.

        A cell is left out and filled by its own reconstruction until that no longer
        moves it (Rezende et al. 2014, appendix F): a fixed point, found by secants.
        """
        usual, cells = self._usual[:, : self.model_._width], self._cells
        centre, low, high = (
            np.nan_to_num(f(usual, axis=0)) for f in (np.nanmean, np.nanmin, np.nanmax)
        )
        implied = matrix.copy()
        for rows, copies, is_cell in self._copies(matrix):
            values = copies[:, : len(centre)]
            guess, before, slope = np.broadcast_to(centre, values.shape), None, 0.0
            for _ in range(_N_ROUNDS):
                np.copyto(values, guess, where=is_cell)
                made = self._rule.reconstruct(copies)
                if before is not None:
                    slope = _slope(guess - before[0], made - before[1])
                before = guess, made
                guess = np.clip((made - slope * guess) / (1 - slope), low, high)
            guess = guess.reshape(-1, len(cells), len(centre))
            implied[rows, : len(centre)] = np.einsum("ncw,cw->nw", guess, cells)
        return implied

    def _copies(self, matrix):
        """Yield some rows, a copy of them for each cell, and where the cell is."""
        cells = self._cells
        for rows in row_chunks(len(matrix), max(_COPIES // len(cells), 1)):
            copies = matrix[rows].repeat(len(cells), axis=0)
            yield rows, copies, np.tile(cells, (len(matrix[rows]), 1))

    def _table_of_cells(self, values, labels):
        """Return a table of numbers, one for each cell: 0 where there is none."""
        encoder = self.model_.table_encoder_
        cells = np.zeros((len(values), len(encoder.schema_.columns)))
        cells[:, encoder.modelled] = values
        return pd.DataFrame(cells, labels, encoder.schema_.names)


def _slope(run, rise):
    """Return the slopes of secants, in a range under which guesses converge."""
    slope = np.divide(rise, run, out=np.zeros_like(run), where=run != 0)
    return np.clip(slope, -_STEEPEST, _STEEPEST)


def _reason(deviation, cells, implied, columns):
    """Return a sentence on the cell of a row that deviates most."""
    worst = np.abs(deviation).argmax()
    size, name = abs(deviation[worst]), columns[worst].name
    cell, other = cells[worst], implied[worst]
    if pd.isna(cell):
        sentence = f"{name} is missing, where its other columns imply {_shown(other)}"
    elif columns[worst].kind in ("continuous", "integer"):
        side = "above" if deviation[worst] > 0 else "below"
        sentence = (
            f"{name} is {_shown(size, 2)} sd {side} what its other columns imply "
            f"({_shown(cell)} against {_shown(other)})"
        )
    elif cell == other:
        sentence = f"{name} is {cell}, which its other columns leave open"
    else:
        sentence = f"{name} is {cell}, where its other columns imply {_shown(other)}"
    return sentence if size >= _STANDS_OUT else f"no cell stands out: {sentence}"


def _shown(value, digits=3):
    """Return a cell as one would write it."""
    if not isinstance(value, Real) or isinstance(value, bool | np.bool_):
        return str(value)
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"
