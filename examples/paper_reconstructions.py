"""
An image of a class that training left out
==========================================

The figures of the paper on dCVAE (1, A1 and A2) show what six models make of an image
that is like those of training, and of one of a class that was left out. Two numbers
say how odd a model finds it: E, the negative evidence lower bound, and A, the length of
what the reconstruction misses (eq. 19). The larger, the odder.
"""

# %%
# The images
# ----------
# Handwritten digits where they are at hand (in the folder that ``SKVAE_DATA_HOME``
# names, in the cache, or downloaded), else simulated sprites. Zeros are left out, or
# with sprites the squares. ``fetch_fashion_mnist`` and ``fetch_kmnist`` would do as
# well.

from pathlib import Path

import numpy as np

import skvae
from skvae.datasets import fetch_mnist, make_sprites

OUTPUT = Path("output")
OUTPUT.mkdir(exist_ok=True)

try:
    images = fetch_mnist(subset="train")
    X, classes = images.data, images.target
except skvae.DataUnavailableError:
    print("No digits at hand. Sprites instead.")
    images = make_sprites(6000, image_size=24, random_state=0)
    X, classes = images.data, images.factors["shape"].to_numpy()

seen, left_out = np.flatnonzero(classes != 0), np.flatnonzero(classes == 0)[:300]
train, new = seen[:3000], seen[3000:3300]
print(f"{len(train):,} images to learn from, none of the class left out.")

# %%
# The models
# ----------
# Dense layers in place of the default convolutions, to be quick. DCVAE and CVAE are
# told the class of each image in training, and of none after it.

from torch import nn

from skvae import CVAE, DCVAE, RFVAE, VAE, BetaVAE, FactorVAE
from skvae.networks import MLP


class Dense(nn.Module):
    """Dense layers that take images, or make them."""

    def __init__(self, n_inputs, n_outputs, n_conditions=0):
        super().__init__()
        self.shape = tuple(np.atleast_1d(n_outputs))
        widths = int(np.prod(n_inputs)), (256,), int(np.prod(n_outputs))
        self.layers = MLP(*widths, n_conditions=n_conditions)

    def forward(self, inputs, condition=None):
        return self.layers(inputs.flatten(1), condition).unflatten(1, self.shape)


settings = {
    "latent_dim": 10,
    "image_shape": images.image_shape,
    "encoder": Dense,
    "decoder": Dense,
    "max_epochs": 15,
    "kl_warmup": 5,
    "batch_size": 128,
    "random_state": 0,
}
models = [
    DCVAE(beta=2, **settings),
    VAE(**settings),
    CVAE(**settings),
    FactorVAE(**settings),
    BetaVAE(beta=2, **settings),
    RFVAE(**settings),
]
for model in models:
    given = {"condition": classes[train]} if "CVAE" in type(model).__name__ else {}
    model.fit(X[train], **given)

# %%
# What they make of an image
# --------------------------
# Two images of either kind. A model puts together what it sees from what it has learned
# to see. Where its condition is unknown, E is averaged over the classes, and the
# reconstruction is that under the likeliest.

from skvae.inspection import ReconstructionDisplay

display = ReconstructionDisplay.from_estimators(
    models,
    X[[*left_out[::150], *new[::150]]],
    scores=True,
    labels=["left out", "left out", "like training", "like training"],
    models_in="columns",
)
display.figure_.savefig(OUTPUT / "left_out_images.png", dpi=120)

# %%
# Many images
# -----------
# A few images are an anecdote. Do the scores find the class that was left out among
# 600 new images? An AUROC of 1 says that each of its images is odder than any other,
# 0.5 is chance. A detector around a frozen model learns its threshold alone, for which
# some hundred rows are enough.

import pandas as pd
from sklearn.frozen import FrozenEstimator

from skvae import VAEAnomalyDetector
from skvae.selection import outlier_roc_auc_scorer

X_test = X[np.concatenate([left_out, new])]
labels = np.repeat([-1, 1], 300)  # as scikit-learn labels outliers
few = train[:500]
aucs = {}
for model in models:
    name = type(model).__name__
    given = {"condition": classes[few]} if "CVAE" in name else {}
    aucs[name] = {}
    for letter, score in {"E": "elbo", "A": "reconstruction"}.items():
        detector = VAEAnomalyDetector(FrozenEstimator(model), score=score)
        detector.fit(X[few], **given)
        aucs[name][letter] = outlier_roc_auc_scorer(detector, X_test, labels)
print("AUROC on 600 new images, half of them of the class left out:")
print(pd.DataFrame(aucs).T.round(2).to_string())
