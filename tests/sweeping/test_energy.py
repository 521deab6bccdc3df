"""Energy of a run by phase, from a counter that moves at every reading; and none where there is no counter."""

import itertools
from types import SimpleNamespace

import pytest

from azeotrope.record.machine import energy
from azeotrope.record.machine.energy import Counter, Meter
from azeotrope.sweeping.runs.facts import _decoded


def test_validation_frames_that_a_teacher_alone_looks_at_are_charged(resources, shapes):
    """One that reads pictures resized once judges the student; where frames are the pictures, they are read once."""
    rows = resources.rows(shapes.fingerprint, 20, 0)
    frames, plain = (resources.pack(shapes.fingerprint, 17), resources.plain(shapes.fingerprint, 17, "bicubic"))
    train, val = len(rows.train), len(rows.val)
    data = SimpleNamespace(images=SimpleNamespace(pack=frames, judged=plain))
    assert _decoded(rows, data, None) == [(frames.store, train), (plain.store, val)]
    assert _decoded(rows, data, object()) == [(frames.store, train + val), (plain.store, val)]
    same = SimpleNamespace(images=SimpleNamespace(pack=frames, judged=frames))
    assert sum(count for _, count in _decoded(rows, same, object())) == train + val


@pytest.fixture
def moving(monkeypatch):
    """Every reading is a joule more than the one before."""
    ticks = itertools.count()
    monkeypatch.setattr(energy, "_here", Meter([Counter(lambda: next(ticks), 1.0)], "a counter of ticks"))


def test_every_phase_that_took_time_has_its_energy(moving, runner, specs, plan):
    runner.resources.taught.cache_clear()  # its head may have been fitted before there was a counter
    made = runner.run(specs("distill:kl")["distill:kl", 0])
    assert made.state == "done", made.reason
    epochs = 2
    assert made.joules["train"] == epochs  # a reading before and one after each
    assert made.joules["evaluate"] == made.joules["test"] == 1  # the average of the weights is judged once
    assert {phase for phase, seconds in made.seconds.items() if seconds > 0} <= {*made.joules, "decode", "teacher"}
    assert made.environment.energy == "a counter of ticks"
    assert made.without_times().joules == {}


def test_without_a_counter_nothing_is_recorded(monkeypatch, runner, specs):
    monkeypatch.setattr(energy, "_here", Meter([]))
    made = runner.run(specs("scratch")["scratch", 0])
    assert (made.joules, made.environment.energy) == ({}, None)


def test_what_is_published_of_the_weights_is_on_record(runner, specs, teacher_model):
    spec = specs("finetune", student=teacher_model)["finetune", 0]
    made = runner.run(spec)
    assert made.published.missing.startswith("nothing says how the weights ")
    assert made.published.images is None
    assert runner.run(specs("scratch")["scratch", 0]).published is None
