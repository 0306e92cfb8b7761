"""How long `transform` and `score_samples` take beside the bare network passes.

`transform` reads a DataFrame of 1,000,000 rows, checks and encodes it and runs the
encoder; beside it stands the bare forward pass of the same encoder in float64 over the
matrix, encoded beforehand, in the same chunks. `score_samples` needs 32 passes of the
decoder for each row, one a quasi-random point; beside it stand these passes alone, and
one of the encoder. Peak memory is that of the process above what the table takes.
"""

import argparse
import resource
import tracemalloc

import numpy as np
import pandas as pd
import torch
from _common import credit_table, interleaved, median, write

from skvae import BetaTCVAE
from skvae._core.chunking import row_chunks
from skvae.models._inference import PASS_ROWS

HIDDEN = (512, 256, 128, 64)


def bare_encoder(model, matrix):
    @torch.inference_mode()
    def run():
        for chunk in row_chunks(len(matrix), PASS_ROWS):
            model.module_.encoder(matrix[chunk])

    return run


def bare_passes(model, matrix):
    n_nodes, latent_dim = model._nodes.shape
    chunk_rows = PASS_ROWS // n_nodes
    latents = torch.randn(n_nodes * chunk_rows, latent_dim, dtype=torch.float64)

    @torch.inference_mode()
    def run():
        for chunk in row_chunks(len(matrix), chunk_rows):
            rows = matrix[chunk]
            model.module_.encoder(rows)
            model.module_.decoder(latents[: n_nodes * len(rows)])

    return run


def compare(name, ours, bare, n_rows, n_rounds):
    seconds = interleaved({"skvae": ours, "bare": bare}, n_rounds)
    ratios = [a / b for a, b in zip(seconds["skvae"], seconds["bare"], strict=True)]
    return {
        "method": name,
        "rows": n_rows,
        "seconds (median)": round(median(seconds["skvae"]), 2),
        "bare passes (median)": round(median(seconds["bare"]), 2),
        "ratio (median of rounds)": round(median(ratios), 2),
    }


def peak_megabytes(function):
    """Return what numpy allocates at most; torch's buffers are bounded by the chunk."""
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rows", type=int, default=1_000_000)
    arguments = parser.parse_args()
    table, name = credit_table()
    model = BetaTCVAE(
        latent_dim=5,
        hidden_layer_sizes=HIDDEN,
        max_epochs=1,
        device="cpu",
        random_state=0,
    ).fit(table)
    many = table.iloc[np.resize(np.arange(len(table)), arguments.rows)]
    many = many.reset_index(drop=True)
    some = many.iloc[: arguments.rows // 20]
    matrix = torch.as_tensor(model.table_encoder_.transform(many))
    n_rounds = arguments.rounds
    rows = [
        compare(
            "transform",
            lambda: model.transform(many),
            bare_encoder(model, matrix),
            len(many),
            n_rounds,
        ),
        compare(
            "score_samples",
            lambda: model.score_samples(some),
            bare_passes(model, matrix[: len(some)]),
            len(some),
            n_rounds,
        ),
    ]
    rows[0]["peak of numpy (MB)"] = round(peak_megabytes(lambda: model.transform(many)))
    rows[1]["peak of numpy (MB)"] = round(
        peak_megabytes(lambda: model.score_samples(some))
    )
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    write(
        "inference_speed",
        pd.DataFrame(rows),
        f"python benchmarks/inference_speed.py --rounds {n_rounds}",
        f"{name}, repeated; network {'-'.join(map(str, HIDDEN))}, 5 latents, float64. "
        f"Largest resident size of the whole process, with two copies of the table: "
        f"{resident:.0f} MB.",
    )


if __name__ == "__main__":
    main()
