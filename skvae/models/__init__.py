"""The estimators, one class a file, and what they share in `base`."""

from skvae.models.beta_tcvae import BetaTCVAE
from skvae.models.beta_vae import BetaVAE
from skvae.models.vae import VAE

__all__ = ["VAE", "BetaTCVAE", "BetaVAE"]
