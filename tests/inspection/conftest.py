"""A small fitted model."""

import pytest

from skvae import BetaTCVAE
from skvae.datasets import make_credit_portfolio


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
