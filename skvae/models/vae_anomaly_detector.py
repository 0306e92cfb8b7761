"""An outlier detector around any model."""

from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skvae._core.storing import storable
from skvae.models._detector import AnomalyDetector, check_takes
from skvae.models._docs import shared_parameters
from skvae.models._frozen import model_in
from skvae.models.base import BaseVAE
from skvae.models.vae import VAE


@storable(model=BaseVAE | FrozenEstimator | None)
@shared_parameters
class VAEAnomalyDetector(AnomalyDetector):
    """Outlier detector around a variational autoencoder of your choice.

    Fits a clone of the model, and scores how badly rows fit it. Any model of skvae will
    do: `FactorVAE`, `CVAE` with a condition, `MSVAE`. The one with a `DCVAE` inside is
    `DCVAEAnomalyDetector`.

    Parameters
    ----------
    model : estimator, default=None
        The model, which is cloned. Its `trimmed_fraction` makes the detector robust
        against anomalies among the training rows. A fitted model in a
        :class:`~sklearn.frozen.FrozenEstimator` is used as it is, so that another
        `score` takes no new training. None is ``VAE()``.

    {detector_parameters}

    Attributes
    ----------
    {detector_attributes}

    See Also
    --------
    DCVAEAnomalyDetector : The one to begin with.

    Notes
    -----
    {detector_notes}

    References
    ----------
    {dcvae_paper}

    Examples
    --------
    >>> from skvae import FactorVAE, VAEAnomalyDetector
    >>> from skvae.datasets import make_credit_portfolio
    >>> X = make_credit_portfolio(1000, random_state=0).data
    >>> model = FactorVAE(latent_dim=5, max_epochs=10, random_state=0)
    >>> detector = VAEAnomalyDetector(model, contamination=0.05).fit(X)
    >>> (detector.predict(X) == -1).sum()
    np.int64(50)
    """

    _parameter_constraints: dict = {
        **AnomalyDetector._parameter_constraints,
        "model": [BaseVAE, FrozenEstimator, None],
    }

    def __init__(self, model=None, *, score="combined", contamination=0.1):
        self.model = model
        self.score = score
        self.contamination = contamination

    def _fitted_model(self, X, stream, condition, task):
        if isinstance(self.model, FrozenEstimator):
            model = model_in(self.model, "model")
            check_takes(model, condition)
            _check_is_given(model, condition)
            return model
        return super()._fitted_model(X, stream, condition, task)

    def _make_model(self, n_features):
        return VAE() if self.model is None else clone(self.model)


def _check_is_given(model, condition):
    """Say so where training rows lack the condition that a model was fitted with."""
    if condition is None and model.module_.n_conditions and not model._finds_condition:
        raise ValueError(
            f"model holds a {type(model).__name__} that was fitted with condition=; "
            "expected the condition of the rows here, too: fit(X, condition=...)."
        )
