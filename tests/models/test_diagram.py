"""An estimator in a notebook: scikit-learn's diagram, and what came of the fit."""

import pickle
import re

import pytest
from model_cases import MODELS, make_numbers, make_table, small
from sklearn import config_context
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr

from skvae import MSVAE, VAE, BetaTCVAE, DCVAEAnomalyDetector, VAEAnomalyDetector
from skvae.models import _diagram
from skvae.models._inference import Inference
from skvae.selection import SeedEnsemble

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

MINUS = "\N{MINUS SIGN}"


class Mine(VAE):
    """A model of a user's."""


@pytest.fixture(scope="module")
def vae():
    """Fitted: to be shown, not to be changed."""
    return small(VAE).fit(make_table())


def captions(estimator):
    """Return the small lines of a diagram."""
    html = estimator._repr_html_()
    return re.findall(r'<div class="caption">(.*?)</div>', html)


def line_of(**params):
    """Return the line of a small model that was fitted under other parameters."""
    (line,) = captions(small(VAE, **params).fit(make_table()))
    return line


class TestTheLine:
    def test_is_in_the_box_of_every_fitted_model(self, fitted):
        line = captions(fitted)[-1]
        n_latents = len(fitted.kl_per_dimension_)
        assert line.startswith(f"{fitted.n_active_} of {n_latents} latents active · ")
        assert line.endswith(" nats a row · 3 epochs")

    def test_has_the_bound_at_the_weights_that_were_kept(self, vae):
        terms = vae.history_.loc[vae.best_epoch_]
        bound = -(terms["valid_reconstruction"] + terms["valid_kl"])
        assert bound < 0
        assert f" held-out bound {MINUS}{-bound:.1f} nats a row " in captions(vae)[0]

    def test_is_near_the_bound_of_the_table(self):
        table = make_table(400)
        model = small(VAE, max_epochs=20, lr=1e-2).fit(table)
        (number,) = re.findall(rf"bound {MINUS}(\d+\.\d) nats", captions(model)[0])
        assert float(number) == pytest.approx(-model.score(table), rel=0.15)

    def test_has_the_bound_of_training_where_no_row_is_held_out(self):
        assert " training bound " in line_of(early_stopping=False)

    def test_says_that_rows_were_trimmed(self):
        assert " trimmed held-out bound " in line_of(trimmed_fraction=0.2)

    def test_says_that_training_stopped_early(self):
        line = line_of(max_epochs=9, kl_warmup=0, n_iter_no_change=1, tol=1e3)
        assert line.endswith(" · 2 epochs, stopped early")

    def test_counts_one_epoch(self):
        assert line_of(max_epochs=1).endswith(" · 1 epoch")

    def test_is_of_the_fit_whatever_is_set_later(self, vae):
        later = pickle.loads(pickle.dumps(vae)).set_params(max_epochs=99, latent_dim=7)
        assert captions(later) == captions(vae)

    def test_works_nothing_out(self, vae, monkeypatch):
        expected = captions(vae)
        monkeypatch.delattr(Inference, "_in_passes")
        assert captions(vae) == expected


class TestWithoutALine:
    @pytest.mark.parametrize("model_class", MODELS)
    def test_a_diagram_before_fit_is_scikit_learns(self, model_class):
        model = small(model_class)
        shown = estimator_html_repr(model)
        assert captions(model) == []
        assert not hasattr(model, "_sk_visual_block_")
        assert model_class.__name__ in shown

    def test_a_clone_is_not_fitted(self, vae):
        assert captions(clone(vae)) == []

    def test_a_history_that_lost_its_terms_is_no_error(self):
        model = small(VAE).fit(make_table())
        for epoch in model.net_.history:
            del epoch["train_kl"], epoch["valid_kl"]
        assert captions(model) == []
        assert "VAE" in model._repr_html_()

    def test_another_scikit_learn_is_no_error(self, vae, monkeypatch):
        def moved():
            raise ImportError("cannot import name '_VisualBlock'")

        monkeypatch.setattr(_diagram, "_block_class", moved)
        assert captions(vae) == []
        assert "VAE" in vae._repr_html_()

    def test_text_stays_text(self, vae):
        with config_context(display="text"):
            assert not hasattr(vae, "_repr_html_")
            assert list(vae._repr_mimebundle_()) == ["text/plain"]
        assert "active" not in repr(vae)


class TestWhereTheLineIs:
    def test_both_ways_of_notebooks_to_ask(self, vae):
        (line,) = captions(vae)
        assert line in vae._repr_mimebundle_()["text/html"]
        assert line in estimator_html_repr(vae)

    def test_survives_pickling(self, vae):
        assert captions(pickle.loads(pickle.dumps(vae))) == captions(vae)

    def test_a_step_of_a_pipeline(self):
        pipeline = make_pipeline(StandardScaler(), small(VAE))
        assert captions(pipeline) == []
        pipeline.fit(make_numbers())
        assert captions(pipeline) == captions(pipeline[-1]) != []

    def test_inside_of_a_search_and_of_a_frozen_estimator(self, vae):
        search = GridSearchCV(small(VAE), {"latent_dim": [1, 2]}, cv=2)
        search.fit(make_numbers())
        assert captions(search) == captions(search.best_estimator_) != []
        assert captions(FrozenEstimator(vae)) == captions(vae)

    def test_a_subclass_has_its_own_name(self):
        model = small(Mine).fit(make_table())
        assert len(captions(model)) == 1
        assert re.search(r"<div>Mine</div><div class=\"caption\">", model._repr_html_())

    def test_an_estimator_among_the_parameters_keeps_its_box(self):
        model = small(VAE, encoding=StandardScaler()).fit(make_numbers())
        assert len(captions(model)) == 1
        assert "encoding: StandardScaler" in model._repr_html_()

    def test_both_stages_have_theirs(self):
        model = small(MSVAE).fit(make_table())
        assert captions(model) == [*captions(model.first_stage_), model._fit_line()]
        assert "first_stage: BetaTCVAE" in model._repr_html_()

    def test_an_ensemble_shows_its_best_member(self):
        ensemble = SeedEnsemble(small(BetaTCVAE), n_seeds=2, random_state=0)
        assert captions(ensemble) == []
        ensemble.fit(make_table())
        of_best, own = captions(ensemble)
        assert [of_best] == captions(ensemble.best_estimator_)
        assert own == f"best of 2 members · UDR {ensemble.udr_.mean:.2f}"


@pytest.mark.parametrize("detector", [DCVAEAnomalyDetector, VAEAnomalyDetector])
def test_a_detector_says_where_it_draws_the_line(detector):
    fitted = small(detector).fit(make_numbers())
    expected = f"0.1 of training rows below {fitted.offset_:.3g}"
    assert expected in estimator_html_repr(fitted)
    assert "training rows below" not in estimator_html_repr(clone(fitted))
