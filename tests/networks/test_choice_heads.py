"""Heads of columns that choose among options: against torch's and by brute force."""

import math
from itertools import pairwise, product

import pytest
import torch
from torch.distributions import Categorical

from skvae._core.columns import ColumnGroup
from skvae._core.random import make_generator
from skvae.networks import (
    CategoricalHead,
    DiscreteHead,
    MixedHead,
    OrdinalHead,
    make_heads,
)

COUNTS = (3, 2, 4)
# Of two levels, neither is nearer to the middle.
ORDINAL_COUNTS = (3, 5, 4)
SCORES = ((-1.0, 0.5), (0.25, 2.0), (-2.0, 0.0, 1.5))
SPREAD = torch.tensor([0.5, 1.0, 2.0])
# What is left for whatever training never saw.
RESERVED = -9.0


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=make_generator(seed), dtype=torch.float64)


def make_head(name):
    if name == "categorical":
        head = CategoricalHead(COUNTS)
    elif name == "ordinal":
        head = OrdinalHead(ORDINAL_COUNTS)
        with torch.no_grad():
            head.intercepts.copy_(draws(sum(ORDINAL_COUNTS), seed=9))
    elif name == "discrete":
        head = DiscreteHead(SCORES)
    else:
        head = MixedHead(SCORES, SPREAD)
    return head.double()


@pytest.fixture(params=["categorical", "ordinal", "discrete", "mixed"])
def head(request):
    return make_head(request.param)


def outputs_of(head, *shape, seed=0):
    return draws(*shape, head.n_outputs, seed=seed)


def probabilities(head, outputs):
    """Return the probabilities of the options of each column, as the head has it."""
    if isinstance(head, MixedHead):
        logits = outputs[..., head.continuous.n_outputs :]
    else:
        logits = head.logits(outputs)
    return [part.softmax(dim=-1) for part in logits.split(head.options.counts, dim=-1)]


def target_of(head, options, score=0.75):
    """Return the matrix columns of one row that has these options.

    Of a mixed column, option 0 is none of the atoms, but the number `score`.
    """
    parts = []
    for n, option in enumerate(options):
        one_hot = torch.eye(head.options.counts[n], dtype=torch.float64)[option]
        if isinstance(head, DiscreteHead):
            one_hot = torch.cat([torch.tensor([SCORES[n][option]]).double(), one_hot])
        elif isinstance(head, MixedHead):
            one_hot[0] = SCORES[n][option - 1] if option else score
        parts.append(one_hot)
    return torch.cat(parts)


def widths_of(head):
    is_discrete = isinstance(head, DiscreteHead)
    return [count + is_discrete for count in head.options.counts]


def test_log_likelihood_of_every_choice(head):
    outputs = outputs_of(head, 1)[0]
    of_columns = probabilities(head, outputs)
    for options in product(*map(range, head.options.counts)):
        found = head.log_likelihood(outputs, target_of(head, options))
        expected = torch.stack(
            [
                Categorical(probs=p).log_prob(torch.tensor(option))
                for p, option in zip(of_columns, options, strict=True)
            ]
        )
        if isinstance(head, MixedHead):
            scores = torch.full((3,), 0.75, dtype=torch.float64)
            of_scores = outputs[: head.continuous.n_outputs]
            density = head.continuous.log_likelihood(of_scores, scores)
            expected = expected + torch.where(
                torch.tensor(options) == 0, density, torch.zeros(3).double()
            )
        assert found.shape == (3,)
        torch.testing.assert_close(found, expected)


def test_probabilities_sum_to_1(head):
    outputs = 0.3 * outputs_of(head, 1)[0]
    total = torch.zeros(3).double()
    for n in range(max(head.options.counts)):
        options = [min(n, count - 1) for count in head.options.counts]
        found = head.log_likelihood(outputs, target_of(head, options)).exp()
        is_new = torch.tensor([n < count for count in head.options.counts])
        if isinstance(head, MixedHead) and n == 0:
            # Scores that are no atoms have a density.
            grid = torch.linspace(-60, 60, 12_001).double()
            targets = torch.stack([target_of(head, options, score) for score in grid])
            density = head.log_likelihood(outputs, targets).exp()
            found = density.sum(dim=0) * (grid[1] - grid[0])
        total += torch.where(is_new, found, 0.0)
    torch.testing.assert_close(total, torch.ones(3).double(), rtol=1e-4, atol=0)


def test_draws_have_the_frequencies_of_the_probabilities(head):
    outputs = 0.5 * outputs_of(head, 1)
    drawn = head.draw(outputs.expand(40_000, -1), make_generator(1)).detach()
    assert drawn.shape == (40_000, sum(widths_of(head)))
    of_columns = probabilities(head, outputs[0])
    for n, part in enumerate(drawn.split(widths_of(head), dim=-1)):
        options = part.clone()
        if isinstance(head, DiscreteHead):
            scores = torch.tensor(SCORES[n]).double()
            torch.testing.assert_close(part[:, 0], scores[part[:, 1:].argmax(dim=1)])
            options = part[:, 1:]
        elif isinstance(head, MixedHead):
            is_atom = part[:, 1:].sum(dim=1)
            options[:, 0] = 1 - is_atom
            scores = torch.tensor(SCORES[n]).double()
            expected = scores[part[:, 1:].argmax(dim=1)]
            torch.testing.assert_close(part[is_atom == 1, 0], expected[is_atom == 1])
        assert set(options.unique().tolist()) == {0.0, 1.0}
        assert (options.sum(dim=1) == 1).all()
        torch.testing.assert_close(
            options.mean(dim=0), of_columns[n], rtol=0, atol=0.012
        )


