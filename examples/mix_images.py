"""
One image's factors, another's detail
=====================================

A disentangler says of an image what a few factors can say, and blurs the rest. The
second stage of an MSVAE adds the rest and leaves the factors as they are. Since it
keeps the two apart, they can be taken from different images:

1. images over what the first stage makes of them, and what both stages do;
2. the factors of one image with the detail of another, read in three ways.

The images are simulated sprites; the default takes about a minute. With
``--data fashion`` they are articles of clothing (Fashion-MNIST), and with
``--data FOLDER`` the images of a folder of yours. Pictures go to ``output``.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

import skvae
from skvae import MSVAE, BetaTCVAE
from skvae.datasets import fetch_fashion_mnist, load_images, make_sprites

OUTPUT = Path("output")
INK, QUIET = "#262626", "#707070"

# %%
# The images
# ----------
# A row is an image: all pixels of the first channel row by row, then of the next.
# ``image_shape`` says how to fold them.


def load_sprites():
    """Return images to learn from, images to look at, and their shape."""
    sprites = make_sprites(3000, image_size=24, random_state=0)
    return sprites.data[:2500], sprites.data[2500:], sprites.image_shape


def load_clothes():
    """Return images to learn from, images to look at, and their shape."""
    train, test = (fetch_fashion_mnist(subset=subset) for subset in ("train", "test"))
    return train.data[:4000], test.data[:500], train.image_shape


def load_folder(folder):
    """Return images to learn from, images to look at, and their shape."""
    images = load_images(folder, image_shape=(3, 32, 32))
    rows = np.random.default_rng(0).permutation(len(images.data))
    n_test = min(500, len(rows) // 4)
    return images.data[rows[n_test:]], images.data[rows[:n_test]], images.image_shape


def load(name):
    """Return the images that were asked for, or sprites, and a name for pictures."""
    if name == "fashion":
        try:
            return load_clothes(), name
        except skvae.DataUnavailableError:
            print("Fashion-MNIST is not at hand. Sprites instead.")
    elif name != "sprites":
        return load_folder(name), "folder"
    return load_sprites(), "sprites"


# %%
# Two stages
# ----------
# The first stage has few latents, which a high beta keeps apart: of sprites they tell
# place and size, and shape is left to the second. Both are small, to be quick.


def fit(train, image_shape):
    """Return a fitted model of two stages."""
    shared = {
        "hidden_layer_sizes": (128,),
        "lr": 3e-3,
        "batch_size": 64,
        "random_state": 0,
        "verbose": 1,
    }
    first = BetaTCVAE(
        latent_dim=5,
        beta=10,
        image_shape=image_shape,
        max_epochs=9,
        kl_warmup=4,
        **shared,
    )
    model = MSVAE(first, residual_dim=8, max_epochs=24, kl_warmup=5, **shared)
    return model.fit(train)


def print_stages(model, test):
    """Say what the second stage adds, and that it leaves the factors alone."""
    first = model.first_stage_
    n_factors = first.latent_dim
    is_alive = model.kl_per_dimension_ > 0.05
    print(f"\n{is_alive[:n_factors].sum()} of {n_factors} factors are in use, and")
    print(f"{is_alive[n_factors:].sum()} of {model.residual_dim} residual latents.")
    print("\nMean squared error on images that training never saw, pixels from 0 to 1:")
    pixels = test / 255
    for name, stage in (("first stage", first), ("both stages", model)):
        error = np.mean((stage.reconstruct(test) / 255 - pixels) ** 2)
        print(f"  {name}  {error:.4f}")
    are_same = np.array_equal(
        model.transform(test)[:, :n_factors], first.transform(test)
    )
    print(f"The factors are those of the first stage, bit for bit: {are_same}")


# %%
# One image's factors, another's detail
# -------------------------------------
# Y_i is what the first stage makes of the image X_i. The second stage adds to Y_i what
# it reads from X_j: from its residual X_j - Y_j, as it was trained to; from X_j itself;
# or from X_j - Y_i, what is left of X_j once Y_i is taken off. The last two are of
# a kind that training never saw. The factors stay those of X_i. The detail of X_j need
# not fit them: what a residual says at one place it may not say at another, so sprites
# keep their place and size, but rarely take over the shape.


def mixtures(model, content, detail):
    """Return the three mixtures of each image with the one that lends its detail."""
    return [
        model.mix(content, detail, variant=variant)
        for variant in ("residual", "raw", "crossed")
    ]


def print_places(mixed, content, detail, image_shape):
    """Say whose place a mixture takes: the centre of its light is near which?"""
    place, of_factors, of_detail = (
        centres(as_images(rows, image_shape)) for rows in (mixed, content, detail)
    )
    print("\nFrom the centre of light of a mixture it is, in pixels and in the median,")
    for words, other in (
        ("of the image that gives its factors", of_factors),
        ("of the image that gives its detail ", of_detail),
    ):
        distance = np.median(np.linalg.norm(place - other, axis=1))
        print(f"  to that {words}  {distance:.1f}")
    print("Place is a factor. Shape is detail, and need not survive the move.")


def centres(images):
    """Return the centre of the light of each image, in pixels."""
    light = images.reshape(*images.shape[:3], -1).mean(axis=-1) + 1e-9
    weights = light / light.sum(axis=(1, 2), keepdims=True)
    down, across = np.indices(light.shape[1:])
    return np.column_stack(
        [(weights * axis).sum(axis=(1, 2)) for axis in (down, across)]
    )


# %%
# The pictures
# ------------


def as_images(rows, image_shape):
    """Fold rows of pixels into images as matplotlib takes them."""
    images = np.asarray(rows).reshape(-1, *image_shape).transpose(0, 2, 3, 1)
    return images.squeeze(-1) if image_shape[0] == 1 else images


def strip(images, gap=2, paper=255):
    """Lay images out side by side, with a gap between them."""
    height, width = images.shape[1:3]
    n_columns = len(images)
    shape = (height, n_columns * (width + gap) - gap, *images.shape[3:])
    sheet = np.full(shape, paper, dtype=np.uint8)
    for column, image in enumerate(images):
        left = column * (width + gap)
        sheet[:, left : left + width] = np.rint(image)
    return sheet


def draw(rows, image_shape, title, name, width=7.5, side=1.75, head=0.38):
    """Draw rows of images below one another, each with a label and a word on it.

    Rows are (label, word, images, space above in heights of a row).
    """
    strips = [strip(as_images(images, image_shape)) for _, _, images, _ in rows]
    unit = width * strips[0].shape[0] / strips[0].shape[1]
    gap = 2 * width / strips[0].shape[1]
    tops = np.cumsum([gap + space * unit + unit for *_, space in rows])
    size = np.array([side + width, head + tops[-1]])
    figure = plt.figure(figsize=size)
    for (label, word, _, _), sheet, bottom in zip(rows, strips, tops, strict=True):
        place = (side, tops[-1] - bottom, width, unit) / np.tile(size, 2)
        ax = figure.add_axes(place)
        ax.imshow(
            sheet, cmap="gray", vmin=0, vmax=255, aspect="auto", interpolation="nearest"
        )
        ax.set_axis_off()
        style = {"transform": ax.transAxes, "ha": "right"}
        ax.text(-0.015, 0.53, label, va="bottom", fontsize=10, color=INK, **style)
        ax.text(-0.015, 0.45, word, va="top", fontsize=8, color=QUIET, **style)
    figure.text(
        side / size[0], 1 - 0.12 / size[1], title, va="top", fontsize=11, color=INK
    )
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / f"{name}.png"
    figure.savefig(path, dpi=150, bbox_inches="tight", pad_inches=0.15)
    plt.close(figure)
    print(f"  {path}")


def draw_stages(model, images, image_shape, name):
    """Draw images over what one stage and both make of them."""
    rows = [
        ("$X$", "the image", images, 0),
        ("$Y$", "its factors alone", model.first_stage_.reconstruct(images), 0),
        ("MSVAE", "factors and residual", model.reconstruct(images), 0),
    ]
    title = "Factors blur what the second stage gives back"
    draw(rows, image_shape, title, f"{name}_stages")


def draw_mixtures(model, content, detail, image_shape, name):
    """Draw pairs of images over their mixtures."""
    residual, raw, crossed = mixtures(model, content, detail)
    rows = [
        ("$X_i$", "gives its factors", content, 0),
        ("$X_j$", "gives its detail", detail, 0),
        ("$X_j - Y_j$", "its residual", residual, 0.3),
        ("$X_j$", "all of it", raw, 0),
        ("$X_j - Y_i$", "what $Y_i$ lacks of it", crossed, 0),
    ]
    title = "The factors of one image with the detail of another"
    draw(rows, image_shape, title, f"{name}_mixtures")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--data", default="sprites", help="sprites, fashion, or a folder of images"
    )
    (train, test, image_shape), name = load(parser.parse_args().data)
    print(f"{name}: {len(train):,} images of shape {image_shape} to learn from.")
    model = fit(train, image_shape)
    print_stages(model, test)

    half = len(test) // 2
    content, detail = test[:half], test[half : 2 * half]
    if name == "sprites":
        print_places(model.mix(content, detail), content, detail, image_shape)
    print("\nPictures:")
    draw_stages(model, content[:12], image_shape, name)
    draw_mixtures(model, content[:12], detail[:12], image_shape, name)


if __name__ == "__main__":
    main()
