"""Columns while a latent moves, with a line for each of several betas."""

import numpy as np

from skvae._core.activity import ACTIVE_KL
from skvae.inspection import _style

RHO = "\N{GREEK SMALL LETTER RHO}"
_PER_ROW = 3
# What an entry of the legend takes, in points, and the height of its row.
_ENTRY_WIDTH, _ENTRY_HEIGHT = 88, 15
# The last fifth of the colour map is too pale for a line on white.
_COLOUR_MAP, _PALEST = "viridis", 0.82


class ColumnsOverBeta:
    """A panel for each column, in it a line for each model.

    Parameters
    ----------
    display : BetaTraversalDisplay
        What its ``values``, ``traversals``, ``matches``, ``spread``, ``quantiles`` and
        ``probabilities`` are.

    standardize : bool
        Whether to draw changes as shares of the columns' spread, on one y-axis.

    names : list, default=None
        The columns to draw. None draws all.
    """

    def __init__(self, display, standardize, names=None):
        self.display = display
        self.standardize = standardize
        self.names = list(display.spread.index) if names is None else names

    def furthest(self, n_columns):
        """Return panels of the columns that move furthest in any of the models."""
        traversals, spread = self.display.traversals, self.display.spread
        distance = np.max([np.ptp(own, axis=0) for own in traversals], axis=0)
        share = np.nan_to_num(distance / spread.to_numpy())
        names = spread.index[np.argsort(-share, kind="stable")[:n_columns]]
        return ColumnsOverBeta(self.display, self.standardize, list(names))

    def new_axes(self):
        """Return axes in a new figure that has room for all."""
        n_rows = -(-len(self.names) // _PER_ROW)
        n_columns = min(len(self.names), _PER_ROW)
        return _style.new_axes(0.9 + 2.9 * n_columns, 0.6 + 2.2 * n_rows)

    def draw(self, ax, line_kw=None):
        """Fill the place of `ax` with the panels.

        Parameters
        ----------
        ax : matplotlib Axes
            Its place is what the panels get.

        line_kw : dict, default=None
            Keywords passed to ``ax.plot`` for every line.

        Returns
        -------
        axes : ndarray of matplotlib Axes of shape (n_panels,)
            The panels.

        lines : list of list of matplotlib Line2D
            Those of each panel, by growing beta.

        legend : matplotlib Legend
            Of the lines.
        """
        per_row = min(len(self.names), _PER_ROW)
        width, height = _style.size_in_points(ax)
        n_models = len(self.display.matches)
        legend_columns = min(max(1, int(width / _ENTRY_WIDTH)), n_models)
        legend_rows = -(-n_models // legend_columns)
        n_rows = -(-len(self.names) // per_row)
        axes, strip = _style.panel_grid(
            ax,
            len(self.names),
            per_row,
            header=legend_rows * _ENTRY_HEIGHT * n_rows / height,
            sharex=True,
            sharey=self.standardize,
        )
        lines = []
        for panel, (name, ax) in enumerate(zip(self.names, axes, strict=True)):
            lines.append(self._draw_column(ax, name, line_kw))
            self._dress(ax, name, is_first=panel % per_row == 0)
            if panel + per_row >= len(axes):
                ax.set_xlabel("Latent value (prior sd)", fontsize=_style.LABEL_SIZE)
            else:
                ax.tick_params(labelbottom=False)
        legend = strip.legend(
            handles=lines[0],
            loc="center left",
            borderpad=0,
            borderaxespad=0,
            ncols=legend_columns,
            columnspacing=1,
            handlelength=1.5,
            frameon=False,
            fontsize=_style.LABEL_SIZE,
        )
        # The strip has the room; in the layout a wide legend would squeeze panels.
        legend.set_in_layout(False)
        return axes, lines, legend

    def _draw_column(self, ax, name, line_kw):
        """Draw one column in each model, those of small beta on top."""
        display = self.display
        order = np.argsort(display.matches["beta"], kind="stable")
        lines = []
        for color, model in zip(_colors(len(order)), order, strict=True):
            match, column = display.matches.iloc[model], display.traversals[model][name]
            if self.standardize:
                column = column - np.interp(0, display.values, column)
                column = column / display.spread[name]
            look = {
                "color": color,
                "linestyle": "-" if match["kl"] > ACTIVE_KL else (0, (4, 2)),
                "linewidth": 1.7,
                "zorder": 3 - len(lines) / len(order),
                "label": f"β = {match['beta']:g}  "
                f"({RHO} {abs(match['correlation']):.2f})",
            }
            lines += ax.plot(display.values, column, **_style.restyle(look, line_kw))
        return lines

    def _dress(self, ax, name, is_first):
        _style.plain(ax)
        _style.title(ax, _style.short(name))
        ax.grid(axis="y", color=_style.SHADE)
        small = {"fontsize": _style.LABEL_SIZE}
        if self.standardize:
            ax.axhline(0, color=_style.QUIET, linewidth=0.8, zorder=1)
            ax.tick_params(labelleft=is_first)
            if is_first:
                ax.set_ylabel(f"Change of the column\n({self._unit()})", **small)
        else:
            ax.yaxis.set_major_formatter("{x:,.10g}")
            if name in self.display.probabilities:
                ax.set_ylabel("Probability", **small)

    def _unit(self):
        """Return in what units standardised changes are."""
        lower, upper = (f"{100 * quantile:g}" for quantile in self.display.quantiles)
        share = f"share of its {lower} to {upper} % range"
        has_probability = not set(self.names).isdisjoint(self.display.probabilities)
        return f"{share},\nor probability" if has_probability else share


def _colors(n_models):
    """Return a colour for each model, the first of them darkest."""
    from matplotlib import colormaps

    return colormaps[_COLOUR_MAP](np.linspace(0, _PALEST, n_models))
