import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae.selection import outlier_average_precision_scorer, outlier_roc_auc_scorer

SCORERS = {
    outlier_roc_auc_scorer: roc_auc_score,
    outlier_average_precision_scorer: average_precision_score,
}


@pytest.fixture(scope="module")
def rows():
    random_state = np.random.RandomState(0)
    normal = random_state.normal(size=(180, 3))
    outliers = random_state.normal(size=(20, 3)) + [4, 0, 0]
    return np.concatenate([normal, outliers])


@pytest.fixture(scope="module")
def is_outlier():
    return np.arange(200) >= 180


@pytest.fixture(scope="module")
def detector(rows):
    return IsolationForest(random_state=0).fit(rows)


CONVENTIONS = {
    "1 = outlier": lambda is_outlier: is_outlier.astype(int),
    "-1 = outlier": lambda is_outlier: np.where(is_outlier, -1, 1),
    "floats": lambda is_outlier: np.where(is_outlier, -1.0, 1.0),
    "booleans": lambda is_outlier: is_outlier,
    "a Series": lambda is_outlier: pd.Series(is_outlier, np.arange(200)[::-1]),
}


@pytest.mark.parametrize("scorer", SCORERS)
@pytest.mark.parametrize("name", CONVENTIONS)
def test_both_conventions_give_the_score_of_outliers(
    scorer, name, rows, is_outlier, detector
):
    expected = SCORERS[scorer](is_outlier, -detector.score_samples(rows))
    found = scorer(detector, rows, CONVENTIONS[name](is_outlier))
    assert found == pytest.approx(expected, abs=1e-12)
    assert expected > 0.3


def test_scikit_learns_own_scorer_falls_for_the_labels(rows, is_outlier, detector):
    silently_wrong = roc_auc_score(is_outlier, detector.decision_function(rows))
    found = outlier_roc_auc_scorer(detector, rows, is_outlier)
    assert found == pytest.approx(1 - silently_wrong)
    assert silently_wrong < 0.5 < found


@pytest.mark.parametrize("scorer", SCORERS)
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "Got y=None; expected outliers and others to be -1 and 1, or 1 and 0"),
        (np.ones(200), "All labels in y are 1.0; expected"),
        (np.zeros(200, int), "All labels in y are 0; expected"),
        (-np.ones(200), "StratifiedKFold gives every fold"),
        (np.arange(200) % 3, "Got labels 0, 1, 2 in y"),
        (np.arange(200) % 9, r"Got labels 0, 1, 2, 3, 4, \.\.\. in y"),
        (np.array(["good", "bad"] * 100), "Got labels 'bad', 'good' in y"),
        (np.array([1, 2] * 100), "Got labels 1, 2 in y"),
        (np.array([1, None] * 100), "Got labels 1, None in y"),
    ],
)
def test_labels_that_cannot_be_told_apart(scorer, labels, message, rows, detector):
    with pytest.raises(ValueError, match=message):
        scorer(detector, rows, labels)


@pytest.mark.parametrize("scorer", SCORERS)
def test_as_many_labels_as_rows(scorer, rows, is_outlier, detector):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        scorer(detector, rows, is_outlier[1:])


@pytest.mark.parametrize("scorer", SCORERS)
def test_a_classifier_is_no_detector(scorer, rows, is_outlier):
    classifier = LogisticRegression().fit(rows, is_outlier)
    with pytest.raises(TypeError, match="Got LogisticRegression; expected an outlier"):
        scorer(classifier, rows, is_outlier)


def test_pipelines_and_searches(rows, is_outlier):
    pipeline = make_pipeline(StandardScaler(), IsolationForest(random_state=0))
    search = GridSearchCV(
        pipeline,
        {"isolationforest__n_estimators": [10, 50]},
        scoring={"auc": outlier_roc_auc_scorer, "ap": outlier_average_precision_scorer},
        refit="auc",
        cv=StratifiedKFold(2),
        error_score="raise",
    ).fit(rows, is_outlier)
    assert (search.cv_results_["mean_test_auc"] > 0.7).all()
    assert (search.cv_results_["mean_test_ap"] > 0.2).all()
    assert outlier_roc_auc_scorer(search, rows, is_outlier) > 0.8
