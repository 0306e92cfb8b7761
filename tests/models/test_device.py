"""Training on a GPU, and what is left of it where there is none."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from model_cases import make_numbers, small

import skvae

pytestmark = [
    pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning"),
    pytest.mark.gpu,
]
needs_cuda = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="torch finds no CUDA device"
)


@pytest.fixture
def numbers():
    return make_numbers(300)


def device_of(model):
    return next(model.module_.parameters()).device.type


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@pytest.mark.skipif(torch.backends.mps.is_available(), reason="there is an MPS device")
def test_auto_is_the_cpu_where_there_is_no_gpu(model_class, numbers):
    auto = small(model_class, device="auto").fit(numbers)
    assert device_of(auto) == "cpu"
    cpu = small(model_class, device="cpu").fit(numbers)
    np.testing.assert_array_equal(auto.transform(numbers), cpu.transform(numbers))


@needs_cuda
def test_auto_is_the_gpu_where_there_is_one(model_class, numbers):
    auto = small(model_class, device="auto").fit(numbers)
    assert device_of(auto) == "cuda"


@needs_cuda
def test_same_bits_twice(model_class, numbers):
    first, again = (small(model_class, device="cuda").fit(numbers) for _ in range(2))
    np.testing.assert_array_equal(first.transform(numbers), again.transform(numbers))
    np.testing.assert_array_equal(
        first.sample(50, random_state=0), again.sample(50, random_state=0)
    )


@needs_cuda
def test_global_random_states_stay(model_class, numbers):
    before = torch.get_rng_state(), torch.cuda.get_rng_state()
    small(model_class, device="cuda").fit(numbers).sample(5, random_state=0)
    for state, now in zip(
        before, (torch.get_rng_state(), torch.cuda.get_rng_state()), strict=True
    ):
        assert torch.equal(state, now)


@needs_cuda
def test_gpu_starts_at_the_same_weights(model_class, numbers):
    # And differs by its own noise only: after no training to speak of, by nothing.
    params = {"lr": 1e-30, "max_epochs": 1}
    gpu = small(model_class, device="cuda", **params).fit(numbers)
    cpu = small(model_class, device="cpu", **params).fit(numbers)
    np.testing.assert_allclose(
        gpu.transform(numbers), cpu.transform(numbers), rtol=1e-6, atol=1e-6
    )


@needs_cuda
def test_loss_falls(model_class, numbers):
    model = small(model_class, device="cuda", max_epochs=30, kl_warmup=0).fit(numbers)
    loss = model.history_["train_loss"]
    assert loss.iloc[-1] < loss.iloc[0] - 0.1


@needs_cuda
def test_saved_model_loads_on_the_cpu(model_class, numbers, tmp_path):
    gpu = small(model_class, device="cuda").fit(numbers)
    gpu.save(tmp_path / "model.skvae")
    cpu = skvae.load(tmp_path / "model.skvae")
    assert device_of(gpu) == "cuda"
    assert device_of(cpu) == "cpu"
    assert cpu.device == "cuda"  # where it trains, once it is fitted again
    for method in ("transform", "score_samples"):
        expected, found = (getattr(model, method)(numbers) for model in (gpu, cpu))
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@needs_cuda
def test_model_loads_on_a_machine_without_gpu(model_class, numbers, tmp_path):
    model = small(model_class, device="cuda").fit(numbers)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(model))
    np.save(tmp_path / "numbers.npy", numbers)
    program = (
        "import numpy as np, pickle, torch\n"
        "assert not torch.cuda.is_available()\n"
        "model = pickle.load(open('model.pickle', 'rb'))\n"
        "numbers = np.load('numbers.npy')\n"
        "np.save('latents.npy', model.transform(numbers))\n"
        "np.save('scores.npy', model.score_samples(numbers))\n"
        "np.save('rows.npy', model.inverse_transform(model.transform(numbers)))\n"
        "model.sample(5, random_state=0)\n"
        "model.set_params(device='auto').fit(numbers)\n"
    )
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    latents = model.transform(numbers)
    for name, expected in {
        "latents": latents,
        "scores": model.score_samples(numbers),
        "rows": model.inverse_transform(latents),
    }.items():
        actual = np.load(tmp_path / f"{name}.npy")
        np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-6)
