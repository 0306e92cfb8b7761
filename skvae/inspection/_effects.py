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
        One row a latent factor, named as in ``get_feature_names_out``, one column a
        column of the table. The sign of a whole row is arbitrary, as that of a latent
        factor is: what counts is which columns go together and which against.

    Raises
    ------
    ValueError
        If `X` has other columns than in `fit`, or if no latent factor is active.

    See Also
    --------
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
    codes = estimator._encode(X)[0]
    ends = np.quantile(codes, quantiles, axis=0)
    rows = resample(
        codes,
        replace=False,
        n_samples=min(len(codes), max_rows),
        random_state=random_state,
    )
    change = [_mean_change(estimator, rows, j, ends[:, j]) for j in range(len(ends.T))]
    effects = np.nan_to_num(
        np.array(change) / column_spread(estimator._modelled(X), quantiles)
    )
    return pd.DataFrame(
        effects,
        index=estimator.get_feature_names_out(),
        columns=modelled_column_names(estimator, X),
    )


def _mean_change(estimator, rows, factor, ends):
    """Return the mean of decode(upper end) - decode(lower end) over rows."""
    lower, upper = rows.copy(), rows.copy()
    lower[:, factor], upper[:, factor] = ends
    return (decode(estimator, upper) - decode(estimator, lower)).mean(axis=0)
