"""Convolutional bodies for images of any size.

Each convolution halves height and width, rounding down, until one of them is at most
4; the decoder takes the same steps back. What remains passes through an `MLP`.
"""

from collections.abc import Iterable
from itertools import pairwise

from torch import Tensor, nn

from skvae.networks._film import Modulated
from skvae.networks._mlp import ACTIVATIONS, MLP

_SMALLEST = 4
_CHANNELS = (32, 64, 64, 128, 128, 128)
# The kernel that halves an even size exactly, and whose outputs overlap evenly on the
# way back: a kernel of 3 leaves a checkerboard.
_KERNEL = {"kernel_size": 4, "stride": 2, "padding": 1}


def image_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Return heights and widths from the image to the smallest feature map."""
    sizes = [(height, width)]
    while min(sizes[-1]) > _SMALLEST:
        height, width = sizes[-1]
        sizes.append((height // 2, width // 2))
    return sizes


def _channels(image_shape, n_layers):
    """Return the channels of the image and of each feature map."""
    last = _CHANNELS[-1:] * max(n_layers - len(_CHANNELS), 0)
    return [image_shape[0], *(_CHANNELS + last)[:n_layers]]


class ConvEncoder(nn.Module):
    """Convolutions, then an `MLP`.

    Each convolution halves height and width, rounding down, until one of them is at
    most 4. They have 32, 64, 64 and then 128 channels, a kernel of 4 and a stride of 2.

    Parameters
    ----------
    image_shape : tuple of three ints
        Channels, height and width of the images.

    hidden_layer_sizes : iterable of int
        Widths of the dense layers that follow the convolutions.

    n_outputs : int
        Width of the output.

    activation : {"silu", "relu", "leaky_relu", "gelu", "elu", "tanh"}, default="silu"
        Activation of all hidden layers.

    n_conditions : int, default=0
        Width of the condition, which modulates every layer (`FiLM`); 0 where there is
        none.

    See Also
    --------
    ConvDecoder : The way back.
    MLP : The body for rows that are no images.

    Examples
    --------
    Mean and log variance of 10 latents for images of 28 by 28 grey pixels:

    >>> import torch
    >>> from skvae.networks import ConvEncoder
    >>> encoder = ConvEncoder((1, 28, 28), (128,), 20)
    >>> encoder(torch.zeros(5, 1, 28, 28)).shape
    torch.Size([5, 20])
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        hidden_layer_sizes: Iterable[int],
        n_outputs: int,
        activation: str = "silu",
        *,
        n_conditions: int = 0,
    ):
        super().__init__()
        sizes = image_sizes(*image_shape[1:])
        channels = _channels(image_shape, len(sizes) - 1)
        self.convolutions = nn.ModuleList(
            Modulated(nn.Conv2d(a, b, **_KERNEL), b, n_conditions)
            for a, b in pairwise(channels)
        )
        self.activation = ACTIVATIONS[activation]()
        height, width = sizes[-1]
        self.dense = MLP(
            channels[-1] * height * width,
            hidden_layer_sizes,
            n_outputs,
            activation,
            n_conditions=n_conditions,
        )

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return outputs of shape (n_images, n_outputs).

        Parameters
        ----------
        images : Tensor of shape (n_images, channels, height, width)
            The images.

        condition : Tensor of shape (n_images, n_conditions), default=None
            The condition of each image, where there is one.

        Returns
        -------
        outputs : Tensor of shape (n_images, n_outputs)
            What the last layer gives.
        """
        for convolution in self.convolutions:
            images = self.activation(convolution(images, condition))
        return self.dense(images.flatten(1), condition)


class ConvDecoder(nn.Module):
    """An `MLP`, then the convolutions of `ConvEncoder` in reverse.

    Each transposed convolution doubles height and width, and adds the row or column
    that halving an odd size lost, so that the image comes out at exactly its size. No
    activation follows the last one.

    Parameters
    ----------
    latent_dim : int
        Width of the latents.

    hidden_layer_sizes : iterable of int
        Widths of the dense layers that come before the convolutions.

    image_shape : tuple of three ints
        Channels, height and width of the images.

    activation : {"silu", "relu", "leaky_relu", "gelu", "elu", "tanh"}, default="silu"
        Activation of all hidden layers.

    n_conditions : int, default=0
        Width of the condition, which modulates every layer (`FiLM`); 0 where there is
        none.

    See Also
    --------
    ConvEncoder : The way there.
    MLP : The body for rows that are no images.

    Examples
    --------
    >>> import torch
    >>> from skvae.networks import ConvDecoder
    >>> decoder = ConvDecoder(10, (128,), (1, 28, 28))
    >>> decoder(torch.zeros(5, 10)).shape
    torch.Size([5, 1, 28, 28])
    """

    def __init__(
        self,
        latent_dim: int,
        hidden_layer_sizes: Iterable[int],
        image_shape: tuple[int, int, int],
        activation: str = "silu",
        *,
        n_conditions: int = 0,
    ):
        super().__init__()
        sizes = image_sizes(*image_shape[1:])[::-1]
        channels = _channels(image_shape, len(sizes) - 1)[::-1]
        self.smallest = (channels[0], *sizes[0])
        self.dense = MLP(
            latent_dim,
            hidden_layer_sizes,
            channels[0] * sizes[0][0] * sizes[0][1],
            activation,
            n_conditions=n_conditions,
        )
        self.activation = ACTIVATIONS[activation]()
        self.convolutions = nn.ModuleList(
            Modulated(_widening(a, b, small, large), b, n_conditions)
            for (a, b), (small, large) in zip(
                pairwise(channels), pairwise(sizes), strict=True
            )
        )

    def forward(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return images of shape (n_images, channels, height, width).

        Parameters
        ----------
        latents : Tensor of shape (n_images, latent_dim)
            The latents.

        condition : Tensor of shape (n_images, n_conditions), default=None
            The condition of each image, where there is one.

        Returns
        -------
        images : Tensor of shape (n_images, channels, height, width)
            What the last convolution gives: no probabilities yet.
        """
        images = self.dense(latents, condition).unflatten(1, self.smallest)
        for convolution in self.convolutions:
            images = convolution(self.activation(images), condition)
        return images


def _widening(n_inputs, n_outputs, small, large):
    """Return the convolution that takes a `small` feature map to a `large` one."""
    # Halving an odd size lost one row or column, which is added here.
    lost = tuple(b - 2 * a for a, b in zip(small, large, strict=True))
    return nn.ConvTranspose2d(n_inputs, n_outputs, **_KERNEL, output_padding=lost)
