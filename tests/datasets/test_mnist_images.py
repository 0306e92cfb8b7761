"""MNIST, Fashion-MNIST and Kuzushiji-MNIST."""

import gzip
import hashlib
import io
import os
import struct
from urllib.error import URLError

import numpy as np
import pytest

from skvae._core.errors import DataUnavailableError
from skvae.datasets import (
    _cache,
    _kmnist,
    _mnist,
    fetch_fashion_mnist,
    fetch_kmnist,
    fetch_mnist,
)
from skvae.datasets._cache import resolve_data_home
from skvae.datasets._idx_images import parse_idx

# Of each loader: the folder, the names of its files' checksums and of its address.
LOADERS = [
    pytest.param(fetch_mnist, _mnist, "mnist", "DIGITS", id="mnist"),
    pytest.param(
        fetch_fashion_mnist, _mnist, "fashion_mnist", "FASHION", id="fashion_mnist"
    ),
    pytest.param(fetch_kmnist, _kmnist, "kmnist", None, id="kmnist"),
]


def needs(folder):
    is_there = (
        os.environ.get("SKVAE_DATA_HOME") and (resolve_data_home() / folder).is_dir()
    )
    return pytest.mark.skipif(
        not is_there, reason=f"SKVAE_DATA_HOME does not hold {folder}"
    )


def refuse_to_connect(request, timeout):
    raise URLError("no route to host")


@pytest.fixture
def no_network(monkeypatch):
    monkeypatch.setattr(_cache, "urlopen", refuse_to_connect)


def as_idx(array):
    header = struct.pack(f">4B{array.ndim}i", 0, 0, 8, array.ndim, *array.shape)
    return header + array.tobytes()


def as_npz(array):
    file = io.BytesIO()
    np.savez_compressed(file, array)
    return file.getvalue()


