"""Inference where the condition of a row may be unknown: average over it."""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp, softmax

from skvae._core.chunking import row_chunks
from skvae._core.stored_types import Matrix, Vector
from skvae._core.storing import storable
from skvae.models._inference import Inference

# Conditions that stand for all of the training table's. A table with fewer distinct
# ones is averaged over exactly.
_MAX_CONDITIONS = 64
# Rows of unknown condition that are worked on at once: 0.4 GB for images of 28 x 28.
_UNKNOWN_ROWS = 1024


@storable
@dataclass(frozen=True, eq=False)
class TrainingConditions:
    """The conditions of the training rows, and how frequent each of them is.

    Parameters
    ----------
    values : ndarray of shape (n_training_conditions, n_conditions)
        The encoded conditions, each of them once.

    log_shares : ndarray of shape (n_training_conditions,)
        Logarithms of the shares of the training rows that have them.

    parts : list of slice
        The matrix columns of each table column.

    is_categorical : list of bool
        Whether each table column is categorical.
    """

    values: Matrix
    log_shares: Vector
    parts: list[slice]
    is_categorical: list[bool]

    @classmethod
    def of(cls, matrix, parts, is_categorical, seed):
        """Return the conditions of training rows.

        Parameters
        ----------
        matrix : ndarray of shape (n_rows, n_conditions)
            The encoded conditions of the training rows.

        parts, is_categorical : list
            As above.

        seed : int
            Seed of the draw where there are too many conditions to keep all.

        Returns
        -------
        conditions : TrainingConditions
            At most 64.
        """
        values, counts = np.unique(matrix, axis=0, return_counts=True)
        if len(values) > _MAX_CONDITIONS:
            rows = np.random.default_rng(seed).permutation(len(matrix))
            values = matrix[np.sort(rows[:_MAX_CONDITIONS])]
            counts = np.ones(len(values))
        return cls(values, np.log(counts / counts.sum()), parts, is_categorical)

    def log_weights(self, conditions):
        """Return how probable each training condition is given what is known.

        A training condition that contradicts a known category is out, unless all of
        them do.

        Parameters
        ----------
        conditions : ndarray of shape (n_rows, n_conditions)
            With NaN where unknown.

        Returns
        -------
        log_weights : ndarray of shape (n_rows, n_training_conditions)
            Logarithms of weights that sum to 1 in each row.
        """
        agrees = np.ones((len(conditions), len(self.values)), dtype=bool)
        for part, is_categorical in zip(self.parts, self.is_categorical, strict=True):
            if not is_categorical:
                continue
            known, value = conditions[:, None, part], self.values[None, :, part]
            agrees &= np.isnan(known).any(axis=2) | (known == value).all(axis=2)
        agrees[~agrees.any(axis=1)] = True
        log_weights = np.where(agrees, self.log_shares, -np.inf)
        return log_weights - logsumexp(log_weights, axis=1, keepdims=True)

    def complete(self, conditions, random_state):
        """Return conditions with what is unknown drawn from the training conditions.

        Parameters
        ----------
        conditions : ndarray of shape (n_rows, n_conditions)
            With NaN where unknown.

        random_state : RandomState
            What to draw from.

        Returns
        -------
        completed : ndarray of shape (n_rows, n_conditions)
            Without NaN.
        """
        drawn = self.draw(np.exp(self.log_weights(conditions)), random_state)
        return np.where(np.isnan(conditions), self.values[drawn], conditions)

    def draw(self, weights, random_state):
        """Return the position of a training condition for each row of weights.

        Parameters
        ----------
        weights : ndarray of shape (n_rows, n_training_conditions)
            How probable each of them is; the rows sum to 1.

        random_state : RandomState
            What to draw from.

        Returns
        -------
        positions : ndarray of shape (n_rows,)
            Positions in `values`.
        """
        draws = random_state.uniform(size=(len(weights), 1))
        drawn = (weights.cumsum(axis=1) < draws).sum(axis=1)
        return drawn.clip(max=len(self.values) - 1)


