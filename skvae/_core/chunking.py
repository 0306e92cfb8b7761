"""Walk over many rows in pieces that fit in memory."""

from collections.abc import Iterator


def row_chunks(n_rows: int, chunk_size: int) -> Iterator[slice]:
    """Yield slices that cover ``range(n_rows)`` in pieces of `chunk_size`."""
    for start in range(0, n_rows, chunk_size):
        yield slice(start, min(start + chunk_size, n_rows))
