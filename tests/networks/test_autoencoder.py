"""The encoder, the decoder and the share of each head in it."""

import pytest
import torch
from conditioned import awaken
from torch import nn
from torch.distributions import Bernoulli, kl_divergence
from torch.distributions import Normal as NormalOfTorch

from skvae._core.columns import ColumnGroup
from skvae._core.passes import Normal
from skvae._core.random import UseGenerator, make_generator
from skvae.networks import (
    MLP,
    Autoencoder,
    BernoulliHead,
    ConvDecoder,
    ConvEncoder,
    GaussianHead,
    ImageEncoder,
    LearnedPrior,
    StandardPrior,
    make_heads,
)


@pytest.fixture
def rows():
    return torch.rand(10, 5, generator=make_generator(1))


def groups_and_heads():
    """Two groups: three Gaussian columns, then two Bernoulli ones."""
    groups = [
        ColumnGroup("continuous", columns=(0, 2, 4), widths=(1, 1, 1), start=0),
        ColumnGroup("pixels", columns=(1, 3), widths=(1, 1), start=3),
    ]
    heads = nn.ModuleList(
        [GaussianHead(torch.tensor([1.0, 2.0, 3.0])), BernoulliHead(torch.ones(2))]
    )
    return groups, heads


@pytest.fixture
def model():
    groups, heads = groups_and_heads()
    with UseGenerator(make_generator(0)):
        encoder = MLP(5, (8,), 4, "silu")
        decoder = MLP(2, (8,), 5, "silu")
    return Autoencoder(encoder, decoder, heads, groups, StandardPrior())


def test_encoder_gives_means_then_log_variances(model, rows):
    posterior = model.encode(rows)
    outputs = model.encoder(rows)
    assert torch.equal(posterior.mean, outputs[:, :2])
    assert torch.equal(posterior.log_variance, outputs[:, 2:])


def test_log_variance_is_clamped_and_the_mean_is_not(model):
    model.encoder = nn.Linear(5, 4, bias=False)
    nn.init.eye_(model.encoder.weight)
    posterior = model.encode(torch.tensor([[-99.0, 99.0, -99.0, 99.0, 0.0]]))
    assert posterior.mean.tolist() == [[-99, 99]]
    assert posterior.log_variance.tolist() == [[-20, 20]]


def test_latents_at_noise():
    posterior = Normal(torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, 2.0]]))
    at_noise = posterior.at(torch.tensor([[0.5, -1.0]]))
    expected = torch.tensor([[1.5, -2.0 - torch.e]])
    torch.testing.assert_close(at_noise, expected)


def test_latents_have_the_moments_of_the_posterior():
    posterior = Normal(torch.tensor([3.0]), torch.tensor([2.0]).log() * 2)
    noise = torch.randn(100_000, 1, generator=make_generator(0))
    latents = posterior.at(noise)
    assert latents.mean().item() == pytest.approx(3, abs=0.03)
    assert latents.std().item() == pytest.approx(2, abs=0.02)


def test_log_likelihood_is_the_sum_over_heads_of_their_own_columns(model, rows):
    latents = torch.randn(10, 2, generator=make_generator(2))
    outputs = model.decoder(latents)
    scales = 1.01 * torch.tensor([1.0, 2.0, 3.0])
    gaussian = NormalOfTorch(outputs[:, :3], scales).log_prob(rows[:, :3]).sum(dim=1)
    p = outputs[:, 3:].sigmoid()
    pixels = rows[:, 3:]
    bernoulli = (pixels * p.log() + (1 - pixels) * (1 - p).log()).sum(dim=1)
    result = model.log_likelihood(latents, rows)
    assert result.shape == (10,)
    torch.testing.assert_close(result, gaussian + bernoulli)


def test_latents_may_have_leading_dimensions(model, rows):
    latents = torch.randn(4, 10, 2, generator=make_generator(2))
    result = model.log_likelihood(latents, rows)
    assert result.shape == (4, 10)
    for node in range(4):
        expected = model.log_likelihood(latents[node], rows)
        torch.testing.assert_close(result[node], expected)


