"""A second stage for what the first one left: what it reads, and what it corrects."""

import pytest
import torch
from conditioned import awaken
from torch import nn
from torch.distributions import Normal as NormalOfTorch

from skvae._core.columns import ColumnGroup
from skvae._core.random import UseGenerator, make_generator
from skvae.networks import (
    MLP,
    Autoencoder,
    BernoulliHead,
    Beside,
    ConvDecoder,
    ConvEncoder,
    GaussianHead,
    ImageEncoder,
    StandardPrior,
    TwoStageAutoencoder,
)

N_FACTORS, N_RESIDUALS, WIDTH, N_CONDITIONS = 2, 3, 5, 2
N_LATENTS = N_FACTORS + N_RESIDUALS


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=make_generator(seed))


def groups_and_heads():
    """Two groups: three Gaussian columns, then two Bernoulli ones."""
    groups = [
        ColumnGroup("continuous", columns=(0, 2, 4), widths=(1, 1, 1), start=0),
        ColumnGroup("pixels", columns=(1, 3), widths=(1, 1), start=3),
    ]
    scales = torch.tensor([1.0, 2.0, 3.0])
    return groups, nn.ModuleList([GaussianHead(scales), BernoulliHead(torch.ones(2))])


def make_first(n_conditions=0, dropout=0.0):
    groups, heads = groups_and_heads()
    settings = {"n_conditions": n_conditions, "dropout": dropout}
    return Autoencoder(
        MLP(WIDTH, (8,), 2 * N_FACTORS, **settings),
        MLP(N_FACTORS, (8,), WIDTH, **settings),
        heads,
        groups,
        StandardPrior(),
        n_conditions=n_conditions,
    )


def make_decoder(fusion):
    if fusion == "film":
        return MLP(N_RESIDUALS, (8,), WIDTH, n_conditions=WIDTH)
    return Beside(MLP(N_RESIDUALS + WIDTH, (8,), WIDTH))


def make_model(fusion="film", dropout=0.0, **settings):
    """Return two stages, in which conditions and fusion have an effect."""
    with UseGenerator(make_generator(0)):
        first = make_first(dropout=dropout, **settings)
        encoder = MLP(WIDTH, (8,), 2 * N_RESIDUALS, dropout=dropout)
        decoder = make_decoder(fusion)
    _, heads = groups_and_heads()
    return awaken(TwoStageAutoencoder(first, encoder, decoder, heads, N_FACTORS))


@pytest.fixture(params=["film", "concat"])
def model(request):
    return make_model(request.param)


@pytest.fixture
def rows():
    return torch.rand(10, WIDTH, generator=make_generator(1))


@pytest.fixture
def conditional():
    return make_model(n_conditions=N_CONDITIONS)


@pytest.fixture
def rows_given(rows):
    """Rows with a condition, and the same rows with that of other rows."""
    condition = draws(10, N_CONDITIONS, seed=3)
    return torch.cat([rows, condition], 1), torch.cat([rows, condition.flip(0)], 1)


class TestFirstStageIsFrozen:
    def test_it_stays_in_evaluation_mode_while_the_second_trains(self, rows):
        model = make_model(dropout=0.5).train()
        assert model.training
        assert model.encoder.training
        assert model.decoder.training
        assert not any(module.training for module in model.first.modules())
        once, again = model.encode(rows), model.encode(rows)
        alone = model.first.encode(rows)
        for n in range(2):
            assert torch.equal(once[n][:, :N_FACTORS], alone[n])
            assert not torch.equal(once[n], again[n])

    def test_both_stages_evaluate(self):
        model = make_model(dropout=0.5).train().eval()
        assert not any(module.training for module in model.modules())

    def test_it_gets_no_gradient_and_every_other_parameter_gets_some(self, model, rows):
        passed = model(rows, draws(10, N_LATENTS))
        (passed.kl.sum() - passed.log_likelihood.sum()).backward()
        for name, parameter in model.named_parameters():
            if name.startswith("first."):
                assert parameter.grad is None, name
                assert not parameter.requires_grad, name
            else:
                assert (parameter.grad != 0).any(), name

    def test_optimiser_leaves_it_as_it_was(self, model, rows):
        before = {k: v.clone() for k, v in model.first.state_dict().items()}
        optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
        for _ in range(3):
            optimiser.zero_grad()
            model(rows, draws(10, N_LATENTS)).log_likelihood.sum().neg().backward()
            optimiser.step()
        after = model.first.state_dict()
        assert all(torch.equal(before[name], after[name]) for name in before)


