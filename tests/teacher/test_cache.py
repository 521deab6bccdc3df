import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from azeotrope.data.augmentation.views import PLAIN
from azeotrope.data.packing.pack import open_pack
from azeotrope.devices.device import Device
from azeotrope.errors import RunFailed
from azeotrope.plan import TeacherSpec
from azeotrope.recipe import ViewPolicy
from azeotrope.teacher.cache import open_cache
from azeotrope.teacher.embedder import Frozen
from azeotrope.teacher.teacher import load_teacher

POLICY = ViewPolicy(mirror=False)
ROWS = np.array([900, 3, 41, 1796, 0])


@pytest.fixture(scope="module")
def teacher(teacher_model):
    return load_teacher(TeacherSpec(model=teacher_model, image_size=32), Device("cpu", "fp32"))


@pytest.fixture
def pack(digits, tmp_path):
    return open_pack(digits, tmp_path, 32)


class Spy(nn.Module):
    """A teacher that remembers the views it was shown, and may answer with one number."""

    def __init__(self, teacher, answer=None):
        super().__init__()
        self.seen, self.asked, self.answer = [], teacher.module, answer
        self.teacher = dataclasses.replace(teacher, module=Frozen(self))

    def forward(self, pixels):
        self.seen += [view.numpy().tobytes() for view in pixels]
        found = self.asked(pixels)
        return found if self.answer is None else torch.full_like(found, self.answer)


@pytest.mark.parametrize("view", [PLAIN, 0, 2])
def test_cached_embeddings_are_the_teachers_within_half_precision(teacher, pack, embed, tmp_path, view):
    cache = open_cache(tmp_path, teacher, pack, POLICY, views=3)
    cache.ensure(ROWS, [PLAIN, 0, 2])
    direct = embed(teacher, pack.read(ROWS), POLICY, pack.task.identities[ROWS], view)
    stored = cache.read(ROWS, view)
    assert stored.dtype == torch.float32
    torch.testing.assert_close(stored, direct, rtol=2**-10, atol=1e-5)  # float16 has 11 significant bits


def test_each_image_and_view_is_embedded_once(teacher, pack, tmp_path):
    spy = Spy(teacher)
    for _ in range(2):  # as two runs would
        cache = open_cache(tmp_path, spy.teacher, pack, POLICY, views=2)
        cache.ensure(ROWS, [PLAIN, 0, 1])
    assert len(spy.seen) == len(set(spy.seen)) == 3 * len(ROWS)


def test_another_run_pays_only_for_its_own_images(teacher, pack, tmp_path):
    spy = Spy(teacher)
    cache = open_cache(tmp_path, spy.teacher, pack, POLICY, views=2)
    cache.ensure(ROWS, [0])
    cache.ensure(np.array([3, 41, 77]), [0])
    assert len(spy.seen) == len(ROWS) + 1


@pytest.mark.parametrize("view", [-2, 2])
def test_a_view_outside_the_cache_is_refused(teacher, pack, tmp_path, view):
    cache = open_cache(tmp_path, teacher, pack, POLICY, views=2)
    with pytest.raises(ValueError, match=f"view {view} is not among the 2 cached views"):
        cache.ensure(ROWS, [view])


def folders(tmp_path, teacher, pack):
    """The cache's folder as asked, and under every change of what an embedding depends on."""
    other_looks = dataclasses.replace(teacher.preprocessing, mean=(0.4, 0.4, 0.4))
    changed = {
        "weights": (dataclasses.replace(teacher, weights_hash="other"), pack, POLICY, 2),
        "size": (dataclasses.replace(teacher, image_size=64), pack, POLICY, 2),
        "preprocessing": (dataclasses.replace(teacher, preprocessing=other_looks), pack, POLICY, 2),
        "precision": (dataclasses.replace(teacher, device=Device("cpu", "bf16")), pack, POLICY, 2),
        "pack": (teacher, dataclasses.replace(pack, size=16), POLICY, 2),
        "policy": (teacher, pack, ViewPolicy(), 2),
    }
    return {name: open_cache(tmp_path, *parts).store.folder for name, parts in changed.items()}


def test_whatever_changes_the_embeddings_is_another_cache(teacher, pack, tmp_path):
    as_asked = open_cache(tmp_path, teacher, pack, POLICY, 2).store.folder
    changed = folders(tmp_path, teacher, pack)
    assert len({as_asked, *changed.values()}) == 1 + len(changed)
    assert open_cache(tmp_path, teacher, pack, POLICY, 2).store.folder == as_asked


def test_code_that_renders_otherwise_is_another_cache(teacher, pack, tmp_path, monkeypatch):
    before = open_cache(tmp_path, teacher, pack, POLICY, 2).store.folder
    monkeypatch.setattr("azeotrope.teacher.cache.RENDERING", 99)
    assert open_cache(tmp_path, teacher, pack, POLICY, 2).store.folder != before


def test_code_that_decodes_otherwise_is_another_pack_and_another_cache(teacher, digits, tmp_path, monkeypatch):
    def folders():
        pack = open_pack(digits, tmp_path, 32)
        return {pack.store.folder, open_cache(tmp_path, teacher, pack, POLICY, 2).store.folder}

    before = folders()
    monkeypatch.setattr("azeotrope.data.packing.pack_rows.DECODING", 99)
    monkeypatch.setattr("azeotrope.teacher.cache.DECODING", 99)
    assert not before & folders()


def test_other_code_of_ones_own_teacher_is_another_cache(teacher, pack, tmp_path):
    """`file:` models: the same weights in another program."""
    code = tmp_path / "model.py"
    mine = dataclasses.replace(teacher, name=f"file:{code}:build@weights.safetensors")
    code.write_text("pooling = 'mean'")
    before = open_cache(tmp_path, mine, pack, POLICY, 2).store.folder
    code.write_text("pooling = 'max'")
    assert open_cache(tmp_path, mine, pack, POLICY, 2).store.folder != before


def test_more_views_find_the_first_ones_done(teacher, pack, tmp_path):
    """K = 2, then K = 5: three are new."""
    spy = Spy(teacher)
    for views in (2, 5):
        open_cache(tmp_path, spy.teacher, pack, POLICY, views).ensure(ROWS, range(views))
    assert len(spy.seen) == 5 * len(ROWS)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e6])
def test_embeddings_beyond_half_precision_stop_the_run(teacher, pack, tmp_path, value):
    cache = open_cache(tmp_path, Spy(teacher, value).teacher, pack, POLICY, views=1)
    with pytest.raises(RunFailed, match="gives embeddings that are not finite in half precision"):
        cache.ensure(ROWS, [PLAIN])
