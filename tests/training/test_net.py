"""The private net: named terms, interruptions, weights, what is kept for scoring."""

import itertools
import pickle
import signal
from functools import partial

import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from skvae._core.columns import ColumnGroup
from skvae._core.random import UseGenerator, make_generator
from skvae.networks import MLP, Autoencoder, StandardPrior, make_heads
from skvae.objectives import Objective, VAEObjective
from skvae.training import Net
from skvae.training._batches import Rows, WholeBatches

WIDTH, LATENT_DIM = 4, 2


def make_module():
    groups = [ColumnGroup("continuous", tuple(range(WIDTH)), (1,) * WIDTH, start=0)]
    heads = make_heads(groups, "gaussian", torch.ones(WIDTH))
    encoder = MLP(WIDTH, (8,), 2 * LATENT_DIM, "silu")
    decoder = MLP(LATENT_DIM, (8,), WIDTH, "silu")
    return Autoencoder(encoder, decoder, heads, groups, StandardPrior())


def make_net(criterion=VAEObjective, batch_size=16, max_epochs=3, callbacks=()):
    generator = make_generator(0)
    net = Net(
        make_module,
        latent_dim=LATENT_DIM,
        generator=generator,
        adversary_generator=make_generator(1),
        criterion=criterion,
        optimizer=torch.optim.Adam,
        lr=1e-2,
        max_epochs=max_epochs,
        batch_size=batch_size,
        iterator_train=WholeBatches,
        iterator_train__generator=generator,
        train_split=None,
        callbacks=list(callbacks),
        verbose=0,
    )
    with UseGenerator(generator):
        net.initialize()
    return net


@pytest.fixture
def rows():
    return Rows(torch.randn(50, WIDTH, generator=make_generator(1)))


def batch_of(rows, noise=None):
    return rows.matrix[:8], noise


def fixed_noise():
    return torch.randn(8, LATENT_DIM, generator=make_generator(2))


def interrupting(event, at_call):
    """Return a callback that raises a KeyboardInterrupt at the n-th such event."""
    calls = itertools.count(1)

    def interrupt(net, **kwargs):
        if next(calls) == at_call:
            raise KeyboardInterrupt

    callback = Callback()
    setattr(callback, event, interrupt)
    return callback


class EventLog(Callback):
    """Remember that training ended."""

    def __init__(self):
        self.events = []

    def on_train_end(self, net, **kwargs):
        self.events.append("train end")


def test_every_term_is_recorded_once_an_epoch(rows):
    net = make_net().train(rows)
    assert len(net.history) == 3
    for epoch in net.history:
        terms = {name for name in epoch if name.startswith("train_")}
        terms.remove("train_loss_best")
        assert terms == {"train_loss", "train_reconstruction", "train_kl"}
        assert all(type(epoch[name]) is float for name in terms)
        total = epoch["train_reconstruction"] + epoch["train_kl"]
        assert epoch["train_loss"] == pytest.approx(total, rel=1e-5)


class ScriptedObjective(Objective):
    """A loss that is a function of the batch: its number of rows, if no other."""

    def __init__(self, value=len):
        super().__init__()
        self.value = value

    def forward(self, batch, warmup):
        log_likelihood = batch.log_likelihood
        return {"loss": 0 * log_likelihood.mean() + self.value(log_likelihood)}


def test_recorded_terms_are_means_over_rows_not_over_batches(rows):
    # 50 rows in batches of at most 16 are 13 + 13 + 12 + 12.
    net = make_net(ScriptedObjective).train(rows)
    expected = (2 * 13**2 + 2 * 12**2) / 50
    assert net.history[0, "train_loss"] == pytest.approx(expected)


def test_training_lowers_the_loss_and_moves_every_parameter(rows):
    net = make_net(max_epochs=30)
    before = net.copy_weights()
    net.train(rows)
    assert net.history[-1, "train_loss"] < net.history[0, "train_loss"] - 0.1
    for name, parameter in net.module_.named_parameters():
        assert not torch.equal(parameter, before[f"module.{name}"]), name


def test_warmup_weighs_the_training_step_but_not_validation(rows):
    class Warmup(Objective):
        def forward(self, batch, warmup):
            return {"loss": 0 * batch.log_likelihood.mean() + warmup}

    net = make_net(Warmup)
    net.warmup = 0.25
    assert net.train_step_single(batch_of(rows))["loss"].item() == 0.25
    assert net.validation_step(batch_of(rows, fixed_noise()))["loss"].item() == 1


