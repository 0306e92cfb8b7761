"""The numeric columns of a table: cells to floats, floats to scaled values and back."""

from typing import NotRequired

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.base import clone
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from skvae._core.stored_types import Matrix, Vector
from skvae._core.storing import storable
from skvae.tables._number import Number, is_plain
from skvae.tables._pixels import PixelScaler
from skvae.tables._quantile import QuantileNormalEncoder

_SCALERS = {
    "quantile": QuantileNormalEncoder,
    "standard": StandardScaler,
    "minmax": MinMaxScaler,
    None: FunctionTransformer,
}
# Quantiles by which the distribution of a column is remembered.
_SHARES = np.linspace(0, 1, 1001)
_LARGEST = float(np.finfo(np.float32).max)


@storable(
    columns=list[Number],
    positions=list[int],
    are_pixels=bool,
    scaler=object,
    _low=NotRequired[Vector],
    _high=NotRequired[Vector],
    _quantiles=NotRequired[Matrix],
)
class ScaledNumbers:
    """The numeric columns of a table, and how they are scaled.

    Parameters
    ----------
    columns : list of Number
        The columns, in the order of the matrix.

    positions : list of int
        Where they are in the table.

    encoding : str, None or transformer
        How they are scaled.

    are_pixels : bool
        Whether they are the pixels of images.
    """

    def __init__(self, columns, positions, encoding, are_pixels):
        self.columns = columns
        self.positions = positions
        self.encoding = encoding
        self.are_pixels = are_pixels
        self.scaler = None

    def place(self, position) -> int:
        """Return which of the columns is at a position of the table."""
        return self.positions.index(position)

    def fit(self, numbers):
        """Learn the scale of each column from the values that are no atoms.

        Parameters
        ----------
        numbers : ndarray of shape (n_samples, n_columns)
            As `floats` gives them.

        Returns
        -------
        self : ScaledNumbers
            Fitted.
        """
        if not self.columns:
            return self
        continuous = numbers.copy()
        for place, column in enumerate(self.columns):
            if column.atoms and not column.is_discrete:
                continuous[np.isin(numbers[:, place], column.atoms), place] = np.nan
        with np.errstate(all="ignore"):  # the checks name the column that overflows
            self.scaler = self._make_scaler().fit(continuous)
        scaled = self.scale(continuous)
        self._low, self._high = np.nanmin(scaled, axis=0), np.nanmax(scaled, axis=0)
        if not self.are_pixels:  # of which `calibrate` knows nothing
            self._quantiles = np.nanquantile(scaled, _SHARES, axis=0)
        first = (~np.isnan(numbers)).argmax(axis=0)
        self._check_way_back(numbers[first, np.arange(len(first))][None])
        return self

    def _make_scaler(self):
        if self.are_pixels:
            return PixelScaler(self.encoding)
        if self.encoding is None or isinstance(self.encoding, str):
            return _SCALERS[self.encoding]()
        return clone(self.encoding)

    def floats(self, table) -> np.ndarray:
        """Return the columns of a table as floats, NaN where a cell is missing."""
        numbers = self._floats(table)
        if self.are_pixels:
            self._check_pixels(numbers)
        return numbers

    def _floats(self, table):
        if not isinstance(table, pd.DataFrame):
            if self.positions != list(range(table.shape[1])):
                table = table[:, self.positions]
            return np.asarray(table, dtype=np.float64)
        part = table.iloc[:, self.positions]
        no_dates = all(type(column) is Number for column in self.columns)
        if no_dates and all(is_plain(dtype) for dtype in part.dtypes):
            numbers = part.to_numpy(dtype=np.float64)
            if not np.isinf(numbers).any():
                return numbers
        numbers = np.empty(part.shape)
        for place, column in enumerate(self.columns):
            numbers[:, place] = column.numbers(part.iloc[:, place])
        return numbers

    def scale(self, numbers) -> np.ndarray:
        """Return floats scaled."""
        if not self.columns:
            return numbers
        # The check names the column that overflows.
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = self.scaler.transform(numbers)
        scaled = np.asarray(scaled, dtype=np.float64)
        self._check_scaled(numbers, scaled)
        return scaled

    def spread(self, numbers, random_state) -> np.ndarray:
        """Return floats scaled, tied ones spread over the ranks that they share."""
        scaled = self.scale(numbers)
        if isinstance(self.scaler, QuantileNormalEncoder):
            return self.scaler.spread(numbers, scaled, random_state)
        return scaled

    def unscale(self, scaled) -> np.ndarray:
        """Return scaled values in the columns' own units."""
        if not self.columns:
            return scaled
        return np.array(self.scaler.inverse_transform(scaled))

    def clip(self, scaled) -> np.ndarray:
        """Return scaled values within the range of the training rows."""
        return np.clip(scaled, self._low, self._high) if self.columns else scaled

    def calibrate(self, place, scaled) -> np.ndarray:
        """Return scaled values of a column, moved to the quantiles of training rows.

        Their order stays.
        """
        shares = (rankdata(scaled, method="ordinal") - 0.5) / max(len(scaled), 1)
        return np.interp(shares, _SHARES, self._quantiles[:, place])

    def scaled_values(self, position, numbers) -> np.ndarray:
        """Return numbers of the column at a position of the table, scaled."""
        place = self.place(position)
        table = np.full((len(numbers), len(self.columns)), np.nan)
        table[:, place] = numbers
        return self.scale(table)[:, place]

    def atom_scores(self, position) -> tuple[float, ...]:
        """Return the scaled atoms of a column, within those of its other values."""
        place = self.place(position)
        scores = self.scaled_values(position, np.array(self.columns[place].atoms))
        return tuple(scores.clip(self._low[place], self._high[place]).tolist())

    def _check_pixels(self, numbers):
        is_missing = np.isnan(numbers).any(axis=0)
        if is_missing.any():
            column = self.columns[is_missing.argmax()]
            raise ValueError(
                f"Column {column.name!r} contains NaN; expected images without missing "
                "pixels."
            )

    def _check_scaled(self, numbers, scaled):
        if scaled.shape != numbers.shape:
            raise ValueError(
                f"encoding={self.encoding!r} turned {numbers.shape[1]} columns into "
                f"an array of shape {scaled.shape}; expected one column for each."
            )
        bad = (np.abs(scaled) > _LARGEST) | (np.isnan(scaled) & ~np.isnan(numbers))
        if bad.any():
            column = self.columns[bad.any(axis=0).argmax()]
            raise ValueError(
                f"Column {column.name!r} leaves the range of float32 once scaled with "
                f"encoding={self.encoding!r}; expected values whose scaled size is "
                f"below {_LARGEST:.0e}. {self._remedy}"
            )

    def _check_way_back(self, numbers):
        """Raise where a range beyond float64 left the scaler without a way back."""
        with np.errstate(all="ignore"):
            back = np.asarray(self.scaler.inverse_transform(self.scale(numbers)))
        lost = ~(np.isfinite(back) | np.isnan(numbers)).all(axis=0)
        if lost.any():
            column = self.columns[lost.argmax()]
            raise ValueError(
                f"Column {column.name!r} has a range that encoding={self.encoding!r} "
                "cannot invert; expected a range within that of float64. "
                f"{self._remedy}"
            )

    @property
    def _remedy(self) -> str:
        if self.are_pixels:
            return "Rescale the images."
        return 'Rescale the column, or use encoding="quantile".'
