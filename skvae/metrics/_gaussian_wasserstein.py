"""Distances between the Gaussians that two moments of the latents describe."""

import numpy as np
from sklearn.utils._param_validation import validate_params

from skvae.metrics._validation import check_codes, check_posterior


def _root_eigenvalues(covariance):
    """Square roots of the eigenvalues of a positive semi-definite matrix."""
    # An eigenvalue that is 0 comes out as a rounding error of either sign.
    return np.sqrt(np.clip(np.linalg.eigvalsh(covariance), 0, None))


@validate_params(
    {"means": ["array-like"], "log_variances": ["array-like"]},
    prefer_skip_nested_validation=True,
)
def gaussian_wasserstein(means, log_variances):
    """Squared Wasserstein distance of the aggregate posterior from the prior.

    The gap between q(z), the mean of q(z|x) over the given rows, and N(0, I), as far
    as two moments show it: q(z) is replaced by the Gaussian of its mean and
    covariance. Where the gap is wide, draws from the prior decode to rows unlike the
    data.

    **It sees no more than two moments.** A q(z) of mean 0 and covariance I has
    distance 0 whatever its shape: the example has all its mass at two points.

    Parameters
    ----------
    means : array-like of shape (n_rows, n_latents)
        Means of the posteriors q(z|x), one per row.

    log_variances : array-like of shape (n_rows, n_latents)
        Logarithms of their variances.

    Returns
    -------
    float
        Squared 2-Wasserstein distance, at least 0, in squared units of the latents,
        in which the prior's standard deviation is 1. So squared, it adds up over
        uncorrelated latents; its root is the distance itself. A latent whose posterior
        is the prior adds 0.

    Raises
    ------
    ValueError
        If the shapes differ or a value is not finite.

    See Also
    --------
    gaussian_wasserstein_correlation : How far latents are from being uncorrelated.
    kl_decomposition : Sees the whole shape of q(z), at a higher price.

    Notes
    -----
    With m the mean and C the covariance of q(z), ``C = cov(means) + diag(mean of
    exp(log_variances))`` by the law of total covariance, the squared distance of
    N(m, C) from N(0, I) is ``|m|**2 + trace(C + I - 2 C**0.5)`` [1]_ [2]_, and so
    ``|m|**2 + sum((sqrt(eigenvalues of C) - 1)**2)``. The rows are the whole mixture:
    their covariance divides by n.

    References
    ----------
    .. [1] D. C. Dowson and B. V. Landau, "The Fréchet Distance between Multivariate
       Normal Distributions", Journal of Multivariate Analysis 12(3), 1982.
    .. [2] M. Gelbrich, "On a Formula for the L2 Wasserstein Metric between Measures on
       Euclidean and Hilbert Spaces", Mathematische Nachrichten 147(1), 1990.

    Examples
    --------
    A latent that spreads three times as wide as the prior:

    >>> import numpy as np
    >>> from skvae.metrics import gaussian_wasserstein, kl_decomposition
    >>> means = np.repeat([[-np.sqrt(8)], [np.sqrt(8)]], 100, axis=0)
    >>> round(gaussian_wasserstein(means, np.zeros_like(means)), 6)  # (3 - 1) ** 2
    4.0

    Mass at -1 and 1 alone has the prior's moments, and hence no gap. What sees the
    whole shape differs:

    >>> means, log_variances = np.sign(means), np.full_like(means, -10.0)
    >>> round(gaussian_wasserstein(means, log_variances), 6)
    0.0
    >>> kl_decomposition(means, log_variances, random_state=0).dimension_wise_kl > 4
    True
    """
    means, log_variances = check_posterior(means, log_variances)
    covariance = np.atleast_2d(np.cov(means, rowvar=False, ddof=0))
    covariance = covariance + np.diag(np.exp(log_variances).mean(axis=0))
    gap_of_means = np.sum(means.mean(axis=0) ** 2)
    gap_of_spreads = np.sum((_root_eigenvalues(covariance) - 1) ** 2)
    return float(gap_of_means + gap_of_spreads)


@validate_params({"means": ["array-like"]}, prefer_skip_nested_validation=True)
def gaussian_wasserstein_correlation(means):
    """Squared Wasserstein distance of latents from uncorrelated ones.

    The distance between two Gaussians: that of the covariance of `means`, and that
    of its diagonal. It is 0 if and only if the latents are uncorrelated. [1]_ reports
    it under this name.

    **It sees no more than correlations.** Latents that determine each other without a
    correlation have distance 0, as in the example, and so have those of a rotation
    that makes them uncorrelated, as principal components are.

    Parameters
    ----------
    means : array-like of shape (n_rows, n_latents)
        The codes, posterior means as a rule, or draws.

    Returns
    -------
    float
        Squared 2-Wasserstein distance, at least 0, in squared units of the latents.
        Divided by the total variance, ``means.var(axis=0, ddof=1).sum()``, it is free
        of a common scale and below 2; [1]_ calls this the normalised score. Constant
        latents add nothing to either.

    Raises
    ------
    ValueError
        If a value is not finite.

    See Also
    --------
    gaussian_total_correlation : The same comparison by KL divergence, in nats, which
        no scale of a latent changes.
    gaussian_wasserstein : The distance from the prior.

    Notes
    -----
    With C the covariance (``ddof=1``) and D its diagonal, the squared distance of
    N(0, C) from N(0, D) is ``2 trace(C) - 2 trace((D**0.5 C D**0.5)**0.5)`` [2]_.
    Unlike a total correlation, it stays finite where latents repeat each other.

    References
    ----------
    .. [1] F. Locatello et al., "Challenging Common Assumptions in the Unsupervised
       Learning of Disentangled Representations", ICML 2019, and the code of
       disentanglement_lib. https://arxiv.org/abs/1811.12359
    .. [2] D. C. Dowson and B. V. Landau, "The Fréchet Distance between Multivariate
       Normal Distributions", Journal of Multivariate Analysis 12(3), 1982.

    Examples
    --------
    Two latents of variance 1 that repeat each other:

    >>> import numpy as np
    >>> from skvae.metrics import gaussian_wasserstein_correlation
    >>> latent = np.array([[-1.0], [0.0], [1.0]])
    >>> round(gaussian_wasserstein_correlation(latent * [1, 1]), 4)  # 4 - 2 sqrt(2)
    1.1716

    Latents on a circle determine each other up to a sign, and it does not notice:

    >>> angle = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    >>> circle = np.column_stack([np.cos(angle), np.sin(angle)])
    >>> round(gaussian_wasserstein_correlation(circle), 6)
    0.0
    """
    means = check_codes(means, name="means")
    covariance = np.atleast_2d(np.cov(means, rowvar=False))
    deviation = np.sqrt(np.diag(covariance))
    cross = _root_eigenvalues(deviation[:, None] * covariance * deviation).sum()
    # Where nothing is correlated, rounding may end below 0.
    return float(max(0.0, 2 * np.trace(covariance) - 2 * cross))
