"""Training moves every weight, and every parameter of an objective moves the model.

A model that accepts beta and never uses it, or whose KL is zero whatever the data,
passes every interface check there is.
"""

import numpy as np
import pandas as pd
import pytest
import torch
from model_cases import MODELS, gentle, make_numbers, small, trained_once
from skorch.callbacks import Callback

from skvae import (
    CVAE,
    DCVAE,
    DIPVAE,
    MSVAE,
    RFVAE,
    VAE,
    BetaTCVAE,
    BetaVAE,
    FactorVAE,
    InfoVAE,
)

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

TC_ESTIMATORS = ["minibatch", "weighted", "stratified"]


@pytest.fixture(scope="module")
def numbers():
    return make_numbers(400, n_columns=6, n_factors=2, noise=0.3)


def trained(model_class, numbers, **params):
    settings = {
        "latent_dim": 3,
        "hidden_layer_sizes": (16,),
        "max_epochs": 40,
        "kl_warmup": 0,
        "lr": 3e-3,
        "early_stopping": False,
    }
    settings |= gentle(model_class)
    return small(model_class, **{**settings, **params}).fit(numbers)


def total_kl(model):
    return model.kl_per_dimension_.sum()


def weights_of(model):
    return {name: w.numpy() for name, w in model.module_.state_dict().items()}


def assert_same_model(first, second, numbers):
    ours, theirs = weights_of(first), weights_of(second)
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
    np.testing.assert_array_equal(first.transform(numbers), second.transform(numbers))
    np.testing.assert_array_equal(
        first.score_samples(numbers), second.score_samples(numbers)
    )


class GradientRecorder(Callback):
    """Note which parameters learn, and which got a finite gradient that is not zero."""

    names, seen = set(), set()

    def on_grad_computed(self, net, named_parameters, **kwargs):
        for name, parameter in named_parameters:
            if parameter.requires_grad:
                self.names.add(name)
            gradient = parameter.grad
            if gradient is not None and gradient.isfinite().all() and gradient.any():
                self.seen.add(name)


def test_loss_falls(model_class, numbers):
    history = trained(model_class, numbers, early_stopping=True).history_
    for name in ("train_reconstruction", "valid_reconstruction"):
        assert history[name].iloc[-1] < history[name].iloc[0] - 0.3, name


def test_every_parameter_receives_gradient(model_class, numbers):
    GradientRecorder.names, GradientRecorder.seen = set(), set()
    settings = {"max_epochs": 2, **trained_once(model_class)}
    model = trained(model_class, numbers, callbacks=[GradientRecorder()], **settings)
    learned = {name for name, _ in model.module_.named_parameters()}
    learned |= {n for n, _ in model.net_.get_all_learnable_params()}
    if model_class is MSVAE:  # whose first stage learned before
        learned = {name for name in learned if not name.startswith("first.")}
    assert GradientRecorder.names == learned
    assert GradientRecorder.seen == GradientRecorder.names


def test_every_parameter_moves(model_class, numbers):
    start = weights_of(trained(model_class, numbers, max_epochs=1, lr=1e-30))
    end = weights_of(trained(model_class, numbers))
    moved = {name for name in start if not np.array_equal(start[name], end[name])}
    parameters = {
        name
        for name, _ in trained(
            model_class, numbers, max_epochs=1
        ).module_.named_parameters()
    }
    assert moved == parameters


def test_reconstruction_beats_the_mean(model_class, numbers):
    model = trained(model_class, numbers, encoding="standard")
    error = np.mean((model.reconstruct(numbers) - numbers) ** 2, axis=0)
    assert (error.mean() < 0.6 * numbers.var(axis=0)).mean() > 0.5


def test_latents_tell_rows_apart(model_class, numbers):
    model = trained(model_class, numbers)
    assert model.n_active_ >= 1
    assert model.transform(numbers).std(axis=0).max() > 0.3