class ConditionalInference(Inference):
    """Inference that averages over the training conditions where one is unknown.

    An unknown condition is NaN in the matrix. For such a row the training conditions
    c, of probability pi(c), take its place in turn:

    - the bound is log sum_c pi(c) exp(bound(x, c)),
    - the posterior is the mixture of q(z|x, c) in which c counts for
      pi(c) exp(bound(x, c)), given as the normal of the same mean and variance,
    - the decoded row is the mean over pi(c), and a drawn row has a drawn c.

    Parameters
    ----------
    module : Autoencoder
        In float64 and evaluation mode.

    conditions : TrainingConditions
        What stands in for the unknown.

    nodes : ndarray of shape (n_nodes, latent_dim)
        Standard normal points that the bounds are taken at.
    """

    def __init__(self, module, conditions, nodes):
        super().__init__(module)
        self.conditions = conditions
        self.nodes = nodes

    def encode(self, matrix):
        """Return posterior means and log variances of encoded rows."""
        return self._where_unknown(super().encode, self._mixed_posterior, matrix)

    def posterior_at(self, matrix, noise):
        """Return posterior means and log variances, and latents at normal noise."""
        posterior_at = super().posterior_at
        n_latents = noise.shape[1]

        def known(noisy):
            return posterior_at(noisy[:, n_latents:], noisy[:, :n_latents])

        def unknown(noisy):
            mean, log_variance = self._mixed_posterior(noisy[:, n_latents:])
            spread = np.exp(0.5 * log_variance)
            return mean, log_variance, mean + spread * noisy[:, :n_latents]

        return self._where_unknown(known, unknown, np.hstack([noise, matrix]))

    def bound(self, matrix, nodes):
        """Return each row's expected log-likelihood and KL, in nats.

        The KL of a row whose condition is unknown includes that of the condition.
        """

        def known(matrix):
            return super(ConditionalInference, self).bound(matrix, nodes)

        def unknown(matrix):
            log_prior = self.conditions.log_weights(self._condition(matrix))
            log_likelihood, kl = self._over_conditions(known, matrix)
            weights = softmax(log_prior + log_likelihood - kl, axis=1)
            log_ratio = np.log(np.where(weights > 0, weights, 1)) - np.where(
                weights > 0, log_prior, 0
            )
            return (
                (weights * log_likelihood).sum(axis=1),
                (weights * (kl + log_ratio)).sum(axis=1),
            )

        return self._where_unknown(known, unknown, matrix)

    def column_bound(self, matrix, nodes):
        """Return the bound of each row, the log-likelihood of each column by itself.

        Where the condition is unknown, columns are averaged over it as in the bound.
        """

        def known(matrix):
            return super(ConditionalInference, self).column_bound(matrix, nodes)

        def unknown(matrix):
            log_prior = self.conditions.log_weights(self._condition(matrix))
            columns, kl = self._over_conditions(known, matrix)
            weights = softmax(log_prior + columns.sum(axis=2) - kl, axis=1)
            bound = logsumexp(log_prior + columns.sum(axis=2) - kl, axis=1)
            columns = np.einsum("nc,ncj->nj", weights, columns)
            return columns, columns.sum(axis=1) - bound

        return self._where_unknown(known, unknown, matrix)

    def weighted_latents(self, matrix, nodes, random_state):
        """Return the latents of rows at nodes, their weights, and their conditions.

        Where the condition is unknown, each node has one of its own, drawn from
        pi(c) exp(bound(x, c)), and its latents are inferred under that.
        """

        def known(matrix):
            return super(ConditionalInference, self).weighted_latents(
                matrix, nodes, random_state
            )

        def weighted_latents(rows, noise):
            latents, _, log_weights = self._weighted(rows, noise)
            return latents, log_weights

        def unknown(matrix):
            log_prior = self.conditions.log_weights(self._condition(matrix))
            bounds = self._bounds(matrix).repeat(len(nodes), axis=0)
            weights = softmax(log_prior.repeat(len(nodes), axis=0) + bounds, axis=1)
            chosen = self.conditions.draw(weights, random_state)
            rows = matrix.repeat(len(nodes), axis=0)
            condition = self._condition(rows)
            values = self.conditions.values[chosen]
            np.copyto(condition, values, where=np.isnan(condition))
            noise = np.tile(nodes, (len(matrix), 1))
            latents, log_weights = self._in_passes(weighted_latents, rows, noise)
            log_weights -= bounds[np.arange(len(rows)), chosen]
            shape = len(matrix), len(nodes), -1
            return (
                latents.reshape(shape),
                log_weights.reshape(shape[:2]),
                condition.reshape(shape),
            )

        return self._where_unknown(known, unknown, matrix)

    def importance_bound(self, matrix, nodes):
        """Return the importance-weighted bound of each row, in nats, and no more."""

        def known(matrix):
            return super(ConditionalInference, self).importance_bound(matrix, nodes)

        def unknown(matrix):
            log_prior = self.conditions.log_weights(self._condition(matrix))
            (bound,) = self._over_conditions(known, matrix)
            return (logsumexp(log_prior + bound, axis=1),)

        return self._where_unknown(known, unknown, matrix)

    def over_unknown(self, parts_of, matrix, combine):
        """Return what `parts_of` gives of rows, each under its condition.

        Parameters
        ----------
        parts_of : callable
            Given encoded rows of known condition, returns an array with a row each.

        matrix : ndarray of shape (n_rows, width)
            Encoded rows, with NaN for what is unknown of their conditions.

        combine : callable
            Given what `parts_of` gives of the rows under every training condition, of
            shape (n_rows, n_conditions, n_parts), and the log probabilities of these
            conditions, returns an array of shape (n_rows, n_parts).

        Returns
        -------
        parts : ndarray of shape (n_rows, n_parts)
            What `parts_of` gives of a row whose condition is known; of others, what
            `combine` makes of it.
        """

        def known(matrix):
            return (parts_of(matrix),)

        def unknown(matrix):
            log_prior = self.conditions.log_weights(self._condition(matrix))
            (parts,) = self._over_conditions(known, matrix)
            return (combine(parts, log_prior),)

        return self._where_unknown(known, unknown, matrix)[0]

    def decode(self, latents, conditions=None):
        """Return the expected encoded rows given latents."""
        if conditions is None:
            conditions = np.full((len(latents), self.module.n_conditions), np.nan)
        matrix = np.hstack([latents, conditions])
        decode = super().decode

        def known(matrix):
            return (decode(*self._split(matrix)),)

        def unknown(matrix):
            weights = np.exp(self.conditions.log_weights(self._condition(matrix)))
            (rows,) = self._over_conditions(known, matrix)  # (n_rows, n, width)
            rows = np.einsum("ij,ijk->ik", weights, rows)
            rows[:, -self.module.n_conditions :] = self._condition(matrix)
            return (rows,)

        return self._where_unknown(known, unknown, matrix)[0]

    def _mixed_posterior(self, matrix):
        log_prior = self.conditions.log_weights(self._condition(matrix))
        weights = softmax(log_prior + self._bounds(matrix), axis=1)
        return _moments(weights, *self._over_conditions(super().encode, matrix))

    def _bounds(self, matrix):
        """Return the bound of each row under each training condition."""
        bound = super().bound
        log_likelihood, kl = self._over_conditions(
            lambda rows: bound(rows, self.nodes), matrix
        )
        return log_likelihood - kl

    def _over_conditions(self, function, matrix):
        """Return what `function` gives under each training condition, as axis 1."""
        results = []
        for value in self.conditions.values:
            completed = matrix.copy()
            condition = self._condition(completed)
            np.copyto(condition, value, where=np.isnan(condition))
            results.append(function(completed))
        return tuple(np.stack(part, axis=1) for part in zip(*results, strict=True))

    def _where_unknown(self, known, unknown, matrix):
        """Apply one function to rows of known condition, another to the rest."""
        is_unknown = np.isnan(self._condition(matrix)).any(axis=1)
        if not is_unknown.any():
            return known(matrix)
        of_unknown = _in_chunks(unknown, matrix[is_unknown])
        if is_unknown.all():
            return of_unknown
        of_known = known(matrix[~is_unknown])
        outputs = []
        for first, second in zip(of_known, of_unknown, strict=True):
            output = np.empty((len(matrix), *first.shape[1:]))
            output[~is_unknown], output[is_unknown] = first, second
            outputs.append(output)
        return tuple(outputs)

    def _condition(self, matrix):
        return matrix[:, -self.module.n_conditions :]

    def _split(self, matrix):
        n_conditions = self.module.n_conditions
        return matrix[:, :-n_conditions], matrix[:, -n_conditions:]


def _in_chunks(function, matrix):
    """Apply a function that holds every row once for each training condition."""
    chunks = row_chunks(len(matrix), _UNKNOWN_ROWS)
    parts = [function(matrix[chunk]) for chunk in chunks]
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))


def _moments(weights, means, log_variances):
    """Return mean and log variance of mixtures of normals, mixed over axis 1."""
    weights = weights[:, :, None]
    mean = (weights * means).sum(axis=1)
    spread = (means - mean[:, None]) ** 2 + np.exp(log_variances)
    return mean, np.log((weights * spread).sum(axis=1))
