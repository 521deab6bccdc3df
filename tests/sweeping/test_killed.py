"""SIGKILL at a random moment: the same command goes on to the record of an unbroken run, bit for bit."""

import os
import random
import signal
import subprocess
import sys
from dataclasses import replace

import torch

from azeotrope.record.storage.training_curve import curve_of
from azeotrope.sweeping.runs.runner import Runner

SCRIPT = """
import sys, time
from pathlib import Path
from azeotrope.data.task import load_task
from azeotrope.devices.device import Device
from azeotrope.devices.process import make_repeatable
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.runs.runner import Runner
from azeotrope.sweeping.spec import RunSpec
from azeotrope.train import loop

loop.CHECKPOINT_SECONDS = 0  # so that there are checkpoints to be torn
out, spec = Path(sys.argv[1]), RunSpec.model_validate_json(sys.argv[2])
make_repeatable()
resources = Resources(out / "cache", Device("cpu", "fp32"))
resources.add(load_task("digits"))
print("ready", flush=True)
Runner(resources, out, lambda images: print(images, flush=True)).run(spec)
"""


def test_a_run_killed_at_a_random_moment_ends_as_the_unbroken_one(specs, resources, tmp_path):
    spec = specs("distill", recipe={"epochs": 6, "views": 2, "learning_rates": (1e-3, 2e-3)})["distill", 0]
    batches = []
    unbroken = Runner(resources, tmp_path / "unbroken", batches.append).run(spec)
    out, last = tmp_path / "killed", random.randrange(1, len(batches) - 3)
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(out), spec.model_dump_json()],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
    )
    for _ in range(1 + last):
        assert process.stdout.readline(), f"it ended by itself, before batch {last}"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    runner = Runner(resources, out)
    assert process.returncode == -signal.SIGKILL
    assert runner.run(spec).without_times() == unbroken.without_times(), f"killed at batch {last} of {len(batches)}"
    curves = [curve_of(tmp_path / where, spec.digest()) for where in ("unbroken", "killed")]
    (unbroken_curve, killed_curve) = ([replace(each, images_per_second=0.0) for each in curve] for curve in curves)
    assert killed_curve == unbroken_curve
    assert [each.epoch for each in killed_curve] == list(range(6))
    kept, continued = (Runner(resources, tmp_path / where).student(spec).network for where in ("unbroken", "killed"))
    assert all(torch.equal(value, continued.state_dict()[key]) for key, value in kept.state_dict().items())
