"""Rows as they would look under another condition."""

import numpy as np
import pandas as pd
import pytest
from model_cases import small
from regime_cases import (
    CONDITIONS,
    OF_CONDITIONS,
    SHIFT,
    assert_same,
    case_of,
    make_world,
)

from skvae import CVAE, DCVAE

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")


@pytest.fixture(scope="module")
def cases():
    return {}


@pytest.fixture(params=OF_CONDITIONS)
def conditional(request, cases):
    return case_of(cases, request.param)


class TestCondition:
    @pytest.mark.parametrize(
        "condition", [{"group": "high"}, {"age": 37.5}, {"group": "low", "age": 66.0}]
    )
    def test_it_is_the_reconstruction_under_it(self, conditional, condition):
        model, here = conditional.model, conditional.here
        result = model.counterfactual(here, condition=condition)
        assert_same(result.data, model.reconstruct(here, condition=condition))
        assert (result.shift == 0).all()
        assert list(result.shift.index) == model.get_feature_names_out().tolist()

    def test_one_for_each_row(self, conditional):
        model, here = conditional.model, conditional.here
        condition = {"age": np.linspace(25, 65, 300)}
        result = model.counterfactual(here, condition=condition)
        assert_same(result.data, model.reconstruct(here, condition=condition))
        np.testing.assert_allclose(result.data["age"], condition["age"])
        drawn = model.counterfactual(
            here, condition=condition, n_samples=2, random_state=0
        ).data
        np.testing.assert_allclose(drawn["age"], condition["age"].repeat(2))

    def test_a_number_between_is_in_between(self, conditional):
        model, here = conditional.model, conditional.here
        means = [
            model.counterfactual(here, condition={"age": age}).data["f"].mean()
            for age in (25.0, 38.0, 52.0, 65.0)
        ]
        assert (np.diff(means) > 0.2).all()
        assert means[-1] - means[0] == pytest.approx(2, abs=0.8)

    def test_strength_scales_the_way_to_it(self, conditional):
        model, here = conditional.model, conditional.here
        young = here[here["age"] < 30]
        ages, means = [], []
        for strength in (0, 0.25, 0.5, 0.75, 1):
            data = model.counterfactual(
                young, condition={"age": 65.0}, strength=strength
            ).data
            ages.append(data["age"].mean())
            means.append(data["f"].mean())
        assert (np.diff(ages) > 1).all()
        assert (np.diff(means) > 0).all()
        assert ages[0] == pytest.approx(young["age"].mean())
        assert ages[-1] == pytest.approx(65)

    def test_strength_zero_is_the_reconstruction(self, conditional):
        model, here = conditional.model, conditional.here
        data = model.counterfactual(here, condition={"group": "high"}, strength=0).data
        assert_same(data, model.reconstruct(here))

    def test_of_categories_halfway_the_nearest_is_shown(self, conditional):
        model, here = conditional.model, conditional.here
        low = here[here["group"] == "low"]
        shown, means = [], []
        for strength in (0.0, 0.3, 0.7, 1.0):
            data = model.counterfactual(
                low, condition={"group": "high"}, strength=strength
            ).data
            shown.append(data["group"].unique().tolist())
            means.append(data["d"].mean())
        assert shown == [["low"], ["low"], ["high"], ["high"]]
        assert (np.diff(means) > 0).all()

    def test_with_an_environment_rows_move_to_both(self, conditional):
        model, here, there = conditional.model, conditional.here, conditional.there
        both = model.counterfactual(here, there, condition={"group": "high"})
        to_there, to_high = (
            model.counterfactual(here, there),
            model.counterfactual(here, condition={"group": "high"}),
        )
        assert (both.data["group"] == "high").all()
        pd.testing.assert_series_equal(both.shift, to_there.shift)
        for name, one in (("a", to_there), ("d", to_high)):
            assert both.data[name].mean() == pytest.approx(
                one.data[name].mean(), abs=0.4
            )

    def test_under_an_environment_alone_they_keep_their_own(self, conditional):
        data = conditional.counterfactual().data
        pd.testing.assert_series_equal(data["group"], conditional.here["group"])
        np.testing.assert_allclose(data["age"], conditional.here["age"])

    def test_neither_environment_nor_condition(self, conditional):
        with pytest.raises(ValueError, match="neither environment nor condition"):
            conditional.model.counterfactual(conditional.here)

    def test_unknown_name(self, conditional):
        with pytest.raises(ValueError, match=r"'salary'.*'group'"):
            conditional.model.counterfactual(conditional.here, condition={"salary": 1})

    def test_beside_rows_that_hold_it(self, conditional):
        with pytest.raises(ValueError, match="beside X"):
            conditional.model.counterfactual(
                conditional.here,
                condition={"group": "high"},
                own_condition={"group": "low"},
            )

    @pytest.mark.parametrize("unexplained", ["drop", "keep"])
    def test_of_rows_whose_own_is_unknown(self, conditional, unexplained):
        unknown = conditional.here.assign(group=None, age=np.nan)
        result = conditional.model.counterfactual(
            unknown,
            condition={"group": "high", "age": 40.0},
            unexplained=unexplained,
        )
        np.testing.assert_allclose(result.data["age"], 40.0)
        assert (result.data["group"] == "high").all()
        assert np.isfinite(result.data[["a", "d", "f"]]).all(axis=None)
        assert ((result.support > 0) & (result.support <= 1)).all()


