"""Latent factors of a table, as scikit-learn estimators."""

from importlib.metadata import version

from skvae._core.errors import (
    CheckpointError,
    DataUnavailableError,
    ModelFileError,
    PosteriorCollapseWarning,
    StreamError,
    TrainingDivergedError,
    UnseenConditionWarning,
    UnsupportedRegimeWarning,
)
from skvae.models import (
    CVAE,
    DCVAE,
    DIPVAE,
    MSVAE,
    RFVAE,
    VAE,
    BetaTCVAE,
    BetaVAE,
    ConditionalExplanation,
    Counterfactual,
    DCVAEAnomalyDetector,
    FactorVAE,
    InfoVAE,
    VAEAnomalyDetector,
    load,
)

__version__ = version("skvae")

__all__ = [
    "CVAE",
    "DCVAE",
    "DIPVAE",
    "MSVAE",
    "RFVAE",
    "VAE",
    "BetaTCVAE",
    "BetaVAE",
    "CheckpointError",
    "ConditionalExplanation",
    "Counterfactual",
    "DCVAEAnomalyDetector",
    "DataUnavailableError",
    "FactorVAE",
    "InfoVAE",
    "ModelFileError",
    "PosteriorCollapseWarning",
    "StreamError",
    "TrainingDivergedError",
    "UnseenConditionWarning",
    "UnsupportedRegimeWarning",
    "VAEAnomalyDetector",
    "load",
]
