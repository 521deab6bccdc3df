"""Options that go together, written once: a command takes a group as one parameter, a person sees its options.

A group is a frozen dataclass whose fields are options or further groups; what it stands for is made of it by its
method. `spread` takes groups apart for typer, which reads a function's parameters and knows no groups. An option that
was not given is None, so that a group serves commands that read a plan file, too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, cast, get_type_hints

import typer

from azeotrope.cli import _options as options
from azeotrope.errors import InputError
from azeotrope.labels import LabelSpec
from azeotrope.plan import PicturesSpec, TeacherSpec, UpstreamSpec
from azeotrope.session.options import Machine as MachineOptions
from azeotrope.session.options import Options as AskedOptions
from azeotrope.spec import validated

Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
"""Read by `cli.__main__` from the words themselves, since an error leaves the parser behind."""


@dataclass(frozen=True)
class Group:
    """What `spread` takes apart."""


@dataclass(frozen=True)
class Teaching(Group):
    """How a teacher that is named looks and is fitted."""

    teacher_size: options.TeacherSize = None
    teacher_head: options.TeacherHead = None
    teacher_folds: options.TeacherFolds = None
    weak_teacher: options.WeakTeacher = False

    def given(self) -> dict[str, Any]:
        """The fields of `TeacherSpec` that were asked for."""
        head = self.teacher_head and self.teacher_head.value.replace("-", "_")
        weak = self.weak_teacher or None
        return options.given({"image_size": self.teacher_size, "head": head, "folds": self.teacher_folds, "weak": weak})

    def spec(self, teacher: str | None) -> TeacherSpec | None:
        """The teacher of this name, where there is one."""
        return validated(TeacherSpec, {"model": teacher, **self.given()}) if teacher else None


@dataclass(frozen=True)
class Upstream(Group):
    """Pre-training here; both options belong together."""

    upstream: options.Upstream = None
    pretrain_images: options.PretrainImages = None

    def spec(self) -> UpstreamSpec | None:
        """The upstream source, where one was named."""
        data, images = self.upstream, self.pretrain_images
        if (data is None) != (images is None):
            raise InputError(
                "Pre-training here needs a source and a number of images",
                found="--upstream alone" if data else "--pretrain-images alone",
                next_step="give both --upstream SOURCE and --pretrain-images P, or neither",
            )
        return UpstreamSpec(data=data, pretrain_images=images) if data and images else None


@dataclass(frozen=True)
class Pictures(Group):
    """Further pictures, without labels or made."""

    unlabelled: options.Unlabelled = None
    synth: options.Synth = None
    synth_as: options.SynthAs = None
    mix: options.Mix = None

    def given(self) -> dict[str, Any]:
        """The fields of `PicturesSpec` that were asked for; none where no pictures were named."""
        if self.unlabelled is None and self.synth is None:
            return {}
        named = {"unlabelled": self.unlabelled, "synth": self.synth}
        return options.given(named | {"synth_as": self.synth_as, "ratio": self.mix})

    def spec(self) -> PicturesSpec | None:
        """The further pictures, where some were named."""
        return validated(PicturesSpec, given) if (given := self.given()) else None


@dataclass(frozen=True)
class Recipe(Group):
    """What replaces the recipe's own rules."""

    epochs: options.Epochs = None
    patience: options.Patience = None
    batch_images: options.Batch = None
    accumulate: options.Accumulate = None
    learning_rates: options.Rates = None
    schedule: options.Schedule = None
    weight_average: options.WeightAverage = None
    metric: options.Metric = None
    views: options.Views = None
    mirror: options.Mirror = None

    def changes(self) -> dict[str, Any]:
        """As the public functions take them; absent options stay absent."""
        simple = ("epochs", "patience", "batch_images", "accumulate", "schedule", "weight_average", "metric")
        given = options.given({key: getattr(self, key) for key in simple}) | options.views(self.views)
        if self.learning_rates:
            given["learning_rates"] = options.numbers(self.learning_rates)
        if self.mirror is not None:
            given["policy"] = {"mirror": self.mirror}
        return given


