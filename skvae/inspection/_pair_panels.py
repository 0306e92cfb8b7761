"""Pairs of rows of a table, and what lies between them, column by column."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from skvae.inspection import _style
from skvae.inspection._column_scales import column_scales

_PER_ROW = 3
# Two rows of the legend, in points.
_LEGEND_HEIGHT = 32
# Heights in inches: of a column's line, and of what is around the lines of a panel.
_LINE_HEIGHT, _AROUND = 0.27, 0.6
_MARKERS = ("D", "v", "^")


@dataclass(frozen=True)
class PairPanels:
    """A panel for each pair of rows, in it a line for each column.

    Parameters
    ----------
    titles : list of str
        Which rows make each pair.

    places : dict of str to ndarray of shape (n_pairs, n_columns)
        Where cells lie between low and high: of the two rows, "content" and "detail",
        then of what is between them.

    scales : dict of name to ColumnScale
        Of the columns.
    """

    titles: list
    places: dict
    scales: dict

    @classmethod
    def of(cls, content, detail, mixtures, scales=None):
        """Return the panels of pairs of rows, without columns that are constant.

        Parameters
        ----------
        content, detail : DataFrame or array-like of shape (n_pairs, n_features)
            The rows of the pairs.

        mixtures : dict of str to DataFrame or array-like of that shape
            What is between them.

        scales : dict of name to ColumnScale, default=None
            What is low and high in each column. None takes the least and the largest.

        Returns
        -------
        pairs : PairPanels
            With all columns that vary.
        """
        tables = {"content": content, "detail": detail, **mixtures}
        tables = {name: pd.DataFrame(table) for name, table in tables.items()}
        if scales is None:
            scales = column_scales(tables.values(), (0, 1))
        scales = {name: own for name, own in scales.items() if not own.is_constant}
        places = {
            name: np.column_stack([own.places(table[c]) for c, own in scales.items()])
            for name, table in tables.items()
        }
        pairs = zip(tables["content"].index, tables["detail"].index, strict=True)
        return cls([f"Row {i} with {j}" for i, j in pairs], places, scales)

    def most_apart(self, n_columns):
        """Return the panels with those columns in which pairs differ most."""
        apart = np.abs(self.places["content"] - self.places["detail"])
        distance = np.nan_to_num(apart).mean(axis=0)
        shown = np.argsort(-distance, kind="stable")[:n_columns]
        names = list(self.scales)
        return replace(
            self,
            places={name: rows[:, shown] for name, rows in self.places.items()},
            scales={names[j]: self.scales[names[j]] for j in shown},
        )

    def new_axes(self):
        """Return axes in a new figure that has room for all."""
        n_rows = -(-len(self.titles) // _PER_ROW)
        n_columns = min(len(self.titles), _PER_ROW)
        tall = n_rows * (_AROUND + _LINE_HEIGHT * len(self.scales))
        return _style.new_axes(2.9 + 2.2 * n_columns, _AROUND + tall)

    def draw(self, ax, words, line_kw=None):
        """Fill the place of `ax` with the panels.

        Parameters
        ----------
        ax : matplotlib Axes
            Its place is what the panels get.

        words : list of str
            What the marks are called in the legend, in the order of `places`.

        line_kw : dict, default=None
            Keywords passed to ``ax.plot`` for every mark.

        Returns
        -------
        axes : ndarray of matplotlib Axes of shape (n_pairs,)
            The panels.

        marks : list of dict of str to matplotlib Line2D
            In each panel, by the names in `places`.

        legend : matplotlib Legend
            Of the marks.
        """
        per_row = min(len(self.titles), _PER_ROW)
        n_rows = -(-len(self.titles) // per_row)
        header = _LEGEND_HEIGHT * n_rows / _style.size_in_points(ax)[1]
        axes, strip = _style.panel_grid(
            ax, len(self.titles), per_row, header=header, sharex=True, sharey=True
        )
        marks = []
        for panel, ax in enumerate(axes):
            marks.append(self._draw_marks(ax, panel, words, line_kw))
            self._dress(ax, panel, is_first=panel % per_row == 0)
            if (panel + 1) % per_row == 0 or panel + 1 == len(axes):
                self._write_ranges(ax)
        legend = strip.legend(
            handles=list(marks[0].values()),
            loc="center left",
            borderpad=0,
            borderaxespad=0,
            ncols=-(-len(self.places) // 2),
            frameon=False,
            fontsize=_style.LABEL_SIZE,
        )
        # The strip has the room; in the layout a wide legend would squeeze panels.
        legend.set_in_layout(False)
        return axes, marks, legend

    def _draw_marks(self, ax, panel, words, line_kw):
        """Draw a line for each column from one row to the other, and all marks."""
        places = {name: rows[panel] for name, rows in self.places.items()}
        rows = np.arange(len(self.scales))
        ends = places["content"], places["detail"]
        ax.hlines(rows, *ends, color=_style.SHADE, linewidth=2.5, zorder=1)
        return {
            name: ax.plot(
                places[name],
                rows + shift,
                **_style.restyle({"linestyle": "none", "label": word, **look}, line_kw),
            )[0]
            for name, word, (look, shift) in zip(
                places, words, _looks(len(places) - 2), strict=True
            )
        }

    def _dress(self, ax, panel, is_first):
        _style.plain(ax)
        _style.title(ax, self.titles[panel])
        ax.spines["left"].set_visible(False)
        ax.set_xlim(-0.12, 1.12)
        ax.set_ylim(len(self.scales) - 0.4, -0.6)
        ax.set_xticks([0, 1], ["low", "high"])
        ax.grid(axis="x", color=_style.SHADE)
        names = [_style.short(name) for name in self.scales]
        ax.set_yticks(range(len(names)), names)
        ax.tick_params(axis="y", length=0, labelleft=is_first)

    def _write_ranges(self, ax):
        """Say to the right of a panel what is low and high in each column."""
        for row, scale in enumerate(self.scales.values()):
            ax.annotate(
                scale.text,
                (1.02, row),
                xycoords=ax.get_yaxis_transform(),
                va="center",
                fontsize=_style.LABEL_SIZE,
                color=_style.QUIET,
                annotation_clip=False,
            )


def _looks(n_between):
    """Return looks and vertical shifts of the marks, of the two rows first.

    Those are hollow, so that others are seen in them, which stand side by side.
    """
    looks = [(_hollow("o", _style.INK), 0.0), (_hollow("s", _style.QUIET), 0.0)]
    shifts = np.linspace(-0.17, 0.17, n_between) if n_between > 1 else [0.0]
    for number, shift in enumerate(shifts[:n_between]):
        look = {
            "marker": _MARKERS[number % len(_MARKERS)],
            "color": _style.PALETTE[number % len(_style.PALETTE)],
            "markersize": 4.5,
            "zorder": 3,
        }
        looks.append((look, shift))
    return looks


def _hollow(marker, color):
    return {
        "marker": marker,
        "color": color,
        "markersize": 10,
        "markerfacecolor": "none",
        "markeredgewidth": 1.3,
        "zorder": 2,
    }
