"""Numbers about codes and tables: arrays and callables in, numbers out.

Codes against known factors: `factor_vae_score`, `mig_score`, `dci_score`,
`mutual_information_matrix`, `factor_entropies`. Codes alone:
`latent_consistency_score`, `kl_decomposition`, `total_correlation`,
`gaussian_total_correlation`, `kl_per_dimension`, `n_active`. Codes of two data sets:
`latent_shift`, `support_score`. A real table against a generated one: `ks_score`,
`c2st_score`.
"""

from skvae.metrics._aggregate_posterior import (
    KLDecomposition,
    KLTerms,
    gaussian_total_correlation,
    kl_decomposition,
    kl_per_dimension,
    n_active,
    total_correlation,
)
from skvae.metrics._dci import DCI, dci_score
from skvae.metrics._factor_vae import factor_vae_score
from skvae.metrics._fidelity import KSScore, c2st_score, ks_score
from skvae.metrics._latent_consistency import (
    LatentConsistency,
    latent_consistency_score,
)
from skvae.metrics._latent_shift import LatentShift, latent_shift
from skvae.metrics._mutual_information import (
    factor_entropies,
    mig_score,
    mutual_information_matrix,
)
from skvae.metrics._support import support_score

__all__ = [
    "DCI",
    "KLDecomposition",
    "KLTerms",
    "KSScore",
    "LatentConsistency",
    "LatentShift",
    "c2st_score",
    "dci_score",
    "factor_entropies",
    "factor_vae_score",
    "gaussian_total_correlation",
    "kl_decomposition",
    "kl_per_dimension",
    "ks_score",
    "latent_consistency_score",
    "latent_shift",
    "mig_score",
    "mutual_information_matrix",
    "n_active",
    "support_score",
    "total_correlation",
]
