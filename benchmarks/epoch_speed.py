"""How long an epoch of BetaTCVAE takes beside other ways to train the same network.

The table is the Taiwan credit table (30,000 x 23) with its columns made normal by their
ranks, the network the thesis' (hidden layers 512-256-128-64, 5 latents), the batches of
64 and of 512, with one torch thread and with two. All train on the same matrix, with
normal columns of one learned scale each, in float32, in one process, in turn. Compared
are

- skvae, and with ``compile=True``,
- the same model and loss as a hand-written torch loop with fused Adam, and compiled,
- the same in skorch as its documentation has it, with its default data loader,
- pythae's BetaTCVAE with its own trainer's step and loader, where it is installed,
- the matrix products alone: the same layers forward and backward, and nothing else.

What is compiled is so in the first epoch, from nothing. By how much that is longer than
the epochs that are measured stands beside them.
"""

import argparse
import contextlib
import io
import itertools
import logging
import math
import os
import tempfile
from functools import partial

import numpy as np
import pandas as pd
import torch
from _common import credit_table, interleaved, median, without_ties, write
from skorch import NeuralNet
from torch import nn

from skvae import BetaTCVAE
from skvae.tables import TableEncoder

HIDDEN = (512, 256, 128, 64)
LATENT = 5
BETA = 4.0


def body(n_inputs, sizes, n_outputs):
    widths = [n_inputs, *sizes]
    layers = []
    for a, b in itertools.pairwise(widths):
        layers += [nn.Linear(a, b), nn.SiLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], n_outputs))


class HandWritten(nn.Module):
    """BetaTCVAE with Gaussian columns of learned scale, as one would write it."""

    def __init__(self, width):
        super().__init__()
        self.encoder = body(width, HIDDEN, 2 * LATENT)
        self.decoder = body(LATENT, HIDDEN[::-1], width)
        self.log_scale = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        log_variance = log_variance.clamp(-20, 20)
        z = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
        return x, self.decoder(z), mean, log_variance, z

    def loss(self, x, x_mean, mean, log_variance, z):
        scale = 0.01 + self.log_scale.exp()
        residual = (x - x_mean) / scale
        constant = scale.log() + 0.5 * math.log(2 * math.pi)
        reconstruction = (0.5 * residual**2 + constant).sum(1).mean()
        kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1).mean()
        distance = z[:, None] - mean[None]
        density = -0.5 * (log_variance + distance**2 * (-log_variance).exp())
        joint = density.sum(2).logsumexp(1)
        marginals = density.logsumexp(1).sum(1)
        tc = (joint - marginals).mean() + (LATENT - 1) * math.log(len(x))
        return reconstruction + kl + (BETA - 1) * tc


def hand_written_epoch(matrix, batch_size, prepared=lambda step: step):
    model = HandWritten(matrix.shape[1])
    step = prepared(lambda x: model.loss(*model(x)))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    def epoch():
        order = torch.randperm(len(matrix))
        for index in order.split(batch_size):
            optimizer.zero_grad()
            step(matrix[index]).backward()
            optimizer.step()

    return epoch


class NaiveSkorch(NeuralNet):
    def get_loss(self, y_pred, y_true, X=None, training=False):
        return self.module_.loss(*y_pred)


def naive_skorch_epoch(matrix, batch_size):
    net = NaiveSkorch(
        HandWritten,
        module__width=matrix.shape[1],
        criterion=nn.MSELoss,
        optimizer=torch.optim.Adam,
        lr=1e-3,
        batch_size=batch_size,
        max_epochs=1,
        train_split=None,
        iterator_train__shuffle=True,
        verbose=0,
    ).initialize()
    target = np.zeros(len(matrix), dtype=np.float32)
    return lambda: net.fit_loop(matrix, target)


def skvae_seconds(table, batch_size, n_epochs, compile):
    """Return the seconds of an epoch, a median.

    A fit does more than epochs (it encodes the table and summarises the posteriors),
    so the epochs are read off the history, which times them.
    """
    model = BetaTCVAE(
        latent_dim=LATENT,
        beta=BETA,
        hidden_layer_sizes=HIDDEN,
        likelihood="gaussian",
        batch_size=batch_size,
        max_epochs=n_epochs,
        kl_warmup=0,
        early_stopping=False,
        device="cpu",
        compile=compile,
        random_state=0,
    )
    return model.fit(table).history_["dur"].median()


