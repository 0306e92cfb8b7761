"""One panel of a `DistributionDisplay`: how one column is distributed."""

from typing import Any, NamedTuple

import numpy as np

from skvae.inspection import _style
from skvae.inspection._column_shares import DATE

_FILL = "#CFCFCF"
# In points: a letter, the swatch of a legend's entry, the gap between bars and a
# histogram with the numbers in it, and what a number under one takes.
_LETTER, _SWATCH, _GAP, _NUMBER = 4.2, 40, 45, 30
# In letters: what a bar is called at most, lest panels shrink to make room.
_LONGEST_LEVEL = 12
# How much of a bar's width the marks over it take together.
_MARKED = 0.5
# Width of a histogram in those of a bar beside it, and the least that bars get.
_HISTOGRAM_WIDTH, _LEAST_BARS = 7, 1.6
# Numbers from here on are written in thousands.
_LARGE_VALUE, _LARGE_ATOM = 10_000, 1_000


class ColumnPanel(NamedTuple):
    """What is drawn of one column.

    Parameters
    ----------
    bar_axes : matplotlib Axes or None
        With the bars of levels, atoms and missing cells.

    axes : matplotlib Axes or None
        With the histogram, to the right of the bars if there are any.

    bars : matplotlib BarContainer or None
        The bars of the original.

    marks : list of matplotlib Line2D
        Of each other table the marks over these bars.

    histogram : list of matplotlib StepPatch
        One for each table, the original first.

    scores : list of matplotlib Text
        What is written over the panel: the name of the score, and that of each table
        in its colour.

    outside : list of matplotlib Text
        What lies beyond the histogram, written under it; empty where nothing does.
    """

    bar_axes: Any
    axes: Any
    bars: Any
    marks: list
    histogram: list
    scores: list
    outside: list


def draw_panel(place, name, shares, scores, looks, room):
    """Draw one column.

    Parameters
    ----------
    place : matplotlib Axes
        Where.

    name : object
        What the column is called.

    shares : ColumnShares
        How it is distributed.

    scores : Series of shape (n_tables - 1,)
        How close each table but the first comes.

    looks : dict of str to dict or None
        As :func:`table_looks` returns them.

    room : float
        Width of the panel in points.

    Returns
    -------
    panel : ColumnPanel
        What was drawn.
    """
    bar_axes, axes = _divided(place, len(shares.bars), len(shares.bins))
    if bar_axes is not None and axes is not None:
        bar_room, room = _rooms(len(shares.bars), room)
    else:
        bar_room = room
    bars, marks, histogram, outside = None, [], [], []
    if bar_axes is not None:
        bars, marks = _draw_bars(bar_axes, shares.bars, looks, bar_room)
    if axes is not None:
        histogram = _draw_histogram(axes, shares, looks)
        _label_values(axes, shares.unit, room)
        outside = _write_outside(axes, shares.outside, looks)
    _style.title(axes if bar_axes is None else bar_axes, _style.short(name))
    score = "TV" if shares.is_category else "KS"
    words = {table: f"{score:.2f}" for table, score in scores.dropna().items()}
    right = bar_axes if axes is None else axes
    texts = _write_words(right, score, words, looks, (1, 1), 4, "bottom")
    return ColumnPanel(bar_axes, axes, bars, marks, histogram, texts, outside)


def table_looks(tables):
    """Return the look of each table's lines; None for the first, which is filled."""
    return {tables[0]: None, **_style.line_styles([tables[1:]])}


