"""Images over what models make of them."""

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import StrOptions, validate_params

from skvae.inspection import _style
from skvae.inspection._image_gallery import ImageGallery, as_images, pixel_limits
from skvae.inspection._image_readers import (
    check_one_for_each_image,
    image_model,
    named,
    paper_scores,
    reconstructed,
    score_texts,
    stages,
)

_ORIGINAL = "image"
_BOUND = "E: negative evidence lower bound (nats)"
_MEANING = {"E": _BOUND, "A": "A: length of what is missed (pixels from 0 to 1)"}
_PLOT_CONSTRAINTS = {
    "models_in": [StrOptions({"rows", "columns"})],
    "im_kw": [dict, None],
}
_IMAGE_CONSTRAINTS = {
    "labels": ["array-like", None],
    "scores": ["boolean"],
    **_PLOT_CONSTRAINTS,
}


class ReconstructionDisplay:
    """Images, and below each of them what models make of it.

    It is recommended to use :meth:`from_estimator`, :meth:`from_estimators` or
    :meth:`from_predictions` to create a `ReconstructionDisplay`. All parameters are
    stored as attributes.

    The first row has the images, each row below it what one model makes of them.
    Scores of the images, if any, stand below each reconstruction. Those of the paper on
    dCVAE ([1]_, Figures 1 and 2) are

    - E, the negative evidence lower bound, in nats;
    - A, the length of what the reconstruction misses, ``||x - x_hat||`` (its eq. 19),
      with pixels from 0 to 1.

    Both are large for an image that the model has not learned to see.

    Parameters
    ----------
    images : ndarray of shape (n_images, channels, height, width)
        The images, of one channel (grey) or three (RGB).

    reconstructions : dict of str to ndarray
        What is made of them, by the name of who makes it: as many images of that shape.

    scores : dict of str to DataFrame of shape (n_images, n_scores), default=None
        By the same names, numbers to write below the reconstructions, each after the
        name of its column.

    labels : sequence of str, default=None
        What the images are called.

    Attributes
    ----------
    im_ : matplotlib AxesImage
        All images, as one mosaic.

    text_ : ndarray of matplotlib Text of shape (n_rows, n_columns) or None
        The scores below the images, if there are any.

    ax_ : matplotlib Axes
        The axes with the images.

    figure_ : matplotlib Figure
        The figure that holds them.

    See Also
    --------
    MixDisplay : The factors of one image with the detail of another.
    DistributionDisplay : Reconstructions of a table, column by column.

    References
    ----------
    .. [1] The paper on dCVAE that skvae implements, section 4.

    Examples
    --------
    >>> from skvae import VAE
    >>> from skvae.datasets import make_sprites
    >>> from skvae.inspection import ReconstructionDisplay
    >>> sprites = make_sprites(300, image_size=16, random_state=0)
    >>> X, shape = sprites.data, sprites.image_shape
    >>> model = VAE(2, image_shape=shape, max_epochs=3, random_state=0).fit(X)
    >>> display = ReconstructionDisplay.from_estimator(model, X[:6], scores=True)
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['image', 'VAE']
    >>> list(display.scores["VAE"])
    ['E', 'A']
    """

    def __init__(self, *, images, reconstructions, scores=None, labels=None):
        self.images = images
        self.reconstructions = reconstructions
        self.scores = scores
        self.labels = labels

    @classmethod
    @validate_params(
        {
            "kind": [StrOptions({"mean", "draw"})],
            "random_state": ["random_state"],
            **_IMAGE_CONSTRAINTS,
        },
        prefer_skip_nested_validation=True,
    )
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        condition=None,
        kind="mean",
        scores=False,
        labels=None,
        random_state=0,
        models_in="rows",
        ax=None,
        im_kw=None,
    ):
        """Reconstruct images with one model, an MSVAE stage by stage.

        Parameters
        ----------
        estimator : estimator
            A fitted model of images, a detector, or a Pipeline or search with one
            inside. Of an MSVAE there is a row for what the first stage makes of the
            images, and one for both stages.

        X : DataFrame or array-like of shape (n_images, n_pixels)
            The images, as `fit` saw them.

        condition : DataFrame, array-like, dict or scalar, default=None
            The condition of the images, for a model that takes one beside `X`. Of an
            unknown one, the training condition is taken at which an image is likeliest.

        kind : {"mean", "draw"}, default="mean"
            Whether to show mean images, or images drawn from the posterior and the
            decoder. A draw needs `condition` where a model takes one.

        scores : bool, default=False
            Whether to write E and A below each reconstruction. Under an unknown
            condition E is averaged over it.

        labels : array-like of str of shape (n_images,), default=None
            What the images are called.

        random_state : int, RandomState instance or None, default=0
            Determines the draws.

        models_in : {"rows", "columns"}, default="rows"
            Whether reconstructions stand below the images or beside them.

        ax : matplotlib Axes, default=None
            Where to plot. If None, a new figure is made.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``.

        Returns
        -------
        display : ReconstructionDisplay
            With the images drawn.

        Raises
        ------
        ValueError
            If the model is not one of images, if `X` has other columns than in `fit`,
            or if a step before the model has no inverse.
        """
        how = {"kind": kind, "random_state": check_random_state(random_state)}
        models = stages(image_model(estimator, X))
        display = cls._of_models(models, X, condition, scores, labels, **how)
        return display.plot(ax, models_in=models_in, im_kw=im_kw)

    @classmethod
    @validate_params(
        {"estimators": [list, tuple, dict], **_IMAGE_CONSTRAINTS},
        prefer_skip_nested_validation=True,
    )
    def from_estimators(
        cls,
        estimators,
        X,
        *,
        condition=None,
        scores=False,
        labels=None,
        models_in="rows",
        ax=None,
        im_kw=None,
    ):
        """Reconstruct images with several models.

        Parameters
        ----------
        estimators : list of estimators, or dict of str to estimator
            As :meth:`from_estimator` takes them, by their names. In a list they are
            called as their classes are, with a number from the second of a class on.

        X : DataFrame or array-like of shape (n_images, n_pixels)
            The images, as `fit` saw them.

        condition : DataFrame, array-like, dict or scalar, default=None
            As :meth:`from_estimator` takes it, for those models that take one.

        scores : bool, default=False
            Whether to write E and A below each reconstruction.

        labels : array-like of str of shape (n_images,), default=None
            What the images are called.

        models_in : {"rows", "columns"}, default="rows"
            Whether reconstructions stand below the images or beside them.

        ax : matplotlib Axes, default=None
            Where to plot. If None, a new figure is made.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``.

        Returns
        -------
        display : ReconstructionDisplay
            With the images drawn.

        Raises
        ------
        ValueError
            If there is no model, if one is not of images, if `X` has other columns
            than in `fit`, or if a step before a model has no inverse.
        """
        if not len(estimators):
            raise ValueError("Got no estimators; expected at least one fitted model.")
        if isinstance(estimators, dict):
            models = {name: image_model(one, X) for name, one in estimators.items()}
        else:
            models = named([image_model(one, X) for one in estimators])
        display = cls._of_models(models, X, condition, scores, labels)
        return display.plot(ax, models_in=models_in, im_kw=im_kw)

    @classmethod
    def _of_models(cls, models, X, condition, with_scores, labels, **how):
        reconstructions = {
            name: reconstructed(found, condition, **how)
            for name, found in models.items()
        }
        _, *image_shape = next(iter(reconstructions.values())).shape
        images = as_images(X, image_shape)
        scores = {
            name: paper_scores(found, images, reconstructions[name], condition)
            for name, found in models.items()
            if with_scores
        }
        return cls(
            images=images,
            reconstructions=reconstructions,
            scores=scores or None,
            labels=labels,
        )

    @classmethod
    @validate_params(
        {"reconstructions": [dict], "scores": [dict, None]},
        prefer_skip_nested_validation=True,
    )
    def from_predictions(
        cls,
        X,
        reconstructions,
        image_shape,
        *,
        scores=None,
        labels=None,
        models_in="rows",
        ax=None,
        im_kw=None,
    ):
        """Plot images over reconstructions that are at hand.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_images, n_pixels)
            The images: all pixels of the first channel row by row, then of the next.

        reconstructions : dict of str to array-like of shape (n_images, n_pixels)
            What is made of them, by the name of who makes it.

        image_shape : tuple of three ints
            Channels, height and width.

        scores : dict of str to DataFrame of shape (n_images, n_scores), default=None
            By the same names, numbers to write below the reconstructions, each after
            the name of its column.

        labels : array-like of str of shape (n_images,), default=None
            What the images are called.

        models_in : {"rows", "columns"}, default="rows"
            Whether reconstructions stand below the images or beside them.

        ax : matplotlib Axes, default=None
            Where to plot. If None, a new figure is made.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``.

        Returns
        -------
        display : ReconstructionDisplay
            With the images drawn.

        Raises
        ------
        ValueError
            If the shapes of images, reconstructions and scores do not match.
        """
        display = cls(
            images=as_images(X, image_shape),
            reconstructions={
                name: as_images(rows, image_shape)
                for name, rows in reconstructions.items()
            },
            scores=scores,
            labels=labels,
        )
        return display.plot(ax, models_in=models_in, im_kw=im_kw)

    @validate_params(_PLOT_CONSTRAINTS, prefer_skip_nested_validation=True)
    def plot(self, ax=None, *, models_in="rows", im_kw=None):
        """Draw the images and their reconstructions.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot. If None, a new figure is made.

        models_in : {"rows", "columns"}, default="rows"
            Whether reconstructions stand below the images or beside them.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``.

        Returns
        -------
        display : ReconstructionDisplay
            Itself.
        """
        check_one_for_each_image(
            self.images, self.reconstructions, self.scores, self.labels
        )
        images = np.stack([self.images, *self.reconstructions.values()])
        captions = self._captions()
        names = [_ORIGINAL, *self.reconstructions]
        labels = [] if self.labels is None else [str(label) for label in self.labels]
        if models_in == "columns":
            images, captions = images.swapaxes(0, 1), captions.T
            names, labels = labels, names
        gallery = ImageGallery(
            images,
            pixel_limits(self.images),
            row_labels=names,
            column_labels=labels,
            captions=captions if self.scores else (),
        )
        self.im_, self.text_ = gallery.draw(ax, im_kw)
        self.ax_, self.figure_ = self.im_.axes, self.im_.figure
        self._explain_scores()
        return self

    def _captions(self):
        """Return what stands below the images and below each reconstruction."""
        shape = 1 + len(self.reconstructions), len(self.images)
        captions = np.full(shape, "", dtype=object)
        for row, name in enumerate(self.reconstructions, 1):
            if name in (self.scores or {}):
                captions[row] = score_texts(self.scores[name])
        return captions

    def _explain_scores(self):
        """Say below the images what the letters are short for, if it is known."""
        names = dict.fromkeys(
            name for scores in (self.scores or {}).values() for name in scores
        )
        meanings = [_MEANING[name] for name in names if name in _MEANING]
        look = {"fontsize": _style.LABEL_SIZE, "color": _style.QUIET, "loc": "left"}
        self.ax_.set_xlabel("\n".join(meanings), **look)
