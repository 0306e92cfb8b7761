"""The multi-stage variational autoencoder."""

import warnings
from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions, validate_params
from sklearn.utils.validation import check_is_fitted

from skvae._core.activity import ACTIVE_KL
from skvae._core.errors import PosteriorCollapseWarning
from skvae._core.storing import storable
from skvae.models._docs import shared_parameters, with_parameters_of
from skvae.models._frozen import model_in
from skvae.models._generation import row_labels
from skvae.models._regimes import COUNTERFACTUAL_CONSTRAINTS, naming
from skvae.models._second_stage import fit_residual_encoder, fit_second_stage
from skvae.models._streaming import encoded_stream
from skvae.models.base import BaseVAE
from skvae.models.beta_tcvae import BetaTCVAE
from skvae.training import Net


@storable(
    first_stage=BaseVAE | FrozenEstimator | None,
    first_stage_=BaseVAE,
    encoder_net_=Net | None,
)
@shared_parameters
class MSVAE(BaseVAE):
    """Multi-stage variational autoencoder: factors, and the correlated rest.

    A disentangler throws away what its factors cannot say. This model keeps the
    factors c of a first stage as they are and learns the rest in a second one: an
    encoder q(z|x - y) of the residual that the first stage's reconstruction y leaves,
    and a decoder p(x|z, y) ([1]_; [2]_, section 3.4). Rows come back sharp, the
    factors stay clean, and since c and z are separate, the factors of one row can be
    seen with the residual of another (`mix`), or the rows of one world in another
    (`counterfactual`).

    The second stage minimises reconstruction + KL; the first is not touched by it.

    Parameters
    ----------
    first_stage : estimator, default=None
        The disentangler: any other model of skvae. It is cloned and fitted. What it
        takes conditions from has to be its `condition_columns`. A fitted one inside of
        :class:`~sklearn.frozen.FrozenEstimator` is used as it is; in cross-validation
        it has then seen the rows that it is tested on, so scores flatter it. None is
        ``BetaTCVAE()``. Encoding, likelihood and the shape of images are its own.

    residual_dim : int, default=20
        Number of residual latents z. More than the table needs do no harm: the spare
        ones switch off.

    fusion : {"film", "concat"}, default="film"
        How y enters the second decoder: it modulates every layer, a scale and a shift
        for each unit [3]_, or stands beside z as an input. Either way the decoder
        corrects what the first one says.

    residual_training : {"separate", "joint"}, default="separate"
        Whether the encoder of the second stage trains first, by itself, on residuals
        alone, and then the decoder ([2]_, section 3.4), or both together. The first
        keeps more of each row; on images its bound is lower than that of the second.

    {training_parameters}

    Attributes
    ----------
    first_stage_ : estimator
        The fitted first stage. Its ``history_`` is that of its training.

    encoder_net_ : skorch.NeuralNet or None
        How the encoder trained where it did by itself.

    {attributes}

    See Also
    --------
    BetaTCVAE : The first stage, unless another is given.
    CVAE : Rows under a condition that has a name.

    Notes
    -----
    `transform` returns [c, z]: the codes of the first stage, bit for bit, then the
    residual latents. Scores of disentanglement look at c alone; reconstructions,
    draws and `score_samples` are of both.

    The residual is taken from a draw of c and not from its mean while training, so
    that z makes up for the draw, and `score_samples` is a bound on log p(x) as in every
    other model.

    References
    ----------
    .. [1] Srivastava, A., Bansal, Y., Ding, Y., Hurwitz, C., Xu, K., Egger, B.,
       Sattigeri, P., Tenenbaum, J. & Cox, D. D. (2020). Improving the reconstruction of
       disentangled representation learners via multi-stage modeling.
       https://arxiv.org/abs/2010.13187

    .. [2] The thesis that skvae implements: MSVAE for images and tables, chapters 3
       and 4.

    .. [3] Perez, E., Strub, F., de Vries, H., Dumoulin, V. & Courville, A. (2018).
       FiLM: visual reasoning with a general conditioning layer. AAAI.

    Examples
    --------
    >>> from skvae import MSVAE, BetaTCVAE
    >>> from skvae.datasets import make_credit_portfolio
    >>> X = make_credit_portfolio(1000, random_state=0).data
    >>> first = BetaTCVAE(latent_dim=4, max_epochs=10)
    >>> model = MSVAE(first, residual_dim=8, max_epochs=10, random_state=0).fit(X)
    >>> model.transform(X).shape
    (1000, 12)
    >>> model.get_feature_names_out()[[0, 4]]
    array(['msvae_c0', 'msvae_z0'], dtype=object)

    The second stage explains rows better than the first:

    >>> bool(model.score(X) > model.first_stage_.score(X))
    True
    """

    _parameter_constraints: dict = {
        **BaseVAE._parameter_constraints,
        "first_stage": [BaseVAE, FrozenEstimator, None],
        "residual_dim": [Interval(Integral, 1, None, closed="left")],
        "fusion": [StrOptions({"film", "concat"})],
        "residual_training": [StrOptions({"separate", "joint"})],
    }

    def __init__(
        self,
        first_stage=None,
        *,
        residual_dim=20,
        fusion="film",
        residual_training="separate",
        **shared,
    ):
        super().__init__(**shared)
        self.first_stage = first_stage
        self.residual_dim = residual_dim
        self.fusion = fusion
        self.residual_training = residual_training

    def _train(self, X, condition, seed, task, stream):
        all_rows = X if stream is None else stream
        self.first_stage_ = self._fitted_first_stage(all_rows, seed, task)
        matrix = self._encoded_by_first(X)
        rows = matrix if stream is None else self._streamed(stream, matrix, seed)
        self.encoder_net_ = None
        if self.residual_training == "separate":
            self.encoder_net_ = fit_residual_encoder(self, rows, seed, task)
        self.net_ = fit_second_stage(self, rows, matrix, seed, task)
        return matrix

    def _encoded_by_first(self, X, seed=None):
        return np.concatenate(list(self.first_stage_._encoded_chunks(X)))

    def _streamed(self, stream, sample, seed):
        """Return the rows of a stream, encoded as they are read."""
        fraction = self.validation_fraction if self.early_stopping else 0
        return encoded_stream(stream, sample, self._encoded_by_first, fraction, seed)

    def _fitted_first_stage(self, X, seed, task):
        if isinstance(self.first_stage, FrozenEstimator):
            first = model_in(self.first_stage, "first_stage")
            _check_finds_condition(first)
            return first
        first = BetaTCVAE() if self.first_stage is None else self.first_stage
        # Our own parameters are checked, and scikit-learn takes it that so are those of
        # all within.
        first._validate_params()
        first = clone(first)
        if first.random_state is None:
            first.set_params(random_state=seed)
        if first.checkpoint is None:
            first.set_params(checkpoint=self.checkpoint, resume=self.resume)
        with task.subtask("fit-first-stage").fitting(first):
            return first.fit(X)

    def _components(self, matrix, posteriors, seed):
        # One draw of c for each row, and the posterior of z given it: what z makes up
        # for is this draw, so they are kept together.
        noise = np.random.RandomState(seed).standard_normal(posteriors[0].shape)
        means, log_variances, latents = self._inference.posterior_at(matrix, noise)
        of_first = slice(self.first_stage_._n_features_out)
        means[:, of_first] = latents[:, of_first]
        log_variances[:, of_first] = -np.inf
        return means, log_variances

    def _warn_of_collapse(self):
        if not (self.kl_per_dimension_[-self.residual_dim :] > ACTIVE_KL).any():
            warnings.warn(
                f"The second stage collapsed: none of its {self.residual_dim} residual "
                "latents carries information, so rows are those of the first stage. "
                "Train longer (max_epochs, lr, kl_warmup), or try another fusion or "
                "residual_training.",
                PosteriorCollapseWarning,
                stacklevel=5,
            )

    def get_feature_names_out(self, input_features=None):
        """Return the names of the latents: c for factors, z for residual latents.

        Parameters
        ----------
        input_features : array-like of str, default=None
            The names of the columns that `fit` saw, or None.

        Returns
        -------
        names : ndarray of shape (n_latents,)
            ``"msvae_c0"``, ``"msvae_c1"``, ..., ``"msvae_z0"``, ...
        """
        super().get_feature_names_out(input_features)  # for its checks
        counts = {"c": self._n_factors, "z": self._n_features_out - self._n_factors}
        prefix = type(self).__name__.lower()
        names = [f"{prefix}_{part}{n}" for part in counts for n in range(counts[part])]
        return np.array(names, dtype=object)

    @validate_params(
        {
            "variant": [StrOptions({"residual", "raw", "crossed"})],
            "pair": [StrOptions({"ordered", "random"})],
            "random_state": ["random_state"],
        },
        prefer_skip_nested_validation=True,
    )
    def mix(
        self,
        X_content,
        X_residual,
        *,
        variant="residual",
        pair="ordered",
        random_state=None,
    ):
        """Return the factors of some rows with the residuals of others.

        Parameters
        ----------
        X_content : DataFrame or array-like of shape (n_samples, n_features)
            Rows X_i, whose factors and first reconstruction Y_i are taken.

        X_residual : DataFrame or array-like of shape (n_other_samples, n_features)
            Rows X_j, whose residual is taken.

        variant : {"residual", "raw", "crossed"}, default="residual"
            What the residual encoder reads ([1]_, section 4.3), in the encoded matrix:
            X_j - Y_j, the residual itself; X_j; or X_j - Y_i.

        pair : {"ordered", "random"}, default="ordered"
            Whether row i goes with row j = i, or with one drawn for it.

        random_state : int, RandomState instance or None, default=None
            Determines the pairs, if drawn.

        Returns
        -------
        X : DataFrame or ndarray of shape (n_samples, n_features)
            Mean rows in the container that `fit` saw, with the index of `X_content`.

        Raises
        ------
        ValueError
            If a table has other columns than in `fit`, or the lengths differ and
            `pair` is ``"ordered"``.

        References
        ----------
        .. [1] The thesis that skvae implements, section 4.3: mixup and more mixups.
        """
        content = self._checked_matrix(X_content, "X_content")
        residual = self._checked_matrix(X_residual, "X_residual")
        if pair == "random":
            rows = check_random_state(random_state).randint(
                len(residual), size=len(content)
            )
            residual = residual[rows]
        if len(content) != len(residual):
            raise ValueError(
                f"Got {len(content)} rows in X_content and {len(residual)} in "
                'X_residual; expected as many in both, or pair="random".'
            )
        factors, conditions = self._factors_of(content)
        other_factors, other_conditions = self._factors_of(residual)
        inputs = residual[:, : self._width]
        if variant == "residual":
            inputs = inputs - self._first_means(other_factors, other_conditions)
        elif variant == "crossed":
            inputs = inputs - self._first_means(factors, conditions)
        # Of a missing cell no residual is known: as in training, it counts as none.
        residuals = self._inference.encode_residual(np.nan_to_num(inputs))
        latents = np.hstack([factors, residuals])
        labels = row_labels(X_content)
        return self._decode(latents, conditions, "mean", index=labels)

    def _checked_matrix(self, X, argument):
        check_is_fitted(self)
        with naming(argument):
            return np.concatenate(list(self._encoded_chunks(X)))

    def _factors_of(self, matrix):
        """Return factors and conditions of encoded rows."""
        first = self.first_stage_
        return first._inference.encode(matrix)[0], matrix[:, self._width :]

    def _first_means(self, factors, conditions):
        """Return y: what the first stage makes of factors, encoded."""
        means = self.first_stage_._inference.decode(factors, conditions)
        return means[:, : self._width]

    @validate_params(
        {**COUNTERFACTUAL_CONSTRAINTS, "transfer": [StrOptions({"shift", "residual"})]},
        prefer_skip_nested_validation=True,
    )
    @with_parameters_of(BaseVAE.counterfactual)
    def counterfactual(
        self,
        X,
        environment,
        *,
        reference=None,
        factors=None,
        strength=1.0,
        hold=None,
        unexplained="drop",
        n_samples=None,
        random_state=None,
        transfer="shift",
    ):
        """
        transfer : {"shift", "residual"}, default="shift"
            What `X` takes over from the other world: the shift of the factors, or the
            residuals of its rows, one drawn for each row, while the factors stay. The
            first is for worlds that differ in their factors, the second for worlds
            that differ in all but these.
        """
        if transfer == "shift":
            shift, moved = self._moves(environment, X, reference, factors, strength)
        elif factors is None and reference is None:
            shift = pd.Series(0.0, self._factor_names, name="shift")
            moved = self._residuals_given(environment, strength, n_samples)
        else:
            raise ValueError(
                'Got factors or reference with transfer="residual"; expected neither: '
                "factors stay where they are."
            )
        return self._counterfactual(
            X, shift, moved, hold, unexplained, n_samples, random_state
        )

    def _residuals_given(self, environment, strength, n_samples):
        """Return what gives latents the residual part of rows of another table."""
        matrix = self._checked_matrix(environment, "environment")

        def moved(latents, random_state):
            givers, _ = self._latents_and_rows(matrix, n_samples, random_state)
            givers = givers[random_state.randint(len(givers), size=len(latents))]
            move = strength * (givers - latents)
            move[:, : self._n_factors] = 0
            return latents + move

        return moved

    def _residual_kl(self, posteriors, row_kl):
        means, log_variances = posteriors
        of_factors = 0.5 * (means**2 + np.expm1(log_variances) - log_variances)
        return {"residual_kl": row_kl - of_factors.sum(axis=1)}

    @property
    def table_encoder_(self):
        """The fitted encoding of the table, which is the first stage's."""
        return self.first_stage_.table_encoder_

    @property
    def _n_subtasks(self):
        fits_first = not isinstance(self.first_stage, FrozenEstimator)
        trains_encoder = self.residual_training == "separate"
        return fits_first + trains_encoder + 1

    @property
    def _n_latents(self):
        return self.first_stage_._n_features_out + self.residual_dim

    @property
    def _factor_model(self):
        return self.first_stage_._factor_model

    def _inference_of(self, module, nodes):
        return self.first_stage_._inference_of(module, nodes)

    @property
    def _finds_condition(self):
        return self.first_stage_._finds_condition

    def _conditions(self, condition, n_rows, X=None):
        return self.first_stage_._conditions(condition, n_rows, X)

    def _completed(self, conditions, random_state):
        return self.first_stage_._completed(conditions, random_state)

    def _modelled(self, table):
        return self.first_stage_._modelled(table)

    def _table(self, matrix, index=None, random_state=None):
        return self.first_stage_._table(matrix, index, random_state)


def _check_finds_condition(model):
    """Say so where a fitted model does not find the condition of rows by itself."""
    if model.module_.n_conditions and model.condition_columns is None:
        raise ValueError(
            f"first_stage is a {type(model).__name__} that was fitted with condition=; "
            "expected one with condition_columns, which finds the condition in X."
        )
