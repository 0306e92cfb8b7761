"""What all models share: the scikit-learn contract, once."""

import warnings
from abc import abstractmethod
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skvae._core.chunking import row_chunks
from skvae._core.errors import PosteriorCollapseWarning
from skvae.metrics import kl_per_dimension, n_active
from skvae.models._fitting import fit_net
from skvae.models._generation import GenerationMixin
from skvae.models._inference import Inference, quasi_normal_nodes
from skvae.models._scoring import ScoringMixin
from skvae.models._validation import (
    check_anchors,
    check_callbacks,
    check_image_shape,
    check_layer_sizes,
    check_likelihood,
    check_table,
)
from skvae.networks import ACTIVATIONS
from skvae.tables import TableEncoder

# Enough quasi-random points that the bound's error is small beside its spread over
# rows; a power of two, as Sobol points want.
_N_NODES = 32
# Rows of a table that are encoded at once, which bounds the memory of the matrix.
_TABLE_ROWS = 65_536
# The aggregate posterior is kept as the posteriors of at most this many training rows.
_MAX_POSTERIORS = 10_000


class BaseVAE(
    GenerationMixin,
    ScoringMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """A variational autoencoder as a scikit-learn transformer.

    A model is networks and an objective. A subclass lists its own parameters in
    ``__init__`` and in ``_parameter_constraints`` and names its objective; fitting
    and encoding are here, what comes out of a fitted model in the two mixins.

    Methods with an underscore take a condition where the public ones of most models
    do not; the table of a model without conditions has a condition of no columns.
    """

    _parameter_constraints: dict = {
        "latent_dim": [Interval(Integral, 1, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "hidden_layer_sizes": ["array-like"],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "encoding": [
            StrOptions({"auto", "quantile", "standard", "minmax"}),
            HasMethods(["fit", "transform", "inverse_transform"]),
            None,
        ],
        "likelihood": [StrOptions({"auto", "gaussian", "bernoulli"})],
        "image_shape": ["array-like", None],
        "encoder": [callable, None],
        "decoder": [callable, None],
        "anchors": [dict, None],
        "kl_warmup": [Interval(Integral, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "callbacks": [list, None],
        "device": [str],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        latent_dim=10,
        *,
        lr=2e-3,
        max_epochs=50,
        batch_size="auto",
        hidden_layer_sizes=(256, 128),
        activation="silu",
        encoding="auto",
        likelihood="auto",
        image_shape=None,
        encoder=None,
        decoder=None,
        anchors=None,
        kl_warmup=10,
        early_stopping=True,
        validation_fraction=0.1,
        n_iter_no_change=20,
        tol=1e-2,
        callbacks=None,
        device="auto",
        random_state=None,
        verbose=0,
    ):
        self.latent_dim = latent_dim
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.encoding = encoding
        self.likelihood = likelihood
        self.image_shape = image_shape
        self.encoder = encoder
        self.decoder = decoder
        self.anchors = anchors
        self.kl_warmup = kl_warmup
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.callbacks = callbacks
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @abstractmethod
    def _make_objective(self, n_rows):
        """Return what training on `n_rows` rows minimises."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn the latent factors of a table.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The training rows: finite numbers, at least two rows. Columns that are
            constant take no part.

        y : None
            Ignored, present for API consistency.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        ValueError
            If `X` is not a table of finite numbers, or does not suit `encoding` or
            `likelihood`.

        TrainingDivergedError
            If a term of the loss becomes NaN or infinite.

        Warns
        -----
        PosteriorCollapseWarning
            If no latent dimension carries information.
        """
        return self._fit(X)

    def _fit(self, X, condition=None):
        self._forget()
        check_layer_sizes("hidden_layer_sizes", self.hidden_layer_sizes)
        check_image_shape(self.image_shape)
        check_callbacks(self.callbacks)
        X = check_table(self, X, reset=True)
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        try:
            matrix = self._fit_encoders(X, condition, seed)
            self._seed = seed
            self._nodes = quasi_normal_nodes(_N_NODES, self.latent_dim, seed)
            self.net_ = fit_net(self, matrix, seed)
            self._summarise_posteriors(matrix, seed)
        except BaseException:
            self._forget()
            raise
        return self

    def _fit_encoders(self, X, condition, seed):
        """Learn how rows are encoded, and return those of the training table."""
        self.table_encoder_ = self._make_table_encoder().fit(X)
        matrix = self.table_encoder_.transform(X)
        check_likelihood(self.likelihood, self.table_encoder_, matrix)
        check_anchors(self)
        return matrix

    def _make_table_encoder(self):
        return TableEncoder(self.encoding, self.image_shape)

    def _forget(self):
        """Drop what an earlier fit left, so that a failed one does not look fitted."""
        fitted = [n for n in vars(self) if n.endswith("_") and not n.startswith("__")]
        for name in fitted:
            delattr(self, name)

    def _summarise_posteriors(self, matrix, seed):
        """Keep the posteriors of some training rows, and see which latents live."""
        rows = np.random.default_rng(seed).permutation(len(matrix))[:_MAX_POSTERIORS]
        matrix = matrix[np.sort(rows)]
        self._posteriors = self._inference.encode(matrix)
        self._training_conditions = matrix[:, self._width :]
        self.kl_per_dimension_ = kl_per_dimension(*self._posteriors)
        self.n_active_ = n_active(*self._posteriors)
        if self.n_active_ == 0:
            warnings.warn(
                f"The posterior collapsed: n_active_ is 0 of {self.latent_dim} latent "
                "dimensions, so codes carry no information and every score of them "
                "measures noise. Train longer (max_epochs, lr, kl_warmup), lower beta, "
                'or use encoding="quantile" with likelihood="gaussian".',
                PosteriorCollapseWarning,
                stacklevel=5,
            )

    def __sklearn_is_fitted__(self):
        return hasattr(self, "n_active_")

    @property
    def module_(self):
        """The trained encoder and decoder."""
        return self.net_.module_

    @property
    def history_(self):
        """Every term of the loss, one row an epoch."""
        history = pd.DataFrame(list(self.net_.history)).set_index("epoch")
        return history.drop(columns=history.filter(regex="_best$").columns)

    @property
    def n_iter_(self):
        """Epochs trained."""
        return len(self.net_.history)

    @property
    def best_epoch_(self):
        """The epoch whose weights were kept."""
        return self.net_.best_epoch_

    @property
    def _inference(self):
        return Inference(self.module_)

    @property
    def _prior(self):
        """Which of `skvae.networks.PRIORS` the latents have."""
        return "standard"

    @property
    def _width(self):
        """How many columns of the encoded matrix are values, not conditions."""
        return self.table_encoder_.width

    @property
    def _n_features_out(self):
        return self._nodes.shape[1]

    def transform(self, X):
        """Return the latent factors of each row: the means of their posteriors.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw.

        Returns
        -------
        Z : ndarray of shape (n_samples, latent_dim)
            Posterior means, in units of the prior's standard deviation. Another
            container after ``set_output``.
        """
        return self._encode(X)[0]

    def _encode(self, X, condition=None):
        """Return posterior means and log variances of the rows of a table."""
        return self._infer("encode", X, condition)

    def _infer(self, method, X, condition=None, **settings):
        """Return what a method of `Inference` makes of the rows of a table."""
        parts = [
            getattr(self._inference, method)(matrix, **settings)
            for matrix in self._encoded_chunks(X, condition)
        ]
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))

    def _encoded_chunks(self, X, condition=None):
        """Check a table and yield its rows as pieces of the encoded matrix."""
        check_is_fitted(self)
        X = check_table(self, X, reset=False)
        conditions = self._conditions(condition, len(X), X)
        rows = X.iloc if isinstance(X, pd.DataFrame) else X
        for chunk in row_chunks(len(X), _TABLE_ROWS):
            values = self.table_encoder_.transform(rows[chunk])
            if conditions.shape[1]:
                values = np.hstack([values, conditions[chunk]])
            yield values

    def _conditions(self, condition, n_rows, X=None):
        """Return the encoded condition of each row; most models have none."""
        return np.empty((n_rows, 0))

    def _modelled(self, table):
        """Return those columns of a table that the model explains: most take all."""
        return table

    def _table(self, matrix, index=None):
        """Return the table of encoded rows."""
        return self.table_encoder_.inverse_transform(matrix, index)
