"""A DataFrame row to a row of a float matrix, and back."""

from skvae.tables._column import Column
from skvae.tables._condition_input import as_conditions, condition_names
from skvae.tables._conditions import ConditionEncoder
from skvae.tables._encoder import TableEncoder
from skvae.tables._schema import TableSchema

__all__ = [
    "Column",
    "ConditionEncoder",
    "TableEncoder",
    "TableSchema",
    "as_conditions",
    "condition_names",
]
