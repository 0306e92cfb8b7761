"""From a trained first stage and an encoded table to a trained second stage."""

import copy
from functools import partial

import numpy as np

from skvae._core.columns import ColumnGroup
from skvae.models._fitting import column_scales, make_autoencoder, make_plan
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
from skvae.training import train


def fit_second_stage(estimator, matrix, seed, task):
    """Train the second stage of an `MSVAE`.

    Parameters
    ----------
    estimator : MSVAE
        With its first stage fitted, and ``encoder_net_``: how the encoder trained, or
        None if it did not by itself.

    matrix : ndarray of shape (n_samples, width)
        The encoded table, followed by the condition of the first stage.

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
    fitted_after = partial(estimator._fitted_after, matrix=matrix, seed=seed)
    net = train(
        matrix,
        estimator._n_latents,
        partial(_make_two_stages, estimator, estimator.encoder_net_),
        lambda n_rows: VAEObjective(),
        make_plan(estimator, len(matrix), seed, EpochTasks(stage, fitted_after)),
    )
    _share_first(net.module_, estimator.first_stage_.module_)
    net.module = None  # the factory holds the estimator
    stage.end()
    return net


def _share_first(module, first):
    """Put the first stage in place of its copy, unless that lives on another device."""
    if next(first.parameters()).device == next(module.parameters()).device:
        module.first = first


def fit_residual_encoder(estimator, matrix, seed, task):
    """Train an autoencoder of the residuals alone; its encoder is what is wanted.

    Parameters and what it returns are those of `fit_second_stage`.
    """
    stage = task.subtask("fit-residual-encoder", estimator.max_epochs).begin()
    first = estimator.first_stage_
    # The residuals of a draw of c, as the second stage will see them.
    noise = np.random.RandomState(seed).standard_normal(
        (len(matrix), first._n_features_out)
    )
    *_, factors = first._inference.posterior_at(matrix, noise)
    values, conditions = np.split(matrix, [first._width], axis=1)
    means = first._inference.decode(factors, conditions)[:, : first._width]
    residuals = np.nan_to_num(values - means)
    make_module = partial(
        make_autoencoder,
        groups=[_group_of_residuals(first.table_encoder_)],
        column_scales=column_scales(residuals),
        n_conditions=0,
        anchors=None,
        prior="standard",
        latent_dim=estimator.residual_dim,
        hidden_layer_sizes=estimator.hidden_layer_sizes,
        activation=estimator.activation,
        likelihood="gaussian",
        image_shape=first.table_encoder_.image_shape,
        encoder=None,
        decoder=None,
    )
    net = train(
        residuals,
        estimator.residual_dim,
        make_module,
        lambda n_rows: VAEObjective(),
        make_plan(estimator, len(matrix), seed, EpochTasks(stage)),
    )
    stage.end()
    return net


def _group_of_residuals(table_encoder):
    """Return the residuals as one group: of whatever, they are numbers around 0."""
    if table_encoder.image_shape is not None:
        return table_encoder.groups_[0]
    width = table_encoder.width
    return ColumnGroup("continuous", tuple(range(width)), (1,) * width, 0)


def _make_two_stages(estimator, encoder_net):
    """Return the first stage with a new second one."""
    first = copy.deepcopy(estimator.first_stage_.module_).float()
    if encoder_net is None:
        encoder = _make_encoder(estimator)
    else:
        encoder = copy.deepcopy(encoder_net.module_.encoder).float()
    return TwoStageAutoencoder(
        first,
        encoder,
        _make_decoder(estimator, sum(head.n_outputs for head in first.heads)),
        copy.deepcopy(first.heads).requires_grad_(True),
        estimator.first_stage_._n_features_out,
    )


def _make_encoder(estimator):
    """Return a new encoder of residuals."""
    sizes, n_outputs = tuple(estimator.hidden_layer_sizes), 2 * estimator.residual_dim
    image_shape = estimator.table_encoder_.image_shape
    if image_shape is None:
        inputs, activation = estimator._width, estimator.activation
        return MLP(inputs, sizes, n_outputs, activation, residual=True)
    body = ConvEncoder(tuple(image_shape), sizes, n_outputs, estimator.activation)
    return ImageEncoder(body, image_shape)


def _make_decoder(estimator, n_outputs):
    """Return a new decoder of residual latents and the first reconstruction."""
    sizes, outputs = estimator.hidden_layer_sizes, n_outputs
    make_body = partial(MLP, residual=True)
    if estimator.table_encoder_.image_shape is not None:
        outputs, make_body = tuple(estimator.table_encoder_.image_shape), ConvDecoder
    n_latents, width = estimator.residual_dim, estimator._width
    settings = (tuple(sizes)[::-1], outputs, estimator.activation)
    if estimator.fusion == "concat":
        return Beside(make_body(n_latents + width, *settings))
    body = make_body(n_latents, *settings, n_conditions=Modulating.n_features)
    return Modulating(body, width)
