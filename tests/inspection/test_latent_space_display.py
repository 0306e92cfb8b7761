"""The scatter of codes, artist by artist."""

import sys
import types

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skvae import CVAE, VAE
from skvae.inspection._latent_plane import as_codes, latent_plane
from skvae.inspection._latent_space import LatentSpaceDisplay
from skvae.inspection._style import PALETTE, QUIET

show = LatentSpaceDisplay.from_estimator
show_several = LatentSpaceDisplay.from_estimators
show_codes = LatentSpaceDisplay.from_predictions


@pytest.fixture(scope="module")
def plane_model(X):
    return VAE(latent_dim=2, max_epochs=8, device="cpu", random_state=0).fit(X)


@pytest.fixture
def codes():
    return np.random.default_rng(0).normal(size=(300, 2))


def legend_texts(display):
    return [text.get_text() for text in display.legend_.get_texts()]


def legend_colors(display):
    return [to_hex(handle.get_color()) for handle in display.legend_.legend_handles]


def axis_labels(ax):
    return [ax.get_xlabel(), ax.get_ylabel()]


def test_two_latents_are_the_plane_itself(plane_model, X):
    display = show(plane_model, X)
    (positions,) = display.positions.values()
    np.testing.assert_allclose(positions.sort_index(), plane_model.transform(X))
    np.testing.assert_array_equal(display.points_[0].get_offsets(), positions)
    assert axis_labels(display.ax_) == ["latent 0", "latent 1"]


def test_more_latents_are_seen_along_their_principal_components(model, X):
    assert model.n_active_ == 4
    display = show(model, X)
    pca = PCA(2, svd_solver="full").fit(model.transform(X))
    (positions,) = display.positions.values()
    expected = pca.transform(model.transform(X))
    np.testing.assert_allclose(positions.sort_index(), expected, atol=1e-12)
    first, second = (f"{100 * part:.0f}" for part in pca.explained_variance_ratio_)
    assert axis_labels(display.ax_) == [
        f"PC 1 ({first} % of variance)",
        f"PC 2 ({second} % of variance)",
    ]


def test_dead_latents_take_no_part(model, X, monkeypatch):
    kl = model.kl_per_dimension_.copy()
    monkeypatch.setattr(model, "n_active_", 2)
    display = show(model, X)
    expected = [f"latent {latent}" for latent in sorted(np.argsort(-kl)[:2])]
    assert axis_labels(display.ax_) == expected


def test_one_active_latent_is_shown_against_the_next(plane_model, X, monkeypatch):
    monkeypatch.setattr(plane_model, "n_active_", 1)
    assert axis_labels(show(plane_model, X).ax_) == ["latent 0", "latent 1"]


def test_positions_of_a_plane_lead_back_to_themselves(model, X):
    plane = latent_plane(as_codes(model.transform(X)))
    positions = np.random.RandomState(0).normal(size=(5, 2))
    np.testing.assert_allclose(plane.positions(plane.codes(positions)), positions)


def test_both_axes_have_one_scale(model, X):
    assert show(model, X).ax_.get_aspect() == 1


def test_levels_have_a_legend_in_order(model, X):
    y = pd.Series(np.resize(["b", "c", "a"], len(X)), name="grade")
    display = show(model, X, y)
    assert legend_texts(display) == ["a", "b", "c"]
    assert display.legend_.get_title().get_text() == "grade"
    assert legend_colors(display) == [color.lower() for color in PALETTE[:3]]
    assert display.colorbar_ is None


def test_points_have_the_colour_of_their_own_label(codes):
    y = pd.Series(np.where(codes[:, 0] > 0, "right", "left"))
    (points,) = show_codes(codes, y).points_
    for color, name in zip(PALETTE, ("left", "right"), strict=False):
        has_color = [to_hex(face) == color.lower() for face in points.get_facecolor()]
        of_color = points.get_offsets()[has_color]
        assert len(of_color) == (y == name).sum()
        assert ((of_color[:, 0] > 0) == (name == "right")).all()


@pytest.mark.parametrize(
    ("levels", "texts"),
    [
        ([True, False], ["False", "True"]),
        ([2.0, 1.0], ["1", "2"]),
        (pd.Categorical(["low", "high"], ["low", "high", "none"]), ["low", "high"]),
        (["in", None], ["in", "missing"]),
    ],
)
def test_kinds_of_levels(codes, levels, texts):
    y = pd.Series(levels).iloc[np.resize([0, 1], len(codes))]
    assert legend_texts(show_codes(codes, y)) == texts


