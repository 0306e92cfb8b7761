"""One latent in models of several betas, artist by artist."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import InvalidParameterError

from skvae import VAE, BetaTCVAE, BetaVAE
from skvae.datasets import make_sprites
from skvae.inspection._beta_traversal import BetaTraversalDisplay
from skvae.inspection._column_reader import ColumnReader
from skvae.inspection._matched_latents import (
    MatchedLatent,
    matched_latents,
    table_traversals,
)

show = BetaTraversalDisplay.from_estimators
RHO = "\N{GREEK SMALL LETTER RHO}"
small = {
    "hidden_layer_sizes": (8,),
    "max_epochs": 3,
    "kl_warmup": 0,
    "lr": 1e-2,
    "device": "cpu",
    "random_state": 0,
}


@pytest.fixture(scope="module")
def models(X, model):
    strong = BetaTCVAE(3, beta=20, max_epochs=8, device="cpu", random_state=1)
    return [model, strong.fit(X)]


@pytest.fixture(scope="module")
def display(models, X):
    return show(models, X)


@pytest.fixture(scope="module")
def sprites():
    return make_sprites(200, image_size=8, random_state=0).data


@pytest.fixture(scope="module")
def of_images(sprites):
    return [
        BetaVAE(2, beta=beta, image_shape=(1, 8, 8), **small).fit(sprites)
        for beta in (1, 5)
    ]


def test_a_latent_is_matched_by_rank_correlation(display, models, X):
    first, second = (pd.DataFrame(model.transform(X)) for model in models)
    wanted = int(models[0].kl_per_dimension_.argmax())
    correlations = second.corrwith(first[wanted], method="spearman")
    best = int(correlations.abs().argmax())
    matches = display.matches
    assert matches["latent"].tolist() == [f"betatcvae{wanted}", f"betatcvae{best}"]
    np.testing.assert_allclose(matches["correlation"], [1, correlations[best]])
    assert matches["beta"].tolist() == [models[0].beta, 20]
    assert matches["kl"].iloc[1] == models[1].kl_per_dimension_[best]


@pytest.mark.parametrize(("correlation", "sign"), [(0.4, 1), (-0.9, -1)])
def test_a_latent_that_goes_the_other_way_is_turned_around(correlation, sign):
    latent = MatchedLatent(None, None, 2.0, None, 1, correlation)
    starts, values = (
        np.array([[5.0, 6.0, 7.0], [8.0, 9.0, 10.0]]),
        np.array([-1.0, 3.0]),
    )
    moved = latent.moved(starts, values).reshape(2, 2, 3)
    np.testing.assert_array_equal(moved[:, :, 1], sign * np.array([[-1, -1], [3, 3]]))
    np.testing.assert_array_equal(moved[0][:, [0, 2]], starts[:, [0, 2]])


def test_both_models_move_columns_the_same_way(display):
    name = display.axes_[0].get_title(loc="left")
    rises = [own[name].iloc[-1] - own[name].iloc[0] for own in display.traversals]
    assert rises[0] * rises[1] > 0


def test_values_are_those_that_the_model_decodes(models, X):
    start = X.iloc[[3]]
    display = show(models, X, latent=1, rows=start, n_steps=5, reach=1.5)
    np.testing.assert_allclose(display.values, [-1.5, -0.75, 0, 0.75, 1.5])
    codes = np.repeat(models[0].transform(start), 5, axis=0)
    codes[:, 1] = display.values
    reader = ColumnReader(models[0])
    decoded = pd.DataFrame(reader.decode(codes), columns=reader.labels(X.columns))
    shown = display.traversals[0]
    np.testing.assert_allclose(shown, decoded[shown.columns])
    assert display.matches["latent"].iloc[0] == "betatcvae1"


def test_one_panel_a_column_one_line_a_model(display):
    assert len(display.axes_) == 6
    assert [len(lines) for lines in display.lines_] == [2] * 6
    spans = [
        max(np.ptp(line.get_ydata()) for line in lines) for lines in display.lines_
    ]
    assert spans == sorted(spans, reverse=True)
    rho = abs(display.matches["correlation"].iloc[1])
    assert [text.get_text() for text in display.legend_.get_texts()] == [
        f"β = {display.matches['beta'].iloc[0]:g}  ({RHO} 1.00)",
        f"β = 20  ({RHO} {rho:.2f})",
    ]


def test_small_betas_are_darker(display):
    light = [np.mean(to_rgb(line.get_color())) for line in display.lines_[0]]
    assert light[0] < light[1]


def test_standardised_changes_are_zero_in_the_middle(display):
    for lines in display.lines_:
        for line in lines:
            assert np.interp(0, line.get_xdata(), line.get_ydata()) == pytest.approx(0)
    unit = "Change of the column\n(share of its 5 to 95 % range)"
    assert [ax.get_ylabel() for ax in display.axes_] == [unit, "", ""] * 2
    below = ["", "", "", *["Latent value (prior sd)"] * 3]
    assert [ax.get_xlabel() for ax in display.axes_] == below


def test_columns_in_their_own_units(models, X):
    display = show(models, X, standardize=False, n_columns=2)
    for ax, lines in zip(display.axes_, display.lines_, strict=True):
        name = ax.get_title(loc="left")
        for line, own in zip(lines, display.traversals, strict=True):
            np.testing.assert_allclose(line.get_ydata(), own[name])
        assert ax.get_ylabel() == ""


def test_levels_are_probabilities(X):
    late = np.where(X["PAY_0"] > 0, "late", "on time")
    mixed = X[["BILL_AMT1", "PAY_AMT1"]].assign(PAY_0=late)
    models = [BetaTCVAE(2, beta=beta, **small).fit(mixed) for beta in (1, 2)]
    display = show(models, mixed, standardize=False)
    labels = {ax.get_title(loc="left"): ax.get_ylabel() for ax in display.axes_}
    level = next(name for name in labels if name.startswith("PAY_0 = "))
    assert labels.pop(level) == "Probability"
    assert set(labels.values()) == {""}
    assert "or probability" in display.plot().axes_[0].get_ylabel()


def test_the_line_of_an_inactive_latent_is_dashed(models, X, monkeypatch):
    monkeypatch.setattr(models[1], "kl_per_dimension_", np.full(3, 1e-4))
    lines = show(models, X).lines_[0]
    assert [line.get_linestyle() for line in lines] == ["-", "--"]


def test_models_follow_the_first_by_growing_beta(models, X):
    display = show([models[1], models[0]], X, betas=[7, 3])
    assert display.matches["beta"].tolist() == [7, 3]
    labels = [line.get_label() for line in display.lines_[0]]
    assert [label.split("  ")[0] for label in labels] == ["β = 3", "β = 7"]


def test_a_row_of_images_for_each_model(of_images, sprites):
    display = show(of_images, sprites, latent=0, rows=sprites[[4]], n_steps=5)
    assert display.lines_ == []
    assert display.legend_ is None
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels == ["β = 1", "β = 5"]
    notes = [text.get_text() for text in display.ax_.get_yticklabels(minor=True)]
    kl = of_images[0].kl_per_dimension_[0]
    assert notes[0] == f"{RHO} 1.00, KL {kl:.2f}"
    assert [label.get_text() for label in display.ax_.get_xticklabels()] == [
        "\N{MINUS SIGN}2.0",
        "\N{MINUS SIGN}1.0",
        "0",
        "+1.0",
        "+2.0",
    ]
    codes = np.repeat(of_images[0].transform(sprites[[4]]), 5, axis=0)
    codes[:, 0] = display.values
    decoded = of_images[0].inverse_transform(codes).reshape(5, 8, 8)
    np.testing.assert_allclose(display.traversals[0][:, 0], decoded)
    np.testing.assert_allclose(display.im_.get_array()[:8, :8], decoded[0] / 255)
    assert "rank correlation" in display.ax_.get_xlabel()


def test_images_start_from_a_typical_one(of_images, sprites):
    display = show(of_images, sprites)
    assert len(display.traversals[0]) == 9
    codes = of_images[0].transform(sprites)
    distance = np.abs((codes - codes.mean(axis=0)) / codes.std(axis=0)).max(axis=1)
    again = show(of_images, sprites, rows=sprites[[distance.argmin()]])
    np.testing.assert_allclose(display.traversals, again.traversals)


def test_pipelines_are_taken_back_to_pixels(sprites):
    pixels = sprites.astype(float) + np.random.RandomState(0).uniform(
        size=sprites.shape
    )
    pipeline = make_pipeline(
        StandardScaler(), BetaVAE(2, image_shape=(1, 8, 8), **small)
    ).fit(pixels)
    display = show([pipeline], pixels, latent=0, rows=pixels[[4]], n_steps=3)
    codes = np.repeat(pipeline.transform(pixels[[4]]), 3, axis=0)
    codes[:, 0] = display.values
    decoded = pipeline.inverse_transform(codes)
    np.testing.assert_allclose(display.traversals[0].reshape(3, -1), decoded)


def test_in_given_axes_with_a_look(models, X):
    figure, ax = plt.subplots()
    display = show(models, X, ax=ax, n_columns=2, line_kw={"lw": 3})
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert len(display.axes_) == 2
    assert display.lines_[1][1].get_linewidth() == 3
    assert display.plot(n_columns=1) is display
    assert len(display.axes_) == 1


def test_subclass_returns_itself(models, X):
    class Mine(BetaTraversalDisplay):
        pass

    assert type(Mine.from_estimators(models, X)) is Mine


def test_bad_input_is_named(models, X, of_images, sprites):
    with pytest.raises(ValueError, match="Got no estimators"):
        show([], X)
    with pytest.raises(ValueError, match=r"Expected factor out of .* got 'z9'"):
        show(models, X, latent="z9")
    with pytest.raises(ValueError, match="VAE has no parameter beta"):
        show([VAE(2, max_epochs=8, device="cpu", random_state=0).fit(X)], X)
    with pytest.raises(ValueError, match="Got 2 rows to start from"):
        show(of_images, sprites, rows=sprites[:2])
    with pytest.raises(ValueError, match="inconsistent numbers"):
        show(models, X, betas=[1])
    with pytest.raises(InvalidParameterError, match="reach"):
        show(models, X, reach=0)


def test_models_of_other_columns_are_refused(models, X):
    fewer = X.iloc[:, :5]
    other = BetaTCVAE(2, max_epochs=8, device="cpu", random_state=0).fit(fewer)
    latents = matched_latents(models[:1], X) + matched_latents([other], fewer)
    with pytest.raises(ValueError, match="explains other columns or levels"):
        table_traversals(
            latents,
            np.zeros(1),
            rows=None,
            quantiles=(0, 1),
            max_rows=1,
            random_state=0,
        )


def test_a_collapsed_first_model_is_refused(collapsed, X):
    with pytest.raises(ValueError, match="n_active_ is 0"):
        show([collapsed], X)
