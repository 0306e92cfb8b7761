"""Check what users pass in, in scikit-learn's words."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from skvae.networks import BernoulliHead
from skvae.tables import TableStream

# How far beyond [0, 1] a scaler may leave a value by rounding alone.
_ROUNDING = 1e-9


def forget(estimator):
    """Drop what an earlier fit left, so that a failed one does not look fitted."""
    fitted = [n for n in vars(estimator) if n.endswith("_") and not n.startswith("__")]
    for name in fitted:
        delattr(estimator, name)


def check_table(estimator, X, *, reset):
    """Return `X` as a DataFrame or a two-dimensional array that a table encoder reads.

    Parameters
    ----------
    estimator : estimator
        Remembers feature names and their number where `reset`, and compares them
        where not.

    X : DataFrame or array-like of shape (n_samples, n_features)
        The rows.

    reset : bool
        True in fit.

    Returns
    -------
    X : DataFrame or ndarray of shape (n_samples, n_features)
        A DataFrame stays as it is; anything else becomes an array of float64, float32,
        int64, int32 or, as images are, uint8, without infinite values.

    Raises
    ------
    ValueError
        If column names repeat or have several levels, if names or the number of
        columns differ from those in fit, or if there are too few rows or columns.
    """
    if isinstance(X, TableStream):
        np.asarray(X)  # says what a stream is for, before names of columns are missed
    least = 2 if reset else 1
    if not isinstance(X, pd.DataFrame):
        numeric = [np.float64, np.float32, np.int64, np.int32, np.uint8]
        return validate_data(
            estimator,
            X,
            dtype=numeric,
            reset=reset,
            ensure_min_samples=least,
            ensure_all_finite="allow-nan",
        )
    _check_column_names(X.columns)
    validate_data(estimator, X, skip_check_array=True, reset=reset)
    if X.shape[1] == 0:
        raise ValueError(
            f"Found DataFrame with 0 feature(s) (shape={X.shape}) while a minimum of "
            "1 is required."
        )
    if len(X) < least:
        raise ValueError(
            f"Found DataFrame with {len(X)} sample(s) (shape={X.shape}) while a "
            f"minimum of {least} is required."
        )
    return X


def _check_column_names(columns):
    if columns.nlevels > 1:
        raise ValueError(
            f"X has column names of {columns.nlevels} levels; expected one level. "
            'Flatten them, e.g. X.columns = ["_".join(name) for name in X.columns].'
        )
    repeated = columns[columns.duplicated()].unique().tolist()
    if repeated:
        raise ValueError(
            f"X has more than one column named {', '.join(map(repr, repeated))}; "
            "expected unique column names."
        )


def check_layer_sizes(name, sizes):
    """Say so where the widths of hidden layers are not positive whole numbers."""
    if not all(isinstance(size, Integral) and size > 0 for size in sizes):
        raise ValueError(
            f"Got {name}={sizes!r}; expected positive integers, e.g. (256, 128)."
        )


def check_image_shape(image_shape):
    """Say so where the shape of images is not three whole numbers of a usable size."""
    if image_shape is None:
        return
    is_whole = all(isinstance(size, Integral) and size > 0 for size in image_shape)
    if not (is_whole and len(image_shape) == 3 and min(image_shape[1:]) >= 4):
        raise ValueError(
            f"Got image_shape={image_shape!r}; expected (channels, height, width), "
            "with at least 4 pixels a side, e.g. (1, 28, 28)."
        )


def check_anchors(estimator):
    """Say so where `anchors` does not tie columns that vary to latents that exist.

    Parameters
    ----------
    estimator : OneStageVAE
        With its table encoder fitted.

    Raises
    ------
    ValueError
        If a column is unknown or constant, or a latent is none or taken twice.
    """
    anchors = estimator.anchors or {}
    for name, latent in anchors.items():
        estimator.table_encoder_.matrix_column(name)
        # True is an integer to Python, and no latent to anybody.
        is_whole = isinstance(latent, Integral) and not isinstance(latent, bool)
        if not is_whole or not 0 <= latent < estimator.latent_dim:
            raise ValueError(
                f"Got anchors={anchors!r}; expected a latent between 0 and "
                f"{estimator.latent_dim - 1} for column {name!r}, since latent_dim is "
                f"{estimator.latent_dim}."
            )
    if len(set(anchors.values())) < len(anchors):
        raise ValueError(
            f"Got anchors={anchors!r}; expected another latent for each column."
        )


def check_callbacks(callbacks):
    """Say so where a callback is none of skorch's kind."""
    for item in callbacks or []:
        callback = item[1] if isinstance(item, tuple) and len(item) == 2 else item
        if hasattr(callback, "on_fit_task_end"):
            raise ValueError(
                f"Got {item!r} in callbacks; expected skorch callbacks (scikit-learn's "
                "own are set by set_callbacks)."
            )
        if not hasattr(callback, "on_epoch_end"):
            raise ValueError(
                f"Got {item!r} in callbacks; expected skorch callbacks, such as "
                "skorch.callbacks.LRScheduler(), or pairs of a name and a callback."
            )


