"""The gap between the best code and the runner-up."""

import numpy as np


def mean_gap(scores):
    """Mean over columns of the gap between the largest number and the next.

    A single number has a gap to 0, and no number has none.

    Parameters
    ----------
    scores : ndarray of shape (n_rivals, n_columns)

    Returns
    -------
    float
    """
    if scores.size == 0:
        return 0.0
    ranked = np.sort(np.vstack([scores, np.zeros(scores.shape[1])]), axis=0)
    return float(np.mean(ranked[-1] - ranked[-2]))
