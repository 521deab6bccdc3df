"""Synthetic runs: made up, small, and easy to check by hand. No number here was measured."""

import numpy as np

from azeotrope.record.facts import EnvironmentFacts, StudentFacts, TaskFacts, TeacherFacts
from azeotrope.record.run import RunRecord, pack_correctness

TASK = TaskFacts(name="synthetic", fingerprint="f00d", classes=("cat", "dog", "owl"))
STUDENT = StudentFacts(name="tiny", parameters=4_600_000, macs=30_000_000, image_size=32)
TEACHER = TeacherFacts(name="big", weights_hash="abc", image_size=64, head_accuracy=0.8, head_error=0.2)
MACHINE = EnvironmentFacts(
    azeotrope="0.1.0",
    python="3.11",
    torch="2",
    timm="1",
    device="cpu",
    processor="made up",
    threads=1,
    precision="fp32",
)
TEST_IMAGES = 1000


def run(arm="scratch", seed=0, *, errors=200, val_error=0.2, seconds=None, state="done", **changes):
    """One run whose test error is `errors` of 1,000 images; which ones depends on the seed only through their order."""
    strategy, _, rest = arm.partition("@")
    strategy = strategy.partition(":")[0]
    distilled = strategy == "distill"
    correct = np.ones(TEST_IMAGES, bool)
    correct[np.random.default_rng(seed).permutation(TEST_IMAGES)[:errors]] = False
    done = state == "done"
    content = {
        "run_id": f"{arm}-{seed}-{changes.get('train_images', 500)}",
        "state": state,
        "task": TASK,
        "strategy": strategy,
        "arm": arm,
        "losses": {"kl": 1.0} if distilled else {},
        "student": STUDENT,
        "init": "hub" if strategy in ("finetune", "linear_probe") or rest.startswith("hub") else "random",
        "teacher": TEACHER if distilled else None,
        "train_images": 500,
        "val_images": 100,
        "seed": seed,
        "recipe": {"epochs": 3, "batch_images": 32},
        "val_error": val_error if done else None,
        "test_error": errors / TEST_IMAGES if done else None,
        "test_images": TEST_IMAGES,
        "correct": pack_correctness(correct) if done else None,
        "seconds": {"train": 10.0, "evaluate": 1.0} if seconds is None else seconds,
        "flops": 1e12,
        "environment": MACHINE,
    }
    return RunRecord(**{**content, **changes})


def three_seeds(arm, errors, **changes):
    """Runs with seeds 0, 1, 2 and these numbers of wrong test images."""
    return [run(arm, seed, errors=wrong, **changes) for seed, wrong in enumerate(errors)]
