"""The variational autoencoder whose latents match the prior only as a whole."""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skvae._core.storing import storable
from skvae.models._docs import shared_parameters
from skvae.models._one_stage import OneStageVAE
from skvae.objectives import InfoVAEObjective


@storable
@shared_parameters
class InfoVAE(OneStageVAE):
    """Variational autoencoder that keeps information and matches the prior at large.

    Minimises reconstruction + (1 - alpha) * KL + (alpha + mmd_weight - 1) * MMD ([1]_,
    eq. 6). The KL charges each row for what its latents know of it; the maximum mean
    discrepancy (MMD) only asks that the latents of all rows together look like the
    prior. So its latents do not collapse, and draws from the prior suit the decoder.

    Parameters
    ----------
    {latent_dim}

    alpha : float, default=0.5
        How much of the KL is let off, at most 1. 0 with ``mmd_weight=1`` is exactly
        `VAE`; 1 has no KL at all.

    mmd_weight : float, default=100.0
        Weight of the discrepancy, the paper's lambda; at least 0. The squared MMD is
        at most 2, against a reconstruction that is a sum over columns.

    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    VAE : The same with the whole KL and no discrepancy.
    DIPVAE : Matches the first two moments of the prior.

    Notes
    -----
    The kernel is Gaussian, of a scale at which two draws from the prior are moderately
    alike; its expectations over the prior are exact, not drawn.

    References
    ----------
    .. [1] Zhao, S., Song, J. & Ermon, S. (2019). InfoVAE: balancing learning and
       inference in variational autoencoders. AAAI. https://arxiv.org/abs/1706.02262

    Examples
    --------
    >>> from skvae import InfoVAE
    >>> from skvae.datasets import make_factor_table
    >>> X = make_factor_table(1000, n_factors=3, random_state=0).data
    >>> model = InfoVAE(latent_dim=3, max_epochs=20, random_state=0).fit(X)
    >>> model.transform(X).shape
    (1000, 3)
    """

    _parameter_constraints: dict = {
        **OneStageVAE._parameter_constraints,
        "alpha": [Interval(Real, None, 1, closed="right")],
        "mmd_weight": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, latent_dim=10, *, alpha=0.5, mmd_weight=100.0, **shared):
        super().__init__(latent_dim, **shared)
        self.alpha = alpha
        self.mmd_weight = mmd_weight

    def _make_objective(self, n_rows):
        return InfoVAEObjective(self.alpha, self.mmd_weight)
