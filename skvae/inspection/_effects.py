"""How far each latent factor moves each column."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils import resample
from sklearn.utils._param_validation import Interval, validate_params

from skvae.inspection._validation import (
    check_not_collapsed,
    check_quantiles,
    column_spread,
    decode,
    modelled_column_names,
)


@validate_params(
    {
        "quantiles": ["array-like"],
        "max_rows": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def factor_effects(
    estimator, X, *, quantiles=(0.05, 0.95), max_rows=500, random_state=0
):
    """Return how far each column moves when one latent factor does.

    One factor goes from the lower to the upper quantile of its codes while the other
    factors of each row stay as they are. The effect on a column is the mean change of
    its decoded value over rows, as a share of the distance between the same two
    quantiles of the column itself: 1 means that the factor takes the column from its
    low values to its high ones, -0.5 that it brings it down by half of that.

    Parameters
    ----------
    estimator : estimator
        A fitted model of skvae.

    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows with the columns that `fit` saw, the training rows as a rule. All of
        them determine the quantiles.

    quantiles : tuple of two floats, default=(0.05, 0.95)
        Lower and upper quantile, of the codes and of the columns.

    max_rows : int, default=500
        Of more rows than these, so many are drawn to decode.

    random_state : int, RandomState instance or None, default=0
        Determines which rows are drawn.

    Returns
    -------
    effects : DataFrame of shape (n_factors, n_features)
        One row a latent factor, named as in ``get_feature_names_out`` (of `MSVAE` its
        factors, not its residual latents), one column a column of the table. The sign
        of a whole row is arbitrary, as that of a latent factor is: what counts is which
        columns go together and which against.

    Raises
    ------
    ValueError
        If `X` has other columns than in `fit`, or if no latent factor is active.

    See Also
    --------
    describe_factor : One factor as a table to read, with changes in columns' units.
    LatentTraversalDisplay : What happens between the two quantiles.
    MutualInformationDisplay : How much each factor knows of each column.

    Notes
    -----
    Effects compare across columns because their unit is a distance between quantiles.
    A standard deviation would not do: that of an amount of money is made by its few
    largest values. Nor would the interquartile range, which is 0 where most rows hold
    the same value. A column with the same value at both quantiles, such as a rare
    flag, is measured by its full range; a constant column has effect 0.

    Examples
    --------
    >>> from skvae import BetaTCVAE
    >>> from skvae.datasets import make_credit_portfolio
    >>> from skvae.inspection import factor_effects
    >>> X = make_credit_portfolio(1000, random_state=0).data
    >>> model = BetaTCVAE(latent_dim=4, max_epochs=5, random_state=0).fit(X)
    >>> effects = factor_effects(model, X)
    >>> effects.shape
    (4, 23)

    Two of the factors are active, and this is what they move most:

    >>> strongest = effects.abs().idxmax(axis=1)
    >>> strongest["betatcvae1"][:-1], strongest["betatcvae3"][:-1]
    ('PAY_', 'BILL_AMT')
    """
    check_not_collapsed(estimator)
    quantiles = check_quantiles(quantiles)
    factors = estimator._factor_names
    changes = _mean_changes(
        estimator, X, range(len(factors)), quantiles, max_rows, random_state
    )
    return pd.DataFrame(
        _shares(changes, estimator, X, quantiles),
        index=factors,
        columns=modelled_column_names(estimator, X),
    )


@validate_params(
    {
        "quantiles": ["array-like"],
        "max_rows": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def describe_factor(
    estimator, X, factor, *, quantiles=(0.05, 0.95), max_rows=500, random_state=0
):
    """Return what one latent factor does to the columns, as a table to read.

    The factor goes from the lower to the upper quantile of its codes while the other
    factors of each row stay as they are. The table has the columns that follow it
    furthest on top, with the direction of the mean change of their decoded values
    over rows, its size in the column's own units, and its share of the distance
    between the same two quantiles of the column itself.

    Parameters
    ----------
    estimator : estimator
        A fitted model of skvae.

    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows with the columns that `fit` saw, the training rows as a rule. All of
        them determine the quantiles.

    factor : str or int
        The latent factor, by its name as in ``get_feature_names_out`` or by its
        position there. It need not be active.

    quantiles : tuple of two floats, default=(0.05, 0.95)
        Lower and upper quantile, of the codes and of the columns.

    max_rows : int, default=500
        Of more rows than these, so many are drawn to decode.

    random_state : int, RandomState instance or None, default=0
        Determines which rows are drawn.

    Returns
    -------
    description : DataFrame of shape (n_features, 3)
        One row a column of the table that the model explains, indexed by its name,
        the one with the largest share in absolute value first:

        - ``direction``: "up" or "down", the sign of the share; "none" if that is 0,
          as it is of a column that is constant in `X`. All directions together are
          arbitrary, as the sign of a latent factor is.
        - ``size``: absolute mean change, in the units of the column.
        - ``share``: the change with its sign, as a share of the distance between the
          quantiles of the column: what :func:`factor_effects` returns.

    Raises
    ------
    ValueError
        If `factor` is unknown, if `X` has other columns than in `fit`, or if no
        latent factor is active.

    See Also
    --------
    factor_effects : The shares of all factors, side by side.
    LatentTraversalDisplay : What happens between the two quantiles.

    Notes
    -----
    Integer columns are rounded on decoding. Their size is a mean over rows of
    differences between rounded values, and no integer as a rule.

    Examples
    --------
    >>> from skvae import BetaTCVAE
    >>> from skvae.datasets import make_credit_portfolio
    >>> from skvae.inspection import describe_factor
    >>> X = make_credit_portfolio(1000, random_state=0).data
    >>> model = BetaTCVAE(latent_dim=4, max_epochs=5, random_state=0).fit(X)
    >>> description = describe_factor(model, X, "betatcvae3")
    >>> list(description)
    ['direction', 'size', 'share']

    The factor moves the amounts billed, all of them in one direction:

    >>> top = description.head(5)
    >>> [name[:-1] for name in top.index]
    ['BILL_AMT', 'BILL_AMT', 'BILL_AMT', 'BILL_AMT', 'BILL_AMT']
    >>> top["direction"].nunique()
    1
    """
    check_not_collapsed(estimator)
    quantiles = check_quantiles(quantiles)
    position = _factor_position(estimator, factor)
    changes = _mean_changes(estimator, X, [position], quantiles, max_rows, random_state)
    shares = _shares(changes, estimator, X, quantiles)[0]
    directions = np.select([shares > 0, shares < 0], ["up", "down"], "none")
    description = pd.DataFrame(
        {"direction": directions, "size": np.abs(changes[0]), "share": shares},
        index=modelled_column_names(estimator, X).rename("column"),
    )
    return description.iloc[np.argsort(-np.abs(shares), kind="stable")]


def _factor_position(estimator, factor):
    """Return the position of a latent factor given by name or by position."""
    names = list(estimator.get_feature_names_out())
    if isinstance(factor, str) and factor in names:
        return names.index(factor)
    is_integer = isinstance(factor, Integral) and not isinstance(factor, bool)
    if is_integer and 0 <= factor < len(names):
        return int(factor)
    raise ValueError(
        f"Expected factor out of {names}, or a position from 0 to {len(names) - 1}, "
        f"got {factor!r}."
    )


def _mean_changes(estimator, X, factors, quantiles, max_rows, random_state):
    """Return how far each factor moves each column, in the units of the column.

    Parameters
    ----------
    estimator : estimator
        A fitted model.

    X : DataFrame or array-like of shape (n_samples, n_features)
        The table.

    factors : sequence of int
        Positions of the factors that move.

    quantiles : tuple of two floats
        From where to where a factor goes.

    max_rows : int
        Of more rows than these, so many are drawn.

    random_state : int, RandomState instance or None
        Determines which rows are drawn.

    Returns
    -------
    changes : ndarray of shape (len(factors), n_features)
        Means over rows of the columns that the model explains.
    """
    codes = estimator._encode(X)[0]
    ends = np.quantile(codes, quantiles, axis=0)
    rows = resample(
        codes,
        replace=False,
        n_samples=min(len(codes), max_rows),
        random_state=random_state,
    )
    return np.array([_mean_change(estimator, rows, j, ends[:, j]) for j in factors])


def _mean_change(estimator, rows, factor, ends):
    """Return the mean of decode(upper end) - decode(lower end) over rows."""
    lower, upper = rows.copy(), rows.copy()
    lower[:, factor], upper[:, factor] = ends
    return (decode(estimator, upper) - decode(estimator, lower)).mean(axis=0)


def _shares(changes, estimator, X, quantiles):
    """Return changes as shares of the spread of each column, 0 if it is constant."""
    return np.nan_to_num(changes / column_spread(estimator._modelled(X), quantiles))
