"""What users pass as a condition, in any form, as a table of conditions."""

from collections.abc import Mapping

import pandas as pd
from pandas.api import types as dtypes

from skvae.tables._wording import listed

# What a single condition is called that has no name of its own.
_UNNAMED = "condition"


def condition_names(condition) -> list:
    """Return what the conditions are called that fit is given.

    Parameters
    ----------
    condition : DataFrame, dict, Series, array-like, scalar or None
        As :func:`as_conditions` takes it.

    Returns
    -------
    names : list
        The columns of a DataFrame, the keys of a dict, the name of a Series. Without
        a name, one condition is ``"condition"``, several are ``"condition0"``,
        ``"condition1"`` and so on. None has none.

    Raises
    ------
    ValueError
        If a DataFrame has two columns of one name.

    Examples
    --------
    >>> from skvae.tables import condition_names
    >>> condition_names({"region": "N", "year": 2024})
    ['region', 'year']
    >>> condition_names([2023, 2024])
    ['condition']
    """
    return list(_by_name(condition))


def as_conditions(condition, names, n_rows) -> pd.DataFrame:
    """Return what a user passes as a condition as a table of conditions.

    Parameters
    ----------
    condition : DataFrame, dict, Series, array-like, scalar or None
        What is known of the conditions. A DataFrame or a dict gives them by name and
        may leave some out; the values of a dict are scalars, which hold for all rows,
        or sequences. An array of two dimensions gives all of them, in order. A
        Series, a sequence or a scalar gives the only one there is. Missing cells are
        unknown conditions, and None is nothing known.

    names : list
        What the conditions were called in fit.

    n_rows : int
        How many rows the table is to have.

    Returns
    -------
    conditions : DataFrame of shape (n_rows, n_conditions)
        One column for each of `names`, in the dtype in which it came.

    Raises
    ------
    ValueError
        If a name is unknown, or the number of conditions or of rows is another.

    See Also
    --------
    ConditionEncoder : Turns the table into a matrix.

    Examples
    --------
    >>> from skvae.tables import as_conditions
    >>> as_conditions({"year": [2023, 2024]}, ["region", "year"], n_rows=2)
      region  year
    0   None  2023
    1   None  2024
    >>> as_conditions("N", ["region"], n_rows=2)
      region
    0      N
    1      N
    """
    names = list(names)
    given = _by_name(condition)
    if not _has_names(condition, names):
        if len(given) != len(names):
            raise ValueError(
                f"Got {len(given)} condition(s) without names; expected {len(names)}: "
                f"{listed(names)}. A dict or a DataFrame may leave some out."
            )
        given = dict(zip(names, given.values(), strict=True))
    unknown = [name for name in given if name not in names]
    if unknown:
        raise ValueError(
            f"Got conditions {listed(unknown)}; expected names among {listed(names)}."
        )
    columns = {name: _column(name, given.get(name), n_rows) for name in names}
    return pd.DataFrame(columns, index=pd.RangeIndex(n_rows))


def _by_name(condition) -> dict:
    """Return conditions by name, in names made up where they have none."""
    if condition is None:
        return {}
    if isinstance(condition, pd.DataFrame):
        repeated = condition.columns[condition.columns.duplicated()]
        if len(repeated):
            raise ValueError(
                f"Got more than one condition named {listed(repeated.unique())}; "
                "expected unique names."
            )
        return dict(condition.items())
    if isinstance(condition, Mapping):
        return dict(condition)
    if isinstance(condition, pd.Series) and condition.name is not None:
        return {condition.name: condition}
    if not dtypes.is_scalar(condition) and _is_table(condition):
        columns = pd.DataFrame(condition)
        if columns.shape[1] > 1:
            columns.columns = [f"{_UNNAMED}{n}" for n in range(columns.shape[1])]
            return dict(columns.items())
        condition = columns.iloc[:, 0]
    return {_UNNAMED: condition}


def _has_names(condition, names) -> bool:
    """Whether conditions go by name, and not by their order."""
    if isinstance(condition, pd.DataFrame):
        return not (names == [_UNNAMED] and condition.shape[1] == 1)
    return condition is None or isinstance(condition, Mapping)


def _column(name, cells, n_rows) -> pd.Series:
    """Return one condition as a column; a scalar holds for all rows."""
    if dtypes.is_scalar(cells):
        return pd.Series([cells] * n_rows)
    column = pd.Series(cells).reset_index(drop=True)
    if len(column) != n_rows:
        raise ValueError(
            f"Condition {name!r} has {len(column)} cells; expected one for each of "
            f"the {n_rows} rows."
        )
    return column


def _is_table(cells) -> bool:
    """Whether cells have rows and columns: an array, or a list of lists."""
    if hasattr(cells, "ndim"):
        return cells.ndim > 1
    return len(cells) > 0 and dtypes.is_list_like(cells[0])
