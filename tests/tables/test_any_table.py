"""Whatever the table: it comes back, or is refused by name."""

import datetime

import numpy as np
import pandas as pd
from example_tables import ENCODINGS, there_and_back
from hypothesis import given, settings
from hypothesis import strategies as st

from skvae.tables import TableEncoder
from skvae.tables._number import is_number

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
def numeric_tables(draw):
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
@given(table=numeric_tables(), encoding=st.sampled_from(ENCODINGS[:4]))
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


seconds = st.integers(-(2**31), 2**32)
texts = st.sampled_from(["", " ", "01", "1", "a", "Ä", "None", "nan"])
cells_with_holes = {
    "float64": st.integers(-(10**6), 10**6).map(lambda cents: cents / 100),
    "Int64": st.integers(-1000, 1000),
    "boolean": st.booleans(),
    "string": texts,
    "object": st.one_of(texts, st.booleans(), st.integers(-3, 3)),
    "category": st.one_of(texts, st.integers(-3, 3)),
    "datetime64[s]": seconds.map(lambda n: np.datetime64(n, "s")),
    "datetime64[ns]": st.dates(datetime.date(1700, 1, 1), datetime.date(2200, 1, 1)),
    "datetime64[us, Asia/Tokyo]": st.dates(datetime.date(1970, 1, 1)),
    "timedelta64[ms]": seconds.map(lambda n: np.timedelta64(n, "s")),
    "period[M]": st.dates(datetime.date(1700, 1, 1), datetime.date(2200, 1, 1)).map(
        lambda day: pd.Period(day, "M")
    ),
}


@st.composite
def mixed_tables(draw):
    n_rows = draw(st.integers(2, 8))
    n_copies = draw(st.sampled_from([1, 15]))  # many rows: rounding, atoms
    columns = {}
    for position in range(draw(st.integers(1, 5))):
        dtype = draw(st.sampled_from(sorted(cells_with_holes)))
        cells = cells_with_holes[dtype]
        if draw(st.booleans()):
            cells = st.sampled_from(draw(st.lists(cells, min_size=1, max_size=3)))
        if draw(st.booleans()):
            cells = st.one_of(st.none(), cells)
        column = draw(st.lists(cells, min_size=n_rows, max_size=n_rows)) * n_copies
        columns[f"column {position}"] = pd.Series(column, dtype=object).astype(dtype)
    return pd.DataFrame(columns)


@settings(max_examples=200, deadline=None)
@given(
    table=mixed_tables(),
    encoding=st.sampled_from(ENCODINGS[:4]),
    min_atom_share=st.sampled_from([None, 0.02]),
)
def test_any_mixed_table_comes_back(table, encoding, min_atom_share):
    try:
        result = there_and_back(table, encoding, min_atom_share=min_atom_share)
    except ValueError as error:
        if "columns are constant" not in str(error):
            raise
        return
    assert result.dtypes.equals(table.dtypes)
    assert result.columns.equals(table.columns)
    for name, column in table.items():
        assert result[name].isna().equals(column.isna())
        found, expected = result[name].dropna(), column.dropna()
        if len(expected) and all(map(is_number, expected)):  # also in objects
            found, expected = found.astype(float), expected.astype(float)
            np.testing.assert_allclose(found, expected, rtol=_TOLERANCE, atol=1e-8)
        else:
            assert found.tolist() == expected.tolist()


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
