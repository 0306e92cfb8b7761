"""The evidence lower bound with a weighted KL."""

from dataclasses import dataclass

from skvae.objectives._vae import gaussian_kl


@dataclass(frozen=True)
class BetaVAEObjective:
    """Reconstruction + beta * KL.

    Higgins et al. 2017, eq. 4.

    Parameters
    ----------
    beta : float
        Weight of the KL. It weighs a sum over latent dimensions against a sum over
        columns, not against their means.
    """

    beta: float

    def __call__(self, log_likelihood, mean, log_variance, latents, warmup):
        """Return the named terms of the loss and the loss, as `VAEObjective` does."""
        reconstruction = -log_likelihood.mean()
        kl = gaussian_kl(mean, log_variance).sum(dim=1).mean()
        return {
            "loss": reconstruction + warmup * self.beta * kl,
            "reconstruction": reconstruction,
            "kl": kl,
        }
