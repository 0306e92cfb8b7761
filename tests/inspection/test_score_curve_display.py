"""Curves of a score over a search, artist by artist."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skvae.inspection import ScoreCurveDisplay, _style

FOLDS = np.array([-0.1, 0.0, 0.1])


def results_of(grid, *, prefix="", score="score", folds=FOLDS):
    """Return the ``cv_results_`` of a grid whose scores are the settings' positions."""
    params = [
        {prefix + name: value for name, value in zip(grid, values, strict=True)}
        for values in itertools.product(*grid.values())
    ]
    results = {"params": params}
    for number, fold in enumerate(folds):
        results[f"split{number}_test_{score}"] = np.arange(len(params)) + fold
    return results


def legend_texts(display):
    return [text.get_text() for text in display.legend_.get_texts()]


GRID = {"beta": [1, 4, 16], "latent_dim": [4, 10], "lr": [1e-4, 1e-3]}


@pytest.fixture
def display():
    results = results_of(GRID, prefix="betatcvae__", score="KS")
    hue = ("latent_dim", "lr")
    return ScoreCurveDisplay.from_cv_results(results, score="KS", x="beta", hue=hue)


def test_a_line_for_each_setting(display):
    assert len(display.lines_) == len(display.bands_) == 4
    assert list(display.curves) == [(4, 1e-4), (4, 1e-3), (10, 1e-4), (10, 1e-3)]
    for line, first in zip(display.lines_, range(4), strict=True):
        assert list(line.get_xdata()) == [1, 4, 16]
        np.testing.assert_allclose(line.get_ydata(), [first, first + 4, first + 8])


def test_bands_reach_one_sd_of_the_folds(display):
    for band, first in zip(display.bands_, range(4), strict=True):
        heights = band.get_paths()[0].vertices[:, 1]
        sd = FOLDS.std(ddof=1)
        np.testing.assert_allclose(
            [heights.min(), heights.max()], [first - sd, first + 8 + sd]
        )


def test_labels_have_no_prefix(display):
    assert display.ax_.get_xlabel() == "beta"
    assert display.ax_.get_ylabel() == "KS (mean ± sd of folds)"
    assert display.legend_.get_title().get_text() == "latent_dim, lr"
    assert legend_texts(display) == ["4, 1e-4", "4, 1e-3", "10, 1e-4", "10, 1e-3"]


def test_first_parameter_has_the_colour_and_the_second_the_dashes(display):
    looks = [(line.get_color(), line.get_linestyle()) for line in display.lines_]
    blue, vermillion = _style.PALETTE[:2]
    assert looks == [(blue, "-"), (blue, "--"), (vermillion, "-"), (vermillion, "--")]


def test_many_settings_look_different():
    grid = {"beta": [1, 2], "latent_dim": range(2, 12)}
    display = ScoreCurveDisplay.from_cv_results(results_of(grid), hue="latent_dim")
    looks = {(line.get_color(), line.get_linestyle()) for line in display.lines_}
    assert len(looks) == 10


def test_one_curve_has_no_legend():
    display = ScoreCurveDisplay.from_cv_results(results_of({"beta": [1, 2]}))
    assert len(display.lines_) == 1
    assert display.legend_ is None


@pytest.mark.parametrize(
    ("betas", "scale"),
    [([1, 4, 100], "log"), ([1, 4, 10], "linear"), ([0, 4, 100], "linear")],
)
def test_log_scale_where_values_span_more_than_a_factor_of_ten(betas, scale):
    display = ScoreCurveDisplay.from_cv_results(results_of({"beta": betas}))
    assert display.ax_.get_xscale() == scale


def test_ticks_are_the_values_that_were_tried(display):
    labels = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert labels == ["1", "4", "16"]
    assert len(display.ax_.get_xticks(minor=True)) == 0


def test_many_values_do_not_get_a_tick_each():
    results = results_of({"beta": np.geomspace(1, 100, 15)})
    display = ScoreCurveDisplay.from_cv_results(results)
    display.figure_.draw_without_rendering()
    low, high = display.ax_.get_xlim()
    ticks = [
        label.get_text()
        for label in display.ax_.get_xticklabels()
        if low <= label.get_position()[0] <= high
    ]
    assert ticks == ["1", "10", "100"]


def test_a_single_value_is_a_point():
    display = ScoreCurveDisplay.from_cv_results(results_of({"beta": [4]}))
    assert display.lines_[0].get_marker() == "o"
    assert [label.get_text() for label in display.ax_.get_xticklabels()] == ["4"]


def test_values_are_in_order():
    results = results_of({"beta": [4, 16, 1], "latent_dim": [10, 2]})
    display = ScoreCurveDisplay.from_cv_results(results, hue="latent_dim")
    assert list(display.lines_[0].get_xdata()) == [1, 4, 16]
    assert legend_texts(display) == ["2", "10"]


