"""Where latents come from before a row is seen: p(z), or r(z|c).

Outside the networks, latents are in units of their prior, in which it is standard
normal whatever the condition. So KL, codes and draws are the same thing in all models,
and a latent that stays where it is under another condition stands for the same place
among the rows of that condition.
"""

import torch
from torch import Tensor, nn

from skvae._core.passes import Normal
from skvae.networks._mlp import MLP

_HIDDEN = (64,)


class StandardPrior(nn.Module):
    """Independent standard normal latents, whatever the condition."""

    def relative(self, posterior: Normal, condition: Tensor | None) -> Normal:
        """Return a posterior in units of the prior."""
        return posterior

    def absolute(self, latents: Tensor, condition: Tensor | None) -> Tensor:
        """Return latents, given in units of the prior, as the decoder reads them."""
        return latents


class LearnedPrior(nn.Module):
    """Independent normal latents whose mean and variance depend on the condition.

    r(z_d|c) of the dCVAE paper, eq. 17. It starts as the standard normal.

    Parameters
    ----------
    latent_dim : int
        Number of latents.

    n_conditions : int
        Width of the condition; 0 where there is none.
    """

    def __init__(self, latent_dim: int, n_conditions: int):
        super().__init__()
        if n_conditions:
            self.moments = MLP(n_conditions, _HIDDEN, 2 * latent_dim)
            nn.init.zeros_(self.moments.output.linear.weight)
            nn.init.zeros_(self.moments.output.linear.bias)
        else:
            self.moments = nn.Parameter(torch.zeros(1, 2 * latent_dim))

    def normal(self, condition: Tensor | None) -> Normal:
        """Return the prior of each condition, or the only one there is."""
        moments = self.moments if condition is None else self.moments(condition)
        return Normal.of_outputs(moments)

    def relative(self, posterior: Normal, condition: Tensor | None) -> Normal:
        """Return a posterior in units of the prior."""
        mean, log_variance = self.normal(condition)
        return Normal(
            (posterior.mean - mean) * (-0.5 * log_variance).exp(),
            posterior.log_variance - log_variance,
        )

    def absolute(self, latents: Tensor, condition: Tensor | None) -> Tensor:
        """Return latents, given in units of the prior, as the decoder reads them."""
        return self.normal(condition).at(latents)


PRIORS = {
    "standard": lambda latent_dim, n_conditions: StandardPrior(),
    "learned": LearnedPrior,
}
