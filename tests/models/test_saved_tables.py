"""Models of tables with columns of any name and dtype, saved and loaded."""

import numpy as np
import pandas as pd
import pytest
from model_cases import small
from saved_cases import (
    assert_same_model,
    assert_same_output,
    assert_same_state,
    there_and_back,
)

from skvae import VAE

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")


@pytest.mark.parametrize(
    "names",
    [
        [0, 1],
        [2.5, -1.0],
        ["a", "b | c `d` \n e"],
        ["Grösse", "\N{SNOWMAN}"],
        [("a", 1), ("b", 2)],
        list(pd.to_datetime(["2020-01-31", "2020-02-29"])),
        list(np.array([3, 4], dtype=np.int8)),
    ],
    ids=repr,
)
def test_names(names, numbers, tmp_path):
    table = pd.DataFrame(numbers[:, :2])
    table.columns = pd.Index(names, tupleize_cols=False)
    model = small(VAE).fit(table)
    again = there_and_back(model, tmp_path)
    assert_same_model(model, again, table)
    assert_same_state(model, again)


@pytest.mark.parametrize(
    "values",
    {
        "strings": ["a", "b", "b"],
        "objects": pd.array(["a", "b", None], dtype=object),
        "nullable strings": pd.array(["a", "b", None], dtype="string"),
        "integers": pd.Categorical([1, 2, 2]),
        "booleans": pd.Categorical([True, False, True]),
        "floats": pd.Categorical([0.1, 2.5, None]),
        "infinite": pd.Categorical([-np.inf, 2.5, np.inf]),
        "mixed": pd.Categorical([1, "a", 2.5]),
        "ordered": pd.Categorical(["low", "high", None], ["low", "mid", "high"], True),
        "dates": pd.Categorical(pd.to_datetime(["2020-01-01", "2021-03-04", None])),
        "zoned": pd.Categorical(
            pd.to_datetime(["2020-01-01", "2021-07-04", None]).tz_localize("Asia/Tokyo")
        ),
        "periods": pd.Categorical(
            pd.PeriodIndex(["2020-01", "2021-07", None], freq="M")
        ),
        "durations": pd.Categorical(pd.to_timedelta([1, 2, None], unit="h")),
        "intervals": pd.cut([1.0, 5.0, 9.0], [0, 3, 6, 10]),
        "dates of Python": np.array(
            [pd.Timestamp("2020-01-01").date(), pd.Timestamp("2021-01-02").date()] * 2,
            dtype=object,
        )[:3],
        "times": pd.to_datetime(["2020-01-01 10:00", "2021-03-04 11:30", None]),
        "times in seconds": pd.to_datetime(
            ["2020-01-01 10:00", "2021-03-04 11:30", None]
        ).astype("datetime64[s]"),
        "times in Berlin": pd.to_datetime(
            ["2020-01-01 10:00", "2021-07-04 11:30", None]
        ).tz_localize("Europe/Berlin"),
        "times off Greenwich": pd.to_datetime(
            ["2020-01-01 10:00+02:00", "2021-07-04 11:30+02:00", None]
        ),
        "months": pd.PeriodIndex(["2020-01", "2021-07", None], freq="M"),
        "hours": pd.to_timedelta([1, 2, None], unit="h"),
        "Int64": pd.array([1, 2, None], dtype="Int64"),
        "Float32": pd.array([1.5, 2.5, None], dtype="Float32"),
        "boolean": pd.array([True, False, None], dtype="boolean"),
        "objects of numbers": pd.array([1, 2.5, None], dtype=object),
        "uint8": np.array([1, 255, 3], dtype=np.uint8),
        "float16": np.array([1, 2.5, 3], dtype=np.float16),
        "constant date": pd.to_datetime(["2020-01-01"] * 3),
        "constant number": np.full(3, np.int16(7)),
        "nothing": pd.array([None, None, None], dtype=object),
    }.items(),
    ids=lambda pair: pair[0],
)
def test_columns(values, tmp_path):
    rng = np.random.default_rng(0)
    column = pd.Series(values[1]).take(rng.integers(3, size=60))
    table = pd.DataFrame({"x": rng.normal(size=60), "y": column.reset_index(drop=True)})
    model = small(VAE).fit(table)
    again = there_and_back(model, tmp_path)
    assert_same_state(model, again)
    assert_same_model(model, again, table)


def test_rare_levels_and_identifiers(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "client": [f"client-{number}" for number in range(400)],
            "town": rng.zipf(1.5, 400).clip(max=300).astype(str),
            "x": rng.normal(size=400),
        }
    )
    with pytest.warns(UserWarning, match="looks like an identifier"):
        model = small(VAE).fit(table)
    again = there_and_back(model, tmp_path)
    assert_same_output(*(m.sample(50, random_state=0) for m in (model, again)))


@pytest.mark.parametrize(
    "chosen",
    [["b"], ("b",), np.array(["b"]), np.array([False, True]), pd.Index(["b"]), [1]],
    ids=repr,
)
def test_array_like_parameters(chosen, tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=60), "b": rng.integers(3, size=60)})
    model = small(VAE, categorical_features=chosen).fit(table)
    again = there_and_back(model, tmp_path)
    assert repr(again.categorical_features) == repr(chosen)
    assert_same_model(model, again, table)