def test_mean_is_that_of_the_draws(head):
    outputs = 0.5 * outputs_of(head, 1)
    drawn = head.draw(outputs.expand(100_000, -1), make_generator(2))
    mean = head.mean(outputs[0])
    assert mean.shape == (sum(widths_of(head)),)
    torch.testing.assert_close(drawn.mean(dim=0), mean, rtol=0, atol=0.03)


def test_unknown_columns_count_nothing_and_send_finite_gradients(head):
    outputs = outputs_of(head, 2).requires_grad_()
    target = target_of(head, (1, 1, 1)).repeat(2, 1)
    known = head.log_likelihood(outputs, target).detach()
    first, second, _ = widths_of(head)
    target[0, first : first + second] = math.nan  # the second column of the first row
    found = head.log_likelihood(outputs, target)
    assert found[0, 1] == 0
    expected = known.clone()
    expected[0, 1] = 0
    torch.testing.assert_close(found, expected)
    found.sum().backward()
    assert outputs.grad.isfinite().all()
    alone = outputs.grad[0].clone()
    outputs.grad = None
    head.log_likelihood(outputs, target)[0, [0, 2]].sum().backward()
    assert torch.equal(outputs.grad[0], alone)


def test_row_without_a_known_column(head):
    outputs = outputs_of(head, 1).requires_grad_()
    target = torch.full((1, sum(widths_of(head))), math.nan).double()
    found = head.log_likelihood(outputs, target)
    assert found.tolist() == [[0, 0, 0]]
    found.sum().backward()
    assert (outputs.grad == 0).all()


@pytest.mark.parametrize("name", ["categorical", "ordinal", "discrete"])
def test_unseen_options_cost_the_reserved_nats(name):
    head = make_head(name)
    target = target_of(head, (1, 1, 1))
    first = widths_of(head)[0]
    target[:first] = 0  # none of the options of the first column
    outputs = outputs_of(head, 5)
    found = head.log_likelihood(outputs, target)
    assert found[:, 0].tolist() == [RESERVED] * 5
    seen = head.log_likelihood(outputs, target_of(head, (0, 1, 1)))
    assert torch.equal(found[:, 1:], seen[:, 1:])


def test_no_option_is_quite_impossible(head):
    outputs = torch.full((1, head.n_outputs), 1e6).double().requires_grad_()
    for options in product(*map(range, head.options.counts)):
        found = head.log_likelihood(outputs, target_of(head, options))
        assert found.isfinite().all()
    assert head.mean(outputs).isfinite().all()


def test_every_output_and_parameter_gets_gradient(head):
    # Small, lest logarithms of scales are clamped.
    outputs = (0.5 * outputs_of(head, 6)).requires_grad_()
    choices = [[min(n, c - 1) for c in head.options.counts] for n in range(6)]
    target = torch.stack([target_of(head, options) for options in choices])
    head.log_likelihood(outputs, target).sum().backward()
    assert (outputs.grad != 0).any(dim=0).all()
    for name, parameter in head.named_parameters():
        assert (parameter.grad != 0).all(), name


def test_leading_dimensions(head):
    outputs = outputs_of(head, 4, 6)
    target = target_of(head, (1, 1, 1)).expand(6, -1)
    result = head.log_likelihood(outputs, target)
    assert result.shape == (4, 6, 3)
    for node in range(4):
        expected = head.log_likelihood(outputs[node], target)
        torch.testing.assert_close(result[node], expected)
    width = sum(widths_of(head))
    assert head.mean(outputs).shape == (4, 6, width)
    assert head.draw(outputs, make_generator(0)).shape == (4, 6, width)


