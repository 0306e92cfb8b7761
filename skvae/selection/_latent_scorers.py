"""Scorers of latents without labels: ``scorer(estimator, X)``, greater is better.

What they draw, they draw with a fixed seed, so that settings are compared on the same
draws.
"""

from skvae._core.activity import ACTIVE_KL
from skvae.metrics import (
    kl_per_dimension,
    latent_consistency_score,
    n_active,
    total_correlation,
)
from skvae.selection._resolve import resolve
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
    resolved = resolve(estimator, X)
    model, inputs = resolved.model._factor_model, resolved.inputs
    return latent_consistency_score(
        model._encode(inputs)[0],
        model._inference.decode,
        lambda rows: model._inference.encode(rows)[0],
        active=kl_per_dimension(*model._encode(inputs)) > ACTIVE_KL,
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
    resolved = resolve(estimator, X)
    posteriors = resolved.model._factor_model._encode(resolved.inputs)
    return -total_correlation(*posteriors, random_state=_SEED)


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
    resolved = resolve(estimator, X)
    return n_active(*resolved.model._factor_model._encode(resolved.inputs))
