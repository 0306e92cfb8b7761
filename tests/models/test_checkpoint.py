"""Fits that are killed and go on, as if nothing had been."""

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from model_cases import DieAfter, Dies
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import LRScheduler
from torch.optim.lr_scheduler import ExponentialLR

from skvae import (
    MSVAE,
    RFVAE,
    BetaTCVAE,
    CheckpointError,
    FactorVAE,
    VAEAnomalyDetector,
)
from skvae.datasets import make_credit_portfolio
from skvae.selection import SeedEnsemble

resource = pytest.importorskip("resource", reason="limits of POSIX are set")
N_KILLS = 20
SMALL = {"hidden_layer_sizes": (16,), "max_epochs": 6, "kl_warmup": 2}


@pytest.fixture(scope="module")
def X():
    return make_credit_portfolio(300, random_state=0).data


def die_and_resume(model, X, n_epochs=3):
    """Return a model that was stopped in mid-fit, and went on in a second fit."""
    dying = clone(model).set_params(callbacks=[DieAfter(n_epochs)])
    with pytest.raises(Dies):
        dying.fit(X)
    return clone(model).set_params(resume=True).fit(X)


def assert_same_model(found, expected, X):
    assert_array_equal(found.transform(X), expected.transform(X))
    assert_array_equal(found.score_samples(X), expected.score_samples(X))
    for name, weight in expected.module_.state_dict().items():
        assert_array_equal(found.module_.state_dict()[name], weight)
    assert found.best_epoch_ == expected.best_epoch_
    history = expected.history_.drop(columns="dur")
    assert_array_equal(found.history_.drop(columns="dur"), history)


@pytest.mark.parametrize(
    "model",
    [
        BetaTCVAE(**SMALL, random_state=0),
        BetaTCVAE(**SMALL, early_stopping=False, random_state=0),
        BetaTCVAE(**SMALL, lr_schedule="one_cycle", random_state=0),
        FactorVAE(**SMALL, random_state=0),
        RFVAE(**SMALL, random_state=0),
    ],
    ids=["early_stopping", "all_epochs", "one_cycle", "adversary", "relevance"],
)
def test_resumed_fit_is_the_uninterrupted_one(model, X, tmp_path):
    expected = clone(model).fit(X)
    model.set_params(checkpoint=tmp_path)
    found = die_and_resume(model, X)
    assert_same_model(found, expected, X)


def test_patience_is_kept(X, tmp_path):
    model = BetaTCVAE(
        hidden_layer_sizes=(16,),
        max_epochs=30,
        kl_warmup=0,
        n_iter_no_change=3,
        tol=3.0,
        random_state=0,
    )
    expected = clone(model).fit(X)
    assert expected.n_iter_ < 30
    model.set_params(checkpoint=tmp_path)
    # In the last epoch but one all patience but one epoch is used up.
    found = die_and_resume(model, X, n_epochs=expected.n_iter_ - 1)
    assert_same_model(found, expected, X)


def test_users_schedule_is_taken_up_again(X, tmp_path):
    def model(*callbacks):
        schedule = LRScheduler(ExponentialLR, gamma=0.5)
        return BetaTCVAE(**SMALL, callbacks=[schedule, *callbacks], random_state=0)

    expected = model().fit(X)
    with pytest.raises(Dies):
        model(DieAfter(3)).set_params(checkpoint=tmp_path).fit(X)
    found = model().set_params(checkpoint=tmp_path, resume=True).fit(X)
    assert_same_model(found, expected, X)


def test_both_stages_are_written_down(X, tmp_path):
    first = BetaTCVAE(4, **SMALL)
    model = MSVAE(first, residual_dim=4, **SMALL, random_state=0)
    expected = clone(model).fit(X)
    model.set_params(checkpoint=tmp_path)
    found = die_and_resume(model, X)
    assert_same_model(found, expected, X)
    # The first stage, the encoder of the residuals, and the second stage.
    assert len(list(tmp_path.iterdir())) == 3


def test_detectors_and_ensembles_resume(X, tmp_path):
    model = BetaTCVAE(**SMALL, checkpoint=tmp_path, resume=True, random_state=0)
    detector = VAEAnomalyDetector(model).fit(X)
    again = VAEAnomalyDetector(model).fit(X)
    assert_array_equal(again.score_samples(X), detector.score_samples(X))
    assert len(list(tmp_path.iterdir())) == 1
    SeedEnsemble(model, n_seeds=2).fit(X)
    assert 2 <= len(list(tmp_path.iterdir())) <= 3


