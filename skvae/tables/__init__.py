"""A DataFrame row to a row of a float matrix, and back."""

from skvae.tables._encoder import TableEncoder
from skvae.tables._schema import Column, TableSchema

__all__ = ["Column", "TableEncoder", "TableSchema"]
