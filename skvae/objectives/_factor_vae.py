"""The evidence lower bound with a total correlation that a discriminator estimates."""

from torch import Generator, Tensor, nn

from skvae._core.passes import ForwardPass
from skvae.objectives._density_ratio import (
    discriminator_loss,
    total_correlation_by_density_ratio,
)
from skvae.objectives._objective import Objective, bound_terms


class FactorVAEObjective(Objective):
    """Reconstruction + KL + (beta - 1) * total correlation.

    Kim & Mnih 2018, eq. 2, whose gamma is beta - 1 here: the KL holds the total
    correlation once, so that beta is its whole weight, as in `BetaTCVAEObjective`, and
    beta = 1 is exactly the VAE's objective.

    Parameters
    ----------
    beta : float
        Weight of the total correlation.

    discriminator : Module
        Maps latents (n_rows, latent_dim) to the logit of "joint", (n_rows, 1).

    lr : float
        Learning rate of the discriminator.
    """

    # The total correlation is as good as its discriminator, and that changes.
    watched = ("reconstruction", "kl")

    def __init__(self, beta: float, discriminator: nn.Module, lr: float):
        super().__init__()
        self.beta = float(beta)
        self.adversary = discriminator
        self.adversary_optimizer = {"lr": lr, "betas": (0.5, 0.9)}

    def forward(self, batch: ForwardPass, warmup: float) -> dict[str, Tensor]:
        reconstruction, kl = bound_terms(batch)
        total_correlation = total_correlation_by_density_ratio(
            self.adversary, batch.latents
        )
        penalty = kl + (self.beta - 1) * total_correlation
        return {
            "loss": reconstruction + warmup * penalty,
            "reconstruction": reconstruction,
            "kl": kl,
            "total_correlation": total_correlation,
        }

    def adversary_loss(self, batch: ForwardPass, generator: Generator) -> Tensor:
        return discriminator_loss(self.adversary, batch, generator)
