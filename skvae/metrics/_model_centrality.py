"""ModelCentrality: how far the latents of one model are those of the others."""

from collections.abc import Callable
from itertools import count
from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.validation import check_array

from skvae._core.html_table import html_table
from skvae.metrics._chance import above_chance
from skvae.metrics._validation import (
    MIN_STD,
    active_dimensions,
    check_active_of_models,
    check_codes_of_models,
    check_one_per_model,
)
from skvae.metrics._votes import (
    ROWS_PER_CALL,
    fixed_latent_blocks,
    majority_vote_accuracy,
)


class ModelCentrality(NamedTuple):
    """What :func:`model_centrality_score` returns.

    Parameters
    ----------
    mean : float
        Mean of `per_model`: the score of the setting that the models share.

    per_model : ndarray of shape (n_models,)
        Mean similarity of each model to the others. The largest is that of the
        medoid, the model to choose among these.

    pairwise : ndarray of shape (n_models, n_models)
        In row i and column j, how well the encoder of model j finds the latents that
        model i generated rows from. NaN on the diagonal. The similarity of two models
        is the mean of both directions.
    """

    mean: float
    per_model: np.ndarray
    pairwise: np.ndarray

    def _repr_html_(self):
        both_ways = (self.pairwise + self.pairwise.T) / 2
        return html_table(
            "Model centrality: how well models read one another, at most 1",
            ["model", "score", *(f"with {j}" for j in range(len(both_ways)))],
            zip(count(), self.per_model, *both_ways, strict=False),
            footer=("mean", self.mean),
        )


class _Model(NamedTuple):
    """One fit."""

    codes: np.ndarray
    active: np.ndarray  # mask of its latents
    decode: Callable
    encode: Callable
    name: str  # of `encode`, for messages


class _Listener(NamedTuple):
    """A model that encodes the rows of another one."""

    model: _Model
    latents: np.ndarray  # those that may be voted for
    variance: np.ndarray  # theirs, over rows where nothing is held fixed


def _check_callables(functions, codes, name):
    """Refuse a list that is not one callable per model."""
    check_one_per_model(functions, codes, name)
    for i, function in enumerate(functions):
        if not callable(function):
            raise TypeError(f"Expected {name}[{i}] to be callable, got {function!r}.")


def _encode(model, rows, n_rows):
    """Encode rows of another model, and check what comes back."""
    codes = check_array(
        model.encode(rows), dtype=np.float64, input_name=f"the output of {model.name}"
    )
    expected = (n_rows, model.codes.shape[1])
    if codes.shape != expected:
        raise ValueError(
            f"Expected {model.name} to return codes of shape {expected}, got "
            f"{codes.shape}."
        )
    return codes


def _listen(partners, decoder, random_state):
    """Measure how much the latents of each partner vary on rows of `decoder`."""
    drawn = random_state.permutation(len(decoder.codes))[:ROWS_PER_CALL]
    rows = decoder.decode(decoder.codes[drawn])
    listeners = []
    for partner in partners:
        codes = _encode(partner, rows, len(drawn))
        # What these rows do not stir has no variance to compare with.
        latents = np.flatnonzero(partner.active & active_dimensions(codes, MIN_STD))
        variance = codes[:, latents].var(axis=0, ddof=1)
        listeners.append(_Listener(partner, latents, variance))
    return listeners


def _count_votes(listeners, decoder, n_votes, n_rows_per_vote, random_state):
    """One table of votes per listener: (its stillest latent, the fixed latent).

    Every block is decoded once, for all of them.
    """
    candidates = np.flatnonzero(decoder.active)
    votes = [
        np.zeros((len(listener.latents), len(candidates)), dtype=np.int64)
        for listener in listeners
    ]
    for blocks, fixed in fixed_latent_blocks(
        decoder.codes, candidates, n_votes, n_rows_per_vote, random_state
    ):
        n_votes_now, n_rows, n_latents = blocks.shape
        rows = decoder.decode(blocks.reshape(-1, n_latents))
        for listener, its_votes in zip(listeners, votes, strict=True):
            codes = _encode(listener.model, rows, n_votes_now * n_rows)
            codes = codes[:, listener.latents].reshape(n_votes_now, n_rows, -1)
            stillest = (codes.var(axis=1, ddof=1) / listener.variance).argmin(axis=1)
            np.add.at(its_votes, (stillest, fixed), 1)
    return votes


