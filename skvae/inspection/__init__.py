"""Pictures of what a model learned, and the numbers behind them.

`FactorEffectDisplay` shows what each latent factor is, `LatentTraversalDisplay` what it
does on its way, and `BetaTraversalDisplay` how that depends on beta; `factor_effects`
and `describe_factor` are the numbers.
`DistributionDisplay` compares the table with what a model makes of it,
`MutualInformationDisplay` shows what a factor knows of the columns, and
`LossCurveDisplay` how training went. Of a search, `ScoreCurveDisplay` shows a score
against beta, and `ParetoDisplay` two scores against each other.

`LatentSpaceDisplay` shows where rows lie, and `ManifoldDisplay` the images that the
same plane stands for. `ReconstructionDisplay` shows images over what models make of
them, `RandomDrawDisplay` those that models draw by themselves, and `MixDisplay` the
factors of some rows with the detail of others.
"""

from skvae.inspection._beta_traversal import BetaTraversalDisplay
from skvae.inspection._distribution import DistributionDisplay
from skvae.inspection._effects import describe_factor, factor_effects
from skvae.inspection._factor_effect import FactorEffectDisplay
from skvae.inspection._latent_space import LatentSpaceDisplay
from skvae.inspection._latent_traversal import LatentTraversalDisplay
from skvae.inspection._loss_curve import LossCurveDisplay
from skvae.inspection._manifold import ManifoldDisplay
from skvae.inspection._mix import MixDisplay
from skvae.inspection._mutual_information import MutualInformationDisplay
from skvae.inspection._pareto import ParetoDisplay
from skvae.inspection._random_draw import RandomDrawDisplay
from skvae.inspection._reconstruction import ReconstructionDisplay
from skvae.inspection._score_curve import ScoreCurveDisplay

__all__ = [
    "BetaTraversalDisplay",
    "DistributionDisplay",
    "FactorEffectDisplay",
    "LatentSpaceDisplay",
    "LatentTraversalDisplay",
    "LossCurveDisplay",
    "ManifoldDisplay",
    "MixDisplay",
    "MutualInformationDisplay",
    "ParetoDisplay",
    "RandomDrawDisplay",
    "ReconstructionDisplay",
    "ScoreCurveDisplay",
    "describe_factor",
    "factor_effects",
]
