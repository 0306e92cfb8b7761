"""A search on a cluster gives what it gives here, also when a machine dies."""

import itertools
import os
import signal
import threading
import time

import joblib
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import GridSearchCV, KFold

from skvae import BetaTCVAE
from skvae.datasets import make_credit_portfolio
from skvae.selection import ks_scorer, neg_total_correlation_scorer

distributed = pytest.importorskip("distributed", reason="dask is an extra")

GRID = {"beta": [1.0, 4.0], "latent_dim": [2, 4], "lr": [1e-3, 5e-3]}
SCORES = ("KS", "-TC")


def scores_and_process(model, X, y=None):
    """Return two scores, and which process made them."""
    return {
        "KS": ks_scorer(model, X),
        "-TC": neg_total_correlation_scorer(model, X),
        "process": os.getpid(),
    }


@pytest.fixture(scope="module")
def X():
    return make_credit_portfolio(300, random_state=0).data


@pytest.fixture(scope="module")
def splits(X):
    return list(KFold(2).split(X))


@pytest.fixture(scope="module")
def search(splits):
    return GridSearchCV(
        BetaTCVAE(max_epochs=3, kl_warmup=1, random_state=0, device="cpu"),
        GRID,
        scoring=scores_and_process,
        refit=False,
        cv=splits,
        error_score="raise",
    )


@pytest.fixture
def serial(search, X, one_thread):
    return search.fit(X).cv_results_


@pytest.fixture
def client():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def assert_same_scores(found, expected):
    for name in SCORES:
        for fold in range(2):
            key = f"split{fold}_test_{name}"
            assert_array_equal(found[key], expected[key])


def processes_of(results):
    return {int(p) for fold in range(2) for p in results[f"split{fold}_test_process"]}


def test_both_workers_give_the_serial_results(search, X, serial, client):
    with joblib.parallel_config("dask"):  # as short as it gets
        found = search.fit(X).cv_results_
    assert_same_scores(found, serial)
    assert processes_of(found) == set(client.run(os.getpid).values())


def test_killed_worker_costs_no_results(search, X, splits, serial, client):
    workers = list(client.run(os.getpid).values())
    outcome = {}
    # All workers get all arrays. joblib would give each to one, and wait for ever for
    # those that died with it.
    arrays = [X, *itertools.chain(*splits)]

    def work():
        with joblib.parallel_config("dask", scatter=arrays):
            outcome["search"] = search.fit(X)

    thread = threading.Thread(target=work)
    thread.start()
    while not any(client.processing().values()):
        time.sleep(0.01)
    time.sleep(0.3)
    os.kill(workers[0], signal.SIGKILL)
    thread.join(timeout=120)
    found = outcome["search"].cv_results_
    assert_same_scores(found, serial)
    assert workers[0] not in client.run(os.getpid).values()
    assert workers[1] in processes_of(found)
