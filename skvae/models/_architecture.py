"""What an autoencoder is made of, short of its weights."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import numpy as np
import torch

from skvae._core.columns import ColumnGroup
from skvae._core.random import UseGenerator, make_generator
from skvae._core.stored_types import Given
from skvae._core.storing import storable
from skvae.models._own_modules import own_module
from skvae.networks import (
    MLP,
    PRIORS,
    Anchors,
    Autoencoder,
    ConvDecoder,
    ConvEncoder,
    ImageEncoder,
    make_heads,
)

_Singles = Annotated[np.ndarray, "float32", 1]


@storable
@dataclass(frozen=True, eq=False)
class Architecture:
    """All that it takes to make an autoencoder anew: called, it returns one.

    Parameters
    ----------
    groups : list of ColumnGroup
        The columns of the encoded matrix.

    scales : ndarray of shape (width,)
        The spread of each of them in training.

    n_conditions : int
        Width of the condition.

    anchors : dict of int to int, default=None
        From matrix columns to the latents that are clamped to them.

    centres : ndarray of shape (width,), default=None
        The mean of each column in training, where there are anchors.

    prior : str
        A key of `PRIORS`.

    latent_dim, hidden_layer_sizes, activation, likelihood, image_shape, encoder, \
decoder
        The parameters of a model.
    """

    groups: list[ColumnGroup]
    scales: _Singles
    latent_dim: int
    hidden_layer_sizes: tuple[int, ...]
    activation: str
    n_conditions: int = 0
    anchors: dict[int, int] | None = None
    centres: _Singles | None = None
    prior: str = "standard"
    likelihood: str = "auto"
    image_shape: tuple[int, ...] | None = None
    encoder: Given = None
    decoder: Given = None

    def __call__(self) -> Autoencoder:
        """Return a new autoencoder."""
        heads = make_heads(self.groups, self.likelihood, torch.as_tensor(self.scales))
        encoder, decoder = self._bodies(sum(head.n_outputs for head in heads))
        return Autoencoder(
            encoder,
            decoder,
            heads,
            self.groups,
            PRIORS[self.prior](self.latent_dim, self.n_conditions),
            self._anchors(),
            self.n_conditions,
        )

    def empty(self) -> Autoencoder:
        """Return one in float64 that takes no memory: the weights are still to come."""
        # The networks of a user are real, and drawn: not from torch's own generator.
        with UseGenerator(make_generator(0)), torch.device("meta"):
            return self().double()

    @property
    def n_latents(self) -> int:
        """How many latents there are."""
        return self.latent_dim

    def _bodies(self, n_outputs):
        """Return encoder and decoder."""
        inputs, outputs = len(self.scales), n_outputs
        make_encoder = make_decoder = partial(MLP, residual=True)
        if self.image_shape is not None:
            inputs = outputs = self.image_shape
            make_encoder, make_decoder = ConvEncoder, ConvDecoder
        sizes, n_latents = self.hidden_layer_sizes, self.latent_dim
        given = {"n_conditions": self.n_conditions} if self.n_conditions else {}
        if self.encoder is None:
            encoder = make_encoder(
                inputs, sizes, 2 * n_latents, self.activation, **given
            )
        else:
            encoder = own_module("encoder", self.encoder, inputs, 2 * n_latents, given)
        if self.decoder is None:
            decoder = make_decoder(
                n_latents, sizes[::-1], outputs, self.activation, **given
            )
        else:
            decoder = own_module("decoder", self.decoder, n_latents, outputs, given)
        if self.image_shape is not None:
            encoder = ImageEncoder(encoder, self.image_shape)
        return encoder, decoder

    def _anchors(self):
        """Return the latents that are clamped to columns, or None."""
        if not self.anchors:
            return None
        centres, scales = map(torch.as_tensor, (self.centres, self.scales))
        return Anchors(self.anchors, centres, scales)


def column_scales(matrix):
    """Return the standard deviation of each column as float32, always positive."""
    scales = np.nanstd(matrix, axis=0)
    tiny = np.finfo(np.float32).tiny
    return np.clip(scales, tiny, np.finfo(np.float32).max).astype(np.float32)
