"""FactorVAE that learns which latents are relevant."""

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.validation import check_is_fitted

from skvae._core.stored_types import Vector
from skvae._core.storing import storable
from skvae.models._docs import shared_parameters
from skvae.models.factor_vae import FactorVAE
from skvae.objectives import RFVAEObjective

_RELEVANT = 0.5


@storable(relevance_=Vector)
@shared_parameters
class RFVAE(FactorVAE):
    """FactorVAE that learns which latents are relevant.

    Each latent has a relevance r between 0 and 1 that is learned with the networks
    [1]_. A relevant latent pays little for what it carries and takes part in the total
    correlation; an irrelevant one pays so much that it falls back to the prior.
    Minimises::

        reconstruction + sum_j lambda(r_j) KL_j + (beta - 1) TC(r * z)
            + relevance_weight * sum_j r_j + entropy_weight * sum_j H(r_j)

    where lambda falls from the second to the first of `kl_weights` as r rises, and H,
    the entropy of a coin of probability r, drives relevances to 0 or 1.

    Parameters
    ----------
    latent_dim : int, default=10
        Number of latent dimensions, more than the factors expected. `get_support`
        tells which were needed.

    beta : float, default=7.4
        Weight of the total correlation of the relevant latents; at least 0. The
        paper's gamma is beta - 1.

    discriminator_layer_sizes : tuple of int, default=(128, 128, 128)
        Widths of the discriminator's hidden layers.

    discriminator_lr : float, default=1e-3
        Learning rate of the discriminator's Adam.

    kl_weights : tuple of two floats, default=(1.0, 3.0)
        Weight of the KL of a latent of relevance 1, and of one of relevance 0. The
        paper has (0.1, 10).

    relevance_weight : float, default=0.5
        Price of relevance, in nats a latent; at least 0. Over the distance of the two
        `kl_weights` it is the KL above which a latent becomes relevant: a quarter of a
        nat by default. The paper's code has 1.

    entropy_weight : float, default=0.1
        Weight of the entropy of the relevances; at least 0. The paper's code has 100,
        for training a hundred times as long: a large weight settles relevances in the
        first epochs, before a latent that comes into use late has had its chance.

    {parameters}

    Attributes
    ----------
    relevance_ : ndarray of shape (latent_dim,)
        Relevance of each latent, between 0 and 1.

    {attributes}

    See Also
    --------
    FactorVAE : The same without relevance.

    References
    ----------
    .. [1] Kim, M., Wang, Y., Sahu, P. & Pavlovic, V. (2019). Relevance factor VAE:
       learning and identifying disentangled factors.
       https://arxiv.org/abs/1902.01568

    Examples
    --------
    >>> from skvae import RFVAE
    >>> from skvae.datasets import make_factor_table
    >>> X = make_factor_table(1000, n_factors=3, random_state=0).data
    >>> model = RFVAE(latent_dim=6, random_state=0).fit(X)
    >>> model.transform(X)[:, model.get_support()].shape
    (1000, 3)
    """

    _parameter_constraints: dict = {
        **FactorVAE._parameter_constraints,
        "kl_weights": ["array-like"],
        "relevance_weight": [Interval(Real, 0, None, closed="left")],
        "entropy_weight": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        latent_dim=10,
        *,
        beta=7.4,
        discriminator_layer_sizes=(128, 128, 128),
        discriminator_lr=1e-3,
        kl_weights=(1.0, 3.0),
        relevance_weight=0.5,
        entropy_weight=0.1,
        **shared,
    ):
        super().__init__(
            latent_dim,
            beta=beta,
            discriminator_layer_sizes=discriminator_layer_sizes,
            discriminator_lr=discriminator_lr,
            **shared,
        )
        self.kl_weights = kl_weights
        self.relevance_weight = relevance_weight
        self.entropy_weight = entropy_weight

    def _summarise(self, matrix, seed):
        super()._summarise(matrix, seed)
        self.relevance_ = self.net_.criterion_.relevance.cpu().numpy()

    def _make_objective(self, n_rows):
        return RFVAEObjective(
            self.latent_dim,
            self.beta,
            self._make_discriminator(),
            self.discriminator_lr,
            self._checked_kl_weights(),
            self.relevance_weight,
            self.entropy_weight,
        )

    def _checked_kl_weights(self):
        weights = tuple(self.kl_weights)
        are_numbers = all(isinstance(weight, Real) for weight in weights)
        if len(weights) != 2 or not are_numbers or not 0 <= weights[0] <= weights[1]:
            raise ValueError(
                f"Got kl_weights={self.kl_weights!r}; expected the weight of a "
                "relevant latent and that of an irrelevant one, at least as large, "
                "e.g. (1.0, 3.0)."
            )
        return weights

    @validate_params({"indices": ["boolean"]}, prefer_skip_nested_validation=True)
    def get_support(self, indices=False):
        """Return which latents are relevant.

        Parameters
        ----------
        indices : bool, default=False
            Whether to return positions instead of a mask.

        Returns
        -------
        support : ndarray of shape (latent_dim,) or (n_relevant,)
            True where `relevance_` exceeds 0.5, or the positions of these latents.
        """
        check_is_fitted(self)
        support = self.relevance_ > _RELEVANT
        return np.flatnonzero(support) if indices else support
