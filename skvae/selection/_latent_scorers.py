"""Scorers of latents without labels: ``scorer(estimator, X)``, greater is better.

What they draw, they draw with a fixed seed, so that settings are compared on the same
draws.
"""

from skvae._core.activity import ACTIVE_KL
from skvae.metrics import (
    gaussian_total_correlation,
    gaussian_wasserstein,
    kl_per_dimension,
    latent_consistency_score,
    n_active,
    total_correlation,
)
from skvae.selection._resolve import codes_of, encoder_of, posteriors_of, resolve
from skvae.selection._texts import of_codes

_SEED = 0
# An eighth of the passes that latent_consistency_score takes by default: a search calls
# the scorer once a fit, and the accuracy is still known to 0.02 or better.
_N_RUNS = 500
_N_ROWS_PER_RUN = 64


@of_codes
def latent_consistency_scorer(estimator, X, y=None):
    """Score whether latents survive a decoding and an encoding, without labels.

    This is the metric that the thesis calls FactorVAE, second variant, though it sees
    no factors; the score of Kim & Mnih against true factors is
    :func:`factor_vae_scorer`. It cannot see rotations of the latents, so read it
    beside a score that can.

    Parameters
    ----------
    {of_codes}

    Returns
    -------
    score : float
        Accuracy on fresh runs, between 0 and 1. Chance is 1 over the number of
        active latents. A collapsed model gets 0.

    See Also
    --------
    skvae.metrics.latent_consistency_score : The score of arrays and callables.
    """
    model = resolve(estimator, X).model._factor_model
    means, log_variances = posteriors_of(estimator, X)
    return latent_consistency_score(
        means,
        model._inference.decode,
        encoder_of(model),
        active=kl_per_dimension(means, log_variances) > ACTIVE_KL,
        n_runs_train=_N_RUNS,
        n_runs_eval=_N_RUNS,
        n_rows_per_run=_N_ROWS_PER_RUN,
        random_state=_SEED,
    ).eval_accuracy


@of_codes
def neg_total_correlation_scorer(estimator, X, y=None):
    """Score how independent the latents are: their negated total correlation.

    Taken on the aggregate posterior of the rows, of which at most 5,000 are used. A
    collapsed model is perfectly independent, so read it beside
    :func:`n_active_scorer`.

    Parameters
    ----------
    {of_codes}

    Returns
    -------
    score : float
        In nats; 0, but for Monte Carlo error, where the latents are independent.

    See Also
    --------
    skvae.metrics.total_correlation : The total correlation of arrays.
    """
    return -total_correlation(*posteriors_of(estimator, X), random_state=_SEED)


@of_codes
def neg_gaussian_total_correlation_scorer(estimator, X, y=None):
    """Score how uncorrelated the codes are: their negated Gaussian total correlation.

    It sees linear dependence only. A collapsed model is perfectly uncorrelated, so
    read it beside :func:`n_active_scorer`.

    Parameters
    ----------
    {of_codes}

    Returns
    -------
    score : float
        In nats; 0 where the codes of active latents are uncorrelated.

    See Also
    --------
    skvae.metrics.gaussian_total_correlation : The score of arrays.
    """
    return -gaussian_total_correlation(codes_of(estimator, X))


@of_codes
def neg_gaussian_wasserstein_scorer(estimator, X, y=None):
    """Score how near the aggregate posterior is to the prior, by two moments.

    The negated squared 2-Wasserstein distance. A collapsed model is at the prior, so
    read it beside :func:`n_active_scorer`.

    Parameters
    ----------
    {of_codes}

    Returns
    -------
    score : float
        At most 0.

    See Also
    --------
    skvae.metrics.gaussian_wasserstein : The distance of arrays.
    """
    return -gaussian_wasserstein(*posteriors_of(estimator, X))


@of_codes
def n_active_scorer(estimator, X, y=None):
    """Count the latents that carry information.

    Parameters
    ----------
    {of_codes}

    Returns
    -------
    score : int
        Latents whose mean KL to the prior exceeds 0.01 nats.

    See Also
    --------
    skvae.metrics.n_active : The count for arrays.
    """
    return n_active(*posteriors_of(estimator, X))
