"""Latents that are clamped to named columns; the rest stays unsupervised."""

import numpy as np
import pandas as pd
import pytest
from model_cases import MODELS, gentle, make_numbers, small

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")


@pytest.fixture(scope="module")
def frame():
    numbers = make_numbers(400, n_columns=6, n_factors=2, noise=0.3)
    return pd.DataFrame(numbers, columns=list("abcdef")).assign(
        age=lambda x: (40 + 12 * x["a"] + x["f"]).round().astype(int)
    )


def anchored(model_class, frame, **params):
    settings = {
        "latent_dim": 3,
        "max_epochs": 30,
        "lr": 3e-3,
        "hidden_layer_sizes": (16,),
        **gentle(model_class),
    }
    return small(model_class, **{**settings, **params}).fit(frame)


def test_latent_is_the_column(model_class, frame):
    model = anchored(model_class, frame, anchors={"age": 1, "b": 0})
    latents = model.transform(frame)
    encoded = model.table_encoder_.transform(frame)
    for name, latent in (("age", 1), ("b", 0)):
        column = encoded[:, frame.columns.get_loc(name)]
        expected = (column - column.mean()) / column.std()
        # Training spreads the ages of several clients out, so that scales differ.
        np.testing.assert_allclose(latents[:, latent], expected, atol=0.01)
        correlation = np.corrcoef(latents[:, latent], column)[0, 1]
        assert correlation == pytest.approx(1, abs=1e-9)
    assert np.all(np.diff(latents[frame["age"].argsort(), 1]) >= -1e-12)


def test_moving_the_latent_moves_the_column(model_class, frame):
    model = anchored(model_class, frame, anchors={"age": 1})
    latents = model.transform(frame)
    means = []
    for value in (-1.5, 0.0, 1.5):
        latents[:, 1] = value
        means.append(model.inverse_transform(latents)["age"].mean())
    # Other latents tell of the age too, and stay where they are.
    assert means[0] < means[1] - 0.5 < means[2] - 1


def test_the_rest_stays_unsupervised(model_class, frame):
    model = anchored(model_class, frame, anchors={"age": 1})
    others = np.delete(model.transform(frame), 1, axis=1)
    assert others.std(axis=0).max() > 0.3
    assert model.n_active_ >= 2


def test_no_anchors_change_nothing(model_class, frame):
    plain = anchored(model_class, frame, max_epochs=3)
    for nothing in (None, {}):
        same = anchored(model_class, frame, max_epochs=3, anchors=nothing)
        np.testing.assert_array_equal(same.transform(frame), plain.transform(frame))
        np.testing.assert_array_equal(
            same.score_samples(frame), plain.score_samples(frame)
        )


def test_array_columns_go_by_position(frame):
    model = anchored(MODELS[0], frame.to_numpy(), anchors={6: 0}, encoding="standard")
    age = frame["age"]
    np.testing.assert_allclose(
        model.transform(frame.to_numpy())[:, 0],
        (age - age.mean()) / age.std(ddof=0),
        atol=1e-5,
    )


@pytest.mark.parametrize(
    ("anchors", "message"),
    [
        ({"wage": 0}, r"'wage'; expected one of those of X.*'age'"),
        ({"age": 3}, "between 0 and 2 for column 'age'"),
        ({"age": -1}, "between 0 and 2 for column 'age'"),
        ({"age": True}, "between 0 and 2 for column 'age'"),
        ({"age": "first"}, "between 0 and 2 for column 'age'"),
        ({"age": 0, "b": 0}, "another latent for each column"),
        ({"flat": 0}, "constant"),
    ],
)
def test_bad_anchors(model_class, frame, anchors, message):
    with pytest.raises(ValueError, match=message):
        anchored(model_class, frame.assign(flat=1.0), anchors=anchors, max_epochs=1)
