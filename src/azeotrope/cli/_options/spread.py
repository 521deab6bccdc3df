"""Options that go together, as one parameter of a command: `spread` takes a group apart for typer, which reads a
function's parameters and knows no groups.

A group is a frozen dataclass whose fields are options or further groups. An option that was not given is None, so that
a group serves commands that read a plan file, too. What has another default is asked for by `Typed`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, get_args, get_type_hints

import typer
from typer.models import OptionInfo

from azeotrope.errors import InputError

PROGRAM = "Program"  # the panel of what every command takes
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.", rich_help_panel=PROGRAM)]
"""Read by `cli.__main__` from the words themselves, since an error leaves the parser behind."""


@dataclass(frozen=True)
class Group:
    """What `spread` takes apart. `panel` is the heading of its options in the help; `called` maps names of options onto
    those of the fields that they fill.
    """

    panel: ClassVar[str | None] = None
    called: ClassVar[Mapping[str, str]] = {}

    def given(self) -> dict[str, Any]:
        """The options that were given, by the fields that they fill."""
        return given({self.called.get(each.name, each.name): getattr(self, each.name) for each in fields(self)})

    def flags(self) -> tuple[str, ...]:
        """The options that were given, as they are written."""
        own = {each.name: getattr(self, each.name) for each in fields(self)}
        shown = {parameter.name: flag(parameter) for parameter in _typed(type(self))}
        return tuple(shown[name] for name in given(own))


@dataclass(frozen=True)
class Typed:
    """What a person typed, by the names of the parameters; a default is not among them. `words` holds each option and
    argument as it may be typed again.
    """

    flags: Mapping[str, str]
    words: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, context: typer.Context) -> Self:
        """What stands on the command line."""
        every = {parameter.name: parameter for parameter in context.command.params if parameter.name}
        sources = {name: context.get_parameter_source(name) for name in every}
        typed = {name: every[name] for name, source in sources.items() if source and source.name == "COMMANDLINE"}
        words = {name: tuple(_words(parameter, context.params[name])) for name, parameter in typed.items()}
        return cls({name: parameter.opts[0] for name, parameter in typed.items()}, words)

    def of_these(self, *names: str) -> tuple[str, ...]:
        """Which of these were typed, as they are written."""
        return tuple(self.flags[name] for name in names if name in self.flags)


def _words(parameter: Any, value: Any) -> Iterator[str]:
    """The parameter with its value, or values, as one types it."""
    if isinstance(value, bool):
        yield (parameter.opts if value else parameter.secondary_opts)[0]
        return
    for each in value if isinstance(value, list | tuple) else (value,):
        if parameter.param_type_name == "option":
            yield parameter.opts[0]
        yield str(each)


def refuse_idle(flags: tuple[str, ...], because: str, next_step: str = "leave out what has no effect") -> None:
    """Raise InputError where options were given that change nothing here."""
    if flags:
        raise InputError("An option must have an effect", found=f"{', '.join(flags)}: {because}", next_step=next_step)


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given: no None, and no switch that is off; an enumeration as its text."""
    return {
        key: value.value if isinstance(value, StrEnum) else value
        for key, value in options.items()
        if value is not None and value is not False
    }


def flag(parameter: inspect.Parameter) -> str:
    """How the option of this parameter is written."""
    (option,) = (each for each in parameter.annotation.__metadata__ if isinstance(each, OptionInfo))
    named = next((each for each in option.param_decls or () if each.startswith("--")), "")
    return named.partition("/")[0] or f"--{parameter.name.replace('_', '-')}"


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """`command` with the fields of its groups, and of theirs, in the place of each group, by keyword, and `--debug`."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    shown = [
        *_options_of(command),
        inspect.Parameter("debug", keyword, default=False, annotation=Debug),
        inspect.Parameter("context", keyword, annotation=typer.Context),
    ]

    def called(*, debug: bool = False, context: typer.Context, **given: Any) -> None:
        command(**_grouped(command, given, Typed.of(context)))

    called.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    called.__annotations__ = {each.name: each.annotation for each in shown}
    called.__name__, called.__doc__ = command.__name__, command.__doc__
    return called


def _options_of(function: Callable[..., Any], panel: str | None = None) -> Iterator[inspect.Parameter]:
    """Its parameters, those of a group in its place and under the group's heading."""
    for parameter in _typed(function):
        group = _group(parameter)
        if group is not None:
            yield from _options_of(group, group.panel or panel)
        elif parameter.annotation is not Typed:
            yield _shown(parameter, panel)


def _shown(parameter: inspect.Parameter, panel: str | None) -> inspect.Parameter:
    """With the heading that it stands under, and the kind of value that it takes."""
    if not hasattr(parameter.annotation, "__metadata__"):
        return parameter
    kind, option = parameter.annotation.__origin__, parameter.annotation.__metadata__[0]
    more = {"metavar": option.metavar or _metavar(kind), "rich_help_panel": option.rich_help_panel or panel}
    return parameter.replace(annotation=Annotated[kind, type(option)(**{**vars(option), **more})])


def _metavar(kind: Any) -> str | None:
    """`N` for a number of something, `single|multi` for a choice."""
    (own,) = [each for each in get_args(kind) if each is not type(None)] or [kind]
    if isinstance(own, type) and issubclass(own, StrEnum):
        return "|".join(own)
    return {int: "N", float: "NUMBER", Path: "PATH", str: "TEXT"}.get(own)


def _grouped(function: Callable[..., Any], given: Mapping[str, Any], typed: Typed) -> dict[str, Any]:
    """What it is called with, its groups made of what a person gave."""

    def value(parameter: inspect.Parameter) -> Any:
        if parameter.annotation is Typed:
            return typed
        group = _group(parameter)
        return given[parameter.name] if group is None else group(**_grouped(group, given, typed))

    return {parameter.name: value(parameter) for parameter in _typed(function)}


def _group(parameter: inspect.Parameter) -> type[Group] | None:
    kind = parameter.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Group) else None


def _typed(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Its parameters, by keyword, with their annotations as objects."""
    hints = get_type_hints(function, include_extras=True)
    every = inspect.signature(function).parameters.values()
    return [each.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[each.name]) for each in every]
