import gzip
import hashlib
import os
from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

from skvae._core.errors import DataUnavailableError
from skvae.datasets import _taiwan_credit, fetch_taiwan_credit
from skvae.datasets._cache import integer_table_checksum, resolve_data_home

LAYOUT = ("taiwan_credit", "UCI_Credit_Card.csv.gz")
NAMES = [*_taiwan_credit.FEATURE_NAMES, _taiwan_credit.TARGET_NAME]


@pytest.fixture
def no_network(monkeypatch):
    def fail(**kwargs):
        raise URLError("no route to host")

    monkeypatch.setattr(_taiwan_credit, "fetch_openml", fail)


@pytest.fixture
def small_original(monkeypatch):
    """Pretend that the published table has five rows, and return these."""
    table = pd.DataFrame(
        np.arange(5 * len(NAMES)).reshape(5, -1), columns=NAMES, dtype=np.int64
    )
    table[NAMES[-1]] = [0, 1, 0, 0, 1]
    monkeypatch.setattr(_taiwan_credit, "N_ROWS", 5)
    monkeypatch.setattr(_taiwan_credit, "N_DEFAULTS", 2)
    monkeypatch.setattr(
        _taiwan_credit, "SMALLEST_FIRST_BILL", int(table["BILL_AMT1"].min())
    )
    monkeypatch.setattr(_taiwan_credit, "CHECKSUM", integer_table_checksum(table))
    return table


@pytest.fixture
def small(small_original):
    """Return those rows as the loader gives them, codes as categories."""
    coded = dict.fromkeys(_taiwan_credit.CODED_NAMES, "category")
    return small_original.astype(coded)


@pytest.fixture
def openml(monkeypatch, small_original):
    """Let OpenML offer the small table as it offers the real one; record the calls."""
    frame = small_original.astype(np.float64)
    frame[NAMES[-1]] = small_original[NAMES[-1]].astype(str).astype("category")
    frame.columns = [f"x{number}" for number in range(1, 24)] + ["y"]
    remote = SimpleNamespace(frame=frame, calls=[])

    def fetch(**kwargs):
        remote.calls.append(kwargs)
        return Bunch(frame=remote.frame)

    monkeypatch.setattr(_taiwan_credit, "fetch_openml", fetch)
    return remote


def store(table, data_home):
    path = data_home.joinpath(*LAYOUT)
    path.parent.mkdir(parents=True)
    table.to_csv(path, index_label="ID")
    return path


def files_below(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.skipif(
    not os.environ.get("SKVAE_DATA_HOME")
    or not resolve_data_home().joinpath(*LAYOUT).exists(),
    reason="SKVAE_DATA_HOME does not hold the Taiwan credit table",
)
def test_real_table(no_network):
    credit = fetch_taiwan_credit()
    assert credit.data.shape == (30_000, 23)
    assert credit.frame.shape == (30_000, 24)
    assert list(credit.data.columns) == credit.feature_names
    assert credit.feature_names[:5] == [
        "LIMIT_BAL",
        "SEX",
        "EDUCATION",
        "MARRIAGE",
        "AGE",
    ]
    assert credit.target_names == [credit.target.name] == ["default.payment.next.month"]
    coded = credit.data.select_dtypes("category")
    assert len(coded.columns) == 9
    assert sorted(credit.data["PAY_0"].cat.categories) == list(range(-2, 9))
    assert (credit.frame.drop(columns=coded.columns).dtypes == np.int64).all()
    assert credit.target.sum() == 6_636
    # The first client of the published table.
    assert credit.data.iloc[0, :6].tolist() == [20_000, 2, 2, 1, 24, 2]

    # What DESCR says of the oddities.
    assert credit.data["EDUCATION"].isin([0, 5, 6]).sum() == 345
    assert (credit.data["MARRIAGE"] == 0).sum() == 54
    assert credit.data["BILL_AMT6"].min() == -339_603
    assert credit.frame.duplicated().sum() == 35

    # What we would store after a download is UCI's csv to the byte.
    csv = gzip.decompress(_taiwan_credit._as_file(credit.frame))
    assert hashlib.sha256(csv).hexdigest() == (
        "f7b7d22d1f8dd27dadb25d4b78d8a4ae7c441ab6cc12d1ea58c0efc54d4d1788"
    )


def test_reads_the_cache_without_network(small_original, small, no_network, tmp_path):
    store(small_original, tmp_path)
    credit = fetch_taiwan_credit(data_home=tmp_path, download_if_missing=False)
    pd.testing.assert_frame_equal(credit.frame, small)
    pd.testing.assert_frame_equal(credit.data, small[NAMES[:-1]])
    pd.testing.assert_series_equal(credit.target, small[NAMES[-1]])
    assert "Yeh" in credit.DESCR
    assert "CC BY 4.0" in credit.DESCR

    data, target = fetch_taiwan_credit(data_home=str(tmp_path), return_X_y=True)
    pd.testing.assert_frame_equal(data, credit.data)
    pd.testing.assert_series_equal(target, credit.target)


def test_changing_a_result_does_not_change_the_next(small_original, tmp_path):
    store(small_original, tmp_path)
    fetch_taiwan_credit(data_home=tmp_path).feature_names.clear()
    assert len(fetch_taiwan_credit(data_home=tmp_path).feature_names) == 23


def test_reads_the_folder_of_the_environment_variable(
    small_original, no_network, tmp_path, monkeypatch
):
    store(small_original, tmp_path)
    monkeypatch.setenv("SKVAE_DATA_HOME", str(tmp_path))
    assert len(fetch_taiwan_credit().data) == 5


def test_other_containers_of_the_same_values_are_fine(small_original, small, tmp_path):
    # Shuffled, as decimals, without the identifier or with it.
    shuffled = small_original.astype(np.float64).iloc[[3, 1, 4, 0, 2]]
    store(shuffled, tmp_path)
    credit = fetch_taiwan_credit(data_home=tmp_path)
    pd.testing.assert_frame_equal(credit.frame, small)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda table: table.rename(columns={"PAY_0": "PAY_1"}),
            r"list of columns is \[.*'PAY_1'.*expected \[.*'PAY_0'",
        ),
        (lambda table: table.drop(columns="AGE"), "list of columns is"),
        (lambda table: table.iloc[:4], "number of rows is 4, expected 5"),
        (
            lambda table: table.assign(AGE=table["AGE"] + 0.5),
            r"column 'AGE' is .*4\.5.* in 5 rows, expected whole numbers",
        ),
        (
            lambda table: table.assign(SEX=["female", 1, 1, 1, None]),
            "column 'SEX' is 'female' in 2 rows, expected whole numbers",
        ),
        (
            lambda table: table.assign(**{NAMES[-1]: 1}),
            "number of defaults is 5, expected 2",
        ),
        (
            lambda table: table.assign(BILL_AMT1=table["BILL_AMT1"].clip(lower=50)),
            "smallest BILL_AMT1 is 50, expected 11",
        ),
        (
            lambda table: table.assign(AGE=table["AGE"] + 1),
            "sha256 of the values is [0-9a-f]{64}, expected [0-9a-f]{64}",
        ),
    ],
)
def test_altered_copy_is_refused(small_original, tmp_path, change, message):
    path = store(change(small_original), tmp_path)
    with pytest.raises(ValueError, match=message) as caught:
        fetch_taiwan_credit(data_home=tmp_path)
    assert str(path) in str(caught.value)
    # It is the user's file: we say what is wrong with it and leave it.
    assert path.exists()


