"""How numbers are scaled: a table of numbers to a matrix and back."""

import numpy as np
import pandas as pd
import pytest
from example_tables import ENCODINGS, numeric_table, there_and_back
from sklearn.decomposition import PCA
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    PowerTransformer,
    StandardScaler,
)

from skvae.tables import TableEncoder


@pytest.fixture
def table():
    return numeric_table()


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
    numbers, booleans = encoder.groups_
    columns = {*numbers.columns, *booleans.columns}
    assert columns == set(range(table.shape[1])) - set(constant)
    assert encoder.width == numbers.width + booleans.width == table.shape[1] - 2
    assert numbers.matrix_columns == slice(0, encoder.width - 1)
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
        [1.0, np.inf, 3.0],
        np.array([1, 2j, 3]),
        pd.arrays.SparseArray([0, 0, 1]),
        [[1], [2], [3]],
        [1, 2**53 + 1, 2],
    ],
    ids=["infinite", "complex", "sparse", "list", "beyond 2**53"],
)
def test_refused_column_is_named_in_fit_and_transform(cells):
    good = pd.DataFrame({"fine": [1, 2, 3], "doubtful": [1, 2, 3]})
    bad = good.assign(doubtful=cells)
    with pytest.raises(ValueError, match="olumn 'doubtful'"):
        TableEncoder().fit(bad)
    with pytest.raises(ValueError, match="olumn 'doubtful'"):
        TableEncoder().fit(good).transform(bad)


@pytest.mark.parametrize(
    "cells",
    [["x", "y", "z"], pd.Categorical([1, 2, 3]), pd.date_range("2020", periods=3)],
    ids=["string", "category", "datetime"],
)
def test_numbers_have_to_stay_numbers(cells):
    good = pd.DataFrame({"fine": [1, 2, 3], "doubtful": [1, 2, 3]})
    encoder = TableEncoder().fit(good)
    with pytest.raises(ValueError, match=r"Column 'doubtful' .*expected numbers"):
        encoder.transform(good.assign(doubtful=cells))


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
