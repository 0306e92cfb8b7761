"""All metrics of a generated table, beside independent columns and fresh real rows."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from skvae.metrics._fidelity_columns import missing_score, shape_score
from skvae.metrics._fidelity_composite import independent_columns
from skvae.metrics._fidelity_detection import detection_score
from skvae.metrics._fidelity_pairs import trend_score
from skvae.metrics._fidelity_privacy import privacy_distance_share
from skvae.metrics._fidelity_utility import utility_score
from skvae.metrics.paired_tables import CATEGORICAL_FEATURES, align_tables

# Figures of a few thousand rows are not known better than this.
_DECIMALS = 4


@validate_params(
    {
        "real": ["array-like"],
        "synthetic": ["array-like"],
        "holdout": ["array-like", None],
        "rules": ["array-like"],
        "max_rows": [Interval(Integral, 2, None, closed="left"), None],
        "categorical_features": CATEGORICAL_FEATURES,
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def fidelity_report(
    real,
    synthetic,
    *,
    holdout=None,
    target=None,
    rules=(),
    max_rows=10_000,
    categorical_features="from_dtype",
    random_state=None,
):
    """Tabulate how close a generated table comes to a real one.

    Beside the generated rows stand the two that say what their figures are worth:
    the real columns, each shuffled by itself, which any generator should beat, and real
    rows that it has not seen, which none can.

    Parameters
    ----------
    real : array-like of shape (n_rows, n_columns)
        The real rows that the generator learned from. Columns may be numeric,
        boolean, categorical, strings or dates, and cells may be missing.

    synthetic : array-like of shape (n_synthetic_rows, n_columns)
        The generated table. Between DataFrames columns are matched by name,
        otherwise by position.

    holdout : array-like of shape (n_holdout_rows, n_columns), default=None
        Real rows that the generator has not seen. They add the row "real rows", and
        the columns "utility" and "privacy".

    target : str, int or other name of a column, default=None
        What to predict for the column "utility", which takes `holdout` too.

    rules : sequence of callable or str, default=()
        What should hold of every row. A callable takes a table as a DataFrame and
        returns a boolean per row, and a string is an expression for
        :meth:`pandas.DataFrame.eval`. Each adds a column.

    max_rows : int or None, default=10_000
        Rows of each table for "detection" and "privacy"; None takes all.

    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns to take as categories besides those that hold categories, strings or
        booleans by their dtype: names, positions, or a mask of all columns.

    random_state : int, RandomState instance or None, default=None
        Determines what is shuffled and drawn. Pass an int for the same report on every
        call.

    Returns
    -------
    DataFrame
        Figures to four decimals, one row each for "synthetic", "independent columns"
        and, where there is a `holdout` or a rule, "real rows". Columns:

        - "shape", "trend", "detection": the scores of the row's table against `real`;
        - "missing", if a cell is: :func:`missing_score`;
        - "utility": what the row's table teaches, tested on `holdout`, by
          :func:`utility_score`; that of "real rows" learns from `real`;
        - "privacy": :func:`privacy_distance_share`, best at 0.5 or below;
        - "breaks ...": the share of rows that break a rule. Where there is no `holdout`
          it is the only figure of "real rows", and is that of `real`.

        What cannot be computed is NaN. Its transpose, ``report.T``, stays narrow.

    Raises
    ------
    ValueError
        If the columns do not match in name, number or kind, if there is a `target` but
        no `holdout`, or if a rule does not give a boolean per row.

    See Also
    --------
    fidelity_score : The first three figures in one number.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skvae.metrics import fidelity_report
    >>> rng = np.random.RandomState(0)
    >>> table = pd.DataFrame({"age": rng.uniform(20, 60, size=1500).round()})
    >>> table["tenure"] = (rng.uniform(size=1500) * (table["age"] - 18)).round()
    >>> real, holdout, synthetic = table[:500], table[500:1000], table[1000:]
    >>> rules = ["tenure < age"]
    >>> report = fidelity_report(
    ...     real, synthetic, holdout=holdout, rules=rules, random_state=0
    ... )
    >>> report.index.tolist()
    ['synthetic', 'independent columns', 'real rows']
    >>> report.columns.tolist()
    ['shape', 'trend', 'detection', 'privacy', 'breaks tenure < age']
    >>> (report["breaks tenure < age"] > 0).tolist()
    [False, True, False]
    """
    if target is not None and holdout is None:
        raise ValueError(
            f"Got target={target!r} and holdout=None; expected a holdout to test on."
        )
    tables = {"real": real, "synthetic": synthetic}
    if holdout is not None:
        tables["holdout"] = holdout
    (real, synthetic, *others), kinds = align_tables(tables, categorical_features)
    random_state = check_random_state(random_state)
    settings = {
        "categorical_features": kinds,
        "random_state": random_state.randint(2**31 - 1),
    }
    rows = {
        "synthetic": synthetic,
        "independent columns": independent_columns(real, random_state),
    }
    report = _closeness(real, rows, others, max_rows, settings)
    if target is not None:
        report["utility"] = [
            utility_score(table, *others, target, **settings).synthetic
            for table in (*rows.values(), real)
        ]
    if others:
        shares = [
            privacy_distance_share(real, table, *others, max_rows=max_rows, **settings)
            for table in rows.values()
        ]
        report["privacy"] = [*shares, np.nan]
    judged = {**rows, "real rows": others[0] if others else real}
    broken = {
        _label(rule, number): [
            _share_of_broken(rule, number, table) for table in judged.values()
        ]
        for number, rule in enumerate(rules, start=1)
    }
    if broken:
        report = report.reindex(list(judged)).assign(**broken)
    return report.round(_DECIMALS)


def _closeness(real, rows, others, max_rows, settings):
    """The scores of tables against the real one that take no third table."""
    kinds = {"categorical_features": settings["categorical_features"]}
    tables = {**rows, **dict(zip(["real rows"], others, strict=False))}
    report = {
        "shape": [shape_score(real, t, **kinds).mean for t in tables.values()],
        "trend": [trend_score(real, t, **kinds).mean for t in tables.values()],
        "detection": [
            detection_score(real, t, max_rows=max_rows, **settings)
            for t in tables.values()
        ],
    }
    if any(table.isna().to_numpy().any() for table in (real, *tables.values())):
        report["missing"] = [missing_score(real, t).mean for t in tables.values()]
    return pd.DataFrame(report, index=list(tables))


def _label(rule, number):
    """What the column of a rule is called."""
    name = rule if isinstance(rule, str) else getattr(rule, "__name__", "<lambda>")
    return "breaks " + (f"rule {number}" if name == "<lambda>" else name)


def _read(rule, number, table):
    """Return what a rule in words says of each row."""
    try:
        return table.eval(rule)
    except (NameError, SyntaxError) as error:
        raise ValueError(
            f"Rule {number} is {rule!r}, but {error}; expected an expression of "
            f"columns among {list(table.columns)}, as DataFrame.eval takes it."
        ) from error


def _share_of_broken(rule, number, table):
    """Share of the rows for which a rule does not hold."""
    holds = pd.Series(
        _read(rule, number, table) if isinstance(rule, str) else rule(table)
    )
    if len(holds) != len(table) or not pd.api.types.is_bool_dtype(holds):
        raise ValueError(
            f"Rule {number} gave {len(holds)} values of dtype {holds.dtype} for "
            f"{len(table)} rows; expected a boolean for each."
        )
    return 1.0 - holds.fillna(False).mean()