def entries_per_row(tables, room):
    """Return how many entries of the legend fit beside one another."""
    widest = _SWATCH + _LETTER * max(len(str(table)) for table in tables)
    return int(np.clip(room // widest, 1, len(tables)))


def add_legend(strip, looks, per_row):
    """Explain the tables once, above all panels."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Patch(color=_FILL, label=table, linewidth=0)
        if look is None
        else Line2D([], [], label=table, linewidth=1.2, **look)
        for table, look in looks.items()
    ]
    legend = strip.legend(
        handles=handles,
        loc="center left",
        borderpad=0,
        borderaxespad=0,
        ncols=per_row,
        frameon=False,
        fontsize=_style.LABEL_SIZE,
    )
    # The strip has the room; in the layout a wide legend would squeeze panels.
    legend.set_in_layout(False)
    return legend


def _divided(place, n_bars, n_bins):
    """Return axes for the bars and for the histogram, None for what there is not."""
    if not n_bins:
        axes = (place, None)
    elif not n_bars:
        axes = (None, place)
    else:
        place.set_axis_off()
        spec = place.get_subplotspec()
        grid = spec.subgridspec(1, 2, width_ratios=_widths(n_bars))
        axes = tuple(place.figure.add_subplot(part) for part in grid)
    for part in axes:
        if part is not None:
            _style.plain(part)
            _count_in_percent(part)
    return axes


def _rooms(n_bars, room):
    """Return how wide bars and the histogram beside them are."""
    widths = _widths(n_bars)
    return (room - _GAP) * widths / widths.sum()


def _widths(n_bars):
    return np.array([max(n_bars, _LEAST_BARS), _HISTOGRAM_WIDTH])


def _count_in_percent(axes):
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))


def _draw_histogram(axes, shares, looks):
    """Draw the histogram of each table over bins that all share."""
    edges = np.append(shares.bins.index.left, shares.bins.index.right[-1])
    patches = []
    for table, look in looks.items():
        style = {"fill": True, "color": _FILL, "linewidth": 0}
        if look is not None:
            style = {"linewidth": 1.2, **look}
        patches.append(axes.stairs(shares.bins[table], edges, label=table, **style))
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(0, None)
    return patches


def _label_values(axes, unit, room):
    """Write numbers as 50k, dates as dates, and durations with their unit."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.ticker import EngFormatter, MaxNLocator

    if unit == DATE:
        axes.xaxis_date()
        # With fewer, it finds no steps for some ranges.
        locator = AutoDateLocator(minticks=2, maxticks=5)
        axes.xaxis.set_major_locator(locator)
        formatter = ConciseDateFormatter(locator, tz="UTC")
        formatter.show_offset = False
        axes.xaxis.set_major_formatter(formatter)
        return
    axes.xaxis.set_major_locator(MaxNLocator(np.clip(room // _NUMBER, 1, 4)))
    if unit is not None:
        axes.set_xlabel(unit.capitalize(), loc="left", fontsize=_style.LABEL_SIZE)
    elif np.abs(axes.get_xlim()).max() >= _LARGE_VALUE:
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))


def _draw_bars(axes, shares, looks, room):
    """Draw bars of the original and over them a mark for each other table."""
    places = np.arange(len(shares))
    original, *others = looks
    bars = axes.bar(places, shares[original], color=_FILL, label=original)
    gap = _MARKED / max(len(others), 1)
    marks = []
    for number, table in enumerate(others):
        shifted = places + gap * (number - (len(others) - 1) / 2)
        color, heights = _color(looks[table]), shares[table]
        axes.vlines(shifted, 0, heights, color=color, linewidth=1.2)
        style = {"color": color, "marker": "o", "markersize": 3, "linestyle": "none"}
        marks += axes.plot(shifted, heights, label=table, clip_on=False, **style)
    axes.set_xlim(-0.6, len(shares) - 0.4)
    axes.set_ylim(0, None)
    _label_bars(axes, shares.index, room)
    return bars, marks


def _label_bars(axes, index, room):
    """Write what bars are, aslant where there is no room."""
    labels = [_bar_label(value) for value in index]
    widest = _LETTER * (max(map(len, labels)) + 1)
    slanted = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    slant = slanted if widest * len(labels) > room else {}
    axes.set_xticks(range(len(labels)), labels, **slant)
    axes.tick_params(axis="x", length=0)


def _bar_label(value):
    """Return a level as it is, an atom as the numbers under a histogram."""
    from matplotlib.ticker import EngFormatter

    if not isinstance(value, float | np.floating):
        return _style.cut(str(value), _LONGEST_LEVEL)
    return EngFormatter(sep="")(value) if abs(value) >= _LARGE_ATOM else f"{value:g}"


def _write_outside(axes, shares, looks):
    """Say which share of each table lies beyond the bins."""
    if not shares.any():
        return []
    words = {table: f"{share:.1%}" for table, share in shares.items()}
    return _write_words(axes, "beyond", words, looks, (1, 0), -18, "top")


def _write_words(axes, label, words, looks, corner, offset, side):
    """Write a label and a word for each table in its colour, up to a right corner."""
    if not words:
        return []
    texts = []
    colored = [(label, _style.QUIET)]
    colored += [(word, _color(looks[table])) for table, word in words.items()]
    anchor = {"xy": corner, "xycoords": "axes fraction", "xytext": (0, offset)}
    for word, color in reversed(colored):
        text = axes.annotate(
            word,
            **anchor,
            textcoords="offset points",
            ha="right",
            va=side,
            color=color,
            fontsize=_style.LABEL_SIZE,
            annotation_clip=False,
        )
        edge = 0 if side == "bottom" else 1
        anchor = {"xy": (0, edge), "xycoords": text, "xytext": (-4, 0)}
        texts.append(text)
    return texts[::-1]


def _color(look):
    return _style.QUIET if look is None else look["color"]
