"""The variational autoencoder with a weighted KL."""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skvae.models._docs import shared_docs
from skvae.models.base import BaseVAE
from skvae.objectives import BetaVAEObjective


@shared_docs
class BetaVAE(BaseVAE):
    """Variational autoencoder with a weighted KL.

    Minimises reconstruction + beta * KL [1]_. Above 1, beta presses the latents
    towards independent standard normal ones, and with that towards carrying less:
    the KL holds the information that the latents have of the row as well as their
    dependence.

    Parameters
    ----------
    latent_dim : int, default=10
        Number of latent dimensions. More than the table needs do no harm: the spare
        ones switch off (see `n_active_`).

    beta : float, default=4.0
        Weight of the KL, a sum over latent dimensions, against the reconstruction, a
        sum over columns; at least 0. 1 is exactly `VAE`. The fewer columns, the sooner
        a weight switches all latents off.

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

    Examples
    --------
    >>> from skvae import BetaVAE
    >>> from skvae.datasets import make_factor_table
    >>> X = make_factor_table(1000, n_factors=3, random_state=0).data
    >>> model = BetaVAE(latent_dim=3, beta=2, max_epochs=20, random_state=0).fit(X)
    >>> model.transform(X).shape
    (1000, 3)
    """

    _parameter_constraints: dict = {
        **BaseVAE._parameter_constraints,
        "beta": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        latent_dim=10,
        *,
        beta=4.0,
        lr=2e-3,
        max_epochs=50,
        batch_size="auto",
        hidden_layer_sizes=(256, 128),
        activation="silu",
        encoding="quantile",
        likelihood="auto",
        kl_warmup=10,
        early_stopping=True,
        validation_fraction=0.1,
        n_iter_no_change=20,
        tol=1e-2,
        callbacks=None,
        device="auto",
        random_state=None,
        verbose=0,
    ):
        super().__init__(
            latent_dim,
            lr=lr,
            max_epochs=max_epochs,
            batch_size=batch_size,
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            encoding=encoding,
            likelihood=likelihood,
            kl_warmup=kl_warmup,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            tol=tol,
            callbacks=callbacks,
            device=device,
            random_state=random_state,
            verbose=verbose,
        )
        self.beta = beta

    def _make_objective(self, n_rows):
        return BetaVAEObjective(self.beta)
