"""What a reader of a comparison should be told beside its numbers: about the images, the classes, the teacher."""

from __future__ import annotations

from collections.abc import Iterable

from azeotrope.data.task import Task
from azeotrope.reporting.numbers import Comparison


def cautions(task: Task, comparison: Comparison) -> tuple[str, ...]:
    """One sentence each; empty when there is nothing to say."""
    return (*_images(task), *_classes(task, comparison), *_teacher(comparison), *_searches(comparison))


def _images(task: Task) -> Iterable[str]:
    """What the splits left out, which no number shows."""
    if task.splits.unreadable:
        yield f"{task.splits.unreadable:,} unreadable images were left out; `azeotrope check` names them."
    if task.splits.dropped:
        yield f"{task.splits.dropped:,} copies of other images were left out, so that none is in two splits."


def _classes(task: Task, comparison: Comparison) -> Iterable[str]:
    if comparison.train_images < len(task.classes):
        yield (
            f"{comparison.train_images} training images cannot show all {len(task.classes)} classes: "
            "some are never seen in training."
        )


def _teacher(comparison: Comparison) -> Iterable[str]:
    teacher = comparison.teacher
    errors = [arm.test_error.value for arm in comparison.arms if arm.test_error]
    if teacher is None or teacher.head_error is None or not errors or teacher.head_error <= min(errors):
        return
    yield (
        f"The teacher's head is wrong on {100 * teacher.head_error:.1f} % of the test images, the best student on "
        f"{100 * min(errors):.1f} %: a teacher below its student can still help, but a better one may help more."
    )


def _searches(comparison: Comparison) -> Iterable[str]:
    """An arm that chose its losses had more trials than the others, and its validation error is the best of them."""
    for arm in comparison.arms:
        if arm.search is not None:
            count = len(arm.search.candidates)
            yield (
                f"{arm.name} chose its losses among {count} lists on validation and took {arm.search.chosen}. "
                f"Extra trainings: {count - 1}, charged under tuning. "
                "The choice flatters its validation error, not its test error."
            )
