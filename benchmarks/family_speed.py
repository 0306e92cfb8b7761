"""How long an epoch of every model takes, beside VAE and beside the same in pythae.

The table is the Taiwan credit table (30,000 x 23) with its columns made normal by their
ranks, the networks skvae's default (hidden layers 256-128, 10 latents), the likelihood
normal, the batches of 128. One row is of convolutional networks on images of sprites.
pythae trains the same bodies on the same encoded matrix, with its
own objective at its own defaults, its own trainer and its own loader. All train in one
process, in turn: in each round VAE, a model and its like in pythae, then VAE again and
the next model. Ratios are of what was timed side by side.

A discriminator as wide as pythae's takes so much longer than all else that FactorVAE
with it trains on every tenth row only, and its seconds are multiplied by ten.
"""

import argparse
import contextlib
import io
import logging
import tempfile
import time
import warnings
from dataclasses import dataclass, field
from importlib.util import find_spec

import numpy as np
import pandas as pd
import torch
from _common import credit_table, without_ties, write
from torch import nn

import skvae
from skvae.datasets import make_sprites
from skvae.networks import MLP, ConvDecoder, ConvEncoder, Discriminator
from skvae.tables import TableEncoder

HIDDEN = (256, 128)
LATENT = 10
BATCH = 128
IMAGE = (1, 32, 32)
N_IMAGES = 2000
WIDE = (1000,) * 5  # pythae's discriminator
NARROW = (128,) * 3  # skvae's default
CONDITION = {"condition_columns": ["EDUCATION"]}


@dataclass
class Case:
    """A model of skvae and, where there is one, the same in pythae."""

    name: str
    model: str
    settings: dict = field(default_factory=dict)
    pythae: str | None = None
    pythae_settings: dict = field(default_factory=dict)
    discriminator: tuple | None = None  # of pythae, where it is not pythae's own
    data: str = "table"


VAE = Case("VAE", "VAE", pythae="VAE")
CASES = [
    VAE,
    Case("BetaVAE", "BetaVAE", pythae="BetaVAE"),
    Case("BetaVAE, capacity", "BetaVAE", {"capacity": 5.0}, "DisentangledBetaVAE"),
    Case("BetaTCVAE", "BetaTCVAE", {}, "BetaTCVAE", {"use_mss": False}),
    Case(
        "BetaTCVAE, stratified",
        "BetaTCVAE",
        {"tc_estimator": "stratified"},
        "BetaTCVAE",
        {"use_mss": True},
    ),
    Case(
        "FactorVAE, discriminator 128 x 3",
        "FactorVAE",
        {"discriminator_layer_sizes": NARROW},
        "FactorVAE",
        discriminator=NARROW,
    ),
    Case(
        "FactorVAE, discriminator 1000 x 5",
        "FactorVAE",
        {"discriminator_layer_sizes": WIDE},
        "FactorVAE",
        data="tenth",
    ),
    Case("RFVAE, discriminator 128 x 3", "RFVAE"),
    Case("DIPVAE, variant i", "DIPVAE", {"variant": "i"}),
    Case("DIPVAE, variant ii", "DIPVAE", {"variant": "ii"}),
    Case("InfoVAE", "InfoVAE", {}, "INFOVAE_MMD"),
    Case("CVAE", "CVAE", CONDITION, data="with codes"),
    Case("DCVAE", "DCVAE", CONDITION, data="with codes"),
    Case("VAE, convolutions", "VAE", {"image_shape": IMAGE}, "VAE", data="images"),
]


def skvae_seconds(case, X):
    """Return the seconds of an epoch, read off the history of a fit of two."""
    model = getattr(skvae, case.model)(
        latent_dim=LATENT,
        likelihood="auto" if case.data == "images" else "gaussian",
        hidden_layer_sizes=HIDDEN,
        batch_size=BATCH,
        max_epochs=2,
        kl_warmup=0,
        early_stopping=False,
        device="cpu",
        random_state=0,
        **case.settings,
    )
    with warnings.catch_warnings():
        # Two epochs may leave every latent switched off.
        warnings.simplefilter("ignore", skvae.PosteriorCollapseWarning)
        return model.fit(X).history_["dur"].median()


def pythae_seconds(trainer):
    """Return the seconds of an epoch of a trainer made by `pythae_trainer`."""
    start = time.perf_counter()
    with contextlib.redirect_stderr(io.StringIO()):  # the progress bar
        trainer.train_step(1)
    return time.perf_counter() - start


