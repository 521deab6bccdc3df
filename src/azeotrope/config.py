"""Typed descriptions of what is asked: view policy, recipe, arm, teacher, comparison plan.

Every spec is frozen, refuses keys it does not know and reports all problems together. Nothing here reads images or
trains; `run_id` of a record is the hash of such a spec, so a field belongs here exactly when it determines the outcome.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from azeotrope.errors import InputError
from azeotrope.spec import Spec, validated

ARM_FORM = (
    "strategy[+pictures][@init][:loss+loss=WEIGHT], such as scratch, finetune@upstream or "
    "distill@hub:kl+align_uniform=0.5; pictures are unlabelled or synth, or synth=2x for so many times the images; "
    "WEIGHT may be FIRST..LAST, and lists of losses to choose from are joined by '/'"
)

KindName = Literal["single", "multi", "number"]  # of task: the files of `kinds`
Strategy = Literal["scratch", "linear_probe", "finetune", "distill"]
Init = Literal["random", "hub", "upstream"]
Pictures = Literal["unlabelled", "synth"]
Weight = float | tuple[float, float]  # of a loss: constant, or (first, last) and linear over the training in between

FOLDS = 5  # in which the teacher's head is cross-fitted
MAX_VIEWS = 4096  # of one image; more than any training has epochs

DISTILL_LOSSES = {"kl": 1.0, "align_uniform": 1.0}  # with cross_entropy 1: the combination of Farhat & Chen 2024


class LabelSpec(Spec):
    """What the label of an image is, where the source leaves it open: its kind, and for a table where it stands.

    `column` names the column of labels or values. `separator` stands between the labels of one image; `unit` is that of
    a number, to be shown.
    """

    kind: KindName = "single"
    column: str | None = Field(default=None, min_length=1)
    separator: str | None = Field(default=None, min_length=1)
    unit: str | None = None

    @model_validator(mode="after")
    def _parts_fit_the_kind(self) -> Self:
        if self.separator is not None and self.kind != "multi":
            raise ValueError(f"a separator stands between several labels: with kind multi, not {self.kind}")
        if self.unit is not None and self.kind != "number":
            raise ValueError(f"a unit is that of a number: with kind number, not {self.kind}")
        return self


ONE_CLASS = LabelSpec()


class ViewPolicy(Spec):
    """How one image becomes many: the ranges from which a view's parameters are drawn.

    `crop_area` and `crop_aspect` bound the random resized crop (share of the image's area, width / height in the
    image's own frame); `brightness`, `contrast`, `saturation` are half-ranges around 1. `mirror` is off for
    pictures whose mirror image means something else (digits). `cutout` blanks a square whose side is this share of the
    view's (DeVries & Taylor 2017); 0 blanks nothing.
    """

    crop_area: tuple[float, float] = (0.4, 1.0)
    crop_aspect: tuple[float, float] = (0.75, 4 / 3)
    mirror: bool = True
    brightness: float = Field(default=0.2, ge=0, lt=1)
    contrast: float = Field(default=0.2, ge=0, lt=1)
    saturation: float = Field(default=0.2, ge=0, lt=1)
    cutout: float = Field(default=0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _ranges_are_ranges(self) -> Self:
        if not 0 < self.crop_area[0] <= self.crop_area[1] <= 1:
            raise ValueError("crop_area must be (low, high) with 0 < low <= high <= 1")
        if not 0 < self.crop_aspect[0] <= self.crop_aspect[1] < math.inf:
            raise ValueError("crop_aspect must be (low, high) with 0 < low <= high")
        return self


class Recipe(Spec):
    """How a student is trained: one recipe for every arm, so that arms differ in init, targets and losses only.

    `Recipe.for_images(n)` states the rules by which the numbers depend on N.
    """

    epochs: int = Field(ge=1)
    batch_images: int = Field(ge=2)
    learning_rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3)
    weight_decay: float = Field(default=0.05, ge=0)
    label_smoothing: float = Field(default=0.1, ge=0, lt=1)
    warmup_share: float = Field(default=0.05, ge=0, lt=1)
    clip_norm: float = Field(default=1.0, gt=0)
    accumulate: int = Field(default=1, ge=1, description="parts of a batch, gone through in turn to save memory")
    views: int = Field(
        default=16, ge=1, le=MAX_VIEWS, description="K: views of each image, reused in turn epoch after epoch"
    )
    live: bool = Field(default=False, description="the teacher looks at every step; nothing is kept of the views")
    policy: ViewPolicy = ViewPolicy()

    @model_validator(mode="after")
    def _parts_hold_pairs(self) -> Self:
        if self.accumulate > max(1, self.batch_images // 2):
            raise ValueError(f"accumulate must leave 2 images a part: at most {max(1, self.batch_images // 2)} here")
        return self

    @field_validator("learning_rates")
    @classmethod
    def _some_positive_rates(cls, rates: tuple[float, ...]) -> tuple[float, ...]:
        if not rates or not all(0 < rate < math.inf for rate in rates) or len(set(rates)) != len(rates):
            raise ValueError("learning_rates must be a list of different positive numbers")
        return tuple(sorted(rates))

    @classmethod
    def for_images(cls, train_images: int, **changes: Any) -> Self:
        """The recipe for N training images.

        Small sets are seen more often, yet less often than N falls: epochs = 60 sqrt(1000 / N), within [12, 120]. The
        batch is the power of two nearest N / 16, within [16, 128]: a contrastive loss wants company, a small set steps.
        """
        values: dict[str, Any] = {
            "epochs": round(min(120.0, max(12.0, 60.0 * math.sqrt(1000 / train_images)))),
            "batch_images": min(train_images, int(min(128, max(16, 2 ** round(math.log2(max(1, train_images / 16))))))),
        }
        values |= {key: value for key, value in changes.items() if value is not None}
        if values.get("live"):
            values.setdefault("views", values["epochs"])  # a new view in every epoch: nothing has to be kept of them
        recipe = validated(cls, values)
        if recipe.batch_images > train_images:
            raise InputError(
                "A batch cannot be larger than the training set",
                found=f"{recipe.batch_images} images a batch, {train_images} to train on",
                next_step="take a smaller batch_images, or more training images",
            )
        return recipe

    @property
    def cached_views(self) -> int:
        """Views of each training image whose embedding is kept."""
        return 0 if self.live else min(self.views, self.epochs)

    def steps(self, train_images: int) -> int:
        """Optimiser steps of the whole training; the same for every arm."""
        return self.epochs * max(1, train_images // self.batch_images)


class Arm(Spec):
    """One way to train the student: strategy, init, and for `distill` the losses beside cross-entropy with their
    weights.

    Written `strategy[@init][:loss+loss]`, a weight as `loss=2` or, when it goes linearly from one value to another over
    the training, `loss=1..0`: `scratch`, `finetune@upstream`, `distill:kl`, `distill@hub:kl+align_uniform=0.5`.
    With `candidates` (`distill:kl/info_nce+kl=2`) the losses are chosen among several lists, on validation.
    `pictures` beside the labelled ones teach too (`distill+unlabelled`, `distill+synth=2x@hub:kl`): `multiple` times
    the training images, or all that there are.
    """

    strategy: Strategy
    init: Init
    losses: dict[str, Weight] = Field(default_factory=dict)
    candidates: tuple[dict[str, Weight], ...] = ()
    pictures: Pictures | None = None
    multiple: float | None = Field(default=None, gt=0, lt=math.inf)

    @property
    def options(self) -> tuple[dict[str, Weight], ...]:
        """The lists of losses that it may train with: the candidates, or the one list."""
        return self.candidates or (self.losses,)

    def settled(self, losses: Mapping[str, Weight]) -> Self:
        """The arm with these of its candidates chosen."""
        return self.model_copy(update={"losses": dict(losses), "candidates": ()})

    @model_validator(mode="after")
    def _init_fits_strategy(self) -> Self:
        if self.strategy == "scratch" and self.init != "random":
            raise ValueError("scratch starts from random weights; to train pretrained weights take finetune")
        if self.strategy in ("finetune", "linear_probe") and self.init == "random":
            raise ValueError(f"{self.strategy} needs pretrained weights: init hub or upstream")
        return self

    @model_validator(mode="after")
    def _pictures_fit_strategy(self) -> Self:
        if self.pictures and self.strategy != "distill":
            raise ValueError(f"{self.strategy} trains on labels only; further pictures go with distill")
        if self.multiple is not None and not self.pictures:
            raise ValueError("a multiple is of further pictures: unlabelled or synth")
        return self

    @model_validator(mode="after")
    def _losses_fit_strategy(self) -> Self:
        if (self.losses or self.candidates) and self.strategy != "distill":
            raise ValueError(f"{self.strategy} trains on labels only; losses go with distill")
        if self.strategy == "distill" and not all(self.options):
            raise ValueError("distill needs a loss that compares with the teacher")
        if self.candidates and (self.losses or len({losses_text(option) for option in self.candidates}) < 2):
            raise ValueError("a choice of losses needs at least two different lists")
        if len({losses_text(option) for option in self.candidates}) != len(self.candidates):
            raise ValueError("each list of losses may be a candidate once")
        weights = [weight for option in self.options for weight in option.values()]
        if not all(_is_weight(weight) for weight in weights):
            raise ValueError("a loss weight must be positive and finite, or FIRST..LAST of which one may be 0")
        return self

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an arm as it is written on the command line. Raises InputError with the form."""
        head, _, losses = text.strip().partition(":")
        strategy, _, init = head.partition("@")
        strategy, plus, pictures = strategy.partition("+")
        content: dict[str, Any] = {"strategy": strategy.replace("-", "_")}
        if plus:
            kind, equals, multiple = pictures.partition("=")
            content |= {"pictures": kind, "multiple": multiple.removesuffix("x") if equals else None}
        content["init"] = init or ("random" if content["strategy"] in ("scratch", "distill") else "hub")
        if losses:
            options = [parse_losses(option) for option in losses.split("/")]
            content |= {"candidates": options} if len(options) > 1 else {"losses": options[0]}
        elif content["strategy"] == "distill":
            content["losses"] = dict(DISTILL_LOSSES)
        return validated(cls, content, what=f"arm {text!r}", allowed=ARM_FORM)

    @property
    def name(self) -> str:
        """The arm as `parse` reads it; defaults left out."""
        init = "" if self.init == ("random" if self.strategy in ("scratch", "distill") else "hub") else f"@{self.init}"
        multiple = "" if self.multiple is None else f"={self.multiple:g}x"
        start = f"{self.strategy}+{self.pictures}{multiple}" if self.pictures else self.strategy
        if self.strategy != "distill" or self.losses == DISTILL_LOSSES:
            return f"{start}{init}"
        return f"{start}{init}:{'/'.join(losses_text(option) for option in self.options)}"


class TeacherSpec(Spec):
    """Which frozen model teaches, or several joined by '+'; at which resolution they look (None: each its own); and
    whether a head is fitted on labels (`linear`) or made of the classes' names (`zero_shot`).

    A fitted head is cross-fitted in `folds` parts, so that none speaks of an image whose label it has seen; 1 fits one
    head on all of the run's images, for ablations.
    """

    model: str
    image_size: int | None = Field(default=None, ge=8)
    head: Literal["linear", "zero_shot"] = "linear"
    folds: int = Field(default=FOLDS, ge=1, le=20)

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

    def place(self, kind: Pictures) -> str | None:
        """Where the pictures of this kind are."""
        return self.unlabelled if kind == "unlabelled" else self.synth


class ComparePlan(Spec):
    """What `compare` was asked, with every default written out; saved as `plan.yaml`."""

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
    precision: Literal["fp32", "bf16"] = "fp32"


def parse_losses(text: str) -> dict[str, Weight]:
    """Read `kl+align_uniform=0.5+rkd=1..0`: losses with weights, 1 where none is given. Raises InputError."""
    losses: dict[str, Weight] = {}
    for part in text.split("+"):
        key, _, weight = part.strip().partition("=")
        try:
            losses[key.replace("-", "_")] = _parse_weight(weight) if weight else 1.0
        except ValueError:
            raise InputError(
                "A loss weight must be a number",
                found=part,
                allowed="loss, loss=WEIGHT or loss=FIRST..LAST, joined by '+'",
            ) from None
    return losses


def losses_text(losses: Mapping[str, Weight]) -> str:
    """Losses with their weights as `parse_losses` reads them; a weight of 1 is left out."""
    return "+".join(key if weight == 1 else f"{key}={weight_text(weight)}" for key, weight in losses.items())


def weight_text(weight: Weight) -> str:
    """`2`, or `1..0` for a weight that changes."""
    return f"{weight[0]:g}..{weight[1]:g}" if isinstance(weight, tuple) else f"{weight:g}"


def _parse_weight(text: str) -> Weight:
    first, dots, last = text.partition("..")
    return (float(first), float(last)) if dots else float(text)


def _is_weight(weight: Weight) -> bool:
    ends = weight if isinstance(weight, tuple) else (weight,)
    return all(0 <= end < math.inf for end in ends) and max(ends) > 0
