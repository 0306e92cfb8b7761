"""The table of effects that a `FactorEffectDisplay` draws."""

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from skvae.inspection._column_reader import ColumnReader
from skvae.inspection._effects import factor_effects
from skvae.inspection._validation import modelled_column_names


def named_effects(estimator, resolved, **settings):
    """Return effects on the columns that a model sees, under the names these have.

    Parameters
    ----------
    estimator : estimator
        A fitted model, a Pipeline that ends in one, or a search over either.

    resolved : Resolved
        What is inside.

    **settings
        Passed to :func:`factor_effects`.

    Returns
    -------
    effects : DataFrame of shape (n_factors, n_features)
        Where steps before the model hand on an array, names are those that
        ``get_feature_names_out`` of these steps gives, if all of them have one.
    """
    effects = factor_effects(resolved.model, resolved.inputs, **settings)
    best = getattr(estimator, "best_estimator_", estimator)
    if isinstance(resolved.inputs, pd.DataFrame) or not isinstance(best, Pipeline):
        return effects
    try:
        names = best[:-1].get_feature_names_out()
    except AttributeError:
        return effects
    named = pd.DataFrame(resolved.inputs, columns=names)
    return effects.set_axis(modelled_column_names(resolved.model, named), axis=1)


def columns_of(model, effects, kind):
    """Return the names of the columns of one kind."""
    columns = zip(effects.columns, ColumnReader(model).columns, strict=True)
    return [name for name, column in columns if isinstance(column, kind)]


def check_effects(effects, categories, booleans):
    """Raise if effects cannot be drawn as what they are said to be.

    Parameters
    ----------
    effects : DataFrame of shape (n_factors, n_features)
        The effects.

    categories, booleans : sequence of str
        The columns of each kind.

    Raises
    ------
    ValueError
        If there are none, if some are not finite or not in the range of their kind, or
        if a column is unknown.
    """
    if 0 in effects.shape:
        raise ValueError(
            f"Got effects of shape {effects.shape}; expected a factor and a column."
        )
    lost = effects.columns[~np.isfinite(effects.to_numpy(dtype=float)).all(axis=0)]
    if len(lost):
        raise ValueError(f"Got effects on {list(lost)} that are not finite.")
    for parameter, names in {"categories": categories, "booleans": booleans}.items():
        unknown = [name for name in names if name not in effects.columns]
        if unknown:
            raise ValueError(
                f"Got {unknown} in {parameter}; expected columns of effects, "
                f"{list(effects.columns)}."
            )
    for name in categories:
        lowest, highest = effects[name].min(), effects[name].max()
        if lowest < 0 or highest > 1:
            raise ValueError(
                f"Got effects from {lowest:g} to {highest:g} on the category {name!r}; "
                "expected some between 0 and 1."
            )


def checked_kl(kl, factors):
    """Return the KL of each factor as a dict."""
    lost = [name for name in factors if name not in kl]
    if lost:
        raise ValueError(f"Got no kl of {lost}; expected that of each factor.")
    return {name: float(kl[name]) for name in factors}


def in_blocks(effects, n_columns):
    """Return the columns that move furthest, those of one factor side by side.

    A column belongs to the factor that moves it furthest. Those of the first factor
    come first, of those that which moves most; what nothing moves is last.

    Parameters
    ----------
    effects : DataFrame of shape (n_factors, n_features)
        The effects.

    n_columns : int
        How many columns to keep at most.

    Returns
    -------
    effects : DataFrame of shape (n_factors, n_kept)
        With columns in this order.
    """
    sizes = effects.abs().to_numpy()
    furthest, owners = sizes.max(axis=0), sizes.argmax(axis=0)
    kept = np.argsort(-furthest, kind="stable")[:n_columns]
    blocks = np.where(furthest > 0, owners, len(sizes))[kept]
    return effects.iloc[:, kept[np.argsort(blocks, kind="stable")]]
