"""The evidence lower bound with a weighted KL."""

from torch import Tensor

from skvae._core.passes import ForwardPass
from skvae.objectives._objective import Objective, bound_terms


class BetaVAEObjective(Objective):
    """Reconstruction + beta * KL.

    Higgins et al. 2017, eq. 4.

    Parameters
    ----------
    beta : float
        Weight of the KL. It weighs a sum over latent dimensions against a sum over
        columns, not against their means.
    """

    def __init__(self, beta: float):
        super().__init__()
        self.beta = float(beta)

    def forward(self, batch: ForwardPass, warmup: float) -> dict[str, Tensor]:
        reconstruction, kl = bound_terms(batch)
        return {
            "loss": reconstruction + warmup * self.beta * kl,
            "reconstruction": reconstruction,
            "kl": kl,
        }
