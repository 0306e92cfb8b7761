"""What the benchmarks share: the real table, timing, and how results are written."""

import platform
import statistics
import time
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
import skorch
import torch
from scipy.stats import norm

import skvae
from skvae.datasets import fetch_taiwan_credit, make_credit_portfolio

RESULTS = Path(__file__).parent / "results"


def credit_table():
    """Return the Taiwan table and its name, or the simulated one where it is not."""
    try:
        # Codes as numbers: some of the peers know nothing else.
        data = fetch_taiwan_credit().data.astype("int64")
        return data, "Taiwan credit (real)"
    except skvae.DataUnavailableError:
        portfolio = make_credit_portfolio(30_000, random_state=0)
        return portfolio.data, "simulated portfolio"


def without_ties(table):
    """Return a table whose columns are made normal by their ranks, ties broken.

    skvae gives zeros, codes and holes distributions of their own, which its peers do
    not have. Of such a table all train one and the same loss.
    """
    rng = np.random.default_rng(0)
    ranks = [np.lexsort((rng.random(len(table)), table[name])) for name in table]
    ranks = np.argsort(ranks, axis=1).T
    return pd.DataFrame(norm.ppf((ranks + 0.5) / len(table)), columns=table.columns)


def interleaved(functions, n_rounds):
    """Time several functions in turn, so that noise of the machine hits them alike.

    Returns a dictionary of name to the list of seconds, one a round.
    """
    seconds = {name: [] for name in functions}
    for _ in range(n_rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def median(values):
    return statistics.median(values)


def environment():
    """Return a line that says where and with what a table was made."""
    return (
        f"{date.today().isoformat()}, {platform.machine()}, {torch.get_num_threads()} "
        f"threads, Python {platform.python_version()}, skvae {skvae.__version__}, "
        f"torch {torch.__version__}, skorch {skorch.__version__}, scikit-learn "
        f"{sklearn.__version__}, numpy {np.__version__}, pandas {pd.__version__}"
    )


def write(name, table, command, notes=""):
    """Write a table under results/ as CSV and as Markdown, and print it."""
    RESULTS.mkdir(exist_ok=True)
    table.to_csv(RESULTS / f"{name}.csv", index=False)
    text = "\n\n".join(
        part
        for part in (
            f"`{command}`",
            table.to_markdown(index=False),
            notes,
            environment(),
        )
        if part
    )
    (RESULTS / f"{name}.md").write_text(text + "\n")
    print(text)
