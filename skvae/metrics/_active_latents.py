"""How much each latent carries, and how many carry anything."""

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

from skvae._core.activity import ACTIVE_KL
from skvae.metrics._validation import check_posterior


@validate_params(
    {"means": ["array-like"], "log_variances": ["array-like"]},
    prefer_skip_nested_validation=True,
)
def kl_per_dimension(means, log_variances):
    """Mean KL divergence of the posterior from N(0, 1), one number per latent.

    Parameters
    ----------
    means : array-like of shape (n_rows, n_latents)
        Means of the posteriors q(z|x), one per row.

    log_variances : array-like of shape (n_rows, n_latents)
        Logarithms of their variances.

    Returns
    -------
    ndarray of shape (n_latents,)
        In nats, ``mean((means**2 + exp(log_variances) - 1 - log_variances) / 2)`` over
        rows [1]_. The sum is the KL term of a VAE's loss.

    Raises
    ------
    ValueError
        If the shapes differ or a value is not finite.

    See Also
    --------
    n_active : How many of these exceed a threshold.
    kl_decomposition : The KL split by meaning rather than by latent.

    References
    ----------
    .. [1] D. P. Kingma and M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014,
       appendix B. https://arxiv.org/abs/1312.6114

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import kl_per_dimension
    >>> means = np.array([[1.0, 0.0], [-1.0, 0.0]])
    >>> log_variances = np.zeros((2, 2))
    >>> kl_per_dimension(means, log_variances)
    array([0.5, 0. ])
    """
    means, log_variances = check_posterior(means, log_variances)
    # expm1 keeps the digits where the posterior is almost the prior.
    kl = 0.5 * (means**2 + np.expm1(log_variances) - log_variances)
    return kl.mean(axis=0)


@validate_params(
    {
        "means": ["array-like"],
        "log_variances": ["array-like"],
        "threshold": [Interval(Real, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def n_active(means, log_variances, *, threshold=ACTIVE_KL):
    """Count the latents that carry information.

    A latent is active if its mean KL divergence from N(0, 1) exceeds `threshold`.

    **It cannot see what they carry.** A factor stored twice counts twice, and so does
    noise that the encoder lets through.

    Parameters
    ----------
    means : array-like of shape (n_rows, n_latents)
        Means of the posteriors q(z|x), one per row.

    log_variances : array-like of shape (n_rows, n_latents)
        Logarithms of their variances.

    threshold : float, default=0.01
        In nats, as in [1]_.

    Returns
    -------
    int
        Where it is 0 the posterior has collapsed, and no other metric of the latents
        means anything.

    Raises
    ------
    ValueError
        If the shapes differ or a value is not finite.

    See Also
    --------
    kl_per_dimension : The numbers that are compared with the threshold.

    References
    ----------
    .. [1] S. Duan et al., "Unsupervised Model Selection for Variational Disentangled
       Representation Learning", ICLR 2020. https://arxiv.org/abs/1905.12614

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import n_active
    >>> means = np.array([[1.0, 0.0], [-1.0, 0.0]])
    >>> n_active(means, np.zeros((2, 2)))
    1
    >>> n_active(means[:, [0, 0]], np.zeros((2, 2)))  # one latent, stored twice
    2
    """
    return int(np.sum(kl_per_dimension(means, log_variances) > threshold))
