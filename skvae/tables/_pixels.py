"""Pixels of images, all of which share one scale."""

import math
from numbers import Integral

import numpy as np

from skvae._core.storing import storable

PIXEL_ENCODINGS = ("minmax", "standard", None)


@storable(offset_=float, scale_=float, limits_=tuple[float, float])
class PixelScaler:
    """Scale all pixels of a set of images alike.

    A scale for each pixel, as columns of a table have, would blow up the corners of
    the image, where next to nothing happens, to the size of its middle.

    Parameters
    ----------
    encoding : {"minmax", "standard"} or None
        Where pixels go: to [0, 1], to mean 0 and standard deviation 1, or nowhere.

    Attributes
    ----------
    offset_ : float
        What is taken off each pixel.

    scale_ : float
        What it is divided by then.

    limits_ : tuple of float
        Between them lies whatever ``inverse_transform`` returns. Under ``"minmax"``
        they are the least and the largest pixel of the training images: beyond black
        and white there is no colour. Otherwise they are infinite.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.tables._pixels import PixelScaler
    >>> images = np.array([[0.0, 51.0], [0.0, 255.0]])
    >>> scaler = PixelScaler("minmax").fit(images)
    >>> scaler.transform(images)
    array([[0. , 0.2],
           [0. , 1. ]])

    What a decoder draws may be brighter than white:

    >>> scaler.inverse_transform(np.array([[-0.1, 1.1]]))
    array([[  0., 255.]])
    """

    def __init__(self, encoding):
        self.encoding = encoding

    def fit(self, X):
        """Learn the one scale of all pixels.

        Parameters
        ----------
        X : ndarray of shape (n_images, n_pixels)
            Finite numbers, not all of them the same.

        Returns
        -------
        self : PixelScaler
            The fitted scaler.
        """
        self.offset_, self.scale_, self.limits_ = 0.0, 1.0, (-math.inf, math.inf)
        if self.encoding == "minmax":
            low, high = float(X.min()), float(X.max())
            self.offset_, self.scale_, self.limits_ = low, high - low, (low, high)
        elif self.encoding == "standard":
            # Of numbers next to 0 the standard deviation may be 0 by underflow.
            self.offset_, self.scale_ = float(X.mean()), float(X.std()) or 1.0
        return self

    def transform(self, X):
        """Return scaled pixels.

        Parameters
        ----------
        X : ndarray of shape (n_images, n_pixels)
            Pixels in the images' own units.

        Returns
        -------
        scaled : ndarray of shape (n_images, n_pixels)
            Scaled pixels.
        """
        scaled = X - self.offset_
        scaled /= self.scale_
        return scaled

    def inverse_transform(self, X):
        """Return pixels in the images' own units.

        Parameters
        ----------
        X : ndarray of shape (n_images, n_pixels)
            Scaled pixels.

        Returns
        -------
        pixels : ndarray of shape (n_images, n_pixels)
            Pixels between the limits.
        """
        pixels = X * self.scale_
        pixels += self.offset_
        return np.clip(pixels, *self.limits_, out=pixels)


def check_images(image_shape, n_columns, encoding):
    """Say so where columns are not the pixels of images, or cannot be scaled as such.

    Parameters
    ----------
    image_shape : sequence of int
        Channels, height and width.

    n_columns : int
        How many columns there are.

    encoding : str, None or transformer
        How they are to be scaled.

    Raises
    ------
    ValueError
        If `image_shape` is not three positive integers whose product is `n_columns`,
        or if `encoding` scales each column by itself.
    """
    shape = tuple(image_shape)
    if len(shape) != 3 or not all(_is_positive_integer(size) for size in shape):
        raise ValueError(
            f"Got image_shape={image_shape!r}; expected three positive integers, "
            "(channels, height, width), e.g. (1, 28, 28)."
        )
    if math.prod(shape) != n_columns:
        raise ValueError(
            f"image_shape={image_shape!r} makes {math.prod(shape)} pixels; expected "
            f"as many as there are columns, {n_columns}."
        )
    if encoding not in PIXEL_ENCODINGS:
        raise ValueError(
            f"Got encoding={encoding!r} with image_shape={image_shape!r}. It scales "
            "each column by itself, but all pixels of an image share one scale; "
            'expected "auto", "minmax", "standard" or None.'
        )


def _is_positive_integer(size):
    return isinstance(size, Integral) and size > 0
