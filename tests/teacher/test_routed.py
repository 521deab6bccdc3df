"""A routed cache asks each version about its own images, each as its own view."""

from unittest.mock import Mock

import numpy as np
import pytest

from azeotrope.teacher.cache import EmbeddingCache
from azeotrope.teacher.routed import RoutedCache
from azeotrope.teacher.teacher import Teacher


class Said(EmbeddingCache):
    """A version that answers with its number, the row and the view."""

    def __init__(self, number):
        vars(self).update(number=number, teacher=Mock(spec=Teacher, features=3))

    def stored(self, rows, view):
        each = np.stack([np.full(len(rows), self.number), rows, np.broadcast_to(view, len(rows))], axis=1)
        return (each.astype(np.float16),)


@pytest.mark.parametrize("views", [4, np.array([0, 1, 2, 1])], ids=["one", "each"])
def test_every_image_is_answered_by_its_version_as_its_view(views):
    rows = np.array([3, 0, 2, 3])
    cache = RoutedCache((Said(0), Said(1), Said(2)), np.array([1, 0, -1, 0]))
    (said,) = cache.stored(rows, views)
    expected = np.stack([[0, 1, 2, 0], rows, np.broadcast_to(views, 4)], axis=1)
    np.testing.assert_array_equal(said, expected)
