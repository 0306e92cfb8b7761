"""Labels as the colours of points: levels with a legend, numbers with a colour bar."""

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from skvae.inspection import _style

# Beside our own, ink and three of Paul Tol's colours, also told apart with any colour
# vision (Tol, P. (2021). Colour schemes. SRON technical note 3.2): wine, olive, indigo.
_LEVEL_COLORS = (*_style.PALETTE, "#882255", "#999933", "#332288", _style.INK)
# Numbers with more values than these are a scale and not levels; of other labels the
# most frequent are told apart.
_MOST_LEVELS = len(_LEVEL_COLORS)
_OTHERS, _MISSING = "all others", "missing"
# Levels with a smaller share of the points lie on top of the others.
_RARE = 0.05
# A colour bar leaves out this share of the points at either end, lest a few extreme
# ones make all others look the same.
_TAIL = 0.01
# A level lies apart if as many of its points are nearest to its own middle.
_OWN = 2 / 3


def point_labels(labels):
    """Return how labels colour points.

    Parameters
    ----------
    labels : Series of shape (n_points,) or None
        What colours the points.

    Returns
    -------
    coloring : NoLabels, LevelLabels or NumberLabels
        Which of them depends on the values.
    """
    if labels is None:
        return NoLabels()
    is_number = is_numeric_dtype(labels.dtype) and not is_bool_dtype(labels.dtype)
    if is_number and labels.nunique() > _MOST_LEVELS:
        return NumberLabels(labels)
    return LevelLabels(labels)


class NoLabels:
    """Points of one colour."""

    look = {"color": _style.PALETTE[0]}
    order = slice(None)
    key_inches = 0.0

    def add_key(self, axes, per_row, points):
        """Add nothing, and return no legend and no colour bar."""
        return None, None

    def write_names(self, ax, positions):
        """Write nothing."""
        return []


class NumberLabels:
    """Points whose colours are numbers, grey where one is missing.

    Parameters
    ----------
    labels : Series of shape (n_points,)
        Numbers.
    """

    key_inches = 0.9

    def __init__(self, labels):
        self._title = _title_of(labels)
        numbers = labels.to_numpy(dtype=np.float64, na_value=np.nan)
        self._numbers = np.where(np.isfinite(numbers), numbers, np.nan)
        # Those that are known lie on top.
        self.order = np.argsort(np.isfinite(numbers), kind="stable")

    @property
    def look(self):
        """Keywords of ``ax.scatter``."""
        from matplotlib import colormaps

        low, high = np.nanquantile(self._numbers, [_TAIL, 1 - _TAIL])
        if low == high:
            low, high = np.nanmin(self._numbers), np.nanmax(self._numbers)
        return {
            "c": self._numbers[self.order],
            "cmap": colormaps["viridis"].with_extremes(bad=_style.QUIET),
            "vmin": low,
            "vmax": high,
            "plotnonfinite": True,
        }

    def add_key(self, axes, per_row, points):
        """Add a colour bar to the right of the first row of panels."""
        from matplotlib.cm import ScalarMappable

        beside, norm = axes[per_row - 1], points[0].norm
        colorbar = beside.figure.colorbar(
            ScalarMappable(norm, points[0].cmap),  # without the points' transparency
            cax=beside.inset_axes((1.04, 0, 0.04, 1)),
            extend=self._extend(norm),
            format=lambda number, _: f"{number:,.10g}",
        )
        colorbar.outline.set_visible(False)
        colorbar.set_label(_style.short(self._title), fontsize=_style.LABEL_SIZE)
        colorbar.ax.tick_params(color=_style.QUIET, labelsize=_style.LABEL_SIZE)
        return None, colorbar

    def _extend(self, norm):
        """Return at which ends there are numbers beyond the scale."""
        is_below = np.nanmin(self._numbers) < norm.vmin
        is_above = np.nanmax(self._numbers) > norm.vmax
        ends = {(1, 1): "both", (1, 0): "min", (0, 1): "max", (0, 0): "neither"}
        return ends[is_below, is_above]

    def write_names(self, ax, positions):
        """Write nothing: numbers have no names."""
        return []


