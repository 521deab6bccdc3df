"""The record of one run: the neck of the hourglass.

The torch half writes records, the NumPy half reads them; this is the only shape they share. It holds facts
(what was trained, what came out, what it cost), never conclusions. Missing stays missing (`None`).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, JsonValue

from azeotrope.recipe import OWN_ERROR
from azeotrope.record.bits import unpack_correct
from azeotrope.record.clusters import unpack_clusters
from azeotrope.record.facts import (
    DeployedFacts,
    EnvironmentFacts,
    Facts,
    FoldFacts,
    PublishedFacts,
    SearchFacts,
    StudentFacts,
    TaskFacts,
    TeacherFacts,
    TuningFacts,
)
from azeotrope.record.kinds import measure_of, named_measure
from azeotrope.record.resizes import Resizes
from azeotrope.terms import Weight

SCHEMA = 1


class RunRecord(Facts):
    """One (task, train_images, student, init, strategy, recipe, seed) with outcome, cost and environment.

    `run_id` is the hash of everything that determines the run, so equal ids mean equal runs. Errors are fractions
    in [0, 1]: of wrong images, or what `record.kinds` says for the task's kind; `metrics` holds further measures of
    it. `seconds` is by phase (`decode`, `teacher`, `head`, `generate`, `pretrain`, `tuning`, `compile`, `train`,
    `evaluate`, `test`), and `joules` are the whole machine's in the same phases; shared work is what this run would pay
    alone, whoever did it. `unlabelled_images` and `synthetic_images` are those that taught beside the training images.
    `correct` holds one bit per test image, in manifest order, for paired tests, where an answer is right or wrong;
    `clusters` says which test images belong together, where groups were named.
    """

    schema_version: int = Field(default=SCHEMA, alias="schema")
    run_id: str
    state: Literal["done", "failed"]
    reason: str | None = None
    task: TaskFacts
    strategy: str
    arm: str = Field(description="the arm's full name: strategy, init and losses, e.g. 'distill@hub:kl+align_uniform'")
    losses: dict[str, Weight] = Field(default_factory=dict)
    student: StudentFacts
    init: Literal["random", "hub", "upstream"]
    published: PublishedFacts | None = Field(default=None, description="of an arm from `hub`: what its weights took")
    teacher: TeacherFacts | None = None
    train_images: int = Field(ge=1)
    val_images: int | None = None
    pretrain_images: int = 0
    synthetic_images: int = 0
    unlabelled_images: int = 0
    upstream: str | None = None
    seed: int
    resize: Resizes | None = Field(
        default=None,
        exclude_if=lambda resize: resize is None,
        description="once: the pictures that judged went from their files to the student's size in one resize; missing "
        "where training's frames are the pictures as they came, and in older records, judged on these frames",
    )
    fold: FoldFacts | None = Field(
        default=None, exclude_if=lambda fold: fold is None, description="where the labelled images were cut into folds"
    )
    upstream_resize: Resizes | None = Field(
        default=None,
        exclude_if=lambda resize: resize is None,
        description="the same of the validation pictures that chose epoch and rate of the pre-training on `upstream`",
    )
    recipe: dict[str, JsonValue] = Field(default_factory=dict)
    tuning: TuningFacts | None = None
    search: SearchFacts | None = Field(default=None, description="where the losses were chosen among candidates")
    steps: int | None = None
    skipped_steps: int | None = Field(
        default=None,
        exclude_if=lambda steps: steps is None,
        description="in fp16: steps that were left out, since their gradients overflowed",
    )
    best_epoch: int | None = None
    val_error: float | None = Field(default=None, ge=0, le=1)
    test_error: float | None = Field(default=None, ge=0, le=1)
    test_nll: float | None = Field(default=None, ge=0, description="log-loss on test: mean of −log p(label), in nats")
    test_ece: float | None = Field(default=None, ge=0, le=1, description="expected calibration error on test, 15 bins")
    test_images: int | None = None
    metrics: dict[str, float] = Field(default_factory=dict, description="on test; by name in `record.kinds`")
    correct: str | None = Field(default=None, description="base64 of numpy.packbits over test images")
    clusters: str | None = Field(default=None, description="of test images; as `record.clusters` packs them")
    test_classes: str | None = Field(
        default=None,
        exclude_if=lambda classes: classes is None,
        description="of test images, packed alike, where the error is a mean over classes",
    )
    seconds: dict[str, float] = Field(default_factory=dict)
    joules: dict[str, float] = Field(
        default_factory=dict, description="by phase as `seconds`; empty where not readable"
    )
    flops: float | None = None
    peak_memory_mb: float | None = None
    environment: EnvironmentFacts | None = None
    deployed: dict[str, DeployedFacts] = Field(
        default_factory=dict,
        exclude_if=lambda files: not files,
        description="by export target, where `--deploy` asked for them",
    )

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    def correctness(self) -> NDArray[np.bool_] | None:
        """Per test image, was it right: bool [test_images]; None when the run holds none."""
        if self.correct is None or self.test_images is None:
            return None
        return unpack_correct(self.correct, self.test_images)

    def test_clusters(self) -> NDArray[np.int64] | None:
        """The number of each test image's cluster [test_images]; None where each stands for itself."""
        return None if self.clusters is None else unpack_clusters(self.clusters)

    def test_labels(self) -> NDArray[np.int64] | None:
        """The number of each test image's class [test_images]; None where the error is no mean over classes."""
        return None if self.test_classes is None else unpack_clusters(self.test_classes)

    @property
    def judged_by(self) -> str:
        """What `--metric` named, with the hash of a person's own code: runs are compared where this is the same."""
        return named_measure(self.recipe)

    @property
    def measure(self) -> str:
        """What its errors are: a key of `record.kinds.words_of`."""
        return measure_of(self.task.kind, self.metric)

    @property
    def metric(self) -> str:
        """What `--metric` named; records that are older know none."""
        return str(self.recipe.get("metric", OWN_ERROR))

    def as_deployed(self, target: str) -> RunRecord | None:
        """The same run judged by its file of this target, in the place of its network; None where there is none."""
        file = self.deployed.get(target)
        if file is None or file.test_error is None:
            return None
        judged = {name: getattr(file, name) for name in ("val_error", "test_error", "test_nll", "correct")}
        return self.model_copy(update={**judged, "test_ece": None, "metrics": {}})

    def is_whole(self, targets: Sequence[str]) -> bool:
        """Whether the run is done, and each of these targets has a file that was measured or a reason for none."""
        return self.state == "done" and set(targets) <= self.deployed.keys()

    def lacking(self, targets: Sequence[str], reason: str) -> RunRecord:
        """The run as it stands, with the reason why it has no file of those of these targets that it was not measured
        as.
        """
        without = {target: DeployedFacts(reason=reason) for target in targets if target not in self.deployed}
        return self.model_copy(update={"deployed": {**self.deployed, **without}})

    def without_reasons(self, targets: Sequence[str]) -> RunRecord:
        """The run as if it had never been asked for those files of these targets that could not be had."""
        kept = {name: file for name, file in self.deployed.items() if name not in targets or file.reason is None}
        return self.model_copy(update={"deployed": kept})

    @property
    def training_rate(self) -> float | None:
        """Images a second at which a run without a teacher trained all of the student; None where it did not."""
        batch, seconds = self.recipe.get("batch_images"), self.seconds.get("train")
        whole = self.teacher is None and self.strategy in ("scratch", "finetune")
        return self.steps * batch / seconds if whole and self.steps and seconds and isinstance(batch, int) else None

    @property
    def published_images(self) -> float | None:
        """Images × epochs of the published pre-training of its weights, where that was at the run's own resolution, so
        that the run's rate holds for it; else None.
        """
        facts = self.published
        if facts is None or facts.images is None or facts.epochs is None:
            return None
        return facts.images * facts.epochs if facts.image_size == self.student.image_size else None

    def without_times(self) -> RunRecord:
        """The part that must be bit-equal when the run is repeated: no times, memory or machine."""
        files = {
            target: file.model_copy(update={"latency_ms": None, "seconds": None})
            for target, file in self.deployed.items()
        }
        times: dict[str, object] = {"seconds": {}, "joules": {}, "peak_memory_mb": None, "environment": None}
        return self.model_copy(update={**times, "deployed": files})


def pack_correctness(correct: NDArray[np.bool_]) -> str:
    """Bit-packed, base64: 10,000 test images take 1.7 kB of JSON."""
    return base64.b64encode(np.packbits(correct).tobytes()).decode("ascii")
