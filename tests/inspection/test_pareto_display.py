"""The settings of a search by two scores, artist by artist."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from skvae.inspection import ParetoDisplay, _style

FOLDS = np.array([-0.01, 0.01])
SETTINGS = [
    {"m__beta": beta, "m__lr": lr, "m__latent_dim": 4}
    for beta in (1, 4, 16)
    for lr in (1e-4, 1e-3)
]
FIDELITY = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
MIG = [0.1, 0.05, 0.3, 0.2, 0.4, np.nan]
FRONT = [0, 2, 4]


def results_of(params, folds=FOLDS, **scores):
    results = {"params": params}
    for name, means in scores.items():
        for number, fold in enumerate(folds):
            results[f"split{number}_test_{name}"] = np.array(means) + fold
    return results


@pytest.fixture
def results():
    return results_of(SETTINGS, fidelity=FIDELITY, mig=MIG)


@pytest.fixture
def display(results):
    return ParetoDisplay.from_cv_results(results, "fidelity", "mig", hue="lr", chosen=2)


def test_points_are_the_means_of_all_that_did_not_fail(display):
    offsets = np.concatenate([points.get_offsets() for points in display.points_])
    expected = np.column_stack([FIDELITY, MIG])[[0, 2, 4, 1, 3]]
    np.testing.assert_allclose(offsets, expected)


def test_bars_reach_one_sd_of_the_folds(display):
    (x_bars, y_bars) = display.errorbars_[0].lines[2]
    lengths = np.ptp(x_bars.get_segments(), axis=1)
    np.testing.assert_allclose(lengths[:, 0], 2 * FOLDS.std(ddof=1))
    lengths = np.ptp(y_bars.get_segments(), axis=1)
    np.testing.assert_allclose(lengths[:, 1], 2 * FOLDS.std(ddof=1))


def test_front_is_a_step_line_around_what_it_beats(display):
    np.testing.assert_allclose(display.front_.get_xdata(), [0.5, 0.7, 0.9])
    np.testing.assert_allclose(display.front_.get_ydata(), [0.4, 0.3, 0.1])
    assert display.front_.get_drawstyle() == "steps-pre"


def test_what_is_beaten_is_pale(display):
    on_front, beaten = display.points_
    assert set(on_front.get_facecolors()[:, 3]) == {1}
    assert (beaten.get_facecolors()[:, 3] < 1).all()


def test_front_is_labelled_with_what_varies(display):
    assert [label.get_text() for label in display.labels_] == [
        "beta 1, lr 1e-4",
        "chosen: beta 4, lr 1e-4",
        "beta 16, lr 1e-4",
    ]
    ends = [label.xy for label in display.labels_]
    np.testing.assert_allclose(ends, np.column_stack([FIDELITY, MIG])[FRONT])


def test_chosen_setting_has_a_ring(display):
    np.testing.assert_allclose(display.chosen_.get_offsets(), [[0.7, 0.3]])
    assert len(display.chosen_.get_facecolors()) == 0


def test_chosen_setting_off_the_front_has_a_label_too(results):
    display = ParetoDisplay.from_cv_results(results, "fidelity", "mig", chosen=3)
    assert display.labels_[-1].get_text() == "chosen: beta 4, lr 1e-3"
    assert len(display.labels_) == len(FRONT) + 1


def test_nothing_is_chosen(results):
    display = ParetoDisplay.from_cv_results(results, "fidelity", "mig")
    assert display.chosen_ is None
    assert not any("chosen" in label.get_text() for label in display.labels_)


def test_axes_are_the_scores(display):
    assert display.ax_.get_xlabel() == "fidelity (mean ± sd of folds)"
    assert display.ax_.get_ylabel() == "mig (mean ± sd of folds)"


def test_legend_tells_the_hue(display):
    assert display.legend_.get_title().get_text() == "lr"
    assert [t.get_text() for t in display.legend_.get_texts()] == ["1e-4", "1e-3"]
    handles = [handle.get_facecolors() for handle in display.legend_.legend_handles]
    assert [color[0, 3] for color in handles] == [1, 1]


def test_two_parameters_have_colour_and_marker(results):
    display = ParetoDisplay.from_cv_results(
        results, "fidelity", "mig", hue=("beta", "lr")
    )
    # Beta 16 has one learning rate only: the other fit failed.
    assert [t.get_text() for t in display.legend_.get_texts()] == [
        "1, 1e-4",
        "1, 1e-3",
        "4, 1e-4",
        "4, 1e-3",
        "16, 1e-4",
    ]
    shapes = [len(points.get_paths()[0].vertices) for points in display.points_]
    assert shapes[0] == shapes[2] == shapes[4] != shapes[1] == shapes[3]


def test_without_hue_all_points_are_one_colour(results):
    display = ParetoDisplay.from_cv_results(results, "fidelity", "mig")
    assert display.legend_ is None
    colors = {tuple(color[:3]) for color in display.points_[0].get_facecolors()}
    assert colors == {to_rgb(_style.PALETTE[0])}


def test_one_fold_has_no_bars():
    results = results_of(SETTINGS, folds=[0], fidelity=FIDELITY, mig=MIG)
    display = ParetoDisplay.from_cv_results(results, "fidelity", "mig")
    assert display.errorbars_ == []
    assert display.ax_.get_xlabel() == "fidelity"


def test_labels_neither_overlap_nor_leave_the_figure():
    n_settings = 12
    fidelity = np.linspace(0.5, 0.501, n_settings)
    results = results_of(
        [{"beta": beta} for beta in range(n_settings)], a=fidelity, b=-fidelity
    )
    display = ParetoDisplay.from_cv_results(results, "a", "b", chosen=0)
    display.figure_.draw_without_rendering()
    # An annotation's own extent has its leader, too.
    boxes = [Text.get_window_extent(label) for label in display.labels_]
    boxes = sorted(boxes, key=lambda box: box.y0)
    assert len(boxes) == n_settings
    assert all(a.y1 <= b.y0 for a, b in pairwise(boxes))
    assert max(box.x1 for box in boxes) <= display.figure_.bbox.x1


def test_given_axes(display):
    figure, ax = plt.subplots()
    assert display.plot(ax) is display
    assert display.ax_ is ax
    assert display.figure_ is figure


def test_subclass_returns_itself(results):
    class Mine(ParetoDisplay):
        pass

    assert type(Mine.from_cv_results(results, "fidelity", "mig")) is Mine


def test_scores_that_do_not_fit(results):
    with pytest.raises(ValueError, match="no score 'MIG'"):
        ParetoDisplay.from_cv_results(results, "fidelity", "MIG")
    with pytest.raises(ValueError, match="'mig' twice; expected two different"):
        ParetoDisplay.from_cv_results(results, "mig", "mig")


def test_chosen_setting_without_scores(results):
    with pytest.raises(ValueError, match=r"chosen=5; expected .* one of 6 settings"):
        ParetoDisplay.from_cv_results(results, "fidelity", "mig", chosen=5)
    with pytest.raises(ValueError, match="chosen=6"):
        ParetoDisplay.from_cv_results(results, "fidelity", "mig", chosen=6)


def test_no_fit_succeeded():
    nothing = [np.nan] * len(SETTINGS)
    results = results_of(SETTINGS, a=nothing, b=nothing)
    with pytest.raises(ValueError, match="No setting has both scores 'a' and 'b'"):
        ParetoDisplay.from_cv_results(results, "a", "b")


def test_unknown_hue(results):
    with pytest.raises(ValueError, match="'gamma'; expected a parameter among"):
        ParetoDisplay.from_cv_results(results, "fidelity", "mig", hue="gamma")
