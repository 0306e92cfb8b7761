"""Values to trees and arrays, and back; and what has no way there."""

import datetime
import json
from dataclasses import dataclass
from typing import NotRequired

import numpy as np
import pytest

from skvae._core.errors import ModelFileError
from skvae._core.stored_trees import put_together, take_apart
from skvae._core.stored_types import Given, Matrix, Vector
from skvae._core.storing import Parts, kind_called, register, storable, stored_fields


@storable
@dataclass
class Point:
    x: float
    y: float | None = None


@stored_fields(_inherited=int)
class Base:
    pass


@storable(centre=Point, weights=Vector, note_=NotRequired[str], cache=None)
class Cloud(Base):
    def __init__(self, centre):
        self.centre = centre
        self.cache = "worked out anew"
        self._inherited = 3


@storable(items=list)
class Bag:
    def __init__(self, items):
        self.items = items


@storable(body=Given)
class Made:
    def __init__(self, body=None):
        self.body = body


def there_and_back(value, **given):
    tree, arrays = take_apart(value)
    return put_together(json.loads(json.dumps(tree, allow_nan=False)), arrays, **given)


class TestValues:
    @pytest.mark.parametrize(
        "value",
        [
            None,
            True,
            -7,
            10**40,
            0.1,
            -0.0,
            5e-324,
            "",
            "\N{SNOWMAN} \ud800 \0 \n",
            [1, [2.5, None], "a"],
            (1, (2, ()), [3]),
            {"a": 1, "type": 2, "value": {}},
            {(1, 2): "a", 3.5: "b"},
            slice(1, None),
            datetime.date(2020, 2, 29),
            datetime.datetime(2020, 2, 29, 12, 30, 1, 5),
            np.float32(0.1),
            np.int8(-3),
            np.bool_(True),
            np.str_("a"),
            np.datetime64("2020-01-01", "D"),
            np.timedelta64(5, "ms"),
            np.dtype("float32"),
            np.dtype("<M8[us]"),
        ],
        ids=repr,
    )
    def test_come_back_as_they_were(self, value):
        again = there_and_back(value)
        assert type(again) is type(value)
        assert repr(again) == repr(value)

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, np.float64("nan")])
    def test_what_json_cannot_hold(self, value):
        again = there_and_back(value)
        assert type(again) is type(value)
        np.testing.assert_equal(again, value)

    @pytest.mark.parametrize(
        "array",
        [
            np.arange(6.0).reshape(2, 3),
            np.arange(6.0).reshape(2, 3).T,
            np.asfortranarray(np.arange(24, dtype=np.int32).reshape(2, 3, 4)),
            np.arange(10, dtype=np.uint8)[::3],
            np.array(3.5),
            np.zeros((3, 0), dtype=np.float16),
            np.array([True, False]),
            np.array([np.nan, -np.inf]),
            np.array(["a", "bcd"]),
            np.array(["a", None, 1.5], dtype=object),
            np.arange(3, dtype=">i4"),
        ],
        ids=repr,
    )
    def test_arrays(self, array):
        again = there_and_back(array)
        np.testing.assert_array_equal(again, array)
        assert again.dtype.kind == array.dtype.kind
        if array.flags.forc:
            assert again.flags.c_contiguous == array.flags.c_contiguous

    def test_random_state_goes_on(self):
        random_state = np.random.RandomState(3)
        random_state.normal(size=3)
        again = there_and_back(random_state)
        np.testing.assert_array_equal(again.normal(size=5), random_state.normal(size=5))

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (len, "type builtin_function_or_method"),
            ([1, {2}], r"^1 is \{2\} of type set"),
            ({"a": b"b"}, "^a is b'b' of type bytes"),
            (np.zeros(2, dtype=complex), "array of complex128"),
            (np.zeros((2, 2), dtype=object), "array of object"),
            (datetime.datetime.now(datetime.UTC), "time zone"),
            (np.random.RandomState(np.random.PCG64(0)), "expected one of MT19937"),
        ],
        ids=lambda part: type(part).__name__,
    )
    def test_what_cannot_be_stored(self, value, message):
        with pytest.raises(ModelFileError, match=message):
            take_apart(value)


