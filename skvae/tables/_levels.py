"""Columns of categories: strings, codes, ordered levels."""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from skvae._core.storing import storable
from skvae.tables._column import Column

# Levels beyond the commonest so many share one column of the matrix.
_MOST_LEVELS = 100
MISSING, UNSEEN = -1, -2


@storable
@dataclass(frozen=True)
class Levels(Column):
    """A column of categories.

    Parameters
    ----------
    name : object
        What the column is called.

    dtype : object
        The dtype of its cells.

    missing_share : float, default=0.0
        Share of the cells that were missing.

    levels : tuple, default=()
        The levels that training saw, in the order of a categorical dtype or sorted.

    rare : tuple, default=()
        Levels that share one place behind those, where there are very many.

    rare_shares : tuple of float, default=()
        How often each of the rare ones occurs among them.

    is_ordered : bool, default=False
        Whether their order means something.
    """

    levels: tuple = ()
    rare: tuple = ()
    rare_shares: tuple[float, ...] = ()
    is_ordered: bool = False

    @classmethod
    def of(cls, name, values: pd.Series) -> "Levels":
        """Read the levels off the cells of training rows.

        Parameters
        ----------
        name : object
            What the column is called.

        values : Series of shape (n_samples,)
            The cells.

        Returns
        -------
        column : Levels
            With its levels, the rarest of very many pooled.

        Raises
        ------
        ValueError
            If a cell is not hashable.
        """
        positions, found = _factorized(name, values)
        dtype = values.dtype
        levels = _in_order(found, dtype)
        is_ordered = isinstance(dtype, pd.CategoricalDtype) and bool(dtype.ordered)
        share = float(np.mean(positions < 0)) if len(positions) else 0.0
        if len(levels) <= _MOST_LEVELS:
            return cls(name, dtype, share, tuple(levels), is_ordered=is_ordered)
        counts = dict(zip(found, np.bincount(positions[positions >= 0]), strict=True))
        common = set(sorted(levels, key=counts.get, reverse=True)[: _MOST_LEVELS - 1])
        rare = [level for level in levels if level not in common]
        of_rare = np.array([counts[level] for level in rare])
        return cls(
            name,
            dtype,
            share,
            tuple(level for level in levels if level in common),
            tuple(rare),
            tuple((of_rare / of_rare.sum()).tolist()),
        )

    @property
    def kind(self) -> str:
        """Whether the order of the levels means something."""
        return "ordinal" if self.is_ordered else "categorical"

    @property
    def group(self) -> str:
        """The kind of group that it is modelled in."""
        return self.kind

    @property
    def width(self) -> int:
        """One column for each level, and one for all rare ones."""
        return len(self.levels) + bool(self.rare)

    @property
    def holds(self) -> str:
        """Some of the levels."""
        shown = " < " if self.is_ordered else ", "
        text = shown.join(map(str, self.levels[:6]))
        more = len(self.levels) + len(self.rare) - 6
        return f"{text} and {more} more" if more > 0 else text

    def lists(self, level) -> bool:
        """Whether a level that training never saw is one of the column's dtype.

        Parameters
        ----------
        level : object
            The level.

        Returns
        -------
        is_listed : bool
            True if the dtype is categorical and has it.
        """
        is_category = isinstance(self.dtype, pd.CategoricalDtype)
        return is_category and level in self.dtype.categories

    def codes(self, values: pd.Series) -> tuple[np.ndarray, list]:
        """Return the number of each cell's level, and levels that training never saw.

        Parameters
        ----------
        values : Series of shape (n_samples,)
            The cells.

        Returns
        -------
        codes : ndarray of shape (n_samples,)
            From 0 to `width` - 1, -1 where missing, -2 where never seen.

        unseen : list
            The levels never seen.
        """
        code_of = {level: code for code, level in enumerate(self.levels)}
        code_of |= dict.fromkeys(self.rare, len(self.levels))
        positions, found = _factorized(self.name, values)
        codes = [code_of.get(level, UNSEEN) for level in found]
        unseen = [level for level in found if level not in code_of]
        # A missing cell has position -1, and so the last of these.
        return np.array([*codes, MISSING])[positions], unseen

    def cells(self, codes: np.ndarray, random_state=None) -> pd.Series:
        """Return levels as cells of the column's own dtype.

        Parameters
        ----------
        codes : ndarray of shape (n_samples,)
            Numbers of levels, -1 for missing cells.

        random_state : RandomState or None, default=None
            Draws the rare levels; without one, the commonest of them stands for all.

        Returns
        -------
        cells : Series of shape (n_samples,)
            Of the dtype that fit saw.
        """
        if self.rare:
            codes = self._with_rare(codes, random_state)
        levels = [*self.levels, *self.rare]
        if isinstance(self.dtype, pd.CategoricalDtype):
            places = [*self.dtype.categories.get_indexer(levels), -1]
            places = np.array(places)[codes]
            return pd.Series(pd.Categorical.from_codes(places, dtype=self.dtype))
        values = pd.Series([*levels, None], dtype=object)
        present = codes != MISSING
        if present.all():
            values = values.iloc[:-1]
        return self.cast(values).take(codes).reset_index(drop=True)

    def _with_rare(self, codes, random_state):
        is_rare = codes == len(self.levels)
        if random_state is None:
            drawn = np.argmax(self.rare_shares)
        else:
            n_rare = len(self.rare)
            drawn = random_state.choice(n_rare, is_rare.sum(), p=self.rare_shares)
        codes = codes.copy()
        codes[is_rare] += drawn
        return codes


def _factorized(name, values):
    """Return the number of each cell's level, -1 if missing, and the levels."""
    try:
        positions, found = pd.factorize(values)
    except TypeError as error:
        wrong = next((v for v in values if not isinstance(v, Hashable)), values.iloc[0])
        raise ValueError(
            f"Column {name!r} holds values that are not hashable, such as {wrong!r}; "
            "expected strings, numbers, booleans or categories."
        ) from error
    return positions, list(found)


def _in_order(levels, dtype):
    """Return levels in the order of a categorical dtype, or else sorted."""
    if isinstance(dtype, pd.CategoricalDtype):
        levels = set(levels)
        return [level for level in dtype.categories if level in levels]
    try:
        return sorted(levels)
    except TypeError:  # numbers beside strings
        return sorted(levels, key=lambda level: (type(level).__name__, str(level)))
