"""All metrics side by side, and the one number that independent columns cannot win."""

import numpy as np
import pandas as pd
import pytest

from skvae.metrics import (
    detection_score,
    fidelity_report,
    fidelity_score,
    missing_score,
    privacy_distance_share,
    shape_score,
    trend_score,
    utility_score,
)


def rows(seed, n_rows=500):
    rng = np.random.RandomState(seed)
    age = rng.uniform(20, 60, size=n_rows)
    return pd.DataFrame(
        {
            "age": age,
            "tenure": (age - 18) * rng.uniform(0.5, 1, size=n_rows),
            "income": np.where(
                rng.uniform(size=n_rows) < 0.2,
                np.nan,
                age * rng.lognormal(sigma=0.2, size=n_rows),
            ),
            "grade": np.where(age > 40, "high", "low"),
        }
    )


def shuffled(table):
    return table.apply(np.random.RandomState(0).permutation)


def collapsed(table):
    return table.iloc[np.zeros(len(table), dtype=int)]


def shifted(table):
    return table.assign(tenure=table["tenure"] + 100)


def test_independent_columns_cannot_win_fidelity():
    real, fresh = rows(0), rows(1)
    independent = shuffled(real)
    assert shape_score(real, independent).mean == 1.0
    assert fidelity_score(real, independent, random_state=0) < 0.03
    assert fidelity_score(real, fresh, random_state=0) > 0.85


def test_independent_columns_cannot_win_where_dependence_is_weak():
    rng = np.random.RandomState(0)
    first = rng.normal(size=(2000, 1))
    table = 0.6 * first + rng.normal(size=(2000, 3))
    real, fresh = table[:1000], table[1000:]
    independent = np.column_stack([rng.permutation(column) for column in real.T])
    assert np.isnan(trend_score(real, independent).mean)
    independent = fidelity_score(real, independent, random_state=0)
    assert independent < 0.1
    assert fidelity_score(real, fresh, random_state=0) > independent + 0.3


def test_independent_columns_cannot_win_where_no_correlation_shows_it():
    rng = np.random.RandomState(0)
    first = rng.normal(size=2000)
    table = np.column_stack([first, first**2 + 0.3 * rng.normal(size=2000)])
    real, fresh = table[:1000], table[1000:]
    independent = np.column_stack([rng.permutation(column) for column in real.T])
    assert fidelity_score(real, independent, random_state=0) < 0.1
    assert fidelity_score(real, fresh, random_state=0) > 0.7


@pytest.mark.parametrize("spoil", [shuffled, collapsed, shifted])
def test_fidelity_sees_what_is_spoilt(spoil):
    real, fresh = rows(0), rows(1)
    spoilt = fidelity_score(real, spoil(fresh), random_state=0)
    assert 0 <= spoilt < 0.5 < fidelity_score(real, fresh, random_state=0)


def test_fidelity_falls_from_step_to_step():
    real, fresh = rows(0), rows(1)
    n_independent = [20, 100, 250, 500]
    scores = [
        fidelity_score(
            real, pd.concat([fresh[n:], shuffled(fresh[:n])]), random_state=0
        )
        for n in n_independent
    ]
    assert (np.diff(scores) < 0).all()


def test_a_table_of_independent_columns_has_no_dependence_to_lose():
    rng = np.random.RandomState(0)
    real, fresh = rng.normal(size=(2, 1000, 2))
    score = fidelity_score(real, fresh, random_state=0)
    detection = detection_score(real, fresh, random_state=_seed_of(0))
    assert score == pytest.approx(shape_score(real, fresh).mean * detection)
    assert score > 0.8


def _seed_of(random_state):
    return np.random.RandomState(random_state).randint(2**31 - 1)


