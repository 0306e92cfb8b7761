"""What is wrong with the input, said in words: the column or parameter, what was
found, what was expected."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from model_cases import changed, make_numbers, make_table, n_latents, small, where
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import InvalidParameterError

from skvae import (
    RFVAE,
    VAE,
    BetaTCVAE,
    BetaVAE,
    PosteriorCollapseWarning,
    TrainingDivergedError,
)

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")


AFTER_FIT = ["transform", "score_samples", "reconstruct", "elbo_decomposition"]


def with_cell(table, column, value):
    """Return the table with one cell, in the fourth row, replaced."""
    table = table.astype({column: object})
    table.loc[table.index[3], column] = value
    return table


class TestCells:
    """Every way in looks at the cells: fit, and whatever takes X after it."""

    @pytest.fixture(params=AFTER_FIT)
    def take_later(self, request, model, table):
        return getattr(model.fit(table), request.param)

    @pytest.fixture(params=["fit", *AFTER_FIT])
    def take(self, request, model, table):
        if request.param != "fit":
            model.fit(table)
        return getattr(model, request.param)

    @pytest.mark.parametrize("value", [np.nan, None, pd.NA])
    def test_missing_is_not_wrong(self, take, table, value):
        take(with_cell(table, "age", value))

    @pytest.mark.parametrize("value", [np.inf, -np.inf])
    def test_infinite(self, take, table, value):
        table.loc["row3", "balance"] = value
        message = r"Column 'balance' contains infinity.*expected finite numbers"
        with pytest.raises(ValueError, match=message):
            take(table)

    def test_message_names_the_row(self, model, table):
        with pytest.raises(ValueError, match=r"\(row 3\)"):
            model.fit(with_cell(table, "age", np.inf))

    @pytest.mark.parametrize(
        ("values", "found"),
        [
            (1j, "Complex data not supported.*complex128"),
            (pd.arrays.SparseArray(np.zeros(120)), "is sparse; expected a dense"),
            (np.arange(120) + 2**53, "expected integers up to 2\\*\\*53"),
        ],
        ids=["complex", "sparse", "large"],
    )
    def test_no_kind_of_column(self, take, table, values, found):
        with pytest.raises(ValueError, match=f"(?s)(?=.*'age').*{found}"):
            take(table.assign(age=values))

    def test_not_hashable(self, model, table):
        message = r"Column 'age' holds values that are not hashable, such as \[1\]"
        with pytest.raises(ValueError, match=message):
            model.fit(table.assign(age=[[1]] * 120))

    @pytest.mark.parametrize(
        ("values", "found"),
        [
            ("x", "holds 'x' of type str"),
            (pd.Categorical(["x", "y"] * 60), "has dtype category"),
            (pd.Timestamp("2020-01-01"), "has dtype datetime64"),
            (pd.Timestamp("2020-01-01", tz="UTC"), "has dtype datetime64.*UTC"),
            (pd.Timedelta("1 day"), "has dtype timedelta64"),
        ],
        ids=["string", "category", "date", "zone", "duration"],
    )
    def test_of_another_kind_than_in_fit(self, take_later, table, values, found):
        with pytest.raises(ValueError, match=f"(?s)(?=.*'age').*{found}"):
            take_later(table.assign(age=values))

    def test_one_string_among_numbers(self, take_later, table):
        message = "Column 'age' holds 'forty' of type str; expected numbers"
        with pytest.raises(ValueError, match=message):
            take_later(with_cell(table, "age", "forty"))

    def test_infinite_array(self, model, numbers):
        bad = numbers.copy()
        bad[3, 1] = np.inf
        with pytest.raises(ValueError, match="Input X contains infinity"):
            model.fit(bad)
        model.fit(numbers)
        for take in (model.transform, model.score, model.reconstruct):
            with pytest.raises(ValueError, match="Input X contains infinity"):
                take(bad)

    def test_too_large_for_the_network(self, model, numbers):
        frame = pd.DataFrame(numbers).add_prefix("x")
        changed(model, encoding=None)
        message = r"Column 'x2' leaves the range of float32.*encoding=None.*expected"
        with pytest.raises(ValueError, match=message):
            model.fit(frame.assign(x2=1e39 * frame["x2"]))

    def test_sparse_array(self, model, numbers):
        with pytest.raises(TypeError, match=r"[Ss]parse"):
            model.fit(sparse.csr_array(numbers))


class TestShape:
    @pytest.mark.parametrize("n_rows", [0, 1])
    def test_too_few_rows(self, model, table, n_rows):
        message = rf"{n_rows} sample\(s\).*minimum of 2 is required"
        with pytest.raises(ValueError, match=message):
            model.fit(table[:n_rows])
        with pytest.raises(ValueError, match=message):
            model.fit(make_numbers()[:n_rows])

    def test_no_rows_after_fit(self, model, table):
        model.fit(table)
        for take in (model.transform, model.score_samples, model.reconstruct):
            with pytest.raises(ValueError, match=r"0 sample\(s\).*minimum of 1"):
                take(table[:0])

    def test_no_columns(self, model, table):
        with pytest.raises(ValueError, match=r"0 feature\(s\).*minimum of 1"):
            model.fit(table[[]])
        with pytest.raises(ValueError, match=r"0 feature\(s\).*minimum of 1"):
            model.fit(np.empty((10, 0)))

    def test_one_dimension(self, model, table):
        with pytest.raises(ValueError, match="2-dimensional"):
            model.fit(table["balance"])
        with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
            model.fit(np.arange(10.0))

    def test_three_dimensions(self, model):
        with pytest.raises(ValueError, match="dim 3"):
            model.fit(np.zeros((4, 3, 2)))

    @pytest.mark.parametrize("n_rows", [2, 120])
    def test_nothing_varies(self, model, n_rows):
        ones = np.ones((n_rows, 3))
        message = (
            f"All 3 columns are constant over the {n_rows} rows.*expected at least one"
        )
        for constant in (ones, pd.DataFrame(ones, columns=list("abc"))):
            with pytest.raises(ValueError, match=message):
                model.fit(constant)

    def test_other_number_of_columns(self, model, numbers):
        model.fit(numbers)
        for take in (model.transform, model.score, model.reconstruct):
            message = f"X has 4 features, but {type(model).__name__} is expecting 5"
            with pytest.raises(ValueError, match=message):
                take(numbers[:, :4])

    @pytest.mark.parametrize("shape", [(3, 1), (3, 3), (1, 7)])
    def test_latents_of_the_wrong_width(self, model, table, shape):
        model.fit(table)
        message = rf"Z has {shape[1]} columns.*fitted with \D*{n_latents(model)}\b"
        with pytest.raises(ValueError, match=message):
            model.inverse_transform(np.zeros(shape))

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_latents_that_are_not_finite(self, model, table, value):
        model.fit(table)
        with pytest.raises(ValueError, match=r"Z contains (NaN|infinity)"):
            model.inverse_transform(np.full((3, 2), value))

    def test_decomposition_of_one_row(self, model, table):
        model.fit(table)
        with pytest.raises(ValueError, match="minimum of 2 is required"):
            model.elbo_decomposition(table[:1])

    @pytest.mark.parametrize("weights", [np.ones(7), np.full(120, np.nan)])
    def test_sample_weight(self, model, table, weights):
        model.fit(table)
        with pytest.raises(ValueError, match=r"[Ss]ample.weight"):
            model.score(table, sample_weight=weights)


class TestColumnNames:
    def test_repeated(self, model, table):
        names = [*table.columns[:-2], "age", "balance"]
        message = "more than one column named 'age', 'balance'; expected unique"
        with pytest.raises(ValueError, match=message):
            model.fit(table.set_axis(names, axis=1))

    def test_several_levels(self, model, table):
        names = pd.MultiIndex.from_product([["a"], table.columns])
        with pytest.raises(ValueError, match="names of 2 levels; expected one level"):
            model.fit(table.set_axis(names, axis=1))

    def test_of_several_types(self, model, table):
        names = [*table.columns[:-1], 1]
        with pytest.raises(TypeError, match="all input features have string names"):
            model.fit(table.set_axis(names, axis=1))

    @pytest.mark.parametrize(
        ("change", "found"),
        [
            (lambda X: X.drop(columns="age"), "seen at fit time, yet now missing.*age"),
            (lambda X: X.assign(extra=1.0), "unseen at fit time.*extra"),
            (lambda X: X.rename(columns={"age": "years"}), "years.*missing.*age"),
            (lambda X: X[X.columns[::-1]], "same order"),
        ],
        ids=["missing", "extra", "renamed", "reordered"],
    )
    def test_other_than_in_fit(self, model, table, change, found):
        model.fit(table)
        changed = change(table)
        for take in (model.transform, model.score_samples, model.reconstruct):
            with pytest.raises(ValueError, match=f"(?s).*{found}"):
                take(changed)


class TestParameters:
    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("latent_dim", 0, "an int in the range [1, inf)"),
            ("latent_dim", 2.0, "an int in the range [1, inf)"),
            ("lr", 0, "a float in the range (0.0, inf)"),
            ("lr", "fast", "a float in the range (0.0, inf)"),
            ("max_epochs", 0, "an int in the range [1, inf)"),
            ("batch_size", 0, "an int in the range [1, inf) or a str among {'auto'}"),
            ("batch_size", "all", "or a str among {'auto'}"),
            ("hidden_layer_sizes", 8, "an array-like"),
            ("activation", "sine", "a str among"),
            ("encoding", "rank", "a str among"),
            ("encoding", object(), "implementing 'fit', 'transform'"),
            ("likelihood", "poisson", "a str among"),
            ("categorical_features", "all", "a str among {'from_dtype'}"),
            ("lr_schedule", "cosine", "a str among"),
            ("kl_warmup", -1, "an int in the range [0, inf)"),
            ("early_stopping", "no", "an instance of 'bool'"),
            ("validation_fraction", 0.0, "a float in the range (0.0, 1.0)"),
            ("validation_fraction", 1.0, "a float in the range (0.0, 1.0)"),
            ("n_iter_no_change", 0, "an int in the range [1, inf)"),
            ("tol", -1.0, "a float in the range [0.0, inf)"),
            ("callbacks", "PrintLog", "an instance of 'list' or None"),
            ("device", None, "an instance of 'str'"),
            ("random_state", "seed", "RandomState"),
            ("verbose", -1, "an int in the range [0, inf)"),
        ],
    )
    def test_wording_is_scikit_learns(
        self, model_class, numbers, name, value, expected
    ):
        model = small(model_class, **{name: value})  # not in the constructor
        is_own = where(model, name) == name
        owner = model_class if is_own else type(model.first_stage)
        start = f"The '{name}' parameter of {owner.__name__} must be"
        with pytest.raises(InvalidParameterError) as error:
            model.fit(numbers)
        message = str(error.value)
        assert message.startswith(start)
        assert expected in message
        assert f"Got {value!r} instead" in message

    @pytest.mark.parametrize("model_class", [BetaVAE, BetaTCVAE])
    @pytest.mark.parametrize("beta", [-0.1, "4", None, np.nan])
    def test_beta(self, model_class, numbers, beta):
        message = r"The 'beta' parameter of Beta\w+ must be a float.*\[0.0, inf\)"
        with pytest.raises(InvalidParameterError, match=message):
            small(model_class, beta=beta).fit(numbers)

    def test_tc_estimator(self, numbers):
        message = "The 'tc_estimator' parameter of BetaTCVAE must be a str among"
        with pytest.raises(InvalidParameterError, match=message):
            small(BetaTCVAE, tc_estimator="mws").fit(numbers)

    @pytest.mark.parametrize(
        "sizes", [(0,), (8, -1), (8.5,), ("8",), [[8, 4]], (None,)]
    )
    def test_hidden_layer_sizes(self, model_class, numbers, sizes):
        message = f"hidden_layer_sizes={sizes!r}; expected positive integers"
        with pytest.raises(ValueError, match=re.escape(message)):
            small(model_class, hidden_layer_sizes=sizes).fit(numbers)

    @pytest.mark.parametrize("device", ["nonsense", "cuda:99", "meta", ""])
    def test_device(self, model_class, numbers, device):
        message = f"device='{device}' cannot be used here.*expected a device"
        with pytest.raises(ValueError, match=f"(?s){message}"):
            small(model_class).set_params(device=device).fit(numbers)

    @pytest.mark.parametrize("encoding", ["quantile", "standard", None])
    def test_bernoulli_needs_scaled_values(self, model_class, table, encoding):
        model = small(model_class, likelihood="bernoulli", encoding=encoding)
        message = r"needs scaled values in \[0, 1\]; column 'balance' has values in"
        with pytest.raises(ValueError, match=message) as error:
            model.fit(table)
        assert f"encoding={encoding!r}" in str(error.value)
        assert 'Use encoding="minmax"' in str(error.value)

    @pytest.mark.parametrize(
        ("chosen", "found"),
        [
            (["wealth"], "Got 'wealth' in categorical_features"),
            ([7], "Got 7 in categorical_features"),
            ([True, False], "a mask of 2 entries; expected one for each of the 7"),
        ],
    )
    def test_categorical_features(self, model_class, table, chosen, found):
        with pytest.raises(ValueError, match=found):
            small(model_class, categorical_features=chosen).fit(table)

    def test_encoding_that_drops_columns(self, model_class, numbers):
        message = r"PCA\(n_components=2\) turned 5 columns.*\(\d+, 2\); expected one"
        with pytest.raises(ValueError, match=message):
            small(model_class, encoding=PCA(2)).fit(numbers)

    @pytest.mark.parametrize(
        ("call", "name"),
        [
            (lambda model, X: model.sample(0), "n_samples"),
            (lambda model, X: model.sample(2.5), "n_samples"),
            (lambda model, X: model.sample(2, kind="median"), "kind"),
            (lambda model, X: model.sample(2, latent="posterior"), "latent"),
            (lambda model, X: model.sample(2, random_state="x"), "random_state"),
            (lambda model, X: model.reconstruct(X, kind="median"), "kind"),
            (lambda model, X: model.reconstruct(X, random_state="x"), "random_state"),
            (lambda model, X: model.elbo_decomposition(X, max_rows=1), "max_rows"),
        ],
    )
    def test_of_methods(self, model, table, call, name):
        model.fit(table)
        with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of"):
            call(model, table)


class TestDivergence:
    @pytest.mark.parametrize(
        "params",
        [{"lr": 1e6, "max_epochs": 30}, {"encoding": None}],
        ids=["lr", "huge"],
    )
    def test_is_an_error(self, model_class, params):
        huge = 1e30 if "encoding" in params else 1.0
        model = changed(small(model_class), **params)
        with pytest.raises(TrainingDivergedError) as error:
            model.fit(huge * make_numbers())
        message = str(error.value)
        assert re.match(r"Training diverged in epoch \d+: ", message)
        assert re.search(r"(train|valid)_reconstruction is (nan|inf)", message)
        assert "smaller lr" in message
        assert 'encoding="quantile"' in message
        assert not hasattr(model, "net_")

    def test_is_a_runtime_error(self):
        assert issubclass(TrainingDivergedError, RuntimeError)


class TestCollapse:
    @pytest.fixture
    def collapsing(self):
        return small(BetaVAE, beta=1000, max_epochs=60, lr=1e-2, kl_warmup=0)

    def test_warns_with_count_and_remedy(self, collapsing, numbers):
        with pytest.warns(PosteriorCollapseWarning) as caught:
            collapsing.fit(numbers)
        assert collapsing.n_active_ == 0
        message = str(caught[0].message)
        assert "n_active_ is 0 of 2" in message
        assert "lower beta" in message

    def test_points_at_the_line_that_called_fit(self, collapsing, numbers):
        with pytest.warns(PosteriorCollapseWarning) as caught:
            collapsing.fit(numbers)
        assert [warning.filename for warning in caught] == [__file__]

    def test_does_not_warn_of_a_latent_that_lives(self, numbers):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model = small(VAE, max_epochs=30, kl_warmup=0).fit(numbers)
        assert model.n_active_ > 0


def test_good_table_is_good(model):
    model.fit(make_table())


@pytest.mark.parametrize("wrong", [3, ("name", "not a callback"), "LRScheduler"])
def test_what_is_no_callback_is_named(wrong):
    with pytest.raises(
        ValueError, match="in callbacks; expected skorch callbacks"
    ) as e:
        small(BetaTCVAE, callbacks=[wrong]).fit(make_numbers())
    assert repr(wrong) in str(e.value)


@pytest.mark.parametrize("weights", [(3, 1), (-1, 1), (1,), (1, 2, 3), ("a", "b")])
def test_weights_of_relevant_and_irrelevant_latents(numbers, weights):
    with pytest.raises(ValueError, match=r"Got kl_weights=.*e\.g\. \(1\.0, 3\.0\)"):
        small(RFVAE, kl_weights=weights).fit(numbers)


def test_support_of_a_model_that_is_not_fitted():
    with pytest.raises(NotFittedError):
        RFVAE().get_support()
