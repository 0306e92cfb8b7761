"""Every objective with one setting, and the batches that tests give to them."""

import torch
from torch import nn

from skvae._core.passes import ForwardPass, Normal
from skvae._core.random import UseGenerator, make_generator
from skvae.objectives import (
    TOTAL_CORRELATION_ESTIMATORS,
    BetaTCVAEObjective,
    BetaVAEObjective,
    CapacityObjective,
    DCVAEObjective,
    DIPVAEObjective,
    FactorVAEObjective,
    InfoVAEObjective,
    RFVAEObjective,
    VAEObjective,
)

N_ROWS = 500
LATENT_DIM = 4


def make_batch(n_rows=16, latent_dim=LATENT_DIM, seed=0, condition=None):
    """Log-likelihoods that depend on the latents, and the posterior of each row."""
    generator = make_generator(seed)
    mean, log_variance, noise = torch.randn(3, n_rows, latent_dim, generator=generator)
    posterior = Normal(mean.requires_grad_(), log_variance.requires_grad_())
    latents = posterior.at(noise)
    log_likelihood = -(latents.sin().sum(dim=1) - 1).square()
    kl = posterior.kl_to_standard()
    return ForwardPass(log_likelihood, posterior, kl, latents, condition)


def make_discriminator(latent_dim=LATENT_DIM, width=16, seed=0):
    """A discriminator with weights of its own."""
    with UseGenerator(make_generator(seed)):
        return nn.Sequential(
            nn.Linear(latent_dim, width), nn.LeakyReLU(0.2), nn.Linear(width, 1)
        )


def gradients(value, batch):
    """Gradients to the posterior of each row."""
    return torch.autograd.grad(value, batch.posterior, retain_graph=True)


ADVERSARIAL = {"discriminator": make_discriminator(), "lr": 1e-3}
# The class, and the parameters that make one.
CASES = {
    "VAE": (VAEObjective, {}),
    "BetaVAE": (BetaVAEObjective, {"beta": 4.0}),
    **{
        f"BetaTCVAE {estimator}": (
            BetaTCVAEObjective,
            {"beta": 6.0, "tc_estimator": estimator, "n_rows": N_ROWS},
        )
        for estimator in sorted(TOTAL_CORRELATION_ESTIMATORS)
    },
    "Capacity": (CapacityObjective, {"capacity": 1.5, "gamma": 3.0}),
    "DCVAE": (DCVAEObjective, {"beta": 3.0}),
    **{
        f"DIPVAE {variant}": (
            DIPVAEObjective,
            {"variant": variant, "off_diagonal_weight": 2.0, "diagonal_weight": 5.0},
        )
        for variant in ("i", "ii")
    },
    "FactorVAE": (FactorVAEObjective, {"beta": 7.0, **ADVERSARIAL}),
    "InfoVAE": (InfoVAEObjective, {"alpha": 0.25, "mmd_weight": 20.0}),
    "RFVAE": (
        RFVAEObjective,
        {
            "latent_dim": LATENT_DIM,
            "beta": 7.4,
            "kl_weights": (0.1, 10.0),
            "relevance_weight": 1.0,
            "entropy_weight": 100.0,
            **ADVERSARIAL,
        },
    ),
}
# The parameters that make it the VAE's objective.
NEUTRAL = {
    "BetaVAE": {"beta": 1.0},
    **{name: {"beta": 1.0} for name in CASES if name.startswith("BetaTCVAE")},
    "Capacity": {"capacity": 0.0, "gamma": 1.0},
    "DCVAE": {"beta": 1.0},
    "DIPVAE i": {"off_diagonal_weight": 0.0, "diagonal_weight": 0.0},
    "DIPVAE ii": {"off_diagonal_weight": 0.0, "diagonal_weight": 0.0},
    "FactorVAE": {"beta": 1.0},
    "InfoVAE": {"alpha": 0.0, "mmd_weight": 1.0},
    "RFVAE": {
        "beta": 1.0,
        "kl_weights": (1.0, 1.0),
        "relevance_weight": 0.0,
        "entropy_weight": 0.0,
    },
}
# Weights of the terms at the end of the warm-up. RFVAE weighs each KL on its own, which
# its equal weights make one; Capacity is no sum of terms.
TERM_WEIGHTS = {
    "VAE": {"kl": 1.0},
    "BetaVAE": {"kl": 4.0},
    **{
        name: {"kl": 1.0, "total_correlation": 5.0}
        for name in CASES
        if name.startswith("BetaTCVAE")
    },
    "DCVAE": {"kl": 1.0, "total_correlation": 2.0},
    "DIPVAE i": {"kl": 1.0, "covariance_off_diagonal": 2.0, "covariance_diagonal": 5.0},
    "DIPVAE ii": {
        "kl": 1.0,
        "covariance_off_diagonal": 2.0,
        "covariance_diagonal": 5.0,
    },
    "FactorVAE": {"kl": 1.0, "total_correlation": 6.0},
    "InfoVAE": {"kl": 0.75, "maximum_mean_discrepancy": 19.25},
    "RFVAE": {
        "kl": 3.0,
        "total_correlation": 6.4,
        "relevance": 1.0,
        "relevance_entropy": 100.0,
    },
}
EQUAL_KL_WEIGHTS = {"RFVAE": {"kl_weights": (3.0, 3.0)}}


def make_objective(name, **changes):
    """Make one of `CASES` with some parameters changed."""
    make, parameters = CASES[name]
    return make(**{**parameters, **changes})
