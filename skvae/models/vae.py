"""The variational autoencoder."""

from skvae.models._docs import shared_docs
from skvae.models.base import BaseVAE
from skvae.objectives import VAEObjective


@shared_docs
class VAE(BaseVAE):
    """Variational autoencoder.

    Minimises reconstruction + KL, the negative evidence lower bound [1]_. It explains
    rows best and does not ask its latents to be independent: the baseline for the
    models that do.

    Parameters
    ----------
    latent_dim : int, default=10
        Number of latent dimensions. More than the table needs do no harm: the spare
        ones switch off (see `n_active_`).

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

    def __init__(
        self,
        latent_dim=10,
        *,
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

    def _make_objective(self, n_rows):
        return VAEObjective()
