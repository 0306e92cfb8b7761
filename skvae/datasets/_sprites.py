"""Small images whose factors are known: one shape each, drawn smoothly in memory.

A shape is given by its signed distance: how far a point lies outside its outline, below
zero inside. A pixel is lit by how deep it lies, from not at all half a pixel outside to
fully half a pixel inside, which is what makes the edges smooth.
"""

import math
from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils import Bunch, check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from skvae._core.chunking import row_chunks

# The lowest and the highest value of each factor but the shape. The rotation goes round
# half of the circle on which a square turns into itself, the hue round half of its own:
# on half a circle, values that lie farther apart always look less alike.
FACTOR_RANGES = {
    "scale": (0.5, 1.0),
    "rotation": (-22.5, 22.5),
    "position_x": (0.0, 1.0),
    "position_y": (0.0, 1.0),
    "hue": (0.0, 0.5),
}

# Side of a square with the area of the largest sprite, as share of the image's side.
_LARGEST_SIDE = 0.3
# The ellipse reaches farthest from its centre: half of its long axis, in such sides.
_REACH = np.sqrt(2 / np.pi)

# Smaller images are drawn in parts of pixels and averaged: a shape hardly larger than
# its smooth edge would come out too bright.
_SMALLEST_DRAWN = 32

# Pixels drawn at once, so that memory does not grow with the number of images.
_CHUNK_PIXELS = 2**18

_DESCRIPTION = """\
Sprites
-------

{n_samples} images of {size} x {size} pixels (`data`), each of one {colour} shape on
black, drawn from {n_factors} independent factors (`factors`): {names}. Shape 0 is a
square, 1 an ellipse, 2 a heart; they have the same area at the same scale.
"""


def _box(x, y, half_side):
    """Signed distance to a square about the origin."""
    outside_x, outside_y = np.abs(x) - half_side, np.abs(y) - half_side
    corner = np.hypot(np.maximum(outside_x, 0), np.maximum(outside_y, 0))
    return corner + np.minimum(np.maximum(outside_x, outside_y), 0)


def _square(x, y):
    return _box(x, y, 0.5)


def _ellipse(x, y):
    """Signed distance, to first order, to an ellipse twice as wide as high."""
    width, height = _REACH, _REACH / 2
    level = np.hypot(x / width, y / height)
    slope = np.hypot(x / width**2, y / height**2)
    # Level over slope is half a diameter, whose direction is not defined at the centre.
    radius = np.divide(level, slope, out=np.full_like(level, height), where=slope > 0)
    return (level - 1) * radius


def _heart(x, y):
    """Signed distance to a square on its corner with a disc on each upper side."""
    # Of side s it has the area s ** 2 + pi * (s / 2) ** 2, which is to be 1.
    side = 1 / np.sqrt(1 + np.pi / 4)
    # Moved up, so that it is centred in height. y points down, as rows do.
    top, bottom = side * (0.5 + np.sqrt(1 / 8)), side * np.sqrt(0.5)
    y = y + (bottom - top) / 2
    # In the frame of the square, where the discs lie on its sides.
    u, v = (x - y) * np.sqrt(0.5), (x + y) * np.sqrt(0.5)
    discs = np.minimum(np.hypot(u - side / 2, v), np.hypot(u, v + side / 2)) - side / 2
    return np.minimum(_box(u, v, side / 2), discs)


# Signed distances, in units in which each shape has area 1. Their order is the code.
_SHAPES = {"square": _square, "ellipse": _ellipse, "heart": _heart}


def _draw_factors(generator, n_samples, color, grid):
    factors = {"shape": generator.randint(len(_SHAPES), size=n_samples)}
    for name, (low, high) in FACTOR_RANGES.items():
        if name == "hue" and not color:
            continue
        if grid is None:
            factors[name] = generator.uniform(low, high, n_samples)
        else:
            factors[name] = generator.choice(np.linspace(low, high, grid), n_samples)
    return pd.DataFrame(factors)


def _cover(factors, distance, size):
    """How much of each pixel the shape covers, shape (n_samples, size, size)."""
    parts = math.ceil(_SMALLEST_DRAWN / size)
    if parts > 1:
        fine = _cover(factors, distance, parts * size)
        return fine.reshape(-1, size, parts, size, parts).mean(axis=(2, 4))
    side, angle, across, down = (
        factors[name].to_numpy(np.float32)[:, np.newaxis, np.newaxis]
        for name in ("scale", "rotation", "position_x", "position_y")
    )
    side = side * _LARGEST_SIDE * size
    # As near to the edge as the largest sprite fits, with half a pixel of smooth edge.
    margin = _REACH * _LARGEST_SIDE * size + 0.5
    centre_x, centre_y = (
        margin + place * (size - 2 * margin) for place in (across, down)
    )
    pixel = np.arange(size, dtype=np.float32) + 0.5
    x, y = pixel - centre_x, pixel[:, np.newaxis] - centre_y
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    outside = distance((cosine * x - sine * y) / side, (sine * x + cosine * y) / side)
    return np.clip(0.5 - outside * side, 0, 1)


def _to_rgb(hue):
    """Return the fully saturated colours of `hue`, shape (n_samples, 3)."""
    distance = np.abs(
        (hue[:, np.newaxis] - np.array([0, 1 / 3, 2 / 3]) + 0.5) % 1 - 0.5
    )
    return np.clip(2 - 6 * distance, 0, 1)


