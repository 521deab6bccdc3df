"""One training on disk: made once, resumed after a kill, found again by its content address.

A tuning trial and the run that uses its learning rate are the same training when their seed is the same; it is then
made once.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch

from azeotrope.errors import RunFailed
from azeotrope.models.load import Loaded
from azeotrope.sweeping.runs.failures import reason
from azeotrope.sweeping.runs.pools import extra_of
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.runs.taught import Taught
from azeotrope.sweeping.runs.training_folder import Trained, TrainingFolder
from azeotrope.sweeping.spec import RunSpec
from azeotrope.train.dataset import StudentData, TaskImages
from azeotrope.train.loop import Progress, Training
from azeotrope.train.parallel.processes import OutOfStepError
from azeotrope.train.stage import Stage


def student_of(resources: Resources, spec: RunSpec) -> Loaded:
    """The student of a spec at its start (for `upstream`: random; the caller loads the body)."""
    task = resources.tasks[spec.task]
    return resources.student(
        spec.student,
        len(task.classes),
        spec.image_size,
        pretrained=spec.arm.init == "hub",
        seed=spec.starting_seed,
        in_channels=task.manifest.in_channels,
    )


def student_data(resources: Resources, spec: RunSpec, loaded: Loaded, taught: Taught | None) -> StudentData:
    """The task's images as this student sees them, with targets when a teacher is given."""
    images = TaskImages(
        resources.pack(spec.task, spec.image_size),
        spec.recipe.policy,
        spec.recipe.shown_views,
        taught.targets if taught else None,
        resources.scale(spec.task, spec.train_images, spec.seed),
        resources.plain(spec.task, spec.image_size, loaded.preprocessing.interpolation),
    )
    recipe = spec.recipe
    return StudentData(images, spec.image_size, loaded.preprocessing, metric=recipe.metric, sampling=recipe.sampling)


def train_once(
    resources: Resources,
    spec: RunSpec,
    work: Path,
    *,
    start: dict[str, torch.Tensor] | None = None,
    taught: Taught | None = None,
    advance: Callable[[int], None] = lambda images: None,
) -> Trained:
    """Train the last stage of `spec`, which must have one learning rate; `start` is the body left by the stage before.

    A training that failed for a reason of its own (RunFailed) is an outcome too and is not tried again.
    """
    folder = TrainingFolder.of(work, spec)
    with folder.mine():
        return _train(resources, spec, folder, start, taught, advance)


def assist(resources: Resources, work: Path) -> None:
    """What the other processes do of one `train_once`: they hear from the leader which training it is, and have its
    start from it too. What fails in all of them is the leader's to tell. Raises what fails here alone.
    """
    spec: RunSpec = resources.processes.told(None)
    folder, recipe = TrainingFolder.of(work, spec), spec.recipe

    def ready() -> Training:
        taught = None
        if spec.teacher is not None:
            asked = spec.teacher, spec.task, spec.train_images, spec.seed, recipe.policy, recipe.views
            taught = resources.taught(*asked)
        return _prepare(resources, spec, spec.stages()[-1], folder, None, taught)

    try:
        training = resources.processes.agreed(ready)
    except OutOfStepError:
        raise
    except Exception:  # the leader raises it too
        return
    with suppress(RunFailed):
        _run(training)


def _run(training: Training) -> Progress:
    """Raises OutOfStepError in the place of what others cannot know of, since they wait for this process."""
    try:
        return training.run()
    except torch.AcceleratorError:  # no kernel works in this process any more
        raise
    except RuntimeError as error:
        if training.processes.count == 1:
            raise
        raise OutOfStepError(f"{training.device.name}: {reason(error)}", final=True) from error


def _train(
    resources: Resources,
    spec: RunSpec,
    folder: TrainingFolder,
    start: dict[str, torch.Tensor] | None,
    taught: Taught | None,
    advance: Callable[[int], None],
) -> Trained:
    stage = spec.stages()[-1]
    images = stage.recipe.steps(spec.train_images) * stage.recipe.batch_images
    if (done := folder.outcome()) is not None:
        advance(images)
        return done
    training: Training | None = None
    try:
        resources.processes.told(spec)
        training = resources.processes.agreed(lambda: _prepare(resources, spec, stage, folder, start, taught))
        training.advance = advance
        progress = _run(training)
    except RunFailed as failure:
        curve = tuple(training.progress.curve) if training else ()
        trained = Trained(None, None, None, 0, {}, failure=str(failure), curve=curve)
        folder.finish(trained, None)
        return trained
    trained = Trained(
        progress.best.error,
        progress.best.cross_entropy,
        progress.best_epoch,
        stage.recipe.steps(spec.train_images),
        progress.seconds,
        joules=progress.joules,
        curve=tuple(progress.curve),
        skipped=progress.skipped if training.step.scaler.is_enabled() else None,
    )
    folder.finish(trained, training.network)
    return trained


def _prepare(
    resources: Resources,
    spec: RunSpec,
    stage: Stage,
    folder: TrainingFolder,
    start: dict[str, torch.Tensor] | None,
    taught: Taught | None,
) -> Training:
    loaded = student_of(resources, spec)
    if stage.init == "previous" and resources.processes.leads:
        assert start is not None
        loaded.network.backbone.load_state_dict(start)
    rows = resources.rows(spec.task, spec.train_images, spec.seed)
    data = student_data(resources, spec, loaded, taught if stage.needs_teacher else None)
    data.images.pack.ensure(rows.train)
    data.images.judged.ensure(rows.val)
    if stage.needs_teacher:
        assert taught is not None
        taught.targets.cache.ensure(rows.train, range(stage.recipe.cached_views))
        targets = replace(taught.targets, live=stage.recipe.live)
        data = replace(data, images=replace(data.images, targets=targets))
    data = replace(data, extra=extra_of(resources, spec, data.images))
    rate, processes = spec.recipe.learning_rates[0], resources.processes
    device, file = resources.device, folder.checkpoint
    return Training(loaded.network, stage, rate, spec.starting_seed, data, rows, device, file, processes=processes)
