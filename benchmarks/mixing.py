"""What further pictures cost a training: images a second with as many unlabelled pictures as labelled images, over
those without. Interleaved in one process, median of n trials.

Run alone on the machine: `python benchmarks/mixing.py`. Decoding and the teacher are done before; what is timed is the
loop. The larger batch of a mixed step is not held against it: images are counted, not steps.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from azeotrope.data.task import load_task
from azeotrope.devices.choice import choose
from azeotrope.plan import PicturesSpec, TeacherSpec
from azeotrope.session.comparisons.comparison_plan import comparison_plan
from azeotrope.sweeping.plans.grid import open_grid
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.runs.training import _prepare

TRIALS = 5
IMAGES = 1000


def main() -> None:
    """Print the ratio and its range."""
    with tempfile.TemporaryDirectory() as folder:
        mixed, plain = _trainings(Path(folder))
        ratios = []
        for trial in range(TRIALS + 1):
            rates = [_rate(training, trial) for training in (mixed, plain)]
            if trial:  # the first chooses kernels
                ratios.append(rates[0] / rates[1])
                print(f"mixed {rates[0]:,.0f}, plain {rates[1]:,.0f} images/s", flush=True)
    print(f"ratio {statistics.median(ratios):.3f} [{min(ratios):.3f}, {max(ratios):.3f}], n = {TRIALS}")


def _trainings(folder: Path):
    """The same training with and without unlabelled pictures, at 64 images a step in both."""
    task = load_task("fashion-mnist")
    resources = Resources(folder, choose())
    resources.add(task)
    plan = comparison_plan(
        "fashion-mnist",
        student="resnet10t",
        teacher=TeacherSpec(model="tf_efficientnet_lite0", image_size=64),
        train_images=IMAGES,
        arms=["distill", "distill+unlabelled=1x"],
        seeds=1,
        image_size=32,
        recipe={"epochs": 2, "views": 2, "learning_rates": [3e-3], "batch_images": 32},
        pictures=PicturesSpec(unlabelled="fashion-mnist"),
    )
    plain, mixed = open_grid(plan, resources, [task], None).specs
    double = plain.recipe.model_copy(update={"batch_images": 64})
    return [_open(resources, spec, folder) for spec in (mixed, plain.model_copy(update={"recipe": double}))]


def _open(resources: Resources, spec, folder: Path):
    class Folder:
        checkpoint = folder / f"{spec.digest()}.pt"

    taught = resources.taught(spec.teacher, spec.task, IMAGES, 0, spec.recipe.policy, spec.recipe.views)
    return _prepare(resources, spec, spec.stages()[-1], Folder, None, taught)


def _rate(training, trial: int) -> float:
    extra = training.data.extra
    per_step = training.stage.recipe.batch_images + (extra.per_step if extra else 0)
    began = time.perf_counter()
    training._train_epoch(trial % 2)
    return IMAGES // training.stage.recipe.batch_images * per_step / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
