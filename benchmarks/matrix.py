"""Does every loss teach every kind of student from every kind of teacher? {CNN, ViT} x {CNN, ViT, hybrid} x losses.

One short training each, on few images of Fashion-MNIST: this shows that all of them train, improve on their own start
and leave a record. With one seed and one learning rate it does not show which is best. The CNN teacher has ImageNet
weights; the ViT teacher is trained here on other images of the set, and its cost is printed.

    OMP_NUM_THREADS=1 python benchmarks/matrix.py --out matrix
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

from safetensors.torch import save_file

from azeotrope.data.division.split import split_task
from azeotrope.data.listing.scan import scan
from azeotrope.data.sources._source import Source
from azeotrope.data.task import Task, open_source
from azeotrope.devices.choice import choose
from azeotrope.devices.process import prepare
from azeotrope.lookup import members
from azeotrope.plan import TeacherSpec
from azeotrope.record.run import RunRecord
from azeotrope.session.comparisons.comparison_plan import comparison_plan
from azeotrope.sweeping.plans.grid import open_grid
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.runs.runner import Runner
from azeotrope.sweeping.runs.training import student_data, student_of
from azeotrope.sweeping.spec import RunSpec
from azeotrope.train.evaluate import final_test

HYBRID = Path(__file__).parent / "variants" / "small_hybrid.py"
STUDENTS = {"CNN": "test_resnet", "ViT": "test_vit", "hybrid": f"file:{HYBRID}:build"}
CNN_TEACHER, VIT_TEACHER = "tf_efficientnet_lite0", "test_vit"
SIZE, TEACHER_SIZE = 32, 64
FIRST_OF_TEACHER = 30_000  # training images from here on are the teacher's; those before are the task's
FIRST_OF_TEST = 60_000


@dataclass(frozen=True)
class Shown:
    """One cell: test error of the student as it starts and as it ends; `failure` when it did not end well."""

    start: float
    end: float | None
    failure: str | None

    def __str__(self) -> str:
        return "failed" if self.end is None else f"{self.start:.3f} → {self.end:.3f}"


def main() -> None:
    """Print one table, and what it cost."""
    options = _options()
    prepare()
    resources, whole = Resources(options.out / "cache", choose()), open_source("fashion-mnist")
    began = time.perf_counter()
    vit = trained_vit(whole, resources, options)
    print(f"ViT teacher: {time.perf_counter() - began:.0f} s in all", flush=True)
    task = part(whole, "task", range(2 * options.images), options.test_images)
    resources.add(task)
    runner = Runner(resources, options.out / "runs")
    cells = {
        (teacher, student): column(name, model, task, runner, options)
        for teacher, name in {"CNN": CNN_TEACHER, "ViT": vit}.items()
        for student, model in STUDENTS.items()
    }
    print(table(cells))
    shown = [cell for made in cells.values() for cell in made.values()]
    trained = [cell for cell in shown if cell.end is not None]
    improved = sum(cell.end < cell.start for cell in trained)
    stored = len(list(runner.store))
    print(f"\n{len(trained)} of {len(shown)} trained, {improved} improved on their start, {stored} records; ", end="")
    print(f"{time.perf_counter() - began:.0f} s, load {os.getloadavg()[0]:.1f}")
    for (teacher, student), made in cells.items():
        for loss, cell in made.items():
            if cell.failure:
                print(f"{teacher} -> {student}, {loss}: {cell.failure}")


def part(whole: Source, name: str, train: range, test_images: int) -> Task:
    """These training images of Fashion-MNIST and its first test images, as a task."""
    places = [*train, *range(FIRST_OF_TEST, FIRST_OF_TEST + test_images)]
    items = tuple(whole.items[place] for place in places)
    source = replace(whole, name=f"fashion-mnist/{name}", items=items, read=lambda place: whole.read(places[place]))
    manifest = scan(source, None)
    return Task(source, manifest, split_task(manifest))


def trained_vit(whole: Source, resources: Resources, options: argparse.Namespace) -> str:
    """The ViT teacher, trained on labels of images that the task does not hold; its name with its weights."""
    images = options.teacher_images
    others = range(FIRST_OF_TEACHER, FIRST_OF_TEACHER + images * 5 // 4)  # a fifth validates
    task = part(whole, "teacher", others, options.test_images)
    resources.add(task)
    recipe = {"epochs": options.teacher_epochs, "batch_images": 128, "learning_rates": [1e-3]}
    spec = specs(task, resources, VIT_TEACHER, TEACHER_SIZE, None, ["scratch"], images, recipe)[0]
    runner = Runner(resources, options.out / "teacher")
    record = runner.run(spec)
    flops, seconds = record.flops or 0.0, sum(record.seconds.values())
    print(
        f"ViT teacher: {VIT_TEACHER} at {TEACHER_SIZE} px, {images:,} images x {options.teacher_epochs} epochs, "
        f"test error {record.test_error}, {seconds:.0f} s, {flops:.2g} FLOPs"
    )
    file = options.out / "vit.safetensors"
    save_file(runner.student(spec).network.backbone.state_dict(), file)
    return f"{VIT_TEACHER}@{file}"


def column(teacher: str, student: str, task: Task, runner: Runner, options: argparse.Namespace) -> dict[str, Shown]:
    """All losses for one teacher and student, and `scratch`."""
    keys = [key for key in members("losses") if key != "cross_entropy"]
    arms = ["scratch", *(f"distill:{key}" for key in keys)]
    recipe = {"epochs": options.epochs, "batch_images": 32, "learning_rates": [3e-3], "views": options.views}
    looks = TeacherSpec(model=teacher, image_size=TEACHER_SIZE)
    made = specs(task, runner.resources, student, SIZE, looks, arms, options.images, recipe)
    start = error_at_start(runner.resources, made[0])
    cells = {}
    for name, spec in zip(["scratch", *keys], made, strict=True):
        record = runner.run(spec)
        cells[name] = Shown(start, _exported(runner, record).test_error, record.reason)
        print(f"{teacher} -> {student}, {name}: {cells[name]}", flush=True)
    return cells


def specs(
    task: Task,
    resources: Resources,
    student: str,
    size: int,
    teacher: TeacherSpec | None,
    arms: list[str],
    images: int,
    recipe: dict[str, object],
) -> list[RunSpec]:
    """The runs of one seed."""
    plan = comparison_plan(
        task.name,
        student=student,
        teacher=teacher,
        train_images=images,
        arms=arms,
        seeds=1,
        image_size=size,
        recipe=recipe,
    )
    return list(open_grid(plan, resources, [task], None).specs)


def error_at_start(resources: Resources, spec: RunSpec) -> float:
    """Test error of the student before its first step; the losses share it."""
    student = student_of(resources, spec)
    data = student_data(resources, spec, student, None)
    test = final_test(resources.device.place(student.network), data, None, resources.device)
    return 1 - float(test.correct.mean())


def _exported(runner: Runner, record: RunRecord) -> RunRecord:
    """The record as it is read back from disk."""
    stored = runner.store.get(record.run_id)
    assert stored == record
    return stored


def table(cells: dict[tuple[str, str], dict[str, Shown]]) -> str:
    """Losses down, teacher and student across."""
    head = ["loss", *(f"{teacher} → {student}" for teacher, student in cells)]
    rows = [[loss, *(str(made[loss]) for made in cells.values())] for loss in next(iter(cells.values()))]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("matrix"))
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--views", type=int, default=4)
    parser.add_argument("--test-images", type=int, default=1000)
    parser.add_argument("--teacher-images", type=int, default=8_000)
    parser.add_argument("--teacher-epochs", type=int, default=4)
    return parser.parse_args()


if __name__ == "__main__":
    main()
