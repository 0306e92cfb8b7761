"""What fields of stored objects may hold: annotations, and values compared with them.

Annotations are those of `typing`, and mean what they mean there. Arrays are annotated
by dtype and number of dimensions; None is a field that is not kept, and comes back as
None; a field that is `NotRequired` may lack.
"""

from numbers import Integral
from types import NoneType, UnionType
from typing import Annotated, Any, NotRequired, Union, get_args, get_origin

import numpy as np

Vector = Annotated[np.ndarray, "float64", 1]
Matrix = Annotated[np.ndarray, "float64", 2]
Texts = Annotated[np.ndarray, "object", 1]


class Given:
    """Annotates what a user brings along: code, which no file holds."""


def fits(value, annotation) -> bool:
    """Whether a value is what an annotation says.

    Examples
    --------
    >>> from skvae._core.stored_types import fits
    >>> fits((1, 2), tuple[int, ...]), fits((1, 2.5), tuple[int, ...])
    (True, False)
    """
    if annotation in (object, Any, Given):
        return True
    if annotation in (None, NoneType):
        return value is None
    if get_origin(annotation) is not None:
        return _fits_parts(value, get_origin(annotation), get_args(annotation))
    if annotation is int:
        return isinstance(value, Integral) and not isinstance(value, bool)
    return isinstance(value, annotation)


def _fits_parts(value, origin, parts):
    """Compare with an annotation that is made of others."""
    if origin is Annotated:
        _, dtype, ndim = parts
        is_array = isinstance(value, np.ndarray)
        return is_array and value.dtype == dtype and value.ndim == ndim
    if origin in (Union, UnionType):
        return any(fits(value, part) for part in parts)
    if origin is NotRequired:
        return fits(value, parts[0])
    if not isinstance(value, origin):
        return False
    if origin is dict:
        of_keys, of_values = parts
        return all(fits(k, of_keys) and fits(v, of_values) for k, v in value.items())
    if origin is list or parts[-1] is Ellipsis:
        return all(fits(item, parts[0]) for item in value)
    return len(value) == len(parts) and all(map(fits, value, parts))


def is_required(annotation) -> bool:
    """Whether a field always has to be there."""
    return get_origin(annotation) is not NotRequired


def shown(annotation) -> str:
    """Return an annotation as one would write it."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return f"a {parts[2]}-dimensional array of {parts[1]}"
    if origin in (Union, UnionType):
        return " or ".join(map(shown, parts))
    if origin is NotRequired:
        return shown(parts[0])
    if origin is not None:
        return str(annotation)
    return "None" if annotation in (None, NoneType) else annotation.__name__
