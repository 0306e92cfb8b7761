"""Warm-up, divergence and early stopping, on a net that only keeps a history."""

import io
import math
import sys
from types import SimpleNamespace

import pytest
from skorch.history import History

from skvae import TrainingDivergedError
from skvae.training._callbacks import DivergenceCheck, EarlyStopping, Progress, Warmup


class ScriptedNet:
    """What callbacks see of a net; its weights are the number of the epoch."""

    def __init__(self, max_epochs=10, watched=("loss",)):
        self.criterion_ = SimpleNamespace(watched=watched)
        self.history = History()
        self.max_epochs = max_epochs
        self.warmup = 1.0
        self.stops = False
        self.weights = 0

    def begin_epoch(self):
        self.history.new_epoch()
        self.history.record("epoch", len(self.history))

    def copy_weights(self):
        return self.weights

    def load_weights(self, weights):
        self.weights = weights


def run(callback, losses, warmup=None):
    """Train a net whose held-out losses are given; return it, stopped or not."""
    net = ScriptedNet()
    callback.on_train_begin(net)
    for position, loss in enumerate(losses):
        net.begin_epoch()
        net.weights = len(net.history)
        net.warmup = 1.0 if warmup is None else warmup[position]
        net.history.record("valid_loss", loss)
        callback.on_epoch_end(net)
        if net.stops:
            break
    callback.on_train_end(net)
    return net


@pytest.mark.parametrize(
    ("n_epochs", "expected"),
    [
        (0, [1, 1, 1]),
        (1, [1 / 2, 1, 1]),
        (4, [1 / 5, 2 / 5, 3 / 5, 4 / 5, 1, 1]),
    ],
)
def test_warmup_rises_evenly_and_then_stays(n_epochs, expected):
    net, warmup = ScriptedNet(), Warmup(n_epochs)
    for weight in expected:
        net.begin_epoch()
        warmup.on_epoch_begin(net)
        assert net.warmup == pytest.approx(weight)
        assert net.history[-1, "warmup"] == net.warmup


def test_warmup_trains_exactly_n_epochs_below_the_final_weight():
    net, warmup = ScriptedNet(), Warmup(7)
    weights = []
    for _ in range(12):
        net.begin_epoch()
        warmup.on_epoch_begin(net)
        weights.append(net.warmup)
    assert sum(weight < 1 for weight in weights) == 7
    assert min(weights) > 0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["train_loss", "train_kl", "valid_total_correlation"])
def test_divergence_names_epoch_and_term(name, value):
    net = ScriptedNet()
    for _ in range(3):
        net.begin_epoch()
    net.history.record("train_reconstruction", 1.0)
    net.history.record(name, value)
    with pytest.raises(TrainingDivergedError) as raised:
        DivergenceCheck().on_epoch_end(net)
    message = str(raised.value)
    assert "epoch 3" in message
    assert f"{name} is {value}" in message
    assert "lr" in message
    assert "train_reconstruction" not in message


def test_divergence_names_the_term_beside_the_loss():
    # The loss takes every bad term with it; alone it would say nothing.
    net = ScriptedNet()
    net.begin_epoch()
    net.history.record("train_loss", math.inf)
    net.history.record("train_kl", math.inf)
    with pytest.raises(TrainingDivergedError, match="train_kl is inf"):
        DivergenceCheck().on_epoch_end(net)


def test_finite_terms_are_no_divergence():
    net = ScriptedNet()
    net.begin_epoch()
    net.history.record("train_loss", -1e30)
    net.history.record("some_callback", math.nan)
    DivergenceCheck().on_epoch_end(net)


def test_stops_after_the_patience_and_restores_the_best():
    net = run(EarlyStopping(3, tol=0.01), [5, 4, 3, 3.5, 3.4, 3.3, 1])
    assert len(net.history) == 6
    assert net.best_epoch_ == 3
    assert net.weights == 3


def test_plateau_shorter_than_the_patience_does_not_stop():
    losses = [5, 4, *[4.0] * 6, 2, 1.9, 1.8]
    assert len(run(EarlyStopping(7, tol=0.01), losses).history) == len(losses)
    assert len(run(EarlyStopping(6, tol=0.01), losses).history) == 8


def test_patience_starts_anew_at_each_improvement():
    losses = [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    net = run(EarlyStopping(2, tol=0.01), losses)
    assert len(net.history) == len(losses)
    assert net.weights == 9


def test_epochs_of_the_warmup_do_not_count():
    # The loss rises with the warm-up; the lowest of it is not the best.
    losses = [1, 2, 3, 4, 6, 5, 4.5, 4.6, 4.7]
    warmup = [0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1, 1]
    net = run(EarlyStopping(2, tol=0.01), losses, warmup)
    assert len(net.history) == 9
    assert net.best_epoch_ == 7
    assert net.weights == 7


@pytest.mark.parametrize("level", [100.0, 0.0, -1000.0])
def test_tolerance_is_absolute(level):
    # A relative threshold would turn round where losses are negative.
    falls = [level - 0.05 * epoch for epoch in range(8)]
    assert len(run(EarlyStopping(2, tol=0.04), falls).history) == 8
    # Each fall is below the tolerance, but two of them together are above it.
    assert len(run(EarlyStopping(2, tol=0.07), falls).history) == 8
    assert len(run(EarlyStopping(2, tol=0.2), falls).history) == 3


def test_best_weights_need_no_improvement_beyond_the_tolerance():
    net = run(EarlyStopping(2, tol=0.5), [3, 2.9, 2.8, 1])
    assert len(net.history) == 3
    assert net.weights == 3


def test_best_weights_are_restored_without_a_stop():
    net = run(EarlyStopping(20, tol=0), [3, 2, 2.5])
    assert len(net.history) == 3
    assert net.weights == 2


def test_training_again_forgets_the_last_one():
    callback = EarlyStopping(2, tol=0)
    run(callback, [-10, -20])
    net = run(callback, [3, 2, 1, 0])
    assert len(net.history) == 4
    assert net.weights == 4


def test_stopping_watches_the_sum_of_the_terms_that_the_objective_names():
    net = ScriptedNet(watched=("reconstruction", "kl"))
    callback = EarlyStopping(2, tol=0.0)
    callback.on_train_begin(net)
    # The loss falls throughout; the sum is lowest in epoch 2, and neither term is.
    terms = [(5.0, 2.0), (3.0, 2.5), (2.0, 4.0), (4.0, 1.75)]
    for reconstruction, kl in terms:
        net.begin_epoch()
        net.weights = len(net.history)
        net.history.record("valid_loss", -float(len(net.history)))
        net.history.record("valid_reconstruction", reconstruction)
        net.history.record("valid_kl", kl)
        callback.on_epoch_end(net)
    assert net.stops
    callback.on_train_end(net)
    assert net.best_epoch_ == 2
    assert net.weights == 2


def test_progress_shows_the_terms_and_closes(monkeypatch):
    terminal = io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)
    net, progress = ScriptedNet(max_epochs=2), Progress("SomeModel")
    progress.on_train_begin(net)
    for _ in range(2):
        net.begin_epoch()
        net.history.record("train_total_correlation", 1.25)
        net.history.record("valid_loss", 3.5)
        progress.on_epoch_end(net)
    progress.on_train_end(net)
    shown = terminal.getvalue()
    assert "SomeModel" in shown
    assert "total correlation=1.250" in shown
    assert "2/2" in shown
    assert vars(progress) == {"title": "SomeModel"}  # a bar does not pickle
