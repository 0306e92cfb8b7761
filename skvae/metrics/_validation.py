"""Checks that the metrics share, and the rule for what counts as active."""

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_array

# Below this standard deviation a latent dimension counts as dead. The value is the
# one in disentanglement_lib's published configurations (prune_dims.threshold).
MIN_STD = 0.05


def check_codes(codes, *, name="codes"):
    """Return `codes` as a finite float64 array of shape (n, D) with n >= 2."""
    return check_array(codes, dtype=np.float64, input_name=name, ensure_min_samples=2)


def check_factors(factors):
    """Return `factors` as a DataFrame with one column per factor, none missing."""
    if not isinstance(factors, pd.DataFrame):
        if not isinstance(factors, pd.Series):
            factors = np.asarray(factors)
            if factors.ndim not in (1, 2):
                raise ValueError(
                    "Expected factors of shape (n_rows, n_factors) or (n_rows,), "
                    f"got {factors.shape}."
                )
        # An object array may hold numbers in one column and strings in the next.
        factors = pd.DataFrame(factors).infer_objects()
    if factors.shape[1] == 0:
        raise ValueError(f"Expected at least one factor, got shape {factors.shape}.")
    missing = factors.isna().to_numpy().any(axis=0)
    if missing.any():
        raise ValueError(
            f"Factors {list(factors.columns[missing])} hold missing values; drop "
            "these rows from the factors and from the codes."
        )
    return factors


def check_factors_and_codes(factors, codes):
    """Check both, and that they describe the same rows."""
    factors = check_factors(factors)
    codes = check_codes(codes)
    if len(factors) != len(codes):
        raise ValueError(
            "Expected as many rows of factors as of codes, got factors of shape "
            f"{factors.shape} and codes of shape {codes.shape}."
        )
    return factors, codes


def check_posterior(means, log_variances):
    """Return the two parameter arrays of a diagonal Gaussian posterior."""
    means = check_codes(means, name="means")
    log_variances = check_codes(log_variances, name="log_variances")
    if means.shape != log_variances.shape:
        raise ValueError(
            "Expected means and log_variances of one shape, got means of shape "
            f"{means.shape} and log_variances of shape {log_variances.shape}."
        )
    return means, log_variances


def active_dimensions(codes, min_std):
    """Mask of the columns whose standard deviation is at least `min_std`.

    A constant column is never active: the mean of equal numbers is not always that
    number in floating point, so that its computed deviation need not be 0.
    """
    return (codes.std(axis=0, ddof=1) >= min_std) & (np.ptp(codes, axis=0) > 0)
