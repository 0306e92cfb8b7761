"""What one pass of a batch through the networks gives to the objective."""

from typing import NamedTuple

import torch
from torch import Tensor

# The thesis clips here too (listing C.1): the loss takes exp of the log variance.
LARGEST_LOG_VARIANCE = 20.0


class Normal(NamedTuple):
    """Independent normal distributions, one for each row and latent dimension."""

    mean: Tensor  # (n_rows, latent_dim)
    log_variance: Tensor  # (n_rows, latent_dim)

    @classmethod
    def of_outputs(cls, outputs: Tensor) -> "Normal":
        """Read means and log variances off the outputs of a network."""
        mean, log_variance = outputs.chunk(2, dim=-1)
        limit = LARGEST_LOG_VARIANCE
        return cls(mean, log_variance.clamp(-limit, limit))

    def at(self, noise: Tensor) -> Tensor:
        """Return the values at standard normal `noise` (reparameterisation)."""
        return torch.addcmul(self.mean, (0.5 * self.log_variance).exp(), noise)

    def beside(self, other: "Normal") -> "Normal":
        """Return the joint of this and `other`, which may have leading dimensions."""
        parts = (
            torch.cat([first.expand(*second.shape[:-1], -1), second], dim=-1)
            for first, second in zip(self, other, strict=True)
        )
        return Normal(*parts)

    def kl_to_standard(self) -> Tensor:
        """Return KL(self || N(0, 1)) per row and dimension, in nats.

        Kingma & Welling 2014, appendix B.
        """
        mean, log_variance = self
        return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


class ForwardPass(NamedTuple):
    """A batch of rows on its way through encoder and decoder.

    The networks make it and objectives read it, and neither has to know the other.
    Latents are in units of their prior, which is standard normal in these.
    """

    log_likelihood: Tensor  # (n_rows,), log p(x|z) of each row at its latents, in nats
    posterior: Normal
    kl: Tensor  # (n_rows, latent_dim), of the posterior to the prior, in nats
    latents: Tensor  # (n_rows, latent_dim), one draw from each posterior
    condition: Tensor | None = None  # (n_rows, width), encoded; None without one

    def trimmed(self, fraction: float) -> "ForwardPass":
        """Return the pass without the share of the rows that it explains worst.

        Least trimmed squares (Rousseeuw 1984), for likelihoods: what is compared is
        the bound of each row, log p(x|z) - KL.
        """
        n_left_out = int(fraction * len(self.kl))
        if n_left_out == 0:
            return self
        bound = self.log_likelihood - self.kl.sum(dim=1)
        return self._of_rows(bound.topk(len(bound) - n_left_out).indices)

    def detached(self) -> "ForwardPass":
        """Return the pass without the way back to the weights."""
        return self._each(Tensor.detach)

    def _of_rows(self, rows):
        return self._each(lambda part: part[rows])

    def _each(self, function):
        """Return a pass of what a function makes of each tensor."""
        return ForwardPass(
            log_likelihood=function(self.log_likelihood),
            posterior=Normal(*(function(part) for part in self.posterior)),
            kl=function(self.kl),
            latents=function(self.latents),
            condition=None if self.condition is None else function(self.condition),
        )
