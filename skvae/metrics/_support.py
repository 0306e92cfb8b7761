"""How far codes lie outside of those of the data."""

from numbers import Integral

import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval, validate_params

# Rows whose own distances tell what is usual: a share is known to 0.01 by then.
_N_USUAL = 2000


@validate_params(
    {
        "codes": ["array-like"],
        "new_codes": ["array-like"],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def support_score(codes, new_codes, *, n_neighbors=10, random_state=0):
    """Return how far each of some new codes lies outside of the data's.

    The score of a code is the share of the data whose distance to their own
    neighbours is at least as large as its distance to its neighbours in the data: a
    conformal p-value [1]_. It is spread evenly over (0, 1] for codes that come from
    where the data come from, and close to 0 for codes from elsewhere.

    Parameters
    ----------
    codes : array-like of shape (n_samples, n_latents)
        Codes of the data, finite.

    new_codes : array-like of shape (n_new, n_latents)
        The codes to score.

    n_neighbors : int, default=10
        Distances are to the neighbour of this rank, or to the farthest where the data
        have fewer.

    random_state : int, RandomState instance or None, default=0
        Determines which 2,000 rows of larger data tell what distance is usual.

    Returns
    -------
    support : ndarray of shape (n_new,)
        In (0, 1]. Below 0.05 a code lies farther out than 95 of 100 rows of the data.

    Raises
    ------
    ValueError
        If there are fewer than two codes, or the numbers of latents differ.

    See Also
    --------
    latent_shift : How far two sets of codes lie apart.

    Notes
    -----
    Latents count alike in the Euclidean distance, so leave out those that carry
    nothing. The score says whether a model has seen codes like these, not whether
    rows decoded from them are true.

    References
    ----------
    .. [1] Bates, S., Candès, E., Lei, L., Romano, Y. & Sesia, M. (2023). Testing for
       outliers with conformal p-values. Annals of Statistics 51(1), 149-178, eq. 2.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import support_score
    >>> codes = np.random.RandomState(0).normal(size=(500, 2))
    >>> support_score(codes, [[0.0, 0.0], [2.0, 2.0], [6.0, 0.0]]).round(2)
    array([0.88, 0.01, 0.  ])
    """
    codes = check_array(codes, ensure_min_samples=2, input_name="codes")
    new_codes = check_array(new_codes, input_name="new_codes")
    if codes.shape[1] != new_codes.shape[1]:
        raise ValueError(
            f"Got new_codes of {new_codes.shape[1]} latents; expected as many as codes "
            f"have, {codes.shape[1]}."
        )
    rank = min(n_neighbors, len(codes) - 1)
    neighbours = NearestNeighbors(n_neighbors=rank).fit(codes)
    usual = _own_distances(codes, rank, check_random_state(random_state))
    distances = neighbours.kneighbors(new_codes)[0][:, -1]
    at_least = len(usual) - np.searchsorted(usual, distances, side="left")
    return (1 + at_least) / (1 + len(usual))


def _own_distances(codes, rank, random_state):
    """Return, sorted, how far rows of the data are from their neighbours."""
    rows = random_state.permutation(len(codes))[:_N_USUAL]
    # A row is its own nearest neighbour, and does not count.
    neighbours = NearestNeighbors(n_neighbors=rank + 1).fit(codes)
    return np.sort(neighbours.kneighbors(codes[rows])[0][:, -1])
