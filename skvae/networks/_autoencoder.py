"""The pair of networks that every model trains: encoder and decoder with heads."""

import torch
from torch import Tensor, nn

from skvae._core.columns import ColumnGroup
from skvae._core.passes import ForwardPass, Normal
from skvae.networks._anchors import Anchors


class Autoencoder(nn.Module):
    """Encoder q(z|x), decoder p(x|z) and prior p(z), each given c where there is one.

    A row is a row of the encoded matrix: the values that are modelled, followed by
    the condition. Latents that come out or go in are in units of the prior.

    Parameters
    ----------
    encoder : Module
        Maps values (n_rows, width) to (n_rows, 2 * latent_dim): means, then log
        variances. The condition is its second argument, where there is one.

    decoder : Module
        Maps latents (n_rows, latent_dim) to (n_rows, n_outputs) or to images, the
        outputs that the heads share among them in order. The condition is its second
        argument, where there is one.

    heads : ModuleList of Head
        The distributions of the columns.

    groups : list of ColumnGroup
        The matrix columns of each head.

    prior : Module
        `StandardPrior` or `LearnedPrior`.

    anchors : Anchors or None, default=None
        Latents that are clamped to columns.

    n_conditions : int, default=0
        Width of the condition.
    """

    # The thesis clips here too (listing C.1): the loss takes exp of the log variance.
    largest_log_variance = 20.0

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        heads: nn.ModuleList,
        groups: list[ColumnGroup],
        prior: nn.Module,
        anchors: Anchors | None = None,
        n_conditions: int = 0,
    ):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.heads = heads
        self.groups = groups
        self.prior = prior
        self.anchors = anchors
        self.n_conditions = n_conditions

    def forward(self, rows: Tensor, noise: Tensor) -> ForwardPass:
        """Return what becomes of rows whose latents are drawn at `noise`."""
        _, condition = self.split(rows)
        posterior = self.encode(rows)
        latents = posterior.at(noise)
        return ForwardPass(
            log_likelihood=self.log_likelihood(latents, rows),
            posterior=posterior,
            kl=posterior.kl_to_standard(),
            latents=latents,
            condition=condition,
        )

    def split(self, rows: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the values and the condition of rows."""
        if self.n_conditions == 0:
            return rows, None
        return rows[..., : -self.n_conditions], rows[..., -self.n_conditions :]

    def encode(self, rows: Tensor) -> Normal:
        """Return the posterior of each row."""
        values, condition = self.split(rows)
        given = () if condition is None else (condition,)
        mean, log_variance = self.encoder(values, *given).chunk(2, dim=-1)
        limit = self.largest_log_variance
        posterior = Normal(mean, log_variance.clamp(-limit, limit))
        mean, log_variance = self.prior.relative(posterior, condition)
        if self.anchors is not None:
            mean = self.anchors(mean, values)
        return Normal(mean, log_variance)

    def log_likelihood(self, latents: Tensor, rows: Tensor) -> Tensor:
        """Return log p(x|z) in nats, of shape (..., n_rows).

        `latents` may have leading dimensions that `rows` lacks.
        """
        values, condition = self.split(rows)
        per_head = [
            head.log_likelihood(outputs, values[..., group.matrix_columns]).sum(dim=-1)
            for head, group, outputs in self._outputs(latents, condition)
        ]
        return sum(per_head[1:], start=per_head[0])

    def mean(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the expected values given the latents, of shape (..., width)."""
        outputs = self._outputs(latents, condition)
        return torch.cat([head.mean(out) for head, _, out in outputs], dim=-1)

    def draw(
        self,
        latents: Tensor,
        generator: torch.Generator,
        condition: Tensor | None = None,
    ) -> Tensor:
        """Return values drawn from p(x|z), of shape (..., width)."""
        outputs = self._outputs(latents, condition)
        return torch.cat([head.draw(out, generator) for head, _, out in outputs], -1)

    def generate(
        self,
        latents: Tensor,
        generator: torch.Generator,
        condition: Tensor | None = None,
    ) -> Tensor:
        """Return values that look like a row's, of shape (..., width)."""
        outputs = self._outputs(latents, condition)
        return torch.cat(
            [head.generate(out, generator) for head, _, out in outputs], -1
        )

    def _outputs(self, latents, condition):
        """Yield each head, its group and its share of the decoder's outputs."""
        leading = latents.shape[:-1]
        given = ()
        if condition is not None:
            given = (condition.expand(*leading, -1).flatten(0, -2),)
        latents = self.prior.absolute(latents, condition).flatten(0, -2)
        outputs = self.decoder(latents, *given).reshape(*leading, -1)
        shares = outputs.split([head.n_outputs for head in self.heads], dim=-1)
        return zip(self.heads, self.groups, shares, strict=True)


class ImageEncoder(nn.Module):
    """An encoder of images, given rows of pixels.

    Parameters
    ----------
    body : Module
        Takes images of shape (n_images, channels, height, width).

    image_shape : tuple of three ints
        Channels, height and width of the images.
    """

    def __init__(self, body: nn.Module, image_shape: tuple[int, int, int]):
        super().__init__()
        self.body = body
        self.image_shape = tuple(image_shape)

    def forward(self, values: Tensor, *condition: Tensor) -> Tensor:
        """Return what the body makes of the images."""
        return self.body(values.unflatten(-1, self.image_shape), *condition)
