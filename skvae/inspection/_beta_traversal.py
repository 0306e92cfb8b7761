"""What one latent does in models that were fitted with different betas."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

from skvae.inspection import _style
from skvae.inspection._columns_over_beta import RHO, ColumnsOverBeta
from skvae.inspection._image_gallery import (
    ImageGallery,
    image_shape_of,
    pixel_limits,
    signed,
)
from skvae.inspection._matched_latents import (
    image_traversals,
    matched_latents,
    matches_of,
    table_traversals,
)
from skvae.inspection._validation import check_not_collapsed, check_quantiles

_PLOT_CONSTRAINTS = {
    "n_columns": [Interval(Integral, 1, None, closed="left")],
    "standardize": ["boolean"],
    "line_kw": [dict, None],
    "im_kw": [dict, None],
}


class BetaTraversalDisplay:
    """Traversals of one latent in models fitted with different betas.

    It is recommended to use :meth:`from_estimators` to create a
    `BetaTraversalDisplay`. All parameters are stored as attributes.

    The larger beta, the fewer latents a model can afford, and the less a latent moves:
    one that is switched off moves nothing, and its lines are flat. Of a table there is
    a panel for each of the columns that move furthest, with a line for each model, the
    darker the smaller its beta, dashed where its latent is inactive. Of images there is
    a row for each model. All models are seen over the same latent values.

    Which latent is which is not given: each model names them in its own order and
    turns them as it likes. `from_estimators` takes one latent of the first model, and
    of each other model that whose codes of the same rows have the largest absolute rank
    correlation (Spearman's) with it, turned around where that is negative. How well
    they match is said beside each beta.

    Parameters
    ----------
    values : ndarray of shape (n_steps,)
        Values of the latent, in standard deviations of the prior, increasing.

    traversals : list of DataFrame of shape (n_steps, n_features) or of ndarray
        What each model decodes: columns in their own units, or images of shape
        (n_steps, channels, height, width).

    matches : DataFrame of shape (n_models, 4)
        Of each model ``beta``, the name of its ``latent``, its ``correlation`` with
        that of the first and its ``kl`` to the prior in nats.

    spread : Series of shape (n_features,), default=None
        The unit of each column when it is standardised: 1 of a probability. Only of
        tables.

    probabilities : sequence of str, default=()
        Names in `traversals` that are probabilities.

    quantiles : tuple of two floats, default=(0.05, 0.95)
        The quantiles of a column whose distance is its unit.

    limits : tuple of two floats, default=None
        The pixels that are black and white, only of images.

    Attributes
    ----------
    lines_ : list of list of matplotlib Line2D
        The lines of each panel, by growing beta; empty for images.

    im_ : matplotlib AxesImage or None
        All images, as one mosaic.

    legend_ : matplotlib Legend or None
        Of the lines.

    axes_ : ndarray of matplotlib Axes of shape (n_panels,)
        The panels, or the one axes of the images.

    ax_ : matplotlib Axes
        The axes whose place the panels fill.

    figure_ : matplotlib Figure
        The figure that holds them.

    See Also
    --------
    LatentTraversalDisplay : All latents of one model.
    ReconstructionDisplay : What is left of images in models of different betas.

    Examples
    --------
    >>> from skvae import BetaTCVAE
    >>> from skvae.datasets import make_credit_portfolio
    >>> from skvae.inspection import BetaTraversalDisplay
    >>> X = make_credit_portfolio(1000, random_state=0).data
    >>> models = [
    ...     BetaTCVAE(latent_dim=4, beta=beta, max_epochs=5, random_state=0).fit(X)
    ...     for beta in (1, 10)
    ... ]
    >>> display = BetaTraversalDisplay.from_estimators(models, X, n_columns=3)
    >>> display.matches["beta"].tolist()
    [1.0, 10.0]

    One panel a column, one line a model:

    >>> [len(lines) for lines in display.lines_]
    [2, 2, 2]
    """

    def __init__(
        self,
        *,
        values,
        traversals,
        matches,
        spread=None,
        probabilities=(),
        quantiles=(0.05, 0.95),
        limits=None,
    ):
        self.values = values
        self.traversals = traversals
        self.matches = matches
        self.spread = spread
        self.probabilities = probabilities
        self.quantiles = quantiles
        self.limits = limits

    @classmethod
    @validate_params(
        {
            "estimators": [list, tuple],
            "latent": [str, Integral, None],
            "betas": ["array-like", None],
            "rows": ["array-like", None],
            "reach": [Interval(Real, 0, None, closed="neither")],
            "n_steps": [Interval(Integral, 2, None, closed="left"), None],
            "quantiles": ["array-like"],
            "max_rows": [Interval(Integral, 1, None, closed="left")],
            "random_state": ["random_state"],
            **_PLOT_CONSTRAINTS,
        },
        prefer_skip_nested_validation=True,
    )
    def from_estimators(
        cls,
        estimators,
        X,
        *,
        latent=None,
        betas=None,
        rows=None,
        reach=2.0,
        n_steps=None,
        quantiles=(0.05, 0.95),
        max_rows=200,
        random_state=0,
        n_columns=6,
        standardize=True,
        ax=None,
        line_kw=None,
        im_kw=None,
    ):
        """Traverse one latent of several fitted models.

        Parameters
        ----------
        estimators : list of estimators
            Fitted models, or Pipelines or searches with one inside, of the same
            columns. The first is what the others are matched with: give one that knows
            its latents well, as a rule the one of the smallest beta.

        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows as the estimators take them, the training rows as a rule. On them
            latents are matched.

        latent : str or int, default=None
            Latent of the first model, by its name as in ``get_feature_names_out`` or by
            its position. None takes the one with most KL.

        betas : array-like of shape (n_models,), default=None
            What the models are told apart by. None takes their parameter `beta`.

        rows : DataFrame or array-like of shape (n_rows, n_features), default=None
            Where to start from, a single row of images. Columns are means over these
            rows. None draws from `X`; of images, it takes the one that the first model
            sees nearest to the middle of all.

        reach : float, default=2.0
            The latent goes from minus to plus so many standard deviations of the prior.

        n_steps : int, default=None
            Values of the latent, evenly spaced. None takes 41, and 9 of images.

        quantiles : tuple of two floats, default=(0.05, 0.95)
            The unit of a standardised column is the distance between these quantiles.

        max_rows : int, default=200
            Of more rows than these, so many are drawn.

        random_state : int, RandomState instance or None, default=0
            Determines which rows are drawn.

        n_columns : int, default=6
            Columns shown: those that move furthest in any of the models, as a share of
            their spread.

        standardize : bool, default=True
            Whether to draw the change of each column as a share of its spread, on one
            y-axis for all; otherwise its value in its own units.

        ax : matplotlib Axes, default=None
            Its place is filled with panels. If None, a new figure is made.

        line_kw : dict, default=None
            Keywords passed to ``ax.plot`` for every line.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``, for images.

        Returns
        -------
        display : BetaTraversalDisplay
            With the panels drawn.

        Raises
        ------
        ValueError
            If there is no model, if models have no `beta` or explain other columns than
            the first, if `latent` is unknown, or if the first model has collapsed.
        """
        quantiles = check_quantiles(quantiles)
        latents = matched_latents(estimators, X, latent, betas)
        latents[1:] = sorted(latents[1:], key=lambda latent: latent.beta)
        first = latents[0].found.model
        check_not_collapsed(first)
        is_table = image_shape_of(first) is None
        if n_steps is None:
            n_steps = 41 if is_table else 9
        values = np.linspace(-reach, reach, n_steps)
        settings = {"values": values, "matches": matches_of(latents)}
        if is_table:
            traversals, spread, probabilities = table_traversals(
                latents,
                values,
                rows=rows,
                quantiles=quantiles,
                max_rows=max_rows,
                random_state=random_state,
            )
            settings |= {"spread": spread, "probabilities": probabilities}
        else:
            traversals = image_traversals(latents, values, rows=rows)
            settings["limits"] = pixel_limits(X)
        display = cls(traversals=traversals, quantiles=quantiles, **settings)
        return display.plot(
            ax,
            n_columns=n_columns,
            standardize=standardize,
            line_kw=line_kw,
            im_kw=im_kw,
        )

    @validate_params(_PLOT_CONSTRAINTS, prefer_skip_nested_validation=True)
    def plot(self, ax=None, *, n_columns=6, standardize=True, line_kw=None, im_kw=None):
        """Draw a panel for each column, or a row of images for each model.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Its place is filled with panels. If None, a new figure is made.

        n_columns : int, default=6
            Columns shown: those that move furthest in any of the models, as a share of
            their spread.

        standardize : bool, default=True
            Whether to draw the change of each column as a share of its spread, on one
            y-axis for all; otherwise its value in its own units.

        line_kw : dict, default=None
            Keywords passed to ``ax.plot`` for every line.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``, for images.

        Returns
        -------
        display : BetaTraversalDisplay
            Itself.
        """
        self.lines_, self.im_, self.legend_ = [], None, None
        if self.spread is None:
            self._draw_images(ax, im_kw)
        else:
            panels = ColumnsOverBeta(self, standardize).furthest(n_columns)
            self.ax_ = panels.new_axes() if ax is None else ax
            self.figure_ = self.ax_.figure
            self.axes_, self.lines_, self.legend_ = panels.draw(self.ax_, line_kw)
        return self

    def _draw_images(self, ax, im_kw):
        gallery = ImageGallery(
            np.stack(self.traversals),
            self.limits,
            row_labels=[f"β = {beta:g}" for beta in self.matches["beta"]],
            row_notes=[
                f"{RHO} {abs(match.correlation):.2f}, KL {match.kl:.2f}"
                for match in self.matches.itertuples()
            ],
            column_labels=[signed(value) for value in self.values],
        )
        self.im_, _ = gallery.draw(ax, im_kw)
        self.ax_, self.figure_ = self.im_.axes, self.im_.figure
        self.axes_ = np.array([self.ax_], dtype=object)
        self.ax_.set_xlabel(
            f"Columns: latent value (prior sd). {RHO}: rank correlation of the latent "
            f"with that of β = {self.matches['beta'].iloc[0]:g}. KL: in nats.",
            fontsize=_style.LABEL_SIZE,
            color=_style.QUIET,
            loc="left",
        )
