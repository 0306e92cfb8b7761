"""What each latent carries, and how many carry anything, by hand."""

import math

import numpy as np

from skvae.metrics import kl_per_dimension, n_active


def test_kl_per_dimension():
    means = np.array([[1.0, 0.0, 2.0], [3.0, 0.0, 2.0]])
    log_variances = np.log([[1.0, 1.0, 4.0], [1.0, 1.0, 0.25]])
    third = [(4 + 4 - 1 - math.log(4)) / 2, (4 + 0.25 - 1 + math.log(4)) / 2]
    expected = [(0.5 + 4.5) / 2, 0, np.mean(third)]
    np.testing.assert_allclose(kl_per_dimension(means, log_variances), expected)


def test_kl_per_dimension_keeps_small_digits():
    log_variances = np.full((2, 1), 1e-9)
    kl = kl_per_dimension(np.zeros((2, 1)), log_variances)
    assert 0 <= kl[0] < 1e-16


def test_n_active():
    means = np.tile([[1.0, 0.1, 0.3, 0.0]], (5, 1))
    means[:2] *= -1
    log_variances = np.zeros((5, 4))
    # KL of the latents: 0.5, 0.005, 0.045, 0.
    assert n_active(means, log_variances) == 2
    assert n_active(means, log_variances, threshold=0.001) == 3
    assert n_active(means, log_variances, threshold=0.1) == 1
    assert n_active(0 * means, log_variances) == 0
    assert type(n_active(means, log_variances)) is int
