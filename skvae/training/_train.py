"""Train networks under an objective."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from skorch.callbacks import GradientNormClipping, LRScheduler

from skvae._core.random import UseGenerator, make_generator
from skvae.training._batches import Rows, StreamedRows, WholeBatches
from skvae.training._callbacks import (
    DivergenceCheck,
    EarlyStopping,
    Progress,
    Warmup,
)
from skvae.training._checkpoint import Checkpoint, packed, run_name, unpacked
from skvae.training._matrix_stream import MatrixStream
from skvae.training._net import Net

# Held-out rows are scored in batches of at least this many: the estimate of the total
# correlation gets better with the batch, and no gradient has to fit in memory.
_VALIDATION_BATCH = 512
# Norm of the gradient, in nats, of which steps on tables seldom have more.
_LARGEST_GRADIENT = 50.0


@dataclass(frozen=True)
class TrainingPlan:
    """How training runs, whatever is trained.

    Parameters
    ----------
    lr : float
        Adam's learning rate.

    max_epochs, batch_size, kl_warmup : int
        Epochs, rows per batch, epochs of warm-up.

    validation_fraction : float
        Share of rows held out for early stopping; 0 holds out none and does not stop.

    n_iter_no_change : int
        Patience of early stopping, in epochs.

    tol : float
        The least improvement that counts, in nats.

    device : str
        Torch's name of the device that trains.

    seed : int
        Seed of everything random.

    trimmed_fraction : float, default=0
        Share of the rows of each batch that the loss leaves out.

    lr_schedule : {"constant", "one_cycle"}, default="constant"
        How the learning rate goes.

    compiles : bool, default=False
        Whether steps run compiled, which ends in the same weights but for rounding.

    title : str
        What the progress bar shows; empty for no bar.

    callbacks : list of skorch callbacks
        Others, which come after those of training.

    checkpoint : Path or None, default=None
        The folder in which training is written down after each epoch.

    resumes : bool, default=False
        Whether training goes on from what is written there of the same run.

    settings : dict, default={}
        What tells a run from others, beside its rows and networks.
    """

    lr: float
    max_epochs: int
    batch_size: int
    kl_warmup: int
    validation_fraction: float
    n_iter_no_change: int
    tol: float
    device: str
    seed: int
    trimmed_fraction: float = 0.0
    lr_schedule: str = "constant"
    compiles: bool = False
    title: str = ""
    callbacks: list = field(default_factory=list)
    checkpoint: Path | None = None
    resumes: bool = False
    settings: dict = field(default_factory=dict)


def train(
    matrix: np.ndarray | MatrixStream,
    latent_dim: int,
    make_module: Callable[[], torch.nn.Module],
    make_objective: Callable[[int], object],
    plan: TrainingPlan,
) -> Net:
    """Return a net trained on the rows of `matrix` and ready for scoring.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, width) or MatrixStream
        The encoded table.

    latent_dim : int
        Width of the noise of each row.

    make_module : callable
        Returns a new autoencoder.

    make_objective : callable
        Given the number of training rows, returns the objective.

    plan : TrainingPlan
        How training runs.

    Returns
    -------
    net : Net
        With its history, its module in float64 and evaluation mode.

    Raises
    ------
    TrainingDivergedError
        If a term of the loss is not finite at the end of an epoch.
    """
    net, training = _start(matrix, latent_dim, make_module, make_objective, plan)
    if plan.checkpoint is not None:
        rows = matrix.sample if isinstance(matrix, MatrixStream) else matrix
        settings = plan.settings | {"n_rows": len(training)}
        name = run_name(settings, rows, net.copy_weights())
        checkpoint = Checkpoint(plan.checkpoint / f"{name}.checkpoint", plan.resumes)
        net.callbacks_.append(("checkpoint", checkpoint.initialize()))
    return net.train(training).finalise()


def train_epoch(
    matrix: np.ndarray,
    latent_dim: int,
    make_module: Callable[[], torch.nn.Module],
    make_objective: Callable[[int], object],
    plan: TrainingPlan,
    state: bytes | None,
) -> tuple[Net, bytes]:
    """Return a net trained for one epoch more, on the rows of `matrix`.

    Parameters
    ----------
    matrix, latent_dim, make_module, make_objective, plan
        As for `train`. No rows are held out, and nothing is written down.

    state : bytes or None
        Where training was, as this function or `Net.training_state` says it, packed;
        None where it begins.

    Returns
    -------
    net : Net
        As `train` returns it.

    state : bytes
        Where training is now.

    Raises
    ------
    TrainingDivergedError
        If a term of the loss is not finite at the end of the epoch.
    """
    plan = replace(plan, validation_fraction=0, checkpoint=None, title="")
    net, training = _start(matrix, latent_dim, make_module, make_objective, plan)
    before = None
    if state is not None:
        before = unpacked(state) | {"best_epoch": None}  # the last one is kept
        net.max_epochs = len(before["history"]) + 1
    else:
        net.max_epochs = 1
    state = packed(net.train(training, before).training_state())
    return net.finalise(), state


def _start(matrix, latent_dim, make_module, make_objective, plan):
    """Return a net at its first weights, and the rows that it is to train on."""
    on_cpu, on_device = _generators(plan.seed, plan.device)
    # The objective draws from its own, and leaves what the networks see as it is.
    own_on_cpu, own_on_device = _generators(plan.seed + 1, plan.device)
    training, held_out = _split(matrix, latent_dim, plan, on_cpu)
    net = Net(
        make_module,
        latent_dim=latent_dim,
        generator=on_device,
        adversary_generator=own_on_device,
        trimmed_fraction=plan.trimmed_fraction,
        compiles=plan.compiles,
        criterion=partial(_seeded, make_objective, len(training), own_on_cpu),
        optimizer=torch.optim.Adam,
        # One kernel a step; not every version of torch has it for MPS.
        optimizer__fused=torch.device(plan.device).type != "mps",
        lr=plan.lr,
        max_epochs=plan.max_epochs,
        batch_size=plan.batch_size,
        iterator_train=WholeBatches,
        iterator_train__generator=on_device,
        iterator_valid=WholeBatches,
        iterator_valid__batch_size=max(plan.batch_size, _VALIDATION_BATCH),
        train_split=None if held_out is None else _Given(held_out),
        callbacks=_callbacks(plan, training, stops=held_out is not None),
        device=plan.device,
        verbose=0,
    )
    # The module is made on the CPU from the CPU's generator, so that it starts at the
    # same weights on every device.
    with UseGenerator(on_cpu):
        net.initialize()
    return net, training


def _generators(seed, device):
    """Return a generator on the CPU, and one on the device: the same where it is."""
    on_cpu = make_generator(seed)
    if torch.device(device).type == "cpu":
        return on_cpu, on_cpu
    return on_cpu, make_generator(seed, device)


def _seeded(make_objective, n_rows, generator):
    with UseGenerator(generator):
        return make_objective(n_rows)


def _split(matrix, latent_dim, plan, generator):
    """Return training rows, and held-out rows with fixed noise or None."""
    if isinstance(matrix, MatrixStream):
        held_out = _held_out(matrix.held_out, latent_dim, plan, generator)
        return StreamedRows(matrix, plan.device), held_out
    # Torch warns of memory that may not be written, such as that of a memory map.
    matrix = np.require(matrix, requirements="W")
    rows = torch.as_tensor(matrix, dtype=torch.float32)
    n_held_out = round(plan.validation_fraction * len(rows))
    if plan.validation_fraction == 0:
        return Rows(rows.to(plan.device)), None
    n_held_out = min(max(n_held_out, 1), len(rows) - 1)
    order = torch.randperm(len(rows), generator=generator)
    held_out = _held_out(rows[order[:n_held_out]], latent_dim, plan, generator)
    return Rows(rows[order[n_held_out:]].to(plan.device)), held_out


def _held_out(rows, latent_dim, plan, generator):
    """Return rows at which latents are drawn with the same noise in every epoch."""
    if len(rows) == 0:
        return None
    rows = torch.as_tensor(rows, dtype=torch.float32).to(plan.device)
    noise = torch.randn(len(rows), latent_dim, generator=generator)
    return Rows(rows, noise.to(plan.device))


@dataclass
class _Given:
    """A train_split in skorch's sense that was made beforehand."""

    held_out: Rows

    def __call__(self, rows, y=None, **kwargs):
        return rows, self.held_out