def check_resume(estimator):
    """Say so where a fit could not be told to be the one that was written down."""
    if not estimator.resume:
        return
    if estimator.checkpoint is None:
        raise ValueError(
            "Got resume=True with checkpoint=None; expected the folder in which the "
            "fit to go on with was written down."
        )
    if not isinstance(estimator.random_state, Integral):
        raise ValueError(
            f"Got resume=True with random_state={estimator.random_state!r}; expected "
            "an integer, without which no two fits are the same."
        )


def check_likelihood(likelihood, table_encoder, matrix):
    """Say so where encoded values are not what the likelihood can have.

    Parameters
    ----------
    likelihood : str
        The estimator's parameter.

    table_encoder : TableEncoder
        Fitted; it knows which column is which.

    matrix : ndarray of shape (n_samples, width)
        The encoded training rows.

    Raises
    ------
    ValueError
        If the likelihood is Bernoulli, as by default it is of pixels, and a column
        leaves [0, 1].
    """
    of_pixels = table_encoder.image_shape is not None
    if likelihood == "gaussian" or (likelihood == "auto" and not of_pixels):
        return
    low, high = np.nanmin(matrix, axis=0), np.nanmax(matrix, axis=0)
    outside = (low < -_ROUNDING) | (high > 1 + _ROUNDING)
    if outside.any():
        worst = outside.argmax()
        column = table_encoder.column_at(worst)
        raise ValueError(
            f"likelihood={likelihood!r} needs scaled values in [0, 1]; column "
            f"{column.name!r} has values in [{low[worst]:.3g}, {high[worst]:.3g}] "
            f"under encoding={table_encoder.encoding_!r}. Use "
            'encoding="minmax", or likelihood="gaussian".'
        )


def check_can_be_given(estimator):
    """Say so where the model's columns cannot be given some values.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Raises
    ------
    ValueError
        If columns are pixels, or scaled values under a Bernoulli likelihood.
    """
    kinds = {group.kind for group in estimator.table_encoder_.groups_}
    heads = zip(estimator.module_.heads, estimator.module_.groups, strict=True)
    is_bernoulli = any(
        group.kind == "continuous" and isinstance(head, BernoulliHead)
        for head, group in heads
    )
    if "pixel" in kinds or is_bernoulli:
        raise ValueError(
            "Got given=, which images and numbers under likelihood="
            '"bernoulli" cannot have; expected None, or likelihood="auto".'
        )


def check_latents(estimator, Z):
    """Return latents as float64, with the row labels they came with.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Z : DataFrame or array-like of shape (n_samples, latent_dim)
        Latents, as ``transform`` returns them.

    Returns
    -------
    latents : ndarray of shape (n_samples, latent_dim)
        The numbers.

    index : pandas Index or None
        The labels of a DataFrame's rows.
    """
    index = getattr(Z, "index", None) if isinstance(Z, pd.DataFrame) else None
    latents = check_array(Z, dtype=np.float64, input_name="Z")
    expected = estimator._n_features_out
    if latents.shape[1] != expected:
        raise ValueError(
            f"Z has {latents.shape[1]} columns, but {type(estimator).__name__} was "
            f"fitted with {expected} latents."
        )
    return latents, index
