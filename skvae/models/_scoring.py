"""How well a fitted model explains rows."""

from numbers import Integral

import numpy as np
import pandas as pd
from scipy.stats import sem
from sklearn.utils import check_random_state, resample
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.validation import _check_sample_weight

from skvae.metrics import kl_decomposition


class ScoringMixin:
    """Bounds on the log-likelihood of rows, and their parts."""

    def score_samples(self, X):
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

        Returns
        -------
        bound : ndarray of shape (n_samples,)
            In nats; higher means that the model explains the row better.
        """
        log_likelihood, kl = self._bound(X)
        return log_likelihood - kl

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
        bound = self.score_samples(X)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, bound)
        return float(np.average(bound, weights=sample_weight))

    @validate_params(
        {
            "max_rows": [Interval(Integral, 2, None, closed="left")],
            "random_state": ["random_state"],
        },
        prefer_skip_nested_validation=True,
    )
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
        terms : DataFrame of shape (6, 2)
            Rows ``reconstruction``, ``mutual_information``, ``total_correlation``,
            ``dimension_wise_kl``, ``kl`` (the sum of the three) and ``elbo``; columns
            ``value`` and ``standard_error``, in nats.

        References
        ----------
        Chen, R. T. Q., Li, X., Grosse, R. & Duvenaud, D. (2018). Isolating sources of
        disentanglement in variational autoencoders. NeurIPS.
        """
        random_state = check_random_state(random_state)
        X = resample(
            X, replace=False, n_samples=min(len(X), max_rows), random_state=random_state
        )
        log_likelihood, row_kl = self._bound(X)
        kl = kl_decomposition(
            *self._encode(X), max_rows=max_rows, random_state=random_state
        )
        reconstruction = log_likelihood.mean()
        return pd.DataFrame(
            {
                "value": {
                    "reconstruction": reconstruction,
                    "mutual_information": kl.mutual_information,
                    "total_correlation": kl.total_correlation,
                    "dimension_wise_kl": kl.dimension_wise_kl,
                    "kl": kl.kl,
                    "elbo": reconstruction - kl.kl,
                },
                "standard_error": {
                    "reconstruction": sem(log_likelihood),
                    **kl.standard_errors._asdict(),
                    "elbo": sem(log_likelihood - row_kl),
                },
            }
        )

    def _bound(self, X):
        """Return the expected log-likelihood and the KL of each row."""
        chunks = self._encoded_chunks(X)
        parts = [self._inference.bound(matrix, self._nodes) for matrix in chunks]
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))
