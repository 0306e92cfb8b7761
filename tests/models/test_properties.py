"""Any table: a model and rows like those that came in, or a clear error."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from model_cases import MODELS, n_latents, small

from skvae import TrainingDivergedError

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

some_examples = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def _bounded(limit):
    return st.floats(-limit, limit, allow_nan=False, allow_subnormal=False)


def lists_of(cells, n_rows):
    return st.lists(cells, min_size=n_rows, max_size=n_rows)


def in_dtype(cells, n_rows, dtype):
    return lists_of(cells, n_rows).map(lambda values: pd.Series(values, dtype=dtype))


def numbers_of(n_rows):
    """A column of any kind of number, complete."""
    return st.one_of(
        hnp.arrays(np.float64, n_rows, elements=_bounded(1e3)),
        hnp.arrays(np.float64, n_rows, elements=_bounded(1e150)),
        hnp.arrays(np.float64, n_rows, elements=_bounded(1e-150)),
        hnp.arrays(
            np.float32, n_rows, elements=st.floats(-(2.0**99), 2.0**99, width=32)
        ),
        hnp.arrays(np.int64, n_rows),
        hnp.arrays(np.int8, n_rows),
        hnp.arrays(np.uint16, n_rows),
        hnp.arrays(np.bool_, n_rows),
        in_dtype(st.integers(-5, 5), n_rows, "Int32"),
        _bounded(1e6).map(lambda value: np.full(n_rows, value)),
    ).map(pd.Series)


def others_of(n_rows):
    """A column of any other kind, or one with holes."""
    dates = st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1))
    days = st.dates(datetime.date(1, 1, 1), datetime.date(9999, 12, 31))
    spans = st.timedeltas(datetime.timedelta(-9999), datetime.timedelta(9999))
    levels = st.sampled_from(["low", "middle", "high", None])
    grades = pd.CategoricalDtype(["low", "middle", "high", "never"], ordered=True)
    anything = st.one_of(
        st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=2)
    )
    return st.one_of(
        in_dtype(st.one_of(st.just(np.nan), _bounded(1e3)), n_rows, "float64"),
        in_dtype(st.one_of(st.none(), st.integers(-5, 5)), n_rows, "Int64"),
        in_dtype(st.one_of(st.none(), st.booleans()), n_rows, "boolean"),
        in_dtype(st.one_of(st.none(), st.booleans()), n_rows, object),
        in_dtype(st.one_of(st.none(), st.text(max_size=3)), n_rows, "str"),
        in_dtype(levels, n_rows, "category"),
        in_dtype(levels, n_rows, grades),
        in_dtype(anything, n_rows, object),
        in_dtype(st.one_of(st.none(), dates), n_rows, "datetime64[ns]"),
        in_dtype(dates, n_rows, "datetime64[us]").map(
            lambda column: column.dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")
        ),
        in_dtype(st.one_of(st.none(), days), n_rows, object),
        in_dtype(st.one_of(st.none(), spans), n_rows, "timedelta64[us]"),
        in_dtype(dates, n_rows, "datetime64[us]").map(
            lambda column: column.dt.to_period("M")
        ),
        st.sampled_from(
            ["float64", "Int64", "object", "datetime64[us]", "category"]
        ).map(lambda dtype: pd.Series([None] * n_rows, dtype=dtype)),
        st.just(pd.Series(["one"] * n_rows)),
    )


@st.composite
def tables(draw, of_others=True):
    n_rows = draw(st.integers(2, 25))
    n_columns = draw(st.integers(1, 5))
    kinds = numbers_of(n_rows)
    if of_others:
        kinds = st.one_of(kinds, others_of(n_rows))
    columns = [draw(kinds) for _ in range(n_columns)]
    names = draw(st.permutations([f"column {i}" for i in range(n_columns)]))
    return pd.DataFrame(dict(zip(names, columns, strict=True)))


def assert_clear(error):
    """The message names a column, or says which term diverged and when."""
    words = ("column", "given[", "diverged in epoch")
    assert any(word in str(error).lower() for word in words), str(error)


def assert_like(rows, table):
    pd.testing.assert_index_equal(rows.columns, table.columns)
    pd.testing.assert_series_equal(rows.dtypes, table.dtypes)
    for name, cells in rows.items():
        seen = table[name]
        if pd.api.types.is_float_dtype(cells.dtype):
            assert not np.isinf(cells).any()
        if not seen.isna().any():
            assert not cells.isna().any()
        if seen.isna().all():
            assert cells.isna().all()
        elif seen.nunique() == 1:
            assert (cells.dropna() == seen.dropna().iloc[0]).all()


@pytest.mark.parametrize("encoding", ["quantile", "standard", "minmax"])
@given(
    model_class=st.sampled_from(MODELS),
    table=tables(),
    seed=st.integers(0, 2**31 - 1),
)
@some_examples
def test_any_table(model_class, encoding, table, seed):
    before = table.copy()
    model = small(model_class, encoding=encoding, max_epochs=1, random_state=seed)
    try:
        latents = model.fit(table).transform(table)
        scores = model.score_samples(table)
    except (ValueError, TrainingDivergedError) as error:
        assert_clear(error)
        return
    finally:
        pd.testing.assert_frame_equal(table, before)
    assert latents.shape == (len(table), n_latents(model))
    assert np.isfinite(latents).all()
    assert np.isfinite(scores).all()
    for rows in (
        model.inverse_transform(latents),
        model.sample(7, random_state=seed),
        model.sample(7, latent="prior", kind="mean", random_state=seed),
        model.reconstruct(table, kind="draw", random_state=seed),
        model.impute(table),
        model.impute(table, n_imputations=2),
    ):
        assert_like(rows, table)
    imputed = model.impute(table)
    for name, cells in table.items():
        known = cells.notna()
        pd.testing.assert_series_equal(imputed[name][known], cells[known])
        assert imputed[name].notna().all() or not known.any()


@given(table=tables(), seed=st.integers(0, 2**31 - 1), data=st.data())
@some_examples
def test_any_cell_may_be_given(table, seed, data):
    model = small(MODELS[0], max_epochs=1, random_state=seed)
    name = data.draw(st.sampled_from(list(table)))
    cell = data.draw(st.sampled_from(table[name].tolist()))
    try:
        rows = model.fit(table).sample(5, given={name: cell}, random_state=seed)
    except (ValueError, TrainingDivergedError) as error:
        assert_clear(error)
        return
    assert_like(rows.drop(columns=name), table.drop(columns=name))
    assert rows[name].dtype == table[name].dtype
    if pd.isna(cell):
        assert rows[name].isna().all()
    else:
        assert (rows[name] == cell).all()


@given(
    numbers=hnp.arrays(
        np.float64,
        st.tuples(st.integers(2, 20), st.integers(1, 4)),
        elements=st.one_of(st.just(np.nan), _bounded(1e6)),
    )
)
@some_examples
def test_any_array_scores_row_by_row(numbers):
    model = small(MODELS[0], max_epochs=1)
    try:
        together = model.fit(numbers).score_samples(numbers)
    except (ValueError, TrainingDivergedError) as error:
        assert_clear(error)
        return
    alone = np.concatenate([model.score_samples(row[None]) for row in numbers])
    np.testing.assert_allclose(alone, together, rtol=1e-12)
    assert model.score(numbers) == pytest.approx(together.mean(), rel=1e-12)