@pytest.mark.parametrize("kind", [CVAE, DCVAE])
def test_condition_beside_the_rows(kind):
    table = make_world()
    values, own = table.drop(columns=CONDITIONS), table[CONDITIONS]
    model = small(kind, beta=1.5) if kind is DCVAE else small(kind)
    model.set_params(encoding="standard", max_epochs=20, lr=1e-2)
    model.fit(values, condition=own)
    condition = {"group": "high"}
    result = model.counterfactual(values, condition=condition, own_condition=own)
    expected = model.reconstruct(values, condition=condition, own_condition=own)
    assert_same(result.data, expected)
    still = model.counterfactual(
        values, condition=condition, own_condition=own, strength=0
    )
    assert_same(still.data, model.reconstruct(values, own_condition=own))
    there = make_world(SHIFT, seed=1).drop(columns=CONDITIONS)
    moved = model.counterfactual(
        values, there, own_condition=own, factors=[0, 1], n_samples=2, random_state=0
    )
    assert len(moved.data) == 600
    with pytest.raises(ValueError, match="'group' has 3 cells"):
        model.counterfactual(values, condition=condition, own_condition=own[:3])


EFFECTS = {
    "region": {"north": [2, 0, 1, 0, 0], "south": [0] * 5, "west": [-2, 1, 0, 0, 1]},
    "size": {"small": [0, 2, 0, 1, 0], "medium": [0] * 5, "large": [0, -2, 0, 0, 2]},
}


def make_shops(region, size, seed):
    """Return rows that are a sum of two effects and of what is a shop's own."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(len(region), 1)) * [1.0, 0.5, 0.8, -1.0, 0.3]
    values += 0.1 * rng.normal(size=values.shape)
    for name, levels in (("region", region), ("size", size)):
        values += np.array([EFFECTS[name][level] for level in levels])
    return pd.DataFrame(values, columns=list("abcde")).assign(region=region, size=size)


@pytest.fixture(scope="module")
def training_shops():
    rng = np.random.default_rng(0)
    region = rng.choice(list(EFFECTS["region"]), 700)
    size = rng.choice(list(EFFECTS["size"]), 700)
    shops = make_shops(region, size, seed=1)
    return shops[(shops["region"] != "north") | (shops["size"] != "large")]


@pytest.fixture(scope="module", params=[CVAE, DCVAE], ids=lambda kind: kind.__name__)
def model_of_shops(request, training_shops):
    return small(
        request.param,
        latent_dim=1,
        condition_columns=["region", "size"],
        encoding="standard",
        hidden_layer_sizes=(16,),
        max_epochs=40,
        lr=1e-2,
        batch_size=32,
    ).fit(training_shops)


@pytest.mark.filterwarnings("ignore::skvae.UnsupportedRegimeWarning")
@pytest.mark.parametrize("unexplained", ["drop", "keep"])
def test_into_a_combination_of_conditions_that_training_never_saw(
    model_of_shops, training_shops, unexplained
):
    large, north = ["large"] * 200, ["north"] * 200
    rows = make_shops(["west"] * 200, large, seed=2)
    truth = make_shops(north, large, seed=2)  # the same shops
    found = model_of_shops.counterfactual(
        rows, condition={"region": "north"}, unexplained=unexplained
    ).data
    assert (found["region"] == "north").all()
    assert (found["size"] == "large").all()

    values = list("abcde")
    spread = training_shops[values].std()

    def error(table):
        return (((table[values] - truth[values]) / spread) ** 2).to_numpy().mean()

    as_they_are, nothing_moved = error(rows), error(model_of_shops.reconstruct(rows))
    mean = training_shops[values].mean().to_frame().T
    mean_of_training = error(pd.concat([mean] * 200, ignore_index=True))
    own_part_lost = error(truth.assign(**truth[values].mean()))
    assert error(found) < 0.3 * min(as_they_are, nothing_moved, mean_of_training)
    assert error(found) < own_part_lost  # a shop keeps what is its own
