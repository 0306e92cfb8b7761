"""Choosing a model: scorers that scikit-learn's searches take."""

from skvae.selection._beta_threshold import beta_threshold
from skvae.selection._disentanglement_report import (
    DisentanglementReport,
    disentanglement_report,
)
from skvae.selection._factor_scorers import (
    beta_vae_scorer,
    dci_completeness_scorer,
    dci_informativeness_scorer,
    dci_scorer,
    explicitness_scorer,
    factor_vae_scorer,
    irs_scorer,
    mig_scorer,
    mig_sup_scorer,
    modularity_scorer,
    recovered_factors_scorer,
    sap_scorer,
)
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
    latent_consistency_scorer,
    n_active_scorer,
    neg_gaussian_total_correlation_scorer,
    neg_gaussian_wasserstein_scorer,
    neg_total_correlation_scorer,
)
from skvae.selection._outlier_scorers import (
    outlier_average_precision_scorer,
    outlier_roc_auc_scorer,
)
from skvae.selection._scorers import scorers
from skvae.selection._search_rules import one_standard_error_rule, pareto_front
from skvae.selection._seed_ensemble import SeedEnsemble
from skvae.selection._seed_scorers import (
    model_centrality_scorer,
    shared_latents_scorer,
    udr_scorer,
)

__all__ = [
    "DisentanglementReport",
    "SeedEnsemble",
    "beta_threshold",
    "beta_vae_scorer",
    "dci_completeness_scorer",
    "dci_informativeness_scorer",
    "dci_scorer",
    "detection_scorer",
    "disentanglement_report",
    "explicitness_scorer",
    "factor_vae_scorer",
    "fidelity_scorer",
    "irs_scorer",
    "ks_sample_scorer",
    "ks_scorer",
    "latent_consistency_scorer",
    "mig_scorer",
    "mig_sup_scorer",
    "model_centrality_scorer",
    "modularity_scorer",
    "n_active_scorer",
    "neg_gaussian_total_correlation_scorer",
    "neg_gaussian_wasserstein_scorer",
    "neg_total_correlation_scorer",
    "one_standard_error_rule",
    "outlier_average_precision_scorer",
    "outlier_roc_auc_scorer",
    "pareto_front",
    "reconstruction_scorer",
    "recovered_factors_scorer",
    "sap_scorer",
    "scorers",
    "shape_scorer",
    "shared_latents_scorer",
    "trend_scorer",
    "tv_scorer",
    "udr_scorer",
    "utility_scorer",
]
