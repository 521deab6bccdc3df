"""Several cards share every run of a comparison; two processes on the processor stand for them."""

import os
import signal
import threading
from multiprocessing import Pipe
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from azeotrope.api.compare import compare
from azeotrope.devices.device import Device
from azeotrope.errors import InputError
from azeotrope.record.storage.store import RunStore
from azeotrope.sweeping.cards import require_shares
from azeotrope.sweeping.engines import _worker
from azeotrope.sweeping.engines._bench import Bench, ShippedTask
from azeotrope.sweeping.engines._engine import EngineSpec, Finished, Lost
from azeotrope.sweeping.engines.local import open_engine
from azeotrope.sweeping.runs.runner import Runner
from azeotrope.sweeping.runs.training import _run, assist
from azeotrope.train.parallel.processes import OutOfStepError, Processes

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
        kept, failing = engine._seats[0], spec.trial(1e30, 0)
        engine.submit(failing)
        (event,) = events(engine, 1)
        assert (event.record.state, event.record.run_id) == ("failed", failing.digest())
        assert event.record.reason.startswith("The loss is not finite at step")
        assert engine._seats[0] is kept  # it failed alike in both, which wait for the next run
        assert all(process.is_alive() for process in kept.processes)
    finally:
        engine.close()


def test_a_comparison_on_two_is_that_on_one(tmp_path):
    """Beginning with the words of a person, over all that a run does, to the records."""
    found = {}
    for device in ("cpu", "cpu,cpu"):
        out = tmp_path / device
        asked = {"student": "test_resnet", "teacher": None, "arms": ["scratch"], "seeds": 1, "precision": "fp32"}
        recipe = {"epochs": 2, "views": 1, "learning_rates": (1e-3,), "batch_images": 32}
        cache = tmp_path / "cache"
        compare("digits", train_images=100, image_size=32, recipe=recipe, out=out, cache=cache, device=device, **asked)
        (found[device],) = RunStore(str(out))
    one, two = found["cpu"], found["cpu,cpu"]
    assert (one.run_id, one.environment.cards, two.environment.cards) == (two.run_id, (), ("cpu", "cpu"))
    assert two.test_nll == pytest.approx(one.test_nll, rel=1e-3)
    assert two.test_error == pytest.approx(one.test_error, abs=0.01)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (
            {"batch_images": 33},
            "Found: 33 images a batch with 60 training images. Allowed: a multiple of 2. Next: take --workers 2 "
            "--device cpu, which gives each card runs of its own; or --batch-images 32, which is then the batch of all",
        ),
        ({"accumulate": 12}, "Found: --accumulate 12 of 8 images on each of 2 cards. Allowed: at most 8."),
    ],
)
def test_batches_that_cannot_be_shared_are_refused_before_training(specs, recipe, words):
    (spec,) = specs("scratch", seeds=(0,), upstream=None, upstream_task=None).values()
    changed = spec.recipe.model_copy(update={"batch_images": 16, **recipe})
    require_shares([spec.model_copy(update={"recipe": changed})], Device("cpu", "fp32"))
    with pytest.raises(InputError, match=words):
        require_shares([spec.model_copy(update={"recipe": changed})], TWO)


def test_the_parts_of_a_pretraining_are_looked_at_too(specs):
    """A part without images would leave BatchNorm with NaN."""
    (spec,) = (each for each in specs("finetune@upstream", seeds=(0,)).values() if each.upstream is not None)
    large = spec.recipe.model_copy(update={"batch_images": 32, "accumulate": 12})
    small = spec.upstream.recipe.model_copy(update={"batch_images": 16, "accumulate": 12})
    changed = {"recipe": large, "upstream": spec.upstream.model_copy(update={"recipe": small})}
    with pytest.raises(InputError, match="Found: --accumulate 12 of 8 images on each of 2 cards"):
        require_shares([spec.model_copy(update=changed)], TWO)


