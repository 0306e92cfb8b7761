"""The variational autoencoder."""

from skvae._core.storing import storable
from skvae.models._docs import shared_parameters
from skvae.models._one_stage import OneStageVAE
from skvae.objectives import VAEObjective


@storable
@shared_parameters
class VAE(OneStageVAE):
    """Variational autoencoder.

    Minimises reconstruction + KL, the negative evidence lower bound [1]_. It explains
    rows best and does not ask its latents to be independent: the baseline for the
    models that do.

    Parameters
    ----------
    {latent_dim}

    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    BetaVAE : Weighs the whole KL.
    BetaTCVAE : Weighs the total correlation of the latents only.

    References
    ----------
    .. [1] Kingma, D. P. & Welling, M. (2014). Auto-encoding variational Bayes. ICLR.
       https://arxiv.org/abs/1312.6114

    Examples
    --------
    >>> from skvae import VAE
    >>> from skvae.datasets import make_factor_table
    >>> X = make_factor_table(1000, n_factors=3, random_state=0).data
    >>> model = VAE(latent_dim=3, max_epochs=20, random_state=0).fit(X)
    >>> model.transform(X).shape
    (1000, 3)
    >>> model.inverse_transform(model.transform(X)).columns.equals(X.columns)
    True
    """

    def _make_objective(self, n_rows):
        return VAEObjective()