def test_mean_has_the_matrix_columns_in_order(model):
    latents = torch.randn(10, 2, generator=make_generator(2))
    outputs = model.decoder(latents)
    expected = torch.cat([outputs[:, :3], outputs[:, 3:].sigmoid()], dim=1)
    assert torch.equal(model.mean(latents), expected)


def test_draws_come_from_each_head(model):
    latents = torch.randn(1, 2, generator=make_generator(2)).expand(20_000, 2)
    draws = model.draw(latents, make_generator(0)).detach()
    assert draws.shape == (20_000, 5)
    mean = model.mean(latents[:1])[0].detach()
    scales = 1.01 * torch.tensor([1.0, 2.0, 3.0])
    torch.testing.assert_close(draws[:, :3].mean(0), mean[:3], atol=0.1, rtol=0)
    torch.testing.assert_close(draws[:, :3].std(0), scales, atol=0.1, rtol=0)
    pixels = draws[:, 3:]
    assert set(pixels.unique().tolist()) <= {0.0, 1.0}
    torch.testing.assert_close(
        pixels.mean(0), Bernoulli(mean[3:]).mean, atol=0.02, rtol=0
    )


def test_every_parameter_gets_gradient(model, rows):
    posterior = model.encode(rows)
    latents = posterior.at(torch.randn(10, 2, generator=make_generator(2)))
    model.log_likelihood(latents, rows).sum().backward()
    for name, parameter in model.named_parameters():
        assert (parameter.grad != 0).all(), name


def test_log_likelihoods_of_columns_add_up(model, rows):
    latents = torch.randn(4, 10, 2, generator=make_generator(2))
    columns = model.column_log_likelihoods(latents, rows)
    assert columns.shape == (4, 10, 5)
    expected = model.log_likelihood(latents, rows)
    torch.testing.assert_close(columns.sum(dim=-1), expected)


class TestUnknownCells:
    """NaN in rows: a column with a hole, and the column that says where it is."""

    @pytest.fixture
    def model(self):
        groups = [
            ColumnGroup("continuous", columns=(0, 2), widths=(1, 1), start=0),
            ColumnGroup("boolean", columns=(1,), widths=(1,), start=2),
            ColumnGroup("missing", columns=(2,), widths=(1,), start=3),
        ]
        heads = make_heads(groups, "gaussian", torch.ones(4))
        with UseGenerator(make_generator(0)):
            encoder, decoder = MLP(4, (8,), 4), MLP(2, (8,), 4)
        return Autoencoder(encoder, decoder, heads, groups, StandardPrior())

    @pytest.fixture
    def holey(self):
        rows = torch.rand(10, 4, generator=make_generator(1))
        rows[:, 2:] = (rows[:, 2:] > 0.5).float()
        rows[2, 1], rows[3, :], rows[4, 2] = torch.nan, torch.nan, torch.nan
        return rows

    def test_networks_read_0_there_and_that_what_may_be_missing_is(self, model, holey):
        filled = model.filled(holey)
        assert filled[2, 1] == filled[4, 2] == 0
        assert filled[3].tolist() == [0, 0, 0, 1]
        is_known = ~holey.isnan()
        assert torch.equal(filled[is_known], holey[is_known])
        posterior = model.encode(holey)
        assert torch.equal(posterior.mean, model.encode(filled).mean)
        assert torch.equal(posterior.log_variance, model.encode(filled).log_variance)

    def test_likelihood_is_that_of_what_is_known(self, model, holey):
        latents = torch.randn(10, 2, generator=make_generator(2))
        columns = model.column_log_likelihoods(latents, holey)
        assert torch.equal(columns == 0, holey.isnan())
        full = model.column_log_likelihoods(latents, model.filled(holey))
        is_known = ~holey.isnan()
        assert torch.equal(columns[is_known], full[is_known])
        found = model.log_likelihood(latents, holey)
        torch.testing.assert_close(found, columns.sum(dim=1))
        assert found[3] == 0

    def test_every_parameter_gets_a_finite_gradient(self, model, holey):
        passed = model(holey, torch.randn(10, 2, generator=make_generator(2)))
        (passed.kl.sum() - passed.log_likelihood.sum()).backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad.isfinite().all(), name
            assert (parameter.grad != 0).any(), name

    def test_stand_ins_are_stored_and_not_learned(self, model):
        assert model.stand_ins.tolist() == [0, 0, 0, 1]
        assert "stand_ins" in model.state_dict()
        assert not model.stand_ins.requires_grad


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=make_generator(seed))