WEIGHTS = [
    (BetaVAE, "beta", [0.0, 1.0, 4.0, 1000.0]),
    (BetaVAE, "capacity", [0.0, 1.0, 4.0]),
    (BetaTCVAE, "beta", [0.0, 1.0, 4.0, 1000.0]),
    (FactorVAE, "beta", [0.0, 1.0, 4.0, 1000.0]),
    (FactorVAE, "discriminator_lr", [1e-5, 1e-3]),
    (FactorVAE, "discriminator_layer_sizes", [(8,), (16, 16)]),
    (RFVAE, "beta", [0.0, 1.0, 4.0]),
    (RFVAE, "kl_weights", [(0.1, 10), (1, 10), (1, 2)]),
    (RFVAE, "relevance_weight", [0.0, 10.0]),
    (RFVAE, "entropy_weight", [0.0, 100.0]),
    (DIPVAE, "off_diagonal_weight", [0.0, 1.0, 100.0]),
    (DIPVAE, "diagonal_weight", [0.0, 1.0, 100.0]),
    (DIPVAE, "variant", ["i", "ii"]),
    (InfoVAE, "alpha", [-1.0, 0.0, 0.5, 1.0]),
    (InfoVAE, "mmd_weight", [0.0, 1.0, 100.0]),
    (DCVAE, "beta", [0.0, 1.0, 4.0, 1000.0]),
    (DCVAE, "prior", ["standard", "learned"]),
    (CVAE, "prior", ["standard", "learned"]),
    (MSVAE, "first_stage", [BetaTCVAE(), BetaVAE()]),
    (MSVAE, "residual_dim", [1, 2, 3]),
    (MSVAE, "fusion", ["film", "concat"]),
    (MSVAE, "residual_training", ["joint", "separate"]),
]


@pytest.mark.parametrize(
    ("model_class", "name", "values"),
    WEIGHTS,
    ids=[f"{model.__name__}-{name}" for model, name, _ in WEIGHTS],
)
def test_weight_reaches_training(model_class, name, values, numbers):
    settings = {"max_epochs": 6, "lr": 1e-2}
    if model_class is RFVAE and name != "kl_weights":
        settings["kl_weights"] = (0.1, 10)
    models = [
        trained(model_class, numbers, **settings, **{name: value}) for value in values
    ]
    scores = [model.score(numbers) for model in models]
    assert len(set(scores)) == len(values)


def test_gamma_reaches_training(numbers):
    scores = [
        trained(BetaVAE, numbers, capacity=1.0, gamma=gamma, max_epochs=6).score(
            numbers
        )
        for gamma in (0.1, 1, 10)
    ]
    assert len(set(scores)) == 3


def test_every_weight_is_tested():
    shared = set(VAE().get_params())
    for model in MODELS:
        own = set(model().get_params()) - shared - {"tc_estimator", "gamma"}
        tested = {name for tested, name, _ in WEIGHTS if issubclass(model, tested)}
        assert own - {"condition_columns"} <= tested, model.__name__


def test_beta_lowers_the_kl(numbers):
    kl = [total_kl(trained(BetaVAE, numbers, beta=b)) for b in (0.1, 1, 4, 100)]
    assert kl[0] > 1.3 * kl[1] > 1.3**2 * kl[2] > 1.3**3 * kl[3]
    assert kl[3] < 0.05


def test_beta_lowers_the_total_correlation():
    # Two correlated factors, each seen by columns of its own: a latent for each of
    # them explains the rows best, and two such latents depend on each other.
    rng = np.random.default_rng(0)
    factors = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], size=500)
    columns = np.repeat(factors, 3, axis=1) + 0.3 * rng.normal(size=(500, 6))

    def terms(beta):
        model = trained(BetaTCVAE, columns, beta=beta, latent_dim=2, max_epochs=60)
        return model.elbo_decomposition(columns)

    low, middle, high = (terms(beta) for beta in (0.0, 1.0, 10.0))
    tc = [t.loc["total_correlation", "value"] for t in (low, middle, high)]
    assert tc[0] > 2 * tc[1] > 2**2 * tc[2]
    assert tc[1] > 2 * middle.loc["total_correlation", "standard_error"]
    # And the latents still say something of the row, which is the point of it.
    assert high.loc["mutual_information", "value"] > 1


def test_warmup_makes_a_difference(model_class, numbers):
    without = trained(model_class, numbers, max_epochs=6, kl_warmup=0)
    with_warmup = trained(model_class, numbers, max_epochs=6, kl_warmup=3)
    assert without.score(numbers) != with_warmup.score(numbers)
    assert total_kl(with_warmup) > total_kl(without)


