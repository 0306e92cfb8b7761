"""Exact against SDMetrics, where that is installed."""

import warnings

import numpy as np
import pandas as pd
import pytest

from skvae.metrics import (
    ks_score,
    missing_score,
    shape_score,
    trend_score,
    tv_score,
)

with warnings.catch_warnings():
    # Its dependencies' warnings are not ours.
    warnings.simplefilter("ignore")
    reports = pytest.importorskip("sdmetrics.reports.single_table")
    single_column = pytest.importorskip("sdmetrics.single_column")

# It warns of its own constants and of pandas' future.
pytestmark = pytest.mark.filterwarnings("ignore")

SDTYPES = {
    "amount": "numerical",
    "income": "numerical",
    "count": "numerical",
    "small": "numerical",
    "hole": "numerical",
    "opened": "datetime",
    "closed": "datetime",
    "grade": "categorical",
    "city": "categorical",
    "flag": "boolean",
    "code": "categorical",
}
METADATA = {"columns": {name: {"sdtype": kind} for name, kind in SDTYPES.items()}}


def mixed_table(seed, n_rows, noise):
    """Rows whose columns hang together, with holes, dates, booleans and strings."""
    rng = np.random.RandomState(seed)
    hidden = rng.normal(size=n_rows)

    def related(scale=1.0):
        return hidden + scale * noise * rng.normal(size=n_rows)

    def holes(column, share=0.1):
        return column.where(rng.uniform(size=n_rows) > share)

    day = pd.Timestamp("2020-01-01")
    return pd.DataFrame(
        {
            "amount": np.exp(related()),
            "income": holes(pd.Series(related())),
            "count": rng.poisson(np.exp(0.5 * related())),
            "small": rng.normal(size=n_rows),
            "hole": holes(pd.Series(related(2.0)), 0.6),
            "opened": day + pd.to_timedelta((100 * related()).round(), unit="D"),
            "closed": holes(
                pd.Series(day + pd.to_timedelta(related() * 1e6, unit="s"))
            ),
            "grade": pd.Categorical(
                np.array(list("abcde"))[np.clip(related() + 2, 0, 4).astype(int)]
            ),
            "city": holes(
                pd.Series([f"city {i}" for i in (3 * related()).round().astype(int)])
            ),
            "flag": related() > 0,
            "code": np.clip(2 * related(), -2, 3).astype(int),
        }
    )


@pytest.fixture(params=[0, 1, 2])
def tables(request):
    real = mixed_table(request.param, 600, noise=0.5)
    return real, mixed_table(request.param + 10, 450, noise=0.8)


def quality(real, other, **thresholds):
    report = reports.QualityReport()
    for name, value in thresholds.items():
        setattr(report, name, value)
    report.generate(real, other, METADATA, verbose=False)
    return report


def pairs_that_count(report):
    details = report.get_details("Column Pair Trends").dropna(subset=["Score"])
    return details.set_index(["Column 1", "Column 2"])["Score"]


def test_shape_is_that_of_the_quality_report(tables):
    details = quality(*tables).get_details("Column Shapes").set_index("Column")
    ours = shape_score(*tables, categorical_features=["code"])
    np.testing.assert_allclose(ours.per_column, details["Score"], atol=1e-8)
    assert ours.mean == pytest.approx(details["Score"].mean(), abs=1e-8)


def test_ks_and_tv_are_the_complements(tables):
    real, other = tables
    continuous = ks_score(*tables, categorical_features=["code"]).per_column
    discrete = tv_score(*tables, categorical_features=["code"]).per_column
    assert len(continuous) + len(discrete) == len(SDTYPES)
    for name, score in continuous.items():
        expected = single_column.KSComplement.compute(real[name], other[name])
        assert score == pytest.approx(expected, abs=1e-12)
    for name, score in discrete.items():
        expected = single_column.TVComplement.compute(real[name], other[name])
        assert score == pytest.approx(expected, abs=1e-8)


def test_missing_is_missing_value_similarity(tables):
    real, other = tables
    for name, score in missing_score(*tables).per_column.items():
        expected = single_column.MissingValueSimilarity.compute(real[name], other[name])
        assert score == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("thresholds", [(0.5, 0.3), (0.1, 0.6), (0, 0)])
def test_trend_is_that_of_the_quality_report(tables, thresholds):
    report = quality(
        *tables,
        real_correlation_threshold=thresholds[0],
        real_association_threshold=thresholds[1],
    )
    ours = trend_score(
        *tables,
        min_correlation=thresholds[0],
        min_association=thresholds[1],
        categorical_features=["code"],
    )
    expected = pairs_that_count(report)
    assert len(expected) > 1
    assert ours.per_pair.index.tolist() == expected.index.tolist()
    np.testing.assert_allclose(ours.per_pair, expected, atol=1e-8)
    assert ours.mean == pytest.approx(
        report.get_properties().set_index("Property")["Score"]["Column Pair Trends"],
        abs=1e-8,
    )


def test_trend_leaves_out_a_column_that_is_constant_in_the_real_table(tables):
    real, other = tables
    real = real.assign(amount=1.0, grade="a")
    ours = trend_score(real, other, categorical_features=["code"]).per_pair
    expected = pairs_that_count(quality(real, other))
    assert ours.index.tolist() == expected.index.tolist()


def test_trend_counts_pairs_that_sdmetrics_loses_with_a_constant_column(tables):
    real, other = tables
    other = other.assign(amount=1.0)
    ours = trend_score(real, other, categorical_features=["code"]).per_pair
    expected = pairs_that_count(quality(real, other))
    lost = ours.drop(expected.index)
    assert len(lost) >= 1
    days = (real[["opened", "closed"]] - pd.Timestamp(0)) / pd.Timedelta(days=1)
    correlations = real.assign(**days).corr(numeric_only=True)["amount"]
    for pair, score in lost.items():
        (partner,) = set(pair) - {"amount"}
        assert score == pytest.approx(1 - abs(correlations[partner]) / 2)
    np.testing.assert_allclose(ours[expected.index], expected, atol=1e-8)