N_CONDITIONS = 3


@pytest.fixture
def conditional():
    """The same columns given a condition, which has an effect."""
    groups, heads = groups_and_heads()
    with UseGenerator(make_generator(0)):
        encoder = MLP(5, (8,), 4, n_conditions=N_CONDITIONS)
        decoder = MLP(2, (8,), 5, n_conditions=N_CONDITIONS)
        prior = LearnedPrior(2, N_CONDITIONS)
        nn.init.normal_(prior.moments.output.linear.weight)
    model = Autoencoder(
        encoder, decoder, heads, groups, prior, n_conditions=N_CONDITIONS
    )
    return awaken(model)


@pytest.fixture
def rows_given(rows):
    """Rows with a condition, and the same rows with that of other rows."""
    condition = draws(10, N_CONDITIONS, seed=3)
    return torch.cat([rows, condition], 1), torch.cat([rows, condition.flip(0)], 1)


def test_rows_without_a_condition_are_all_values(model, rows):
    values, condition = model.split(rows)
    assert values is rows
    assert condition is None


def test_rows_are_values_followed_by_the_condition(conditional, rows, rows_given):
    values, condition = conditional.split(rows_given[0])
    assert torch.equal(values, rows)
    assert torch.equal(condition, draws(10, N_CONDITIONS, seed=3))


def test_a_pass_is_made_of_its_parts(model, rows):
    noise = draws(10, 2, seed=4)
    passed = model(rows, noise)
    posterior = model.encode(rows)
    assert torch.equal(passed.posterior.mean, posterior.mean)
    assert torch.equal(passed.posterior.log_variance, posterior.log_variance)
    assert torch.equal(passed.latents, posterior.at(noise))
    expected = model.log_likelihood(passed.latents, rows)
    assert torch.equal(passed.log_likelihood, expected)
    assert torch.equal(passed.kl, posterior.kl_to_standard())
    assert passed.condition is None


def test_a_conditional_pass_is_made_of_its_parts(conditional, rows_given):
    rows, _ = rows_given
    noise = draws(10, 2, seed=4)
    passed = conditional(rows, noise)
    posterior = conditional.encode(rows)
    assert torch.equal(passed.posterior.mean, posterior.mean)
    assert torch.equal(passed.posterior.log_variance, posterior.log_variance)
    assert torch.equal(passed.latents, posterior.at(noise))
    expected = conditional.log_likelihood(passed.latents, rows)
    assert torch.equal(passed.log_likelihood, expected)
    assert torch.equal(passed.kl, posterior.kl_to_standard())
    assert torch.equal(passed.condition, conditional.split(rows)[1])


