"""The variational autoencoder with a weighted total correlation."""

from numbers import Real

from sklearn.utils._param_validation import Interval, StrOptions

from skvae._core.storing import storable
from skvae.models._docs import shared_parameters
from skvae.models._one_stage import OneStageVAE
from skvae.objectives import TOTAL_CORRELATION_ESTIMATORS, BetaTCVAEObjective


@storable
@shared_parameters
class BetaTCVAE(OneStageVAE):
    """Variational autoencoder with a weighted total correlation.

    Minimises reconstruction + KL + (beta - 1) * TC, where TC is the total correlation
    of the latents over the whole table: how far they are from independent ([1]_, eq.
    4). Unlike `BetaVAE` it does not charge for the information that the latents have
    of the row, so they can be independent and still say much.

    Parameters
    ----------
    {latent_dim}

    beta : float, default=4.0
        Weight of the total correlation; at least 0. 1 is exactly `VAE`.

    tc_estimator : {"minibatch", "weighted", "stratified"}, default="minibatch"
        How the total correlation is estimated from a batch.

        - ``"minibatch"``: the batch stands for the table, each of its rows with the
          same weight.
        - ``"weighted"``: minibatch weighted sampling ([1]_, section C.1). Its constant
          offset, (latent_dim - 1) times the log of the number of rows, is left out,
          and with that its gradient and value are those of ``"minibatch"``.
        - ``"stratified"``: minibatch stratified sampling ([1]_, section C.2), in which
          a row counts in its own mixture as much as it does in the table.

    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    VAE : The same with beta 1.
    BetaVAE : Weighs the whole KL.

    References
    ----------
    .. [1] Chen, R. T. Q., Li, X., Grosse, R. & Duvenaud, D. (2018). Isolating sources
       of disentanglement in variational autoencoders. NeurIPS.
       https://arxiv.org/abs/1802.04942

    Examples
    --------
    >>> from skvae import BetaTCVAE
    >>> from skvae.datasets import make_factor_table
    >>> X = make_factor_table(1000, n_factors=3, random_state=0).data
    >>> model = BetaTCVAE(latent_dim=3, max_epochs=20, random_state=0).fit(X)
    >>> model.transform(X).shape
    (1000, 3)

    New rows come in the table's own units and columns:

    >>> model.sample(2, random_state=0).shape
    (2, 20)
    """

    _parameter_constraints: dict = {
        **OneStageVAE._parameter_constraints,
        "beta": [Interval(Real, 0, None, closed="left")],
        "tc_estimator": [StrOptions(set(TOTAL_CORRELATION_ESTIMATORS))],
    }

    def __init__(self, latent_dim=10, *, beta=4.0, tc_estimator="minibatch", **shared):
        super().__init__(latent_dim, **shared)
        self.beta = beta
        self.tc_estimator = tc_estimator

    def _make_objective(self, n_rows):
        return BetaTCVAEObjective(self.beta, self.tc_estimator, n_rows)
