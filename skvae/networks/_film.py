"""Conditioning: what a condition does to the features of a layer."""

from torch import Tensor, nn


class FiLM(nn.Module):
    """Scale and shift each feature by an amount that depends on the condition.

    Feature-wise linear modulation, Perez et al. 2018 (https://arxiv.org/abs/1709.07871),
    eq. 2. It starts as the identity, so that a condition that says nothing costs
    nothing.

    Parameters
    ----------
    n_conditions : int
        Width of the condition.

    n_features : int
        Features of the layer, or channels of the convolution, that it follows.
    """

    def __init__(self, n_conditions: int, n_features: int):
        super().__init__()
        self.amounts = nn.Linear(n_conditions, 2 * n_features)
        nn.init.zeros_(self.amounts.weight)
        nn.init.zeros_(self.amounts.bias)

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        """Return features of shape (n_rows, n_features, ...), modulated."""
        scale, shift = self.amounts(condition).chunk(2, dim=-1)
        space = (1,) * (features.ndim - scale.ndim)  # height and width of an image
        scale, shift = (a.reshape(*a.shape, *space) for a in (scale, shift))
        return features * (1 + scale) + shift


class Modulated(nn.Module):
    """A linear map, and what the condition does to its output.

    Parameters
    ----------
    linear : Module
        A linear layer or a convolution.

    n_features : int
        Its output features or channels.

    n_conditions : int
        Width of the condition; 0 where there is none.

    norm : Module or None, default=None
        Normalises the output before the condition modulates it.
    """

    def __init__(
        self,
        linear: nn.Module,
        n_features: int,
        n_conditions: int,
        norm: nn.Module | None = None,
    ):
        super().__init__()
        self.linear = linear
        self.norm = norm
        self.film = FiLM(n_conditions, n_features) if n_conditions else None

    def forward(self, inputs: Tensor, condition: Tensor | None = None) -> Tensor:
        if (condition is None) != (self.film is None):
            raise ValueError(_mismatch(self.film))
        outputs = self.linear(inputs)
        if self.norm is not None:
            outputs = self.norm(outputs)
        return outputs if self.film is None else self.film(outputs, condition)


def _mismatch(film):
    if film is None:
        return "Got a condition, expected none: the network has n_conditions=0."
    width = film.amounts.in_features
    return f"Got no condition, expected one: the network has n_conditions={width}."
