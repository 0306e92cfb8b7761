"""Files that earlier versions wrote are read by this one, and mean the same."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import skvae
from skvae._core.model_file import VERSION

DATA = Path(__file__).parent / "data"
FILES = sorted(DATA.glob("*.skvae"))


@pytest.fixture(scope="module")
def clients():
    sys.path.insert(0, str(DATA))
    try:
        from write_stored_file import CLIENTS
    finally:
        sys.path.remove(str(DATA))
    return CLIENTS


def test_there_is_one_of_each_version():
    names = {f"version{number}.skvae" for number in range(1, VERSION + 1)}
    assert {path.name for path in FILES} >= names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_means_the_same(path, clients, tmp_path):
    detector = skvae.load(path)
    expected = json.loads(path.with_suffix(".json").read_text())
    # As written, and as written anew by this version.
    detector.save(tmp_path / "again.skvae")
    for model in (detector, skvae.load(tmp_path / "again.skvae")):
        latents, scores = model.model_.transform(clients), model.score_samples(clients)
        np.testing.assert_allclose(latents, expected["transform"], rtol=0, atol=1e-12)
        np.testing.assert_allclose(scores, expected["score_samples"], rtol=1e-10)
        rows = model.model_.inverse_transform(latents)
        assert rows.dtypes.equals(clients.dtypes)
