"""Likelihood heads: what the decoder says of the columns of one group.

A head reads its share of the decoder's outputs and knows the distribution of its
columns: their log-likelihood, their mean, a draw. The decoder, the models and the
objectives know heads by these methods only.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

# Log probability that stands for none at all.
LEAST_LOG_MASS = -1e4
# Of smaller shares torch knows no normal score.
_LEAST_SHARE = 1e-37


class Asked(NamedTuple):
    """What is asked of matrix columns.

    Parameters
    ----------
    low, high : Tensor of shape (width,)
        Between them lie the values of numbers.

    allowed : Tensor of shape (width,)
        1 for levels and atoms that may be, 0 for others. Where a column has atoms, its
        first says so of numbers that are none.
    """

    low: Tensor
    high: Tensor
    allowed: Tensor

    def of(self, columns) -> "Asked":
        """Return what is asked of some of the columns."""
        return Asked(*(part[columns] for part in self))


class Head(nn.Module):
    """The distribution of the columns of one group, given the decoder's outputs.

    Attributes
    ----------
    n_outputs : int
        How many outputs of the decoder the head reads.
    """

    n_outputs: int

    def log_likelihood(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Return nats per row and table column, of shape (..., n_columns).

        A column that is unknown, NaN in `target`, has none.
        """
        columns = self.log_likelihood_of(outputs, target.nan_to_num())
        return torch.where(self.is_known(target), columns, 0.0)

    def is_known(self, target: Tensor) -> Tensor:
        """Return which columns of the table are known, of shape (..., n_columns)."""
        return ~target.isnan()

    def log_likelihood_of(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Return nats per row and table column of known cells."""
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

    def log_mass(self, outputs: Tensor, asked: Asked) -> Tensor:
        """Return the log probability that columns are as asked, (..., n_columns)."""
        raise NotImplementedError

    def draw_asked(
        self, outputs: Tensor, asked: Asked, generator: torch.Generator
    ) -> Tensor:
        """Return one draw of matrix columns that are as asked, (..., width)."""
        raise NotImplementedError


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

    def log_likelihood_of(self, outputs, target):
        return log_normal(target, outputs, self.scales)

    def mean(self, outputs):
        return outputs

    def draw(self, outputs, generator):
        noise = torch.empty_like(outputs).normal_(generator=generator)
        return outputs + self.scales * noise

    def log_mass(self, outputs, asked):
        return log_normal_mass(outputs, self.scales, asked.low, asked.high)

    def draw_asked(self, outputs, asked, generator):
        scales = self.scales
        return draw_truncated(outputs, scales, asked.low, asked.high, generator)


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

    def log_likelihood_of(self, outputs, target):
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


class BooleanHead(BernoulliHead):
    """Columns that are 0 or 1, and so are their draws."""

    def generate(self, outputs, generator):
        return self.draw(outputs, generator)

    def log_mass(self, outputs, asked):
        return torch.zeros_like(outputs)

    def draw_asked(self, outputs, asked, generator):
        return self.draw(outputs, generator)


def log_normal(value, mean, scale):
    """Return the log density of a normal distribution."""
    normalisation = scale.log() + 0.5 * math.log(2 * math.pi)
    return -0.5 * ((value - mean) / scale).square() - normalisation


def log_normal_mass(mean, scale, low, high):
    """Return the log probability of an interval under a normal distribution."""
    low, high, _ = _in_lower_tail(mean, scale, low, high)
    log_high = torch.special.log_ndtr(high)
    log_low = torch.minimum(torch.special.log_ndtr(low), log_high)
    mass = log_high + torch.log1p(-(log_low - log_high).exp())
    return mass.nan_to_num(nan=LEAST_LOG_MASS).clamp(min=LEAST_LOG_MASS)


def draw_truncated(mean, scale, low, high, generator):
    """Return a draw from a normal distribution within an interval."""
    *ends, is_above = _in_lower_tail(mean, scale, low, high)
    # Not by ndtr, which in torch ends at -8.
    share_low, share_high = (torch.special.log_ndtr(end).exp() for end in ends)
    eps = torch.finfo(mean.dtype).eps
    uniform = torch.empty_like(mean).uniform_(eps, 1, generator=generator)
    share = share_low + (share_high - share_low) * uniform
    score = torch.special.ndtri(share.clamp(_LEAST_SHARE, 1 - eps))
    drawn = mean + scale * torch.where(is_above, -score, score)
    return torch.minimum(torch.maximum(drawn, low), high)


def with_gumbel_noise(log_weights, generator):
    """Return log weights with noise: the largest is a draw in proportion to weights.

    Maddison, C. J., Tarlow, D. & Minka, T. (2014). A* sampling. NeurIPS.
    """
    uniform = torch.empty_like(log_weights).uniform_(generator=generator)
    return log_weights - (-uniform.log()).log()


def _in_lower_tail(mean, scale, low, high):
    """Return an interval in standard units, and whether it is mirrored.

    In the upper tail shares are next to 1, of which few digits are left, and those of
    the mirrored interval next to 0.
    """
    low, high = (low - mean) / scale, (high - mean) / scale
    is_above = low > 0
    return (
        torch.where(is_above, -high, low),
        torch.where(is_above, -low, high),
        is_above,
    )
