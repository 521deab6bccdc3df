"""Several cards share every run of a comparison; two processes on the processor stand for them."""

import os
import signal

import pytest

from azeotrope.api.compare import compare
from azeotrope.devices.device import Device
from azeotrope.errors import AzeotropeError, InputError
from azeotrope.record.store import RunStore
from azeotrope.sweeping.cards import require_shares
from azeotrope.sweeping.engines._bench import Bench, ShippedTask
from azeotrope.sweeping.engines._engine import EngineSpec, Finished, Lost
from azeotrope.sweeping.engines.local import open_engine

from .test_local_engine import events

TWO = Device("cpu", "fp32", cards=("cpu", "cpu"))


@pytest.fixture
def bench(digits, resources, tmp_path):
    return Bench((ShippedTask.of(digits, "digits"),), TWO, str(tmp_path), tmp_path, resources.cache, 1)


def test_two_processes_make_a_run_and_are_replaced_together_when_one_dies(bench, specs, tmp_path):
    """One test for all, since starting processes takes seconds."""
    spec = specs("scratch", "distill", upstream=None, upstream_task=None)["distill", 0]
    engine = open_engine(bench, EngineSpec(threads=1), lambda run_id, images: None)
    try:
        engine.submit(spec)
        (event,) = events(engine, 1)
        assert isinstance(event, Finished)
        assert (event.record.state, event.record.environment.cards) == ("done", ("cpu", "cpu"))
        before = engine._seats[0]
        engine.submit(spec.at_seed(1))
        os.kill(before.processes[1].pid, signal.SIGKILL)
        (lost,) = events(engine, 1)
        assert lost == Lost(spec.at_seed(1).digest(), "its worker died (exit status -9)")
        assert not any(process.is_alive() for process in before.processes)
        engine.submit(spec.at_seed(1))
        (event,) = events(engine, 1)
        assert event.record.state == "done"
    finally:
        engine.close()
