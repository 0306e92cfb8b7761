"""Outputs of each model at weights that are set by hand, stored when they were made.

Training is a chaotic function of the last bits of a machine's arithmetic; what a model
says at given weights is not. A change of these numbers is a change of a formula.
"""

import numpy as np
import pytest
import torch
from model_cases import MODELS, n_latents, small

from skvae import VAE

ROWS = np.column_stack([np.linspace(-1, 2, 8) ** power for power in (1, 2, 3)])
CODES = [[2.206, 0.8131], [2.1989, 0.7728]]
# The weights of its learned prior are set too.
CODES_OF_DCVAE = [[1.2715, -0.1405], [1.265, -0.1993]]
# Its factors are those of its first stage, and stand before the residual latents.
CODES_OF_MSVAE = np.hstack([CODES, [[2.8619, 1.2706], [2.8551, 1.2277]]])
CODES_OF = {"DCVAE": CODES_OF_DCVAE, "MSVAE": CODES_OF_MSVAE}
BOUND = {"reconstruction": 6.4312, "kl": 4.8258}
TERMS = {
    "VAE": {"loss": 11.2569, **BOUND},
    "BetaTCVAE": {"loss": 11.3493, **BOUND, "total_correlation": 0.0308},
    "BetaVAE": {"loss": 25.7343, **BOUND},
    "CVAE": {"loss": 11.2569, **BOUND},
    "DCVAE": {
        "loss": 11.7559,
        "reconstruction": 6.4312,
        "kl": 5.2325,
        "total_correlation": 0.0308,
    },
    "DIPVAE": {
        "loss": 118.6845,
        **BOUND,
        "covariance_off_diagonal": 0.1325,
        "covariance_diagonal": 10.6103,
    },
    "FactorVAE": {"loss": 891.1491, **BOUND, "total_correlation": 97.7658},
    "InfoVAE": {"loss": 66.4573, **BOUND, "maximum_mean_discrepancy": 0.579},
    "MSVAE": {"loss": 399943.2152, "reconstruction": 399932.1462, "kl": 11.069},
    "RFVAE": {
        "loss": 636.1679,
        **BOUND,
        "total_correlation": 97.0639,
        "relevance": 1.4116,
        "relevance_entropy": 1.2115,
    },
}


@pytest.fixture(params=MODELS, ids=lambda model: model.__name__)
def model(request):
    return made(request.param, likelihood="gaussian")


def made(model_class, **params):
    """Return a model at the weights that are set by hand."""
    model = small(
        model_class, latent_dim=2, hidden_layer_sizes=(4,), max_epochs=1, **params
    )
    model.set_params(activation="silu", early_stopping=False).fit(ROWS)
    with torch.no_grad():
        trained = (model.module_, model.net_.criterion_)
        for weights in (w for part in trained for w in part.parameters()):
            waves = torch.arange(1, weights.numel() + 1, dtype=torch.float64).sin()
            weights.copy_(waves.reshape(weights.shape))
    return model


def terms_of(model):
    """Return the terms of the loss of the rows, their latents drawn at fixed noise."""
    rows = torch.as_tensor(model.table_encoder_.transform(ROWS))
    n = n_latents(model)
    noise = torch.linspace(-1, 1, 8 * n, dtype=torch.float64).reshape(8, n)
    terms = model.net_.criterion_(model.module_(rows, noise), 1.0)
    return {name: round(value.item(), 4) for name, value in terms.items()}


def test_codes(model):
    expected = CODES_OF.get(type(model).__name__, CODES)
    np.testing.assert_allclose(model.transform(ROWS)[:2], expected, atol=1e-4)


def test_terms_of_the_loss(model):
    assert terms_of(model) == TERMS[type(model).__name__]


def test_mixtures_of_normals():
    expected = {"loss": 15.2012, "reconstruction": 10.3754, "kl": 4.8258}
    assert terms_of(made(VAE)) == expected
