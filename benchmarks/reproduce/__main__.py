"""The two papers' tables, made again: ``python benchmarks/reproduce table_b1``.

Each name makes the runs that its table needs and prints it beside the published one.
Tables share runs. Each run is written down when it ends, in ``benchmarks/results``, so
that a command that was stopped goes on where it was; with ``--quick`` all of it is
tried in three minutes on little data, and nothing is kept; with ``--report`` tables are
made of the runs that there are. A seed of all of them takes about a night on two cores,
and with ``--compile``, where there is a C++ compiler, two thirds of it.
"""

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import anomaly_images
import images
import pandas as pd
import tables
import taiwan
from _common import RESULTS, write
from runs import Runs

NOTE = (
    "`published` is the paper's own figure, the others are means over {}; what is "
    "empty was not run."
)
OVER_SEEDS = "seeds, ± standard deviation where there are two or more"
OVER_CLASSES = "the ten choices of a class, ± their standard deviation"
THEIRS = ["n_active", "thesis train", "thesis eval"]
OURS = [*THEIRS, "consistency eval"]
B1 = {
    ("Taiwan", "thesis"): [*THEIRS, "MIG bins"],
    ("Taiwan", "ours"): [*OURS, "total correlation", "MIG levels", "MIG bins"],
    ("without demographics", "ours"): ["MIG levels", "MIG bins"],
    ("portfolio", "ours"): ["n_active", "MIG factors", "FactorVAE score"],
}
ACCURACIES = {("Taiwan", "thesis"): THEIRS, ("Taiwan", "ours"): OURS}
QUICK_BETAS = (2, 10, 100)


def taiwan_runs(cells, variants, arguments):
    """Return the runs of cells on the Taiwan table and the portfolio."""
    few = {"max_epochs": 1, "n_rows": 1000} if arguments.quick else {}
    if arguments.quick:
        cells = [cell for cell in cells if cell["latent_dim"] < 6]
        cells = [cell for cell in cells if cell["beta"] in QUICK_BETAS][:3]
    runs = Runs(arguments.folder / "taiwan_runs.csv", taiwan.KEYS, taiwan.MEASURES)
    tasks = taiwan.tasks(cells, variants, arguments.seeds, **few)
    if arguments.report:
        return runs.select(tasks)
    measure = partial(taiwan.measure, compile=arguments.compile)
    return runs.complete(tasks, measure, arguments.jobs)


def image_runs(cells, names, settings, arguments, n_votes=0):
    """Return the runs of cells on sets of images."""
    few = {"max_epochs": 1, "n_rows": 200} if arguments.quick else {}
    names = [name for name in images.at_hand() if name in names]
    cells = cells[:1] if arguments.quick else cells
    runs = Runs(arguments.folder / "image_runs.csv", images.KEYS, images.MEASURES)
    tasks = images.tasks(cells, names, settings, arguments.seeds, n_votes, **few)
    if arguments.report:
        return runs.select(tasks)
    measure = partial(images.measure, compile=arguments.compile)
    return runs.complete(tasks, measure, arguments.jobs)


def table_5_1(arguments):
    names = ("CelebA", "faces", "emoji")
    n_votes = 20 if arguments.quick else images.N_VOTES
    cells, settings = images.TABLE_5_1, images.SETTINGS
    runs = image_runs(cells, names, settings, arguments, n_votes=n_votes)
    columns = {(name, "thesis"): THEIRS for name in runs["data"].unique()}
    columns |= {(name, "ours"): OURS for name in runs["data"].unique()}
    return tables.beside("table_5_1", runs, columns)


def table_5_2(arguments):
    runs = taiwan_runs(taiwan.TABLE_5_2, taiwan.BOTH, arguments)
    return tables.beside("table_5_2", runs, ACCURACIES)


def table_5_3(arguments):
    runs = taiwan_runs(taiwan.TABLE_5_3, taiwan.BOTH, arguments)
    return tables.beside("table_5_3", runs, ACCURACIES)


def table_b1(arguments):
    runs = taiwan_runs(taiwan.TABLE_B1, taiwan.WITH_FACTORS, arguments)
    return tables.beside("table_b1", runs, B1)


def figure_5_5(arguments):
    runs = taiwan_runs(taiwan.FIGURE_5_5, taiwan.BOTH, arguments)
    return tables.figure_5_5(runs)


def along_beta(arguments):
    runs = taiwan_runs(taiwan.FIGURE_5_5, taiwan.BOTH, arguments)
    return tables.along_beta(runs)


def attributes(arguments):
    names = ("CelebA", "emoji", "sprites")
    runs = image_runs(images.ATTRIBUTES, names, ("ours",), arguments)
    return tables.attributes(runs)


def dcvae_table_1(arguments):
    path = arguments.folder.parent / anomaly_images.RUNS.name
    options = ["--runs", str(path), "--seeds", str(arguments.seeds)]
    if arguments.quick:
        options += ["--train", "300", "--test", "200", "--data", "MNIST"]
        options += ["--classes", "0", "1"]
        options += ["--models", "dCVAE", "VAE"]
    for settings in () if arguments.report else anomaly_images.SETTINGS:
        chosen = anomaly_images.command_line().parse_args(
            [*options, "--settings", settings]
        )
        anomaly_images.add_runs(chosen)
    runs = pd.read_csv(path)
    return tables.dcvae_table_1(runs[runs["seed"] < arguments.seeds])


TABLES = {
    make.__name__: make
    for make in (
        *(table_5_1, table_5_2, table_5_3, table_b1, figure_5_5, along_beta),
        *(attributes, dcvae_table_1),
    )
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", choices=[*TABLES, "all"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--compile", action="store_true", help="train compiled")
    parser.add_argument("--quick", action="store_true", help="try it on little data")
    parser.add_argument("--report", action="store_true", help="of the runs there are")
    arguments = parser.parse_args()
    if arguments.seeds < 1:
        parser.error(f"argument --seeds: got {arguments.seeds}; expected 1 or more")
    names = list(TABLES) if arguments.table == "all" else [arguments.table]
    if arguments.quick:
        with tempfile.TemporaryDirectory() as folder:
            arguments.seeds, arguments.folder = 1, Path(folder) / "reproduce"
            for name in names:
                print(f"\n{name}\n{TABLES[name](arguments).to_string(index=False)}")
        return
    arguments.folder = RESULTS / "reproduce"
    for name in names:
        command = f"python benchmarks/reproduce {name} --seeds {arguments.seeds}"
        note = NOTE.format(OVER_CLASSES if name == "dcvae_table_1" else OVER_SEEDS)
        write(f"reproduce/{name}", TABLES[name](arguments), command, note)


if __name__ == "__main__":
    main()
