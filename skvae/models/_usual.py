"""How far rows lie from what is usual, as a whole and from their neighbours."""

from dataclasses import dataclass

import numpy as np
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from skvae._core.chunking import row_chunks
from skvae._core.stored_types import Matrix, Vector
from skvae._core.storing import storable

# Steps in which the rows that lie out most are left out, as in FAST-MCD (Rousseeuw &
# van Driessen 1999).
_N_CONCENTRATIONS = 3
# Neighbours of a row, among so many: among more, groups of similar anomalies in the
# training rows would be neighbours to one another.
_N_NEIGHBOURS = 5
_MOST_NEIGHBOURS = 2_000
# Covariances and the search for neighbours take so many principal components at most.
_MOST_DIRECTIONS = 128
# What the whole counts beside the neighbours.
_WEIGHT = 0.5
# Coordinates that hardly vary count as if they varied by this share of the others, and
# rows that are all alike as if they varied by that share of those of other conditions.
_FLOOR, _LEAST = 0.1, 0.01
# Distances below this share of the spread in each coordinate count as that: copies of a
# row are not infinitely usual.
_CLOSE = 0.01
# A neighbour is the row itself where the squared distance is this share of its length,
# as far as a row that was written to a file comes back as it was.
_ITSELF = 1e-12
# Numbers that are worked on at once: 130 MB.
_NUMBERS = 2**24


@storable
@dataclass(frozen=True, eq=False)
class Whole:
    """Mean and covariance of rows.

    Parameters
    ----------
    mean : ndarray of shape (n_directions,)
        Their mean.

    precision : ndarray of shape (n_directions, n_directions)
        The inverse of their covariance.

    directions : ndarray of shape (width, n_directions) or None
        What rows are projected on.
    """

    mean: Vector
    precision: Matrix
    directions: Matrix | None

    @classmethod
    def of(cls, projected, least, directions):
        """Return those of projected rows; they spread at least so much everywhere."""
        found = LedoitWolf().fit(projected)
        covariance = found.covariance_ + least**2 * np.eye(len(found.covariance_))
        return cls(found.location_, np.linalg.inv(covariance), directions)

    def distances(self, rows):
        """Return squared Mahalanobis distances of rows to the mean."""
        from_mean = _projected(rows, self.directions) - self.mean
        return np.maximum((from_mean @ self.precision * from_mean).sum(axis=1), 0)


@storable
@dataclass(eq=False)
class Usual:
    """What is usual of some rows, and how far others lie from it.

    The anomaly of a row is log K + log(M) / 2. K is the mean squared distance to its
    nearest neighbours, each coordinate in units of its spread; M the squared
    Mahalanobis distance to the mean, under a shrunk covariance (Ledoit & Wolf 2004).
    One looks close by, the other at the whole; logarithms of the two need no units.

    Parameters
    ----------
    centre : ndarray of shape (width,)
        What is taken off rows first.

    whole : Whole
        Mean and covariance of the usual rows.

    scale : ndarray of shape (width,)
        Their spread.

    rows : ndarray of shape (n_rows, width)
        Those that may be neighbours, centred and scaled.

    directions : ndarray of shape (width, n_directions) or None
        What these are projected on to find neighbours.
    """

    centre: Vector
    whole: Whole
    scale: Vector
    rows: Matrix
    directions: Matrix | None

    @classmethod
    def of(cls, rows, trimmed_fraction, is_one_scale, overall, seed):
        """Return what is usual of some rows, most of which are.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, width)
            The rows.

        trimmed_fraction : float
            Share of them that may be anomalies. The rest is found by concentration
            steps: the rows that lie out most are left out, and the covariance is taken
            anew.

        is_one_scale : bool
            Whether all coordinates have the same units, as pixels have, and are to be
            left in these.

        overall : float
            Spread of rows of any condition, the mean over coordinates.

        seed : int
            Determines which rows may be neighbours.

        Returns
        -------
        usual : Usual
            At most 2,000 of the rows may be neighbours.
        """
        # Products of matrices are exact to the size of what they multiply.
        centre = np.median(rows, axis=0)
        rows = rows - centre
        n_usual = max(len(rows) - int(trimmed_fraction * len(rows)), 2)
        whole, usual = _whole_of(rows, n_usual, _LEAST * overall, seed)
        own = overall_spread(rows[usual])
        scale = own if is_one_scale else rows[usual].std(axis=0) + _FLOOR * own
        scale = np.maximum(np.broadcast_to(scale, centre.shape), _LEAST * overall)
        drawn = np.random.default_rng(seed).permutation(usual)[:_MOST_NEIGHBOURS]
        drawn = rows[drawn] / scale
        return cls(centre, whole, scale, drawn, _directions(drawn, seed))

    def __post_init__(self):
        n_neighbours = min(_N_NEIGHBOURS + 1, len(self.rows))
        self.neighbours = NearestNeighbors(n_neighbors=n_neighbours)
        self.neighbours.fit(_projected(self.rows, self.directions))

    def anomaly(self, rows):
        """Return how far rows lie from what is usual.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, width)
            Rows to judge.

        Returns
        -------
        anomaly : ndarray of shape (n_rows,)
            log K + log(M) / 2.
        """
        rows = rows - self.centre
        from_others = np.empty(len(rows))
        n_rows = max(_NUMBERS // (self.neighbours.n_neighbors * len(self.scale)), 1)
        for chunk in row_chunks(len(rows), n_rows):
            from_others[chunk] = self._from_others(rows[chunk] / self.scale)
        from_whole = self.whole.distances(rows)
        least = _CLOSE**2 * len(self.scale)
        return np.log(from_others + least) + _WEIGHT * np.log(from_whole + least)

    def _from_others(self, rows):
        """Return mean squared distances to the nearest neighbours."""
        directed = _projected(rows, self.directions)
        _, neighbours = self.neighbours.kneighbors(directed)
        # Anew, since products of matrices are exact to the size of the values only.
        squares = ((rows[:, None] - self.rows[neighbours]) ** 2).sum(axis=2)
        # A training row is its own neighbour, which does not count.
        is_itself = squares[:, 0] <= _ITSELF * (rows**2).sum(axis=1)
        squares[is_itself, 0] = squares[is_itself, -1]
        return squares[:, :-1].mean(axis=1)


def overall_spread(rows):
    """Return the standard deviation of rows, as a mean over coordinates."""
    return np.sqrt(rows.var(axis=0).mean())


def _whole_of(rows, n_usual, least, seed):
    """Return mean and covariance of the usual among some rows, and which these are."""
    directions = _directions(rows, seed)
    projected, usual = _projected(rows, directions), np.arange(len(rows))
    for _ in range(_N_CONCENTRATIONS if n_usual < len(rows) else 1):
        whole = Whole.of(projected[usual], least, directions)
        usual = np.argsort(whole.distances(rows), kind="stable")[:n_usual]
    return whole, usual


def _directions(rows, seed):
    """Return what wide rows are projected on; None leaves others as they are."""
    n_directions = min(_MOST_DIRECTIONS, len(rows))
    if rows.shape[1] <= n_directions:
        return None
    pca = PCA(n_directions, svd_solver="randomized", random_state=seed)
    return pca.fit(rows).components_.T


def _projected(rows, directions):
    return rows if directions is None else rows @ directions
