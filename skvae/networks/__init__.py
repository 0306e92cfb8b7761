"""Torch modules: bodies, likelihood heads, and the autoencoder they make up."""

from skvae.networks._anchors import Anchors
from skvae.networks._autoencoder import Autoencoder, ImageEncoder
from skvae.networks._choice_heads import (
    CategoricalHead,
    DiscreteHead,
    MixedHead,
    OrdinalHead,
)
from skvae.networks._convolution import ConvDecoder, ConvEncoder
from skvae.networks._film import FiLM
from skvae.networks._heads import (
    Asked,
    BernoulliHead,
    BooleanHead,
    GaussianHead,
    Head,
    PixelGaussianHead,
)
from skvae.networks._make_heads import make_heads
from skvae.networks._mixture_head import NormalMixtureHead
from skvae.networks._mlp import ACTIVATIONS, MLP, Discriminator
from skvae.networks._prior import PRIORS, LearnedPrior, StandardPrior
from skvae.networks._two_stages import Beside, Modulating, TwoStageAutoencoder

__all__ = [
    "ACTIVATIONS",
    "MLP",
    "PRIORS",
    "Anchors",
    "Asked",
    "Autoencoder",
    "BernoulliHead",
    "Beside",
    "BooleanHead",
    "CategoricalHead",
    "ConvDecoder",
    "ConvEncoder",
    "DiscreteHead",
    "Discriminator",
    "FiLM",
    "GaussianHead",
    "Head",
    "ImageEncoder",
    "LearnedPrior",
    "MixedHead",
    "Modulating",
    "NormalMixtureHead",
    "OrdinalHead",
    "PixelGaussianHead",
    "StandardPrior",
    "TwoStageAutoencoder",
    "make_heads",
]
