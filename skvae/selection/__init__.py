"""Choosing a model: scorers that scikit-learn's searches take."""

from skvae.selection._fidelity_scorers import (
    detection_scorer,
    fidelity_scorer,
    ks_sample_scorer,
    ks_scorer,
    reconstruction_scorer,
    shape_scorer,
    trend_scorer,
    tv_scorer,
    utility_scorer,
)
from skvae.selection._latent_scorers import (
    factor_vae_scorer,
    latent_consistency_scorer,
    mig_scorer,
    n_active_scorer,
    neg_total_correlation_scorer,
)
from skvae.selection._outlier_scorers import (
    outlier_average_precision_scorer,
    outlier_roc_auc_scorer,
)

__all__ = [
    "detection_scorer",
    "factor_vae_scorer",
    "fidelity_scorer",
    "ks_sample_scorer",
    "ks_scorer",
    "latent_consistency_scorer",
    "mig_scorer",
    "n_active_scorer",
    "neg_total_correlation_scorer",
    "outlier_average_precision_scorer",
    "outlier_roc_auc_scorer",
    "reconstruction_scorer",
    "shape_scorer",
    "trend_scorer",
    "tv_scorer",
    "utility_scorer",
]
