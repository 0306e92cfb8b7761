"""What every objective has to hold, and the plain ones in closed form."""

import copy
import pickle

import pytest
import torch
from objective_cases import (
    CASES,
    EQUAL_KL_WEIGHTS,
    NEUTRAL,
    TERM_WEIGHTS,
    gradients,
    make_batch,
    make_discriminator,
    make_objective,
)
from torch import distributions, nn

from skvae._core.passes import ForwardPass, Normal
from skvae._core.random import make_generator
from skvae.objectives import Objective, VAEObjective

EVERY = pytest.mark.parametrize("name", CASES)
WEIGHTED_SUMS = pytest.mark.parametrize("name", TERM_WEIGHTS)


# Every number that an objective takes, but for those that training alone reads.
NUMBERS = [
    (name, parameter)
    for name, (_, parameters) in CASES.items()
    for parameter, value in parameters.items()
    if isinstance(value, float) and parameter != "lr"
]


@pytest.fixture
def batch():
    return make_batch()


def test_vae_terms_in_closed_form(batch):
    terms = VAEObjective()(batch, warmup=1.0)
    mean, log_variance = batch.posterior
    posterior = distributions.Normal(mean, (log_variance / 2).exp())
    kl = distributions.kl_divergence(posterior, distributions.Normal(0.0, 1.0))
    kl = kl.sum(dim=1)
    torch.testing.assert_close(terms["reconstruction"], -batch.log_likelihood.mean())
    torch.testing.assert_close(terms["kl"], kl.mean())
    torch.testing.assert_close(terms["loss"], (kl - batch.log_likelihood).mean())


def test_kl_of_the_prior_is_zero():
    zeros = torch.zeros(3, 2)
    prior = Normal(zeros, zeros)
    batch = ForwardPass(torch.zeros(3), prior, prior.kl_to_standard(), zeros)
    assert VAEObjective()(batch, warmup=1.0)["kl"].item() == 0


@EVERY
def test_kl_is_that_of_the_batch(name, batch):
    batch = batch._replace(kl=3 * batch.kl)
    terms = make_objective(name)(batch, 1.0)
    assert torch.equal(terms["kl"], batch.kl.sum(dim=1).mean())


@WEIGHTED_SUMS
@pytest.mark.parametrize("warmup", [0.0, 0.3, 1.0])
def test_loss_is_the_weighted_sum_of_its_terms(name, warmup, batch):
    terms = make_objective(name, **EQUAL_KL_WEIGHTS.get(name, {}))(batch, warmup)
    weights = TERM_WEIGHTS[name]
    assert set(terms) == {"loss", "reconstruction", *weights}
    penalty = sum(weight * terms[term] for term, weight in weights.items())
    expected = terms["reconstruction"] + warmup * penalty
    torch.testing.assert_close(terms["loss"], expected)


@EVERY
def test_warmup_leaves_the_terms_as_they_are(name, batch):
    objective = make_objective(name)
    cold, warm = objective(batch, 0.25), objective(batch, 1.0)
    for term in set(warm) - {"loss"}:
        assert torch.equal(cold[term], warm[term])
    assert not torch.equal(cold["loss"], warm["loss"])


@WEIGHTED_SUMS
def test_warmup_begins_with_the_reconstruction_alone(name, batch):
    terms = make_objective(name)(batch, 0.0)
    assert torch.equal(terms["loss"], terms["reconstruction"])


@EVERY
def test_reconstruction_and_kl_are_those_of_the_vae(name, batch):
    terms, plain = make_objective(name)(batch, 1.0), VAEObjective()(batch, 1.0)
    for term in ("reconstruction", "kl"):
        assert torch.equal(terms[term], plain[term])


# Capacity's warm-up anneals no weight: it is the VAE at its end.
@pytest.mark.parametrize(
    ("name", "warmup"),
    [(name, 1.0) for name in NEUTRAL]
    + [(name, 0.3) for name in NEUTRAL if name != "Capacity"],
)
def test_neutral_weights_are_the_vae_to_the_last_bit(name, warmup, batch):
    loss = make_objective(name, **NEUTRAL[name])(batch, warmup)["loss"]
    expected = VAEObjective()(batch, warmup)["loss"]
    assert torch.equal(loss, expected)
    pairs = zip(gradients(loss, batch), gradients(expected, batch), strict=True)
    for found, wanted in pairs:
        assert torch.equal(found, wanted)


@pytest.mark.parametrize(("name", "parameter"), NUMBERS)
def test_every_weight_moves_loss_and_gradient(name, parameter, batch):
    # Past the KL of the batch: all capacities on one side of it pull alike.
    step = 100.0 if parameter == "capacity" else 1.0
    value = CASES[name][1][parameter]
    low, high = (
        make_objective(name, **{parameter: weight})(batch, 1.0)["loss"]
        for weight in (value, value + step)
    )
    assert not torch.equal(low, high)
    if parameter in ("relevance_weight", "entropy_weight"):
        return  # their gradients are those of the relevance alone
    pairs = zip(gradients(low, batch), gradients(high, batch), strict=True)
    moved = [not torch.equal(first, second) for first, second in pairs]
    # Variances are no part of a covariance, and of none at all in DIP-VAE-I.
    variances_too = name != "DIPVAE i" and parameter != "off_diagonal_weight"
    assert moved == [True, variances_too]


@pytest.mark.parametrize(("name", "parameter"), NUMBERS)
def test_a_whole_weight_is_a_float(name, parameter):
    weight = getattr(make_objective(name, **{parameter: 3}), parameter)
    assert type(weight) is float
    assert weight == 3


