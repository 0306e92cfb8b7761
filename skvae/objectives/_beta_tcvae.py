"""The evidence lower bound with a weighted total correlation."""

from torch import Tensor

from skvae._core.passes import ForwardPass
from skvae.objectives._objective import Objective, bound_terms
from skvae.objectives._total_correlation import (
    TOTAL_CORRELATION_ESTIMATORS,
    component_log_densities,
)


class BetaTCVAEObjective(Objective):
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

    def __init__(self, beta: float, tc_estimator: str, n_rows: int):
        super().__init__()
        self.beta = float(beta)
        self.tc_estimator = tc_estimator
        self.n_rows = n_rows

    def forward(self, batch: ForwardPass, warmup: float) -> dict[str, Tensor]:
        reconstruction, kl = bound_terms(batch)
        estimate = TOTAL_CORRELATION_ESTIMATORS[self.tc_estimator]
        component = component_log_densities(*batch.posterior, batch.latents)
        total_correlation = estimate(component, self.n_rows)
        penalty = kl + (self.beta - 1) * total_correlation
        return {
            "loss": reconstruction + warmup * penalty,
            "reconstruction": reconstruction,
            "kl": kl,
            "total_correlation": total_correlation,
        }
