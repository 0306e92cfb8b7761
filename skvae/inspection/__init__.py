"""Pictures of what a model learned, and the numbers behind them.

`factor_effects` and `LatentTraversalDisplay` show what each latent factor does to the
columns, `describe_factor` tells it of one of them in the columns' own units,
`MutualInformationDisplay` shows what a factor knows of the columns, and
`LossCurveDisplay` how training went.
"""

from skvae.inspection._effects import describe_factor, factor_effects
from skvae.inspection._latent_traversal import LatentTraversalDisplay
from skvae.inspection._loss_curve import LossCurveDisplay
from skvae.inspection._mutual_information import MutualInformationDisplay

__all__ = [
    "LatentTraversalDisplay",
    "LossCurveDisplay",
    "MutualInformationDisplay",
    "describe_factor",
    "factor_effects",
]
