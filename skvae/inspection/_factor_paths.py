"""The latent factors of one model, each moved along its own way."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.utils import resample

from skvae.inspection._column_reader import ColumnReader
from skvae.inspection._image_gallery import image_shape_of
from skvae.inspection._image_readers import decoded_images
from skvae.inspection._matched_latents import single_start, typical
from skvae.inspection._validation import active_factors, modelled_column_names
from skvae.selection._resolve import Resolved

_MOST_FACTORS = 6
_STEPS, _STEPS_OF_IMAGES = 41, 9


@dataclass(frozen=True)
class FactorPaths:
    """Where each of some latent factors goes, and from which codes.

    Parameters
    ----------
    found : Resolved
        The model, and the table as it sees it.

    codes : ndarray of shape (n_samples, n_latents)
        The posterior means of the table.

    values : dict of str to ndarray of shape (n_steps,)
        The values of each factor, increasing.
    """

    found: Resolved
    codes: np.ndarray
    values: dict

    @classmethod
    def of(cls, found, factors, quantiles, reach, n_steps):
        """Return the ways of factors.

        Parameters
        ----------
        found : Resolved
            The model, and the table as it sees it.

        factors : list of str or None
            Names of factors; None takes the active ones, at most 6.

        quantiles : tuple of two floats
            Between which quantiles of its codes a factor goes.

        reach : float or None
            How far it goes to either side instead, in standard deviations of the prior.

        n_steps : int or None
            Values of a factor; None takes fewer of images.

        Returns
        -------
        paths : FactorPaths
            In the order of `factors`.
        """
        model = found.model
        names = list(model.get_feature_names_out())
        codes = model._encode(found.inputs)[0]
        if n_steps is None:
            n_steps = _STEPS if image_shape_of(model) is None else _STEPS_OF_IMAGES
        values = {}
        for name in _factor_names(model, names, factors):
            ends = np.quantile(codes[:, names.index(name)], quantiles)
            values[name] = np.linspace(*((-reach, reach) if reach else ends), n_steps)
        return cls(found, codes, values)

    def columns(self, rows, quantiles, max_rows, random_state):
        """Return how columns change, on average, from where each factor's median is.

        Parameters
        ----------
        rows : DataFrame, array-like or None
            Where to start from, as the model sees them. None draws from the table.

        quantiles : tuple of two floats
            Their distance is the spread of a column.

        max_rows : int
            Of more rows than these, so many are drawn.

        random_state : int, RandomState instance or None
            Determines which.

        Returns
        -------
        traversals : dict of str to DataFrame of shape (n_steps, n_columns)
            As shares of the columns' spreads. Of a column of categories it is the
            probability of that level which moves furthest.

        spread : Series
            The unit of each column or level: 1 of a probability.

        probabilities : list of str
            Names of what is a probability.
        """
        model = self.found.model
        reader = ColumnReader(model)
        starts = self.codes if rows is None else model._encode(rows)[0]
        starts = resample(
            starts,
            replace=False,
            n_samples=min(len(starts), max_rows),
            random_state=random_state,
        )
        units = reader.units(self.found.inputs, quantiles)
        labels = reader.labels(modelled_column_names(model, self.found.inputs))
        traversals = {}
        for name, values in self.values.items():
            median = np.median(self.codes[:, self._position(name)])
            moved = self._moved(starts, name, np.append(values, median))
            decoded = reader.decode(moved).reshape(len(values) + 1, len(starts), -1)
            decoded = decoded.mean(axis=1)
            change = np.nan_to_num((decoded[:-1] - decoded[-1]) / units)
            shown = reader.furthest(change)
            traversals[name] = pd.DataFrame(change[:, shown], values, labels[shown])
        probabilities = labels[reader.is_probability].tolist()
        return traversals, pd.Series(units, labels), probabilities

    def images(self, rows):
        """Return what becomes of one image.

        Parameters
        ----------
        rows : DataFrame, array-like or None
            The image, as the model sees it. None takes the one whose codes are nearest
            to the middle of all.

        Returns
        -------
        traversals : dict of str to ndarray of shape (n_steps, channels, height, width)
            In the units of the images.
        """
        if rows is None:
            start = self.codes[[typical(self.codes)]]
        else:
            start = self.found.model._encode(single_start(rows))[0]
        return {
            name: decoded_images(self.found, self._moved(start, name, values))
            for name, values in self.values.items()
        }

    def _position(self, name):
        return list(self.found.model.get_feature_names_out()).index(name)

    def _moved(self, starts, name, values):
        """Return all starts with the factor at the first value, then at the next."""
        moved = np.repeat(starts[None], len(values), axis=0)
        moved[:, :, self._position(name)] = values[:, None]
        return moved.reshape(-1, starts.shape[1])


def _factor_names(model, names, factors):
    """Return the names of the factors to show."""
    if factors is None:
        return [names[j] for j in active_factors(model)[:_MOST_FACTORS]]
    unknown = [name for name in factors if name not in names]
    if unknown or len(factors) == 0:
        raise ValueError(
            f"Expected factors out of {names}, got {unknown or 'an empty list'}."
        )
    return list(dict.fromkeys(factors))
