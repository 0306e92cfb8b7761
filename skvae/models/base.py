"""What all models share: the scikit-learn contract, once."""

import copy
import os
import warnings
from abc import abstractmethod
from numbers import Integral, Real
from typing import NotRequired

import numpy as np
import pandas as pd
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skvae._core.chunking import row_chunks
from skvae._core.errors import ModelFileError, PosteriorCollapseWarning
from skvae._core.stored_types import Matrix, Texts, Vector
from skvae._core.storing import stored_fields
from skvae.metrics import kl_per_dimension, n_active
from skvae.models._diagram import DiagramMixin
from skvae.models._file import FileMixin
from skvae.models._generation import GenerationMixin
from skvae.models._imputation import ImputationMixin
from skvae.models._inference import Inference, quasi_normal_nodes
from skvae.models._onnx import OnnxMixin
from skvae.models._regimes import RegimeMixin
from skvae.models._scoring import ScoringMixin
from skvae.models._streaming import rows_to_learn_from
from skvae.models._tasks import CallbackSupportMixin, Task
from skvae.models._validation import (
    check_callbacks,
    check_layer_sizes,
    check_resume,
    check_table,
    forget,
)
from skvae.networks import ACTIVATIONS
from skvae.training import Net

# Enough quasi-random points that the bound's error is small beside its spread over
# rows; a power of two, as Sobol points want.
_N_NODES = 32
# Rows of a table that are encoded at once, which bounds the memory of the matrix.
_TABLE_ROWS = 65_536


