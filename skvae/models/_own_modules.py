"""Encoders and decoders that users bring along."""

import copy
from math import prod

import torch
from torch import nn


def own_module(name, given, inputs, outputs, conditions):
    """Return a user's module, made or copied, and tried on two rows.

    Parameters
    ----------
    name : {"encoder", "decoder"}
        The parameter that it came by.

    given : Module or callable
        A module is copied and starts from its own weights. Anything else is called
        with `inputs`, `outputs` and `conditions`, and returns a module.

    inputs, outputs : int or tuple of int
        Shape of a row that goes in and of one that comes out.

    conditions : dict
        Empty, or ``n_conditions``: the width of the second argument.

    Returns
    -------
    module : Module
        New.

    Raises
    ------
    ValueError
        If what was made is no module, or does not give rows of the right shape.
    """
    # Not on the meta device, on which models are put together that come out of a file:
    # who knows what a user's module does.
    with torch.device("cpu"):
        if isinstance(given, nn.Module):
            module = copy.deepcopy(given)
        else:
            module = given(inputs, outputs, **conditions)
        if not isinstance(module, nn.Module):
            raise ValueError(
                f"{name}={given!r} returned {type(module).__name__}; expected a "
                "torch.nn.Module."
            )
        _try_out(name, module, inputs, outputs, conditions)
    return module


def _try_out(name, module, inputs, outputs, conditions):
    shapes = [(2, *_as_tuple(inputs)), *((2, n) for n in conditions.values())]
    was_training = module.training
    with torch.no_grad():
        try:
            result = module.eval()(*(torch.zeros(shape) for shape in shapes))
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            raise ValueError(
                f"The {name} could not take {_listed(shapes)} ({error}); expected a "
                "torch.nn.Module that does."
            ) from error
    module.train(was_training)
    width = prod(_as_tuple(outputs))
    shape = getattr(result, "shape", None)
    if shape is None or len(shape) < 2 or shape[0] != 2 or prod(shape[1:]) != width:
        found = type(result).__name__ if shape is None else f"shape {tuple(shape)}"
        raise ValueError(
            f"The {name} took {_listed(shapes)} to {found}; expected shape "
            f"{(2, *_as_tuple(outputs))}."
        )


def _as_tuple(size):
    return size if isinstance(size, tuple) else (size,)


def _listed(shapes):
    return " and ".join(f"a tensor of shape {shape}" for shape in shapes)