def test_models_differ(numbers):
    # Without a condition a CVAE is a VAE, and a DCVAE a BetaTCVAE with another prior.
    models = [model for model in MODELS if model is not CVAE]
    scores = [trained(m, numbers, max_epochs=5).score_samples(numbers) for m in models]
    for i, first in enumerate(scores):
        for second in scores[i + 1 :]:
            assert not np.allclose(first, second, atol=1e-3)


def test_rows_score_differently(model_class, numbers):
    scores = trained(model_class, numbers, max_epochs=5).score_samples(numbers)
    assert len(np.unique(scores)) == len(scores)


def test_scores_find_rows_that_break_the_pattern(model_class):
    numbers = make_numbers(400, n_columns=6, n_factors=1, noise=0.3)
    model = trained(model_class, numbers)
    broken = np.random.default_rng(1).permuted(numbers, axis=0)  # margins are kept
    assert model.score(broken) < model.score(numbers) - 1


NEUTRAL = [
    (BetaVAE, {"beta": 1}),
    (FactorVAE, {"beta": 1}),
    (
        RFVAE,
        {"beta": 1, "kl_weights": (1, 1), "relevance_weight": 0, "entropy_weight": 0},
    ),
    (DIPVAE, {"off_diagonal_weight": 0, "diagonal_weight": 0}),
    (InfoVAE, {"alpha": 0, "mmd_weight": 1}),
    (CVAE, {}),
    (DCVAE, {"beta": 1, "prior": "standard"}),
]


@pytest.mark.parametrize(
    ("model_class", "weights"), NEUTRAL, ids=[model.__name__ for model, _ in NEUTRAL]
)
def test_at_neutral_weights_it_is_the_vae(numbers, model_class, weights):
    params = {"max_epochs": 5, "early_stopping": False}
    if issubclass(model_class, FactorVAE):
        # The adversary draws from the generator of the noise, so that only the first
        # batch sees the same noise: its terms are the same to the last bit.
        params |= {"max_epochs": 1, "batch_size": len(numbers)}
    plain = trained(VAE, numbers, **params)
    other = trained(model_class, numbers, **weights, **params)
    terms = ["train_loss", "train_reconstruction", "train_kl"]
    pd.testing.assert_frame_equal(
        other.history_[terms], plain.history_[terms], check_exact=True
    )
    if not issubclass(model_class, FactorVAE):
        assert_same_model(other, plain, numbers)


@pytest.mark.parametrize("tc_estimator", TC_ESTIMATORS)
@pytest.mark.parametrize("early_stopping", [True, False])
def test_tc_weight_zero_is_the_vae(numbers, tc_estimator, early_stopping):
    params = {"max_epochs": 5, "early_stopping": early_stopping}
    plain = trained(VAE, numbers, **params)
    same = trained(BetaTCVAE, numbers, beta=1, tc_estimator=tc_estimator, **params)
    assert_same_model(same, plain, numbers)


def test_weighted_is_minibatch_and_stratified_is_not(numbers):
    # Without weight on the total correlation there is some of it to estimate.
    params = {"beta": 0, "max_epochs": 5, "lr": 1e-2}
    minibatch, weighted, stratified = (
        trained(BetaTCVAE, numbers, tc_estimator=name, **params)
        for name in TC_ESTIMATORS
    )
    estimates = [
        model.history_["train_total_correlation"]
        for model in (minibatch, weighted, stratified)
    ]
    np.testing.assert_allclose(estimates[1], estimates[0], atol=1e-5)
    assert np.abs(estimates[2] - estimates[0]).max() > 0.05
    latents = minibatch.transform(numbers)
    np.testing.assert_allclose(weighted.transform(numbers), latents, atol=1e-5)
    assert np.abs(stratified.transform(numbers) - latents).max() > 0.05


def test_stratified_with_more_rows_held_out_than_trained_on(numbers):
    params = {"tc_estimator": "stratified", "validation_fraction": 0.8}
    model = trained(BetaTCVAE, numbers, early_stopping=True, max_epochs=2, **params)
    assert np.isfinite(model.history_["valid_total_correlation"]).all()


def test_module_is_ready_for_scoring(model_class, numbers):
    module = trained(model_class, numbers, max_epochs=2).module_
    assert not module.training
    for parameter in module.parameters():
        assert parameter.dtype == torch.float64
        assert not parameter.requires_grad
