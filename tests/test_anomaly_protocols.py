"""The protocols of the benchmark of images, on a few of them."""

import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from sklearn.utils import Bunch

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    """The script, with images of bars in place of digits and letters."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    import anomaly_images

    def fetch(subset, split=None):
        rng = np.random.RandomState(len(subset))
        target = np.arange(120) % 10
        data = rng.randint(0, 30, (120, 28, 28)).astype(np.uint8)
        for image, label in zip(data, target, strict=True):
            if split == "letters":
                image[:, 2 * label : 2 * label + 3] = 255
            else:
                image[2 * label : 2 * label + 3] = 255
        return Bunch(data=data.reshape(120, -1), target=target)

    monkeypatch.setattr(anomaly_images, "fetch_mnist", fetch)
    monkeypatch.setattr(anomaly_images, "fetch_emnist", fetch)
    monkeypatch.setitem(
        anomaly_images.DATA, "MNIST", lambda: anomaly_images.both_subsets(fetch)
    )
    yield anomaly_images
    anomaly_images.images.cache_clear()
    sys.modules.pop("anomaly_images")


def arguments(runs=None, **changed):
    chosen = {"seeds": 1, "train": 120, "test": 120, "settings": "ours", "runs": runs}
    chosen |= {"classes": None}
    return Namespace(**{**chosen, "data": ["MNIST"], "models": ["5-NN"], **changed})


def test_letters_are_left_out_of_digits(benchmark):
    (_, labels), (test, test_labels) = benchmark.digits_and_letters()
    assert set(labels) == set(range(10))
    is_letter = test_labels == benchmark.LETTERS
    assert is_letter.mean() == 0.5
    upright = test.reshape(-1, 28, 28).mean(axis=1).max(axis=1) > 200
    np.testing.assert_array_equal(upright, is_letter)


def test_digits_against_letters(benchmark, tmp_path):
    runs = tmp_path / "runs.csv"
    benchmark.add_runs(arguments(runs, data=["digits and letters"], models=["5-NN"]))
    (run,) = benchmark.pd.read_csv(runs).to_dict("records")
    assert run["class"] == benchmark.LETTERS
    assert run["AUC"] == 1


def test_protocols_are_mirror_images(benchmark):
    keys = list(benchmark.all_keys(arguments()))
    assert len(keys) == 2 * 10
    for key in keys[:2]:
        ((row),) = benchmark.run(key, 120, 120)
        assert row["AUC"] == 1  # each class is a bar of its own


@pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")
def test_only_the_told_detector_looks_at_a_test_label(benchmark):
    train, labels, test, test_labels = benchmark.images("MNIST", 120, 120)
    scores = []
    for told in (test_labels, test_labels[::-1]):
        model = benchmark.make_model("dCVAE", "leave-one-class-out", "ours", seed=0)
        model.set_params(max_epochs=2)
        scores.append(benchmark.detect(model, train, labels, test, told)[0])
    first, second = scores
    assert first.keys() == {"AUC", "reconstruction", "elbo", benchmark.TOLD}
    for name in first:
        is_same = np.array_equal(first[name], second[name])
        assert is_same == (name != benchmark.TOLD), name


def test_a_run_is_not_run_again(benchmark, tmp_path):
    for _ in "ab":
        benchmark.add_runs(arguments(tmp_path / "runs.csv"))
    assert len(benchmark.pd.read_csv(tmp_path / "runs.csv")) == 20


def test_the_papers_settings(benchmark):
    model = benchmark.make_model("RFVAE", "one-class", "paper", seed=0)
    named = {"lr": 1e-5, "batch_size": 64, "max_epochs": 50, "discriminator_lr": 1e-3}
    assert named.items() <= model.get_params().items()
