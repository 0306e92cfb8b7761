"""How fast, and in how much memory, a table is fitted that lies on disk.

A simulated portfolio of 23 columns is written to Parquet. In an interpreter of its own
for each number of rows, `BetaTCVAE` reads it once to learn what columns hold, trains
for one epoch, scores all rows and generates as many, both written to Parquet. Its
network is small, lest the hour be spent in matrix products, which other benchmarks
measure. Peak memory is the largest resident size of that interpreter, with Python,
torch and all that is imported.
"""

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa
from _common import write
from pyarrow.parquet import ParquetWriter

from skvae import BetaTCVAE
from skvae.datasets import make_credit_portfolio
from skvae.integrations.parquet import apply_to_parquet, sample_to_parquet
from skvae.tables import TableStream

HIDDEN = (64,)
# What pandas and pyarrow write by themselves.
ROW_GROUP = 2**20


def write_rows(path, n_rows):
    """Write a portfolio, row group by row group."""
    writer = None
    for start in range(0, n_rows, ROW_GROUP):
        size = min(ROW_GROUP, n_rows - start)
        rows = make_credit_portfolio(size, random_state=start // ROW_GROUP).data
        table = pa.Table.from_pandas(rows, preserve_index=False)
        writer = writer or ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def measure(path, folder):
    """Return the seconds of each step, and the peak of memory in megabytes."""
    stream = TableStream(path)
    model = BetaTCVAE(
        hidden_layer_sizes=HIDDEN, max_epochs=1, device="cpu", random_state=0
    )
    steps = {
        "survey": stream.survey,
        "one epoch": lambda: model.fit(stream),
        "sample": lambda: sample_to_parquet(
            model, stream.survey().n_rows, folder / "new.parquet", random_state=0
        ),
        "score": lambda: apply_to_parquet(
            model.score_samples, stream, folder / "scores.parquet"
        ),
    }
    seconds = {}
    for name, step in steps.items():
        start = time.perf_counter()
        step()
        seconds[name] = time.perf_counter() - start
        progress = f"{name}: {seconds[name]:.1f} s, peak so far {peak():.0f} MB"
        print(progress, file=sys.stderr, flush=True)
    return {"n_rows": stream.survey().n_rows, "seconds": seconds, "peak": peak()}


def peak():
    """Return the largest resident size so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def apart(function, *arguments):
    """Return what a function does in an interpreter that has done nothing else.

    Rows are written in one, too: Linux counts what the parent once held as part of a
    child's peak.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[1_000_000, 5_000_000, 20_000_000]
    )
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for n_rows in arguments.rows:
            apart(write_rows, folder / "rows.parquet", n_rows)
            result = apart(measure, folder / "rows.parquet", folder)
            rates = {
                f"{name} (rows/s)": round(n_rows / seconds)
                for name, seconds in result["seconds"].items()
            }
            rows.append(
                {"rows": n_rows, **rates, "peak memory (MB)": round(result["peak"])}
            )
    numbers = " ".join(map(str, arguments.rows))
    write(
        "table_stream",
        pd.DataFrame(rows),
        f"python benchmarks/table_stream.py --rows {numbers}",
        "23 columns, simulated, row groups of 1,048,576. BetaTCVAE with one hidden "
        f"layer of {HIDDEN[0]}, batches of 128, and else its defaults.",
    )


if __name__ == "__main__":
    main()
