"""How fitted objects are stored: which classes, which of their fields, in which form.

A stored value is a tree: None, a boolean, a string, a whole or a finite number, a list
of trees, or ``{"type": name, "value": tree}``, where the name is that of a kind of
value that was registered here, in code. So reading a tree makes values of these kinds
and no others, whatever it says: it imports nothing, and calls nothing that it names.

Objects are kept field by field. Which fields a class has, and what they may hold, is
declared where the class is defined, by `storable`. They are made by their constructors,
and what these do not take is set after. `skvae._core.stored_trees` goes through them.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from typing import NotRequired, get_type_hints

from skvae._core.errors import ModelFileError
from skvae._core.stored_types import Given, fits, is_required, shown


class Kind(ABC):
    """How values of one class are written and read.

    Attributes
    ----------
    is_shared : bool
        Whether a value that occurs several times is written once, and comes back as one
        object.
    """

    is_shared = False

    def __init__(self, name):
        self.name = name

    @abstractmethod
    def write(self, value, writer, path):
        """Return the tree of a value that stands at `path`, without its type."""

    @abstractmethod
    def read(self, tree, reader, path):
        """Return the value of such a tree."""


_KINDS: dict[str, Kind] = {}
_OF_CLASS: dict[type, Kind] = {}
# Kinds of classes whose subclasses are of the same kind.
_OF_BASE: dict[type, Kind] = {}
_DECLARED: dict[type, dict] = {}
# What scikit-learn adds to estimators: `set_output` stays, requests for metadata, which
# are for searches, do not.
_OF_ESTIMATORS = {
    "_sklearn_output_config": NotRequired[dict[str, str]],
    "_metadata_request": NotRequired[None],
}


def register(cls, kind, *, of_subclasses=False):
    """Let values of a class be stored; registered twice, a name would be ambiguous."""
    if kind.name in _KINDS:
        raise ValueError(
            f"A kind is called {kind.name!r} already; expected a new name."
        )
    _KINDS[kind.name] = kind
    (_OF_BASE if of_subclasses else _OF_CLASS)[cls] = kind


def storable(cls=None, /, **declared):
    """Let objects of a class be stored: a decorator.

    Parameters
    ----------
    cls : type
        The class. What its constructor takes are fields without a further word, of a
        dataclass those that it annotates. It has the fields of the classes above it.

    **declared : annotations
        The other fields, of objects that are fitted, and what they hold: see
        `skvae._core.stored_types`.

    Returns
    -------
    cls : type or callable
        The same class; without one, what decorates a class.
    """
    if cls is None:
        return partial(storable, **declared)
    stored_fields(**declared)(cls)
    register(cls, ObjectKind(cls))
    return cls


def stored_fields(**declared):
    """Declare fields that storable classes below a class have: a decorator."""

    def declare(cls):
        _DECLARED[cls] = declared
        return cls

    return declare


def kind_of(value) -> Kind | None:
    """Return how a value is stored, None if it cannot be."""
    cls = type(value)
    if cls in _OF_CLASS:
        return _OF_CLASS[cls]
    return next((_OF_BASE[base] for base in cls.__mro__ if base in _OF_BASE), None)


def kind_called(name) -> Kind | None:
    """Return the kind of a name, None if there is no such."""
    return _KINDS.get(name)


class ObjectKind(Kind):
    """Objects of a class whose fields are declared.

    An estimator that is not fitted has its parameters and nothing else.
    """

    is_shared = True

    def __init__(self, cls):
        super().__init__(cls.__name__.lstrip("_"))
        self.cls = cls
        self.is_estimator = hasattr(cls, "get_params")
        self.arguments = tuple(p.name for p in _parameters(cls))
        annotations = _annotations(cls, self.arguments)
        self.known = set(annotations)
        self.fields = {n: a for n, a in annotations.items() if a != NotRequired[None]}
        # A parameter that is younger than a file has its default there.
        self.required = {n for n, a in self.fields.items() if is_required(a)}
        if self.is_estimator:
            self.required -= {
                p.name for p in _parameters(cls) if p.default is not p.empty
            }

    def write(self, value, writer, path):
        state = vars(value)
        if self.is_estimator and _is_ours(self.cls):
            self._check_knows(state, path)
        if self.is_estimator and not self._is_fitted(value):
            state = {name: state[name] for name in self.arguments}
        return {
            name: self._written(name, state[name], writer, below(path, name))
            for name in self._names_in(state)
        }

    def _written(self, name, value, writer, path):
        annotation = self.fields[name]
        if annotation is None:
            return None
        if annotation is Given and value is not None:
            return {"type": "given", "value": name}
        check_fits(value, annotation, path)
        return writer.write(value, path)

    def _is_fitted(self, value):
        if hasattr(value, "__sklearn_is_fitted__"):
            return value.__sklearn_is_fitted__()
        return self.required <= set(vars(value))

    def _names_in(self, state):
        """Return which fields there are, in order, or say which is lacking."""
        names = [name for name in self.fields if name in state]
        required = self.required
        if self.is_estimator and set(names) <= set(self.arguments):
            required = required & set(self.arguments)
        if lacking := required - set(names):
            raise ModelFileError(f"{self.name} lacks {min(lacking)}.")
        return names

    def _check_knows(self, state, path):
        """Say so where somebody has put something else into an estimator."""
        if unknown := set(state) - self.known:
            raise ModelFileError(
                f"{path or self.name} has an attribute {min(unknown)!r}; expected "
                f"none but those that {self.name} learns. Delete it first."
            )

    def read(self, tree, reader, path):
        if not isinstance(tree, dict):
            raise ModelFileError(f"{path or self.name} is no object with fields.")
        if unknown := set(tree) - set(self.fields):
            raise ModelFileError(f"{self.name} has no field {min(unknown)!r}.")
        values = {
            name: reader.field(name, tree[name], self.fields[name], below(path, name))
            for name in self._names_in(tree)
        }
        made = self.cls(**{n: values.pop(n) for n in self.arguments if n in values})
        for name, value in values.items():
            setattr(made, name, value)
        if hasattr(made, "_check_stored"):
            made._check_stored()
        return made


@dataclass
class Parts(Kind):
    """Values that are made of others.

    Parameters
    ----------
    name : str
        What they are called in files.

    take_apart : callable
        Returns what a value is made of: a number, a string, or a list of whatever can
        be stored.

    put_together : callable
        Returns the value.
    """

    name: str
    take_apart: Callable
    put_together: Callable

    def write(self, value, writer, path):
        return writer.write(self.take_apart(value), path)

    def read(self, tree, reader, path):
        return self.put_together(reader.read(tree, path))


def below(path, name) -> str:
    """Return the path of something within something else."""
    return f"{path}.{name}" if path else str(name)


def _parameters(cls):
    """Return what a constructor takes."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    return [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def _is_ours(cls):
    return cls.__module__.split(".")[0] == __name__.split(".")[0]


def _annotations(cls, arguments):
    """Return what each field may hold; an argument anything, unless declared."""
    annotations = dict.fromkeys(arguments, object)
    if is_dataclass(cls):
        hints = get_type_hints(cls, include_extras=True)
        annotations = {field.name: hints[field.name] for field in fields(cls)}
    declared = {}
    for base in cls.__mro__:
        declared |= {n: a for n, a in _declared_of(base) if n not in declared}
    return {**annotations, **declared}


def _declared_of(cls):
    own = _OF_ESTIMATORS if "get_params" in vars(cls) else {}
    return {**own, **_DECLARED.get(cls, {})}.items()


def check_fits(value, annotation, path):
    """Say so where a value is not what an annotation says."""
    if not fits(value, annotation):
        raise ModelFileError(f"{path} is {short(value)}; expected {shown(annotation)}.")


def short(value, most=60) -> str:
    """Return a value for a message."""
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}..."
