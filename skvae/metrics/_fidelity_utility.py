"""What a model learns from generated rows, shown on real ones."""

from typing import NamedTuple

import numpy as np
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import validate_params

from skvae._core.html_table import html_table
from skvae.metrics._fidelity_features import boosting_features
from skvae.metrics.paired_tables import (
    CATEGORICAL_FEATURES,
    align_tables,
    as_float,
    level_codes,
)


class UtilityScore(NamedTuple):
    """What :func:`utility_score` returns.

    Parameters
    ----------
    synthetic : float
        Score of the model that learned from generated rows.

    real : float or None
        Score of the same model after real rows, if these were given.
    """

    synthetic: float
    real: float | None

    def _repr_html_(self):
        return html_table(
            "Utility: score on held-out real rows, 1 at best",
            ["learnt from", "score"],
            [("generated rows", self.synthetic), ("real rows", self.real)],
            notes=["By guessing: 0.5 where classes are predicted, 0 for numbers."],
        )


@validate_params(
    {
        "synthetic": ["array-like"],
        "test": ["array-like"],
        "real": ["array-like", None],
        "categorical_features": CATEGORICAL_FEATURES,
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def utility_score(
    synthetic,
    test,
    target,
    *,
    real=None,
    categorical_features="from_dtype",
    random_state=None,
):
    """Train on synthetic rows, test on real ones.

    Gradient-boosted trees learn to predict one column from the others on generated
    rows, and are rated on real rows that the generator has not seen [1]_: by the area
    under the ROC curve where the column holds classes, and by R2 where it holds
    numbers.

    Parameters
    ----------
    synthetic : array-like of shape (n_synthetic_rows, n_columns)
        The generated table, the target among its columns.

    test : array-like of shape (n_test_rows, n_columns)
        Real rows held out from the generator. Between DataFrames columns are matched by
        name, otherwise by position.

    target : str, int or other name of a column
        The column to predict. Columns of arrays are named 0, 1 and so on. It holds
        classes if it is a column of categories or has no more than two values in
        `test`; otherwise it holds numbers.

    real : array-like of shape (n_rows, n_columns), default=None
        The real rows that the generator learned from, to say what is within reach.

    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns to take as categories besides those that hold categories, strings or
        booleans by their dtype: names, positions, or a mask of all columns.

    random_state : int, RandomState instance or None, default=None
        Determines the trees, of more than 200,000 rows at least.

    Returns
    -------
    UtilityScore
        Named tuple of ``synthetic`` and ``real``, a float each; the latter is None if
        no real rows were given. Areas are between 0 and 1, with 0.5 for guessing; with
        several classes they are the mean over classes, each against the rest. R2 is
        at most 1, with 0 for guessing the mean.

    Raises
    ------
    ValueError
        If the columns do not match in name, number or kind, if there is no column
        `target` or none beside it, or if it has fewer than two values in `test`.

    See Also
    --------
    detection_score : Asks whether rows look real, not whether they teach.

    Notes
    -----
    The trees are those of scikit-learn's HistGradientBoosting with its default settings
    and no early stopping; categories and missing cells go in as they are. Rows whose
    target is missing are dropped, and training rows of classes that `test` does not
    hold. A generator that made one class only scores 0.5.

    References
    ----------
    .. [1] C. Esteban, S. L. Hyland and G. Rätsch, "Real-valued (Medical) Time Series
       Generation with Recurrent Conditional GANs", 2017, section 4.2.
       https://arxiv.org/abs/1706.02633

    Examples
    --------
    Rows with columns shuffled one by one teach nothing:

    >>> import numpy as np
    >>> import pandas as pd
    >>> from skvae.metrics import utility_score
    >>> rng = np.random.RandomState(0)
    >>> table = pd.DataFrame({"income": rng.normal(size=1000)})
    >>> table["default"] = rng.normal(size=1000) > table["income"]
    >>> real, test = table[:700], table[700:]
    >>> shuffled = real.apply(rng.permutation)
    >>> scores = utility_score(shuffled, test, "default", real=real)
    >>> round(scores.synthetic, 1), round(scores.real, 1)
    (0.5, 0.8)
    """
    tables = {"test": test, "synthetic": synthetic}
    if real is not None:
        tables["real"] = real
    frames, is_category = align_tables(tables, categorical_features)
    is_target = _target_mask(frames[0].columns, target)
    targets = [frame.loc[:, is_target].iloc[:, 0] for frame in frames]
    features, is_native = boosting_features(
        [frame.loc[:, ~is_target] for frame in frames], is_category[~is_target]
    )
    has_classes = is_category[is_target][0] or targets[0].nunique() <= 2
    labels = level_codes(targets)[0] if has_classes else list(map(as_float, targets))
    settings = {
        "categorical_features": is_native,
        "early_stopping": False,
        "random_state": check_random_state(random_state).randint(2**31 - 1),
    }
    score = _classifier_score if has_classes else _regressor_score
    test_rows = _labelled(features[0], labels[0])
    if len(np.unique(test_rows[1])) < 2:
        raise ValueError(
            f"Expected at least two values of the target {target!r} in test, got "
            f"{targets[0].nunique()}."
        )
    scores = [
        score(_labelled(*training_rows), test_rows, settings)
        for training_rows in zip(features[1:], labels[1:], strict=True)
    ]
    return UtilityScore(scores[0], scores[1] if real is not None else None)


def _target_mask(columns, target):
    """Mask of the one column that is to be predicted."""
    if target not in columns:
        raise ValueError(f"Got target={target!r}; expected one of {list(columns)}.")
    if len(columns) == 1:
        raise ValueError(f"Expected columns besides the target {target!r}, got none.")
    return np.asarray(columns == target)


def _labelled(features, labels):
    """The rows whose target is not missing, which is -1 among codes of classes."""
    known = labels >= 0 if labels.dtype.kind == "i" else ~np.isnan(labels)
    return features[known], labels[known]


def _classifier_score(training_rows, test_rows, settings):
    """Mean over the classes in the test of the area under the ROC curve."""
    (features, labels), (test_features, test_labels) = training_rows, test_rows
    classes = np.unique(test_labels)
    of_interest = np.isin(labels, classes)
    if len(np.unique(labels[of_interest])) < 2:
        return 0.5
    classifier = HistGradientBoostingClassifier(**settings)
    classifier.fit(features[of_interest], labels[of_interest])
    # Classes that were not learned keep a probability of 0.
    probabilities = np.zeros((len(test_labels), classes.max() + 1))
    probabilities[:, classifier.classes_] = classifier.predict_proba(test_features)
    scored = classes[1:] if len(classes) == 2 else classes
    areas = [roc_auc_score(test_labels == c, probabilities[:, c]) for c in scored]
    return float(np.mean(areas))


def _regressor_score(training_rows, test_rows, settings):
    """R2 on the test rows."""
    if len(training_rows[1]) == 0:
        raise ValueError("Expected training rows with a target, got missing ones only.")
    regressor = HistGradientBoostingRegressor(**settings).fit(*training_rows)
    return float(r2_score(test_rows[1], regressor.predict(test_rows[0])))
