"""Scorers of several seeds of a setting: ``scorer(ensemble, X)``, greater is better.

They need no labels, and more than one fit: take them with a
:class:`~skvae.selection.SeedEnsemble`.
"""

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from skvae._core.activity import ACTIVE_KL
from skvae.metrics import kl_per_dimension, model_centrality_score
from skvae.selection._resolve import encoder_of, resolve
from skvae.selection._seed_ensemble import SeedEnsemble, agreement
from skvae.selection._texts import of_seeds

_SEED = 0


@of_seeds
def udr_scorer(estimator, X, y=None):
    """Score how far several seeds of a setting find the same latents.

    The unsupervised disentanglement ranking, as a mean over members. It cannot see
    what the members agree on, and prefers settings that keep few latents:
    :func:`shared_latents_scorer` does not.

    Parameters
    ----------
    {of_seeds}

    Returns
    -------
    score : float
        Between 0 and 1. Members that collapsed get 0.

    Raises
    ------
    TypeError
        If there is no ensemble inside.

    See Also
    --------
    skvae.metrics.udr_score : The score of lists of codes.
    """
    return _udr(estimator, X).mean


@of_seeds
def shared_latents_scorer(estimator, X, y=None):
    """Score how many latents several seeds of a setting have in common.

    Each active latent counts by how far another member has it, and no second latent
    there has it too: the unsupervised disentanglement ranking as a sum in the place of
    a mean. It cannot see what the members agree on.

    Parameters
    ----------
    {of_seeds}

    Returns
    -------
    score : float
        Between 0 and the number of latents. Members that collapsed share none.

    Raises
    ------
    TypeError
        If there is no ensemble inside.

    See Also
    --------
    skvae.metrics.udr_score : The score of lists of codes, there ``n_shared``.
    """
    return _udr(estimator, X).n_shared


def _udr(estimator, X):
    ensemble, rows = _required_ensemble(estimator, X)
    return agreement(ensemble._posteriors(rows))


@of_seeds
def model_centrality_scorer(estimator, X, y=None):
    """Score how far several seeds of a setting agree on rows that they generate.

    It cannot see what the members agree on, nor latents that are turned a little.

    Parameters
    ----------
    {of_seeds}

    Returns
    -------
    score : float
        The mean over members, with chance taken off: at most 1, about 0 where members
        have nothing in common. Members that collapsed get 0.

    Raises
    ------
    TypeError
        If there is no ensemble inside.

    See Also
    --------
    skvae.metrics.model_centrality_score : The score of lists of codes and callables.
    """
    ensemble, rows = _required_ensemble(estimator, X)
    members = [resolve(member, rows) for member in ensemble.estimators_]
    models = [member.model._factor_model for member in members]
    posteriors = [
        model._encode(member.inputs)
        for model, member in zip(models, members, strict=True)
    ]
    return model_centrality_score(
        [means for means, _ in posteriors],
        [model._inference.decode for model in models],
        [encoder_of(model) for model in models],
        active=[kl_per_dimension(*p) > ACTIVE_KL for p in posteriors],
        adjusted=True,
        random_state=_SEED,
    ).mean


def find_ensemble(estimator, X):
    """Return the ensemble inside an estimator, and the table as it sees it.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    X : DataFrame or array-like of shape (n_samples, n_features)
        The table as the estimator takes it.

    Returns
    -------
    ensemble : SeedEnsemble or None
        None where there is none inside.

    rows : DataFrame or array-like of shape (n_samples, n_inputs)
        The table as the ensemble takes it.
    """
    if isinstance(estimator, SeedEnsemble):
        return estimator, X
    if isinstance(estimator, Pipeline):
        for _, step in estimator.steps[:-1]:
            X = X if step in (None, "passthrough") else step.transform(X)
        return find_ensemble(estimator.steps[-1][1], X)
    if isinstance(estimator, FrozenEstimator):
        return find_ensemble(estimator.estimator, X)
    if hasattr(estimator, "best_estimator_"):
        return find_ensemble(estimator.best_estimator_, X)
    return None, X


def _required_ensemble(estimator, X):
    ensemble, rows = find_ensemble(estimator, X)
    if ensemble is None:
        raise TypeError(
            f"Got {type(estimator).__name__}; expected a fitted SeedEnsemble, or a "
            "Pipeline or search with one inside: one fit has nobody to agree with."
        )
    return ensemble, rows
