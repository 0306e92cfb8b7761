"""Latent factors of a table, as scikit-learn estimators."""

from importlib.metadata import version

from skvae._core.errors import (
    DataUnavailableError,
    PosteriorCollapseWarning,
    TrainingDivergedError,
)
from skvae.models import VAE, BetaTCVAE, BetaVAE

__version__ = version("skvae")

__all__ = [
    "VAE",
    "BetaTCVAE",
    "BetaVAE",
    "DataUnavailableError",
    "PosteriorCollapseWarning",
    "TrainingDivergedError",
]
