"""Images that models make up."""

from numbers import Integral

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state, resample
from sklearn.utils._param_validation import Interval, StrOptions, validate_params
from sklearn.utils.validation import check_is_fitted

from skvae.inspection import _style
from skvae.inspection._image_gallery import (
    ImageGallery,
    as_images,
    image_shape_of,
    pixel_limits,
)
from skvae.inspection._latent_plane import models_by_name

_REAL = "images"
# How many images are drawn where nobody says: of a single model, and of each of many.
_N_ALONE, _N_EACH = 50, 10

_PLOT_CONSTRAINTS = {
    "n_columns": [Interval(Integral, 1, None, closed="left")],
    "im_kw": [dict, None],
}
_DRAW_CONSTRAINTS = {
    "conditions": [list, tuple, np.ndarray, dict, None],
    "n_draws": [Interval(Integral, 1, None, closed="left"), None],
    "latent": [StrOptions({"aggregate", "prior"})],
    "kind": [StrOptions({"mean", "draw"})],
    "random_state": ["random_state"],
    **_PLOT_CONSTRAINTS,
}


class RandomDrawDisplay:
    """Gallery of images that models drew, beside real ones.

    It is recommended to use :meth:`from_estimator`, :meth:`from_estimators` or
    :meth:`from_predictions` to create a `RandomDrawDisplay`. All parameters are stored
    as attributes.

    Latents are drawn from the prior, so that the gallery shows what the whole latent
    space stands for, its parts included to which training took no image. Models of as
    many latents get the same ones.

    Parameters
    ----------
    draws : dict of str to ndarray of shape (n_images, channels, height, width)
        The images, of one channel (grey) or three (RGB), by the name of where they
        come from.

    limits : tuple of two floats, default=None
        The pixels that are black and white. None takes the extremes of the images.

    Attributes
    ----------
    im_ : matplotlib AxesImage
        All images in one.

    ax_ : matplotlib Axes
        The axes with the images, whose ticks are labelled with the names.

    figure_ : matplotlib Figure
        The figure that holds them.

    See Also
    --------
    ManifoldDisplay : What a plane through the latent space stands for.
    ReconstructionDisplay : What models make of given images.
    DistributionDisplay : What the rows are like that a model of a table draws.

    Examples
    --------
    >>> from skvae import VAE
    >>> from skvae.datasets import make_sprites
    >>> from skvae.inspection import RandomDrawDisplay
    >>> sprites = make_sprites(200, image_size=16, random_state=0)
    >>> model = VAE(4, image_shape=sprites.image_shape, max_epochs=2, random_state=0)
    >>> model = model.fit(sprites.data)
    >>> display = RandomDrawDisplay.from_estimator(model, sprites.data, n_draws=20)
    >>> {name: images.shape for name, images in display.draws.items()}
    {'images': (20, 1, 16, 16), 'VAE': (20, 1, 16, 16)}
    """

    def __init__(self, *, draws, limits=None):
        self.draws = draws
        self.limits = limits

    @classmethod
    @validate_params(_DRAW_CONSTRAINTS, prefer_skip_nested_validation=True)
    def from_estimator(
        cls,
        estimator,
        X=None,
        *,
        conditions=None,
        n_draws=None,
        latent="prior",
        kind="mean",
        random_state=0,
        n_columns=10,
        ax=None,
        im_kw=None,
    ):
        """Draw images from a fitted model.

        Parameters
        ----------
        estimator : estimator
            A fitted model of images, or a search or, with `X`, a Pipeline with one
            inside.

        X : DataFrame or array-like of shape (n_images, n_pixels), default=None
            Images as `fit` saw them, of which as many are shown above the draws.

        conditions : list of conditions, or dict of str to condition, default=None
            What to draw images under, one after the other, from a model that was fitted
            with a condition: each as ``sample(condition=)`` takes it, by their names if
            these are not to be their values.

        n_draws : int, default=None
            How many images. None draws 50, and 10 under each of several conditions.

        latent : {"aggregate", "prior"}, default="prior"
            Where latents come from, as in ``sample``.

        kind : {"mean", "draw"}, default="mean"
            Whether to show the mean image given the latents, or one drawn given these.

        random_state : int, RandomState instance or None, default=0
            Determines the draws, and which images of `X` are shown.

        n_columns : int, default=10
            Images in a line.

        ax : matplotlib Axes, default=None
            Where to plot. If None, a new figure is made.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``.

        Returns
        -------
        display : RandomDrawDisplay
            With the images drawn.

        Raises
        ------
        ValueError
            If the model is not one of images, if there are conditions and it was fitted
            without one, or if a Pipeline comes without `X` or does not invert.
        """
        return cls.from_estimators(
            [estimator],
            X,
            conditions=conditions,
            n_draws=n_draws,
            latent=latent,
            kind=kind,
            random_state=random_state,
            n_columns=n_columns,
            ax=ax,
            im_kw=im_kw,
        )

    @classmethod
    @validate_params(
        {"estimators": [list, tuple, dict], **_DRAW_CONSTRAINTS},
        prefer_skip_nested_validation=True,
    )
    def from_estimators(
        cls,
        estimators,
        X=None,
        *,
        conditions=None,
        n_draws=None,
        latent="prior",
        kind="mean",
        random_state=0,
        n_columns=10,
        ax=None,
        im_kw=None,
    ):
        """Draw images from several models.

        Parameters
        ----------
        estimators : list of estimators, or dict of str to estimator
            As :meth:`from_estimator` takes them, by their names. In a list they are
            called as their classes are, with a number from the second of a class on.

        X : DataFrame or array-like of shape (n_images, n_pixels), default=None
            Images as `fit` saw them, of which as many are shown above the draws.

        conditions : list of conditions, or dict of str to condition, default=None
            What to draw images under, one after the other, from each of the models, all
            of which were fitted with a condition then.

        n_draws : int, default=None
            How many images of each. None draws 10, of a single model without
            conditions 50.

        latent : {"aggregate", "prior"}, default="prior"
            Where latents come from, as in ``sample``.

        kind : {"mean", "draw"}, default="mean"
            Whether to show the mean image given the latents, or one drawn given these.

        random_state : int, RandomState instance or None, default=0
            Determines the draws, and which images of `X` are shown.

        n_columns : int, default=10
            Images in a line.

        ax : matplotlib Axes, default=None
            Where to plot. If None, a new figure is made.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``.

        Returns
        -------
        display : RandomDrawDisplay
            With the images drawn, the models one below the other.

        Raises
        ------
        ValueError
            If there is no model, if one is not of images or of other images than the
            rest, if there are conditions and one was fitted without, or if a Pipeline
            comes without `X` or does not invert.
        """
        models = _models_of_images(estimators, X)
        sources = _sources(models, conditions)
        if n_draws is None:
            n_draws = _N_ALONE if len(sources) == 1 else _N_EACH
        seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
        draws = {}
        if X is not None:
            draws[_REAL] = resample(
                np.asarray(X),
                replace=False,
                n_samples=min(n_draws, len(X)),
                random_state=seed,
            )
        for name, (found, given) in sources.items():
            rows = found.model.sample(
                n_draws, latent=latent, kind=kind, random_state=seed, **given
            )
            draws[name] = found.to_data(rows)
        shape = image_shape_of(next(iter(models.values())).model)
        return cls.from_predictions(
            draws, shape, n_columns=n_columns, ax=ax, im_kw=im_kw
        )

    @classmethod
    @validate_params(
        {"draws": [dict, "array-like"], **_PLOT_CONSTRAINTS},
        prefer_skip_nested_validation=True,
    )
    def from_predictions(cls, draws, image_shape, *, n_columns=10, ax=None, im_kw=None):
        """Show images that were drawn before.

        Parameters
        ----------
        draws : DataFrame or array-like of shape (n_images, n_pixels), or dict of them
            The images, as ``sample`` returns them, by the name of where they come from
            if there are several.

        image_shape : tuple of three ints
            Channels, height and width.

        n_columns : int, default=10
            Images in a line.

        ax : matplotlib Axes, default=None
            Where to plot. If None, a new figure is made.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``.

        Returns
        -------
        display : RandomDrawDisplay
            With the images drawn.

        Raises
        ------
        ValueError
            If rows have other than `image_shape` pixels, or there are none.
        """
        draws = draws if isinstance(draws, dict) else {"draws": draws}
        if not draws:
            raise ValueError(
                "Got no draws; expected the images of one source at least."
            )
        display = cls(
            draws={name: as_images(rows, image_shape) for name, rows in draws.items()}
        )
        return display.plot(ax, n_columns=n_columns, im_kw=im_kw)

    @validate_params(_PLOT_CONSTRAINTS, prefer_skip_nested_validation=True)
    def plot(self, ax=None, *, n_columns=10, im_kw=None):
        """Draw the gallery.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot. If None, a new figure is made.

        n_columns : int, default=10
            Images in a line.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``.

        Returns
        -------
        display : RandomDrawDisplay
            Itself.
        """
        most = max(len(images) for images in self.draws.values())
        n_columns = min(n_columns, most)
        lines = {
            name: _in_lines(images, n_columns) for name, images in self.draws.items()
        }
        labels = [
            _style.short(name) if line == 0 else ""
            for name, images in lines.items()
            for line in range(len(images))
        ]
        limits = self.limits
        if limits is None:
            limits = pixel_limits(np.concatenate(list(self.draws.values())))
        gallery = ImageGallery(
            images=np.concatenate(list(lines.values())),
            limits=limits,
            row_labels=labels if len(self.draws) > 1 else (),
            apart=_apart([*self.draws], [len(images) for images in lines.values()]),
        )
        self.im_, _ = gallery.draw(ax, im_kw)
        self.ax_ = self.im_.axes
        self.figure_ = self.ax_.figure
        return self


