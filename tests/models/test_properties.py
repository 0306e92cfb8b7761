"""Any table of numbers: a model and rows like those that came in, or a clear error."""

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


def column_of(n_rows):
    """A column of any kind of number."""
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
        st.lists(st.integers(-5, 5), min_size=n_rows, max_size=n_rows).map(
            lambda cells: pd.array(cells, dtype="Int32")
        ),
        st.floats(-1e6, 1e6).map(lambda value: np.full(n_rows, value)),
    )


@st.composite
def tables(draw):
    n_rows = draw(st.integers(2, 25))
    n_columns = draw(st.integers(1, 5))
    columns = [draw(column_of(n_rows)) for _ in range(n_columns)]
    names = draw(st.permutations([f"column {i}" for i in range(n_columns)]))
    return pd.DataFrame(dict(zip(names, columns, strict=True)))


def assert_clear(error):
    """The message names a column, or says which term diverged and when."""
    words = ("column", "diverged in epoch")
    assert any(word in str(error).lower() for word in words), str(error)


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
    ):
        pd.testing.assert_index_equal(rows.columns, table.columns)
        pd.testing.assert_series_equal(rows.dtypes, table.dtypes)
        assert np.isfinite(rows.to_numpy(dtype=float)).all()
        constant = table.columns[table.nunique() == 1]
        for name in constant:
            assert (rows[name] == table[name].iloc[0]).all()


@given(
    numbers=hnp.arrays(
        np.float64,
        st.tuples(st.integers(2, 20), st.integers(1, 4)),
        elements=_bounded(1e6),
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
