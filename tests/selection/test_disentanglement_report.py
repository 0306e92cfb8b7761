"""Everything about a model's latents in one table, and what is wrong in sentences."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import BetaTCVAE, BetaVAE
from skvae.datasets import make_factor_table
from skvae.metrics import recovered_factors
from skvae.selection import (
    DisentanglementReport,
    SeedEnsemble,
    disentanglement_report,
    udr_scorer,
)

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

WITHOUT_FACTORS = 6
SETTINGS = {"hidden_layer_sizes": (16,), "max_epochs": 10, "lr": 1e-2, "device": "cpu"}


@pytest.fixture(scope="module")
def table():
    return make_factor_table(600, n_factors=3, noise=0.2, random_state=0)


@pytest.fixture(scope="module")
def model(table):
    return BetaTCVAE(latent_dim=4, random_state=0, **SETTINGS).fit(table.data)


@pytest.fixture(scope="module")
def report(model, table):
    return disentanglement_report(model, table.data, table.factors)


class TestTheTable:
    def test_is_a_frame_of_value_chance_and_meaning(self, report):
        assert isinstance(report, pd.DataFrame)
        assert report.columns.tolist() == ["value", "chance", "meaning"]
        assert report["value"].notna().all()
        assert report["meaning"].str.len().gt(10).all()
        assert report.index.is_unique

    def test_scores_without_factors_need_none(self, model, table, report):
        alone = disentanglement_report(model, table.data)
        assert len(alone) == WITHOUT_FACTORS
        pd.testing.assert_frame_equal(
            pd.DataFrame(alone), pd.DataFrame(report[:WITHOUT_FACTORS])
        )

    def test_what_the_model_says_of_itself(self, model, report):
        assert report.loc["active latents", "value"] == model.n_active_
        assert report.loc["KL", "value"] == pytest.approx(
            model.kl_per_dimension_.sum(), rel=1e-6
        )

    def test_shuffled_codes_are_worse(self, report):
        known = report[WITHOUT_FACTORS:]
        better = known["value"] > known["chance"]
        assert better.all()

    def test_the_same_twice(self, model, table, report):
        again = disentanglement_report(model, table.data, table.factors.to_numpy())
        pd.testing.assert_frame_equal(pd.DataFrame(again), pd.DataFrame(report))
        assert again.findings == report.findings

    def test_a_part_is_a_plain_table(self, report):
        assert type(report[["value"]]) is pd.DataFrame
        assert report["value"]["MIG"] == report.loc["MIG", "value"]

    def test_prints_its_findings(self, report):
        assert "MIG-sup" in repr(report)
        assert "nan" not in repr(report).lower()
        for finding in report.findings:
            assert finding in repr(report)
            assert finding in report._repr_html_()
        assert "<table" in report._repr_html_()


class TestFindings:
    def test_collapse_is_all_there_is_to_say(self, table):
        model = BetaVAE(latent_dim=3, beta=1e4, kl_warmup=0, random_state=0, **SETTINGS)
        report = disentanglement_report(
            model.fit(table.data), table.data, table.factors
        )
        (finding,) = report.findings
        assert "the posterior has collapsed" in finding
        assert report.loc["active latents", "value"] == 0

    def test_two_latents_that_hold_the_same(self, model, table, monkeypatch):
        encode = type(model)._encode

        def twice(self, X):
            means, log_variances = (part.copy() for part in encode(self, X))
            means[:, 1], log_variances[:, :2] = means[:, 0], -8.0
            return means, log_variances

        monkeypatch.setattr(type(model), "_encode", twice)
        findings = disentanglement_report(model, table.data).findings
        assert any("Latents 0 and 1 hold much the same" in each for each in findings)
        assert any("depend on one another" in each for each in findings)

    def test_few_rows(self, model, table):
        (finding,) = disentanglement_report(model, table.data[:200]).findings
        assert finding.startswith("200 rows are few")

    def test_factors_of_many_values_take_more_rows(self, report):
        assert any("rows are few for MIG" in each for each in report.findings)


class TestWhatItTakes:
    def test_a_pipeline(self, table):
        pipeline = make_pipeline(
            StandardScaler(), BetaTCVAE(latent_dim=3, random_state=0, **SETTINGS)
        ).fit(table.data)
        report = disentanglement_report(pipeline, table.data)
        assert report.loc["active latents", "value"] == pipeline[-1].n_active_

    def test_an_ensemble_says_whether_its_members_agree(self, table):
        model = BetaTCVAE(latent_dim=3, **SETTINGS)
        ensemble = SeedEnsemble(model, n_seeds=2, random_state=0).fit(table.data)
        report = disentanglement_report(ensemble, table.data)
        assert report.loc["UDR", "value"] == udr_scorer(ensemble, table.data)
        assert 0 < report.loc["shared latents", "value"] <= 3
        assert report.loc["KL", "value"] == pytest.approx(
            ensemble.best_estimator_.kl_per_dimension_.sum(), rel=1e-6
        )

    def test_at_most_so_many_rows(self, model, table, monkeypatch):
        lengths = []
        encode = type(model)._encode

        def counted(self, X):
            lengths.append(len(X))
            return encode(self, X)

        monkeypatch.setattr(type(model), "_encode", counted)
        disentanglement_report(model, table.data, table.factors, max_rows=250)
        assert set(lengths) == {250}

    def test_quantities_of_ones_own_with_holes(self, model, table):
        own = pd.DataFrame(
            {
                "first": table.factors.iloc[:, 0].mask(np.arange(600) % 5 == 0),
                "is_large": table.factors.iloc[:, 1] > 0,
            }
        )
        report = disentanglement_report(model, table.data, own)
        assert report["value"].notna().all()
        assert isinstance(report, DisentanglementReport)

    def test_factors_without_an_order_are_not_ranked(self, model, table):
        names = np.array(["a", "b", "c"])[np.arange(600) % 3]
        report = disentanglement_report(
            model, table.data, pd.DataFrame({"name": names})
        )
        assert "recovered factors" not in report.index
        assert report.loc["MIG", "value"] < 0.1
        own = table.factors.assign(
            name=names,
            kind=pd.Categorical(names),
            grade=pd.Categorical(names, ["a", "b", "c"], ordered=True),
        )
        share = disentanglement_report(model, table.data, own).loc["recovered factors"]
        ranked = own.drop(columns=["name", "kind"])
        expected = recovered_factors(ranked, model.transform(table.data)).share
        assert share["value"] == pytest.approx(expected)

    def test_factors_that_do_not_vary_are_named(self, model, table):
        own = table.factors.assign(unknown=np.nan, constant=1)
        report = disentanglement_report(model, table.data, own)
        expected = disentanglement_report(model, table.data, table.factors)
        pd.testing.assert_frame_equal(pd.DataFrame(report), pd.DataFrame(expected))
        assert "Left out, as they do not vary: unknown, constant." in report.findings
        own = own[["unknown", "constant"]]
        report = disentanglement_report(model, table.data, own)
        assert len(report) == WITHOUT_FACTORS

    def test_what_too_few_rows_do_not_allow_is_said(self, model, table):
        report = disentanglement_report(model, table.data[:20], table.factors[:20])
        assert "FactorVAE score" not in report.index
        assert "MIG" in report.index
        (problem,) = [each for each in report.findings if "No FactorVAE" in each]
        assert "two rows" in problem

    def test_other_rows(self, model, table):
        with pytest.raises(ValueError, match="600 rows in X and 599 in factors"):
            disentanglement_report(model, table.data, table.factors[1:])

    def test_no_model(self, table):
        with pytest.raises(TypeError, match="expected a fitted model"):
            disentanglement_report(StandardScaler().fit(table.data), table.data)


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda report: pickle.loads(pickle.dumps(report))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_copies_are_reports(copied, report):
    other = copied(report)
    assert type(other) is DisentanglementReport
    assert repr(other) == repr(report)
    assert other.findings == report.findings


def test_a_part_of_a_report_is_a_table(report):
    assert type(report[["value"]]) is pd.DataFrame
    changed = copy.copy(report)
    changed["own"] = 0
    assert "own" in repr(changed)


def test_advice_on_latents_that_carry_nothing(table):
    model = BetaTCVAE(latent_dim=3, beta=100, random_state=0, **SETTINGS)
    model.fit(table.data)
    findings = disentanglement_report(model, table.data).findings
    assert not any("Raise beta" in each for each in findings)
