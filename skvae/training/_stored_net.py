"""How a trained net goes into model files: its weights, and how training went."""

from dataclasses import dataclass

import numpy as np
import torch
from skorch.history import History

from skvae._core.errors import ModelFileError
from skvae._core.storing import ObjectKind, register
from skvae.training._net import Net


@dataclass(frozen=True, eq=False)
class NetState:
    """What is kept of a net.

    Parameters
    ----------
    module : object
        What the networks are made of, short of their weights.

    first : Net or None
        The net of the first stage, of which these networks have theirs.

    weights : dict of str to ndarray
        The weights, those of the first stage left out.

    history : list of dict
        The terms of the loss, epoch by epoch.

    best_epoch_, max_epochs, latent_dim, trimmed_fraction
        Those of the net.
    """

    module: object
    first: Net | None
    weights: dict[str, np.ndarray]
    history: list[dict]
    best_epoch_: int
    max_epochs: int
    latent_dim: int
    trimmed_fraction: float | int

    @classmethod
    def of(cls, net) -> "NetState":
        """Return what is kept of a trained net."""
        return cls(
            net.module,
            net.first,
            {name: w.cpu().numpy() for name, w in _weights(net.module_, net.first)},
            list(net.history),
            net.best_epoch_,
            net.max_epochs,
            net.latent_dim,
            net.trimmed_fraction,
        )

    def net(self) -> Net:
        """Return a net with these weights, on the CPU."""
        net = Net(
            self.module,
            criterion=None,
            latent_dim=self.latent_dim,
            generator=None,
            adversary_generator=None,
            trimmed_fraction=self.trimmed_fraction,
            max_epochs=self.max_epochs,
            train_split=None,
            verbose=0,
            history=History(self.history),
        )
        # Not one by one: skorch takes modules from `initialize` only, which would make
        # an optimizer and callbacks as well.
        vars(net).update(
            module_=self._filled(),
            first=self.first,
            best_epoch_=self.best_epoch_,
            initialized_=True,
        )
        return net

    def _filled(self):
        """Return the networks with the weights, if these are as they have to be."""
        given = () if self.first is None else (self.first.module_,)
        module = self.module.empty(*given)
        expected = {n: _outline(w) for n, w in _weights(module, self.first)}
        found = {name: _outline(w) for name, w in self.weights.items()}
        if found != expected:
            wrong = min(n for n, _ in found.items() ^ expected.items())
            raise ModelFileError(
                f"Weights {wrong!r} are {found.get(wrong)}; expected "
                f"{expected.get(wrong)}, as the networks have them."
            )
        weights = {name: torch.tensor(w) for name, w in self.weights.items()}
        module.load_state_dict(weights, strict=False, assign=True)
        return module.eval().requires_grad_(False)


def _weights(module, first):
    """Yield the weights of networks by name, but for those of the first stage."""
    for name, weight in module.state_dict().items():
        if first is None or not name.startswith("first."):
            yield name, weight


def _outline(weight):
    return tuple(weight.shape), str(weight.dtype).removeprefix("torch.")


class NetKind(ObjectKind):
    """Nets, by their state."""

    def __init__(self):
        super().__init__(NetState)
        self.name = "Net"

    def write(self, value, writer, path):
        return super().write(NetState.of(value), writer, path)

    def read(self, tree, reader, path):
        return super().read(tree, reader, path).net()


register(Net, NetKind())