def test_the_report_is_made_of_the_metrics():
    real, synthetic, holdout = rows(0), rows(1), rows(2, 400)
    report = fidelity_report(
        real, synthetic, holdout=holdout, target="grade", random_state=0
    )
    assert report.index.tolist() == ["synthetic", "independent columns", "real rows"]
    seed = _seed_of(0)
    assert report.loc["synthetic"].to_dict() == {
        "shape": round(shape_score(real, synthetic).mean, 4),
        "trend": round(trend_score(real, synthetic).mean, 4),
        "detection": round(detection_score(real, synthetic, random_state=seed), 4),
        "missing": round(missing_score(real, synthetic).mean, 4),
        "utility": round(utility_score(synthetic, holdout, "grade").synthetic, 4),
        "privacy": round(
            privacy_distance_share(real, synthetic, holdout, random_state=seed), 4
        ),
    }
    ceiling = report.loc["real rows"]
    assert ceiling["shape"] == round(shape_score(real, holdout).mean, 4)
    real_utility = utility_score(real, holdout, "grade").synthetic
    assert ceiling["utility"] == round(real_utility, 4)
    assert np.isnan(ceiling["privacy"])
    floor = report.loc["independent columns"]
    assert floor["shape"] == floor["missing"] == 1.0
    assert floor["detection"] < 0.3
    assert floor["trend"] < report.loc["synthetic", "trend"]


def test_the_report_without_a_holdout():
    report = fidelity_report(rows(0)[["age"]], rows(1)[["age"]], random_state=0)
    assert report.index.tolist() == ["synthetic", "independent columns"]
    assert report.columns.tolist() == ["shape", "trend", "detection"]
    assert report["trend"].isna().all()


def is_adult(table):
    return table["age"] >= 21


def test_broken_rules_stand_beside_those_among_real_rows():
    real, synthetic, holdout = rows(0), rows(1), rows(2)
    rules = ["tenure < age - 15", is_adult, lambda table: table["income"].notna()]
    labels = ["breaks tenure < age - 15", "breaks is_adult", "breaks rule 3"]
    report = fidelity_report(real, synthetic, rules=rules)
    assert report.columns[-3:].tolist() == labels
    for name, table in [("synthetic", synthetic), ("real rows", real)]:
        expected = [0, (table["age"] < 21).mean(), table["income"].isna().mean()]
        np.testing.assert_allclose(report.loc[name, labels], expected, atol=5e-5)
    assert report.loc["independent columns", labels[0]] > 0.1
    assert report.loc["real rows", ["shape", "detection"]].isna().all()
    report = fidelity_report(real, synthetic, holdout=holdout, rules=rules)
    expected = round((holdout["age"] < 21).mean(), 4)
    assert report.loc["real rows", "breaks is_adult"] == expected


def test_a_rule_on_nullable_cells_breaks_where_they_are_missing():
    real = pd.DataFrame({"a": pd.array([1, 2, None, 4] * 5, dtype="Int64")})
    report = fidelity_report(real, real, rules=["a > 0"])
    assert report.loc["real rows", "breaks a > 0"] == 0.25


def test_what_the_report_refuses():
    real, synthetic = rows(0), rows(1)
    with pytest.raises(ValueError, match="target='grade' and holdout=None"):
        fidelity_report(real, synthetic, target="grade")
    with pytest.raises(ValueError, match="Rule 2 gave 500 values of dtype float64"):
        fidelity_report(real, synthetic, rules=[is_adult, "age - tenure"])
    with pytest.raises(ValueError, match="Rule 1 gave 1 values of dtype bool"):
        fidelity_report(real, synthetic, rules=[lambda table: True])
    with pytest.raises(
        ValueError, match="Rule 1 is 'wage > 3', but name 'wage' is not"
    ):
        fidelity_report(real, synthetic, rules=["wage > 3"])
    with pytest.raises(ValueError, match="Rule 1 is 'age >', but"):
        fidelity_report(real, synthetic, rules=["age >"])
    with pytest.raises(ValueError, match=r"rules.*must be"):
        fidelity_report(real, synthetic, rules="age > 3")
