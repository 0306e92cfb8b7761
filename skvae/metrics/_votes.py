"""Votes for the code that varies least, and the classifier that learns from them."""

import numpy as np

from skvae._core.chunking import row_chunks

# Rows in one call of decode and encode: enough to keep a network busy, and a
# decoded table of a few hundred columns still fits in memory with ease.
ROWS_PER_CALL = 2**14


def fixed_latent_blocks(codes, candidates, n_votes, n_rows_per_vote, random_state):
    """Yield blocks of rows of codes, in each of which one candidate is held fixed.

    Each item is an array of shape (votes, rows, latents), and for each of its votes
    which of the candidates is fixed, at its value in a random row. Rows are drawn,
    unless a vote takes as many as there are: then it has each once.
    """
    n_rows = len(codes)
    for chunk in row_chunks(n_votes, max(1, ROWS_PER_CALL // n_rows_per_vote)):
        n_votes_now = chunk.stop - chunk.start
        fixed = random_state.randint(len(candidates), size=n_votes_now)
        donor = random_state.randint(n_rows, size=n_votes_now)
        if n_rows_per_vote == n_rows:
            blocks = np.tile(codes, (n_votes_now, 1, 1))
        else:
            shape = (n_votes_now, n_rows_per_vote)
            blocks = codes[random_state.randint(n_rows, size=shape)]
        latent = candidates[fixed]
        blocks[np.arange(n_votes_now), :, latent] = codes[donor, latent][:, None]
        yield blocks, fixed


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
