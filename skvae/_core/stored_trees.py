"""Fitted objects to trees that JSON can hold beside named arrays, and back."""

import math

import numpy as np

from skvae._core import stored_values  # noqa: F401 (registers the plain ones)
from skvae._core.errors import ModelFileError
from skvae._core.stored_types import Given
from skvae._core.storing import below, check_fits, kind_called, kind_of, short


class Writer:
    """Takes values apart, and collects the arrays that they are made of.

    Attributes
    ----------
    arrays : dict of str to ndarray
        The arrays, named by the path to where they stand.
    """

    def __init__(self):
        self.arrays = {}
        self._path_of = {}
        self._name_of = {}
        self._written = []  # lest another value take the place of one in memory

    def write(self, value, path=""):
        """Return the tree of a value that stands at `path`."""
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float and math.isfinite(value):
            return value
        if type(value) is list:
            return [self.write(item, below(path, n)) for n, item in enumerate(value)]
        kind = kind_of(value)
        if kind is None:
            raise ModelFileError(
                f"{path or 'The model'} is {short(value)} of type "
                f"{type(value).__name__}, which a model file cannot hold; expected "
                "numbers, strings, dates, lists, tuples, dictionaries, arrays or "
                "estimators of skvae, since files hold no code. Pickle keeps the rest, "
                "for readers who trust you."
            )
        if id(value) in self._path_of:
            return {"type": "same", "value": self._path_of[id(value)]}
        tree = {"type": kind.name, "value": kind.write(value, self, path)}
        if kind.is_shared:
            self._path_of[id(value)] = path
            self._written.append(value)
        return tree

    def keep(self, array, as_kept, path) -> str:
        """Keep an array in some form, and return what it is called."""
        if id(array) not in self._name_of:
            name = path if path not in self.arrays else f"{path} {len(self.arrays)}"
            self._name_of[id(array)] = name
            self._written.append(array)
            native = as_kept.dtype.newbyteorder("=")
            self.arrays[name] = np.asarray(as_kept, dtype=native, order="C")
        return self._name_of[id(array)]


class Reader:
    """Puts values together that a `Writer` took apart.

    Parameters
    ----------
    arrays : dict of str to ndarray
        The arrays by their names.

    given : dict of str to object
        What the user brings along.
    """

    def __init__(self, arrays, given):
        self._arrays = arrays
        self._given = given
        self._used = set()
        self._made = {}
        # A model has each of its arrays in one place, or in two. What names one over
        # and over would grow beyond its file.
        self._room = 2 * sum(array.nbytes for array in arrays.values())

    def read(self, tree, path=""):
        """Return the value of a tree that stands at `path`."""
        if isinstance(tree, list):
            return [self.read(item, below(path, n)) for n, item in enumerate(tree)]
        if not isinstance(tree, dict):
            return tree
        if set(tree) != {"type", "value"}:
            raise ModelFileError(f"{path or 'The model'} has no type and value.")
        if tree["type"] == "same":
            return self._made[tree["value"]]
        kind = kind_called(tree["type"])
        if kind is None:
            raise ModelFileError(
                f"{path or 'The model'} is a {tree['type']!r}; expected a type that "
                "this version of skvae knows."
            )
        value = kind.read(tree["value"], self, path)
        if kind.is_shared:
            self._made[path] = value
        return value

    def field(self, name, tree, annotation, path):
        """Return the value of a field, checked."""
        if annotation is Given and tree is not None:
            return self._brought(name, tree)
        value = self.read(tree, path)
        check_fits(value, annotation, path)
        return value

    def _brought(self, name, tree):
        if tree != {"type": "given", "value": name}:
            raise ModelFileError(f"{name} is {short(tree)}; expected None.")
        if self._given.get(name) is None:
            raise ModelFileError(
                f"The model was made with an {name} of its own, which is code and not "
                f"in the file; expected it here: skvae.load(path, {name}=...)."
            )
        self._used.add(name)
        return self._given[name]

    def array(self, name) -> np.ndarray:
        """Return an array."""
        self._used.add(name)
        self._room -= self._arrays[name].nbytes
        if self._room < 0:
            raise ModelFileError(f"Array {name!r} is named too often; expected once.")
        return self._arrays[name]

    def check_all_used(self):
        """Say so where something was brought along that the tree does not ask for."""
        for name in (*self._arrays, *self._given):
            if name not in self._used:
                raise ModelFileError(f"Got {name}, which the model has no place for.")


def take_apart(value) -> tuple[object, dict]:
    """Return the tree of a value, and the arrays that it names."""
    writer = Writer()
    return writer.write(value), writer.arrays


def put_together(tree, arrays, **given):
    """Return the value of a tree, given its arrays and what it asks the user for.

    Raises
    ------
    ModelFileError
        If it is no tree that `take_apart` would have returned.
    """
    reader = Reader(
        arrays, {n: value for n, value in given.items() if value is not None}
    )
    try:
        value = reader.read(tree)
    except ModelFileError:
        raise
    # Constructors and checks of whatever library meet what somebody made up.
    except Exception as error:
        raise ModelFileError(
            f"The file does not describe a model ({type(error).__name__}: {error})."
        ) from error
    reader.check_all_used()
    return value
