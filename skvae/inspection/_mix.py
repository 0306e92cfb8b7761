"""The factors of some rows with the residuals of others."""

from numbers import Integral

import numpy as np
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions, validate_params
from sklearn.utils.validation import check_is_fitted

from skvae.inspection._column_scales import column_scales
from skvae.inspection._image_gallery import (
    ImageGallery,
    as_images,
    image_shape_of,
    pixel_limits,
)
from skvae.inspection._pair_panels import PairPanels
from skvae.inspection._validation import check_quantiles
from skvae.models import MSVAE
from skvae.selection._resolve import resolve

# What the residual encoder reads, as the thesis writes it and in words.
_VARIANTS = {
    "residual": ("$X_j - Y_j$", "its residual"),
    "raw": ("$X_j$", "all of it"),
    "crossed": ("$X_j - Y_i$", "what $Y_i$ lacks of it"),
}
_CONTENT = ("$X_i$", "gives its factors")
_DETAIL = ("$X_j$", "gives its detail")
# How many are shown of images and of the rows of a table.
_IMAGES, _PAIRS = 12, 3

_PLOT_CONSTRAINTS = {
    "n_columns": [Interval(Integral, 1, None, closed="left")],
    "im_kw": [dict, None],
    "line_kw": [dict, None],
}