class TestUnitsOfThePrior:
    """Latents outside the networks are in units of the prior, those inside are not."""

    @pytest.fixture(params=["condition", "no condition"])
    def model(self, request, model, conditional):
        """A model whose learned prior is not the standard normal, in float64."""
        if request.param == "condition":
            return conditional.double()
        model.prior = LearnedPrior(2, 0)
        with torch.no_grad():
            model.prior.moments.copy_(torch.tensor([[1.0, -2.0, 0.5, -1.5]]))
        return model.double()

    @pytest.fixture
    def rows(self, model, rows, rows_given):
        return (rows_given[0] if model.n_conditions else rows).double()

    @pytest.fixture
    def condition(self, model, rows):
        return model.split(rows)[1]

    @staticmethod
    def given(condition):
        return [] if condition is None else [condition]

    @staticmethod
    def assert_close(found, expected):
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)

    def absolute_posterior(self, model, rows):
        """What the encoder says, as a distribution of torch."""
        values, condition = model.split(rows)
        outputs = model.encoder(values, *self.given(condition))
        mean, log_variance = outputs.chunk(2, dim=1)
        return NormalOfTorch(mean, (log_variance / 2).exp())

    def prior(self, model, condition):
        mean, log_variance = model.prior.normal(condition)
        return NormalOfTorch(mean, (log_variance / 2).exp())

    def test_posterior_is_that_of_the_encoder(self, model, rows, condition):
        absolute, prior = (
            self.absolute_posterior(model, rows),
            self.prior(model, condition),
        )
        mean, log_variance = model.encode(rows)
        assert not torch.isclose(mean, absolute.mean).any()
        self.assert_close(mean, (absolute.mean - prior.mean) / prior.stddev)
        self.assert_close((log_variance / 2).exp(), absolute.stddev / prior.stddev)

    def test_kl_is_that_to_the_learned_prior(self, model, rows, condition):
        passed = model(rows, draws(10, 2, seed=4).double())
        expected = kl_divergence(
            self.absolute_posterior(model, rows), self.prior(model, condition)
        )
        self.assert_close(passed.kl, expected)

    def test_decoder_reads_absolute_latents(self, model, rows, condition):
        # A pass at some noise decodes the draw from the absolute posterior at it.
        noise = draws(10, 2, seed=4).double()
        passed = model(rows, noise)
        posterior = self.absolute_posterior(model, rows)
        absolute = posterior.mean + posterior.stddev * noise
        assert not torch.isclose(passed.latents, absolute).any()
        outputs = model.decoder(absolute, *self.given(condition))
        shares = outputs.split([head.n_outputs for head in model.heads], dim=1)
        values, _ = model.split(rows)
        expected = sum(
            head.log_likelihood(share, values[:, group.matrix_columns]).sum(dim=1)
            for head, group, share in zip(
                model.heads, model.groups, shares, strict=True
            )
        )
        self.assert_close(passed.log_likelihood, expected)
        means = [h.mean(out) for h, out in zip(model.heads, shares, strict=True)]
        found = model.mean(passed.latents, condition)
        self.assert_close(found, torch.cat(means, dim=1))

    def test_leading_dimensions_are_made_absolute_alike(self, model, rows, condition):
        latents = draws(4, 10, 2).double()
        prior = self.prior(model, condition)
        absolute = prior.mean + prior.stddev * latents
        means = model.mean(latents, condition)
        log_likelihood = model.log_likelihood(latents, rows)
        model.prior = StandardPrior()
        self.assert_close(means, model.mean(absolute, condition))
        self.assert_close(log_likelihood, model.log_likelihood(absolute, rows))

    @pytest.mark.parametrize("method", ["draw", "generate"])
    def test_draws_are_decoded_from_absolute_latents(self, model, condition, method):
        latents = draws(10, 2).double()
        prior = self.prior(model, condition)
        absolute = prior.mean + prior.stddev * latents
        found = getattr(model, method)(latents, make_generator(5), condition)
        model.prior = StandardPrior()
        expected = getattr(model, method)(absolute, make_generator(5), condition)
        self.assert_close(found, expected)


def test_condition_of_another_row_changes_every_part(conditional, rows_given):
    passed, other = (conditional(rows, draws(10, 2, seed=4)) for rows in rows_given)
    for name, part, part_of_other in zip(passed._fields, passed, other, strict=True):
        if name != "posterior":
            assert not torch.isclose(part, part_of_other).any(), name
    assert not torch.isclose(passed.posterior.mean, other.posterior.mean).any()
    latents = draws(10, 2)
    first, second = (
        conditional.mean(latents, conditional.split(rows)[1]) for rows in rows_given
    )
    assert not torch.isclose(first, second).any()


def test_every_parameter_of_a_conditional_model_gets_gradient(conditional, rows_given):
    passed = conditional(rows_given[0], draws(10, 2, seed=4))
    (passed.kl.sum() - passed.log_likelihood.sum()).backward()
    for name, parameter in conditional.named_parameters():
        assert (parameter.grad != 0).all(), name


