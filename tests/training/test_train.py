"""From a matrix to a trained net: splitting, stopping, seeds, callbacks."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.utils import check_random_state
from skorch.callbacks import (
    Callback,
    Checkpoint,
    GradientNormClipping,
    LRScheduler,
)
from skorch.callbacks import EarlyStopping as SkorchEarlyStopping

from skvae import TrainingDivergedError
from skvae._core.columns import ColumnGroup
from skvae.networks import MLP, Autoencoder, StandardPrior, make_heads
from skvae.objectives import BetaTCVAEObjective, VAEObjective
from skvae.training import TrainingPlan, train

WIDTH, LATENT_DIM = 4, 2


@pytest.fixture(scope="module")
def matrix():
    """Four columns that two factors drive."""
    rng = np.random.RandomState(0)
    factors = rng.normal(size=(160, LATENT_DIM))
    mixing = rng.normal(size=(LATENT_DIM, WIDTH))
    return factors @ mixing + 0.1 * rng.normal(size=(160, WIDTH))


def make_module():
    groups = [ColumnGroup("continuous", tuple(range(WIDTH)), (1,) * WIDTH, start=0)]
    heads = make_heads(groups, "gaussian", torch.ones(WIDTH))
    encoder = MLP(WIDTH, (8,), 2 * LATENT_DIM, "silu")
    decoder = MLP(LATENT_DIM, (8,), WIDTH, "silu")
    return Autoencoder(encoder, decoder, heads, groups, StandardPrior())


def make_vae_objective(n_rows):
    return VAEObjective()


def train_with(matrix, make_objective=make_vae_objective, **changes):
    plan = {
        "lr": 1e-2,
        "max_epochs": 6,
        "batch_size": 32,
        "kl_warmup": 0,
        "validation_fraction": 0.25,
        "n_iter_no_change": 50,
        "tol": 0.0,
        "device": "cpu",
        "seed": 0,
        **changes,
    }
    return train(matrix, LATENT_DIM, make_module, make_objective, TrainingPlan(**plan))


class KeepWeights(Callback):
    """Keep a copy of the module's weights at the end of each epoch."""

    def on_train_begin(self, net, **kwargs):
        self.weights = []

    def on_epoch_end(self, net, **kwargs):
        state = net.module_.state_dict()
        self.weights.append({name: value.clone() for name, value in state.items()})


class ScriptedValidation(VAEObjective):
    """Trains as a VAE; its loss on held-out rows is read from a list."""

    def __init__(self, losses):
        super().__init__()
        self.losses = iter(losses)

    def forward(self, batch, warmup):
        terms = super().forward(batch, warmup)
        if not torch.is_grad_enabled():
            terms["loss"] = torch.tensor(float(next(self.losses)))
        return terms


class ScriptedTraining(VAEObjective):
    """Trains as a VAE, but for one term that takes a given value in one epoch."""

    def __init__(self, value, at_epoch, n_batches):
        super().__init__()
        self.value = value
        self.at_step = (at_epoch - 1) * n_batches
        self.n_steps = 0

    def forward(self, batch, warmup):
        terms = super().forward(batch, warmup)
        if torch.is_grad_enabled():
            if self.n_steps == self.at_step:
                terms["kl"] = terms["kl"] * 0 + self.value
            self.n_steps += 1
        return terms


def print_nothing(*args, **kwargs):
    """Stand in for the print of a callback."""


def history_of(net, name):
    return [epoch[name] for epoch in net.history]


def weights_equal(first, second):
    return all(torch.equal(first[name].double(), second[name]) for name in second)


def test_training_lowers_training_and_held_out_loss(matrix):
    net = train_with(matrix, max_epochs=40)
    for name in ("train_loss", "valid_loss"):
        losses = history_of(net, name)
        assert losses[-1] < losses[0] - 0.5


def test_objective_is_told_the_number_of_training_rows(matrix):
    told = []

    def make_objective(n_rows):
        told.append(n_rows)
        return VAEObjective()

    train_with(matrix, make_objective, validation_fraction=0.25, max_epochs=1)
    train_with(matrix, make_objective, validation_fraction=0, max_epochs=1)
    assert told == [120, 160]


