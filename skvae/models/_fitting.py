"""From an estimator's parameters and an encoded table to a trained net."""

import copy
from functools import partial

import numpy as np
import torch

from skvae.networks import MLP, Autoencoder, make_heads
from skvae.training import TrainingPlan, train


def fit_net(estimator, matrix, groups, seed):
    """Train the estimator's networks under its objective.

    Parameters
    ----------
    estimator : BaseVAE
        Where the parameters and the objective come from.

    matrix : ndarray of shape (n_samples, width)
        The encoded table.

    groups : list of ColumnGroup
        What its columns are.

    seed : int
        Seed of everything random.

    Returns
    -------
    net : skvae.training.Net
        Trained and ready for scoring.
    """
    make_module = partial(
        make_autoencoder,
        groups=groups,
        column_scales=_column_scales(matrix),
        **{name: getattr(estimator, name) for name in _NETWORK_PARAMETERS},
    )
    return train(
        matrix,
        estimator.latent_dim,
        make_module,
        estimator._make_objective,
        _plan(estimator, len(matrix), seed),
    )


_NETWORK_PARAMETERS = ("latent_dim", "hidden_layer_sizes", "activation", "likelihood")


def make_autoencoder(
    groups, column_scales, latent_dim, hidden_layer_sizes, activation, likelihood
):
    """Return a new autoencoder for the columns of `groups`."""
    heads = make_heads(groups, likelihood, torch.as_tensor(column_scales))
    sizes = tuple(hidden_layer_sizes)
    n_outputs = sum(head.n_outputs for head in heads)
    encoder = MLP(len(column_scales), sizes, 2 * latent_dim, activation)
    decoder = MLP(latent_dim, sizes[::-1], n_outputs, activation)
    return Autoencoder(encoder, decoder, heads, groups)


def _column_scales(matrix):
    """Return the standard deviation of each column as float32, always positive."""
    scales = matrix.std(axis=0)
    tiny = np.finfo(np.float32).tiny
    return np.clip(scales, tiny, np.finfo(np.float32).max).astype(np.float32)


def _plan(estimator, n_rows, seed):
    holds_out = estimator.early_stopping
    return TrainingPlan(
        lr=estimator.lr,
        max_epochs=estimator.max_epochs,
        batch_size=_batch_size(estimator.batch_size, n_rows),
        kl_warmup=estimator.kl_warmup,
        validation_fraction=estimator.validation_fraction if holds_out else 0,
        n_iter_no_change=estimator.n_iter_no_change,
        tol=estimator.tol,
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
