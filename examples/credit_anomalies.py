"""
Find the odd clients of a bank, and say why
===========================================

A table of credit card clients, and no label: nobody has said yet which rows are odd.
``DCVAEAnomalyDetector`` learns what clients of each education look like. Then

1. the ten most anomalous clients, each with the cell that stands out, in a sentence;
2. errors planted in clients that the detector never saw, a bill ten times too high:
   how many are found, and is the right cell named?
3. another threshold, without a new fit.

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
from matplotlib.colors import SymLogNorm

import skvae
from skvae import DCVAEAnomalyDetector
from skvae.datasets import fetch_taiwan_credit, make_credit_portfolio
from skvae.selection import outlier_roc_auc_scorer

OUTPUT = Path(__file__).parent / "output"
CONDITION = "EDUCATION"
BILLS = [f"BILL_AMT{month}" for month in range(1, 7)]
# A cell this far from what the others imply is worth a look.
BEYOND = 5
ODD, INK, QUIET, SHADE = "#D55E00", "#262626", "#707070", "#C9C9C9"

# %%
# The table
# ---------


def load_table():
    """Return clients to learn from, held-out ones, and which of these default."""
    try:
        portfolio = fetch_taiwan_credit()
        table, defaults = portfolio.data, portfolio.target
        print(f"Taiwan credit table: {len(table):,} clients, real data.")
    except skvae.DataUnavailableError:
        table, defaults = make_credit_portfolio(30_000, random_state=0).data, None
        print(f"Simulated portfolio of {len(table):,} clients (no real table at hand).")
    rows = np.random.default_rng(0).permutation(len(table))
    train, test = np.sort(rows[:10_000]), np.sort(rows[10_000:20_000])
    of_test = None if defaults is None else np.asarray(defaults)[test]
    return table.iloc[train], table.iloc[test], of_test


# %%
# The odd clients
# ---------------
# ``explain`` answers two questions. What does the score consist of? The contributions
# of all columns, and of the latents, add up to it. And which cell is it? Each cell is
# held against what the others of its row imply, so that a large bill is no surprise
# after five large ones.


def most_anomalous(detector, table, n_rows=10):
    """Return the clients with the lowest scores, the lowest first."""
    return table.iloc[np.argsort(detector.score_samples(table))[:n_rows]]


def print_reasons(detector, clients):
    """Print each client's sentence, and what its score consists of."""
    print(f"\nThe {len(clients)} most anomalous of the training rows, and why:")
    reasons = detector.explain(clients, conditional=True).reason
    for client, reason in reasons.items():
        print(f"  {client:6d}  {reason}")

    contributions = detector.explain(clients)
    scores = -detector.score_samples(clients)
    print("\nTheir anomaly, and the three columns that contribute most to it:")
    for (client, parts), score in zip(contributions.iterrows(), scores, strict=True):
        top = parts.nlargest(3).map("{:.1f}".format)
        shown = ", ".join(f"{name} {part}" for name, part in top.items())
        print(f"  {client:6d}  {score:5.1f} = {shown}, ...")


# %%
# Planted errors
# --------------
# Bills that were about the same each month, and one of them times ten: a point that
# slipped. Of smaller bills fewer turn up as outliers, since ten times as much is still
# usual for a client; the cell that contradicts the others stands out for longer.


def plant_errors(table, n_rows=200):
    """Return clients with level bills, one bill of each times ten, and which one."""
    bills = table[BILLS]
    is_level = bills.max(axis=1) < 1.3 * bills.min(axis=1)
    clients = table[is_level & bills.min(axis=1).between(30_000, 80_000)][:n_rows]
    wrong = np.random.default_rng(0).choice(BILLS, len(clients))
    planted = clients.copy()
    for client, name in zip(clients.index, wrong, strict=True):
        planted.loc[client, name] *= 10
    return clients, planted, wrong


