"""Likelihood heads of columns that choose among options: levels, or atoms."""

from itertools import accumulate

import torch
from torch import Tensor, nn

from skvae.networks._heads import LEAST_LOG_MASS, Head, with_gumbel_noise
from skvae.networks._mixture_head import NormalMixtureHead

# Log odds beyond this are taken as this: no option is quite impossible.
_LARGEST_LOGIT = 30.0
# What is left for levels and values that training never saw: e^-9, one in 8,000.
_LOG_RESERVED = -9.0


class Options(nn.Module):
    """Distributions over options, of several columns side by side.

    Parameters
    ----------
    counts : sequence of int
        How many options each column has.
    """

    def __init__(self, counts):
        super().__init__()
        self.counts = list(counts)
        of_columns = [torch.ones(n, 1, dtype=torch.float32) for n in self.counts]
        # (n_options, n_columns), 1 where an option is one of a column's
        self.register_buffer("members", torch.block_diag(*of_columns))

    def log_probabilities(self, logits: Tensor) -> Tensor:
        """Return those of all options, of shape (..., n_options)."""
        logits = logits.clamp(-_LARGEST_LOGIT, _LARGEST_LOGIT)
        totals = (logits.exp() @ self.members).log()
        return logits - totals @ self.members.T

    def log_likelihood(self, logits: Tensor, chosen: Tensor) -> Tensor:
        """Return nats per row and column: of none of the options, those reserved."""
        columns = (chosen * self.log_probabilities(logits)) @ self.members
        return columns + (1 - chosen @ self.members) * _LOG_RESERVED

    def log_mass(self, log_weights: Tensor) -> Tensor:
        """Return log sums of the weights of options, of shape (..., n_columns)."""
        parts = log_weights.split(self.counts, dim=-1)
        mass = torch.stack([part.logsumexp(dim=-1) for part in parts], dim=-1)
        return mass.clamp(min=LEAST_LOG_MASS)

    def draw(self, logits: Tensor, generator: torch.Generator) -> Tensor:
        """Return one option of each column, one-hot, of shape (..., n_options)."""
        return self.draw_weighted(self.log_probabilities(logits), generator)

    def draw_weighted(self, log_weights: Tensor, generator: torch.Generator) -> Tensor:
        """Return one option of each column, in proportion to weights."""
        noisy = with_gumbel_noise(log_weights, generator)
        parts = [
            nn.functional.one_hot(part.argmax(dim=-1), part.shape[-1])
            for part in noisy.split(self.counts, dim=-1)
        ]
        return torch.cat(parts, dim=-1).to(log_weights.dtype)


class CategoricalHead(Head):
    """Columns of categories: a probability for each level.

    Parameters
    ----------
    counts : sequence of int
        How many levels each column has.
    """

    def __init__(self, counts):
        super().__init__()
        self.options = Options(counts)
        self.n_outputs = sum(counts)
        self.register_buffer("first", torch.tensor(_starts(counts)))

    def is_known(self, target):
        return ~target[..., self.first].isnan()

    def logits(self, outputs: Tensor) -> Tensor:
        """Return log odds of all levels, of shape (..., width)."""
        return outputs

    def log_likelihood_of(self, outputs, target):
        return self.options.log_likelihood(self.logits(outputs), target)

    def mean(self, outputs):
        return self.options.log_probabilities(self.logits(outputs)).exp()

    def draw(self, outputs, generator):
        return self.options.draw(self.logits(outputs), generator)

    def log_mass(self, outputs, asked):
        return self.options.log_mass(self._log_weights(outputs, asked))

    def draw_asked(self, outputs, asked, generator):
        return self.options.draw_weighted(self._log_weights(outputs, asked), generator)

    def _log_weights(self, outputs, asked):
        """Return the log probabilities of the options that may be, of others none."""
        log_probabilities = self.options.log_probabilities(self.logits(outputs))
        return log_probabilities + self.allowed(asked).log()

    def allowed(self, asked):
        """Return which options may be."""
        return asked.allowed


class OrdinalHead(CategoricalHead):
    """Columns of ordered categories: mixtures of distributions along the order.

    In a component, two outputs move and tighten the distribution along the order: level
    k has log odds a_k + m v_k - s v_k^2, where v_k is its place and a_k is learned for
    each level, an adjacent-categories logit model with a dispersion of its own (Agresti
    2010, Analysis of Ordinal Categorical Data, section 4.1). Of each column there are
    three components, lest a level be unlikely for lying between two likely ones.

    Parameters
    ----------
    counts : sequence of int
        How many levels each column has.
    """

    n_components = 3

    def __init__(self, counts):
        super().__init__(counts)
        self.n_outputs = 3 * self.n_components * len(counts)
        places = [torch.arange(n) - (n - 1) / 2 for n in counts]
        self.register_buffer("places", torch.cat(places))
        self.intercepts = nn.Parameter(torch.zeros(sum(counts)))

    def logits(self, outputs):
        shape = (3, self.n_components, len(self.options.counts))
        location, precision, log_odds = outputs.unflatten(-1, shape).unbind(-3)
        # (..., n_components, n_options)
        location, precision, log_weight = (
            part @ self.options.members.T
            for part in (location, precision, log_odds.log_softmax(dim=-2))
        )
        shift = location * self.places - precision * self.places.square()
        log_probability = self.options.log_probabilities(self.intercepts + shift)
        return (log_weight + log_probability).logsumexp(dim=-2)


