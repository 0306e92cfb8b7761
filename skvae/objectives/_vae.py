"""The evidence lower bound."""

from dataclasses import dataclass

from torch import Tensor


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mean, variance) || N(0, 1)) per row and latent dimension, in nats.

    Kingma & Welling 2014, appendix B.
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


@dataclass(frozen=True)
class VAEObjective:
    """Reconstruction + KL: the negative evidence lower bound.

    Kingma & Welling 2014, eq. 7. Terms are means over rows of sums over columns or
    latent dimensions, in nats.
    """

    def __call__(
        self,
        log_likelihood: Tensor,
        mean: Tensor,
        log_variance: Tensor,
        latents: Tensor,
        warmup: float,
    ) -> dict[str, Tensor]:
        """Return the named terms of the loss and the loss.

        Parameters
        ----------
        log_likelihood : Tensor of shape (n_rows,)
            log p(x|z) of each row at its `latents`.

        mean, log_variance : Tensor of shape (n_rows, latent_dim)
            The posterior of each row.

        latents : Tensor of shape (n_rows, latent_dim)
            One draw from each posterior.

        warmup : float
            Share of their final weight that all terms but the reconstruction have,
            in [0, 1].

        Returns
        -------
        terms : dict of str to scalar Tensor
            Each term unweighted, and ``"loss"``.
        """
        reconstruction = -log_likelihood.mean()
        kl = gaussian_kl(mean, log_variance).sum(dim=1).mean()
        return {
            "loss": reconstruction + warmup * kl,
            "reconstruction": reconstruction,
            "kl": kl,
        }
