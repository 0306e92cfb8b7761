"""Latent consistency: does a fixed latent survive decoding and encoding?"""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions, validate_params
from sklearn.utils.validation import check_array

from skvae._core.html_table import html_table
from skvae.metrics._validation import MIN_STD, active_dimensions, check_codes
from skvae.metrics._votes import fixed_latent_blocks, majority_vote_accuracy

_DEFAULT_ROWS_PER_RUN = 256


class LatentConsistency(NamedTuple):
    """What :func:`latent_consistency_score` returns.

    Parameters
    ----------
    train_accuracy : float
        Accuracy of the majority vote on the runs it was learnt from.

    eval_accuracy : float
        Its accuracy on fresh runs.
    """

    train_accuracy: float
    eval_accuracy: float

    def _repr_html_(self):
        rows = [("those learnt from", self[0]), ("fresh ones", self[1])]
        return html_table("Latent consistency, at most 1", ["runs", "accuracy"], rows)


def _check_active(active, protocol, codes, min_std):
    """Indices of the latents that may be fixed and voted for."""
    n_codes = codes.shape[1]
    if protocol == "thesis":
        if active is not None:
            raise ValueError(
                "protocol='thesis' fixes every latent; expected active=None, got "
                f"{active!r}."
            )
        return np.arange(n_codes)
    if active is None:
        return np.flatnonzero(active_dimensions(codes, min_std))
    active = np.asarray(active)
    if active.dtype != bool or active.shape != (n_codes,):
        raise ValueError(
            f"Expected active as a boolean mask of shape ({n_codes},), got dtype "
            f"{active.dtype} and shape {active.shape}."
        )
    return np.flatnonzero(active)


def _re_encode(rows, decode, encode):
    """Send rows of codes through the decoder and back."""
    encoded = check_array(
        encode(decode(rows)), dtype=np.float64, input_name="encode(decode(codes))"
    )
    if encoded.shape != rows.shape:
        raise ValueError(
            f"Expected encode(decode(codes)) of shape {rows.shape} for codes of that "
            f"shape, got {encoded.shape}."
        )
    return encoded


def _count_votes(
    codes, candidates, decode, encode, n_runs, n_rows_per_run, random_state
):
    """Table of votes over the candidates: (stillest latent, fixed latent)."""
    global_variance = codes.var(axis=0, ddof=1)[candidates]
    votes = np.zeros((len(candidates), len(candidates)), dtype=np.int64)
    for blocks, fixed in fixed_latent_blocks(
        codes, candidates, n_runs, n_rows_per_run, random_state
    ):
        encoded = _re_encode(blocks.reshape(-1, codes.shape[1]), decode, encode)
        encoded = encoded.reshape(blocks.shape)[:, :, candidates]
        local_variance = encoded.var(axis=1, ddof=1)
        # A latent that does not vary among the codes is never the stillest.
        ratio = np.full_like(local_variance, np.inf)
        np.divide(local_variance, global_variance, out=ratio, where=global_variance > 0)
        np.add.at(votes, (ratio.argmin(axis=1), fixed), 1)
    return votes


