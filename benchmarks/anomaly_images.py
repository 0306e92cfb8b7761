"""The dCVAE paper's table: six models as detectors of images of another class.

Protocols, each over the ten choices of a class:

- ``leave-one-class-out``: trained on nine classes, whose labels are the condition in
  training and unknown in the test; images of the tenth are the anomalies. No label of a
  test image is ever looked at.
- ``one-class``: trained on one class; images of the other nine are the anomalies.
- ``true test label``: the first, but the detector is told the label of each test image
  as its condition, as by the paper's public code. **It leaks what is asked for**, and
  stands here for comparison only.

All models share networks, training and scoring rule; images are slightly blurred for
all of them. Beside them stand two baselines on the same images: the mean distance to
the five nearest training images, and Gaussians in 64 principal components of the
training images, one for each class, of which the smallest Mahalanobis distance counts.

``AUC`` is that of the detectors' default rule, ``AUC (A)`` that of the reconstruction
error, ``AUC (E)`` that of the negated bound, taken on the first 500 test images; ``A``
and ``E`` are their means, over normal and over anomalous test images.

``settings`` "paper" are the paper's own as far as it names them: 50 epochs, batches of
64, learning rates of 1e-5, and 1e-3 for discriminators (``--settings paper``). ``--data
"digits and letters"`` leaves out letters: digits of MNIST against those of EMNIST,
where that is at hand.

Each run is written down when it ends, so that a script that was stopped goes on where
it was.
"""

import argparse
import time
import warnings
from functools import cache, partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from _common import RESULTS, write
from scipy.ndimage import gaussian_filter
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from torch import nn
from tqdm import tqdm

from skvae import CVAE, DCVAE, RFVAE, VAE, BetaVAE, FactorVAE, VAEAnomalyDetector
from skvae.datasets import fetch_emnist, fetch_fashion_mnist, fetch_kmnist, fetch_mnist
from skvae.networks import MLP

RUNS = RESULTS / "anomaly_images_runs.csv"
TOLD = "true test label"
PROTOCOLS = ("leave-one-class-out", "one-class")
KEYS = ["data", "protocol", "settings", "model", "n_train", "class", "seed"]
LETTERS = -1
HIDDEN = (256, 128)
N_BOUND = 500


class DenseEncoder(nn.Module):
    """Linear layers on the pixels: on a CPU, convolutions take ten times as long."""

    def __init__(self, image_shape, n_outputs, n_conditions=0):
        super().__init__()
        n_pixels = int(np.prod(image_shape))
        self.body = MLP(n_pixels, HIDDEN, n_outputs, n_conditions=n_conditions)

    def forward(self, images, *condition):
        return self.body(images.flatten(1), *condition)


class DenseDecoder(MLP):
    """The same the other way round."""

    def __init__(self, latent_dim, image_shape, n_conditions=0):
        n_pixels = int(np.prod(image_shape))
        sizes = HIDDEN[::-1]
        super().__init__(latent_dim, sizes, n_pixels, n_conditions=n_conditions)


NETWORKS = {
    "latent_dim": 32,
    "image_shape": (1, 28, 28),
    "encoder": DenseEncoder,
    "decoder": DenseDecoder,
    "early_stopping": False,
}
# One class has a tenth of the images, and takes twice the epochs.
SETTINGS = {
    "ours": lambda protocol: {
        "max_epochs": 15 if protocol == "leave-one-class-out" else 30,
        "kl_warmup": 5,
    },
    "paper": lambda protocol: {
        "max_epochs": 50,
        "batch_size": 64,
        "lr": 1e-5,
        "kl_warmup": 0,
    },
}
MODELS = {
    "dCVAE": DCVAE,
    "VAE": VAE,
    "CVAE": CVAE,
    "FactorVAE": FactorVAE,
    "BetaVAE": BetaVAE,
    "RFVAE": RFVAE,
}


