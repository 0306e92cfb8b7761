"""From an estimator's parameters and an encoded table to a trained net."""

import copy
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from skvae.models._architecture import Architecture, column_scales
from skvae.models._tasks import EpochTasks
from skvae.training import TrainingPlan, train, train_epoch


def fit_net(estimator, rows, sample, seed, task):
    """Train the estimator's networks under its objective.

    Parameters
    ----------
    estimator : OneStageVAE
        Where the parameters, the encoding and the objective come from.

    rows : ndarray of shape (n_samples, width) or MatrixStream
        The encoded table, followed by the condition.

    sample : ndarray of shape (n_sampled, width)
        All of these rows, or some.

    seed : int
        Seed of everything random.

    task : Task
        The fit, whose subtasks epochs are.

    Returns
    -------
    net : skvae.training.Net
        Trained and ready for scoring.
    """
    fitted_after = partial(estimator._fitted_after, matrix=sample, seed=seed)
    plan = make_plan(estimator, len(rows), seed, EpochTasks(task, fitted_after))
    return train(rows, *_networks(estimator, sample), plan)


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
    make_module = _architecture(estimator, values, matrix.shape[1] - values.shape[1])
    return estimator.latent_dim, make_module, estimator._make_objective


def _architecture(estimator, values, n_conditions):
    """Return what is trained, off the estimator's parameters."""
    image_shape = estimator.image_shape
    return Architecture(
        groups=estimator.table_encoder_.groups_,
        scales=column_scales(values),
        latent_dim=int(estimator.latent_dim),
        hidden_layer_sizes=whole(estimator.hidden_layer_sizes),
        activation=estimator.activation,
        n_conditions=n_conditions,
        **_anchored(estimator, values),
        prior=estimator._prior,
        likelihood=estimator.likelihood,
        image_shape=None if image_shape is None else whole(image_shape),
        encoder=estimator.encoder,
        decoder=estimator.decoder,
    )


def _anchored(estimator, values):
    """Return which latents are clamped to matrix columns, and where these lie."""
    if not estimator.anchors:
        return {}
    latent_of = {
        estimator.table_encoder_.matrix_column(name): int(latent)
        for name, latent in estimator.anchors.items()
    }
    centres = np.nanmean(values, axis=0).astype(np.float32)
    return {"anchors": latent_of, "centres": centres}


def whole(sizes):
    """Return sizes of whatever array-like and integer type as Python has them."""
    return tuple(int(size) for size in sizes)


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
        compiles=estimator.compile,
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
