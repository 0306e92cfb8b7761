"""The evidence lower bound with a KL that is held at a given capacity."""

from torch import Tensor

from skvae._core.passes import ForwardPass
from skvae.objectives._objective import Objective, bound_terms


class CapacityObjective(Objective):
    """Reconstruction + gamma * |KL - C|, with C = warmup * capacity.

    Burgess et al. 2018, eq. 8. The warm-up anneals the capacity, not its weight. The
    absolute value pulls from both sides; a clamp would leave no gradient on one.

    Parameters
    ----------
    capacity : float
        The KL to hold at the end of the warm-up, in nats, a mean over rows.

    gamma : float
        Weight of the distance to it.
    """

    def __init__(self, capacity: float, gamma: float):
        super().__init__()
        self.capacity = float(capacity)
        self.gamma = float(gamma)

    def forward(self, batch: ForwardPass, warmup: float) -> dict[str, Tensor]:
        reconstruction, kl = bound_terms(batch)
        distance = (kl - warmup * self.capacity).abs()
        return {
            "loss": reconstruction + self.gamma * distance,
            "reconstruction": reconstruction,
            "kl": kl,
        }
