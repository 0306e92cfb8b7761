"""A simulated card portfolio whose factors are known.

The columns, their kinds and roughly their margins are those of the Taiwan credit table
(:func:`skvae.datasets.fetch_taiwan_credit`), which was looked at to choose the
constants below. The factors are ours: the real table comes without any.

Randomness is drawn first, in `_draw_factors` and `_draw_noise`; the table is then a
deterministic function of both. One factor can thus be moved with all else held still.
"""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils import Bunch, check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from skvae.datasets._taiwan_credit import (
    BILL_NAMES,
    FEATURE_NAMES,
    PAYMENT_NAMES,
    STATUS_NAMES,
)

# Which columns each factor moves, and the order in which `n_factors` turns them on.
FACTOR_COLUMNS = {
    "wealth": ["LIMIT_BAL", "EDUCATION", *BILL_NAMES, *PAYMENT_NAMES],
    "utilisation": [*STATUS_NAMES, *BILL_NAMES, *PAYMENT_NAMES],
    "arrears": [*STATUS_NAMES, *PAYMENT_NAMES],
    "payment_discipline": [*STATUS_NAMES, *PAYMENT_NAMES],
    "life_stage": ["EDUCATION", "MARRIAGE", "AGE"],
    "spending_trend": [*BILL_NAMES, *PAYMENT_NAMES],
    "seasonal_peak": [*BILL_NAMES, *PAYMENT_NAMES],
}
FACTOR_NAMES = list(FACTOR_COLUMNS)

# The months, latest first as in the table. The table shows statements and payments of
# six months; a seventh statement is what the payment of the sixth month answers.
_MONTH = np.arange(7)
# From 1 for the latest month to -1 for the sixth.
_TREND = 1 - 2 * _MONTH / 5
# Highest in the middle of the six months, free of trend, mean zero over them.
_PEAK = np.maximum(1 - _TREND**2 / np.mean(_TREND[:6] ** 2), -1.15)

# Where a factor enters along a curve, the curve is linear between these knots.
_KNOTS = [-1.0, -0.9, -0.5, 0.0, 0.5, 0.9, 1.0]
_LOG_LIMIT = [9.4, 9.75, 10.85, 11.75, 12.4, 13.0, 13.3]
_LOG_USAGE = np.log([0.004, 0.008, 0.045, 0.3, 0.75, 1.1, 1.2])
_LOG_PAYMENT_RATE = np.log([0.014, 0.02, 0.045, 0.09, 0.3, 0.85, 1.0])
_AGE = [21.5, 23.0, 28.0, 34.0, 41.0, 54.0, 62.0]

# Most customers are never late, so this factor is a cube and leans to -1.
_ARREARS_POWER = 3
# A customer is late in a month where the arrears score exceeds this.
_LATE = 0.12

_SHARE_OF_WOMEN = 0.604
# From one end of a factor to the other; to move it further changes nothing more.
_LARGEST_SHIFT = 2
# Dollars; the largest payment in the real table is 1,684,259.
_LARGEST_PAYMENT = 2_000_000

_DESCRIPTION = """\
Simulated credit card portfolio
-------------------------------

Each row is a card holder, described by {n_factors} independent factors on [-1, 1]
(`factors`) and shown through 23 integer columns (`data`), which have the names, kinds
and roughly the margins of the Taiwan credit table. `support` says which factor moves
which column. SEX is a coin that no factor moves. Amounts are in dollars; months run
backwards. The codes are those of `fetch_taiwan_credit`.
"""


def _autocorrelated(generator, n_samples, correlation):
    """Standard normal noise of shape (n_samples, 7) with memory along the months."""
    noise = generator.standard_normal((n_samples, len(_MONTH)))
    for month in _MONTH[1:]:
        noise[:, month] *= np.sqrt(1 - correlation**2)
        noise[:, month] += correlation * noise[:, month - 1]
    return noise


def _typical_factors():
    """Return the median customer: where a factor that is turned off is held."""
    typical = np.zeros(len(FACTOR_NAMES))
    typical[FACTOR_NAMES.index("arrears")] = 2 * 0.5**_ARREARS_POWER - 1
    return typical


def _draw_factors(generator, n_samples, n_factors):
    # All are drawn, so that turning one more on leaves the others as they were.
    factors = generator.uniform(-1, 1, size=(n_samples, len(FACTOR_NAMES)))
    arrears = FACTOR_NAMES.index("arrears")
    factors[:, arrears] = 2 * ((factors[:, arrears] + 1) / 2) ** _ARREARS_POWER - 1
    factors[:, n_factors:] = _typical_factors()[n_factors:]
    return factors


