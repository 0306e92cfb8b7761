"""From an estimator's parameters and an encoded table to a trained net."""

import copy
from functools import partial

import numpy as np
import torch

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
from skvae.training import TrainingPlan, train


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
    fitted_after = partial(estimator._fitted_after, matrix=matrix, seed=seed)
    return train(
        matrix,
        estimator.latent_dim,
        make_module,
        estimator._make_objective,
        make_plan(estimator, len(matrix), seed, EpochTasks(task, fitted_after)),
    )


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


def make_plan(estimator, n_rows, seed, epoch_tasks):
    """Return how training runs, off the estimator's parameters."""
    holds_out = estimator.early_stopping
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
        device=_device(estimator.device),
        seed=seed,
        title=type(estimator).__name__ if estimator.verbose else "",
        # Before the user's, which may end an epoch early.
        callbacks=[epoch_tasks, *copy.deepcopy(estimator.callbacks or [])],
    )


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
