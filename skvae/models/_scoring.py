"""How well a fitted model explains rows."""

from numbers import Integral

import numpy as np
import pandas as pd
from scipy.stats import sem
from sklearn.utils import _safe_indexing, check_random_state, resample
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from skvae.metrics import kl_decomposition
from skvae.models._generation import row_labels
from skvae.models._inference import quasi_normal_nodes

SCORE_SAMPLES_CONSTRAINTS = {
    "n_importance": [Interval(Integral, 1, None, closed="left"), None],
}
DECOMPOSITION_CONSTRAINTS = {
    "max_rows": [Interval(Integral, 2, None, closed="left")],
    "random_state": ["random_state"],
}


class ScoringMixin:
    """Bounds on the log-likelihood of rows, and their parts."""

    @validate_params(SCORE_SAMPLES_CONSTRAINTS, prefer_skip_nested_validation=True)
    def score_samples(self, X, *, n_importance=None):
        """Return a lower bound on the log-likelihood of each row.

        The bound is E[log p(x|z)] - KL(q(z|x) || p(z)), with weight 1 on the KL
        whatever was trained. The expectation is taken over 32 quasi-random points that
        were fixed in `fit`, so a row gets the same score in every call. Bounds compare
        models of different `beta` and `latent_dim`, never of different encodings or
        likelihoods, whose densities have other units.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw.

        n_importance : int, default=None
            If given, the importance-weighted bound with so many points instead: the
            log of the mean of p(x, z) / q(z|x) over them (Burda et al. 2016, eq. 8),
            which comes the nearer to log p(x) the more there are. 200 or more are
            usual in publications. The points are fixed as well.

        Returns
        -------
        bound : ndarray of shape (n_samples,)
            In nats; higher means that the model explains the row better.
        """
        return self._score_samples(X, n_importance)

    def _score_samples(self, X, n_importance=None, condition=None):
        if n_importance is None:
            log_likelihood, kl = self._bound(X, condition)
            return log_likelihood - kl
        check_is_fitted(self)
        nodes = quasi_normal_nodes(n_importance, self._n_features_out, self._seed)
        (bound,) = self._infer("importance_bound", X, condition, nodes=nodes)
        return bound

    def score_columns(self, X):
        """Return how well each column of each row is explained.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw.

        Returns
        -------
        log_likelihoods : DataFrame of shape (n_samples, n_features)
            E[log p(x_j|z)] in nats, of the cells and of whether they are missing, over
            the same points as `score_samples`: a row sums to its bound plus the KL. A
            missing cell has no likelihood of its own; columns that take no part have 0.
        """
        return self._score_columns(X)

    def _score_columns(self, X, condition=None):
        check_is_fitted(self)
        columns, _ = self._infer("column_bound", X, condition, nodes=self._nodes)
        return self._cell_table(columns, row_labels(X))

    def _cell_table(self, columns, labels):
        """Return numbers for the columns of all groups as a table like `X`."""
        encoder = self.table_encoder_
        cells = np.zeros((len(columns), len(encoder.schema_.columns)))
        positions = [p for group in encoder.groups_ for p in group.columns]
        np.add.at(cells, (slice(None), positions), columns)
        return pd.DataFrame(cells, labels, encoder.schema_.names)

    def score(self, X, y=None, *, sample_weight=None):
        """Return the mean of `score_samples`.

        It favours a beta near 1 by its definition, so choose beta by a scorer of
        `skvae.selection` rather than by this.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw.

        y : None
            Ignored, present for API consistency.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            The mean bound, in nats.
        """
        return self._score(X, sample_weight)

    def _score(self, X, sample_weight=None, condition=None):
        bound = self._score_samples(X, condition=condition)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, bound)
        return float(np.average(bound, weights=sample_weight))

    @validate_params(DECOMPOSITION_CONSTRAINTS, prefer_skip_nested_validation=True)
    def elbo_decomposition(self, X, *, max_rows=5000, random_state=0):
        """Split the bound into what it is made of.

        The bound is the reconstruction less the KL, and the KL is the sum of three
        parts (Chen et al. 2018, eq. 2), taken on the aggregate posterior of the rows
        of `X`: what the latents know of the row, how far they depend on one another,
        and how far each of them is from the prior.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw, at least two.

        max_rows : int, default=5000
            The cost grows with the square of the rows; of more than these, so many are
            drawn.

        random_state : int, RandomState instance or None, default=0
            Determines which rows, and the draw from each posterior.

        Returns
        -------
        terms : DataFrame of shape (n_terms, 2)
            Rows ``reconstruction``, ``mutual_information``, ``total_correlation``,
            ``dimension_wise_kl``, ``kl`` (the sum of the three) and ``elbo``; columns
            ``value`` and ``standard_error``, in nats. Of `MSVAE` the three are those of
            its factors, and ``residual_kl``, which joins the sum, is that of the rest.

        References
        ----------
        Chen, R. T. Q., Li, X., Grosse, R. & Duvenaud, D. (2018). Isolating sources of
        disentanglement in variational autoencoders. NeurIPS.
        """
        return self._decompose(X, max_rows, random_state)

    def _decompose(self, X, max_rows, random_state, condition=None):
        random_state = check_random_state(random_state)
        n_rows = min(len(X), max_rows)
        rows = resample(
            np.arange(len(X)),
            replace=False,
            n_samples=n_rows,
            random_state=random_state,
        )
        X = _safe_indexing(X, rows)
        if condition is not None:
            condition = _safe_indexing(condition, rows)
        log_likelihood, row_kl = self._bound(X, condition)
        posteriors = self._factor_model._encode(X, condition)
        kl = kl_decomposition(*posteriors, max_rows=max_rows, random_state=random_state)
        residual = self._residual_kl(posteriors, row_kl)
        kl_value = kl.kl + sum(rows.mean() for rows in residual.values())
        errors = kl.standard_errors
        kl_error = np.hypot(errors.kl, sum(sem(rows) for rows in residual.values()))
        reconstruction = log_likelihood.mean()
        terms = {
            "reconstruction": (reconstruction, sem(log_likelihood)),
            "mutual_information": (kl.mutual_information, errors.mutual_information),
            "total_correlation": (kl.total_correlation, errors.total_correlation),
            "dimension_wise_kl": (kl.dimension_wise_kl, errors.dimension_wise_kl),
            **{name: (rows.mean(), sem(rows)) for name, rows in residual.items()},
            "kl": (kl_value, kl_error),
            "elbo": (reconstruction - kl_value, sem(log_likelihood - row_kl)),
        }
        columns = ["value", "standard_error"]
        return pd.DataFrame.from_dict(terms, orient="index", columns=columns)

    def _residual_kl(self, posteriors, row_kl):
        """Return, by its name, the KL of each row that is not the factors': none."""
        return {}

    def _bound(self, X, condition=None):
        """Return the expected log-likelihood and the KL of each row."""
        check_is_fitted(self)
        return self._infer("bound", X, condition, nodes=self._nodes)
