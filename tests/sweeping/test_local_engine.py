"""Worker processes give the records of one process, are replaced when they die, and pass on what is no run's fault."""

import os
import pickle
import signal
import time
from dataclasses import replace

import pytest
import torch

from azeotrope.devices.device import Device
from azeotrope.errors import InputError, RunFailed, StoreError
from azeotrope.sweeping.engines import _bench, _worker, local
from azeotrope.sweeping.engines._bench import Bench, ShippedTask
from azeotrope.sweeping.engines._engine import EngineSpec, Finished, Lost
from azeotrope.sweeping.engines._ray_worker import Home, bring, leave
from azeotrope.sweeping.engines.local import InProcess, open_engine
from azeotrope.sweeping.runs.runner import Runner, images_trained

LONGEST = 120  # seconds; a worker has torch to import


@pytest.fixture
def bench(digits, resources, tmp_path):
    return Bench((ShippedTask.of(digits, "digits"),), resources.device, str(tmp_path), tmp_path, resources.cache, 1)


def events(engine, count):
    """So many events, or a failure after a while."""
    found, until = [], time.monotonic() + LONGEST
    while len(found) < count:
        assert time.monotonic() < until, f"only {found}"
        found += engine.wait(1.0)
    return found


def test_the_cards_of_a_machine_go_to_its_workers_by_turns(bench, monkeypatch):
    given = []

    class Process:
        def __init__(self, target, args, daemon):
            given.append(args[0].device.name)

        def start(self):
            """A worker that computes nothing."""

        kill = join = start

    monkeypatch.setattr(local._SPAWN, "Process", Process)
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 2)
    for named in ("cuda", "cuda:1", "cpu"):
        three = EngineSpec(workers=3, threads=1)
        open_engine(replace(bench, device=Device(named, "fp32")), three, lambda run_id, images: None).close()
    assert given == ["cuda:0", "cuda:1", "cuda:0", *["cuda:1"] * 3, *["cpu"] * 3]


def fails(self, spec):
    raise torch.AcceleratorError("CUDA error: an illegal memory access\nFor debugging")


def test_one_worker_whose_card_fails_says_what_to_do(bench, specs, resources, monkeypatch):
    monkeypatch.setattr(Runner, "run", fails)
    engine = open_engine(bench, EngineSpec(threads=1), lambda run_id, images: None, resources)
    engine.submit(specs("scratch")["scratch", 0])
    with pytest.raises(RunFailed, match=r"The card failed.*Found: CUDA error: an illegal memory access\. Next"):
        engine.wait(1.0)


def test_a_worker_process_whose_card_fails_ends_so_that_its_run_is_lost_and_tried_again(bench, specs, monkeypatch):
    runs, sent = iter([specs("scratch")["scratch", 0]]), []

    class Line:
        """Brings one run, and would bring no more."""

        def recv(self):
            return next(runs)

        def send(self, said):
            sent.append(said)

    def ended(status):
        raise SystemExit(status)

    monkeypatch.setattr(Runner, "run", fails)
    monkeypatch.setattr(_worker, "_die_with_parent", lambda: None)
    monkeypatch.setattr(os, "_exit", ended)
    with pytest.raises(SystemExit, match=str(_worker.CARD_FAILED)):
        _worker.work(bench, Line())
    assert sent == [_worker.Ready()]


def test_two_processes_give_the_records_of_one_and_a_dead_worker_is_replaced(bench, specs, resources, tmp_path):
    """One test for both, since starting a process takes seconds."""
    wanted = list(specs("scratch", "distill", upstream=None, upstream_task=None).values())
    told = []
    engine = open_engine(bench, EngineSpec(workers=2, threads=1), lambda run_id, images: told.append((run_id, images)))
    try:
        engine.submit(wanted[0])
        engine.submit(wanted[1])
        made = {event.run_id: event for event in events(engine, 2)}
        assert all(isinstance(event, Finished) and event.seconds > 0 for event in made.values())
        for spec in wanted:
            assert sum(images for run_id, images in told if run_id == spec.digest()) == images_trained(spec)
            alone = Runner(resources, tmp_path / "alone").run(spec)
            assert made[spec.digest()].record.without_times() == alone.without_times()
            assert made[spec.digest()].record.environment.threads == torch.get_num_threads() == 1
        assert not list((tmp_path / "work").glob("*/weights.safetensors"))
        engine.submit(wanted[0].at_seed(1))
        os.kill(next(seat for seat in engine._seats if seat.run_id).processes[0].pid, signal.SIGKILL)
        (lost,) = events(engine, 1)
        assert lost == Lost(wanted[0].at_seed(1).digest(), "its worker died (exit status -9)")
        assert all(seat.run_id is None for seat in engine._seats)
    finally:
        pids = [seat.processes[0].pid for seat in engine._seats]
        engine.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_one_worker_is_this_process(bench, specs):
    told = []
    engine = open_engine(bench, EngineSpec(), lambda run_id, images: told.append(images))
    spec = specs("scratch")["scratch", 0]
    assert isinstance(engine, InProcess)
    assert engine.wait(0) == []
    engine.submit(spec)
    (event,) = engine.wait(1.0)
    assert (event.run_id, event.record.state) == (spec.digest(), "done")
    assert sum(told) == images_trained(spec)


