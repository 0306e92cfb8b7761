"""From an estimator's parameters and an encoded table to a trained net."""

import copy
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from skvae.models._own_modules import own_module
from skvae.models._tasks import EpochTasks
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
from skvae.training import TrainingPlan, train, train_epoch


def fit_net(estimator, matrix, seed, task):
    """Train the estimator's networks under its objective.

    Parameters
    ----------
    estimator : OneStageVAE
        Where the parameters, the encoding and the objective come from.

    matrix : ndarray of shape (n_samples, width)
        The encoded table, followed by the condition.

    seed : int
        Seed of everything random.

    task : Task
        The fit, whose subtasks epochs are.

    Returns
    -------
    net : skvae.training.Net
        Trained and ready for scoring.
    """
    fitted_after = partial(estimator._fitted_after, matrix=matrix, seed=seed)
    plan = make_plan(estimator, len(matrix), seed, EpochTasks(task, fitted_after))
    return train(matrix, *_networks(estimator, matrix), plan)


def fit_epoch(estimator, matrix, seed, state):
    """Train the estimator's networks for one epoch more.

    Parameters
    ----------
    estimator : OneStageVAE
        As for `fit_net`.

    matrix : ndarray of shape (n_samples, width)
        The encoded rows of this epoch, followed by the condition.

    seed : int
        Seed of everything random.

    state : bytes or None
        Where training was.

    Returns
    -------
    net : skvae.training.Net
        Trained and ready for scoring.

    state : bytes
        Where training is.
    """
    plan = make_plan(estimator, len(matrix), seed)
    return train_epoch(matrix, *_networks(estimator, matrix), plan, state)


def _networks(estimator, matrix):
    """Return the number of latents, and what makes networks and objective."""
    values = matrix[:, : estimator.table_encoder_.width]
    make_module = partial(
        make_autoencoder,
        groups=estimator.table_encoder_.groups_,
        column_scales=column_scales(values),
        n_conditions=matrix.shape[1] - values.shape[1],
        anchors=_make_anchors(estimator, values),
        prior=estimator._prior,
        **{name: getattr(estimator, name) for name in _NETWORK_PARAMETERS},
    )
    return estimator.latent_dim, make_module, estimator._make_objective


_NETWORK_PARAMETERS = (
    "latent_dim",
    "hidden_layer_sizes",
    "activation",
    "likelihood",
    "image_shape",
    "encoder",
    "decoder",
)


def make_autoencoder(
    groups,
    column_scales,
    n_conditions,
    anchors,
    prior,
    latent_dim,
    hidden_layer_sizes,
    activation,
    likelihood,
    image_shape,
    encoder,
    decoder,
):
    """Return a new autoencoder for the columns of `groups`."""
    heads = make_heads(groups, likelihood, torch.as_tensor(column_scales))
    inputs, outputs = len(column_scales), sum(head.n_outputs for head in heads)
    make_encoder = make_decoder = partial(MLP, residual=True)
    if image_shape is not None:
        inputs = outputs = tuple(image_shape)
        make_encoder, make_decoder = ConvEncoder, ConvDecoder
    sizes = tuple(hidden_layer_sizes)
    given = {"n_conditions": n_conditions} if n_conditions else {}
    if encoder is None:
        encoder = make_encoder(inputs, sizes, 2 * latent_dim, activation, **given)
    else:
        encoder = own_module("encoder", encoder, inputs, 2 * latent_dim, given)
    if decoder is None:
        decoder = make_decoder(latent_dim, sizes[::-1], outputs, activation, **given)
    else:
        decoder = own_module("decoder", decoder, latent_dim, outputs, given)
    return Autoencoder(
        encoder if image_shape is None else ImageEncoder(encoder, image_shape),
        decoder,
        heads,
        groups,
        PRIORS[prior](latent_dim, n_conditions),
        copy.deepcopy(anchors),
        n_conditions,
    )


def column_scales(matrix):
    """Return the standard deviation of each column as float32, always positive."""
    scales = np.nanstd(matrix, axis=0)
    tiny = np.finfo(np.float32).tiny
    return np.clip(scales, tiny, np.finfo(np.float32).max).astype(np.float32)


def _make_anchors(estimator, values):
    """Return the latents that are clamped to columns, or None."""
    if not estimator.anchors:
        return None
    latent_of = {
        estimator.table_encoder_.matrix_column(name): latent
        for name, latent in estimator.anchors.items()
    }
    centres = torch.as_tensor(np.nanmean(values, axis=0), dtype=torch.float32)
    return Anchors(latent_of, centres, torch.as_tensor(column_scales(values)))


def make_plan(estimator, n_rows, seed, *own_callbacks):
    """Return how training runs, off the estimator's parameters."""
    holds_out, checkpoint = estimator.early_stopping, estimator.checkpoint
    device = _device(estimator.device)
    return TrainingPlan(
        lr=estimator.lr,
        max_epochs=estimator.max_epochs,
        batch_size=_batch_size(estimator.batch_size, n_rows),
        kl_warmup=estimator.kl_warmup,
        validation_fraction=estimator.validation_fraction if holds_out else 0,
        n_iter_no_change=estimator.n_iter_no_change,
        tol=estimator.tol,
        trimmed_fraction=estimator.trimmed_fraction,
        lr_schedule=estimator.lr_schedule,
        device=device,
        seed=seed,
        title=type(estimator).__name__ if estimator.verbose else "",
        # Before the user's, which may end an epoch early.
        callbacks=[*own_callbacks, *copy.deepcopy(estimator.callbacks or [])],
        checkpoint=None if checkpoint is None else Path(checkpoint),
        resumes=estimator.resume,
        settings=_settings(estimator) | {"seed": seed, "device": device},
    )


# Parameters that change nothing of what is trained, or only where it is written.
_NO_SETTINGS = {"verbose", "callbacks", "checkpoint", "resume", "random_state"}
_VERSIONS = f"torch {torch.__version__}, numpy {np.__version__}"


def _settings(estimator):
    """Return what tells a fit from others: its class, and its parameters as text."""
    params = estimator.get_params(deep=True)
    settings = {
        name: getattr(value, "__qualname__", None) or repr(value)
        for name, value in params.items()
        if name.rpartition("__")[2] not in _NO_SETTINGS
        and not isinstance(value, nn.Module)  # its weights tell it
    }
    return settings | {"class": type(estimator).__name__, "versions": _VERSIONS}


def _batch_size(batch_size, n_rows):
    if batch_size == "auto":
        batch_size = min(max(n_rows // 20, 32), 128)
    return min(batch_size, n_rows)


def _device(device):
    if device != "auto":
        try:
            torch.empty(1, device=device).tolist()
        except (RuntimeError, AssertionError) as error:
            raise ValueError(
                f"device={device!r} cannot be used here ({error}); expected a device "
                'that torch has on this machine, such as "cpu", or "auto".'
            ) from error
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
