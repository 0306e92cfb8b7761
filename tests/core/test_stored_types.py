"""Values compared with annotations."""

from typing import Annotated, NotRequired

import numpy as np
import pytest

from skvae._core.stored_types import Matrix, Texts, Vector, fits, is_required, shown

FITTING = [
    (3, int),
    (np.int8(3), int),
    (0.5, float),
    (np.float64(0.5), float),
    ("a", str),
    (None, None),
    (None, int | None),
    (3, int | None),
    ([], list),
    ([1, 2], list[int]),
    ((), tuple[int, ...]),
    ((1, 2), tuple[int, ...]),
    ((1, "a"), tuple[int, str]),
    ({"a": [1]}, dict[str, list[int]]),
    (np.zeros(3), Vector),
    (np.zeros((3, 0)), Matrix),
    (np.array(["a"], dtype=object), Texts),
    (np.zeros(3, dtype=np.float32), Annotated[np.ndarray, "float32", 1]),
    (None, Vector | None),
    ("a", NotRequired[str]),
    (len, object),
]
NOT_FITTING = [
    (True, int),
    (3.0, int),
    (3, float),
    (3, str),
    (0, None),
    (0.5, int | None),
    ((1,), list[int]),
    ([1, "a"], list[int]),
    ([1], tuple[int, ...]),
    ((1,), tuple[int, str]),
    ({"a": "b"}, dict[str, int]),
    ([1.0], Vector),
    (np.zeros((3, 1)), Vector),
    (np.zeros(3, dtype=np.float32), Vector),
    (np.zeros(3, dtype=int), Vector),
    (3, NotRequired[str]),
]


@pytest.mark.parametrize(("value", "annotation"), FITTING, ids=repr)
def test_what_fits(value, annotation):
    assert fits(value, annotation)


@pytest.mark.parametrize(("value", "annotation"), NOT_FITTING, ids=repr)
def test_what_does_not(value, annotation):
    assert not fits(value, annotation)


def test_only_what_may_lack_may_lack():
    assert is_required(int | None)
    assert not is_required(NotRequired[int])


def test_annotations_are_shown_as_one_writes_them():
    assert shown(int | None) == "int or None"
    assert shown(list[int]) == "list[int]"
    assert shown(NotRequired[Vector]) == "a 1-dimensional array of float64"
