"""The picture of traversals, artist by artist."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import InvalidParameterError

from skvae import BetaTCVAE
from skvae.datasets import make_sprites
from skvae.inspection import LatentTraversalDisplay, factor_effects
from skvae.inspection._style import PALETTE, line_styles, short, spread_apart


@pytest.fixture
def display(model, X):
    return LatentTraversalDisplay.from_estimator(model, X)


def test_one_panel_for_each_active_factor_most_kl_first(display, model):
    order = np.argsort(-model.kl_per_dimension_)[: model.n_active_]
    names = [f"betatcvae{j}" for j in order]
    assert list(display.traversals) == names
    assert [ax.get_title(loc="left") for ax in display.axes_] == names
    kl = model.kl_per_dimension_[order]
    asides = [ax.get_title(loc="right") for ax in display.axes_]
    assert asides == [f"KL {value:.2f} nats" for value in kl]


def test_lines_are_the_columns_that_move_furthest(display):
    for change, lines in zip(display.traversals.values(), display.lines_, strict=True):
        distance = np.ptp(change, axis=0).sort_values(ascending=False)
        shown = [line.get_label() for line in lines]
        assert len(shown) == 5
        np.testing.assert_array_equal(distance[shown], distance.iloc[:5])
        for line in lines:
            np.testing.assert_array_equal(line.get_xdata(), change.index)
            np.testing.assert_array_equal(line.get_ydata(), change[line.get_label()])


def test_ends_agree_with_factor_effects(model, X):
    rows = {"max_rows": 100, "random_state": 1}
    display = LatentTraversalDisplay.from_estimator(model, X, **rows)
    effects = factor_effects(model, X, **rows)
    for name, change in display.traversals.items():
        ends = change.iloc[-1] - change.iloc[0]
        np.testing.assert_allclose(ends, effects.loc[name], atol=1e-12)


def test_change_is_zero_at_the_median(model, X):
    display = LatentTraversalDisplay.from_estimator(
        model, X, n_steps=3, quantiles=(0.0, 1.0)
    )
    for name, change in display.traversals.items():
        codes = model.transform(X)[:, int(name[-1])]
        np.testing.assert_allclose(change.index[[0, 2]], [codes.min(), codes.max()])
        below = change.index < np.median(codes)
        assert below[0]
        assert not below[2]


def test_axis_labels_carry_units_on_the_outside_only(model, X):
    display = LatentTraversalDisplay.from_estimator(
        model, X, factors=model.get_feature_names_out(), quantiles=(0.1, 0.9)
    )
    unit = "Change of the column\n(share of its 10 to 90 % range)"
    assert [ax.get_ylabel() for ax in display.axes_] == [unit, "", "", unit]
    below = "Latent value (prior sd)"
    assert [ax.get_xlabel() for ax in display.axes_] == ["", below, below, below]


def test_labels_stand_at_line_ends_and_do_not_overlap(display):
    display.figure_.draw_without_rendering()
    for lines, labels in zip(display.lines_, display.labels_, strict=True):
        assert [label.get_text() for label in labels] == [
            line.get_label() for line in lines
        ]
        boxes = sorted(
            (super(type(label), label).get_window_extent() for label in labels),
            key=lambda box: box.y0,
        )
        for lower, upper in pairwise(boxes):
            assert lower.y1 <= upper.y0 + 1


def test_a_column_looks_the_same_in_every_panel(display):
    looks = {}
    for lines in display.lines_:
        here = [(line.get_color(), line.get_linestyle()) for line in lines]
        assert len(set(here)) == len(here)
        for line, look in zip(lines, here, strict=True):
            assert looks.setdefault(line.get_label(), look) == look


def test_given_factors_rows_and_number_of_columns(model, X):
    display = LatentTraversalDisplay.from_estimator(
        model, X, factors=["betatcvae2"], rows=X.iloc[[7]], n_columns=2, n_steps=9
    )
    assert list(display.traversals) == ["betatcvae2"]
    assert display.traversals["betatcvae2"].shape == (9, X.shape[1])
    assert len(display.axes_) == 1
    assert len(display.lines_[0]) == 2


def test_plot_again_in_given_axes(display):
    figure, ax = plt.subplots()
    assert display.plot(ax, n_columns=1, line_kw={"lw": 3, "c": "k"}) is display
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert all(panel.figure is figure for panel in display.axes_)
    assert [len(lines) for lines in display.lines_] == [1] * len(display.axes_)
    assert display.lines_[0][0].get_linewidth() == 3
    assert display.lines_[0][0].get_color() == "k"


def test_axes_without_a_grid_are_filled_too(display):
    figure = plt.figure()
    display.plot(figure.add_axes((0.1, 0.5, 0.4, 0.4)))
    box = display.axes_[0].get_position()
    assert box.x0 >= 0.1 - 1e-9
    assert box.y0 >= 0.5 - 1e-9


def test_array_without_names(X):
    from skvae import BetaTCVAE

    X = X.to_numpy(dtype=float)
    model = BetaTCVAE(latent_dim=2, max_epochs=8, random_state=0).fit(X)
    display = LatentTraversalDisplay.from_estimator(model, X)
    change = next(iter(display.traversals.values()))
    assert list(change.columns[:2]) == ["x0", "x1"]


def test_subclass_returns_itself(model, X):
    class Mine(LatentTraversalDisplay):
        pass

    assert type(Mine.from_estimator(model, X)) is Mine


def test_bad_input(model, X):
    show = LatentTraversalDisplay.from_estimator
    with pytest.raises(ValueError, match=r"Expected factors out of .*\['z9'\]"):
        show(model, X, factors=["betatcvae0", "z9"])
    with pytest.raises(ValueError, match="an empty list"):
        show(model, X, factors=[])
    with pytest.raises(InvalidParameterError, match="factors"):
        show(model, X, factors="betatcvae0")
    with pytest.raises(InvalidParameterError, match="n_steps"):
        show(model, X, n_steps=1)
    with pytest.raises(InvalidParameterError, match="n_columns"):
        show(model, X, n_columns=0)
    with pytest.raises(ValueError, match="feature names"):
        show(model, X.drop(columns="AGE"))


def test_collapsed_model_is_refused(collapsed, X):
    with pytest.raises(ValueError, match="n_active_ is 0"):
        LatentTraversalDisplay.from_estimator(collapsed, X)


def test_labels_are_spread_apart_as_little_as_needed():
    np.testing.assert_allclose(
        spread_apart([0.5, 0.1, 0.5], 0.2, 0, 1), [0.4, 0.1, 0.6]
    )
    np.testing.assert_allclose(spread_apart([1, 1], 0.2, 0, 1), [0.8, 1.0])
    np.testing.assert_allclose(spread_apart([0, 0], 0.2, 0, 1), [0, 0.2])
    crowded = np.sort(spread_apart([0.5] * 9, 0.2, 0, 1))
    assert np.diff(crowded) == pytest.approx(0.2)


def test_more_names_than_looks():
    names = [f"column{j}" for j in range(4 * len(PALETTE) + 3)]
    assert list(line_styles([names])) == names


def test_long_names_lose_their_middle():
    assert short("PAY_AMT6") == "PAY_AMT6"
    cut = short("NumberOfOpenCreditLinesAndLoans")
    assert len(cut) == 20
    assert cut.startswith("NumberOfOp")
    assert cut.endswith("AndLoans")


@pytest.fixture(scope="module")
def sprites():
    return make_sprites(300, image_size=16, random_state=0)


@pytest.fixture(scope="module")
def image_model(sprites):
    return BetaTCVAE(
        latent_dim=3,
        beta=1,
        image_shape=sprites.image_shape,
        hidden_layer_sizes=(16,),
        max_epochs=4,
        lr=1e-2,
        kl_warmup=0,
        random_state=0,
    ).fit(sprites.data)


def test_images_have_a_row_for_each_factor(image_model, sprites):
    display = LatentTraversalDisplay.from_estimator(image_model, sprites.data)
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert names == list(display.traversals)
    assert len(names) == image_model.n_active_
    notes = [label.get_text() for label in display.ax_.get_yticklabels(minor=True)]
    assert notes == [f"KL {display.kl[name]:.2f} nats" for name in names]
    above = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert above == ["5 %", *[""] * 7, "95 %"]
    assert display.lines_ == []


def test_images_are_what_the_codes_decode_to(image_model, sprites):
    display = LatentTraversalDisplay.from_estimator(
        image_model, sprites.data, rows=sprites.data[:1], reach=1.0, n_steps=3
    )
    name = next(iter(display.traversals))
    codes = np.repeat(image_model.transform(sprites.data[:1]), 3, axis=0)
    codes[:, int(name[-1])] = [-1, 0, 1]
    expected = image_model.inverse_transform(codes).reshape(3, 1, 16, 16)
    np.testing.assert_array_equal(display.traversals[name], expected)
    above = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert above == ["\N{MINUS SIGN}1.0", "0", "+1.0"]


def test_images_start_from_one(image_model, sprites):
    with pytest.raises(ValueError, match="Got 2 rows to start from; expected a single"):
        LatentTraversalDisplay.from_estimator(
            image_model, sprites.data, rows=sprites.data[:2]
        )


def test_reach_is_the_same_for_all_factors(model, X):
    display = LatentTraversalDisplay.from_estimator(model, X, reach=3.0, n_steps=5)
    for change in display.traversals.values():
        np.testing.assert_array_equal(change.index, [-3, -1.5, 0, 1.5, 3])


def test_columns_own_units(model, X):
    display = LatentTraversalDisplay.from_estimator(model, X, standardize=False)
    assert display.axes_[0].get_ylabel() == "Change of the column\n(its own units)"
    line = display.lines_[0][0]
    change = next(iter(display.traversals.values()))[line.get_label()]
    spread = np.diff(X[line.get_label()].quantile([0.05, 0.95]))
    np.testing.assert_allclose(line.get_ydata(), change * spread)


def test_inside_of_a_pipeline(X):
    pipe = make_pipeline(
        StandardScaler().set_output(transform="pandas"),
        BetaTCVAE(latent_dim=3, max_epochs=4, random_state=0),
    ).fit(X)
    display = LatentTraversalDisplay.from_estimator(pipe, X)
    scaled = pipe[0].transform(X)
    alone = LatentTraversalDisplay.from_estimator(pipe[1], scaled)
    for name, change in alone.traversals.items():
        np.testing.assert_array_equal(display.traversals[name], change)
