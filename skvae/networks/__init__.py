"""Torch modules: bodies, likelihood heads, and the autoencoder they make up."""

from skvae.networks._anchors import Anchors
from skvae.networks._autoencoder import Autoencoder, ImageEncoder
from skvae.networks._convolution import ConvDecoder, ConvEncoder
from skvae.networks._film import FiLM
from skvae.networks._heads import (
    BernoulliHead,
    GaussianHead,
    Head,
    PixelGaussianHead,
    make_heads,
)
from skvae.networks._mlp import ACTIVATIONS, MLP, Discriminator
from skvae.networks._prior import PRIORS, LearnedPrior, StandardPrior
from skvae.networks._two_stages import Beside, Modulating, TwoStageAutoencoder

__all__ = [
    "ACTIVATIONS",
    "MLP",
    "PRIORS",
    "Anchors",
    "Autoencoder",
    "BernoulliHead",
    "Beside",
    "ConvDecoder",
    "ConvEncoder",
    "Discriminator",
    "FiLM",
    "GaussianHead",
    "Head",
    "ImageEncoder",
    "LearnedPrior",
    "Modulating",
    "PixelGaussianHead",
    "StandardPrior",
    "TwoStageAutoencoder",
    "make_heads",
]
