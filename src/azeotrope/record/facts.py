"""The parts of a run's record: what was trained, on what, by whom, where, and what was measured of its files.

Each is plain data with its limits; `record.run` puts them together.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from azeotrope.labels import PLAIN_PIXELS, KindName, PixelSpec


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
    looked at `bands`. `targets_by` says how its targets were made, where that is not a cross-fitted linear head.
    """

    name: str
    weights_hash: str
    image_size: int
    head_accuracy: float | None = Field(default=None, ge=0, le=1, description="1 - its error on validation")
    head: HeadFacts | None = None
    head_error: float | None = Field(default=None, ge=0, le=1, description="on test, of the pack's frames")
    bands: tuple[int, ...] | None = Field(default=None, exclude_if=lambda bands: bands is None)
    targets_by: str | None = Field(default=None, exclude_if=lambda by: by is None)

    @property
    def called(self) -> str:
        """What tells it from other teachers: its name, the bands that it looked at, and how its targets were made."""
        bands = "" if self.bands is None else f" on bands {', '.join(map(str, self.bands))}"
        return self.name + bands + (f" ({self.targets_by})" if self.targets_by else "")

    @property
    def at_its_size(self) -> TeacherFacts:
        """The same teacher, called by the size of its images too."""
        return self.model_copy(update={"name": f"{self.name} at {self.image_size} px"})


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
