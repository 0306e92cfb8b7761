"""Factors with missing cells: each is scored on the rows where it is known."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mutual_info_score

from skvae.metrics import (
    _dci,
    dci_scores,
    factor_entropies,
    factor_vae_score,
    mig_score,
    mig_sup_score,
    modularity_score,
    mutual_information_matrix,
)
from skvae.metrics._discretise import factor_levels
from skvae.metrics._factor_vae import _count_votes
from skvae.metrics._groups import group_rows

COUNTED = [mig_score, mig_sup_score, modularity_score, mutual_information_matrix]
WITH_FACTORS = [*COUNTED, dci_scores, factor_vae_score]


@pytest.fixture
def complete():
    return np.random.RandomState(0).randint(4, size=(600, 3)).astype(float)


@pytest.fixture
def is_known():
    """Two factors with holes, in other rows each, and one without."""
    known = np.random.RandomState(1).uniform(size=(600, 3)) > [0.4, 0.0, 0.2]
    assert known[:, 1].all()
    return known


@pytest.fixture
def factors(complete, is_known):
    return np.where(is_known, complete, np.nan)


@pytest.fixture
def codes(complete):
    rng = np.random.RandomState(2)
    return complete @ rng.normal(size=(3, 4)) + 0.5 * rng.normal(size=(600, 4))


def information_by_loop(factors, codes):
    """Bins of a code over all rows, counts over the rows where the factor is known."""
    information = np.empty((codes.shape[1], factors.shape[1]))
    for j, code in enumerate(codes.T):
        bins = np.digitize(code, np.histogram(code, 20)[1][:-1])
        for k, factor in enumerate(factors.T):
            known = ~np.isnan(factor)
            information[j, k] = mutual_info_score(factor[known], bins[known])
    return information


def entropies_by_loop(factors):
    known = [factor[~np.isnan(factor)] for factor in factors.T]
    return np.array([mutual_info_score(factor, factor) for factor in known])


def test_information_equals_plain_loop(factors, codes):
    np.testing.assert_allclose(
        mutual_information_matrix(factors, codes),
        information_by_loop(factors, codes),
        atol=1e-12,
    )
    np.testing.assert_allclose(
        factor_entropies(factors), entropies_by_loop(factors), atol=1e-12
    )


def test_gaps_equal_plain_loop(factors, codes):
    shares = information_by_loop(factors, codes) / entropies_by_loop(factors)
    by_factor, by_code = np.sort(shares, axis=0), np.sort(shares, axis=1)
    assert mig_score(factors, codes) == pytest.approx(
        np.mean(by_factor[-1] - by_factor[-2]), abs=1e-12
    )
    assert mig_sup_score(factors, codes) == pytest.approx(
        np.mean(by_code[:, -1] - by_code[:, -2]), abs=1e-12
    )


@pytest.mark.parametrize("metric", COUNTED)
def test_what_stands_in_unknown_rows_does_not_matter(metric, complete, is_known):
    # The same rows in which all is known or nothing: those without have no part, as
    # long as the range of the codes, which their bins divide, stays.
    rows = is_known[:, [0]]
    codes = complete + np.random.RandomState(3).uniform(size=(600, 3))
    codes[rows[:, 0]] = np.clip(codes[rows[:, 0]], 0.5, 4.5)
    codes[~rows[:, 0]] = 2.5
    np.testing.assert_allclose(
        metric(np.where(rows, complete, np.nan), codes),
        metric(complete[rows[:, 0]], codes[rows[:, 0]]),
        atol=1e-12,
    )


@pytest.mark.parametrize("metric", WITH_FACTORS)
@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
def test_all_ways_to_be_missing_are_one(metric, missing, factors, codes):
    options = {} if metric in COUNTED else {"random_state": 0}
    objects = factors.astype(object)
    objects[np.isnan(factors)] = missing
    expected = metric(factors, codes, **options)
    np.testing.assert_array_equal(metric(objects, codes, **options), expected)
    frame = pd.DataFrame(objects)
    np.testing.assert_array_equal(metric(frame, codes, **options), expected)


@pytest.mark.parametrize("missing", [None, pd.NA])
def test_continuous_factors_of_object_arrays_are_cut(missing, codes):
    factors = np.random.RandomState(4).normal(size=(600, 1))
    objects = factors.astype(object)
    objects[:50], factors[:50] = missing, np.nan
    information = mutual_information_matrix(objects, codes)
    np.testing.assert_array_equal(
        information, mutual_information_matrix(factors, codes)
    )
    frame = pd.DataFrame(objects)
    np.testing.assert_array_equal(information, mutual_information_matrix(frame, codes))
    assert factor_entropies(objects)[0] == pytest.approx(np.log(20), abs=0.01)


@pytest.mark.parametrize("metric", WITH_FACTORS)
def test_kinds_of_columns(metric, complete, is_known, codes):
    options = {} if metric in COUNTED else {"random_state": 0}
    numbers = pd.DataFrame(complete.astype(int), columns=["a", "b", "c"])
    names = numbers.map("wxyz".__getitem__)
    expected = metric(names.where(is_known), codes, **options)
    for table in (
        names.astype("category").where(is_known),
        numbers.astype("Int64").where(is_known),
        names.astype("string").where(is_known),
        numbers.apply(pd.to_datetime, unit="D").where(is_known),
        numbers.apply(pd.to_timedelta, unit="D").where(is_known),
    ):
        np.testing.assert_allclose(metric(table, codes, **options), expected)


@pytest.mark.parametrize("metric", [*WITH_FACTORS, factor_entropies])
def test_factor_that_is_never_known_is_an_error(metric, factors, codes):
    table = pd.DataFrame(factors, columns=["colour", "size", "shape"])
    table["size"] = np.nan
    arrays = (table,) if metric is factor_entropies else (table, codes)
    with pytest.raises(ValueError, match=r"got \['size'\] missing in all 600"):
        metric(*arrays)


@pytest.mark.parametrize("metric", [mig_score, mig_sup_score, factor_vae_score])
def test_factors_of_their_own_codes_score_one(metric, factors, complete):
    options = {} if metric in COUNTED else {"random_state": 0}
    # By themselves: 600 rows show some information of one factor in another.
    lone = np.where(np.arange(600) % 3 == 0, np.nan, complete[:, 0])
    assert metric(lone, complete[:, [0]], **options) == pytest.approx(1)
    assert metric(factors, complete, **options) > 0.95


def test_factor_vae_draws_known_rows_only(factors, codes):
    groups = group_rows(*factor_levels(pd.DataFrame(factors), 20))
    assert groups.n_factors == 3
    for start, size, factor in zip(
        groups.start, groups.size, groups.factor, strict=True
    ):
        values = factors[groups.rows[start : start + size], factor]
        assert len(set(values)) == 1  # NaN would differ from itself
        assert size == np.sum(factors[:, factor] == values[0])
    assert len(groups.start) == 12
    # Each factor is as likely as any, whatever the share of it that is known.
    votes = _count_votes(codes, groups, 6000, 4, np.random.RandomState(0))
    np.testing.assert_allclose(votes.sum(axis=0), 2000, atol=150)


def test_factor_vae_variance_is_over_all_rows():
    # The factor leaves each code a variance of 1. The second code varies a hundred
    # times as much where the factor is missing, so that it is the one that is still.
    rng = np.random.RandomState(0)
    codes = rng.normal(size=(400, 2))
    codes[200:, 1] *= 100
    factor = np.where(np.arange(400) < 200, np.arange(400) % 2, np.nan)
    levels, n_levels = factor_levels(pd.DataFrame({"factor": factor}), 20)
    standardised = (codes - codes.mean(axis=0)) / codes.std(axis=0, ddof=1)
    votes = _count_votes(standardised, group_rows(levels, n_levels), 200, 16, rng)
    np.testing.assert_array_equal(votes, [[0], [200]])


class RecordingForest:
    """Remembers the rows that it is shown, and predicts 0."""

    def __init__(self):
        self.learnt = []
        self.feature_importances_ = np.full(4, 0.25)

    def fit(self, codes, target, *_):
        self.learnt.append((codes, target))
        return self

    def predict(self, codes):
        self.rated = codes
        return np.zeros(len(codes), dtype=int)


def test_dci_forests_see_known_rows_only(factors, is_known, codes, monkeypatch):
    forests = [RecordingForest() for _ in range(3)]
    remaining = iter(forests)
    monkeypatch.setattr(_dci, "_fit_forest", lambda *args: next(remaining).fit(*args))
    dci_scores(factors, codes, random_state=0)
    rows = np.random.RandomState(0).permutation(600)
    ranks = np.stack([np.unique(c, return_inverse=True)[1] for c in codes.T], axis=1)
    for forest, known in zip(forests, is_known.T, strict=True):
        train, test = (half[known[half]] for half in (rows[:300], rows[300:]))
        ((shown, target),) = forest.learnt
        np.testing.assert_array_equal(shown, ranks[train])
        assert len(target) == len(train)
        assert target.min() >= 0
        np.testing.assert_array_equal(forest.rated, ranks[test])


@pytest.mark.parametrize("continuous", [False, True])
def test_dci_of_factors_in_codes_of_their_own(continuous, complete, is_known):
    if continuous:
        complete = complete + np.random.RandomState(5).uniform(size=(600, 3))
    factors = np.where(is_known, complete, np.nan)
    assert min(dci_scores(factors, complete, random_state=0)) > 0.97


def test_dci_leaves_out_a_factor_that_one_half_does_not_know(complete, codes):
    rows = np.random.RandomState(0).permutation(600)
    for half in (rows[:300], rows[300:]):
        extended = np.column_stack([complete, complete[:, 0]])
        extended[half, 3] = np.nan
        assert dci_scores(extended, codes, random_state=0) == dci_scores(
            complete, codes, random_state=0
        )
