"""Which true factors have a latent of their own."""

from numbers import Real
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.stats import rankdata
from sklearn.utils._param_validation import Interval, validate_params

from skvae._core.html_table import html_table
from skvae.metrics._discretise import is_ordered_quantity
from skvae.metrics._validation import check_factors_and_codes
from skvae.metrics.paired_tables import as_float

# Of a correlation that is 1.
_ROUNDING = 1e-12


class RecoveredFactors(NamedTuple):
    """What :func:`recovered_factors` returns.

    Parameters
    ----------
    share : float
        Share of the factors that are recovered, between 0 and 1.

    per_factor : DataFrame of shape (n_factors, 3)
        A row for each factor: ``code``, the position of the code it is matched with
        (-1 without one), ``correlation``, their Spearman correlation, and
        ``is_recovered``.
    """

    share: float
    per_factor: pd.DataFrame

    def _repr_html_(self):
        return html_table(
            f"Recovered factors: {self.share:.0%}",
            ["factor", "code", "rank correlation", "recovered"],
            [
                (name, None if code < 0 else code, *others)
                for name, code, *others in self.per_factor.itertuples()
            ],
        )


@validate_params(
    {
        "factors": ["array-like"],
        "codes": ["array-like"],
        "threshold": [Interval(Real, 0, 1, closed="right")],
    },
    prefer_skip_nested_validation=True,
)
def recovered_factors(factors, codes, *, threshold=0.8):
    """Count the true factors that have a latent of their own.

    Factors and codes are matched one to one so that the sum of their absolute Spearman
    correlations is largest; a factor is recovered where that of its code is at least
    `threshold`. A second factor in the same code is not.

    Parameters
    ----------
    factors : array-like of shape (n_rows, n_factors) or (n_rows,)
        The known factors: numbers, booleans, dates or ordered categories. Rows where
        a factor is missing are left out for that factor.

    codes : array-like of shape (n_rows, n_codes)
        The representation of the same rows, posterior means as a rule.

    threshold : float, default=0.8
        Least absolute correlation, above 0 and at most 1.

    Returns
    -------
    RecoveredFactors
        Named tuple of ``share``, a float, and ``per_factor``, a DataFrame.

    Raises
    ------
    ValueError
        If the shapes do not match, if codes are not finite, if a factor is missing in
        all rows, or if it has no order.

    See Also
    --------
    mig_score : Asks also that no second code knows the factor.

    Notes
    -----
    Many rows of one value limit the correlation. A yes that is as frequent as a no
    reaches 0.87 with a code of distinct values, one in three rows 0.82, one in four
    0.75: rarer ones are never recovered at the default threshold.

    It sees what goes up or down with a code. A factor that a code holds in another
    shape, such as its square, is not recovered. Nor does it see what else a code
    holds. Codes and factors that do not vary have correlation 0.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import recovered_factors
    >>> factors = np.random.default_rng(0).normal(size=(1000, 3))
    >>> codes = np.column_stack([-(factors[:, 2] ** 3), factors[:, 0] + factors[:, 1]])
    >>> result = recovered_factors(factors, codes)
    >>> round(result.share, 2)
    0.33
    >>> result.per_factor.round(1)
            code  correlation  is_recovered
    factor
    0          1          0.7         False
    1         -1          0.0         False
    2          0         -1.0          True
    """
    factors, codes = check_factors_and_codes(factors, codes)
    correlations = np.stack(
        [_correlations(factors.iloc[:, k], codes) for k in range(factors.shape[1])]
    )
    code = np.full(len(correlations), -1)
    matched, own = linear_sum_assignment(np.abs(correlations), maximize=True)
    code[matched] = own
    correlation = np.zeros(len(code))
    correlation[matched] = correlations[matched, own]
    is_recovered = np.abs(correlation) >= threshold - _ROUNDING
    per_factor = pd.DataFrame(
        {"code": code, "correlation": correlation, "is_recovered": is_recovered},
        index=pd.Index(factors.columns, name="factor"),
    )
    return RecoveredFactors(float(is_recovered.mean()), per_factor)


def _correlations(factor, codes):
    """Return the Spearman correlation of a factor with every code."""
    known = factor.notna().to_numpy()
    target, codes = _as_numbers(factor[known].infer_objects()), codes[known]
    ranks = rankdata(np.column_stack([target, codes]), axis=0)
    ranks -= ranks.mean(axis=0)
    norms = np.sqrt((ranks**2).sum(axis=0))
    products = ranks[:, 0] @ ranks[:, 1:]
    scales = norms[0] * norms[1:]
    return np.divide(products, scales, out=np.zeros(len(scales)), where=scales > 0)


def _as_numbers(factor):
    """Return numbers in the order of a factor's values."""
    if isinstance(factor.dtype, pd.CategoricalDtype) and factor.cat.ordered:
        return factor.cat.codes.to_numpy(dtype=np.float64)
    if is_ordered_quantity(factor) or pd.api.types.is_bool_dtype(factor):
        return as_float(factor)
    raise ValueError(
        f"Factor {factor.name!r} holds {factor.dtype}, which has no order; expected "
        "numbers, booleans, dates or ordered categories."
    )