def test_rare_levels_lie_over_frequent_ones(codes):
    (points,) = show_codes(codes, np.arange(len(codes)) < 10).points_
    faces = [to_hex(face) for face in points.get_facecolor()]
    assert faces[-10:] == [PALETTE[1].lower()] * 10
    assert set(faces[:-10]) == {PALETTE[0].lower()}


def test_more_levels_than_colours_share_a_grey(codes):
    y = [f"level{number:02d}" for number in np.minimum(np.arange(len(codes)) % 40, 15)]
    display = show_codes(codes, y)
    assert len(set(legend_colors(display))) == 11
    assert legend_texts(display)[-1] == "all others"
    assert "level15" in legend_texts(display)
    assert legend_colors(display)[-1] == QUIET.lower()


def test_names_are_written_on_levels_that_lie_apart(codes):
    y = np.resize(["left", "right"], len(codes))
    codes[:, 0] += np.where(y == "left", -9, 9)
    (texts,) = show_codes(codes, y).texts_
    assert [text.get_text() for text in texts] == ["left", "right"]
    for text, name in zip(texts, ("left", "right"), strict=True):
        middle = np.median(codes[y == name], axis=0)
        np.testing.assert_allclose(text.get_position(), middle)


def test_no_names_are_written_on_levels_that_mix(codes):
    assert show_codes(codes, np.resize(["left", "right"], len(codes))).texts_ == [[]]


def test_numbers_have_a_colour_bar(model, X):
    display = show(model, X, X["LIMIT_BAL"])
    assert display.colorbar_.ax.get_ylabel() == "LIMIT_BAL"
    assert display.legend_ is None
    (points,) = display.points_
    np.testing.assert_array_equal(points.get_array(), display.labels)


def test_a_few_extreme_numbers_do_not_take_the_colour_bar(codes):
    y = np.arange(len(codes), dtype=float)
    y[0] = 1e9
    display = show_codes(codes, y)
    assert display.points_[0].norm.vmax < len(codes)
    assert display.colorbar_.extend == "both"


def test_large_numbers_are_written_out(codes):
    display = show_codes(codes, 1e6 * np.arange(len(codes)))
    display.figure_.draw_without_rendering()
    texts = [label.get_text() for label in display.colorbar_.ax.get_yticklabels()]
    assert "100,000,000" in texts


def test_missing_numbers_are_grey_and_lie_below(model, X):
    y = X["LIMIT_BAL"].astype(float).mask(np.arange(len(X)) < 7)
    (points,) = show(model, X, y).points_
    missing = np.isnan(np.ma.filled(points.get_array(), np.nan))
    assert missing[:7].all()
    assert missing.sum() == 7
    assert to_hex(points.cmap.get_bad()) == QUIET.lower()


def test_of_many_rows_some_are_drawn(model, X):
    y = pd.Series(X["LIMIT_BAL"].to_numpy(), index=X.index)
    display = show(model, X, y, max_rows=100)
    (positions,) = display.positions.values()
    assert len(display.points_[0].get_offsets()) == 100
    np.testing.assert_array_equal(positions.index, display.labels.index)
    np.testing.assert_array_equal(display.labels, y[positions.index])
    again = show(model, X, y, max_rows=100)
    np.testing.assert_array_equal(again.labels, display.labels)
    other = show(model, X, y, max_rows=100, random_state=1)
    assert not np.array_equal(other.labels, display.labels)


def test_legend_stands_beside_the_points(model, X):
    display = show(model, X, X["EDUCATION"])
    display.figure_.draw_without_rendering()
    assert display.legend_.get_window_extent().x0 >= display.ax_.bbox.x1
    assert display.legend_.get_window_extent().x1 <= display.figure_.bbox.x1


def test_several_models_have_a_panel_each_and_one_scale(model, plane_model, X):
    display = show_several({"β = 1": plane_model, "β = 4": model}, X, X["SEX"])
    assert [ax.get_title(loc="left") for ax in display.axes_] == ["β = 1", "β = 4"]
    first, second = display.axes_
    assert first.get_xlim() == second.get_xlim()
    assert first.get_ylim() == second.get_ylim()
    for ax, points in zip(display.axes_, display.points_, strict=True):
        assert points.axes is ax
        assert points.get_offsets()[:, 0].max() < ax.get_xlim()[1]
    assert len(legend_texts(display)) == 2


def test_models_in_a_list_are_called_as_their_classes_are(model, plane_model, X):
    display = show_several([plane_model, model, plane_model], X)
    titles = [ax.get_title(loc="left") for ax in display.axes_]
    assert titles == ["VAE", "BetaTCVAE", "VAE 2"]


