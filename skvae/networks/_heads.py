"""Likelihood heads: what the decoder says of the columns of one group.

A head reads its share of the decoder's outputs and knows the distribution of its
columns: their log-likelihood, their mean, a draw. The decoder, the models and the
objectives know heads by these methods only.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from skvae._core.columns import ColumnGroup


class Head(nn.Module):
    """The distribution of the columns of one group, given the decoder's outputs.

    Attributes
    ----------
    n_outputs : int
        How many outputs of the decoder the head reads.
    """

    n_outputs: int

    def log_likelihood(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Return nats per row and table column, of shape (..., n_columns)."""
        raise NotImplementedError

    def mean(self, outputs: Tensor) -> Tensor:
        """Return the expected matrix columns, of shape (..., width)."""
        raise NotImplementedError

    def draw(self, outputs: Tensor, generator: torch.Generator) -> Tensor:
        """Return one draw of the matrix columns, of shape (..., width)."""
        raise NotImplementedError

    def generate(self, outputs: Tensor, generator: torch.Generator) -> Tensor:
        """Return matrix columns that look like a row's: a draw, as a rule."""
        return self.draw(outputs, generator)


class GaussianHead(Head):
    """Normal columns with one learned scale a column.

    Parameters
    ----------
    column_scales : Tensor of shape (width,)
        The spread of each column in training. The learned scale starts there and
        never falls below a hundredth of it: without a floor, a column that the
        latents determine would drive the likelihood to infinity.
    """

    floor = 0.01

    def __init__(self, column_scales: Tensor):
        super().__init__()
        self.n_outputs = len(column_scales)
        self.register_buffer("column_scales", column_scales)
        self.log_ratio = nn.Parameter(torch.zeros_like(column_scales))

    @property
    def scales(self) -> Tensor:
        """The standard deviation of each column given the latents."""
        return self.column_scales * (self.floor + self.log_ratio.exp())

    def log_likelihood(self, outputs, target):
        scales = self.scales
        normalisation = scales.log() + 0.5 * math.log(2 * math.pi)
        return -0.5 * ((target - outputs) / scales).square() - normalisation

    def mean(self, outputs):
        return outputs

    def draw(self, outputs, generator):
        noise = torch.empty_like(outputs).normal_(generator=generator)
        return outputs + self.scales * noise


class PixelGaussianHead(GaussianHead):
    """Normal pixels that share one learned scale.

    A scale for each pixel would let those of the border, which hardly ever change,
    outweigh the picture.

    Parameters
    ----------
    column_scales : Tensor of shape (width,)
        The spread of each pixel in training.
    """

    def __init__(self, column_scales: Tensor):
        super().__init__(column_scales.square().mean().sqrt().reshape(1))
        self.n_outputs = len(column_scales)


class BernoulliHead(Head):
    """Columns in [0, 1] under a Bernoulli cross-entropy, as for pixels.

    Values strictly between 0 and 1 are read as probabilities; values beyond (a row
    outside the training range) as 0 or 1.

    Parameters
    ----------
    column_scales : Tensor of shape (width,)
        Only its length is used.
    """

    def __init__(self, column_scales: Tensor):
        super().__init__()
        self.n_outputs = len(column_scales)

    def logits(self, outputs: Tensor) -> Tensor:
        """Return log odds of a one."""
        return outputs

    def log_likelihood(self, outputs, target):
        return -functional.binary_cross_entropy_with_logits(
            self.logits(outputs),
            target.clamp(0, 1).expand_as(outputs),
            reduction="none",
        )

    def mean(self, outputs):
        return self.logits(outputs).sigmoid()

    def generate(self, outputs, generator):
        # Rows hold values between 0 and 1, of which no draw has any.
        return self.mean(outputs)

    def draw(self, outputs, generator):
        return torch.bernoulli(self.mean(outputs), generator=generator)


HEADS = {
    ("continuous", "auto"): GaussianHead,
    ("continuous", "gaussian"): GaussianHead,
    ("continuous", "bernoulli"): BernoulliHead,
    ("pixel", "auto"): BernoulliHead,
    ("pixel", "gaussian"): PixelGaussianHead,
    ("pixel", "bernoulli"): BernoulliHead,
}


def make_heads(
    groups: list[ColumnGroup], likelihood: str, column_scales: Tensor
) -> nn.ModuleList:
    """Return one head for each group of columns.

    Parameters
    ----------
    groups : list of ColumnGroup
        The groups that the table encoder made.

    likelihood : {"auto", "gaussian", "bernoulli"}
        The distribution of continuous columns.

    column_scales : Tensor of shape (width,)
        The standard deviation of each matrix column in training.

    Returns
    -------
    heads : ModuleList of Head
        In the order of `groups`.
    """
    return nn.ModuleList(
        HEADS[group.kind, likelihood](column_scales[group.matrix_columns])
        for group in groups
    )
