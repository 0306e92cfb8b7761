"""How far rows lie from what is usual, as a whole and from their neighbours."""

import numpy as np
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from skvae._core.chunking import row_chunks

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
# Coordinates that hardly vary count as if they varied by this share of the others.
_FLOOR = 0.1
# A neighbour is the row itself where the squared distance is this share of its length,
# as far as a row that was written to a file comes back as it was.
_ITSELF = 1e-10
# What keeps logarithms finite.
_SMALLEST = 1e-12
# Numbers that are worked on at once: 130 MB.
_NUMBERS = 2**24


class Usual:
    """What is usual of some rows, and how far others lie from it.

    The anomaly of a row is log K + log(M) / 2. K is the mean squared distance to its
    nearest neighbours, each coordinate in units of its spread; M the squared
    Mahalanobis distance to the mean, under a shrunk covariance (Ledoit & Wolf 2004).
    One looks close by, the other at the whole; logarithms of the two need no units.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, width)
        Rows of which most are usual.

    trimmed_fraction : float
        Share of them that may be anomalies. The rest is found by concentration steps:
        the rows that lie out most are left out, and the covariance is taken anew.

    is_one_scale : bool
        Whether all coordinates have the same units, as pixels have, and are to be left
        in these.

    seed : int
        Determines which rows may be neighbours.
    """

    def __init__(self, rows, trimmed_fraction, is_one_scale, seed):
        self.directions = _directions(rows, seed)
        projected = rows @ self.directions
        n_usual = len(rows) - int(trimmed_fraction * len(rows))
        usual = np.arange(len(rows))
        for _ in range(_N_CONCENTRATIONS if n_usual < len(rows) else 1):
            self.whole = LedoitWolf().fit(projected[usual])
            usual = np.argsort(self._from_whole(projected), kind="stable")[:n_usual]
        spread = rows[usual].std(axis=0)
        overall = np.sqrt((spread**2).mean())
        self.scale = overall if is_one_scale else spread + _FLOOR * overall
        drawn = np.random.default_rng(seed).permutation(usual)[:_MOST_NEIGHBOURS]
        self.rows = rows[drawn] / self.scale
        n_neighbours = min(_N_NEIGHBOURS + 1, len(drawn))
        self.neighbours = NearestNeighbors(n_neighbors=n_neighbours)
        self.neighbours.fit(self.rows @ self.directions)

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
        from_others = np.empty(len(rows))
        n_rows = max(_NUMBERS // (self.neighbours.n_neighbors * rows.shape[1]), 1)
        for chunk in row_chunks(len(rows), n_rows):
            from_others[chunk] = self._from_others(rows[chunk] / self.scale)
        from_whole = self._from_whole(rows @ self.directions)
        return np.log(from_others + _SMALLEST) + _WEIGHT * np.log(
            from_whole + _SMALLEST
        )

    def _from_whole(self, projected):
        """Return squared Mahalanobis distances to the mean."""
        from_mean = projected - self.whole.location_
        return np.maximum((from_mean @ self.whole.precision_ * from_mean).sum(1), 0)

    def _from_others(self, rows):
        """Return mean squared distances to the nearest neighbours."""
        _, neighbours = self.neighbours.kneighbors(rows @ self.directions)
        # Anew, since products of matrices are exact to the size of the values only.
        squares = ((rows[:, None] - self.rows[neighbours]) ** 2).sum(axis=2)
        # A training row is its own neighbour, which does not count.
        is_itself = squares[:, 0] <= _ITSELF * (1 + (rows**2).sum(axis=1))
        squares[is_itself, 0] = squares[is_itself, -1]
        return squares[:, :-1].mean(axis=1)


def _directions(rows, seed):
    """Return what rows are projected on: nothing less than all, but for wide rows."""
    width, n_directions = rows.shape[1], min(_MOST_DIRECTIONS, len(rows))
    if width <= n_directions:
        return np.eye(width)
    pca = PCA(n_directions, svd_solver="randomized", random_state=seed)
    return pca.fit(rows).components_.T
