"""Networks and an adversary that train side by side."""

import pickle

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from skvae._core.columns import ColumnGroup
from skvae._core.random import UseGenerator, make_generator
from skvae.networks import MLP, Autoencoder, Discriminator, StandardPrior, make_heads
from skvae.objectives import FactorVAEObjective, RFVAEObjective, VAEObjective
from skvae.training import Net, TrainingPlan, train
from skvae.training._batches import Rows, WholeBatches

WIDTH, LATENT_DIM = 4, 2
ADVERSARY = "objective.adversary."
PLAN = {
    "lr": 1e-2,
    "max_epochs": 6,
    "batch_size": 32,
    "kl_warmup": 0,
    "validation_fraction": 0.25,
    "n_iter_no_change": 50,
    "tol": 0.0,
    "device": "cpu",
    "seed": 0,
}


def make_module():
    groups = [ColumnGroup("continuous", tuple(range(WIDTH)), (1,) * WIDTH, start=0)]
    heads = make_heads(groups, "gaussian", torch.ones(WIDTH))
    encoder = MLP(WIDTH, (8,), 2 * LATENT_DIM)
    decoder = MLP(LATENT_DIM, (8,), WIDTH)
    return Autoencoder(encoder, decoder, heads, groups, StandardPrior())


def make_factor_vae(lr=1e-2):
    return FactorVAEObjective(5.0, Discriminator(LATENT_DIM, (8,)), lr)


def make_rfvae(lr=1e-2, make=RFVAEObjective):
    return make(
        latent_dim=LATENT_DIM,
        beta=5.0,
        discriminator=Discriminator(LATENT_DIM, (8,)),
        lr=lr,
        kl_weights=(0.1, 10.0),
        relevance_weight=1.0,
        entropy_weight=10.0,
    )


OBJECTIVES = {"FactorVAE": make_factor_vae, "RFVAE": make_rfvae}


def make_net(make_objective=make_factor_vae, lr=1e-2, callbacks=()):
    generator = make_generator(0)
    net = Net(
        make_module,
        latent_dim=LATENT_DIM,
        generator=generator,
        adversary_generator=make_generator(1),
        criterion=make_objective,
        optimizer=torch.optim.Adam,
        optimizer__fused=True,
        lr=lr,
        max_epochs=3,
        batch_size=16,
        iterator_train=WholeBatches,
        iterator_train__generator=generator,
        train_split=None,
        callbacks=list(callbacks),
        verbose=0,
    )
    with UseGenerator(generator):
        net.initialize()
    return net


def make_matrix():
    """Four columns that two factors drive."""
    rng = np.random.RandomState(0)
    factors, mixing = rng.normal(size=(160, 2)), rng.normal(size=(2, WIDTH))
    return factors @ mixing + 0.1 * rng.normal(size=(160, WIDTH))


def train_with(make_objective=make_factor_vae, **changes):
    plan = {**PLAN, **changes}
    return train(
        make_matrix(),
        LATENT_DIM,
        make_module,
        lambda n_rows: make_objective(),
        TrainingPlan(**plan),
    )


class KeepWeights(Callback):
    """Keep a copy of all weights at the end of each epoch."""

    def on_train_begin(self, net, **kwargs):
        self.weights = []

    def on_epoch_end(self, net, **kwargs):
        self.weights.append(net.copy_weights())


@pytest.fixture
def rows():
    return Rows(torch.as_tensor(make_matrix(), dtype=torch.float32))


@pytest.fixture(params=OBJECTIVES)
def make_objective(request):
    return OBJECTIVES[request.param]


def one_step(net, rows):
    """Take one step; return the weights before and after it."""
    before = net.copy_weights()
    net.train_step((rows.matrix[:16], None))
    return before, net.copy_weights()


def moved(before, after):
    """Whether each parameter moved, by its name."""
    return {name: not torch.equal(before[name], after[name]) for name in before}


def learnable(net):
    """The names of what trains, in two sets: networks and objective, adversary."""
    names = {name for name, _ in net._trained.named_parameters()}
    adversary = {name for name in names if name.startswith(ADVERSARY)}
    return names - adversary, adversary


def test_both_sides_move_in_a_step(make_objective, rows):
    net = make_net(make_objective)
    own, adversary = learnable(net)
    assert own
    assert adversary
    has_moved = moved(*one_step(net, rows))
    still = {name for name in own | adversary if not has_moved[name]}
    assert not still


def test_learning_rate_0_of_the_networks_leaves_the_adversary_alone_to_move(
    make_objective, rows
):
    net = make_net(make_objective, lr=0.0)
    own, adversary = learnable(net)
    has_moved = moved(*one_step(net, rows))
    assert not any(has_moved[name] for name in own)
    assert all(has_moved[name] for name in adversary)


def test_learning_rate_0_of_the_adversary_leaves_the_networks_alone_to_move(
    make_objective, rows
):
    net = make_net(lambda: make_objective(lr=0.0))
    own, adversary = learnable(net)
    has_moved = moved(*one_step(net, rows))
    assert all(has_moved[name] for name in own)
    assert not any(has_moved[name] for name in adversary)