def _render(factors, size):
    """Return the images, uint8 of shape (n_samples, channels, size, size)."""
    color = _to_rgb(factors["hue"].to_numpy()) if "hue" in factors else None
    n_channels = 1 if color is None else 3
    images = np.empty((len(factors), n_channels, size, size), dtype=np.uint8)
    chunk_size = _CHUNK_PIXELS // max(size, _SMALLEST_DRAWN) ** 2
    for code, distance in enumerate(_SHAPES.values()):
        rows = np.flatnonzero(factors["shape"] == code)
        for chunk in row_chunks(len(rows), chunk_size):
            some = rows[chunk]
            light = 255 * _cover(factors.iloc[some], distance, size)[:, np.newaxis]
            if color is not None:
                light = light * color[some, :, np.newaxis, np.newaxis]
            images[some] = np.rint(light)
    return images


@validate_params(
    {
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "image_size": [Interval(Integral, 8, 64, closed="both")],
        "color": ["boolean"],
        "grid": [Interval(Integral, 2, None, closed="left"), None],
        "return_X_y": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_sprites(
    n_samples=1000,
    *,
    image_size=32,
    color=False,
    grid=None,
    return_X_y=False,
    random_state=None,
):
    """Draw small images of single shapes from known, independent factors.

    Each image shows a square, an ellipse or a heart on black, in the manner of dSprites
    [1]_, with smooth edges. Its factors are what made it, and nothing else differs from
    image to image: there is no noise.

    Every factor can be read off the image, and the farther two of its values lie apart,
    the less alike are the images. Full turns, as dSprites has them, would break both: a
    square looks the same after 90 degrees, an ellipse after 180, a heart only after
    360. The rotation therefore covers 45 degrees, half of what turns a square into
    itself; beyond that a square would turn back. The hue covers half of its circle for
    the same reason.

    Parameters
    ----------
    n_samples : int, default=1000
        The number of images.

    image_size : int, default=32
        Height and width in pixels, from 8 to 64.

    color : bool, default=False
        If True, shapes have a hue, which is one factor more, and images have three
        channels: red, green and blue. If False, shapes are white, in one channel.

    grid : int, default=None
        If None, all factors but the shape are drawn uniformly from their ranges. If an
        int, they are drawn from so many evenly spaced values, ends included.

    return_X_y : bool, default=False
        If True, return ``(data, factors)`` instead of a Bunch.

    random_state : int, RandomState instance or None, default=None
        Determines the factors. Pass an int for reproducible output across multiple
        function calls. See :term:`Glossary <random_state>`.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        data : ndarray of shape (n_samples, channels * image_size * image_size)
            The pixels, uint8 from 0 to 255: all rows of the first channel, then of the
            next. ``data.reshape(-1, *image_shape)`` are the images.
        factors : DataFrame of shape (n_samples, 5), or (n_samples, 6) with color
            What made each image:

            1. ``"shape"``: 0 is a square, 1 an ellipse twice as wide as high, 2 a
               heart. At the same scale they have the same area, so that brightness
               does not tell them apart;
            2. ``"scale"``: the size, from 0.5 to 1;
            3. ``"rotation"``: degrees counterclockwise, from -22.5 to 22.5;
            4. ``"position_x"``: the place of the centre, from 0 (left) to 1 (right);
               no shape touches the edge of the image;
            5. ``"position_y"``: the same from 0 (top) to 1 (bottom);
            6. ``"hue"``: from 0 (red) over 1/3 (green) to 1/2 (cyan).
        factor_names : list of str
            The names of the columns of `factors`.
        image_shape : tuple
            Channels, height and width: (1, image_size, image_size), or
            (3, image_size, image_size) with color.
        DESCR : str
            A description of the images.

    (data, factors) : tuple if ``return_X_y`` is True
        The images and the factors alone.

    See Also
    --------
    make_factor_table : A table with known factors.

    References
    ----------
    .. [1] Loic Matthey, Irina Higgins, Demis Hassabis and Alexander Lerchner,
           "dSprites: disentanglement testing sprites dataset",
           https://github.com/google-deepmind/dsprites-dataset, 2017.

    Examples
    --------
    >>> from skvae.datasets import make_sprites
    >>> sprites = make_sprites(n_samples=100, image_size=16, random_state=0)
    >>> sprites.data.shape, sprites.image_shape
    ((100, 256), (1, 16, 16))
    >>> sprites.factor_names
    ['shape', 'scale', 'rotation', 'position_x', 'position_y']

    All pixels of an image together are the area of its shape:

    >>> area = sprites.data.sum(axis=1) / 255
    >>> float(area.max() / area.min()) < 4.2
    True
    """
    factors = _draw_factors(check_random_state(random_state), n_samples, color, grid)
    images = _render(factors, image_size)
    data = images.reshape(n_samples, -1)
    if return_X_y:
        return data, factors
    return Bunch(
        data=data,
        factors=factors,
        factor_names=list(factors.columns),
        image_shape=images.shape[1:],
        DESCR=_DESCRIPTION.format(
            n_samples=n_samples,
            size=image_size,
            colour="coloured" if color else "white",
            n_factors=factors.shape[1],
            names=", ".join(factors.columns),
        ),
    )
