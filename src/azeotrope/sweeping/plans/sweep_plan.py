"""What a sweep is asked: a grid, a budget and an engine, as a person writes it in YAML. It is resolved in `grid`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import Field, JsonValue, ValidationError, field_validator, model_validator
from pydantic_core import to_jsonable_python

from azeotrope.arm import Arm
from azeotrope.errors import InputError
from azeotrope.exporting.target import parsed
from azeotrope.labels import ONE_CLASS, LabelSpec
from azeotrope.models.ladder import ladder
from azeotrope.plan import FEWEST_FOLDS, HELD_OUT, AskedPrecision, ComparePlan, PicturesSpec, TeacherSpec
from azeotrope.recipe import OFF, RecipeChanges, class_weights_meant
from azeotrope.spec import Spec, digest, problems
from azeotrope.strategies._stages import with_labels
from azeotrope.sweeping.budget import Budget
from azeotrope.sweeping.engines._engine import EngineSpec
from azeotrope.terms import CROSS_ENTROPY, name_of

MIN_SEEDS = 3  # fewer never give a verdict
ANY_BATCH = 2**20  # images; what the rule's batch will be is known when the images are
WORDS = ("auto", "all")  # that may stand in the place of sizes


class Ladder(Spec):
    """Students of one family of timm (None: a short list over all), between two numbers of parameters without head."""

    family: str | None = None
    min_parameters: int = Field(default=1, ge=1)
    max_parameters: int | None = Field(default=None, ge=1)

    def students(self) -> tuple[str, ...]:
        """Names, smallest first. Raises InputError when the family is not known or nothing fits."""
        rungs = ladder(self.family)
        most = self.max_parameters or rungs[-1].parameters
        fitting = tuple(rung.name for rung in rungs if self.min_parameters <= rung.parameters <= most)
        if not fitting:
            sizes = f"{rungs[0].parameters:,} ({rungs[0].name}) to {rungs[-1].parameters:,} ({rungs[-1].name})"
            raise InputError(
                f"No student of {self.family or 'the list'} fits the limits on parameters",
                found=f"{self.min_parameters:,} to {most:,} asked; there are {sizes}",
                next_step="change max_parameters or min_parameters, or take another family",
            )
        return fitting


class SweepPlan(Spec):
    """The grid of runs: every teacher, student, arm, size and seed; its budget; where it is run.

    Students are named, or are a `ladder`. `train_images` may be `all`, or `auto`: runs are then chosen one after
    another until it is clear which arm wins at `at` images, the reader's own number (all, when it is not given).
    `losses` are for the `distill` arms that name none: one list, or several to choose from on validation.
    `pretrain_images` is how many of the `upstream` images pre-train the student in arms that start from upstream.
    `pictures` are the further ones of arms such as `distill+unlabelled`. `labels` says what a label is, where that is
    not one class an image, and `held_out` the share of images in each split that the source does not give.
    `seen_weights` lets in weights that were trained on these very images. `recipe` holds `RecipeChanges`; `cache_gb` is
    the room for the teacher's embeddings, which may be fewer views (None: as much as they need). With `compile`
    students are compiled before they train, which changes the last bits of a run and not its id. `deploy` are export
    targets: each student is also measured as their files. The program fills in `fingerprint` and `resolved`, so that
    plan.yaml holds every default.
    """

    data: str
    students: tuple[str, ...] = ()
    ladder: Ladder | None = None
    teachers: tuple[TeacherSpec, ...] = ()
    arms: tuple[str, ...] | None = None
    losses: tuple[str, ...] | None = None
    train_images: tuple[int, ...] | Literal["auto", "all"] = "auto"
    at: int | None = Field(default=None, ge=2)
    upstream: str | None = None
    pretrain_images: tuple[int, ...] = ()
    pictures: PicturesSpec | None = None
    labels: LabelSpec = ONE_CLASS
    seen_weights: bool = False
    held_out: float = Field(default=HELD_OUT, gt=0, le=0.5)
    folds: int | None = None
    seeds: tuple[int, ...] = tuple(range(MIN_SEEDS))
    image_size: int | None = Field(default=None, ge=8)
    recipe: dict[str, JsonValue] = Field(default_factory=dict)
    precision: AskedPrecision = "auto"
    compile: bool = False
    cache_gb: float | None = Field(default=None, ge=0)
    deploy: tuple[str, ...] = ()
    budget: Budget = Budget()
    engine: EngineSpec = EngineSpec()
    fingerprint: str | None = None
    resolved: tuple[ComparePlan, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _arms_have_their_losses(cls, content: Any) -> Any:
        """Before an arm's own losses that are the default ones leave its name."""
        if not isinstance(content, dict) or not (content.get("arms") and content.get("losses")):
            return content
        arms, losses = ([given] if isinstance(given := content[key], str) else given for key in ("arms", "losses"))
        return content | {"arms": _said(with_losses, arms, losses), "losses": None}

    @field_validator("students", "arms", "losses", "train_images", "pretrain_images", mode="before")
    @classmethod
    def _one_is_a_list_of_one(cls, value: Any) -> Any:
        return [value] if isinstance(value, int) or (isinstance(value, str) and value not in WORDS) else value

    @field_validator("teachers", mode="before")
    @classmethod
    def _teachers_by_name(cls, value: Any) -> Any:
        listed = [value] if isinstance(value, str | dict | TeacherSpec) else value
        return [{"model": item} if isinstance(item, str) else item for item in listed] if listed else ()

    @field_validator("seeds", mode="before")
    @classmethod
    def _so_many_seeds(cls, value: Any) -> Any:
        return range(value) if isinstance(value, int) else value

    @field_validator("deploy", mode="before")
    @classmethod
    def _targets_by_name(cls, value: Any) -> Any:
        return _said(parsed, value) if value else ()

    @field_validator("budget", mode="before")
    @classmethod
    def _budget_as_text(cls, value: Any) -> Any:
        return _said(Budget.parse, value) if isinstance(value, str) else value

    @field_validator("engine", mode="before")
    @classmethod
    def _engine_by_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @field_validator("students", "arms", "train_images", "pretrain_images", "seeds")
    @classmethod
    def _each_once(cls, value: Any) -> Any:
        if isinstance(value, tuple) and len(set(value)) != len(value):
            raise ValueError("each may be named once")
        if isinstance(value, tuple) and value and isinstance(value[0], int) and min(value) < 0:
            raise ValueError("must not be negative")
        return value

    @field_validator("arms", "losses", "train_images", "seeds")
    @classmethod
    def _not_none(cls, value: Any) -> Any:
        if value == ():
            raise ValueError("at least one is needed")
        return value

    @field_validator("arms")
    @classmethod
    def _arms_are_arms(cls, arms: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if arms is None else tuple(_said(Arm.parse, arm).name for arm in arms)

    @field_validator("recipe", mode="before")
    @classmethod
    def _recipe_as_written(cls, changes: Any) -> Any:
        """Tuples and the like of Python as YAML has them."""
        if isinstance(changes, Mapping) and "class_weights" in changes:
            changes = {**changes, "class_weights": _named(changes["class_weights"])}
        return to_jsonable_python(changes)

    @field_validator("recipe")
    @classmethod
    def _recipe_fits(cls, changes: dict[str, JsonValue]) -> dict[str, JsonValue]:
        try:
            RecipeChanges.model_validate({"batch_images": ANY_BATCH, **changes})
        except ValidationError as error:
            raise ValueError("; ".join(problems(RecipeChanges, error))) from None
        return changes

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if bool(self.students) == (self.ladder is not None):
            raise ValueError(
                "students are named or come from a ladder: one of the two is needed (max_parameters is the ladder's)"
            )
        if (self.upstream is None) != (not self.pretrain_images):
            raise ValueError("upstream and pretrain_images go together: a source, and how many of its images")
        if self.train_images == "auto" and len(self.teachers) > 1:
            raise ValueError("auto decides between arms of one teacher; name one, or list train_images")
        if self.at is not None and self.train_images != "auto":
            raise ValueError(
                "at is where train_images auto decides, and these sizes are listed: leave one of the two out"
            )
        if self.cache_gb is not None and not self.teachers:
            raise ValueError("cache_gb is room for a teacher's embeddings, and no teacher is named (--teacher)")
        return self

    @model_validator(mode="after")
    def _folds_decide_alone(self) -> Self:
        if self.folds is None:
            return self
        if self.folds < FEWEST_FOLDS:
            raise ValueError(f"folds {self.folds}: folds take turns as the test set, so take 2 or more, such as 5")
        if self.held_out != HELD_OUT:
            raise ValueError(
                f"folds and held_out exclude each other: with {self.folds} folds one part in {self.folds} is the test "
                "set, in turn; leave held_out out"
            )
        if self.train_images == "auto":
            raise ValueError("folds test the sizes that are named: list train_images, or say all")
        if self.pictures is not None and self.pictures.synth is not None:
            raise ValueError("synth made pictures for one division of the images, not for folds: leave one out")
        return self

    @model_validator(mode="after")
    def _what_changes_the_loss_on_labels_has_one(self) -> Self:
        changes = {"class_weights": (OFF, None), "logit_adjustment": (0, None)}
        given = [key for key, nothing in changes.items() if self.recipe.get(key) not in nothing]
        options = [option for arm in self.arms or () for option in Arm.parse(arm).options]
        if given and options and not any(CROSS_ENTROPY in map(name_of, with_labels(option)) for option in options):
            raise ValueError(
                f"{' and '.join(given)} changes the loss on labels, cross_entropy, which no arm has: add such an arm, "
                "or take sampling balanced, which changes what every loss is shown"
            )
        return self

    def question(self) -> str:
        """16 hex digits that identify what is asked, whatever it may cost and wherever it is run."""
        later = {
            "labels",
            "losses",
            "cache_gb",
            "deploy",
            "compile",
            "folds",
        }  # fields that an older plan has not; it keeps its name
        left_out = {key for key in later if getattr(self, key) == type(self).model_fields[key].default}
        return digest(self.model_dump(mode="json", exclude={"budget", "engine", "resolved"} | left_out))


def with_losses(arms: Sequence[str], losses: Sequence[str]) -> list[str]:
    """The arms, those of `distill` that name no losses with these. Raises InputError where there is none."""
    open_ = [arm for arm in arms if Arm.parse(arm).strategy == "distill" and ":" not in arm]
    if not open_ or not losses:
        raise InputError(
            "--losses is for distill arms that name no losses",
            found=f"losses {', '.join(losses) or 'none'}; arms {', '.join(arms)}",
            allowed="--arms scratch,distill --losses kl,info_nce+kl=0.5",
            next_step="add such an arm, or leave --losses out",
        )
    return [f"{arm}:{'/'.join(losses)}" if arm in open_ else arm for arm in arms]


def _named(weights: Any) -> Any:
    try:
        return class_weights_meant(weights)
    except ValueError as error:
        raise ValueError(f"class_weights: {error}") from None


def _said(read: Any, *given: Any) -> Any:
    """What `read` makes of what was given; its refusal becomes one of the plan's problems."""
    try:
        return read(*given)
    except InputError as error:
        raise ValueError(" ".join(part for part in (error.rule, error.found) if part)) from None
