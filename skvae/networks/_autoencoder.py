"""The networks that a model trains: encoder and decoder with heads."""

import torch
from torch import Tensor, nn

from skvae._core.columns import ColumnGroup
from skvae._core.passes import ForwardPass, Normal
from skvae.networks._anchors import Anchors
from skvae.networks._heads import Asked


class LatentVariableModel(nn.Module):
    """Distributions of rows given latents, and of latents given rows.

    A row is a row of the encoded matrix: the values that are modelled, NaN where they
    are unknown, followed by the condition. Latents that come out or go in are in units
    of their prior, in which they are standard normal.

    Parameters
    ----------
    heads : ModuleList of Head
        The distributions of the columns.

    groups : list of ColumnGroup
        The matrix columns of each head.

    n_conditions : int
        Width of the condition.
    """

    def __init__(
        self, heads: nn.ModuleList, groups: list[ColumnGroup], n_conditions: int
    ):
        super().__init__()
        self.heads = heads
        self.groups = groups
        self.n_conditions = n_conditions
        # Unknown cells are 0 to networks, and missing for all that these know.
        of_groups = [torch.full((g.width,), float(g.kind == "missing")) for g in groups]
        self.register_buffer("stand_ins", torch.cat(of_groups))

    def encode(self, rows: Tensor) -> Normal:
        """Return the posterior of each row."""
        raise NotImplementedError

    def posterior_at(self, rows: Tensor, noise: Tensor) -> tuple[Normal, Tensor]:
        """Return the posterior of each row and the latents at `noise`.

        `noise` may have leading dimensions that `rows` lacks. Where latents depend on
        others, they are those of the others at `noise`.
        """
        posterior = self.encode(rows)
        return posterior, posterior.at(noise)

    def outputs(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return what the heads read, of shape (..., n_outputs)."""
        raise NotImplementedError

    def forward(self, rows: Tensor, noise: Tensor) -> ForwardPass:
        """Return what becomes of rows whose latents are drawn at `noise`."""
        _, condition = self.split(rows)
        posterior, latents = self.posterior_at(rows, noise)
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

    def filled(self, values: Tensor) -> Tensor:
        """Return values with something for networks to read where one is NaN."""
        return torch.where(values.isnan(), self.stand_ins, values)

    def log_likelihood(self, latents: Tensor, rows: Tensor) -> Tensor:
        """Return log p(x|z) of what is known of x, in nats, of shape (..., n_rows).

        `latents` may have leading dimensions that `rows` lacks.
        """
        return sum(part.sum(dim=-1) for part in self._log_likelihoods(latents, rows))

    def column_log_likelihoods(self, latents: Tensor, rows: Tensor) -> Tensor:
        """Return log p(x_j|z) in nats, of shape (..., n_rows, n_columns).

        Columns are those of the groups, in their order: of a column that is in two of
        them, its values and whether it is missing, two.
        """
        return _joined(self._log_likelihoods(latents, rows))

    def _log_likelihoods(self, latents, rows):
        """Return those of the columns of each head."""
        values, condition = self.split(rows)
        shares = self._shares(self.outputs(latents, condition))
        return [
            head.log_likelihood(share, values[..., group.matrix_columns])
            for head, group, share in zip(self.heads, self.groups, shares, strict=True)
        ]

    def mean(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the expected values given the latents, of shape (..., width)."""
        return self.mean_of(self.outputs(latents, condition))

    def mean_of(self, outputs: Tensor) -> Tensor:
        """Return the expected values given the outputs, of shape (..., width)."""
        shares = self._shares(outputs)
        return _joined(head.mean(o) for head, o in zip(self.heads, shares, strict=True))

    def draw(
        self,
        latents: Tensor,
        generator: torch.Generator,
        condition: Tensor | None = None,
    ) -> Tensor:
        """Return values drawn from p(x|z), of shape (..., width)."""
        shares = self._shares(self.outputs(latents, condition))
        return _joined(
            head.draw(share, generator)
            for head, share in zip(self.heads, shares, strict=True)
        )

    def generate(
        self,
        latents: Tensor,
        generator: torch.Generator,
        condition: Tensor | None = None,
    ) -> Tensor:
        """Return values that look like a row's, of shape (..., width)."""
        shares = self._shares(self.outputs(latents, condition))
        return _joined(
            head.generate(share, generator)
            for head, share in zip(self.heads, shares, strict=True)
        )

    def log_mass(self, latents: Tensor, rows: Tensor, asked: Asked) -> Tensor:
        """Return the log probability given z that rows are as asked, of shape (...).

        `rows` holds what is known of them, and `asked` what is asked of the rest.
        """
        _, condition = self.split(rows)
        shares = self._shares(self.outputs(latents, condition))
        masses = [
            head.log_mass(share, asked.of(group.matrix_columns)).sum(dim=-1)
            for head, group, share in zip(self.heads, self.groups, shares, strict=True)
        ]
        return sum(masses) + self.log_likelihood(latents, rows)

    def draw_asked(
        self,
        latents: Tensor,
        asked: Asked,
        generator: torch.Generator,
        condition: Tensor | None = None,
    ) -> Tensor:
        """Return values drawn from p(x|z) that are as asked, of shape (..., width)."""
        shares = self._shares(self.outputs(latents, condition))
        return _joined(
            head.draw_asked(share, asked.of(group.matrix_columns), generator)
            for head, group, share in zip(self.heads, self.groups, shares, strict=True)
        )

    def _shares(self, outputs):
        """Return the outputs of each head."""
        return outputs.split([head.n_outputs for head in self.heads], dim=-1)


class Autoencoder(LatentVariableModel):
    """Encoder q(z|x), decoder p(x|z) and prior p(z), each given c where there is one.

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
        super().__init__(heads, groups, n_conditions)
        self.encoder = encoder
        self.decoder = decoder
        self.prior = prior
        self.anchors = anchors

    def encode(self, rows: Tensor) -> Normal:
        """Return the posterior of each row."""
        values, condition = self.split(rows)
        given = () if condition is None else (condition,)
        posterior = Normal.of_outputs(self.encoder(self.filled(values), *given))
        mean, log_variance = self.prior.relative(posterior, condition)
        if self.anchors is not None:
            mean = self.anchors(mean, values)
        return Normal(mean, log_variance)

    def outputs(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return what the heads read, of shape (..., n_outputs)."""
        given = () if condition is None else (condition,)
        return decoded(self.decoder, self.prior.absolute(latents, condition), *given)


def decoded(decoder, latents, *given):
    """Return what a decoder makes of latents of shape (..., latent_dim), flat."""
    leading = latents.shape[:-1]
    given = (g.expand(*leading, -1).flatten(0, -2) for g in given)
    return decoder(latents.flatten(0, -2), *given).reshape(*leading, -1)


def _joined(parts):
    return torch.cat(list(parts), dim=-1)


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
