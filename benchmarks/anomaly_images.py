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

Each run is written down when it ends, so that a script that was stopped goes on where
it was.
"""

import argparse
import time
import warnings
from functools import cache

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

from skvae import CVAE, DCVAE, RFVAE, VAE, BetaVAE, FactorVAE, VAEAnomalyDetector
from skvae.datasets import fetch_fashion_mnist, fetch_kmnist, fetch_mnist
from skvae.networks import MLP

RUNS = RESULTS / "anomaly_images_runs.csv"
DATA = {
    "MNIST": fetch_mnist,
    "Fashion-MNIST": fetch_fashion_mnist,
    "KMNIST": fetch_kmnist,
}
TOLD = "true test label"
PROTOCOLS = ("leave-one-class-out", "one-class")
KEYS = ["data", "protocol", "model", "n_train", "class", "seed"]
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


SETTINGS = {
    "latent_dim": 32,
    "image_shape": (1, 28, 28),
    "encoder": DenseEncoder,
    "decoder": DenseDecoder,
    "kl_warmup": 5,
    "early_stopping": False,
}
MODELS = {
    "dCVAE": DCVAE,
    "VAE": VAE,
    "CVAE": CVAE,
    "FactorVAE": FactorVAE,
    "BetaVAE": BetaVAE,
    "RFVAE": RFVAE,
}


@cache
def images(name, n_train, n_test):
    """Return blurred training and test images, and their labels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # KMNIST may be the first 7,000 images only
        train, test = (DATA[name](subset=subset) for subset in ("train", "test"))
    return (
        blurred(train.data[:n_train]),
        np.asarray(train.target[:n_train]),
        blurred(test.data[:n_test]),
        np.asarray(test.target[:n_test]),
    )


def blurred(pixels):
    smooth = gaussian_filter(pixels.reshape(-1, 28, 28).astype(float), (0, 1, 1))
    return smooth.reshape(len(pixels), -1)


def detect(name, train, condition, test, told, seed, max_epochs):
    """Return anomaly scores of test images under several rules, and seconds.

    All of them are those of one fitted model.
    """
    start = time.perf_counter()
    model = MODELS[name](**SETTINGS, max_epochs=max_epochs, random_state=seed)
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


def run(data, protocol, name, n_train, choice, seed, arguments):
    """Return the rows of one fit: of its protocol, and of the one that is told."""
    train, labels, test, test_labels = images(data, arguments.train, arguments.test)
    is_left_out = protocol == PROTOCOLS[0]
    normal = (labels != choice) if is_left_out else (labels == choice)
    is_anomaly = (test_labels == choice) if is_left_out else (test_labels != choice)
    keys = dict(zip(KEYS, (data, protocol, name, n_train, choice, seed), strict=True))
    train, labels = train[normal], labels[normal]
    if name in BASELINES:
        start = time.perf_counter()
        scores = BASELINES[name](train, labels, test)
        seconds = time.perf_counter() - start
        return [keys | {"AUC": roc_auc_score(is_anomaly, scores), "score s": seconds}]
    condition = (
        labels if is_left_out and issubclass(MODELS[name], (CVAE, DCVAE)) else None
    )
    # One class has a tenth of the images, and takes more epochs for as many steps.
    max_epochs = arguments.epochs if is_left_out else 2 * arguments.epochs
    scores, seconds = detect(
        name, train, condition, test, test_labels, seed, max_epochs
    )
    error, bound = scores["reconstruction"], scores["elbo"]
    some = is_anomaly[:N_BOUND]
    rows = [
        keys
        | {
            "AUC": roc_auc_score(is_anomaly, scores["AUC"]),
            "AUC (A)": roc_auc_score(is_anomaly, error),
            "AUC (E)": roc_auc_score(some, bound),
            "A normal": error[~is_anomaly].mean(),
            "A anomalous": error[is_anomaly].mean(),
            "E normal": bound[~some].mean(),
            "E anomalous": bound[some].mean(),
        }
        | seconds
    ]
    if condition is not None:
        told = {"protocol": TOLD, "AUC": roc_auc_score(is_anomaly, scores[TOLD])}
        rows.append(keys | told)
    return rows


def add_runs(arguments):
    """Run what was not run before, and write each run down."""
    done = set()
    if RUNS.exists():
        done = set(pd.read_csv(RUNS)[KEYS].itertuples(index=False, name=None))
    for seed in range(arguments.seeds):
        for choice in range(10):
            for data in arguments.data:
                for protocol in PROTOCOLS:
                    for name in arguments.models:
                        n_train = min(
                            arguments.train, 7000 if data == "KMNIST" else 60000
                        )
                        key = (data, protocol, name, n_train, choice, seed)
                        if key in done:
                            continue
                        rows = pd.DataFrame(run(*key, arguments), columns=COLUMNS)
                        rows.to_csv(
                            RUNS, mode="a", header=not RUNS.exists(), index=False
                        )


COLUMNS = [
    *KEYS,
    *("AUC", "AUC (A)", "AUC (E)", "A normal", "A anomalous"),
    *("E normal", "E anomalous", "fit s", "score s"),
]


def summarise(runs):
    """Return means and standard deviations, over the ten choices, as text."""
    by = ["data", "protocol", "n_train", "model"]
    per_choice = runs.drop(columns="seed").groupby([*by, "class"], sort=False).mean()
    grouped = per_choice.groupby(by, sort=False)
    mean, sd = grouped.mean(), grouped.std()
    text = mean.map("{:.3f}".format).where(mean.notna(), "")
    text["AUC"] += " ± " + sd["AUC"].map("{:.3f}".format)
    text.insert(0, "classes", grouped.size())
    order = mean.reset_index().sort_values(
        ["data", "protocol", "n_train", "AUC"], ascending=[True, True, True, False]
    )
    return text.reset_index().loc[order.index]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--train", type=int, default=3000, help="training images")
    parser.add_argument("--test", type=int, default=3000, help="test images")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--data", nargs="*", default=list(DATA))
    parser.add_argument("--models", nargs="*", default=[*MODELS, *BASELINES])
    arguments = parser.parse_args()
    warnings.simplefilter(
        "ignore"
    )  # of the left-out label, which is told as a condition
    RESULTS.mkdir(exist_ok=True)
    add_runs(arguments)
    write(
        "anomaly_images",
        summarise(pd.read_csv(RUNS)),
        "python benchmarks/anomaly_images.py",
        "Means ± standard deviation over the ten choices of a class; `n_train` counts "
        "the images before the choice.",
    )


if __name__ == "__main__":
    main()