class DiscreteHead(CategoricalHead):
    """Columns of numbers that are one of a few values.

    Their first matrix column is the score of the value, the others say which it is.

    Parameters
    ----------
    atom_scores : sequence of sequence of float
        The scores of the values of each column.
    """

    def __init__(self, atom_scores):
        counts = [len(scores) for scores in atom_scores]
        super().__init__(counts)
        self.register_buffer("scores", _scores_by_column(atom_scores))
        widths = [1 + count for count in counts]
        starts = _starts(widths)
        self.register_buffer("first", torch.tensor(starts))
        is_score = set(starts)
        atoms = [place for place in range(sum(widths)) if place not in is_score]
        self.register_buffer("atoms", torch.tensor(atoms))

    def log_likelihood_of(self, outputs, target):
        return self.options.log_likelihood(outputs, target[..., self.atoms])

    def mean(self, outputs):
        return self._joined(super().mean(outputs))

    def draw(self, outputs, generator):
        return self._joined(super().draw(outputs, generator))

    def draw_asked(self, outputs, asked, generator):
        return self._joined(super().draw_asked(outputs, asked, generator))

    def allowed(self, asked):
        return asked.allowed[self.atoms]

    def _joined(self, chosen):
        """Return matrix columns, given the weights of atoms."""
        width = len(self.first) + len(self.atoms)
        columns = chosen.new_empty(*chosen.shape[:-1], width)
        columns[..., self.first] = chosen @ self.scores
        columns[..., self.atoms] = chosen
        return columns


class MixedHead(Head):
    """Columns of numbers that are one of a few values, or else of any.

    A column's first option is that its value is no atom; the score is then a mixture of
    normals. The decoder's outputs are those of these mixtures, then the log odds of all
    options.

    Parameters
    ----------
    atom_scores : sequence of sequence of float
        The scores of the atoms of each column.

    column_scales : Tensor of shape (n_columns,)
        The spread of the score of each column in training.
    """

    def __init__(self, atom_scores, column_scales: Tensor):
        super().__init__()
        counts = [1 + len(scores) for scores in atom_scores]
        self.continuous = NormalMixtureHead(column_scales)
        self.options = Options(counts)
        self.n_outputs = self.continuous.n_outputs + sum(counts)
        self.register_buffer("first", torch.tensor(_starts(counts)))
        with_none = [(0.0, *scores) for scores in atom_scores]
        self.register_buffer("scores", _scores_by_column(with_none))

    def is_known(self, target):
        return ~target[..., self.first].isnan()

    def log_likelihood_of(self, outputs, target):
        of_score, logits = self._split(outputs)
        score = target[..., self.first]
        chosen, is_continuous = self._chosen(target)
        gaussian = self.continuous.log_likelihood_of(of_score, score)
        gaussian = torch.where(is_continuous > 0.5, gaussian, 0.0)
        return self.options.log_likelihood(logits, chosen) + gaussian

    def mean(self, outputs):
        of_score, logits = self._split(outputs)
        chosen = self.options.log_probabilities(logits).exp()
        return self._joined(chosen, self.continuous.mean(of_score))

    def draw(self, outputs, generator):
        of_score, logits = self._split(outputs)
        chosen = self.options.draw(logits, generator)
        return self._joined(chosen, self.continuous.draw(of_score, generator))

    def log_mass(self, outputs, asked):
        of_score, logits = self._split(outputs)
        return self.options.log_mass(self._log_weights(of_score, logits, asked))

    def draw_asked(self, outputs, asked, generator):
        of_score, logits = self._split(outputs)
        log_weights = self._log_weights(of_score, logits, asked)
        chosen = self.options.draw_weighted(log_weights, generator)
        scores = asked.of(self.first)
        return self._joined(
            chosen, self.continuous.draw_asked(of_score, scores, generator)
        )

    def _log_weights(self, of_score, logits, asked):
        """Return the log probabilities of options that are as asked."""
        log_weights = self.options.log_probabilities(logits) + asked.allowed.log()
        continuous = self.continuous.log_mass(of_score, asked.of(self.first))
        return log_weights.index_add(-1, self.first, continuous)

    def _split(self, outputs):
        """Return what says of scores, and what of options."""
        sizes = [self.continuous.n_outputs, self.n_outputs - self.continuous.n_outputs]
        return outputs.split(sizes, dim=-1)

    def _chosen(self, target):
        """Return weights of all options, and those of the first of each column."""
        atoms = target.index_fill(-1, self.first, 0.0)
        is_continuous = 1 - atoms @ self.options.members
        return atoms.index_copy(-1, self.first, is_continuous), is_continuous

    def _joined(self, chosen, normal):
        """Return matrix columns, given the weights of options and normal scores."""
        score = chosen @ self.scores + chosen[..., self.first] * normal
        return chosen.index_copy(-1, self.first, score)


def _starts(widths):
    """Return where each of some neighbours begins."""
    return list(accumulate(widths[:-1], initial=0))


def _scores_by_column(scores):
    """Return the scores of options, of shape (n_options, n_columns)."""
    parts = [torch.tensor(column)[:, None] for column in scores]
    return torch.block_diag(*parts)
