"""What both outlier detectors share: scikit-learn's contract around a model."""

from abc import abstractmethod
from inspect import signature
from numbers import Real
from typing import NotRequired

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin, _fit_context
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import (
    Interval,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.validation import check_is_fitted

from skvae._core.chunking import row_chunks
from skvae._core.stored_types import Matrix, Texts, Vector
from skvae._core.storing import stored_fields
from skvae.models._diagram import DiagramMixin
from skvae.models._file import FileMixin
from skvae.models._reasons import USUAL_ROWS, ReasonsMixin
from skvae.models._rules import RULES, Rule, worst
from skvae.models._streaming import rows_to_learn_from
from skvae.models._tasks import CallbackSupportMixin, Task
from skvae.models._validation import check_table, forget
from skvae.models.base import BaseVAE
from skvae.tables import as_conditions

# Training rows that tell a rule what is usual; more would cost and tell little.
_MAX_USUAL = 20_000
# Rows whose parts are worked out at once: 50 MB for images of 28 x 28.
_ROWS = 8192

_CONTAMINATION = {"contamination": [Interval(Real, 0, 0.5, closed="right")]}


class _Parameter:
    """A parameter of an estimator that is none of its attributes.

    scikit-learn takes an attribute called ``score`` for the method of that name.
    """

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, estimator, owner):
        raise AttributeError(
            f"{self.name} is a parameter: get_params()[{self.name!r}] returns it."
        )

    def __set__(self, estimator, value):
        vars(estimator)[self.name] = value


