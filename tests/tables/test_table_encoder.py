"""A table to a matrix and back, under every encoding."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)

from skvae.tables import TableEncoder

ENCODINGS = [
    "quantile",
    "standard",
    "minmax",
    None,
    PowerTransformer(),
    RobustScaler(),
]


@pytest.fixture
def table():
    """Columns of many kinds, two of them constant."""
    rng = np.random.RandomState(0)
    return pd.DataFrame(
        {
            "amount": rng.lognormal(3, 1, size=60),
            "constant": 7,
            "age": rng.randint(18, 90, size=60),
            "small": rng.randint(-128, 128, size=60).astype(np.int8),
            "count": pd.array(rng.randint(0, 5, size=60), dtype="Int64"),
            "flag": rng.uniform(size=60) < 0.3,
            "single": rng.normal(size=60).astype(np.float32),
            "object": np.array([1, 2.5, 4] * 20, dtype=object),
            "always": True,
        },
        index=[f"row {number}" for number in range(60)],
    )


def there_and_back(table, encoding):
    encoder = TableEncoder(encoding).fit(table)
    index = table.index if isinstance(table, pd.DataFrame) else None
    return encoder.inverse_transform(encoder.transform(table), index)


@pytest.mark.parametrize("encoding", ENCODINGS, ids=repr)
def test_training_rows_come_back(table, encoding):
    result = there_and_back(table, encoding)
    # Exact where cells are integers or booleans, which assert_frame_equal demands.
    pd.testing.assert_frame_equal(
        result.drop(columns="object"), table.drop(columns="object"), rtol=1e-6
    )
    assert result["object"].dtype == object
    np.testing.assert_allclose(
        result["object"].astype(float), table["object"].astype(float)
    )


@pytest.mark.parametrize("encoding", ENCODINGS, ids=repr)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int32])
def test_array_in_array_out(encoding, dtype):
    rows = (np.random.RandomState(0).normal(size=(40, 3)) * 100).astype(dtype)
    rows[:, 1] = 5
    result = there_and_back(rows, encoding)
    assert type(result) is np.ndarray
    assert result.dtype == dtype
    np.testing.assert_allclose(result, rows, rtol=1e-5, atol=1e-4)


def test_named_encodings_are_the_scalers_they_name(table):
    numeric = table[["amount", "age"]]
    for encoding, scaler in [
        ("standard", StandardScaler()),
        ("minmax", MinMaxScaler()),
        (None, FunctionTransformer()),
    ]:
        matrix = TableEncoder(encoding).fit(numeric).transform(numeric)
        expected = scaler.fit_transform(numeric.to_numpy(dtype=np.float64))
        np.testing.assert_allclose(matrix, expected)


def test_constant_columns_take_no_part(table):
    encoder = TableEncoder().fit(table)
    constant = [table.columns.get_loc(name) for name in ("constant", "always")]
    (group,) = encoder.groups_
    assert set(group.columns) == set(range(table.shape[1])) - set(constant)
    assert encoder.width == group.width == table.shape[1] - 2
    assert group.matrix_columns == slice(0, encoder.width)
    matrix = encoder.transform(table)
    assert matrix.shape == (60, encoder.width)
    # Whatever new rows hold there, and whatever the networks make of the rest.
    changed = table.assign(constant=1000, always=False)
    np.testing.assert_array_equal(encoder.transform(changed), matrix)
    decoded = encoder.inverse_transform(np.zeros_like(matrix))
    assert (decoded["constant"] == 7).all()
    assert decoded["always"].all()


def test_matrix_columns_are_in_the_order_of_the_table(table):
    encoder = TableEncoder(None).fit(table)
    matrix = encoder.transform(table)
    for position, column in enumerate(encoder.groups_[0].columns):
        expected = table.iloc[:, column].to_numpy(dtype=np.float64)
        np.testing.assert_array_equal(matrix[:, position], expected)


def test_new_rows_may_be_few_and_far_out(table):
    encoder = TableEncoder().fit(table)
    row = table.iloc[:1].assign(amount=1e12)
    farther = encoder.transform(row.assign(amount=1e13))[0, 0]
    assert encoder.transform(table)[:, 0].max() < encoder.transform(row)[0, 0] < farther


def test_all_columns_constant():
    with pytest.raises(ValueError, match="All 2 columns are constant over the 3 rows"):
        TableEncoder().fit(pd.DataFrame({"a": [1, 1, 1], "b": [2.0, 2.0, 2.0]}))


@pytest.mark.parametrize(
    "cells",
    [
        [1.0, np.nan, 3.0],
        [1.0, np.inf, 3.0],
        np.array([1, 2j, 3]),
        pd.arrays.SparseArray([0, 0, 1]),
        ["x", "y", "z"],
        pd.Categorical([1, 2, 3]),
        pd.date_range("2020", periods=3),
    ],
    ids=["NaN", "infinite", "complex", "sparse", "string", "category", "datetime"],
)
def test_refused_column_is_named_in_fit_and_transform(cells):
    good = pd.DataFrame({"fine": [1, 2, 3], "doubtful": [1, 2, 3]})
    bad = good.assign(doubtful=cells)
    with pytest.raises(ValueError, match="olumn 'doubtful'"):
        TableEncoder().fit(bad)
    with pytest.raises(ValueError, match="olumn 'doubtful'"):
        TableEncoder().fit(good).transform(bad)


def test_transformer_that_changes_the_number_of_columns(table):
    encoder = TableEncoder(PCA(2))
    with pytest.raises(ValueError, match=r"PCA\(n_components=2\).*one column for each"):
        encoder.fit(table[["amount", "age", "single"]])


def test_transformer_is_cloned(table):
    scaler = StandardScaler()
    TableEncoder(scaler).fit(table)
    assert not hasattr(scaler, "mean_")


def test_transformer_that_returns_a_dataframe(table):
    encoding = PowerTransformer().set_output(transform="pandas")
    result = there_and_back(table[["amount", "age"]], encoding)
    pd.testing.assert_frame_equal(result, table[["amount", "age"]], rtol=1e-6)


@pytest.mark.parametrize("encoding", [None, "standard"])
def test_values_beyond_float32_are_named(encoding):
    table = pd.DataFrame({"fine": [0.0, 1.0, 2.0], "huge": [0.0, 1.0, 1e300]})
    with pytest.raises(ValueError, match="Column 'huge' leaves the range of float32"):
        TableEncoder(encoding).fit(table).transform(table)


def test_new_value_beyond_float32_is_named():
    encoder = TableEncoder(None).fit(pd.DataFrame({"a": [0.0, 1.0], "b": [0.0, 2.0]}))
    with pytest.raises(ValueError, match="Column 'b' leaves the range of float32"):
        encoder.transform(pd.DataFrame({"a": [1.0], "b": [-1e39]}))


def test_error_counts_constant_columns():
    table = pd.DataFrame({"constant": [1, 1], "fine": [1, 2], "huge": [0, 1e300]})
    with pytest.raises(ValueError, match="Column 'huge'"):
        TableEncoder(None).fit(table).transform(table)


def test_range_beyond_float64_is_named():
    # Its scale would be infinite, all its scaled values 0 and the way back NaN.
    table = pd.DataFrame({"fine": [0.0, 1.0], "wide": [-1.7e308, 1.7e308]})
    with pytest.raises(ValueError, match="Column 'wide' has a range"):
        TableEncoder("minmax").fit(table)


def test_auto_is_quantile_for_tables(table):
    encoder = TableEncoder().fit(table)
    assert encoder.encoding == "auto"
    assert encoder.encoding_ == "quantile"
    by_name = TableEncoder("quantile").fit(table)
    np.testing.assert_array_equal(encoder.transform(table), by_name.transform(table))


@pytest.mark.parametrize("encoding", ENCODINGS, ids=repr)
def test_bytes_come_back_without_wrapping_around(encoding):
    rows = np.random.RandomState(0).randint(0, 256, size=(50, 3)).astype(np.uint8)
    result = there_and_back(rows, encoding)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, rows)


def test_array_of_bytes_stays_within_its_limits():
    rows = np.array([[0, 10], [255, 20]], dtype=np.uint8)
    encoder = TableEncoder(None).fit(rows)
    drawn = encoder.inverse_transform(np.array([[-7.0, 300.0], [254.6, 0.4]]))
    assert drawn.dtype == np.uint8
    assert drawn.tolist() == [[0, 255], [255, 0]]


@pytest.fixture
def wide(table):
    """The table with columns that no number can stand for among the others."""
    wide = table.copy()
    wide.insert(0, "region", ["north", "south", None] * 20)
    wide.insert(4, "grade", pd.Categorical(["b", "a"] * 30, categories=["c", "b", "a"]))
    wide["year"] = pd.array([2023, None, 2024] * 20, dtype="Int64")
    wide["since"] = pd.date_range("2020", periods=60)
    wide["code"] = np.arange(60)
    return wide


LEFT_OUT = ["since", "region", "code", "grade", "year"]  # not in the table's order


@pytest.mark.parametrize("encoding", ENCODINGS, ids=repr)
def test_left_out_columns_take_no_part_and_come_back(table, wide, encoding):
    encoder = TableEncoder(encoding, left_out=LEFT_OUT).fit(wide)
    matrix = encoder.transform(wide)
    alone = TableEncoder(encoding).fit(table)
    np.testing.assert_array_equal(matrix, alone.transform(table))
    changed = wide.assign(region=1.5, since=np.nan)
    np.testing.assert_array_equal(encoder.transform(changed), matrix)
    result = encoder.inverse_transform(matrix, wide.index, wide[LEFT_OUT])
    pd.testing.assert_frame_equal(
        result.drop(columns="object"), wide.drop(columns="object"), rtol=1e-6
    )
    assert result.columns.equals(wide.columns)


def test_groups_and_columns_count_those_left_out(wide):
    encoder = TableEncoder(left_out=LEFT_OUT).fit(wide)
    (group,) = encoder.groups_
    names = [wide.columns[position] for position in group.columns]
    assert names == ["amount", "age", "small", "count", "flag", "single", "object"]
    assert [encoder.column_at(n).name for n in range(encoder.width)] == names
    with pytest.raises(ValueError, match="Column 'single' leaves the range"):
        TableEncoder(None, left_out=LEFT_OUT).fit(wide).transform(
            wide.assign(single=1e300)
        )


def test_left_out_cells_are_cast_to_the_dtype_of_fit(wide):
    encoder = TableEncoder(left_out=LEFT_OUT).fit(wide)
    given = pd.DataFrame(
        {
            "since": np.array([pd.Timestamp("2020-02-01")] * 2, dtype=object),
            "region": np.array(["east", None], dtype=object),
            "code": [3.0, 4.0],
            "grade": ["a", None],
            "year": [2024.0, np.nan],
        },
        index=[7, 7],
    )
    result = encoder.inverse_transform(np.zeros((2, encoder.width)), None, given)
    assert result.dtypes.equals(wide.dtypes)
    assert result["code"].tolist() == [3, 4]
    assert result["year"].isna().tolist() == [False, True]
    assert result.index.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("code", [1.0, np.nan]),
        ("code", [1.5, 2.0]),
        ("code", [1e30, 2.0]),
        ("code", ["1", "2"]),
        ("grade", ["a", "unheard of"]),
        ("since", ["long", "ago"]),
        ("flag", [True, None]),
        ("flag", ["no", "yes"]),
    ],
)
def test_left_out_cells_that_their_dtype_cannot_hold_stay(table, wide, name, cells):
    encoder = TableEncoder(left_out=[name]).fit(table.assign(**{name: wide[name]}))
    cells = pd.Series(cells)
    matrix = np.zeros((2, encoder.width))
    result = encoder.inverse_transform(matrix, left_out=cells.to_frame(name))
    pd.testing.assert_series_equal(result[name], cells, check_names=False)


def test_array_with_columns_left_out():
    rows = np.random.RandomState(0).randint(0, 9, size=(20, 4)).astype(np.uint8)
    encoder = TableEncoder(left_out=[2, 0]).fit(rows)
    assert encoder.groups_[0].columns == (1, 3)
    matrix = encoder.transform(rows)
    np.testing.assert_array_equal(
        matrix, TableEncoder().fit(rows[:, [1, 3]]).transform(rows[:, [1, 3]])
    )
    given = pd.DataFrame(rows[:, [2, 0]].astype(float))
    result = encoder.inverse_transform(matrix, left_out=given)
    assert type(result) is np.ndarray
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, rows)
    # An array has one dtype, and a missing cell changes it.
    given.iloc[0, 0] = np.nan
    result = encoder.inverse_transform(matrix, left_out=given)
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result[1:], rows[1:])
    assert np.isnan(result[0, 2])


def test_unknown_column_left_out_is_named(table):
    with pytest.raises(ValueError, match=r"'colour' is not in the table; .*'amount', "):
        TableEncoder(left_out=["colour"]).fit(table)
    rows = table[["amount", "age"]].to_numpy()
    for unknown in (2, -1, "amount"):
        with pytest.raises(ValueError, match=f"{unknown!r} is not .*among 0, 1"):
            TableEncoder(left_out=[unknown]).fit(rows)


def test_position_is_no_name(table):
    with pytest.raises(ValueError, match="Column 0 is not in the table"):
        TableEncoder(left_out=[0]).fit(table)
    numbered = table[["amount", "age"]].set_axis([7, 0], axis=1)
    assert TableEncoder(left_out=[0]).fit(numbered).groups_[0].columns == (0,)


def test_column_left_out_twice(table):
    with pytest.raises(ValueError, match="'age', 'age'; expected each of them once"):
        TableEncoder(left_out=["age", "age"]).fit(table)


def test_all_columns_left_out(table):
    with pytest.raises(ValueError, match="All 9 columns are left out"):
        TableEncoder(left_out=table.columns).fit(table)


@pytest.mark.parametrize("n_rows", [None, 1, 3])
def test_way_back_needs_a_cell_for_each_row_left_out(table, n_rows):
    encoder = TableEncoder(left_out=["age", "flag"]).fit(table)
    given = None if n_rows is None else table[["age", "flag"]].iloc[:n_rows]
    with pytest.raises(ValueError, match=r"expected \(2, 2\), a cell .*'age', 'flag'"):
        encoder.inverse_transform(np.zeros((2, encoder.width)), left_out=given)


def test_way_back_takes_no_cells_where_no_column_was_left_out(table):
    encoder = TableEncoder().fit(table)
    with pytest.raises(ValueError, match=r"\(2, 1\); expected \(2, 0\).*: none\."):
        encoder.inverse_transform(
            np.zeros((2, encoder.width)), left_out=table[["age"]].iloc[:2]
        )


huge_or_tiny = st.sampled_from([-1e300, -1e30, 1e-300, 5e-324, 1e30, 1e300, 1.7e308])
cells_of_a_kind = {
    "float64": st.one_of(st.floats(-1e6, 1e6), st.just(0.0), huge_or_tiny),
    "float32": st.floats(-1e6, 1e6, width=32),
    "int64": st.integers(-(2**53), 2**53),
    "int8": st.integers(-128, 127),
    "Int64": st.integers(-1000, 1000),
    "bool": st.booleans(),
    "boolean": st.booleans(),
}


@st.composite
def mixed_tables(draw):
    n_rows = draw(st.integers(2, 12))
    columns = {}
    for position in range(draw(st.integers(1, 5))):
        dtype = draw(st.sampled_from(sorted(cells_of_a_kind)))
        cells = cells_of_a_kind[dtype]
        if draw(st.booleans()):  # few distinct values: ties, often a constant
            cells = st.sampled_from(draw(st.lists(cells, min_size=1, max_size=2)))
        column = draw(st.lists(cells, min_size=n_rows, max_size=n_rows))
        columns[f"column {position}"] = pd.array(column, dtype=dtype)
    return pd.DataFrame(columns)


# What a scaler loses by arithmetic is measured by the size of its column: 1 beside
# 1e30 leaves no trace in a mean.
_TOLERANCE = 1e-9


@settings(max_examples=150, deadline=None)
@given(table=mixed_tables(), encoding=st.sampled_from(ENCODINGS[:4]))
def test_any_numeric_table_comes_back_or_is_refused(table, encoding):
    refusal = ""
    try:
        result = there_and_back(table, encoding)
    except ValueError as error:
        refusal = str(error)
    if refusal:
        ours = ["columns are constant"]
        if encoding != "quantile":  # ranks cannot overflow
            ours += ["leaves the range", "has a range"]
        assert any(part in refusal for part in ours), refusal
        return
    assert result.dtypes.equals(table.dtypes)
    assert result.columns.equals(table.columns)
    for name, column in table.items():
        expected = column.to_numpy(dtype=np.float64)
        found = result[name].to_numpy(dtype=np.float64)
        size = np.abs(expected).max()
        if encoding == "quantile":
            np.testing.assert_allclose(found, expected, rtol=_TOLERANCE, atol=1e-300)
        else:
            # Halved, lest the tolerance itself overflows.
            difference = np.abs(found / 2 - expected / 2)
            assert (difference <= _TOLERANCE * size).all()


@settings(max_examples=50, deadline=None)
@given(
    column=st.lists(
        st.one_of(st.floats(-1e300, 1e300), st.just(0.0)), min_size=2, max_size=30
    ),
    new=st.lists(st.floats(-1e300, 1e300), min_size=2, max_size=10),
)
def test_quantile_order_is_the_order_of_values(column, new):
    column = np.array(column)[:, None]
    if (column == column[0]).all():
        return
    encoder = TableEncoder("quantile").fit(column)
    new = np.sort(np.array(new))[:, None]
    scores = encoder.scaler_.transform(new)
    # To rounding; infinite where a value lies too far beyond a tiny range.
    assert (scores[1:] >= scores[:-1] - 1e-9).all()