class TestPosterior:
    def test_it_is_that_of_the_factors_then_that_of_what_their_mean_leaves(
        self, model, rows
    ):
        posterior = model.encode(rows)
        mean, log_variance = model.first.encoder(rows).chunk(2, dim=1)
        outputs = model.first.decoder(mean)
        y = torch.cat([outputs[:, :3], outputs[:, 3:].sigmoid()], dim=1)
        of_rest = model.encoder(rows - y)
        assert torch.equal(posterior.mean, torch.cat([mean, of_rest[:, :3]], 1))
        expected = torch.cat([log_variance, of_rest[:, 3:]], 1)
        assert torch.equal(posterior.log_variance, expected)

    def test_at_noise_the_rest_is_what_the_factors_drawn_leave(self, model, rows):
        noise = draws(10, N_LATENTS, seed=4)
        posterior, latents = model.posterior_at(rows, noise)
        mean, log_variance = model.first.encoder(rows).chunk(2, dim=1)
        c = mean + (log_variance / 2).exp() * noise[:, :N_FACTORS]
        of_rest = model.encoder(rows - model.first.mean(c))
        z_mean, z_log_variance = of_rest.chunk(2, dim=1)
        z = z_mean + (z_log_variance / 2).exp() * noise[:, N_FACTORS:]
        torch.testing.assert_close(latents, torch.cat([c, z], 1))
        torch.testing.assert_close(posterior.mean, torch.cat([mean, z_mean], 1))
        expected = torch.cat([log_variance, z_log_variance], 1)
        torch.testing.assert_close(posterior.log_variance, expected)
        at_the_mean = model.encode(rows).mean[:, N_FACTORS:]
        assert not torch.isclose(z_mean, at_the_mean).any()

    def test_without_noise_it_is_the_posterior_at_the_mean(self, model, rows):
        posterior, latents = model.posterior_at(rows, torch.zeros(10, N_LATENTS))
        encoded = model.encode(rows)
        assert torch.equal(latents, encoded.mean)
        assert torch.equal(posterior.mean, encoded.mean)
        assert torch.equal(posterior.log_variance, encoded.log_variance)

    def test_residuals_alone(self, model):
        residuals = draws(4, 10, WIDTH)
        posterior = model.encode_residual(residuals)
        assert posterior.mean.shape == (4, 10, N_RESIDUALS)
        outputs = model.encoder(residuals[2])
        torch.testing.assert_close(posterior.mean[2], outputs[:, :N_RESIDUALS])
        torch.testing.assert_close(posterior.log_variance[2], outputs[:, N_RESIDUALS:])

    def test_leading_dimensions_of_the_noise(self, model, rows):
        noise = draws(4, 10, N_LATENTS, seed=4)
        posterior, latents = model.posterior_at(rows, noise)
        assert posterior.mean.shape == posterior.log_variance.shape
        assert latents.shape == posterior.mean.shape == (4, 10, N_LATENTS)
        for node in range(4):
            expected, expected_latents = model.posterior_at(rows, noise[node])
            torch.testing.assert_close(latents[node], expected_latents)
            torch.testing.assert_close(posterior.mean[node], expected.mean)
            torch.testing.assert_close(
                posterior.log_variance[node], expected.log_variance
            )

    def test_one_noise_for_all_rows(self, model, rows):
        # As the bound takes it: nodes of shape (n_nodes, 1, n_latents).
        nodes = draws(4, 1, N_LATENTS, seed=4)
        _, latents = model.posterior_at(rows, nodes)
        _, expected = model.posterior_at(rows, nodes.expand(4, 10, -1))
        torch.testing.assert_close(latents, expected)


class TestUnknownCells:
    """NaN in rows is nothing to either stage."""

    @pytest.fixture
    def holey(self, rows):
        rows[1, 0] = rows[2, 4] = rows[3] = torch.nan
        return rows

    def test_the_rest_is_0_where_a_cell_is_unknown(self, model, holey):
        posterior = model.encode(holey)
        factors = model.first.encode(holey).mean
        residual = (holey - model.first.mean(factors)).nan_to_num()
        assert (residual[3] == 0).all()
        of_rest = model.encoder(residual)
        assert torch.equal(posterior.mean[:, :N_FACTORS], factors)
        assert torch.equal(posterior.mean[:, N_FACTORS:], of_rest[:, :N_RESIDUALS])

    def test_pass_and_gradients_are_finite(self, model, holey):
        passed = model(holey, draws(10, N_LATENTS))
        assert passed.log_likelihood.isfinite().all()
        assert passed.log_likelihood[3] == 0
        (passed.kl.sum() - passed.log_likelihood.sum()).backward()
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                assert parameter.grad.isfinite().all(), name
                assert (parameter.grad != 0).any(), name


