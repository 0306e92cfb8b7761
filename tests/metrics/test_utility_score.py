"""What generated rows teach about real ones."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.metrics import r2_score, roc_auc_score

from skvae.metrics import utility_score


def rows(seed, n_rows):
    rng = np.random.RandomState(seed)
    income, region = rng.normal(size=n_rows), rng.choice(["n", "s", "w"], size=n_rows)
    risk = rng.normal(size=n_rows) - income + (region == "s")
    return pd.DataFrame(
        {
            "income": np.where(rng.uniform(size=n_rows) < 0.1, np.nan, income),
            "region": region,
            "loss": risk,
            "grade": np.array(["a", "b", "c"])[np.digitize(risk, [-1, 1])],
            "default": risk > 0.5,
        }
    )


@pytest.fixture(scope="module")
def train():
    return rows(0, 1000)


@pytest.fixture(scope="module")
def test():
    return rows(1, 500)


@pytest.fixture(scope="module")
def shuffled(train):
    return train.apply(np.random.RandomState(0).permutation)


def with_target(table, target):
    return table[["income", "region", target]]


@pytest.mark.parametrize("target", ["loss", "grade", "default"])
def test_real_rows_teach_and_shuffled_ones_do_not(target, train, test, shuffled):
    tables = [with_target(table, target) for table in (shuffled, test, train)]
    scores = utility_score(*tables[:2], target, real=tables[2])
    assert scores.synthetic < (0.05 if target == "loss" else 0.6)
    assert scores.real > (0.4 if target == "loss" else 0.75)
    assert utility_score(*tables[:2], target) == (scores.synthetic, None)
    assert utility_score(tables[2], tables[1], target).synthetic == scores.real


def test_it_is_the_score_of_scikit_learn(train, test):
    numbers = ["income", "loss"]
    score = utility_score(train[numbers], test[numbers], "loss").synthetic
    trees = HistGradientBoostingRegressor(early_stopping=False)
    trees.fit(train[["income"]], train["loss"])
    expected = r2_score(test["loss"], trees.predict(test[["income"]]))
    assert score == pytest.approx(expected)
    columns = ["income", "region", "grade"]
    score = utility_score(train[columns], test[columns], "grade").synthetic
    trees = HistGradientBoostingClassifier(early_stopping=False)
    as_categories = [
        table[columns[:2]].astype({"region": "category"}) for table in (train, test)
    ]
    trees.fit(as_categories[0], train["grade"])
    probabilities = trees.predict_proba(as_categories[1])
    expected = roc_auc_score(test["grade"], probabilities, multi_class="ovr")
    assert score == pytest.approx(expected)


def test_two_values_make_classes_whatever_their_dtype(train, test):
    expected = utility_score(train, test, "default").synthetic
    for dtype in (int, float, str, "category", "boolean"):
        of_dtype = [table.astype({"default": dtype}) for table in (train, test)]
        assert utility_score(*of_dtype, "default").synthetic == expected


def test_named_codes_are_classes(train, test):
    codes = [table.assign(grade=table["grade"].map(ord)) for table in (train, test)]
    as_classes = utility_score(*codes, "grade", categorical_features=["grade"])
    assert as_classes == utility_score(train, test, "grade")
    assert as_classes != utility_score(*codes, "grade")


def test_columns_of_arrays_are_named_by_position(train, test):
    numbers = ["income", "loss"]
    expected = utility_score(train[numbers], test[numbers], "loss")
    arrays = [table[numbers].to_numpy() for table in (train, test)]
    assert utility_score(*arrays, 1) == expected


def test_classes_that_are_missing_from_the_generated_table(train, test):
    one_class = train[train["grade"] == "a"][["income", "region", "grade"]]
    columns = list(one_class.columns)
    assert utility_score(one_class, test[columns], "grade").synthetic == 0.5
    two = train[train["grade"] != "c"][columns]
    full = utility_score(train[columns], test[columns], "grade").synthetic
    assert 0.5 < utility_score(two, test[columns], "grade").synthetic < full


def test_rows_without_a_known_class_are_dropped(train, test):
    columns = ["income", "region", "grade"]
    expected = utility_score(train[columns], test[columns], "grade")
    extra = train[columns].head(100)
    for unknown in (None, "z"):
        more = pd.concat([train[columns], extra.assign(grade=unknown)])
        assert utility_score(more, test[columns], "grade") == expected
    more_test = pd.concat([test[columns], extra.assign(grade=None)])
    assert utility_score(train[columns], more_test, "grade") == expected


def test_what_cannot_be_predicted(train, test):
    with pytest.raises(ValueError, match=r"target='age'; expected one of.*'income'"):
        utility_score(train, test, "age")
    with pytest.raises(ValueError, match="besides the target 'loss', got none"):
        utility_score(train[["loss"]], test[["loss"]], "loss")
    with pytest.raises(ValueError, match="two values of the target 'loss' in test"):
        utility_score(train, test.assign(loss=1.0), "loss")
    with pytest.raises(ValueError, match="with a target, got missing ones only"):
        utility_score(train.assign(loss=np.nan), test, "loss")
    with pytest.raises(ValueError, match=r"synthetic lacks \['loss'\]"):
        utility_score(train.drop(columns="loss"), test, "loss")
