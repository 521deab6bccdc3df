"""What a comparison was asked, with every default written out: teacher, upstream, further pictures, arms, recipes.

Every spec is frozen, refuses keys it does not know and reports all problems together. Nothing here reads images or
trains; `run_id` of a record is the hash of such a spec, so a field belongs here exactly when it determines the outcome.
"""

from __future__ import annotations

import math
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from azeotrope.arm import Arm, Pictures
from azeotrope.labels import ONE_CLASS, LabelSpec
from azeotrope.recipe import Recipe
from azeotrope.spec import Spec

FOLDS = 5  # in which the teacher's head is cross-fitted
TUNE_EPOCHS, TUNE_RATE = 10, 1e-4  # of a teacher that is tuned on the run's labels
Precision = Literal["fp32", "bf16", "fp16"]  # of matrix work, as a device has it and a resolved plan names it
AskedPrecision = Literal["auto", Precision]  # as it is asked
FEWEST_FOLDS = 2  # of the labelled images, where each part is the test set once
HELD_OUT = 0.2  # of all images for test, and of what is left for validation, where the source gives none


def _folds(content: dict[str, Any]) -> int:
    """A tuning takes long, so a teacher is tuned once unless asked otherwise; a head of names is not fitted."""
    return FOLDS if content.get("head", "linear") == "linear" else 1


class TeacherSpec(Spec):
    """Which frozen model teaches, or several joined by '+'; at which resolution they look (None: each its own); and
    whether a head is fitted on labels (`linear`) or made of the classes' names (`zero_shot`).

    A fitted head is cross-fitted in `folds` parts, so that none speaks of an image whose label it has seen; 1 fits one
    head on all of the run's images, for ablations. With `finetune` the backbone is tuned too, for `tune_epochs` at the
    rate `tune_rate`: once on all of the run's images or, with `folds` above 1, once more for each fold.
    Of pictures of other bands than grey or colour it looks at `bands`, three of them or one, numbered as in the file.
    `weak` insists on a teacher that knows less than the pixels, which the gate refuses; it changes no number.
    """

    model: str
    image_size: int | None = Field(default=None, ge=8)
    head: Literal["linear", "finetune", "zero_shot"] = "linear"
    folds: int = Field(default_factory=_folds, ge=1, le=20)
    tune_epochs: int = Field(default=TUNE_EPOCHS, ge=1)
    tune_rate: float = Field(default=TUNE_RATE, gt=0, lt=math.inf)
    weak: bool = Field(default=False, exclude_if=lambda weak: not weak)
    bands: tuple[int, ...] | None = Field(default=None, exclude_if=lambda bands: bands is None)

    @field_validator("bands")
    @classmethod
    def _as_colour_or_grey(cls, value: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if value is not None and (len(value) not in (1, 3) or min(value) < 1):
            raise ValueError("a teacher looks at three bands, or at one as grey, numbered from 1, such as 4,3,2")
        return value

    @model_validator(mode="after")
    def _names_are_not_fitted(self) -> Self:
        if self.head == "zero_shot" and self.folds > 1:
            raise ValueError("a head of class names is not fitted, so that folds change nothing: leave folds out")
        return self

    @property
    def targets_by(self) -> str | None:
        """How its targets are made, as a person reads it; None by the default, a linear head in five folds."""
        folds = f" in {self.folds} folds" if self.folds > 1 else ""
        if self.head == "zero_shot":
            return "by class names"
        if self.head == "finetune":
            epochs = f" for {self.tune_epochs} epochs" if self.tune_epochs != TUNE_EPOCHS else ""
            rate = f" at the rate {self.tune_rate:g}" if self.tune_rate != TUNE_RATE else ""
            return "tuned" + folds + epochs + rate
        return None if self.folds == FOLDS else f"head{folds or ' in sample'}"

    @property
    def members(self) -> tuple[Self, ...]:
        """One teacher each."""
        return tuple(self.model_copy(update={"model": part.strip()}) for part in self.model.split("+"))


class UpstreamSpec(Spec):
    """Where the student is pre-trained here: another labelled set and how many of its images."""

    data: str
    pretrain_images: int = Field(ge=1)


class PicturesSpec(Spec):
    """Pictures beside the labelled ones: a folder, URL or source `unlabelled`, and sets that `azeotrope synth` made.

    A step shows `ratio` of them for each labelled image. They enter the terms that compare with the teacher; with
    `synth_as` labelled, made pictures also count as labelled images of their intended class.
    """

    unlabelled: str | None = None
    synth: str | None = None
    synth_as: Literal["distill", "labelled"] = "distill"
    ratio: float = Field(default=1.0, gt=0, le=16)

    @model_validator(mode="after")
    def _there_are_some(self) -> Self:
        if self.unlabelled is None and self.synth is None:
            raise ValueError("further pictures are named with unlabelled or synth; without them nothing is mixed in")
        if self.synth is None and "synth_as" in self.model_fields_set and self.synth_as == "labelled":
            raise ValueError("synth_as is about made pictures: name them with synth")
        return self

    def place(self, kind: Pictures) -> str | None:
        """Where the pictures of this kind are."""
        return self.unlabelled if kind == "unlabelled" else self.synth


class ComparePlan(Spec):
    """What `compare` was asked, with every default written out; saved as `plan.yaml`. `folds` are the fingerprints of
    the tasks that the images were cut into, `fingerprint` then that of them all; without folds there are none.
    """

    data: str
    fingerprint: str
    teacher: TeacherSpec | None
    student: str
    image_size: int = Field(ge=8)
    train_images: tuple[int, ...]
    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]
    recipes: dict[int, Recipe]
    upstream: UpstreamSpec | None = None
    upstream_recipe: Recipe | None = None
    pictures: PicturesSpec | None = None
    labels: LabelSpec = ONE_CLASS
    held_out: float = HELD_OUT
    folds: tuple[str, ...] = Field(default=(), exclude_if=lambda folds: not folds)
    precision: Precision = "fp32"
    compile: bool = Field(default=False, exclude_if=lambda compile: not compile)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The fingerprints of what its runs train and test on: of every fold, or of the one task."""
        return self.folds or (self.fingerprint,)
