import gzip
import hashlib
import os
import struct
import zipfile
from urllib.error import URLError

import numpy as np
import pytest

from skvae._core.errors import DataUnavailableError
from skvae.datasets import _cache, _emnist, fetch_emnist
from skvae.datasets._cache import resolve_data_home

SPLITS = ["balanced", "byclass", "bymerge", "digits", "letters", "mnist"]


def reference(name):
    """The path of a file of EMNIST's own, or None where there is none."""
    if not os.environ.get("SKVAE_DATA_HOME"):
        return None
    path = resolve_data_home() / "emnist_reference" / name
    return path if path.exists() else None


needs_reference = pytest.mark.skipif(
    reference("emnist-letters-mapping.txt") is None,
    reason="SKVAE_DATA_HOME does not hold emnist_reference",
)


def as_gzipped_idx(array):
    header = struct.pack(f">4B{array.ndim}i", 0, 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes())


def upright(part):
    """A gradient that is brighter to the right, in each of a few images."""
    n_images = {"train": 3, "test": 2}[part]
    row = np.arange(28, dtype=np.uint8) * 9
    return np.broadcast_to(row, (n_images, 28, 28)).copy()


def small_members(split):
    """The four files of one split, by name, as EMNIST would hold them."""
    members = {}
    for part in ("train", "test"):
        images = np.ascontiguousarray(upright(part).transpose(0, 2, 1))
        labels = np.array([1, 3, 2][: len(images)], dtype=np.uint8)
        prefix = f"emnist-{split}-{part}"
        members[f"{prefix}-images-idx3-ubyte.gz"] = as_gzipped_idx(images)
        members[f"{prefix}-labels-idx1-ubyte.gz"] = as_gzipped_idx(labels)
    return members


@pytest.fixture
def members(monkeypatch):
    """Pretend that EMNIST was published with few images; return its files."""
    files = {}
    for split in SPLITS:
        files |= small_members(split)
    checksums = {name: hashlib.sha256(file).hexdigest() for name, file in files.items()}
    monkeypatch.setattr(_emnist, "SHA256", checksums)
    return files


@pytest.fixture
def archive(members, tmp_path, monkeypatch):
    """Publish these files as NIST does; return the archive."""
    path = tmp_path / "server" / "gzip.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(f"gzip/{name}", content)
    monkeypatch.setattr(_emnist, "URL", path.as_uri())
    return path


@pytest.fixture
def no_network(monkeypatch):
    def fail(request, timeout):
        raise URLError("no route to host")

    monkeypatch.setattr(_cache, "urlopen", fail)


