"""How the terms of the loss went down in training."""

from sklearn.utils.validation import check_is_fitted

from skvae.inspection import _style
from skvae.models._detector import AnomalyDetector
from skvae.selection._resolve import model_inside

_CURVES = {
    "train": {"color": _style.PALETTE[0], "label": "training rows"},
    "valid": {"color": _style.PALETTE[1], "label": "held-out rows"},
}
# What the legend takes, in points: its width in one row, the height of a row.
_LEGEND_WIDTH = 370
_LEGEND_ROW = 16
_ABBREVIATIONS = {"kl": "KL"}


class LossCurveDisplay:
    """The loss and each of its terms over the epochs of training.

    It is recommended to use :meth:`from_estimator` to create a `LossCurveDisplay`. All
    parameters are stored as attributes.

    The first panel has the loss, the others the terms that it is made of. During the
    warm-up, which is shaded, the training loss has smaller weights than in the end, so
    that it may rise; the loss on held-out rows always has the final weights.

    Parameters
    ----------
    history : DataFrame of shape (n_epochs, n_terms)
        Indexed by epoch. Columns ``train_...`` and ``valid_...`` are curves, one
        panel a term; in a column ``warmup``, a number below 1 is an epoch of the
        warm-up.

    best_epoch : int, default=None
        The epoch whose weights were kept. None marks none.

    stop_epoch : int, default=None
        The epoch after which training stopped before its time. None marks none.

    Attributes
    ----------
    lines_ : list of list of matplotlib Line2D
        The curves of each panel.

    warmup_ : list of matplotlib Rectangle
        The shaded span of each panel; empty without a warm-up.

    best_ : list of matplotlib Line2D
        The mark of the kept epoch in each panel; empty if `best_epoch` is None.

    stop_ : list of matplotlib Line2D
        The mark of an early stop in each panel; empty if there was none.

    axes_ : ndarray of matplotlib Axes of shape (n_panels,)
        The panels, that of the loss first.

    ax_ : matplotlib Axes
        The axes whose place the panels fill.

    figure_ : matplotlib Figure
        The figure that holds them.

    See Also
    --------
    LatentTraversalDisplay : What the latent factors of a trained model do.

    Examples
    --------
    >>> from skvae import BetaTCVAE
    >>> from skvae.datasets import make_credit_portfolio
    >>> from skvae.inspection import LossCurveDisplay
    >>> X = make_credit_portfolio(1000, random_state=0).data
    >>> model = BetaTCVAE(latent_dim=4, max_epochs=5, random_state=0).fit(X)
    >>> display = LossCurveDisplay.from_estimator(model)
    >>> [ax.get_title(loc="left") for ax in display.axes_]
    ['Loss', 'Reconstruction', 'KL', 'Total correlation']
    """

    def __init__(self, *, history, best_epoch=None, stop_epoch=None):
        self.history = history
        self.best_epoch = best_epoch
        self.stop_epoch = stop_epoch

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, line_kw=None):
        """Plot how a model was trained.

        Parameters
        ----------
        estimator : estimator
            A fitted model of skvae, or a Pipeline, search or detector with one inside.
            It may have collapsed. Of `MSVAE` it is the training of the second stage;
            pass its ``first_stage_`` for that of the first.

        ax : matplotlib Axes, default=None
            Its place is filled with panels, in a figure with ``layout="constrained"``
            as a rule. If None, a new figure is made.

        line_kw : dict, default=None
            Keywords passed to ``ax.plot`` for every curve.

        Returns
        -------
        display : LossCurveDisplay
            With the panels drawn.
        """
        check_is_fitted(estimator)
        if isinstance(estimator, AnomalyDetector):
            estimator = estimator.model_
        model = model_inside(estimator)
        check_is_fitted(model)
        history = model.history_
        is_early = len(history) < model.net_.max_epochs
        display = cls(
            history=history,
            best_epoch=model.best_epoch_,
            stop_epoch=int(history.index[-1]) if is_early else None,
        )
        return display.plot(ax, line_kw=line_kw)

    def plot(self, ax=None, *, line_kw=None):
        """Draw one panel for the loss and one for each of its terms.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Its place is filled with panels, in a figure with ``layout="constrained"``
            as a rule. If None, a new figure is made.

        line_kw : dict, default=None
            Keywords passed to ``ax.plot`` for every curve.

        Returns
        -------
        display : LossCurveDisplay
            Itself.
        """
        terms = _terms(self.history)
        per_row = 3 if len(terms) > 4 else min(len(terms), 2)
        n_rows = -(-len(terms) // per_row)
        if ax is None:
            ax = _style.new_axes(0.6 + 3.4 * per_row, 0.5 + 2.3 * n_rows)
        self.ax_, self.figure_ = ax, ax.figure
        width, height = _style.size_in_points(ax)
        legend_rows = 1 if width > _LEGEND_WIDTH else 2
        self.axes_, strip = _style.panel_grid(
            ax,
            len(terms),
            per_row,
            header=legend_rows * _LEGEND_ROW * n_rows / height,
            sharex=True,
        )
        self.lines_, self.warmup_, self.best_, self.stop_ = [], [], [], []
        for panel, (term, ax) in enumerate(zip(terms, self.axes_, strict=True)):
            _style.plain(ax)
            _style.title(ax, _words(term))
            ax.xaxis.get_major_locator().set_params(integer=True)
            ax.margins(x=0.02)
            self._shade_warmup(ax)
            self._mark_best(ax)
            self._mark_stop(ax)
            self.lines_.append(self._draw_curves(ax, term, line_kw))
            if panel % per_row == 0:
                ax.set_ylabel("Nats per row", fontsize=_style.LABEL_SIZE)
            if panel + per_row >= len(terms):
                ax.set_xlabel("Epoch", fontsize=_style.LABEL_SIZE)
            else:
                ax.tick_params(labelbottom=False)
        self.figure_.align_ylabels(self.axes_[::per_row])
        self._add_legend(strip, legend_rows)
        return self

    def _add_legend(self, strip, n_rows):
        """Explain the curves once, above all panels."""
        marks = [*self.lines_[0], *self.warmup_[:1], *self.best_[:1], *self.stop_[:1]]
        legend = strip.legend(
            handles=marks,
            loc="center left",
            borderpad=0,
            borderaxespad=0,
            ncols=-(-len(marks) // n_rows),
            frameon=False,
            fontsize=_style.LABEL_SIZE,
        )
        # The strip has the room; in the layout a wide legend would squeeze panels.
        legend.set_in_layout(False)

    def _draw_curves(self, ax, term, line_kw):
        # A single epoch is a point, which a line alone would not show.
        marker = {"marker": "o"} if len(self.history) == 1 else {}
        return [
            ax.plot(
                self.history.index,
                self.history[f"{rows}_{term}"],
                **_style.restyle({**look, **marker}, line_kw),
            )[0]
            for rows, look in _CURVES.items()
            if f"{rows}_{term}" in self.history
        ]

    def _shade_warmup(self, ax):
        if "warmup" not in self.history:
            return
        n_epochs = int((self.history["warmup"] < 1).sum())
        if n_epochs:
            first = self.history.index[0]
            span = (first - 0.5, first + n_epochs - 0.5)
            look = {"color": _style.SHADE, "linewidth": 0, "zorder": 0}
            self.warmup_.append(ax.axvspan(*span, label="warm-up", **look))

    def _mark_best(self, ax):
        if self.best_epoch is None:
            return
        label = f"epoch {self.best_epoch}, kept"
        look = {"color": _style.INK, "linewidth": 0.9, "linestyle": (0, (2, 2))}
        self.best_.append(ax.axvline(self.best_epoch, label=label, **look))

    def _mark_stop(self, ax):
        if self.stop_epoch is None:
            return
        label = f"epoch {self.stop_epoch}, stopped early"
        look = {"color": _style.QUIET, "linewidth": 0.9}
        self.stop_.append(ax.axvline(self.stop_epoch, label=label, **look))


def _terms(history):
    """Return the names of the terms, the loss first."""
    names = [
        name.split("_", 1)[1] for name in history if name.split("_", 1)[0] in _CURVES
    ]
    if not names:
        raise ValueError(
            "Expected history with columns named train_... or valid_..., got "
            f"{list(history)}."
        )
    names = list(dict.fromkeys(names))
    return sorted(names, key=lambda name: name != "loss")


def _words(term):
    """Return a term's name as a title."""
    words = [_ABBREVIATIONS.get(word, word) for word in term.split("_")]
    title = " ".join(words)
    return title[0].upper() + title[1:]