@validate_params(
    {
        "codes": ["array-like"],
        "decode": [callable],
        "encode": [callable],
        "protocol": [StrOptions({"means", "thesis"})],
        "active": ["array-like", None],
        "n_runs_train": [Interval(Integral, 1, None, closed="left")],
        "n_runs_eval": [Interval(Integral, 1, None, closed="left")],
        "n_rows_per_run": [
            Interval(Integral, 2, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "min_std": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def latent_consistency_score(
    codes,
    decode,
    encode,
    *,
    protocol="means",
    active=None,
    n_runs_train=1000,
    n_runs_eval=1000,
    n_rows_per_run="auto",
    min_std=MIN_STD,
    random_state=None,
):
    """Tell from re-encoded rows which latent was held fixed.

    Fix one latent of many encoded rows at the value of a random row, decode, encode
    again, and look which latent varies least. The score is the accuracy with which a
    majority vote tells from this latent which one was fixed. No known factors are
    needed. [1]_ calls it the second variant of the FactorVAE metric.

    **It cannot see whether the latents are the factors.** It measures how well a
    code survives a round trip, which is necessary for disentanglement and far from
    sufficient: a rotated code, each latent of which mixes all factors, scores 1 as
    well, as the example shows. So does any invertible model. Read it beside
    :func:`total_correlation`, and beside :func:`factor_vae_score` or
    :func:`mig_score` where factors are known.

    Parameters
    ----------
    codes : array-like of shape (n_rows, n_latents)
        The encoded table: posterior means, or draws if ``protocol="thesis"``.

    decode : callable
        Takes an array of codes of shape (m, n_latents) and returns what `encode`
        takes, as a rule the mean of the decoded rows.

    encode : callable
        Takes what `decode` returns and gives back codes of shape (m, n_latents):
        posterior means, or draws from the posterior if ``protocol="thesis"``.

    protocol : {"means", "thesis"}, default="means"
        With "means", only active latents are fixed and voted for. With "thesis", the
        procedure is listing C.3 of [1]_ to the letter: every run sends all rows
        through, any latent may be fixed, dead ones too, and the vote is on draws from
        the posterior. The caller sees to the last by an `encode` that draws, and by
        `codes` that are draws, since the global variances are those of `codes`.

    active : array-like of bool of shape (n_latents,) or None, default=None
        Which latents are active. By default those with a standard deviation of
        `codes` of at least `min_std`. Not allowed with ``protocol="thesis"``.

    n_runs_train : int, default=1000
        Runs that the majority-vote classifier learns from.

    n_runs_eval : int, default=1000
        Fresh runs that its accuracy is measured on.

    n_rows_per_run : int or "auto", default="auto"
        Rows sent through in one run, drawn with replacement. "auto" is 256, or all
        rows, each once, if ``protocol="thesis"``. A number as large as `codes` has
        rows means all rows, each once.

    min_std : float, default=0.05
        See `active`.

    random_state : int, RandomState instance or None, default=None
        Determines rows, latents and values. Pass an int for the same score on every
        call (as far as `encode` and `decode` draw nothing themselves).

    Returns
    -------
    LatentConsistency
        Named tuple of ``train_accuracy`` and ``eval_accuracy``, between 0 and 1. Both
        are 0 without an active latent, and 1 with a single one, of which nothing can
        be learnt. Chance is one by the number of latents that may be fixed.

    Raises
    ------
    ValueError
        If codes are not finite, or if what comes back has another shape or is not
        finite.

    See Also
    --------
    factor_vae_score : The score with known factors, which sees rotations.

    Notes
    -----
    The variance of each latent within a run is divided by its variance over all rows
    of `codes`, both with ``ddof=1``. A latent whose codes do not vary at all is never
    voted for. Several runs share a call of `decode` and `encode`.

    References
    ----------
    .. [1] W. Hu, "Variational Autoencoders for Discovering Influential Latent
       Factors", MEng thesis, Massachusetts Institute of Technology, 2022, section 5.1
       and listing C.3.

    Examples
    --------
    Two factors, and a model that returns them turned by 45 degrees. It is as
    entangled as can be, and this score does not notice:

    >>> import numpy as np
    >>> from skvae.metrics import factor_vae_score, latent_consistency_score
    >>> factors = np.random.RandomState(0).uniform(size=(1000, 2))
    >>> rotation = np.array([[1.0, -1.0], [1.0, 1.0]]) / np.sqrt(2)
    >>> codes = factors @ rotation
    >>> latent_consistency_score(
    ...     codes,
    ...     decode=lambda codes: codes @ rotation.T,
    ...     encode=lambda rows: rows @ rotation,
    ...     random_state=0,
    ... )
    LatentConsistency(train_accuracy=1.0, eval_accuracy=1.0)

    The score that knows the factors does:

    >>> factor_vae_score(factors, factors, random_state=0)
    1.0
    >>> factor_vae_score(factors, codes, random_state=0) < 0.7
    True
    """
    codes = check_codes(codes)
    random_state = check_random_state(random_state)
    candidates = _check_active(active, protocol, codes, min_std)
    if len(candidates) == 0:
        return LatentConsistency(0.0, 0.0)
    if n_rows_per_run == "auto":
        n_rows_per_run = len(codes) if protocol == "thesis" else _DEFAULT_ROWS_PER_RUN
    n_rows_per_run = min(n_rows_per_run, len(codes))
    train_votes, eval_votes = (
        _count_votes(
            codes, candidates, decode, encode, n_runs, n_rows_per_run, random_state
        )
        for n_runs in (n_runs_train, n_runs_eval)
    )
    return LatentConsistency(*majority_vote_accuracy(train_votes, eval_votes))
