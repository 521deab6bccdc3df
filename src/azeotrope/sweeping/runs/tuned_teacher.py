"""A teacher whose backbone is tuned on a run's own labelled images, by the one training loop, before it teaches.

Its head starts as the linear probe of the pretrained features (Kumar et al. 2022, arXiv 2202.10054: a random head would
first distort them), the rate is low, and the epoch with the lowest log-loss on validation is kept. Of its own training
images a tuned teacher repeats the labels; tuned once a fold (`TeacherSpec.folds`), each image is spoken of by the
version that was tuned without it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from azeotrope.data.packing.pack import Pack
from azeotrope.errors import InputError, RunFailed
from azeotrope.kinds._kind import Scale
from azeotrope.models.load import Loaded, load_network
from azeotrope.models.pretrained.weights import fingerprint
from azeotrope.models.spec import ModelSpec
from azeotrope.plan import TeacherSpec
from azeotrope.recipe import Recipe, ViewPolicy
from azeotrope.sweeping.runs.training_folder import Trained, TrainingFolder
from azeotrope.teacher.embedder import Frozen
from azeotrope.teacher.heads.head import Head
from azeotrope.teacher.teacher import Teacher
from azeotrope.train.dataset import StudentData, TaskImages
from azeotrope.train.loop import Rows, Training
from azeotrope.train.stage import Stage

HEAD_RATE = 10.0  # over the body's, as in `finetune`
BATCH = 32


@dataclass(frozen=True)
class Tuning:
    """What the versions of one tuned teacher share: the pretrained teacher, the run's images, and how they are seen."""

    spec: TeacherSpec
    teacher: Teacher
    pack: Pack
    rows: Rows
    scale: Scale
    policy: ViewPolicy
    seed: int
    folder: Path

    def recipe(self, images: int) -> Recipe:
        """For so many training images; views are those of the students' trainings."""
        return Recipe(
            epochs=self.spec.tune_epochs,
            batch_images=min(BATCH, images),
            learning_rates=(self.spec.tune_rate,),
            label_smoothing=0.0,  # its word is to be sure of what it is sure of
            weight_average=0.0,  # the epoch with the lowest log-loss is kept
            views=self.spec.tune_epochs,
            policy=self.policy,
        )


@dataclass(frozen=True)
class Tuned:
    """One version: the teacher, the weight [C, G] and bias [C] of its head, and what the tuning took."""

    teacher: Teacher
    weight: torch.Tensor
    bias: torch.Tensor
    seconds: float
    images: int


def tune(tuning: Tuning, start: Head, fold: int, train: NDArray[np.int64]) -> Tuned:
    """Tune on these rows, from the pretrained weights and the model of `start` that speaks for this fold; found again
    on disk where it was done before.

    Raises InputError for a teacher that cannot be trained, RunFailed when its training diverges.
    """
    loaded = _pretrained(tuning, len(tuning.pack.task.classes))
    with torch.no_grad():
        loaded.network.head.weight.copy_(start.weight[fold])
        loaded.network.head.bias.copy_(start.bias[fold])
    folder = TrainingFolder(tuning.folder / _digest(tuning, train, start, fold))
    with folder.mine():
        done = folder.outcome() or _trained(tuning, loaded, folder, train)
    if done.failure:
        raise RunFailed(
            f"The teacher {tuning.spec.model} could not be tuned: {done.failure}",
            next_step="take a smaller tune_rate of this teacher in a plan of azeotrope sweep (here "
            f"{tuning.spec.tune_rate:g}), --precision fp32, or --teacher-head linear",
        )
    loaded.network.load_state_dict(folder.weights())
    network = tuning.teacher.device.place(loaded.network)
    teacher = replace(
        tuning.teacher,
        weights_hash=fingerprint(network.backbone.state_dict()),
        module=Frozen(network.backbone),
    )
    head = network.head
    return Tuned(
        teacher,
        head.weight.detach().cpu().clone(),
        head.bias.detach().cpu().clone(),
        sum(done.seconds.values()),
        tuning.recipe(len(train)).steps(len(train)) * tuning.recipe(len(train)).batch_images,
    )


def _pretrained(tuning: Tuning, classes: int) -> Loaded:
    """The teacher as a network that can be trained, with the weights that it teaches with."""
    if ModelSpec.parse(tuning.spec.model).scheme == "exported":
        raise InputError(
            "A teacher that is to be tuned must be a model that can be trained",
            found=f"{tuning.spec.model}, an exported program",
            allowed="a model of another source, or --teacher-head linear",
            next_step="take one of these",
        )
    size = tuning.teacher.image_size
    return load_network(tuning.spec.model, classes, image_size=size, pretrained=True, seed=tuning.seed)


def _trained(tuning: Tuning, loaded: Loaded, folder: TrainingFolder, train: NDArray[np.int64]) -> Trained:
    recipe = tuning.recipe(len(train))
    stage = Stage(
        data="task",
        init="hub",
        recipe=recipe,
        head_rate=HEAD_RATE,
        keeps_statistics=True,  # those that the head's start was fitted with; a batch of 32 has worse ones
        chosen_by="cross_entropy",
    )
    images = TaskImages(tuning.pack, tuning.policy, recipe.views, scale=tuning.scale)
    data = StudentData(images, tuning.teacher.image_size, loaded.preprocessing)
    tuning.pack.ensure(np.concatenate([train, tuning.rows.val]))
    rows, rate = Rows(train, tuning.rows.val), recipe.learning_rates[0]
    training = Training(loaded.network, stage, rate, tuning.seed, data, rows, tuning.teacher.device, folder.checkpoint)
    try:
        progress = training.run()
    except RunFailed as failure:
        told = RunFailed(failure.rule, found=failure.found, allowed=failure.allowed)  # its next step is a student's
        failed = Trained(None, None, None, 0, {}, failure=str(told))
        folder.finish(failed, None)
        return failed
    best = progress.best
    done = Trained(best.error, best.cross_entropy, progress.best_epoch, recipe.steps(len(train)), progress.seconds)
    folder.finish(done, training.network)
    return done


def _digest(tuning: Tuning, train: NDArray[np.int64], start: Head, fold: int) -> str:
    """Of all that determines the tuned weights."""
    task, teacher = tuning.pack.task, tuning.teacher
    said = (
        f"{tuning.spec.model} {teacher.weights_hash} {teacher.image_size} {teacher.device.precision} {tuning.seed} "
        f"{task.fingerprint} {task.order_digest} {tuning.recipe(len(train)).digest()}"
    )
    said += "" if teacher.bands is None else f" bands {teacher.bands}"
    digest = hashlib.sha256(said.encode())
    for rows in (train, tuning.rows.val):
        digest.update(np.ascontiguousarray(rows).tobytes())
    digest.update(start.weight[fold].numpy().tobytes())
    return f"tuned-{digest.hexdigest()[:16]}"