class TestDecoder:
    def test_it_corrects_what_the_first_stage_says(self, model):
        latents = draws(10, N_LATENTS)
        c, z = latents[:, :N_FACTORS], latents[:, N_FACTORS:]
        y = model.first.mean(c)
        assert (y[:, 3:] != model.first.outputs(c)[:, 3:]).all()  # after the heads
        correction = model.decoder(z, y)
        assert not torch.isclose(correction, torch.zeros(())).any()
        expected = model.first.outputs(c) + correction
        assert torch.equal(model.outputs(latents), expected)

    def test_without_a_correction_it_says_what_the_first_stage_says(self, model, rows):
        with torch.no_grad():
            for parameter in model.decoder.parameters():
                parameter.zero_()
        latents = draws(10, N_LATENTS)
        factors = latents[:, :N_FACTORS]
        assert torch.equal(model.outputs(latents), model.first.outputs(factors))
        assert torch.equal(model.mean(latents), model.first.mean(factors))
        expected = model.first.log_likelihood(factors, rows)
        assert torch.equal(model.log_likelihood(latents, rows), expected)

    def test_it_reads_the_mean_of_the_first_stage(self, model):
        z, means = draws(10, N_RESIDUALS), draws(2, 10, WIDTH, seed=1)
        first, second = (model.decoder(z, mean) for mean in means)
        assert not torch.isclose(first, second).any()

    def test_log_likelihood_is_under_its_own_heads(self, model, rows):
        scales = torch.tensor([0.5, 0.6, 0.7])
        model.heads[0].column_scales.copy_(scales)
        latents = draws(10, N_LATENTS)
        outputs = model.outputs(latents)
        gaussian = NormalOfTorch(outputs[:, :3], 1.01 * scales).log_prob(rows[:, :3])
        p, pixels = outputs[:, 3:].sigmoid(), rows[:, 3:]
        bernoulli = pixels * p.log() + (1 - pixels) * (1 - p).log()
        expected = gaussian.sum(dim=1) + bernoulli.sum(dim=1)
        torch.testing.assert_close(model.log_likelihood(latents, rows), expected)

    def test_leading_dimensions(self, model, rows):
        latents = draws(4, 10, N_LATENTS)
        log_likelihood, mean = model.log_likelihood(latents, rows), model.mean(latents)
        assert log_likelihood.shape == (4, 10)
        assert mean.shape == (4, 10, WIDTH)
        for node in range(4):
            expected = model.log_likelihood(latents[node], rows)
            torch.testing.assert_close(log_likelihood[node], expected)
            torch.testing.assert_close(mean[node], model.mean(latents[node]))

    def test_beside_puts_latents_before_the_mean(self):
        latents, mean = draws(10, N_RESIDUALS), draws(10, WIDTH, seed=1)
        read = Beside(nn.Identity())(latents, mean)
        assert torch.equal(read[:, :N_RESIDUALS], latents)
        assert torch.equal(read[:, N_RESIDUALS:], mean)


def test_a_pass_is_made_of_its_parts(model, rows):
    noise = draws(10, N_LATENTS, seed=4)
    passed = model(rows, noise)
    posterior, latents = model.posterior_at(rows, noise)
    assert torch.equal(passed.latents, latents)
    assert torch.equal(passed.posterior.mean, posterior.mean)
    assert torch.equal(passed.kl, posterior.kl_to_standard())
    assert torch.equal(passed.log_likelihood, model.log_likelihood(latents, rows))
    assert passed.condition is None


