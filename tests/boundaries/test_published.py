"""Real curves whose boundary is known: ImageNet after synthetic pre-training (Mikami et al. 2021), the gap vanishes."""

from __future__ import annotations

import pytest

import azeotrope
from azeotrope.tables.columns import Columns
from published import published

RESNET50 = Columns(where={"student": "resnet50"}, by=("pretrain_images",))


@pytest.mark.parametrize("pretrain_images", ["16000", "64000"])
def test_the_gap_between_pretrained_and_from_scratch_vanishes(pretrain_images):
    """Scratch minus pretrained is 0.068 at 12.8K images and 0.0007 at 1.28M: equal there, no crossing."""
    table = published("syn2real_imagenet.csv")
    found = azeotrope.boundary(table, columns=RESNET50, challenger=pretrain_images, baseline="0")
    assert found.outcome == "practically_equal"
    assert found.crossings == ()
    first, last = found.p_win[0], found.p_win[-1]
    assert first.p > 0.95
    assert first.difference.low > 0.03
    assert abs(last.difference.value) < 0.005


def test_the_first_difference_is_the_published_one():
    table = published("syn2real_imagenet.csv")
    found = azeotrope.boundary(table, columns=RESNET50, challenger="64000", baseline="0")
    assert found.form_free[0].difference == pytest.approx(0.068, abs=5e-4)
    assert found.form_free[-1].difference == pytest.approx(0.0007, abs=5e-5)
