"""What the conditional models share: conditions in, conditions out."""

import numpy as np
import pandas as pd
from sklearn.base import _fit_context
from sklearn.utils._param_validation import StrOptions, validate_params
from sklearn.utils.validation import check_is_fitted

from skvae._core.storing import stored_fields
from skvae.models._conditional_inference import ConditionalInference, TrainingConditions
from skvae.models._docs import shared_parameters, with_parameters_of
from skvae.models._generation import (
    RECONSTRUCT_CONSTRAINTS,
    SAMPLE_CONSTRAINTS,
    row_labels,
)
from skvae.models._imputation import IMPUTE_CONSTRAINTS
from skvae.models._one_stage import OneStageVAE
from skvae.models._regimes import COUNTERFACTUAL_CONSTRAINTS
from skvae.models._scoring import (
    DECOMPOSITION_CONSTRAINTS,
    SCORE_SAMPLES_CONSTRAINTS,
)
from skvae.networks import PRIORS
from skvae.tables import (
    ConditionEncoder,
    as_conditions,
    condition_names,
)

# Rows generated under a condition take the latents of training rows that share it, or,
# where these are fewer, of so many whose conditions are nearest.
_N_DONORS = 100


@stored_fields(
    condition_encoder_=ConditionEncoder,
    _condition_shares=TrainingConditions,
)
@shared_parameters
class ConditionalVAE(OneStageVAE):
    """A variational autoencoder whose rows are explained given a condition.

    The condition is columns of `X` or comes beside it. Behind the columns of the
    encoded matrix it has columns of its own, which hold NaN where it is unknown.
    """

    _parameter_constraints: dict = {
        **OneStageVAE._parameter_constraints,
        "condition_columns": ["array-like", None],
        "prior": [StrOptions(set(PRIORS))],
    }

    def __init__(
        self, latent_dim=10, *, condition_columns=None, prior="standard", **shared
    ):
        super().__init__(latent_dim, **shared)
        self.condition_columns = condition_columns
        self.prior = prior

    @_fit_context(prefer_skip_nested_validation=True)
    @with_parameters_of(OneStageVAE.fit)
    def fit(self, X, y=None, condition=None):
        """
        condition : DataFrame, array-like or dict, default=None
            The condition of each row, of shape (n_samples,) or (n_samples,
            n_conditions), where it is not in columns of `X`. All of it has to be known.
        """
        return self._fit(X, y, condition)

    @_fit_context(prefer_skip_nested_validation=True)
    @with_parameters_of(OneStageVAE.partial_fit)
    def partial_fit(self, X, y=None, *, schema_rows=None, condition=None):
        """
        condition : DataFrame, array-like or dict, default=None
            The condition of each row, where it is not in columns of `X`. All of it has
            to be known. With `schema_rows`, conditions have to be columns.
        """
        return self._partial_fit(X, condition, schema_rows)

    def fit_transform(self, X, y=None, condition=None):
        """Fit the model and return the latent factors of the training rows.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The training rows.

        y : None
            Ignored, present for API consistency.

        condition : DataFrame, array-like or dict, default=None
            The condition of each row, where it is not in columns of `X`.

        Returns
        -------
        Z : ndarray of shape (n_samples, latent_dim)
            Posterior means. Another container after ``set_output``.
        """
        return self.fit(X, y, condition=condition).transform(X, condition=condition)

    @with_parameters_of(OneStageVAE.transform)
    def transform(self, X, condition=None):
        """
        condition : DataFrame, array-like, dict or scalar, default=None
            The condition of the rows, where it is not in columns of `X`. It is averaged
            over where it is unknown: left out, missing, or never seen in training.
        """
        return self._encode(X, condition)[0]

    @with_parameters_of(OneStageVAE.inverse_transform)
    def inverse_transform(self, Z, condition=None):
        """
        condition : DataFrame, array-like, dict or scalar, default=None
            The condition to decode under: one for all rows, or one for each. Rows are
            averaged over the training conditions where it is unknown.
        """
        return self._inverse_transform(Z, condition)

    @validate_params(RECONSTRUCT_CONSTRAINTS, prefer_skip_nested_validation=True)
    @with_parameters_of(OneStageVAE.reconstruct)
    def reconstruct(
        self,
        X,
        *,
        kind="mean",
        random_state=None,
        condition=None,
        own_condition=None,
    ):
        """
        condition : DataFrame, array-like, dict or scalar, default=None
            The condition to decode under, for instance another than the row's own:
            what would this client look like as a graduate? One for all rows, or one
            for each. What is unknown of it stays as it is in the row.

        own_condition : DataFrame, array-like, dict or scalar, default=None
            The condition of the rows themselves, where it is not in columns of `X`.
        """
        latents, random_state = self._latents_of(X, kind, random_state, own_condition)
        own = self._conditions(own_condition, len(latents), X)
        wanted = self._conditions(condition, len(latents))
        conditions = np.where(np.isnan(wanted), own, wanted)
        return self._decode(latents, conditions, kind, random_state, row_labels(X))

    @validate_params(SAMPLE_CONSTRAINTS, prefer_skip_nested_validation=True)
    @with_parameters_of(OneStageVAE.sample)
    def sample(
        self,
        n_samples=1,
        *,
        given=None,
        latent="aggregate",
        kind=None,
        calibrate_marginals=False,
        random_state=None,
        condition=None,
    ):
        """
        condition : DataFrame, array-like, dict or scalar, default=None
            The condition to generate rows under: one for all, or one for each. Latents
            come from training rows that share it, or from those nearest to it. What is
            unknown of it is drawn as in the training rows.
        """
        wanted = self._conditions(condition, n_samples)
        return self._sample(
            wanted, given, latent, kind, calibrate_marginals, random_state
        )

    @validate_params(COUNTERFACTUAL_CONSTRAINTS, prefer_skip_nested_validation=True)
    @with_parameters_of(OneStageVAE.counterfactual)
    def counterfactual(
        self,
        X,
        environment=None,
        *,
        reference=None,
        factors=None,
        strength=1.0,
        hold=None,
        unexplained="drop",
        n_samples=None,
        random_state=None,
        condition=None,
        own_condition=None,
    ):
        """
        condition : DataFrame, array-like, dict or scalar, default=None
            The condition of the other world, for instance ``{"unemployment": 0.08}``:
            one for all rows, or one for each. What is unknown of it stays as it is in
            the row. `strength` scales the way there, for categories too, of which the
            nearest is then shown. `environment` may be left out with it; with both,
            rows move to both.

        own_condition : DataFrame, array-like, dict or scalar, default=None
            The condition of the rows themselves, where it is not in columns of `X`.
        """
        if environment is None and condition is None:
            raise ValueError(
                "Got neither environment nor condition; expected the rows of another "
                "world, or its condition."
            )
        shift, moved = pd.Series(0.0, self._factor_names, name="shift"), _unmoved
        if environment is not None:
            shift, moved = self._moves(environment, X, reference, factors, strength)

        def towards(own):
            wanted = self._conditions(condition, len(X)).repeat(len(own) // len(X), 0)
            wanted = np.where(np.isnan(wanted), own, wanted)
            start = np.where(np.isnan(own), wanted, own)
            return (1 - strength) * start + strength * wanted

        return self._counterfactual(
            X,
            shift,
            moved,
            hold,
            unexplained,
            n_samples,
            random_state,
            towards,
            own_condition,
        )

    @validate_params(SCORE_SAMPLES_CONSTRAINTS, prefer_skip_nested_validation=True)
    @with_parameters_of(OneStageVAE.score_samples)
    def score_samples(self, X, *, n_importance=None, condition=None):
        """
        condition : DataFrame, array-like, dict or scalar, default=None
            The condition of the rows, where it is not in columns of `X`. The bound is
            on log p(x|c), and on log p(x) where the condition is unknown.
        """
        return self._score_samples(X, n_importance, condition)

    @with_parameters_of(OneStageVAE.score_columns)
    def score_columns(self, X, condition=None):
        """
        condition : DataFrame, array-like, dict or scalar, default=None
            The condition of the rows, where it is not in columns of `X`.
        """
        return self._score_columns(X, condition)

    @validate_params(IMPUTE_CONSTRAINTS, prefer_skip_nested_validation=True)
    @with_parameters_of(OneStageVAE.impute)
    def impute(self, X, n_imputations=1, *, random_state=0, condition=None):
        """
        condition : DataFrame, array-like, dict or scalar, default=None
            The condition of the rows, where it is not in columns of `X`.
        """
        return self._impute(X, n_imputations, random_state, condition)

    @with_parameters_of(OneStageVAE.score)
    def score(self, X, y=None, *, sample_weight=None, condition=None):
        """
        condition : DataFrame, array-like, dict or scalar, default=None
            The condition of the rows, where it is not in columns of `X`.
        """
        return self._score(X, sample_weight, condition)

    @validate_params(DECOMPOSITION_CONSTRAINTS, prefer_skip_nested_validation=True)
    @with_parameters_of(OneStageVAE.elbo_decomposition)
    def elbo_decomposition(self, X, *, max_rows=5000, random_state=0, condition=None):
        """
        condition : DataFrame, array-like, dict or scalar, default=None
            The condition of the rows, where it is not in columns of `X`.
        """
        if condition is not None:
            names = self._condition_encoder().columns_
            condition = as_conditions(condition, names, len(X))
        return self._decompose(X, max_rows, random_state, condition)

    def _make_table_encoder(self, left_out=()):
        own = () if self.condition_columns is None else self.condition_columns
        return super()._make_table_encoder(own)

    def _fit_encoders(self, X, condition, seed):
        matrix = super()._fit_encoders(X, condition, seed)
        table = self._condition_table(condition, X)
        self.condition_encoder_ = ConditionEncoder().fit(table)
        conditions = self.condition_encoder_.transform(table)
        self._condition_shares = TrainingConditions.of(
            conditions,
            self.condition_encoder_.parts_,
            self.condition_encoder_.is_categorical_,
            seed,
        )
        return np.hstack([matrix, conditions])

    def _training_matrix(self, X, condition, seed):
        conditions = self._conditions(condition, len(X), X)
        if np.isnan(conditions).any():
            raise ValueError(
                "A condition of X is missing, or of a level that was not there when "
                "levels were learned; expected known conditions in training."
            )
        return np.hstack([super()._training_matrix(X, condition, seed), conditions])

    def _condition_table(self, condition, X):
        """Return the conditions of the training rows as a table."""
        if self.condition_columns is not None:
            return self._own_conditions(condition, X)
        if condition is None:
            return pd.DataFrame(index=range(len(X)))
        return as_conditions(condition, condition_names(condition), len(X))

    def _own_conditions(self, condition, X):
        """Return the columns of `X` that are conditions."""
        if condition is not None:
            raise ValueError(
                f"Got a condition beside X, whose columns {self.condition_columns!r} "
                "are the condition already; expected condition=None, or a model "
                "without condition_columns."
            )
        columns = list(self.condition_columns)
        if isinstance(X, pd.DataFrame):
            return X[columns]
        return pd.DataFrame(np.asarray(X)[:, columns], columns=columns)

    def _conditions(self, condition, n_rows, X=None):
        encoder = self._condition_encoder()
        if X is not None and self.condition_columns is not None:
            return encoder.transform(self._own_conditions(condition, X))
        if condition is not None and encoder.width == 0:
            raise ValueError(
                f"Got a condition, but this {type(self).__name__} was fitted without "
                "one. Pass condition= to fit, or condition_columns= to the constructor."
            )
        if isinstance(condition, pd.DataFrame):
            # Rows of a table will do: what is no condition of theirs is left aside.
            condition = condition.loc[:, _named(condition, encoder.columns_)]
        return encoder.transform(as_conditions(condition, encoder.columns_, n_rows))

    def _modelled(self, table):
        positions = list(self.table_encoder_.schema_.kept)
        if isinstance(table, pd.DataFrame):
            return table.iloc[:, positions]
        return np.asarray(table)[:, positions]

    def _condition_encoder(self):
        check_is_fitted(self, "condition_encoder_")
        return self.condition_encoder_

    @property
    def _finds_condition(self):
        return self.condition_columns is not None

    @property
    def _prior(self):
        return self.prior

    def _inference_of(self, module, nodes):
        if module.n_conditions == 0:
            return super()._inference_of(module, nodes)
        return ConditionalInference(module, self._condition_shares, nodes)

    def _donors(self, wanted, random_state):
        """Draw, for each wanted condition, a training row that shares or nears it."""
        requests, request_of = np.unique(
            np.nan_to_num(wanted, nan=np.inf), axis=0, return_inverse=True
        )
        donors = np.empty(len(wanted), dtype=int)
        for position, request in enumerate(requests):
            is_known = np.isfinite(request)
            difference = self._training_conditions[:, is_known] - request[is_known]
            nearest = _nearest((difference**2).sum(axis=1))
            asks = request_of.ravel() == position
            donors[asks] = random_state.choice(nearest, size=asks.sum())
        return donors

    def _completed(self, conditions, random_state):
        if conditions.shape[1] == 0:
            return conditions
        return self._condition_shares.complete(conditions, random_state)

    def _table(self, matrix, index=None, random_state=None):
        values, conditions = matrix[:, : self._width], matrix[:, self._width :]
        cells = None
        if self.condition_columns is not None:
            cells = self.condition_encoder_.inverse_transform(conditions)
        return self.table_encoder_.inverse_transform(values, index, cells, random_state)


def _unmoved(latents, random_state):
    return latents


def _named(table, names):
    """Return which columns have one of the names; all of them where none has."""
    is_named = table.columns.isin(names)
    return is_named if is_named.any() else slice(None)


def _nearest(distances):
    """Return the positions at distance 0, or enough of the nearest."""
    exact = np.flatnonzero(distances <= np.finfo(np.float64).eps)
    if len(exact) >= _N_DONORS or len(distances) <= _N_DONORS:
        return exact if len(exact) else np.arange(len(distances))
    return np.argpartition(distances, _N_DONORS)[:_N_DONORS]
