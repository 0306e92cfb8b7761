"""Pictures of what a model learned, and the numbers behind them.

`factor_effects` and `LatentTraversalDisplay` show what each latent factor does to the
columns, `MutualInformationDisplay` what it knows of them, and `LossCurveDisplay` how
training went.
"""

from skvae.inspection._effects import factor_effects
from skvae.inspection._latent_traversal import LatentTraversalDisplay
from skvae.inspection._loss_curve import LossCurveDisplay
from skvae.inspection._mutual_information import MutualInformationDisplay

__all__ = [
    "LatentTraversalDisplay",
    "LossCurveDisplay",
    "MutualInformationDisplay",
    "factor_effects",
]
