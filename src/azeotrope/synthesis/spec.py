"""What pictures are asked for, as data: the generator, how many, and what the teacher lets pass."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from azeotrope.errors import InputError
from azeotrope.labels import ONE_CLASS, LabelSpec
from azeotrope.plan import Precision, TeacherSpec
from azeotrope.spec import Spec

Kind = Literal["own", "text", "vary", "mix"]
DEFAULT_TEMPLATES = ("a photo of a {class}",)
OWN_STEPS, OWN_GUIDANCE = 25, 1.5  # of sampling from a generator trained here
ALIKE = 0.95
"""Cosine of standardised teacher embeddings from which two pictures count as the same. Measured (docs/log.md): no pair
of 2,000 training and 2,000 test images of Fashion-MNIST reaches it (0.93), nor of digits (0.88)."""


class Training(Spec):
    """How a generator of one's own is trained: one rule for all sizes, since its cost is steps and not images."""

    steps: int = Field(default=1000, ge=1)
    batch_images: int = Field(default=64, ge=2)
    learning_rate: float = Field(default=1e-3, gt=0)
    channels: tuple[int, ...] = (32, 64, 96)
    picture_size: int = Field(default=32, ge=8, le=128, description="pixels at most; smaller images stay as they are")
    unlabelled_share: float = Field(default=0.15, gt=0, lt=1, description="of steps without the class: guidance")
    average: float = Field(default=0.995, gt=0, lt=1, description="of the weights, exponential, over steps")


class GeneratorSpec(Spec):
    """Which generator, and how it draws.

    `own` is trained here on this run's images; `text` is a diffusers pipeline with prompts; `vary` and `mix` redraw
    one training image, or the blend of two of a class, without a prompt. `model` is a hub id or a local folder.
    """

    kind: Kind
    model: str | None = None
    revision: str | None = None
    steps: int | None = Field(default=None, ge=1, description="of sampling; the pipeline's own by default")
    guidance: float | None = Field(default=None, ge=0, description="the pipeline's own by default")
    strength: float = Field(default=0.6, gt=0, le=1, description="vary, mix: how far from the image; 1 is all new")
    picture_size: int | None = Field(default=None, ge=8, description="pixels; the pipeline's own by default")
    templates: tuple[str, ...] = DEFAULT_TEMPLATES
    descriptions: dict[str, str] = Field(default_factory=dict)
    training: Training | None = None

    @field_validator("templates")
    @classmethod
    def _each_names_the_class(cls, templates: tuple[str, ...]) -> tuple[str, ...]:
        if not templates or any("{class}" not in template for template in templates):
            raise ValueError("every template must hold {class}, as in 'a photo of a {class}'")
        return templates

    @model_validator(mode="after")
    def _own_or_named(self) -> Self:
        if (self.kind == "own") != (self.model is None) or (self.kind == "own") != (self.training is not None):
            raise ValueError("either train a generator of your own (--train) or name one (--generator), not both")
        return self

    @model_validator(mode="after")
    def _something_is_redrawn(self) -> Self:
        if self.kind in ("vary", "mix") and self.steps is not None and int(self.steps * self.strength) < 1:
            raise ValueError(
                f"redrawing takes steps times strength steps, and this is less than 1: {self.steps} times "
                f"{self.strength:g}"
            )
        return self


class FilterSpec(Spec):
    """What the teacher lets pass. `diverse` keeps at most so many a class, chosen to differ from each other."""

    agreement: float = Field(default=0.5, ge=0, le=1, description="the teacher's probability of the intended class")
    alike: float = Field(default=ALIKE, gt=0, le=1)
    diverse: int | None = Field(default=None, ge=1)


class SetsSpec(Spec):
    """How many pictures are made, for the subsets of which seeds: `per_class` of every class, or `multiple` times the
    `train_images` (None: all).
    """

    per_class: int | None = Field(default=None, ge=1)
    multiple: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    train_images: int | None = Field(default=None, ge=1)
    seeds: tuple[int, ...] = (0,)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.per_class is None) == (self.multiple is None):
            named = "neither" if self.per_class is None else "both"
            raise ValueError(f"either --per-class 100 or --multiple 2x (of the training images) is needed, not {named}")
        return self

    def of_each_class(self, train_images: int, classes: int) -> int:
        """Pictures of every class, for so many training images. Raises InputError where that is none."""
        count = self.per_class or -(-round((self.multiple or 0) * train_images) // classes)
        if count < 1:
            raise InputError("At least one picture a class must be made", found=str(count), allowed="1 or more")
        return count


class FilesSpec(Spec):
    """How pictures are made and written: `batch_pictures` at once, as `format`."""

    batch_pictures: int = Field(default=32, ge=1)
    format: Literal["png", "jpeg"] = "png"


class SynthPlan(Spec):
    """One set of pictures, completely determined: for `train_images` images of subset `seed`."""

    data: str
    fingerprint: str
    teacher: TeacherSpec
    train_images: int
    seed: int
    generator: GeneratorSpec
    per_class: int = Field(ge=1, description="pictures made, before the teacher judges them")
    batch_images: int = Field(default=32, ge=1)
    format: Literal["png", "jpeg"] = "png"
    filter: FilterSpec = FilterSpec()
    precision: Precision = "fp32"
    labels: LabelSpec = Field(default=ONE_CLASS, exclude_if=lambda labels: labels == ONE_CLASS)

    def making(self) -> dict[str, Any]:
        """The part that decides what each picture shows: a set may grow and be judged again, nothing else."""
        return self.model_dump(exclude={"per_class", "filter", "teacher", "labels"})


@dataclass(frozen=True)
class Request:
    """One picture to be made: number `index` of class `label`, with a random seed of its own."""

    label: int
    index: int
    seed: int

    @classmethod
    def of(cls, class_name: str, label: int, index: int, seed: int) -> Self:
        """The seed is a hash of (class name, index, seed): a class that is added changes no other's pictures."""
        text = f"azeotrope/synth/{seed}/{index}/{class_name}"
        return cls(label, index, int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big"))