def test_draws_depend_on_their_generator_only(head):
    outputs = outputs_of(head, 50)
    before = torch.random.get_rng_state()
    first, again, other = (
        head.draw(outputs, make_generator(seed)) for seed in (5, 5, 6)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(head.generate(outputs, make_generator(5)), first)


def test_both_precisions(head):
    for dtype in (torch.float32, torch.float64):
        converted = head.to(dtype)
        outputs = outputs_of(head, 3).to(dtype)
        target = target_of(head, (1, 1, 1)).to(dtype).expand(3, -1)
        assert converted.log_likelihood(outputs, target).dtype == dtype
        assert converted.mean(outputs).dtype == dtype
        assert converted.draw(outputs, make_generator(0)).dtype == dtype


class TestOrdinalHead:
    """Mixtures of log odds a_k + m v_k - s v_k^2, v_k being places round the middle."""

    @staticmethod
    def mean_of_one_component(head, location, precision):
        # Of all components alike, the mixture is any of them.
        outputs = torch.tensor([location, precision, 0.0])
        return head.mean(outputs.repeat_interleave(head.n_components))

    def test_probabilities(self):
        head = make_head("ordinal")
        outputs = outputs_of(head, 1)[0]
        # For each component, and in it for each column.
        location, precision, log_odds = outputs.reshape(3, head.n_components, 3)
        mean = head.mean(outputs).split(ORDINAL_COUNTS)
        for n, intercepts in enumerate(head.intercepts.split(ORDINAL_COUNTS)):
            place = torch.arange(len(intercepts)) - (len(intercepts) - 1) / 2
            expected = sum(
                weight * (intercepts + m * place - s * place**2).softmax(dim=0)
                for weight, m, s in zip(
                    log_odds[:, n].softmax(dim=0),
                    location[:, n],
                    precision[:, n],
                    strict=True,
                )
            )
            torch.testing.assert_close(mean[n], expected)

    def test_location_moves_along_the_order(self):
        head = OrdinalHead([5])
        at = [
            self.mean_of_one_component(head, location, 0.0) @ torch.arange(5.0)
            for location in (-2.0, -0.5, 0.0, 0.5, 2.0)
        ]
        assert all(low < high for low, high in pairwise(at))
        assert at[2].item() == pytest.approx(2)

    def test_precision_tightens_around_the_middle(self):
        head = OrdinalHead([5])
        wide, narrow = (self.mean_of_one_component(head, 0.0, s) for s in (0.0, 2.0))
        torch.testing.assert_close(wide, torch.full((5,), 0.2))
        assert narrow[2] > 0.7

    def test_both_ends_may_be_likelier_than_the_middle(self):
        head = OrdinalHead([5])
        outputs = torch.tensor([-5.0, 5.0, 0.0, 0.0, 0.0, 0.0, 3.0, 3.0, -3.0])
        mean = head.mean(outputs)
        assert (mean[[0, 4]] > 0.4).all()
        assert mean[2] < 0.05

    def test_levels_are_equally_likely_at_first(self):
        head = OrdinalHead([2, 4])
        mean = head.mean(torch.zeros(head.n_outputs))
        torch.testing.assert_close(mean, torch.tensor([0.5] * 2 + [0.25] * 4))


class TestMixedHead:
    def test_mean_is_that_of_atoms_and_scores(self):
        head = make_head("mixed")
        outputs = outputs_of(head, 5)
        mean = head.mean(outputs)
        of_scores = head.continuous.mean(outputs[:, : head.continuous.n_outputs])
        of_columns = probabilities(head, outputs)
        for n, part in enumerate(mean.split(widths_of(head), dim=-1)):
            p = of_columns[n]
            scores = torch.tensor(SCORES[n]).double()
            torch.testing.assert_close(
                part[:, 0], p[:, 0] * of_scores[:, n] + p[:, 1:] @ scores
            )
            torch.testing.assert_close(part[:, 1:], p[:, 1:])

    def test_scores_that_are_no_atoms_are_drawn_as_numbers_are(self):
        head = make_head("mixed")
        outputs = outputs_of(head, 1)
        n_of_scores = head.continuous.n_outputs
        outputs[:, n_of_scores:] = 0
        outputs[:, [n_of_scores, n_of_scores + 3, n_of_scores + 6]] = 30  # no atom
        drawn = head.draw(outputs.expand(40_000, -1), make_generator(1)).detach()
        scores = drawn[:, head.first]
        of_scores = outputs[:, :n_of_scores]
        alone = head.continuous.draw(of_scores.expand(40_000, -1), make_generator(2))
        for share in (0.1, 0.5, 0.9):
            torch.testing.assert_close(
                scores.quantile(share, dim=0),
                alone.quantile(share, dim=0),
                rtol=0,
                atol=0.06,
            )

    def test_score_of_an_atom_says_nothing(self):
        # The decoder's word on other scores gets no gradient from an atom.
        head = make_head("mixed")
        outputs = outputs_of(head, 1).requires_grad_()
        head.log_likelihood(outputs, target_of(head, (1, 1, 1))).sum().backward()
        assert (outputs.grad[:, : head.continuous.n_outputs] == 0).all()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("categorical", CategoricalHead),
        ("ordinal", OrdinalHead),
        ("discrete", DiscreteHead),
        ("mixed", MixedHead),
    ],
)
@pytest.mark.parametrize("likelihood", ["auto", "gaussian", "bernoulli"])
def test_likelihood_is_for_other_columns(kind, expected, likelihood):
    has_atoms = kind in ("discrete", "mixed")
    widths = (3, 2)
    group = ColumnGroup(kind, (0, 2), widths, 1, ((0.0, 1.0), (2.0,)) * has_atoms)
    scales = torch.arange(1.0, 7.0)
    (head,) = make_heads([group], likelihood, scales)
    assert type(head) is expected
    outputs = torch.zeros(1, head.n_outputs)
    assert head.mean(outputs).shape == (1, 5)
    if kind == "mixed":  # the spread of the scores, and not that of the atoms
        assert head.continuous.column_scales.tolist() == [2.0, 5.0]
