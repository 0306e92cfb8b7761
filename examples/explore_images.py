"""
Explore the factors of images
=============================

From a folder of small images to a few latent factors, drawn:

1. images over their reconstructions;
2. what each factor does, one row a factor, those that say most first;
3. images that the model made up.

The images are simulated sprites, whose true factors are known, so that the factors
found can be scored. With ``--data mnist`` they are handwritten digits, from the folder
that ``SKVAE_DATA_HOME`` names, from the cache, or downloaded. Pictures go to
``output``.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from skvae import BetaTCVAE
from skvae.datasets import fetch_mnist, make_sprites
from skvae.metrics import (
    dci_scores,
    factor_entropies,
    factor_vae_score,
    mig_score,
    mutual_information_matrix,
)

OUTPUT = Path("output")
INK = "#262626"

# %%
# The images
# ----------
# A row is an image: all pixels of the first channel row by row, then of the next.
# ``image_shape`` says how to fold them.


def load_sprites():
    """Return images to learn from, images to look at, and the true factors of these."""
    sprites = make_sprites(6000, image_size=32, random_state=0)
    train, test = sprites.data[:4000], sprites.data[4000:]
    return train, test, sprites.factors[4000:], sprites.image_shape


def load_digits():
    """Return images to learn from and images to look at."""
    train, test = fetch_mnist(subset="train"), fetch_mnist(subset="test")
    rows = np.random.default_rng(0).permutation(len(train.data))[:6000]
    return train.data[rows], test.data[:2000], None, train.image_shape


# What is fitted on which images. A long warm-up may let latents come into use that the
# total correlation would switch off before they are of any.
DATA = {
    "sprites": (load_sprites, {"latent_dim": 8, "max_epochs": 40}),
    "mnist": (load_digits, {"latent_dim": 12, "max_epochs": 30}),
}

# %%
# How good the factors are
# ------------------------


def print_scores(codes, factors):
    """Score codes against known factors, and say which code knows which factor."""
    dci = dci_scores(factors, codes, random_state=0)
    scores = {
        "FactorVAE score": factor_vae_score(factors, codes, random_state=0),
        "MIG": mig_score(factors, codes),
        "DCI disentanglement": dci.disentanglement,
        "DCI completeness": dci.completeness,
        "DCI informativeness": dci.informativeness,
    }
    print("\nAgainst the true factors, on images that training never saw (1 is best):")
    for name, score in scores.items():
        print(f"  {name:20s} {score:.2f}")


def labels_of(model, codes, factors):
    """Label each latent with its KL and, if known, the factors that it tells."""
    labels = [f"{kl:.1f} nats" for kl in model.kl_per_dimension_]
    if factors is None:
        return labels
    information = np.asarray(mutual_information_matrix(factors, codes))
    shares = information / np.asarray(factor_entropies(factors))
    names = np.array([name.removeprefix("position_") for name in factors.columns])
    told = [" + ".join(names[share > 0.2]) for share in shares]
    return [f"{name}\n{label}" for name, label in zip(told, labels, strict=True)]


# %%
# The pictures
# ------------


def as_images(rows, image_shape):
    """Fold rows of pixels into images as matplotlib takes them."""
    images = np.asarray(rows).reshape(-1, *image_shape).transpose(0, 2, 3, 1)
    return images.squeeze(-1) if image_shape[0] == 1 else images


def tiles(images, n_columns, gap=2, paper=255):
    """Lay images out on one sheet, row by row, with a gap between them."""
    height, width = images.shape[1:3]
    n_rows = -(-len(images) // n_columns)
    shape = (n_rows * (height + gap) - gap, n_columns * (width + gap) - gap)
    sheet = np.full(shape + images.shape[3:], paper, dtype=np.uint8)
    for position, image in enumerate(images):
        row, column = divmod(position, n_columns)
        top, left = row * (height + gap), column * (width + gap)
        sheet[top : top + height, left : left + width] = np.rint(image)
    return sheet


def new_sheet(sheet, title, width=7.5, labels=()):
    """Show a sheet of tiles under a title, with a label beside each of its rows."""
    height = width * sheet.shape[0] / sheet.shape[1]
    side, head = (0.9, 0.45) if len(labels) else (0.0, 0.45)
    figure = plt.figure(figsize=(side + width, height + head))
    total = np.array([side + width, height + head])
    ax = figure.add_axes((side / total[0], 0, width / total[0], height / total[1]))
    ax.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    ax.set_axis_off()
    ax.set_title(title, loc="left", fontsize=10, color=INK, pad=8)
    for row, label in enumerate(labels):
        middle = 1 - (row + 0.5) / len(labels)
        ax.text(
            -0.012,
            middle,
            label,
            transform=ax.transAxes,
            ha="right",
            va="center",
            fontsize=8,
            color=INK,
        )
    return figure


def draw_reconstructions(model, images, image_shape, n_columns=12):
    """Show images over what the model makes of them, in two pairs of rows."""
    rows = images[: 2 * n_columns]
    seen = as_images(rows, image_shape)
    again = as_images(model.reconstruct(rows), image_shape)
    pairs = [
        part[start : start + n_columns]
        for start in range(0, len(rows), n_columns)
        for part in (seen, again)
    ]
    sheet = tiles(np.concatenate(pairs), n_columns)
    labels = ["images", "reconstructed"] * (len(pairs) // 2)
    return new_sheet(sheet, "Images, and what the factors know of them", labels=labels)


def draw_traversals(model, images, factors, image_shape, n_columns=11):
    """Move each factor from one end to the other, all else as in one typical image."""
    codes = model.transform(images)
    # The image whose codes are nearest to the middle of all.
    typical = codes[np.abs(codes / codes.std(axis=0)).max(axis=1).argmin()]
    most_first = np.argsort(-model.kl_per_dimension_)
    most_first = most_first[model.kl_per_dimension_[most_first] > 0.05]
    moved = []
    for latent in most_first:
        low, high = np.quantile(codes[:, latent], [0.01, 0.99])
        row = np.tile(typical, (n_columns, 1))
        row[:, latent] = np.linspace(low, high, n_columns)
        moved.append(as_images(model.inverse_transform(row), image_shape))
    labels = labels_of(model, codes, factors)
    return new_sheet(
        tiles(np.concatenate(moved), n_columns),
        "Each row moves one factor, from its lowest to its highest 1 %",
        labels=[labels[latent] for latent in most_first],
    )


def draw_samples(model, image_shape, n_rows=6, n_columns=14):
    """Show images that the model made up."""
    drawn = model.sample(n_rows * n_columns, random_state=0)
    sheet = tiles(as_images(drawn, image_shape), n_columns)
    return new_sheet(sheet, "Images that the model made up")


def save(figure, name):
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / f"{name}.png"
    figure.savefig(path, dpi=150, bbox_inches="tight", pad_inches=0.15)
    plt.close(figure)
    print(f"  {path}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", choices=sorted(DATA), default="sprites")
    name = parser.parse_args().data
    load, settings = DATA[name]
    train, test, factors, image_shape = load()
    print(f"{name}: {len(train):,} images of shape {image_shape} to learn from.")

    model = BetaTCVAE(
        image_shape=image_shape,
        hidden_layer_sizes=(128,),
        beta=4,
        lr=3e-3,
        kl_warmup=20,
        batch_size=64,
        random_state=0,
        verbose=1,
        **settings,
    ).fit(train)
    print(f"{model.n_active_} of {model.latent_dim} factors are active.")
    bits = -model.score(test[:200]) / np.log(2) / test.shape[1]
    print(f"A held-out image takes at most {bits:.3f} bits a pixel.")
    if factors is not None:
        print_scores(model.transform(test), factors)

    print("\nPictures:")
    save(draw_reconstructions(model, test, image_shape), f"{name}_reconstructions")
    save(draw_traversals(model, test, factors, image_shape), f"{name}_traversals")
    save(draw_samples(model, image_shape), f"{name}_samples")


if __name__ == "__main__":
    main()
