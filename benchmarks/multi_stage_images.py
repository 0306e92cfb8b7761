"""What the second stage of MSVAE adds to a disentangler, on images.

As ``multi_stage.py``, on Fashion-MNIST (the first rows of the training images; measured
on test images) and on simulated sprites. ``MSE`` is of pixels between 0 and 1; ``C2ST``
and ``KS`` are of 30 principal components of the real images, since single pixels say
little. The script stops unless codes, total correlation and latent consistency of the
factors are the same bits in both stages.
"""

import argparse

import pandas as pd
from _common import write
from joblib import Parallel, delayed
from multi_stage import check_same_factors
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator

import skvae
from skvae import MSVAE, BetaTCVAE
from skvae.datasets import fetch_fashion_mnist, make_sprites
from skvae.metrics import detection_score, ks_score
from skvae.selection import latent_consistency_scorer, neg_total_correlation_scorer

N_COMPONENTS = 30


def fashion(n_train, n_test):
    train = fetch_fashion_mnist(subset="train")
    test = fetch_fashion_mnist(subset="test")
    return train.data[:n_train], test.data[:n_test], train.image_shape


def sprites(n_train, n_test):
    sprites = make_sprites(n_train + n_test, image_size=16, random_state=0)
    return sprites.data[:n_train], sprites.data[n_train:], sprites.image_shape


TABLES = {"Fashion-MNIST": fashion, "sprites": sprites}


def measure(model, test, components, seed):
    encoded = model.table_encoder_.transform(test)
    decoded = model._inference.decode(model._encode(test)[0])
    # Draws must not come from the generator of the split.
    draws = model.sample(len(test), random_state=1000 + seed)
    real = pd.DataFrame(components.transform(test))
    return {
        "MSE": ((encoded - decoded) ** 2).mean(),
        "KS means": ks_score(real, components.transform(model.reconstruct(test))).mean,
        "KS draws": ks_score(real, components.transform(draws)).mean,
        "C2ST draws": detection_score(
            real, components.transform(draws), random_state=seed
        ),
        "ELBO": model.score(test[:300]),
        "TC": -neg_total_correlation_scorer(model, test),
        "consistency": latent_consistency_scorer(model, test),
    }


def compare(name, beta, seed, arguments):
    """Return a row for the first stage and one for each way to train the second."""
    train, test, image_shape = TABLES[name](arguments.train, arguments.test)
    components = PCA(N_COMPONENTS, random_state=0).fit(train)
    settings = {
        "hidden_layer_sizes": (128,),
        "max_epochs": arguments.epochs,
        "random_state": seed,
    }
    keys = {"images": name, "beta": beta}
    first = BetaTCVAE(beta=beta, image_shape=image_shape, **settings).fit(train)
    first_row = measure(first, test, components, seed)
    rows = [keys | {"model": "BetaTCVAE"} | first_row]
    for training in ("joint", "separate"):
        model = MSVAE(
            FrozenEstimator(first), residual_training=training, **settings
        ).fit(train)
        row = measure(model, test, components, seed)
        check_same_factors(model, first, test, row, first_row)
        rows.append(keys | {"model": f"MSVAE ({training})"} | row)
    return rows


def summarise(rows):
    """Return means and standard deviations over seeds as text."""
    grouped = pd.DataFrame(rows).groupby(["images", "beta", "model"], sort=False)
    mean, sd = grouped.mean(), grouped.std()
    text = mean.round(4).astype(str) + " ± " + sd.round(4).astype(str)
    return text.reset_index()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--train", type=int, default=2000)
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=12)
    arguments = parser.parse_args()
    names = list(TABLES)
    try:
        fashion(1, 1)
    except skvae.DataUnavailableError as error:
        print(f"Fashion-MNIST is left out: {error}")
        names.remove("Fashion-MNIST")
    tasks = [
        delayed(compare)(name, beta, seed, arguments)
        for name in names
        for beta in (4, 10)
        for seed in range(arguments.seeds)
    ]
    rows = [row for part in Parallel(n_jobs=arguments.jobs)(tasks) for row in part]
    write(
        "multi_stage_images",
        summarise(rows),
        f"python benchmarks/multi_stage_images.py --seeds {arguments.seeds} "
        f"--train {arguments.train} --epochs {arguments.epochs}",
        f"Mean ± standard deviation over {arguments.seeds} seeds, on held-out images. "
        "Factors of MSVAE are those of the BetaTCVAE above it, bit for bit. KS and "
        f"C2ST are of {N_COMPONENTS} principal components.",
    )


if __name__ == "__main__":
    main()
