"""
Explore the factors of images
=============================

From small images to a few latent factors: what a model reconstructs, what each factor
does, and what the model makes up. The images are simulated sprites, whose true factors
are known, so that the factors found can be scored. Handwritten digits, whose factors
nobody knows, come last.
"""

# %%
# The images
# ----------
# One sprite each: a square, an ellipse or a heart, drawn from five factors. A row is an
# image, all its pixels from the top left to the bottom right; ``image_shape`` says how
# to fold it.

from pathlib import Path

import pandas as pd

import skvae
from skvae.datasets import fetch_mnist, make_sprites

OUTPUT = Path("output")
OUTPUT.mkdir(exist_ok=True)

sprites = make_sprites(5_000, image_size=24, random_state=0)
train, test = sprites.data[:3_000], sprites.data[3_000:]
factors = sprites.factors[3_000:]
print(f"{len(train):,} images of shape {sprites.image_shape} to learn from.")
print(f"The true factors of {len(test):,} others:")
print(factors.head(3).round(2).to_string(index=False))

# %%
# The model
# ---------
# ``image_shape`` gives the model convolutions. A high ``beta`` keeps its latents apart,
# and switches off those that cost more than they explain.

from skvae import BetaTCVAE
from skvae.inspection import ReconstructionDisplay

settings = {
    "hidden_layer_sizes": (128,),
    "batch_size": 64,
    "random_state": 0,
    "verbose": 1,
}
model = BetaTCVAE(
    latent_dim=8,
    beta=4,
    image_shape=sprites.image_shape,
    lr=3e-3,
    max_epochs=25,
    kl_warmup=12,
    **settings,
)
model.fit(train)
kl = pd.Series(model.kl_per_dimension_, model.get_feature_names_out())
print(f"{model.n_active_} of {model.latent_dim} latents are active. KL in nats:")
print(kl.sort_values(ascending=False).round(2).to_string())

display = ReconstructionDisplay.from_estimator(model, test[:12])
display.figure_.savefig(OUTPUT / "sprites_reconstructions.png", dpi=120)

# %%
# What each factor does
# ---------------------
# One latent a row, the one with most KL first. It moves through two standard deviations
# of the prior to either side, while the others stay as they are in one typical image.

from skvae.inspection import LatentTraversalDisplay

display = LatentTraversalDisplay.from_estimator(model, train, reach=2)
display.figure_.savefig(OUTPUT / "sprites_traversals.png", dpi=120)
# sphinx_gallery_thumbnail_number = 2

# %%
# Against the true factors
# ------------------------
# How much of each true factor does a latent know? Where the model is right, a column
# has one bright cell, in a row of its own. A dark column is a factor that it missed.

from skvae.inspection import MutualInformationDisplay

display = MutualInformationDisplay.from_estimator(model, test, factors, normalize=True)
display.figure_.savefig(OUTPUT / "sprites_information.png", dpi=120)

# %%
# The same as numbers, 1 being best. Place and size are found. At this ``beta`` shape
# and rotation do not pay for a latent, and lower each score.

from skvae.metrics import dci_scores, factor_vae_score, mig_score

codes = model.transform(test)
scores = {}
for name, known in {
    "all factors": factors,
    "place and size": factors[["position_x", "position_y", "scale"]],
}.items():
    dci = dci_scores(known, codes, random_state=0)
    scores[name] = {
        "FactorVAE score": factor_vae_score(known, codes, random_state=0),
        "MIG": mig_score(known, codes),
        "DCI disentanglement": dci.disentanglement,
        "DCI completeness": dci.completeness,
        "DCI informativeness": dci.informativeness,
    }
print(pd.DataFrame(scores).round(2).to_string())

# %%
# Images that the model made up
# -----------------------------
# Latents are drawn from the prior and decoded. The images above are for comparison.

from skvae.inspection import RandomDrawDisplay

display = RandomDrawDisplay.from_estimator(model, test, n_draws=12, n_columns=12)
display.figure_.savefig(OUTPUT / "sprites_draws.png", dpi=120)

# %%
# Handwritten digits
# ------------------
# MNIST where it is at hand (in the folder that ``SKVAE_DATA_HOME`` names, in the cache,
# or by download). Without true factors there is nothing to score. The traversals show
# the six latents with most KL. The images made up are drawn from where the training
# images lie in the latent space, rather than from the prior.

try:
    digits = fetch_mnist(subset="train")
except skvae.DataUnavailableError:
    print("MNIST is not at hand, and this section is left out.")
else:
    model = BetaTCVAE(
        latent_dim=10,
        beta=2,
        image_shape=digits.image_shape,
        lr=4e-3,
        max_epochs=12,
        kl_warmup=5,
        **settings,
    )
    train = digits.data[:4_000]
    model.fit(train)
    display = LatentTraversalDisplay.from_estimator(model, train, reach=2)
    display.figure_.savefig(OUTPUT / "digit_traversals.png", dpi=120)
    display = RandomDrawDisplay.from_estimator(
        model, train, n_draws=24, n_columns=12, latent="aggregate"
    )
    display.figure_.savefig(OUTPUT / "digit_draws.png", dpi=120)
print(f"All pictures are in {OUTPUT}.")
