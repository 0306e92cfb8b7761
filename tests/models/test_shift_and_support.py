"""How far two worlds lie apart, which rows tell it, and how far out rows end."""

import numpy as np
import pandas as pd
import pytest
from regime_cases import KINDS, OF_CONDITIONS, TWO_STAGES, assert_same, case_of
from sklearn.exceptions import NotFittedError

from skvae import CVAE, MSVAE, BetaTCVAE, UnsupportedRegimeWarning

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")


@pytest.fixture(scope="module")
def cases():
    return {}


@pytest.fixture(params=KINDS)
def case(request, cases):
    return case_of(cases, request.param)


@pytest.fixture(params=["BetaTCVAE", "MSVAE", "CVAE"])
def of_arrays(request, cases):
    return case_of(cases, request.param, as_array=True)


@pytest.fixture(params=TWO_STAGES)
def two_stages(request, cases):
    return case_of(cases, request.param)


@pytest.fixture(params=OF_CONDITIONS)
def conditional(request, cases):
    return case_of(cases, request.param)


@pytest.fixture
def plain(cases):
    return case_of(cases, "BetaTCVAE")


class TestLatentShift:
    def test_factors_have_the_names_of_the_features(self, case):
        shifts = case.model.latent_shift(case.here, case.there).shifts
        names = case.model.get_feature_names_out()[:2].tolist()
        assert sorted(shifts.index) == names
        assert list(shifts) == ["shift", "lower", "upper", "moved"]

    def test_it_is_the_difference_of_the_mean_codes(self, case):
        shifts = case.model.latent_shift(case.here, case.there).shifts["shift"]
        here, there = map(case.model.transform, (case.here, case.there))
        expected = (there.mean(axis=0) - here.mean(axis=0))[:2]
        names = case.model.get_feature_names_out()[:2]
        np.testing.assert_allclose(shifts[names], expected, rtol=1e-9)

    def test_one_factor_moved(self, plain):
        shifts = plain.model.latent_shift(plain.here, plain.there).shifts
        assert shifts["moved"].tolist() == [True, False]
        same = plain.model.latent_shift(plain.here, plain.here)
        assert not same.shifts["moved"].any()

    def test_by_segments_gives_the_cosines_between_them(self, case):
        result = case.model.latent_shift(case.here, case.there, by="owner")
        assert result.cosines.shape == (2, 2)
        assert result.cosines.loc[False, True] > 0.8  # one movement
        assert result.shifts.index.names == ["segment", "factor"]
        for owner in (False, True):
            here, there = (t[t["owner"] == owner] for t in (case.here, case.there))
            alone = case.model.latent_shift(here, there).shifts["shift"]
            of_segment = result.shifts["shift"][owner]
            np.testing.assert_allclose(of_segment[alone.index], alone)

    def test_by_a_condition(self, conditional):
        here, there = conditional.here, conditional.there
        result = conditional.model.latent_shift(here, there, by="group")
        assert sorted(result.cosines.index) == ["high", "low", "middle"]

    def test_by_the_position_of_a_column_of_an_array(self, cases):
        case = case_of(cases, "BetaTCVAE", as_array=True)
        frame = case_of(cases, "BetaTCVAE")
        by_name = frame.model.latent_shift(frame.here, frame.there, by="owner")
        by_position = case.model.latent_shift(case.here, case.there, by=4)
        of_lists = case.model.latent_shift(
            case.here.tolist(), case.there.tolist(), by=4
        )
        for found in (by_position, of_lists):
            np.testing.assert_array_equal(found.cosines.index, [0, 1])
            np.testing.assert_allclose(found.cosines, by_name.cosines, atol=0.05)

    def test_level_and_replicates_are_passed_on(self, plain):
        def width(**settings):
            shifts = plain.model.latent_shift(plain.here, plain.there, **settings)
            return (shifts.shifts["upper"] - shifts.shifts["lower"]).iloc[0]

        assert width(level=0.5) < width(level=0.99)
        assert width(n_bootstrap=50, random_state=1) != width(n_bootstrap=50)

    @pytest.mark.parametrize("missing", ["A", "B"])
    def test_unknown_segments(self, plain, missing):
        tables = {"A": plain.here, "B": plain.there}
        with pytest.raises(ValueError, match="A has no column 'region'"):
            plain.model.latent_shift(**tables, by="region")
        tables[missing] = tables[missing].drop(columns="owner")
        with pytest.raises(ValueError, match=f"{missing} has no column 'owner'"):
            plain.model.latent_shift(**tables, by="owner")

    @pytest.mark.parametrize("by", [99, "owner"])
    def test_unknown_segments_of_arrays(self, cases, by):
        case = case_of(cases, "BetaTCVAE", as_array=True)
        with pytest.raises(ValueError, match=f"A has no column {by!r}"):
            case.model.latent_shift(case.here, case.there, by=by)

    @pytest.mark.parametrize("argument", ["A", "B"])
    def test_errors_name_the_table(self, plain, argument):
        tables = {"A": plain.here, "B": plain.there}
        for bad in (plain.here.drop(columns="a"), plain.here[:0]):
            with pytest.raises(ValueError, match=f"^{argument}: "):
                plain.model.latent_shift(**{**tables, argument: bad})

    def test_before_fit(self, plain):
        with pytest.raises(NotFittedError):
            BetaTCVAE().latent_shift(plain.here, plain.there)


