"""Modules of users' own that draw: functions of the seed, in one thread or many."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from skvae._core.columns import ColumnGroup
from skvae.networks import (
    MLP,
    Autoencoder,
    Discriminator,
    ImageEncoder,
    StandardPrior,
    make_heads,
)
from skvae.objectives import FactorVAEObjective, VAEObjective
from skvae.training import TrainingPlan, train

IMAGE_SHAPE, LATENT_DIM = (1, 4, 4), 2
WIDTH = 16


class WithDropout2d(nn.Module):
    """Convolutions whose channels drop out."""

    def __init__(self, p):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Dropout2d(p), nn.Flatten()
        )
        self.last = nn.Linear(32, 2 * LATENT_DIM)

    def forward(self, images):
        return self.last(self.body(images))


class WithFunctionalDropout(nn.Module):
    """Dropout that no submodule tells of."""

    def __init__(self, p):
        super().__init__()
        self.p = p
        self.linear = nn.Linear(WIDTH, 2 * LATENT_DIM)

    def forward(self, rows):
        return functional.dropout(self.linear(rows), self.p, self.training)


class WithNoise(nn.Module):
    """Noise on the input of training."""

    def __init__(self, p):
        super().__init__()
        self.p = p
        self.linear = nn.Linear(WIDTH, 2 * LATENT_DIM)

    def forward(self, rows):
        if self.training:
            rows = rows + self.p * torch.randn_like(rows)
        return self.linear(rows)


ENCODERS = {
    "Dropout": lambda p: nn.Sequential(
        nn.Linear(WIDTH, 8), nn.ReLU(), nn.Dropout(p), nn.Linear(8, 2 * LATENT_DIM)
    ),
    "Dropout in place": lambda p: nn.Sequential(
        nn.Linear(WIDTH, 8),
        nn.SiLU(),
        nn.Dropout(p, inplace=True),
        nn.Linear(8, 2 * LATENT_DIM),
    ),
    "Dropout2d": lambda p: ImageEncoder(WithDropout2d(p), IMAGE_SHAPE),
    "MLP": lambda p: MLP(WIDTH, (8,), 2 * LATENT_DIM, dropout=p),
    "functional.dropout": WithFunctionalDropout,
    "randn_like": WithNoise,
}
# Without it, scales of the noise and probabilities are 0.
P = 0.3


@pytest.fixture(params=ENCODERS)
def encoder(request):
    return request.param


def make_vae():
    return VAEObjective()


def make_factor_vae():
    return FactorVAEObjective(5.0, Discriminator(LATENT_DIM, (8,)), 1e-3)


def train_with(encoder, p=P, seed=0, make_objective=make_vae):
    def make_module():
        groups = [ColumnGroup("continuous", tuple(range(WIDTH)), (1,) * WIDTH, start=0)]
        heads = make_heads(groups, "gaussian", torch.ones(WIDTH))
        decoder, prior = MLP(LATENT_DIM, (8,), WIDTH), StandardPrior()
        return Autoencoder(ENCODERS[encoder](p), decoder, heads, groups, prior)

    plan = TrainingPlan(
        lr=1e-2,
        max_epochs=2,
        batch_size=16,
        kl_warmup=0,
        validation_fraction=0.25,
        n_iter_no_change=9,
        tol=0.0,
        device="cpu",
        seed=seed,
    )
    matrix = np.random.RandomState(0).normal(size=(80, WIDTH))
    return train(matrix, LATENT_DIM, make_module, lambda n: make_objective(), plan)


def same_weights(first, second):
    first, second = first.copy_weights(), second.copy_weights()
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("make_objective", [make_vae, make_factor_vae])
def test_same_seed_same_bits(encoder, make_objective):
    before = torch.random.get_rng_state()
    first = train_with(encoder, make_objective=make_objective)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.random.manual_seed(99)
    again = train_with(encoder, make_objective=make_objective)
    torch.random.set_rng_state(before)
    assert same_weights(first, again)
    other = train_with(encoder, seed=1, make_objective=make_objective)
    assert not same_weights(first, other)


def test_what_the_module_draws_counts(encoder):
    assert not same_weights(train_with(encoder), train_with(encoder, p=0.0))


def test_threads_train_as_one_would(encoder):
    seeds = range(3)
    serial = [train_with(encoder, seed=seed) for seed in seeds]
    with ThreadPoolExecutor(3) as pool:
        parallel = list(pool.map(lambda seed: train_with(encoder, seed=seed), seeds))
    assert all(map(same_weights, serial, parallel))


def test_nothing_is_dropped_in_validation(encoder):
    # Two rows of the history at one set of weights would differ otherwise.
    net = train_with(encoder)
    rows = torch.as_tensor(np.random.RandomState(1).normal(size=(5, WIDTH)))
    first, again = (net.module_.encode(rows) for _ in range(2))
    assert torch.equal(first.mean, again.mean)


def test_networks_that_draw_nothing_pay_for_it_in_their_first_step_only():
    assert train_with("MLP")._draws
    assert not train_with("MLP", p=0.0)._draws
