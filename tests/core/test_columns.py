"""Where the columns of a group lie."""

import pickle

from skvae._core.columns import ColumnGroup


def test_group_of_columns_of_different_widths():
    group = ColumnGroup("categorical", columns=(4, 1, 7), widths=(1, 3, 2), start=5)
    assert group.width == 6
    assert group.matrix_columns == slice(5, 11)
    assert group.starts == [5, 6, 9]
    assert group.parts == [slice(5, 6), slice(6, 9), slice(9, 11)]


def test_group_of_one_column():
    group = ColumnGroup("boolean", columns=(2,), widths=(1,), start=0)
    assert group.starts == [0]
    assert group.parts == [group.matrix_columns] == [slice(0, 1)]


def test_groups_are_equal_by_what_they_say_and_survive_pickling():
    group = ColumnGroup("mixed", (0,), (2,), 3, atom_scores=((0.5,),))
    assert pickle.loads(pickle.dumps(group)) == group
    assert group != ColumnGroup("mixed", (0,), (2,), 3)
