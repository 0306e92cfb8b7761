"""Distributions of columns in a table and in what a model makes of it."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.text import Text
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skvae import CVAE, MSVAE, BetaTCVAE
from skvae.inspection import DistributionDisplay
from skvae.inspection._column_shares import DATE
from skvae.inspection._style import PALETTE
from skvae.metrics import ks_score, tv_score

show = DistributionDisplay.from_predictions
KINDS = ["amount", "paid", "region", "grade", "insured", "since", "wait"]


def rows_of_all_kinds(seed, n_rows=300):
    """Columns of all kinds: paid is 0 in half of the rows, amount has holes."""
    rng = np.random.default_rng(seed)
    levels = rng.integers(3, size=n_rows)
    paid = rng.exponential(1000, n_rows) * (rng.random(n_rows) < 0.5)
    days = pd.to_timedelta(rng.integers(700, size=n_rows), "D")
    return pd.DataFrame(
        {
            "amount": pd.Series(rng.normal(size=n_rows)).mask(rng.random(n_rows) < 0.2),
            "paid": paid,
            "region": np.array(["North", "North", "South"])[levels],
            "grade": pd.Categorical.from_codes(levels, ["low", "mid", "high"], True),
            "insured": rng.random(n_rows) < 0.3,
            "since": pd.Timestamp("2020-01-01") + days,
            "wait": pd.to_timedelta(rng.integers(300, 900, n_rows), "min"),
            "bank": "ours",
            "client": [f"c{row}" for row in range(n_rows)],
        }
    )


@pytest.fixture(scope="module")
def table():
    return rows_of_all_kinds(seed=0)


@pytest.fixture(scope="module")
def others():
    return {"sample": rows_of_all_kinds(seed=1), "mean": rows_of_all_kinds(seed=2)}


@pytest.fixture
def display(table, others):
    return show({"original": table, **others})


def small(model, **settings):
    return model(max_epochs=1, random_state=0, device="cpu", **settings)


def texts_of(artists):
    return [artist.get_text() for artist in artists]


def tick_labels(axis):
    axis.figure.canvas.draw()
    return texts_of(axis.get_ticklabels())


def test_every_column_that_tells_something_has_a_panel(display):
    assert list(display.panels_) == list(display.shares) == KINDS
    titles = [
        (panel.bar_axes or panel.axes).get_title(loc="left")
        for panel in display.panels_.values()
    ]
    assert titles == KINDS


def test_shares_of_each_table_add_up_to_one(display):
    for shares in display.shares.values():
        total = shares.bars.sum() + shares.bins.sum() + shares.outside
        np.testing.assert_allclose(total, 1)
        assert list(total.index) == ["original", "sample", "mean"]


def test_bars_are_levels_atoms_and_missing_cells(display):
    bars = {name: list(shares.bars.index) for name, shares in display.shares.items()}
    assert bars["amount"] == ["missing"]
    assert bars["paid"] == [0.0]
    assert bars["region"] == ["North", "South"]
    assert bars["grade"] == ["low", "mid", "high"]
    assert bars["insured"] == [False, True]
    assert bars["since"] == bars["wait"] == []


def test_bars_and_marks_are_as_high_as_shares(display, table, others):
    panel = display.panels_["paid"]
    assert panel.bars[0].get_height() == pytest.approx((table["paid"] == 0).mean())
    heights = [mark.get_ydata()[0] for mark in panel.marks]
    expected = [(other["paid"] == 0).mean() for other in others.values()]
    np.testing.assert_allclose(heights, expected)


def test_marks_of_two_tables_stand_side_by_side_within_the_bar(display):
    panel = display.panels_["region"]
    left, right = (mark.get_xdata()[0] for mark in panel.marks)
    bar = panel.bars[0]
    assert bar.get_x() < left < right < bar.get_x() + bar.get_width()


def test_histogram_has_a_patch_for_each_table_over_shared_bins(display, table):
    patches = display.panels_["amount"].histogram
    assert len(patches) == 3
    values, edges, _ = patches[0].get_data()
    counts, _ = np.histogram(table["amount"].dropna(), edges)
    np.testing.assert_allclose(values, counts / len(table))
    for patch in patches[1:]:
        np.testing.assert_array_equal(patch.get_data()[1], edges)


def test_a_panel_has_bars_or_a_histogram_or_both(display):
    parts = {
        name: (panel.bar_axes is not None, panel.axes is not None)
        for name, panel in display.panels_.items()
    }
    assert parts["paid"] == (True, True)
    assert parts["region"] == (True, False)
    assert parts["since"] == (False, True)
    assert display.panels_["region"].histogram == []
    assert display.panels_["since"].bars is None


def test_original_is_filled_and_the_others_are_lines_told_by_the_legend(display):
    original, *lines = display.legend_.legend_handles
    assert texts_of(display.legend_.get_texts()) == ["original", "sample", "mean"]
    assert [line.get_color() for line in lines] == list(PALETTE[:2])
    filled, *stairs = display.panels_["wait"].histogram
    assert to_rgb(filled.get_facecolor()) == to_rgb(original.get_facecolor())
    assert [to_hex(patch.get_edgecolor()).upper() for patch in stairs] == [*PALETTE[:2]]


def test_scores_over_a_panel_are_those_of_the_metrics(display, table, others):
    for name, metric, words in [("wait", ks_score, "KS"), ("region", tv_score, "TV")]:
        label, *scores = display.panels_[name].scores
        assert label.get_text() == words
        expected = [metric(table[[name]], o[[name]]).mean for o in others.values()]
        assert texts_of(scores) == [f"{score:.2f}" for score in expected]
        assert [score.get_color() for score in scores] == list(PALETTE[:2])
        assert list(display.scores.loc[name]) == expected


def test_shares_are_written_in_percent(display):
    axes = display.panels_["grade"].bar_axes
    assert axes.get_ylabel() == "Share of rows"
    assert tick_labels(axes.yaxis)[:2] == ["0%", "20%"]


def test_axes_tell_the_unit_of_their_column(display):
    assert display.shares["wait"].unit == "hours"
    assert display.panels_["wait"].axes.get_xlabel() == "Hours"
    assert display.shares["since"].unit == DATE
    assert "2021" in tick_labels(display.panels_["since"].axes.xaxis)
    assert display.panels_["amount"].axes.get_xlabel() == ""


def test_large_numbers_are_written_in_thousands():
    rng = np.random.default_rng(0)
    amounts = np.where(rng.random(500) < 0.3, 50_000.0, rng.uniform(0, 2e5, 500))
    panel = show({"original": pd.DataFrame({"a": amounts})}).panels_["a"]
    assert tick_labels(panel.bar_axes.xaxis) == ["50k"]
    assert "100k" in tick_labels(panel.axes.xaxis)


def test_far_out_values_leave_room_for_the_rest_and_are_told():
    amounts = np.append(np.linspace(0, 1, 980), np.linspace(500, 1000, 20))
    others = {"other": pd.DataFrame({"a": np.linspace(0.0, 1.0, 300)})}
    display = show({"original": pd.DataFrame({"a": amounts}), **others})
    panel = display.panels_["a"]
    assert panel.axes.get_xlim()[1] < 1.1
    assert texts_of(panel.outside) == ["beyond", "2.0%", "0.0%"]


def test_nothing_is_said_where_nothing_is_beyond(display, table):
    alone = show({"original": table}, columns=["wait"])
    assert alone.panels_["wait"].outside == []


def test_bins_hold_as_many_whole_numbers_each():
    ages = pd.DataFrame({"age": np.repeat(np.arange(21.0, 76.0), 10)})
    bins = show({"original": ages}).shares["age"].bins["original"]
    assert bins.iloc[:-1].nunique() == 1


def test_levels_that_are_numbers_stand_in_their_order():
    codes = pd.DataFrame({"code": pd.Categorical([2] * 60 + [-1] * 30 + [10] * 10)})
    assert show({"original": codes}).shares["code"].bars.index.tolist() == [-1, 2, 10]


def test_levels_stand_by_frequency_and_unknown_ones_are_others():
    letters = pd.DataFrame({"letter": ["a"] * 20 + ["b"] * 50 + ["c"] * 30})
    new = pd.DataFrame({"letter": ["a"] * 5 + ["z"] * 5})
    bars = show({"original": letters, "new": new}).shares["letter"].bars
    assert bars.index.tolist() == ["b", "c", "a", "others"]
    assert bars.loc["others"].tolist() == [0.0, 0.5]


def test_columns_without_room_for_their_labels_have_these_aslant():
    names = [f"quite a long level {number}" for number in range(8)]
    long = pd.DataFrame({"level": names * 20})
    short = pd.DataFrame({"level": list("ab") * 20})
    for frame, rotation in [(long, 45), (short, 0)]:
        axes = show({"original": frame}).panels_["level"].bar_axes
        assert {label.get_rotation() for label in axes.get_xticklabels()} == {rotation}
        longest = max(len(label.get_text()) for label in axes.get_xticklabels())
        assert longest <= 12


def test_chosen_columns_in_their_order(table, others):
    tables = {"original": table, **others}
    display = show(tables, columns=["wait", "grade", "wait"])
    assert list(display.panels_) == ["wait", "grade"]
    assert list(show(tables, n_columns=3).panels_) == KINDS[:3]


def test_table_alone_has_no_scores_and_no_marks(table):
    display = show({"original": table})
    assert display.scores.shape == (len(KINDS), 0)
    panel = display.panels_["paid"]
    assert panel.scores == panel.marks == []
    assert len(panel.histogram) == 1


def test_arrays_and_codes_said_to_be_categories():
    codes = np.random.default_rng(0).integers(3, size=(200, 2)).astype(float)
    display = show({"original": codes, "other": codes}, categorical_features=[1])
    assert [display.shares[name].is_category for name in (0, 1)] == [False, True]
    assert [panel.scores[0].get_text() for panel in display.panels_.values()] == [
        "KS",
        "TV",
    ]


def test_predictions_of_a_model_are_what_its_estimator_shows(model, X):
    display = DistributionDisplay.from_estimator(model, X, random_state=3)
    tables = {
        "original": X,
        "reconstruction": model.reconstruct(X),
        "sample": model.sample(len(X), random_state=3),
    }
    expected = show(tables)
    pd.testing.assert_frame_equal(display.scores, expected.scores)
    for name, shares in expected.shares.items():
        pd.testing.assert_frame_equal(display.shares[name].bins, shares.bins)
        pd.testing.assert_frame_equal(display.shares[name].bars, shares.bars)
    assert len(display.shares) == 12


def test_categories_are_those_of_the_model(X):
    model = small(BetaTCVAE, latent_dim=2, categorical_features=["SEX"]).fit(X)
    columns = ["SEX", "EDUCATION"]
    display = DistributionDisplay.from_estimator(model, X, columns=columns)
    assert [display.shares[name].is_category for name in columns] == [True, False]


def test_one_kind_and_a_number_of_samples(model, X):
    display = DistributionDisplay.from_estimator(
        model, X, kinds=["sample"], columns=["AGE"], n_samples=50
    )
    shares = display.shares["AGE"]
    assert list(shares.bins) == ["original", "sample"]
    np.testing.assert_allclose(shares.bins["sample"] * 50 % 1, 0, atol=1e-9)


def test_arrays_have_the_names_that_the_model_gives_them(X):
    values = X[["AGE", "LIMIT_BAL"]].to_numpy()
    model = small(BetaTCVAE, latent_dim=1).fit(values)
    assert list(DistributionDisplay.from_estimator(model, values).panels_) == [
        "x0",
        "x1",
    ]


def test_columns_of_all_kinds_through_one_and_two_stages(table):
    rows = table.drop(columns="client")
    model = small(BetaTCVAE, latent_dim=1)
    two_stages = small(MSVAE, first_stage=model, residual_dim=1)
    for fitted in [model.fit(rows), two_stages.fit(rows)]:
        display = DistributionDisplay.from_estimator(fitted, rows)
        assert list(display.panels_) == KINDS
        # Reconstructions have no holes, samples have them.
        missing = display.shares["amount"].bars.loc["missing"]
        assert missing["reconstruction"] == 0


def test_conditions_are_given_and_not_shown(X):
    rows = X[["AGE", "SEX", "PAY_0"]]
    model = small(CVAE, latent_dim=1, condition_columns=["SEX"]).fit(rows)
    display = DistributionDisplay.from_estimator(model, rows)
    assert list(display.panels_) == ["AGE", "PAY_0"]


def test_pipeline_is_shown_in_the_units_of_the_table(X):
    rows = X[["AGE", "LIMIT_BAL"]].astype(float)
    pipeline = make_pipeline(StandardScaler(), small(BetaTCVAE, latent_dim=1)).fit(rows)
    display = DistributionDisplay.from_estimator(pipeline, rows)
    edges = display.shares["AGE"].bins.index
    assert edges[0].left == rows["AGE"].min() - 0.5
    scores = show(
        {
            "original": rows,
            "sample": pipeline[0].inverse_transform(
                pipeline[-1].sample(len(rows), random_state=0)
            ),
        }
    ).scores
    np.testing.assert_allclose(display.scores["sample"], scores["sample"])


def test_pipeline_without_a_way_back_is_refused(X):
    rows = X[["AGE", "LIMIT_BAL"]].astype(float)
    steps = FunctionTransformer(np.log1p), small(BetaTCVAE, latent_dim=1)
    pipeline = make_pipeline(*steps).fit(rows)
    with pytest.raises(ValueError, match=r"no exact inverse.*pipeline\[-1\]"):
        DistributionDisplay.from_estimator(pipeline, rows)


def test_collapsed_model_is_shown(collapsed, X):
    assert DistributionDisplay.from_estimator(collapsed, X, columns=["AGE"]).panels_


def test_given_axes_are_filled(table, others):
    figure, (left, right) = plt.subplots(1, 2, layout="constrained")
    display = show({"original": table, **others}, columns=["paid", "grade"], ax=right)
    assert display.ax_ is right
    assert display.figure_ is figure
    assert not right.axison
    figure.draw_without_rendering()
    start = left.get_position().x1
    for panel in display.panels_.values():
        assert (panel.bar_axes or panel.axes).get_position().x0 > start


def test_plot_again(display):
    before = display.ax_
    assert display.plot() is display
    assert display.ax_ is not before


@pytest.mark.parametrize("n_columns", [3, 23])
def test_texts_neither_overlap_nor_leave_the_figure(model, X, n_columns):
    display = DistributionDisplay.from_estimator(
        model, X, columns=X.columns[:n_columns]
    )
    display.figure_.draw_without_rendering()
    texts = display.legend_.get_texts()
    for axes in display.figure_.axes:
        texts += [part for part in axes.get_children() if isinstance(part, Text)]
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    assert len(boxes) > 4 * n_columns
    for number, box in enumerate(boxes):
        assert box.count_overlaps(boxes[number + 1 :]) == 0
    drawn = display.figure_.get_tightbbox()
    width, height = display.figure_.get_size_inches()
    assert 0 <= drawn.x0 < drawn.x1 <= width
    assert 0 <= drawn.y0 < drawn.y1 <= height


def test_subclass_returns_itself(model, X, table):
    class Mine(DistributionDisplay):
        pass

    assert type(Mine.from_estimator(model, X, columns=["AGE"])) is Mine
    assert type(Mine.from_predictions({"original": table}, columns=["wait"])) is Mine


def test_bad_tables(table):
    with pytest.raises(ValueError, match="Got no tables"):
        show({})
    with pytest.raises(ValueError, match=r"'kids'.*in columns; expected some of"):
        show({"original": table}, columns=["wait", "kids"])
    with pytest.raises(ValueError, match="Got none in columns"):
        show({"original": table}, columns=[])
    with pytest.raises(ValueError, match=r"constants and identifiers only: \['bank'"):
        show({"original": table[["bank", "client"]]})
    with pytest.raises(ValueError, match=r"sample lacks \['wait'\]"):
        show({"original": table, "sample": table.drop(columns="wait")})
    with pytest.raises(ValueError, match="'paid' of one kind in all tables"):
        show({"original": table, "sample": table.assign(paid="much")})


def test_bad_estimators_and_kinds(model, X):
    from_estimator = DistributionDisplay.from_estimator
    with pytest.raises(NotFittedError):
        from_estimator(BetaTCVAE(), X)
    with pytest.raises(TypeError, match="expected a fitted model of skvae"):
        from_estimator(StandardScaler().fit(X), X)
    with pytest.raises(ValueError, match=r"kinds=\('mean',\); expected 'reconstr"):
        from_estimator(model, X, kinds=["mean"])
    with pytest.raises(ValueError, match=r"kinds=\(\)"):
        from_estimator(model, X, kinds=[])
    with pytest.raises(ValueError, match="feature names"):
        from_estimator(model, X.drop(columns="AGE"))
    with pytest.raises(ValueError, match="AGE"):
        from_estimator(model, X.drop(columns="AGE"), kinds=["sample"])
    with pytest.raises(ValueError, match="'n_columns' parameter"):
        from_estimator(model, X, n_columns=0)
