"""Torch modules: bodies, likelihood heads, and the autoencoder they make up."""

from skvae.networks._autoencoder import Autoencoder, Posterior
from skvae.networks._heads import BernoulliHead, GaussianHead, Head, make_heads
from skvae.networks._mlp import ACTIVATIONS, MLP

__all__ = [
    "ACTIVATIONS",
    "MLP",
    "Autoencoder",
    "BernoulliHead",
    "GaussianHead",
    "Head",
    "Posterior",
    "make_heads",
]
