"""
What beta does
==============

A larger ``beta`` asks more of a latent factor: it must be independent of the others,
and worth its cost. Few factors remain, and those that do are the plainest. This example
fits one table and one set of images with several betas and looks at where rows go in
the latent space, which factors stay, and what a plane of latents stands for.
"""

# %%
# One table, four betas
# ---------------------
# Taiwan credit where it is at hand (in the folder that ``SKVAE_DATA_HOME`` names, in
# the cache, or on OpenML), else a simulated portfolio.

from pathlib import Path

import pandas as pd

import skvae
from skvae import BetaTCVAE, BetaVAE
from skvae.datasets import fetch_mnist, fetch_taiwan_credit, make_credit_portfolio

OUTPUT = Path("output")
OUTPUT.mkdir(exist_ok=True)

try:
    X = fetch_taiwan_credit().data
    print(f"Taiwan credit: {len(X):,} clients, real data.")
except skvae.DataUnavailableError:
    X = make_credit_portfolio(30_000, random_state=0).data
    print(f"Simulated portfolio of {len(X):,} clients (no real table at hand).")
X = X.sample(4_000, random_state=0)

settings = {"latent_dim": 6, "max_epochs": 15, "kl_warmup": 5, "lr": 3e-3}
models = [
    BetaTCVAE(beta=beta, random_state=0, **settings).fit(X) for beta in (1, 4, 16, 64)
]
kl = pd.DataFrame(
    {model.beta: sorted(model.kl_per_dimension_, reverse=True) for model in models}
)
print("What each latent knows of a client, in nats, the most first:")
print(kl.rename_axis(columns="beta").round(2).to_string(index=False))

# %%
# Where clients go
# ----------------
# Each point is a client, and its colour how it paid last, one column of many. The more
# latents are off, the flatter the cloud; where a single one is left it is a line, with
# clients that owed nothing at one end.

from skvae.inspection import LatentSpaceDisplay

named = {f"beta {model.beta}": model for model in models}
paid = pd.cut(
    X["PAY_0"].astype(int),
    [-3, -2, -1, 0, 9],
    labels=["owed nothing", "paid in full", "paid in part", "late"],
)
display = LatentSpaceDisplay.from_estimators(named, X, paid.rename("September"))
display.figure_.savefig(OUTPUT / "beta_latent_space.png", dpi=120)
# sphinx_gallery_thumbnail_number = 1

# %%
# Which factors stay
# ------------------
# Models number and turn their latents as they like. So each latent of the first model
# is looked up in the others: it is the one whose codes go along with it, by the rank
# correlation in brackets. What the first latent moves, bills, it moves at any beta.

from skvae.inspection import BetaTraversalDisplay

display = BetaTraversalDisplay.from_estimators(models, X)
display.figure_.savefig(OUTPUT / "beta_first_factor.png", dpi=120)

# %%
# Lesser ones may go, as the third does on Taiwan credit: from some beta on the latent
# that resembles it most is another one, with a low correlation, or one that is off. The
# line of that is dashed, and flat.

names = models[0].get_feature_names_out()
third = names[models[0].kl_per_dimension_.argsort()[-3]]
display = BetaTraversalDisplay.from_estimators(models, X, latent=third)
display.figure_.savefig(OUTPUT / "beta_third_factor.png", dpi=120)
print(display.matches.round(2).to_string(index=False))

# %%
# Digits in a plane
# -----------------
# MNIST where it is at hand. Two latents are a plane, and need no projection. With a
# small beta the model is close to an autoencoder: digits spread far out, to where the
# prior hardly ever draws. With a large one all of them lie where it does, and closer
# together. The labels colour the picture, and no model was told them.

try:
    digits = fetch_mnist(subset="train")
except skvae.DataUnavailableError:
    print("MNIST is not at hand, and this section is left out.")
    planes = {}
else:
    images, labels = digits.data[:3_000], digits.target[:3_000]
    settings = {"latent_dim": 2, "max_epochs": 8, "kl_warmup": 3, "lr": 4e-3}
    settings |= {"hidden_layer_sizes": (128,), "batch_size": 64}
    settings |= {"image_shape": digits.image_shape, "random_state": 0}
    planes = {
        f"beta {beta:g}": BetaVAE(beta=beta, **settings).fit(images)
        for beta in (0.1, 1, 10)
    }
    display = LatentSpaceDisplay.from_estimators(planes, images, labels)
    display.figure_.savefig(OUTPUT / "beta_digits.png", dpi=120)

# %%
# What the plane of beta 1 stands for: each digit is decoded from where it stands.

from skvae.inspection import ManifoldDisplay

if planes:
    display = ManifoldDisplay.from_estimator(planes["beta 1"], images)
    display.figure_.savefig(OUTPUT / "digit_plane.png", dpi=120)
print(f"All pictures are in {OUTPUT}.")
