"""What a batch goes through in a step of training: eager, or compiled."""

import functools
import inspect
import weakref

import torch
from torch import Tensor, nn

from skvae._core.passes import ForwardPass

# Torch stops compiling a function that it compiled eight times, as in a search over as
# many networks. Newer ones count apart what each call of torch.compile gave.
_APART = (
    {"isolate_recompiles": True}
    if "isolate_recompiles" in inspect.signature(torch.compile).parameters
    else {}
)
# The compiled step of each module: to look at all its parameters takes longer.
_steps = weakref.WeakKeyDictionary()


def eager_step(
    module: nn.Module,
    objective: nn.Module,
    trimmed_fraction: float,
    warmup: float,
    rows: Tensor,
    noise: Tensor,
) -> tuple[ForwardPass, dict[str, Tensor]]:
    """Return what the objective sees of a batch, and its terms.

    Parameters
    ----------
    module : Module
        The networks.

    objective : Objective
        What training minimises.

    trimmed_fraction : float
        Share of the rows that the objective does not see.

    warmup : float
        Weight of all terms but the reconstruction.

    rows : Tensor of shape (n_rows, width)
        The batch.

    noise : Tensor of shape (n_rows, latent_dim)
        What latents are drawn at.

    Returns
    -------
    passed : ForwardPass
        The rows that the objective sees, on their way through the networks.

    terms : dict of str to scalar Tensor
        The terms of the loss.
    """
    passed = module(rows, noise).trimmed(trimmed_fraction)
    return passed, objective(passed, warmup)


def compiled_step(module, objective, trimmed_fraction, warmup, rows, noise):
    """Do what `eager_step` does in fewer kernels, forward and backward.

    Nothing but the loss has gradients. What was compiled serves all nets of the same
    make in this process, and batches of any size.

    Raises
    ------
    ValueError
        If torch cannot compile here.
    """
    warmup = torch.tensor(warmup)  # a number would become part of the code
    try:
        step = _compiled_for(module)
        return step(module, objective, trimmed_fraction, warmup, rows, noise)
    except torch._dynamo.exc.TorchDynamoException as error:
        # Without what led to it, which is pages of torch's own code.
        raise ValueError(_cannot_compile(error)) from None


def _compiled_for(module):
    if module not in _steps:
        _steps[module] = _compiled(tuple(p.shape for p in module.parameters()))
    return _steps[module]


@functools.cache
def _compiled(shapes):
    """Return the step of networks whose parameters have these shapes."""
    if torch.__version__ < (2, 6):
        raise ValueError(_cannot_compile(f"this is torch {torch.__version__}"))
    try:
        return torch.compile(_lean_step, dynamic=True, **_APART)
    except RuntimeError as error:  # of a platform, or a Python, without it
        raise ValueError(_cannot_compile(error)) from None


def _lean_step(*batch):
    passed, terms = eager_step(*batch)
    # Of all that has gradients the way back would be compiled, and gone, too.
    others = {name: term.detach() for name, term in terms.items() if name != "loss"}
    return passed.detached(), {"loss": terms["loss"], **others}


def _cannot_compile(error):
    reason = str(error).strip().partition("\n")[0]
    return (
        f"compile=True cannot be used here ({reason}); expected torch 2.6 or later, "
        "and a C++ compiler that it finds, such as g++ or clang. Install one, or use "
        "compile=False."
    )