@EVERY
def test_terms_are_scalars_that_carry_gradient(name, batch):
    for term, value in make_objective(name)(batch, 1.0).items():
        assert value.shape == (), term
        assert value.requires_grad, term


@EVERY
@pytest.mark.parametrize("n_rows", [1, 2, 7])
def test_any_number_of_rows(name, n_rows):
    batch = make_batch(n_rows)
    terms = make_objective(name)(batch, 1.0)
    for term, value in terms.items():
        assert torch.isfinite(value), term
    for gradient in gradients(terms["loss"], batch):
        assert torch.isfinite(gradient).all()


@EVERY
def test_permuting_rows_changes_nothing(name, batch):
    objective = make_objective(name)
    terms = objective(batch, 1.0)
    posterior = Normal(*(tensor.roll(5, dims=0) for tensor in batch.posterior))
    rolled = ForwardPass(
        batch.log_likelihood.roll(5),
        posterior,
        batch.kl.roll(5, dims=0),
        batch.latents.roll(5, dims=0),
    )
    for term, value in objective(rolled, 1.0).items():
        torch.testing.assert_close(value, terms[term])


# A discriminator need not treat its inputs alike.
@pytest.mark.parametrize("name", sorted(set(CASES) - {"FactorVAE", "RFVAE"}))
def test_permuting_latents_changes_nothing(name, batch):
    objective = make_objective(name)
    terms = objective(batch, 1.0)
    order = [2, 0, 3, 1]
    posterior = Normal(*(tensor[:, order] for tensor in batch.posterior))
    permuted = batch._replace(
        posterior=posterior, kl=batch.kl[:, order], latents=batch.latents[:, order]
    )
    for term, value in objective(permuted, 1.0).items():
        torch.testing.assert_close(value, terms[term])


@EVERY
def test_double_precision(name, batch):
    double = ForwardPass(
        batch.log_likelihood.double(),
        Normal(*(tensor.double() for tensor in batch.posterior)),
        batch.kl.double(),
        batch.latents.double(),
    )
    objective = make_objective(name)
    terms = copy.deepcopy(objective).double()(double, 1.0)
    for term, value in objective(batch, 1.0).items():
        assert terms[term].dtype == torch.float64
        torch.testing.assert_close(terms[term].float(), value, rtol=1e-4, atol=1e-5)


@EVERY
def test_pickle(name, batch):
    objective = make_objective(name)
    again = pickle.loads(pickle.dumps(objective))
    assert torch.equal(again(batch, 1.0)["loss"], objective(batch, 1.0)["loss"])


@EVERY
def test_watched_terms_exist(name, batch):
    objective = make_objective(name)
    assert set(objective.watched) <= set(objective(batch, 1.0))


def test_most_objectives_learn_nothing_and_have_no_adversary():
    for name in set(CASES) - {"FactorVAE", "RFVAE"}:
        objective = make_objective(name)
        assert objective.adversary is None
        assert list(objective.parameters()) == []
        assert objective.watched == ("loss",)


def test_adversary_that_is_assigned_is_found_and_registered():
    # A class attribute of that name would hide it.
    class Adversarial(Objective):
        def __init__(self):
            super().__init__()
            self.adversary = nn.Linear(2, 1)

    objective = Adversarial()
    assert isinstance(objective.adversary, nn.Linear)
    assert len(list(objective.adversary.parameters())) == 2
    assert len(list(objective.parameters())) == 2


@pytest.mark.parametrize("name", ["FactorVAE", "RFVAE"])
class TestAdversary:
    """What holds for each objective with an adversary."""

    @pytest.fixture
    def objective(self, name):
        return make_objective(name, discriminator=make_discriminator())

    def test_declares_it(self, objective):
        assert isinstance(objective.adversary, nn.Module)
        assert objective.adversary_optimizer == {"lr": 1e-3, "betas": (0.5, 0.9)}
        assert objective.watched == ("reconstruction", "kl")

    def test_loss_moves_latents_and_never_the_adversary(self, objective, batch):
        terms = objective(batch, 1.0)
        for gradient in gradients(terms["total_correlation"], batch):
            assert gradient.abs().sum() > 0
        terms["loss"].backward()
        for parameter in objective.adversary.parameters():
            assert parameter.grad is None
            assert parameter.requires_grad

    def test_adversary_loss_moves_the_adversary_and_nothing_else(
        self, objective, batch
    ):
        objective.adversary_loss(batch, make_generator(0)).backward()
        for parameter in objective.adversary.parameters():
            assert parameter.grad.abs().sum() > 0
        for tensor in batch.posterior:
            assert tensor.grad is None
        adversary = set(objective.adversary.parameters())
        for parameter in set(objective.parameters()) - adversary:
            assert parameter.grad is None

    @pytest.mark.parametrize("n_rows", [1, 2, 7])
    def test_adversary_loss_of_any_number_of_rows(self, objective, n_rows):
        loss = objective.adversary_loss(make_batch(n_rows), make_generator(0))
        assert loss.shape == ()
        assert torch.isfinite(loss)

    def test_draws_come_from_the_generator(self, objective, batch):
        state = torch.get_rng_state()
        losses = [
            objective.adversary_loss(batch, make_generator(seed)) for seed in (0, 0, 1)
        ]
        assert torch.equal(losses[0], losses[1])
        assert not torch.equal(losses[0], losses[2])
        assert torch.equal(torch.get_rng_state(), state)

    def test_works_without_gradients(self, objective, batch):
        with torch.no_grad():
            terms = objective(batch, 1.0)
        assert not any(value.requires_grad for value in terms.values())