class MixDisplay:
    """Rows of an MSVAE with their own factors and the detail of others.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to
    create a `MixDisplay`. All parameters are stored as attributes.

    An MSVAE keeps the factors of a row apart from what they leave out of it, so that
    the factors of a row X_i can be seen with the detail of a row X_j: the mixtures of
    the thesis ([1]_, Figures 4-4 to 4-6). Y is what the first stage makes of X. The
    detail is what the second stage reads from the residual X_j - Y_j, as it was trained
    to, from X_j itself ("raw"), or from X_j - Y_i ("crossed").

    Images X_i and X_j stand above their mixtures. Of a table there is a panel for
    each pair, with a line for each of those columns in which the two rows of the pairs
    shown differ most. It goes from X_i to X_j, and marks show where the mixtures lie:
    where they stay at X_i, a column is a matter of factors; where they go along to X_j,
    one of detail. Low and high values of each column stand on the right; levels lie
    evenly in their order; cells far beyond are drawn at the edge.

    Parameters
    ----------
    content : DataFrame or array-like of shape (n_pairs, n_features)
        Rows X_i.

    detail : DataFrame or array-like of shape (n_pairs, n_features)
        Rows X_j.

    mixtures : dict of str to DataFrame or array-like of shape (n_pairs, n_features)
        What comes of them, by variant.

    image_shape : tuple of three ints, default=None
        Channels, height and width, where rows are images.

    scales : dict of str to ColumnScale, default=None
        What is low and high in each column of a table. None takes the least and the
        largest of the rows shown.

    Attributes
    ----------
    im_ : matplotlib AxesImage or None
        All images, as one mosaic.

    points_ : list of dict of str to matplotlib Line2D
        The marks in each panel of a table: "content", "detail", and one a variant.

    legend_ : matplotlib Legend or None
        Of the marks.

    axes_ : ndarray of matplotlib Axes of shape (n_panels,)
        The panels, or the one axes of the images.

    ax_ : matplotlib Axes
        The axes whose place the panels fill.

    figure_ : matplotlib Figure
        The figure that holds them.

    See Also
    --------
    skvae.MSVAE.mix : The mixtures themselves.
    ReconstructionDisplay : Both stages of an MSVAE, one below the other.

    References
    ----------
    .. [1] The thesis that skvae implements, section 4.3: mixup and more mixups.

    Examples
    --------
    >>> from skvae import MSVAE, BetaTCVAE
    >>> from skvae.datasets import make_credit_portfolio
    >>> from skvae.inspection import MixDisplay
    >>> X = make_credit_portfolio(1000, random_state=0).data
    >>> first = BetaTCVAE(latent_dim=4, max_epochs=5)
    >>> model = MSVAE(first, residual_dim=4, max_epochs=5, random_state=0).fit(X)
    >>> display = MixDisplay.from_estimator(model, X[:500], X[500:])
    >>> list(display.mixtures)
    ['residual', 'raw', 'crossed']
    >>> len(display.axes_)
    3
    """

    def __init__(self, *, content, detail, mixtures, image_shape=None, scales=None):
        self.content = content
        self.detail = detail
        self.mixtures = mixtures
        self.image_shape = image_shape
        self.scales = scales

    @classmethod
    @validate_params(
        {
            "variants": ["array-like"],
            "pair": [StrOptions({"ordered", "random"})],
            "n_pairs": [Interval(Integral, 1, None, closed="left"), None],
            "quantiles": ["array-like"],
            "random_state": ["random_state"],
            **_PLOT_CONSTRAINTS,
        },
        prefer_skip_nested_validation=True,
    )
    def from_estimator(
        cls,
        estimator,
        X_content,
        X_residual,
        *,
        variants=("residual", "raw", "crossed"),
        pair="ordered",
        n_pairs=None,
        quantiles=(0.05, 0.95),
        random_state=0,
        n_columns=12,
        ax=None,
        line_kw=None,
        im_kw=None,
    ):
        """Mix rows with an MSVAE and plot what comes of it.

        Parameters
        ----------
        estimator : estimator
            A fitted MSVAE, or a Pipeline or search with one inside.

        X_content : DataFrame or array-like of shape (n_samples, n_features)
            Rows X_i, whose factors are taken.

        X_residual : DataFrame or array-like of shape (n_other_samples, n_features)
            Rows X_j, whose detail is taken.

        variants : sequence of {"residual", "raw", "crossed"}
            What the residual encoder reads, as in :meth:`skvae.MSVAE.mix`.

        pair : {"ordered", "random"}, default="ordered"
            Whether row i goes with row j = i, or with one drawn for it.

        n_pairs : int, default=None
            Of more pairs than these the first are shown. None shows 12 of images, 3 of
            a table.

        quantiles : tuple of two floats, default=(0.05, 0.95)
            What is low and what is high in a column, in all rows of both tables.

        random_state : int, RandomState instance or None, default=0
            Determines the pairs, if drawn.

        n_columns : int, default=12
            Columns of a table shown.

        ax : matplotlib Axes, default=None
            Its place is filled. If None, a new figure is made.

        line_kw : dict, default=None
            Keywords passed to ``ax.plot`` for every mark of a table.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``, for images.

        Returns
        -------
        display : MixDisplay
            With the mixtures drawn.

        Raises
        ------
        ValueError
            If the model is no MSVAE, if a variant is unknown, if a table has other
            columns than in `fit`, or if the lengths differ and `pair` is ``"ordered"``.
        """
        quantiles = check_quantiles(quantiles)
        content, detail = (resolve(estimator, X) for X in (X_content, X_residual))
        model = _checked(content.model, variants)
        image_shape = image_shape_of(model)
        is_table = image_shape is None
        if n_pairs is None:
            n_pairs = _PAIRS if is_table else _IMAGES
        rows = _pairs(len(X_content), len(X_residual), pair, n_pairs, random_state)
        givers = [
            _safe_indexing(found.inputs, own)
            for found, own in zip((content, detail), rows, strict=True)
        ]
        # Without a way back through earlier steps, rows are as the model sees them.
        to_data = content.to_data or _unchanged
        tables = [
            found.inputs if content.to_data is None else found.data
            for found in (content, detail)
        ]
        shown = [
            _safe_indexing(table, own) for table, own in zip(tables, rows, strict=True)
        ]
        display = cls(
            content=shown[0],
            detail=shown[1],
            mixtures={
                variant: to_data(model.mix(*givers, variant=variant))
                for variant in variants
            },
            image_shape=image_shape,
            scales=column_scales(tables, quantiles) if is_table else None,
        )
        return display.plot(ax, n_columns=n_columns, line_kw=line_kw, im_kw=im_kw)

    @classmethod
    def from_predictions(
        cls,
        content,
        detail,
        mixtures,
        image_shape=None,
        *,
        n_columns=12,
        ax=None,
        line_kw=None,
        im_kw=None,
    ):
        """Plot mixtures that are at hand.

        Parameters
        ----------
        content, detail : DataFrame or array-like of shape (n_pairs, n_features)
            Rows X_i and X_j, all of which are shown.

        mixtures : dict of str to DataFrame or array-like of shape (n_pairs, n_features)
            What comes of them, by variant or by any other name.

        image_shape : tuple of three ints, default=None
            Channels, height and width, where rows are images.

        n_columns : int, default=12
            Columns of a table shown.

        ax : matplotlib Axes, default=None
            Its place is filled. If None, a new figure is made.

        line_kw : dict, default=None
            Keywords passed to ``ax.plot`` for every mark of a table.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``, for images.

        Returns
        -------
        display : MixDisplay
            With the mixtures drawn.

        Raises
        ------
        ValueError
            If the shapes of the tables differ.
        """
        display = cls(
            content=content, detail=detail, mixtures=mixtures, image_shape=image_shape
        )
        return display.plot(ax, n_columns=n_columns, line_kw=line_kw, im_kw=im_kw)

    @validate_params(_PLOT_CONSTRAINTS, prefer_skip_nested_validation=True)
    def plot(self, ax=None, *, n_columns=12, line_kw=None, im_kw=None):
        """Draw images over their mixtures, or a panel for each pair of rows.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Its place is filled. If None, a new figure is made.

        n_columns : int, default=12
            Columns of a table shown: those in which the rows of a pair differ most.

        line_kw : dict, default=None
            Keywords passed to ``ax.plot`` for every mark of a table.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``, for images.

        Returns
        -------
        display : MixDisplay
            Itself.
        """
        for name, table in {"detail": self.detail, **self.mixtures}.items():
            if np.shape(table) != np.shape(self.content):
                raise ValueError(
                    f"Got {name!r} of shape {np.shape(table)}; expected "
                    f"{np.shape(self.content)}, as the content has."
                )
        self.im_, self.points_, self.legend_ = None, [], None
        if self.image_shape is None:
            self._draw_table(ax, n_columns, line_kw)
        else:
            self._draw_images(ax, im_kw)
        return self

    def _draw_table(self, ax, n_columns, line_kw):
        content, detail, *mixed = self._words()
        words = [" ".join(content), " ".join(detail)]
        words += [f"mixed with {', '.join(filter(None, own))}" for own in mixed]
        pairs = PairPanels.of(self.content, self.detail, self.mixtures, self.scales)
        pairs = pairs.most_apart(n_columns)
        self.ax_ = pairs.new_axes() if ax is None else ax
        self.figure_ = self.ax_.figure
        self.axes_, self.points_, self.legend_ = pairs.draw(self.ax_, words, line_kw)

    def _words(self):
        """Return symbols and words for X_i, X_j and the mixtures."""
        known = [_VARIANTS.get(name, (name, "")) for name in self.mixtures]
        return [_CONTENT, _DETAIL, *known]

    def _draw_images(self, ax, im_kw):
        labels, notes = zip(*self._words(), strict=True)
        images = np.stack(
            [
                as_images(rows, self.image_shape)
                for rows in (self.content, self.detail, *self.mixtures.values())
            ]
        )
        gallery = ImageGallery(
            images,
            pixel_limits(as_images(self.content, self.image_shape)),
            row_labels=labels,
            row_notes=notes,
            apart=[2],
        )
        self.im_, _ = gallery.draw(ax, im_kw)
        self.ax_, self.figure_ = self.im_.axes, self.im_.figure
        self.axes_ = np.array([self.ax_], dtype=object)


def _checked(model, variants):
    """Return a fitted MSVAE, or say what is expected in its place."""
    if not isinstance(model, MSVAE):
        raise ValueError(
            f"Got a {type(model).__name__}; expected an MSVAE, which keeps factors and "
            "residuals apart."
        )
    check_is_fitted(model)
    unknown = [variant for variant in variants if variant not in _VARIANTS]
    if unknown or not len(variants):
        raise ValueError(
            f"Expected variants out of {list(_VARIANTS)}, got "
            f"{unknown or 'an empty list'}."
        )
    return model


def _pairs(n_content, n_detail, pair, n_pairs, random_state):
    """Return the positions of rows that are mixed: X_i, and X_j."""
    if pair == "random":
        other = check_random_state(random_state).randint(n_detail, size=n_content)
    elif n_content == n_detail:
        other = np.arange(n_detail)
    else:
        raise ValueError(
            f"Got {n_content} rows in X_content and {n_detail} in X_residual; expected "
            'as many in both, or pair="random".'
        )
    return np.arange(n_content)[:n_pairs], other[:n_pairs]


def _unchanged(rows):
    return rows
