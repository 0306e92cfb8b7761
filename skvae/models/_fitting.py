"""From an estimator's parameters and an encoded table to a trained net."""

import copy

import numpy as np
import torch

from skvae.models._architecture import Architecture, column_scales
from skvae.training import TrainingPlan, train


def fit_net(estimator, matrix, seed):
    """Train the estimator's networks under its objective.

    Parameters
    ----------
    estimator : OneStageVAE
        Where the parameters, the encoding and the objective come from.

    matrix : ndarray of shape (n_samples, width)
        The encoded table, followed by the condition.

    seed : int
        Seed of everything random.

    Returns
    -------
    net : skvae.training.Net
        Trained and ready for scoring.
    """
    values = matrix[:, : estimator.table_encoder_.width]
    return train(
        matrix,
        estimator.latent_dim,
        _architecture(estimator, values, matrix.shape[1] - values.shape[1]),
        estimator._make_objective,
        make_plan(estimator, len(matrix), seed),
    )


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


def make_plan(estimator, n_rows, seed):
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
        callbacks=copy.deepcopy(list(estimator.callbacks or [])),
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
