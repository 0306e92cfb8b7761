"""A stored study of Optuna that is killed, and goes on."""

import multiprocessing
import os
import signal
import time

import pytest

from skvae import BetaTCVAE
from skvae.datasets import make_credit_portfolio
from skvae.selection import neg_total_correlation_scorer, reconstruction_scorer

optuna = pytest.importorskip("optuna", reason="it is an extra")
pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

N_TRIALS = 6
COMPLETE = optuna.trial.TrialState.COMPLETE


def objective(trial):
    X = make_credit_portfolio(400, random_state=0).data
    model = BetaTCVAE(
        beta=trial.suggest_float("beta", 1, 8, log=True),
        latent_dim=trial.suggest_int("latent_dim", 2, 4),
        hidden_layer_sizes=(16,),
        random_state=0,
    )
    for _ in range(4):
        model.partial_fit(X[:300])
    fidelity = reconstruction_scorer(model, X[300:])
    return fidelity, neg_total_correlation_scorer(model, X[300:])


def open_study(path):
    return optuna.create_study(
        storage=f"sqlite:///{path}",
        study_name="study",
        directions=["maximize", "maximize"],
        sampler=optuna.samplers.RandomSampler(seed=0),
        load_if_exists=True,
    )


def work(path):
    open_study(path).optimize(objective, n_trials=100)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a signal of POSIX")
def test_killed_study_loses_the_running_trial_only(tmp_path):
    path = tmp_path / "study.sqlite"
    study = open_study(path)
    process = multiprocessing.get_context("spawn").Process(target=work, args=(path,))
    process.start()
    while len(study.get_trials(states=[COMPLETE])) < N_TRIALS:
        assert process.is_alive()
        time.sleep(0.02)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL

    before = study.get_trials(states=[COMPLETE])
    again = open_study(path)
    assert len(again.trials) <= len(before) + 1  # but for the one at work
    again.optimize(objective, n_trials=2)
    after = again.get_trials(states=[COMPLETE])
    assert len(after) == len(before) + 2
    for old, new in zip(before, after, strict=False):
        assert (old.params, old.values) == (new.params, new.values)
    assert again.best_trials
