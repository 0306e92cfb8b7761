"""Effects, traversals and information where columns are not all numbers."""

import numpy as np
import pandas as pd
import pytest

from skvae import CVAE, MSVAE, BetaTCVAE
from skvae.inspection import (
    LatentTraversalDisplay,
    LossCurveDisplay,
    MutualInformationDisplay,
    describe_factor,
    factor_effects,
)
from skvae.inspection._column_reader import ColumnReader
from skvae.inspection._style import short
from skvae.inspection._validation import column_spread
from skvae.metrics import mutual_information_matrix
from skvae.selection import latent_consistency_scorer

FIRST_DAY = pd.Timestamp("2020-01-01")
KINDS = ["amount", "region", "grade", "insured", "since", "wait"]


@pytest.fixture(scope="module")
def table():
    """Columns of all kinds that follow one factor, some cells missing."""
    rng = np.random.default_rng(0)
    factor = rng.normal(size=400)

    def noisy():
        return factor + 0.3 * rng.normal(size=400)

    grades = np.digitize(noisy(), [-0.6, 0.6])
    table = pd.DataFrame(
        {
            "amount": 100 * noisy(),
            "region": np.array(["North", "South"])[(noisy() > 0).astype(int)],
            "grade": pd.Categorical.from_codes(grades, [1, 2, 3], ordered=True),
            "insured": pd.array(noisy() > 0, dtype="boolean"),
            "since": FIRST_DAY + pd.to_timedelta(np.round(500 + 99 * noisy()), "D"),
            "wait": pd.to_timedelta(np.round(600 + 60 * noisy()), "min"),
            "bank": "ours",
        }
    )
    for column in ["amount", "region", "insured", "since"]:
        table.loc[rng.random(400) < 0.1, column] = None
    return table


def small(model, **settings):
    return model(
        hidden_layer_sizes=(16,),
        max_epochs=15,
        lr=1e-2,
        device="cpu",
        random_state=0,
        **settings,
    )


@pytest.fixture(scope="module")
def model(table):
    return small(BetaTCVAE, latent_dim=2, beta=1).fit(table)


@pytest.fixture(scope="module")
def leading(model):
    """The latent that carries the factor."""
    return int(model.kl_per_dimension_.argmax())


def mean_matrices_at_ends(model, table, latent):
    """Decode all rows with a latent at its two quantiles, one after the other."""
    codes = model.transform(table)
    for quantile in (0.05, 0.95):
        moved = codes.copy()
        moved[:, latent] = np.quantile(codes[:, latent], quantile)
        yield model._inference.decode(moved)


def test_a_factor_moves_columns_of_every_kind(model, table, leading):
    effects = factor_effects(model, table).iloc[leading]
    assert list(effects.index) == list(table)
    assert (effects[KINDS].abs() > 0.3).all()
    assert effects["bank"] == 0


def test_effect_on_a_category_is_total_variation_of_its_levels(model, table, leading):
    effects = factor_effects(model, table, max_rows=len(table)).iloc[leading]
    lower, upper = mean_matrices_at_ends(model, table, leading)
    for name in ["region", "grade"]:
        position = table.columns.get_loc(name)
        levels = (model.table_encoder_.table_columns() == position).nonzero()[0]
        levels = levels[: table[name].nunique()]  # what comes behind says: missing
        change = (upper - lower)[:, levels].mean(axis=0)
        assert change.sum() == pytest.approx(0, abs=1e-9)
        assert effects[name] == pytest.approx(np.abs(change).sum() / 2)
        assert 0 <= effects[name] <= 1


def test_effect_on_a_boolean_is_the_change_of_its_probability(model, table, leading):
    effects = factor_effects(model, table, max_rows=len(table)).iloc[leading]
    lower, upper = mean_matrices_at_ends(model, table, leading)
    position = table.columns.get_loc("insured")
    column = (model.table_encoder_.table_columns() == position).argmax()
    assert effects["insured"] == pytest.approx((upper - lower)[:, column].mean())


def test_numbers_and_dates_that_go_together_have_effects_of_one_sign(
    model, table, leading
):
    effects = factor_effects(model, table).iloc[leading]
    signs = np.sign(effects[["amount", "insured", "since", "wait"]])
    assert signs.nunique() == 1