def test_a_single_model_has_no_title(model, X):
    assert show(model, X).ax_.get_title(loc="left") == ""


def test_a_collapsed_model_is_shown_beside_others(model, plane_model, X, monkeypatch):
    monkeypatch.setattr(plane_model, "n_active_", 0)
    display = show_several([plane_model, model], X)
    assert [*display.positions] == ["VAE, collapsed", "BetaTCVAE"]


def test_a_pipeline_is_shown_by_the_model_inside(model, X):
    half = FunctionTransformer(lambda rows: rows.iloc[::-1])
    pipe = make_pipeline(half, model)
    ours = show(pipe, X).positions["BetaTCVAE"]
    expected = show(model, X.iloc[::-1]).positions["BetaTCVAE"]
    np.testing.assert_allclose(np.ptp(ours, axis=0), np.ptp(expected, axis=0))


def test_a_condition_goes_to_the_models_that_take_one(plane_model, X):
    sex, rest = X["SEX"], X.drop(columns="SEX")
    conditional = CVAE(2, max_epochs=2, device="cpu", random_state=0)
    conditional.fit(rest, condition=sex)
    plain = VAE(2, max_epochs=2, device="cpu", random_state=0).fit(rest)
    display = show_several([conditional, plain], rest, condition=sex)
    expected = conditional.transform(rest, condition=sex)
    name = next(name for name in display.positions if "CVAE" in name)
    np.testing.assert_allclose(display.positions[name].sort_index(), expected)
    with pytest.raises(ValueError, match="no model here takes one"):
        show(plane_model, X, condition=sex)


def test_codes_of_an_array_are_numbered(codes):
    display = show_codes({"ours": codes, "theirs": 2 * codes})
    assert axis_labels(display.axes_[1]) == ["latent 0", "latent 1"]
    assert [*display.positions] == ["ours", "theirs"]


def test_umap_takes_more_than_two_latents(model, X, monkeypatch):
    class UMAP:
        def __init__(self, *, random_state, n_jobs):
            assert n_jobs == 1

        def fit_transform(self, codes):
            assert codes.shape == (len(X), 4)
            return codes[:, :2] + 100

    monkeypatch.setitem(sys.modules, "umap", types.SimpleNamespace(UMAP=UMAP))
    display = show(model, X, projection="umap")
    assert axis_labels(display.ax_) == ["UMAP 1", "UMAP 2"]
    np.testing.assert_allclose(display.positions["BetaTCVAE"].mean(), 0, atol=1e-12)


def test_without_umap_the_error_names_the_extra(model, plane_model, X, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ImportError, match=r"skvae\[umap\]"):
        show(model, X, projection="umap")
    assert axis_labels(show(plane_model, X, projection="umap").ax_)[0] == "latent 0"


def test_given_axes_and_keywords(model, X):
    figure, ax = plt.subplots()
    display = show(model, X, ax=ax, scatter_kw={"s": 50, "color": "#ff0000"})
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert display.points_[0].get_sizes() == [50]
    assert to_hex(display.points_[0].get_facecolor()[0]) == "#ff0000"
    assert display.plot() is display
    assert display.ax_ is not ax


def test_subclass_returns_itself(model, X):
    class Mine(LatentSpaceDisplay):
        pass

    assert type(Mine.from_estimator(model, X)) is Mine
    assert type(Mine.from_predictions(model.transform(X))) is Mine


def test_bad_input(model, X, codes):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        show(model, X, X["AGE"].iloc[:5])
    with pytest.raises(ValueError, match="feature names"):
        show(model, X.drop(columns="AGE"))
    with pytest.raises(ValueError, match="at least 2 rows"):
        show(model, X.iloc[:1])
    with pytest.raises(ValueError, match="one label for each row"):
        show(model, X, X[["AGE", "SEX"]])
    with pytest.raises(ValueError, match="'projection' parameter"):
        show(model, X, projection="tsne")
    with pytest.raises(ValueError, match="no estimators"):
        show_several([], X)
    with pytest.raises(ValueError, match="no codes"):
        show_codes({})
    with pytest.raises(ValueError, match="at least 2 latents"):
        show_codes(codes[:, :1])


def test_single_latent_makes_no_plane(X):
    model = VAE(latent_dim=1, max_epochs=8, device="cpu", random_state=0).fit(X)
    with pytest.raises(ValueError, match="single latent"):
        show(model, X)


def test_collapsed_model_is_refused(collapsed, X):
    with pytest.raises(ValueError, match="n_active_ is 0"):
        show(collapsed, X)
