"""Where the columns of a group lie."""

from skvae._core.columns import ColumnGroup


def test_group_of_columns_of_different_widths():
    group = ColumnGroup("continuous", columns=(4, 1, 7), widths=(1, 3, 2), start=5)
    assert group.width == 6
    assert group.matrix_columns == slice(5, 11)
