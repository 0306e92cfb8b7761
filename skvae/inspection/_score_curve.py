"""How a score changes with one parameter of a search."""

from numbers import Real

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import validate_params

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

_DASHES = ("-", "--", ":", "-.")
# A log scale is for values that are further apart than this factor.
_LOG_FACTOR = 10
# Values get a tick each if they are as few as this, and so far apart, as a share of
# the axis.
_MOST_TICKS = 9
_TICK_GAP = 0.05


class ScoreCurveDisplay:
    """Mean score of a search against one parameter, a line for each setting.

    It is recommended to use :meth:`from_cv_results` to create a `ScoreCurveDisplay`.
    All parameters are stored as attributes.

    Bands reach one standard deviation over folds (``ddof=1``) to either side of the
    mean. A line has a gap where a fit failed.

    Parameters
    ----------
    curves : dict of tuple to DataFrame of shape (n_values, 2)
        For each setting, which is a tuple of the values of `hue`, the columns
        ``"mean"`` and ``"sd"`` of the score, indexed by the values of `x`. NaN is a
        failed fit or, in ``"sd"`` alone, a search with a single fold.

    score : str
        The name of the score, on the y-axis.

    x : str
        The name of the parameter on the x-axis.

    hue : tuple of str, default=()
        The names of the parameters that a line is for, in the legend.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The line of each setting.

    bands_ : list of matplotlib PolyCollection
        The band of each setting; empty if there is a single fold.

    legend_ : matplotlib Legend or None
        The values of `hue`, if there is any.

    ax_ : matplotlib Axes
        The axes with the lines.

    figure_ : matplotlib Figure
        The figure that holds them.

    See Also
    --------
    ParetoDisplay : Two scores of a search against each other.
    skvae.selection.beta_threshold : From which beta on a score only fluctuates.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skvae import BetaTCVAE
    >>> from skvae.datasets import make_credit_portfolio
    >>> from skvae.inspection import ScoreCurveDisplay
    >>> X = make_credit_portfolio(300, random_state=0).data
    >>> model = BetaTCVAE(max_epochs=2, random_state=0)
    >>> grid = {"beta": [1, 4, 16], "latent_dim": [2, 4]}
    >>> search = GridSearchCV(model, grid, cv=2, refit=False).fit(X)
    >>> display = ScoreCurveDisplay.from_cv_results(
    ...     search.cv_results_, x="beta", hue="latent_dim"
    ... )

    Betas that span more than a factor of ten are on a log scale:

    >>> display.ax_.get_xscale()
    'log'

    The numbers behind the lines are a DataFrame for each setting:

    >>> list(display.curves)
    [(2,), (4,)]
    >>> display.curves[2,].index.tolist()
    [1, 4, 16]
    """

    def __init__(self, *, curves, score, x, hue=()):
        self.curves = curves
        self.score = score
        self.x = x
        self.hue = hue

    @classmethod
    @validate_params(
        {
            "cv_results": [dict],
            "score": [str],
            "x": [str],
            "hue": [str, tuple, list, None],
            "line_kw": [dict, None],
        },
        prefer_skip_nested_validation=True,
    )
    def from_cv_results(
        cls, cv_results, *, score="score", x="beta", hue=None, ax=None, line_kw=None
    ):
        """Plot a score of a search against one of its parameters.

        Parameters
        ----------
        cv_results : dict of str to array
            The ``cv_results_`` of a search. Settings that lack `x`, which a list of
            grids may have, are left out. If a setting was tried more than once, as in
            a halving search, its last scores are shown.

        score : str, default="score"
            The name of the score, where there are several.

        x : str, default="beta"
            The name of a parameter whose values are numbers. In a Pipeline, both
            ``"betatcvae__beta"`` and ``"beta"`` will do.

        hue : str or tuple of str, default=None
            The names of all other parameters that the search varies, such as
            ``("latent_dim", "lr")``. The first determines a line's colour, the others
            its dashes, as far as colours and dashes go.

        ax : matplotlib Axes, default=None
            Where to plot. If None, a new figure is made.

        line_kw : dict, default=None
            Keywords passed to ``ax.plot`` for every line.

        Returns
        -------
        display : ScoreCurveDisplay
            With the lines drawn.

        Raises
        ------
        ValueError
            If there is no such score or parameter, if a parameter could be one of
            several, if `x` has values that are no numbers, or if a parameter varies
            that is neither `x` nor in `hue`.
        """
        settings = setting_table(cv_results)
        x, *hue = find_parameters(settings, [x, *names_of(hue)])
        folds = pd.DataFrame(fold_scores(cv_results, score))
        settings = settings[settings[x].notna()]
        _check_numbers(settings[x], x)
        _check_nothing_else_varies(settings, x, hue)
        scores = pd.DataFrame(
            {"mean": folds.mean(axis=1, skipna=False), "sd": spread_of(folds)}
        )
        names = plain_names(settings)
        display = cls(
            curves=_curves(settings, scores, x, hue),
            score=score,
            x=names[x],
            hue=tuple(names[name] for name in hue),
        )
        return display.plot(ax, line_kw=line_kw)

    def plot(self, ax=None, *, line_kw=None):
        """Draw a line and a band for each setting.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot. If None, a new figure is made.

        line_kw : dict, default=None
            Keywords passed to ``ax.plot`` for every line.

        Returns
        -------
        display : ScoreCurveDisplay
            Itself.
        """
        if ax is None:
            ax = _style.new_axes(6.4 if self.hue else 5.2, 3.6)
        self.ax_, self.figure_ = ax, ax.figure
        self.lines_, self.bands_ = [], []
        looks = setting_looks(self.curves, "linestyle", _DASHES)
        for key, curve in self.curves.items():
            look = {"marker": "o", "markersize": 3.5, "linewidth": 1.4, **looks[key]}
            look["label"] = text_of_values(key)
            self._draw_curve(curve, _style.restyle(look, line_kw))
        self._dress()
        self.legend_ = self._add_legend() if self.hue else None
        return self

    def _draw_curve(self, curve, look):
        (line,) = self.ax_.plot(curve.index, curve["mean"], **look)
        self.lines_.append(line)
        if curve["sd"].notna().any():
            low, high = curve["mean"] - curve["sd"], curve["mean"] + curve["sd"]
            color = line.get_color()
            band = self.ax_.fill_between(
                curve.index, low, high, color=color, alpha=0.12, linewidth=0
            )
            self.bands_.append(band)

    def _dress(self):
        ax = self.ax_
        _style.plain(ax)
        ax.grid(axis="y", color=_style.SHADE)
        ax.set_axisbelow(True)
        values = np.unique(np.concatenate([c.index for c in self.curves.values()]))
        _scale_to(ax, values.astype(float))
        ax.set_xlabel(self.x, fontsize=_style.LABEL_SIZE)
        label = score_label(self.score, has_spread=bool(self.bands_))
        ax.set_ylabel(label, fontsize=_style.LABEL_SIZE)

    def _add_legend(self):
        return self.ax_.legend(
            handles=self.lines_,
            title=", ".join(map(_style.short, self.hue)),
            alignment="left",
            loc="upper left",
            bbox_to_anchor=(1.02, 1),
            borderaxespad=0,
            handlelength=2.6,
            frameon=False,
            fontsize=_style.LABEL_SIZE,
            title_fontsize=_style.LABEL_SIZE,
        )


