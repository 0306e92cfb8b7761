"""Fully connected bodies."""

from collections.abc import Iterable
from itertools import pairwise

from torch import Tensor, nn

from skvae.networks._film import Modulated

ACTIVATIONS = {
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "leaky_relu": nn.LeakyReLU,
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


class HiddenLayer(Modulated):
    """A linear map with what follows it: norm, condition, activation, dropout.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Widths.

    activation : str
        A key of `ACTIVATIONS`.

    n_conditions : int
        Width of the condition; 0 where there is none.

    layer_norm : bool
        Whether to normalise the features of each row before the activation.

    dropout : float
        Probability that a feature is dropped in training.

    residual : bool
        Whether to add the input to the output where both are equally wide.
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        activation: str,
        n_conditions: int,
        layer_norm: bool,
        dropout: float,
        residual: bool,
    ):
        norm = nn.LayerNorm(n_outputs) if layer_norm else None
        super().__init__(nn.Linear(n_inputs, n_outputs), n_outputs, n_conditions, norm)
        self.activation = ACTIVATIONS[activation]()
        self.dropout = nn.Dropout(dropout) if dropout else None
        self.adds_input = residual and n_inputs == n_outputs

    def forward(self, inputs: Tensor, condition: Tensor | None = None) -> Tensor:
        outputs = self.activation(super().forward(inputs, condition))
        if self.dropout is not None:
            outputs = self.dropout(outputs)
        return inputs + outputs if self.adds_input else outputs


class MLP(nn.Module):
    """Linear layers with an activation between them and none after the last.

    Parameters
    ----------
    n_inputs : int
        Width of the input.

    hidden_layer_sizes : iterable of int
        Widths of the hidden layers, from the input on.

    n_outputs : int
        Width of the output.

    activation : {"silu", "relu", "leaky_relu", "gelu", "elu", "tanh"}, default="silu"
        Activation of the hidden layers.

    n_conditions : int, default=0
        Width of the condition, which modulates every layer (`FiLM`); 0 where there is
        none.

    layer_norm : bool, default=False
        Whether to normalise the features of each row before each activation.

    dropout : float, default=0.0
        Probability that a hidden feature is dropped in training, in [0, 1).

    residual : bool, default=False
        Whether a hidden layer that is as wide as the one before adds to it instead of
        replacing it.

    See Also
    --------
    ConvEncoder : The encoder of images.
    ConvDecoder : The decoder of images.

    Examples
    --------
    A deep encoder for the 23 columns of a table and 5 latents, of which it says mean
    and log variance:

    >>> from skvae.networks import MLP
    >>> encoder = MLP(23, (128, 128, 128), 2 * 5, residual=True)
    >>> sum(weights.numel() for weights in encoder.parameters())
    37386
    """

    def __init__(
        self,
        n_inputs: int,
        hidden_layer_sizes: Iterable[int],
        n_outputs: int,
        activation: str = "silu",
        *,
        n_conditions: int = 0,
        layer_norm: bool = False,
        dropout: float = 0.0,
        residual: bool = False,
    ):
        super().__init__()
        widths = [n_inputs, *hidden_layer_sizes]
        self.hidden = nn.ModuleList(
            HiddenLayer(a, b, activation, n_conditions, layer_norm, dropout, residual)
            for a, b in pairwise(widths)
        )
        last = nn.Linear(widths[-1], n_outputs)
        self.output = Modulated(last, n_outputs, n_conditions)

    def forward(self, inputs: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return outputs of shape (n_rows, n_outputs).

        Parameters
        ----------
        inputs : Tensor of shape (n_rows, n_inputs)
            The rows.

        condition : Tensor of shape (n_rows, n_conditions), default=None
            The condition of each row, where there is one.

        Returns
        -------
        outputs : Tensor of shape (n_rows, n_outputs)
            What the last layer gives.
        """
        for layer in self.hidden:
            inputs = layer(inputs, condition)
        return self.output(inputs, condition)


class Discriminator(nn.Sequential):
    """Tells latents as they come from latents that were permuted: a log odds.

    Kim & Mnih 2018, appendix A: linear layers with LeakyReLU of slope 0.2.

    Parameters
    ----------
    latent_dim : int
        Width of the latents.

    hidden_layer_sizes : iterable of int
        Widths of the hidden layers.
    """

    def __init__(self, latent_dim: int, hidden_layer_sizes: Iterable[int]):
        layers: list[nn.Module] = []
        for width in hidden_layer_sizes:
            layers += [nn.Linear(latent_dim, width), nn.LeakyReLU(0.2)]
            latent_dim = width
        super().__init__(*layers, nn.Linear(latent_dim, 1))
