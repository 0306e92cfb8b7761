"""Which columns of the encoded matrix belong to which column of the table."""

from dataclasses import dataclass
from itertools import accumulate

from skvae._core.storing import storable


@storable
@dataclass(frozen=True)
class ColumnGroup:
    """Table columns of one kind that lie side by side in the encoded matrix.

    The table encoder makes the groups, one likelihood head reads each of them, and
    models carry them from one to the other without looking inside. A group holds
    many columns, so that a head handles them in one vectorised step.

    Parameters
    ----------
    kind : str
        What the columns are:

        - ``"continuous"``: numbers, one matrix column each.
        - ``"mixed"``: numbers of which many are one of a few values, the atoms: the
          number, then 1 for the atom it is, if any.
        - ``"discrete"``: numbers that are nothing but atoms, laid out likewise.
        - ``"boolean"``: 1 for true.
        - ``"categorical"`` and ``"ordinal"``: 1 for the level, 0 for the others.
        - ``"missing"``: 1 where the cell of a column is missing.
        - ``"pixel"``: every pixel of an image.

    columns : tuple of int
        Positions of the columns in the table.

    widths : tuple of int
        How many columns of the matrix each of them takes.

    start : int
        The first column of the matrix that belongs to the group.

    atom_scores : tuple of tuple of float, default=()
        What stands in the first matrix column of each column of atoms, for each atom.
    """

    kind: str
    columns: tuple[int, ...]
    widths: tuple[int, ...]
    start: int
    atom_scores: tuple[tuple[float, ...], ...] = ()

    @property
    def width(self) -> int:
        """How many columns of the matrix the whole group takes."""
        return sum(self.widths)

    @property
    def matrix_columns(self) -> slice:
        """The columns of the matrix that belong to the group."""
        return slice(self.start, self.start + self.width)

    @property
    def starts(self) -> list[int]:
        """The first matrix column of each column."""
        return list(accumulate(self.widths[:-1], initial=self.start))

    @property
    def parts(self) -> list[slice]:
        """The matrix columns of each column."""
        return [
            slice(start, start + width)
            for start, width in zip(self.starts, self.widths, strict=True)
        ]

    def scores_of(self, position) -> tuple[float, ...]:
        """Return what stands for each atom of the column at a position of the table."""
        return self.atom_scores[self.columns.index(position)]
