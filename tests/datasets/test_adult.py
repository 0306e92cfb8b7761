import gzip
import hashlib
import os
from urllib.error import URLError

import numpy as np
import pandas as pd
import pytest

from skvae._core.errors import DataUnavailableError
from skvae.datasets import _adult, _cache, fetch_adult
from skvae.datasets._cache import resolve_data_home

NUMBERS = [
    "age",
    "fnlwgt",
    "education-num",
    "capital-gain",
    "capital-loss",
    "hours-per-week",
]
CATEGORIES = [
    "workclass",
    "education",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "native-country",
]

# Rows of the same make as the published ones, with their spaces, the comment above the
# rows to test on, the full stops behind their labels, and the empty last line.
TRAIN_ROWS = b"""\
41, State-gov, 70101, Masters, 14, Divorced, Sales, Unmarried, Black, Female, 2200, 0, \
38, Hong, >50K
19, ?, 300300, 11th, 7, Never-married, ?, Own-child, White, Male, 0, 0, 20, ?, <=50K
90, Never-worked, 12345, Preschool, 1, Widowed, ?, Not-in-family, Other, Female, 0, \
1500, 99, Outlying-US(Guam-USVI-etc), <=50K

"""
TEST_ROWS = b"""\
|1x3 Cross validator
33, Private, 200200, Bachelors, 13, Separated, Tech-support, Wife, White, Female, 0, \
0, 40, Trinadad&Tobago, >50K.
28, Private, 150150, HS-grad, 9, Never-married, ?, Husband, White, Male, 99999, 0, 45, \
Cuba, <=50K.

"""
FILES = {"adult.data": TRAIN_ROWS, "adult.test": TEST_ROWS}


