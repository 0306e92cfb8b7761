"""Tables that come in pieces: what is read, what one pass learns, what is refused."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skvae import StreamError
from skvae.tables import TableStream, _survey


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "amount": rng.lognormal(size=5_000),
            "grade": rng.integers(1, 6, size=5_000),
            "region": rng.choice(["N", "S", "W"], size=5_000),
            "day": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(rng.integers(0, 300, size=5_000), "D"),
            "is_late": rng.random(5_000) < 0.1,
        }
    )


@pytest.fixture
def small_sample(monkeypatch):
    monkeypatch.setattr(_survey, "_ROWS", 1_000)


def in_pieces(table, size=1_300):
    return [table.iloc[start : start + size] for start in range(0, len(table), size)]


def everything(stream):
    return pd.concat(list(stream), ignore_index=True)


def test_tables_of_a_list_come_one_after_the_other(table):
    stream = TableStream(in_pieces(table), rows_per_piece=500)
    assert max(map(len, stream)) == 500
    pd.testing.assert_frame_equal(everything(stream), table)
    pd.testing.assert_frame_equal(everything(stream), table)  # a second time


def test_function_is_called_for_every_pass(table):
    calls = []

    def months():
        calls.append(1)
        yield from in_pieces(table)

    stream = TableStream(months, columns=["grade", "amount"])
    pd.testing.assert_frame_equal(everything(stream), table[["grade", "amount"]])
    pd.testing.assert_frame_equal(everything(stream), table[["grade", "amount"]])
    assert len(calls) == 2


def test_memory_map(tmp_path):
    numbers = np.random.default_rng(0).normal(size=(3_000, 4)).astype(np.float32)
    np.save(tmp_path / "rows.npy", numbers)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    stream = TableStream(mapped, rows_per_piece=700, columns=[2, 0])
    assert_array_equal(np.concatenate(list(stream)), numbers[:, [2, 0]])


def test_parts_are_read_in_another_order_with_their_positions(table):
    stream = TableStream(in_pieces(table, 100))
    pieces = list(stream.pieces(np.random.RandomState(0)))
    starts = [start for start, _ in pieces]
    assert starts != sorted(starts)
    # Four parts are read in turn, a quarter of each at a time.
    assert sorted(starts) == list(range(0, 5_000, 25))
    assert len({start // 100 for start in starts[:4]}) == 4
    for start, rows in pieces:
        pd.testing.assert_frame_equal(rows, table.iloc[start : start + 25])


def test_sample_is_without_bias_and_in_order():
    numbers = np.arange(40_000.0)[:, None]
    sample = TableStream(numbers, rows_per_piece=7_001).sample(2_000, random_state=0)
    assert sample.shape == (2_000, 1)
    assert (np.diff(sample[:, 0]) > 0).all()
    counts, _ = np.histogram(sample, bins=10, range=(0, 40_000))
    assert np.abs(counts - 200).max() < 4 * np.sqrt(200)


def test_survey_of_few_rows_is_all_of_them(table):
    survey = TableStream(in_pieces(table)).survey()
    assert survey.is_whole
    assert survey.telling is None
    pd.testing.assert_frame_equal(survey.rows, table)


def test_survey_knows_what_its_sample_lacks(table, small_sample):
    table = table.astype({"grade": float})
    table.loc[17, ["amount", "region"]] = [1e9, "rare"]
    table.loc[4_321, "grade"] = np.nan
    table.loc[99, "day"] = pd.Timestamp("2030-01-01")
    survey = TableStream(in_pieces(table)).survey()
    assert survey.n_rows == 5_000
    assert len(survey.rows) == 1_000
    pd.testing.assert_frame_equal(
        survey.rows, table.iloc[survey.positions].reset_index(drop=True)
    )
    known = survey.learning_rows
    assert len(known) < 1_030
    assert known["amount"].max() == 1e9
    assert known["amount"].min() == table["amount"].min()
    assert "rare" in set(known["region"])
    assert known["grade"].isna().any()
    assert known["day"].max() == table["day"].max()
    assert (known.dtypes == table.dtypes).all()


def test_quantiles_of_the_survey_are_near(small_sample):
    numbers = np.random.default_rng(0).lognormal(size=(50_000, 1))
    rows = TableStream(numbers).survey().rows
    ranks = np.searchsorted(np.sort(numbers[:, 0]), np.sort(rows[:, 0])) / 50_000
    error = np.abs(ranks - np.arange(1_000) / 1_000).max()
    # Dvoretzky-Kiefer-Wolfowitz, which more fails than this in one seed of a million.
    assert error < np.sqrt(np.log(2 / 1e-6) / 2_000) + 1e-3


def test_column_of_very_many_levels_is_known_by_the_sample(small_sample):
    names = pd.DataFrame({"name": [f"n{n}" for n in range(5_000)], "x": range(5_000)})
    survey = TableStream(in_pieces(names)).survey()
    assert len(survey.learning_rows) <= 1_004


def test_categories_are_those_of_all_pieces(small_sample):
    rng = np.random.default_rng(0)
    early = pd.DataFrame({"c": pd.Categorical(rng.choice(["a", "b"], 2_000))})
    late = pd.DataFrame({"c": pd.Categorical(rng.choice(["b", "z"], 2_000))})
    rows = TableStream([early, late]).survey().rows
    assert rows["c"].dtype == pd.CategoricalDtype(["a", "b", "z"])


def test_holes_that_come_late_make_numbers_of_integers(small_sample):
    whole = pd.DataFrame({"x": np.arange(2_000)})
    holes = pd.DataFrame({"x": np.where(np.arange(2_000) % 2, np.nan, 3.0)})
    assert TableStream([whole, holes]).survey().rows["x"].dtype == float


def test_index_of_floats_does_no_harm(table):
    table.index = np.linspace(0, 1, len(table))
    stream = TableStream([table], rows_per_piece=2_000)
    assert [len(rows) for rows in stream] == [2_000, 2_000, 1_000]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ((x for x in [1]), "can be read only once"),
        (pd.DataFrame({"a": [1]}), "A DataFrame\nis no stream".replace("\n", " ")),
        (7, "Got a int; expected the path"),
        (np.ones(3), "yields float64; expected DataFrames"),
        ([], "has no rows"),
        (lambda: iter([]), "has no rows"),
        (lambda: iter([[1, 2]]), "yields list; expected DataFrames"),
    ],
)
def test_sources_that_are_none(source, message):
    with pytest.raises(StreamError, match=message):
        list(TableStream(source))


def test_pieces_that_are_not_of_one_table(table):
    head = table[:10]

    def read(*others, **settings):
        return list(TableStream([head, *others], **settings))

    with pytest.raises(StreamError, match="no rows in table 1, rows from 10"):
        read(table[:0])
    with pytest.raises(StreamError, match=r"missing are \['grade'\], new are \['g'\]"):
        read(table.rename(columns={"grade": "g"}))
    with pytest.raises(StreamError, match="in another order"):
        read(table[table.columns[::-1]])
    with pytest.raises(StreamError, match="'grade' holds levels in table 1, rows from"):
        read(table.astype({"grade": str}))
    with pytest.raises(StreamError, match="got 5, expected names"):
        read(np.ones((3, 5)))
    with pytest.raises(StreamError, match="'gone' is not in the table"):
        read(columns=["gone"])
    # A column of which nothing is there is of any kind.
    assert len(read(table.assign(grade=None), table.assign(region=np.nan))) == 3


def test_rows_of_a_piece(table):
    with pytest.raises(ValueError, match="rows_per_piece == 0, must be >= 1"):
        TableStream([table], rows_per_piece=0)
    with pytest.raises(TypeError, match="rows_per_piece must be an instance of int"):
        TableStream([table], rows_per_piece=1e4)


def test_is_no_table(table):
    stream = TableStream(in_pieces(table))
    with pytest.raises(TypeError, match="only fit of a model takes"):
        np.asarray(stream)
    assert repr(stream) == "TableStream(<list>)"


class TestParquet:
    """Files and folders of Parquet."""

    pytestmark = pytest.mark.usefixtures("pyarrow")

    @pytest.fixture
    def pyarrow(self):
        return pytest.importorskip("pyarrow")

    def test_row_groups_are_parts(self, table, tmp_path):
        path = tmp_path / "rows.parquet"
        table.to_parquet(path, row_group_size=900)
        stream = TableStream(path, rows_per_piece=400)
        pd.testing.assert_frame_equal(
            everything(stream), table, check_dtype=False, check_freq=False
        )
        starts = {start for start, _ in stream.pieces(np.random.RandomState(0))}
        assert {0, 400, 800, 900, 1_300, 1_700, 1_800} < starts

    def test_folder_is_read_in_the_order_of_names(self, table, tmp_path):
        for number, piece in enumerate(in_pieces(table)):
            piece.to_parquet(tmp_path / f"{number}.parquet")
        assert_array_equal(everything(TableStream(tmp_path))["amount"], table["amount"])

    def test_folders_may_be_a_column(self, table, tmp_path):
        table.to_parquet(tmp_path, partition_cols=["grade"])
        found = everything(TableStream(tmp_path, columns=["amount", "grade"]))
        assert sorted(found["grade"].astype(int)) == sorted(table["grade"])

    def test_only_the_columns_asked_for(self, table, tmp_path):
        table.to_parquet(tmp_path / "rows.parquet")
        stream = TableStream(tmp_path / "rows.parquet", columns=["region", "amount"])
        assert list(everything(stream)) == ["region", "amount"]
        with pytest.raises(StreamError, match=r"'gone' is not in .*expected columns"):
            TableStream(tmp_path / "rows.parquet", columns=["gone"])

    def test_integers_and_floats_are_one_column(self, tmp_path):
        pd.DataFrame({"x": [1, 2]}).to_parquet(tmp_path / "a.parquet")
        pd.DataFrame({"x": [1.5, np.nan]}).to_parquet(tmp_path / "b.parquet")
        assert everything(TableStream(tmp_path))["x"].tolist()[:3] == [1, 2, 1.5]

    def test_schema_that_changes_midway(self, table, tmp_path):
        table.to_parquet(tmp_path / "a.parquet")
        table.drop(columns="day").to_parquet(tmp_path / "b.parquet")
        with pytest.raises(StreamError, match=r"b.parquet has other columns .*'day'"):
            TableStream(tmp_path)
        table.assign(day="today").to_parquet(tmp_path / "b.parquet")
        with pytest.raises(StreamError, match=r"b.parquet has columns of another type"):
            TableStream(tmp_path)

    def test_nothing_there(self, tmp_path):
        with pytest.raises(StreamError, match="There is no file or folder"):
            TableStream(tmp_path / "gone.parquet")
        with pytest.raises(StreamError, match="There is no Parquet file in"):
            TableStream(tmp_path)

    def test_broken_files(self, table, tmp_path):
        path = tmp_path / "rows.parquet"
        table.to_parquet(path)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(StreamError, match="Cannot read"):
            TableStream(path)
        path.write_bytes(b"\0" * 2_000 + content[2_000:])
        with pytest.raises(StreamError, match="Cannot read"):
            list(TableStream(path))
