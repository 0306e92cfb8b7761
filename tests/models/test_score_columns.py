"""How well each column is explained."""

import numpy as np
import pandas as pd
import pytest
from mixed_cases import CONDITIONS, make_mixed
from model_cases import MODELS, make_numbers, small

from skvae import CVAE, DCVAE, VAE

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")


@pytest.fixture(scope="module")
def mixed():
    return make_mixed()


def bound_and_kl(model, X, condition=None):
    log_likelihood, kl = model._bound(X, condition)
    return log_likelihood - kl, kl


@pytest.mark.parametrize("model_class", MODELS, ids=lambda model: model.__name__)
def test_rows_sum_to_their_bound_and_the_kl(model_class, mixed):
    model = small(model_class).fit(mixed)
    columns = model.score_columns(mixed)
    _, kl = bound_and_kl(model, mixed)
    np.testing.assert_allclose(columns.sum(axis=1) - kl, model.score_samples(mixed))


def test_columns_and_rows_are_named_as_in_the_table(mixed):
    columns = small(VAE).fit(mixed).score_columns(mixed[:20])
    pd.testing.assert_index_equal(columns.columns, mixed.columns)
    pd.testing.assert_index_equal(columns.index, mixed.index[:20])
    assert set(columns.dtypes) == {np.dtype(float)}


def test_columns_of_an_array_are_numbered():
    numbers = make_numbers()
    columns = small(VAE).fit(numbers).score_columns(numbers)
    assert isinstance(columns, pd.DataFrame)
    assert list(columns) == [0, 1, 2, 3, 4]


def test_constant_columns_have_no_part(mixed):
    columns = small(VAE).fit(mixed).score_columns(mixed)
    assert (columns["plan"] == 0).all()
    assert (columns.drop(columns="plan") != 0).all(axis=None)


def test_a_missing_cell_has_but_the_likelihood_of_being_missing(mixed):
    model = small(VAE, max_epochs=30).fit(mixed)
    columns = model.score_columns(mixed)
    # A probability, which a density need not be, and one near the share of holes.
    holes = columns["amount"][mixed["amount"].isna()]
    expected = np.log(mixed["amount"].isna().mean())
    assert (holes < 0).all()
    assert holes.mean() == pytest.approx(expected, abs=0.7)


def test_another_cell_moves_its_own_column_most(mixed):
    model = small(VAE, max_epochs=40, lr=1e-2).fit(mixed)
    other = mixed.assign(age=mixed["age"].max())
    change = (model.score_columns(other) - model.score_columns(mixed)).abs().mean()
    assert change.idxmax() == "age"


@pytest.mark.parametrize("model_class", [CVAE, DCVAE])
@pytest.mark.parametrize("condition", ["low", None])
def test_condition_beside_the_table(model_class, condition):
    numbers, group = make_numbers(), np.repeat(["low", "high"], 60)
    model = small(model_class).fit(numbers, condition=group)
    columns = model.score_columns(numbers, condition)
    bound, kl = bound_and_kl(model, numbers, condition)
    np.testing.assert_allclose(columns.sum(axis=1) - kl, bound)
    np.testing.assert_allclose(bound, model.score_samples(numbers, condition=condition))


def test_conditions_among_the_columns_have_no_part(mixed):
    complete = mixed.dropna(subset=CONDITIONS)
    model = small(CVAE, condition_columns=CONDITIONS).fit(complete)
    # Rows of `mixed` lack some of their conditions.
    columns = model.score_columns(mixed)
    assert (columns[CONDITIONS] == 0).all(axis=None)
    bound, kl = bound_and_kl(model, mixed)
    np.testing.assert_allclose(columns.sum(axis=1) - kl, bound)