@stored_fields(
    net_=Net,
    n_active_=int,
    kl_per_dimension_=Vector,
    n_features_in_=int,
    feature_names_in_=NotRequired[Texts],
    _seed=int,
    _nodes=Matrix,
    _codes=Matrix,
    _posteriors=tuple[Matrix, Matrix],
    _training_conditions=Matrix,
    _aggregate=None,  # made anew from the posteriors
    callbacks=None,  # code, and of use in training only
    checkpoint=None,  # a folder of this machine
)
class BaseVAE(
    DiagramMixin,
    FileMixin,
    GenerationMixin,
    ImputationMixin,
    OnnxMixin,
    RegimeMixin,
    ScoringMixin,
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """A variational autoencoder as a scikit-learn transformer.

    The contract of all models, and the parameters of training. What is trained says a
    subclass: `OneStageVAE`, below which most models are, or `MSVAE`. Encoding is here,
    what comes out of a fitted model in five mixins, its diagram in `DiagramMixin`, its
    file in `FileMixin`.

    Methods with an underscore take a condition where the public ones of most models
    do not; the table of a model without conditions has a condition of no columns.
    """

    _parameter_constraints: dict = {
        "hidden_layer_sizes": ["array-like"],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "lr_schedule": [StrOptions({"constant", "one_cycle"})],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "kl_warmup": [Interval(Integral, 0, None, closed="left")],
        "trimmed_fraction": [Interval(Real, 0, 1, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "callbacks": [list, None],
        "checkpoint": [str, os.PathLike, None],
        "resume": ["boolean"],
        "device": [str],
        "compile": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        hidden_layer_sizes=(256, 128),
        activation="silu",
        lr=2e-3,
        lr_schedule="constant",
        max_epochs=50,
        batch_size="auto",
        kl_warmup=10,
        trimmed_fraction=0.0,
        early_stopping=True,
        validation_fraction=0.1,
        n_iter_no_change=20,
        tol=1e-2,
        callbacks=None,
        checkpoint=None,
        resume=False,
        device="auto",
        compile=False,
        random_state=None,
        verbose=0,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.lr = lr
        self.lr_schedule = lr_schedule
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.kl_warmup = kl_warmup
        self.trimmed_fraction = trimmed_fraction
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.resume = resume
        self.device = device
        self.compile = compile
        self.random_state = random_state
        self.verbose = verbose

    # The aggregate posterior is that of at most so many training rows.
    _MAX_POSTERIORS = 30_000

    @abstractmethod
    def _train(self, X, condition, seed, task, stream):
        """Learn encoding and networks, and return encoded training rows.

        It sets what `fit` learns of the table, and the trained ``net_``. Epochs, or
        stages of epochs, are subtasks of `task`. If there is a stream, all rows are in
        it, and `X` is a sample.
        """

    @property
    @abstractmethod
    def _n_subtasks(self):
        """How many epochs or stages training has, at most."""

    @property
    @abstractmethod
    def _n_latents(self):
        """How many latents the networks have."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn the latent factors of a table.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features), or TableStream
            The training rows, at least two. Columns may be numbers, booleans, strings,
            categories, dates, durations and periods; cells may be missing. Columns that
            are constant take no part. Rows that do not fit in memory come from a
            `skvae.tables.TableStream`.

        y : None
            Ignored, present for API consistency.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        ValueError
            If a column cannot be read, being infinite, complex or sparse, say, or does
            not suit `encoding` or `likelihood`.

        TrainingDivergedError
            If a term of the loss becomes NaN or infinite.

        CheckpointError
            If `checkpoint` cannot be written to, or what is there cannot be read.

        StreamError
            If the rows of a stream cannot be read, or are not those of one table.

        Warns
        -----
        PosteriorCollapseWarning
            If no latent dimension carries information.

        UserWarning
            If a column looks like an identifier, which takes no part.
        """
        return self._fit(X, y)

    def _fit(self, X, y, condition=None):
        forget(self)
        self._check_settings()
        X, stream = rows_to_learn_from(X, condition)
        X = check_table(self, X, reset=True)
        seed = self._draw_seed()
        task = Task.of_fit(self, X, y, self._n_subtasks)
        try:
            matrix = self._train(X, condition, seed, task, stream)
            self._summarise(matrix, seed)
            self._warn_of_collapse()
            task.end(fitted={})
        except BaseException:
            forget(self)
            raise
        return self

    def _check_settings(self):
        """Say so where parameters are wrong in what no constraint can tell."""
        check_layer_sizes("hidden_layer_sizes", self.hidden_layer_sizes)
        check_callbacks(self.callbacks)
        check_resume(self)

    def _draw_seed(self):
        return check_random_state(self.random_state).randint(np.iinfo(np.int32).max)

    def _summarise(self, matrix, seed):
        """Keep of the trained networks what the methods of a fitted model need."""
        self._seed = seed
        self._nodes = quasi_normal_nodes(_N_NODES, self._n_latents, seed)
        self._summarise_posteriors(matrix, seed)

    def _fitted_after(self, net, matrix, seed):
        """Return the attributes of this model, had training ended with the epoch."""
        model = copy.copy(self)
        model.net_ = net.final_copy()
        model._summarise(matrix, seed)
        return vars(model)

    def _summarise_posteriors(self, matrix, seed):
        """Keep the posteriors of some training rows, and see which latents live."""
        rows = np.random.default_rng(seed).permutation(len(matrix))[
            : self._MAX_POSTERIORS
        ]
        matrix = matrix[np.sort(rows)]
        posteriors = self._inference.encode(matrix)
        self._codes = posteriors[0]
        self._aggregate = None
        self._posteriors = self._components(matrix, posteriors, seed)
        self._training_conditions = matrix[:, self._width :]
        self.kl_per_dimension_ = kl_per_dimension(*posteriors)
        self.n_active_ = n_active(*posteriors)

    def _components(self, matrix, posteriors, seed):
        """Return what rows are drawn from: the posteriors of the training rows."""
        return posteriors

    def _warn_of_collapse(self):
        if self.n_active_ == 0:
            warnings.warn(
                f"The posterior collapsed: n_active_ is 0 of {self._n_latents} latent "
                "dimensions, so codes carry no information and every score of them "
                "measures noise. Train longer (max_epochs, lr, kl_warmup), lower beta, "
                'or use encoding="quantile".',
                PosteriorCollapseWarning,
                stacklevel=5,
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "n_active_")

    def _check_stored(self):
        """Say so where the parts of a model in a file do not belong together."""
        if not self.__sklearn_is_fitted__():
            return
        n_rows, n_latents = self._codes.shape
        belong_together = (
            self._nodes.shape[1] == n_latents == self.net_.module.n_latents
            and all(part.shape == self._codes.shape for part in self._posteriors)
            and self.kl_per_dimension_.shape == (n_latents,)
            and self._training_conditions.shape == (n_rows, self.module_.n_conditions)
            and self.table_encoder_.groups_ == self.module_.groups
            and self.n_features_in_ == len(self.table_encoder_.schema_.columns)
        )
        if not belong_together:
            raise ModelFileError("The parts of the model do not belong together.")

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
        return self._inference_of(self.module_, self._nodes)

    def _inference_of(self, module, nodes):
        """Return how many rows run through `module`."""
        return Inference(module)

    @property
    def _factor_model(self):
        """The model whose latents are the factors: most models are their own."""
        return self

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

    def _draw_latents(self, X, condition, random_state):
        """Return a draw from the posterior of each row of a table."""
        n_latents = self._n_features_out
        return np.concatenate(
            [
                self._inference.posterior_at(
                    matrix, random_state.standard_normal((len(matrix), n_latents))
                )[-1]
                for matrix in self._encoded_chunks(X, condition)
            ]
        )

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

    @property
    def _finds_condition(self):
        """Whether the condition of rows is in their table: of most models nowhere."""
        return False

    def _conditions(self, condition, n_rows, X=None):
        """Return the encoded condition of each row; most models have none."""
        return np.empty((n_rows, 0))

    def _completed(self, conditions, random_state):
        """Return encoded conditions with what is unknown of them drawn."""
        return conditions

    def _modelled(self, table):
        """Return those columns of a table that the model explains: most take all."""
        return table

    def _table(self, matrix, index=None, random_state=None):
        """Return the table of encoded rows."""
        return self.table_encoder_.inverse_transform(
            matrix, index, random_state=random_state
        )