def both_subsets(fetch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # KMNIST may be the first 7,000 images only
        parts = [fetch(subset=subset) for subset in ("train", "test")]
    return [(part.data, part.target) for part in parts]


def digits_and_letters():
    """Return digits to train on, and digits and letters in turn to test on."""
    (train, labels), (digits, digit_labels) = both_subsets(fetch_mnist)
    letters = fetch_emnist(split="letters", subset="test").data[: len(digits)]
    n_images = len(letters)
    test = np.stack([digits[:n_images], letters], axis=1).reshape(2 * n_images, -1)
    test_labels = np.full((n_images, 2), LETTERS)
    test_labels[:, 0] = digit_labels[:n_images]
    return (train, labels), (test, test_labels.ravel())


DATA = {
    "MNIST": partial(both_subsets, fetch_mnist),
    "Fashion-MNIST": partial(both_subsets, fetch_fashion_mnist),
    "KMNIST": partial(both_subsets, fetch_kmnist),
    "digits and letters": digits_and_letters,
}


def protocols_of(data):
    """Return the protocols of a data set, and the choices of a class."""
    if data == "digits and letters":
        return PROTOCOLS[:1], [LETTERS]
    return PROTOCOLS, range(10)


@cache
def images(name, n_train, n_test):
    """Return blurred training and test images, and their labels."""
    (train, labels), (test, test_labels) = DATA[name]()
    return (
        blurred(train[:n_train]),
        np.asarray(labels[:n_train]),
        blurred(test[:n_test]),
        np.asarray(test_labels[:n_test]),
    )


def blurred(pixels):
    smooth = gaussian_filter(pixels.reshape(-1, 28, 28).astype(float), (0, 1, 1))
    return smooth.reshape(len(pixels), -1)


def make_model(name, protocol, settings, seed):
    params = {**NETWORKS, **SETTINGS[settings](protocol)}
    if settings == "paper" and "discriminator_lr" in MODELS[name]().get_params():
        params["discriminator_lr"] = 1e-3
    return MODELS[name](**params, random_state=seed)


def detect(model, train, condition, test, told):
    """Return anomaly scores of test images under several rules, and seconds.

    All of them are those of one fitted model.
    """
    start = time.perf_counter()
    detector = VAEAnomalyDetector(model).fit(train, condition=condition)
    fitted = time.perf_counter()
    scores = {"AUC": -detector.score_samples(test)}
    seconds = {"fit s": fitted - start, "score s": time.perf_counter() - fitted}
    if condition is not None:
        scores[TOLD] = -detector.score_samples(test, condition=told)
    some = slice(200)
    frozen = FrozenEstimator(detector.model_)
    given = None if condition is None else condition[some]
    for rule, rows in (("reconstruction", test), ("elbo", test[:N_BOUND])):
        other = VAEAnomalyDetector(frozen, score=rule).fit(train[some], condition=given)
        scores[rule] = -other.score_samples(rows)
    return scores, seconds


def neighbours(train, labels, test):
    index = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(train)
    return index.kneighbors(test)[0].mean(axis=1)


def gaussians(train, labels, test):
    components = PCA(min(64, len(train) - 1), random_state=0).fit(train)
    codes, test_codes = components.transform(train), components.transform(test)
    return np.min(
        [
            LedoitWolf().fit(codes[labels == label]).mahalanobis(test_codes)
            for label in np.unique(labels)
        ],
        axis=0,
    )


BASELINES = {"5-NN": neighbours, "Gaussians": gaussians}


def run(keys, n_train, n_test):
    """Return the rows of one fit: of its protocol, and of the one that is told."""
    train, labels, test, test_labels = images(keys["data"], n_train, n_test)
    is_left_out, name = keys["protocol"] == PROTOCOLS[0], keys["model"]
    is_choice, is_anomaly = labels == keys["class"], test_labels == keys["class"]
    is_normal = ~is_choice if is_left_out else is_choice
    is_anomaly = is_anomaly if is_left_out else ~is_anomaly
    train, labels = train[is_normal], labels[is_normal]
    if name in BASELINES:
        start = time.perf_counter()
        scores = BASELINES[name](train, labels, test)
        seconds = time.perf_counter() - start
        return [keys | {"AUC": roc_auc_score(is_anomaly, scores), "score s": seconds}]
    is_conditional = issubclass(MODELS[name], (CVAE, DCVAE))
    condition = labels if is_left_out and is_conditional else None
    model = make_model(name, keys["protocol"], keys["settings"], keys["seed"])
    scores, seconds = detect(model, train, condition, test, test_labels)
    rows = [keys | measures(scores, is_anomaly) | seconds]
    if condition is not None:
        auc = roc_auc_score(is_anomaly, scores[TOLD])
        rows.append(keys | {"protocol": TOLD, "AUC": auc})
    return rows


def measures(scores, is_anomaly):
    error, bound, some = scores["reconstruction"], scores["elbo"], is_anomaly[:N_BOUND]
    return {
        "AUC": roc_auc_score(is_anomaly, scores["AUC"]),
        "AUC (A)": roc_auc_score(is_anomaly, error),
        "AUC (E)": roc_auc_score(some, bound),
        "A normal": error[~is_anomaly].mean(),
        "A anomalous": error[is_anomaly].mean(),
        "E normal": bound[~some].mean(),
        "E anomalous": bound[some].mean(),
    }


def all_keys(arguments):
    """Yield what tells a run from the others."""
    for seed, data in product(range(arguments.seeds), arguments.data):
        n_train = len(images(data, arguments.train, arguments.test)[0])
        protocols, choices = protocols_of(data)
        choices = choices if arguments.classes is None else arguments.classes
        for choice, protocol, name in product(choices, protocols, arguments.models):
            values = (data, protocol, arguments.settings, name, n_train, choice, seed)
            yield dict(zip(KEYS, values, strict=True))


def add_runs(arguments):
    """Run what was not run before, and write each run down."""
    done, path = set(), arguments.runs
    if path.exists():
        done = set(pd.read_csv(path)[KEYS].itertuples(index=False, name=None))
    for keys in tqdm(list(all_keys(arguments)), desc="detectors", unit="run"):
        if tuple(keys.values()) not in done:
            rows = run(keys, arguments.train, arguments.test)
            table, header = pd.DataFrame(rows, columns=COLUMNS), not path.exists()
            table.to_csv(path, mode="a", header=header, index=False)


COLUMNS = [
    *KEYS,
    *("AUC", "AUC (A)", "AUC (E)", "A normal", "A anomalous"),
    *("E normal", "E anomalous", "fit s", "score s"),
]


def summarise(runs):
    """Return means and standard deviations, over the ten choices, as text."""
    by = ["data", "protocol", "settings", "n_train", "model"]
    per_choice = runs.drop(columns="seed").groupby([*by, "class"], sort=False).mean()
    grouped = per_choice.groupby(by, sort=False)
    mean, sd = grouped.mean(), grouped.std()
    text = mean.map("{:.3f}".format).where(mean.notna(), "")
    text["AUC"] += " ± " + sd["AUC"].map("{:.3f}".format)
    text.insert(0, "classes", grouped.size())
    order = mean.reset_index().sort_values(
        [*by[:-1], "AUC"], ascending=[True, True, True, True, False]
    )
    return text.reset_index().loc[order.index]


def command_line():
    """Return what reads the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--train", type=int, default=3000, help="training images")
    parser.add_argument("--test", type=int, default=3000, help="test images")
    parser.add_argument("--classes", type=int, nargs="*", help="which to choose")
    parser.add_argument("--settings", choices=list(SETTINGS), default="ours")
    parser.add_argument("--data", nargs="*", default=list(DATA)[:3], choices=DATA)
    parser.add_argument("--models", nargs="*", default=[*MODELS, *BASELINES])
    parser.add_argument("--runs", type=Path, default=RUNS, help="where to write runs")
    return parser


def main():
    arguments = command_line().parse_args()
    warnings.simplefilter("ignore")  # of the left-out label, told as a condition
    RESULTS.mkdir(exist_ok=True)
    add_runs(arguments)
    write(
        "anomaly_images",
        summarise(pd.read_csv(arguments.runs)),
        "python benchmarks/anomaly_images.py",
        "Means ± standard deviation over the ten choices of a class; `n_train` counts "
        "the images before the choice. Of other settings and more images are runs with "
        "`--settings paper` and `--train 20000 --models dCVAE 5-NN Gaussians`, which "
        "the same file keeps.",
    )


if __name__ == "__main__":
    main()