@stored_fields(
    model_=BaseVAE,
    offset_=float,
    n_features_in_=int,
    feature_names_in_=NotRequired[Texts],
    _rule=Rule,
    _usual=Matrix,
    _training_scores=Vector,
)
class AnomalyDetector(
    DiagramMixin,
    FileMixin,
    ReasonsMixin,
    CallbackSupportMixin,
    OutlierMixin,
    BaseEstimator,
):
    """An outlier detector around a model: the contract of both detectors.

    Which model says a subclass; what makes a row anomalous, one of `RULES`.
    """

    _parameter_constraints: dict = {
        "score": [StrOptions(set(RULES))],
        **_CONTAMINATION,
    }

    score = _Parameter()

    def get_params(self, deep=True):
        """Return the parameters of the detector.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return those of the model inside as well.

        Returns
        -------
        params : dict
            Their names and values.
        """
        params = {name: vars(self)[name] for name in self._get_param_names()}
        model = params.get("model")
        if deep and hasattr(model, "get_params") and not isinstance(model, type):
            inner = model.get_params().items()
            params.update((f"model__{name}", value) for name, value in inner)
        return params

    @abstractmethod
    def _make_model(self, n_features):
        """Return the model that is fitted to so many columns, new."""

    # The parameters of a nested model are its own to validate.
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, *, condition=None):
        """Learn what normal rows look like.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features), or TableStream
            The training rows, at least two, of any columns that models take. Some of
            them may be anomalies. Of a `skvae.tables.TableStream` the model trains on
            all rows, and the threshold is that of a sample of 262,144.

        y : None
            Ignored, present for API consistency: no label is ever looked at.

        condition : DataFrame, array-like or dict, default=None
            The condition of each row, of shape (n_samples,) or (n_samples,
            n_conditions), for a model that takes one, where it is not in columns of
            `X`.

        Returns
        -------
        self : object
            The fitted detector.

        Raises
        ------
        ValueError
            If a column cannot be read, or `contamination` selects none of the rows.

        TrainingDivergedError
            If a term of the loss becomes NaN or infinite.

        StreamError
            If the rows of a stream cannot be read, or are not those of one table.
        """
        forget(self)
        X, stream = rows_to_learn_from(X, condition)
        X = check_table(self, X, reset=True)
        check_selects_rows(self.contamination, len(X))
        task = Task.of_fit(self, X, y, n_subtasks=1)
        try:
            self.model_ = self._fitted_model(X, stream, condition, task)
            self._learn_threshold(X, condition)
            task.end(fitted={})
        except BaseException:
            forget(self)
            raise
        return self

    def _learn_threshold(self, X, condition):
        usual = self._usual_rows(X, condition)
        self._usual = usual[:USUAL_ROWS]
        self._rule = RULES[vars(self)["score"]](self.model_)
        self._rule.learn(usual)
        self._training_scores = np.sort(self._score_samples(X, condition))
        self.set_contamination(self.contamination)

    def _fitted_model(self, X, stream, condition, task):
        model = self._make_model(X.shape[1])
        check_takes(model, condition)
        params = {} if condition is None else {"condition": condition}
        with task.subtask("fit-model").fitting(model):
            return model.fit(X if stream is None else stream, **params)

    def _usual_rows(self, X, condition):
        """Return some of the training rows, encoded, with their conditions."""
        model = self.model_
        n_rows = len(X)
        rows = np.random.default_rng(model._seed).permutation(n_rows)[:_MAX_USUAL]
        if condition is not None:
            columns = model.condition_encoder_.columns_
            condition = _safe_indexing(as_conditions(condition, columns, n_rows), rows)
        matrix = list(model._encoded_chunks(_safe_indexing(X, rows), condition))
        return np.concatenate(matrix)

    def _fit_line(self):
        return f"{self.contamination:.3g} of training rows below {self.offset_:.3g}"

    def set_contamination(self, contamination):
        """Set which share of the training rows counts as outliers, without a new fit.

        Parameters
        ----------
        contamination : float
            The share, in (0, 0.5].

        Returns
        -------
        self : object
            The detector, with the parameter and `offset_` changed.

        Raises
        ------
        ValueError
            If that selects none of the training rows.
        """
        check_is_fitted(self)
        validate_parameter_constraints(
            _CONTAMINATION, {"contamination": contamination}, type(self).__name__
        )
        check_selects_rows(contamination, len(self._training_scores))
        self.contamination = contamination
        self.offset_ = float(np.percentile(self._training_scores, 100 * contamination))
        return self

    def score_samples(self, X, condition=None):
        """Return how normal each row is: the lower, the more anomalous.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw.

        condition : DataFrame, array-like, dict or scalar, default=None
            The condition of the rows, for a model that was fitted with one. Left out,
            it is unknown (see Notes).

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            In the units of the rule `score`, negated: finite, and the same for a row
            whatever rows come with it.
        """
        check_is_fitted(self)
        return self._score_samples(X, condition)

    def _score_samples(self, X, condition):
        combine = self._combine(condition)
        chunks = self.model_._encoded_chunks(X, condition)
        return np.concatenate([-self._anomaly(chunk, combine) for chunk in chunks])

    def _combine(self, condition):
        """Return what is made of the anomalies under several possible conditions.

        Where the condition is given, a hole in it must not make a row look normal.
        """
        check_takes(self.model_, condition)
        is_left_out = condition is None and not self.model_._finds_condition
        return self._rule.over_conditions if is_left_out else worst

    def _anomaly(self, matrix, combine):
        """Return how anomalous encoded rows are."""

        def parts_of(rows):
            return self._rule.anomaly(rows)[:, None]

        return self._over_unknown(parts_of, matrix, combine)[:, 0]

    def _over_unknown(self, parts_of, matrix, combine):
        over_unknown = self.model_._inference.over_unknown
        return np.concatenate(
            [
                over_unknown(parts_of, matrix[rows], combine)
                for rows in row_chunks(len(matrix), _ROWS)
            ]
        )

    def decision_function(self, X, condition=None):
        """Return how far each row is on the normal side of the threshold.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw.

        condition : DataFrame, array-like, dict or scalar, default=None
            The condition of the rows, as for `score_samples`.

        Returns
        -------
        decisions : ndarray of shape (n_samples,)
            ``score_samples(X) - offset_``: negative for outliers.
        """
        return self.score_samples(X, condition) - self.offset_

    def predict(self, X, condition=None):
        """Return which rows are outliers.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw.

        condition : DataFrame, array-like, dict or scalar, default=None
            The condition of the rows, as for `score_samples`.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            -1 for outliers, 1 for others.
        """
        return np.where(self.decision_function(X, condition) < 0, -1, 1)

    def fit_predict(self, X, y=None, *, condition=None):
        """Fit the detector and return which training rows are outliers.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The training rows.

        y : None
            Ignored.

        condition : DataFrame, array-like or dict, default=None
            The condition of each row, as for `fit`.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            -1 for outliers, 1 for others.
        """
        return self.fit(X, condition=condition).predict(X, condition)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "model_")

    @property
    def history_(self):
        """Every term of the model's loss, one row an epoch."""
        return self.model_.history_


def check_selects_rows(contamination, n_rows):
    """Say so where a share of the training rows is less than one."""
    if round(contamination * n_rows, 9) < 1:
        raise ValueError(
            f"contamination={contamination!r} selects none of {n_rows} training rows; "
            f"expected at least 1/{n_rows}, or more rows."
        )


def check_takes(model, condition):
    """Say so where a condition is given to a model that takes none."""
    if condition is not None and "condition" not in signature(model.fit).parameters:
        raise ValueError(
            f"Got a condition, which {type(model).__name__} does not take; expected "
            "None, or a conditional model such as CVAE or DCVAE."
        )
