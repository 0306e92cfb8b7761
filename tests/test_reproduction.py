"""What makes the papers' tables again: runs that survive a kill, and the tables."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
TASKS = [{"data": "a", "beta": beta, "seed": 0} for beta in (1, 10, 2)]


@pytest.fixture
def reproduce(monkeypatch):
    """The folder of scripts, for imports by name."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.syspath_prepend(BENCHMARKS / "reproduce")
    yield
    for name in ("runs", "tables", "taiwan", "images", "_thesis", "_common"):
        sys.modules.pop(name, None)


@pytest.fixture
def runs(reproduce, tmp_path):
    from runs import Runs

    return Runs(tmp_path / "folder" / "runs.csv", ["data", "beta", "seed"], ["score"])


class Counted:
    """A measurement that knows how often it was made."""

    def __init__(self):
        self.n_calls = 0

    def __call__(self, task):
        self.n_calls += 1
        return {"score": task["beta"] / 3}


def test_a_run_is_made_once(runs):
    measure = Counted()
    for _ in "ab":
        table = runs.complete(TASKS, measure)
    assert measure.n_calls == 3
    assert table["score"].tolist() == [0.333333, 3.33333, 0.666667]


def test_runs_come_in_the_order_of_the_tasks(runs):
    runs.complete(TASKS[1:], Counted())
    assert runs.complete(TASKS, Counted())["beta"].tolist() == [1, 10, 2]


def test_a_report_makes_no_runs(runs):
    runs.complete(TASKS[:2], Counted())
    assert runs.select(TASKS)["beta"].tolist() == [1, 10]


def test_runs_of_another_grid_stay_in_the_file(runs):
    runs.complete(TASKS, Counted())
    assert len(runs.complete(TASKS[:1], Counted())) == 1
    assert len(runs.read()) == 3


@pytest.mark.parametrize("n_cut", [1, 20, 60])
def test_a_line_cut_by_a_kill_is_made_again(runs, n_cut):
    runs.complete(TASKS, Counted())
    whole = runs.path.read_text()
    runs.path.write_text(whole[:-n_cut])
    measure = Counted()
    assert runs.complete(TASKS, measure)["score"].notna().all()
    assert measure.n_calls == 1
    assert runs.path.read_text().splitlines() == whole.splitlines()


def test_a_run_says_when_and_with_what_it_was_made(runs):
    (line,) = runs.complete(TASKS[:1], Counted()).to_dict("records")
    assert {"date", "machine", "versions"} <= line.keys()
    assert "skvae" in line["versions"]


def grid(measure):
    """Runs of a whole table in one setting, with three seeds."""
    import tables

    cells = tables.published("table_b1")[tables.CELL].to_dict("records")
    return pd.DataFrame(
        {"data": "Taiwan", "setting": "ours", **cell, "seed": seed}
        | {"KS": measure(cell["beta"], seed)}
        for cell in cells
        for seed in range(3)
    )


def test_measured_stands_beside_published(reproduce):
    import tables

    runs = grid(lambda beta, seed: beta + seed)
    table = tables.beside("table_b1", runs, {("Taiwan", "ours"): ["KS"]})
    assert len(table) == 36
    assert table["published: MIG"].iloc[0] == 0.014226
    assert table["ours: KS"].iloc[0] == "3.000 ± 1.000"


def test_a_cell_without_runs_is_empty(reproduce):
    import tables

    runs = grid(lambda beta, seed: beta)
    runs = runs[runs["latent_dim"] > 4]
    table = tables.beside("table_b1", runs, {("Taiwan", "ours"): ["KS"]})
    is_empty = table["ours: KS"] == ""
    assert is_empty.tolist() == (table["latent_dim"] == 4).tolist()


def test_one_seed_has_no_deviation(reproduce):
    import tables

    runs = grid(lambda beta, seed: beta)
    runs = runs[runs["seed"] == 0]
    table = tables.beside("table_b1", runs, {("Taiwan", "ours"): ["KS"]})
    assert table["ours: KS"].iloc[0] == "2.000"


def test_the_fall_of_a_score_is_found(reproduce):
    import tables

    runs = grid(lambda beta, seed: (0.9 if beta < 5 else 0.4) + seed / 1000)
    row = tables.figure_5_5(runs).iloc[0]
    assert row["largest fall"] == row["KS(2) - KS(20)"] == 0.5
    assert row["to beta"] == row["beta_0"] == 5
    assert row["KS, Spearman"] < 0


def test_the_figure_of_a_grid_that_was_stopped(reproduce):
    import tables

    runs = grid(lambda beta, seed: (0.9 if beta < 5 else 0.4) + seed / 1000)
    of_four = runs["latent_dim"] == 4
    is_last = of_four & (runs["beta"] == 20)
    without_a_seed = tables.figure_5_5(runs[~(is_last & (runs["seed"] == 2))])
    assert without_a_seed["beta_0"].tolist() == ["", "", 5, 5, 5, 5]
    without_a_beta = tables.figure_5_5(runs[~is_last])
    assert (without_a_beta["KS, beta 20"] == "").tolist() == [True] * 2 + [False] * 4
    assert list(without_a_beta) == list(without_a_seed)


def test_detectors_vary_over_classes_and_not_over_seeds(reproduce):
    import tables

    runs = pd.DataFrame(
        {"data": "MNIST", "model": "VAE", "settings": "ours", "protocol": "one-class"}
        | {"n_train": 3000, "class": label, "seed": seed, "fit s": 60}
        | {"AUC": 0.5 + label / 10 + (seed - 0.5) / 5}
        for label in range(3)
        for seed in range(2)
    )
    table = tables.dcvae_table_1(runs).set_index(["data", "model"])
    assert table.loc[("MNIST", "VAE"), "ours: one-class"] == "0.600 ± 0.100"
    assert table.loc[("MNIST", "VAE"), "ours: minutes a fit"] == 1


def test_no_table_is_written_of_no_seeds():
    command = [sys.executable, str(BENCHMARKS / "reproduce"), "table_5_1", "--report"]
    done = subprocess.run([*command, "--seeds", "0"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "--seeds: got 0; expected 1 or more" in done.stderr


def test_published_tables_agree_where_they_overlap(reproduce):
    import tables

    full = tables.published("table_b1").set_index(tables.CELL)
    part = tables.published("table_5_3").set_index(tables.CELL)
    assert len(part) == 12
    pd.testing.assert_frame_equal(full.loc[part.index, list(part)], part)


def test_every_cell_of_the_tables_is_run(reproduce):
    import tables
    import taiwan

    for name, cells in {
        "table_5_2": taiwan.TABLE_5_2,
        "table_5_3": taiwan.TABLE_5_3,
        "table_b1": taiwan.TABLE_B1,
    }.items():
        expected = tables.published(name)[tables.CELL]
        found = pd.DataFrame(cells).astype(expected.dtypes)
        pd.testing.assert_frame_equal(
            found.sort_values(tables.CELL, ignore_index=True),
            expected.sort_values(tables.CELL, ignore_index=True),
        )
