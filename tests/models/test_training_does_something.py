"""Training moves every weight, and every parameter of an objective moves the model.

A model that accepts beta and never uses it, or whose KL is zero whatever the data,
passes every interface check there is.
"""

import numpy as np
import pytest
import torch
from model_cases import MODELS, make_numbers, small
from skorch.callbacks import Callback

from skvae import VAE, BetaTCVAE, BetaVAE

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
    if "beta" in model_class().get_params():
        settings["beta"] = 1.5  # 4 is too much for six columns: BetaVAE collapses
    return small(model_class, **{**settings, **params}).fit(numbers)


def total_kl(model):
    return model.kl_per_dimension_.sum()


def weights(model):
    return {name: w.numpy() for name, w in model.module_.state_dict().items()}


def assert_same_model(first, second, numbers):
    ours, theirs = weights(first), weights(second)
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
    np.testing.assert_array_equal(first.transform(numbers), second.transform(numbers))
    np.testing.assert_array_equal(
        first.score_samples(numbers), second.score_samples(numbers)
    )


class GradientRecorder(Callback):
    """Note which parameters got a gradient that is finite and not all zero."""

    names, seen = set(), set()

    def on_grad_computed(self, net, named_parameters, **kwargs):
        for name, parameter in named_parameters:
            self.names.add(name)
            gradient = parameter.grad
            if gradient is not None and gradient.isfinite().all() and gradient.any():
                self.seen.add(name)


def test_loss_falls(model_class, numbers):
    history = trained(model_class, numbers, early_stopping=True).history_
    for name in ("train_loss", "train_reconstruction", "valid_loss"):
        assert history[name].iloc[-1] < history[name].iloc[0] - 0.3, name


def test_every_parameter_receives_gradient(model_class, numbers):
    GradientRecorder.names, GradientRecorder.seen = set(), set()
    model = trained(model_class, numbers, max_epochs=2, callbacks=[GradientRecorder()])
    assert GradientRecorder.names == {n for n, _ in model.module_.named_parameters()}
    assert GradientRecorder.seen == GradientRecorder.names


def test_every_parameter_moves(model_class, numbers):
    start = weights(trained(model_class, numbers, max_epochs=1, lr=1e-30))
    end = weights(trained(model_class, numbers))
    moved = {name for name in start if not np.array_equal(start[name], end[name])}
    parameters = {name for name in start if not name.endswith("column_scales")}
    assert moved == parameters


def test_reconstruction_beats_the_mean(model_class, numbers):
    model = trained(model_class, numbers, encoding="standard")
    error = np.mean((model.reconstruct(numbers) - numbers) ** 2, axis=0)
    assert (error.mean() < 0.6 * numbers.var(axis=0)).mean() > 0.5


def test_latents_tell_rows_apart(model_class, numbers):
    model = trained(model_class, numbers)
    assert model.n_active_ >= 1
    assert model.transform(numbers).std(axis=0).max() > 0.3


@pytest.mark.parametrize("model_class", [BetaVAE, BetaTCVAE])
def test_beta_reaches_training(model_class, numbers):
    scores = [
        trained(model_class, numbers, beta=beta, max_epochs=3).score(numbers)
        for beta in (0.0, 1.0, 4.0, 1000.0)
    ]
    assert len(set(scores)) == 4


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
    latents = [trained(model, numbers, max_epochs=5) for model in MODELS]
    scores = [model.score_samples(numbers) for model in latents]
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


def test_beta_one_is_the_vae(numbers):
    plain = trained(VAE, numbers, max_epochs=5)
    assert_same_model(trained(BetaVAE, numbers, beta=1, max_epochs=5), plain, numbers)


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
