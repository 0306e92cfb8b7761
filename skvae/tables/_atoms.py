"""Values that a noticeable share of a column has: zeros, caps, codes."""

import numpy as np

# Columns of at most so many different numbers have nothing but atoms, if each of these
# is held by so many rows on average, and most of them by more than one.
_FEW, _ROWS_PER_VALUE = 20, 10
# How much commoner an atom is than the values next to it, and how many rows it has at
# least: fewer may do so by chance.
_STANDS_OUT, _FEWEST_ROWS = 3.0, 10
# Neighbours on either side that tell how common a value would be: enough that codes
# beside one another, such as -9, -8 and -7, do not make each other look usual.
_N_NEIGHBOURS = 5
# Other values that a continuous part has at least.
_LEAST_REST = 20


def atoms_of(numbers, min_share):
    """Return the values of a column that have a point mass.

    An atom is held by a noticeable share of the rows, and is several times commoner
    than most values next to it: 0 among amounts of money, but not 29 among ages. A
    column of a few different numbers has no other values.

    Parameters
    ----------
    numbers : ndarray of shape (n_samples,)
        Finite numbers.

    min_share : float or None
        Share of the rows that an atom has at least; None looks for none.

    Returns
    -------
    atoms : tuple of float
        Ascending.

    is_discrete : bool
        Whether the column has no other values.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.tables._atoms import atoms_of
    >>> amounts = np.random.default_rng(0).exponential(100, size=200).round(1)
    >>> amounts[:50] = 0.0
    >>> atoms_of(amounts, 0.02)
    ((0.0,), False)
    >>> atoms_of(np.repeat([1.0, 2.0, 3.0], 40), 0.02)
    ((1.0, 2.0, 3.0), True)
    """
    if min_share is None:
        return (), False
    values, counts = np.unique(numbers, return_counts=True)
    are_few = len(values) <= _FEW and len(numbers) >= _ROWS_PER_VALUE * len(values)
    if are_few and np.median(counts) > 1:
        return tuple(values.tolist()), True
    is_atom = counts >= max(min_share * len(numbers), _FEWEST_ROWS)
    places = np.flatnonzero(is_atom)
    usual = [_usual_count(counts, place) for place in places]
    is_atom[places] = counts[places] >= _STANDS_OUT * np.array(usual)
    is_rest = ~is_atom
    if is_rest.sum() < 2 or counts[is_rest].sum() < _LEAST_REST:
        return (), False
    return tuple(values[is_atom].tolist()), False


def _usual_count(counts, place):
    """Return how often the values next to one occur, as a median."""
    left = counts[max(place - _N_NEIGHBOURS, 0) : place]
    right = counts[place + 1 : place + 1 + _N_NEIGHBOURS]
    return np.median(np.append(left, right))
