"""
What detectors make of an image they never saw the like of
==========================================================

The figures of the paper on dCVAE (Figures 1, A1 and A2): an anomalous and a normal
image, and what six models make of them as outlier detectors. Each is trained without
one class of images, whose images are the anomalies. Beneath each reconstruction stand

- E, the negative evidence lower bound, in nats (``score="elbo"``);
- A, the length of what the reconstruction misses, in pixels from 0 to 1
  (``score="reconstruction"``, eq. 19).

Larger is more anomalous. Two images are an anecdote: on top of each model stands how
well either score ranks many new images. dCVAE and CVAE are told the class of the normal
images in training. In the test nobody is told anything, and the class is averaged over.

The images are handwritten digits. ``--data fashion`` and ``--data kmnist`` take clothes
and cursive characters, from the folder that ``SKVAE_DATA_HOME`` names, from the cache,
or downloaded. Where there are none, or with ``--data sprites``, they are simulated. The
picture goes to ``output``.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.frozen import FrozenEstimator
from torch import nn

import skvae
from skvae import (
    CVAE,
    RFVAE,
    VAE,
    BetaVAE,
    DCVAEAnomalyDetector,
    FactorVAE,
    VAEAnomalyDetector,
)
from skvae.datasets import fetch_fashion_mnist, fetch_kmnist, fetch_mnist, make_sprites
from skvae.networks import MLP
from skvae.selection import outlier_roc_auc_scorer

OUTPUT = Path("output")
INK, QUIET, ODD, NORMAL = "#262626", "#707070", "#D55E00", "#0072B2"
FETCHERS = {
    "mnist": fetch_mnist,
    "fashion": fetch_fashion_mnist,
    "kmnist": fetch_kmnist,
}
# The class that is left out, which is the anomaly.
LEFT_OUT = 0
N_TRAIN, N_TEST = 3000, 300

# %%
# The images
# ----------
# Those of one class are taken from the training images, whatever else they hold.


def load(name):
    """Return images, their classes, the shape of an image, and a name for pictures."""
    if name in FETCHERS:
        try:
            images = FETCHERS[name](subset="train")
        except skvae.DataUnavailableError:
            print(f"{name} is not at hand. Sprites instead.")
        else:
            return images.data, images.target, images.image_shape, name
    sprites = make_sprites(6000, image_size=24, random_state=0)
    classes = sprites.factors["shape"].to_numpy()
    return sprites.data, classes, sprites.image_shape, "sprites"


def split(images, classes):
    """Return images to learn from with their classes, test images, and their labels."""
    is_normal = classes != LEFT_OUT
    train = np.flatnonzero(is_normal)[:N_TRAIN]
    new = np.flatnonzero(is_normal)[N_TRAIN : N_TRAIN + N_TEST]
    odd = np.flatnonzero(~is_normal)[:N_TEST]
    test = np.concatenate([odd, new])
    # As scikit-learn labels outliers.
    labels = np.repeat([-1, 1], [len(odd), len(new)])
    shown = [odd[0], new[0]]
    return images[train], classes[train], images[test], labels, images[shown]


# %%
# The detectors
# -------------
# Networks of one's own: dense layers in place of convolutions, to be quick.


class Dense(nn.Module):
    """Dense layers that take images, or make them."""

    def __init__(self, n_inputs, n_outputs, n_conditions=0):
        super().__init__()
        self.shape = n_outputs
        widths = int(np.prod(n_inputs)), (256,), int(np.prod(n_outputs))
        self.layers = MLP(*widths, n_conditions=n_conditions)

    def forward(self, inputs, condition=None):
        outputs = self.layers(inputs.flatten(1), condition)
        return outputs.unflatten(1, self.shape) if self.makes_images else outputs

    @property
    def makes_images(self):
        return isinstance(self.shape, tuple)


def make_detectors(image_shape):
    """Return the six detectors of the paper, without their names' hyphens."""
    settings = {
        "latent_dim": 10,
        "image_shape": image_shape,
        "encoder": Dense,
        "decoder": Dense,
        "max_epochs": 15,
        "kl_warmup": 5,
        "batch_size": 128,
        "random_state": 0,
    }
    models = {
        "VAE": VAE(**settings),
        "CVAE": CVAE(**settings),
        "FactorVAE": FactorVAE(**settings),
        "BetaVAE": BetaVAE(beta=2, **settings),
        "RFVAE": RFVAE(**settings),
    }
    shared = {"score": "elbo"}
    detectors = {"dCVAE": DCVAEAnomalyDetector(beta=2, **settings, **shared)}
    for name, model in models.items():
        detectors[name] = VAEAnomalyDetector(model, **shared)
    return detectors


def fit(detector, train, classes):
    """Return detectors with both scores, E and A, around one fitted model."""
    takes_classes = "CVAE" in type(getattr(detector, "model", detector)).__name__
    given = {"condition": classes} if takes_classes else {}
    by_bound = detector.fit(train, **given)
    # The model is fitted: another score takes no new training.
    fitted = FrozenEstimator(by_bound.model_)
    by_error = VAEAnomalyDetector(fitted, score="reconstruction").fit(train, **given)
    return {"E": by_bound, "A": by_error}


