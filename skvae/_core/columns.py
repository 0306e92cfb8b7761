"""Which columns of the encoded matrix belong to which column of the table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnGroup:
    """Table columns of one kind that lie side by side in the encoded matrix.

    The table encoder makes the groups, one likelihood head reads each of them, and
    models carry them from one to the other without looking inside. A group holds
    many columns, so that a head handles them in one vectorised step.

    Parameters
    ----------
    kind : str
        What the columns are: ``"continuous"`` numbers, or every ``"pixel"`` of an
        image.

    columns : tuple of int
        Positions of the columns in the table.

    widths : tuple of int
        How many columns of the matrix each of them takes.

    start : int
        The first column of the matrix that belongs to the group.
    """

    kind: str
    columns: tuple[int, ...]
    widths: tuple[int, ...]
    start: int

    @property
    def width(self) -> int:
        """How many columns of the matrix the whole group takes."""
        return sum(self.widths)

    @property
    def matrix_columns(self) -> slice:
        """The columns of the matrix that belong to the group."""
        return slice(self.start, self.start + self.width)
