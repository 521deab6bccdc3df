"""Truth: a full cache on disk has the predicted number of bytes."""

import numpy as np
import pytest

from azeotrope.data.packing.rowstore import RowStore
from azeotrope.errors import InputError
from azeotrope.recipe import MAX_VIEWS
from azeotrope.teacher.budget import affordable_views, cache_bytes


def test_bytes_are_those_on_disk(tmp_path):
    features, train, others, views = 96, 50, 30, 4
    rows = train * (views + 1) + others
    store = RowStore.open(tmp_path, "teacher", {}, rows, (features,), np.float16)
    store.fill(np.arange(rows), lambda wanted: np.ones((len(wanted), features)), batch=64)
    written = sum(file.stat().st_size for file in store.folder.iterdir() if file.suffix in (".rows", ".checks"))
    assert cache_bytes(features, train, others, views) == written


@pytest.mark.parametrize("views", [1, 4, 16, 100])
def test_a_budget_affords_the_views_whose_bytes_it_holds(views):
    needed = cache_bytes(768, 1000, 300, views) / 1e9
    assert affordable_views(needed * 1.0001, 768, 1000, 300) == views
    if views > 1:
        assert affordable_views(needed * 0.9999, 768, 1000, 300) == views - 1


def test_a_budget_below_one_view_is_refused_with_what_would_do():
    with pytest.raises(InputError) as refusal:
        affordable_views(0.001, 768, 1000, 300)
    assert str(refusal.value) == (
        "The teacher cache needs room for at least one view of each image. Found: --cache-gb 0.001. "
        "Allowed: 0.00355 GB for one view, 0.0267 GB for 16, of 1,000 images. "
        "Next: raise --cache-gb, train on fewer images, or take --views live, which stores no views."
    )


@pytest.mark.parametrize("gigabytes", [float("nan"), 0.0, -1.0])
def test_what_is_no_budget_is_refused(gigabytes):
    with pytest.raises(InputError, match=f"Found: --cache-gb {gigabytes:g}"):
        affordable_views(gigabytes, 768, 1000, 300)


def test_a_budget_without_end_affords_the_most_views_there_can_be():
    assert affordable_views(float("inf"), 768, 1000, 300) == MAX_VIEWS
