"""What tables and decoded rows are as numbers that can be averaged and compared."""

import numpy as np
import pandas as pd
from sklearn.utils.validation import _check_feature_names_in

from skvae.inspection._validation import column_spread
from skvae.tables import Boolean, Date, Levels, Number

# Groups of the encoded matrix whose columns decode to probabilities.
_PROBABILITIES = ("boolean", "categorical", "ordinal")
_RARE = "rare levels"
# Two levels share all that moves: neither goes further, whatever the last digits say.
_TIE = 1e-9


class ColumnReader:
    """Read tables and decoded rows of a fitted model as numbers, the readings.

    A number is read as it is, a date or a duration as days, a boolean as the
    probability that it is true, and a category as a probability for each of its levels.
    What takes no part in the model is read as 0.

    Parameters
    ----------
    estimator : estimator
        A fitted model.

    Attributes
    ----------
    columns : list of Column
        The columns that the model explains, in the order of the table.

    starts : ndarray of shape (n_columns,)
        The first reading of each column.

    is_level : ndarray of shape (n_readings,), of bool
        Which readings are one of several of their column.

    is_probability : ndarray of shape (n_readings,), of bool
        Which readings are probabilities.
    """

    def __init__(self, estimator):
        self._estimator = estimator
        # Whatever encodes no table has columns of numbers.
        self._encoder = getattr(estimator, "table_encoder_", None)
        self.columns = self._modelled_columns()
        counts = [c.width if isinstance(c, Levels) else 1 for c in self.columns]
        self.starts = np.cumsum([0, *counts[:-1]])
        self.is_level = np.repeat([isinstance(c, Levels) for c in self.columns], counts)
        is_boolean = np.repeat([isinstance(c, Boolean) for c in self.columns], counts)
        self.is_probability = self.is_level | is_boolean

    def _modelled_columns(self):
        if self._encoder is None:
            names = _check_feature_names_in(self._estimator)
            return [Number(name, float) for name in names]
        schema = self._encoder.schema_
        return [schema.columns[position] for position in schema.kept]

    def decode(self, codes):
        """Return the readings of decoded rows.

        Parameters
        ----------
        codes : ndarray of shape (n_rows, n_latents)
            Latents.

        Returns
        -------
        readings : ndarray of shape (n_rows, n_readings)
            Numbers and dates of the mean row, were none missing, and probabilities.
        """
        model = self._estimator
        if self._encoder is None:
            return self._numbers(model.inverse_transform(codes))
        conditions = model._conditions(None, len(codes))
        matrix = model._inference.decode(codes, conditions)
        table = model._table(self._encoder.without_holes(matrix))
        readings = np.empty((len(codes), len(self.is_probability)))
        readings[:, ~self.is_probability] = self._numbers(table)
        readings[:, self.is_probability] = matrix[:, self._probabilities]
        return readings

    @property
    def _probabilities(self):
        """Columns of the encoded matrix that hold probabilities, as they are read."""
        part_of = {
            position: part
            for group in self._encoder.groups_
            if group.kind in _PROBABILITIES
            for position, part in zip(group.columns, group.parts, strict=True)
        }
        matrix_columns = np.arange(self._encoder.width)
        parts = [matrix_columns[part_of[position]] for position in sorted(part_of)]
        return np.concatenate([[], *parts]).astype(int)

    def _numbers(self, table):
        """Return the readings of a table that are no probabilities."""
        table = self._estimator._modelled(table)
        if not isinstance(table, pd.DataFrame):
            table = pd.DataFrame(np.asarray(table))
        parts = [
            _read(column, table.iloc[:, position])
            for position, column in enumerate(self.columns)
            if not isinstance(column, Boolean | Levels)
        ]
        return np.reshape(parts, (len(parts), len(table))).T

    def units(self, X, quantiles):
        """Return in what unit a change of each reading is a share.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.

        quantiles : tuple of two floats
            Lower and upper.

        Returns
        -------
        units : ndarray of shape (n_readings,)
            The spread of numbers and dates; 1 for a probability.
        """
        units = np.ones(len(self.is_probability))
        units[~self.is_probability] = column_spread(self._numbers(X), quantiles)
        return units

    def by_column(self, changes):
        """Return changes of columns, given those of their readings.

        Parameters
        ----------
        changes : ndarray of shape (..., n_readings)
            Differences of readings.

        Returns
        -------
        changes : ndarray of shape (..., n_columns)
            That of a category is the total variation distance between its levels'
            probabilities: half the sum of their absolute changes.
        """
        moved = np.where(self.is_level, 0.5 * np.abs(changes), changes)
        return np.add.reduceat(moved, self.starts, axis=-1)

    def furthest(self, changes):
        """Return the reading of each column that moves furthest.

        Parameters
        ----------
        changes : ndarray of shape (n_steps, n_readings)
            Readings, as they change.

        Returns
        -------
        readings : ndarray of shape (n_columns,)
            The first of those that move equally far.
        """
        distances = np.split(np.ptp(changes, axis=0), self.starts[1:])
        ahead = [np.argmax(d >= d.max() - _TIE) for d in distances]
        return self.starts + np.array(ahead)

    def gaining(self, change):
        """Return for each category the level that gains most, None for other columns.

        Parameters
        ----------
        change : ndarray of shape (n_readings,)
            Differences of readings.

        Returns
        -------
        levels : list of str or None, of length n_columns
            What the levels are called.
        """
        changes = np.split(change, self.starts[1:])
        return [
            _levels(column)[part.argmax()] if isinstance(column, Levels) else None
            for column, part in zip(self.columns, changes, strict=True)
        ]

    def labels(self, names):
        """Return what readings are called, given what their columns are.

        Parameters
        ----------
        names : sequence of length n_columns
            Names of the columns.

        Returns
        -------
        labels : ndarray of shape (n_readings,), of object
            The name of the column, of a level as in ``"EDUCATION = 2"``.
        """
        labels = []
        for name, column in zip(names, self.columns, strict=True):
            if isinstance(column, Levels):
                labels += [f"{name} = {level}" for level in _levels(column)]
            else:
                labels.append(name)
        return np.array([*labels, None], dtype=object)[:-1]  # names may be tuples


def _read(column, cells):
    """Return the cells of a column as numbers."""
    if isinstance(column, Date):
        days = pd.Timedelta(column.step, column.unit) / pd.Timedelta(days=1)
        return column.numbers(cells) * days
    if isinstance(column, Number):
        return cells.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.zeros(len(cells))


def _levels(column):
    """Return what the levels of a category are called, of rare ones all together."""
    return [*map(str, column.levels), *([_RARE] if column.rare else [])]