@pytest.mark.parametrize(
    ("n_rows", "fraction", "n_training"), [(2, 0.1, 1), (5, 0.1, 4), (5, 0.99, 1)]
)
def test_few_rows_leave_at_least_one_on_each_side(matrix, n_rows, fraction, n_training):
    told = []

    def make_objective(n_rows):
        told.append(n_rows)
        return VAEObjective()

    net = train_with(matrix[:n_rows], make_objective, validation_fraction=fraction)
    assert told == [n_training]
    assert np.isfinite(history_of(net, "valid_loss")).all()


def test_training_and_held_out_rows_are_the_table(matrix):
    class SeenRows(Callback):
        def on_train_begin(self, net, **kwargs):
            self.rows = {True: [], False: []}

        def on_batch_begin(self, net, batch, training, **kwargs):
            self.rows[training].append(batch[0])

    seen = SeenRows()
    train_with(matrix, callbacks=[seen], max_epochs=1)
    training, held_out = (torch.cat(seen.rows[kind]) for kind in (True, False))
    assert len(held_out) == 40
    together = torch.cat([training, held_out]).numpy()
    order = np.argsort(together[:, 0])
    expected = matrix[np.argsort(matrix[:, 0])].astype(np.float32)
    np.testing.assert_array_equal(together[order], expected)


def test_nothing_is_held_out_without_early_stopping(matrix):
    net = train_with(matrix, validation_fraction=0, n_iter_no_change=1)
    assert len(net.history) == 6
    assert not any(name.startswith("valid_") for name in net.history[-1])
    assert net.best_epoch_ == 6


def test_held_out_loss_is_the_same_at_the_same_weights(matrix):
    # lr=0 keeps the weights; noise on training rows is fresh, on held-out rows fixed.
    net = train_with(matrix, lr=0.0, kl_warmup=3)
    assert len(set(history_of(net, "valid_loss"))) == 1
    assert len(set(history_of(net, "train_reconstruction"))) == 6


def test_warmup_takes_at_most_half_of_the_epochs(matrix):
    net = train_with(matrix, kl_warmup=100, max_epochs=6)
    np.testing.assert_allclose(
        history_of(net, "warmup"), [1 / 4, 2 / 4, 3 / 4, 1, 1, 1]
    )


def test_training_loss_is_annealed_and_the_held_out_one_is_not(matrix):
    net = train_with(matrix, kl_warmup=3, max_epochs=6)
    for epoch in net.history:
        for prefix, weight in (("train", epoch["warmup"]), ("valid", 1)):
            total = epoch[f"{prefix}_reconstruction"] + weight * epoch[f"{prefix}_kl"]
            assert epoch[f"{prefix}_loss"] == pytest.approx(total, rel=1e-5)


def test_plateau_followed_by_a_fall_does_not_stop_training(matrix):
    losses = [5, 4, 4, 4, 4, 4, 3, 2, 2, 2, 2, 2, 2, 2]

    def make_objective(n_rows):
        return ScriptedValidation(losses)

    patient = train_with(matrix, make_objective, max_epochs=14, n_iter_no_change=5)
    assert len(patient.history) == 13
    assert patient.best_epoch_ == 8
    hasty = train_with(matrix, make_objective, max_epochs=14, n_iter_no_change=4)
    assert len(hasty.history) == 6
    assert hasty.best_epoch_ == 2


@pytest.mark.parametrize("losses", [[3, 1, 2, 2.5], [-1, -3, -2, -2]])
def test_best_weights_are_restored(matrix, losses):
    kept = KeepWeights()
    net = train_with(
        matrix,
        lambda n_rows: ScriptedValidation(losses),
        max_epochs=4,
        callbacks=[kept],
    )
    assert net.best_epoch_ == 2
    final = net.module_.state_dict()
    matches = [weights_equal(weights, final) for weights in kept.weights]
    assert matches == [False, True, False, False]