def test_sizes_of_dates_and_durations_are_days(model, table, leading):
    description = describe_factor(model, table, leading)
    spread = np.subtract(*table["since"].quantile([0.95, 0.05]))
    size, share = description.loc["since", ["size", "share"]]
    assert size == pytest.approx(abs(share) * (spread / pd.Timedelta(days=1)))
    spread = np.subtract(*table["wait"].quantile([0.95, 0.05]))
    size, share = description.loc["wait", ["size", "share"]]
    assert size == pytest.approx(abs(share) * (spread / pd.Timedelta(days=1)))


def test_direction_of_a_category_is_the_level_that_gains_most(model, table, leading):
    description = describe_factor(model, table, leading)
    is_up = description.loc["amount", "direction"] == "up"
    assert (
        description.loc["region", "direction"]
        == f"to {'South' if is_up else 'North'!r}"
    )
    assert description.loc["grade", "direction"] == f"to {'3' if is_up else '1'!r}"
    assert description.loc["bank", "direction"] == "none"
    assert description.loc["grade", "size"] == description.loc["grade", "share"]


def test_shares_are_those_of_factor_effects(model, table, leading):
    description = describe_factor(model, table, leading)
    effects = factor_effects(model, table).iloc[leading]
    np.testing.assert_allclose(description["share"], effects[description.index])
    assert description["share"].abs().is_monotonic_decreasing


def test_codes_said_to_be_categories_are_so_in_an_array(table):
    numbers = table[["amount"]].assign(grade=table["grade"].astype(float)).to_numpy()
    model = small(BetaTCVAE, latent_dim=1, categorical_features=[1]).fit(numbers)
    description = describe_factor(model, numbers, 0)
    assert description.loc["x1", "direction"] in ["to '1.0'", "to '3.0'"]
    assert description.loc["x0", "direction"] in ["up", "down"]


def test_numbered_rows_of_an_array_do_not_move(table):
    values = table["amount"].fillna(0.0).to_numpy().round().astype(np.int64)
    numbered = np.column_stack([np.arange(len(values)), values])
    with pytest.warns(UserWarning, match="looks like an identifier"):
        model = small(BetaTCVAE, latent_dim=1).fit(numbered)
    display = LatentTraversalDisplay.from_estimator(model, numbered, n_steps=3)
    change = display.traversals["betatcvae0"]
    assert (change["x0"] == 0).all()
    assert (change["x1"] != 0).any()


def test_missing_cells_are_left_out_of_the_spread():
    cells = np.array([[np.nan, np.nan], [0.0, np.nan], [1.0, np.nan], [2.0, np.nan]])
    spread = column_spread(cells, (0, 1))
    assert spread[0] == 2
    assert np.isnan(spread[1])


def test_cells_that_are_missing_for_sure_do_not_hide_the_effect(table):
    holes = table[["amount", "wait"]].copy()
    holes.loc[holes["amount"] < 0, "amount"] = np.nan
    model = small(BetaTCVAE, latent_dim=1).fit(holes)
    reader = ColumnReader(model)
    assert np.isfinite(reader.decode(np.array([[-40.0], [40.0]]))).all()


def test_traversal_draws_the_level_that_moves_most(model, table, leading):
    display = LatentTraversalDisplay.from_estimator(model, table, n_columns=6)
    name = model.get_feature_names_out()[leading]
    change = display.traversals[name]
    assert change.shape == (41, table.shape[1])
    assert change.columns[1] in ["region = North", "region = South"]
    assert change.columns[2] in ["grade = 1", "grade = 3"]
    shown = {line.get_label() for line in display.lines_[0]}
    assert {change.columns[1], change.columns[2], "since"} <= shown


def test_two_levels_that_share_all_that_moves_have_one_label(model, table):
    display = LatentTraversalDisplay.from_estimator(
        model, table, factors=model.get_feature_names_out()
    )
    regions = {change.columns[1] for change in display.traversals.values()}
    assert regions == {"region = North"}


def test_axis_says_where_probabilities_are_drawn(model, table):
    display = LatentTraversalDisplay.from_estimator(model, table)
    assert display.axes_[0].get_ylabel().endswith("range,\nor probability)")
    assert {"insured", "grade = 1", "region = North"} < set(display.probabilities)
    numbers = table[["amount", "wait"]]
    only = small(BetaTCVAE, latent_dim=1).fit(numbers)
    display = LatentTraversalDisplay.from_estimator(only, numbers)
    assert display.axes_[0].get_ylabel().endswith("range)")


