"""The conditional variational autoencoder, disentangled."""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skvae._core.storing import storable
from skvae.models._conditional import ConditionalVAE
from skvae.models._docs import shared_parameters
from skvae.objectives import DCVAEObjective


@storable
@shared_parameters
class DCVAE(ConditionalVAE):
    """Conditional variational autoencoder with disentangled latents.

    As `CVAE`, explains rows given a condition; the latents stand for what varies within
    it. Minimises reconstruction + KL(q(z|x, c) || r(z|c)) + (beta - 1) * TC(z|c), with
    a learned prior r for each latent. With beta 1 this is the bound of [1]_, eq. 18
    (without a condition, eq. 8), which holds the total correlation implicitly; above,
    its explicit penalty joins in the spirit of eq. 12.

    Parameters
    ----------
    {latent_dim}

    beta : float, default=4.0
        Weight of the total correlation of the latents given the condition; at least 0.
        It is estimated among the rows of a batch that share their condition, or among
        all where fewer than 8 do, or where the condition is continuous.

    {condition_columns}

    prior : {"learned", "standard"}, default="learned"
        {prior}

    {parameters}

    Attributes
    ----------
    condition_encoder_ : skvae.tables.ConditionEncoder
        The fitted encoding of the conditions.

    {attributes}

    See Also
    --------
    CVAE : The same without weight on the total correlation.
    BetaTCVAE : The total correlation without a condition.

    Notes
    -----
    {unknown_conditions}

    References
    ----------
    {dcvae_paper}

    Examples
    --------
    >>> from skvae import DCVAE
    >>> from skvae.datasets import make_credit_portfolio
    >>> X = make_credit_portfolio(1000, random_state=0).data
    >>> model = DCVAE(condition_columns=["EDUCATION"], max_epochs=10, random_state=0)
    >>> model = model.fit(X)

    Clients with a graduate degree, and how some others would look with one:

    >>> graduate = {"EDUCATION": 1}
    >>> model.sample(3, condition=graduate, random_state=0)["EDUCATION"].tolist()
    [1, 1, 1]
    >>> model.reconstruct(X[:5], condition=graduate).shape
    (5, 23)
    """

    _parameter_constraints: dict = {
        **ConditionalVAE._parameter_constraints,
        "beta": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        latent_dim=10,
        *,
        beta=4.0,
        condition_columns=None,
        prior="learned",
        **shared,
    ):
        super().__init__(
            latent_dim, condition_columns=condition_columns, prior=prior, **shared
        )
        self.beta = beta

    def _make_objective(self, n_rows):
        return DCVAEObjective(self.beta)
