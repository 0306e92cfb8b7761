"""The variational autoencoder with a penalty on the latents' covariance."""

from numbers import Real

from sklearn.utils._param_validation import Interval, StrOptions

from skvae._core.storing import storable
from skvae.models._docs import shared_parameters
from skvae.models._one_stage import OneStageVAE
from skvae.objectives import DIPVAEObjective


@storable
@shared_parameters
class DIPVAE(OneStageVAE):
    """Variational autoencoder with a penalty on the latents' covariance.

    Minimises reconstruction + KL + a penalty that moves the covariance of the latents
    towards the identity [1]_: uncorrelated latents of variance 1. That is less than
    independence, which `BetaTCVAE` asks for, and cheap to ask for.

    Parameters
    ----------
    {latent_dim}

    variant : {"i", "ii"}, default="ii"
        Whose covariance is taken.

        - ``"i"``: that of the posterior means ([1]_, eq. 6). Latents that the decoder
          does not need come alive to reach variance 1.
        - ``"ii"``: that of draws from the posteriors ([1]_, eq. 7).

    off_diagonal_weight : float, default=10.0
        Weight of the squared covariances; at least 0.

    diagonal_weight : float, default=10.0
        Weight of the squared distances of the variances from 1; at least 0. The paper
        takes ten times `off_diagonal_weight` with variant ``"i"``.

    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    BetaTCVAE : Penalises dependence of any form.
    InfoVAE : Moves all of the latents' distribution towards the prior.

    References
    ----------
    .. [1] Kumar, A., Sattigeri, P. & Balakrishnan, A. (2018). Variational inference of
       disentangled latent concepts from unlabeled observations. ICLR.
       https://arxiv.org/abs/1711.00848

    Examples
    --------
    >>> from skvae import DIPVAE
    >>> from skvae.datasets import make_factor_table
    >>> X = make_factor_table(1000, n_factors=3, random_state=0).data
    >>> model = DIPVAE(latent_dim=3, max_epochs=20, random_state=0).fit(X)
    >>> model.transform(X).shape
    (1000, 3)
    """

    _parameter_constraints: dict = {
        **OneStageVAE._parameter_constraints,
        "variant": [StrOptions({"i", "ii"})],
        "off_diagonal_weight": [Interval(Real, 0, None, closed="left")],
        "diagonal_weight": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        latent_dim=10,
        *,
        variant="ii",
        off_diagonal_weight=10.0,
        diagonal_weight=10.0,
        **shared,
    ):
        super().__init__(latent_dim, **shared)
        self.variant = variant
        self.off_diagonal_weight = off_diagonal_weight
        self.diagonal_weight = diagonal_weight

    def _make_objective(self, n_rows):
        return DIPVAEObjective(
            self.variant, self.off_diagonal_weight, self.diagonal_weight
        )
