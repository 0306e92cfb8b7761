"""The heat map of mutual information, artist by artist."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from sklearn.metrics import mutual_info_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import BetaTCVAE
from skvae.inspection import MutualInformationDisplay
from skvae.inspection._mutual_information import _readable_on
from skvae.metrics import mutual_information_matrix


@pytest.fixture
def factors():
    levels = np.random.RandomState(0).randint([2, 5], size=(500, 2))
    return pd.DataFrame(levels, columns=["flag", "grade"])


@pytest.fixture
def codes(factors):
    return factors.to_numpy(dtype=float)[:, ::-1] * [1.0, -2.0]


def test_columns_of_the_table_by_default(model, X):
    display = MutualInformationDisplay.from_estimator(model, X)
    order = np.argsort(-model.kl_per_dimension_)[: model.n_active_]
    expected = mutual_information_matrix(X, model.transform(X)[:, order])
    np.testing.assert_allclose(display.mutual_information, expected)
    names = [f"betatcvae{j}" for j in order]
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == names
    shown = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert shown == list(X.columns)
    assert display.ax_.get_xlabel() == "Column"
    assert display.ax_.get_ylabel() == "Latent factor"


def test_column_names_do_not_overlap(model, X):
    display = MutualInformationDisplay.from_estimator(model, X)
    display.figure_.draw_without_rendering()
    labels = display.ax_.get_xticklabels()
    assert {label.get_rotation() for label in labels} == {45.0}
    # Slanted at 45 degrees, neighbours are their distance / sqrt(2) apart.
    edges = [label.get_window_extent().x1 for label in labels]
    height = labels[0].get_fontsize() * display.figure_.dpi / 72
    assert np.diff(edges).min() / np.sqrt(2) > height


def test_every_cell_has_its_number(model, X):
    display = MutualInformationDisplay.from_estimator(model, X)
    values = display.mutual_information.to_numpy()
    assert display.text_.shape == values.shape
    for text, value in zip(display.text_.flat, values.flat, strict=True):
        assert text.get_text() == f"{value:.2f}"


def test_known_factors(model, portfolio):
    display = MutualInformationDisplay.from_estimator(
        model, portfolio.data, portfolio.factors
    )
    assert list(display.mutual_information.columns) == list(portfolio.factors)
    assert display.ax_.get_xlabel() == "Known factor"


def test_nats_and_shares_of_entropy(factors, codes):
    display = MutualInformationDisplay.from_predictions(factors, codes)
    entropy = [mutual_info_score(factors[name], factors[name]) for name in factors]
    np.testing.assert_allclose(np.diag(display.mutual_information)[0], 0, atol=0.02)
    assert display.mutual_information.loc["code1", "flag"] == pytest.approx(entropy[0])
    assert display.colorbar_.ax.get_ylabel() == "Mutual information\n(nats)"
    assert display.im_.get_clim() == pytest.approx((0, entropy[1]))

    display = MutualInformationDisplay.from_predictions(factors, codes, normalize=True)
    assert display.mutual_information.loc["code1", "flag"] == pytest.approx(1)
    assert display.mutual_information.loc["code0", "grade"] == pytest.approx(1)
    label = "Mutual information\n(share of the entropy)"
    assert display.colorbar_.ax.get_ylabel() == label
    assert display.im_.get_clim() == (0, 1)


def test_constant_factor_is_known_by_nobody(factors, codes):
    display = MutualInformationDisplay.from_predictions(
        factors.assign(one=1), codes, normalize=True
    )
    assert (display.mutual_information["one"] == 0).all()


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda factors: factors.to_numpy(), ["factor0", "factor1"]),
        (lambda factors: factors["flag"], ["flag"]),
        (lambda factors: factors["flag"].to_list(), ["factor0"]),
    ],
)
def test_containers_of_factors(factors, codes, make, names):
    display = MutualInformationDisplay.from_predictions(make(factors), codes)
    assert list(display.mutual_information.columns) == names
    assert list(display.mutual_information.index) == ["code0", "code1"]


def test_numbers_only_where_they_fit(model, X):
    figure, ax = plt.subplots(figsize=(4, 3))
    display = MutualInformationDisplay.from_estimator(model, X, ax=ax)
    assert display.text_ is None
    assert len(ax.texts) == 0
    assert display.ax_ is ax
    assert display.figure_ is figure
    display.plot(include_values=True)
    assert len(display.ax_.texts) == display.mutual_information.size
    assert display.plot(include_values=False).text_ is None


def test_keywords_reach_the_image(factors, codes):
    display = MutualInformationDisplay.from_predictions(
        factors, codes, cmap="cividis", im_kw={"vmax": 3}
    )
    assert display.im_.get_cmap().name == "cividis"
    assert display.im_.get_clim() == (0, 3)


def test_numbers_are_readable_on_their_cells():
    assert _readable_on(to_rgb("#fde725")) != "white"
    assert _readable_on(to_rgb("#440154")) == "white"


def test_subclass_returns_itself(model, X, factors, codes):
    class Mine(MutualInformationDisplay):
        pass

    assert type(Mine.from_estimator(model, X)) is Mine
    assert type(Mine.from_predictions(factors, codes)) is Mine


def test_bad_input(model, X, factors):
    with pytest.raises(ValueError, match="as many rows"):
        MutualInformationDisplay.from_estimator(model, X, factors)
    with pytest.raises(ValueError, match="feature names"):
        MutualInformationDisplay.from_estimator(model, X.drop(columns="AGE"))


def test_collapsed_model_is_refused(collapsed, X):
    with pytest.raises(ValueError, match="n_active_ is 0"):
        MutualInformationDisplay.from_estimator(collapsed, X)


def test_latents_that_carry_nothing_on_request(collapsed, X):
    display = MutualInformationDisplay.from_estimator(collapsed, X, n_factors=3)
    order = np.argsort(-collapsed.kl_per_dimension_)[:3]
    assert list(display.mutual_information.index) == [f"betatcvae{j}" for j in order]


def test_inside_of_a_pipeline(X):
    pipe = make_pipeline(
        StandardScaler().set_output(transform="pandas"),
        BetaTCVAE(latent_dim=3, max_epochs=4, random_state=0),
    ).fit(X)
    display = MutualInformationDisplay.from_estimator(pipe, X)
    alone = MutualInformationDisplay.from_estimator(pipe[1], pipe[0].transform(X))
    pd.testing.assert_frame_equal(display.mutual_information, alone.mutual_information)