def small_part(part):
    """Three or two images of 28 x 28 pixels and their labels."""
    n_images = {"train": 3, "test": 2}[part]
    images = np.arange(n_images * 784).reshape(n_images, 28, 28) % 251
    return images.astype(np.uint8), np.array([9, 0, 4][:n_images], dtype=np.uint8)


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Publish small files in place of each data set; return their folder."""
    folder = tmp_path / "server"
    for module, prefix in ((_mnist, "DIGITS_"), (_mnist, "FASHION_"), (_kmnist, "")):
        files = folder / (prefix.strip("_").lower() or "kmnist")
        files.mkdir(parents=True)
        checksums = {}
        for part, names in module.FILENAMES.items():
            for name, array in zip(names, small_part(part), strict=True):
                if module is _mnist:
                    content, stored = as_idx(array), gzip.compress(as_idx(array))
                else:
                    content = stored = as_npz(array)
                (files / name).write_bytes(stored)
                checksums[name] = hashlib.md5(content).hexdigest()
        monkeypatch.setattr(module, f"{prefix}MD5", checksums)
        monkeypatch.setattr(module, f"{prefix}URL", f"{files.as_uri()}/")
    return folder


def files_below(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@needs("mnist")
def test_real_mnist(no_network):
    train, test = fetch_mnist(), fetch_mnist(subset="test")
    assert train.data.shape == (60_000, 784)
    assert test.data.shape == (10_000, 784)
    assert train.data.dtype == np.uint8
    assert train.image_shape == (1, 28, 28)
    assert np.bincount(train.target).tolist() == [
        *(5923, 6742, 5958, 6131, 5842),
        *(5421, 5918, 6265, 5851, 5949),
    ]
    assert np.bincount(test.target).tolist() == [
        *(980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)
    ]
    assert train.target[:5].tolist() == [5, 0, 4, 1, 9]
    # The mean and the spread by which everybody standardises MNIST.
    assert train.data.mean() / 255 == pytest.approx(0.1307, abs=1e-4)
    assert train.data.std() / 255 == pytest.approx(0.3081, abs=1e-4)


@needs("mnist")
def test_real_mnist_is_upright(no_network):
    mnist = fetch_mnist(subset="test")
    ones = mnist.data[mnist.target == 1].reshape(-1, 28, 28).mean(axis=0)
    lit = ones > 64
    # A one is higher than wide.
    assert lit.any(axis=1).sum() > 1.5 * lit.any(axis=0).sum()


@needs("fashion_mnist")
def test_real_fashion_mnist(no_network):
    fashion = fetch_fashion_mnist(subset="all")
    assert fashion.data.shape == (70_000, 784)
    assert np.bincount(fashion.target[:60_000]).tolist() == [6000] * 10
    assert np.bincount(fashion.target[60_000:]).tolist() == [1000] * 10
    assert fashion.target_names[fashion.target[0]] == "Ankle boot"
    assert fashion.data[:60_000].mean() / 255 == pytest.approx(0.2860, abs=1e-4)


@needs("kmnist")
def test_real_kmnist(no_network):
    test = fetch_kmnist(subset="test")
    assert test.data.shape == (10_000, 784)
    assert np.bincount(test.target).tolist() == [1000] * 10


@pytest.mark.skipif(
    not os.environ.get("SKVAE_DATA_HOME")
    or not (resolve_data_home() / "kmnist" / _kmnist.EXCERPT).exists(),
    reason="SKVAE_DATA_HOME does not hold the first 7,000 images of kmnist",
)
def test_real_excerpt_of_kmnist(no_network):
    with pytest.warns(UserWarning, match="first 7,000 training images of 60,000"):
        train = fetch_kmnist()
    assert train.data.shape == (7_000, 784)
    assert np.bincount(train.target).tolist() == [
        *(690, 689, 695, 698, 755, 707, 688, 707, 672, 699)
    ]
    assert "7,000 of them" in train.DESCR


@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 3, 5)])
def test_parse_idx(shape):
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    np.testing.assert_array_equal(parse_idx(as_idx(array)), array)


@pytest.mark.parametrize(("fetch", "module", "folder", "prefix"), LOADERS)
def test_download_then_cache(
    fetch, module, folder, prefix, server, tmp_path, monkeypatch
):
    home = tmp_path / "home"
    train = fetch(data_home=home)
    images, labels = small_part("train")
    np.testing.assert_array_equal(
        train.data.reshape(-1, *train.image_shape)[:, 0], images
    )
    np.testing.assert_array_equal(train.target, labels)
    assert train.target.dtype == np.int64
    assert len(train.target_names) == 10
    assert "Licence" in train.DESCR
    # What was not asked for is not fetched.
    names = {path.name for path in files_below(home)}
    assert names == set(module.FILENAMES["train"])
    assert {path.parent for path in files_below(home)} == {home / folder}

    monkeypatch.setattr(_cache, "urlopen", refuse_to_connect)
    data, target = fetch(data_home=str(home), return_X_y=True)
    np.testing.assert_array_equal(data, train.data)
    np.testing.assert_array_equal(target, train.target)


@pytest.mark.parametrize(("fetch", "module", "folder", "prefix"), LOADERS)
def test_subsets(fetch, module, folder, prefix, server, tmp_path):
    train, test, both = (
        fetch(subset=subset, data_home=tmp_path) for subset in ("train", "test", "all")
    )
    assert (len(train.data), len(test.data)) == (3, 2)
    np.testing.assert_array_equal(both.data, np.concatenate([train.data, test.data]))
    np.testing.assert_array_equal(
        both.target, np.concatenate([train.target, test.target])
    )


@pytest.mark.parametrize(("fetch", "module", "folder", "prefix"), LOADERS)
def test_result_belongs_to_the_caller(fetch, module, folder, prefix, server, tmp_path):
    first = fetch(data_home=tmp_path)
    first.data[:] = 0
    first.target[:] = 0
    first.target_names.clear()
    second = fetch(data_home=tmp_path)
    assert second.data.any()
    assert second.target.any()
    assert len(second.target_names) == 10


@pytest.mark.parametrize("content", ["other", "half", "page"])
@pytest.mark.parametrize(("fetch", "module", "folder", "prefix"), LOADERS)
def test_altered_download_is_not_stored(
    fetch, module, folder, prefix, content, server, tmp_path
):
    images, labels = module.FILENAMES["train"]
    published = server / (prefix or "kmnist").lower() / images
    published.write_bytes(
        {
            "other": published.with_name(labels).read_bytes(),
            "half": published.read_bytes()[:-20],
            "page": b"<html>404</html>",
        }[content]
    )
    home = tmp_path / "home"
    with pytest.raises(ValueError, match=images):
        fetch(data_home=home)
    assert files_below(home) == []


@pytest.mark.parametrize(("fetch", "module", "folder", "prefix"), LOADERS)
def test_altered_file_is_refused_and_left(
    fetch, module, folder, prefix, server, tmp_path
):
    fetch(data_home=tmp_path)
    images, labels = (tmp_path / folder / name for name in module.FILENAMES["train"])
    images.write_bytes(labels.read_bytes())
    with pytest.raises(ValueError, match="does not hold what was published") as caught:
        fetch(data_home=tmp_path)
    assert str(images) in str(caught.value)
    assert images.exists()


def test_files_compressed_anew_are_fine(server, tmp_path):
    fetch_mnist(data_home=tmp_path)
    for path in files_below(tmp_path / "mnist"):
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), mtime=1))
    assert len(fetch_mnist(data_home=tmp_path).data) == 3


@pytest.mark.parametrize(("fetch", "module", "folder", "prefix"), LOADERS)
def test_no_network_is_told_with_where_and_how(
    fetch, module, folder, prefix, no_network, tmp_path
):
    with pytest.raises(DataUnavailableError, match="no route to host") as caught:
        fetch(data_home=tmp_path)
    message = str(caught.value)
    assert str(tmp_path / folder / module.FILENAMES["train"][0]) in message
    assert "SKVAE_DATA_HOME" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("fetch", "module", "folder", "prefix"), LOADERS)
def test_no_download_wanted(fetch, module, folder, prefix, server, tmp_path):
    home = tmp_path / "home"
    with pytest.raises(DataUnavailableError, match="download_if_missing=True"):
        fetch(data_home=home, download_if_missing=False)
    assert not home.exists()


@pytest.fixture
def home_with_excerpt(server, tmp_path, monkeypatch):
    """Return a data home with two of three training images of kmnist."""
    excerpt = as_npz(small_part("train")[0][:2])
    monkeypatch.setitem(_kmnist.MD5, _kmnist.EXCERPT, hashlib.md5(excerpt).hexdigest())
    monkeypatch.setattr(_kmnist, "N_EXCERPT", 2)
    home = tmp_path / "home"
    (home / "kmnist").mkdir(parents=True)
    (home / "kmnist" / _kmnist.EXCERPT).write_bytes(excerpt)
    return home


@pytest.mark.parametrize(("subset", "n_images"), [("train", 2), ("all", 4)])
def test_excerpt_of_kmnist_stands_in_with_a_warning(
    subset, n_images, home_with_excerpt
):
    with pytest.warns(UserWarning, match=_kmnist.EXCERPT) as caught:
        characters = fetch_kmnist(subset=subset, data_home=home_with_excerpt)
    assert caught[0].filename == __file__
    assert len(characters.data) == len(characters.target) == n_images
    assert characters.target[:2].tolist() == [9, 0]
    assert "Beware" in characters.DESCR


def test_excerpt_of_kmnist_is_not_used_without_need(home_with_excerpt, server):
    assert (
        "Beware" not in fetch_kmnist(subset="test", data_home=home_with_excerpt).DESCR
    )
    name, _ = _kmnist.FILENAMES["train"]
    whole = (server / "kmnist" / name).read_bytes()
    (home_with_excerpt / "kmnist" / name).write_bytes(whole)
    assert len(fetch_kmnist(data_home=home_with_excerpt).data) == 3


@pytest.mark.parametrize(("fetch", "module", "folder", "prefix"), LOADERS)
@pytest.mark.parametrize(
    "parameters",
    [
        {"subset": "validation"},
        {"data_home": 3},
        {"download_if_missing": "no"},
        {"return_X_y": "yes"},
    ],
)
def test_parameters_are_validated(fetch, module, folder, prefix, parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"The '{name}' parameter of"):
        fetch(**parameters)
