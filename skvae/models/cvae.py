"""The conditional variational autoencoder."""

from skvae._core.storing import storable
from skvae.models._conditional import ConditionalVAE
from skvae.models._docs import shared_parameters
from skvae.objectives import VAEObjective


@storable
@shared_parameters
class CVAE(ConditionalVAE):
    """Conditional variational autoencoder.

    Explains rows given a condition, such as a client's education: minimises
    reconstruction + KL, where encoder and decoder know the condition [1]_. The latents
    need not tell it then, and stand for what varies within it. Rows can be generated
    under any condition, and a row can be reconstructed under another than its own.

    Parameters
    ----------
    {latent_dim}

    {condition_columns}

    prior : {"standard", "learned"}, default="standard"
        {prior}

    {parameters}

    Attributes
    ----------
    condition_encoder_ : skvae.tables.ConditionEncoder
        The fitted encoding of the conditions.

    {attributes}

    See Also
    --------
    DCVAE : The same with disentangled latents.
    VAE : The same without a condition.

    Notes
    -----
    {unknown_conditions}

    References
    ----------
    .. [1] Sohn, K., Lee, H. & Yan, X. (2015). Learning structured output
       representation using deep conditional generative models. NeurIPS.

    Examples
    --------
    >>> from skvae import CVAE
    >>> from skvae.datasets import make_credit_portfolio
    >>> X = make_credit_portfolio(1000, random_state=0).data
    >>> model = CVAE(condition_columns=["EDUCATION"], max_epochs=10, random_state=0)
    >>> model = model.fit(X)

    Clients with a graduate degree, and how some others would look with one:

    >>> graduate = {"EDUCATION": 1}
    >>> model.sample(3, condition=graduate, random_state=0)["EDUCATION"].tolist()
    [1, 1, 1]
    >>> model.reconstruct(X[:5], condition=graduate).shape
    (5, 23)
    """

    def _make_objective(self, n_rows):
        return VAEObjective()
