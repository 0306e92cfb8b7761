"""Tables of any size whose factors are known: ground truth for metrics."""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils import Bunch, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

# The weakest factor's weights against the strongest one's.
_WEAKEST = 0.4

_DESCRIPTION = """\
Table simulated from known factors
----------------------------------

{n_features} columns (`data`) made from {n_factors} independent, non-Gaussian factors of
mean 0 and variance 1 (`factors`) through a sparse, {mixing} mixing. Row k, column j of
`mixing` is the weight of factor k in column j, zero where the factor does not move the
column. `categorical_features` names the columns that hold ordered integer codes.
"""


def _uniform(generator, size):
    return generator.uniform(-np.sqrt(3), np.sqrt(3), size)


def _laplace(generator, size):
    return generator.laplace(scale=np.sqrt(0.5), size=size)


def _exponential(generator, size):
    return generator.exponential(size=size) - 1


def _two_humps(generator, size):
    # Humps of standard deviation .6 at +-.8: .6 ** 2 + .8 ** 2 = 1.
    return 0.8 * generator.choice([-1, 1], size) + 0.6 * generator.standard_normal(size)


# Mean 0 and variance 1 each, none of them Gaussian: a rotation of the factors shows.
_DISTRIBUTIONS = [_uniform, _laplace, _exponential, _two_humps]

# Increasing and, near 0, of slope about 1, so that columns keep comparable scales.
_NONLINEARITIES = [
    np.tanh,
    np.arcsinh,
    lambda signal: np.logaddexp(0, 2 * signal),
    lambda signal: signal + 0.25 * signal * np.abs(signal),
]


def _draw_support(generator, n_factors, n_features, density):
    """Draw which factor moves which column, shape (n_factors, n_features)."""
    # Dealing the columns out in turn gives every column a factor, and every factor
    # n_features // n_factors columns, of which there are at least two.
    support = np.zeros((n_factors, n_features), dtype=bool)
    support[np.arange(n_features) % n_factors, generator.permutation(n_features)] = True
    free = np.flatnonzero(~support)
    n_more = round(density * support.size) - n_features
    support.flat[generator.permutation(free)[: max(n_more, 0)]] = True
    return support


def _draw_mixing(generator, n_factors, n_features, density):
    """Draw the weights, ever weaker from the first factor to the last."""
    support = _draw_support(generator, n_factors, n_features, density)
    # Well away from 0, so that a factor that moves a column can be seen to do so.
    size = generator.uniform(0.5, 1.5, support.shape)
    sign = generator.choice([-1, 1], support.shape)
    strength = np.linspace(1, _WEAKEST, n_factors)[:, np.newaxis]
    return np.where(support, strength * sign * size, 0.0)


def _draw_factors(generator, n_samples, n_factors):
    draws = [
        _DISTRIBUTIONS[index % len(_DISTRIBUTIONS)](generator, n_samples)
        for index in range(n_factors)
    ]
    return np.column_stack(draws)


def _bend(signal):
    """Send each column of `signal` through one of the nonlinearities in turn."""
    columns = [
        _NONLINEARITIES[index % len(_NONLINEARITIES)](column)
        for index, column in enumerate(signal.T)
    ]
    return np.column_stack(columns)


def _draw_category_shares(generator):
    """Draw the shares of two to six categories, none of them rare."""
    n_categories = generator.randint(2, 7)
    return 0.5 / n_categories + 0.5 * generator.dirichlet(np.ones(n_categories))


def _to_codes(values, shares):
    """Cut `values` into ordered codes 0, 1, ... that hold about these shares."""
    inner_edges = np.quantile(values, np.cumsum(shares)[:-1])
    return np.searchsorted(inner_edges, values)


