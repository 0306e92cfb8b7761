"""FactorVAE that learns which latents are relevant."""

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import softplus

from skvae._core.passes import ForwardPass
from skvae.objectives._density_ratio import (
    discriminator_loss,
    total_correlation_by_density_ratio,
)
from skvae.objectives._objective import Objective, bound_terms


def bernoulli_entropy(logits: Tensor) -> Tensor:
    """Return the entropy of Bernoulli variables, in nats.

    Written as a cross-entropy of the logits with their own sigmoid, all its gradient
    would flow through the target, where a detach silently ends it.
    """
    return softplus(logits) - logits * logits.sigmoid()


class RFVAEObjective(Objective):
    """Reconstruction + weighted KL + (beta - 1) * TC(r * z) + what shapes relevance.

    Kim et al. 2019. Each latent has a learned relevance r_j in (0, 1). A relevant one
    has a cheap KL and counts in the total correlation; an irrelevant one has a dear KL
    and so falls back to the prior. The sum of relevances is kept small, and their
    entropy too, which drives them to 0 or 1. The paper's gamma is beta - 1, as in
    `FactorVAEObjective`.

    Parameters
    ----------
    latent_dim : int
        Number of latents.

    beta : float
        Weight of the total correlation.

    discriminator : Module
        Maps latents times relevance (n_rows, latent_dim) to the logit of "joint",
        (n_rows, 1).

    lr : float
        Learning rate of the discriminator.

    kl_weights : tuple of two floats
        Weight of the KL of a latent of relevance 1, and of one of relevance 0.

    relevance_weight : float
        Weight of the sum of relevances.

    entropy_weight : float
        Weight of the sum of their entropies.
    """

    # The other terms would trade the fit against how far relevance has settled.
    watched = ("reconstruction", "kl")

    def __init__(
        self,
        latent_dim: int,
        beta: float,
        discriminator: nn.Module,
        lr: float,
        kl_weights: tuple[float, float],
        relevance_weight: float,
        entropy_weight: float,
    ):
        super().__init__()
        self.beta = float(beta)
        self.adversary = discriminator
        self.adversary_optimizer = {"lr": lr, "betas": (0.5, 0.9)}
        self.kl_weights = tuple(map(float, kl_weights))
        self.relevance_weight = float(relevance_weight)
        self.entropy_weight = float(entropy_weight)
        # All undecided. The entropy has no slope here; the KL of each latent gives it.
        self.relevance_logits = nn.Parameter(torch.zeros(latent_dim))

    @property
    def relevance(self) -> Tensor:
        """Relevance of each latent, of shape (latent_dim,), in (0, 1)."""
        return self.relevance_logits.sigmoid()

    def forward(self, batch: ForwardPass, warmup: float) -> dict[str, Tensor]:
        reconstruction, kl = bound_terms(batch)
        relevance = self.relevance
        total_correlation = total_correlation_by_density_ratio(
            self.adversary, relevance * batch.latents
        )
        lowest, highest = self.kl_weights
        kl_weight = highest - (highest - lowest) * relevance
        weighted_kl = (kl_weight * batch.kl).sum(dim=1).mean()
        total_relevance = relevance.sum()
        entropy = bernoulli_entropy(self.relevance_logits).sum()
        penalty = (
            weighted_kl
            + (self.beta - 1) * total_correlation
            + self.relevance_weight * total_relevance
            + self.entropy_weight * entropy
        )
        return {
            "loss": reconstruction + warmup * penalty,
            "reconstruction": reconstruction,
            "kl": kl,
            "total_correlation": total_correlation,
            "relevance": total_relevance,
            "relevance_entropy": entropy,
        }

    def adversary_loss(self, batch: ForwardPass, generator: Generator) -> Tensor:
        return discriminator_loss(self.adversary, batch, generator, self.relevance)