def pythae_trainer(case, rows, folder):
    """Return pythae's trainer of a model, ready to train."""
    from pythae import models, trainers
    from pythae.data.datasets import BaseDataset
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseDiscriminator, BaseEncoder

    is_image = rows.ndim > 2
    shape = tuple(rows.shape[1:]) if is_image else rows.shape[1]

    class Encoder(BaseEncoder):
        def __init__(self):
            super().__init__()
            self.body = (ConvEncoder if is_image else MLP)(shape, HIDDEN, 2 * LATENT)

        def forward(self, x):
            mean, log_variance = self.body(x).chunk(2, dim=1)
            return ModelOutput(embedding=mean, log_covariance=log_variance)

    class Decoder(BaseDecoder):
        def __init__(self):
            super().__init__()
            self.body = (ConvDecoder if is_image else MLP)(LATENT, HIDDEN[::-1], shape)

        def forward(self, z):
            outputs = self.body(z)
            return ModelOutput(
                reconstruction=outputs.sigmoid() if is_image else outputs
            )

    class OwnDiscriminator(BaseDiscriminator):
        def __init__(self):
            super().__init__()
            self.body = Discriminator(LATENT, case.discriminator)
            self.body[-1] = nn.Linear(case.discriminator[-1], 2)  # two logits

        def forward(self, z):
            return self.body(z)

    make_config = getattr(models, f"{case.pythae}_Config", None) or getattr(
        models, f"{case.pythae}Config"
    )
    config = make_config(
        input_dim=tuple(rows.shape[1:]),
        latent_dim=LATENT,
        reconstruction_loss="bce" if is_image else "mse",
        **case.pythae_settings,
    )
    model = getattr(models, case.pythae)(config, Encoder(), Decoder())
    if case.discriminator is not None:
        model.set_discriminator(OwnDiscriminator())
    # Which trainer suits which model, as in `pythae.pipelines.TrainingPipeline`.
    kind = "AdversarialTrainer" if case.pythae == "FactorVAE" else "BaseTrainer"
    logging.disable(logging.INFO)
    trainer = getattr(trainers, kind)(
        model=model,
        train_dataset=BaseDataset(rows, torch.zeros(len(rows))),
        training_config=getattr(trainers, f"{kind}Config")(
            output_dir=folder,
            per_device_train_batch_size=BATCH,
            num_epochs=1,
            no_cuda=True,
        ),
    )
    trainer.prepare_training()
    return trainer


def make_trainers(rows, folder):
    """Return pythae's trainers by the name of the case, none where it is missing."""
    if find_spec("pythae") is None:
        print("pythae is not measured: it is not installed.")
        return {}
    return {
        case.name: pythae_trainer(case, rows[case.data], folder)
        for case in CASES
        if case.pythae is not None
    }


def measure(data, trainers, n_rounds):
    """Return seconds by the name of the case, a list of rounds of VAE, ours, theirs."""
    rounds = {case.name: [] for case in CASES}
    for position in range(n_rounds + 1):
        for case in CASES:
            scale = 10 if case.data == "tenth" else 1
            base = skvae_seconds(VAE, data["table"])
            ours = scale * skvae_seconds(case, data[case.data])
            theirs = np.nan
            if case.name in trainers:
                theirs = scale * pythae_seconds(trainers[case.name])
            if position > 0:  # the first warms up
                rounds[case.name].append((base, ours, theirs))
    return rounds


def summary(case, rounds):
    """Return a row of the results."""
    base, ours, theirs = np.array(rounds).T
    has_base, has_theirs = case.data != "images", not np.isnan(theirs).any()
    return {
        "model": case.name,
        "seconds (median)": round(np.median(ours), 2),
        "ratio to VAE": round(np.median(ours / base), 2) if has_base else "",
        "pythae": case.pythae if has_theirs else "",
        "pythae, seconds": round(np.median(theirs), 2) if has_theirs else "",
        "ratio to pythae": round(np.median(ours / theirs), 2) if has_theirs else "",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    table, name = credit_table()
    normal = without_ties(table)
    images = make_sprites(N_IMAGES, image_size=IMAGE[1], random_state=0).data
    data = {
        "table": normal,
        "tenth": normal[::10],
        "with codes": normal.assign(EDUCATION=table["EDUCATION"]),
        "images": images,
    }
    matrix = torch.as_tensor(TableEncoder().fit(normal).transform(normal)).float()
    pixels = torch.as_tensor(images).float().reshape(-1, *IMAGE) / 255
    rows = {"table": matrix, "tenth": matrix[::10], "images": pixels}
    with tempfile.TemporaryDirectory() as folder:
        trainers = make_trainers(rows, folder)
        rounds = measure(data, trainers, arguments.rounds)
    write(
        "family_speed",
        pd.DataFrame([summary(case, rounds[case.name]) for case in CASES]),
        f"python benchmarks/family_speed.py --rounds {arguments.rounds}",
        f"{name}, {len(table):,} x {table.shape[1]}, the condition EDUCATION; "
        f"convolutions: {N_IMAGES:,} sprites of {IMAGE[1]} x {IMAGE[2]}. Ratios are "
        "medians over rounds; below 1, skvae is faster. pythae has no such model where "
        "its cells are empty. Its FactorVAE reconstructs half the rows of each batch, "
        "and keeps the other half for the discriminator; skvae's does both with all "
        "rows, which is twice the work. With discriminator 1000 x 5, the seconds are "
        "ten times those of a tenth of the rows.",
    )


if __name__ == "__main__":
    main()
