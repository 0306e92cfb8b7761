"""The evidence lower bound with a weighted total correlation."""

from dataclasses import dataclass

from skvae.objectives._total_correlation import (
    TOTAL_CORRELATION_ESTIMATORS,
    component_log_densities,
)
from skvae.objectives._vae import gaussian_kl


@dataclass(frozen=True)
class BetaTCVAEObjective:
    """Reconstruction + KL + (beta - 1) * total correlation.

    Chen et al. 2018, eq. 4 with alpha = gamma = 1, its three-part KL folded back into
    the analytic one: the same expectation with less variance, and at beta = 1 exactly
    the VAE's objective.

    Parameters
    ----------
    beta : float
        Weight of the total correlation.

    tc_estimator : {"minibatch", "weighted", "stratified"}
        How the total correlation is estimated from a batch.

    n_rows : int
        Rows in the training set.
    """

    beta: float
    tc_estimator: str
    n_rows: int

    def __call__(self, log_likelihood, mean, log_variance, latents, warmup):
        """Return the named terms of the loss and the loss, as `VAEObjective` does."""
        estimate = TOTAL_CORRELATION_ESTIMATORS[self.tc_estimator]
        component = component_log_densities(mean, log_variance, latents)
        total_correlation = estimate(component, self.n_rows)
        reconstruction = -log_likelihood.mean()
        kl = gaussian_kl(mean, log_variance).sum(dim=1).mean()
        penalty = kl + (self.beta - 1) * total_correlation
        return {
            "loss": reconstruction + warmup * penalty,
            "reconstruction": reconstruction,
            "kl": kl,
            "total_correlation": total_correlation,
        }
