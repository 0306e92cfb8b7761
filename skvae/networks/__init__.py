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

__all__ = [
    "ACTIVATIONS",
    "MLP",
    "PRIORS",
    "Anchors",
    "Autoencoder",
    "BernoulliHead",
    "ConvDecoder",
    "ConvEncoder",
    "Discriminator",
    "FiLM",
    "GaussianHead",
    "Head",
    "ImageEncoder",
    "LearnedPrior",
    "PixelGaussianHead",
    "StandardPrior",
    "make_heads",
]
