"""
Generate credit clients under a condition
=========================================

What is known already goes in as a condition, here a client's education and age. Then

1. clients are generated under each education, and compared with real ones that training
   never saw;
2. clients of one education are decoded under another: what would this client look like
   as a graduate?

The table is the Taiwan credit table where it is at hand (in the folder that
``SKVAE_DATA_HOME`` names, in the cache, or on OpenML), else a simulated portfolio.
The picture goes to ``examples/output``.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

import skvae
from skvae import DCVAE
from skvae.datasets import fetch_taiwan_credit, make_credit_portfolio
from skvae.metrics import detection_score, shape_score

OUTPUT = Path(__file__).parent / "output"
CONDITIONS = ["EDUCATION", "AGE"]
STATUSES = ["PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"]
DEGREES = {1: "graduate school", 2: "university", 3: "high school"}
REAL, MADE, INK, QUIET = "#8C8C8C", "#0072B2", "#262626", "#8C8C8C"

# %%
# The table
# ---------


def load_table():
    """Return clients of known education, half to learn from and half held out."""
    try:
        table = fetch_taiwan_credit().data
        print(f"Taiwan credit table: {len(table):,} clients, real data.")
    except skvae.DataUnavailableError:
        table = make_credit_portfolio(30_000, random_state=0).data
        print(f"Simulated portfolio of {len(table):,} clients (no real table at hand).")
        codes = dict.fromkeys(["SEX", "EDUCATION", "MARRIAGE", *STATUSES], "category")
        table = table.astype(codes)
    table = table[table["EDUCATION"].isin(DEGREES)]
    table = table.assign(EDUCATION=table["EDUCATION"].map(DEGREES).astype(str))
    return train_test_split(
        table,
        train_size=8000,
        test_size=8000,
        stratify=table["EDUCATION"],
        random_state=0,
    )


# %%
# Clients under a condition
# -------------------------
# Generated rows get the conditions of held-out clients, one each, so that the two
# tables should not differ in anything. Two columns beside tell what the numbers mean:
# training rows, which no model can beat, and rows generated without regard to the
# condition. A classifier (C2ST) tells most generated rows: columns that follow one
# another to the dollar, as bills do from month to month, are drawn one by one given the
# factors.


def compare(model, train, test):
    """Return how alike generated and held-out clients are, for each education."""
    made = model.sample(len(test), condition=test[CONDITIONS], random_state=0)
    blind = model.sample(len(test), random_state=0)
    scores = {}
    for degree in DEGREES.values():
        is_own = test["EDUCATION"] == degree
        real = values(test[is_own])
        candidates = {
            "training rows": values(train[train["EDUCATION"] == degree]),
            "generated": values(made[is_own.to_numpy()]),
            "without the condition": values(blind),
        }
        scores[degree] = {
            (metric.__name__, name): score(metric, real, rows)
            for metric in (shape_score, detection_score)
            for name, rows in candidates.items()
        }
    return made, pd.DataFrame(scores).T


def values(table):
    return table.drop(columns=CONDITIONS)


def score(metric, real, rows):
    """Score as many rows of one table as of the other."""
    n_rows = min(len(real), len(rows))
    real, rows = (table.sample(n_rows, random_state=0) for table in (real, rows))
    if metric is shape_score:
        return metric(real, rows).mean
    return metric(real, rows, random_state=0)


# %%
# A client as someone else
# ------------------------
# Both rows of a pair are decoded from the same latents, so that they differ by the
# condition alone. This is what the model associates with a degree. It is no causal
# effect: whatever else graduates have in common comes along. One client is shown by
# mean rows, averages are taken of drawn ones, in which what is rare stays as rare.


def as_graduates(model, clients, kind):
    """Return clients as the model sees them, and as it would see them as graduates."""
    settings = {"kind": kind, "random_state": 0}
    own = model.reconstruct(clients, **settings)
    other = model.reconstruct(clients, condition={"EDUCATION": DEGREES[1]}, **settings)
    return own, other


def as_numbers(table):
    """Return a table with an indicator in place of each column of codes."""
    table = values(table)
    indicators = {"woman": table["SEX"] == 2, "married": table["MARRIAGE"] == 1} | {
        f"{name} late": table[name].astype(int) > 0 for name in STATUSES
    }
    numbers = table.select_dtypes("number")
    return numbers.assign(**indicators).astype(float)


def shift_table(own, other, test):
    """Return the mean change of each column, beside what separates the two groups."""
    by_degree = as_numbers(test).groupby(test["EDUCATION"]).mean()
    change = as_numbers(other) - as_numbers(own)
    return pd.DataFrame(
        {
            "as graduates": change.mean(),
            "graduates less high school": by_degree.loc[DEGREES[1]]
            - by_degree.loc[DEGREES[3]],
            "standard deviation": as_numbers(test).std(),
        }
    )


# %%
# The picture
# -----------


def bare(ax, *sides):
    """Leave only the given sides of the frame."""
    ax.spines[["left", "right", "top", "bottom"]].set_visible(False)
    ax.spines[list(sides)].set_visible(True)
    ax.spines[list(sides)].set_color(QUIET)
    ax.tick_params(colors=INK, labelsize=8, length=0 if not sides else 3)


def draw_limits(axes, test, made):
    """Draw the credit limit of real and of generated clients, by education."""
    bins = np.arange(0, 810_000, 40_000)
    for ax, degree in zip(axes, DEGREES.values(), strict=True):
        real, drawn = (
            table.loc[(table["EDUCATION"] == degree).to_numpy(), "LIMIT_BAL"]
            for table in (test, made)
        )
        share = [np.full(len(column), 100 / len(column)) for column in (real, drawn)]
        ax.hist(real, bins, weights=share[0], color="#DDDDDD", label="held-out clients")
        ax.hist(
            drawn,
            bins,
            weights=share[1],
            histtype="step",
            color=MADE,
            linewidth=1.4,
            label="generated under it",
        )
        bare(ax, "bottom")
        ax.set_yticks([])
        ax.text(
            1, 0.9, degree, transform=ax.transAxes, ha="right", fontsize=9, color=INK
        )
    axes[0].set_title("Credit limit by education", loc="left", fontsize=10, color=INK)
    axes[0].legend(
        frameon=False, fontsize=8, loc="center right", bbox_to_anchor=(1, 0.55)
    )
    axes[-1].xaxis.set_major_formatter(lambda value, _: f"{value / 1000:,.0f}")
    axes[-1].set_xlabel(
        "LIMIT_BAL, thousands of New Taiwan dollars", fontsize=8, color=INK
    )


def draw_shifts(ax, shifts):
    """Draw how far each column moves, in its standard deviations."""
    scaled = shifts.div(shifts["standard deviation"], axis=0)
    rows = np.arange(len(scaled))
    ax.axvline(0, color="#DDDDDD", linewidth=1)
    ax.hlines(
        rows,
        scaled["graduates less high school"],
        scaled["as graduates"],
        color="#DDDDDD",
        linewidth=1,
    )
    for name, colour, label in (
        ("graduates less high school", REAL, "between the groups' means"),
        ("as graduates", MADE, "of the same clients, decoded"),
    ):
        ax.plot(scaled[name], rows, "o", color=colour, markersize=4.5, label=label)
    bare(ax, "bottom")
    ax.tick_params(axis="y", length=0)
    ax.set_yticks(rows, scaled.index)
    ax.invert_yaxis()
    ax.set_xlabel("change, in standard deviations of the column", fontsize=8, color=INK)
    ax.set_title("From high school to graduates", loc="left", fontsize=10, color=INK)
    # Where nothing is drawn: late payments fall.
    ax.legend(frameon=False, fontsize=8, loc="center right", bbox_to_anchor=(1, 0.2))


def draw(test, made, shifts):
    figure = plt.figure(figsize=(9.5, 5), layout="constrained")
    left, right = figure.subfigures(1, 2, wspace=0.04)
    draw_limits(left.subplots(3, sharex=True, sharey=True), test, made)
    draw_shifts(right.subplots(), shifts)
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / "credit_conditions.png"
    figure.savefig(path, dpi=150)
    print(f"\nPicture: {path}")


def main():
    train, test = load_table()
    model = DCVAE(
        latent_dim=8,
        beta=2,
        condition_columns=CONDITIONS,
        max_epochs=40,
        random_state=0,
        verbose=1,
    ).fit(train)
    print(f"{model.n_active_} of {model.latent_dim} factors are active.")

    print("\nA client of 30 with a graduate degree, three times:")
    thirty = {"EDUCATION": DEGREES[1], "AGE": 30}
    print(model.sample(3, condition=thirty, random_state=0).iloc[:, :8].to_string())

    made, scores = compare(model, train, test)
    print("\nHow alike columns (shape) and whole rows (detection) are, 1 is best,")
    print("against held-out clients of each education:")
    for metric in ("shape_score", "detection_score"):
        print(f"\n{scores[metric].round(3).rename_axis(metric).to_string()}")

    clients = test[test["EDUCATION"] == DEGREES[3]]
    own, other = as_graduates(model, clients, "mean")
    print("\nOne client of high school, as the model sees it and as a graduate:")
    pair = pd.concat([own[:1], other[:1]]).set_axis(["as is", "as graduate"])
    print(pair.T[pair.nunique() > 1].to_string())

    shifts = shift_table(*as_graduates(model, clients, "draw"), test)
    print(
        f"\nAll {len(clients):,} of them, on average. An association, no causal effect:"
    )
    print(shifts.to_string(float_format="{:,.2f}".format))
    draw(test, made, shifts)


if __name__ == "__main__":
    main()
