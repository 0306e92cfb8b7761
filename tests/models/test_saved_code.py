"""Code does not go into files: networks come along again, the rest is refused."""

import numpy as np
import pandas as pd
import pytest
import torch
from model_cases import small
from saved_cases import assert_same_model, assert_same_output, there_and_back
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import FunctionTransformer

from skvae import VAE, DCVAEAnomalyDetector, ModelFileError

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")


class TestOwnNetworks:
    def test_are_passed_again(self, numbers, tmp_path):
        own = {"encoder": _make_body, "decoder": _make_body}
        model = small(VAE, likelihood="gaussian", **own).fit(numbers)
        again = there_and_back(model, tmp_path, **own)
        assert again.encoder is _make_body
        assert_same_model(model, again, numbers)

    def test_in_a_detector(self, numbers, tmp_path):
        detector = small(DCVAEAnomalyDetector, encoder=_make_body).fit(numbers)
        again = there_and_back(detector, tmp_path, encoder=_make_body)
        assert_same_output(
            detector.score_samples(numbers), again.score_samples(numbers)
        )

    def test_modules(self, numbers, tmp_path):
        encoder = _make_body(5, 4)
        model = small(VAE, encoder=encoder).fit(numbers)
        again = there_and_back(model, tmp_path, encoder=_make_body(5, 4))
        assert_same_output(model.transform(numbers), again.transform(numbers))

    def test_are_missed(self, numbers, tmp_path):
        model = small(VAE, encoder=_make_body).fit(numbers)
        with pytest.raises(
            ModelFileError, match=r"skvae\.load\(path, encoder=\.\.\.\)"
        ):
            there_and_back(model, tmp_path)

    def test_are_others(self, numbers, tmp_path):
        model = small(VAE, encoder=_make_body).fit(numbers)
        with pytest.raises(ModelFileError, match="Weights 'encoder"):
            there_and_back(model, tmp_path, encoder=torch.nn.Linear)

    def test_are_none_of_the_model(self, numbers, tmp_path):
        model = small(VAE).fit(numbers)
        with pytest.raises(ModelFileError, match="Got encoder"):
            there_and_back(model, tmp_path, encoder=_make_body)

    def test_global_random_state_stays(self, numbers, tmp_path):
        model = small(VAE, encoder=_make_body).fit(numbers)
        before = torch.get_rng_state()
        there_and_back(model, tmp_path, encoder=_make_body)
        assert torch.equal(before, torch.get_rng_state())


def _make_body(n_inputs, n_outputs):
    return torch.nn.Sequential(
        torch.nn.Linear(n_inputs, 7),
        torch.nn.BatchNorm1d(7),
        torch.nn.Tanh(),
        torch.nn.Linear(7, n_outputs),
    )


class TestWhatDoesNotGo:
    def test_model_that_is_not_fitted(self, tmp_path):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            VAE().save(tmp_path / "model.skvae")
        assert not list(tmp_path.iterdir())

    def test_transformer_of_ones_own(self, numbers, tmp_path):
        model = small(VAE, encoding=Doubling()).fit(numbers)
        with pytest.raises(ModelFileError, match=r"encoding is Doubling\(\).*no code"):
            model.save(tmp_path / "model.skvae")
        assert not list(tmp_path.iterdir())

    def test_function_inside_of_a_transformer(self, numbers, tmp_path):
        encoding = FunctionTransformer(np.sinh, np.arcsinh, check_inverse=False)
        model = small(VAE, encoding=encoding).fit(numbers)
        with pytest.raises(ModelFileError, match=r"encoding\.func is <ufunc 'sinh'>"):
            model.save(tmp_path / "model.skvae")

    def test_attribute_of_ones_own(self, numbers, tmp_path):
        model = small(VAE).fit(numbers)
        model.note_ = "for Anna"
        with pytest.raises(ModelFileError, match="has an attribute 'note_'"):
            model.save(tmp_path / "model.skvae")

    def test_class_of_ones_own(self, numbers, tmp_path):
        model = small(MyVAE).fit(numbers)
        with pytest.raises(ModelFileError, match="of type MyVAE"):
            model.save(tmp_path / "model.skvae")

    def test_levels_of_other_types(self, tmp_path):
        times = [pd.Timestamp(f"2020-01-01 {hour}:00").time() for hour in (1, 2, 3)]
        rng = np.random.default_rng(0)
        table = pd.DataFrame({"a": rng.normal(size=60), "time": times * 20})
        model = small(VAE).fit(table)
        with pytest.raises(ModelFileError, match="type time, which a model file"):
            model.save(tmp_path / "model.skvae")

    def test_path_of_the_model_card(self, numbers, tmp_path):
        with pytest.raises(ValueError, match="expected another suffix"):
            small(VAE).fit(numbers).save(tmp_path / "model.md")


class Doubling(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return 2 * X

    def inverse_transform(self, X):
        return X / 2


class MyVAE(VAE):
    pass
