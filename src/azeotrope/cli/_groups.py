"""Options that go together, written once: a command takes a group as one parameter, a person sees its options.

A group is a frozen dataclass whose fields are options; what it stands for is made of it by its method. `spread` takes
groups apart for typer, which reads a function's parameters and knows no groups.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, Any, get_type_hints

import typer

from azeotrope.cli import _options as options
from azeotrope.errors import InputError
from azeotrope.labels import LabelSpec
from azeotrope.plan import PicturesSpec, UpstreamSpec
from azeotrope.spec import validated

Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
"""Read by `cli.__main__` from the words themselves, since an error leaves the parser behind."""


@dataclass(frozen=True)
class Group:
    """What `spread` takes apart."""


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
    synth_as: options.SynthAs = options.SynthUse.distill
    mix: options.Mix = 1.0

    def spec(self) -> PicturesSpec | None:
        """The further pictures, where some were named."""
        if self.unlabelled is None and self.synth is None:
            return None
        return PicturesSpec(unlabelled=self.unlabelled, synth=self.synth, synth_as=self.synth_as.value, ratio=self.mix)


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
    views: options.Views = None
    mirror: options.Mirror = None

    def changes(self) -> dict[str, Any]:
        """As the public functions take them; absent options stay absent."""
        simple = ("epochs", "patience", "batch_images", "accumulate", "schedule", "weight_average")
        given: dict[str, Any] = {key: value for key in simple if (value := getattr(self, key)) is not None}
        given |= options.views(self.views)
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
        kind = None if self.kind is None else self.kind.value
        every = {
            "kind": kind,
            "column": self.label_column,
            "separator": self.separator,
            "unit": self.unit,
            "path_column": self.path_column,
            "split_column": self.split_column,
            "layout": None if self.layout is None else self.layout.value,
            "value_range": options.value_range(self.value_range),
            "group": self.group,
            "group_by": self.group_by,
            "keep_leaks": self.keep_leaks or None,
        }
        return {key: value for key, value in every.items() if value is not None}

    def spec(self) -> LabelSpec:
        """What a label is, as the public functions take it."""
        return validated(LabelSpec, self.given())


@dataclass(frozen=True)
class Kept(Group):
    """What is read and kept between commands, and how far it is trusted."""

    cache: options.Cache = None
    cache_gb: options.CacheGb = None
    verify_cache: options.VerifyCache = False
    strict: options.Strict = False
    seen_weights: options.SeenWeights = False


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """`command` with the fields of its groups in the place of each group, by keyword, and with `--debug`."""
    groups, shown = dict[str, type[Group]](), list[inspect.Parameter]()
    for parameter in _typed(command):
        if isinstance(parameter.annotation, type) and issubclass(parameter.annotation, Group):
            groups[parameter.name] = parameter.annotation
            shown += _typed(parameter.annotation)
        else:
            shown.append(parameter)

    shown.append(inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Debug))

    def called(*, debug: bool = False, **given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{field.name: given.pop(field.name) for field in fields(group)})
        command(**given)

    called.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    called.__annotations__ = {each.name: each.annotation for each in shown}
    called.__name__, called.__doc__ = command.__name__, command.__doc__
    return called


def _typed(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Its parameters, by keyword, with their annotations as objects."""
    hints = get_type_hints(function, include_extras=True)
    every = inspect.signature(function).parameters.values()
    return [each.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[each.name]) for each in every]
