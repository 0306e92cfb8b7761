"""What training minimises: tensors in, a dictionary of named terms out."""

from skvae.objectives._beta_tcvae import BetaTCVAEObjective
from skvae.objectives._beta_vae import BetaVAEObjective
from skvae.objectives._total_correlation import TOTAL_CORRELATION_ESTIMATORS
from skvae.objectives._vae import VAEObjective, gaussian_kl

__all__ = [
    "TOTAL_CORRELATION_ESTIMATORS",
    "BetaTCVAEObjective",
    "BetaVAEObjective",
    "VAEObjective",
    "gaussian_kl",
]
