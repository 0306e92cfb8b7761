"""Choosing a model: scorers that scikit-learn's searches take."""

from skvae.selection._outlier_scorers import (
    outlier_average_precision_scorer,
    outlier_roc_auc_scorer,
)
from skvae.selection._scorers import (
    factor_vae_scorer,
    ks_sample_scorer,
    ks_scorer,
    latent_consistency_scorer,
    mig_scorer,
    n_active_scorer,
    neg_total_correlation_scorer,
    reconstruction_scorer,
)

__all__ = [
    "factor_vae_scorer",
    "ks_sample_scorer",
    "ks_scorer",
    "latent_consistency_scorer",
    "mig_scorer",
    "n_active_scorer",
    "neg_total_correlation_scorer",
    "outlier_average_precision_scorer",
    "outlier_roc_auc_scorer",
    "reconstruction_scorer",
]
