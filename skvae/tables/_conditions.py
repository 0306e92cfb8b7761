"""Conditions of a model: categories and numbers to a matrix, unknown ones as NaN."""

import warnings

import numpy as np
import pandas as pd

from skvae._core.errors import UnseenConditionWarning
from skvae._core.storing import storable
from skvae.tables._condition_columns import OneHot, Scores, encoder_of
from skvae.tables._wording import listed


@storable(
    columns_=list,
    is_categorical_=list[bool],
    parts_=list[slice],
    _encoders=list[OneHot | Scores],
)
class ConditionEncoder:
    """Turn the conditions of a model into a matrix, and the matrix into conditions.

    A categorical condition takes one column of the matrix for each level that fit
    saw, 1 where a row has the level and 0 elsewhere. A continuous one takes one
    column, of normal scores with linear tails. Where a condition is unknown, its part
    of the matrix is NaN.

    Categorical are strings, booleans, categories, objects, integers with at most 20
    distinct values, and whatever has one value only. Other numbers are continuous.
    Levels match by value: 1, 1.0 and True are the same, "1" is another. They are
    sorted, or in the order of a categorical dtype.

    Attributes
    ----------
    columns_ : list
        The names of the conditions.

    is_categorical_ : list of bool
        Which of them are categorical.

    parts_ : list of slice
        Which columns of the matrix belong to each of them.

    See Also
    --------
    as_conditions : Makes the DataFrame of what users pass as a condition.

    Examples
    --------
    >>> import pandas as pd
    >>> from skvae.tables import ConditionEncoder
    >>> conditions = pd.DataFrame(
    ...     {"region": ["N", "S", "N"], "income": [10.0, 20.0, 900.0]}
    ... )
    >>> encoder = ConditionEncoder().fit(conditions)
    >>> encoder.transform(conditions).round(2)
    array([[ 1.  ,  0.  , -0.97],
           [ 0.  ,  1.  ,  0.  ],
           [ 1.  ,  0.  ,  0.97]])

    What is unknown is NaN in the matrix, and typical in a table:

    >>> unknown = encoder.transform(pd.DataFrame({"region": [None], "income": [None]}))
    >>> unknown
    array([[nan, nan, nan]])
    >>> encoder.inverse_transform(unknown)
      region  income
    0      N    20.0
    """

    def fit(self, conditions):
        """Learn the levels and the scale of each condition.

        Parameters
        ----------
        conditions : DataFrame of shape (n_samples, n_conditions)
            The conditions of the training rows.

        Returns
        -------
        self : ConditionEncoder
            The fitted encoder.

        Raises
        ------
        ValueError
            If a cell is missing, or a condition is neither categorical nor a column
            of finite numbers.
        """
        self.columns_ = list(conditions.columns)
        self._encoders = [encoder_of(*item) for item in conditions.items()]
        self.is_categorical_ = [isinstance(e, OneHot) for e in self._encoders]
        ends = np.cumsum([0] + [encoder.width for encoder in self._encoders]).tolist()
        self.parts_ = [slice(*ends[i : i + 2]) for i in range(len(self.columns_))]
        return self

    @property
    def width(self) -> int:
        """How many columns the matrix has."""
        return sum(encoder.width for encoder in self._encoders)

    def transform(self, conditions) -> np.ndarray:
        """Return the matrix of some conditions.

        Parameters
        ----------
        conditions : DataFrame of shape (n_samples, n_conditions)
            The columns that fit saw. Their cells may be missing.

        Returns
        -------
        matrix : ndarray of shape (n_samples, width)
            Of float64, NaN in the part of a condition that is missing or has a level
            that fit never saw.

        Raises
        ------
        ValueError
            If the columns are not those that fit saw, or a continuous condition holds
            something other than a number or one that is out of all proportion.

        Warns
        -----
        UnseenConditionWarning
            If a condition has a level that fit never saw.
        """
        if list(conditions.columns) != self.columns_:
            raise ValueError(
                f"Got conditions {listed(conditions.columns)}; expected "
                f"{listed(self.columns_)}, as in fit."
            )
        matrix = np.empty((len(conditions), self.width))
        unseen = {}
        parts = zip(self._encoders, self.parts_, conditions.items(), strict=True)
        for encoder, part, (name, values) in parts:
            matrix[:, part], unseen[name] = encoder.matrix(values)
        _warn_of_unseen(unseen)
        return matrix

    def inverse_transform(self, matrix) -> pd.DataFrame:
        """Return the conditions of a matrix, in the names and dtypes that fit saw.

        Parameters
        ----------
        matrix : ndarray of shape (n_samples, width)
            As `transform` returns it.

        Returns
        -------
        conditions : DataFrame of shape (n_samples, n_conditions)
            Of a categorical condition the level with the largest entry, of a
            continuous one its value. Where a condition is unknown, its commonest
            level or its median, since a table has to hold something.
        """
        cells = {
            name: encoder.cells(matrix[:, part])
            for name, encoder, part in zip(
                self.columns_, self._encoders, self.parts_, strict=True
            )
        }
        return pd.DataFrame(cells, index=pd.RangeIndex(len(matrix)))


def _warn_of_unseen(unseen):
    """Warn once of all levels that fit never saw, given by the name of condition."""
    parts = [
        f"{listed(levels)} in condition {name!r}"
        for name, levels in unseen.items()
        if levels
    ]
    if parts:
        warnings.warn(
            f"Levels that training never saw: {'; '.join(parts)}. In those rows the "
            "condition is treated as unknown.",
            UnseenConditionWarning,
            stacklevel=3,
        )