def test_each_side_has_its_own_learning_rate(make_objective, rows):
    # Adam's first step is the learning rate, whatever the size of the gradient.
    net = make_net(lambda: make_objective(lr=3e-3), lr=2e-2)
    own, adversary = learnable(net)
    before, after = one_step(net, rows)
    for names, expected in ((own, 2e-2), (adversary, 3e-3)):
        for name in names:
            step = (after[name] - before[name]).abs().max().item()
            assert step == pytest.approx(expected, rel=1e-3), name


def test_step_of_one_side_does_not_depend_on_the_other_sides_learning_rate(rows):
    # Both steps are taken on the gradients at the weights before.
    _, usual = one_step(make_net(), rows)
    _, fast_networks = one_step(make_net(lr=1.0), rows)
    _, fast_adversary = one_step(make_net(lambda: make_factor_vae(lr=1.0)), rows)
    own, adversary = learnable(make_net())
    assert all(torch.equal(usual[name], fast_adversary[name]) for name in own)
    assert all(torch.equal(usual[name], fast_networks[name]) for name in adversary)


def test_neither_loss_gives_a_gradient_to_the_other_side(make_objective, rows):
    net = make_net(make_objective)
    own, adversary = learnable(net)
    parameters = dict(net._trained.named_parameters())
    passed = net.module_(rows.matrix, net._noise(len(rows)))
    net.criterion_(passed, 1.0)["loss"].backward(retain_graph=True)
    assert all(parameters[name].grad is None for name in adversary)
    assert all(parameters[name].grad is not None for name in own)
    for parameter in parameters.values():
        parameter.grad = None
    net.criterion_.adversary_loss(passed, net.adversary_generator).backward()
    assert all(parameters[name].grad is not None for name in adversary)
    assert all(parameters[name].grad is None for name in own)


def test_gradients_do_not_add_up_over_steps(rows):
    net = make_net(lambda: make_factor_vae(lr=0.0), lr=0.0)
    gradients = []
    for _ in range(2):
        net.generator.manual_seed(1)
        net.adversary_generator.manual_seed(2)
        net.train_step((rows.matrix[:16], None))
        gradients.append([p.grad.clone() for p in net._trained.parameters()])
    assert all(torch.equal(*both) for both in zip(*gradients, strict=True))


def test_adversary_learns(rows):
    # Latents that stay put and are nearly the same.
    net = make_net(lr=0.0)
    encoder = nn.Linear(WIDTH, 2 * LATENT_DIM)
    with torch.no_grad():
        encoder.weight.zero_()
        encoder.weight[:LATENT_DIM, 0] = 1
        encoder.bias.copy_(torch.tensor([0.0, 0.0, -6.0, -6.0]))
    net.module_.encoder = encoder
    net.max_epochs = 40
    net.train(rows)
    losses = [epoch["train_adversary"] for epoch in net.history]
    estimates = [epoch["train_total_correlation"] for epoch in net.history]
    assert losses[-1] < losses[0] - 0.1
    assert estimates[-1] > estimates[0] + 0.3


def test_adversary_is_not_trained_on_held_out_rows():
    net = train_with()
    assert "train_adversary" in net.history[0]
    assert "valid_adversary" not in net.history[0]


def test_callbacks_see_the_gradients_of_all_but_the_adversary(make_objective, rows):
    class Seen(Callback):
        def on_grad_computed(self, net, named_parameters, **kwargs):
            self.parameters = [parameter for _, parameter in named_parameters]

    seen = Seen()
    net = make_net(make_objective, callbacks=[seen])
    one_step(net, rows)
    (seen,) = [cb for _, cb in net.callbacks_ if isinstance(cb, Seen)]
    own, _ = learnable(net)
    expected = [p for name, p in net._trained.named_parameters() if name in own]
    assert {id(p) for p in seen.parameters} == {id(p) for p in expected}
    if make_objective is make_rfvae:
        assert any(p is net.criterion_.relevance_logits for p in seen.parameters)


class Scripted:
    """Held-out terms from a list; the loss falls throughout."""

    def forward(self, batch, warmup):
        terms = super().forward(batch, warmup)
        if not torch.is_grad_enabled():
            self.n_epochs = getattr(self, "n_epochs", 0) + 1
            reconstruction, kl = self.script[self.n_epochs - 1]
            terms["reconstruction"] = torch.tensor(reconstruction)
            terms["kl"] = torch.tensor(kl)
            terms["loss"] = torch.tensor(-float(self.n_epochs))
        return terms


# The sum is lowest in epoch 3, where neither of the two terms is.
SCRIPT = [(9.0, 3.0), (8.0, 2.0), (5.0, 3.0), (3.0, 7.0), (7.0, 1.5)]


class ScriptedFactorVAE(Scripted, FactorVAEObjective):
    script = SCRIPT


