"""The evidence lower bound."""

from torch import Tensor

from skvae._core.passes import ForwardPass
from skvae.objectives._objective import Objective, bound_terms


class VAEObjective(Objective):
    """Reconstruction + KL: the negative evidence lower bound.

    Kingma & Welling 2014, eq. 7. It is the conditional VAE's objective, too (Sohn et
    al. 2015): all that the condition changes lies in the batch.
    """

    def forward(self, batch: ForwardPass, warmup: float) -> dict[str, Tensor]:
        reconstruction, kl = bound_terms(batch)
        return {
            "loss": reconstruction + warmup * kl,
            "reconstruction": reconstruction,
            "kl": kl,
        }
