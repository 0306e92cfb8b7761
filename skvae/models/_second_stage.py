"""From a trained first stage and an encoded table to a trained second stage."""

import copy
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from skvae._core.columns import ColumnGroup
from skvae._core.random import UseGenerator, make_generator
from skvae._core.storing import storable
from skvae.models._architecture import Architecture, column_scales
from skvae.models._fitting import make_plan, whole
from skvae.models._tasks import EpochTasks
from skvae.networks import (
    MLP,
    Beside,
    ConvDecoder,
    ConvEncoder,
    ImageEncoder,
    Modulating,
    TwoStageAutoencoder,
)
from skvae.objectives import VAEObjective
from skvae.training import MatrixStream, train


def fit_second_stage(estimator, rows, sample, seed, task):
    """Train the second stage of an `MSVAE`.

    Parameters
    ----------
    estimator : MSVAE
        With its first stage fitted, and ``encoder_net_``: how the encoder trained, or
        None if it did not by itself.

    rows : ndarray of shape (n_samples, width) or MatrixStream
        The encoded table, followed by the condition of the first stage.

    sample : ndarray of shape (n_sampled, width)
        All of these rows, or some.

    seed : int
        Seed of everything random.

    task : Task
        The fit, of which this is a subtask.

    Returns
    -------
    net : skvae.training.Net
        Trained and ready for scoring; its first stage is that of the estimator.
    """
    stage = task.subtask("fit-second-stage", estimator.max_epochs).begin()
    fitted_after = partial(estimator._fitted_after, matrix=sample, seed=seed)
    encoder_net = estimator.encoder_net_
    encoder = None if encoder_net is None else encoder_net.module_.encoder
    first, architecture = estimator.first_stage_.net_, _architecture(estimator)
    net = train(
        rows,
        estimator._n_latents,
        partial(architecture, first.module_, encoder),
        lambda n_rows: VAEObjective(),
        make_plan(estimator, len(rows), seed, EpochTasks(stage, fitted_after)),
    )
    _share_first(net.module_, first.module_)
    net.module, net.first = architecture, first
    stage.end()
    return net


def _share_first(module, first):
    """Put the first stage in place of its copy, unless that lives on another device."""
    if next(first.parameters()).device == next(module.parameters()).device:
        module.first = first


def fit_residual_encoder(estimator, rows, seed, task):
    """Train an autoencoder of the residuals alone; its encoder is what is wanted.

    Parameters, but for the sample, and what it returns are as in `fit_second_stage`.
    """
    stage = task.subtask("fit-residual-encoder", estimator.max_epochs).begin()
    first = estimator.first_stage_
    residuals_of = partial(_residuals, first)
    if isinstance(rows, MatrixStream):
        residuals = rows.mapped(residuals_of, seed)
        some = residuals.sample
    else:
        residuals = some = residuals_of(rows, np.random.RandomState(seed))
    architecture = Architecture(
        groups=[_group_of_residuals(first.table_encoder_)],
        scales=column_scales(some),
        latent_dim=int(estimator.residual_dim),
        hidden_layer_sizes=whole(estimator.hidden_layer_sizes),
        activation=estimator.activation,
        likelihood="gaussian",
        image_shape=_image_shape(first),
    )
    net = train(
        residuals,
        estimator.residual_dim,
        architecture,
        lambda n_rows: VAEObjective(),
        make_plan(estimator, len(rows), seed, EpochTasks(stage)),
    )
    stage.end()
    return net


def _residuals(first, matrix, random_state):
    """Return what a draw of c leaves of rows, as the second stage will see them."""
    noise = random_state.standard_normal((len(matrix), first._n_features_out))
    *_, factors = first._inference.posterior_at(matrix, noise)
    values, conditions = np.split(matrix, [first._width], axis=1)
    means = first._inference.decode(factors, conditions)[:, : first._width]
    return np.nan_to_num(values - means)


def _image_shape(model):
    shape = model.table_encoder_.image_shape
    return None if shape is None else whole(shape)


def _group_of_residuals(table_encoder):
    """Return the residuals as one group: of whatever, they are numbers around 0."""
    if table_encoder.image_shape is not None:
        return table_encoder.groups_[0]
    width = table_encoder.width
    return ColumnGroup("continuous", tuple(range(width)), (1,) * width, 0)


def _architecture(estimator):
    """Return what the second stage is made of, off the estimator's parameters."""
    first = estimator.first_stage_
    return TwoStageArchitecture(
        n_factors=first._n_features_out,
        residual_dim=int(estimator.residual_dim),
        hidden_layer_sizes=whole(estimator.hidden_layer_sizes),
        activation=estimator.activation,
        fusion=estimator.fusion,
        image_shape=_image_shape(first),
    )


@storable
@dataclass(frozen=True)
class TwoStageArchitecture:
    """All that it takes to put a second stage behind a trained first one.

    Parameters
    ----------
    n_factors : int
        How many latents the first stage has.

    residual_dim, hidden_layer_sizes, activation, fusion
        The parameters of `MSVAE`.

    image_shape : tuple of int or None
        That of the first stage.
    """

    n_factors: int
    residual_dim: int
    hidden_layer_sizes: tuple[int, ...]
    activation: str
    fusion: str
    image_shape: tuple[int, ...] | None

    def __call__(self, first, encoder=None) -> TwoStageAutoencoder:
        """Return a copy of the first stage with a new second one.

        Its encoder is a copy of the given one, if there is one.
        """
        first = copy.deepcopy(first).float()
        if encoder is None:
            encoder = self._make_encoder(len(first.stand_ins))
        else:
            encoder = copy.deepcopy(encoder).float()
        return TwoStageAutoencoder(
            first,
            encoder,
            self._make_decoder(first),
            copy.deepcopy(first.heads).requires_grad_(True),
            self.n_factors,
        )

    def empty(self, first) -> TwoStageAutoencoder:
        """Return the first stage itself, with a second one that takes no memory."""
        with UseGenerator(make_generator(0)), torch.device("meta"):
            module = self(first).double()
        module.first = first
        return module

    @property
    def n_latents(self) -> int:
        """How many latents there are, those of the first stage too."""
        return self.n_factors + self.residual_dim

    def _make_encoder(self, width):
        """Return a new encoder of residuals."""
        sizes, n_outputs = self.hidden_layer_sizes, 2 * self.residual_dim
        if self.image_shape is None:
            return MLP(width, sizes, n_outputs, self.activation, residual=True)
        body = ConvEncoder(self.image_shape, sizes, n_outputs, self.activation)
        return ImageEncoder(body, self.image_shape)

    def _make_decoder(self, first):
        """Return a new decoder of residual latents and the first reconstruction."""
        outputs = sum(head.n_outputs for head in first.heads)
        make_body = partial(MLP, residual=True)
        if self.image_shape is not None:
            outputs, make_body = self.image_shape, ConvDecoder
        n_latents, width = self.residual_dim, len(first.stand_ins)
        settings = (self.hidden_layer_sizes[::-1], outputs, self.activation)
        if self.fusion == "concat":
            return Beside(make_body(n_latents + width, *settings))
        body = make_body(n_latents, *settings, n_conditions=Modulating.n_features)
        return Modulating(body, width)
