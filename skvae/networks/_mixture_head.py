"""The likelihood head of numbers: a few normal distributions for each."""

import torch
from torch import Tensor
from torch.nn import functional

from skvae.networks._heads import (
    Head,
    draw_truncated,
    log_normal,
    log_normal_mass,
    with_gumbel_noise,
)


class NormalMixtureHead(Head):
    """Columns that are mixtures of normal distributions, all given by the latents.

    One scale for all rows would blur columns that are certain in some rows and not in
    others, and one normal those that are here or there: what a client pays is next to
    the bill, or next to the least that is due.

    The decoder's outputs are, for every column and component, means, then logarithms
    of scales, then log odds.

    Parameters
    ----------
    column_scales : Tensor of shape (n_columns,)
        The spread of each column in training, of which scales are multiples, from a
        hundredth to about seven.
    """

    n_components = 3
    floor, largest_log_ratio = 0.01, 2.0

    def __init__(self, column_scales: Tensor):
        super().__init__()
        self.n_outputs = 3 * self.n_components * len(column_scales)
        self.register_buffer("column_scales", column_scales)

    def components(self, outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return means, scales and log weights, of shape (..., n_columns, n)."""
        mean, scale, log_odds = self._parts(outputs)
        return mean, scale, functional.log_softmax(log_odds, dim=-1)

    def _parts(self, outputs):
        """Return means, scales and log odds."""
        shape = (3, len(self.column_scales), self.n_components)
        mean, log_ratio, log_odds = outputs.unflatten(-1, shape).unbind(-3)
        ratio = self.floor + log_ratio.clamp(max=self.largest_log_ratio).exp()
        scale = self.column_scales[:, None] * ratio
        return mean, scale, log_odds

    def log_likelihood_of(self, outputs, target):
        mean, scale, log_odds = self._parts(outputs)
        parts = log_odds + log_normal(target[..., None], mean, scale)
        # Training spends much of its time here: two sums are less than a softmax.
        return parts.logsumexp(dim=-1) - log_odds.logsumexp(dim=-1)

    def mean(self, outputs):
        mean, _, log_weight = self.components(outputs)
        return (log_weight.exp() * mean).sum(dim=-1)

    def draw(self, outputs, generator):
        mean, scale, log_weight = self.components(outputs)
        mean, scale = _chosen(log_weight, generator, mean, scale)
        return mean + scale * torch.empty_like(mean).normal_(generator=generator)

    def log_mass(self, outputs, asked):
        mean, scale, log_weight = self.components(outputs)
        low, high = asked.low[:, None], asked.high[:, None]
        parts = log_weight + log_normal_mass(mean, scale, low, high)
        return parts.logsumexp(dim=-1)

    def draw_asked(self, outputs, asked, generator):
        mean, scale, log_weight = self.components(outputs)
        low, high = asked.low[:, None], asked.high[:, None]
        log_weight = log_weight + log_normal_mass(mean, scale, low, high)
        mean, scale = _chosen(log_weight, generator, mean, scale)
        return draw_truncated(mean, scale, asked.low, asked.high, generator)


def _chosen(log_weight, generator, *parts):
    """Return what parts have of one component, drawn for each column."""
    noisy = with_gumbel_noise(log_weight, generator)
    choice = noisy.argmax(dim=-1, keepdim=True)
    return (part.gather(-1, choice).squeeze(-1) for part in parts)
