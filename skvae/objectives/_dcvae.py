"""The conditional evidence lower bound with a weighted total correlation."""

from torch import Tensor

from skvae._core.passes import ForwardPass
from skvae.objectives._objective import Objective, bound_terms
from skvae.objectives._total_correlation import (
    component_log_densities,
    conditional_total_correlation,
)


class DCVAEObjective(Objective):
    """Reconstruction + KL + (beta - 1) * total correlation of z given c.

    The disentangled conditional VAE. At beta = 1 it is the paper's bound exactly, eq.
    18, or eq. 8 without a condition. That bound has no total correlation any more; a
    beta above 1 puts it back, as the last term of eq. 12 asks.

    Parameters
    ----------
    beta : float
        Weight of the total correlation.
    """

    def __init__(self, beta: float):
        super().__init__()
        self.beta = float(beta)

    def forward(self, batch: ForwardPass, warmup: float) -> dict[str, Tensor]:
        reconstruction, kl = bound_terms(batch)
        component = component_log_densities(*batch.posterior, batch.latents)
        total_correlation = conditional_total_correlation(component, batch.condition)
        penalty = kl + (self.beta - 1) * total_correlation
        return {
            "loss": reconstruction + warmup * penalty,
            "reconstruction": reconstruction,
            "kl": kl,
            "total_correlation": total_correlation,
        }
