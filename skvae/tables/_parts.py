"""Where the rows of a stream come from: parts that are read on their own."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from skvae._core.chunking import row_chunks
from skvae._core.errors import StreamError
from skvae.tables._parquet import parquet_parts


@dataclass(frozen=True)
class Part:
    """Some rows of a stream, which can be read without those before.

    Parameters
    ----------
    where : str
        What to call it in errors.

    start : int
        The position of its first row among all rows.

    read : callable
        Returns an iterator over its rows, as tables one below the other.
    """

    where: str
    start: int
    read: Callable[[], Iterator]


def parts_of(source, columns, n_rows) -> list[Part]:
    """Return the parts of whatever rows can come from.

    Parameters
    ----------
    source : path, array, list of DataFrames, iterable or callable
        As `TableStream` takes it.

    columns : list or None
        Which columns to read from Parquet; other sources have their columns selected
        later.

    n_rows : int
        How many rows of an array or of Parquet are read at once.

    Returns
    -------
    parts : list of Part
        In the order of the rows.

    Raises
    ------
    StreamError
        If rows cannot come from it, or only once.
    """
    if isinstance(source, str | os.PathLike):
        return _in_order(parquet_parts(source, columns, n_rows))
    if isinstance(source, np.ndarray) and source.ndim == 2:
        slices = row_chunks(len(source), n_rows)
        return [Part("the array", rows.start, _slice(source, rows)) for rows in slices]
    if callable(source):
        return [Part("the stream", 0, lambda: iter(source()))]
    if isinstance(source, list | tuple) and all(map(_is_table, source)):
        tables = enumerate(source)
        return _in_order([(f"table {n}", len(t), _only(t)) for n, t in tables])
    if isinstance(source, Iterable) and not isinstance(source, pd.DataFrame):
        if iter(source) is not source:
            return [Part("the stream", 0, source.__iter__)]
        raise StreamError(
            f"A {type(source).__name__} can be read only once, and training reads rows "
            "in every epoch; expected a function that returns a new one, such as "
            'TableStream(lambda: pandas.read_csv("rows.csv", chunksize=65_536)).'
        )
    raise StreamError(
        f"Got a {type(source).__name__}; expected the path of a Parquet file or "
        "folder, an array of two dimensions, or something that yields DataFrames. A "
        "DataFrame is no stream: models take it as it is."
    )


def _is_table(table):
    return isinstance(table, pd.DataFrame | np.ndarray)


def _in_order(sized):
    """Return parts of (where, number of rows, read), one after the other."""
    parts, start = [], 0
    for where, n_rows, read in sized:
        parts.append(Part(where, start, read))
        start += n_rows
    return parts


def _slice(array, rows):
    # A copy in memory, of what may be a map of the disk.
    return lambda: iter([np.array(array[rows])])


def _only(table):
    return lambda: iter([table])
