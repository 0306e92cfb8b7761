"""How values of pandas, and scikit-learn's scalers, go into model files."""

from typing import NotRequired

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionDtype
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from skvae._core.errors import ModelFileError
from skvae._core.stored_types import Matrix, Vector
from skvae._core.storing import Parts, register, storable


def _stamp_parts(stamp):
    zone = None if stamp.tz is None else str(stamp.tz)
    return [int(stamp.asm8.astype(np.int64)), stamp.unit, zone]


def _stamp_of(parts):
    ticks, unit, zone = parts
    stamp = pd.Timestamp(np.datetime64(ticks, unit))
    if zone is None:
        return stamp
    return stamp.tz_localize("UTC").tz_convert(_plain_zone(zone))


def _duration_parts(duration):
    return [int(duration.asm8.astype(np.int64)), duration.unit]


def _duration_of(parts):
    return pd.Timedelta(np.timedelta64(*parts))


def _categories_parts(dtype):
    categories = dtype.categories
    return [list(categories), categories.dtype, bool(dtype.ordered)]


def _categories_of(parts):
    categories, dtype, is_ordered = parts
    return pd.CategoricalDtype(pd.Index(categories, dtype=dtype), is_ordered)


def _dtype_name(dtype):
    """Return the name of a dtype of pandas, which has to tell all of it."""
    name = str(dtype)
    if isinstance(dtype, pd.StringDtype) and dtype.na_value is pd.NA:
        name = f"string[{dtype.storage}]"
    if _dtype_of(name) != dtype:
        raise ModelFileError(
            f"Got a column of dtype {dtype!r}, which its name {name!r} does not tell; "
            "expected a dtype that pandas can make of its name. Convert it (astype)."
        )
    return name


def _dtype_of(name):
    return pd.api.types.pandas_dtype(_plain_zone(name))


def _plain_zone(name):
    if "dateutil" in name:  # which would look for a file of that name
        raise ModelFileError(f"Got {name!r}; expected a time zone of zoneinfo.")
    return name


def _index_parts(index):
    return [list(index), index.dtype]


register(pd.Timestamp, Parts("Timestamp", _stamp_parts, _stamp_of))
register(pd.Timedelta, Parts("Timedelta", _duration_parts, _duration_of))
register(
    pd.Period,
    Parts(
        "Period",
        lambda period: [period.ordinal, period.freqstr],
        lambda parts: pd.Period(ordinal=parts[0], freq=parts[1]),
    ),
)
register(
    pd.Interval,
    Parts(
        "Interval",
        lambda interval: [interval.left, interval.right, interval.closed],
        lambda parts: pd.Interval(*parts),
    ),
)
register(
    pd.CategoricalDtype,
    Parts("CategoricalDtype", _categories_parts, _categories_of),
)
register(
    ExtensionDtype,
    Parts("pandas dtype", _dtype_name, _dtype_of),
    of_subclasses=True,
)
register(pd.Index, Parts("Index", _index_parts, lambda p: pd.Index(p[0], dtype=p[1])))

# What these scalers learn, as scikit-learn has it since 1.6.
_Learned = NotRequired[Vector | None]
storable(
    mean_=_Learned,
    var_=_Learned,
    scale_=_Learned,
    n_samples_seen_=object,
    n_features_in_=int,
)(StandardScaler)
storable(
    min_=Vector,
    scale_=Vector,
    data_min_=Vector,
    data_max_=Vector,
    data_range_=Vector,
    n_samples_seen_=int,
    n_features_in_=int,
)(MinMaxScaler)
storable(max_abs_=Vector, scale_=Vector, n_samples_seen_=int, n_features_in_=int)(
    MaxAbsScaler
)
storable(center_=_Learned, scale_=_Learned, n_features_in_=int)(RobustScaler)
storable(lambdas_=Vector, _scaler=NotRequired[StandardScaler], n_features_in_=int)(
    PowerTransformer
)
storable(quantiles_=Matrix, references_=Vector, n_quantiles_=int, n_features_in_=int)(
    QuantileTransformer
)
storable(n_features_in_=int)(FunctionTransformer)
