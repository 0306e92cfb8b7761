"""A fitted model inside of another estimator, as it is."""

from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from skvae._core.storing import storable
from skvae.models.base import BaseVAE

storable(FrozenEstimator)


def model_in(frozen, parameter):
    """Return the fitted model of a FrozenEstimator.

    Parameters
    ----------
    frozen : FrozenEstimator
        What the user gave.

    parameter : str
        The parameter that it was given as.

    Returns
    -------
    model : BaseVAE
        The model inside, fitted.

    Raises
    ------
    ValueError
        If there is something else inside.
    """
    model = frozen.estimator
    if not isinstance(model, BaseVAE):
        raise ValueError(
            f"{parameter} holds a frozen {type(model).__name__}; expected a model of "
            "skvae, fitted by itself and not inside of a Pipeline or a search."
        )
    check_is_fitted(model)
    return model
