"""Mixtures of rows, artist by artist."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import InvalidParameterError

from skvae import MSVAE, BetaTCVAE
from skvae.datasets import make_sprites
from skvae.inspection._column_scales import ColumnScale
from skvae.inspection._mix import MixDisplay

show = MixDisplay.from_estimator
small = {
    "hidden_layer_sizes": (8,),
    "max_epochs": 3,
    "kl_warmup": 0,
    "lr": 1e-2,
    "device": "cpu",
    "random_state": 0,
}


@pytest.fixture(scope="module")
def table(X):
    return X.assign(
        MARRIAGE=np.resize(["single", "married", "other"], len(X)), SAME="all"
    )[["LIMIT_BAL", "MARRIAGE", "AGE", "BILL_AMT1", "PAY_AMT1", "SAME"]]


@pytest.fixture(scope="module")
def two_stages(table):
    first = BetaTCVAE(2, max_epochs=8, device="cpu")
    return MSVAE(first, residual_dim=2, **small).fit(table)


@pytest.fixture(scope="module")
def sprites():
    return make_sprites(200, image_size=8, random_state=0)


@pytest.fixture(scope="module")
def of_images(sprites):
    first = BetaTCVAE(2, image_shape=sprites.image_shape, **small)
    return MSVAE(first, residual_dim=2, **small).fit(sprites.data)


def tick_labels(display, minor=False):
    return [label.get_text() for label in display.ax_.get_yticklabels(minor=minor)]


def test_images_stand_over_their_mixtures(of_images, sprites):
    X = sprites.data
    display = show(of_images, X[:100], X[100:])
    symbols = ["$X_i$", "$X_j$", "$X_j - Y_j$", "$X_j$", "$X_j - Y_i$"]
    assert tick_labels(display) == symbols
    assert tick_labels(display, minor=True)[:3] == [
        "gives its factors",
        "gives its detail",
        "its residual",
    ]
    assert len(display.content) == 12
    for variant, mixed in display.mixtures.items():
        expected = of_images.mix(X[:12], X[100:112], variant=variant)
        np.testing.assert_allclose(mixed, expected)
    mosaic = display.im_.get_array()
    last = display.mixtures["crossed"][-1].reshape(8, 8)
    np.testing.assert_allclose(mosaic[-8:, -8:], last / 255)


def test_mixtures_of_images_stand_apart_from_what_they_are_of(of_images, sprites):
    display = show(of_images, sprites.data[:5], sprites.data[5:10])
    steps = np.diff(display.ax_.get_yticks())
    assert steps[1] > steps[0] == steps[2] == steps[3]


def test_a_panel_for_each_pair_of_rows_of_a_table(two_stages, table):
    display = show(two_stages, table[:300], table[300:])
    titles = [ax.get_title(loc="left") for ax in display.axes_]
    assert titles == ["Row 0 with 300", "Row 1 with 301", "Row 2 with 302"]
    assert list(display.points_[0]) == [
        "content",
        "detail",
        "residual",
        "raw",
        "crossed",
    ]
    assert [text.get_text() for text in display.legend_.get_texts()] == [
        "$X_i$ gives its factors",
        "$X_j$ gives its detail",
        "mixed with $X_j - Y_j$, its residual",
        "mixed with $X_j$, all of it",
        "mixed with $X_j - Y_i$, what $Y_i$ lacks of it",
    ]
    assert [label.get_text() for label in display.axes_[0].get_xticklabels()] == [
        "low",
        "high",
    ]


def test_marks_lie_between_low_and_high(two_stages, table):
    display = show(two_stages, table[:300], table[300:], n_pairs=2)
    names = [label.get_text() for label in display.axes_[0].get_yticklabels()]
    row = names.index("LIMIT_BAL")
    low, high = table["LIMIT_BAL"].quantile([0.05, 0.95])
    for panel, points in enumerate(display.points_):
        for name, rows in {"content": table[:300], **display.mixtures}.items():
            place = (rows["LIMIT_BAL"].iloc[panel] - low) / (high - low)
            expected = np.clip(place, -0.08, 1.08)
            assert points[name].get_xdata()[row] == pytest.approx(expected)


def test_columns_are_those_that_differ_most_with_their_range(two_stages, table):
    display = show(two_stages, table[:300], table[300:], n_columns=2)
    names = [label.get_text() for label in display.axes_[0].get_yticklabels()]
    assert len(names) == 2
    places = {
        name: np.abs(
            scale.places(display.content[name]) - scale.places(display.detail[name])
        ).mean()
        for name, scale in display.scales.items()
        if not scale.is_constant
    }
    assert names == sorted(places, key=places.get, reverse=True)[:2]
    ranges = [text.get_text() for text in display.axes_[-1].texts]
    assert ranges == [display.scales[name].text for name in names]
    assert not display.axes_[0].texts


def test_constant_columns_are_left_out(two_stages, table):
    display = show(two_stages, table[:300], table[300:])
    names = [label.get_text() for label in display.axes_[0].get_yticklabels()]
    assert len(names) == 5
    assert "SAME" not in names


def test_variants_and_drawn_pairs(two_stages, table):
    display = show(
        two_stages, table[:4], table[:100], variants=["raw"], pair="random", n_pairs=4
    )
    assert list(display.mixtures) == ["raw"]
    assert len(display.axes_) == 4
    assert list(display.content.index) == [0, 1, 2, 3]
    expected = two_stages.mix(display.content, display.detail, variant="raw")
    pd.testing.assert_frame_equal(display.mixtures["raw"], expected)


def test_rows_of_a_pipeline_are_in_their_own_units(X):
    numbers = X[["LIMIT_BAL", "AGE", "BILL_AMT1"]].astype(float)
    scaler = StandardScaler().set_output(transform="pandas")
    first = BetaTCVAE(2, max_epochs=8, device="cpu")
    stages = MSVAE(first, residual_dim=2, **small)
    pipeline = make_pipeline(scaler, stages).fit(numbers)
    display = show(pipeline, numbers[:300], numbers[300:])
    pd.testing.assert_frame_equal(display.content, numbers[:3])
    assert display.mixtures["residual"]["AGE"].between(18, 90).all()


def test_mixtures_that_are_at_hand():
    content = np.array([[0.0, 1.0], [4.0, 5.0]])
    detail = np.array([[2.0, 1.0], [4.0, 9.0]])
    middle = (content + detail) / 2
    display = MixDisplay.from_predictions(content, detail, {"middle": middle})
    names = [label.get_text() for label in display.axes_[0].get_yticklabels()]
    assert names == ["0", "1"]
    np.testing.assert_allclose(display.points_[0]["middle"].get_xdata(), [0.25, 0])
    np.testing.assert_allclose(display.points_[1]["detail"].get_xdata(), [1, 1])
    assert display.legend_.get_texts()[-1].get_text() == "mixed with middle"


def test_in_given_axes_with_a_look(two_stages, table):
    figure, ax = plt.subplots()
    display = show(two_stages, table[:3], table[3:6], ax=ax, line_kw={"ms": 2})
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert all(panel.figure is figure for panel in display.axes_)
    assert display.points_[0]["raw"].get_markersize() == 2
    assert display.plot() is display
    assert display.figure_ is not figure


def test_subclass_returns_itself(two_stages, table):
    class Mine(MixDisplay):
        pass

    assert type(Mine.from_estimator(two_stages, table[:3], table[3:6])) is Mine
    rows = table[:3]
    assert type(Mine.from_predictions(rows, rows, {"same": rows.iloc[::-1]})) is Mine


def test_bad_input_is_named(two_stages, table, model, X):
    with pytest.raises(ValueError, match="Got a BetaTCVAE; expected an MSVAE"):
        show(model, X[:3], X[3:6])
    with pytest.raises(ValueError, match=r"variants out of .*got \['blend'\]"):
        show(two_stages, table[:3], table[3:6], variants=["raw", "blend"])
    with pytest.raises(ValueError, match="an empty list"):
        show(two_stages, table[:3], table[3:6], variants=[])
    with pytest.raises(ValueError, match="3 rows in X_content and 5 in X_residual"):
        show(two_stages, table[:3], table[3:8])
    with pytest.raises(ValueError, match="'detail' of shape"):
        MixDisplay.from_predictions(table[:3], table[:2], {})
    with pytest.raises(InvalidParameterError, match="pair"):
        show(two_stages, table[:3], table[3:6], pair="all")


def test_scales_of_columns():
    numbers = ColumnScale.of(pd.Series([-2.0, np.nan, 2000.0]), (0, 1))
    assert numbers.text == "−2 to 2,000"  # noqa: RUF001
    places = numbers.places(pd.Series([-2, 2000, 1e9, np.nan]))
    np.testing.assert_allclose(places, [0, 1, 1.08, np.nan])
    flag = ColumnScale.of(pd.Series([0, 0, 0, 0, 0, 1]), (0.1, 0.5))
    assert (flag.low, flag.high) == (0, 1)
    levels = ColumnScale.of(pd.Series(["b", "c", "a"]), (0, 1))
    assert levels.text == "a to c"
    np.testing.assert_allclose(
        levels.places(pd.Series(["c", "b", "?"])), [1, 0.5, np.nan]
    )
    assert ColumnScale.of(pd.Series([np.nan]), (0, 1)).is_constant