def pythae_epoch(matrix, batch_size):
    from pythae.data.datasets import BaseDataset
    from pythae.models import BetaTCVAE as PythaeBetaTCVAE
    from pythae.models import BetaTCVAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    class Encoder(BaseEncoder):
        def __init__(self):
            super().__init__()
            self.body = body(matrix.shape[1], HIDDEN, 2 * LATENT)

        def forward(self, x):
            mean, log_variance = self.body(x).chunk(2, dim=1)
            return ModelOutput(embedding=mean, log_covariance=log_variance)

    class Decoder(BaseDecoder):
        def __init__(self):
            super().__init__()
            self.body = body(LATENT, HIDDEN[::-1], matrix.shape[1])

        def forward(self, z):
            return ModelOutput(reconstruction=self.body(z))

    config = BetaTCVAEConfig(input_dim=(matrix.shape[1],), latent_dim=LATENT, beta=BETA)
    logging.disable(logging.INFO)
    trainer = BaseTrainer(
        model=PythaeBetaTCVAE(config, Encoder(), Decoder()),
        train_dataset=BaseDataset(matrix, torch.zeros(len(matrix))),
        training_config=BaseTrainerConfig(
            output_dir=tempfile.mkdtemp(),
            per_device_train_batch_size=batch_size,
            num_epochs=1,
            no_cuda=True,
        ),
    )
    trainer.prepare_training()

    def epoch():
        with contextlib.redirect_stderr(io.StringIO()):
            trainer.train_step(1)

    return epoch


def products_epoch(matrix, batch_size):
    """Return an epoch of the layers' matrix products, forward and backward."""
    n_inputs = matrix.shape[1]
    sizes = [n_inputs, *HIDDEN, 2 * LATENT], [LATENT, *HIDDEN[::-1], n_inputs]
    shapes = [pair for widths in sizes for pair in itertools.pairwise(widths)]
    weights = [torch.randn(a, b) for a, b in shapes]
    inputs = [torch.randn(batch_size, a) for a, _ in shapes]
    outputs = [torch.randn(batch_size, b) for _, b in shapes]
    n_batches = math.ceil(len(matrix) / batch_size)

    def epoch():
        for _ in range(n_batches):
            for weight, x, y in zip(weights, inputs, outputs, strict=True):
                x @ weight  # forward
                y @ weight.T  # gradient of the input
                x.T @ y  # gradient of the weight

    return epoch


def measure(table, matrix, batch_size, n_rounds):
    forget_what_was_compiled()
    compiled = partial(torch.compile, dynamic=True)
    functions = {
        "hand-written torch": hand_written_epoch(matrix, batch_size),
        "hand-written torch, compiled": hand_written_epoch(
            matrix, batch_size, compiled
        ),
        "naive skorch": naive_skorch_epoch(matrix, batch_size),
        "matrix products alone": products_epoch(matrix, batch_size),
    }
    try:
        functions["pythae"] = pythae_epoch(matrix, batch_size)
    except ImportError as error:
        print(f"pythae is not measured: {error}")
    first = interleaved(functions, 1)
    seconds = {name: [] for name in functions}
    ours = {"skvae": False, "skvae, compiled": True}
    for name, compile in ours.items():
        first[name] = [skvae_seconds(table, batch_size, 1, compile)]
        seconds[name] = []
    for _ in range(n_rounds):
        # One fit of two epochs in each round, between the others' epochs.
        for name, compile in ours.items():
            seconds[name].append(skvae_seconds(table, batch_size, 2, compile))
        for name, values in interleaved(functions, 1).items():
            seconds[name].append(values[0])
    return [
        {
            "threads": torch.get_num_threads(),
            "batch size": batch_size,
            "epoch of": name,
            "seconds (median)": round(median(values), 3),
            **ratios(values, seconds),
            "seconds of compiling": (
                round(first[name][0] - median(values)) if "compiled" in name else ""
            ),
        }
        for name, values in sorted(seconds.items(), key=lambda item: median(item[1]))
    ]


def ratios(values, seconds):
    """Return medians of ratios within rounds."""
    bases = {
        "hand-written": seconds["hand-written torch"],
        "matrix products": seconds["matrix products alone"],
    }
    return {
        f"ratio to {name} (median of rounds)": round(
            median([a / b for a, b in zip(values, base, strict=True)]), 2
        )
        for name, base in bases.items()
    }


def forget_what_was_compiled():
    torch._dynamo.reset()
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = tempfile.mkdtemp()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    table, name = credit_table()
    table = without_ties(table)
    matrix = torch.as_tensor(TableEncoder().fit(table).transform(table)).float()
    rows = []
    for batch_size, n_threads in itertools.product((64, 512), (1, 2)):
        torch.set_num_threads(n_threads)
        rows += measure(table, matrix, batch_size, arguments.rounds)
    write(
        "epoch_speed",
        pd.DataFrame(rows),
        f"python benchmarks/epoch_speed.py --rounds {arguments.rounds}",
        f"{name}, {len(table):,} x {table.shape[1]}; network "
        f"{'-'.join(map(str, HIDDEN))}, {LATENT} latents.",
    )


if __name__ == "__main__":
    main()
