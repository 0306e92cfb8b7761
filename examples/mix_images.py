"""
One image's factors, another's detail
=====================================

A disentangler says of an image what a few factors can say, and blurs the rest. The
second stage of an MSVAE adds the rest and leaves the factors as they are. Since it
keeps the two apart, they can be taken from different images.
"""

# %%
# The images
# ----------
# Simulated sprites, whose place is a factor and whose shape is detail: one can see, and
# measure, which image a mixture takes after. ``fetch_fashion_mnist`` and
# ``load_images``, for a folder of yours, give images in the same form.

from pathlib import Path

import numpy as np

from skvae.datasets import make_sprites

OUTPUT = Path("output")
OUTPUT.mkdir(exist_ok=True)

sprites = make_sprites(3_000, image_size=24, random_state=0)
train, test = sprites.data[:2_500], sprites.data[2_500:]
print(f"{len(train):,} images of shape {sprites.image_shape} to learn from.")

# %%
# Two stages
# ----------
# The first stage has few latents, which a high ``beta`` keeps apart: of sprites they
# tell place and size, and shape is left to the second. Both are small, to be quick.

from skvae import MSVAE, BetaTCVAE

settings = {
    "hidden_layer_sizes": (128,),
    "lr": 3e-3,
    "batch_size": 64,
    "random_state": 0,
    "verbose": 1,
}
first = BetaTCVAE(
    latent_dim=5,
    beta=10,
    image_shape=sprites.image_shape,
    max_epochs=9,
    kl_warmup=4,
    **settings,
)
model = MSVAE(first, residual_dim=8, max_epochs=24, kl_warmup=5, **settings)
model.fit(train)

first = model.first_stage_
print("Mean squared error on images that training never saw, pixels from 0 to 1:")
for name, stage in {"first stage": first, "both stages": model}.items():
    error = np.mean((stage.reconstruct(test) / 255 - test / 255) ** 2)
    print(f"  {name}  {error:.4f}")
factors = model.transform(test)[:, : first.latent_dim]
print(
    f"Factors as the first stage has them: {(factors == first.transform(test)).all()}"
)

# %%
# Images, what the factors make of them, and what both stages do:

from skvae.inspection import ReconstructionDisplay

display = ReconstructionDisplay.from_estimator(model, test[:12])
display.figure_.savefig(OUTPUT / "mix_stages.png", dpi=120)

# %%
# Mixtures
# --------
# Y is what the first stage makes of an image X. The second stage adds to ``Y_i``
# what it reads from the other image: from its residual ``X_j - Y_j``, as it was
# trained to; from ``X_j`` itself; or from ``X_j - Y_i``. The last two are of a
# kind that training never saw.

from skvae.inspection import MixDisplay

content, detail = test[:250], test[250:]
display = MixDisplay.from_estimator(model, content[:12], detail[:12])
display.figure_.savefig(OUTPUT / "mix_mixtures.png", dpi=120)
# sphinx_gallery_thumbnail_number = 2

# %%
# Whose place does a mixture take? Its centre of light says so. Detail need not fit the
# factors of another image: what a residual says at one place it may not say at another,
# so sprites keep their place, but rarely take over the shape.


def centres(rows):
    """Return the centre of the light of each image, in pixels."""
    light = rows.reshape(-1, *sprites.image_shape).mean(axis=1) + 1e-9
    weights = light / light.sum(axis=(1, 2), keepdims=True)
    places = np.indices(light.shape[1:])
    return np.stack([(weights * place).sum(axis=(1, 2)) for place in places], axis=1)


mixed = centres(model.mix(content, detail))
print("From the centre of a mixture it is, in pixels and in the median,")
for giver, rows in {"factors": content, "detail ": detail}.items():
    distance = np.median(np.linalg.norm(mixed - centres(rows), axis=1))
    print(f"  to that of the image that gave its {giver}  {distance:.1f}")