def _draw_noise(generator, n_samples):
    """Draw all that is not a factor, each on a unit scale."""
    return {
        "sex": generator.uniform(size=n_samples),
        "limit": generator.standard_normal(n_samples),
        "education": generator.standard_normal(n_samples),
        "marriage": generator.standard_normal(n_samples),
        "other_status": generator.standard_normal(n_samples),
        "age": generator.standard_normal(n_samples),
        "usage": generator.standard_normal(n_samples),
        "activity": _autocorrelated(generator, n_samples, 0.6),
        "bill": _autocorrelated(generator, n_samples, 0.5),
        "credit_balance": generator.standard_normal((n_samples, 7)),
        "arrears": _autocorrelated(generator, n_samples, 0.5),
        "discipline": _autocorrelated(generator, n_samples, 0.5),
        # Laplace: now and then somebody pays ten times the usual.
        "payment": generator.laplace(size=(n_samples, 7)),
    }


def _person(factor, noise):
    """LIMIT_BAL, SEX, EDUCATION, MARRIAGE and AGE, each of shape (n_samples,)."""
    log_limit = np.interp(factor["wealth"], _KNOTS, _LOG_LIMIT) + 0.2 * noise["limit"]
    limit = 10_000 * np.clip(np.rint(np.exp(log_limit.clip(max=20)) / 10_000), 1, 100)

    # The young and the well-off have studied longer; 1 is the highest degree.
    learning = (
        0.45 * factor["wealth"] - 0.3 * factor["life_stage"] + 0.5 * noise["education"]
    )
    education = 4 - np.searchsorted([-1.7, -0.6, 0.25], learning)

    married = factor["life_stage"] + 0.7 * noise["marriage"] > 0.05
    other = 0.7 * factor["life_stage"] + noise["other_status"] > 2.4
    age = np.interp(factor["life_stage"], _KNOTS, _AGE) + 1.5 * noise["age"]
    return {
        "LIMIT_BAL": limit,
        "SEX": np.where(noise["sex"] < _SHARE_OF_WOMEN, 2, 1),
        "EDUCATION": education,
        "MARRIAGE": np.where(other, 3, np.where(married, 1, 2)),
        "AGE": np.clip(np.rint(age), 21, 75),
    }


def _bills(factor, noise, limit):
    """Statements of the seven months and whether the card was in use, (n, 7) each."""
    usage = np.interp(factor["utilisation"] + 0.05 * noise["usage"], _KNOTS, _LOG_USAGE)
    # The well-off use a smaller share of their limit.
    log_ratio = (
        (usage - 0.7 * factor["wealth"])[:, None]
        + (0.1 + 0.45 * factor["spending_trend"][:, None]) * _TREND
        + 0.32 * factor["seasonal_peak"][:, None] * _PEAK
        + 0.1 * noise["bill"]
    )
    ratio = np.exp(log_ratio.clip(max=20))
    # Banks stop an account somewhat above its limit, not exactly there.
    ratio /= np.sqrt(1 + (ratio / 1.5) ** 2)

    # Older months are less often in use, because some accounts are young.
    in_use = (
        factor["utilisation"][:, None] + 0.2 * noise["activity"] + 0.06 * _TREND > -0.86
    )
    balance = noise["credit_balance"]
    overpaid = np.where(balance > 1, np.exp(5 + 1.5 * balance.clip(max=4.5)), 0)
    return np.where(in_use, np.rint(ratio * limit[:, None]), -np.rint(overpaid)), in_use


def _statuses(factor, noise, in_use):
    """Repayment status of six months, and the score of arrears behind it, (n, 6)."""
    score = (factor["arrears"][:, None] + 0.22 * noise["arrears"])[:, :6]
    discipline = factor["payment_discipline"][:, None] + 0.1 * noise["discipline"]
    in_use = in_use[:, :6]

    status = np.where(discipline[:, :6] > 0.55, -1, 0)
    # Two months late, then a month more for each step of the score, up to eight.
    delay = 2 + np.clip(np.ceil((score - 0.95) / 0.12), 0, 6)
    status = np.where(score > _LATE, delay, status)
    # As in the real table, one month late is told of the latest month only.
    status[:, 0][(score[:, 0] > -0.15) & (score[:, 0] <= _LATE)] = 1
    return np.where(in_use, status, -2), score