@dataclass(frozen=True)
class Labels(Group):
    """What the labels are, and how tables, folders and files are read where they leave it open."""

    kind: options.Kind = None
    label_column: options.LabelColumn = None
    separator: options.Separator = None
    unit: options.Unit = None
    path_column: options.PathColumn = None
    split_column: options.SplitColumn = None
    layout: options.LayoutOf = None
    value_range: options.Range = None
    group: options.GroupColumn = None
    group_by: options.GroupBy = None
    keep_leaks: options.KeepLeaks = False

    def given(self) -> dict[str, Any]:
        """The fields of `LabelSpec` that were asked for."""
        return options.given(
            {
                "kind": self.kind,
                "column": self.label_column,
                "separator": self.separator,
                "unit": self.unit,
                "path_column": self.path_column,
                "split_column": self.split_column,
                "layout": self.layout,
                "value_range": options.value_range(self.value_range),
                "group": self.group,
                "group_by": self.group_by,
                "keep_leaks": self.keep_leaks or None,
            }
        )

    def spec(self) -> LabelSpec:
        """What a label is, as the public functions take it."""
        return validated(LabelSpec, self.given())


@dataclass(frozen=True)
class Machine(Group):
    """How this machine is used: `session.options.Machine`."""

    cache: options.Cache = None
    verify_cache: options.VerifyCache = False
    strict: options.Strict = False
    device: options.Device = None

    def options(self) -> MachineOptions:
        """As the public functions take them."""
        plain: MachineOptions = {"cache": self.cache, "verify_cache": self.verify_cache, "strict": self.strict}
        return plain if self.device is None else {**plain, "device": self.device}


@dataclass(frozen=True, kw_only=True)
class Question(Group):
    """What a plan asks beside its models, arms and sizes, the same for every command that makes one."""

    image_size: options.ImageSize = None
    pictures: Pictures
    recipe: Recipe
    labels: Labels
    held_out: options.HeldOut = None
    seen_weights: options.SeenWeights = None
    precision: options.Precision = None
    cache_gb: options.CacheGb = None

    def given(self) -> dict[str, Any]:
        """The fields of `SweepPlan` that were asked for."""
        groups = {
            "pictures": self.pictures.given(),
            "recipe": self.recipe.changes(),
            "labels": self.labels.given(),
        }
        own = ("image_size", "held_out", "seen_weights", "precision", "cache_gb")
        return options.given({key: getattr(self, key) for key in own}) | {k: v for k, v in groups.items() if v}


@dataclass(frozen=True)
class Options(Group):
    """`session.options.Options`: what `compare`, `distill` and `check` share."""

    upstream: Upstream
    question: Question
    machine: Machine

    def options(self) -> AskedOptions:
        """As the public functions take them."""
        question = self.question
        specs = {
            "upstream": self.upstream.spec(),
            "pictures": question.pictures.spec(),
            "labels": question.labels.spec(),
        }
        return cast(AskedOptions, question.given() | specs | self.machine.options())


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """`command` with the fields of its groups, and of theirs, in the place of each group, by keyword, and `--debug`."""
    shown = [
        *_options_of(command),
        inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Debug),
    ]

    def called(*, debug: bool = False, **given: Any) -> None:
        command(**_grouped(command, given))

    called.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    called.__annotations__ = {each.name: each.annotation for each in shown}
    called.__name__, called.__doc__ = command.__name__, command.__doc__
    return called


def _options_of(function: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    """Its parameters, those of a group in its place."""
    for parameter in _typed(function):
        group = _group(parameter)
        yield from (parameter,) if group is None else _options_of(group)


def _grouped(function: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What it is called with, its groups made of what a person gave."""
    kinds = {parameter.name: _group(parameter) for parameter in _typed(function)}
    return {name: given[name] if kind is None else kind(**_grouped(kind, given)) for name, kind in kinds.items()}


def _group(parameter: inspect.Parameter) -> type[Group] | None:
    kind = parameter.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Group) else None


def _typed(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Its parameters, by keyword, with their annotations as objects."""
    hints = get_type_hints(function, include_extras=True)
    every = inspect.signature(function).parameters.values()
    return [each.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[each.name]) for each in every]
