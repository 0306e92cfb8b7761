"""The loss curves, artist by artist."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import VAE, BetaTCVAE, VAEAnomalyDetector
from skvae.inspection import LossCurveDisplay


@pytest.fixture
def display(model):
    return LossCurveDisplay.from_estimator(model)


def test_one_panel_a_term_the_loss_first(display):
    titles = [ax.get_title(loc="left") for ax in display.axes_]
    assert titles == ["Loss", "Reconstruction", "KL", "Total correlation"]


def test_curves_are_the_history(display, model):
    terms = ["loss", "reconstruction", "kl", "total_correlation"]
    for term, lines in zip(terms, display.lines_, strict=True):
        for rows, line in zip(["train", "valid"], lines, strict=True):
            curve = model.history_[f"{rows}_{term}"]
            assert list(line.get_xdata()) == list(curve.index)
            assert list(line.get_ydata()) == list(curve)


def test_units_on_the_outside_only(display):
    labels = [(ax.get_xlabel(), ax.get_ylabel()) for ax in display.axes_]
    unit = "Nats per row"
    assert labels == [("", unit), ("", ""), ("Epoch", unit), ("Epoch", "")]


def test_panels_share_the_epochs(display):
    assert len({ax.get_xlim() for ax in display.axes_}) == 1


def test_warmup_is_shaded_in_every_panel(display, model):
    n_epochs = int((model.history_["warmup"] < 1).sum())
    assert n_epochs == 4
    assert len(display.warmup_) == 4
    for span in display.warmup_:
        edges = span.get_x(), span.get_x() + span.get_width()
        assert edges == (0.5, n_epochs + 0.5)


def test_kept_epoch_is_marked_in_every_panel(display, model):
    assert len(display.best_) == 4
    for line in display.best_:
        assert list(line.get_xdata()) == [model.best_epoch_] * 2


def test_one_legend_explains_all(display, model):
    legends = [ax.get_legend() for ax in display.figure_.axes if ax.get_legend()]
    assert len(legends) == 1
    assert [text.get_text() for text in legends[0].get_texts()] == [
        "training rows",
        "held-out rows",
        "warm-up",
        f"epoch {model.best_epoch_}, kept",
    ]


def test_legend_is_clear_of_the_panels(display):
    display.figure_.draw_without_rendering()
    (legend,) = (ax.get_legend() for ax in display.figure_.axes if ax.get_legend())
    bottom = legend.get_window_extent().y0
    assert all(ax.get_tightbbox().y1 <= bottom for ax in display.axes_)


def test_without_held_out_rows_and_warmup(X):
    model = VAE(
        latent_dim=2, max_epochs=3, early_stopping=False, kl_warmup=0, random_state=0
    ).fit(X)
    display = LossCurveDisplay.from_estimator(model)
    assert [len(lines) for lines in display.lines_] == [1, 1, 1]
    assert display.warmup_ == []
    assert [line.get_xdata()[0] for line in display.best_] == [3, 3, 3]


def test_history_alone():
    history = pd.DataFrame({"train_kl": [1.0], "train_loss": [2.0], "dur": [0.1]})
    display = LossCurveDisplay(history=history).plot()
    assert [ax.get_title(loc="left") for ax in display.axes_] == ["Loss", "KL"]
    assert display.best_ == display.warmup_ == []
    assert display.lines_[0][0].get_marker() == "o"


def test_many_terms_take_three_in_a_row():
    history = pd.DataFrame({f"train_term_{k}": [1.0, 0.5] for k in range(5)})
    display = LossCurveDisplay(history=history).plot()
    rows = {round(ax.get_position().y0, 6) for ax in display.axes_}
    assert len(rows) == 2


def test_given_axes_and_keywords(display):
    figure, (ax, other) = plt.subplots(1, 2, layout="constrained")
    assert display.plot(ax, line_kw={"lw": 4}) is display
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert {line.get_linewidth() for lines in display.lines_ for line in lines} == {4}
    figure.draw_without_rendering()
    border = other.get_position().x0
    assert all(panel.get_position().x1 <= border for panel in display.axes_)


def test_subclass_returns_itself(model):
    class Mine(LossCurveDisplay):
        pass

    assert type(Mine.from_estimator(model)) is Mine


def test_collapsed_model_is_shown(collapsed):
    assert len(LossCurveDisplay.from_estimator(collapsed).axes_) == 4


def test_bad_input():
    with pytest.raises(NotFittedError):
        LossCurveDisplay.from_estimator(BetaTCVAE())
    with pytest.raises(ValueError, match="train_"):
        LossCurveDisplay(history=pd.DataFrame({"dur": [1.0]})).plot()


def test_an_early_stop_is_marked(X):
    model = VAE(
        latent_dim=2, max_epochs=40, kl_warmup=0, n_iter_no_change=1, tol=100
    ).fit(X)
    display = LossCurveDisplay.from_estimator(model)
    assert display.stop_epoch == model.n_iter_ < 40
    assert len(display.stop_) == len(display.axes_)
    assert display.stop_[0].get_label() == f"epoch {model.n_iter_}, stopped early"


def test_no_mark_where_training_took_its_time(display):
    assert display.stop_epoch is None
    assert display.stop_ == []


def test_models_inside_of_others(X):
    inner = VAE(latent_dim=2, max_epochs=2, random_state=0)
    pipe = make_pipeline(StandardScaler().set_output(transform="pandas"), inner).fit(X)
    search = GridSearchCV(inner, {"latent_dim": [2]}, cv=2).fit(X)
    detector = VAEAnomalyDetector(inner).fit(X)
    for outer, model in {
        pipe: pipe[-1],
        search: search.best_estimator_,
        detector: detector.model_,
    }.items():
        display = LossCurveDisplay.from_estimator(outer)
        assert display.history.equals(model.history_)


def test_what_holds_no_model_is_refused(X):
    scaler = StandardScaler().fit(X)
    with pytest.raises(TypeError, match="Got StandardScaler; expected a fitted model"):
        LossCurveDisplay.from_estimator(scaler)