class TestReference:
    @pytest.mark.filterwarnings("ignore::skvae.UnsupportedRegimeWarning")
    def test_a_single_row_moves_as_it_does_among_all(self, case):
        whole = case.counterfactual()
        for position in (0, 7):
            row = case.here.iloc[[position]]
            alone = case.counterfactual(row, reference=case.here)
            expected = whole.data.iloc[[position]]
            pd.testing.assert_frame_equal(alone.data, expected, rtol=1e-6)
            pd.testing.assert_series_equal(alone.shift, whole.shift)
            assert alone.support == pytest.approx(whole.support[[position]])

    def test_without_it_a_single_row_cannot_tell_what_moved(self, case):
        with pytest.raises(ValueError, match="expected at least 2 of both"):
            case.counterfactual(case.here[:1])

    @pytest.mark.filterwarnings("ignore::skvae.UnsupportedRegimeWarning")
    def test_a_single_row_stands_for_its_world_where_factors_are_named(self, cases):
        # It has to arrive in the middle of the other world, where its shift points.
        case = case_of(cases, "BetaTCVAE", as_array=True)
        place = int(case.moving[-1])
        result = case.counterfactual(case.here[:1], factors=[place])
        codes = case.model.transform(case.here[:1]) + result.shift.to_numpy()
        expected = case.model.inverse_transform(codes)
        np.testing.assert_allclose(result.data[:, 0], expected[:, 0], atol=0.1)

    @pytest.mark.parametrize("argument", ["environment", "reference"])
    def test_errors_name_the_table(self, case, argument):
        tables = {"X": case.here, "environment": case.there, "reference": case.here}
        for bad in (
            case.here.drop(columns="a"),
            case.here[:0],
            case.here.assign(a="x"),
            case.here.assign(a=np.inf),
        ):
            with pytest.raises(ValueError, match=f"^{argument}: "):
                case.model.counterfactual(**{**tables, argument: bad})

    def test_environment_of_one_row(self, case):
        with pytest.raises(ValueError, match="expected at least 2 of both"):
            case.counterfactual(environment=case.there[:1])

    def test_errors_name_the_table_that_gives_residuals(self, two_stages):
        there = two_stages.there
        for bad in (there.drop(columns="a"), there[:0], there.assign(a="x")):
            with pytest.raises(ValueError, match=r"^environment: "):
                two_stages.counterfactual(environment=bad, transfer="residual")

    @pytest.mark.parametrize("transfer", ["shift", "residual"])
    def test_rows_of_another_table(self, two_stages, transfer):
        here = two_stages.here
        for bad in (here.drop(columns="a"), here[:0], here.assign(a="x")):
            with pytest.raises(ValueError, match=r"- a|0 sample|Column 'a'"):
                two_stages.counterfactual(bad, transfer=transfer)

    def test_before_fit(self, plain):
        for model in (BetaTCVAE(), MSVAE(), CVAE()):
            with pytest.raises(NotFittedError):
                model.counterfactual(plain.here, plain.there)


class TestSupport:
    def test_it_is_between_zero_and_one_for_each_row(self, case):
        support = case.counterfactual().support
        assert support.shape == (300,)
        assert support.min() > 0
        assert support.max() <= 1

    @pytest.mark.filterwarnings("ignore::skvae.UnsupportedRegimeWarning")
    def test_it_falls_as_strength_grows(self, case):
        means = [
            case.counterfactual(strength=strength).support.mean()
            for strength in (0, 2, 4, 20)
        ]
        assert 0.35 < means[0] < 0.65  # the rows themselves are in the middle
        assert (np.diff(means) < 0).all()
        assert means[-1] < 0.01

    def test_far_outside_it_warns(self, case):
        with pytest.warns(UnsupportedRegimeWarning, match="100% of the rows"):
            case.counterfactual(strength=30)

    def test_draws_have_the_support_of_draws(self, case):
        support = case.counterfactual(strength=0, n_samples=2, random_state=0).support
        assert 0.35 < support.mean() < 0.65

    def test_a_condition_out_of_all_proportion_warns(self, conditional):
        with pytest.warns(UnsupportedRegimeWarning, match="100% of the rows"):
            conditional.model.counterfactual(conditional.here, condition={"age": 700.0})

    def test_inputs_stay_as_they_are(self, case):
        here, there = case.here.copy(), case.there.copy()
        for settings in ({}, {"hold": ["a", "count"]}, {"n_samples": 2}):
            data = case.counterfactual(here, there, **settings).data
            data["a"] = 0.0  # and the result is a table of its own
            data.iloc[:, 1] = 0.0
            assert_same(here, case.here)
            assert_same(there, case.there)

    def test_input_arrays_stay_as_they_are(self, of_arrays):
        here, there = of_arrays.here.copy(), of_arrays.there.copy()
        data = of_arrays.counterfactual(here, there, hold=[0]).data
        data[:] = 0
        assert_same(here, of_arrays.here)
        assert_same(there, of_arrays.there)