def test_leading_dimensions_given_a_condition(conditional, rows_given):
    rows, _ = rows_given
    condition = conditional.split(rows)[1]
    latents = draws(4, 10, 2)
    log_likelihood = conditional.log_likelihood(latents, rows)
    mean = conditional.mean(latents, condition)
    assert log_likelihood.shape == (4, 10)
    assert mean.shape == (4, 10, 5)
    for node in range(4):
        expected = conditional.log_likelihood(latents[node], rows)
        torch.testing.assert_close(log_likelihood[node], expected)
        expected = conditional.mean(latents[node], condition)
        torch.testing.assert_close(mean[node], expected)


@pytest.mark.parametrize("method", ["draw", "generate"])
def test_draws_given_a_condition(conditional, rows_given, method):
    latents = draws(10, 2)
    first, again, other = (
        getattr(conditional, method)(latents, make_generator(5), condition)
        for condition in (
            conditional.split(rows_given[0])[1],
            conditional.split(rows_given[0])[1],
            conditional.split(rows_given[1])[1],
        )
    )
    assert first.shape == (10, 5)
    assert torch.equal(first, again)
    assert not torch.isclose(first[:, :3], other[:, :3]).any()


IMAGE_SHAPE = (2, 9, 7)
N_PIXELS = 2 * 9 * 7


def image_model(n_conditions):
    groups = [ColumnGroup("pixel", (0,), (N_PIXELS,), start=0)]
    heads = nn.ModuleList([BernoulliHead(torch.ones(N_PIXELS))])
    with UseGenerator(make_generator(0)):
        body = ConvEncoder(IMAGE_SHAPE, (8,), 4, n_conditions=n_conditions)
        decoder = ConvDecoder(2, (8,), IMAGE_SHAPE, n_conditions=n_conditions)
    encoder, prior = ImageEncoder(body, IMAGE_SHAPE), StandardPrior()
    model = Autoencoder(
        encoder, decoder, heads, groups, prior, n_conditions=n_conditions
    )
    return awaken(model)


@pytest.mark.parametrize("n_conditions", [0, N_CONDITIONS])
class TestImages:
    """Rows of pixels, of which the bodies make images."""

    def rows(self, n_conditions):
        pixels = torch.rand(6, N_PIXELS, generator=make_generator(1))
        return torch.cat([pixels, draws(6, n_conditions, seed=3)], dim=1)

    def test_encoder_sees_channels_then_rows_then_columns(self, n_conditions):
        model, rows = image_model(n_conditions), self.rows(n_conditions)
        values, condition = model.split(rows)
        given = [] if condition is None else [condition]
        expected = model.encoder.body(values.reshape(6, *IMAGE_SHAPE), *given)
        mean, log_variance = model.encode(rows)
        assert torch.equal(torch.cat([mean, log_variance], dim=1), expected)

    def test_mean_has_the_pixels_in_the_order_of_the_rows(self, n_conditions):
        model, rows = image_model(n_conditions), self.rows(n_conditions)
        _, condition = model.split(rows)
        given = [] if condition is None else [condition]
        latents = draws(6, 2)
        images = model.decoder(latents, *given).sigmoid()
        expected = images.reshape(6, N_PIXELS)
        assert torch.equal(model.mean(latents, condition), expected)

    def test_leading_dimensions(self, n_conditions):
        model, rows = image_model(n_conditions), self.rows(n_conditions)
        latents = draws(4, 6, 2)
        result = model.log_likelihood(latents, rows)
        assert result.shape == (4, 6)
        for node in range(4):
            expected = model.log_likelihood(latents[node], rows)
            torch.testing.assert_close(result[node], expected)

    def test_every_parameter_gets_gradient(self, n_conditions):
        model, rows = image_model(n_conditions), self.rows(n_conditions)
        passed = model(rows, draws(6, 2))
        (passed.kl.sum() - passed.log_likelihood.sum()).backward()
        for name, parameter in model.named_parameters():
            assert (parameter.grad != 0).any(), name