def _scores_on_rows_of(
    decoder, partners, n_votes, n_rows_per_vote, adjusted, random_state
):
    """FactorVAE score of each partner, the latents of `decoder` being the factors."""
    scores = np.zeros(len(partners))
    if not decoder.active.any():
        return scores
    listeners = _listen(partners, decoder, random_state)
    # One that hears nothing cannot vote, and keeps its 0.
    hears = np.array([len(listener.latents) > 0 for listener in listeners])
    if not hears.any():
        return scores
    listeners = [listeners[i] for i in np.flatnonzero(hears)]
    train_votes, eval_votes = (
        _count_votes(listeners, decoder, n, n_rows_per_vote, random_state)
        for n in n_votes
    )
    accuracies = np.array(
        [
            majority_vote_accuracy(train, evaluation)[1]
            for train, evaluation in zip(train_votes, eval_votes, strict=True)
        ]
    )
    if adjusted:
        accuracies = above_chance(accuracies, 1.0 / decoder.active.sum())
    scores[hears] = accuracies
    return scores


@validate_params(
    {
        "codes": [list, tuple],
        "decode": [list, tuple],
        "encode": [list, tuple],
        "active": [list, tuple, None],
        "n_votes_train": [Interval(Integral, 1, None, closed="left")],
        "n_votes_eval": [Interval(Integral, 1, None, closed="left")],
        "n_rows_per_vote": [Interval(Integral, 2, None, closed="left")],
        "adjusted": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def model_centrality_score(
    codes,
    decode,
    encode,
    *,
    active=None,
    n_votes_train=1000,
    n_votes_eval=1000,
    n_rows_per_vote=100,
    adjusted=False,
    random_state=None,
):
    """Similarity of each of several models to the others, by what they generate.

    Take one model's latents for the true factors: generate rows with one of them
    held fixed, encode the rows with another model, and ask as
    :func:`factor_vae_score` does whether the latent that varies least tells which one
    was fixed. The mean of both directions is the similarity of two models, and the
    mean similarity to all others is a model's centrality [1]_. If good models are
    alike and bad ones differ, the most central model is a good one. No known factors
    are needed.

    **It cannot see whether the centre is disentangled.** Where most models share
    entangled latents, one of these is the most central, and the one model that found
    the factors the least: so in the example. Nor does it see a mixture in which one
    latent dominates: latents turned by less than 45 degrees against another model's
    match them, as in a FactorVAE score; :func:`udr_score` sees this. And it trusts
    the decoders: a round trip that loses a latent counts against both models.

    Parameters
    ----------
    codes : list of array-like of shape (n_rows, n_latents)
        One entry per model, at least two: its posterior means. Rows and numbers of
        latents may differ between models.

    decode : list of callable
        One entry per model: takes an array of its codes of shape (m, n_latents) and
        returns m rows that each entry of `encode` takes, as a rule the mean of the
        decoded rows in the units of the table.

    encode : list of callable
        One entry per model: takes m rows and returns its posterior means of shape
        (m, n_latents).

    active : list of array-like of bool of shape (n_latents,) or None, default=None
        Which latents of each model may be fixed and voted for. By default those with
        a standard deviation of at least 0.05 among `codes`.

    n_votes_train : int, default=1000
        Votes that the majority-vote classifier of each pair learns from.

    n_votes_eval : int, default=1000
        Fresh votes that its accuracy is measured on.

    n_rows_per_vote : int, default=100
        Rows of codes drawn for one vote, with replacement; each once if there are
        just as many.

    adjusted : bool, default=False
        If True, rescale each accuracy so that chance, one by the number of latents
        that may be fixed, becomes 0, and 1 stays 1. Settings with different numbers
        of active latents then compare. With one such latent it is 0.

    random_state : int, RandomState instance or None, default=None
        Determines rows, latents and values. Pass an int for the same score on every
        call (as far as `encode` and `decode` draw nothing themselves).

    Returns
    -------
    ModelCentrality
        Named tuple of ``mean``, ``per_model`` and ``pairwise``: the score of the
        setting, of each model, and of each pair in each direction, between 0 and 1
        unless `adjusted`. A model without an active latent scores 0. On rows of a
        model with a single one nothing can be learnt, and every model that they stir
        scores 1.

    Raises
    ------
    ValueError
        If there are fewer than two models, if the lists differ in length, if codes
        are not finite, or if what `encode` returns has another shape or is not finite.
    TypeError
        If an entry of `decode` or `encode` is not callable.

    See Also
    --------
    udr_score : Compares models on given rows, without their decoders.
    latent_consistency_score : The same vote within a single model.
    factor_vae_score : The same vote against known factors.

    Notes
    -----
    The authors' code draws latents from the prior; here they are rows of `codes`, so
    that decoders see what they were trained on, and latents that are correlated stay
    so. It rates the vote on the votes it was learnt from, with 1000 votes of 100 rows;
    here fresh ones, which chance does not flatter. The variance of each latent within
    a vote is divided by its variance over rows generated with nothing held fixed, of
    at most 16,384 codes; a latent whose standard deviation there is below 0.05 is
    never voted for.

    Every block of rows is decoded once and encoded by all the others. With M models
    that is ``M (n_votes_train + n_votes_eval) n_rows_per_vote`` rows to decode, and
    M - 1 times as many to encode.

    References
    ----------
    .. [1] Z. Lin, K. K. Thekumparampil, G. Fanti and S. Oh, "InfoGAN-CR and
       ModelCentrality: Self-supervised Model Training and Selection for Disentangling
       GANs", ICML 2020. https://arxiv.org/abs/1906.06034

    Examples
    --------
    The first model finds the two factors. The others turn them by 45 degrees, and
    outvote it:

    >>> import numpy as np
    >>> from skvae.metrics import factor_vae_score, model_centrality_score
    >>> factors = np.random.RandomState(0).uniform(size=(1000, 2))
    >>> turn = np.array([[1.0, -1.0], [1.0, 1.0]]) / np.sqrt(2)
    >>> models = [np.eye(2), turn, -turn[:, ::-1]]
    >>> codes = [factors @ model for model in models]
    >>> centrality = model_centrality_score(
    ...     codes,
    ...     decode=[lambda codes, model=model: codes @ model.T for model in models],
    ...     encode=[lambda rows, model=model: rows @ model for model in models],
    ...     random_state=0,
    ... )
    >>> centrality.pairwise.round(1)
    array([[nan, 0.5, 0.5],
           [0.5, nan, 1. ],
           [0.5, 1. , nan]])
    >>> int(centrality.per_model.argmin())
    0
    >>> [round(factor_vae_score(factors, c, random_state=0), 1) for c in codes]
    [1.0, 0.6, 0.6]
    """
    codes = check_codes_of_models(codes)
    _check_callables(decode, codes, "decode")
    _check_callables(encode, codes, "encode")
    active = check_active_of_models(active, codes)
    random_state = check_random_state(random_state)
    names = [f"encode[{i}]" for i in range(len(codes))]
    models = [
        _Model(*parts)
        for parts in zip(codes, active, decode, encode, names, strict=True)
    ]

    pairwise = np.full((len(models), len(models)), np.nan)
    for i, decoder in enumerate(models):
        pairwise[i, np.arange(len(models)) != i] = _scores_on_rows_of(
            decoder,
            models[:i] + models[i + 1 :],
            (n_votes_train, n_votes_eval),
            n_rows_per_vote,
            adjusted,
            random_state,
        )
    per_model = np.nanmean((pairwise + pairwise.T) / 2, axis=0)
    return ModelCentrality(float(per_model.mean()), per_model, pairwise)
