"""What makes a row anomalous: the scoring rules of the detectors."""

import numpy as np
from scipy.special import logsumexp, softmax
from sklearn.covariance import LedoitWolf

from skvae._core.stored_types import Matrix, Vector
from skvae._core.storing import storable, stored_fields
from skvae.models._inference import Inference, quasi_normal_nodes
from skvae.models._usual import Usual, overall_spread
from skvae.models.base import BaseVAE

# Points of the importance-weighted bound.
_N_IMPORTANCE = 128
# Training rows of one condition that tell what is usual under it.
_ENOUGH = 100
# Training rows of any condition that tell it for a condition of fewer rows.
_ANY = 5_000
# What the surprise at the likeliest condition counts.
_SURPRISE = 4.0


# What it has learned, of the version of scikit-learn that reads it.
storable(
    location_=Vector,
    precision_=Matrix,
    covariance_=Matrix,
    shrinkage_=float,
    n_features_in_=int,
)(LedoitWolf)


@stored_fields(model=BaseVAE)
class Rule:
    """A scoring rule of a fitted model.

    Parameters
    ----------
    model : BaseVAE
        Fitted.
    """

    def __init__(self, model):
        self.model = model
        # Rows come with a condition each, so that nothing is to be averaged over.
        self.inference = Inference(model.module_)
        self.nodes = model._nodes
        self.width = model._width
        self.seed = model._seed
        groups = model.table_encoder_.groups_
        self.starts = [start for group in groups for start in group.starts]
        self.choices = [
            slice(part.start + (group.kind == "discrete"), part.stop)
            for group in groups
            if group.kind in ("categorical", "ordinal", "discrete")
            for part in group.parts
        ]

    def learn(self, matrix):
        """Learn what is usual.

        Parameters
        ----------
        matrix : ndarray of shape (n_rows, width)
            Encoded training rows, with their conditions.
        """
        raise NotImplementedError

    def anomaly(self, matrix):
        """Return how anomalous rows are.

        Parameters
        ----------
        matrix : ndarray of shape (n_rows, width)
            Encoded rows, whose conditions are known.

        Returns
        -------
        anomaly : ndarray of shape (n_rows,)
            The negated score.
        """
        raise NotImplementedError

    @staticmethod
    def over_conditions(parts, log_probabilities):
        """Return the parts of the anomaly of rows whose condition is unknown.

        They add up to -log sum_c pi(c) exp(-a(c)), where a(c) is the anomaly under c:
        for bounds on log p(x|c), one on log p(x). The parts under each c count for its
        share in the sum; the KL of these shares to pi joins the last part.

        Parameters
        ----------
        parts : ndarray of shape (n_rows, n_conditions, n_parts)
            What adds up to the anomaly under each of the training conditions.

        log_probabilities : ndarray of shape (n_rows, n_conditions)
            Logarithms of pi.

        Returns
        -------
        parts : ndarray of shape (n_rows, n_parts)
            Of each row.
        """
        log_joint = log_probabilities - parts.sum(axis=2)
        weights = softmax(log_joint, axis=1)
        mean = np.einsum("nc,ncp->np", weights, parts)
        mean[:, -1] -= logsumexp(log_joint, axis=1) + mean.sum(axis=1)
        return mean

    def reconstruct(self, matrix):
        """Return the values that the mean latents of encoded rows decode to."""
        latents, _ = self.inference.encode(matrix)
        conditions = matrix[:, self.width :]
        return self.inference.decode(latents, conditions)[:, : self.width]

    def residuals(self, matrix, reconstructed):
        """Return what the reconstruction misses, NaN where a cell is missing.

        A level that training never saw counts as the least likely of those it saw.
        """
        values = matrix[:, : self.width].copy()
        for part in self.choices:
            chosen = values[:, part]
            rows = np.flatnonzero(chosen.sum(axis=1) == 0)
            chosen[rows, reconstructed[rows, part].argmin(axis=1)] = 1
        return values - reconstructed


class AdditiveRule(Rule):
    """A rule whose anomaly is a sum over columns and latents.

    A missing cell counts as much as its column does on average: it must not make a row
    look more normal.
    """

    def anomaly(self, matrix):
        return self.parts(matrix).sum(axis=1)

    def parts(self, matrix):
        """Return what adds up to the anomaly of rows.

        Parameters
        ----------
        matrix : ndarray of shape (n_rows, width)
            Encoded rows, whose conditions are known.

        Returns
        -------
        parts : ndarray of shape (n_rows, n_columns + 1)
            One for each column, in the order of the groups, and the latents'.
        """
        raise NotImplementedError

    def is_known(self, matrix):
        """Return which cells are not missing, of shape (n_rows, n_columns)."""
        return ~np.isnan(matrix[:, self.starts])


@storable(usual=Vector)
class Reconstruction(AdditiveRule):
    """The length of what the reconstruction misses: the paper's A, eq. 19."""

    def learn(self, matrix):
        self.usual = _known_mean(self._squares(matrix), self.is_known(matrix))

    def parts(self, matrix):
        squares = np.where(self.is_known(matrix), self._squares(matrix), self.usual)
        length = np.sqrt(squares.sum(axis=1, keepdims=True))
        # A column's share of the squared length, so that shares add up to the length.
        columns = squares / np.where(length > 0, length, 1)
        return np.column_stack([columns, np.zeros(len(columns))])

    def _squares(self, matrix):
        """Return the squared length that each column misses."""
        residuals = self.residuals(matrix, self.reconstruct(matrix))
        return np.add.reduceat(np.nan_to_num(residuals) ** 2, self.starts, axis=1)


