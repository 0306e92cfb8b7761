"""The outlier detector with a disentangled conditional VAE inside."""

from sklearn.utils._param_validation import StrOptions

from skvae._core.stored_types import Given
from skvae._core.storing import storable
from skvae.models._detector import AnomalyDetector
from skvae.models._docs import shared_parameters
from skvae.models.dcvae import DCVAE

_MODEL_PARAMETERS = tuple(DCVAE().get_params(deep=False))


@storable(encoder=Given, decoder=Given, callbacks=None)
@shared_parameters
class DCVAEAnomalyDetector(AnomalyDetector):
    """Outlier detector around a disentangled conditional VAE.

    Fits a `DCVAE` and scores how badly rows fit it, given their condition where there
    is one; without, it is a detector around a beta-TCVAE. No label of anomaly is ever
    looked at.

    Parameters
    ----------
    latent_dim : int or "auto", default="auto"
        Number of latent dimensions. ``"auto"`` is half the number of columns, between 2
        and 16: anomalies are what few latents cannot explain.

    beta : float, default=4.0
        Weight of the total correlation of the latents given the condition; at least 0.

    {condition_columns}

    prior : {"learned", "standard"}, default="learned"
        {prior}

    {detector_parameters}

    {parameters}

    Attributes
    ----------
    {detector_attributes}

    See Also
    --------
    VAEAnomalyDetector : The same around any other model.
    DCVAE : The model inside.

    Notes
    -----
    {detector_notes}

    References
    ----------
    {dcvae_paper}

    Examples
    --------
    >>> from skvae import DCVAEAnomalyDetector
    >>> from skvae.datasets import make_credit_portfolio
    >>> X = make_credit_portfolio(1000, random_state=0).data
    >>> detector = DCVAEAnomalyDetector(max_epochs=10, random_state=0).fit(X)

    A client who owes as usual, but for one month:

    >>> client = X[:1].assign(BILL_AMT3=2_000_000)
    >>> detector.predict(client)
    array([-1])
    >>> detector.explain(client, conditional=True).reason.iloc[0]
    'BILL_AMT3 is ... sd above what its other columns imply (2,000,000 against ...)'
    """

    _shares_parameters_of = DCVAE
    _other_defaults: dict = {"max_epochs": 30}
    _parameter_constraints: dict = {
        **DCVAE._parameter_constraints,
        **AnomalyDetector._parameter_constraints,
        "latent_dim": [
            *DCVAE._parameter_constraints["latent_dim"],
            StrOptions({"auto"}),
        ],
    }

    def __init__(
        self,
        latent_dim="auto",
        *,
        beta=4.0,
        condition_columns=None,
        prior="learned",
        score="combined",
        contamination=0.1,
        **shared,
    ):
        unknown = set(shared) - set(_MODEL_PARAMETERS)
        if unknown:
            raise TypeError(
                f"{type(self).__name__}.__init__() got an unexpected keyword argument "
                f"{min(unknown)!r}"
            )
        model = DCVAE(
            latent_dim,
            beta=beta,
            condition_columns=condition_columns,
            prior=prior,
            **{**self._other_defaults, **shared},
        )
        vars(self).update(model.get_params(deep=False))
        self.score = score
        self.contamination = contamination

    def _make_model(self, n_features):
        model = DCVAE(**{name: getattr(self, name) for name in _MODEL_PARAMETERS})
        if self.latent_dim == "auto":
            model.set_params(latent_dim=min(max(n_features // 2, 2), 16))
        if self.encoding == "auto" and self.image_shape is None:
            model.set_params(encoding="standard")
        if self.likelihood == "auto" and self.image_shape is None:
            model.set_params(likelihood="gaussian")
        return model
