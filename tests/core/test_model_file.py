"""The file of a model: its header, its checksum, its versions."""

import json

import numpy as np
import pytest
from safetensors.numpy import load

from skvae._core.errors import ModelFileError
from skvae._core.model_file import MIGRATIONS, VERSION, migrated, read, to_bytes

TREE = {"type": "tuple", "value": [1, 0.5, None, "\N{SNOWMAN}"]}
ARRAYS = {
    "numbers": np.arange(6.0).reshape(2, 3),
    "whole": np.arange(4),
    "none": np.zeros((3, 0), dtype=np.float32),
    "one": np.array(7),
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file.skvae"
    path.write_bytes(to_bytes(TREE, ARRAYS))
    return path


def test_comes_back(path):
    document, arrays = read(path)
    assert document["model"] == TREE
    np.testing.assert_array_equal(arrays["numbers"], ARRAYS["numbers"])
    np.testing.assert_array_equal(arrays["whole"], ARRAYS["whole"])
    assert arrays["none"].shape == (3, 0)
    assert arrays["one"].shape == ()


def test_arrays_may_be_written_to(path):
    _, arrays = read(path)
    arrays["numbers"] += 1


def test_others_can_read_it_too(path):
    content = path.read_bytes()
    assert set(load(content)) == set(ARRAYS)
    n_header = int.from_bytes(content[:8], "little")
    text = json.loads(content[8 : 8 + n_header])["__metadata__"]["skvae"]
    document = json.loads(text)
    assert document["format"] == "skvae model"
    assert document["version"] == VERSION
    assert set(document["written_with"]) >= {"python", "skvae", "torch", "numpy"}


def test_same_content_same_bytes():
    assert to_bytes(TREE, ARRAYS) == to_bytes(TREE, dict(reversed(ARRAYS.items())))


def test_no_number_that_is_none_of_json():
    with pytest.raises(ValueError, match="JSON"):
        to_bytes([float("nan")], {})


def test_header_beyond_what_can_be_read():
    with pytest.raises(ModelFileError, match="more than 100 MB"):
        to_bytes("a" * 100_000_001, {})


class TestVersions:
    def test_of_each_there_is_a_way_to_the_next(self):
        assert set(MIGRATIONS) == set(range(1, VERSION))

    def test_go_one_by_one(self):
        migrations = {
            1: lambda old: {"format": old["format"], "model": [old["model"], "two"]},
            2: lambda old: {**old, "model": [*old["model"], "three"]},
        }
        old = {"format": "skvae model", "version": 1, "model": "one"}
        assert migrated(old, migrations) == {
            "format": "skvae model",
            "version": 3,
            "model": ["one", "two", "three"],
        }
        assert old["version"] == 1

    def test_the_latest_stays(self):
        latest = {"format": "skvae model", "version": 3, "model": "one"}
        assert migrated(latest, {1: dict, 2: dict}) == latest
