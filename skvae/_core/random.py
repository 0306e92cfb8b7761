"""Random numbers for torch that never touch the global generator.

The global generator is shared by all threads of a process, so a search that fits in
threads would give other numbers on every run. Each fit makes a generator of its own
and hands it on.
"""

import torch
from torch import nn
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


class UseGenerator(TorchFunctionMode):
    """Within this context, torch's random functions draw from one generator.

    It makes the initialisation of any module, a user's too, a function of the seed.
    Torch keeps its function modes per thread, so fits in other threads see nothing
    of it; ``torch.random.fork_rng`` would not give that.

    Parameters
    ----------
    generator : torch.Generator
        Where the numbers come from.
    """

    def __init__(self, generator: torch.Generator):
        super().__init__()
        self.generator = generator

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func in _DRAWING_LIKE:
            empty = torch.empty_like(*args, **kwargs)
            return _DRAWING_LIKE[func](empty, generator=self.generator)
        if func in _DRAWING and kwargs.get("generator") is None:
            kwargs["generator"] = self.generator
        return func(*args, **kwargs)