def _payments(factor, noise, bills, score):
    """Payments of six months, each towards the statement one month older, (n, 6)."""
    owed = np.maximum(bills[:, 1:], 0)
    rate = np.interp(factor["payment_discipline"], _KNOTS, _LOG_PAYMENT_RATE)
    # Large statements are paid off by smaller shares; 12,000 dollars is the pivot.
    log_payment = (
        (rate + 0.3 * factor["wealth"])[:, None]
        + 0.65 * np.log(np.maximum(owed, 1))
        + 0.35 * np.log(12_000)
        - 1.5 * np.maximum(score + 0.3, 0)
        + 0.4 * noise["payment"][:, :6]
    )
    payment = np.rint(np.exp(log_payment.clip(max=np.log(_LARGEST_PAYMENT))))
    return np.where((owed == 0) | (score > 0.35), 0, payment)


def _simulate_table(factors, noise):
    """Return the table of the customers with these `factors` and this `noise`."""
    factor = dict(zip(FACTOR_NAMES, factors.T, strict=True))
    columns = _person(factor, noise)
    bills, in_use = _bills(factor, noise, columns["LIMIT_BAL"])
    statuses, score = _statuses(factor, noise, in_use)
    payments = _payments(factor, noise, bills, score)
    columns |= zip(STATUS_NAMES, statuses.T, strict=True)
    columns |= zip(BILL_NAMES, bills[:, :6].T, strict=True)
    columns |= zip(PAYMENT_NAMES, payments.T, strict=True)
    return pd.DataFrame(columns, columns=FEATURE_NAMES).astype(np.int64)


def _checked_shifts(factor_shift, names):
    """Return what is added to each factor, of shape (7,): zero where not told."""
    shifts = np.zeros(len(FACTOR_NAMES))
    for name, shift in (factor_shift or {}).items():
        if name not in names:
            raise ValueError(
                f"Got factor_shift={factor_shift!r}; expected names of factors that "
                f"vary with n_factors={len(names)}, not {name!r}: "
                f"{', '.join(map(repr, names))}."
            )
        is_number = isinstance(shift, Real) and not isinstance(shift, bool)
        if not is_number or not -_LARGEST_SHIFT <= shift <= _LARGEST_SHIFT:
            raise ValueError(
                f"Got factor_shift={factor_shift!r}; expected a number from "
                f"-{_LARGEST_SHIFT} to {_LARGEST_SHIFT} for {name!r}."
            )
        shifts[FACTOR_NAMES.index(name)] = shift
    return shifts


