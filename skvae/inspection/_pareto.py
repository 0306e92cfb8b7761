"""Fidelity against disentanglement over a search, and the front between them."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, validate_params

from skvae._core.search_results import fold_scores
from skvae.inspection import _style
from skvae.inspection._search_settings import (
    find_parameters,
    group_settings,
    names_of,
    plain_names,
    score_label,
    setting_looks,
    setting_table,
    spread_of,
    text_of_value,
    text_of_values,
    varying,
)
from skvae.selection import pareto_front

_MARKERS = ("o", "s", "^", "D")
_BEATEN_ALPHA = 0.4
_MOST_LEGEND_COLUMNS = 6


class ParetoDisplay:
    """Scatter of the settings of a search by two scores, with their Pareto front.

    It is recommended to use :meth:`from_cv_results` to create a `ParetoDisplay`. All
    parameters are stored as attributes.

    A setting is on the front if no other is as good in both scores and better in one.
    The front is a step line, whose corners are labelled; settings beaten by others are
    pale. Bars reach one standard deviation over folds (``ddof=1``) to either side of
    the mean.

    Parameters
    ----------
    settings : DataFrame of shape (n_settings, n_parameters)
        The parameters of each setting, indexed by its position in the search.

    means : DataFrame of shape (n_settings, 2)
        The mean of each score over folds. The names of its columns label the axes. NaN
        is a failed fit, which is not shown.

    sds : DataFrame of shape (n_settings, 2)
        The standard deviation of each score over folds, NaN if there is a single one.

    front : array-like of int
        The positions of the settings on the front.

    hue : tuple of str, default=()
        The names of the parameters that points are coloured by.

    chosen : int, default=None
        The position of the setting to mark. None marks none.

    Attributes
    ----------
    points_ : list of matplotlib PathCollection
        The points, those of each value of `hue` together.

    errorbars_ : list of matplotlib ErrorbarContainer
        Their bars; empty if there is a single fold.

    front_ : matplotlib Line2D
        The front.

    chosen_ : matplotlib PathCollection or None
        The ring around the chosen setting.

    labels_ : list of matplotlib Annotation
        The parameters of the settings on the front and of the chosen one, as far as
        they vary in the search.

    legend_ : matplotlib Legend or None
        The values of `hue`, if there is any.

    ax_ : matplotlib Axes
        The axes with the points.

    figure_ : matplotlib Figure
        The figure that holds them.

    See Also
    --------
    ScoreCurveDisplay : A score of a search against one of its parameters.
    skvae.selection.pareto_front : The settings on the front as a table.
    skvae.selection.one_standard_error_rule : Chooses one of them.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.inspection import ParetoDisplay
    >>> results = {
    ...     "params": [{"beta": 1}, {"beta": 4}, {"beta": 10}],
    ...     "split0_test_fidelity": np.array([0.82, 0.73, 0.61]),
    ...     "split1_test_fidelity": np.array([0.80, 0.71, 0.57]),
    ...     "split0_test_mig": np.array([0.10, 0.45, 0.35]),
    ...     "split1_test_mig": np.array([0.12, 0.41, 0.30]),
    ... }
    >>> display = ParetoDisplay.from_cv_results(results, "fidelity", "mig", chosen=1)
    >>> display.front.tolist()
    [0, 1]
    >>> [label.get_text() for label in display.labels_]
    ['beta 1', 'chosen: beta 4']
    """

    def __init__(self, *, settings, means, sds, front, hue=(), chosen=None):
        self.settings = settings
        self.means = means
        self.sds = sds
        self.front = front
        self.hue = hue
        self.chosen = chosen

    @classmethod
    @validate_params(
        {
            "cv_results": [dict],
            "fidelity": [str],
            "disentanglement": [str],
            "hue": [str, tuple, list, None],
            "chosen": [Interval(Integral, 0, None, closed="left"), None],
        },
        prefer_skip_nested_validation=True,
    )
    def from_cv_results(
        cls, cv_results, fidelity, disentanglement, *, hue=None, chosen=None, ax=None
    ):
        """Plot the settings of a search by two of its scores.

        Parameters
        ----------
        cv_results : dict of str to array
            The ``cv_results_`` of a search over several scores.

        fidelity : str
            The name of the score along the x-axis, of which greater is better.

        disentanglement : str
            The name of the score along the y-axis, of which greater is better.

        hue : str or tuple of str, default=None
            The names of parameters to colour points by. In a Pipeline, both
            ``"betatcvae__beta"`` and ``"beta"`` will do.

        chosen : int, default=None
            The position of the setting to mark, such as ``search.best_index_``.

        ax : matplotlib Axes, default=None
            Where to plot. If None, a new figure is made.

        Returns
        -------
        display : ParetoDisplay
            With the points drawn.

        Raises
        ------
        ValueError
            If there is no such score or parameter, if both scores are the same one, if
            no setting has both, or if the chosen one has not.
        """
        if fidelity == disentanglement:
            raise ValueError(f"Got {fidelity!r} twice; expected two different scores.")
        settings = setting_table(cv_results)
        hue = find_parameters(settings, names_of(hue))
        folds = {
            name: pd.DataFrame(fold_scores(cv_results, name))
            for name in (fidelity, disentanglement)
        }
        means = {name: part.mean(axis=1, skipna=False) for name, part in folds.items()}
        means = pd.DataFrame(means)
        _check_known(means, chosen)
        names = plain_names(settings)
        display = cls(
            settings=settings.rename(columns=names),
            means=means,
            sds=pd.DataFrame({name: spread_of(part) for name, part in folds.items()}),
            front=pareto_front(cv_results, fidelity, disentanglement).index.to_numpy(),
            hue=tuple(names[name] for name in hue),
            chosen=chosen,
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw the points, the front, and the labels of what is on it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot. If None, a new figure is made.

        Returns
        -------
        display : ParetoDisplay
            Itself.
        """
        if ax is None:
            ax = _style.new_axes(6.4, 4.4)
        self.ax_, self.figure_ = ax, ax.figure
        self._draw_points()
        self.front_ = self._draw_front()
        self.chosen_ = None if self.chosen is None else self._mark_chosen()
        self._dress()
        self.legend_ = self._add_legend() if self.hue else None
        # Labels come last: they need limits that stay.
        self.labels_ = self._add_labels()
        return self

    def _draw_points(self):
        from matplotlib.colors import to_rgba_array

        self.points_, self.errorbars_ = [], []
        known = self.settings[self.means.notna().all(axis=1)]
        groups = group_settings(known, self.hue)
        looks = setting_looks(groups, "marker", _MARKERS)
        for key, rows in groups.items():
            x, y = self.means.loc[rows].to_numpy().T
            color, marker = looks[key]["color"], looks[key]["marker"]
            alpha = np.where(np.isin(rows, self.front), 1, _BEATEN_ALPHA)
            look = {"s": 34, "linewidths": 0, "zorder": 3, "marker": marker}
            look |= {"color": to_rgba_array(color, alpha), "label": text_of_values(key)}
            self.points_.append(self.ax_.scatter(x, y, **look))
            self._draw_bars(x, y, self.sds.loc[rows], color)

    def _draw_bars(self, x, y, sds, color):
        if sds.notna().any(axis=None):
            x_sd, y_sd = sds.to_numpy().T
            look = {"fmt": "none", "ecolor": color, "elinewidth": 0.8, "alpha": 0.35}
            self.errorbars_.append(self.ax_.errorbar(x, y, y_sd, x_sd, **look))

    def _draw_front(self):
        """Join the front by the edge of what it beats."""
        corners = self.means.loc[self.front].sort_values(self.means.columns[0])
        look = {"color": _style.QUIET, "linewidth": 1.2, "zorder": 2}
        return self.ax_.plot(*corners.to_numpy().T, drawstyle="steps-pre", **look)[0]

    def _mark_chosen(self):
        look = {"facecolors": "none", "edgecolors": _style.INK, "linewidths": 1.4}
        return self.ax_.scatter(*self.means.loc[self.chosen], s=120, zorder=4, **look)

    def _dress(self):
        ax = self.ax_
        _style.plain(ax)
        ax.grid(color=_style.SHADE)
        ax.set_axisbelow(True)
        for score, set_label in zip(
            self.means, (ax.set_xlabel, ax.set_ylabel), strict=True
        ):
            label = score_label(score, has_spread=bool(self.errorbars_))
            set_label(label, fontsize=_style.LABEL_SIZE)

    def _add_legend(self):
        legend = self.ax_.legend(
            title=", ".join(map(_style.short, self.hue)),
            alignment="left",
            loc="lower left",
            bbox_to_anchor=(0, 1.01),
            borderaxespad=0,
            borderpad=0,
            columnspacing=1.2,
            handletextpad=0.2,
            ncols=_MOST_LEGEND_COLUMNS,
            frameon=False,
            fontsize=_style.LABEL_SIZE,
            title_fontsize=_style.LABEL_SIZE,
        )
        for handle in legend.legend_handles:
            handle.set_alpha(1)
        return legend

    def _add_labels(self):
        """Write what is on the front to its right, where no setting can be in the way.

        Above and to the right of the front there is nothing, so that the lines that
        lead to the labels cross bars at most.
        """
        ax = self.ax_
        low, high = ax.get_ylim()
        gap = 1.4 * _style.LABEL_SIZE / _style.size_in_points(ax)[1] * (high - low)
        shown = list(self.front)
        if self.chosen is not None and self.chosen not in shown:
            shown.append(self.chosen)
        ends = self.means.loc[shown].to_numpy()
        heights = _style.spread_apart(ends[:, 1], gap, low, high)
        return [
            ax.annotate(
                self._text_of(setting),
                end,
                (1.05, height),
                textcoords=ax.get_yaxis_transform(),
                va="center",
                color=_style.INK,
                fontsize=_style.LABEL_SIZE,
                fontweight="bold" if setting == self.chosen else "normal",
                annotation_clip=False,
                arrowprops={
                    "arrowstyle": "-",
                    "color": _style.QUIET,
                    "linewidth": 0.6,
                    "relpos": (0, 0.5),
                    "shrinkA": 2,
                    "shrinkB": 5,
                },
            )
            for setting, end, height in zip(shown, ends, heights, strict=True)
        ]

    def _text_of(self, setting):
        """Return the parameters of a setting in which it differs from others."""
        names = varying(self.settings) or list(self.settings)
        values = self.settings.loc[setting, names]
        text = ", ".join(
            f"{_style.short(name)} {text_of_value(value)}"
            for name, value in values.items()
        )
        return f"chosen: {text}" if setting == self.chosen else text


def _check_known(means, chosen):
    """Raise if nothing can be shown, or if the chosen setting can not."""
    known = means.index[means.notna().all(axis=1)]
    fidelity, disentanglement = means
    if known.empty:
        raise ValueError(
            f"No setting has both scores {fidelity!r} and {disentanglement!r}; "
            "expected at least one whose fits succeeded."
        )
    if chosen is not None and chosen not in known:
        raise ValueError(
            f"Got chosen={chosen}; expected the position of one of {len(means)} "
            "settings, whose fits succeeded."
        )
