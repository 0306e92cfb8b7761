"""The majority-vote classifier of the FactorVAE metric."""

import numpy as np


def majority_vote_accuracy(train_votes, eval_votes):
    """Train the classifier on one table of votes, and rate it on both.

    The classifier maps each code to the factor that most training votes with this
    code had fixed (Kim & Mnih 2018, section 4). Ties go to the lowest factor.

    Parameters
    ----------
    train_votes, eval_votes : ndarray of shape (n_codes, n_factors), of int
        How often code j was voted for while factor k was fixed.

    Returns
    -------
    train_accuracy, eval_accuracy : float
    """
    every_code = np.arange(len(train_votes))
    predicted_factor = train_votes.argmax(axis=1)
    train_hits = train_votes[every_code, predicted_factor].sum()
    eval_hits = eval_votes[every_code, predicted_factor].sum()
    return float(train_hits / train_votes.sum()), float(eval_hits / eval_votes.sum())
