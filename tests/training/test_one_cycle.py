"""The one-cycle schedule of the learning rate, and what comes with it."""

import numpy as np
import pytest
from skorch.callbacks import Callback

from skvae import VAE


class Recorder(Callback):
    """Writes down the learning rate of each step and the norm of its gradient."""

    rates: list = []
    norms: list = []

    def on_batch_end(self, net, training=False, **kwargs):
        if training:
            self.rates.append(net.optimizer_.param_groups[0]["lr"])
            gradients = [p.grad for p in net.module_.parameters() if p.grad is not None]
            self.norms.append(float(sum(g.square().sum() for g in gradients) ** 0.5))


@pytest.fixture
def recorded():
    """Return what fits a small model and gives the rates and norms of its steps."""

    def fit(table, **params):
        Recorder.rates, Recorder.norms = [], []
        model = VAE(
            latent_dim=2,
            hidden_layer_sizes=(8,),
            max_epochs=5,
            batch_size=20,
            early_stopping=False,
            callbacks=[("recorder", Recorder())],
            random_state=0,
            **params,
        )
        model.fit(table)
        return np.array(Recorder.rates), np.array(Recorder.norms)

    return fit


@pytest.fixture
def table():
    return np.random.RandomState(0).normal(size=(200, 3))


@pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")
def test_rate_rises_to_lr_and_falls_to_none(recorded, table):
    rates, _ = recorded(table, lr=0.01, lr_schedule="one_cycle")
    assert len(rates) == 50
    assert rates.max() == pytest.approx(0.01, rel=0.05)
    assert rates.argmax() <= 6
    assert rates[-1] < 1e-4
    assert (np.diff(rates[6:]) < 0).all()


@pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")
def test_rate_is_constant_by_default(recorded, table):
    rates, _ = recorded(table, lr=0.01)
    np.testing.assert_array_equal(rates, 0.01)


@pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")
def test_gradients_are_clipped(recorded, table):
    far_out = np.where(np.arange(200)[:, None] == 7, 1e4, table)
    settings = {"encoding": None, "likelihood": "gaussian", "lr": 1e-3}
    _, free = recorded(far_out, **settings)
    _, clipped = recorded(far_out, lr_schedule="one_cycle", **settings)
    assert free.max() > 100
    assert clipped.max() < 50.1