def test_a_full_disk_is_raised_where_the_engine_is_held(bench, specs, monkeypatch):
    engine = open_engine(bench, EngineSpec(), lambda *_: None)

    def full(*_):
        raise StoreError("The disk is full")

    monkeypatch.setattr(engine._runner.store, "put", full)
    engine.submit(specs("scratch")["scratch", 0])
    with pytest.raises(StoreError, match="The disk is full"):
        engine.wait(1.0)


def test_images_that_are_listed_otherwise_are_refused(bench):
    (task,) = bench.tasks
    fewer = replace(task, manifest=replace(task.manifest, keys=task.manifest.keys[:-1]))
    with pytest.raises(
        InputError, match=r"images of digits are not those that the sweep was planned with. Found: 1,797"
    ):
        fewer.open(bench.cache)


def test_a_worker_is_sent_the_name_of_a_file_and_not_what_was_listed(bench):
    """Of 1,797 images more than half a megabyte was."""
    sent = bench.to_send()
    assert len(pickle.dumps(sent)) < 2_000 < 500_000 < len(pickle.dumps(bench))
    (there,), (here,) = (each.open(lambda *_: None).resources.tasks.values() for each in (sent, bench))
    assert (there.fingerprint, there.order_digest) == (here.fingerprint, here.order_digest)
    assert there.splits.train.tolist() == here.splits.train.tolist()


@pytest.mark.parametrize("harm", ["damaged", "gone"])
def test_a_list_that_is_not_what_the_sweep_wrote_is_refused(bench, harm):
    sent = bench.to_send()
    file = bench.cache / sent.tasks[0].name
    if harm == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(StoreError) as refusal:
        sent.open()
    found = "No such file or directory" if harm == "gone" else "another content than was written"
    assert str(refusal.value) == (
        f"A worker cannot read what was listed of digits from {file}. Found: {found}. "
        "Allowed: the file that the sweep wrote when it began. "
        "Next: give the command again: it writes this file anew."
    )
    assert bench.to_send() == sent
    sent.open()


def test_what_is_stored_of_a_task_does_not_depend_on_what_was_asked_of_it(bench):
    """Some answers of a manifest are kept in it once they are computed; the file is named after its content."""
    (task,) = bench.tasks
    fresh = replace(task, manifest=replace(task.manifest))
    before = fresh.stored(bench.cache)
    assert fresh.manifest.fingerprint
    assert fresh.stored(bench.cache) == before


def test_lists_of_sets_that_no_sweep_began_with_lately_leave_the_cache(bench, tmp_path):
    (task,) = bench.tasks
    cache = tmp_path / "cache"
    names = [replace(task, spec=f"set{number}").stored(cache).name for number in range(_bench.LISTS_KEPT)]
    for age, name in enumerate(reversed(names)):
        os.utime(cache / name, (1e9 - age, 1e9 - age))
    replace(task, spec="set0").stored(cache)  # the oldest, begun with again
    new = replace(task, spec="another").stored(cache).name
    assert {file.name for file in cache.iterdir()} == {new, *names} - {names[1]}


@pytest.mark.parametrize("there", ["nothing", "a torn file"])
def test_a_node_with_a_cache_of_its_own_finds_what_was_listed_in_the_store(bench, tmp_path, there):
    sent = bench.to_send()
    home = Home(sign=".ray-sign", machine="another", folder=str(tmp_path / "gone"))
    left = leave(sent, home)
    elsewhere = replace(sent, cache=tmp_path / "elsewhere")
    if there == "a torn file":
        elsewhere.cache.mkdir()
        (elsewhere.cache / sent.tasks[0].name).write_bytes(b"torn")
    bring(elsewhere, home)
    (task,) = elsewhere.open(lambda *_: None).resources.tasks.values()
    assert task.name == "digits"
    for place, name in left:
        place.remove(name)
    assert not list(tmp_path.glob(".ray-*")) + list(bench.cache.glob(".ray-*"))


def test_cores_are_divided_between_workers(bench, monkeypatch):
    seen = []
    monkeypatch.setattr("azeotrope.sweeping.engines.local.Workers", lambda bench, *_: seen.append(bench.threads))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    for workers, threads in ((2, None), (3, None), (16, None), (2, 3)):
        open_engine(replace(bench, threads=None), EngineSpec(workers=workers, threads=threads), lambda *_: None)
    assert seen == [4, 2, 1, 3]
