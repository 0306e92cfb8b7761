"""The importance-weighted bound of a plain VAE on binarised MNIST.

Each pixel is drawn once as 0 or 1 with its grey value as the probability, for training
and test images alike. log p(x) of the 10,000 test images is bounded with 200 importance
samples (`score_samples(n_importance=200)`), the protocol under which pythae states 89.8
nats for its VAE. Training stops early on a tenth of the training images.
"""

import argparse

import numpy as np
import pandas as pd
from _common import write

from skvae import VAE
from skvae.datasets import fetch_mnist

NETWORKS = {
    "MLP 400-400": {
        "encoding": None,
        "likelihood": "bernoulli",
        "hidden_layer_sizes": (400, 400),
    },
    "convolutional": {"image_shape": (1, 28, 28)},
}


def binarised(subset, rng):
    images = fetch_mnist(subset=subset).data
    return (rng.random(images.shape) < images / 255).astype(np.uint8)


def measure(network, seed, max_epochs, n_test):
    rng = np.random.default_rng(seed)
    train, test = binarised("train", rng), binarised("test", rng)[:n_test]
    model = VAE(
        latent_dim=40,
        lr=1e-3,
        max_epochs=max_epochs,
        random_state=seed,
        device="cpu",
        **NETWORKS[network],
    ).fit(train)
    return {
        "network": network,
        "seed": seed,
        "epochs": model.n_iter_,
        "best epoch": model.best_epoch_,
        "seconds an epoch": round(model.history_["dur"].median(), 1),
        "-ELBO": round(-model.score(test), 2),
        "-bound, 200 samples": round(
            -model.score_samples(test, n_importance=200).mean(), 2
        ),
        "n_active": model.n_active_,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", choices=list(NETWORKS), default="MLP 400-400")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--max-epochs", type=int, default=50)
    parser.add_argument("--test-images", type=int, default=10_000)
    arguments = parser.parse_args()
    rows = [
        measure(arguments.network, seed, arguments.max_epochs, arguments.test_images)
        for seed in range(arguments.seeds)
    ]
    write(
        "binarised_mnist",
        pd.DataFrame(rows),
        f"python benchmarks/binarised_mnist.py --network '{arguments.network}' "
        f"--seeds {arguments.seeds} --max-epochs {arguments.max_epochs}",
        f"Nats, {arguments.test_images:,} test images.",
    )


if __name__ == "__main__":
    main()
