"""How far each latent factor moves each column."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils import resample
from sklearn.utils._param_validation import Interval, validate_params

from skvae.inspection._column_reader import ColumnReader
from skvae.inspection._validation import (
    check_not_collapsed,
    check_quantiles,
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
    low values to its high ones, -0.5 that it brings it down by half of that. Dates and
    durations are numbers in this.

    The effect on a column of booleans is the change of the probability that one is
    true, and that on a column of categories the total variation distance between the
    mean probabilities of its levels at the two quantiles: 0 if they stay, 1 if the
    factor takes all rows from some levels to others. It has no sign.

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
        columns go together and which against. Those of categories are in [0, 1],
        whatever goes against them.

    Raises
    ------
    ValueError
        If `X` has other columns than in `fit`, or if no latent factor is active.

    See Also
    --------
    describe_factor : One factor as a table to read, with changes in columns' units.
    FactorEffectDisplay : Draws them.
    LatentTraversalDisplay : What happens between the two quantiles.
    MutualInformationDisplay : How much each factor knows of each column.

    Notes
    -----
    Effects compare across columns because their unit is a distance between quantiles.
    A standard deviation would not do: that of an amount of money is made by its few
    largest values. Nor would the interquartile range, which is 0 where most rows hold
    the same value. A column with the same value at both quantiles, such as a rare
    flag, is measured by its full range; a constant column has effect 0. Cells that are
    missing in `X` take no part in the quantiles, and a decoded row stands for one in
    which none is. A probability needs no unit: it goes from 0 to 1.

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

    What the factor with the largest effects moves most:

    >>> strongest = effects.loc[effects.abs().max(axis=1).idxmax()].abs()
    >>> [name[:-1] for name in strongest.nlargest(6).index]
    ['BILL_AMT', 'BILL_AMT', 'BILL_AMT', 'BILL_AMT', 'BILL_AMT', 'BILL_AMT']
    """
    check_not_collapsed(estimator)
    quantiles = check_quantiles(quantiles)
    factors = estimator._factor_names
    reader = ColumnReader(estimator)
    changes = _mean_changes(
        estimator, reader, X, range(len(factors)), quantiles, max_rows, random_state
    )
    return pd.DataFrame(
        _shares(changes, reader, X, quantiles),
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
    between the same two quantiles of the column itself. Of booleans and categories,
    what changes is a probability, as :func:`factor_effects` has it.

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
          as it is of a column of numbers that is constant in `X`. Of a column of
          categories the level whose probability grows most: "to '2'", say. All
          directions together are arbitrary, as the sign of a latent factor is: of a
          factor turned around, levels that lose become levels that gain.
        - ``size``: absolute mean change, in the units of the column: of dates and
          durations in days, of booleans and categories as a probability.
        - ``share``: the change with its sign, as a share of the distance between the
          quantiles of the column: what :func:`factor_effects` returns. Of booleans and
          categories it is as large as the size.

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
    >>> description = describe_factor(model, X, model.kl_per_dimension_.argmax())
    >>> list(description)
    ['direction', 'size', 'share']

    The factor that carries most moves the amounts billed, all of them in one direction:

    >>> top = description.head(5)
    >>> [name[:-1] for name in top.index]
    ['BILL_AMT', 'BILL_AMT', 'BILL_AMT', 'BILL_AMT', 'BILL_AMT']
    >>> top["direction"].nunique()
    1

    A column of categories goes to a level:

    >>> X["PAY_0"] = (X["PAY_0"] > 0).map({True: "late", False: "on time"})
    >>> model = BetaTCVAE(latent_dim=4, max_epochs=5, random_state=0).fit(X)
    >>> factor = factor_effects(model, X)["PAY_0"].idxmax()
    >>> describe_factor(model, X, factor).loc["PAY_0", "direction"]
    "to 'on time'"
    """
    check_not_collapsed(estimator)
    quantiles = check_quantiles(quantiles)
    position, reader = _factor_position(estimator, factor), ColumnReader(estimator)
    changes = _mean_changes(
        estimator, reader, X, [position], quantiles, max_rows, random_state
    )
    shares = _shares(changes, reader, X, quantiles)[0]
    description = pd.DataFrame(
        {
            "direction": _directions(shares, reader.gaining(changes[0])),
            "size": np.abs(reader.by_column(changes[0])),
            "share": shares,
        },
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


def _mean_changes(estimator, reader, X, factors, quantiles, max_rows, random_state):
    """Return how far each factor moves each reading, in the units of the reading.

    Parameters
    ----------
    estimator : estimator
        A fitted model.

    reader : ColumnReader
        Reads the rows that it decodes.

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
    changes : ndarray of shape (len(factors), n_readings)
        Means over rows.
    """
    codes = estimator._encode(X)[0]
    ends = np.quantile(codes, quantiles, axis=0)
    rows = resample(
        codes,
        replace=False,
        n_samples=min(len(codes), max_rows),
        random_state=random_state,
    )
    return np.array([_mean_change(reader, rows, j, ends[:, j]) for j in factors])


def _mean_change(reader, rows, factor, ends):
    """Return the mean of decode(upper end) - decode(lower end) over rows."""
    lower, upper = rows.copy(), rows.copy()
    lower[:, factor], upper[:, factor] = ends
    return (reader.decode(upper) - reader.decode(lower)).mean(axis=0)


def _shares(changes, reader, X, quantiles):
    """Return changes of columns as shares of their spread, 0 if they are constant."""
    return np.nan_to_num(reader.by_column(changes / reader.units(X, quantiles)))


def _directions(shares, gaining):
    """Return where columns go: up, down, or to the level that gains most."""
    signs = np.select([shares > 0, shares < 0], ["up", "down"], "none")
    return [
        sign if sign == "none" or level is None else f"to {level!r}"
        for sign, level in zip(signs.tolist(), gaining, strict=True)
    ]
