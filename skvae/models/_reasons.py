"""Why a row is anomalous: its score, split over cells; cells against the others."""

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
# Cells that are left out in one pass.
_CELLS = 16_384
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
        else:
            parts = self._parts_of_cells(matrix, combine)
        table = self._table_of_cells(parts[:, :-1], row_labels(X))
        # Beside a column of that name, if there is one.
        latent = pd.Series(parts[:, -1], table.index, name="latent")
        return pd.concat([table, latent], axis=1)

    def _parts_of_cells(self, matrix, combine):
        """Return how much less anomalous rows would be without a cell, and the rest."""
        anomaly = self._anomaly(matrix, combine)
        width = self.model_._width
        implied = self._implied(self._with_likely_conditions(matrix))
        parts = np.empty((len(matrix), width + 1))
        for rows, copies, cells in self._copies(matrix):
            copies[cells] = implied[rows, :width].ravel()
            without = self._anomaly(copies, combine).reshape(-1, width)
            parts[rows, :-1] = anomaly[rows, None] - without
        parts[:, -1] = anomaly - parts[:, :-1].sum(axis=1)
        return parts

    def _explain_cells(self, X, matrix):
        implied, labels = self._implied(matrix), row_labels(X)
        difference = (matrix - implied)[:, : self.model_._width]
        deviation = self._table_of_cells(difference / self._usual_deviation(), labels)
        implied = pd.DataFrame(self.model_._table(implied, labels))
        implied.columns = deviation.columns
        cells = np.asarray(X, dtype=object)
        reasons = [
            _reason(*row, names=deviation.columns)
            for row in zip(
                deviation.to_numpy(), cells, implied.to_numpy(dtype=object), strict=True
            )
        ]
        return ConditionalExplanation(deviation, implied, pd.Series(reasons, labels))

    def _usual_deviation(self):
        """Return the spread of each column about what the others imply, in training."""
        width = self.model_._width
        n_rows = max(_USUAL_CELLS // width, _LEAST_USUAL_ROWS)
        usual = self._usual[:n_rows]
        deviation = (usual - self._implied(usual))[:, :width]
        spread = np.sqrt((deviation**2).mean(axis=0))
        # A column that the others determine, or a pixel that never varies.
        return np.maximum(spread, _FLOOR * usual[:, :width].std())

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
        usual = self._usual[:, : self.model_._width]
        centre, low, high = usual.mean(axis=0), usual.min(axis=0), usual.max(axis=0)
        implied = matrix.copy()
        for rows, copies, cells in self._copies(matrix):
            column = cells[1]
            guess, before, slope = centre[column], None, 0.0
            for _ in range(_N_ROUNDS):
                copies[cells] = guess
                made = self._rule.reconstruct(copies)[cells]
                if before is not None:
                    slope = _slope(guess - before[0], made - before[1])
                before = guess, made
                guess = (made - slope * guess) / (1 - slope)
                guess = np.clip(guess, low[column], high[column])
            implied[rows, : len(centre)] = guess.reshape(-1, len(centre))
        return implied

    def _copies(self, matrix):
        """Yield some rows, a copy of them for each cell, and where the cell is."""
        width = self.model_._width
        for rows in row_chunks(len(matrix), max(_CELLS // width, 1)):
            copies = matrix[rows].repeat(width, axis=0)
            columns = np.tile(np.arange(width), len(matrix[rows]))
            yield rows, copies, (np.arange(len(copies)), columns)

    def _table_of_cells(self, values, labels):
        """Return a table of numbers, one for each cell: 0 where there is none."""
        schema = self.model_.table_encoder_.schema_
        (group,) = self.model_.table_encoder_.groups_
        cells = np.zeros((len(values), len(schema.columns)))
        cells[:, group.columns] = values
        names = [column.name for column in schema.columns]
        return pd.DataFrame(cells, labels, names)


def _slope(run, rise):
    """Return the slopes of secants, in a range under which guesses converge."""
    slope = np.divide(rise, run, out=np.zeros_like(run), where=run != 0)
    return np.clip(slope, -_STEEPEST, _STEEPEST)


def _reason(deviation, cells, implied, names):
    """Return a sentence on the cell of a row that deviates most."""
    worst = np.abs(deviation).argmax()
    size, side = abs(deviation[worst]), "above" if deviation[worst] > 0 else "below"
    sentence = (
        f"{names[worst]} is {_shown(size, 2)} sd {side} what its other columns imply "
        f"({_shown(cells[worst])} against {_shown(implied[worst])})"
    )
    return sentence if size >= _STANDS_OUT else f"no cell stands out: {sentence}"


def _shown(value, digits=3):
    """Return a number as one would write it."""
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"
