"""Sweeps that share a store divide the runs; a dead one's runs are free again, whatever clocks do."""

import json
import os
import subprocess
import sys
import time

import pytest

from azeotrope.record.storage import claims as module
from azeotrope.record.storage.claims import FOLDER, PATIENCE, Claims
from azeotrope.record.storage.store import RunStore

HOLDER = """
import sys
from azeotrope.record.storage.claims import Claims
from azeotrope.record.storage.store import RunStore
with Claims(RunStore(sys.argv[1])) as claims:
    print(claims.take("r"), flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(params=["folder", "memory://"])
def store(request, tmp_path):
    """A folder, and a store without folders or locks."""
    return RunStore(str(tmp_path) if request.param == "folder" else f"memory://{tmp_path.name}")


class Clock:
    """A steady clock that moves when it is told."""

    now = 1000.0

    def __call__(self):
        return self.now


def elsewhere(store, owner, runs, beat=1):
    """The file of a sweep on another machine."""
    content = {"beat": beat, "runs": runs, "machine": "far away", "process": [1, 1]}
    store.write(f"{FOLDER}/{owner}.json", json.dumps(content).encode())


def test_a_run_is_made_by_one_sweep(store):
    with Claims(store) as first, Claims(store) as second:
        assert first.take("r")
        assert not second.take("r")
        assert second.take("s")
        first.drop("r")
        assert second.take("r")


def test_a_sweep_that_ends_leaves_no_trace(store):
    with Claims(store) as claims:
        claims.take("r")
    assert store.names(FOLDER) == []


def test_of_two_that_come_at_once_both_never_start(store, monkeypatch):
    """Each writes before either has looked again: at worst both step back, and try again."""
    with Claims(store) as first, Claims(store) as second:
        second._runs.add("r")
        others, seen = first.others, []

        def late():
            seen.append(others())
            if len(seen) == 1:
                second._write()  # just after the first look
            return seen[-1]

        monkeypatch.setattr(first, "others", late)
        assert not first.take("r")
        assert seen == [set(), {"r"}]


def test_a_sweep_on_another_machine_that_stands_still_is_dead_after_a_while(store):
    clock = Clock()
    elsewhere(store, "far", ["r"])
    claims = Claims(store, clock=clock)
    assert not claims.take("r")
    clock.now += PATIENCE - 1
    assert not claims.take("r")
    clock.now += 2
    assert claims.take("r")
    assert "far.json" not in store.names(FOLDER)


def test_a_sweep_that_beats_lives_as_long_as_it_beats(store):
    clock = Clock()
    claims = Claims(store, clock=clock)
    for beat in range(5):
        elsewhere(store, "far", ["r"], beat)
        assert claims.others() == {"r"}
        clock.now += PATIENCE - 1


def test_no_wall_clock_is_read(store, monkeypatch):
    """A clock that jumps, here or there, cannot free a run or hold it."""
    monkeypatch.setattr(time, "time", lambda: pytest.fail("the wall clock was read"))
    elsewhere(store, "far", ["r"])
    with Claims(store) as claims:
        assert not claims.take("r")
        assert claims.take("s")


def test_the_runs_of_a_killed_process_are_free_at_once(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "True\n"
    with Claims(RunStore(str(tmp_path))) as claims:
        assert not claims.take("r")
        process.kill()
        process.wait()
        assert claims.take("r")
    process.communicate()


def test_a_process_number_that_is_used_again_is_not_the_owner(store):
    content = {"beat": 1, "runs": ["r"], "machine": module._machine(), "process": [os.getpid(), 1]}
    store.write(f"{FOLDER}/old.json", json.dumps(content).encode())
    assert Claims(store).take("r")


def test_it_beats(store, monkeypatch):
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.01)
    with Claims(store) as claims:
        first = store.read(f"{FOLDER}/{claims.owner}.json")
        until = time.monotonic() + 5
        while store.read(f"{FOLDER}/{claims.owner}.json") == first and time.monotonic() < until:
            time.sleep(0.01)
        assert store.read(f"{FOLDER}/{claims.owner}.json") != first


def test_a_damaged_file_claims_nothing(store):
    store.write(f"{FOLDER}/other.json", b'{"beat": 1, "ru')
    with Claims(store) as claims:
        assert claims.take("r")