def test_failed_fit_is_a_gap():
    results = results_of({"beta": [1, 2, 3]})
    results["split1_test_score"][1] = np.nan
    display = ScoreCurveDisplay.from_cv_results(results)
    assert np.isnan(display.lines_[0].get_ydata()).tolist() == [False, True, False]


def test_one_fold_has_no_band():
    display = ScoreCurveDisplay.from_cv_results(results_of({"beta": [1, 2]}, folds=[0]))
    assert display.bands_ == []
    assert display.ax_.get_ylabel() == "score"


def test_settings_without_the_parameter_are_left_out():
    results = results_of({"beta": [1, 2]})
    results["params"][1] = {"gamma": 3}
    display = ScoreCurveDisplay.from_cv_results(results)
    assert list(display.lines_[0].get_xdata()) == [1]


def test_grids_without_the_hue_have_a_line_of_their_own():
    results = results_of({"beta": [1, 2], "lr": [0.1, 0.2]})
    del results["params"][0]["lr"], results["params"][2]["lr"]
    display = ScoreCurveDisplay.from_cv_results(results, hue="lr")
    assert legend_texts(display) == ["0.2", "default"]
    assert [len(line.get_xdata()) for line in display.lines_] == [2, 2]


def test_hue_of_lists_and_texts():
    grid = {"beta": [1, 2], "sizes": [[64], None], "likelihood": ["b", "a"]}
    hue = ["likelihood", "sizes"]
    display = ScoreCurveDisplay.from_cv_results(results_of(grid), hue=hue)
    assert legend_texts(display) == ["b, [64]", "b, None", "a, [64]", "a, None"]


def test_last_scores_of_a_setting_tried_twice():
    display = ScoreCurveDisplay.from_cv_results(results_of({"beta": [1, 2, 1]}))
    np.testing.assert_allclose(display.lines_[0].get_ydata(), [2, 1])


def test_a_real_search_in_a_pipeline(portfolio):
    search = GridSearchCV(
        make_pipeline(PCA(random_state=0)), {"pca__n_components": [1, 2]}, cv=2
    )
    search.fit(portfolio.data.select_dtypes("number").dropna(axis=1))
    display = ScoreCurveDisplay.from_cv_results(search.cv_results_, x="n_components")
    np.testing.assert_allclose(
        display.lines_[0].get_ydata(), search.cv_results_["mean_test_score"]
    )


def test_given_axes_and_keywords(display):
    figure, ax = plt.subplots()
    assert display.plot(ax, line_kw={"lw": 4}) is display
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert {line.get_linewidth() for line in display.lines_} == {4}


def test_nothing_leaves_the_figure(display):
    display.figure_.draw_without_rendering()
    edge = display.figure_.bbox.x1
    assert display.legend_.get_window_extent().x1 <= edge


def test_subclass_returns_itself():
    class Mine(ScoreCurveDisplay):
        pass

    assert type(Mine.from_cv_results(results_of({"beta": [1, 2]}))) is Mine


def test_another_parameter_that_varies_is_told():
    results = results_of(GRID, prefix="m__")
    with pytest.raises(ValueError, match=r"varies m__lr, too.*\('latent_dim', 'lr'\)"):
        ScoreCurveDisplay.from_cv_results(results, hue="latent_dim")


def test_parameters_that_do_not_vary_need_no_name():
    results = results_of({"beta": [1, 2], "lr": [0.1]})
    assert len(ScoreCurveDisplay.from_cv_results(results).lines_) == 1


def test_unknown_names():
    results = results_of({"beta": [1, 2]})
    with pytest.raises(ValueError, match=r"'gamma'; expected a parameter among"):
        ScoreCurveDisplay.from_cv_results(results, x="gamma")
    with pytest.raises(ValueError, match="no score 'KS'"):
        ScoreCurveDisplay.from_cv_results(results, score="KS")
    with pytest.raises(ValueError, match="expected different ones"):
        ScoreCurveDisplay.from_cv_results(results, hue="beta")


def test_a_name_of_two_steps_is_not_guessed():
    results = results_of({"a__n": [1, 2], "b__n": [1, 2]})
    with pytest.raises(ValueError, match=r"'n'; expected one of \['a__n', 'b__n'\]"):
        ScoreCurveDisplay.from_cv_results(results, x="n")
    display = ScoreCurveDisplay.from_cv_results(results, x="a__n", hue="b__n")
    assert display.ax_.get_xlabel() == "a__n"


def test_values_that_are_no_numbers():
    results = results_of({"likelihood": ["auto", "bernoulli"]})
    with pytest.raises(ValueError, match="the value 'auto'; expected numbers"):
        ScoreCurveDisplay.from_cv_results(results, x="likelihood")
