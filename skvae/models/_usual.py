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

    overall : float
        Spread of rows of any condition, the mean over coordinates.

    seed : int
        Determines which rows may be neighbours.
    """

    def __init__(self, rows, trimmed_fraction, is_one_scale, overall, seed):
        # Products of matrices are exact to the size of what they multiply.
        self.centre = np.median(rows, axis=0)
        rows = rows - self.centre
        self.width = rows.shape[1]
        self.of_whole = _directions(rows, seed)
        projected = _projected(rows, self.of_whole)
        n_usual = max(len(rows) - int(trimmed_fraction * len(rows)), 2)
        usual = np.arange(len(rows))
        for _ in range(_N_CONCENTRATIONS if n_usual < len(rows) else 1):
            self._learn_whole(projected[usual], _LEAST * overall)
            usual = np.argsort(self._from_whole(projected), kind="stable")[:n_usual]
        spread = rows[usual].std(axis=0)
        own = overall_spread(rows[usual])
        scale = own if is_one_scale else spread + _FLOOR * own
        self.scale = np.maximum(scale, _LEAST * overall)
        drawn = np.random.default_rng(seed).permutation(usual)[:_MOST_NEIGHBOURS]
        self.rows = rows[drawn] / self.scale
        self.of_neighbours = _directions(self.rows, seed)
        self.neighbours = NearestNeighbors(
            n_neighbors=min(_N_NEIGHBOURS + 1, len(drawn))
        ).fit(_projected(self.rows, self.of_neighbours))

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
        n_rows = max(_NUMBERS // (self.neighbours.n_neighbors * self.width), 1)
        for chunk in row_chunks(len(rows), n_rows):
            from_others[chunk] = self._from_others(rows[chunk] / self.scale)
        from_whole = self._from_whole(_projected(rows, self.of_whole))
        least = _CLOSE**2 * self.width
        return np.log(from_others + least) + _WEIGHT * np.log(from_whole + least)

    def _learn_whole(self, projected, least):
        """Learn mean and covariance, its spread at least `least` in any direction."""
        whole = LedoitWolf().fit(projected)
        covariance = whole.covariance_ + least**2 * np.eye(len(whole.covariance_))
        self.mean, self.precision = whole.location_, np.linalg.inv(covariance)

    def _from_whole(self, projected):
        """Return squared Mahalanobis distances to the mean."""
        from_mean = projected - self.mean
        return np.maximum((from_mean @ self.precision * from_mean).sum(axis=1), 0)

    def _from_others(self, rows):
        """Return mean squared distances to the nearest neighbours."""
        directed = _projected(rows, self.of_neighbours)
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


def _directions(rows, seed):
    """Return what wide rows are projected on; None leaves others as they are."""
    n_directions = min(_MOST_DIRECTIONS, len(rows))
    if rows.shape[1] <= n_directions:
        return None
    pca = PCA(n_directions, svd_solver="randomized", random_state=seed)
    return pca.fit(rows).components_.T


def _projected(rows, directions):
    return rows if directions is None else rows @ directions
