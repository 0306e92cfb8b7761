"""Displays and effects of a model of two stages are those of its factors."""

import pytest

from skvae import MSVAE, BetaTCVAE
from skvae.datasets import make_credit_portfolio
from skvae.inspection import (
    LatentTraversalDisplay,
    MutualInformationDisplay,
    describe_factor,
    factor_effects,
)


@pytest.fixture(scope="module")
def rows():
    return make_credit_portfolio(400, random_state=0).data


@pytest.fixture(scope="module")
def model(rows):
    first = BetaTCVAE(latent_dim=3, beta=1, max_epochs=5)
    return MSVAE(first, residual_dim=4, max_epochs=5, random_state=0).fit(rows)


def test_effects_are_of_the_factors(model, rows):
    effects = factor_effects(model, rows)
    assert list(effects.index) == ["msvae_c0", "msvae_c1", "msvae_c2"]


def test_a_factor_moves_columns_after_the_second_stage(model, rows):
    active = model.first_stage_.kl_per_dimension_ > 0.1
    effects = factor_effects(model, rows)
    assert active.any()
    assert (effects[active].abs().max(axis=1) > 0.1).all()


def test_effects_of_both_stages_agree_on_what_moves_most(model, rows):
    strongest = model.first_stage_.kl_per_dimension_.argmax()
    of_first = factor_effects(model.first_stage_, rows).iloc[strongest]
    of_both = factor_effects(model, rows).iloc[strongest]
    assert of_first.corr(of_both) > 0.9


def test_a_residual_latent_can_be_described(model, rows):
    assert len(describe_factor(model, rows, "msvae_z0")) == 23


def test_displays_show_active_factors(model, rows):
    traversal = LatentTraversalDisplay.from_estimator(model, rows, n_steps=3)
    shown = set(traversal.traversals)
    assert shown
    assert shown <= {"msvae_c0", "msvae_c1", "msvae_c2"}
    information = MutualInformationDisplay.from_estimator(model, rows)
    assert set(information.mutual_information.index) == shown