class TestObjects:
    def test_fields_come_back_and_others_do_not(self):
        cloud = Cloud(Point(1.0))
        cloud.weights = np.arange(3.0)
        again = there_and_back(cloud)
        assert again.centre == cloud.centre
        np.testing.assert_array_equal(again.weights, cloud.weights)
        assert again.cache is None
        assert again._inherited == 3
        assert not hasattr(again, "note_")

    def test_field_that_may_lack(self):
        cloud = Cloud(Point(1.0))
        cloud.weights, cloud.note_ = np.zeros(0), "here"
        assert there_and_back(cloud).note_ == "here"

    def test_what_is_one_object_stays_one(self):
        point, array = Point(0.5), np.arange(3)
        first, second, third = there_and_back(Bag([point, [point], array])).items
        assert first is second[0]
        np.testing.assert_array_equal(third, array)

    def test_array_is_kept_once(self):
        array = np.arange(3)
        _, arrays = take_apart([array, (array,), Bag([array])])
        assert len(arrays) == 1

    def test_equal_objects_stay_two(self):
        first, second = there_and_back([Point(0.5), Point(0.5)])
        assert first == second
        assert first is not second

    def test_field_of_the_wrong_type_is_not_written(self):
        with pytest.raises(ModelFileError, match=r"x is 'far'; expected float"):
            take_apart(Point("far"))

    def test_lacking_field_is_not_written(self):
        with pytest.raises(ModelFileError, match="Cloud lacks weights"):
            take_apart(Cloud(Point(1.0)))

    def test_subclass_is_not_taken_for_its_base(self):
        class Place(Point):
            pass

        with pytest.raises(ModelFileError, match="of type Place"):
            take_apart(Place(1.0))

    def test_what_is_given_is_not_written(self):
        tree, _ = take_apart(Made(len))
        assert json.dumps(tree).count("len") == 0
        assert there_and_back(Made(len), body=sum).body is sum
        assert there_and_back(Made(None)).body is None
        with pytest.raises(ModelFileError, match="made with an body of its own"):
            there_and_back(Made(len))


class TestTrees:
    def test_texts_that_would_take_much_room(self):
        items = ["a" * 100_000, *"b" * 100_000]
        tree = {"type": "array", "value": {"dtype": "<U100000", "items": items}}
        with pytest.raises(ModelFileError, match="very long texts"):
            put_together(tree, {})

    def test_array_that_is_named_over_and_over(self):
        tree = [{"type": "array", "value": "numbers"}] * 100
        with pytest.raises(ModelFileError, match="named too often"):
            put_together(tree, {"numbers": np.zeros(9)})

    @pytest.mark.parametrize(
        "tree",
        [
            {"type": "Point"},
            {"type": "Point", "value": None},
            {"type": "Point", "value": {}},
            {"type": "Point", "value": {"x": 1, "y": None}},
            {"type": "Point", "value": {"x": 1.0, "y": None, "z": 1.0}},
            {"type": "Point", "value": {"x": 1.0, "y": None}, "more": 1},
            {"type": "Base", "value": {"_inherited": 3}},
            {"type": ["Point"], "value": {}},
            {"type": "same", "value": ""},
            {"type": "array", "value": "nowhere"},
            {"type": "array", "value": {"dtype": "<U99999999999", "items": "a"}},
            {"type": "tuple", "value": 3},
            {"type": "dict", "value": [[1, 2, 3]]},
            {"type": "dict", "value": [[[], 2]]},
            {"type": "slice", "value": [1, 2]},
            {"type": "date", "value": "2020-02-31"},
            {"type": "dtype", "value": "V8,i4"},
            {"type": "dtype", "value": "(99999999999,)f8"},
            {"type": "scalar", "value": ["|O", "a"]},
            {"type": "scalar", "value": ["<M8[ns]", "a"]},
            {"type": "given", "value": "body"},
            {"type": "Made", "value": {"body": 1}},
        ],
        ids=str,
    )
    def test_that_nobody_wrote(self, tree):
        with pytest.raises(ModelFileError):
            put_together(tree, {}, body=len)

    def test_as_deep_as_it_gets(self):
        tree = []
        for _ in range(100_000):
            tree = [tree]
        with pytest.raises(ModelFileError, match="RecursionError"):
            put_together(tree, {})

    def test_array_that_is_left_over(self):
        with pytest.raises(ModelFileError, match="Got more"):
            put_together(None, {"more": np.zeros(2)})


def test_a_name_stands_for_one_class():
    assert kind_called("Point").cls is Point
    with pytest.raises(ValueError, match="called 'Point' already"):
        register(Matrix, Parts("Point", list, tuple))