@pytest.fixture
def no_network(monkeypatch):
    def refuse_to_connect(request, timeout):
        raise URLError("no route to host")

    monkeypatch.setattr(_cache, "urlopen", refuse_to_connect)


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Publish the small files in place of the real ones; return their folder."""
    folder = tmp_path / "server"
    folder.mkdir()
    for part, name in _adult.FILENAMES.items():
        (folder / name).write_bytes(FILES[name])
        checksum = hashlib.sha256(FILES[name]).hexdigest()
        monkeypatch.setitem(_adult.SHA256, part, checksum)
    monkeypatch.setattr(_adult, "URL", f"{folder.as_uri()}/")
    return folder


@pytest.fixture
def data_home(server, no_network, tmp_path):
    """Return a data home that holds the small files, compressed, and no network."""
    home = tmp_path / "home"
    (home / "adult").mkdir(parents=True)
    for name, content in FILES.items():
        (home / "adult" / f"{name}.gz").write_bytes(gzip.compress(content))
    return home


def files_below(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


needs_real_files = pytest.mark.skipif(
    not os.environ.get("SKVAE_DATA_HOME")
    or not (resolve_data_home() / "adult").is_dir(),
    reason="SKVAE_DATA_HOME does not hold adult",
)


@needs_real_files
def test_real_parts(no_network):
    train, test = fetch_adult(), fetch_adult(subset="test")
    assert train.data.shape == (32_561, 14)
    assert test.data.shape == (16_281, 14)
    assert train.target.value_counts().to_dict() == {"<=50K": 24_720, ">50K": 7_841}
    assert test.target.value_counts().to_dict() == {"<=50K": 12_435, ">50K": 3_846}
    assert train.frame.iloc[0].tolist() == [
        *(39, "State-gov", 77_516, "Bachelors", 13, "Never-married", "Adm-clerical"),
        *("Not-in-family", "White", "Male", 2_174, 0, 40, "United-States", "<=50K"),
    ]


@needs_real_files
def test_real_table_is_as_described(no_network):
    adult = fetch_adult(subset="all")
    data = adult.data
    missing = data.isna().sum()
    assert missing[missing > 0].to_dict() == {
        "workclass": 2_799,
        "occupation": 2_809,
        "native-country": 857,
    }
    assert data.isna().any(axis=1).sum() == 3_620
    assert not adult.target.isna().any()
    assert (adult.target == ">50K").mean() == pytest.approx(0.2393, abs=5e-5)

    assert (data["age"] == data["age"].max()).sum() == 55
    assert (data["hours-per-week"] == 99).sum() == 137
    assert (data["capital-gain"] == 99_999).sum() == 244
    assert (data["capital-gain"] == 0).mean() == pytest.approx(0.917, abs=5e-4)
    assert (data["capital-loss"] == 0).mean() == pytest.approx(0.953, abs=5e-4)
    assert not ((data["capital-gain"] > 0) & (data["capital-loss"] > 0)).any()
    without_occupation = data["workclass"][data["occupation"].isna()]
    assert without_occupation.value_counts()["Never-worked"] == 10
    assert without_occupation.isna().sum() == 2_799
    role_and_sex = data.groupby(["relationship", "sex"], observed=True).size()
    assert role_and_sex["Husband", "Female"] == 1
    assert role_and_sex["Wife", "Male"] == 3
    assert (data["native-country"] == "Holand-Netherlands").sum() == 1
    assert adult.frame.duplicated().sum() == 52


@needs_real_files
def test_real_education_is_ordered_by_its_number(no_network):
    data, _ = fetch_adult(subset="all", return_X_y=True)
    np.testing.assert_array_equal(
        data["education"].cat.codes + 1, data["education-num"]
    )


@needs_real_files
def test_every_level_occurs_in_the_real_table(no_network):
    frame = fetch_adult(subset="all").frame
    for name in [*CATEGORIES, "income"]:
        assert set(frame[name].dropna()) == set(frame[name].cat.categories)


def test_columns_have_the_names_and_kinds_they_should(data_home):
    adult = fetch_adult(data_home=data_home)
    assert sorted(adult.feature_names) == sorted([*NUMBERS, *CATEGORIES])
    assert list(adult.data.columns) == adult.feature_names
    assert list(adult.frame.columns) == [*adult.feature_names, "income"]
    assert adult.target_names == [adult.target.name] == ["income"]
    assert (adult.data[NUMBERS].dtypes == np.int64).all()
    ordered = {name: adult.frame[name].cat.ordered for name in [*CATEGORIES, "income"]}
    assert [name for name, is_ordered in ordered.items() if is_ordered] == ["education"]


def test_values_are_those_of_the_files(data_home):
    frame = fetch_adult(subset="all", data_home=data_home).frame
    assert frame["age"].tolist() == [41, 19, 90, 33, 28]
    assert frame["hours-per-week"].tolist() == [38, 20, 99, 40, 45]
    assert frame["race"].tolist() == ["Black", "White", "Other", "White", "White"]
    assert frame["income"].tolist() == [">50K", "<=50K", "<=50K", ">50K", "<=50K"]
    assert frame["education"].max() == "Masters"
    assert frame["education"].min() == "Preschool"


def test_question_marks_are_missing_cells(data_home):
    frame = fetch_adult(subset="all", data_home=data_home).frame
    missing = frame.isna().to_numpy()
    assert frame.index[frame["workclass"].isna()].tolist() == [1]
    assert frame.index[frame["occupation"].isna()].tolist() == [1, 2, 4]
    assert frame.index[frame["native-country"].isna()].tolist() == [1]
    assert missing.sum() == 5


def test_levels_are_the_same_in_every_subset(data_home):
    train, test, both = (
        fetch_adult(subset=subset, data_home=data_home).frame
        for subset in ("train", "test", "all")
    )
    pd.testing.assert_series_equal(train.dtypes, test.dtypes)
    pd.testing.assert_series_equal(train.dtypes, both.dtypes)
    pd.testing.assert_frame_equal(pd.concat([train, test], ignore_index=True), both)


def test_data_and_target_alone(data_home):
    adult = fetch_adult(data_home=data_home)
    data, target = fetch_adult(data_home=str(data_home), return_X_y=True)
    pd.testing.assert_frame_equal(data, adult.data)
    pd.testing.assert_series_equal(target, adult.target)


def test_description_names_licence_and_source(data_home):
    description = fetch_adult(data_home=data_home).DESCR
    assert "CC BY 4.0" in description
    assert "Kohavi" in description
    assert "https://doi.org/10.24432/C5XW20" in description


def test_result_belongs_to_the_caller(data_home):
    first = fetch_adult(data_home=data_home)
    first.feature_names.clear()
    first.frame["age"] = 0
    second = fetch_adult(data_home=data_home)
    assert len(second.feature_names) == 14
    assert second.frame["age"].tolist() == [41, 19, 90]


def test_reads_the_folder_of_the_environment_variable(data_home, monkeypatch):
    monkeypatch.setenv("SKVAE_DATA_HOME", str(data_home))
    assert len(fetch_adult().data) == 3


def test_files_need_not_be_compressed(data_home):
    expected = fetch_adult(subset="all", data_home=data_home).frame
    for path in files_below(data_home):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    frame = fetch_adult(
        subset="all", data_home=data_home, download_if_missing=False
    ).frame
    pd.testing.assert_frame_equal(frame, expected)


def test_one_part_does_without_the_file_of_the_other(data_home):
    (data_home / "adult" / "adult.data.gz").unlink()
    assert len(fetch_adult(subset="test", data_home=data_home).data) == 2


@pytest.mark.parametrize("name", ["adult.data", "adult.data.gz"])
def test_altered_file_is_refused_and_left(name, data_home):
    path = data_home / "adult" / name
    (data_home / "adult" / "adult.data.gz").unlink()
    altered = TRAIN_ROWS.replace(b"41, State-gov", b"42, State-gov")
    path.write_bytes(gzip.compress(altered) if path.suffix == ".gz" else altered)
    with pytest.raises(ValueError, match="does not hold what was published") as caught:
        fetch_adult(data_home=data_home)
    assert str(path) in str(caught.value)
    assert path.exists()


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"half"])
def test_broken_file_is_refused(content, data_home):
    path = data_home / "adult" / "adult.data.gz"
    path.write_bytes(path.read_bytes()[:60] if content == b"half" else content)
    with pytest.raises(ValueError, match=r"adult\.data\.gz"):
        fetch_adult(data_home=data_home)


def test_download_is_stored_and_then_read_from_the_cache(server, tmp_path):
    home = tmp_path / "home"
    downloaded = fetch_adult(subset="all", data_home=home).frame
    stored = files_below(home)
    assert {path.name: path.read_bytes() for path in stored} == FILES
    for path in files_below(server):
        path.unlink()
    again = fetch_adult(subset="all", data_home=home).frame
    pd.testing.assert_frame_equal(again, downloaded)


def test_altered_download_is_not_stored(server, tmp_path):
    (server / "adult.data").write_bytes(TRAIN_ROWS[:-30])
    home = tmp_path / "home"
    with pytest.raises(ValueError, match=r"adult\.data does not hold"):
        fetch_adult(data_home=home)
    assert files_below(home) == []


def test_no_network_is_told_with_where_and_how(no_network, tmp_path):
    with pytest.raises(DataUnavailableError, match="no route to host") as caught:
        fetch_adult(data_home=tmp_path)
    assert str(tmp_path / "adult" / "adult.data") in str(caught.value)
    assert "SKVAE_DATA_HOME" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_no_download_wanted(server, tmp_path):
    home = tmp_path / "home"
    with pytest.raises(DataUnavailableError, match="download_if_missing=True"):
        fetch_adult(data_home=home, download_if_missing=False)
    assert not home.exists()


@pytest.mark.parametrize(
    "parameters",
    [
        {"subset": "validation"},
        {"data_home": 3},
        {"download_if_missing": "no"},
        {"return_X_y": "yes"},
    ],
)
def test_parameters_are_validated(parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"The '{name}' parameter of"):
        fetch_adult(**parameters)
