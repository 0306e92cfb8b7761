"""Numbers about codes and tables: arrays and callables in, numbers out.

Codes against known factors: `factor_vae_score`, `beta_vae_score`, `mig_score`,
`mig_sup_score`, `modularity_score`, `dci_scores`, `sap_score`, `explicitness_score`,
`irs_score`, `recovered_factors`, `mutual_information_matrix`, `factor_entropies`. Codes
alone: `latent_consistency_score`, `kl_decomposition`, `total_correlation`,
`gaussian_total_correlation`, `gaussian_wasserstein`,
`gaussian_wasserstein_correlation`, `kl_per_dimension`, `n_active`. Codes of several
models: `udr_score`, `model_centrality_score`. Codes of two data sets: `latent_shift`,
`support_score`. A real table against a generated one: `ks_score`, `tv_score`,
`shape_score`, `missing_score`, `trend_score`, `detection_score`, these in one number
as `fidelity_score`, `utility_score`, `privacy_distance_share`, and all side by side,
`fidelity_report`.
"""

from skvae.metrics._active_latents import kl_per_dimension, n_active
from skvae.metrics._aggregate_posterior import (
    KLDecomposition,
    KLTerms,
    gaussian_total_correlation,
    kl_decomposition,
    total_correlation,
)
from skvae.metrics._beta_vae import beta_vae_score
from skvae.metrics._dci import DCI, dci_scores
from skvae.metrics._explicitness import explicitness_score
from skvae.metrics._factor_vae import factor_vae_score
from skvae.metrics._fidelity_columns import (
    ColumnScores,
    ks_score,
    missing_score,
    shape_score,
    tv_score,
)
from skvae.metrics._fidelity_composite import fidelity_score
from skvae.metrics._fidelity_detection import detection_score
from skvae.metrics._fidelity_pairs import PairScores, trend_score
from skvae.metrics._fidelity_privacy import privacy_distance_share
from skvae.metrics._fidelity_report import fidelity_report
from skvae.metrics._fidelity_utility import UtilityScore, utility_score
from skvae.metrics._gaussian_wasserstein import (
    gaussian_wasserstein,
    gaussian_wasserstein_correlation,
)
from skvae.metrics._irs import irs_score
from skvae.metrics._latent_consistency import (
    LatentConsistency,
    latent_consistency_score,
)
from skvae.metrics._latent_shift import LatentShift, latent_shift
from skvae.metrics._model_centrality import ModelCentrality, model_centrality_score
from skvae.metrics._modularity import modularity_score
from skvae.metrics._mutual_information import (
    factor_entropies,
    mig_score,
    mig_sup_score,
    mutual_information_matrix,
)
from skvae.metrics._recovered_factors import RecoveredFactors, recovered_factors
from skvae.metrics._sap import sap_score
from skvae.metrics._support import support_score
from skvae.metrics._udr import UDR, udr_score

__all__ = [
    "ColumnScores",
    "DCI",
    "KLDecomposition",
    "KLTerms",
    "LatentConsistency",
    "LatentShift",
    "ModelCentrality",
    "PairScores",
    "RecoveredFactors",
    "UDR",
    "UtilityScore",
    "beta_vae_score",
    "dci_scores",
    "detection_score",
    "explicitness_score",
    "factor_entropies",
    "factor_vae_score",
    "fidelity_report",
    "fidelity_score",
    "gaussian_total_correlation",
    "gaussian_wasserstein",
    "gaussian_wasserstein_correlation",
    "irs_score",
    "kl_decomposition",
    "kl_per_dimension",
    "ks_score",
    "latent_consistency_score",
    "latent_shift",
    "mig_score",
    "mig_sup_score",
    "missing_score",
    "model_centrality_score",
    "modularity_score",
    "mutual_information_matrix",
    "n_active",
    "privacy_distance_share",
    "recovered_factors",
    "sap_score",
    "shape_score",
    "support_score",
    "total_correlation",
    "trend_score",
    "tv_score",
    "udr_score",
    "utility_score",
]