class TestConditionOfTheFirstStage:
    def test_every_part_of_the_first_stage_is_given_it(self, conditional, rows_given):
        rows, _ = rows_given
        values, condition = rows[:, :WIDTH], rows[:, WIDTH:]
        first = conditional.first
        mean, log_variance = first.encoder(values, condition).chunk(2, dim=1)
        outputs = first.decoder(mean, condition)
        y = torch.cat([outputs[:, :3], outputs[:, 3:].sigmoid()], dim=1)
        of_rest = conditional.encoder(values - y)
        posterior = conditional.encode(rows)
        found = posterior.log_variance[:, :N_FACTORS]
        torch.testing.assert_close(posterior.mean[:, :N_FACTORS], mean)
        torch.testing.assert_close(found, log_variance)
        found = posterior.mean[:, N_FACTORS:]
        torch.testing.assert_close(found, of_rest[:, :N_RESIDUALS])
        z = draws(10, N_RESIDUALS)
        found = conditional.outputs(torch.cat([mean, z], 1), condition)
        assert torch.equal(found, outputs + conditional.decoder(z, y))

    def test_that_of_another_row_changes_every_part(self, conditional, rows_given):
        noise = draws(10, N_LATENTS, seed=4)
        passed, other = (conditional(rows, noise) for rows in rows_given)
        assert torch.equal(passed.condition, rows_given[0][:, WIDTH:])
        for name in ("log_likelihood", "kl", "latents"):
            assert not torch.isclose(getattr(passed, name), getattr(other, name)).any()

    def test_leading_dimensions(self, conditional, rows_given):
        rows, _ = rows_given
        condition = rows[:, WIDTH:]
        noise = draws(4, 10, N_LATENTS, seed=4)
        _, latents = conditional.posterior_at(rows, noise)
        log_likelihood = conditional.log_likelihood(latents, rows)
        mean = conditional.mean(latents, condition)
        for node in range(4):
            passed = conditional(rows, noise[node])
            torch.testing.assert_close(latents[node], passed.latents)
            torch.testing.assert_close(log_likelihood[node], passed.log_likelihood)
            expected = conditional.mean(passed.latents, condition)
            torch.testing.assert_close(mean[node], expected)

    @pytest.mark.parametrize("method", ["draw", "generate"])
    def test_draws(self, conditional, rows_given, method):
        latents = draws(10, N_LATENTS)
        first, again, other = (
            getattr(conditional, method)(latents, make_generator(5), rows[:, WIDTH:])
            for rows in (rows_given[0], rows_given[0], rows_given[1])
        )
        assert first.shape == (10, WIDTH)
        assert torch.equal(first, again)
        assert not torch.isclose(first[:, :3], other[:, :3]).any()


def test_two_stages_may_be_the_first_of_two(rows):
    inner = make_model().double()
    rows = rows.double()
    _, heads = groups_and_heads()
    with UseGenerator(make_generator(1)):
        encoder, decoder = MLP(WIDTH, (8,), 2), MLP(1, (8,), WIDTH, n_conditions=WIDTH)
    model = TwoStageAutoencoder(inner, encoder, decoder, heads, N_LATENTS).double()
    factors = inner.encode(rows).mean
    posterior = model.encode(rows)
    assert torch.equal(posterior.mean[:, :N_LATENTS], factors)
    expected = encoder(rows - inner.mean(factors))[:, :1]
    assert torch.equal(posterior.mean[:, N_LATENTS:], expected)
    model.train()
    assert not inner.encoder.training


IMAGE_SHAPE = (2, 9, 7)
N_PIXELS = 2 * 9 * 7


@pytest.fixture(params=["film", "concat"])
def image_model(request):
    groups = [ColumnGroup("pixel", (0,), (N_PIXELS,), start=0)]
    heads = [nn.ModuleList([BernoulliHead(torch.ones(N_PIXELS))]) for _ in range(2)]

    def make_encoder(n_latents):
        body = ConvEncoder(IMAGE_SHAPE, (8,), 2 * n_latents)
        return ImageEncoder(body, IMAGE_SHAPE)

    with UseGenerator(make_generator(0)):
        decoder = ConvDecoder(N_FACTORS, (8,), IMAGE_SHAPE)
        first = Autoencoder(
            make_encoder(N_FACTORS), decoder, heads[0], groups, StandardPrior()
        )
        if request.param == "film":
            decoder = ConvDecoder(N_RESIDUALS, (8,), IMAGE_SHAPE, n_conditions=N_PIXELS)
        else:
            decoder = Beside(ConvDecoder(N_RESIDUALS + N_PIXELS, (8,), IMAGE_SHAPE))
        encoder = make_encoder(N_RESIDUALS)
    return awaken(TwoStageAutoencoder(first, encoder, decoder, heads[1], N_FACTORS))


def test_images(image_model):
    rows = torch.rand(6, N_PIXELS, generator=make_generator(1))
    noise = draws(4, 6, N_LATENTS)
    posterior, latents = image_model.posterior_at(rows, noise)
    log_likelihood = image_model.log_likelihood(latents, rows)
    assert log_likelihood.shape == (4, 6)
    for node in range(4):
        c = image_model.first.encode(rows).at(noise[node, :, :N_FACTORS])
        logits = image_model.first.decoder(c).reshape(6, N_PIXELS)
        residuals = (rows - logits.sigmoid()).reshape(6, *IMAGE_SHAPE)
        z_mean = image_model.encoder.body(residuals)[:, :N_RESIDUALS]
        torch.testing.assert_close(posterior.mean[node][:, N_FACTORS:], z_mean)
        z = latents[node][:, N_FACTORS:]
        images = image_model.decoder(z, logits.sigmoid()).reshape(6, N_PIXELS)
        expected = (logits + images).sigmoid()
        torch.testing.assert_close(image_model.mean(latents[node]), expected)
        passed = image_model(rows, noise[node])
        torch.testing.assert_close(log_likelihood[node], passed.log_likelihood)
