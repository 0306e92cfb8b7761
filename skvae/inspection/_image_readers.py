"""What models make of images, and how far off it is."""

from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from skvae.inspection._image_gallery import (
    as_images,
    pixel_limits,
    required_image_shape,
)
from skvae.inspection._validation import takes_condition
from skvae.models import MSVAE
from skvae.models._detector import AnomalyDetector
from skvae.selection._resolve import resolve


def image_model(estimator, X):
    """Return the model of images inside an estimator, and images as it sees them.

    Parameters
    ----------
    estimator : estimator
        A fitted model, a detector, or a Pipeline or search with one inside.

    X : DataFrame or array-like of shape (n_images, n_pixels)
        Images as the estimator takes them.

    Returns
    -------
    found : Resolved
        With a way back to the units of `X`.

    Raises
    ------
    ValueError
        If the model is not one of images, or if a step before it has no inverse.
    """
    if isinstance(estimator, AnomalyDetector):
        check_is_fitted(estimator)
        estimator = estimator.model_
    found = resolve(estimator, X)
    check_is_fitted(found.model)
    required_image_shape(found.model)
    if found.to_data is None:
        raise ValueError(
            f"The steps before the {type(found.model).__name__} have no exact inverse, "
            "so its reconstructions cannot be seen beside the images; expected steps "
            "that invert, or the model itself with the images as it sees them."
        )
    return found


def stages(found):
    """Return a model by its name, one of two stages by both of them."""
    if not isinstance(found.model, MSVAE):
        return named([found])
    first = replace(found, model=found.model.first_stage_)
    return {"first stage": first, "both stages": found}


def named(models):
    """Return models by the names of their classes, told apart by numbers."""
    models_of = {}
    for found in models:
        name = type(found.model).__name__
        number = sum(type(other.model).__name__ == name for other in models_of.values())
        models_of[f"{name} {number + 1}" if number else name] = found
    return models_of


def reconstructed(found, condition=None, kind="mean", random_state=None):
    """Return what a model makes of images.

    Parameters
    ----------
    found : Resolved
        The model, and the images as it sees them.

    condition : DataFrame, array-like, dict or scalar, default=None
        Their condition, if the model takes one beside them. A mean image under an
        unknown one is that under the training condition of the best bound.

    kind : {"mean", "draw"}, default="mean"
        Whether to return the mean image or a draw.

    random_state : RandomState, default=None
        Determines the draws.

    Returns
    -------
    images : ndarray of shape (n_images, channels, height, width)
        In the units of the images.
    """
    model, given = found.model, _given(found.model, condition)
    if given and condition is None and kind == "mean":
        rows = _reconstructed_at_likeliest(model, found.inputs)
    else:
        given = {**given, "own_condition": condition} if given else {}
        rows = model.reconstruct(
            found.inputs, kind=kind, random_state=random_state, **given
        )
    return as_images(found.to_data(rows), required_image_shape(model))


def decoded_images(found, codes):
    """Return the images that codes stand for.

    Parameters
    ----------
    found : Resolved
        The model, and the way back to the units of the images.

    codes : ndarray of shape (n_images, n_latents)
        All latents of the model.

    Returns
    -------
    images : ndarray of shape (n_images, channels, height, width)
        In the units of the images. A condition is averaged over.

    Raises
    ------
    ValueError
        If a step before the model has no inverse.
    """
    model = found.model
    if found.to_data is None:
        raise ValueError(
            f"The steps before the {type(model).__name__} have no exact inverse, so "
            "its images cannot be seen in the units of X; expected steps that invert."
        )
    rows = found.to_data(model.inverse_transform(codes))
    return as_images(rows, required_image_shape(model))


def paper_scores(found, images, reconstruction, condition=None):
    """Return E and A of images, as the paper on dCVAE has them.

    Parameters
    ----------
    found : Resolved
        The model, and the images as it sees them.

    images, reconstruction : ndarray of shape (n_images, channels, height, width)
        The images, and what the model makes of them.

    condition : DataFrame, array-like, dict or scalar, default=None
        Their condition, if the model takes one beside them.

    Returns
    -------
    scores : DataFrame of shape (n_images, 2)
        E is the negative evidence lower bound in nats; A the Euclidean length of what
        the reconstruction misses (eq. 19), of pixels from 0 to 1.
    """
    low, high = pixel_limits(images)
    missed = (np.asarray(images, float) - reconstruction) / (high - low)
    bound = found.model.score_samples(found.inputs, **_given(found.model, condition))
    return pd.DataFrame({"E": -bound, "A": np.sqrt((missed**2).sum(axis=(1, 2, 3)))})


def score_texts(scores):
    """Return the scores of each image as a line of text.

    Parameters
    ----------
    scores : DataFrame of shape (n_images, n_scores)
        Named by its columns.

    Returns
    -------
    texts : list of str of length n_images
        Such as ``"E 118  A 3.60"``.
    """
    return [
        "  ".join(f"{name} {_number(value)}" for name, value in row.items())
        for _, row in pd.DataFrame(scores).iterrows()
    ]


def _number(value):
    """Return a number with three digits, or with all those before its point."""
    digits = 2 - int(np.floor(np.log10(abs(value)))) if value else 0
    return f"{value:,.{np.clip(digits, 0, 3)}f}".replace("-", "\N{MINUS SIGN}")


def check_one_for_each_image(images, reconstructions, scores, labels):
    """Say so where reconstructions, scores or labels are not one for each image.

    Parameters
    ----------
    images : ndarray of shape (n_images, channels, height, width)
        The images.

    reconstructions : dict of str to ndarray
        What is made of them.

    scores : dict of str to DataFrame, or None
        Numbers that belong to reconstructions.

    labels : sequence of str, or None
        What the images are called.

    Raises
    ------
    ValueError
        That names what does not match.
    """
    for name, made in reconstructions.items():
        if np.shape(made) != np.shape(images):
            raise ValueError(
                f"Got reconstructions of shape {np.shape(made)} for {name!r}; "
                f"expected {np.shape(images)}, as the images have."
            )
    unknown = [name for name in scores or {} if name not in reconstructions]
    if unknown:
        raise ValueError(
            f"Got scores for {unknown}; expected names of reconstructions: "
            f"{list(reconstructions)}."
        )
    lengths = {f"scores for {name!r}": len(s) for name, s in (scores or {}).items()}
    if labels is not None:
        lengths["labels"] = len(labels)
    for what, length in lengths.items():
        if length != len(images):
            raise ValueError(
                f"Got {length} {what}; expected one for each of {len(images)} images."
            )


def _given(model, condition):
    """Return keywords that give a condition to a model that takes one beside X."""
    return {"condition": condition} if takes_condition(model) else {}


def _reconstructed_at_likeliest(model, X):
    """Return mean images under the training condition of the best bound.

    The mean over conditions would be a blur of all classes.
    """
    infer, width = model._inference, model._width

    def bound_and_values(matrix):
        log_likelihood, kl = infer.bound(matrix, model._nodes)
        latents, _ = infer.encode(matrix)
        values = infer.decode(latents, matrix[:, width:])[:, :width]
        return np.column_stack([log_likelihood - kl, values])

    def at_likeliest(parts, log_probabilities):
        likeliest = (parts[:, :, 0] + log_probabilities).argmax(axis=1)
        return parts[np.arange(len(parts)), likeliest]

    matrix = np.concatenate(list(model._encoded_chunks(X)))
    values = infer.over_unknown(bound_and_values, matrix, at_likeliest)[:, 1:]
    return model.table_encoder_.inverse_transform(values)
