"""A real Ray cluster of two nodes on this machine, and the least that can conduct a sweep on an engine."""

import contextlib

from azeotrope.sweeping.engines._engine import Finished
from azeotrope.sweeping.engines._ray_cluster import import_ray


@contextlib.contextmanager
def two_nodes():
    """Yields (cluster, the node that is not the head); each has one CPU."""
    import_ray()
    from ray.cluster_utils import Cluster

    quiet = {"object_store_memory": 80_000_000}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False, **quiet})
    try:
        yield cluster, cluster.add_node(num_cpus=1, **quiet)
    finally:
        cluster.shutdown()


def conduct(engine, specs, seconds=120, disturb=lambda ended: None):
    """Give the engine all runs, again where one was lost; returns records by run, and what was lost.

    `disturb` is called with the runs that have ended, whenever some may have.
    """
    waiting, under_way, records, lost = list(specs), {}, {}, []
    while len(records) < len(specs):
        while waiting and len(under_way) < engine.workers:
            spec = waiting.pop(0)
            under_way[spec.digest()] = spec
            engine.submit(spec)
        events = engine.wait(seconds)
        assert events, f"nothing ended in {seconds} s"
        for event in events:
            spec = under_way.pop(event.run_id)
            if isinstance(event, Finished):
                records[event.run_id] = event.record
            else:
                lost.append(event)
                waiting.append(spec)
        disturb(records)
    return records, lost
