"""How values of Python and numpy are stored, beyond what JSON can hold."""

import datetime

import numpy as np

from skvae._core.errors import ModelFileError
from skvae._core.storing import Kind, Parts, below, register

# Arrays of objects and of texts hold items, one by one.
_OF_ITEMS = "OU"
# In arrays of texts each takes as much room as the longest: so many letters in all.
_MOST_LETTERS = 1_000_000


class ArrayKind(Kind):
    """Arrays of numbers, which stand beside the tree, and one-dimensional ones of text.

    The order of the elements in memory is kept: in another, products of matrices differ
    in their last digits.
    """

    def write(self, value, writer, path):
        if value.dtype.kind in _OF_ITEMS and value.ndim == 1:
            items = value.tolist()
            _array_of(items, value.dtype.str)  # as it will have to be
            return {"dtype": value.dtype.str, "items": writer.write(items, path)}
        if value.dtype.kind not in "biuf" or value.dtype.itemsize > 8:
            raise ModelFileError(
                f"{path} is an array of {value.dtype}; expected one of numbers."
            )
        is_transposed = value.flags.f_contiguous and not value.flags.c_contiguous
        name = writer.keep(value, value.T if is_transposed else value, path)
        return {"transposed": name} if is_transposed else name

    def read(self, tree, reader, path):
        if isinstance(tree, str):
            return reader.array(tree)
        if set(tree) == {"transposed"}:
            return reader.array(tree["transposed"]).T
        if set(tree) == {"dtype", "items"}:
            return _array_of(reader.read(tree["items"], path), tree["dtype"])
        raise ModelFileError(f"{path} is no array.")


def _array_of(items, dtype):
    """Return an array of items, which decide by themselves how much room they take."""
    if dtype == "|O":
        array = np.empty(len(items), dtype=object)
        array[:] = items
        return array
    if len(items) * max(map(len, items), default=0) > _MOST_LETTERS:
        raise ModelFileError("Got an array of very long texts; expected short ones.")
    return np.array(items, dtype=str)


class DictKind(Kind):
    """Dictionaries: of words as JSON has them, others as pairs of keys and values."""

    def write(self, value, writer, path):
        if all(type(key) is str for key in value):
            return {key: writer.write(v, below(path, key)) for key, v in value.items()}
        return writer.write([[key, item] for key, item in value.items()], path)

    def read(self, tree, reader, path):
        if isinstance(tree, dict):
            return {key: reader.read(v, below(path, key)) for key, v in tree.items()}
        return dict(reader.read(tree, path))


def _scalar_parts(scalar):
    if isinstance(scalar, np.datetime64 | np.timedelta64):
        return [scalar.dtype.str, int(scalar.astype(np.int64))]
    return [scalar.dtype.str, scalar.item()]


def _scalar_of(parts):
    dtype = _plain_dtype(parts[0])
    if dtype.kind in "mM":
        return np.array(parts[1], dtype=np.int64).astype(dtype)[()]
    return dtype.type(parts[1])


def _plain_dtype(text):
    """Return a dtype of numbers, of dates or of objects, given its name."""
    dtype = np.dtype(text)
    if dtype.kind not in "biufmMOU" or dtype.shape:
        raise ModelFileError(f"Got dtype {text!r}; expected one of plain values.")
    return dtype


def _date_parts(date):
    if getattr(date, "tzinfo", None) is not None:
        raise ModelFileError(
            f"Got {date!r}, whose time zone a model file cannot hold; expected a "
            "pandas Timestamp."
        )
    return date.isoformat()


def _random_parts(random_state):
    state = random_state.get_state(legacy=False)
    if state["bit_generator"] != "MT19937":
        raise ModelFileError(
            f"Got a RandomState of {state['bit_generator']}; expected one of MT19937, "
            "or an int."
        )
    return state


def _random_of(state):
    random_state = np.random.RandomState()
    random_state.set_state(state)
    return random_state


register(tuple, Parts("tuple", list, tuple))
register(dict, DictKind("dict"))
register(float, Parts("float", repr, float))
register(
    slice, Parts("slice", lambda s: [s.start, s.stop, s.step], lambda p: slice(*p))
)
register(datetime.date, Parts("date", _date_parts, datetime.date.fromisoformat))
register(
    datetime.datetime,
    Parts("datetime", _date_parts, datetime.datetime.fromisoformat),
)
register(np.ndarray, ArrayKind("array"))
register(np.generic, Parts("scalar", _scalar_parts, _scalar_of), of_subclasses=True)
register(np.dtype, Parts("dtype", lambda d: d.str, _plain_dtype), of_subclasses=True)
register(np.random.RandomState, Parts("RandomState", _random_parts, _random_of))