@validate_params(
    {
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "n_factors": [Interval(Integral, 1, None, closed="left")],
        "n_features": [Interval(Integral, 2, None, closed="left")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "mixing": [StrOptions({"linear", "nonlinear"})],
        "density": [Interval(Real, 0, 1, closed="both")],
        "categorical_share": [Interval(Real, 0, 1, closed="both")],
        "return_X_y": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_factor_table(
    n_samples=1000,
    *,
    n_factors=5,
    n_features=20,
    noise=0.1,
    mixing="nonlinear",
    density=0.3,
    categorical_share=0.0,
    return_X_y=False,
    random_state=None,
):
    """Simulate a table of any size from known, independent factors.

    Column j is ``f_j(factors @ mixing[:, j]) + noise``. The weights are sparse and
    become weaker from the first factor to the last, and no factor is Gaussian. Both
    matter: from a dense mixture of Gaussian factors no method can recover them [1]_,
    while a mixture of this kind, with increasing f_j, can in principle be
    separated [2]_.

    Parameters
    ----------
    n_samples : int, default=1000
        The number of rows.

    n_factors : int, default=5
        The number of factors, at most half of `n_features`.

    n_features : int, default=20
        The number of columns.

    noise : float, default=0.1
        Standard deviation of the Gaussian noise added to each column. Without it,
        most columns have a standard deviation between 0.2 and 3.

    mixing : {"linear", "nonlinear"}, default="nonlinear"
        With "linear" each f_j is the identity. With "nonlinear" each is increasing:
        the columns take in turn a hyperbolic tangent, an inverse hyperbolic sine, a
        softplus and a signed quadratic.

    density : float, default=0.3
        Share of the (factor, column) pairs whose weight is not zero, from 0 to 1. It
        cannot fall below ``1 / n_factors``, because every column depends on at least
        one factor. Every factor moves at least two columns.

    categorical_share : float, default=0.0
        Share of the columns, from 0 to 1, that are cut into two to six ordered
        integer codes of unequal frequency. Which ones is drawn.

    return_X_y : bool, default=False
        If True, return ``(data, factors)`` instead of a Bunch.

    random_state : int, RandomState instance or None, default=None
        Determines the mixing, the factors and the noise. Pass an int for reproducible
        output across multiple function calls: the mixing is then the same for every
        `n_samples` and `noise`. See :term:`Glossary <random_state>`.

    Returns
    -------
    table : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        data : DataFrame of shape (n_samples, n_features)
            The table: int64 where a column holds codes, float64 elsewhere.
        factors : DataFrame of shape (n_samples, n_factors)
            The factors, in turn uniform, Laplace, exponential and a mixture of two
            Gaussians, each of mean 0 and variance 1 in the population.
        mixing : ndarray of shape (n_factors, n_features)
            The weights.
        feature_names : list of length n_features
            The names of the columns of `data`.
        factor_names : list of length n_factors
            The names of the columns of `factors`.
        categorical_features : list of str
            The names of the columns that hold codes.
        DESCR : str
            A description of the table.

    (data, factors) : tuple if ``return_X_y`` is True
        The table and the factors alone.

    Raises
    ------
    ValueError
        If `n_features` is less than twice `n_factors`.

    See Also
    --------
    make_credit_portfolio : A simulated card portfolio with named factors.

    References
    ----------
    .. [1] Francesco Locatello, Stefan Bauer, Mario Lucic, Gunnar Rätsch, Sylvain
           Gelly, Bernhard Schölkopf and Olivier Bachem, "Challenging common
           assumptions in the unsupervised learning of disentangled representations",
           International Conference on Machine Learning, 2019.

    .. [2] Anisse Taleb and Christian Jutten, "Source separation in post-nonlinear
           mixtures", IEEE Transactions on Signal Processing 47(10), 2807-2820, 1999.

    Examples
    --------
    >>> from skvae.datasets import make_factor_table
    >>> table = make_factor_table(
    ...     n_samples=200, n_factors=3, n_features=8, categorical_share=0.25,
    ...     random_state=0,
    ... )
    >>> table.data.shape, table.factors.shape, table.mixing.shape
    ((200, 8), (200, 3), (3, 8))
    >>> len(table.categorical_features)
    2

    Every factor moves at least two columns:

    >>> bool(((table.mixing != 0).sum(axis=1) >= 2).all())
    True
    """
    if n_features < 2 * n_factors:
        raise ValueError(
            "n_features must be at least 2 * n_factors, so that every factor moves at "
            f"least two columns. Got n_features={n_features}, n_factors={n_factors}."
        )
    generator = check_random_state(random_state)
    # What makes the table comes before its rows, so that it does not depend on how
    # many of these are drawn.
    weights = _draw_mixing(generator, n_factors, n_features, density)
    n_categorical = round(categorical_share * n_features)
    categorical = np.sort(generator.permutation(n_features)[:n_categorical])
    shares = [_draw_category_shares(generator) for _ in categorical]

    factors = _draw_factors(generator, n_samples, n_factors)
    signal = factors @ weights
    values = _bend(signal) if mixing == "nonlinear" else signal
    values = values + noise * generator.standard_normal(values.shape)

    feature_names = [f"x{index}" for index in range(n_features)]
    factor_names = [f"factor{index}" for index in range(n_factors)]
    categorical_features = [feature_names[index] for index in categorical]
    data = pd.DataFrame(values, columns=feature_names)
    for name, share in zip(categorical_features, shares, strict=True):
        data[name] = _to_codes(data[name].to_numpy(), share).astype(np.int64)
    factors = pd.DataFrame(factors, columns=factor_names)
    if return_X_y:
        return data, factors
    return Bunch(
        data=data,
        factors=factors,
        mixing=weights,
        feature_names=feature_names,
        factor_names=factor_names,
        categorical_features=categorical_features,
        DESCR=_DESCRIPTION.format(
            n_features=n_features, n_factors=n_factors, mixing=mixing
        ),
    )
