"""Pieces of rows."""

from itertools import chain

import pytest

from skvae._core.chunking import row_chunks


@pytest.mark.parametrize(("n_rows", "chunk_size"), [(10, 3), (9, 3), (2, 5), (1, 1)])
def test_each_row_once_and_in_order(n_rows, chunk_size):
    rows = list(range(n_rows))
    pieces = [rows[chunk] for chunk in row_chunks(n_rows, chunk_size)]
    assert list(chain.from_iterable(pieces)) == rows
    assert all(len(piece) == chunk_size for piece in pieces[:-1])
    assert 1 <= len(pieces[-1]) <= chunk_size


def test_slices_end_within_the_rows():
    assert [chunk.stop for chunk in row_chunks(10, 4)] == [4, 8, 10]


def test_no_rows_no_pieces():
    assert list(row_chunks(0, 3)) == []
