"""The estimators, one class a file, and what they share in `base`."""

from skvae.models._file import load
from skvae.models._reasons import ConditionalExplanation
from skvae.models._regimes import Counterfactual
from skvae.models.beta_tcvae import BetaTCVAE
from skvae.models.beta_vae import BetaVAE
from skvae.models.cvae import CVAE
from skvae.models.dcvae import DCVAE
from skvae.models.dcvae_anomaly_detector import DCVAEAnomalyDetector
from skvae.models.dip_vae import DIPVAE
from skvae.models.factor_vae import FactorVAE
from skvae.models.info_vae import InfoVAE
from skvae.models.msvae import MSVAE
from skvae.models.rfvae import RFVAE
from skvae.models.vae import VAE
from skvae.models.vae_anomaly_detector import VAEAnomalyDetector

__all__ = [
    "CVAE",
    "DCVAE",
    "DIPVAE",
    "MSVAE",
    "RFVAE",
    "VAE",
    "BetaTCVAE",
    "BetaVAE",
    "ConditionalExplanation",
    "Counterfactual",
    "DCVAEAnomalyDetector",
    "FactorVAE",
    "InfoVAE",
    "VAEAnomalyDetector",
    "load",
]
