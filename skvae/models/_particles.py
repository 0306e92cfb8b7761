"""Latents of rows of which some is given: sequential Monte Carlo."""

import numpy as np
from scipy.special import logsumexp, softmax

# Fewer particles lose the shape of the posterior, however few rows are asked for.
LEAST_PARTICLES = 500
# Share of the particles that a step leaves in effect.
_ESS_SHARE = 0.5
_MAX_STEPS = 40
# Metropolis moves after each step.
_N_MOVES = 4


class ParticleSampler:
    """Draws latents from p(z | what is given), in proportion to p(z) p(given | z).

    Particles start as draws from p(z) and are weighted by p(given | z) to a power that
    rises from 0 to 1, by as much as leaves half of them in effect. At each step they
    are drawn anew by their weights and moved by Metropolis steps that leave the
    distribution as it is ([1]_, section 3.3; steps as in [2]_).

    Parameters
    ----------
    log_given : callable
        Given latents of shape (n, n_latents) and conditions of as many rows,
        log p(given | z).

    log_density : callable
        Given latents, log p(z).

    References
    ----------
    .. [1] Del Moral, P., Doucet, A. & Jasra, A. (2006). Sequential Monte Carlo
       samplers. JRSS B 68(3).

    .. [2] Jasra, A., Stephens, D. A., Doucet, A. & Tsagaris, T. (2011). Inference for
       Levy-driven stochastic volatility models via adaptive sequential Monte Carlo.
       Scandinavian Journal of Statistics 38(1).
    """

    def __init__(self, log_given, log_density):
        self.log_given = log_given
        self.log_density = log_density

    def run(self, latents, conditions, random_state):
        """Return latents and conditions given what is given.

        Parameters
        ----------
        latents : ndarray of shape (n_particles, n_latents)
            Draws from p(z).

        conditions : ndarray of shape (n_particles, n_conditions)
            The condition of each, drawn with it.

        random_state : RandomState
            What to draw from.

        Returns
        -------
        latents, conditions : ndarray
            As many, in random order.
        """
        log_given, power = self.log_given(latents, conditions), 0.0
        for _ in range(_MAX_STEPS):
            step = _next_step(log_given, 1.0 - power)
            kept = _resampled(softmax(step * log_given), random_state)
            latents, conditions, log_given = (
                part[kept] for part in (latents, conditions, log_given)
            )
            power += step
            for _ in range(_N_MOVES):
                latents, log_given = self._moved(
                    latents, conditions, log_given, power, random_state
                )
            if power >= 1.0:
                break
        order = random_state.permutation(len(latents))
        return latents[order], conditions[order]

    def _moved(self, latents, conditions, log_given, power, random_state):
        """Return particles after one Metropolis step that leaves p(z) p^power as is."""
        n_rows, n_latents = latents.shape
        covariance = np.cov(latents.T).reshape(n_latents, n_latents)
        factor = np.linalg.cholesky(covariance + 1e-9 * np.eye(n_latents))
        # The best step for a normal target, and smaller ones for others.
        size = 2.38 / np.sqrt(n_latents) * random_state.choice([1.0, 0.5, 0.2])
        noise = random_state.standard_normal(latents.shape)
        proposed = latents + size * noise @ factor.T
        log_proposed = self.log_given(proposed, conditions)
        log_ratio = power * (log_proposed - log_given)
        log_ratio += self.log_density(proposed) - self.log_density(latents)
        accepted = np.log(random_state.uniform(size=n_rows)) < log_ratio
        return (
            np.where(accepted[:, None], proposed, latents),
            np.where(accepted, log_proposed, log_given),
        )


def _next_step(log_given, most):
    """Return the largest rise of the power that leaves enough particles in effect."""
    if _effective_share(most * log_given) >= _ESS_SHARE:
        return most
    low, high = 0.0, most
    for _ in range(30):
        middle = 0.5 * (low + high)
        if _effective_share(middle * log_given) >= _ESS_SHARE:
            low = middle
        else:
            high = middle
    return max(low, most / _MAX_STEPS)


def _effective_share(log_weights):
    """Return the effective sample size of weights, as a share of their number."""
    log_ess = 2 * logsumexp(log_weights) - logsumexp(2 * log_weights)
    return np.exp(log_ess) / len(log_weights)


def _resampled(weights, random_state):
    """Return positions drawn by weights, systematically (Kitagawa 1996)."""
    n_rows = len(weights)
    points = (np.arange(n_rows) + random_state.uniform()) / n_rows
    return np.searchsorted(weights.cumsum(), points).clip(max=n_rows - 1)
