"""Images in labelled rows and columns, drawn into one axes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skvae.inspection import _style

# The gap between images, and the wider one that sets groups of rows apart, in widths
# and heights of an image.
_GAP = 0.05
# How far a row's label goes up and its note down, in heights of an image.
_NOTE = 0.04
_WIDE_GAP = 0.22
# How wide an image is in a new figure, in inches: what many of them may take together
# is bounded, and so is a single one.
_LARGEST, _WIDEST = 1.1, 9.0
# The height of a line of text, in font sizes.
_LINE = 1.35


@dataclass(frozen=True)
class ImageGallery:
    """Images in rows and columns, as one mosaic with labels.

    Parameters
    ----------
    images : ndarray of shape (n_rows, n_columns, channels, height, width)
        Pixels in the images' own units, of one channel (grey) or three (RGB).

    limits : tuple of two floats
        The pixels that are black and white. Those beyond are drawn as these.

    row_labels : sequence of str, default=()
        What stands to the left of each row.

    row_notes : sequence of str, default=()
        What stands below each row's label, quieter.

    column_labels : sequence of str, default=()
        What stands above each column.

    captions : list of list of str, default=()
        What stands below each image, one line or several.

    apart : sequence of int, default=()
        Rows with a wider gap above them.
    """

    images: np.ndarray
    limits: tuple
    row_labels: Sequence = ()
    row_notes: Sequence = ()
    column_labels: Sequence = ()
    captions: Sequence = ()
    apart: Sequence = ()

    def draw(self, ax=None, im_kw=None):
        """Draw the mosaic.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. If None, a new figure is made.

        im_kw : dict, default=None
            Keywords passed to ``ax.imshow``.

        Returns
        -------
        im : matplotlib AxesImage
            The mosaic. It is in ``im.axes``.

        captions : ndarray of matplotlib Text of shape (n_rows, n_columns) or None
            What stands below the images, if anything.
        """
        inches = self._image_inches(ax)
        if ax is None:
            ax = self._new_axes(inches)
        tops, lefts = self._tops(inches), self._lefts()
        mosaic = self._mosaic(tops, lefts, self._caption_pixels(inches)[-1])
        look = {"cmap": "gray", "vmin": 0, "vmax": 1, "interpolation": "antialiased"}
        im = ax.imshow(mosaic, **{**look, **(im_kw or {})})
        self._label(ax, tops, lefts)
        return im, self._write_captions(ax, tops, lefts)

    @property
    def _shape(self):
        """Rows, columns, channels, height and width."""
        return np.shape(self.images)

    def _image_inches(self, ax):
        """Return the width of an image: in a new figure, or in given axes about."""
        n_columns = self._shape[1]
        if ax is None:
            return min(_LARGEST, _WIDEST / n_columns)
        width, _ = _style.size_in_points(ax)
        return width / 72 / n_columns

    def _new_axes(self, inches):
        """Return axes in a new figure that has room for mosaic and labels."""
        _, n_columns, _, height, width = self._shape
        tops = self._tops(inches)
        below = self._caption_pixels(inches)[-1]
        tall = (tops[-1] + height + below) * inches / width
        beside = max(map(_longest_line, [*self.row_labels, *self.row_notes]), default=0)
        above = max((_n_lines(label) for label in self.column_labels), default=0)
        letter = _style.LABEL_SIZE / 72
        return _style.new_axes(
            0.3 + n_columns * (1 + _GAP) * inches + 0.6 * letter * beside,
            0.3 + tall + _LINE * letter * above,
        )

    def _caption_pixels(self, inches):
        """Return the height of each row's captions, in pixels of the mosaic."""
        lines = [max(map(_n_lines, row)) for row in self.captions]
        lines = np.array(lines or [0] * self._shape[0])
        points = np.where(lines > 0, (_LINE * lines + 0.5) * _style.LABEL_SIZE, 0)
        return np.rint(points / 72 / inches * self._shape[-1]).astype(int)

    def _tops(self, inches):
        """Return where each row starts, in pixels of the mosaic."""
        n_rows, *_, height, _ = self._shape
        gaps = np.full(n_rows, max(1, round(_GAP * height)))
        gaps[list(self.apart)] += round(_WIDE_GAP * height)
        gaps[1:] += self._caption_pixels(inches)[:-1]
        gaps[0] = 0
        return np.cumsum(gaps) + height * np.arange(n_rows)

    def _lefts(self):
        """Return where each column starts, in pixels of the mosaic."""
        _, n_columns, *_, width = self._shape
        return (width + max(1, round(_GAP * width))) * np.arange(n_columns)

    def _mosaic(self, tops, lefts, below):
        """Return one image of all, see-through between them."""
        *_, channels, height, width = self._shape
        shape = (tops[-1] + height + below, lefts[-1] + width)
        is_grey = channels == 1
        mosaic = np.full(shape, np.nan) if is_grey else np.zeros((*shape, 4))
        low, high = self.limits
        light = np.clip((np.asarray(self.images, float) - low) / (high - low), 0, 1)
        for (row, column), _ in np.ndenumerate(light[:, :, 0, 0, 0]):
            image = light[row, column]
            place = np.s_[tops[row] :, lefts[column] :]
            if is_grey:
                mosaic[place][:height, :width] = image[0]
            else:
                mosaic[place][:height, :width, :3] = image.transpose(1, 2, 0)
                mosaic[place][:height, :width, 3] = 1
        return mosaic

    def _label(self, ax, tops, lefts):
        """Write the labels of rows and columns as ticks, for which layouts find room.

        Notes are minor ticks at the same places.
        """
        *_, height, width = self._shape
        middles = tops + (height - 1) / 2
        ax.spines[:].set_visible(False)
        ax.tick_params(which="both", length=0, labelsize=_style.LABEL_SIZE)
        ax.tick_params(labelcolor=_style.INK, which="major")
        ax.tick_params(labelcolor=_style.QUIET, which="minor")
        ax.xaxis.tick_top()
        ax.set_xticks(
            (lefts + (width - 1) / 2)[: len(self.column_labels)], self.column_labels
        )
        above = _NOTE * height if len(self.row_notes) else 0
        ax.set_yticks(middles[: len(self.row_labels)] - above, self.row_labels)
        if len(self.row_notes):
            ax.yaxis.remove_overlapping_locs = False
            ax.set_yticks(middles + _NOTE * height, self.row_notes, minor=True)
            for label in ax.get_yticklabels():
                label.set_verticalalignment("bottom")
            for note in ax.get_yticklabels(minor=True):
                note.set_verticalalignment("top")

    def _write_captions(self, ax, tops, lefts):
        if not len(self.captions):
            return None
        *_, height, width = self._shape
        texts = np.empty(self._shape[:2], dtype=object)
        for row, column in np.ndindex(texts.shape):
            texts[row, column] = ax.annotate(
                self.captions[row][column],
                (lefts[column] + (width - 1) / 2, tops[row] + height - 0.5),
                (0, -2.5),
                textcoords="offset points",
                ha="center",
                va="top",
                fontsize=_style.LABEL_SIZE,
                color=_style.INK,
                linespacing=1.15,
            )
        return texts