@pytest.mark.parametrize("content", [b"", b"ID,LIMIT_BAL\n1,2\n", b"half"])
def test_broken_file_is_refused(small_original, tmp_path, content):
    path = store(small_original, tmp_path)
    if content == b"half":
        content = path.read_bytes()[:60]
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not readable, expected a table as csv"):
        fetch_taiwan_credit(data_home=tmp_path)


def test_download_is_stored_and_then_read_from_the_cache(small, openml, tmp_path):
    credit = fetch_taiwan_credit(data_home=tmp_path)
    pd.testing.assert_frame_equal(credit.frame, small)
    assert [call["data_id"] for call in openml.calls] == [42477]
    path = tmp_path.joinpath(*LAYOUT)
    assert files_below(tmp_path) == [path]
    content = path.read_bytes()
    assert gzip.decompress(content).startswith(b"ID,LIMIT_BAL,SEX,")

    again = fetch_taiwan_credit(data_home=tmp_path)
    pd.testing.assert_frame_equal(again.frame, credit.frame)
    assert len(openml.calls) == 1

    path.unlink()
    fetch_taiwan_credit(data_home=tmp_path)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.assign(x5=0), "sha256"),
        (lambda frame: frame.assign(z=0), "number of columns is 25, expected 24"),
    ],
)
def test_altered_download_is_not_stored(openml, tmp_path, change, message):
    openml.frame = change(openml.frame)
    with pytest.raises(ValueError, match=f"OpenML data set 42477.*{message}"):
        fetch_taiwan_credit(data_home=tmp_path)
    assert files_below(tmp_path) == []


def test_failed_write_leaves_no_partial_file(openml, tmp_path, monkeypatch):
    def refuse(source, destination):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        fetch_taiwan_credit(data_home=tmp_path)
    assert files_below(tmp_path) == []


def test_no_network_is_told_with_where_and_how(no_network, tmp_path):
    with pytest.raises(DataUnavailableError, match="no route to host") as caught:
        fetch_taiwan_credit(data_home=tmp_path)
    message = str(caught.value)
    assert str(tmp_path.joinpath(*LAYOUT)) in message
    assert "SKVAE_DATA_HOME" in message
    assert "data_home" in message
    assert isinstance(caught.value.__cause__, URLError)
    assert list(tmp_path.iterdir()) == []


def test_no_download_wanted(openml, tmp_path):
    with pytest.raises(DataUnavailableError, match="download_if_missing=True"):
        fetch_taiwan_credit(data_home=tmp_path, download_if_missing=False)
    assert openml.calls == []


def test_parameters_are_validated():
    with pytest.raises(ValueError, match="'data_home' parameter"):
        fetch_taiwan_credit(data_home=3)
    with pytest.raises(ValueError, match="'download_if_missing' parameter"):
        fetch_taiwan_credit(download_if_missing="no")