def test_ends_of_a_traversal_are_effects_of_numbers(model, table, leading):
    rows = {"max_rows": 50, "random_state": 1}
    display = LatentTraversalDisplay.from_estimator(model, table, **rows)
    effects = factor_effects(model, table, **rows).iloc[leading]
    change = display.traversals[effects.name]
    ends = change.iloc[-1] - change.iloc[0]
    names = ["amount", "insured", "since", "wait"]
    np.testing.assert_allclose(ends[names], effects[names], atol=1e-12)


def test_long_labels_say_which_column_and_which_level():
    label = short("region of residence = Mecklenburg")
    assert label == "regio…ence = Meckl…burg"
    assert short("EDUCATION = university") == "EDUCATION = university"
    assert short("EDUCATION = 2") == "EDUCATION = 2"


def test_information_on_a_column_with_holes_is_that_of_its_known_rows(
    model, table, leading
):
    display = MutualInformationDisplay.from_estimator(model, table)
    name = model.get_feature_names_out()[leading]
    codes = model.transform(table)[:, [leading]]
    for column in ["amount", "grade", "region"]:
        known = table[column].notna().to_numpy()
        expected = mutual_information_matrix(table[[column]], codes)
        found = display.mutual_information.loc[name, column]
        assert found == pytest.approx(expected[0, 0])
        # Bins of the code are those of all rows.
        alone = mutual_information_matrix(table.loc[known, [column]], codes[known])
        assert found == pytest.approx(alone[0, 0], abs=0.1)
    assert display.mutual_information.loc[name, "bank"] == 0


def test_information_as_shares_of_entropy_with_holes():
    codes = np.tile([0.0, 1.0], 50)
    factor = pd.Series(np.where(codes > 0, "a", "b"), name="letter")
    factor[:10] = None
    empty = pd.Series([None] * 100, name="empty", dtype=object)
    display = MutualInformationDisplay.from_predictions(
        pd.concat([factor, empty], axis=1), codes[:, None], normalize=True
    )
    assert display.mutual_information.loc["code0", "letter"] == pytest.approx(1)
    assert display.mutual_information.loc["code0", "empty"] == 0


@pytest.mark.parametrize(
    "contain",
    [lambda dates: dates.dt.date, lambda dates: dates.dt.to_period("D")],
    ids=["dates as objects", "periods"],
)
def test_dates_are_cut_into_bins_whatever_holds_them(contain):
    rng = np.random.default_rng(0)
    dates = pd.Series(FIRST_DAY + pd.to_timedelta(rng.permutation(300), "D"))
    codes = rng.normal(size=(300, 2))
    np.testing.assert_array_equal(
        mutual_information_matrix(contain(dates), codes),
        mutual_information_matrix(dates, codes),
    )


def test_rows_of_factors_with_holes_must_match():
    factor = pd.Series(["a", None, "b"])
    with pytest.raises(ValueError, match="as many rows"):
        MutualInformationDisplay.from_predictions(factor, np.zeros((4, 1)))


def test_identifiers_are_no_information(table):
    named = table.assign(client=[f"c{row}" for row in range(len(table))])
    with pytest.warns(UserWarning, match="looks like an identifier"):
        model = small(BetaTCVAE, latent_dim=1).fit(named)
    display = MutualInformationDisplay.from_estimator(model, named)
    assert list(display.mutual_information) == list(table)
    assert factor_effects(model, named)["client"].eq(0).all()


def test_loss_curves_and_consistency_take_mixed_tables(model, table):
    assert len(LossCurveDisplay.from_estimator(model).axes_) == 4
    assert latent_consistency_scorer(model, table) == pytest.approx(1, abs=0.1)


def test_conditions_and_second_stages(table):
    conditional = small(CVAE, latent_dim=1, condition_columns=["region"])
    conditional.fit(table.dropna(subset="region"))
    two_stages = MSVAE(small(BetaTCVAE, latent_dim=1), residual_dim=2, max_epochs=3)
    for model in [conditional, two_stages.set_params(random_state=0).fit(table)]:
        effects = factor_effects(model, table).iloc[0]
        assert ("region" in effects) == (model is two_stages)
        assert effects["grade"] > 0.3
        LatentTraversalDisplay.from_estimator(model, table, n_steps=3)
