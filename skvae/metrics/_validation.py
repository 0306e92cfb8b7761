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
    """Return `factors` as a DataFrame with one column per factor.

    Cells may be missing, but not all cells of a factor.
    """
    if not isinstance(factors, pd.DataFrame | pd.Series):
        factors = np.asarray(factors)
        if factors.ndim not in (1, 2):
            raise ValueError(
                "Expected factors of shape (n_rows, n_factors) or (n_rows,), "
                f"got {factors.shape}."
            )
    factors = pd.DataFrame(factors)
    if factors.shape[1] == 0:
        raise ValueError(f"Expected at least one factor, got shape {factors.shape}.")
    factors = _infer_kinds(factors)
    missing = factors.isna().to_numpy().all(axis=0)
    if missing.any():
        raise ValueError(
            "Expected factors that are known in some rows, got "
            f"{list(factors.columns[missing])} missing in all {len(factors)}."
        )
    return factors


def _infer_kinds(factors):
    """Give columns of objects the dtype of what they hold: numbers, dates, strings."""
    columns = [
        # pandas takes numbers beside None for numbers, and beside pd.NA for objects.
        column.where(column.notna(), None).infer_objects()
        if column.dtype == object
        else column
        for _, column in factors.items()
    ]
    return pd.concat(columns, axis=1)


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


def standardise_active(codes, min_std):
    """Drop the dead codes, and give the others mean 0 and standard deviation 1."""
    codes = codes[:, active_dimensions(codes, min_std)]
    return (codes - codes.mean(axis=0)) / codes.std(axis=0, ddof=1)


def check_codes_of_models(codes):
    """Return the codes of at least two models as a list of checked arrays."""
    codes = [
        check_codes(codes_of_model, name=f"codes[{i}]")
        for i, codes_of_model in enumerate(codes)
    ]
    if len(codes) < 2:
        raise ValueError(
            f"Expected codes of at least two models to compare, got {len(codes)}."
        )
    return codes


def check_one_per_model(values, codes, name):
    """Refuse a list that is not as long as the list of models."""
    if len(values) != len(codes):
        raise ValueError(
            f"Expected one entry of {name} for each of the {len(codes)} models, got "
            f"{len(values)}."
        )


def check_active_of_models(active, codes):
    """Return one boolean mask of active latents per model."""
    if active is None:
        return [active_dimensions(one, MIN_STD) for one in codes]
    check_one_per_model(active, codes, "active")
    active = [np.asarray(mask) for mask in active]
    for i, (mask, one) in enumerate(zip(active, codes, strict=True)):
        if mask.dtype != bool or mask.shape != one.shape[1:]:
            raise ValueError(
                f"Expected active[{i}] as a boolean mask of shape {one.shape[1:]}, "
                f"got dtype {mask.dtype} and shape {mask.shape}."
            )
    return active
