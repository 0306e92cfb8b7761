"""What the models of one pair of networks share: all but `MSVAE`."""

from abc import abstractmethod
from numbers import Integral
from typing import NotRequired

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skvae._core.stored_types import Given
from skvae._core.storing import stored_fields
from skvae.models._docs import shared_parameters
from skvae.models._fitting import fit_net
from skvae.models._partial_fit import PartialFitMixin
from skvae.models._streaming import encoded_stream
from skvae.models._validation import (
    check_anchors,
    check_image_shape,
    check_likelihood,
    check_table,
)
from skvae.models.base import BaseVAE
from skvae.tables import TableEncoder

# A number that so many rows have, and several times more than have the next, is
# modelled as a value of its own: 0 among amounts.
_MIN_ATOM_SHARE = 0.02


@stored_fields(
    table_encoder_=TableEncoder,
    encoder=Given,
    decoder=Given,
    # Where `partial_fit` goes on; a model that was loaded does so from its weights.
    _training_state_=NotRequired[None],
    _seen_=NotRequired[None],
)
@shared_parameters
class OneStageVAE(PartialFitMixin, BaseVAE):
    """A model of one pair of networks, trained under one objective.

    A model is networks and an objective. A subclass lists its own parameters in
    ``__init__`` and in ``_parameter_constraints`` and names its objective.
    """

    _parameter_constraints: dict = {
        **BaseVAE._parameter_constraints,
        "latent_dim": [Interval(Integral, 1, None, closed="left")],
        "encoding": [
            StrOptions({"auto", "quantile", "standard", "minmax"}),
            HasMethods(["fit", "transform", "inverse_transform"]),
            None,
        ],
        "likelihood": [StrOptions({"auto", "gaussian", "bernoulli"})],
        "categorical_features": [StrOptions({"from_dtype"}), "array-like"],
        "image_shape": ["array-like", None],
        "encoder": [callable, None],
        "decoder": [callable, None],
        "anchors": [dict, None],
    }

    def __init__(
        self,
        latent_dim=10,
        *,
        encoding="auto",
        likelihood="auto",
        categorical_features="from_dtype",
        image_shape=None,
        encoder=None,
        decoder=None,
        anchors=None,
        **shared,
    ):
        super().__init__(**shared)
        self.latent_dim = latent_dim
        self.encoding = encoding
        self.likelihood = likelihood
        self.categorical_features = categorical_features
        self.image_shape = image_shape
        self.encoder = encoder
        self.decoder = decoder
        self.anchors = anchors

    @abstractmethod
    def _make_objective(self, n_rows):
        """Return what training on `n_rows` rows minimises."""

    def _train(self, X, condition, seed, task, stream):
        check_image_shape(self.image_shape)
        matrix = self._fit_encoders(X, condition, seed)
        rows = matrix if stream is None else self._streamed(stream, matrix, seed)
        self.net_ = fit_net(self, rows, matrix, seed, task)
        return matrix

    def _streamed(self, stream, sample, seed):
        """Return the rows of a stream, encoded as they are read."""

        def encode(rows, seed):
            rows = check_table(self, rows, reset=False)
            return self._training_matrix(rows, None, seed)

        fraction = self.validation_fraction if self.early_stopping else 0
        return encoded_stream(stream, sample, encode, fraction, seed)

    def _fit_encoders(self, X, condition, seed):
        """Learn how rows are encoded, and return those of the training table."""
        self.table_encoder_ = self._make_table_encoder().fit(X)
        matrix = self._encoded_values(X, seed)
        check_anchors(self)
        return matrix

    def _encoded_values(self, X, seed):
        """Return the values of training rows, encoded."""
        random_state = np.random.RandomState(seed)
        matrix = self.table_encoder_.training_matrix(X, random_state)
        check_likelihood(self.likelihood, self.table_encoder_, matrix)
        return matrix

    def _training_matrix(self, X, condition, seed):
        """Return training rows as the encoders that were fitted before encode them."""
        return self._encoded_values(X, seed)

    def _make_table_encoder(self, left_out=()):
        return TableEncoder(
            self.encoding,
            self.image_shape,
            left_out,
            self.categorical_features,
            _MIN_ATOM_SHARE if self.likelihood == "auto" else None,
        )

    @property
    def _n_subtasks(self):
        return self.max_epochs

    @property
    def _n_latents(self):
        return self.latent_dim

    @property
    def _prior(self):
        """Which of `skvae.networks.PRIORS` the latents have."""
        return "standard"
