"""What was worked out at some sizes is there for the next who asks, within a limit of bytes."""

import numpy as np

from azeotrope.curves.kept import Kept


def test_equal_sizes_are_worked_out_once_and_the_oldest_go_first():
    asked = []

    def double(sizes):
        asked.append(sizes.tolist())
        return 2 * sizes

    kept = Kept(most=3 * 8)
    for sizes in ([1, 2], [1, 2], [3], [1, 2], [4], [3], [1, 2]):
        np.testing.assert_array_equal(kept.at(np.array(sizes), double), 2 * np.array(sizes, float))
    assert asked == [[1, 2], [3], [4], [1, 2]]