def test_cards_share_runs_or_have_their_own(bench):
    with pytest.raises(InputError, match=r"Cards either share every run.*Found: --workers 2 on cpu and cpu\."):
        open_engine(bench, EngineSpec(workers=2), lambda run_id, images: None)


def test_ray_is_not_asked_to_share_a_run(bench):
    ray = pytest.importorskip("azeotrope.sweeping.engines.ray")
    with pytest.raises(InputError, match=r"Ray gives each run a card.*Found: --device cpu and cpu"):
        ray.open_engine(bench, EngineSpec(name="ray"), lambda run_id, images: None)


class Line:
    """A connection that remembers."""

    def __init__(self):
        self.sent = []

    def send(self, said):
        self.sent.append(said)


@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_that_fails_alone_says_why_and_waits_for_its_end(bench, specs, monkeypatch, rank):
    class EndedError(Exception):
        """In the place of being killed."""

    def ended(self):
        raise EndedError

    def fails(*_):
        raise OutOfStepError("cuda:1: CUDA out of memory", final=True)

    line = Line()
    line.recv = lambda: specs("scratch")["scratch", 0]
    monkeypatch.setattr(_worker, "_die_with_parent", lambda: None)
    monkeypatch.setattr(_worker, "joined", lambda *_: Processes(rank, 2))
    monkeypatch.setattr(_worker, "assist", fails)
    monkeypatch.setattr(Runner, "run", fails)
    monkeypatch.setattr(threading.Event, "wait", ended)
    with pytest.raises(EndedError):
        _worker.work(bench, line, _worker.Place(rank, Path("unused")))
    assert line.sent[-1] == _worker.Separated("cuda:1: CUDA out of memory", final=True)


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried\nMore"),
            "cuda:1: The run does not fit into the memory of the card. Found: CUDA out of memory. Next: give",
        ),
        (RuntimeError("size mismatch\nMore"), "cuda:1: RuntimeError: size mismatch"),
    ],
)
def test_what_fails_in_a_step_fails_the_run_at_once_and_names_the_device(rank, error, said):
    def run():
        raise error

    training = SimpleNamespace(run=run, processes=Processes(rank, 2), device=Device("cuda:1", "fp32"))
    with pytest.raises(OutOfStepError) as told:
        _run(training)
    assert str(told.value).startswith(said)
    assert told.value.final
    training.processes = Processes()
    with pytest.raises(type(error), match=str(error).partition(".")[0]):
        _run(training)


@pytest.mark.parametrize("error", [RuntimeError("size mismatch"), torch.OutOfMemoryError("full"), InputError("gone")])
def test_what_fails_while_a_training_is_prepared_is_told_by_the_leader_alone(specs, tmp_path, error):
    """The helper is in step, and waits for the next training."""

    class Fails(Processes):
        def told(self, word):
            return specs("scratch")["scratch", 0]

        def agreed(self, make):
            raise error

    assist(SimpleNamespace(processes=Fails(1, 2)), tmp_path)


def test_a_connection_lost_while_a_training_is_prepared_is_told(specs, tmp_path):
    class Lonely(Processes):
        def told(self, word):
            return specs("scratch")["scratch", 0]

        def agreed(self, make):
            raise OutOfStepError("the processes lost each other")

    with pytest.raises(OutOfStepError):
        assist(SimpleNamespace(processes=Lonely(1, 2)), tmp_path)


def test_what_one_process_says_ends_all_and_the_run_is_lost(bench):
    engine = open_engine(bench, EngineSpec(threads=1), lambda run_id, images: None)
    try:
        seat = engine._seats[0]
        seat.run_id = "1234"
        ours, theirs = Pipe()
        seat.lines[1] = ours
        theirs.send(_worker.Separated("cpu: out of memory", final=True))
        assert list(engine.wait(20.0)) == [Lost("1234", "cpu: out of memory", final=True)]
        assert not any(process.is_alive() for process in seat.processes)
        assert not Path(seat.meeting.name).exists()
    finally:
        engine.close()
