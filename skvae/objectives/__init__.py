"""What training minimises: a forward pass in, a dictionary of named terms out."""

from skvae.objectives._beta_tcvae import BetaTCVAEObjective
from skvae.objectives._beta_vae import BetaVAEObjective
from skvae.objectives._capacity import CapacityObjective
from skvae.objectives._dcvae import DCVAEObjective
from skvae.objectives._dip_vae import DIPVAEObjective
from skvae.objectives._factor_vae import FactorVAEObjective
from skvae.objectives._info_vae import InfoVAEObjective
from skvae.objectives._objective import Objective
from skvae.objectives._rfvae import RFVAEObjective
from skvae.objectives._total_correlation import TOTAL_CORRELATION_ESTIMATORS
from skvae.objectives._vae import VAEObjective

__all__ = [
    "TOTAL_CORRELATION_ESTIMATORS",
    "BetaTCVAEObjective",
    "BetaVAEObjective",
    "CapacityObjective",
    "DCVAEObjective",
    "DIPVAEObjective",
    "FactorVAEObjective",
    "InfoVAEObjective",
    "Objective",
    "RFVAEObjective",
    "VAEObjective",
]
