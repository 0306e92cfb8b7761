"""How the pictures of this room look, and where their panels go."""

import itertools

import numpy as np
from sklearn.isotonic import isotonic_regression

# Okabe & Ito (2008): told apart with any kind of colour vision. Their yellow is left
# out, too pale for a line on white.
PALETTE = (
    "#0072B2",  # blue
    "#D55E00",  # vermillion
    "#009E73",  # green
    "#CC79A7",  # purple
    "#E69F00",  # orange
    "#56B4E9",  # sky
)
INK = "#262626"
QUIET = "#8C8C8C"
SHADE = "#EDEDED"
LABEL_SIZE = 8
TITLE_SIZE = 9.5
# Longer names are cut, so that one of them cannot take the room of a panel.
_LONGEST_LABEL = 20


def short(name):
    """Return a name as a label, its middle left out if it is long.

    Of ``"name = level"`` both sides are cut, so that neither goes without saying.
    """
    name = str(name)
    if len(name) <= _LONGEST_LABEL:
        return name
    sides = name.split(" = ", 1)
    return " = ".join(cut(side, _LONGEST_LABEL // len(sides)) for side in sides)


def cut(text, longest):
    """Return at most so many letters of a text, from both of its ends."""
    if len(text) <= longest:
        return text
    head = longest // 2
    return f"{text[:head]}…{text[head + 1 - longest :]}"


def new_axes(width, height):
    """Return axes in a new figure of that many inches."""
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)
    return figure.add_subplot()


def size_in_points(ax):
    """Return width and height of axes, as they are before any layout."""
    box = ax.get_window_extent()
    return np.array([box.width, box.height]) * 72 / ax.figure.dpi


def panel_grid(ax, n_panels, n_columns, *, header=0, sharex=False, sharey=False):
    """Fill the place of `ax` with panels, row by row.

    Parameters
    ----------
    ax : matplotlib Axes
        Its frame is switched off; its place is what the panels get.

    n_panels, n_columns : int
        How many panels, and how many of them in a row.

    header : float, default=0
        Height of a strip above all panels, in heights of a panel.

    sharex, sharey : bool, default=False
        Whether all panels have one x-axis or y-axis.

    Returns
    -------
    axes : ndarray of shape (n_panels,)
        The panels' axes.

    strip : matplotlib Axes or None
        The axes of the header, without a frame.
    """
    figure = ax.figure
    ax.set_axis_off()
    heights = [1] * -(-n_panels // n_columns)
    first = 1 if header else 0
    grid = _grid(ax, [header] * first + heights, n_columns)
    axes = np.empty(n_panels, dtype=object)
    for panel in range(n_panels):
        row, column = divmod(panel, n_columns)
        axes[panel] = figure.add_subplot(
            grid[first + row, column],
            sharex=axes[0] if sharex and panel else None,
            sharey=axes[0] if sharey and panel else None,
        )
    if not header:
        return axes, None
    strip = figure.add_subplot(grid[0, :])
    strip.set_axis_off()
    return axes, strip


def _grid(ax, heights, n_columns):
    """Divide the place of `ax` into rows of these relative heights."""
    from matplotlib.gridspec import GridSpec

    options = {"height_ratios": heights}
    if not ax.figure.get_layout_engine():  # which would find the gaps by itself
        options |= {"wspace": 0.75, "hspace": 0.4}
    place = ax.get_subplotspec()
    if place is not None:
        return place.subgridspec(len(heights), n_columns, **options)
    left, bottom, right, top = ax.get_position().extents
    sides = {"left": left, "bottom": bottom, "right": right, "top": top}
    return GridSpec(len(heights), n_columns, figure=ax.figure, **sides, **options)


def plain(ax):
    """Leave of the frame what carries ticks."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(QUIET)
    ax.tick_params(color=QUIET, labelcolor=INK, labelsize=LABEL_SIZE)


def title(ax, text, aside=""):
    """Put a panel's title over its left edge, and an aside over its right one."""
    ax.set_title(text, loc="left", fontsize=TITLE_SIZE, color=INK)
    ax.set_title(aside, loc="right", fontsize=LABEL_SIZE, color=QUIET)


def line_styles(panels):
    """Give each name one look that no other name of any of its panels has.

    Parameters
    ----------
    panels : list of list of hashable
        The names drawn in each panel.

    Returns
    -------
    styles : dict of name to dict
        Colour and line style of each name.
    """
    looks = [
        {"color": color, "linestyle": dash}
        for dash, color in itertools.product(["-", "--", ":", "-."], PALETTE)
    ]
    styles = {}
    for name in dict.fromkeys(itertools.chain(*panels)):
        beside = set().union(*(names for names in panels if name in names))
        taken = [styles[other] for other in beside if other in styles]
        free = (look for look in looks if look not in taken)
        styles[name] = next(free, looks[len(styles) % len(looks)])
    return styles


def restyle(look, line_kw):
    """Return keywords of a line, the user's over ours, by whichever alias."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    return {**look, **normalize_kwargs(line_kw, Line2D)}


def spread_apart(positions, gap, low, high):
    """Move positions as little as needed to lie at least `gap` apart.

    Parameters
    ----------
    positions : array-like of shape (n,)
        Where labels would like to be.

    gap : float
        The least distance between two of them.

    low, high : float
        The first and the last place for a label. If there is too little room between
        them, labels go on below `low`.

    Returns
    -------
    moved : ndarray of shape (n,)
        In the same order. Labels that collide form a block around their mean.
    """
    positions = np.asarray(positions, dtype=float)
    order = np.argsort(positions, kind="stable")
    # With k * gap taken off the k-th, "at least gap apart" reads "not decreasing", and
    # the closest such sequence is the isotonic regression.
    steps = gap * np.arange(len(positions))
    high = high - steps[-1]
    moved = np.empty_like(positions)
    moved[order] = steps + isotonic_regression(
        positions[order] - steps, y_min=min(low, high), y_max=high
    )
    return moved


def label_ends(ax, lines):
    """Write the label of each line at its end, to the right of the axes.

    Parameters
    ----------
    ax : matplotlib Axes
        With its limits as they will stay.

    lines : list of matplotlib Line2D
        What ends there.

    Returns
    -------
    labels : list of matplotlib Annotation
        In the order of `lines`.
    """
    low, high = ax.get_ylim()
    _, height = size_in_points(ax)
    gap = 1.3 * LABEL_SIZE / height * (high - low)
    ends = [(line.get_xdata()[-1], line.get_ydata()[-1]) for line in lines]
    heights = spread_apart([y for _, y in ends], gap, low, high)
    return [
        ax.annotate(
            short(line.get_label()),
            end,
            (1.08, height),
            textcoords=ax.get_yaxis_transform(),
            va="center",
            color=INK,
            fontsize=LABEL_SIZE,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": line.get_color(),
                "relpos": (0, 0.5),
                "shrinkA": 2,
                "shrinkB": 0,
            },
        )
        for line, end, height in zip(lines, ends, heights, strict=True)
    ]
