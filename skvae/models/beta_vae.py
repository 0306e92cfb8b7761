"""The variational autoencoder with a weighted KL, or a KL of given size."""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skvae._core.storing import storable
from skvae.models._docs import shared_parameters
from skvae.models._one_stage import OneStageVAE
from skvae.objectives import BetaVAEObjective, CapacityObjective


@storable
@shared_parameters
class BetaVAE(OneStageVAE):
    """Variational autoencoder with a weighted KL.

    Minimises reconstruction + beta * KL [1]_. Above 1, beta presses the latents
    towards independent standard normal ones, and with that towards carrying less:
    the KL holds the information that the latents have of the row as well as their
    dependence.

    With a `capacity` it minimises reconstruction + gamma * abs(KL - capacity) instead
    [2]_: the latents get so many nats to spend, and spend them where they explain
    most.

    Parameters
    ----------
    {latent_dim}

    beta : float, default=4.0
        Weight of the KL, a sum over latent dimensions, against the reconstruction, a
        sum over columns; at least 0. 1 is exactly `VAE`. The fewer columns, the sooner
        a weight switches all latents off. Without effect where `capacity` is given.

    capacity : float, default=None
        The KL to reach, in nats per row. It rises from 0 over the epochs of
        `kl_warmup`; the slower, the more orderly the latents come into use. None
        weighs the KL by `beta`.

    gamma : float, default=100.0
        Weight of the distance of the KL from the capacity. Used if `capacity` is
        given.

    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    VAE : The same with beta 1.
    BetaTCVAE : Weighs the total correlation of the latents only.

    References
    ----------
    .. [1] Higgins, I. et al. (2017). beta-VAE: learning basic visual concepts with a
       constrained variational framework. ICLR.
       https://openreview.net/forum?id=Sy2fzU9gl

    .. [2] Burgess, C. P. et al. (2018). Understanding disentangling in beta-VAE.
       https://arxiv.org/abs/1804.03599

    Examples
    --------
    >>> from skvae import BetaVAE
    >>> from skvae.datasets import make_factor_table
    >>> X = make_factor_table(1000, n_factors=3, random_state=0).data
    >>> model = BetaVAE(latent_dim=3, beta=2, max_epochs=20, random_state=0).fit(X)
    >>> model.transform(X).shape
    (1000, 3)

    Two nats a row, however they are best spent:

    >>> model = BetaVAE(capacity=2.0, max_epochs=30, random_state=0).fit(X)
    >>> bool(abs(model.kl_per_dimension_.sum() - 2) < 0.3)
    True
    """

    _parameter_constraints: dict = {
        **OneStageVAE._parameter_constraints,
        "beta": [Interval(Real, 0, None, closed="left")],
        "capacity": [Interval(Real, 0, None, closed="left"), None],
        "gamma": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self, latent_dim=10, *, beta=4.0, capacity=None, gamma=100.0, **shared
    ):
        super().__init__(latent_dim, **shared)
        self.beta = beta
        self.capacity = capacity
        self.gamma = gamma

    def _make_objective(self, n_rows):
        if self.capacity is None:
            return BetaVAEObjective(self.beta)
        return CapacityObjective(self.capacity, self.gamma)
