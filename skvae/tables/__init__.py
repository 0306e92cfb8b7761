"""A DataFrame row to a row of a float matrix, and back."""

from skvae.tables import _stored_kinds  # noqa: F401 (registers what files can hold)
from skvae.tables._column import Column
from skvae.tables._condition_input import as_conditions, condition_names
from skvae.tables._conditions import ConditionEncoder
from skvae.tables._date import Date
from skvae.tables._encoder import TableEncoder
from skvae.tables._given import Given
from skvae.tables._levels import Levels
from skvae.tables._number import Boolean, Number
from skvae.tables._schema import TableSchema
from skvae.tables._stream import TableStream
from skvae.tables._unmodelled import Constant, Identifier

__all__ = [
    "Boolean",
    "Column",
    "ConditionEncoder",
    "Constant",
    "Date",
    "Given",
    "Identifier",
    "Levels",
    "Number",
    "TableEncoder",
    "TableSchema",
    "TableStream",
    "as_conditions",
    "condition_names",
]
