"""Runs that are written down one by one, so that a killed script goes on."""

import csv
import platform
from datetime import date

import pandas as pd
import skorch
import torch
from joblib import Parallel, delayed
from tqdm import tqdm

import skvae

STAMP = ["date", "machine", "versions"]


class Runs:
    """A file of runs: one line each, with what was asked, measured and used.

    A run is known by its keys, the values of what was asked. Runs that the file holds
    are not made again; those of another setting stay in it.
    """

    def __init__(self, path, keys, measures):
        self.path = path
        self.keys = list(keys)
        self.columns = [*keys, *measures, *STAMP]

    def read(self):
        """Return the runs that have ended, a DataFrame."""
        if not self.path.exists():
            return pd.DataFrame(columns=self.columns)
        return pd.read_csv(self.path)

    def complete(self, tasks, measure, n_jobs=1):
        """Make the runs that are missing, with a bar that tells the time left.

        Parameters
        ----------
        tasks : list of dict
            The keys of each run.

        measure : callable
            Takes such a dictionary, and returns one of what was measured.

        n_jobs : int, default=1
            Processes at work.

        Returns
        -------
        runs : DataFrame
            The runs of `tasks`, in their order.
        """
        self._drop_broken_line()
        done = self._done()
        missing = [task for task in tasks if self._key(task) not in done]
        work = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
            delayed(_measured)(measure, task) for task in missing
        )
        bar = {"total": len(tasks), "initial": len(tasks) - len(missing)}
        for run in tqdm(work, desc=self.path.stem, unit="run", **bar):
            self._append(run)
        return self.select(tasks)

    def select(self, tasks):
        """Return those runs of `tasks` that have ended, in their order."""
        runs = self.read()
        order = {self._key(task): place for place, task in enumerate(tasks)}
        places = [order.get(self._key(run)) for run in runs.to_dict("records")]
        return (
            runs.assign(place=places)
            .dropna(subset="place")
            .sort_values("place")
            .drop(columns="place")
            .reset_index(drop=True)
        )

    def _done(self):
        return {self._key(run) for run in self.read().to_dict("records")}

    def _key(self, run):
        # Numbers as numbers, since a file does not tell 2 from 2.0.
        return tuple(
            value if isinstance(value, str) else float(value)
            for value in (run[name] for name in self.keys)
        )

    def _append(self, run):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self.path.exists()
        with open(self.path, "a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.columns, restval="")
            if is_new:
                writer.writeheader()
            writer.writerow(run)

    def _drop_broken_line(self):
        """Cut what a kill left of a line that was being written."""
        if self.path.exists():
            whole, end, _ = self.path.read_bytes().rpartition(b"\n")
            self.path.write_bytes(whole + end)


def _measured(measure, task):
    measured = {name: float(f"{value:.6g}") for name, value in measure(task).items()}
    return task | measured | stamp()


def stamp():
    """Return when, on what kind of machine and with which versions a run was made."""
    versions = (
        f"skvae {skvae.__version__}, torch {torch.__version__}, "
        f"skorch {skorch.__version__}, Python {platform.python_version()}"
    )
    values = (date.today().isoformat(), platform.machine(), versions)
    return dict(zip(STAMP, values, strict=True))
