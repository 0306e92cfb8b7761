"""Random numbers for torch that never touch the global generator.

The global generator is shared by all threads of a process, so a search that fits in
threads would give other numbers on every run. Each fit makes a generator of its own
and hands it on.
"""

from functools import partial

import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode


def make_generator(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a generator on `device`, seeded with `seed`."""
    return torch.Generator(device=device).manual_seed(seed)


# Functions that take a generator. Those of torch.nn.init are here too: they hand
# themselves to the mode whole, and what they call inside is out of its sight.
_DRAWING = {
    *(
        getattr(torch.Tensor, name)
        for name in (
            "bernoulli",
            "bernoulli_",
            "cauchy_",
            "exponential_",
            "geometric_",
            "log_normal_",
            "multinomial",
            "normal_",
            "random_",
            "uniform_",
        )
    ),
    torch.bernoulli,
    torch.multinomial,
    torch.normal,
    torch.poisson,
    torch.rand,
    torch.randint,
    torch.randn,
    torch.randperm,
    nn.init.kaiming_uniform_,
    nn.init.normal_,
    nn.init.uniform_,
}
# Functions that take none, and what fills their result instead.
_DRAWING_LIKE = {
    torch.rand_like: torch.Tensor.uniform_,
    torch.randn_like: torch.Tensor.normal_,
}


def _dropout(inputs, p=0.5, training=True, inplace=False, *, generator, n_shared=0):
    """Drop values, or whole channels: the last `n_shared` dimensions share a fate."""
    if not training or p == 0:
        return inputs
    own = inputs.shape[: inputs.ndim - n_shared]
    kept = inputs.new_empty(*own, *(1,) * n_shared)
    kept.bernoulli_(1 - p, generator=generator)
    kept /= max(1 - p, torch.finfo(inputs.dtype).tiny)
    return inputs.mul_(kept) if inplace else inputs * kept


def _dropout2d(inputs, *args, **kwargs):
    # Torch reads three dimensions as sequences of rows and channels.
    return _dropout(inputs, *args, n_shared=inputs.ndim - 2, **kwargs)


# Functions that draw inside and take no generator, and what stands in for them.
_DROPPING = {
    functional.dropout: _dropout,
    functional.dropout1d: partial(_dropout, n_shared=1),
    functional.dropout2d: _dropout2d,
    functional.dropout3d: partial(_dropout, n_shared=3),
}


class UseGenerator(TorchFunctionMode):
    """Within this context, torch's random functions draw from one generator.

    It makes the initialisation of any module, a user's too, a function of the seed,
    and its dropout in training as well. Out of its sight is what torch draws inside of
    other functions: the dropout of attention and of recurrent layers, alpha dropout,
    RReLU.

    Torch keeps its function modes per thread, so fits in other threads see nothing
    of it; ``torch.random.fork_rng`` would not give that.

    Parameters
    ----------
    generator : torch.Generator
        Where the numbers come from.

    Attributes
    ----------
    has_drawn : bool
        Whether anything drew that brought no generator of its own.
    """

    def __init__(self, generator: torch.Generator):
        super().__init__()
        self.generator = generator
        self.has_drawn = False

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func in _DRAWING_LIKE:
            self.has_drawn = True
            empty = torch.empty_like(*args, **kwargs)
            return _DRAWING_LIKE[func](empty, generator=self.generator)
        if func in _DROPPING:
            self.has_drawn = True
            return _DROPPING[func](*args, **kwargs, generator=self.generator)
        if func in _DRAWING and kwargs.get("generator") is None:
            self.has_drawn = True
            kwargs["generator"] = self.generator
        return func(*args, **kwargs)
