"""Columns that are as asked: their mass, and draws of them, by brute force."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import kstest, norm, truncnorm
from torch import nn

from skvae._core.columns import ColumnGroup
from skvae._core.random import make_generator
from skvae.networks import (
    Asked,
    BernoulliHead,
    BooleanHead,
    CategoricalHead,
    DiscreteHead,
    GaussianHead,
    MixedHead,
    NormalMixtureHead,
    OrdinalHead,
    PixelGaussianHead,
)
from skvae.networks._autoencoder import LatentVariableModel
from skvae.networks._heads import LEAST_LOG_MASS

N_DRAWS = 40_000
COUNTS = (3, 2, 4)
SCORES = ((-1.0, 0.5), (0.25, 2.0), (-2.0, 0.0, 1.5))
SPREAD = torch.tensor([0.5, 1.0, 2.0])
# The width that each of the three columns has in the matrix.
WIDTHS = {
    "gaussian": (1, 1, 1),
    "pixels": (1, 1, 1),
    "mixture": (1, 1, 1),
    "boolean": (1, 1, 1),
    "categorical": COUNTS,
    "ordinal": COUNTS,
    "discrete": (3, 3, 4),
    "mixed": (3, 3, 4),
}
NAMES = list(WIDTHS)
OF_OPTIONS = ["categorical", "ordinal", "discrete"]


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=make_generator(seed), dtype=torch.float64)


def make_head(name):
    heads = {
        "gaussian": lambda: GaussianHead(SPREAD),
        "pixels": lambda: PixelGaussianHead(SPREAD),
        "mixture": lambda: NormalMixtureHead(SPREAD),
        "boolean": lambda: BooleanHead(SPREAD),
        "categorical": lambda: CategoricalHead(COUNTS),
        "ordinal": lambda: OrdinalHead(COUNTS),
        "discrete": lambda: DiscreteHead(SCORES),
        "mixed": lambda: MixedHead(SCORES, SPREAD),
    }
    return heads[name]().double().requires_grad_(False)


def anything(name):
    """Return a request that all columns meet."""
    ends = torch.full((sum(WIDTHS[name]),), torch.inf).double()
    return Asked(-ends, ends, torch.ones_like(ends))


def something(name):
    """Return a request that some columns meet: a range, two options of three."""
    low, high, allowed = anything(name)
    two_of_three = torch.arange(len(allowed)) % 3 != 1
    return Asked(low.fill_(-0.5), high.fill_(1.0), two_of_three.double())


def nothing(name):
    """Return a request that no column meets."""
    low, high, allowed = anything(name)
    return Asked(high, low, 0 * allowed)


def are_within(name, columns, asked):
    """Return whether columns are as asked, of shape (n_rows, 3)."""
    is_within = []
    for place in torch.arange(sum(WIDTHS[name])).split(WIDTHS[name]):
        low, high, allowed = asked.of(place)
        part = columns[:, place]
        in_range = (low[0] <= part[:, 0]) & (part[:, 0] <= high[0])
        if name == "boolean":
            in_range = torch.ones_like(in_range)
        elif name in ("categorical", "ordinal"):
            in_range = part @ allowed == 1
        elif name == "discrete":
            in_range = part[:, 1:] @ allowed[1:] == 1
        elif name == "mixed":
            is_number = part[:, 1:].sum(dim=1) == 0
            as_number = in_range & (allowed[0] == 1)
            in_range = torch.where(is_number, as_number, part[:, 1:] @ allowed[1:] == 1)
        is_within.append(in_range)
    return torch.stack(is_within, dim=1)


def assert_drawn_alike(found, expected):
    """Compare draws by their means, and by quantiles where there are any numbers."""
    torch.testing.assert_close(
        found.mean(dim=0), expected.mean(dim=0), rtol=0, atol=0.04
    )
    for column in range(found.shape[1]):
        if len(expected[:, column].unique()) > 5:
            both = (part[:, column].numpy() for part in (found, expected))
            assert kstest(*both).statistic < 0.04


def test_what_is_asked_of_some_columns():
    asked = Asked(*(torch.arange(5.0) + start for start in (0, 10, 20)))
    some = asked.of(slice(1, 3))
    assert [part.tolist() for part in some] == [[1, 2], [11, 12], [21, 22]]
    some = asked.of(torch.tensor([4, 0]))
    assert [part.tolist() for part in some] == [[4, 0], [14, 10], [24, 20]]


@pytest.mark.parametrize("name", NAMES)
class TestEveryHead:
    def test_mass_is_the_share_of_draws_that_lie_within(self, name):
        head, asked = make_head(name), something(name)
        outputs = 0.5 * draws(1, head.n_outputs)
        plain = head.draw(outputs.expand(N_DRAWS, -1), make_generator(1))
        share = are_within(name, plain, asked).double().mean(dim=0)
        mass = head.log_mass(outputs, asked)[0].exp()
        torch.testing.assert_close(mass, share, rtol=0, atol=0.01)

    def test_draws_are_those_that_lie_within(self, name):
        head, asked = make_head(name), something(name)
        outputs = 0.5 * draws(1, head.n_outputs)
        rows = outputs.expand(N_DRAWS, -1)
        found = head.draw_asked(rows, asked, make_generator(2))
        plain = head.draw(rows, make_generator(1))
        is_within = are_within(name, plain, asked)
        start = 0
        for column, width in enumerate(WIDTHS[name]):
            part = slice(start, start + width)
            kept = plain[is_within[:, column], part]
            assert len(kept) > 1000
            assert_drawn_alike(found[:, part], kept)
            start += width

    def test_draws_always_lie_within(self, name):
        head, asked = make_head(name), something(name)
        outputs = 3 * draws(2000, head.n_outputs)
        found = head.draw_asked(outputs, asked, make_generator(1))
        assert are_within(name, found, asked).all()

    def test_where_nothing_is_asked_the_mass_is_1(self, name):
        head = make_head(name)
        mass = head.log_mass(3 * draws(50, head.n_outputs), anything(name))
        torch.testing.assert_close(mass, torch.zeros(50, 3).double())

    def test_where_nothing_is_asked_draws_are_as_ever(self, name):
        head = make_head(name)
        rows = (0.5 * draws(1, head.n_outputs)).expand(N_DRAWS, -1)
        found = head.draw_asked(rows, anything(name), make_generator(2))
        assert_drawn_alike(found, head.draw(rows, make_generator(1)))

    def test_where_nothing_can_be_all_is_finite(self, name):
        head = make_head(name)
        outputs = 3 * draws(50, head.n_outputs)
        mass = head.log_mass(outputs, nothing(name))
        assert mass.isfinite().all()
        assert (mass >= LEAST_LOG_MASS).all()

    def test_far_from_all_that_is_asked_all_is_finite(self, name):
        head = make_head(name)
        low, high, allowed = something(name)
        asked = Asked(low + 1e9, high + 1e9, allowed)
        outputs = 1e6 * draws(50, head.n_outputs)
        assert head.log_mass(outputs, asked).isfinite().all()
        found = head.draw_asked(outputs, asked, make_generator(1))
        assert found.isfinite().all()
        assert are_within(name, found, asked).all()

    def test_leading_dimensions(self, name):
        head, asked = make_head(name), something(name)
        outputs = draws(4, 6, head.n_outputs)
        mass = head.log_mass(outputs, asked)
        assert mass.shape == (4, 6, 3)
        for node in range(4):
            alone = head.log_mass(outputs[node], asked)
            torch.testing.assert_close(mass[node], alone)
        drawn = head.draw_asked(outputs, asked, make_generator(0))
        assert drawn.shape == (4, 6, sum(WIDTHS[name]))
        assert are_within(name, drawn.flatten(0, 1), asked).all()

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_precision_is_kept(self, name, dtype):
        head = make_head(name).to(dtype)
        asked = Asked(*(part.to(dtype) for part in something(name)))
        outputs = draws(5, head.n_outputs).to(dtype)
        assert head.log_mass(outputs, asked).dtype == dtype
        assert head.draw_asked(outputs, asked, make_generator(0)).dtype == dtype

    def test_draws_depend_on_their_generator_only(self, name):
        head, asked = make_head(name), something(name)
        outputs = draws(50, head.n_outputs)
        before = torch.random.get_rng_state()
        first, again, other = (
            head.draw_asked(outputs, asked, make_generator(seed)) for seed in (5, 5, 6)
        )
        assert torch.equal(first, again)
        assert not torch.equal(first, other)
        assert torch.equal(torch.random.get_rng_state(), before)


def normal_head():
    """Return the head of one column, standard normal."""
    head = GaussianHead(torch.ones(1, dtype=torch.float64)).requires_grad_(False)
    head.log_ratio.fill_(math.log(0.99))
    return head


def between(low, high):
    ends = torch.tensor([[low], [high]], dtype=torch.float64)
    return Asked(*ends, torch.ones(1).double())


TAILS = [
    (-1.0, 2.0),
    (0.0, 1e-3),
    (5.0, 6.0),
    (7.5, 8.0),
    (9.0, 10.0),
    (11.0, math.inf),
    (3.0, math.inf),
    (-math.inf, 0.5),
]


@pytest.mark.parametrize("is_mirrored", [False, True])
class TestNormals:
    @pytest.mark.parametrize(("low", "high"), [*TAILS, (30.0, 31.0), (100.0, 101.0)])
    def test_mass(self, low, high, is_mirrored):
        ends = (-high, -low) if is_mirrored else (low, high)
        found = normal_head().log_mass(torch.zeros(1, 1).double(), between(*ends))
        if math.isinf(high):
            expected = norm.logsf(low)
        elif math.isinf(low):
            expected = norm.logcdf(high)
        else:  # relative to the density at the lower end, lest it underflow
            peak = norm.logpdf(low)
            area, _ = quad(lambda x: np.exp(norm.logpdf(x) - peak), low, high)
            expected = peak + np.log(area)
        assert found.item() == pytest.approx(expected, rel=1e-10)

    @pytest.mark.parametrize(("low", "high"), TAILS)
    def test_draws(self, low, high, is_mirrored):
        ends = (-high, -low) if is_mirrored else (low, high)
        outputs = torch.zeros(20_000, 1).double()
        drawn = normal_head().draw_asked(outputs, between(*ends), make_generator(0))
        assert kstest(drawn.ravel().numpy(), truncnorm(*ends).cdf).statistic < 0.015

    def test_draws_farther_out_than_shares_are_known_lie_at_the_near_end(
        self, is_mirrored
    ):
        ends = (-21.0, -20.0) if is_mirrored else (20.0, 21.0)
        outputs = torch.zeros(100, 1).double()
        drawn = normal_head().draw_asked(outputs, between(*ends), make_generator(0))
        assert (drawn.abs() - 20 < 0.1).all()

    def test_mass_of_a_range_falls_with_its_distance(self, is_mirrored):
        sign = -1.0 if is_mirrored else 1.0
        means = -sign * torch.arange(0.0, 140.0)[:, None].double()
        mass = normal_head().log_mass(means, between(-0.5, 0.5))
        assert (mass.ravel().diff() < 0).all()


def test_a_range_of_one_point_has_the_least_mass():
    head, outputs = normal_head(), torch.zeros(20, 1).double()
    assert (head.log_mass(outputs, between(0.3, 0.3)) == LEAST_LOG_MASS).all()
    assert (head.draw_asked(outputs, between(0.3, 0.3), make_generator(0)) == 0.3).all()


def test_mass_of_a_mixture_is_that_of_its_normals():
    head = make_head("mixture")
    outputs = draws(8, head.n_outputs)
    mean, scale, log_weight = (part.numpy() for part in head.components(outputs))
    parts = norm(mean, scale).cdf(1.0) - norm(mean, scale).cdf(-0.5)
    expected = np.log((np.exp(log_weight) * parts).sum(axis=-1))
    found = head.log_mass(outputs, something("mixture"))
    torch.testing.assert_close(found, torch.as_tensor(expected), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", OF_OPTIONS)
def test_mass_of_options_is_the_sum_of_their_probabilities(name):
    head, asked = make_head(name), something(name)
    outputs = 3 * draws(8, head.n_outputs)
    weighed = head.mean(outputs) * asked.allowed
    expected = torch.stack(
        [
            part[:, name == "discrete" :].sum(dim=1)
            for part in weighed.split(WIDTHS[name], dim=1)
        ],
        dim=1,
    )
    torch.testing.assert_close(head.log_mass(outputs, asked), expected.log())


@pytest.mark.parametrize("name", OF_OPTIONS)
def test_where_no_option_may_be_the_mass_is_least_and_one_is_drawn(name):
    head = make_head(name)
    outputs = draws(20, head.n_outputs)
    assert (head.log_mass(outputs, nothing(name)) == LEAST_LOG_MASS).all()
    drawn = head.draw_asked(outputs, nothing(name), make_generator(0))
    assert drawn.isfinite().all()


def test_an_option_that_may_not_be_is_never_drawn_however_likely():
    head = CategoricalHead([3]).double()
    outputs = torch.tensor([60.0, 60.0, -60.0]).double().expand(N_DRAWS, -1)
    ends = torch.full((3,), torch.inf).double()
    asked = Asked(-ends, ends, torch.tensor([0.0, 0.0, 1.0]).double())
    drawn = head.draw_asked(outputs, asked, make_generator(0))
    assert (drawn == asked.allowed).all()


class TestNumbersWithAtoms:
    """A column that is 0, 1, or any number, with probabilities .2, .3 and .5."""

    @staticmethod
    def head_and_outputs(n_rows):
        head = MixedHead([[0.0, 1.0]], torch.ones(1)).double()
        outputs = torch.zeros(n_rows, head.n_outputs).double()
        outputs[:, -3:] = torch.tensor([0.5, 0.2, 0.3]).log()
        return head, outputs

    @staticmethod
    def asked(low, high, allowed):
        ends = torch.tensor([[low] + [-torch.inf] * 2, [high] + [torch.inf] * 2])
        return Asked(*ends.double(), torch.tensor(allowed).double())

    @pytest.mark.parametrize(
        ("allowed", "expected"),
        [
            ([0, 1, 1], 0.5),
            ([0, 0, 1], 0.3),
            ([1, 1, 0], 0.7),
            ([1, 0, 0], 0.5),
        ],
    )
    def test_atoms_and_other_numbers_may_be_asked_for(self, allowed, expected):
        head, outputs = self.head_and_outputs(500)
        asked = self.asked(-math.inf, math.inf, allowed)
        mass = head.log_mass(outputs, asked).exp()
        torch.testing.assert_close(mass, torch.full((500, 1), expected).double())
        drawn = head.draw_asked(outputs, asked, make_generator(0))
        chosen = torch.column_stack([1 - drawn[:, 1:].sum(dim=1), drawn[:, 1:]])
        assert (chosen.sum(dim=0) > 0).double().tolist() == allowed

    def test_mass_of_a_range_is_that_of_numbers_and_atoms_in_it(self):
        head, outputs = self.head_and_outputs(1)
        scale = 1.01  # of a ratio of 1, above the floor
        number = norm(0, scale).cdf(2.0) - norm(0, scale).cdf(0.5)
        mass = head.log_mass(outputs, self.asked(0.5, 2.0, [1, 0, 1])).exp()
        assert mass.item() == pytest.approx(0.5 * number + 0.3)

    def test_a_range_far_out_is_drawn_all_the_same(self):
        head, outputs = self.head_and_outputs(1000)
        asked = self.asked(20.0, 21.0, [1, 0, 0])
        drawn = head.draw_asked(outputs, asked, make_generator(0))
        assert drawn[:, 0].min() >= 20
        assert (drawn[:, 1:] == 0).all()

    def test_mass_of_a_range_falls_with_its_distance(self):
        head, outputs = self.head_and_outputs(1)
        masses = [
            head.log_mass(outputs, self.asked(low, low + 1, [1, 0, 0])).item()
            for low in (5.0, 20.0, 50.0, 100.0)
        ]
        assert (np.diff(masses) < -50).all()


def test_truths_are_drawn_as_ever():
    head, outputs = make_head("boolean"), draws(30, 3)
    drawn = head.draw_asked(outputs, nothing("boolean"), make_generator(3))
    assert torch.equal(drawn, head.draw(outputs, make_generator(3)))


@pytest.mark.parametrize("method", ["log_mass", "draw_asked"])
def test_of_numbers_under_a_cross_entropy_nothing_can_be_asked(method):
    head = BernoulliHead(torch.ones(3))
    arguments = [make_generator(0)] * (method == "draw_asked")
    with pytest.raises(NotImplementedError):
        getattr(head, method)(torch.zeros(1, 3), anything("boolean"), *arguments)


class LinearModel(LatentVariableModel):
    """Three numbers, two of them with atoms, and a category of four levels.

    The condition shifts what the heads read.
    """

    def __init__(self):
        heads = nn.ModuleList(
            [
                GaussianHead(torch.ones(1)),
                MixedHead(SCORES[:2], SPREAD[:2]),
                CategoricalHead([4]),
            ]
        )
        groups = [
            ColumnGroup("continuous", (2,), (1,), 0),
            ColumnGroup("mixed", (0, 3), (3, 3), 1, SCORES[:2]),
            ColumnGroup("categorical", (1,), (4,), 7),
        ]
        super().__init__(heads, groups, n_conditions=1)
        n_outputs = sum(head.n_outputs for head in heads)
        self.weight = nn.Parameter(0.5 * draws(2, n_outputs, seed=3))

    def outputs(self, latents, condition=None):
        return latents @ self.weight + condition


class TestModel:
    LATENTS = draws(1, 2, seed=4)
    CONDITION = torch.full((1, 1), 0.3).double()

    @pytest.fixture
    def model(self):
        return LinearModel().double().requires_grad_(False)

    @pytest.fixture
    def asked(self):
        low, high = torch.full((11,), -0.8), torch.full((11,), 1.2)
        allowed = torch.tensor([1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 1])
        return Asked(low.double(), high.double(), allowed.double())

    def row(self, **known):
        """Return a row of which nothing is known but some matrix columns."""
        row = torch.full((1, 11), torch.nan).double()
        for column, value in known.items():
            row[0, int(column[1:])] = value
        return torch.cat([row, self.CONDITION], dim=1)

    def test_mass_is_the_share_of_draws_that_lie_within(self, model, asked):
        plain = model.draw(
            self.LATENTS.expand(N_DRAWS, -1),
            make_generator(0),
            self.CONDITION.expand(N_DRAWS, -1),
        )
        parts = plain.split([1, 6, 4], dim=1)
        of_parts = [asked.of(group.matrix_columns) for group in model.groups]
        is_number = (parts[0] >= -0.8) & (parts[0] <= 1.2)
        is_level = parts[2] @ of_parts[2].allowed == 1
        # Of the columns with atoms there are two here, and three elsewhere.
        padded = torch.cat([parts[1], torch.zeros(N_DRAWS, 4).double()], dim=1)
        of_padded = Asked(*(torch.cat([p, p[:4]]) for p in of_parts[1]))
        is_mixed = are_within("mixed", padded, of_padded)[:, :2].all(dim=1)
        share = (is_number.ravel() & is_mixed & is_level).double().mean()
        mass = model.log_mass(self.LATENTS, self.row(), asked).exp()
        assert mass.shape == (1,)
        assert mass.item() == pytest.approx(share.item(), abs=0.01)

    def test_known_cells_count_by_their_likelihood(self, model, asked):
        low, high, allowed = (part.clone() for part in asked)
        low[0], high[0] = -torch.inf, torch.inf  # what is known is not asked as well
        asked = Asked(low, high, allowed)
        row = self.row(c0=0.4)
        found = model.log_mass(self.LATENTS, row, asked)
        without = model.log_mass(self.LATENTS, self.row(), asked)
        density = model.log_likelihood(self.LATENTS, row)
        assert density.item() != 0
        torch.testing.assert_close(found, without + density)

    def test_draws_of_all_heads_are_as_asked(self, model, asked):
        drawn = model.draw_asked(
            draws(500, 2), asked, make_generator(0), self.CONDITION.expand(500, -1)
        )
        assert drawn.shape == (500, 11)
        assert ((drawn[:, 0] >= -0.8) & (drawn[:, 0] <= 1.2)).all()
        for first in (1, 4):
            is_number = drawn[:, first + 1 : first + 3].sum(dim=1) == 0
            numbers = drawn[is_number, first]
            assert ((numbers >= -0.8) & (numbers <= 1.2)).all()
        assert (drawn[:, [3, 5, 8]] == 0).all()
        assert (drawn[:, 7:].sum(dim=1) == 1).all()

    def test_the_condition_counts(self, model, asked):
        other = self.row()
        other[0, -1] = -2.0
        masses = [
            model.log_mass(self.LATENTS, row, asked).item()
            for row in (self.row(), other)
        ]
        assert masses[0] != masses[1]
