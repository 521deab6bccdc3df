"""How a student is trained and how one image becomes many; the rules that depend on N are stated here, once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from azeotrope.errors import InputError
from azeotrope.own_code import FILE
from azeotrope.spec import Spec, validated

MAX_VIEWS = 4096  # of one image; more than a training by the rules has epochs

OWN_ERROR, BALANCED, TOP5 = "error", "balanced_error", "top5_error"
METRICS = (OWN_ERROR, BALANCED, TOP5)  # and file:PATH.py:FUNCTION

OFF, AUTO = "off", "auto"  # of class weights; a plan may name a file too
WEIGHT_FILES = (".csv", ".tsv", ".yaml", ".yml")
Sampling = Literal["shuffled", "balanced"]

RULE_EPOCHS, RULE_IMAGES = 60, 1000  # so many passes at so many images: the point through which the rule goes
RULE_BATCH = 32  # images a step: a contrastive loss wants company, a small set wants steps
RULE_FEWEST_EPOCHS = 12  # however many images there are


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

    `Recipe.for_images(n)` states the rules by which the numbers depend on N. `max_steps` ends the training within its
    last epoch. With `weight_average` the student is not the epoch that validation likes best, but the average of the
    weights over about this share of the steps, as it stands at the end. `class_weights`, `sampling` and
    `logit_adjustment` are for classes of unequal size (`kinds._balance`, `data.division.sampling`).
    """

    epochs: int = Field(ge=1)
    batch_images: int = Field(ge=2)
    max_steps: int | None = Field(default=None, ge=1, description="optimiser steps after which the last epoch ends")
    learning_rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3)
    schedule: Literal["cosine", "constant"] = Field(default="cosine", description="of the rate, after its warm-up")
    weight_decay: float = Field(default=0.05, ge=0)
    label_smoothing: float = Field(default=0.1, ge=0, lt=1)
    warmup_share: float = Field(default=0.05, ge=0, lt=1)
    clip_norm: float = Field(default=1.0, gt=0)
    weight_average: float = Field(default=0.05, ge=0, lt=1, description="share of the steps; 0: the best epoch")
    accumulate: int = Field(default=1, ge=1, description="parts of a batch, gone through in turn to save memory")
    views: int = Field(
        default=16, ge=1, le=MAX_VIEWS, description="K: views of each image, reused in turn epoch after epoch"
    )
    live: bool = Field(default=False, description="the teacher looks at every step; nothing is kept of the views")
    policy: ViewPolicy = ViewPolicy()
    metric: str = Field(
        default=OWN_ERROR,
        exclude_if=lambda metric: metric == OWN_ERROR,
        description="what chooses epoch, learning rate and arm, and is judged",
    )
    metric_code: str | None = Field(
        default=None, exclude_if=lambda code: code is None, description="hash of the file of a measure of one's own"
    )
    class_weights: str | dict[str, float] = Field(
        default=OFF,
        exclude_if=lambda weights: weights == OFF,
        description="of the loss on labels: off, auto or by class; a plan may name a CSV or YAML file",
    )
    sampling: Sampling = Field(
        default="shuffled",
        exclude_if=lambda sampling: sampling == "shuffled",
        description="balanced: every class is shown as often as any other",
    )
    logit_adjustment: float = Field(
        default=0.0,
        ge=0,
        allow_inf_nan=False,
        exclude_if=lambda tau: tau == 0,
        description="tau: times the log of the class shares, added to the outputs in the loss on labels",
    )

    @model_validator(mode="after")
    def _parts_hold_pairs(self) -> Self:
        if self.accumulate > max(1, self.batch_images // 2):
            raise ValueError(f"accumulate must leave 2 images a part: at most {max(1, self.batch_images // 2)} here")
        return self

    @field_validator("metric")
    @classmethod
    def _known_measure(cls, metric: str) -> str:
        if metric not in METRICS and not metric.startswith(FILE):
            raise ValueError(f"is {', '.join(METRICS)} or {FILE}PATH.py:FUNCTION, not {metric!r}")
        return metric

    @field_validator("class_weights", mode="before")
    @classmethod
    def _weights_or_a_file(cls, weights: Any) -> Any:
        return class_weights_meant(weights)

    @model_validator(mode="after")
    def _evened_out_once(self) -> Self:
        asked = {
            "class_weights auto": self.class_weights == AUTO,
            "sampling balanced": self.sampling == "balanced",
            "logit_adjustment": self.logit_adjustment > 0,
        }
        found = [name for name, given in asked.items() if given]
        if len(found) > 1:
            raise ValueError(f"{' and '.join(found)} each even out unequal classes, and together twice: give one")
        return self

    @field_validator("learning_rates")
    @classmethod
    def _some_positive_rates(cls, rates: tuple[float, ...]) -> tuple[float, ...]:
        if not rates or not all(0 < rate < math.inf for rate in rates) or len(set(rates)) != len(rates):
            raise ValueError("learning_rates must be a list of different positive numbers")
        return tuple(sorted(rates))

    @classmethod
    def for_images(cls, train_images: int, **changes: Any) -> Recipe:
        """The recipe for N training images; `changes` are the fields of `RecipeChanges` that replace the rules.

        The steps are 60 √(1000 N) / 32 times `patience`, so they never fall when N grows; small sets are seen more
        often than large ones, yet less often than N falls. The batch is `rule_batch`. Whoever names `epochs` gets
        those, times `patience`, and their steps follow the images. Raises InputError.
        """
        given = {key: value for key, value in changes.items() if value is not None}
        asked = RecipeChanges.checked({"batch_images": rule_batch(train_images), **given})
        if asked.batch_images > train_images:
            raise InputError(
                "A batch cannot be larger than the training set",
                found=f"{asked.batch_images} images a batch, {train_images} to train on",
                next_step="take a smaller batch_images, or more training images",
            )
        values = asked.model_dump(exclude={"patience"})
        if "epochs" in given:
            values["epochs"] = math.ceil(asked.epochs * asked.patience)
            values["max_steps"] = asked.max_steps and round(asked.max_steps * asked.patience)
        else:
            values["max_steps"] = round((asked.max_steps or rule_steps(train_images)) * asked.patience)
            values["epochs"] = -(-values["max_steps"] // asked.steps_per_epoch(train_images))
        if asked.live and "views" not in given:
            values["views"] = min(values["epochs"], MAX_VIEWS)  # a new view in every epoch: nothing is kept of them
        return Recipe.model_validate(values)

    @property
    def shown_views(self) -> int:
        """Views of each training image that train: no more than there are epochs, however often one shows an image."""
        return min(self.views, self.epochs)

    @property
    def cached_views(self) -> int:
        """Views of each training image whose embedding is kept."""
        return 0 if self.live else self.shown_views

    @property
    def judgements(self) -> int:
        """How often a training looks at validation: after every epoch, or once where an average is taken."""
        return 1 if self.weight_average else self.epochs

    def steps_per_epoch(self, train_images: int) -> int:
        """Optimiser steps of a whole epoch; what would be a short batch is left to a later epoch's order."""
        return max(1, train_images // self.batch_images)

    def steps(self, train_images: int) -> int:
        """Optimiser steps of the whole training; the same for every arm."""
        whole = self.epochs * self.steps_per_epoch(train_images)
        return whole if self.max_steps is None else min(whole, self.max_steps)


class RecipeChanges(Recipe):
    """What may replace the rules of a recipe: its fields, and `patience`, which multiplies the training's length."""

    epochs: int = Field(default=1, ge=1)
    batch_images: int = Field(default=RULE_BATCH, ge=2)
    patience: float = Field(default=1.0, ge=1, allow_inf_nan=False)

    @classmethod
    def checked(cls, changes: Mapping[str, Any]) -> Self:
        """The changes, all problems told together. Raises InputError."""
        return validated(cls, dict(changes), what="recipe")


def class_weights_meant(given: Any) -> Any:
    """What was given, and `off` for what YAML makes of that word. Raises ValueError for what cannot be meant."""
    if given is False:
        return OFF
    if not isinstance(given, str | Mapping) or not given:
        raise ValueError(f"is {OFF}, {AUTO}, a file or a weight for every class, not {given!r}")
    if isinstance(given, str) and given not in (OFF, AUTO) and not given.lower().endswith(WEIGHT_FILES):
        raise ValueError(f"is {OFF}, {AUTO} or a file ({', '.join(WEIGHT_FILES)}), not {given!r}")
    if isinstance(given, Mapping) and (other := [name for name in given if not isinstance(name, str)]):
        raise ValueError(f"names classes by texts, not by {other[0]!r}: write the name in quotes")
    return given


def rule_steps(train_images: int) -> int:
    """Steps of a training on N images: those that show 60 √(1000 N) images, 32 at a time."""
    return round(RULE_EPOCHS * math.sqrt(RULE_IMAGES * train_images) / RULE_BATCH)


def rule_batch(train_images: int) -> int:
    """Images a step: 32; of fewer than 128 images a quarter, but at least 16 where there are so many; beyond 25,000
    as many more, in eights, as show every image 12 times.
    """
    if train_images < 4 * RULE_BATCH:
        return min(train_images, max(RULE_BATCH // 2, train_images // 4))
    needed = RULE_FEWEST_EPOCHS * train_images / rule_steps(train_images)
    return max(RULE_BATCH, 8 * math.ceil(needed / 8))
