"""What models make of a stream, written to Parquet."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import BetaTCVAE, StreamError, VAEAnomalyDetector
from skvae.datasets import make_credit_portfolio
from skvae.tables import TableStream

pytest.importorskip("pyarrow")

from skvae.integrations import parquet
from skvae.integrations.parquet import apply_to_parquet, sample_to_parquet

SETTINGS = {"latent_dim": 2, "max_epochs": 2, "random_state": 0}


@pytest.fixture(scope="module")
def X():
    table = make_credit_portfolio(1_000, random_state=0).data
    return table.assign(
        city=np.where(table["SEX"] == 1, "A", "B"),
        since=pd.Timestamp("2020-01-01") + pd.to_timedelta(table["AGE"], "D"),
        score=table["AGE"].where(table["AGE"] > 30),
    )


@pytest.fixture(scope="module")
def model(X):
    return BetaTCVAE(**SETTINGS).fit(X)


@pytest.fixture
def stream(X):
    return TableStream([X[:600], X[600:]], rows_per_piece=250)


def test_codes_have_their_names(model, X, stream, tmp_path):
    assert apply_to_parquet(model.transform, stream, tmp_path / "z.parquet") == 1_000
    codes = pd.read_parquet(tmp_path / "z.parquet")
    assert list(codes) == ["betatcvae0", "betatcvae1"]
    assert_allclose(codes, model.transform(X), atol=1e-12)


def test_scores_are_a_column(model, X, stream, tmp_path):
    apply_to_parquet(model.score_samples, stream, tmp_path / "s.parquet")
    scores = pd.read_parquet(tmp_path / "s.parquet")
    assert_allclose(scores["score_samples"], model.score_samples(X), rtol=1e-10)


def test_tables_keep_their_columns(model, X, stream, tmp_path):
    apply_to_parquet(model.reconstruct, stream, tmp_path / "x.parquet")
    found = pd.read_parquet(tmp_path / "x.parquet")
    pd.testing.assert_frame_equal(
        found, model.reconstruct(X).reset_index(drop=True), check_dtype=False
    )


def test_detector_and_pipeline(X, tmp_path):
    X = X[["LIMIT_BAL", "AGE"]]
    X.to_parquet(tmp_path / "rows.parquet", row_group_size=300)
    detector = VAEAnomalyDetector(BetaTCVAE(**SETTINGS)).fit(X)
    apply_to_parquet(
        detector.predict, tmp_path / "rows.parquet", tmp_path / "p.parquet"
    )
    found = pd.read_parquet(tmp_path / "p.parquet")["predict"]
    assert_array_equal(found, detector.predict(X))
    pipeline = make_pipeline(StandardScaler(), BetaTCVAE(**SETTINGS)).fit(X)
    apply_to_parquet(pipeline.transform, tmp_path / "rows.parquet", tmp_path / "z")
    assert_allclose(pd.read_parquet(tmp_path / "z"), pipeline.transform(X), atol=1e-12)


def test_function_of_whoever(stream, tmp_path):
    apply_to_parquet(lambda rows: rows["AGE"] * 2, stream, tmp_path / "a.parquet")
    assert list(pd.read_parquet(tmp_path / "a.parquet")) == ["AGE"]
    apply_to_parquet(lambda rows: np.ones((len(rows), 2)), stream, tmp_path / "a")
    assert list(pd.read_parquet(tmp_path / "a")) == ["<lambda>0", "<lambda>1"]


def test_rows_are_drawn_in_pieces(model, X, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "_ROWS", 64)
    given = {"city": "B"}
    for name in ("one", "two"):
        path = tmp_path / name
        sample_to_parquet(model, 200, path, given=given, random_state=3)
    one, two = pd.read_parquet(tmp_path / "one"), pd.read_parquet(tmp_path / "two")
    pd.testing.assert_frame_equal(one, two)
    assert one.shape == (200, X.shape[1])
    assert set(one["city"]) == {"B"}
    assert (one["AGE"].iloc[:64].to_numpy() != one["AGE"].iloc[64:128]).any()


def test_columns_that_are_missing_at_first(tmp_path):
    pieces = [
        pd.DataFrame({"a": [None, None], "b": [1.0, np.nan]}),
        pd.DataFrame({"a": ["x", None], "b": [1, 2]}),
    ]
    apply_to_parquet(lambda rows: rows, TableStream(pieces), tmp_path / "a.parquet")
    found = pd.read_parquet(tmp_path / "a.parquet")
    assert found["a"].isna().tolist() == [True, True, False, True]
    assert found["b"].tolist()[2:] == [1, 2]


def test_nothing_is_left_of_what_fails(model, X, tmp_path):
    (tmp_path / "z.parquet").write_bytes(b"of before")
    bad = TableStream([X, X.drop(columns="AGE")])
    with pytest.raises(StreamError, match="AGE"):
        apply_to_parquet(model.transform, bad, tmp_path / "z.parquet")
    with pytest.raises(ValueError, match="returned 2 lines for 1000 rows"):
        apply_to_parquet(lambda rows: np.ones(2), [X], tmp_path / "z.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["z.parquet"]
    assert (tmp_path / "z.parquet").read_bytes() == b"of before"
    with pytest.raises(OSError, match="gone"):
        sample_to_parquet(model, 5, tmp_path / "gone" / "x.parquet")
