"""Draw the table of ``benchmarks/metric_rows.py``: a panel a metric."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import LogLocator, NullFormatter

# A plot runs in its own folder.
RESULTS = Path("../../benchmarks/results/metric_rows.csv")
BLUE, VERMILLION, INK, QUIET = "#0072B2", "#D55E00", "#262626", "#8C8C8C"
ADJUSTED = ", adjusted"


def draw_line(ax, line, colour, label):
    rows, mean, sd = line["rows"], line["mean"], line["sd"]
    ax.fill_between(rows, mean - sd, mean + sd, color=colour, alpha=0.2, linewidth=0)
    ax.plot(rows, mean, color=colour, marker="o", markersize=3, label=label)


def draw_panel(ax, metric, lines):
    own = lines[lines["metric"] == metric]
    adjusted = lines[lines["metric"] == metric + ADJUSTED]
    draw_line(ax, own, BLUE, "mean ± sd of 20 draws")
    if len(adjusted):
        draw_line(ax, adjusted, VERMILLION, "adjusted for chance")
    if own["chance"].notna().any():
        label = "codes that know nothing"
        ax.plot(own["rows"], own["chance"], color=INK, linestyle=":", label=label)
    limit = own["limit"].iloc[0]
    if np.isfinite(limit):
        ax.axhline(
            limit, color=QUIET, linewidth=1, zorder=0, label="limit of many rows"
        )
    ax.set_ylim(bottom=0, top=1.05 * ax.get_ylim()[1])
    ax.set_title(metric, fontsize=9.5, loc="left", color=INK)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(numticks=9))
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.tick_params(labelsize=8)
    ax.spines[["top", "right"]].set_visible(False)


def draw(lines):
    metrics = [name for name in lines["metric"].unique() if ADJUSTED not in name]
    figure, axes = plt.subplots(
        -(-len(metrics) // 3), 3, figsize=(9, 13), sharex=True, layout="constrained"
    )
    for ax, metric in zip(axes.flat, metrics, strict=True):
        draw_panel(ax, metric, lines)
    for ax in axes[-1]:
        ax.set_xlabel("Rows", fontsize=9)
    labelled = axes.flat[metrics.index("MIG")].get_legend_handles_labels()
    figure.legend(*labelled, loc="outside upper center", ncols=4, frameon=False)
    return figure


draw(pd.read_csv(RESULTS))