def files_below(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@needs_reference
@pytest.mark.parametrize("split", SPLITS)
def test_class_names_are_those_of_the_official_mapping(split):
    rows = np.loadtxt(reference(f"emnist-{split}-mapping.txt"), dtype=int, ndmin=2)
    labels, codes = rows[:, 0], rows[:, 1]
    assert labels[0] == _emnist.FIRST_LABEL.get(split, 0)
    np.testing.assert_array_equal(np.diff(labels), 1)
    assert "".join(map(chr, codes)) == "".join(_emnist.TARGET_NAMES[split])


@needs_reference
def test_checksums_are_the_official_ones():
    text = reference("upstream_lfs_sha256.txt").read_text()
    rows = [line.split() for line in text.splitlines() if line]
    official = {row[0]: row[2].removeprefix("sha256:") for row in rows}
    assert official == _emnist.SHA256


def test_there_is_a_checksum_for_every_file_read():
    names = {
        f"emnist-{split}-{part}-{suffix}"
        for split in SPLITS
        for part in ("train", "test")
        for suffix in ("images-idx3-ubyte.gz", "labels-idx1-ubyte.gz")
    }
    assert names == set(_emnist.SHA256)


@pytest.mark.parametrize("split", SPLITS)
def test_one_download_serves_every_split(split, archive, tmp_path, no_network):
    home = tmp_path / "home"
    (home / "emnist").mkdir(parents=True)
    archive.rename(home / "emnist" / "gzip.zip")
    characters = fetch_emnist(split=split, subset="all", data_home=home)
    assert characters.data.shape == (5, 784)
    assert characters.image_shape == (1, 28, 28)
    assert characters.data.dtype == np.uint8
    assert f"Split: {split}" in characters.DESCR


def test_download_is_stored_and_then_read_from_the_cache(
    archive, tmp_path, monkeypatch
):
    home = tmp_path / "home"
    first = fetch_emnist(data_home=home)
    assert files_below(home) == [home / "emnist" / "gzip.zip"]
    archive.unlink()
    second = fetch_emnist(data_home=home)
    np.testing.assert_array_equal(first.data, second.data)
    data, target = fetch_emnist(data_home=home, return_X_y=True)
    np.testing.assert_array_equal(data, second.data)
    np.testing.assert_array_equal(target, second.target)


def test_images_are_turned_upright(archive, tmp_path):
    characters = fetch_emnist(subset="test", data_home=tmp_path)
    images = characters.data.reshape(-1, *characters.image_shape)
    np.testing.assert_array_equal(images[:, 0], upright("test"))


@pytest.mark.parametrize(
    ("split", "names"), [("letters", ["A", "C", "B"]), ("balanced", ["1", "3", "2"])]
)
def test_targets_index_the_names(split, names, archive, tmp_path):
    characters = fetch_emnist(split=split, data_home=tmp_path)
    assert [characters.target_names[target] for target in characters.target] == names
    assert characters.target.dtype == np.int64


def test_single_files_are_enough(members, no_network, tmp_path):
    folder = tmp_path / "emnist"
    folder.mkdir()
    for name, content in members.items():
        if name.startswith("emnist-digits-test"):
            (folder / name).write_bytes(content)
    digits = fetch_emnist(split="digits", subset="test", data_home=tmp_path)
    assert len(digits.data) == 2
    with pytest.raises(DataUnavailableError, match="no route to host"):
        fetch_emnist(split="digits", subset="train", data_home=tmp_path)


def test_altered_single_file_is_refused(members, no_network, tmp_path):
    path = tmp_path / "emnist" / "emnist-digits-test-images-idx3-ubyte.gz"
    path.parent.mkdir()
    path.write_bytes(members["emnist-digits-train-images-idx3-ubyte.gz"])
    with pytest.raises(ValueError, match="sha256") as caught:
        fetch_emnist(split="digits", subset="test", data_home=tmp_path)
    assert str(path) in str(caught.value)


def test_altered_archive_is_not_stored(archive, members, tmp_path):
    with zipfile.ZipFile(archive, "w") as file:
        for name in members:
            file.writestr(f"gzip/{name}", as_gzipped_idx(upright("train")))
    home = tmp_path / "home"
    with pytest.raises(ValueError, match=r"emnist-balanced-train-images.* in file://"):
        fetch_emnist(data_home=home)
    assert files_below(home) == []


@pytest.mark.parametrize("content", ["empty", "half", "page", "without"])
def test_broken_archive_is_not_stored(content, archive, tmp_path):
    if content == "without":
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("readme.txt", "nothing here")
    else:
        whole = archive.read_bytes()
        contents = {"empty": b"", "half": whole[: len(whole) // 2], "page": b"<html>"}
        archive.write_bytes(contents[content])
    home = tmp_path / "home"
    with pytest.raises(ValueError, match="is not EMNIST's whole archive"):
        fetch_emnist(data_home=home)
    assert files_below(home) == []


def test_no_network_is_told_with_where_and_how(no_network, tmp_path):
    with pytest.raises(DataUnavailableError, match="no route to host") as caught:
        fetch_emnist(data_home=tmp_path)
    message = str(caught.value)
    assert str(tmp_path / "emnist" / "gzip.zip") in message
    assert "SKVAE_DATA_HOME" in message
    with pytest.raises(DataUnavailableError, match="download_if_missing=True"):
        fetch_emnist(data_home=tmp_path, download_if_missing=False)


@pytest.mark.parametrize("parameters", [{"split": "all"}, {"subset": "both"}])
def test_parameters_are_validated(parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"The '{name}' parameter of"):
        fetch_emnist(**parameters)