def _models_of_images(estimators, X):
    """Return models by name, all of the same images."""
    if not len(estimators):
        raise ValueError("Got no estimators; expected at least one fitted model.")
    each = estimators.values() if isinstance(estimators, dict) else estimators
    if X is None and any(isinstance(estimator, Pipeline) for estimator in each):
        raise ValueError(
            "Got a Pipeline and X=None; expected X, which tells whether the steps "
            "before the model lead back to images."
        )
    models = models_by_name(estimators, X)
    shapes = {name: _shape_of(found) for name, found in models.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"Expected models of the same images, got {shapes}.")
    return models


def _shape_of(found):
    """Return the shape of a model's images, or say why it has none to show."""
    check_is_fitted(found.model)
    name, shape = type(found.model).__name__, image_shape_of(found.model)
    if shape is None:
        raise ValueError(
            f"This {name} was fitted without image_shape; expected a model of images. "
            "What rows of a table are like that a model draws is shown by "
            "DistributionDisplay."
        )
    if found.to_data is None:
        raise ValueError(
            f"The steps before the {name} have no exact inverse, so what it draws is "
            "no image; expected steps that invert, or the model itself."
        )
    return shape


def _sources(models, conditions):
    """Return, by name, models with the keywords of ``sample``: one for each row."""
    if conditions is None:
        return {name: (found, {}) for name, found in models.items()}
    for found in models.values():
        if not found.model.module_.n_conditions:
            raise ValueError(
                f"Got conditions, but this {type(found.model).__name__} was fitted "
                "without one; expected conditions=None, or models with a condition."
            )
    if not isinstance(conditions, dict):
        conditions = {_condition_name(each): each for each in conditions}
    return {
        name if len(models) == 1 else f"{model}: {name}": (found, {"condition": each})
        for name, each in conditions.items()
        for model, found in models.items()
    }


def _condition_name(condition):
    """Return how a condition reads."""
    if isinstance(condition, dict):
        return ", ".join(f"{name} = {value}" for name, value in condition.items())
    return str(condition)


def _in_lines(images, n_columns):
    """Fold images into lines, the last one filled up with nothing."""
    missing = -len(images) % n_columns
    shape = images.shape[1:]
    nothing = np.nan if shape[0] == 1 else np.inf  # see-through, or white
    filled = np.concatenate([images, np.full((missing, *shape), nothing)])
    return filled.reshape(-1, n_columns, *shape)


def _apart(names, n_lines):
    """Return which lines have a wider gap above: those that start something new.

    Sources of one line each stand apart from real images only.
    """
    starts = np.cumsum([0, *n_lines[:-1]])
    if max(n_lines) > 1:
        return starts[1:].tolist()
    return [1] if names[0] == _REAL and len(names) > 1 else []
