"""Files that are written as a whole, or not at all."""

import resource
import signal

import pytest

from skvae._core.atomic_write import write_whole


@pytest.fixture
def full_disk():
    """A limit on the size of files, for want of a disk to fill."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, usual[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    signal.signal(signal.SIGXFSZ, handler)


def test_writes_all(tmp_path):
    contents = {tmp_path / "a": b"1", tmp_path / "b": b"2" * 10_000}
    write_whole(contents)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == contents


def test_replaces_what_was_there(tmp_path):
    (tmp_path / "a").write_bytes(b"before")
    write_whole({tmp_path / "a": b"after"})
    assert (tmp_path / "a").read_bytes() == b"after"


def test_may_be_read_as_others_may(tmp_path):
    (tmp_path / "usual").touch()
    write_whole({tmp_path / "a": b"1"})
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_missing_folder(tmp_path):
    path = tmp_path / "nowhere" / "a"
    with pytest.raises(
        FileNotFoundError, match="expected a folder that exists"
    ) as raised:
        write_whole({path: b"1"})
    assert raised.value.filename == str(path)


def test_folder_in_place_of_the_file(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(IsADirectoryError, match="Cannot write the file"):
        write_whole({tmp_path / "a": b"1"})
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_folder_that_is_a_file(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(NotADirectoryError, match="Cannot write the file"):
        write_whole({tmp_path / "a" / "b": b"1"})


@pytest.mark.usefixtures("full_disk")
def test_full_disk_leaves_what_was_there(tmp_path):
    (tmp_path / "a").write_bytes(b"before")
    with pytest.raises(OSError, match="has room"):
        write_whole({tmp_path / "a": b"after", tmp_path / "b": b"2" * 10_000})
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"before"