@storable(usual=Vector)
class Elbo(AdditiveRule):
    """The negated evidence lower bound: the paper's E."""

    def learn(self, matrix):
        self.usual = _known_mean(self._split(matrix)[0], self.is_known(matrix))

    def parts(self, matrix):
        log_likelihoods, kl = self._split(matrix)
        columns = np.where(self.is_known(matrix), log_likelihoods, self.usual)
        return np.column_stack([-columns, kl])

    def _split(self, matrix):
        """Return the bound's log-likelihood of each column, and the rest of it."""
        return self.inference.column_bound(matrix, self.nodes)


@storable
class Importance(Elbo):
    """The negated importance-weighted bound: Burda et al. 2016, eq. 8."""

    def __init__(self, model):
        super().__init__(model)
        n_latents = self.nodes.shape[1]
        self.nodes = quasi_normal_nodes(_N_IMPORTANCE, n_latents, self.seed)

    def _split(self, matrix):
        return self.inference.column_importance_bound(matrix, self.nodes)


@storable(usual=LedoitWolf)
class Latent(Rule):
    """How far out the latents lie: their Mahalanobis distance to those of training."""

    def learn(self, matrix):
        self.usual = LedoitWolf().fit(self.inference.encode(matrix)[0])

    def anomaly(self, matrix):
        latents, _ = self.inference.encode(matrix)
        return np.sqrt(self.usual.mahalanobis(latents))


@storable(usual=Vector, of_condition=dict[tuple, Usual], of_all=Usual)
class Combined(Rule):
    """How far a row lies from its neighbours, and how far out as a whole (`Usual`).

    What is looked at is what the model explains of a row and what it does not: its
    reconstruction and its residual, side by side. Rows are compared with training rows
    of the same condition where there are enough of these, and else with all.
    """

    def learn(self, matrix):
        self.usual = np.sqrt(np.nanmean(self._misses(matrix)[1] ** 2, axis=0))
        views, conditions = self._views(matrix), matrix[:, self.width :]
        is_image = self.model.table_encoder_.image_shape is not None
        overall = overall_spread(views) or 1.0  # 1 where the rows are all alike
        settings = (self.model.trimmed_fraction, is_image, overall, self.seed)
        self.of_condition = {}
        if conditions.shape[1]:
            values, counts = np.unique(conditions, axis=0, return_counts=True)
            self.of_condition = {
                tuple(value): Usual.of(views[_have(conditions, value)], *settings)
                for value in values[counts >= _ENOUGH]
            }
            views = views[:_ANY]
        self.of_all = Usual.of(views, *settings)

    def anomaly(self, matrix):
        views, conditions = self._views(matrix), matrix[:, self.width :]
        anomaly, is_other = np.empty(len(views)), np.ones(len(views), dtype=bool)
        for condition, usual in self.of_condition.items():
            rows = _have(conditions, condition)
            if rows.any():
                anomaly[rows] = usual.anomaly(views[rows])
                is_other &= ~rows
        if is_other.any():
            anomaly[is_other] = self.of_all.anomaly(views[is_other])
        return anomaly

    def _misses(self, matrix):
        """Return reconstructions and what these miss."""
        explained = self.reconstruct(matrix)
        return explained, self.residuals(matrix, explained)

    def _views(self, matrix):
        explained, missed = self._misses(matrix)
        # A missing cell is as far off as its column is on average.
        return np.hstack([explained, np.where(np.isnan(missed), self.usual, missed)])

    @staticmethod
    def over_conditions(parts, log_probabilities):
        """Return the anomaly under the likeliest condition, and its surprise.

        That is a(c) - 4 log p(c|x) for the c at which p(c|x), proportional to
        pi(c) exp(-a(c)), is largest: an anomaly seems to belong to several conditions.
        """
        log_joint = log_probabilities - parts.sum(axis=2)
        likeliest = np.arange(len(parts)), log_joint.argmax(axis=1)
        surprise = logsumexp(log_joint, axis=1) - log_joint[likeliest]
        parts = parts[likeliest]
        parts[:, -1] += _SURPRISE * surprise
        return parts


def _known_mean(columns, is_known):
    """Return the mean of each column over the rows in which it is known."""
    total = np.where(is_known, columns, 0.0).sum(axis=0)
    return total / np.maximum(is_known.sum(axis=0), 1)


def _have(conditions, value):
    """Return which rows have a condition."""
    return (conditions == value).all(axis=1)


RULES = {
    "combined": Combined,
    "reconstruction": Reconstruction,
    "elbo": Elbo,
    "importance": Importance,
    "latent": Latent,
}


def worst(parts, log_probabilities):
    """Return the parts of rows under that possible condition where they add up to most.

    Parameters
    ----------
    parts : ndarray of shape (n_rows, n_conditions, n_parts)
        Under each of the conditions.

    log_probabilities : ndarray of shape (n_rows, n_conditions)
        -inf for conditions that are not possible.

    Returns
    -------
    parts : ndarray of shape (n_rows, n_parts)
        Those of one condition.
    """
    anomaly = np.where(np.isneginf(log_probabilities), -np.inf, parts.sum(axis=2))
    return parts[np.arange(len(parts)), anomaly.argmax(axis=1)]