def test_epochs_of_the_warmup_are_never_the_best(matrix):
    net = train_with(
        matrix,
        lambda n_rows: ScriptedValidation([0, 0, 0, 5, 4, 4.5]),
        kl_warmup=3,
        max_epochs=6,
    )
    assert net.best_epoch_ == 5


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_term_that_is_not_finite_is_an_error(matrix, value):
    with pytest.raises(TrainingDivergedError) as raised:
        train_with(
            matrix, lambda n_rows: ScriptedTraining(value, at_epoch=3, n_batches=4)
        )
    message = str(raised.value)
    assert "epoch 3" in message
    assert f"train_kl is {value}" in message


def test_weights_that_explode_are_an_error(matrix):
    with pytest.raises(TrainingDivergedError, match=r"epoch 1: train_loss is"):
        train_with(matrix, lr=1e20)


@pytest.mark.parametrize("fraction", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("tc_estimator", ["minibatch", "weighted", "stratified"])
def test_total_correlation_with_any_share_held_out(matrix, tc_estimator, fraction):
    # Held-out batches may hold more rows than there are to train on.
    net = train_with(
        matrix,
        lambda n_rows: BetaTCVAEObjective(4.0, tc_estimator, n_rows),
        validation_fraction=fraction,
        max_epochs=2,
    )
    assert np.isfinite(history_of(net, "valid_total_correlation")).all()


def test_same_seed_same_bits(matrix):
    first, again, other = (train_with(matrix, seed=seed) for seed in (0, 0, 1))
    assert weights_equal(first.module_.state_dict(), again.module_.state_dict())
    assert history_of(first, "train_loss") == history_of(again, "train_loss")
    assert not weights_equal(first.module_.state_dict(), other.module_.state_dict())


def test_global_generators_are_left_alone_and_without_effect(matrix):
    numpy_generator = check_random_state(None)
    torch_before = torch.random.get_rng_state()
    numpy_before = numpy_generator.get_state()
    first = train_with(matrix)
    assert torch.equal(torch.random.get_rng_state(), torch_before)
    for found, expected in zip(numpy_generator.get_state(), numpy_before, strict=True):
        np.testing.assert_array_equal(found, expected)
    torch.random.manual_seed(99)
    again = train_with(matrix)
    torch.random.set_rng_state(torch_before)
    assert weights_equal(first.module_.state_dict(), again.module_.state_dict())


def test_threads_train_as_one_would(matrix):
    seeds = range(4)
    serial = [train_with(matrix, seed=seed) for seed in seeds]
    with ThreadPoolExecutor(4) as pool:
        parallel = list(pool.map(lambda seed: train_with(matrix, seed=seed), seeds))
    for alone, among_others in zip(serial, parallel, strict=True):
        expected = alone.module_.state_dict()
        assert weights_equal(among_others.module_.state_dict(), expected)


def test_users_early_stopping_works(matrix):
    stopping = SkorchEarlyStopping(
        monitor="valid_loss",
        patience=3,
        threshold=1e3,
        threshold_mode="abs",
        sink=print_nothing,
    )
    net = train_with(matrix, callbacks=[stopping], max_epochs=30)
    assert len(net.history) == 4


def test_every_callback_sees_the_epoch_that_training_stops_at(matrix):
    kept = KeepWeights()
    net = train_with(
        matrix, callbacks=[kept], max_epochs=30, n_iter_no_change=2, tol=1e3
    )
    assert len(net.history) < 30
    assert len(net.callbacks_[-1][1].weights) == len(net.history)


def test_users_checkpoint_works(matrix, tmp_path):
    checkpoint = Checkpoint(dirname=tmp_path, f_optimizer=None, f_history=None)
    net = train_with(matrix, callbacks=[checkpoint])
    best = np.argmin(history_of(net, "valid_loss"))
    assert history_of(net, "event_cp")[best]
    assert (tmp_path / "params.pt").exists()


def test_users_learning_rate_schedule_works(matrix):
    schedule = LRScheduler(policy="StepLR", step_size=1, gamma=0.0)
    kept = KeepWeights()
    train_with(matrix, callbacks=[schedule, kept], max_epochs=3)
    first, second, third = kept.weights
    assert weights_equal(second, {k: v.double() for k, v in first.items()})
    assert weights_equal(third, {k: v.double() for k, v in first.items()})


def test_users_gradient_clipping_works(matrix):
    clipped = train_with(matrix, callbacks=[GradientNormClipping(1e-9)])
    plain = train_with(matrix)
    assert not weights_equal(clipped.module_.state_dict(), plain.module_.state_dict())


def test_users_callback_sees_every_named_term(matrix):
    class Names(Callback):
        def on_epoch_end(self, net, **kwargs):
            self.names = set(net.history[-1])

    names = Names()
    train_with(matrix, callbacks=[names])
    terms = {
        f"{part}_{term}"
        for part in ("train", "valid")
        for term in ("loss", "reconstruction", "kl")
    }
    assert terms <= names.names


def test_interrupt_during_a_batch_goes_up(matrix):
    class ControlC(Callback):
        def on_batch_end(self, net, **kwargs):
            if len(net.history) == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_with(matrix, callbacks=[ControlC()])


def test_net_pickles(matrix):
    net = train_with(matrix)
    again = pickle.loads(pickle.dumps(net))
    assert weights_equal(again.module_.state_dict(), net.module_.state_dict())
    assert list(again.history) == list(net.history)
    assert again.best_epoch_ == net.best_epoch_


def test_net_holds_no_rows(matrix):
    # A pickled model must not carry its training table.
    size = len(pickle.dumps(train_with(matrix, max_epochs=1)))
    large = np.tile(matrix, (50, 1))
    size_of_large = len(pickle.dumps(train_with(large, max_epochs=1)))
    assert size_of_large < size + 1000


def test_progress_bar_only_on_request(matrix, capsys):
    train_with(matrix, max_epochs=2)
    silent = capsys.readouterr()
    assert silent.out == silent.err == ""
    train_with(matrix, max_epochs=2, title="SomeModel")
    assert "SomeModel" in capsys.readouterr().err


class KeepRates(Callback):
    """Keep the learning rate of each step."""

    def on_train_begin(self, net, **kwargs):
        self.rates = []

    def on_batch_begin(self, net, training, **kwargs):
        if training:
            self.rates.append(net.optimizer_.param_groups[0]["lr"])


class TestSchedule:
    def rates_under(self, schedule, matrix, **changes):
        keep = KeepRates()
        net = train_with(matrix, lr_schedule=schedule, callbacks=[keep], **changes)
        return np.array(keep.rates), net

    def test_constant(self, matrix):
        rates, _ = self.rates_under("constant", matrix)
        assert len(rates) == 6 * 4  # 120 rows in batches of 32
        assert set(rates) == {1e-2}

    @pytest.mark.parametrize("validation_fraction", [0, 0.25])
    def test_one_cycle_rises_and_falls(self, matrix, validation_fraction):
        rates, _ = self.rates_under(
            "one_cycle",
            matrix,
            max_epochs=25,
            validation_fraction=validation_fraction,
        )
        peak = rates.argmax()
        assert rates[peak] == pytest.approx(1e-2, rel=1e-3)
        assert rates[0] == pytest.approx(1e-3)
        assert peak == pytest.approx(0.1 * len(rates), abs=1)
        assert (np.diff(rates[: peak + 1]) > 0).all()
        assert (np.diff(rates[peak:]) < 0).all()
        assert rates[-1] < 1e-4

    def test_one_cycle_of_a_batch_that_is_not_full(self, matrix):
        # 120 rows make one batch of 100, and one of 20.
        rates, _ = self.rates_under("one_cycle", matrix, batch_size=100, max_epochs=9)
        assert len(rates) == 18

    def test_one_cycle_ends_when_training_stops_early(self, matrix):
        _, net = self.rates_under(
            "one_cycle", matrix, max_epochs=40, n_iter_no_change=1, tol=0.5
        )
        assert len(net.history) < 40

    def test_a_pickled_net_encodes_the_same(self, matrix):
        _, net = self.rates_under("one_cycle", matrix)
        again = pickle.loads(pickle.dumps(net))
        rows = torch.as_tensor(matrix)
        assert torch.equal(
            again.module_.encode(rows).mean, net.module_.encode(rows).mean
        )
