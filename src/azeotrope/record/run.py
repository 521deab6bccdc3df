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
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from azeotrope.labels import PLAIN_PIXELS, KindName, PixelSpec
from azeotrope.recipe import OWN_ERROR
from azeotrope.record.bits import unpack_correct
from azeotrope.record.clusters import unpack_clusters
from azeotrope.record.kinds import measure_of, named_measure
from azeotrope.record.resizes import Resizes
from azeotrope.terms import Weight

SCHEMA = 1


class Facts(BaseModel):
    """Base of all parts of a record: frozen, and a key that is not known is an error, not a silent loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TaskFacts(Facts):
    """Which labelled image set. Of the kind `number`, `classes` holds the name of what is measured, in `unit`.

    `common_error` is the test error of always naming `common_class`, the largest class in training: what an error must
    be seen beside. None for other kinds, and in records that are older. `pixels` is how files were read.
    """

    name: str
    fingerprint: str
    classes: tuple[str, ...]
    kind: KindName = "single"
    unit: str | None = None
    common_class: str | None = None
    common_error: float | None = Field(default=None, ge=0, le=1)
    pixels: PixelSpec = Field(default=PLAIN_PIXELS, exclude_if=lambda pixels: pixels == PLAIN_PIXELS)


class FoldFacts(Facts):
    """Which of several folds was the test set: number `number` (from 1) of `of`. `over_folds` is the id that the runs
    of all folds share; equal ids differ in nothing but the fold.
    """

    number: int = Field(ge=1)
    of: int = Field(ge=2)
    over_folds: str


class StudentFacts(Facts):
    """The small model. `macs` are multiply-accumulates for one image at `image_size` pixels."""

    name: str
    parameters: int = Field(ge=1)
    macs: int | None = None
    image_size: int | None = None


class HeadFacts(Facts):
    """How the teacher's head was fitted to the run's N images, and its errors and log-losses (nats an image).

    `train_...` is what the model for other images (the mean of the folds' heads, or a tuned teacher's own) says of the
    training images, which it was fitted on, `fold_...` what each
    fold's head says of the images that it has not seen (which is what teaches), `val_...` what the mean says on
    validation. `folds`, `strength` (L2) and `temperature` are missing where several teachers speak as one.
    """

    folds: int | None = Field(default=None, ge=0, description="0: one head on all images")
    strength: float | None = None
    temperature: float | None = None
    train_error: float = Field(ge=0, le=1)
    train_log_loss: float
    fold_error: float | None = Field(default=None, ge=0, le=1)
    fold_log_loss: float | None = None
    val_error: float = Field(ge=0, le=1)
    val_log_loss: float


class TeacherFacts(Facts):
    """The frozen teacher of this run. `head_error` is that of its head on the test images. Of pictures with bands it
    looked at `bands`.
    """

    name: str
    weights_hash: str
    image_size: int
    head_accuracy: float | None = Field(default=None, ge=0, le=1, description="1 - its error on validation")
    head: HeadFacts | None = None
    head_error: float | None = Field(default=None, ge=0, le=1, description="on test, of the pack's frames")
    bands: tuple[int, ...] | None = Field(default=None, exclude_if=lambda bands: bands is None)

    @property
    def called(self) -> str:
        """What tells it from other teachers: its name, and the bands that it looked at."""
        return self.name if self.bands is None else f"{self.name} on bands {', '.join(map(str, self.bands))}"


class PublishedFacts(Facts):
    """The published pre-training of the weights that an arm from `hub` starts from: `images` × `epochs` of `source` at
    `image_size` pixels, and where that is said. Where it is not known all are None, and `missing` says why.
    """

    source: str | None = None
    images: int | None = Field(default=None, ge=1)
    epochs: float | None = Field(default=None, gt=0)
    image_size: int | None = Field(default=None, ge=1)
    reference: str | None = None
    missing: str | None = None


class TuningFacts(Facts):
    """The learning rates tried, on which seed, and what validation said; one entry a candidate."""

    seed: int
    learning_rates: tuple[float, ...]
    val_errors: tuple[float | None, ...]
    chosen: float


class SearchFacts(Facts):
    """The lists of losses tried at one learning rate, on which seed, and what validation said; one entry a candidate.

    It comes before the tuning of the chosen one, is tuning too, and its time is in the phase `tuning`.
    """

    seed: int
    learning_rate: float
    candidates: tuple[str, ...]
    val_errors: tuple[float | None, ...]
    chosen: str


class EnvironmentFacts(Facts):
    """Where the run was made. Not part of `run_id`."""

    azeotrope: str
    python: str
    torch: str
    timm: str
    device: str = Field(description="cpu, cuda or mps")
    accelerator: str | None = Field(
        default=None, exclude_if=lambda name: name is None, description="the card, as its maker calls it"
    )
    cards: tuple[str, ...] = Field(
        default=(),
        exclude_if=lambda cards: not cards,
        description="the cards of the machine that trained the run, such as cuda:2; several shared every batch",
    )
    processor: str
    threads: int
    precision: str
    compiled: bool = Field(
        default=False, exclude_if=lambda compiled: not compiled, description="the student's training"
    )
    energy: str | None = Field(default=None, description="which counters `joules` were read from")


class DeployedFacts(Facts):
    """The run's student as the file of one export target, measured in that target's own runtime on this machine.

    Errors are those of the run, answered by the file; `latency_ms` is the median of one image on one thread. `seconds`
    is what converting and measuring took. Without a file all else is missing, and `reason` says why.
    """

    reason: str | None = None
    val_error: float | None = Field(default=None, ge=0, le=1)
    test_error: float | None = Field(default=None, ge=0, le=1)
    test_nll: float | None = Field(default=None, ge=0)
    correct: str | None = Field(default=None, description="as that of the run")
    latency_ms: float | None = Field(default=None, gt=0)
    size_mb: float | None = Field(default=None, gt=0)
    int8_share: float | None = Field(
        default=None, ge=0, le=1, description="of convolutions and matrix products, as the runtime computes them"
    )
    calibration_images: int | None = None
    seconds: float | None = None


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