def _check_numbers(values, x):
    others = [v for v in values if not isinstance(v, Real)]
    if others:
        raise ValueError(f"Got x={x!r} with the value {others[0]!r}; expected numbers.")


def _check_nothing_else_varies(settings, x, hue):
    """Raise if a point would stand for settings that differ in other parameters."""
    others = [name for name in varying(settings) if name not in (x, *hue)]
    if others:
        names = plain_names(settings)
        expected = tuple(names[name] for name in (*hue, *others))
        raise ValueError(
            f"The search varies {', '.join(others)}, too; expected all that varies "
            f"but x={names[x]!r} in hue, as in hue={expected!r}."
        )


def _curves(settings, scores, x, hue):
    """Return mean and sd of a score along x, for each setting of the others."""
    curves = {}
    for key, mine in group_settings(settings, hue).items():
        curve = scores.loc[mine].set_index(pd.Index(settings.loc[mine, x].tolist()))
        curve = curve[~curve.index.duplicated(keep="last")]
        curves[key] = curve.sort_index()
    return curves


def _scale_to(ax, values):
    """Choose scale and ticks of the x-axis for the values that were tried."""
    is_log = values[0] > 0 and values[-1] > _LOG_FACTOR * values[0]
    if is_log:
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.tick_params(which="minor", color=_style.QUIET)
    places = np.log(values) if is_log else values
    gaps = np.diff(places) / max(np.ptp(places), np.finfo(float).tiny)
    if len(values) <= _MOST_TICKS and (gaps >= _TICK_GAP).all():
        ax.set_xticks(values, [text_of_value(value) for value in values])
        ax.minorticks_off()
