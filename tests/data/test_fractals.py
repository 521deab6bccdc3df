import hashlib

import numpy as np
import pytest

from azeotrope.data.auditing.audit import audit
from azeotrope.data.division.subset import subset
from azeotrope.data.listing import look as looking
from azeotrope.data.sources import _ifs
from azeotrope.data.sources._ifs import picture, system
from azeotrope.data.sources.fractals import open_source
from azeotrope.data.task import load_task
from azeotrope.errors import InputError


def test_the_name_says_how_many_and_a_quarter_more_is_held_out():
    source = open_source("3x8,size=32")
    assert source.classes == ("fractal 0", "fractal 1", "fractal 2")
    assert [(item.split, item.label) for item in source.items[:12]] == [("train", 0)] * 8 + [("val", 0)] * 2 + [
        ("test", 0)
    ] * 2
    assert len(source.items) == 3 * 12
    assert source.read(0).shape == (32, 32, 3)
    assert open_source("3x8,size=32,grey").read(0).shape == (32, 32)


def test_a_picture_depends_on_its_numbers_alone():
    """Not on what was drawn before, nor on the set that holds it: the larger set contains the smaller one."""
    small, large = open_source("3x4,size=32"), open_source("5x40,size=32")
    place = {item.key: row for row, item in enumerate(large.items)}
    backwards = [small.read(row) for row in reversed(range(len(small.items)))][::-1]
    for row, item in enumerate(small.items):
        np.testing.assert_array_equal(backwards[row], large.read(place[item.key]))
        assert small.formula.checksum(row) == large.formula.checksum(place[item.key])


def test_what_decides_a_picture_decides_its_checksum():
    names = ("2x4,size=32", "2x4,size=32,seed=1", "2x4,size=40", "2x4,size=32,grey")
    sources = [open_source(name) for name in names]
    pixels = {hashlib.sha256(source.read(row).tobytes()).digest() for source in sources for row in range(12)}
    checksums = {source.formula.checksum(row) for source in sources for row in range(12)}
    assert len(pixels) == len(checksums) == 4 * 12


def test_a_task_of_fractals_is_listed_without_being_drawn(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("drawn")

    monkeypatch.setattr("azeotrope.data.sources.fractals.picture", refuse)
    monkeypatch.setattr(looking, "decode", refuse)
    task = load_task("fractals:10x12,size=32")
    assert [len(rows) for rows in (task.splits.train, task.splits.val, task.splits.test)] == [120, 30, 30]
    assert task.fingerprint == load_task("fractals:10x12,size=32").fingerprint
    assert (task.manifest.heights == 32).all()
    assert audit(task.manifest, task.source).near_duplicates is None


def test_subsets_are_nested_and_stratified():
    task = load_task("fractals:10x12,size=32")
    rows = [subset(task.splits.train, task.labels, n, 1, task.manifest.checksums) for n in (20, 40, 80)]
    assert set(rows[0]) < set(rows[1]) < set(rows[2])
    assert np.bincount(task.labels[rows[1]]).tolist() == [4] * 10


def test_maps_contract():
    """Banach: a contraction has one attractor, and any start reaches it. The largest singular value is below 1."""
    for kind in range(40):
        norms = np.linalg.norm(system(0, kind)[:, :4].reshape(-1, 2, 2), ord=2, axis=(1, 2))
        assert norms.max() < 0.86


def test_the_walk_finds_the_attractor_of_a_known_system():
    """Sierpinski's triangle, corners (0, 0), (1, 0), (0, 1): no point of it has a common binary digit in x and y."""
    half = np.array([[0.5, 0, 0, 0.5, e, f] for e, f in ((0, 0), (0.5, 0), (0, 0.5))], np.float32)
    x, y = _ifs._walk(half, _ifs.Words(0, 0, 0), 500)
    digits = [(np.floor(axis * 128 + 1e-3).astype(int)) for axis in (x, y)]
    assert (digits[0] & digits[1] == 0).all()
    assert np.bincount((2 * (x > 0.5) + (y > 0.5)).astype(int)).tolist() == pytest.approx([len(x) / 3] * 3, rel=0.1)


def test_pictures_of_a_class_resemble_each_other_more_than_those_of_others():
    """The nearest other picture, by the correlation of blurred densities, is of the same class far above chance."""
    kinds, each = 12, 6
    shots = np.array([picture(0, kind, n, 32, grey=True) for kind in range(kinds) for n in range(each)], float)
    coarse = shots.reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4)).reshape(len(shots), -1)
    coarse = np.concatenate([coarse, coarse.reshape(-1, 8, 8)[:, :, ::-1].reshape(len(shots), -1)])  # mirrored too
    likeness = np.corrcoef(coarse)[: len(shots)]
    own = np.arange(len(shots))
    likeness[own, own] = likeness[own, own + len(shots)] = -1
    nearest = likeness.argmax(axis=1) % len(shots)
    assert (nearest // each == own // each).mean() > 0.6  # chance is 0.07


def test_no_picture_is_blank():
    for kind in range(30):
        assert picture(3, kind, 7, 32, grey=True).std() > 10


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("", "needs to know how many classes.*Found: ''.*Allowed: fractals:CLASSESxPICTURES"),
        ("100", "Found: '100'"),
        ("1x20", "classes: .*greater than or equal to 2"),
        ("10x0", "pictures: .*greater than or equal to 1"),
        ("10x20,size=4", "size: .*greater than or equal to 16"),
        ("10x20,size=big", "size: .*valid integer"),
        ("10x20,colour=red", "colour: Extra inputs are not permitted.*Allowed: fractals:CLASSESxPICTURES"),
        ("10x20,size=4,seed=-1", "size: .*; seed: .*"),
    ],
)
def test_a_name_of_another_form_is_refused_with_the_form(name, found):
    with pytest.raises(InputError, match=found):
        open_source(name)
