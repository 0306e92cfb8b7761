"""The thesis' table 5.1, and the MIG on images with attributes that it announces.

CelebA is for research that is not commercial, and cannot be loaded without an
agreement: where it is not at hand, 533 synthetic faces and 3,583 emoji stand in for it,
and the figures beside the published ones are of other images. Emoji have a skin tone
and a gender, where they have both; simulated sprites have true factors; CelebA has 40
attributes.

``thesis`` is the cross-entropy, no warm-up and LeakyReLU, ``ours`` what the library
does unless told otherwise; both have its convolutions, batches of 64 and beta 2. The
thesis names neither batches nor epochs of its table: those here are a guess.

Trained on four fifths of the images, measured on the others.
"""

import os
import warnings
from copy import deepcopy
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from taiwan import of_latents, of_votes

from skvae import BetaTCVAE, DataUnavailableError
from skvae.datasets import load_celeba, make_sprites
from skvae.metrics import factor_vae_score, mig_score
from skvae.models._inference import Inference

KEYS = [
    *("data", "setting", "latent_dim", "lr", "beta", "max_epochs", "n_rows"),
    *("n_votes", "seed"),
]
MEASURES = [
    *("n_active", "consistency train", "consistency eval"),
    *("thesis train", "thesis eval", "total correlation", "mutual information"),
    *("MIG", "MIG adjusted", "FactorVAE score", "MSE", "compiled"),
]
# Images take long to decode and encode: half of the thesis' votes, and of each not all
# of the images, as in its listing C.3. Table 5.1 alone shows what they say.
N_VOTES = 500
ROWS_PER_VOTE = 64
SHARED = {"batch_size": 64, "early_stopping": False, "device": "cpu"}
SETTINGS = {
    "thesis": {"likelihood": "bernoulli", "activation": "leaky_relu", "kl_warmup": 0},
    "ours": {},
}
MAX_EPOCHS = {"faces": 200, "emoji": 40, "sprites": 40, "CelebA": 10}
N_ROWS = 20_000


def stored(path, name):
    """Return the arrays of a file in the folder of data."""
    path = Path(os.environ.get("SKVAE_DATA_HOME", ".")) / path
    if not path.exists():
        raise DataUnavailableError(f"Got no {name} at {path}; expected the file there.")
    return np.load(path)


def faces():
    """Return synthetic faces, of which nothing is known."""
    images = stored("sfhq_faces/sfhq_faces_533_64x64_rgb.npz", "faces")["images"]
    return as_rows(images), None, (3, 64, 64)


def emoji():
    """Return emoji with their skin tone and gender, missing where they have none."""
    stored_images = stored("noto_emoji/noto_emoji_32x32_rgb.npz", "emoji")
    factors = pd.DataFrame(
        {name: stored_images[name] for name in ("skin_tone", "gender")}
    )
    factors = factors.replace("", None).dropna().reindex(factors.index)
    factors = factors.astype("category")
    return as_rows(stored_images["images"]), factors, (3, 32, 32)


def as_rows(images):
    """Return images of height, width and channels as rows, channel by channel."""
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1)


def sprites():
    """Return simulated shapes and their factors."""
    bunch = make_sprites(4000, image_size=16, random_state=0)
    return bunch.data, bunch.factors, bunch.image_shape


def celeba():
    """Return photographed faces and their attributes, where a user has them."""
    folder = Path(os.environ.get("SKVAE_DATA_HOME", ".")) / "celeba"
    bunch = load_celeba(folder, max_rows=N_ROWS)
    return bunch.data, bunch.attributes, bunch.image_shape


DATA = {
    "faces": cache(faces),
    "emoji": cache(emoji),
    "sprites": cache(sprites),
    "CelebA": cache(celeba),
}


def at_hand():
    """Return the names of the image sets that there are."""
    names = []
    for name, load in DATA.items():
        try:
            load()
        except DataUnavailableError as error:
            print(f"{name} is left out: {error}")
        else:
            names.append(name)
    return names


class SinglePrecision(Inference):
    """Decodes and encodes as training does: several times as fast as in double."""

    def __init__(self, module):
        super().__init__(deepcopy(module).float())

    def _tensor(self, array):
        return super()._tensor(array).float()

    def _in_passes(self, function, *arrays, n_rows=64):  # which stay in the cache
        return super()._in_passes(function, *arrays, n_rows=n_rows)


def measure(run, compile=False):
    """Fit one model and return all that the tables show of it."""
    warnings.simplefilter("ignore")  # a collapsed posterior is a result here
    images, factors, image_shape = DATA[run["data"]]()
    rows = np.random.default_rng(0).permutation(len(images))[: run["n_rows"]]
    train, test = train_test_split(rows, test_size=0.2, random_state=run["seed"])
    settings = {name: run[name] for name in ("latent_dim", "lr", "beta", "max_epochs")}
    settings |= SHARED | SETTINGS[run["setting"]] | {"compile": compile}
    model = BetaTCVAE(image_shape=image_shape, random_state=run["seed"], **settings)
    model.fit(images[train])
    measured = of_latents(model, images[test])
    if run["n_votes"]:
        votes = dict.fromkeys(("n_runs_train", "n_runs_eval"), run["n_votes"])
        votes["n_rows_per_run"] = ROWS_PER_VOTE
        lean = SinglePrecision(model._inference.module)
        measured |= of_votes(model, images[test], run["seed"], votes, lean)
    error = (model.reconstruct(images[test]) / 255 - images[test] / 255) ** 2
    measured |= {"MSE": error.mean(), "compiled": compile}
    if factors is not None:
        codes = model.transform(images[test])
        factors = factors.iloc[test]
        adjusted = mig_score(factors, codes, adjusted=True, random_state=0)
        measured |= {"MIG": mig_score(factors, codes), "MIG adjusted": adjusted}
    if run["data"] == "sprites":
        score = factor_vae_score(factors, codes, random_state=0)
        measured["FactorVAE score"] = score
    return measured


TABLE_5_1 = list(product((10, 20, 25), (1e-3, 1e-4), (2,)))
ATTRIBUTES = list(product((10,), (1e-3,), (1, 2, 4, 8)))


def tasks(cells, names, settings, seeds, n_votes, max_epochs=None, n_rows=N_ROWS):
    """Return the runs of cells on image sets, one seed after the other."""
    return [
        {"data": data, "setting": setting}
        | dict(zip(("latent_dim", "lr", "beta"), cell, strict=True))
        | {"max_epochs": max_epochs or MAX_EPOCHS[data], "n_rows": n_rows}
        | {"n_votes": n_votes, "seed": seed}
        for seed, data, setting, cell in product(range(seeds), names, settings, cells)
    ]