def test_ended_fit_is_there_at_once(X, tmp_path):
    model = BetaTCVAE(**SMALL, checkpoint=tmp_path, resume=True, random_state=0)
    expected = model.fit(X)
    again = clone(model).set_params(callbacks=[DieAfter(0)]).fit(X)
    assert_same_model(again, expected, X)


def test_other_fits_do_not_go_on_from_it(X, tmp_path):
    model = BetaTCVAE(**SMALL, checkpoint=tmp_path, resume=True, random_state=0)
    model.fit(X)
    for other, rows in (
        (clone(model).set_params(beta=2.0), X),
        (clone(model).set_params(random_state=1), X),
        (clone(model), X[:200]),
    ):
        expected = clone(other).set_params(checkpoint=None, resume=False).fit(rows)
        assert_same_model(other.fit(rows), expected, rows)
    assert len(list(tmp_path.iterdir())) == 4


def test_without_resume_fit_starts_anew(X, tmp_path):
    model = BetaTCVAE(**SMALL, checkpoint=tmp_path, random_state=0).fit(X)
    with pytest.raises(Dies):
        clone(model).set_params(callbacks=[DieAfter(0)]).fit(X)
    assert len(list(tmp_path.iterdir())) == 1


def test_folder_of_a_search_may_be_shared(X, tmp_path):
    model = BetaTCVAE(**SMALL, checkpoint=tmp_path, resume=True, random_state=0)
    grid = {"beta": [1.0, 4.0]}
    search = GridSearchCV(model, grid, cv=2, n_jobs=2).fit(X)
    again = GridSearchCV(model, grid, cv=2).fit(X)
    assert len(list(tmp_path.iterdir())) == 5  # two by two, and the refit
    for name in ("split0_test_score", "split1_test_score"):
        assert_array_equal(again.cv_results_[name], search.cv_results_[name])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"resume": True, "random_state": 0}, "checkpoint=None"),
        ({"resume": True, "checkpoint": "runs"}, "random_state=None"),
    ],
)
def test_resume_says_what_it_needs(params, message, X):
    with pytest.raises(ValueError, match=message):
        BetaTCVAE(**SMALL, **params).fit(X)


def test_broken_checkpoint_is_refused(X, tmp_path):
    model = BetaTCVAE(**SMALL, checkpoint=tmp_path, resume=True, random_state=0).fit(X)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="cannot be read"):
        clone(model).fit(X)


def test_folder_that_cannot_be_written_to(X, tmp_path):
    (tmp_path / "file").write_text("no folder")
    model = BetaTCVAE(**SMALL, checkpoint=tmp_path / "file" / "runs", random_state=0)
    with pytest.raises(CheckpointError, match="checkpoint of epoch 0 cannot be wri"):
        model.fit(X)
    assert not hasattr(model, "net_")


class FillDisk(DieAfter):
    """Let no file grow beyond a few bytes from the epoch after some."""

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) > self.n_epochs:
            _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))


def test_full_disk_keeps_the_last_good_checkpoint(X, tmp_path):
    model = BetaTCVAE(**SMALL, checkpoint=tmp_path, random_state=0)
    expected = clone(model).set_params(checkpoint=None).fit(X)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(CheckpointError, match="that of epoch 3 is kept"):
            clone(model).set_params(callbacks=[FillDisk(3)]).fit(X)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(list(tmp_path.iterdir())) == 1  # and nothing half-written
    found = clone(model).set_params(resume=True).fit(X)
    assert_same_model(found, expected, X)


def fit_long(folder, X):
    LONG.set_params(checkpoint=folder, resume=True).fit(X)


LONG = BetaTCVAE(
    hidden_layer_sizes=(16,), max_epochs=40, early_stopping=False, random_state=0
)


def epoch_written(folder):
    import torch

    paths = list(Path(folder).glob("*.checkpoint"))
    return len(torch.load(paths[0], weights_only=True)["history"]) if paths else 0


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a signal of POSIX")
def test_killed_twenty_times(X, tmp_path):
    expected = clone(LONG).fit(X)
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([__name__, "skvae"])
    rng = random.Random(0)
    epochs = [0]
    for _ in range(N_KILLS):
        process = server.Process(target=fit_long, args=(tmp_path, X))
        process.start()
        # Wait for life, and then for a random moment of the next few epochs.
        while process.is_alive() and epoch_written(tmp_path) <= epochs[-1]:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.05))
        process.kill()
        process.join()
        assert process.exitcode in (-signal.SIGKILL, 0)
        epochs.append(epoch_written(tmp_path))
    assert sum(np.diff(epochs) > 0) >= N_KILLS // 2
    found = clone(LONG).set_params(checkpoint=tmp_path, resume=True).fit(X)
    assert_same_model(found, expected, X)
