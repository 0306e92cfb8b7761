"""A density of the latents: a mixture of normals, fitted to the posteriors of rows."""

import numpy as np
from scipy.special import logsumexp
from sklearn.cluster import kmeans_plusplus

# One component for so many rows, up to the most that have been of use.
_ROWS_PER_COMPONENT, _MOST_COMPONENTS = 35, 800
# Rounds of expectation and maximisation, and the gain in nats a row that ends them.
_MAX_ROUNDS, _LEAST_GAIN = 20, 1e-3
# Variance that every component has at least, in units of the latents' own.
_FLOOR = 1e-5


class StandardNormal:
    """The prior of latents in their own units.

    Parameters
    ----------
    n_latents : int
        How many there are.
    """

    def __init__(self, n_latents):
        self.n_latents = n_latents

    def sample(self, n_samples, random_state):
        """Return draws of shape (n_samples, n_latents)."""
        return random_state.standard_normal((n_samples, self.n_latents))

    def log_density(self, latents):
        """Return the log density of latents, of shape (n_samples,)."""
        constant = 0.5 * self.n_latents * np.log(2 * np.pi)
        return -0.5 * (latents**2).sum(axis=1) - constant


class AggregatePosterior:
    """A mixture of normals with full covariances for the aggregate posterior.

    It is fitted by expectation maximisation to the posteriors N(m_i, diag(s_i^2))
    themselves, of which it maximises the mean of E_i[log p(z)], with one responsibility
    a row: what the M step averages are the moments E z and E zz' of the posteriors and
    not of a draw from each. So no component is narrower than the posteriors that it
    stands for, and hundreds of them do not overfit.

    Parameters
    ----------
    means, log_variances : ndarray of shape (n_rows, n_latents)
        The posteriors.

    seed : int
        Determines where the components start.

    Attributes
    ----------
    weights : ndarray of shape (n_components,)
        Their shares.

    means : ndarray of shape (n_components, n_latents)
        Their means.

    factors : ndarray of shape (n_components, n_latents, n_latents)
        Cholesky factors of their covariances, lower triangular.

    References
    ----------
    The bound is that of Tomczak, J. M. & Welling, M. (2018), VAE with a VampPrior,
    AISTATS: the best prior for a bound is the aggregate posterior. That rows have known
    variances of their own is the case of Bovy, J., Hogg, D. W. & Roweis, S. T. (2011),
    Extreme deconvolution, Annals of Applied Statistics 5(2B).
    """

    def __init__(self, means, log_variances, seed):
        variances = np.exp(log_variances)
        self._centre = means.mean(axis=0)
        self._scale = np.sqrt(means.var(axis=0) + variances.mean(axis=0))
        rows = (means - self._centre) / self._scale
        # In single precision, at half the time: shares need no more.
        moments = _moments(rows, variances / self._scale**2).astype(np.float32)
        shares = self._first_shares(rows, seed)
        before = -np.inf
        for _ in range(_MAX_ROUNDS):
            self._maximise(moments, shares)
            shares = moments @ self._coefficients().T.astype(np.float32)
            gained = _normalise(shares)
            if gained - before < _LEAST_GAIN:
                break
            before = gained

    def _first_shares(self, rows, seed):
        """Return shares of rows in the components that they start with: the nearest."""
        n_components = len(rows) // _ROWS_PER_COMPONENT
        n_components = min(max(n_components, 1), _MOST_COMPONENTS)
        centres, _ = kmeans_plusplus(rows, n_components, random_state=seed)
        nearest = (rows @ centres.T - 0.5 * (centres**2).sum(axis=1)).argmax(axis=1)
        return np.eye(n_components, dtype=np.float32)[nearest]

    def _maximise(self, moments, shares):
        """Set weights, means and covariances to those of the shares."""
        n_latents = len(self._scale)
        sums = (shares.T @ moments).astype(np.float64)
        counts = np.maximum(sums[:, -1:], 1e-3)
        self.weights = counts[:, 0] / counts.sum()
        self.means = sums[:, -n_latents - 1 : -1] / counts
        covariances = _symmetric(sums[:, : -n_latents - 1] / counts, n_latents)
        covariances -= self.means[:, :, None] * self.means[:, None]
        covariances += _FLOOR * np.eye(n_latents)
        self.factors = np.linalg.cholesky(covariances)

    def _coefficients(self):
        """Return what moments are multiplied with to give E log of weight and density.

        log w + log N(z; m, C) = -z'C^-1 z / 2 + z'C^-1 m + constant, of each component.
        """
        n_latents = len(self._scale)
        inverse = np.linalg.inv(self.factors)
        precisions = inverse.transpose(0, 2, 1) @ inverse
        i, j = np.triu_indices(n_latents)
        of_squares = -precisions[:, i, j] * np.where(i == j, 0.5, 1.0)
        of_means = (precisions @ self.means[:, :, None])[:, :, 0]
        constant = np.log(self.weights) - _log_determinant(self.factors)
        constant -= 0.5 * (of_means * self.means).sum(axis=1)
        constant -= 0.5 * n_latents * np.log(2 * np.pi)
        return np.column_stack([of_squares, of_means, constant])

    def sample(self, n_samples, random_state):
        """Return draws of shape (n_samples, n_latents)."""
        component = random_state.choice(len(self.weights), n_samples, p=self.weights)
        noise = random_state.standard_normal((n_samples, len(self._scale)))
        drawn = np.empty_like(noise)
        for number in np.unique(component):
            rows = component == number
            drawn[rows] = self.means[number] + noise[rows] @ self.factors[number].T
        return self._centre + self._scale * drawn

    def log_density(self, latents):
        """Return the log density of latents, of shape (n_samples,)."""
        rows = (latents - self._centre) / self._scale
        log_joint = _moments(rows, np.zeros_like(rows)) @ self._coefficients().T
        return logsumexp(log_joint, axis=1) - np.log(self._scale).sum()


def _normalise(log_joint):
    """Turn log densities of components into shares, in place; return a mean log."""
    largest = log_joint.max(axis=1, keepdims=True)
    log_joint -= largest
    np.exp(log_joint, out=log_joint)
    totals = log_joint.sum(axis=1, keepdims=True)
    log_joint /= totals
    return float((largest + np.log(totals)).mean(dtype=np.float64))


def _moments(means, variances):
    """Return E z_i z_j for i <= j, E z_i, and 1, of independent normals."""
    i, j = np.triu_indices(means.shape[1])
    squares = means[:, i] * means[:, j]
    squares[:, i == j] += variances
    return np.column_stack([squares, means, np.ones(len(means))])


def _symmetric(triangles, n):
    """Return symmetric matrices, given what is on and above their diagonals."""
    i, j = np.triu_indices(n)
    matrices = np.empty((len(triangles), n, n))
    matrices[:, i, j] = triangles
    matrices[:, j, i] = triangles
    return matrices


def _log_determinant(factors):
    """Return half the log determinants of covariances, given their Cholesky factors."""
    return np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