def _longest_line(text):
    return max(map(len, text.replace("$", "").split("\n")))


def _n_lines(text):
    return text.count("\n") + 1 if text else 0


def as_images(rows, image_shape):
    """Fold rows of pixels into images.

    Parameters
    ----------
    rows : DataFrame or array-like of shape (n_images, n_pixels)
        All pixels of the first channel row by row, then of the next.

    image_shape : sequence of three ints
        Channels, height and width.

    Returns
    -------
    images : ndarray of shape (n_images, channels, height, width)
        The same pixels.

    Raises
    ------
    ValueError
        If there are more or fewer pixels in a row, or other than 1 or 3 channels.
    """
    rows = np.asarray(rows)
    channels, height, width = image_shape
    if channels not in (1, 3):
        raise ValueError(
            f"Got images of {channels} channels; expected 1 (grey) or 3 (red, green, "
            "blue) to draw them."
        )
    if rows.ndim != 2 or rows.shape[1] != channels * height * width:
        raise ValueError(
            f"Got rows of shape {rows.shape}; expected (n_images, "
            f"{channels * height * width}), as image_shape={tuple(image_shape)!r} says."
        )
    return rows.reshape(-1, channels, height, width)


def signed(value):
    """Return a value of a latent as a label, with its sign and one decimal."""
    text = f"{value:+.1f}".replace("-", "\N{MINUS SIGN}")
    return text if text[1:] != "0.0" else "0"


def pixel_limits(images):
    """Return what is black and white in images: 0 and 255 where pixels are bytes.

    Otherwise these are the least and the largest pixel.
    """
    if np.asarray(images).dtype == np.uint8:
        return 0.0, 255.0
    low, high = float(np.min(images)), float(np.max(images))
    return (low, high) if high > low else (low, low + 1.0)


def image_shape_of(model):
    """Return channels, height and width of the images that a fitted model is of.

    Parameters
    ----------
    model : BaseVAE
        Fitted.

    Returns
    -------
    image_shape : tuple of three ints or None
        None where the rows of its table are no images.
    """
    shape = model.table_encoder_.image_shape
    return None if shape is None else tuple(shape)


def required_image_shape(model):
    """Return the shape of a fitted model's images, or say that it has none."""
    shape = image_shape_of(model)
    if shape is None:
        raise ValueError(
            f"This {type(model).__name__} was fitted without image_shape; expected a "
            "model of images."
        )
    return shape
