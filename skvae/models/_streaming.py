"""Training on rows that come from a stream."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from skvae._core.errors import StreamError
from skvae.tables import TableStream
from skvae.training import MatrixStream

# Share of the sample that is held out at most: 65,536 rows.
_MOST_HELD_OUT = 0.25


def rows_to_learn_from(X, condition):
    """Return rows that tell what columns hold, and what else there is to train on.

    Parameters
    ----------
    X : DataFrame, array-like or TableStream
        What `fit` was given.

    condition : object
        The condition beside it, None if there is none.

    Returns
    -------
    X : DataFrame or array-like
        The rows: of a stream that is short enough, all of them.

    stream : TableStream or None
        Where all rows come from, if `X` is not all of them.

    Raises
    ------
    ValueError
        If there is a condition beside a stream.

    StreamError
        If the stream cannot be read.
    """
    if not isinstance(X, TableStream):
        return X, None
    if condition is not None:
        raise ValueError(
            "Got a condition beside a TableStream; expected condition=None, and the "
            "condition in columns of the stream, named by condition_columns."
        )
    survey = X.survey()
    if survey.is_whole:
        return survey.rows, None
    return survey.learning_rows, X


@dataclass(frozen=True)
class EncodedPieces:
    """The rows of a stream encoded, but for those that are held out.

    Parameters
    ----------
    stream : TableStream
        The rows.

    encode : callable
        Given rows and the seed of what is drawn, returns the encoded matrix.

    seed : int
        Seed of everything random.

    aside : ndarray of shape (n_held_out,)
        Positions of the rows that are left out, ascending.
    """

    stream: TableStream
    encode: Callable
    seed: int
    aside: np.ndarray

    def __call__(self, random_state) -> Iterator[np.ndarray]:
        """Yield encoded rows, parts of the stream in an order that is drawn."""
        for start, rows in self.stream.pieces(random_state):
            first, last = np.searchsorted(self.aside, [start, start + len(rows)])
            kept = np.delete(np.arange(len(rows)), self.aside[first:last] - start)
            if len(kept):
                # Ties are spread alike in every epoch.
                seed = [self.seed, start % 2**32]
                yield self._encoded(rows.take(kept, axis=0), start, seed)

    def _encoded(self, rows, start, seed):
        try:
            return self.encode(rows, seed)
        except ValueError as error:
            raise StreamError(
                f"Rows from {start:,} on, of the stream: {error}"
            ) from error


def encoded_stream(stream, sample, encode, validation_fraction, seed) -> MatrixStream:
    """Return the encoded rows of a stream.

    Parameters
    ----------
    stream : TableStream
        The rows.

    sample : ndarray of shape (n_sampled, width)
        Some of them, encoded.

    encode : callable
        Given rows and the seed of what is drawn, returns the encoded matrix.

    validation_fraction : float
        Share of the rows that is held out; 0 holds out none.

    seed : int
        Seed of everything random.

    Returns
    -------
    rows : MatrixStream
        To train on.
    """
    survey = stream.survey()
    wanted = round(validation_fraction * survey.n_rows)
    n_held_out = min(wanted, int(_MOST_HELD_OUT * len(survey.rows)))
    order = np.random.RandomState(seed).permutation(len(survey.rows))
    chosen = np.sort(order[:n_held_out])
    aside = survey.positions[chosen]
    held_out = sample[:0]
    if n_held_out:
        held_out = encode(survey.rows.take(chosen, axis=0), seed)
    pieces = EncodedPieces(stream, encode, seed, aside)
    return MatrixStream(survey.n_rows - n_held_out, pieces, held_out, sample)