# %%
# The picture
# -----------


def as_image(row, image_shape):
    """Fold a row of pixels into an image as matplotlib takes it."""
    image = np.asarray(row).reshape(image_shape).transpose(1, 2, 0)
    return image.squeeze(-1) if image_shape[0] == 1 else image


def reconstructions(model, images, classes):
    """Return what a model makes of images: at their likeliest class, if it has any.

    That is the class under which the bound is best, since the images' own is unknown.
    """
    if not hasattr(model, "condition_encoder_"):
        return model.reconstruct(images)
    bounds = [model.score_samples(images, condition=name) for name in classes]
    likeliest = classes[np.argmax(bounds, axis=0)]
    return model.reconstruct(images, condition=likeliest, own_condition=likeliest)


def verdict(values):
    """Say which of the two images, the anomalous or the normal one, is worse."""
    worse = [name for name, (anomaly, normal) in values.items() if anomaly > normal]
    if len(worse) == len(values):
        return "the anomaly is worse", ODD
    if not worse:
        return "the normal one is worse", NORMAL
    return f"the anomaly, by {worse[0]} only", QUIET


def show(ax, image):
    ax.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)


def write(ax, text, below, color, size=9.5):
    """Write beneath an image, so many points below it, or above where negative."""
    ax.annotate(
        text,
        (0.5, 0 if below > 0 else 1),
        (0, -below),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="center",
        va="top",
        fontsize=size,
        color=color,
    )


def draw_input(column, shown, image_shape):
    labels = "anomaly: class left out", "normal: class seen"
    for ax, row, label, color in zip(column, shown, labels, (ODD, NORMAL), strict=True):
        show(ax, as_image(row, image_shape))
        write(ax, label, 4, color)
    write(column[0], "input", -36, INK, 12)


def draw_model(column, name, result, image_shape):
    said, color = verdict(result["values"])
    write(column[0], name, -36, INK, 12)
    write(column[0], said, -19, color)
    for row, ax in enumerate(column):
        show(ax, as_image(result["images"][row], image_shape))
        bound, error = (result["values"][score][row] for score in "EA")
        write(ax, f"E {bound:.0f}    A {error:.1f}", 4, INK, 10.5)
    bound, error = (result["auc"][score] for score in "EA")
    write(column[1], f"AUROC\nE {bound:.2f}    A {error:.2f}", 26, QUIET)


def draw(results, shown, image_shape, name):
    """Draw both images, and what each model makes of them with its E and A."""
    figure, axes = plt.subplots(2, 1 + len(results), figsize=(13, 5.8))
    figure.subplots_adjust(0.01, 0.125, 0.99, 0.775, wspace=0.07, hspace=0.2)
    draw_input(axes[:, 0], shown, image_shape)
    for column, (model, result) in zip(axes[:, 1:].T, results.items(), strict=True):
        draw_model(column, model, result, image_shape)
    marks = sum(verdict(result["values"])[1] == ODD for result in results.values())
    style = {"x": 0.013, "ha": "left", "va": "top"}
    title = f"By E and by A, {marks} of {len(results)} models find the anomaly worse"
    figure.text(y=0.975, s=title, fontsize=13, color=INK, **style)
    units = "E: negative evidence lower bound, nats.  A: reconstruction error, pixels "
    units += "from 0 to 1.  AUROC: over many new images."
    figure.text(y=0.915, s=units, fontsize=9.5, color=QUIET, **style)
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / f"{name}_anomalies.png"
    figure.savefig(path, dpi=150)
    print(f"\nPicture: {path}")


def main():
    parser = argparse.ArgumentParser()
    names = [*FETCHERS, "sprites"]
    parser.add_argument("--data", choices=names, default="mnist")
    images, classes, image_shape, name = load(parser.parse_args().data)
    train, own_classes, test, labels, shown = split(images, classes)
    print(f"{name}: {len(train):,} images of all classes but {LEFT_OUT} to learn from.")
    print(f"\nAUROC of E and A on {len(test):,} new images, half of that class:")
    print("\n             E     A")
    results = {}
    for model, detector in make_detectors(image_shape).items():
        by_score = fit(detector, train, own_classes)
        result = {
            "images": reconstructions(
                by_score["E"].model_, shown, np.unique(own_classes)
            ),
            "values": {
                score: -found.score_samples(shown) for score, found in by_score.items()
            },
            "auc": {
                score: outlier_roc_auc_scorer(found, test, labels)
                for score, found in by_score.items()
            },
        }
        results[model] = result
        print(f"  {model:9s}  {result['auc']['E']:.2f}  {result['auc']['A']:.2f}")
    draw(results, shown, image_shape, name)


if __name__ == "__main__":
    main()
