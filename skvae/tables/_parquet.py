"""Rows of Parquet files, one row group after the other."""

import os
from functools import partial
from pathlib import Path

from skvae._core.errors import StreamError

# Bytes of a column's pages that are in memory at once.
_BUFFER = 2**20


def parquet_parts(path, columns, n_rows) -> list[tuple]:
    """Return the row groups of a Parquet file, or of all files of a folder.

    Parameters
    ----------
    path : str or path
        The file, or the folder with files that are read in the order of their names.
        Folders called ``column=value`` are columns, as Hive has them.

    columns : list of str or None
        Which columns to read; None reads all.

    n_rows : int
        How many rows a table has at most.

    Returns
    -------
    parts : list of tuple
        What to call the row group, its number of rows, and a callable that returns an
        iterator over its rows as DataFrames.

    Raises
    ------
    StreamError
        If there is no such file, if it is no Parquet, or if columns differ between
        files.

    ModuleNotFoundError
        If pyarrow is not installed.
    """
    _require_pyarrow()
    import pyarrow as pa

    try:
        files, schema = _files(path)
        _check_columns(columns, schema.names, path)
        return [
            (
                f"{_name(group)}, row group {group.row_groups[0].id}",
                group.row_groups[0].num_rows,
                partial(_tables, group, schema, columns, n_rows),
            )
            for file in files
            for group in file.split_by_row_group()
        ]
    except FileNotFoundError as error:
        raise StreamError(f"There is no file or folder {os.fspath(path)!r}.") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise StreamError(f"Cannot read {os.fspath(path)!r}: {error}") from error


def _require_pyarrow():
    try:
        import pyarrow.dataset  # noqa: F401
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "Parquet needs pyarrow; expected it to be installed, by "
            f"pip install 'skvae[parquet]' ({error}).",
            name=error.name,
        ) from error


def _files(path):
    """Return the files of a path, and a schema that holds all of them."""
    import pyarrow.dataset as ds

    table = ds.dataset(path, format="parquet", partitioning="hive")
    files = list(table.get_fragments())
    if not files:
        raise StreamError(f"There is no Parquet file in {os.fspath(path)!r}.")
    first, schema = files[0], files[0].physical_schema
    for file in files[1:]:
        schema = _unified(schema, file, first)
    folders = [field for field in table.schema if field.name not in schema.names]
    for field in folders:
        schema = schema.append(field)
    return files, schema


def _unified(schema, file, first):
    """Return a schema that also holds the columns of another file, which are the same.

    Whole numbers and others make a column of numbers: a month without holes has its
    columns as integers.
    """
    import pyarrow as pa

    found = file.physical_schema.names
    if found != schema.names:
        differing = sorted(set(found) ^ set(schema.names)) or "their order"
        raise StreamError(
            f"{_name(file)} has other columns than {_name(first)}: {differing} differ; "
            "expected the same ones in the same order."
        )
    try:
        both = [schema, file.physical_schema]
        return pa.unify_schemas(both, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise StreamError(
            f"{_name(file)} has columns of another type than the files before: {error}"
        ) from error


def _name(fragment):
    return Path(fragment.path).name


def _check_columns(columns, names, path):
    unknown = [name for name in columns or [] if name not in names]
    if unknown:
        raise StreamError(
            f"Column {unknown[0]!r} is not in {os.fspath(path)!r}; expected columns "
            f"among {', '.join(map(repr, names))}."
        )


def _tables(group, schema, columns, n_rows):
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    names = schema.names if columns is None else list(columns)
    folders = _values_of_folders(group)
    try:
        # Not by the scanner of a dataset, which decodes whole row groups at once.
        file = ParquetFile(
            group.path,
            filesystem=group.filesystem,
            buffer_size=_BUFFER,
            pre_buffer=False,
        )
        for batch in file.iter_batches(
            n_rows,
            row_groups=[group.row_groups[0].id],
            columns=[name for name in names if name not in folders],
            use_threads=False,
        ):
            table = pa.Table.from_batches([batch])
            for name, value in folders.items():
                table = table.append_column(name, pa.repeat(value, len(batch)))
            fields = pa.schema([schema.field(name) for name in names])
            yield table.select(names).cast(fields).to_pandas()
    except (pa.ArrowInvalid, OSError) as error:
        raise StreamError(f"Cannot read {_name(group)!r}: {error}") from error


def _values_of_folders(group):
    """Return the columns that folders called ``column=value`` stand for."""
    from pyarrow.dataset import get_partition_keys

    return get_partition_keys(group.partition_expression)
