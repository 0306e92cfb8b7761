"""Rows explained, generated and scored given a condition, known or not."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from model_cases import small
from scipy.special import logsumexp
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.distributions import Normal, kl_divergence

from skvae import CVAE, DCVAE, VAE, UnseenConditionWarning
from skvae.metrics import ks_score
from skvae.models import _conditional_inference
from skvae.selection import (
    ks_sample_scorer,
    ks_scorer,
    latent_consistency_scorer,
    n_active_scorer,
    neg_total_correlation_scorer,
    reconstruction_scorer,
)

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

LEVELS = {"low": -2.0, "middle": 0.0, "high": 2.0}
VALUES = ["a", "b", "c"]


def make_clients(n_rows=300, seed=0):
    """Return columns that one factor drives, moved by a class and by an age."""
    rng = np.random.default_rng(seed)
    group = rng.choice(list(LEVELS), n_rows, p=[0.5, 0.3, 0.2])
    age = rng.uniform(20, 70, n_rows)
    factor = rng.normal(size=n_rows)
    shift = pd.Series(group).map(LEVELS).to_numpy() + (age - 45) / 20
    noise = 0.3 * rng.normal(size=(n_rows, 3))
    values = factor[:, None] * [1.0, -0.7, 0.5] + shift[:, None] + noise
    return pd.DataFrame(
        {"a": values[:, 0], "group": group, "b": values[:, 1], "age": age}
        | {"c": values[:, 2]},
        index=[f"client{i}" for i in range(n_rows)],
    )


@pytest.fixture(scope="module")
def clients():
    return make_clients()


@pytest.fixture(params=[CVAE, DCVAE], ids=lambda model: model.__name__)
def conditional_class(request):
    return request.param


def trained(model_class, table, condition=None, **params):
    settings = {
        "latent_dim": 2,
        "hidden_layer_sizes": (16,),
        "max_epochs": 60,
        "lr": 1e-2,
        "encoding": "standard",
    }
    if model_class is DCVAE:
        settings["beta"] = 1.5
    return small(model_class, **{**settings, **params}).fit(table, condition=condition)


@pytest.fixture(scope="module")
def by_columns(clients):
    return {
        model: trained(model, clients, condition_columns=["group", "age"])
        for model in (CVAE, DCVAE)
    }


@pytest.fixture
def fitted(by_columns, conditional_class):
    return by_columns[conditional_class]


class TestWaysIn:
    def test_columns_of_x_or_beside_it(self, conditional_class, clients):
        settings = {"max_epochs": 5}
        columns = ["group", "age"]
        inside = trained(
            conditional_class, clients, condition_columns=columns, **settings
        )
        values, condition = clients[VALUES], clients[columns]
        beside = trained(conditional_class, values, condition, **settings)
        np.testing.assert_array_equal(
            inside.transform(clients), beside.transform(values, condition=condition)
        )
        np.testing.assert_array_equal(
            inside.score_samples(clients),
            beside.score_samples(values, condition=condition),
        )
        assert list(beside.sample(3)) == VALUES
        assert list(inside.sample(3)) == list(clients)
        assert inside.n_features_in_ == 5
        assert beside.n_features_in_ == 3

    def test_positions_of_an_array(self, conditional_class, clients):
        codes = clients["group"].map({"low": 0, "middle": 1, "high": 2})
        array = np.column_stack([clients[VALUES], codes, clients["age"]])
        model = trained(conditional_class, array, condition_columns=[3, 4])
        rows = model.sample(20, condition={3: 2.0}, random_state=0)
        assert isinstance(rows, np.ndarray)
        np.testing.assert_allclose(rows[:, 3], 2, atol=1e-9)

    @pytest.mark.parametrize(
        "as_given",
        [
            lambda c: c["group"],
            lambda c: c["group"].to_numpy(),
            lambda c: c["group"].tolist(),
            lambda c: c[["group"]],
            lambda c: {"group": c["group"]},
            lambda c: c["group"].astype("category"),
        ],
        ids=["series", "array", "list", "frame", "dict", "category"],
    )
    def test_forms_of_a_single_condition(self, clients, as_given):
        expected = trained(CVAE, clients[VALUES], clients["group"], max_epochs=3)
        model = trained(CVAE, clients[VALUES], as_given(clients), max_epochs=3)
        latents = model.transform(clients[VALUES], condition=as_given(clients))
        np.testing.assert_array_equal(
            latents, expected.transform(clients[VALUES], condition=clients["group"])
        )

    def test_fit_transform(self, conditional_class, clients):
        model = small(conditional_class)
        values, group = clients[VALUES], clients["group"]
        latents = model.fit_transform(values, condition=group)
        np.testing.assert_array_equal(latents, model.transform(values, condition=group))
        assert not np.array_equal(latents, model.transform(values))

    def test_without_a_condition_it_is_a_vae(self, clients):
        plain = small(VAE).fit(clients[VALUES])
        model = small(CVAE).fit(clients[VALUES])
        np.testing.assert_array_equal(
            model.transform(clients[VALUES]), plain.transform(clients[VALUES])
        )

    def test_pickle(self, fitted, clients):
        again = pickle.loads(pickle.dumps(fitted))
        np.testing.assert_array_equal(
            again.transform(clients), fitted.transform(clients)
        )
        pd.testing.assert_frame_equal(
            again.sample(3, condition={"group": "low"}, random_state=0),
            fitted.sample(3, condition={"group": "low"}, random_state=0),
        )


class TestWhatTheConditionDoes:
    def test_permuted_condition_gives_another_result(self, conditional_class, clients):
        values, group = clients[VALUES], clients["group"]
        model = trained(conditional_class, values, group)
        shuffled = group.sample(frac=1, random_state=0).to_numpy()
        own, other = (model.score(values, condition=c) for c in (group, shuffled))
        assert own > other + 0.5
        again = trained(conditional_class, values, shuffled)
        assert not np.allclose(
            again.transform(values, condition=group),
            model.transform(values, condition=group),
        )

    def test_it_explains_rows_better_than_without(self, fitted, clients):
        plain = trained_vae = small(
            VAE,
            latent_dim=2,
            hidden_layer_sizes=(16,),
            max_epochs=60,
            lr=1e-2,
            encoding="standard",
        ).fit(clients[VALUES])
        assert fitted.score(clients) > trained_vae.score(clients[VALUES]) + 0.3
        assert plain.n_active_ > 0

    def test_latents_do_not_repeat_it(self, fitted, clients):
        latents = fitted.transform(clients)[:, fitted.kl_per_dimension_ > 0.01]
        shift = clients["group"].map(LEVELS) + (clients["age"] - 45) / 20
        factor = clients["a"] - shift
        told = np.abs(np.corrcoef(latents.T, shift)[-1, :-1]).max()
        kept = np.abs(np.corrcoef(latents.T, factor)[-1, :-1]).max()
        assert kept > 0.8 > 0.3 > told

    def test_rows_are_generated_under_it(self, fitted):
        means = {}
        for level in LEVELS:
            rows = fitted.sample(
                400, condition={"group": level, "age": 45.0}, random_state=0
            )
            assert (rows["group"] == level).all()
            np.testing.assert_allclose(rows["age"], 45.0)
            means[level] = rows["a"].mean()
        for level, shift in LEVELS.items():
            assert means[level] == pytest.approx(shift, abs=0.6)

    def test_what_is_not_given_is_drawn_as_in_training(self, fitted, clients):
        rows = fitted.sample(2000, condition={"age": 30.0}, random_state=0)
        shares = rows["group"].value_counts(normalize=True)
        assert shares["low"] == pytest.approx(0.5, abs=0.15)
        free = fitted.sample(3000, random_state=0)
        assert free["age"].mean() == pytest.approx(clients["age"].mean(), abs=2)
        assert free.groupby("group")["a"].mean()["high"] > 1

    def test_one_condition_for_each_row(self, fitted):
        rows = fitted.sample(3, condition={"group": ["low", "high", None]})
        assert rows["group"].tolist()[:2] == ["low", "high"]

    @pytest.mark.parametrize("latent", ["aggregate", "prior"])
    def test_latents_from_the_prior_or_the_posteriors(self, fitted, latent):
        condition = {"group": "high", "age": 45.0}
        rows = fitted.sample(500, latent=latent, condition=condition, random_state=0)
        assert rows["a"].mean() == pytest.approx(2, abs=0.6)
        assert rows["a"].std() == pytest.approx(1, abs=0.4)

    def test_counterfactual(self, fitted, clients):
        low = clients[clients["group"] == "low"]
        as_high = fitted.reconstruct(low, condition={"group": "high"})
        assert (as_high["group"] == "high").all()
        np.testing.assert_allclose(as_high["age"], low["age"])  # stays their own
        pd.testing.assert_index_equal(as_high.index, low.index)
        change = as_high["a"] - fitted.reconstruct(low)["a"]
        assert change.mean() == pytest.approx(4, abs=1)
        # What is a client's own stays: the order within the group.
        assert np.corrcoef(as_high["a"], low["a"])[0, 1] > 0.8

    def test_counterfactual_beside_x(self, conditional_class, clients):
        values, group = clients[VALUES], clients["group"]
        model = trained(conditional_class, values, group)
        low = group == "low"
        changed = model.reconstruct(
            values[low], condition="high", own_condition=group[low]
        )
        same = model.reconstruct(
            values[low], condition=group[low], own_condition=group[low]
        )
        assert (changed["a"] - same["a"]).mean() == pytest.approx(4, abs=1.2)

    def test_inverse_transform_under_it(self, fitted, clients):
        latents = fitted.transform(clients)
        rows = fitted.inverse_transform(latents, condition=clients[["group", "age"]])
        pd.testing.assert_frame_equal(
            rows[VALUES].set_axis(clients.index), fitted.reconstruct(clients)[VALUES]
        )
        under = fitted.inverse_transform(latents, condition={"group": "high"})
        over = fitted.inverse_transform(latents, condition={"group": "low"})
        assert (under["a"] - over["a"]).mean() == pytest.approx(4, abs=1)


@pytest.fixture(scope="module")
def one_condition(clients):
    return trained(CVAE, clients[VALUES], clients["group"])


class TestUnknown:
    def test_bound_is_marginal(self, one_condition, clients):
        values = clients[VALUES]
        shares = clients["group"].value_counts(normalize=True)
        bounds = [
            np.log(share) + one_condition.score_samples(values, condition=level)
            for level, share in shares.items()
        ]
        np.testing.assert_allclose(
            one_condition.score_samples(values), logsumexp(bounds, axis=0), rtol=1e-10
        )
        importance = [
            np.log(share)
            + one_condition.score_samples(values, n_importance=64, condition=level)
            for level, share in shares.items()
        ]
        np.testing.assert_allclose(
            one_condition.score_samples(values, n_importance=64),
            logsumexp(importance, axis=0),
            rtol=1e-10,
        )

    def test_decoding_is_the_mean_over_training_conditions(
        self, one_condition, clients
    ):
        latents = one_condition.transform(clients[VALUES][:9])
        shares = clients["group"].value_counts(normalize=True)
        expected = sum(
            share * one_condition.inverse_transform(latents, condition=level)
            for level, share in shares.items()
        )
        actual = one_condition.inverse_transform(latents)
        np.testing.assert_allclose(actual, expected, rtol=1e-8)

    def test_posterior_is_a_mixture(self, one_condition, clients):
        values = clients[VALUES]
        shares = clients["group"].value_counts(normalize=True)
        bounds = np.stack(
            [
                np.log(share) + one_condition.score_samples(values, condition=level)
                for level, share in shares.items()
            ]
        )
        weights = np.exp(bounds - logsumexp(bounds, axis=0))
        means = np.stack(
            [one_condition.transform(values, condition=level) for level in shares.index]
        )
        np.testing.assert_allclose(
            one_condition.transform(values),
            (weights[:, :, None] * means).sum(axis=0),
            rtol=1e-8,
            atol=1e-10,
        )

    @pytest.mark.parametrize("unknown", [None, np.nan, pd.NA])
    def test_left_out_or_missing(self, one_condition, clients, unknown):
        values = clients[VALUES]
        expected = one_condition.score_samples(values)
        missing = pd.Series([unknown] * len(values), dtype=object)
        np.testing.assert_array_equal(
            one_condition.score_samples(values, condition=missing), expected
        )
        some = clients["group"].astype(object).where(np.arange(300) % 2 == 0, unknown)
        mixed = one_condition.score_samples(values, condition=some)
        np.testing.assert_allclose(mixed[1::2], expected[1::2], rtol=1e-12)
        known = one_condition.score_samples(values, condition=clients["group"])
        np.testing.assert_allclose(mixed[::2], known[::2], rtol=1e-12)

    def test_many_rows_go_in_chunks(self, one_condition, clients, monkeypatch):
        values = clients[VALUES]
        latents = one_condition.transform(values)
        rows = one_condition.inverse_transform(latents)
        bound = one_condition.score_samples(values)
        monkeypatch.setattr(_conditional_inference, "_UNKNOWN_ROWS", 7)
        np.testing.assert_allclose(one_condition.transform(values), latents, rtol=1e-9)
        np.testing.assert_allclose(
            one_condition.inverse_transform(latents), rows, rtol=1e-9
        )
        np.testing.assert_allclose(one_condition.score_samples(values), bound)

    def test_level_never_seen(self, one_condition, clients):
        values = clients[VALUES]
        with pytest.warns(UnseenConditionWarning, match=r"'vast' in condition 'group'"):
            bound = one_condition.score_samples(values, condition="vast")
        np.testing.assert_array_equal(bound, one_condition.score_samples(values))

    def test_one_of_two_unknown(self, fitted, clients):
        partly = clients.assign(age=np.nan)
        both = clients.assign(age=np.nan, group=None)
        known, half, none = (fitted.score(table) for table in (clients, partly, both))
        assert known > half > none

    def test_known_category_narrows_what_is_averaged(self, fitted, clients):
        # Where the group is known, only ages of that group stand in.
        latents = fitted.transform(clients[:5])
        rows = fitted.inverse_transform(latents, condition={"group": "high"})
        other = fitted.inverse_transform(latents, condition={"group": "low"})
        assert (rows["a"] > other["a"] + 1).all()
        assert (rows["group"] == "high").all()

    def test_draws_of_reconstructions(self, one_condition, clients):
        rows = one_condition.reconstruct(clients[VALUES], kind="draw", random_state=0)
        again = one_condition.reconstruct(clients[VALUES], kind="draw", random_state=0)
        pd.testing.assert_frame_equal(rows, again)

    def test_decomposition(self, one_condition, clients):
        terms = one_condition.elbo_decomposition(
            clients[VALUES], condition=clients["group"]
        )
        known = one_condition.score(clients[VALUES], condition=clients["group"])
        value, error = terms["value"], terms["standard_error"]
        assert abs(value["elbo"] - known) < 4 * error["elbo"]
        same = one_condition.elbo_decomposition(clients[VALUES], condition="low")
        assert not terms.equals(same)


class TestLearnedPrior:
    def test_is_in_the_bound_and_in_the_kl(self, clients):
        model = trained(DCVAE, clients[VALUES], clients["group"], prior="learned")
        assert any(name.startswith("prior") for name in model.module_.state_dict())
        terms = model.elbo_decomposition(clients[VALUES], condition=clients["group"])
        kl = model.kl_per_dimension_.sum()
        assert (
            abs(terms.loc["kl", "value"] - kl) < 4 * terms.loc["kl", "standard_error"]
        )
        bound = model.score(clients[VALUES], condition=clients["group"])
        tighter = model.score_samples(
            clients[VALUES], condition=clients["group"], n_importance=500
        ).mean()
        assert bound < tighter < bound + 1

    def test_at_beta_one_it_is_equation_18(self, clients):
        settings = {"beta": 1, "max_epochs": 9, "likelihood": "gaussian"}
        model = trained(DCVAE, clients[VALUES], clients["group"], **settings)
        module = model.module_
        condition = model.condition_encoder_.transform(clients[["group"]])
        values = model.table_encoder_.transform(clients[VALUES])
        rows = torch.as_tensor(np.hstack([values, condition]))
        noise = torch.linspace(-1, 1, 600, dtype=torch.float64).reshape(300, 2)
        terms = model.net_.criterion_(module(rows, noise), 1.0)

        # By hand: -E log q(x|z, c) + sum_d KL(q(z_d|x, c) || r(z_d|c)).
        condition = torch.as_tensor(condition)
        mean, log_variance = module.encoder(rows[:, :3], condition).chunk(2, dim=1)
        posterior = Normal(mean, (log_variance / 2).exp())
        prior = Normal(
            module.prior.normal(condition).mean,
            (module.prior.normal(condition).log_variance / 2).exp(),
        )
        latents = posterior.mean + posterior.stddev * noise
        (head,) = module.heads
        decoded = Normal(module.decoder(latents, condition), head.scales)
        log_likelihood = decoded.log_prob(rows[:, :3]).sum(dim=1)
        expected = kl_divergence(posterior, prior).sum(dim=1) - log_likelihood
        assert terms["loss"].item() == pytest.approx(expected.mean().item(), rel=1e-12)
        assert (module.prior.normal(condition).mean != 0).any()

    def test_counterfactual_keeps_a_clients_place_in_its_group(self, clients):
        model = trained(DCVAE, clients, condition_columns=["group", "age"])
        low = clients[clients["group"] == "low"]
        changed = model.reconstruct(low, condition={"group": "high"})["a"]
        assert (changed - model.reconstruct(low)["a"]).mean() == pytest.approx(4, abs=1)


class TestWithScikitLearn:
    def test_routed_through_a_pipeline(self, conditional_class, clients):
        values, group = clients[VALUES], clients["group"]
        direct = trained(conditional_class, values, group)
        with config_context(enable_metadata_routing=True):
            model = clone(direct)
            for request in ("fit", "transform", "score"):
                getattr(model, f"set_{request}_request")(condition=True)
            pipeline = make_pipeline("passthrough", model)
            pipeline.fit(values, condition=group)
            np.testing.assert_array_equal(
                pipeline.transform(values, condition=group),
                direct.transform(values, condition=group),
            )
            routed = pipeline.score(values, condition=group)
            latents = pipeline.fit_transform(values, condition=group)
        assert routed == direct.score(values, condition=group)
        np.testing.assert_array_equal(
            latents, direct.transform(values, condition=group)
        )

    def test_routed_through_a_search(self, conditional_class, clients):
        values, group = clients[VALUES], clients["group"]
        with config_context(enable_metadata_routing=True):
            model = small(conditional_class).set_fit_request(condition=True)
            model.set_score_request(condition=True)
            search = GridSearchCV(model, {"lr": [1e-3, 1e-2]}, cv=2)
            search.set_params(error_score="raise")
            search.fit(values, condition=group)
        assert search.best_estimator_.module_.n_conditions == 3
        assert len(set(search.cv_results_["mean_test_score"])) == 2

    def test_searched_by_columns(self, conditional_class, clients):
        grid = {"condition_columns": [["group"], ["group", "age"]]}
        table = clients.assign(group=clients["group"].map({"low": 0, "middle": 1}))
        table["group"] = table["group"].fillna(2).astype(int)
        model = small(conditional_class)
        search = GridSearchCV(model, grid, cv=2, n_jobs=2, error_score="raise")
        search.fit(table)
        assert len(set(search.cv_results_["mean_test_score"])) == 2

    def test_in_a_pipeline_without_routing(self, conditional_class, clients):
        pipeline = make_pipeline(StandardScaler(), small(conditional_class))
        name = conditional_class.__name__.lower()
        pipeline.fit(clients[VALUES], **{f"{name}__condition": clients["group"]})
        assert pipeline[-1].module_.n_conditions == 3
        assert pipeline.transform(clients[VALUES]).shape == (300, 2)

    def test_set_output(self, conditional_class, clients):
        model = small(conditional_class).set_output(transform="pandas")
        latents = model.fit_transform(clients[VALUES], condition=clients["group"])
        pd.testing.assert_index_equal(latents.index, clients.index)


class TestAroundTheModel:
    """Scorers look at the columns that are explained."""

    def test_scorers(self, conditional_class, clients):
        settings = {"likelihood": "gaussian", "condition_columns": ["group"]}
        fitted = trained(conditional_class, clients, **settings)
        values = ["a", "b", "age", "c"]
        explained = ks_score(clients[values], fitted.reconstruct(clients)[values])
        assert ks_scorer(fitted, clients) == explained.mean
        assert 0 < ks_sample_scorer(fitted, clients) < 1
        assert reconstruction_scorer(fitted, clients) > 0.5
        assert n_active_scorer(fitted, clients) == fitted.n_active_
        assert 0 < latent_consistency_scorer(fitted, clients) <= 1
        assert neg_total_correlation_scorer(fitted, clients) < 1

    def test_rows_of_a_table_as_condition(self, fitted, clients):
        rows = fitted.sample(5, condition=clients[:5], random_state=0)
        assert rows["group"].tolist() == clients["group"][:5].tolist()


class TestBadInput:
    def test_unknown_column(self, conditional_class, clients):
        with pytest.raises(ValueError, match=r"'grup'.*'group'"):
            small(conditional_class, condition_columns=["grup"]).fit(clients)

    def test_columns_and_condition(self, conditional_class, clients):
        model = small(conditional_class, condition_columns=["group"])
        with pytest.raises(ValueError, match=r"beside X.*expected condition=None"):
            model.fit(clients.drop(columns="age"), condition=clients["age"])

    def test_missing_in_fit(self, conditional_class, clients):
        holes = clients.assign(group=clients["group"].where(clients["age"] > 30))
        model = small(conditional_class, condition_columns=["group"])
        with pytest.raises(ValueError, match=r"'group'.*known condition"):
            model.fit(holes)

    def test_wrong_length(self, conditional_class, clients):
        with pytest.raises(ValueError, match="3 cells; expected one for each"):
            small(conditional_class).fit(clients[VALUES], condition=["x", "y", "x"])

    def test_unknown_name(self, fitted):
        with pytest.raises(ValueError, match=r"'education'.*'group'"):
            fitted.sample(2, condition={"education": 1})

    def test_condition_for_a_model_without_one(self, conditional_class, clients):
        model = small(conditional_class).fit(clients[VALUES])
        with pytest.raises(ValueError, match="was fitted without one"):
            model.transform(clients[VALUES], condition=clients["group"])

    def test_condition_of_rows_that_hold_it(self, fitted, clients):
        with pytest.raises(ValueError, match="beside X"):
            fitted.transform(clients, condition={"group": "low"})

    def test_refit_without_condition_forgets_it(self, conditional_class, clients):
        model = small(conditional_class).fit(clients[VALUES], condition=clients["age"])
        model.fit(clients[VALUES])
        assert model.module_.n_conditions == 0
        assert model.sample(2).shape == (2, 3)
