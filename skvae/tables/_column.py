"""One column of a table: what all kinds of columns share."""

import json
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from pandas.api import types as dtypes

from skvae._core.storing import storable


@storable
@dataclass(frozen=True)
class Column:
    """One column of a table as fit saw it.

    A kind of column is a subclass. It says which `group` of the encoded matrix the
    column belongs to and how many columns it takes there, and turns cells into numbers
    or codes and these into cells. By itself this class holds cells that are kept aside.

    Parameters
    ----------
    name : object
        What the column is called.

    dtype : object
        The dtype of its cells, of numpy or of pandas.

    missing_share : float, default=0.0
        Share of the cells that were missing, in [0, 1].
    """

    name: object
    dtype: object
    missing_share: float = 0.0

    # The kind of `ColumnGroup` the column is modelled in; None if in none.
    group: ClassVar[str | None] = None
    kind: ClassVar[str] = "kept aside"

    @property
    def width(self) -> int:
        """How many columns of the matrix its cells take, present or not."""
        return 1

    @property
    def holds(self) -> str:
        """What the column holds, for people."""
        return ""

    @property
    def facts(self) -> dict:
        """What fit learned of the column, in values that JSON can hold."""
        facts = {"kind": self.kind, **asdict(self)}
        facts = {name: _plain(fact) for name, fact in facts.items()}
        facts["dtype"] = _dtype_facts(self.dtype)
        try:
            json.dumps(facts)
        except TypeError as error:
            raise ValueError(
                f"Column {self.name!r} does not go into JSON ({error}); expected its "
                "name and its levels to be strings, numbers or booleans."
            ) from error
        return facts

    def cast(self, values: pd.Series) -> pd.Series:
        """Return cells that were kept aside as cells of the column's own dtype.

        Parameters
        ----------
        values : Series of shape (n_samples,)
            The cells, in any dtype, missing ones too.

        Returns
        -------
        cells : Series of shape (n_samples,)
            The same values, in the column's dtype where it can hold all of them and
            as they are where not: an integer column cannot hold a missing cell, nor a
            category a level it does not list. Row labels are dropped.
        """
        values = values.reset_index(drop=True)
        if isinstance(self.dtype, pd.CategoricalDtype):
            fits = values.dropna().isin(self.dtype.categories).all()
            return values.astype(self.dtype) if fits else values
        try:
            with np.errstate(invalid="ignore"):  # compared below
                cells = values.astype(self.dtype)
        except (TypeError, ValueError, OverflowError):
            return values
        return cells if self._holds(cells, values) else values

    def _holds(self, cells, values) -> bool:
        """Whether a cast kept every value, up to the precision of a float."""
        present = values.notna()
        if not cells.notna().equals(present):
            return False
        if dtypes.is_float_dtype(self.dtype):
            return True
        same = cells[present].astype(object) == values[present].astype(object)
        return bool(same.all())


def _plain(value):
    """Return a fact as JSON can hold it: numpy's scalars as Python's."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _dtype_facts(dtype):
    """Return what a dtype is called, of a categorical one also its categories."""
    if not isinstance(dtype, pd.CategoricalDtype):
        return str(dtype)
    categories = dtype.categories
    return {
        "categories": categories.tolist(),
        "of": str(categories.dtype),
        "ordered": bool(dtype.ordered),
    }


def dtype_from(facts):
    """Return the dtype of which `Column.facts` told."""
    if isinstance(facts, str):
        return pd.api.types.pandas_dtype(facts)
    categories = pd.Index(facts["categories"], dtype=facts["of"])
    return pd.CategoricalDtype(categories, facts["ordered"])
