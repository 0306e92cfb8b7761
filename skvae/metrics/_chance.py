"""What a score reaches by chance, and how far above it a score is."""

import numpy as np

# The chance of 200 rows then moves by less than 0.01 with the seed.
N_SHUFFLES = 20


def above_chance(score, chance):
    """Rescale `score` so that `chance` becomes 0 and 1 stays 1.

    Where chance alone reaches 1, nothing can be above it: that is 0.
    """
    if chance == 1.0:
        return 0.0
    return (score - chance) / (1.0 - chance)


def chance_by_shuffling(score, levels, random_state):
    """Mean of `score(levels)` over tables `levels` whose rows are shuffled.

    All factors of a row move together, so that what factors tell of one another, and
    what codes tell of one another, stays; only what codes tell of factors goes.

    Parameters
    ----------
    score : callable
        Takes an array like `levels`, returns a float.
    levels : ndarray of shape (n_rows, n_factors)
    random_state : RandomState instance

    Returns
    -------
    float
    """
    return float(
        np.mean(
            [
                score(levels[random_state.permutation(len(levels))])
                for _ in range(N_SHUFFLES)
            ]
        )
    )