class LevelLabels:
    """Points whose colours are levels, grey where one is rare among many, or missing.

    Parameters
    ----------
    labels : Series of shape (n_points,)
        Levels.
    """

    def __init__(self, labels):
        self._title = _title_of(labels)
        self._levels = _named_levels(labels)
        self._colors = {
            name: _style.QUIET if name in (_OTHERS, _MISSING) else _LEVEL_COLORS[place]
            for place, name in enumerate(self._levels.cat.categories)
        }
        share = self._levels.value_counts(normalize=True)
        share = share[self._levels.to_numpy()].to_numpy()
        self.order = np.argsort(np.where(share < _RARE, -share, -1), kind="stable")

    @property
    def key_inches(self):
        """How wide the legend is, about."""
        names = [_style.short(name) for name in [*self._colors, self._title]]
        return 0.3 + 0.62 * _style.LABEL_SIZE / 72 * max(map(len, names))

    @property
    def look(self):
        """Keywords of ``ax.scatter``."""
        return {"c": [self._colors[name] for name in self._levels.iloc[self.order]]}

    def add_key(self, axes, per_row, points):
        """Add a legend to the right of the first row of panels."""
        from matplotlib.lines import Line2D

        dots = {"linestyle": "none", "marker": "o", "markersize": 5.5}
        handles = [
            Line2D([], [], color=color, label=_style.short(name), **dots)
            for name, color in self._colors.items()
        ]
        legend = axes[per_row - 1].legend(
            handles=handles,
            loc="upper left",
            bbox_to_anchor=(1.02, 1.02),
            borderaxespad=0,
            frameon=False,
            title=_style.short(self._title),
            alignment="left",
            fontsize=_style.LABEL_SIZE,
            title_fontsize=_style.LABEL_SIZE,
            handletextpad=0.1,
        )
        return legend, None

    def write_names(self, ax, positions):
        """Write the names of those levels that lie apart from all others.

        Parameters
        ----------
        ax : matplotlib Axes
            With its limits as they will stay.

        positions : ndarray of shape (n_points, 2)
            Where points lie.

        Returns
        -------
        texts : list of matplotlib Text
            Each in the middle of its points.
        """
        from matplotlib.patheffects import withStroke

        names = [name for name in self._colors if name not in (_OTHERS, _MISSING)]
        of_level = [positions[(self._levels == name).to_numpy()] for name in names]
        middles = np.array([np.median(points, axis=0) for points in of_level])
        shown = [_style.short(name) for name in names]
        is_written = _are_apart(of_level, middles) & _have_room(ax, middles, shown)
        return [
            ax.text(
                *middles[place],
                shown[place],
                ha="center",
                va="center",
                fontsize=_style.LABEL_SIZE + 1,
                fontweight="bold",
                color=_style.INK,
                path_effects=[withStroke(linewidth=2.5, foreground="white")],
            )
            for place in np.flatnonzero(is_written)
        ]


def _are_apart(of_level, middles):
    """Return of which levels most points are nearest to their own middle."""
    nearest = [
        np.linalg.norm(points[:, None] - middles, axis=2).argmin(axis=1)
        for points in of_level
    ]
    return np.array(
        [np.mean(found == place) >= _OWN for place, found in enumerate(nearest)]
    )


def _have_room(ax, middles, names):
    """Return which names would be written over no other one."""
    ranges = np.array([np.ptp(ax.get_xlim()), np.ptp(ax.get_ylim())])
    middles = middles / ranges * _style.size_in_points(ax)
    letters = np.array([len(name) for name in names])
    widths = 0.35 * _style.LABEL_SIZE * (letters[:, None] + letters)
    across, along = np.abs(middles[:, None] - middles).transpose(2, 0, 1)
    is_over = (across < widths) & (along < 1.3 * _style.LABEL_SIZE)
    return is_over.sum(axis=1) == 1  # each is over itself


def _named_levels(labels):
    """Return the name of each label's level, as an ordered category.

    Beyond the most that can be told apart, the rarest levels share a name.
    """
    levels = labels.astype("category").cat.remove_unused_categories()
    known = levels.cat.categories
    if len(known) > _MOST_LEVELS:
        frequent = levels.value_counts(sort=True).index[:_MOST_LEVELS]
        known = known[known.isin(frequent)]
    codes = known.get_indexer(pd.Index(labels))
    codes[codes < 0] = len(known)
    codes[labels.isna().to_numpy()] = len(known) + 1
    names = [*map(_level_name, known), _OTHERS, _MISSING]
    named = pd.Series(pd.Categorical.from_codes(codes, names, ordered=True))
    return named.cat.remove_unused_categories()


def _level_name(level):
    """Return how a level reads: whole numbers without a decimal point."""
    is_whole = isinstance(level, float) and level.is_integer()
    return str(int(level)) if is_whole else str(level)


def _title_of(labels):
    """Return what labels are called: unnamed ones nothing."""
    return "" if labels.name is None else str(labels.name)
