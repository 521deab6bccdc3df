import dataclasses

import numpy as np
import pytest
import torch

from azeotrope.data.augmentation.views import PLAIN
from azeotrope.data.packing.pack import open_pack
from azeotrope.devices.device import Device
from azeotrope.errors import StoreError
from azeotrope.plan import TeacherSpec
from azeotrope.recipe import ViewPolicy
from azeotrope.teacher.cache import open_cache
from azeotrope.teacher.embedder import Frozen
from azeotrope.teacher.teacher import load_teacher
from azeotrope.teacher.verify import verify

POLICY = ViewPolicy(mirror=False)
ROWS = np.arange(40)


@pytest.fixture(scope="module")
def teacher(teacher_model):
    return load_teacher(TeacherSpec(model=teacher_model, image_size=32), Device("cpu", "fp32"))


@pytest.fixture
def cache(digits, teacher, tmp_path):
    opened = open_cache(tmp_path, teacher, open_pack(digits, tmp_path, 32), POLICY, views=2)
    opened.ensure(ROWS, [PLAIN, 1])
    return opened


def test_a_right_cache_passes_and_only_what_is_stored_is_compared(cache, digits):
    everything = np.arange(len(digits.labels))
    assert verify(cache, everything, seed=0) == 32
    assert verify(cache, everything, sample=1000, seed=0) == 2 * len(ROWS)


def test_an_empty_cache_passes(digits, teacher, tmp_path):
    assert verify(open_cache(tmp_path, teacher, open_pack(digits, tmp_path, 32), POLICY, 2), ROWS) == 0


def other_weights(teacher):
    """The same architecture, the same claimed hash."""
    changed = Frozen(torch.nn.Sequential(teacher.module.module, torch.nn.Linear(96, 96)))
    return dataclasses.replace(teacher, module=changed)


def test_another_teacher_under_the_same_name_is_refused(cache, teacher):
    stale = dataclasses.replace(cache, teacher=other_weights(teacher))
    with pytest.raises(StoreError) as refusal:
        verify(stale, ROWS, seed=0)
    said = str(refusal.value)
    assert f"The teacher cache {cache.store.folder} does not hold what the teacher {teacher.name} says. Found:" in said
    assert "sampled embeddings of view -1 are off, by" in said
    assert "Allowed: 1% of an embedding's length. Next: delete this folder; it is rebuilt" in said


def test_embeddings_of_other_views_are_refused(cache):
    """As code that draws views otherwise would find them."""
    with pytest.raises(StoreError, match="sampled embeddings of view 1 are off"):
        verify(dataclasses.replace(cache, policy=ViewPolicy(mirror=False, crop_area=(0.05, 0.1))), ROWS, seed=0)


def test_a_row_that_is_not_a_number_is_refused(cache):
    """With the checksum of a right row: only the teacher can tell."""
    cache.store._shard(0).write(np.array([3]), np.full((1, 96), np.nan, np.float16).view(np.uint8))
    with pytest.raises(StoreError, match="1 of"):
        verify(cache, ROWS, sample=1000)


@pytest.mark.parametrize("view", [PLAIN, 1])
def test_live_gives_what_is_cached_up_to_half_precision(cache, view):
    live = cache.embed(ROWS, view)
    torch.testing.assert_close(cache.read(ROWS, view), live, rtol=2**-10, atol=1e-5)  # float16: 11 significant bits
    assert live.dtype == torch.float32


def test_a_live_embedding_can_enter_a_loss(cache):
    """Inference mode would forbid it."""
    weight = torch.ones(96, requires_grad=True)
    (cache.embed(ROWS[:4], 0) * weight).sum().backward()
    assert weight.grad.abs().sum() > 0
