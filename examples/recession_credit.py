"""
This portfolio in a recession
=============================

Two tables: clients in usual times, and other clients in a recession. No client is in
both, and the model is not told who is in which, nor what the recession changed. Then

1. ``latent_shift`` says which factors moved, and whether all clients moved alike;
2. ``describe_factor`` says what such a factor is;
3. ``counterfactual`` says how clients that the model never saw would look there.

Both tables come from a simulator, which knows the very same clients in either world. So
the answer can be held against the truth, which no real portfolio offers. The picture
goes to ``output``.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skvae import MSVAE
from skvae.datasets import make_credit_portfolio
from skvae.inspection import describe_factor

OUTPUT = Path("output")
# In a recession clients use more of their credit; from -1 to 1 is all there is.
RECESSION = {"utilisation": 0.5}
# What no recession changes.
HOLD = ["SEX", "EDUCATION", "MARRIAGE", "AGE"]
SHOWN = ["LIMIT_BAL", "BILL_AMT1", "BILL_AMT6", "PAY_AMT1", "PAY_AMT6"]
USUAL, MOVED, TRUTH, SCALED = "rows as they are", "counterfactual", "truth", "rescaled"
COLORS = {USUAL: "#707070", MOVED: "#0072B2", TRUTH: "#262626", SCALED: "#D55E00"}
INK, QUIET, SHADE = "#262626", "#707070", "#EDEDED"

# %%
# The tables
# ----------
# The shifted factor is known here, so the model can be judged. It never learns of it.


def load_worlds():
    """Return usual clients, clients of a recession, and new clients in both worlds."""
    usual = make_credit_portfolio(4000, random_state=1).data
    recession = make_credit_portfolio(4000, factor_shift=RECESSION, random_state=2).data
    clients = make_credit_portfolio(2000, random_state=3).data
    # One seed, so row i is one client in both worlds.
    truth = make_credit_portfolio(2000, factor_shift=RECESSION, random_state=3).data
    return usual, recession, clients, truth


# %%
# What moved
# ----------
# Spare factors are switched off: they tell nothing of a client, and nothing of a shift.


def print_shift(model, usual, recession):
    """Say which factors moved and what they are, and return both as one table."""
    moved = model.latent_shift(usual, recession).shifts
    tells = model.first_stage_.kl_per_dimension_ > 0.01
    names = model.get_feature_names_out()[: len(tells)]
    moved = moved[moved.index.isin(names[tells])]
    print(
        f"\nThe {len(moved)} factors that tell something of a client, and how far each"
    )
    print(
        "moved, in standard deviations of the prior, with intervals that hold together:"
    )
    print(moved.round(2).to_string())

    factor, way = moved.index[0], "down" if moved["shift"].iloc[0] < 0 else "up"
    print(f"\n{factor} went {way}. Were it to rise from its lowest to its highest 5 %:")
    description = describe_factor(model, usual, factor).head(6)
    print(description.round({"size": 0, "share": 2}).to_string())
    firsts = [describe_factor(model, usual, name).index[0] for name in moved.index]
    return moved.assign(moves=firsts)


def print_cosines(model, usual, recession):
    """Say whether clients of every education moved in the same direction."""
    # Of "others", 4, there are too few to have a direction.
    usual, recession = (table[table["EDUCATION"] < 4] for table in (usual, recession))
    cosines = model.latent_shift(usual, recession, by="EDUCATION").cosines
    print("\nCosines between the shifts by EDUCATION; 1 is one movement for all:")
    print(cosines.round(2).to_string())


# %%
# Clients in the recession
# ------------------------
# Errors are distances between ranks, since a dollar means more on a small bill than on
# a large one: at an error of 0.05 a client's cells are 5 percentiles off, on average.


def rescaled(clients, usual, recession):
    """Shift and scale every column as the two tables differ: what needs no model."""
    scale = recession.std() / usual.std()
    moved = (clients - usual.mean()) * scale + recession.mean()
    return moved.assign(**clients[HOLD])


def rank_errors(rows, truth, table):
    """Return how far each row is from the truth, in ranks of the columns, 0 to 1."""
    distances = [
        np.abs(mean_ranks(rows[name], cells) - mean_ranks(truth[name], cells))
        for name, cells in table.drop(columns=HOLD).items()
    ]
    return np.mean(distances, axis=0)


def mean_ranks(cells, table_cells):
    """Return the rank of cells in a column, from 0 to 1, the mean one of ties."""
    ordered = np.sort(table_cells)
    first, last = (np.searchsorted(ordered, cells, side) for side in ("left", "right"))
    return (first + last) / (2 * len(ordered))


def print_errors(errors):
    """Print how far each way is from the truth, and how often it helps."""
    table = pd.DataFrame(
        {
            "mean": errors.mean(),
            "median": errors.median(),
            "worst 10 %": errors.quantile(0.9),
            "better than as is": errors.lt(errors[USUAL], axis=0).mean(),
        }
    )
    print("\nDistance of 2,000 clients from their truth, in ranks of the columns:")
    print(table.round(3).to_string())


def print_support(support):
    outside = (support < 0.05).mean()
    print(
        f"\n{outside:.0%} of the clients end up where the model has seen next to none"
    )
    print("like them (support below 0.05); so do 5% of the rows that it was fitted to.")


def print_draws(model, usual, recession, clients, truth, errors):
    """Draw some clients many times: what the model leaves open, and is it enough?"""
    clients, truth, errors = (table[:300] for table in (clients, truth, errors))
    drawn = model.counterfactual(
        clients, recession, reference=usual, hold=HOLD, n_samples=100, random_state=0
    ).data
    draws = drawn[SHOWN].groupby(level=0)
    low, high = draws.quantile(0.05), draws.quantile(0.95)
    typical = (errors - errors.median()).abs().argmin()
    table = pd.DataFrame(
        {
            "usual": clients[SHOWN].iloc[typical],
            "9 of 10 draws from": low.iloc[typical],
            "to": high.iloc[typical],
            "truth": truth[SHOWN].iloc[typical],
        }
    )
    print("\nA client for whom the model errs as for the median one, in 100 draws:")
    print(table.map("{:,.0f}".format).to_string())
    within = ((truth[SHOWN] >= low) & (truth[SHOWN] <= high)).mean()
    print("\nFor so many of 300 clients the truth lies in that range of their draws:")
    print(within.map("{:.0%}".format).to_string())
    print("The range tells what the factors leave open, not how wrong the move may be.")


# %%
# The picture
# -----------


def bare(ax, title, unit):
    """Leave of the frame what carries numbers, and put the finding on top."""
    ax.spines[["left", "right", "top"]].set_visible(False)
    ax.spines["bottom"].set_color(QUIET)
    ax.tick_params(axis="x", color=QUIET, labelcolor=INK, labelsize=8)
    ax.tick_params(axis="y", length=0, labelcolor=INK, labelsize=8)
    ax.set_xlabel(unit, fontsize=8, color=INK)
    ax.set_title(title, loc="left", fontsize=10, color=INK, pad=32, linespacing=1.4)


def draw_shift(ax, moved):
    """Draw the shift of each factor with its interval."""
    rows = np.arange(len(moved))
    colors = np.where(rows == 0, COLORS[MOVED], QUIET)
    ax.axvline(0, color=SHADE, linewidth=1, zorder=0)
    ax.hlines(rows, moved["lower"], moved["upper"], colors, linewidth=2)
    ax.scatter(moved["shift"], rows, 26, colors, zorder=3)
    for row, shift in zip(rows, moved["shift"], strict=True):
        label = f"{shift:+.2f}".replace("-", "\N{MINUS SIGN}")
        style = {"ha": "center", "va": "bottom", "fontsize": 8, "color": colors[row]}
        text = ax.annotate(label, (shift, row - 0.13), **style)
        text.set_bbox({"color": "white", "pad": 0.5})  # over the line at 0
    firsts = zip(moved.index, moved["moves"], strict=True)
    ax.set_yticks(rows, [f"{name}\nmoves {first}" for name, first in firsts])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.margins(x=0.12)
    factor, column = moved.index[0], moved["moves"].iloc[0]
    title = f"One factor moved far, {factor}:\nit moves {column} most"
    bare(ax, title, "shift, in standard deviations of the prior")


def draw_medians(ax, worlds):
    """Draw the median of some columns in both worlds, and what the model says."""
    medians = pd.DataFrame(
        {name: rows[SHOWN].median() for name, rows in worlds.items()}
    )
    rows = np.arange(len(medians))
    ends = medians.min(axis=1), medians.max(axis=1)
    ax.hlines(rows, *ends, SHADE, linewidth=3, zorder=0)
    looks = {
        USUAL: {"s": 34, "color": COLORS[USUAL]},
        TRUTH: {"s": 80, "facecolor": "none", "edgecolor": INK, "linewidth": 1.2},
        MOVED: {"s": 26, "color": COLORS[MOVED]},
    }
    for name, look in looks.items():
        ax.scatter(medians[name], rows, zorder=3, **look)
    # The numbers stand beside the dots in columns, whose headings tell the colours.
    for name, heading, right in (
        (USUAL, "● as they are", 1.40),
        (MOVED, "● the model", 1.94),
        (TRUTH, "○ truth", 2.31),
    ):
        style = {"ha": "right", "va": "center", "fontsize": 8, "color": COLORS[name]}
        style |= {"xycoords": ax.get_yaxis_transform(), "annotation_clip": False}
        ax.annotate(heading, (right, -0.75), **style)
        for row, median in zip(rows, medians[name], strict=True):
            ax.annotate(f"{median:,.0f}", (right, row), **style)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.minorticks_off()
    ax.set_yticks(rows, medians.index)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    said, true = (
        medians.loc["BILL_AMT1", name] / medians.loc["BILL_AMT1", USUAL]
        for name in (MOVED, TRUTH)
    )
    title = (
        f"The last bill grows {said:.1f}-fold in the median,\nin truth {true:.1f}-fold"
    )
    bare(ax, title, "median of 2,000 clients, dollars")


def draw_errors(ax, errors):
    """Draw for each way which share of the clients is within which error."""
    shares = np.linspace(0, 100, 201)
    ax.set_ylim(0, 100)
    ax.set_xlim(0, 0.25)
    ax.set_xticks([0, 0.1, 0.2], ["0", "0.1", "0.2"])
    ax.set_yticks([0, 50, 100], ["0 %", "50 %", "100 %"])
    ax.hlines([50, 100], 0, 0.25, SHADE, linewidth=1, zorder=0)
    for name, label, place in (
        (MOVED, "the model", (0.092, 81)),
        (USUAL, "as they are", (0.059, 36)),
        (SCALED, "mean and scale\nof every\ncolumn moved", (0.153, 36)),
    ):
        color = COLORS[name]
        ax.plot(np.percentile(errors[name], shares), shares, color=color, linewidth=1.8)
        ax.annotate(label, place, va="center", fontsize=8, color=color)
    better = (errors[MOVED] < errors[USUAL]).mean()
    title = (
        f"{100 * better:.0f} % of clients come closer to\ntheir truth than left alone"
    )
    bare(ax, title, "distance from the truth, in ranks")


def draw(moved, worlds, errors):
    figure = plt.figure(figsize=(12, 4))
    bottom, height = 0.14, 0.62
    draw_shift(figure.add_axes((0.105, bottom, 0.175, height)), moved)
    draw_medians(figure.add_axes((0.365, bottom, 0.15, height)), worlds)
    draw_errors(figure.add_axes((0.765, bottom, 0.22, height)), errors)
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / "credit_recession.png"
    figure.savefig(path, dpi=150)
    print(f"\nPicture: {path}")


def main():
    usual, recession, clients, truth = load_worlds()
    print(
        f"{len(usual):,} simulated clients in usual times, {len(recession):,} others in"
    )
    print("a recession. The model sees them together and is not told who is who.")
    both = pd.concat([usual, recession], ignore_index=True)
    model = MSVAE(random_state=0, verbose=1).fit(both)

    moved = print_shift(model, usual, recession)
    print_cosines(model, usual, recession)

    there = model.counterfactual(
        clients, recession, reference=usual, hold=HOLD, unexplained="keep"
    )
    worlds = {USUAL: clients, MOVED: there.data, TRUTH: truth}
    ways = worlds | {SCALED: rescaled(clients, usual, recession)}
    errors = pd.DataFrame(
        {name: rank_errors(ways[name], truth, both) for name in (USUAL, SCALED, MOVED)}
    )
    print_errors(errors)
    print_support(there.support)
    print_draws(model, usual, recession, clients, truth, errors[MOVED])
    draw(moved, worlds, errors)


if __name__ == "__main__":
    main()
