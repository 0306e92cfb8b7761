"""Fully connected bodies."""

from collections.abc import Iterable

from torch import nn

ACTIVATIONS = {
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "leaky_relu": nn.LeakyReLU,
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


class MLP(nn.Sequential):
    """Linear layers with an activation between them and none after the last.

    Parameters
    ----------
    n_inputs : int
        Width of the input.

    hidden_layer_sizes : iterable of int
        Widths of the hidden layers, from the input on.

    n_outputs : int
        Width of the output.

    activation : str
        A key of `ACTIVATIONS`.
    """

    def __init__(
        self,
        n_inputs: int,
        hidden_layer_sizes: Iterable[int],
        n_outputs: int,
        activation: str,
    ):
        layers: list[nn.Module] = []
        for width in hidden_layer_sizes:
            layers += [nn.Linear(n_inputs, width), ACTIVATIONS[activation]()]
            n_inputs = width
        super().__init__(*layers, nn.Linear(n_inputs, n_outputs))
