"""However a sweep on Ray ends, nothing of it stays; the cluster is played here."""

import pytest

from azeotrope.record.storage.store import RunStore
from azeotrope.sweeping.engines._ray_embed import embed_all
from azeotrope.sweeping.engines._ray_worker import Home, leave
from azeotrope.sweeping.engines.ray import RayEngine

from .test_local_engine import bench  # noqa: F401 (a fixture)


class Cluster:
    """Ray as far as a sweep that is interrupted needs it."""

    def __init__(self):
        self.cancelled, self.begun, self.down = [], 0, False

    def remote(self, kind):
        return self

    def options(self, **_):
        cluster = self

        class Task:
            def remote(self, *_):
                cluster.begun += 1
                return cluster.begun

        return Task()

    def put(self, what):
        return "reference"

    def wait(self, refs):
        raise KeyboardInterrupt

    def cancel(self, ref):
        self.cancelled.append(ref)

    def kill(self, actor):
        raise KeyboardInterrupt

    def shutdown(self):
        self.down = True


def test_pieces_that_are_under_way_are_cancelled_by_an_interruption():
    cluster = Cluster()
    with pytest.raises(KeyboardInterrupt):
        embed_all(cluster, ["piece"] * 5, "bench", Home(".ray-1"), {}, workers=1)
    assert cluster.cancelled == [1, 2]


def test_an_engine_that_is_interrupted_while_it_ends_leaves_nothing(bench, monkeypatch):  # noqa: F811
    cluster = Cluster()
    monkeypatch.setattr("azeotrope.sweeping.engines.ray.import_ray", lambda: cluster)
    engine = RayEngine(bench, {"CPU": 1.0, "GPU": 0.0}, 1, lambda run_id, images: None, ours=True)
    assert list(bench.out.glob(".ray-*"))
    engine._seats = [type("Seat", (), {"actor": "actor"})]
    with pytest.raises(KeyboardInterrupt):
        engine.close()
    assert cluster.down
    assert (engine._bench, engine._seats) == (None, [])
    assert not [*bench.out.glob(".ray-*"), *bench.cache.glob(".ray-*")]


def test_what_is_left_for_the_nodes_goes_when_leaving_it_is_interrupted(bench, monkeypatch):  # noqa: F811
    def interrupted(self, name, content, real=RunStore.write):
        real(self, name, content)
        if "listed-" in name:
            raise KeyboardInterrupt

    monkeypatch.setattr(RunStore, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        leave(bench.to_send(), Home(".ray-1"))
    assert not [*bench.out.glob(".ray-*"), *bench.cache.glob(".ray-*")]
