"""The Ray engine on a real cluster of two nodes. Starting it takes seconds, so that most is seen in one sweep."""

import contextlib
import os
import signal
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from azeotrope.data.packing import rowstore
from azeotrope.data.sources._places import cache_root
from azeotrope.devices.device import Device
from azeotrope.errors import InputError
from azeotrope.record.storage.store import RunStore
from azeotrope.sweeping.engines import _carried
from azeotrope.sweeping.engines._bench import Bench, ShippedTask
from azeotrope.sweeping.engines._engine import EngineSpec
from azeotrope.sweeping.engines._ray_embed import pieces
from azeotrope.sweeping.engines._ray_worker import Home, Worker, at_home
from azeotrope.sweeping.engines.ray import open_engine
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.runs.runner import Runner, images_trained
from azeotrope.sweeping.runs.training_folder import TrainingFolder

from .conftest import IMAGES
from .ray_cluster import conduct, two_nodes

pytest.importorskip("ray")


@pytest.fixture
def bench(digits, shapes, tmp_path, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "upstream0" / "shapes"  # where the fixture `shapes` put it
    tasks = (ShippedTask.of(digits, "digits"), ShippedTask.of(shapes, str(folder)))
    return Bench(tasks, Device("cpu", "fp32"), str(tmp_path / "out"), tmp_path / "out", tmp_path / "cache", threads=1)


@pytest.fixture(scope="module")
def cluster():
    with two_nodes() as nodes:
        yield nodes


@contextlib.contextmanager
def engine_on(bench, cluster, seen=None, **asked):
    advance = (lambda run, images: seen.append((run, images))) if seen is not None else lambda run, images: None
    engine = open_engine(bench, EngineSpec(name="ray", address=cluster.address, **asked), advance)
    try:
        yield engine
    finally:
        engine.close()


def test_the_same_records_as_here(bench, cluster, specs, resources, tmp_path):
    """Two nodes, four runs; two of them start from one pre-training, which is then in the store. What the teacher sees
    is embedded first, by the whole cluster.
    """
    asked = list(specs("scratch", "distill", "finetune@upstream", "distill@upstream:kl").values())
    seen = []
    with engine_on(bench, cluster[0], seen) as engine:
        assert engine.workers == 2
        own = Resources(bench.cache, bench.device, resources.tasks)
        views = 1 + asked[1].recipe.cached_views
        assert engine.prepare(asked, own) == IMAGES * views + 20
        assert not list(pieces(asked, own))
        records, lost = conduct(engine, asked)
    here = Runner(resources, tmp_path / "here")
    assert not lost
    for spec in asked:
        assert records[spec.digest()].without_times() == here.run(spec).without_times()
    assert {record.run_id for record in RunStore(bench.store)} == {spec.digest() for spec in asked}
    assert RunStore(bench.store).names("pretrained") == [t.digest() for t in _carried.pretrainings(asked[2])]
    assert not list(Path(bench.store).glob(".ray-*"))
    told = {spec.digest(): sum(images for run, images in seen if run == spec.digest()) for spec in asked}
    assert all(told[spec.digest()] >= images_trained(spec) for spec in asked)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (
            {"gpus": 0.5},
            "No node of the Ray cluster has room for one run. Found: 1 CPU, 0.5 GPU asked of nodes with 1 CPU",
        ),
        ({"threads": 4}, "Found: 4 CPU asked"),
    ],
)
def test_what_no_node_can_give_is_refused_at_once(bench, cluster, asked, found):
    with pytest.raises(InputError, match=found), engine_on(bench, cluster[0], **asked):
        pass


class TestAddress:
    @pytest.mark.parametrize("address", ["nowhere", "http://host:1/x", "host:port", "ray://host"])
    def test_what_is_no_address_is_refused_with_the_form(self, bench, address):
        with pytest.raises(InputError, match=r"form of its own|of its own form.*Allowed: HOST:PORT of the head"):
            open_engine(bench, EngineSpec(name="ray", address=address), lambda *_: None)

    def test_where_nothing_listens_the_error_comes_at_once(self, bench):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(
            InputError, match=f"No Ray cluster answers at {address}. Found: .*refused.*ray start --head"
        ):
            open_engine(bench, EngineSpec(name="ray", address=address), lambda *_: None)


