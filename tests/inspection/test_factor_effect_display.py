"""The heat map of effects, artist by artist."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skvae import CVAE, MSVAE, BetaTCVAE
from skvae.inspection import FactorEffectDisplay, factor_effects
from skvae.inspection._style import INK, QUIET

show = FactorEffectDisplay.from_predictions
SHARE = "Change of the column\n(share of its 5 to 95 % range)"
PROBABILITY = "Change of the category\n(probability that changes levels)"


@pytest.fixture
def effects():
    return pd.DataFrame(
        [[0.1, 0.9, 0.0, 0.2], [-0.8, 0.0, 0.0, 0.4]],
        index=["vae1", "vae0"],
        columns=["income", "age", "bank", "region"],
    )


@pytest.fixture(scope="module")
def table():
    """Columns of all kinds that follow one factor, some cells missing."""
    rng = np.random.default_rng(0)
    factor = rng.normal(size=300)
    days = pd.to_timedelta(np.round(500 + 99 * factor), "D")
    table = pd.DataFrame(
        {
            "amount": factor + 0.3 * rng.normal(size=300),
            "region": np.where(factor > 0, "North", "South"),
            "insured": factor > 0.3,
            "since": pd.Timestamp("2020-01-01") + days,
        }
    )
    return table.mask(rng.random(table.shape) < 0.05)


def small(model, **settings):
    settings = {"hidden_layer_sizes": (8,), "max_epochs": 8, "lr": 1e-2, **settings}
    return model(random_state=0, device="cpu", **settings)


def texts_of(artists):
    return [artist.get_text() for artist in artists]


def scale_labels(display):
    return [colorbar.ax.get_ylabel() for colorbar in display.colorbars_]


def test_columns_of_one_factor_stand_side_by_side(effects):
    display = show(effects)
    assert list(display.shown_) == ["age", "income", "region", "bank"]
    assert texts_of(display.ax_.get_xticklabels()) == list(display.shown_)
    assert texts_of(display.ax_.get_yticklabels()) == ["vae1", "vae0"]
    np.testing.assert_array_equal(display.im_.get_array(), display.shown_)


def test_axes_say_what_they_hold(effects):
    display = show(effects)
    assert display.ax_.get_xlabel() == "Column"
    assert display.ax_.get_ylabel() == "Latent factor"
    assert scale_labels(display) == [SHARE]


def test_columns_that_move_furthest(effects):
    display = show(effects, n_columns=2)
    assert list(display.shown_) == ["age", "income"]
    assert display.ax_.get_xlabel() == "Column (the 2 of 4 that move furthest)"


def test_of_many_columns_the_first_forty_are_shown():
    effects = pd.DataFrame(np.linspace(0.1, 0.5, 50)[None])
    assert show(effects).shown_.shape == (1, 40)
    assert show(effects, n_columns=45).shown_.shape == (1, 45)


def test_kl_stands_beside_the_factors(effects):
    display = show(effects, kl={"vae0": 0.5, "vae1": 1.25, "vae2": 0.0})
    assert texts_of(display.ax_.get_yticklabels()) == ["vae1 (1.25)", "vae0 (0.50)"]
    assert display.ax_.get_ylabel() == "Latent factor (KL in nats)"


def test_colours_are_symmetric_and_reach_one_at_least(effects):
    assert show(effects).im_.get_clim() == (-1, 1)
    assert show(2 * effects).im_.get_clim() == (-1.8, 1.8)


def test_categories_have_a_map_and_a_scale_of_their_own(effects):
    display = show(effects, categories=["region"])
    hidden = np.ma.getmaskarray(display.im_.get_array())
    assert (hidden == (display.shown_.columns == "region")).all()
    others = np.ma.getmaskarray(display.category_im_.get_array())
    assert (others != hidden).all()
    assert display.category_im_.get_clim() == (0, 1)
    assert display.category_im_.get_cmap().name == "Greys"
    assert scale_labels(display) == [SHARE, PROBABILITY]


def test_scales_are_those_of_what_is_drawn(effects):
    only = show(effects[["region"]], categories=["region"])
    assert scale_labels(only) == [PROBABILITY]
    none = show(effects, categories=["region"], n_columns=2)
    assert none.category_im_ is None
    assert scale_labels(none) == [SHARE]


def test_scale_says_where_booleans_are_drawn(effects):
    booleans = show(effects, booleans=["income"], quantiles=(0.25, 0.75))
    (label,) = scale_labels(booleans)
    assert label.endswith("(share of its 25 to 75 % range,\nor probability)")
    assert scale_labels(show(effects, booleans=["bank"], n_columns=2)) == [SHARE]


def test_every_cell_has_its_number(effects):
    text = show(effects).text_
    assert texts_of(text[0]) == ["0.90", "0.10", "0.20", "0.00"]
    assert texts_of(text[1]) == ["0.00", "\N{MINUS SIGN}0.80", "0.40", "0.00"]
    assert text[1, 2].get_position() == (2, 1)


def test_numbers_are_readable_and_small_ones_pale(effects):
    text = show(effects).text_
    assert text[0, 0].get_color() == "white"
    assert text[0, 1].get_color() == INK
    assert text[0, 3].get_color() == QUIET


def test_zero_has_no_sign():
    assert show(pd.DataFrame([[-0.001]])).text_[0, 0].get_text() == "0.00"


def test_numbers_only_where_they_fit(effects):
    wide = pd.DataFrame(np.ones((2, 60)))
    _, ax = plt.subplots(figsize=(5, 3))
    assert show(wide, ax=ax).text_ is None
    _, ax = plt.subplots(figsize=(5, 3))
    assert show(wide, ax=ax, include_values=True).text_.shape == (2, 40)
    assert show(effects, include_values=False).text_ is None


def test_keywords_reach_the_image(effects):
    image = show(effects, cmap="PuOr", im_kw={"alpha": 0.5, "vmax": 3}).im_
    assert image.get_cmap().name == "PuOr"
    assert image.get_alpha() == 0.5
    assert image.get_clim() == (-1, 3)


def test_up_and_down_are_told_apart(effects):
    image = show(effects).im_
    up, down = (to_rgb(image.cmap(image.norm(value))) for value in (0.9, -0.9))
    assert up[0] > up[2]
    assert down[2] > down[0]


def test_model_is_shown_by_its_active_factors_most_kl_first(model, X):
    display = FactorEffectDisplay.from_estimator(model, X)
    order = np.argsort(-model.kl_per_dimension_)[: model.n_active_]
    names = model.get_feature_names_out()[order]
    expected = factor_effects(model, X).loc[names]
    pd.testing.assert_frame_equal(display.effects, expected)
    assert list(display.kl.values()) == list(model.kl_per_dimension_[order])


def test_predictions_of_a_model_are_what_its_estimator_shows(model, X):
    settings = {"quantiles": (0.1, 0.9), "max_rows": 100, "random_state": 1}
    display = FactorEffectDisplay.from_estimator(model, X, n_factors=2, **settings)
    effects = factor_effects(model, X, **settings).loc[display.effects.index]
    same = show(effects, kl=display.kl, quantiles=(0.1, 0.9))
    pd.testing.assert_frame_equal(display.shown_, same.shown_)
    assert scale_labels(display) == scale_labels(same)
    for axis in ("get_xticklabels", "get_yticklabels"):
        labels = [texts_of(getattr(d.ax_, axis)()) for d in (display, same)]
        assert labels[0] == labels[1]


def test_kinds_of_columns_are_those_of_the_model(table):
    model = small(BetaTCVAE, latent_dim=1, beta=1).fit(table)
    display = FactorEffectDisplay.from_estimator(model, table, n_factors=1)
    assert display.categories == ["region"]
    assert display.booleans == ["insured"]
    assert set(display.shown_) == set(table)
    assert len(display.colorbars_) == 2


def test_factors_of_two_stages_and_columns_under_a_condition(table):
    first = small(BetaTCVAE, latent_dim=1, beta=1)
    two_stages = MSVAE(first, residual_dim=1, max_epochs=1, random_state=0).fit(table)
    display = FactorEffectDisplay.from_estimator(two_stages, table)
    assert display.shown_.shape == (1, 4)
    known = table.dropna(subset="region")
    conditional = small(CVAE, latent_dim=1, condition_columns=["region"]).fit(known)
    display = FactorEffectDisplay.from_estimator(conditional, known)
    assert set(display.shown_) == {"amount", "insured", "since"}
    assert display.categories == []


def test_pipeline_is_shown_by_the_columns_of_its_table(X):
    rows = X[["AGE", "LIMIT_BAL", "BILL_AMT1"]]
    model = small(BetaTCVAE, latent_dim=1, beta=1)
    pipeline = make_pipeline(StandardScaler(), model).fit(rows)
    display = FactorEffectDisplay.from_estimator(pipeline, rows)
    assert set(display.shown_) == set(rows)
    scaled = pipeline[0].transform(rows)
    expected = factor_effects(pipeline[-1], scaled)
    np.testing.assert_array_equal(display.effects, expected)


def test_pipeline_without_names_is_shown_by_those_of_the_model(X):
    rows = X[["AGE", "LIMIT_BAL"]]
    model = small(BetaTCVAE, latent_dim=1, beta=1)
    pipeline = make_pipeline(FunctionTransformer(np.asarray), model).fit(rows)
    display = FactorEffectDisplay.from_estimator(pipeline, rows)
    assert set(display.shown_) == {"x0", "x1"}


def test_search_is_shown_by_its_best_model(X):
    rows = X[["AGE", "LIMIT_BAL"]]
    model = small(BetaTCVAE, latent_dim=1, lr=3e-2)
    pipeline = make_pipeline(StandardScaler(), model)
    grid = {"betatcvae__beta": [1]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(rows)
    display = FactorEffectDisplay.from_estimator(search, rows)
    assert set(display.shown_) == set(rows)


def test_labels_do_not_overlap(model, X):
    display = FactorEffectDisplay.from_estimator(model, X)
    display.figure_.draw_without_rendering()
    for labels in (display.ax_.get_yticklabels(), display.text_.ravel()):
        boxes = [label.get_window_extent() for label in labels]
        for number, box in enumerate(boxes):
            assert box.count_overlaps(boxes[number + 1 :]) == 0
    drawn = display.figure_.get_tightbbox()
    width, height = display.figure_.get_size_inches()
    assert 0 <= drawn.x0 < drawn.x1 <= width
    assert 0 <= drawn.y0 < drawn.y1 <= height


def test_given_axes_and_plot_again(effects):
    figure, ax = plt.subplots()
    display = show(effects, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert display.plot() is display
    assert display.ax_ is not ax


def test_subclass_returns_itself(model, X, effects):
    class Mine(FactorEffectDisplay):
        pass

    assert type(Mine.from_estimator(model, X)) is Mine
    assert type(Mine.from_predictions(effects)) is Mine


def test_bad_effects(effects):
    with pytest.raises(ValueError, match=r"shape \(0, 4\); expected a factor"):
        show(effects.iloc[:0])
    with pytest.raises(ValueError, match=r"\['age'\] that are not finite"):
        show(effects.replace(0.9, np.nan))
    with pytest.raises(ValueError, match=r"\['kids'\] in categories; expected columns"):
        show(effects, categories=["kids"])
    with pytest.raises(ValueError, match=r"\['kids'\] in booleans"):
        show(effects, booleans=["kids"])
    with pytest.raises(ValueError, match=r"from -0.8 to 0.1 on the category 'income'"):
        show(effects, categories=["income"])
    with pytest.raises(ValueError, match=r"no kl of \['vae0'\]"):
        show(effects, kl={"vae1": 1.0})
    with pytest.raises(ValueError, match="'n_columns' parameter"):
        show(effects, n_columns=0)


def test_bad_estimators_and_tables(model, X):
    from_estimator = FactorEffectDisplay.from_estimator
    with pytest.raises(NotFittedError):
        from_estimator(BetaTCVAE(), X)
    with pytest.raises(TypeError, match="expected a fitted model of skvae"):
        from_estimator(StandardScaler().fit(X), X)
    with pytest.raises(ValueError, match="feature names"):
        from_estimator(model, X.drop(columns="AGE"))
    with pytest.raises(ValueError, match="0 <= lower < upper <= 1"):
        from_estimator(model, X, quantiles=(0.9, 0.1))


def test_collapsed_model_is_refused(collapsed, X):
    with pytest.raises(ValueError, match="n_active_ is 0"):
        FactorEffectDisplay.from_estimator(collapsed, X)
