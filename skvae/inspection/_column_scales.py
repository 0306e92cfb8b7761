"""Where the cells of a column lie between its low and its high values."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

# How far beyond low and high cells are still told apart, in distances of the two.
_EDGE = 0.08


@dataclass(frozen=True)
class ColumnScale:
    """What is low in a column and what is high.

    Parameters
    ----------
    low, high : float
        Numbers, or positions of levels.

    levels : pandas Index or None
        What is no number, in order: they lie evenly from low to high.
    """

    low: float
    high: float
    levels: pd.Index | None = None

    @classmethod
    def of(cls, cells, quantiles):
        """Return the scale of a column.

        Parameters
        ----------
        cells : Series
            All that is known of the column. Dates and whatever else is no number are
            levels.

        quantiles : tuple of two floats
            What is low and what is high of numbers. If they are the same, these are
            the least and the largest number.

        Returns
        -------
        scale : ColumnScale
            Constant, if nothing is known.
        """
        cells = cells.dropna()
        if not is_numeric_dtype(cells.dtype) or is_bool_dtype(cells.dtype):
            levels = pd.Index(cells.astype("category").cat.categories)
            return cls(0.0, max(len(levels) - 1.0, 0.0), levels)
        if not len(cells):
            return cls(0.0, 0.0)
        low, high = np.quantile(cells.to_numpy(dtype=float), quantiles)
        if low == high:
            low, high = cells.min(), cells.max()
        return cls(float(low), float(high))

    @property
    def is_constant(self):
        """Whether all cells are alike."""
        return self.low == self.high

    def places(self, cells):
        """Return where cells lie: 0 is low, 1 is high, NaN is unknown.

        What lies far beyond is at the edge, a little outside of both.
        """
        if self.levels is None:
            numbers = cells.to_numpy(dtype=float, na_value=np.nan)
        else:
            numbers = self.levels.get_indexer(pd.Index(cells)).astype(float)
            numbers[numbers < 0] = np.nan
        places = (numbers - self.low) / (self.high - self.low)
        return np.clip(places, -_EDGE, 1 + _EDGE)

    @property
    def text(self):
        """What is low and what is high, in the column's own units."""
        if self.levels is not None:
            return f"{self.levels[0]} to {self.levels[-1]}"
        return f"{_number(self.low)} to {_number(self.high)}"


def column_scales(tables, quantiles):
    """Return what is low and high in each column of some tables together.

    Parameters
    ----------
    tables : iterable of DataFrame or array-like of shape (n_samples, n_features)
        With the same columns.

    quantiles : tuple of two floats
        What is low and what is high of numbers.

    Returns
    -------
    scales : dict of name to ColumnScale
        In the order of the columns.
    """
    together = pd.concat([pd.DataFrame(table) for table in tables])
    return {name: ColumnScale.of(together[name], quantiles) for name in together}


def _number(value):
    """Return a number with four digits, or with all those before its point."""
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return text.replace("-", "\N{MINUS SIGN}")
