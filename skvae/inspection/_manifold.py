"""What images a plane through the latent space stands for."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils import _safe_indexing, check_consistent_length, resample
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.validation import _num_samples

from skvae.inspection import _style
from skvae.inspection._image_gallery import (
    ImageGallery,
    as_images,
    image_shape_of,
    pixel_limits,
)
from skvae.inspection._latent_plane import (
    encoded,
    latent_names,
    latent_plane,
    shown_latents,
)
from skvae.inspection._validation import (
    check_condition,
    check_not_collapsed,
    check_quantiles,
)
from skvae.selection._resolve import resolve

# The side of a new figure, in inches.
_SIDE = 5.6


class ManifoldDisplay:
    """Grid of images that a plane through the latent space stands for.

    It is recommended to use :meth:`from_estimator` to create a `ManifoldDisplay`. All
    parameters are stored as attributes.

    A model with two active latents has the plane of these. Of more active latents it is
    the plane in which the rows' codes vary most, that of the first two principal
    components; the axes say how much of the codes' variance they hold. Both are in
    standard deviations of the prior, and each image stands where it is decoded.
    Whatever the plane leaves out stays at its mean.

    Parameters
    ----------
    images : ndarray of shape (n_steps_y, n_steps_x, channels, height, width)
        The images, of one channel (grey) or three (RGB), lowest row first.

    x, y : ndarray of shape (n_steps_x,) and (n_steps_y,)
        Where the images lie, evenly spaced.

    names : sequence of two str, default=("latent 0", "latent 1")
        What the axes are called.

    limits : tuple of two floats, default=None
        The pixels that are black and white. None takes the extremes of the images.

    Attributes
    ----------
    im_ : matplotlib AxesImage
        All images in one.

    ax_ : matplotlib Axes
        The axes with the images.

    figure_ : matplotlib Figure
        The figure that holds them.

    See Also
    --------
    LatentSpaceDisplay : Where rows lie in the same plane.
    LatentTraversalDisplay : What single factors do, of tables too.
    RandomDrawDisplay : Images from all over the latent space.

    Examples
    --------
    >>> from skvae import VAE
    >>> from skvae.datasets import make_sprites
    >>> from skvae.inspection import ManifoldDisplay
    >>> sprites = make_sprites(200, image_size=16, random_state=0)
    >>> model = VAE(2, image_shape=sprites.image_shape, max_epochs=2, random_state=0)
    >>> model = model.fit(sprites.data)
    >>> display = ManifoldDisplay.from_estimator(model, sprites.data, n_steps=5)
    >>> display.images.shape
    (5, 5, 1, 16, 16)
    >>> display.ax_.get_xlabel()
    'latent 0'
    """

    def __init__(self, *, images, x, y, names=("latent 0", "latent 1"), limits=None):
        self.images = images
        self.x = x
        self.y = y
        self.names = names
        self.limits = limits

    @classmethod
    @validate_params(
        {
            "n_steps": [Interval(Integral, 2, None, closed="left")],
            "quantiles": ["array-like"],
            "max_rows": [Interval(Integral, 2, None, closed="left")],
            "random_state": ["random_state"],
            "im_kw": [dict, None],
        },
        prefer_skip_nested_validation=True,
    )
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        condition=None,
        own_condition=None,
        n_steps=15,
        quantiles=(0.01, 0.99),
        max_rows=2000,
        random_state=0,
        ax=None,
        im_kw=None,
    ):
        """Decode a grid of points in the latent plane of a fitted model.

        Parameters
        ----------
        estimator : estimator
            A fitted model of images, or a Pipeline or search with one inside.

        X : DataFrame or array-like of shape (n_images, n_pixels)
            Images as `fit` saw them, whose codes determine the plane and how far it
            goes.

        condition : DataFrame, array-like, dict or scalar, default=None
            The one condition to decode under, if the model was fitted with one. Images
            are averaged over the training conditions where it is unknown.

        own_condition : DataFrame or array-like of n_images rows, default=None
            The condition of the images in `X`, where it is not in columns of `X`. To
            average over it where it is unknown takes its time.

        n_steps : int, default=15
            Images along each axis.

        quantiles : tuple of two floats, default=(0.01, 0.99)
            Along each axis the grid goes from the lower to the upper quantile of the
            codes.

        max_rows : int, default=2000
            Of more rows than these, so many are drawn.

        random_state : int, RandomState instance or None, default=0
            Determines which rows are drawn.

        ax : matplotlib Axes, default=None
            Where to plot. If None, a new figure is made.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``.

        Returns
        -------
        display : ManifoldDisplay
            With the images drawn.

        Raises
        ------
        ValueError
            If the model is not one of images, takes no condition and gets one, has a
            single latent or no active one, if `X` has other columns than in `fit`, or
            if a step before the model has no inverse.
        """
        check_consistent_length(X, own_condition)
        quantiles = check_quantiles(quantiles)
        n_rows = _num_samples(X)
        rows = resample(
            np.arange(n_rows),
            replace=False,
            n_samples=min(n_rows, max_rows),
            random_state=random_state,
        )
        X = _safe_indexing(X, rows)
        if own_condition is not None:
            own_condition = _safe_indexing(own_condition, rows)
        found = _model_of_images(estimator, X)
        for given in (condition, own_condition):
            check_condition(given, [found.model])
        plane, positions = _plane_and_positions(found, own_condition)
        x, y = np.linspace(*np.quantile(positions, quantiles, axis=0), n_steps).T
        grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        given = {} if condition is None else {"condition": condition}
        rows = found.model.inverse_transform(plane.codes(grid), **given)
        images = as_images(found.to_data(rows), image_shape_of(found.model))
        display = cls(
            images=images.reshape(n_steps, n_steps, *images.shape[1:]),
            x=x,
            y=y,
            names=plane.names,
            limits=pixel_limits(X),
        )
        return display.plot(ax, im_kw=im_kw)

    @validate_params({"im_kw": [dict, None]}, prefer_skip_nested_validation=True)
    def plot(self, ax=None, *, im_kw=None):
        """Draw the images where they lie.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot. If None, a new figure is made.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``.

        Returns
        -------
        display : ManifoldDisplay
            Itself.
        """
        n_y, n_x, _, height, width = np.shape(self.images)
        if ax is None:
            tall = height * n_y / (width * n_x)
            ax = _style.new_axes(_SIDE / max(tall, 1), _SIDE * min(tall, 1))
        limits = pixel_limits(self.images) if self.limits is None else self.limits
        gallery = ImageGallery(np.asarray(self.images)[::-1], limits)
        self.im_, _ = gallery.draw(ax, im_kw)
        self.ax_, self.figure_ = ax, ax.figure
        self._lay_out(height, width)
        self._dress()
        return self

    def _lay_out(self, height, width):
        """Put each image's middle where it lies, and keep its shape."""
        tall, wide = self.im_.get_array().shape[:2]
        pixel_x = np.ptp(self.x) / (wide - width)  # from the first middle to the last
        pixel_y = np.ptp(self.y) / (tall - height)
        half_x, half_y = pixel_x * width / 2, pixel_y * height / 2
        self.im_.set_extent(
            (
                self.x[0] - half_x,
                self.x[-1] + half_x,
                self.y[0] - half_y,
                self.y[-1] + half_y,
            )
        )
        self.ax_.set_aspect(pixel_x / pixel_y)

    def _dress(self):
        from matplotlib.ticker import MaxNLocator, ScalarFormatter

        ax = self.ax_
        ax.xaxis.tick_bottom()
        ax.tick_params(
            length=3, color=_style.QUIET, labelcolor=_style.INK, pad=2, which="major"
        )
        for axis, name in zip((ax.xaxis, ax.yaxis), self.names, strict=True):
            axis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
            axis.set_major_formatter(ScalarFormatter())
            axis.set_label_text(name, fontsize=_style.LABEL_SIZE)


def _model_of_images(estimator, X):
    """Return the model inside an estimator, or say which display suits it better."""
    found = resolve(estimator, X)
    check_not_collapsed(found.model)
    name = type(found.model).__name__
    if image_shape_of(found.model) is None:
        raise ValueError(
            f"This {name} was fitted without image_shape; expected a model of images. "
            "What the factors of a table do is shown by LatentTraversalDisplay."
        )
    if found.to_data is None:
        raise ValueError(
            f"The steps before the {name} have no exact inverse, so what it decodes is "
            "no image; expected steps that invert, or the model itself with the images "
            "as it sees them."
        )
    return found


def _plane_and_positions(found, condition):
    """Return the plane among all latents, and where the rows lie in it."""
    codes, shown = encoded(found, condition), shown_latents(found.model)
    named = pd.DataFrame(codes[:, shown], columns=latent_names(shown))
    plane = latent_plane(named).among(codes, shown)
    return plane, plane.positions(codes)