def test_a_job_is_cut_by_the_files_of_the_cache(specs, resources, monkeypatch):
    """Whatever the cut, each missing image and view is in one piece, and a piece is in one file."""
    asked = list(specs("scratch", "distill", seeds=[0, 1]).values())
    monkeypatch.setattr(rowstore, "SHARD_BYTES", 200 * 1024)
    fresh = Resources(resources.cache / "cut", resources.device, resources.tasks)
    found = list(pieces(asked, fresh))
    assert len(found) > 3
    for piece in found:
        cache = fresh.embeddings(piece.teacher, piece.task, piece.policy, piece.views)
        assert len(set(cache.positions(piece.rows, piece.view) // cache.store.shard_rows)) == 1
    rows = [fresh.rows(spec.task, IMAGES, spec.seed) for spec in asked if spec.teacher]
    train = {int(row) for each in rows for row in each.train}
    for view in range(asked[1].recipe.cached_views):
        assert sorted(int(row) for piece in found if piece.view == view for row in piece.rows) == sorted(train)


class TestPlaces:
    def test_another_machine_keeps_work_and_packs_in_its_own_cache(self, bench):
        assert at_home(bench, Home("sign")) == bench
        away = at_home(bench, Home("sign", machine="another"))
        assert away.cache == cache_root()
        RunStore(str(bench.cache)).write("sign", b"")
        assert at_home(bench, Home("sign", machine="another")).cache == bench.cache  # a folder that both see
        assert away.out.parent == cache_root() / "sweeps"
        assert away.store == bench.store
        assert away.out != at_home(replace(bench, store="memory://b"), Home("sign", machine="another")).out

    def test_a_node_that_does_not_see_the_store_refuses(self, bench):
        with pytest.raises(InputError, match=r"must reach the store.*Allowed: a URL such as s3://bucket/sweep"):
            Worker().open(bench, Home(".ray-other"))

    def test_a_machine_without_the_folder_takes_the_pretraining_from_the_store(self, bench, specs):
        """Both runs start from one pre-training; the second machine makes one training only, its own."""
        store = RunStore(bench.store)
        store.write("sign", b"")
        for number, spec in enumerate(specs("finetune@upstream", "distill@upstream:kl").values()):
            worker = Worker()
            worker.open(replace(bench, out=bench.out / str(number)), Home("sign"))
            assert worker.run(spec)[0].record.state == "done"
            pretraining = next(_carried.pretrainings(spec))
        weights = [
            TrainingFolder.of(bench.out / str(n) / "work", pretraining).path / "weights.safetensors" for n in (0, 1)
        ]
        assert weights[0].read_bytes() == weights[1].read_bytes()
        times = [TrainingFolder.of(bench.out / str(n) / "work", pretraining).outcome().seconds for n in (0, 1)]
        assert times[0] == times[1]  # made once: even the clock agrees


def kill_a_worker(ray):
    alive = [actor["Pid"] for actor in ray._private.state.actors().values() if actor["State"] == "ALIVE"]
    os.kill(alive[0], signal.SIGKILL)


@pytest.mark.slow
def test_a_node_and_a_worker_that_are_killed_cost_only_the_runs_under_way(bench, specs, resources, tmp_path):
    """A worker is killed after the first run, the second node after the third; the sweep ends on the head alone."""
    asked = list(specs("scratch", "distill", seeds=[0, 1, 2, 3]).values())
    with two_nodes() as (cluster, second), engine_on(bench, cluster) as engine:
        import ray

        accidents = iter([lambda: kill_a_worker(ray), lambda: cluster.remove_node(second, allow_graceful=False)])

        def disturb(ended):
            if len(ended) in (1, 3):
                next(accidents, lambda: None)()

        records, lost = conduct(engine, asked, disturb=disturb)
    assert lost
    here = Runner(resources, tmp_path / "here")
    for spec in asked:
        assert records[spec.digest()].without_times() == here.run(spec).without_times()