def print_found(detector, clients, planted, wrong):
    """Say how many planted errors are found, and how often the right cell is named."""
    print(f"\n{len(planted)} new clients, before and after one bill is times ten:")
    found = {}
    for when, table in (("before", clients), ("after", planted)):
        deviation = detector.explain(table, conditional=True).deviation.abs()
        found[when] = {
            "outliers": (detector.predict(table) == -1).mean(),
            f"a cell beyond {BEYOND} sd": (deviation.max(axis=1) > BEYOND).mean(),
            "that bill deviates most": (deviation.idxmax(axis=1) == wrong).mean(),
        }
    print(pd.DataFrame(found).map("{:.0%}".format).to_string())
    typical = detector.score_samples(planted).argsort()[len(planted) // 2]
    reason = detector.explain(planted, conditional=True).reason.iloc[typical]
    print(f"\n{wrong[typical]} of client {planted.index[typical]}, for instance:")
    print(f"  {reason}")
    return planted[typical : typical + 1], wrong[typical]


# %%
# How many to look at
# -------------------
# ``contamination`` is how many of the training rows you can afford to look at. It sets
# the threshold, and may be set again at any time.


def print_thresholds(detector, test):
    """Say how many new clients fall below the threshold at some contaminations."""
    print(f"\nOutliers among {len(test):,} clients that the detector never saw:")
    own = detector.contamination
    scores = detector.score_samples(test)
    for contamination in (0.001, 0.01, 0.02, 0.05):
        detector.set_contamination(contamination)
        share = (scores < detector.offset_).mean()
        print(f"  contamination={contamination:<5}  {share:.1%}")
    detector.set_contamination(own)


def print_defaults(detector, test, defaults):
    """Hold the scores against who defaults: another question than who is odd."""
    if defaults is None:
        return
    auc = outlier_roc_auc_scorer(detector, test, defaults)
    print("\nAn odd client is no bad client. Ranked by how anomalous they are, clients")
    print(f"who default are found with an AUROC of {auc:.2f}, where chance is 0.50.")


# %%
# The picture
# -----------


def number(value):
    return f"{value:.0f}".replace("-", "\N{MINUS SIGN}")


def draw_decisions(ax, decisions, planted):
    """Draw how far the training rows are on the normal side, and where an error is."""
    low, high = min(decisions.min(), planted), decisions.max()
    width = (high - low) / 60
    bins = np.arange(width * np.floor(low / width), high + width, width)
    for rows, color in (
        (decisions[decisions >= 0], SHADE),
        (decisions[decisions < 0], ODD),
    ):
        ax.hist(rows, bins, color=color)
    ax.set_yscale("log")
    ax.set_ylim(0.7, None)
    ax.axvline(0, color=INK, linewidth=1)
    share = (decisions < 0).mean()
    top = ax.get_xaxis_transform()
    style = {"transform": top, "va": "top", "fontsize": 8.5}
    gap = 0.012 * (high - low)
    ax.text(-gap, 1, f"outliers, {share:.0%}", ha="right", color=ODD, **style)
    ax.text(gap, 1, "threshold", ha="left", color=INK, **style)
    ax.annotate(
        "planted\nerror",
        (planted, 0),
        (planted, 0.62),
        xycoords=top,
        textcoords=top,
        ha="center",
        fontsize=8.5,
        color=INK,
        arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 0.8},
    )
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.minorticks_off()
    ax.spines[["left", "right", "top"]].set_visible(False)
    ax.spines["bottom"].set_color(QUIET)
    ax.tick_params(colors=INK, labelsize=8)
    ax.tick_params(axis="y", length=0)
    ax.set_ylabel("training rows, logarithmic", fontsize=8.5, color=INK)
    ax.set_xlabel("decision function", fontsize=8.5, color=INK)
    title = "Most clients are alike, some are far out"
    ax.set_title(title, loc="left", fontsize=10.5, color=INK, pad=14)


def draw_deviations(ax, bar_ax, deviation, labels):
    """Draw how far each cell is from what the others imply, the largest with a number.

    The last row is the planted error, set off by a gap.
    """
    rows = np.arange(len(deviation)) + 0.0
    rows[-1] += 0.6
    # A linear piece in the middle: below 3 sd nothing stands out.
    norm = SymLogNorm(linthresh=3, linscale=0.8, vmin=-100, vmax=100, base=10)
    columns = np.arange(deviation.shape[1] + 1) - 0.5
    for row, cells in zip(rows, deviation.to_numpy(), strict=True):
        mesh = ax.pcolormesh(
            columns,
            [row - 0.5, row + 0.5],
            cells[None],
            cmap="RdBu_r",
            norm=norm,
            edgecolor="white",
            linewidth=1,
        )
        worst = np.abs(cells).argmax()
        style = {"ha": "center", "va": "center", "fontsize": 7.5}
        style["color"] = "white" if abs(cells[worst]) > 8 else INK
        ax.text(worst, row, number(cells[worst]), **style)
    ax.set_ylim(rows[-1] + 0.5, -0.5)
    ax.set_xticks(np.arange(deviation.shape[1]), deviation.columns, rotation=90)
    ax.set_yticks(rows, labels)
    ax.tick_params(length=0, labelsize=8, labelcolor=INK)
    ax.spines[:].set_visible(False)
    title = "Which cell it is: the others of its row imply another value"
    ax.set_title(title, loc="left", fontsize=10.5, color=INK, pad=14)

    bar = ax.figure.colorbar(mesh, cax=bar_ax, extend="both")
    bar.set_ticks([-100, -30, -10, -3, 0, 3, 10, 30, 100])
    bar.ax.yaxis.set_major_formatter(lambda value, _: number(value))
    bar.ax.minorticks_off()
    bar.ax.tick_params(length=0, labelsize=8, labelcolor=INK)
    bar.outline.set_visible(False)
    bar.set_label(
        "above (red) or below (blue) what the others imply,\n"
        "in standard deviations; a code that is another (red)",
        fontsize=8.5,
        color=INK,
    )


def draw(detector, train, clients, planted, wrong):
    rows = pd.concat([clients, planted])
    deviation = detector.explain(rows, conditional=True).deviation
    deviation = deviation.drop(columns=CONDITION)
    labels = [f"client {client:,}" for client in clients.index]
    labels.append(f"{wrong} times 10")

    figure = plt.figure(figsize=(13, 4.9))
    left = figure.add_axes((0.055, 0.12, 0.27, 0.75))
    right = figure.add_axes((0.425, 0.23, 0.475, 0.64))
    bar = figure.add_axes((0.915, 0.23, 0.012, 0.64))
    decision = detector.decision_function(planted)[0]
    draw_decisions(left, detector.decision_function(train), decision)
    draw_deviations(right, bar, deviation, labels)
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / "credit_anomalies.png"
    figure.savefig(path, dpi=150)
    print(f"\nPicture: {path}")


def main():
    train, test, defaults = load_table()
    detector = DCVAEAnomalyDetector(
        condition_columns=[CONDITION],
        contamination=0.02,
        max_epochs=25,
        random_state=0,
        verbose=1,
    ).fit(train)

    clients = most_anomalous(detector, train)
    print_reasons(detector, clients)
    normal, planted, wrong = plant_errors(test)
    planted, wrong = print_found(detector, normal, planted, wrong)
    print_thresholds(detector, test)
    print_defaults(detector, test, defaults)
    draw(detector, train, clients, planted, wrong)


if __name__ == "__main__":
    main()