class ScriptedRFVAE(Scripted, RFVAEObjective):
    script = SCRIPT


@pytest.mark.parametrize(
    "make_objective",
    [
        lambda: ScriptedFactorVAE(5.0, Discriminator(LATENT_DIM, (8,)), 1e-2),
        lambda: make_rfvae(make=ScriptedRFVAE),
    ],
    ids=["FactorVAE", "RFVAE"],
)
def test_stopping_watches_the_bound_and_restores_both_sides(make_objective):
    net = train_with(make_objective, n_iter_no_change=2, callbacks=[KeepWeights()])
    assert len(net.history) == 5
    assert net.best_epoch_ == 3
    weights = net.callbacks_[-1][1].weights
    final = net.copy_weights()
    for name in set().union(*learnable(net)):
        matches = [torch.equal(kept[name].double(), final[name]) for kept in weights]
        assert matches == [False, False, True, False, False], name


def test_finalised_net_is_for_scoring_only(make_objective):
    net = train_with(make_objective)
    for part in (net.module_, net.criterion_):
        assert not part.training
        assert not any(child.training for child in part.modules())
        assert all(p.dtype == torch.float64 for p in part.parameters())
        assert not any(p.requires_grad for p in part.parameters())
    assert isinstance(net.criterion_.adversary, nn.Module)
    assert net.optimizer_ is None
    assert net.adversary_optimizer_ is None
    assert net.generator is None
    assert net.adversary_generator is None


def test_finalised_net_pickles(make_objective):
    net = train_with(make_objective)
    again = pickle.loads(pickle.dumps(net))
    weights, expected = again.copy_weights(), net.copy_weights()
    assert list(weights) == list(expected)
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    assert list(again.history) == list(net.history)
    rows = torch.as_tensor(make_matrix())
    noise = torch.zeros(len(rows), LATENT_DIM).double()
    terms, terms_again = (
        kept.criterion_(kept.module_(rows, noise), 1.0) for kept in (net, again)
    )
    assert terms == terms_again


def test_same_seed_same_bits_on_both_sides(make_objective):
    before = torch.random.get_rng_state()
    first, again, other = (train_with(make_objective, seed=s) for s in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), before)
    first, again, other = (net.copy_weights() for net in (first, again, other))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_networks_start_where_they_would_without_an_adversary(rows):
    # The adversary is made last, so that it takes no draws from the networks.
    with UseGenerator(make_generator(0)):
        alone = make_module().state_dict()
    module = make_net().module_.state_dict()
    assert all(torch.equal(module[name], alone[name]) for name in alone)


@pytest.mark.parametrize("lr", [1e-2, 1.0])
def test_networks_train_as_they_would_without_an_adversary(lr):
    # beta=1 is the VAE's loss. The adversary learns, at whatever rate, but what it
    # draws to start from and to learn with comes from a generator of its own.
    def make_free_factor_vae():
        return FactorVAEObjective(1.0, Discriminator(LATENT_DIM, (8,)), lr)

    with_adversary = train_with(make_free_factor_vae)
    without = train_with(VAEObjective)
    first, expected = with_adversary.history[0], without.history[0]
    for name in ("train_loss", "train_reconstruction", "train_kl"):
        assert first[name] == expected[name], name
    losses = [epoch["train_adversary"] for epoch in with_adversary.history]
    assert len(set(losses)) == len(losses)
    module = with_adversary.module_.state_dict()
    for name, weights in without.module_.state_dict().items():
        torch.testing.assert_close(module[name], weights, rtol=1e-5, atol=1e-5)


def test_adversary_draws_from_its_own_generator_alone(rows):
    net = make_net()
    before = net.adversary_generator.get_state()
    passed = net.module_(rows.matrix, net._noise(len(rows)))
    assert torch.equal(net.adversary_generator.get_state(), before)
    state = net.generator.get_state()
    net.train_step_single((rows.matrix[:16], None))
    after_step = net.generator.get_state()
    assert not torch.equal(net.adversary_generator.get_state(), before)
    net.generator.set_state(state)
    net._noise(16)
    assert torch.equal(net.generator.get_state(), after_step)
    state = net.generator.get_state()
    net.criterion_.adversary_loss(passed, net.adversary_generator)
    assert torch.equal(net.generator.get_state(), state)


def test_objective_starts_from_a_generator_of_its_own():
    # Whatever the networks draw to start from, the discriminator starts alike.
    starts = []
    for n_draws in (1, 7):

        def make_drawing_module(n_draws=n_draws):
            torch.randn(n_draws)
            return make_module()

        net = train(
            make_matrix(),
            LATENT_DIM,
            make_drawing_module,
            lambda n_rows: make_factor_vae(lr=0.0),
            TrainingPlan(**{**PLAN, "max_epochs": 1}),
        )
        starts.append(net.criterion_.adversary.state_dict())
    first, again = starts
    assert all(torch.equal(first[name], again[name]) for name in first)
