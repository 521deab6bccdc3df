"""SIGKILL of a sweep or of a worker at random moments: the finished store equals an undisturbed one, times aside."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from azeotrope.api.sweep import sweep
from azeotrope.record.storage.store import RunStore
from azeotrope.sweeping.plans.sweep_plan import SweepPlan

SCRIPT = """
import sys
from pathlib import Path
from azeotrope.api.sweep import sweep
from azeotrope.sweeping.plans.sweep_plan import SweepPlan

if __name__ == "__main__":
    sweep(SweepPlan.model_validate_json(sys.argv[3]), out=sys.argv[1], cache=Path(sys.argv[2]))
"""


def plan(teacher, workers=1):
    """Eight runs of a fraction of a second, four of which try two learning rates."""
    return SweepPlan(
        data="digits",
        students=["test_resnet"],
        teachers=[{"model": teacher, "image_size": 32}],
        arms=["scratch", "distill:kl"],
        train_images=[40, 60],
        seeds=[0, 1],
        image_size=32,
        precision="fp32",
        recipe={"epochs": 3, "views": 2, "learning_rates": [1e-3, 2e-3]},
        engine={"workers": workers, "threads": 1},
    )


def begin(folder, teacher, workers):
    arguments = [str(folder / "out"), str(folder / "cache"), plan(teacher, workers).model_dump_json()]
    (folder / "script.py").write_text(SCRIPT)  # a file, since worker processes import it again
    return subprocess.Popen(
        [sys.executable, folder / "script.py", *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(folder, teacher):
    """The same command again, here, until its end."""
    return sweep(plan(teacher), out=folder / "out", cache=folder / "cache")


def records(folder):
    return {each.run_id: each.without_times() for each in RunStore(str(folder / "out"))}


def children(pid):
    """The workers of a sweep; Linux tells."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    with contextlib.suppress(OSError):
        return [int(child) for child in listed.read_text().split()]
    return []


def disturb(folder, teacher, rng, workers, rounds, longest):
    """Kill the sweep, or one of its workers, at random moments after its first training has begun."""
    for _ in range(rounds):
        process = begin(folder, teacher, workers)
        work = folder / "out" / "work"
        while process.poll() is None and not list(work.glob("*")):
            time.sleep(0.05)
        time.sleep(rng.uniform(0, longest))
        victims = children(process.pid) if rng.random() < 0.5 else []
        for pid in victims[-1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            time.sleep(rng.uniform(0, longest))
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, teacher_model):
    """The records of a sweep in one process that nothing interrupted."""
    folder = tmp_path_factory.mktemp("undisturbed")
    finish(folder, teacher_model)
    assert len(records(folder)) == 8
    assert all(each.state == "done" for each in records(folder).values())
    return records(folder)


def check(folder, undisturbed):
    assert records(folder) == undisturbed
    assert sorted((folder / "out" / "sweeps").iterdir()) == []
    assert list((folder / "out").rglob("*.tmp")) == []
    assert [path.name for path in (folder / "out" / "work").iterdir()] == []


def test_a_killed_sweep_ends_as_the_undisturbed_one(tmp_path, teacher_model, undisturbed):
    seed = random.randrange(1000)
    disturb(tmp_path, teacher_model, random.Random(seed), workers=1, rounds=1, longest=1.0)
    finish(tmp_path, teacher_model)
    check(tmp_path, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_twenty_kills_of_sweeps_and_workers_change_nothing(tmp_path, teacher_model, undisturbed, seed):
    disturb(tmp_path, teacher_model, random.Random(seed), workers=2, rounds=5, longest=3.0)
    finish(tmp_path, teacher_model)
    check(tmp_path, undisturbed)


@pytest.mark.slow
def test_two_sweeps_at_once_make_each_run_once(tmp_path, teacher_model, undisturbed):
    both = [begin(tmp_path, teacher_model, 1) for _ in range(2)]
    for process in both:
        _, said = process.communicate()
        assert process.returncode == 0, said
    check(tmp_path, undisturbed)
