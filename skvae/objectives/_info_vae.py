"""The evidence lower bound with a weighted divergence of all latents to the prior."""

from torch import Tensor

from skvae._core.passes import ForwardPass
from skvae.objectives._objective import Objective, bound_terms


def maximum_mean_discrepancy(latents: Tensor) -> Tensor:
    """Return an unbiased estimate of MMD^2(q(z), N(0, I)).

    Gretton et al. 2012, lemma 6, with k(x, y) = exp(-|x - y|^2 / (2 s^2)). Its means
    over the prior are known in closed form and need no draws. Unbiased means that it
    may fall below 0 where the two agree.
    """
    latent_dim = latents.shape[1]
    # The squared distance of two draws from the prior is 2 D on average, which makes
    # their kernel about exp(-1).
    squared_scale = latent_dim
    squared_norm = latents.square().sum(dim=1)
    shrinkage = (squared_scale / (squared_scale + 1)) ** (latent_dim / 2)
    to_prior = shrinkage * (-0.5 * squared_norm / (squared_scale + 1)).exp()
    within_prior = (squared_scale / (squared_scale + 2)) ** (latent_dim / 2)
    within_batch = mean_kernel_of_pairs(latents, squared_norm, squared_scale)
    return within_batch - 2 * to_prior.mean() + within_prior


def mean_kernel_of_pairs(
    latents: Tensor, squared_norm: Tensor, squared_scale: float
) -> Tensor:
    """Return the mean kernel of two different rows.

    A lone row has no other; it is taken for all of q(z), at distance 0 to itself.
    """
    n_rows = len(latents)
    squared_distance = squared_norm[:, None] + squared_norm - 2 * latents @ latents.T
    # Rounding can push the distance of two close rows below 0.
    kernel = (-0.5 * squared_distance.clamp(min=0) / squared_scale).exp()
    if n_rows == 1:
        return kernel.mean()
    return (kernel.sum() - kernel.diagonal().sum()) / (n_rows * (n_rows - 1))


class InfoVAEObjective(Objective):
    """Reconstruction + (1 - alpha) * KL + (alpha + lambda - 1) * MMD^2(q(z), N(0, I)).

    Zhao et al. 2019, the divergence the maximum mean discrepancy. alpha = 0 and
    lambda = 1 is the VAE; alpha = 1 the MMD-VAE, with no KL at all.

    Parameters
    ----------
    alpha : float
        Weight of the information that latents keep of a row.

    mmd_weight : float
        The paper's lambda, weight of the divergence of all latents to the prior. The
        MMD^2 is at most 2, while the reconstruction is a sum over columns.
    """

    def __init__(self, alpha: float, mmd_weight: float):
        super().__init__()
        self.alpha = float(alpha)
        self.mmd_weight = float(mmd_weight)

    def forward(self, batch: ForwardPass, warmup: float) -> dict[str, Tensor]:
        reconstruction, kl = bound_terms(batch)
        discrepancy = maximum_mean_discrepancy(batch.latents)
        weight = self.alpha + self.mmd_weight - 1
        penalty = (1 - self.alpha) * kl + weight * discrepancy
        return {
            "loss": reconstruction + warmup * penalty,
            "reconstruction": reconstruction,
            "kl": kl,
            "maximum_mean_discrepancy": discrepancy,
        }
