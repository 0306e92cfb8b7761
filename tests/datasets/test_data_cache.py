import hashlib
import os
from http.client import IncompleteRead
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pandas as pd
import pytest

from skvae._core.errors import DataUnavailableError
from skvae.datasets import _cache
from skvae.datasets._cache import (
    check_content,
    integer_table_checksum,
    read_or_download,
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


def read_greeting(path, source):
    content = path.read_bytes()
    if not content.startswith(b"hello"):
        raise ValueError(f"{source} does not greet.")
    return content


@pytest.fixture
def published(tmp_path):
    path = tmp_path / "server" / "greeting.txt"
    path.parent.mkdir()
    path.write_bytes(b"hello world")
    return path


@pytest.fixture
def cached(tmp_path):
    return tmp_path / "home" / "words" / "greeting.txt"


def test_download_is_stored_and_then_read_from_the_cache(published, cached):
    url = published.as_uri()
    content = read_or_download(cached, url, read_greeting, download_if_missing=True)
    assert content == cached.read_bytes() == b"hello world"
    assert list(cached.parent.iterdir()) == [cached]

    published.unlink()
    for download in (True, False):
        again = read_or_download(
            cached, url, read_greeting, download_if_missing=download
        )
        assert again == content


def test_download_that_is_not_accepted_is_not_stored(published, cached):
    published.write_bytes(b"<html>moved</html>")
    with pytest.raises(ValueError, match="does not greet") as caught:
        read_or_download(
            cached, published.as_uri(), read_greeting, download_if_missing=True
        )
    assert published.as_uri() in str(caught.value)
    assert list(cached.parent.iterdir()) == []


def test_file_that_is_not_accepted_is_named_and_left(published, cached):
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"good bye")
    with pytest.raises(ValueError, match="does not greet") as caught:
        read_or_download(
            cached, published.as_uri(), read_greeting, download_if_missing=True
        )
    assert str(cached) in str(caught.value)
    assert cached.exists()


class BreakingResponse:
    """A server that hangs up half-way."""

    def __enter__(self):
        return self

    def __exit__(self, *arguments):
        return False

    def read(self, size):
        raise IncompleteRead(b"hel", 8)


def fail_to_connect(request, timeout):
    raise URLError("no route to host")


@pytest.mark.parametrize(
    ("open_url", "reason"),
    [
        (fail_to_connect, "no route to host"),
        (lambda request, timeout: BreakingResponse(), "IncompleteRead"),
    ],
)
def test_failed_download_is_told_with_where_and_how(
    cached, monkeypatch, open_url, reason
):
    monkeypatch.setattr(_cache, "urlopen", open_url)
    url = "https://example.org/greeting.txt"
    with pytest.raises(DataUnavailableError, match=reason) as caught:
        read_or_download(cached, url, read_greeting, download_if_missing=True)
    message = str(caught.value)
    for hint in (url, str(cached), "'words'", "data_home=", "SKVAE_DATA_HOME"):
        assert hint in message
    assert not cached.parent.exists() or list(cached.parent.iterdir()) == []


def test_server_is_told_who_asks(cached, monkeypatch):
    requests = []

    def record(request, timeout):
        requests.append(request)
        raise URLError("enough")

    monkeypatch.setattr(_cache, "urlopen", record)
    with pytest.raises(DataUnavailableError):
        read_or_download(
            cached, "https://example.org", read_greeting, download_if_missing=True
        )
    assert [request.get_header("User-agent") for request in requests] == ["skvae"]


def test_no_download_wanted(published, cached):
    with pytest.raises(
        DataUnavailableError, match="download_if_missing=True"
    ) as caught:
        read_or_download(
            cached, published.as_uri(), read_greeting, download_if_missing=False
        )
    assert published.as_uri() in str(caught.value)
    assert not cached.parent.exists()


def test_data_home_that_cannot_be_written(published, tmp_path):
    (tmp_path / "file").write_text("no folder")
    inside = tmp_path / "file" / "greeting.txt"
    with pytest.raises(DataUnavailableError, match="cannot take a file") as caught:
        read_or_download(
            inside, published.as_uri(), read_greeting, download_if_missing=True
        )
    assert "SKVAE_DATA_HOME" in str(caught.value)


def test_check_content():
    digest = hashlib.sha256(b"hello").hexdigest()
    assert check_content(b"hello", "sha256", digest, "greeting.txt") == b"hello"
    with pytest.raises(ValueError, match=rf"greeting\.txt .* sha256 .*{digest}"):
        check_content(b"hallo", "sha256", digest, "greeting.txt")
