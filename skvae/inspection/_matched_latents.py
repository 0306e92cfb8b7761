"""One latent of a model, found again in other models, and moved in all of them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.utils import check_consistent_length, resample

from skvae.inspection._column_reader import ColumnReader
from skvae.inspection._effects import _factor_position
from skvae.inspection._image_readers import decoded_images
from skvae.inspection._validation import modelled_column_names
from skvae.selection._resolve import Resolved, resolve


@dataclass(frozen=True)
class MatchedLatent:
    """A latent of a fitted model, and how it goes with that of another.

    Parameters
    ----------
    estimator : estimator
        The model, or what it is inside of.

    found : Resolved
        The model, and the table as it sees it.

    beta : float
        What tells the model apart.

    codes : ndarray of shape (n_samples, n_latents)
        The posterior means of the table.

    position : int
        Of the latent.

    correlation : float
        Of its codes with those of the other latent, by ranks. Where it is negative,
        the latent is seen turned around.
    """

    estimator: object
    found: Resolved
    beta: float
    codes: np.ndarray
    position: int
    correlation: float

    @property
    def kl(self):
        """Its KL to the prior, in nats."""
        return float(self.found.model.kl_per_dimension_[self.position])

    @property
    def name(self):
        """What the model calls it."""
        return self.found.model.get_feature_names_out()[self.position]

    def starts(self, rows, drawn):
        """Return the codes of rows, or of those drawn from the table if None."""
        if rows is None:
            return self.codes[drawn]
        found = resolve(self.estimator, rows)
        return found.model._encode(found.inputs)[0]

    def moved(self, starts, values):
        """Return codes with the latent at each of some values.

        Parameters
        ----------
        starts : ndarray of shape (n_starts, n_latents)
            Codes, whose other latents stay as they are.

        values : ndarray of shape (n_steps,)
            Values of the latent that it was matched with.

        Returns
        -------
        codes : ndarray of shape (n_steps * n_starts, n_latents)
            All starts at the first value, then at the next.
        """
        moved = np.repeat(starts[None], len(values), axis=0)
        sign = -1.0 if self.correlation < 0 else 1.0
        moved[:, :, self.position] = sign * values[:, None]
        return moved.reshape(-1, starts.shape[1])


def matched_latents(estimators, X, latent=None, betas=None):
    """Return a latent of the first model, and what goes with it in each other.

    Parameters
    ----------
    estimators : list of estimators
        Fitted models, or Pipelines or searches with one inside.

    X : DataFrame or array-like of shape (n_samples, n_features)
        The table as they take it.

    latent : str or int, default=None
        Name or position in the first model. None takes the one with most KL.

    betas : array-like of shape (n_models,), default=None
        What the models are told apart by. None takes their parameter `beta`.

    Returns
    -------
    latents : list of MatchedLatent
        Of each model that whose codes have the largest absolute Spearman correlation
        with those of the first.

    Raises
    ------
    ValueError
        If there is no model, if one has no `beta`, or if `latent` is unknown.
    """
    if not len(estimators):
        raise ValueError("Got no estimators; expected at least one fitted model.")
    models = [resolve(estimator, X) for estimator in estimators]
    if betas is None:
        betas = [_beta_of(found.model) for found in models]
    check_consistent_length(estimators, betas)
    first = models[0].model
    if latent is None:
        position = int(np.argmax(first._factor_model.kl_per_dimension_))
    else:
        position = _factor_position(first, latent)
    wanted = first._encode(models[0].inputs)[0][:, position]
    latents = []
    for estimator, found, beta in zip(estimators, models, betas, strict=True):
        codes = found.model._encode(found.inputs)[0]
        n_factors = len(found.model._factor_model.kl_per_dimension_)
        correlations = _rank_correlations(wanted, codes[:, :n_factors])
        best = int(np.argmax(np.abs(correlations)))
        if found is models[0]:
            best = position
        latents.append(
            MatchedLatent(
                estimator, found, float(beta), codes, best, float(correlations[best])
            )
        )
    return latents


def matches_of(latents):
    """Return what is known of matched latents, as a table with one row a model."""
    return pd.DataFrame(
        {
            "beta": [latent.beta for latent in latents],
            "latent": [latent.name for latent in latents],
            "correlation": [latent.correlation for latent in latents],
            "kl": [latent.kl for latent in latents],
        }
    )


def table_traversals(latents, values, *, rows, quantiles, max_rows, random_state):
    """Return what columns are while matched latents move.

    Parameters
    ----------
    latents : list of MatchedLatent
        One a model.

    values : ndarray of shape (n_steps,)
        Where the latent goes.

    rows : DataFrame, array-like or None
        Where to start from. None draws from the table.

    quantiles : tuple of two floats
        Their distance is the spread of a column.

    max_rows : int
        Of more rows than these, so many are drawn.

    random_state : int, RandomState instance or None
        Determines which.

    Returns
    -------
    traversals : list of DataFrame of shape (n_steps, n_columns)
        Means over the starts, in the columns' own units as the model sees them. A
        column of categories is that of its levels which moves furthest in any model,
        as a probability.

    spread : Series of shape (n_columns,)
        The unit of each column that makes them comparable: 1 of a probability, NaN of
        a constant column.

    probabilities : list of str
        Which columns are probabilities.
    """
    readers = [ColumnReader(latent.found.model) for latent in latents]
    tables = [
        modelled_column_names(latent.found.model, latent.found.inputs)
        for latent in latents
    ]
    labels = [
        reader.labels(names) for reader, names in zip(readers, tables, strict=True)
    ]
    for latent, own in zip(latents, labels, strict=True):
        if list(own) != list(labels[0]):
            raise ValueError(
                f"The {type(latent.found.model).__name__} of beta {latent.beta:g} "
                "explains other columns or levels than the first model; expected "
                "models fitted to the same table."
            )
    all_rows = np.arange(len(latents[0].codes if rows is None else rows))
    drawn = resample(
        all_rows,
        replace=False,
        n_samples=min(len(all_rows), max_rows),
        random_state=random_state,
    )
    decoded = [
        _mean_readings(latent, reader, values, rows, drawn)
        for latent, reader in zip(latents, readers, strict=True)
    ]
    units = readers[0].units(latents[0].found.inputs, quantiles)
    changes = [np.nan_to_num((own - own.mean(axis=0)) / units) for own in decoded]
    shown = readers[0].furthest(np.concatenate(changes))
    names = labels[0][shown]
    return (
        [pd.DataFrame(own[:, shown], values, names) for own in decoded],
        pd.Series(units[shown], names),
        names[readers[0].is_probability[shown]].tolist(),
    )


def image_traversals(latents, values, *, rows):
    """Return what images are while matched latents move.

    Parameters
    ----------
    latents : list of MatchedLatent
        One a model of images.

    values : ndarray of shape (n_steps,)
        Where the latent goes.

    rows : DataFrame or array-like of shape (1, n_pixels), or None
        Where to start from. None takes the image of the table whose codes in the first
        model are nearest to the middle of all.

    Returns
    -------
    traversals : list of ndarray of shape (n_steps, channels, height, width)
        In the units of the images.
    """
    rows = None if rows is None else single_start(rows)
    traversals = []
    for latent in latents:
        start = latent.starts(rows, [typical(latents[0].codes)])
        traversals.append(decoded_images(latent.found, latent.moved(start, values)))
    return traversals


def single_start(rows):
    """Return the image to start from, or say that there are several."""
    if len(rows) != 1:
        raise ValueError(
            f"Got {len(rows)} rows to start from; expected a single image, since a "
            "mean of several is a blur."
        )
    return rows


def _mean_readings(latent, reader, values, rows, drawn):
    """Return the readings at each value, means over where the latent starts from."""
    starts = latent.starts(rows, drawn)
    starts = starts if rows is None else starts[drawn]
    decoded = reader.decode(latent.moved(starts, values))
    return decoded.reshape(len(values), len(starts), -1).mean(axis=1)


def _beta_of(model):
    """Return the beta of a model, of two stages that of the first."""
    beta = model._factor_model.get_params(deep=False).get("beta")
    if beta is None:
        raise ValueError(
            f"This {type(model).__name__} has no parameter beta; expected betas= with "
            "a number for each model."
        )
    return beta


def _rank_correlations(wanted, codes):
    """Return Spearman's correlation of one column with others, 0 of constant ones."""
    ranks = rankdata(np.column_stack([wanted, codes]), axis=0)
    ranks -= ranks.mean(axis=0)
    lengths = np.linalg.norm(ranks, axis=0)
    ranks /= np.where(lengths > 0, lengths, 1)
    return ranks[:, 0] @ ranks[:, 1:]


def typical(codes):
    """Return the position of the codes nearest to the middle of all."""
    spread = codes.std(axis=0)
    distances = np.abs(codes - codes.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return int(distances.max(axis=1).argmin())
