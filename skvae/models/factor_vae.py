"""The variational autoencoder with a total correlation told by a discriminator."""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skvae._core.storing import storable
from skvae.models._docs import shared_parameters
from skvae.models._one_stage import OneStageVAE
from skvae.models._validation import check_layer_sizes
from skvae.networks import Discriminator
from skvae.objectives import FactorVAEObjective


@storable
@shared_parameters
class FactorVAE(OneStageVAE):
    """Variational autoencoder with a total correlation told by a discriminator.

    Minimises reconstruction + KL + (beta - 1) * TC, as `BetaTCVAE` does; the total
    correlation comes from a second network that learns to tell latents from latents
    whose dimensions were shuffled ([1]_, eq. 2 and 3). It learns beside the first, at
    its own rate. That takes longer, and does not depend on the size of the batch.

    Parameters
    ----------
    {latent_dim}

    beta : float, default=10.0
        Weight of the total correlation; at least 0. 1 is exactly `VAE`. The paper's
        gamma is beta - 1, since the KL holds the total correlation once.

    discriminator_layer_sizes : tuple of int, default=(128, 128, 128)
        Widths of the discriminator's hidden layers. The paper has six of 1,000 for
        images.

    discriminator_lr : float, default=1e-3
        Learning rate of the discriminator's Adam.

    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    BetaTCVAE : Estimates the same total correlation from the batch.
    RFVAE : Learns besides which latents are relevant.

    Notes
    -----
    Early stopping watches reconstruction + KL: the loss changes with the
    discriminator.

    References
    ----------
    .. [1] Kim, H. & Mnih, A. (2018). Disentangling by factorising. ICML.
       https://arxiv.org/abs/1802.05983

    Examples
    --------
    >>> from skvae import FactorVAE
    >>> from skvae.datasets import make_factor_table
    >>> X = make_factor_table(1000, n_factors=3, random_state=0).data
    >>> model = FactorVAE(latent_dim=3, max_epochs=20, random_state=0).fit(X)
    >>> model.transform(X).shape
    (1000, 3)
    """

    _parameter_constraints: dict = {
        **OneStageVAE._parameter_constraints,
        "beta": [Interval(Real, 0, None, closed="left")],
        "discriminator_layer_sizes": ["array-like"],
        "discriminator_lr": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        latent_dim=10,
        *,
        beta=10.0,
        discriminator_layer_sizes=(128, 128, 128),
        discriminator_lr=1e-3,
        **shared,
    ):
        super().__init__(latent_dim, **shared)
        self.beta = beta
        self.discriminator_layer_sizes = discriminator_layer_sizes
        self.discriminator_lr = discriminator_lr

    def _make_objective(self, n_rows):
        return FactorVAEObjective(
            self.beta, self._make_discriminator(), self.discriminator_lr
        )

    def _make_discriminator(self):
        sizes = self.discriminator_layer_sizes
        check_layer_sizes("discriminator_layer_sizes", sizes)
        return Discriminator(self.latent_dim, sizes)
