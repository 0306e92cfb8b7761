"""Cells of one column to their part of the matrix, and back."""

import warnings

import numpy as np

from skvae.tables._levels import MISSING
from skvae.tables._wording import listed


def write_atoms(part, numbers, atoms, scores):
    """Write which atom each number is; the scaled value of an atom is its score."""
    is_atom = numbers[:, None] == np.array(atoms)
    part[:, 1:] = is_atom
    rows, atom = np.nonzero(is_atom)
    part[rows, 0] = np.array(scores)[atom]
    part[np.isnan(numbers)] = np.nan


def write(part, kind, column, cells) -> list:
    """Write what cells hold into their part of the matrix; return unseen levels."""
    if kind == "missing":
        part[:, 0] = cells.isna()
        return []
    if kind == "boolean":
        part[:, 0] = column.numbers(cells)
        return []
    codes, unseen = column.codes(cells)
    rows = np.flatnonzero(codes >= 0)
    part[rows, codes[rows]] = 1
    part[codes == MISSING] = np.nan
    # A fold of a table may well lack a level that its dtype lists.
    return [level for level in unseen if not column.lists(level)]


def with_atoms(numbers, part, atoms):
    """Return numbers, atoms in place of those that are one more likely than not."""
    likeliest = part[:, 1:].argmax(axis=1)
    is_atom = part[np.arange(len(part)), 1 + likeliest] > 0.5
    return np.where(is_atom, np.array(atoms)[likeliest], numbers)


def codes_of(part, hole):
    """Return the level of most weight, missing where there is a hole."""
    hole = hole | np.isnan(part[:, 0])
    return np.where(hole, MISSING, np.argmax(part, axis=1))


def warn_of_unseen(unseen):
    """Warn once of all levels that fit never saw, given by the name of the column."""
    parts = [
        f"{listed(levels)} in column {name!r}"
        for name, levels in unseen.items()
        if levels
    ]
    if parts:
        warnings.warn(
            f"Levels that training never saw: {'; '.join(parts)}. They are taken as "
            "none of the known ones.",
            UserWarning,
            stacklevel=4,
        )
