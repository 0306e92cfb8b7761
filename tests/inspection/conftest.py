"""A small fitted model, and a matplotlib that needs no screen."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest

from skvae import BetaTCVAE
from skvae.datasets import make_credit_portfolio


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="session")
def portfolio():
    return make_credit_portfolio(600, random_state=0)


@pytest.fixture(scope="session")
def X(portfolio):
    return portfolio.data


@pytest.fixture(scope="session")
def model(X):
    return BetaTCVAE(latent_dim=4, max_epochs=8, random_state=0).fit(X)


@pytest.fixture
def collapsed(model, monkeypatch):
    monkeypatch.setattr(model, "n_active_", 0)
    return model
