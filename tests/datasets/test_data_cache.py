import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skvae.datasets._cache import (
    integer_table_checksum,
    resolve_data_home,
    write_atomically,
)


@pytest.fixture
def bare_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("SKVAE_DATA_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return monkeypatch


def test_data_home_takes_the_first_that_is_given(bare_environment, tmp_path):
    assert resolve_data_home() == tmp_path / ".cache" / "skvae"

    bare_environment.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert resolve_data_home() == tmp_path / "xdg" / "skvae"

    bare_environment.setenv("SKVAE_DATA_HOME", str(tmp_path / "mine"))
    assert resolve_data_home() == tmp_path / "mine"

    assert resolve_data_home(str(tmp_path / "given")) == tmp_path / "given"
    assert resolve_data_home(tmp_path / "given") == tmp_path / "given"


def test_data_home_ignores_empty_variables_and_relative_caches(
    bare_environment, tmp_path
):
    bare_environment.setenv("SKVAE_DATA_HOME", "")
    bare_environment.setenv("XDG_CACHE_HOME", "somewhere/here")
    assert resolve_data_home() == tmp_path / ".cache" / "skvae"


def test_data_home_expands_the_user_and_creates_nothing():
    expected = Path(os.path.expanduser("~")) / "no_such_folder_of_skvae"
    assert resolve_data_home("~/no_such_folder_of_skvae") == expected
    assert not expected.exists()


def test_write_atomically_makes_folders_and_leaves_one_file(tmp_path):
    path = tmp_path / "a" / "b" / "table.gz"
    write_atomically(path, b"first")
    write_atomically(path, b"second")
    assert path.read_bytes() == b"second"
    assert list(path.parent.iterdir()) == [path]


def test_write_atomically_leaves_nothing_behind_when_it_fails(tmp_path, monkeypatch):
    def refuse(source, destination):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(tmp_path / "table.gz", b"content")
    assert list(tmp_path.iterdir()) == []


def test_checksum_knows_values_and_column_order_only():
    table = pd.DataFrame({"a": [3, 1, 1], "b": [0, 5, -2]})
    checksum = integer_table_checksum(table)

    assert integer_table_checksum(table.iloc[::-1]) == checksum
    assert integer_table_checksum(table.astype(np.float64)) == checksum
    assert integer_table_checksum(table.astype(np.int16)) == checksum
    assert integer_table_checksum(table[["b", "a"]]) != checksum
    assert integer_table_checksum(table.replace(5, 6)) != checksum
    # Values that changed partners, each column being the same as a set.
    assert integer_table_checksum(table.assign(b=[5, 0, -2])) != checksum