def _callbacks(plan, rows, stops):
    """Return those of training before others, which may end an epoch early."""
    warmup = min(plan.kl_warmup, plan.max_epochs // 2)
    callbacks = [("warmup", Warmup(warmup)), ("divergence_check", DivergenceCheck())]
    if plan.lr_schedule == "one_cycle":
        callbacks.append(("lr_schedule", _one_cycle(plan, rows)))
        # At its large rates one step on a few odd rows can undo all others.
        clipping = GradientNormClipping(_LARGEST_GRADIENT)
        callbacks.append(("gradient_clipping", clipping))
    if stops:
        stopping = EarlyStopping(plan.n_iter_no_change, plan.tol)
        callbacks.append(("early_stopping", stopping))
    if plan.title:
        callbacks.append(("progress", Progress(plan.title)))
    return callbacks + plan.callbacks


def _one_cycle(plan, rows):
    """Return the one-cycle schedule: up to `lr` in a tenth of the steps, then to none.

    Smith, L. N. & Topin, N. (2019). Super-convergence: very fast training of neural
    networks using large learning rates. https://arxiv.org/abs/1708.07120
    """
    return LRScheduler(
        torch.optim.lr_scheduler.OneCycleLR,
        step_every="batch",
        max_lr=plan.lr,
        total_steps=plan.max_epochs * rows.n_batches(plan.batch_size) + 1,
        pct_start=0.1,
        div_factor=10,
        final_div_factor=100,
        cycle_momentum=False,
    )