@validate_params(
    {
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "n_factors": [Interval(Integral, 2, len(FACTOR_NAMES), closed="both")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "factor_shift": [dict, None],
        "return_X_y": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_credit_portfolio(
    n_samples=1000,
    *,
    n_factors=6,
    noise=1.0,
    factor_shift=None,
    return_X_y=False,
    random_state=None,
):
    """Simulate a credit card portfolio with known, independent factors.

    The table has the columns of the Taiwan credit table [1]_: limits, codes, ages,
    repayment statuses, statements and payments of six months, skewed, with many zeros
    and some negative values, all of them integers. What makes one customer differ from
    another are a few independent factors, none of them Gaussian, each of which moves
    some of the columns. Without such inductive biases factors cannot be recovered at
    all [2]_; with them it is possible, not trivial.

    Parameters
    ----------
    n_samples : int, default=1000
        The number of customers.

    n_factors : int, default=6
        How many factors vary, from 2 to 7: the first of

        1. ``"wealth"``: higher limit, statements and payments, higher education,
           smaller share of the limit used;
        2. ``"utilisation"``: higher statements, payments along with them; at its
           lower end the card is not in use (status -2, statement zero or negative);
        3. ``"arrears"``: payments ever smaller, then late (status 1 to 8), then none;
        4. ``"payment_discipline"``: from the minimum to nearly the whole of the
           statement, at its upper end status -1;
        5. ``"life_stage"``: older, more often married, lower education;
        6. ``"spending_trend"``: statements that grow over the six months;
        7. ``"seasonal_peak"``: statements that peak in the middle months.

        The others are held at their median. For one `random_state` the factors that
        vary have the same values whatever `n_factors` is.

    noise : float, default=1.0
        Scale of what no factor explains, relative to a level that gives margins and
        correlations about as in the real table. With 0 every column but SEX is a
        deterministic function of the factors.

    factor_shift : dict of str to float, default=None
        What is added to a factor of every customer, by the name of the factor, e.g.
        ``{"arrears": 0.4}``; from -2 to 2, for factors that vary. A factor is clipped
        to [-1, 1] afterwards. With one int as `random_state`, and `n_samples`,
        `n_factors` and `noise` the same, the customers are the same people in another
        world: row i of one table is row i of the other after the shift, with the
        same noise. This is the truth that counterfactuals can be judged against.
        None and ``{}`` shift nothing.

    return_X_y : bool, default=False
        If True, return ``(data, factors)`` instead of a Bunch.

    random_state : int, RandomState instance or None, default=None
        Determines factors and noise. Pass an int for reproducible output across
        multiple function calls. See :term:`Glossary <random_state>`.

    Returns
    -------
    portfolio : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        data : DataFrame of shape (n_samples, 23)
            The table, all int64. LIMIT_BAL is a multiple of 10,000 up to 1,000,000,
            SEX 1 or 2, EDUCATION 1 to 4, MARRIAGE 1 to 3, AGE 21 to 75, the statuses
            -2 to 8. SEX depends on no factor.
        factors : DataFrame of shape (n_samples, n_factors)
            The factors that vary, on [-1, 1]. All are uniform, except ``"arrears"``,
            which is ``2 * U ** 3 - 1`` with U uniform on [0, 1], because most
            customers pay. With `factor_shift`, the factors after the shift.
        support : DataFrame of shape (n_factors, 23)
            True where the factor of that row moves the column.
        feature_names : list of length 23
            The names of the columns of `data`.
        factor_names : list of length n_factors
            The names of the columns of `factors`.
        DESCR : str
            A description of the table.

    (data, factors) : tuple if ``return_X_y`` is True
        The table and the factors alone.

    See Also
    --------
    fetch_taiwan_credit : The real table.
    make_factor_table : Tables of any size with known factors.

    References
    ----------
    .. [1] I-Cheng Yeh and Che-hui Lien, "The comparisons of data mining techniques for
           the predictive accuracy of probability of default of credit card clients",
           Expert Systems with Applications 36(2), 2473-2480, 2009.

    .. [2] Francesco Locatello, Stefan Bauer, Mario Lucic, Gunnar Rätsch, Sylvain
           Gelly, Bernhard Schölkopf and Olivier Bachem, "Challenging common
           assumptions in the unsupervised learning of disentangled representations",
           International Conference on Machine Learning, 2019.

    Examples
    --------
    >>> from skvae.datasets import make_credit_portfolio
    >>> portfolio = make_credit_portfolio(n_samples=500, n_factors=3, random_state=0)
    >>> portfolio.data.shape
    (500, 23)
    >>> portfolio.factor_names
    ['wealth', 'utilisation', 'arrears']

    Arrears show in the repayment statuses and in what is paid:

    >>> moved = portfolio.support.loc["arrears"]
    >>> moved.index[moved].tolist()[:7]
    ['PAY_0', 'PAY_2', 'PAY_3', 'PAY_4', 'PAY_5', 'PAY_6', 'PAY_AMT1']
    >>> late = portfolio.data["PAY_2"] > 0
    >>> bool((portfolio.factors["arrears"][late] > -0.75).all())
    True

    The same clients in a recession: nobody is less late, and more of them are late.

    >>> recession = make_credit_portfolio(
    ...     n_samples=500, n_factors=3, factor_shift={"arrears": 0.4}, random_state=0
    ... )
    >>> bool((recession.data["PAY_2"] >= portfolio.data["PAY_2"]).all())
    True
    >>> int(late.sum()), int((recession.data["PAY_2"] > 0).sum())
    (92, 138)
    >>> recession.data["LIMIT_BAL"].equals(portfolio.data["LIMIT_BAL"])
    True
    """
    names = FACTOR_NAMES[:n_factors]
    shifts = _checked_shifts(factor_shift, names)
    generator = check_random_state(random_state)
    factors = _draw_factors(generator, n_samples, n_factors)
    factors = np.clip(factors + shifts, -1, 1)
    draws = {
        # Sex is a coin, not a measurement: it has no level of noise.
        name: draw if name == "sex" else noise * draw
        for name, draw in _draw_noise(generator, n_samples).items()
    }
    data = _simulate_table(factors, draws)
    factors = pd.DataFrame(factors[:, :n_factors], columns=names)
    if return_X_y:
        return data, factors

    support = pd.DataFrame(
        [
            [column in FACTOR_COLUMNS[name] for column in FEATURE_NAMES]
            for name in names
        ],
        index=names,
        columns=FEATURE_NAMES,
    )
    return Bunch(
        data=data,
        factors=factors,
        support=support,
        feature_names=list(FEATURE_NAMES),
        factor_names=names,
        DESCR=_DESCRIPTION.format(n_factors=n_factors),
    )
