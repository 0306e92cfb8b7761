"""The evidence lower bound with a penalty on the covariance of the latents."""

import torch
from torch import Tensor

from skvae._core.passes import ForwardPass, Normal
from skvae.objectives._objective import Objective, bound_terms


def covariance_of_means(posterior: Normal) -> Tensor:
    """Return the covariance of the posterior means over the batch, (D, D).

    With 1/B: an expectation over the rows at hand, as the paper has it.
    """
    centred = posterior.mean - posterior.mean.mean(dim=0)
    return centred.T @ centred / len(centred)


def covariance_of_latents(posterior: Normal) -> Tensor:
    """Return the covariance of the aggregate posterior of the batch, (D, D).

    By the law of total covariance: what rows vary in, and what each row's own
    posterior adds.
    """
    variance = posterior.log_variance.exp().mean(dim=0)
    return covariance_of_means(posterior) + variance.diag()


COVARIANCES = {"i": covariance_of_means, "ii": covariance_of_latents}


class DIPVAEObjective(Objective):
    """Reconstruction + KL + a penalty that moves a covariance towards the identity.

    Kumar et al. 2018: DIP-VAE-I (eq. 6) takes the covariance of the posterior means,
    DIP-VAE-II (eq. 7) that of the latents. The penalty is a sum over both triangles.

    Parameters
    ----------
    variant : {"i", "ii"}
        Which covariance is taken.

    off_diagonal_weight : float
        Weight of the squared covariances.

    diagonal_weight : float
        Weight of the squared distances of the variances from 1.
    """

    def __init__(
        self, variant: str, off_diagonal_weight: float, diagonal_weight: float
    ):
        super().__init__()
        self.variant = variant
        self.off_diagonal_weight = float(off_diagonal_weight)
        self.diagonal_weight = float(diagonal_weight)

    def forward(self, batch: ForwardPass, warmup: float) -> dict[str, Tensor]:
        reconstruction, kl = bound_terms(batch)
        covariance = COVARIANCES[self.variant](batch.posterior)
        variances = covariance.diagonal()
        off_diagonal = (covariance - torch.diag(variances)).square().sum()
        diagonal = (variances - 1).square().sum()
        penalty = (
            kl
            + self.off_diagonal_weight * off_diagonal
            + self.diagonal_weight * diagonal
        )
        return {
            "loss": reconstruction + warmup * penalty,
            "reconstruction": reconstruction,
            "kl": kl,
            "covariance_off_diagonal": off_diagonal,
            "covariance_diagonal": diagonal,
        }
