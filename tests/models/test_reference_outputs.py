"""Outputs of each model at weights that are set by hand, stored when they were made.

Training is a chaotic function of the last bits of a machine's arithmetic; what a model
says at given weights is not. A change of these numbers is a change of a formula.
"""

import numpy as np
import pytest
import torch
from model_cases import MODELS, small

ROWS = np.column_stack([np.linspace(-1, 2, 8) ** power for power in (1, 2, 3)])
CODES = [[2.206, 0.8131], [2.1989, 0.7728]]
TERMS = {
    "VAE": {"loss": 11.2569, "reconstruction": 6.4312, "kl": 4.8258},
    "BetaTCVAE": {
        "loss": 11.3493,
        "reconstruction": 6.4312,
        "kl": 4.8258,
        "total_correlation": 0.0308,
    },
    "BetaVAE": {"loss": 25.7343, "reconstruction": 6.4312, "kl": 4.8258},
}


@pytest.fixture(params=MODELS, ids=lambda model: model.__name__)
def model(request):
    model = small(request.param, latent_dim=2, hidden_layer_sizes=(4,), max_epochs=1)
    model.set_params(activation="silu", early_stopping=False).fit(ROWS)
    with torch.no_grad():
        for weights in model.module_.parameters():
            waves = torch.arange(1, weights.numel() + 1, dtype=torch.float64).sin()
            weights.copy_(waves.reshape(weights.shape))
    return model


def test_codes(model):
    np.testing.assert_allclose(model.transform(ROWS)[:2], CODES, atol=1e-4)


def test_terms_of_the_loss(model):
    rows = torch.as_tensor(model.table_encoder_.transform(ROWS))
    noise = torch.linspace(-1, 1, 16, dtype=torch.float64).reshape(8, 2)
    terms = model.net_._terms(rows, noise, warmup=1.0)
    expected = TERMS[type(model).__name__]
    assert {name: round(value.item(), 4) for name, value in terms.items()} == expected