def test_validation_leaves_no_gradient(rows):
    net = make_net()
    batch = batch_of(rows, fixed_noise())
    assert not net.validation_step(batch)["loss"].requires_grad
    assert all(parameter.grad is None for parameter in net.module_.parameters())


def test_held_out_rows_have_fixed_noise_and_training_rows_fresh_one(rows):
    net = make_net()
    held_out, training = batch_of(rows, fixed_noise()), batch_of(rows)
    fixed = [net.validation_step(held_out)["loss"] for _ in range(2)]
    fresh = [net.train_step_single(training)["loss"] for _ in range(2)]
    assert torch.equal(*fixed)
    assert not torch.equal(*fresh)


def test_latents_are_drawn_at_the_noise_of_the_batch(rows):
    class Latents(Objective):
        def forward(self, batch, warmup):
            return {"loss": batch.latents}

    net = make_net(Latents)
    noise = fixed_noise()
    latents = net.validation_step(batch_of(rows, noise))["loss"]
    mean, log_variance = net.module_.encode(rows.matrix[:8])
    expected = mean + (log_variance / 2).exp() * noise
    torch.testing.assert_close(latents, expected.detach())


def test_noise_of_training_is_that_of_the_generator(rows):
    class Latents(Objective):
        def forward(self, batch, warmup):
            return {"loss": batch.log_likelihood.sum(), "latents": batch.latents}

    net = make_net(Latents)
    net.generator.manual_seed(2)
    latents = net.train_step_single(batch_of(rows))["latents"]
    expected = net.module_.encode(rows.matrix[:8]).at(fixed_noise())
    assert torch.equal(latents, expected)


def test_callback_may_stop_training_at_the_end_of_an_epoch(rows):
    log = EventLog()
    net = make_net(callbacks=[interrupting("on_epoch_end", 2), log], max_epochs=9)
    assert net.train(rows) is net
    assert len(net.history) == 2
    assert log.events == ["train end"]


def test_control_c_at_the_end_of_an_epoch_is_the_users(rows):
    class ControlC(Callback):
        def on_epoch_end(self, net, **kwargs):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        make_net(callbacks=[ControlC()]).train(rows)


@pytest.mark.parametrize(
    "event", ["on_batch_begin", "on_batch_end", "on_epoch_begin", "on_train_begin"]
)
def test_interrupt_anywhere_else_is_the_users(event, rows):
    net = make_net(callbacks=[interrupting(event, 1)])
    with pytest.raises(KeyboardInterrupt):
        net.train(rows)


def test_interrupt_within_a_batch_is_the_users(rows):
    def interrupt(log_likelihood):
        raise KeyboardInterrupt

    log = EventLog()
    net = make_net(partial(ScriptedObjective, interrupt), callbacks=[log])
    with pytest.raises(KeyboardInterrupt):
        net.train(rows)
    assert log.events == ["train end"]  # callbacks close what they opened


def test_error_within_a_batch_goes_up(rows):
    def fail(log_likelihood):
        raise RuntimeError("in the objective")

    with pytest.raises(RuntimeError, match="in the objective"):
        make_net(partial(ScriptedObjective, fail)).train(rows)


def test_copied_weights_do_not_follow_training(rows):
    net = make_net()
    before = net.copy_weights()
    kept = {name: value.clone() for name, value in before.items()}
    net.train(rows)
    assert all(torch.equal(before[name], kept[name]) for name in kept)
    net.load_weights(before)
    after = net.copy_weights()
    assert all(torch.equal(after[name], kept[name]) for name in kept)
    module = net.module_.state_dict()
    assert all(torch.equal(module[name], kept[f"module.{name}"]) for name in module)


def test_finalised_net_is_for_scoring_only(rows):
    net = make_net().train(rows).finalise()
    assert not net.module_.training
    assert all(p.dtype == torch.float64 for p in net.module_.parameters())
    assert all(b.dtype == torch.float64 for b in net.module_.buffers())
    assert not any(p.requires_grad for p in net.module_.parameters())
    assert net.optimizer_ is None
    assert net.generator is None
    assert net.adversary_generator is None
    assert net.best_epoch_ == 3
    assert all("batches" not in epoch for epoch in net.history)


def test_finalised_net_pickles(rows):
    net = make_net().train(rows).finalise()
    again = pickle.loads(pickle.dumps(net))
    assert isinstance(again.module_, nn.Module)
    double = rows.matrix.double()
    for found, expected in zip(
        again.module_.encode(double), net.module_.encode(double), strict=True
    ):
        assert torch.equal(found, expected)
    assert list(again.history) == list(net.history)
