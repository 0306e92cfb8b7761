"""Networks as ONNX graphs, run by onnxruntime."""

import numpy as np
import pytest
from model_cases import make_table, small
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError

from skvae import CVAE, MSVAE, VAE, BetaTCVAE
from skvae.datasets import make_sprites

pytest.importorskip("onnxscript", reason="an extra")
onnx = pytest.importorskip("onnx", reason="an extra")
onnxruntime = pytest.importorskip("onnxruntime", reason="an extra")
pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

CLOSE = {"rtol": 1e-5, "atol": 1e-5}


def mixed(n_rows=80):
    table = make_table(n_rows)
    table["region"] = np.array(["N", "S", "W"])[np.arange(n_rows) % 3]
    table.iloc[3, 0] = np.nan
    return table


CASES = {
    "mixed table": (small(BetaTCVAE), mixed()),
    "two stages": (small(MSVAE), mixed()),
    "condition": (small(CVAE, condition_columns=["region"]), mixed()),
    "images": (
        small(VAE, image_shape=(1, 16, 16)),
        make_sprites(60, image_size=16, random_state=0).data,
    ),
}


@pytest.fixture(scope="module", params=CASES)
def fitted(request):
    model, X = CASES[request.param]
    return model.fit(X), X


def run(path, **inputs):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    kinds = {"tensor(float)": np.float32, "tensor(double)": np.float64}
    kind_of = {wanted.name: kinds[wanted.type] for wanted in session.get_inputs()}
    inputs = {name: array.astype(kind_of[name]) for name, array in inputs.items()}
    (output,) = session.run(None, inputs)
    return output


def encoded(model, X):
    return np.concatenate(list(model._encoded_chunks(X)))


def test_encoder(fitted, tmp_path):
    model, X = fitted
    model.to_onnx(tmp_path / "encoder.onnx")
    for n_rows in (1, 30):
        rows = encoded(model, X[:n_rows])
        latents = run(tmp_path / "encoder.onnx", rows=rows)
        assert_allclose(latents, model.transform(X[:n_rows]), **CLOSE)


def test_decoder(fitted, tmp_path):
    model, X = fitted
    model.to_onnx(str(tmp_path / "decoder.onnx"), part="decoder")
    matrix, latents = encoded(model, X), model.transform(X)
    conditions = matrix[:, model._width :]
    given = {"condition": conditions} if conditions.shape[1] else {}
    rows = run(tmp_path / "decoder.onnx", latents=latents, **given)
    expected = model._inference.decode(latents, conditions)[:, : model._width]
    assert_allclose(rows, expected, **CLOSE)


def test_score(fitted, tmp_path):
    model, X = fitted
    model.to_onnx(tmp_path / "score.onnx", part="score")
    bounds = run(tmp_path / "score.onnx", rows=encoded(model, X))
    assert_allclose(bounds, model.score_samples(X), **CLOSE)
    assert np.ptp(bounds) > 1


def test_file_says_what_it_is(tmp_path):
    model = small(BetaTCVAE).fit(mixed())
    before = model.transform(mixed())
    model.to_onnx(tmp_path / "file.onnx", part="score")
    graph = onnx.load(tmp_path / "file.onnx")
    onnx.checker.check_model(graph)
    facts = {item.key: item.value for item in graph.metadata_props}
    assert facts["skvae.class"] == "BetaTCVAE"
    assert facts["skvae.part"] == "score"
    assert_allclose(model.transform(mixed()), before)  # the model is as it was


def test_unknown_part(tmp_path):
    with pytest.raises(ValueError, match="'part' parameter"):
        small(VAE).fit(mixed()).to_onnx(tmp_path / "file.onnx", part="head")


def test_unfitted(tmp_path):
    with pytest.raises(NotFittedError):
        VAE().to_onnx(tmp_path / "file.onnx")


def test_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        small(VAE).fit(mixed()).to_onnx(tmp_path / "no" / "file.onnx")
    assert not list(tmp_path.iterdir())
