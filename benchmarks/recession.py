"""Counterfactuals judged row by row against the truth of a simulator.

Two simulated credit portfolios differ by a shift of one known factor: a recession. The
models see 5,000 clients of the usual world and 5,000 others of the recession, and
nothing that pairs them. Then 2,000 clients they never saw are moved from the usual
world into the recession, and compared with what the simulator says of the very same
clients there (`make_credit_portfolio(factor_shift=...)` with the same seed).

Columns of the result, as means and standard deviations over seeds:

- ``rank error``: distance of each cell from the truth, in ranks of its column over both
  training tables (0 to 1), as a mean over columns and rows;
- ``better``: share of clients whose error is below that of leaving them as they are;
- ``Shape``: one less the Kolmogorov-Smirnov statistic, mean over columns, and ``C2ST``,
  both of the whole table against the true one.

Rows: what one may do without a model (leave rows as they are; shift and scale every
column by the difference of the tables' means and standard deviations; hand back rows of
the recession table), a CVAE that is told the regime of every training row, and models
that are not. ``keep`` adds to each row what its reconstruction misses.

A second table says whether `latent_shift` named the factor: whether the latent that
moved most knows a larger share of the shifted factor's entropy than of any other's. The
true factors serve this comparison only.
"""

import argparse
import warnings

import numpy as np
import pandas as pd
from _common import write
from joblib import Parallel, delayed

from skvae import CVAE, MSVAE, UnsupportedRegimeWarning
from skvae.datasets import make_credit_portfolio
from skvae.metrics import (
    detection_score,
    factor_entropies,
    ks_score,
    mutual_information_matrix,
)

N_TRAIN, N_TEST = 5000, 2000
# The shift of each factor, in units of its range from -1 to 1.
SHIFTS = {
    "utilisation": 0.5,
    "payment_discipline": -0.5,
    "wealth": -0.5,
    "arrears": 0.5,
}


def worlds(factor, seed):
    """Return both training tables, and the test clients in both worlds."""
    shift = {"factor_shift": {factor: SHIFTS[factor]}}
    usual = make_credit_portfolio(N_TRAIN, random_state=3 * seed)
    recession = make_credit_portfolio(N_TRAIN, random_state=3 * seed + 1, **shift)
    clients = make_credit_portfolio(N_TEST, random_state=3 * seed + 2)
    truth = make_credit_portfolio(N_TEST, random_state=3 * seed + 2, **shift)
    return usual, recession, clients.data, truth.data


class Ranks:
    """Cells as their mean rank, from 0 to 1, among the cells of a table's column."""

    def __init__(self, table):
        self.columns = {name: np.sort(cells) for name, cells in table.items()}

    def __call__(self, table):
        ranks = [
            (np.searchsorted(cells, table[name]) / len(cells))
            + (np.searchsorted(cells, table[name], side="right") / len(cells))
            for name, cells in self.columns.items()
        ]
        return np.column_stack(ranks) / 2


def without_a_model(usual, recession, clients, seed):
    means, scales = clients - usual.mean(), recession.std() / usual.std()
    return {
        "rows as they are": clients,
        "mean and scale of columns": means * scales + recession.mean(),
        "rows of the recession": recession.sample(len(clients), random_state=seed),
    }


def with_a_label(usual, recession, clients, seed):
    both = pd.concat([usual.assign(regime="usual"), recession.assign(regime="bad")])
    model = CVAE(latent_dim=30, condition_columns=["regime"], random_state=seed)
    model.fit(both)
    rows = clients.assign(regime="usual")
    return {
        f"CVAE{name}": model.counterfactual(
            rows, condition={"regime": "bad"}, unexplained=unexplained
        ).data.drop(columns="regime")
        for name, unexplained in (("", "drop"), (", keep", "keep"))
    }


def with_factors(model, recession, clients, name):
    return {
        f"{name}{suffix}": model.counterfactual(
            clients, recession, unexplained=unexplained
        ).data
        for suffix, unexplained in ((" shift", "drop"), (" shift, keep", "keep"))
    }


def judge(rows, truth, clients, ranks, seed):
    errors = np.abs(ranks(rows) - ranks(truth)).mean(axis=1)
    left = np.abs(ranks(clients) - ranks(truth)).mean(axis=1)
    return {
        "rank error": errors.mean(),
        "better": (errors < left).mean(),
        "Shape": ks_score(truth, rows).mean,
        "C2ST": detection_score(truth, rows, random_state=seed),
    }


def named_factor(model, usual, recession):
    """Return the true factor that the latent which moved most knows most of."""
    moved = model.latent_shift(usual.data, recession.data).shifts
    codes = model.transform(usual.data)
    known = mutual_information_matrix(usual.factors, codes)
    known = known / factor_entropies(usual.factors)
    position = list(model.get_feature_names_out()).index(moved.index[0])
    return usual.factor_names[known[position].argmax()], moved["shift"].iloc[0]


def compare(factor, seed):
    """Return a row for each way into the recession, and what `latent_shift` named."""
    warnings.simplefilter("ignore", UnsupportedRegimeWarning)
    usual, recession, clients, truth = worlds(factor, seed)
    both = pd.concat([usual.data, recession.data], ignore_index=True)
    tables = usual.data, recession.data, clients
    model = MSVAE(random_state=seed).fit(both)
    ways = without_a_model(*tables, seed) | with_a_label(*tables, seed)
    ways |= with_factors(model.first_stage_, recession.data, clients, "BetaTCVAE")
    ways |= with_factors(model, recession.data, clients, "MSVAE")
    ways["MSVAE residual"] = model.counterfactual(
        clients, recession.data, transfer="residual", random_state=seed
    ).data
    ranks = Ranks(both)
    rows = [
        {"factor": factor, "rows": name} | judge(table, truth, clients, ranks, seed)
        for name, table in ways.items()
    ]
    named, shift = named_factor(model, usual, recession)
    return rows, {"factor": factor, "seed": seed, "named": named, "shift": shift}


def summarise(rows):
    """Return means and standard deviations over seeds as text."""
    grouped = pd.DataFrame(rows).groupby(["factor", "rows"], sort=False)
    mean, sd = grouped.mean(), grouped.std()
    text = mean.round(4).astype(str) + " ± " + sd.round(4).astype(str)
    return text.reset_index()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    tasks = [(factor, seed) for factor in SHIFTS for seed in range(arguments.seeds)]
    results = Parallel(n_jobs=arguments.jobs)(delayed(compare)(*task) for task in tasks)
    named = pd.DataFrame([result[1] for result in results])
    named["right"] = named["named"] == named["factor"]
    counts = named.groupby("factor", sort=False)["right"].sum()
    sentences = [
        f"`latent_shift` named {factor} first in {count} of {arguments.seeds} seeds"
        for factor, count in counts.items()
    ]
    write(
        "recession",
        summarise([row for result in results for row in result[0]]),
        f"python benchmarks/recession.py --seeds {arguments.seeds}",
        f"{'; '.join(sentences)}.\n\n{named.round(3).to_markdown(index=False)}\n\n"
        f"Shifts: {SHIFTS}. Mean ± standard deviation over {arguments.seeds} seeds.",
    )


if __name__ == "__main__":
    main()
