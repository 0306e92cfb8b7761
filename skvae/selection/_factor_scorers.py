"""Scorers of latents against true factors: ``scorer(estimator, X, y)`` to a number.

What they draw, they draw with a fixed seed, so that settings are compared on the same
draws.
"""

from skvae.metrics import (
    beta_vae_score,
    dci_scores,
    explicitness_score,
    factor_vae_score,
    irs_score,
    mig_score,
    mig_sup_score,
    modularity_score,
    recovered_factors,
    sap_score,
)
from skvae.selection._resolve import codes_of
from skvae.selection._texts import with_factors

_SEED = 0


@with_factors
def factor_vae_scorer(estimator, X, y):
    """Score codes against true factors: the FactorVAE score of Kim & Mnih.

    It needs ground truth. The label-free score that the thesis calls its FactorVAE
    metric is :func:`latent_consistency_scorer`.

    Parameters
    ----------
    {with_factors}

    Returns
    -------
    score : float
        Between 0 and 1. Chance is about 1 / n_factors.

    Raises
    ------
    {no_factors}

    See Also
    --------
    skvae.metrics.factor_vae_score : The score of arrays.
    """
    factors = _required(y, "factor_vae_scorer")
    return factor_vae_score(factors, codes_of(estimator, X), random_state=_SEED)


@with_factors
def beta_vae_scorer(estimator, X, y):
    """Score codes against true factors: the beta-VAE score of Higgins et al.

    Parameters
    ----------
    {with_factors}

    Returns
    -------
    score : float
        Between 0 and 1. Chance is about 1 / n_factors.

    Raises
    ------
    {no_factors}

    See Also
    --------
    skvae.metrics.beta_vae_score : The score of arrays.
    """
    factors = _required(y, "beta_vae_scorer")
    return beta_vae_score(factors, codes_of(estimator, X), random_state=_SEED)


@with_factors
def mig_scorer(estimator, X, y):
    """Score codes against true factors: the mutual information gap.

    Parameters
    ----------
    {with_factors}

    Returns
    -------
    score : float
        Between 0 and 1.

    Raises
    ------
    {no_factors}

    See Also
    --------
    skvae.metrics.mig_score : The score of arrays.
    """
    factors = _required(y, "mig_scorer")
    return mig_score(factors, codes_of(estimator, X))


@with_factors
def mig_sup_scorer(estimator, X, y):
    """Score codes against true factors: the gap between what a code knows of two.

    Parameters
    ----------
    {with_factors}

    Returns
    -------
    score : float
        Between 0 and 1.

    Raises
    ------
    {no_factors}

    See Also
    --------
    skvae.metrics.mig_sup_score : The score of arrays.
    """
    factors = _required(y, "mig_sup_scorer")
    return mig_sup_score(factors, codes_of(estimator, X))


@with_factors
def dci_scorer(estimator, X, y):
    """Score codes against true factors: the disentanglement of DCI.

    The first of the three scores; a forest for each factor makes it slow.

    Parameters
    ----------
    {with_factors}

    Returns
    -------
    score : float
        Between 0 and 1.

    Raises
    ------
    {no_factors}

    See Also
    --------
    skvae.metrics.dci_scores : The score of arrays.
    """
    return _dci(estimator, X, y, "dci_scorer").disentanglement


@with_factors
def dci_completeness_scorer(estimator, X, y):
    """Score codes against true factors: the completeness of DCI.

    Parameters
    ----------
    {with_factors}

    Returns
    -------
    score : float
        Between 0 and 1.

    Raises
    ------
    {no_factors}

    See Also
    --------
    skvae.metrics.dci_scores : The score of arrays.
    """
    return _dci(estimator, X, y, "dci_completeness_scorer").completeness


@with_factors
def dci_informativeness_scorer(estimator, X, y):
    """Score codes against true factors: the informativeness of DCI.

    Parameters
    ----------
    {with_factors}

    Returns
    -------
    score : float
        Between 0 and 1.

    Raises
    ------
    {no_factors}

    See Also
    --------
    skvae.metrics.dci_scores : The score of arrays.
    """
    return _dci(estimator, X, y, "dci_informativeness_scorer").informativeness


@with_factors
def sap_scorer(estimator, X, y):
    """Score codes against true factors: the separated attribute predictability.

    Parameters
    ----------
    {with_factors}

    Returns
    -------
    score : float
        Between 0 and 1.

    Raises
    ------
    {no_factors}

    See Also
    --------
    skvae.metrics.sap_score : The score of arrays.
    """
    factors = _required(y, "sap_scorer")
    return sap_score(factors, codes_of(estimator, X), random_state=_SEED)


@with_factors
def modularity_scorer(estimator, X, y):
    """Score codes against true factors: whether each code knows one factor only.

    Parameters
    ----------
    {with_factors}

    Returns
    -------
    score : float
        Between 0 and 1.

    Raises
    ------
    {no_factors}

    See Also
    --------
    skvae.metrics.modularity_score : The score of arrays.
    """
    factors = _required(y, "modularity_scorer")
    return modularity_score(factors, codes_of(estimator, X))


@with_factors
def explicitness_scorer(estimator, X, y):
    """Score codes against true factors: how plainly the code holds each of them.

    Parameters
    ----------
    {with_factors}

    Returns
    -------
    score : float
        Between 0 and 1.

    Raises
    ------
    {no_factors}

    See Also
    --------
    skvae.metrics.explicitness_score : The score of arrays.
    """
    factors = _required(y, "explicitness_scorer")
    return explicitness_score(factors, codes_of(estimator, X), random_state=_SEED)


@with_factors
def irs_scorer(estimator, X, y):
    """Score codes against true factors: how robust codes are to other factors.

    Parameters
    ----------
    {with_factors}

    Returns
    -------
    score : float
        Between 0 and 1.

    Raises
    ------
    {no_factors}

    See Also
    --------
    skvae.metrics.irs_score : The score of arrays.
    """
    factors = _required(y, "irs_scorer")
    return irs_score(factors, codes_of(estimator, X))


@with_factors
def recovered_factors_scorer(estimator, X, y):
    """Score codes against true factors: the share that has a latent of its own.

    Parameters
    ----------
    {with_factors}

    Returns
    -------
    score : float
        Between 0 and 1.

    Raises
    ------
    {no_factors}

    See Also
    --------
    skvae.metrics.recovered_factors : The score of arrays.
    """
    factors = _required(y, "recovered_factors_scorer")
    return recovered_factors(factors, codes_of(estimator, X)).share


def _dci(estimator, X, y, scorer):
    factors = _required(y, scorer)
    return dci_scores(factors, codes_of(estimator, X), random_state=_SEED)


def _required(factors, scorer):
    if factors is None:
        raise ValueError(
            f"{scorer} got y=None; expected the true factors as y, of shape "
            "(n_samples, n_factors). Without ground truth use shared_latents_scorer, "
            "latent_consistency_scorer, neg_total_correlation_scorer or "
            "fidelity_scorer."
        )
    return factors
