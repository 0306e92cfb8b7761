"""Same seed, same bits, wherever and beside whatever a model is fitted; and Ctrl-C."""

import itertools
import random
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed, parallel_config
from model_cases import MODELS, make_numbers, small, where
from sklearn.model_selection import GridSearchCV

from skvae import VAE
from skvae.training import _net

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

SEEDS = range(4)

needs_progress_bar = pytest.mark.skipif(
    find_spec("sklearn.callback") is None or find_spec("rich") is None,
    reason="needs scikit-learn 1.9 and rich",
)


def fingerprint(model_class, seed):
    """Fit and return all that a user gets to see, as bytes."""
    numbers = make_numbers(300)
    model = small(
        model_class, random_state=seed, max_epochs=8, hidden_layer_sizes=(32, 16)
    ).fit(numbers)
    seen = [
        model.transform(numbers),
        model.score_samples(numbers),
        model.sample(50, random_state=seed),
        model.sample(50, latent="prior", kind="draw", random_state=seed),
        model.reconstruct(numbers, kind="draw", random_state=seed),
        model.elbo_decomposition(numbers, random_state=seed).to_numpy(),
        model.history_.drop(columns="dur").to_numpy(),
        *(w.numpy() for w in model.module_.state_dict().values()),
    ]
    return b"".join(np.ascontiguousarray(array).tobytes() for array in seen)


def random_states():
    return (
        torch.get_rng_state().numpy().tobytes(),
        str(np.random.get_state()),  # noqa: NPY002
        random.getstate(),
    )


def test_same_seed_same_bits(model_class):
    prints = [fingerprint(model_class, seed) for seed in SEEDS]
    assert len(set(prints)) == len(SEEDS)
    assert [fingerprint(model_class, seed) for seed in SEEDS] == prints


def test_global_seeds_do_not_matter(model_class):
    prints = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        random.seed(seed)
        prints.append(fingerprint(model_class, 0))
    assert prints[0] == prints[1]


def test_global_random_states_stay(model_class):
    before = random_states()
    fingerprint(model_class, 0)
    assert random_states() == before


def test_numpys_global_seed_is_used_where_random_state_is_none(model_class):
    # As in scikit-learn; torch's is left alone all the same.
    numbers = make_numbers()
    latents = []
    torch_state = torch.get_rng_state()
    for seed in (3, 3, 4):
        np.random.seed(seed)  # noqa: NPY002
        model = small(model_class, random_state=None)
        latents.append(model.fit_transform(numbers))
    np.testing.assert_array_equal(latents[0], latents[1])
    assert not np.array_equal(latents[0], latents[2])
    assert torch.equal(torch.get_rng_state(), torch_state)


@pytest.mark.parametrize("repeat", range(2))
def test_threads_give_the_same_bits(one_thread, repeat):
    jobs = list(itertools.product(MODELS, SEEDS))
    serial = [fingerprint(*job) for job in jobs]
    before = random_states()
    with ThreadPoolExecutor(max_workers=6) as pool:
        assert list(pool.map(lambda job: fingerprint(*job), jobs)) == serial
    with parallel_config("threading", n_jobs=4):
        threaded = Parallel()(delayed(fingerprint)(*job) for job in jobs)
    assert threaded == serial
    assert random_states() == before


def test_processes_give_the_same_bits(one_thread):
    jobs = list(itertools.product(MODELS, SEEDS[:2]))
    serial = [fingerprint(*job) for job in jobs]
    with parallel_config("loky", n_jobs=2, inner_max_num_threads=1):
        for _ in range(2):
            parallel = Parallel()(delayed(fingerprint)(*job) for job in jobs)
            assert parallel == serial


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_searches_agree_whatever_the_backend(one_thread, model_class, backend):
    numbers = make_numbers()
    model = small(model_class)
    grid = {where(model, "latent_dim"): [1, 2], "lr": [1e-3, 1e-2]}
    search = GridSearchCV(model, grid, cv=3, error_score="raise")
    serial = search.fit(numbers).cv_results_["mean_test_score"]
    inner = {} if backend == "threading" else {"inner_max_num_threads": 1}
    with parallel_config(backend, n_jobs=2, **inner):
        parallel = search.fit(numbers).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(parallel, serial)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_number_of_torch_threads_stays(one_thread, model_class, n_threads):
    torch.set_num_threads(n_threads)
    model = small(model_class, max_epochs=1).fit(make_numbers())
    model.score(make_numbers())
    model.sample(5)
    assert torch.get_num_threads() == n_threads


class TestInterrupt:
    """Ctrl-C ends the program that it is meant for, whatever is being fitted."""

    def test_at_the_end_of_an_epoch(self, monkeypatch):
        # Where skorch's callbacks raise KeyboardInterrupt to end training as planned,
        # a user's own must not be taken for theirs.
        def interrupted(net):
            signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(_net.Net, "copy_weights", interrupted)
        previous = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with pytest.raises(KeyboardInterrupt):
                small(VAE).fit(make_numbers())
        finally:
            signal.signal(signal.SIGINT, previous)

    @pytest.mark.parametrize(
        "fit",
        [
            "small(VAE, max_epochs=10**6, early_stopping=False).fit(numbers)",
            "GridSearchCV(small(VAE), {'latent_dim': range(1, 10**4)}).fit(numbers)",
            "GridSearchCV(small(VAE, max_epochs=1, callbacks=[Begun()]),"
            " {'lr': np.linspace(1e-4, 1e-3, 10**4)}).fit(numbers)",
            pytest.param(
                "from sklearn.callback import ProgressBar;"
                " GridSearchCV(small(VAE), {'latent_dim': range(1, 10**4)})"
                ".set_callbacks(ProgressBar()).fit(numbers)",
                marks=needs_progress_bar,
            ),
        ],
        ids=["fit", "search", "search-with-callback", "search-with-progress-bar"],
    )
    @pytest.mark.skipif(sys.platform == "win32", reason="has no SIGINT to send")
    def test_of_a_real_process(self, fit):
        program = textwrap.dedent(
            f"""
            import signal, sys
            # A shell that starts its jobs in the background has them ignore Ctrl-C.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            sys.path[:0] = {sys.path!r}
            import numpy as np
            from model_cases import make_numbers, small
            from sklearn.model_selection import GridSearchCV
            from skorch.callbacks import Callback
            from skvae import VAE
            from skvae.training import _net

            class Begun(Callback):
                pass

            train = _net.Net.train
            def say_and_train(self, rows):
                print("fit", flush=True)
                return train(self, rows)
            _net.Net.train = say_and_train

            numbers = make_numbers()
            {fit}
            print("finished", flush=True)
            """
        )
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout.readline() == "fit\n", process.stderr.read()
            process.send_signal(signal.SIGINT)
            # Unstopped they would go on for many minutes.
            output, errors = process.communicate(timeout=60)
        finally:
            process.kill()
        assert "KeyboardInterrupt" in errors
        assert "finished" not in output
        assert process.returncode == -signal.SIGINT
