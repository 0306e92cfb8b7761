"""What becomes of a table's columns, or of an image, while one latent factor moves."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

from skvae.inspection import _style
from skvae.inspection._factor_paths import FactorPaths
from skvae.inspection._image_gallery import (
    ImageGallery,
    image_shape_of,
    pixel_limits,
    signed,
)
from skvae.inspection._validation import check_not_collapsed, check_quantiles
from skvae.selection._resolve import resolve

_PANELS_PER_ROW = 3

_PLOT_CONSTRAINTS = {
    "n_columns": [Interval(Integral, 1, None, closed="left")],
    "standardize": ["boolean"],
    "line_kw": [dict, None],
    "im_kw": [dict, None],
}


class LatentTraversalDisplay:
    """Traversals of the latent factors: what each of them does to the columns.

    It is recommended to use :meth:`from_estimator` to create a
    `LatentTraversalDisplay`. All parameters are stored as attributes.

    Each panel moves one factor while the others stay as they are, and shows the
    columns that follow it furthest, each in units of its own spread, as they change
    from where they are at the factor's median. All panels have one y-axis, so that a
    weak factor looks weak, and a column has the same colour in each of them.

    Dates and durations are numbers in this. Of a column of booleans the line is the
    probability that one is true, and of a column of categories that of the level which
    the factor moves most, as in ``"EDUCATION = 2"``. A probability is drawn as it is:
    all there is of it goes from 0 to 1, as does a number's share of its spread.

    Of images there is a row for each factor, in which a single image changes.

    Parameters
    ----------
    traversals : dict of str to DataFrame of shape (n_steps, n_features) or to ndarray
        For each factor the change of every column, indexed by the factor's value. A
        column of categories is named with its level. Of images these themselves, of
        shape (n_steps, channels, height, width).

    quantiles : tuple of two floats, default=(0.05, 0.95)
        The quantiles of a column whose distance is the unit of its change.

    kl : dict of str to float, default=None
        KL of each factor to the prior in nats, shown beside its name.

    probabilities : sequence of str, default=()
        Names in `traversals` whose change is that of a probability. Where one of them
        is drawn, the y-axis says so.

    spread : Series of shape (n_features,), default=None
        The unit of each change in the column's own units: 1 of a probability. Without
        it columns cannot be drawn in these.

    reach : float, default=None
        How far factors go to either side, in standard deviations of the prior. None
        where they go between the quantiles of their codes.

    limits : tuple of two floats, default=None
        The pixels that are black and white, of images.

    Attributes
    ----------
    lines_ : list of list of matplotlib Line2D
        The lines of each panel, the column that moves most first; empty for images.

    labels_ : list of list of matplotlib Annotation
        Their labels.

    im_ : matplotlib AxesImage or None
        All images, as one mosaic.

    axes_ : ndarray of matplotlib Axes of shape (n_factors,)
        The panels, or the one axes of the images.

    ax_ : matplotlib Axes
        The axes whose place the panels fill.

    figure_ : matplotlib Figure
        The figure that holds them.

    See Also
    --------
    factor_effects : The same between two values of the factor, for all columns.
    BetaTraversalDisplay : One factor in models of different betas.
    MutualInformationDisplay : How much each factor knows of each column.

    Examples
    --------
    >>> from skvae import BetaTCVAE
    >>> from skvae.datasets import make_credit_portfolio
    >>> from skvae.inspection import LatentTraversalDisplay
    >>> X = make_credit_portfolio(1000, random_state=0).data
    >>> model = BetaTCVAE(latent_dim=4, max_epochs=5, random_state=0).fit(X)
    >>> display = LatentTraversalDisplay.from_estimator(model, X, n_columns=3)

    Each panel has its own columns, those that follow the factor furthest:

    >>> [label.get_text()[:-1] for label in display.labels_[0]]
    ['BILL_AMT', 'BILL_AMT', 'BILL_AMT']

    The numbers behind the lines are a DataFrame for each factor:

    >>> {change.shape for change in display.traversals.values()}
    {(41, 23)}
    """

    def __init__(
        self,
        *,
        traversals,
        quantiles=(0.05, 0.95),
        kl=None,
        probabilities=(),
        spread=None,
        reach=None,
        limits=None,
    ):
        self.traversals = traversals
        self.quantiles = quantiles
        self.kl = kl
        self.probabilities = probabilities
        self.spread = spread
        self.reach = reach
        self.limits = limits

    @classmethod
    @validate_params(
        {
            "factors": ["array-like", None],
            "rows": ["array-like", None],
            "n_steps": [Interval(Integral, 2, None, closed="left"), None],
            "quantiles": ["array-like"],
            "reach": [Interval(Real, 0, None, closed="neither"), None],
            "max_rows": [Interval(Integral, 1, None, closed="left")],
            "random_state": ["random_state"],
            **_PLOT_CONSTRAINTS,
        },
        prefer_skip_nested_validation=True,
    )
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        factors=None,
        rows=None,
        n_steps=None,
        quantiles=(0.05, 0.95),
        reach=None,
        max_rows=200,
        random_state=0,
        n_columns=5,
        standardize=True,
        ax=None,
        line_kw=None,
        im_kw=None,
    ):
        """Traverse the latent factors of a fitted model and plot what columns do.

        Parameters
        ----------
        estimator : estimator
            A fitted model of skvae, or a Pipeline or search with one inside. Columns
            are then as the model sees them.

        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows as the estimator takes them, the training rows as a rule. They
            determine how far a factor goes and the unit of each column.

        factors : list of str, default=None
            Latent factors to show, named as in ``get_feature_names_out``. None shows
            the active ones, the one with most KL first, at most 6.

        rows : DataFrame or array-like of shape (n_rows, n_features), default=None
            Where to start from: the change of a column is its mean over these rows,
            whose other factors stay as they are. Pass a single row to see what the
            factors do to it. None draws from `X`; of images, it takes the one that the
            model sees nearest to the middle of all.

        n_steps : int, default=None
            Values of a factor, evenly spaced. None takes 41, and 9 of images.

        quantiles : tuple of two floats, default=(0.05, 0.95)
            A factor goes from the lower to the upper quantile of its codes, and the
            unit of a column is the distance between the same quantiles of the column.

        reach : float, default=None
            Let a factor go from minus to plus so many standard deviations of the prior
            instead: far, to see where trends bend, or not, to see them as straight.

        max_rows : int, default=200
            Of more rows than these, so many are drawn.

        random_state : int, RandomState instance or None, default=0
            Determines which rows are drawn.

        n_columns : int, default=5
            Columns shown in a panel: those that move furthest.

        standardize : bool, default=True
            Whether to draw changes as shares of the columns' spreads; otherwise in the
            columns' own units.

        ax : matplotlib Axes, default=None
            Its place is filled with panels, in a figure with ``layout="constrained"``
            as a rule. If None, a new figure is made.

        line_kw : dict, default=None
            Keywords passed to ``ax.plot`` for every line.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``, for images.

        Returns
        -------
        display : LatentTraversalDisplay
            With the panels drawn.

        Raises
        ------
        ValueError
            If a factor is unknown, if `X` has other columns than in `fit`, or if no
            factor is active.
        """
        found = resolve(estimator, X)
        model = found.model
        check_not_collapsed(model)
        quantiles = check_quantiles(quantiles)
        starts = None if rows is None else resolve(estimator, rows).inputs
        paths = FactorPaths.of(found, factors, quantiles, reach, n_steps)
        if image_shape_of(model) is None:
            traversals, spread, probabilities = paths.columns(
                starts, quantiles, max_rows, random_state
            )
            settings = {"spread": spread, "probabilities": probabilities}
        else:
            traversals = paths.images(starts)
            settings = {"limits": pixel_limits(X)}
        names = model.get_feature_names_out()
        kl = dict(zip(names, model.kl_per_dimension_.tolist(), strict=True))
        display = cls(
            traversals=traversals, quantiles=quantiles, kl=kl, reach=reach, **settings
        )
        return display.plot(
            ax,
            n_columns=n_columns,
            standardize=standardize,
            line_kw=line_kw,
            im_kw=im_kw,
        )

    @validate_params(_PLOT_CONSTRAINTS, prefer_skip_nested_validation=True)
    def plot(self, ax=None, *, n_columns=5, standardize=True, line_kw=None, im_kw=None):
        """Draw one panel a factor, or of images one row.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Its place is filled with panels, in a figure with ``layout="constrained"``
            as a rule. If None, a new figure is made.

        n_columns : int, default=5
            Columns shown in a panel: those that move furthest.

        standardize : bool, default=True
            Whether to draw changes as shares of the columns' spreads; otherwise in the
            columns' own units.

        line_kw : dict, default=None
            Keywords passed to ``ax.plot`` for every line.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``, for images.

        Returns
        -------
        display : LatentTraversalDisplay
            Itself.
        """
        self.lines_, self.labels_, self.im_ = [], [], None
        if self.limits is not None:
            self._draw_images(ax, im_kw)
            return self
        panels = [_furthest(change, n_columns) for change in self.traversals.values()]
        if not standardize:
            panels = [panel * self.spread[panel.columns] for panel in panels]
        per_row = min(len(panels), _PANELS_PER_ROW)
        if ax is None:
            n_rows = -(-len(panels) // per_row)
            ax = _style.new_axes(1.0 + 3.5 * per_row, 0.3 + 2.7 * n_rows)
        self.ax_, self.figure_ = ax, ax.figure
        self.axes_, _ = _style.panel_grid(ax, len(panels), per_row, sharey=standardize)
        looks = _style.line_styles([list(panel) for panel in panels])
        self.lines_ = [
            [
                ax.plot(panel.index, panel[name], **_style.restyle(look, line_kw))[0]
                for name in panel
                for look in [{"label": str(name), **looks[name]}]
            ]
            for ax, panel in zip(self.axes_, panels, strict=True)
        ]
        self._dress_panels(per_row, standardize)
        # Labels come last: the panels share limits, which every line may widen.
        self.labels_ = [
            _style.label_ends(ax, lines)
            for ax, lines in zip(self.axes_, self.lines_, strict=True)
        ]
        return self

    def _draw_images(self, ax, im_kw):
        names = list(self.traversals)
        gallery = ImageGallery(
            np.stack(list(self.traversals.values())),
            self.limits,
            row_labels=[_style.short(name) for name in names],
            row_notes=[f"KL {self.kl[name]:.2f} nats" for name in names if self.kl],
            column_labels=self._steps(),
        )
        self.im_, _ = gallery.draw(ax, im_kw)
        self.ax_, self.figure_ = self.im_.axes, self.im_.figure
        self.axes_ = np.array([self.ax_], dtype=object)
        label = "Latent value (prior sd)" if self.reach else "Quantile of the codes"
        self.ax_.set_xlabel(label, fontsize=_style.LABEL_SIZE, color=_style.QUIET)

    def _steps(self):
        """Return what stands above each column of images: both ends at least."""
        n_steps = len(next(iter(self.traversals.values())))
        if self.reach:
            values = np.linspace(-self.reach, self.reach, n_steps)
            return [signed(value) for value in values]
        lower, upper = (f"{100 * quantile:g} %" for quantile in self.quantiles)
        return [lower, *[""] * (n_steps - 2), upper]

    def _dress_panels(self, per_row, standardize):
        unit = self._unit(standardize)
        for panel, (name, ax) in enumerate(
            zip(self.traversals, self.axes_, strict=True)
        ):
            _style.plain(ax)
            _style.title(ax, name, f"KL {self.kl[name]:.2f} nats" if self.kl else "")
            ax.grid(axis="y", color=_style.SHADE)
            ax.axhline(0, color=_style.QUIET, linewidth=0.8, zorder=1)
            if panel % per_row == 0:
                ax.set_ylabel(
                    f"Change of the column\n({unit})", fontsize=_style.LABEL_SIZE
                )
            elif standardize:
                ax.tick_params(labelleft=False)
            if panel + per_row >= len(self.axes_):
                ax.set_xlabel("Latent value (prior sd)", fontsize=_style.LABEL_SIZE)

    def _unit(self, standardize):
        """Return in what units changes are drawn."""
        lower, upper = (f"{100 * quantile:g}" for quantile in self.quantiles)
        share = f"share of its {lower} to {upper} % range"
        share = share if standardize else "its own units"
        drawn = {line.get_label() for lines in self.lines_ for line in lines}
        has_probability = not drawn.isdisjoint(map(str, self.probabilities))
        return f"{share},\nor probability" if has_probability else share


def _furthest(change, n_columns):
    """Return the columns that move furthest, that first."""
    distance = np.ptp(change.to_numpy(), axis=0)
    return change.iloc[:, np.argsort(-distance, kind="stable")[:n_columns]]
