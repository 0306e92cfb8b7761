"""Planes through a latent space: which one shows most, and the way there and back."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.utils import check_array, check_random_state

from skvae.inspection._image_readers import named
from skvae.inspection._validation import active_factors, takes_condition
from skvae.selection._resolve import resolve


@dataclass(frozen=True)
class LatentPlane:
    """A plane through the latent space.

    Parameters
    ----------
    origin : ndarray of shape (n_latents,)
        Latents where both its axes are 0.

    directions : ndarray of shape (2, n_latents)
        Its axes, at right angles and of length 1.

    names : list of two str
        What the axes are called.
    """

    origin: np.ndarray
    directions: np.ndarray
    names: list

    def positions(self, codes):
        """Return where codes lie in the plane, of shape (n_samples, 2)."""
        return (codes - self.origin) @ self.directions.T

    def codes(self, positions):
        """Return the codes of positions, of shape (n_positions, n_latents)."""
        return self.origin + positions @ self.directions

    def among(self, codes, shown):
        """Return the same plane among all latents, the others at their mean.

        Parameters
        ----------
        codes : ndarray of shape (n_samples, n_all_latents)
            Posterior means of all of them.

        shown : ndarray of shape (n_latents,)
            Which of them the plane is laid through.

        Returns
        -------
        plane : LatentPlane
            With an origin and directions of all latents.
        """
        origin = codes.mean(axis=0)
        origin[shown] = self.origin
        directions = np.zeros((2, codes.shape[1]))
        directions[:, shown] = self.directions
        return LatentPlane(origin, directions, self.names)


def shown_latents(estimator):
    """Return positions of the latents that a plane is laid through, in order.

    These are the active ones, or the two with most KL where fewer are active.

    Parameters
    ----------
    estimator : estimator
        A fitted model.

    Returns
    -------
    shown : ndarray of shape (n_shown,)
        Two positions at least.

    Raises
    ------
    ValueError
        If the model has a single latent.
    """
    kl = estimator._factor_model.kl_per_dimension_
    if len(kl) < 2:
        raise ValueError(
            f"This {type(estimator).__name__} has a single latent, which makes no "
            "plane; expected latent_dim of at least 2."
        )
    active = active_factors(estimator)
    shown = active if len(active) > 1 else np.argsort(-kl, kind="stable")[:2]
    return np.sort(shown)


def models_by_name(estimators, X):
    """Return models with the rows as they see them, by name.

    Parameters
    ----------
    estimators : list of estimators, or dict of str to estimator
        Fitted models, or Pipelines or searches with one inside.

    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows as the estimators take them.

    Returns
    -------
    models : dict of str to Resolved
        In a list models are called as their classes are.
    """
    if not isinstance(estimators, dict):
        return named([resolve(estimator, X) for estimator in estimators])
    return {name: resolve(estimator, X) for name, estimator in estimators.items()}


def latent_codes(found, condition=None):
    """Return the codes of rows: of those latents that a plane is laid through.

    Parameters
    ----------
    found : Resolved
        A fitted model, and rows as it sees them.

    condition : DataFrame or array-like of n_samples rows, default=None
        Their condition. Models that take none beside the table leave it aside.

    Returns
    -------
    codes : DataFrame of shape (n_samples, n_shown)
        Posterior means, with the index of the rows.
    """
    shown = shown_latents(found.model)
    codes = encoded(found, condition)[:, shown]
    index = found.data.index if isinstance(found.data, pd.DataFrame) else None
    return pd.DataFrame(codes, index, latent_names(shown))


def encoded(found, condition=None):
    """Return posterior means of all latents, as an array."""
    own = condition if takes_condition(found.model) else None
    return found.model._encode(found.inputs, own)[0]


def latent_names(latents):
    """Return what latents are called, given their positions."""
    return [f"latent {latent}" for latent in latents]


def latent_plane(codes):
    """Return the plane of two latents, of more their first two principal components.

    Parameters
    ----------
    codes : DataFrame of shape (n_samples, n_latents)
        Posterior means, in standard deviations of the prior, as positions are then.

    Returns
    -------
    plane : LatentPlane
        Of two latents around the prior's mean, otherwise around the mean of the codes.

    Raises
    ------
    ValueError
        If there is a single latent, or a single row to find components of.
    """
    n_samples, n_latents = codes.shape
    if n_latents == 2:
        return LatentPlane(np.zeros(2), np.eye(2), list(codes.columns))
    if n_latents < 2 or n_samples < 2:
        raise ValueError(
            f"Got codes of shape {codes.shape}; expected at least 2 latents, and at "
            "least 2 rows to find the principal components of more than 2."
        )
    values = codes.to_numpy()
    components = PCA(n_components=2, svd_solver="full").fit(values)
    shares = components.explained_variance_ratio_
    return LatentPlane(
        values.mean(axis=0),
        components.components_,
        [
            f"PC {n} ({100 * share:.0f} % of variance)"
            for n, share in enumerate(shares, 1)
        ],
    )


def as_codes(codes):
    """Return codes as a table whose columns have names.

    Parameters
    ----------
    codes : DataFrame or array-like of shape (n_samples, n_latents)
        Posterior means.

    Returns
    -------
    codes : DataFrame of shape (n_samples, n_latents)
        Columns without names are numbered.
    """
    if isinstance(codes, pd.DataFrame):
        return codes
    codes = check_array(codes)
    return pd.DataFrame(codes, columns=latent_names(range(codes.shape[1])))


def projected(codes, projection, random_state):
    """Return where codes lie in a plane.

    Parameters
    ----------
    codes : DataFrame of shape (n_samples, n_latents)
        Posterior means.

    projection : {"pca", "umap"}
        How more than two latents come into it.

    random_state : int, RandomState instance or None
        Determines where UMAP starts.

    Returns
    -------
    positions : DataFrame of shape (n_samples, 2)
        Its columns name the axes.
    """
    if codes.shape[1] > 2 and projection == "umap":
        return _umap_positions(codes, random_state)
    plane = latent_plane(codes)
    positions = plane.positions(codes.to_numpy())
    return pd.DataFrame(positions, codes.index, plane.names)


def _umap_positions(codes, random_state):
    """Return where UMAP puts codes, around their middle.

    It keeps neighbours together; distances between groups, and the axes, mean little.
    """
    try:
        from umap import UMAP
    except ImportError as error:
        raise ImportError(
            'projection="umap" needs umap-learn; install it with pip install '
            f"'skvae[umap]' ({error})."
        ) from error
    # One thread: with more of them UMAP is not reproducible.
    umap = UMAP(random_state=check_random_state(random_state), n_jobs=1)
    positions = umap.fit_transform(codes.to_numpy())
    positions = positions - positions.mean(axis=0)
    return pd.DataFrame(positions, codes.index, ["UMAP 1", "UMAP 2"])
