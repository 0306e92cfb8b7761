"""Training with compile=True gives what it gives without, but for rounding."""

import pickle
import shutil
import sys

import pytest
import torch
from model_cases import DieAfter, Dies, changed, make_numbers, make_table, small
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from torch import nn

import skvae
from skvae import CVAE, MSVAE, RFVAE, VAE, BetaTCVAE, FactorVAE
from skvae.training import _step

pytestmark = [
    # Warned of when torch's compiler is imported.
    pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning"),
    pytest.mark.skipif(
        torch.__version__ < (2, 6)
        or sys.platform == "win32"
        or not any(map(shutil.which, ("g++", "clang++", "c++"))),
        reason="torch.compile needs torch 2.6 and a C++ compiler",
    ),
]


@pytest.fixture
def X():
    return make_numbers(100)


def eager(model_class, **params):
    return changed(small(model_class, likelihood="gaussian", kl_warmup=1), **params)


def compiled(model):
    return clone(model).set_params(compile=True)


def n_graphs():
    """Return how many graphs were compiled since the test began."""
    return torch._dynamo.utils.counters["stats"]["unique_graphs"]


@pytest.fixture
def counted():
    """Forget the graphs of other tests, and count anew."""
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()


def assert_close(found, expected, X):
    assert_allclose(found.history_["train_loss"], expected.history_["train_loss"], 1e-5)
    assert_allclose(found.transform(X), expected.transform(X), atol=1e-4)


@pytest.mark.parametrize("model_class", [BetaTCVAE, FactorVAE, RFVAE])
def test_is_as_good_as_eager(model_class, X, counted):
    model = eager(model_class)
    assert_close(compiled(model).fit(X), model.fit(X), X)
    assert n_graphs() == 1
    assert not torch._dynamo.utils.counters["graph_break"]


def test_tables_of_all_kinds(counted):
    X = make_table()
    model = small(CVAE, condition_columns=["owner"], trimmed_fraction=0.1)
    assert_close(compiled(model).fit(X), model.fit(X), X)
    assert n_graphs() == 1


def test_second_stages_and_images(counted):
    X = make_numbers(60, 16)
    model = small(MSVAE, image_shape=(1, 4, 4), likelihood="gaussian")
    model.set_params(first_stage__encoding="standard", residual_training="joint")
    assert_close(compiled(model).fit(X), model.fit(X), X)
    assert n_graphs() == 1


def test_compiles_once_for_all_batches_seeds_and_weights(X, counted):
    model = compiled(eager(BetaTCVAE))
    model.set_params(batch_size=16).fit(X)
    model.set_params(batch_size=31, beta=2.5, random_state=1).fit(X)
    model.set_params(beta=8, lr=1e-4).fit(X)
    model.fit(X[:70])
    for _ in range(3):
        model.partial_fit(X)
    assert n_graphs() == 1


@pytest.mark.skipif(
    torch.__version__ < (2, 13),
    reason="torch before 2.13 may give up after eight networks",
)
def test_a_search_may_hold_more_networks_than_torch_compiles_of_one(X, counted):
    for latent_dim in range(1, 11):
        compiled(eager(VAE, latent_dim=latent_dim)).fit(X)
    assert n_graphs() == 10


def test_same_seed_gives_the_same_bits(X):
    model = compiled(eager(VAE))
    assert_array_equal(clone(model).fit_transform(X), model.fit_transform(X))


def test_models_travel_as_others_do(X, tmp_path):
    model = compiled(eager(VAE)).fit(X)
    expected = eager(VAE).fit(X)
    assert list(model.module_.state_dict()) == list(expected.module_.state_dict())
    model.save(tmp_path / "model.skvae")
    for again in (
        pickle.loads(pickle.dumps(model)),
        skvae.load(tmp_path / "model.skvae"),
    ):
        assert again.compile
        assert_array_equal(again.transform(X), model.transform(X))
        assert_array_equal(again.score_samples(X), model.score_samples(X))


def test_goes_on_from_a_checkpoint(X, tmp_path):
    model = compiled(eager(VAE)).set_params(checkpoint=tmp_path, resume=True)
    expected = clone(model).set_params(checkpoint=None, resume=False).fit(X)
    with pytest.raises(Dies):
        clone(model).set_params(callbacks=[DieAfter(1)]).fit(X)
    assert_array_equal(model.fit_transform(X), expected.transform(X))


class Dropping(nn.Sequential):
    """A network that draws in training."""

    def __init__(self, n_inputs, n_outputs):
        super().__init__(nn.Linear(n_inputs, n_outputs), nn.Dropout(0.1))


def test_networks_that_draw_train_eager(X, counted):
    model = eager(VAE, encoder=Dropping)
    codes = clone(model).set_params(compile=True).fit_transform(X)
    assert_array_equal(codes, model.fit_transform(X))
    assert n_graphs() == 0


def _inductor_config():
    # Not at the top: to import it takes as long as all else.
    import torch._inductor.config

    return torch._inductor.config


def test_says_so_where_there_is_no_compiler(X, counted):
    absent = {"cpp.cxx": (None, "/nowhere/g++"), "fx_graph_cache": False}
    with _inductor_config().patch(absent), pytest.raises(ValueError) as caught:
        compiled(eager(VAE)).fit(X)
    message = str(caught.value)
    assert message.startswith("compile=True cannot be used here (InvalidCxxCompiler: ")
    assert message.endswith("Install one, or use compile=False.")
    assert len(message) < 400
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_says_so_where_torch_cannot_compile(X, monkeypatch):
    def unsupported(*args, **kwargs):
        raise RuntimeError("torch.compile is not supported on this platform")

    _step._compiled.cache_clear()
    monkeypatch.setattr(torch, "compile", unsupported)
    with pytest.raises(ValueError, match="not supported on this platform"):
        compiled(eager(VAE)).fit(X)


def test_says_so_where_torch_is_too_old(X, monkeypatch):
    _step._compiled.cache_clear()
    monkeypatch.setattr(torch, "__version__", type(torch.__version__)("2.5.1"))
    with pytest.raises(ValueError, match=r"this is torch 2\.5\.1\); expected torch 2"):
        compiled(eager(VAE)).fit(X)
