"""What a sweep costs beside its runs, and what a second local worker brings: overhead and speed-up on this machine.

Run alone on the machine: `python benchmarks/sweep_engines.py [--engines local1,local2,ray2]`. A first sweep, not
counted, fills the caches, so that sweeps differ in engine and workers only; each worker has one thread. Targets:
overhead under 3 % with one worker, two workers on two cores at least 1.6 times as fast as one, and Ray within 10 % of
as many local workers. Start-up is counted, so that short sweeps look worse.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from azeotrope.api.sweep import Sweep, sweep
from azeotrope.record.storage.store import RunStore
from azeotrope.sweeping.engines._engine import EngineSpec
from azeotrope.sweeping.plans.sweep_plan import SweepPlan


def main() -> None:
    """Print seconds, overhead and speed-up, median of the repeats with their range."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="fashion-mnist")
    parser.add_argument("--teacher", default="tf_efficientnet_lite0")
    parser.add_argument("--student", default="test_resnet")
    parser.add_argument("--sizes", default="500,1000")
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--engines", default="local1,local2", help="name and workers; the first fills the caches")
    asked = parser.parse_args()
    plan = SweepPlan(
        data=asked.data,
        students=(asked.student,),
        teachers=({"model": asked.teacher, "image_size": 64},),
        arms=("scratch", "distill:kl"),
        train_images=tuple(int(size) for size in asked.sizes.split(",")),
        seeds=range(asked.seeds),
        image_size=32,
        recipe={"epochs": asked.epochs, "learning_rates": [1e-3]},
    )
    with tempfile.TemporaryDirectory() as folder:
        made = measure(plan, Path(folder), asked.engines.split(","), asked.repeats)
    report(made)


def measure(plan: SweepPlan, folder: Path, engines: list[str], repeats: int) -> dict[str, list[Sweep]]:
    """Sweeps by engine, interleaved, each into a folder of its own; all must leave equal records."""
    made: dict[str, list[Sweep]] = {engine: [] for engine in engines}
    reference = None
    for repeat in range(repeats + 1):
        for name in engines if repeat else engines[:1]:
            out = folder / f"{repeat}-{name}"
            engine = EngineSpec(name=name.rstrip("0123456789"), workers=int(name[-1]), threads=1)
            done = sweep(plan.model_copy(update={"engine": engine}), out=out, cache=folder / "cache")
            records = [record.without_times() for record in RunStore(str(out))]
            reference = reference or records
            assert records == reference, f"{name} left other records"
            if repeat:
                made[name].append(done)
    return made


def report(made: dict[str, list[Sweep]]) -> None:
    """Overhead is the share of the workers' time that is in no run; it includes start-up and the idle end."""
    first = next(iter(made.values()))
    for name, sweeps in made.items():
        overhead = [1 - each.seconds_in_runs / (each.workers * each.seconds) for each in sweeps]
        show(f"{name}, {sweeps[0].made} runs: seconds", [each.seconds for each in sweeps])
        show(f"{name}: overhead in %", [100 * share for share in overhead])
        show(f"{name}: times as fast as the first", [a.seconds / b.seconds for a, b in zip(first, sweeps, strict=True)])


def show(what: str, values: list[float]) -> None:
    print(f"{what}: {statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f}, n = {len(values)})")


if __name__ == "__main__":
    main()
