"""A second pair of networks for what a first one could not say."""

import torch
from torch import Tensor, nn

from skvae._core.passes import Normal
from skvae.networks._autoencoder import Autoencoder, LatentVariableModel, decoded


class TwoStageAutoencoder(LatentVariableModel):
    """A trained autoencoder with latents c, and residual latents z for the rest.

    The first stage is frozen: it gives q(c|x) and y = E[x|c]. The second learns
    q(z|x - y) and p(x|z, y), where the decoder corrects what the first stage's heads
    read, so that it starts from the first stage's word and not from nothing. A priori
    c and z are independent, and c acts on x through y alone (Srivastava et al. 2020,
    https://arxiv.org/abs/2010.13187).

    The residual is that of the c drawn, not of the posterior's mean: z makes up for
    the draw as well, and log p(x|c, z) less both KLs is a bound on log p(x).

    Parameters
    ----------
    first : Autoencoder
        Trained. It is never changed.

    encoder : Module
        Maps residuals (n_rows, width) to (n_rows, 2 * residual_dim).

    decoder : Module
        Maps residual latents (n_rows, residual_dim), and y as second argument, to
        (n_rows, n_outputs) or to images.

    heads : ModuleList of Head
        The distributions of the columns, for the groups of the first stage.

    n_factors : int
        How many latents the first stage has.
    """

    def __init__(
        self,
        first: Autoencoder,
        encoder: nn.Module,
        decoder: nn.Module,
        heads: nn.ModuleList,
        n_factors: int,
    ):
        super().__init__(heads, first.groups, first.n_conditions)
        self.first = first.requires_grad_(False)
        self.encoder = encoder
        self.decoder = decoder
        self.n_factors = n_factors

    def train(self, mode: bool = True):
        """Set training mode, except of the first stage, which has had its training."""
        super().train(mode)
        self.first.eval()
        return self

    def encode(self, rows: Tensor) -> Normal:
        """Return the posterior of each row: of c, then of z given the mean of c."""
        factors = self.first.encode(rows)
        return factors.beside(self.residual_posterior(rows, factors.mean))

    def posterior_at(self, rows: Tensor, noise: Tensor) -> tuple[Normal, Tensor]:
        """Return the posterior of each row, z given c, and both at `noise`."""
        of_factors, of_residual = self.split_latents(noise)
        factors = self.first.encode(rows)
        drawn = factors.at(of_factors)
        residual = self.residual_posterior(rows, drawn)
        latents = torch.cat([drawn, residual.at(of_residual)], dim=-1)
        return factors.beside(residual), latents

    def residual_posterior(self, rows: Tensor, factors: Tensor) -> Normal:
        """Return q(z|x - y) where y is what the first stage makes of `factors`."""
        values, condition = self.split(rows)
        residual = values - self.first.mean(factors, condition)
        return self.encode_residual(residual.nan_to_num())

    def encode_residual(self, residual: Tensor) -> Normal:
        """Return q(z|r) of residuals r of shape (..., width)."""
        return Normal.of_outputs(decoded(self.encoder, residual))

    def outputs(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return what the heads read, of shape (..., n_outputs)."""
        factors, residual = self.split_latents(latents)
        outputs = self.first.outputs(factors, condition)
        mean = self.first.mean_of(outputs)
        return outputs + decoded(self.decoder, residual, mean)

    def split_latents(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Return c and z."""
        return latents[..., : self.n_factors], latents[..., self.n_factors :]


class Modulating(nn.Module):
    """A decoder whose layers the first stage's reconstruction modulates.

    Features of the reconstruction modulate (`FiLM`), not the reconstruction itself:
    the many pixels of an image would shake every layer at each step of training.

    Parameters
    ----------
    body : Module
        Takes latents, and a condition of width `n_features`.

    width : int
        Width of the reconstruction.
    """

    n_features = 64

    def __init__(self, body: nn.Module, width: int):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(width, self.n_features), nn.SiLU())
        self.body = body

    def forward(self, latents: Tensor, mean: Tensor) -> Tensor:
        """Return what the body makes of latents under the features of `mean`."""
        return self.body(latents, self.features(mean))


class Beside(nn.Module):
    """A decoder that reads the first stage's reconstruction beside the latents.

    Parameters
    ----------
    body : Module
        Takes both side by side.
    """

    def __init__(self, body: nn.Module):
        super().__init__()
        self.body = body

    def forward(self, latents: Tensor, mean: Tensor) -> Tensor:
        """Return what the body makes of latents and mean."""
        return self.body(torch.cat([latents, mean], dim=-1))
