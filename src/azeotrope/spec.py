"""How a typed spec is checked, hashed and kept as YAML; what can be asked is in `plan` and beside what it asks of.

All problems of a spec are told together, with the nearest name for a key that is not known.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from azeotrope.errors import InputError, message_of
from azeotrope.lookup import nearest


class Spec(BaseModel):
    """Base of all specs: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def digest(self) -> str:
        """16 hex digits that change when anything in the spec changes."""
        return digest(self.model_dump(mode="json"))


def digest(content: Any) -> str:
    """16 hex digits over canonical JSON."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


SpecT = TypeVar("SpecT", bound=BaseModel)


def validated(spec: type[SpecT], content: dict[str, Any], *, what: str = "", allowed: str = "") -> SpecT:
    """Build a spec; all problems are reported together as one InputError. `allowed` is the form, else the fields."""
    try:
        return spec.model_validate(content)
    except ValidationError as error:
        raise InputError(
            f"The {what or spec.__name__} is not valid",
            found="; ".join(problems(spec, error)),
            allowed=allowed or _allowed(spec, error),
            next_step="correct these and give the command again",
        ) from error


def problems(spec: type[BaseModel], error: ValidationError) -> list[str]:
    """`field: what is wrong`, one a problem; a rule over several fields names none."""
    return list(dict.fromkeys(_problem(spec, item) for item in error.errors()))


def range_in_words(kind: Any, metadata: Iterable[Any] = ()) -> str:
    """What a value of this type may be, such as `a number, above 0, at most 0.5`; "" for what is neither a number nor
    one of few words. `metadata` holds bounds, as `Annotated` and the fields of pydantic do.
    """
    if get_origin(kind) is Annotated:
        kind, *more = get_args(kind)
        return range_in_words(kind, chain(metadata, more))
    if get_origin(kind) in _UNIONS:
        parts = [range_in_words(part) for part in get_args(kind)]
        return ", or ".join(parts) if all(parts) else ""
    if get_origin(kind) is Literal:
        return " or ".join(map(str, get_args(kind)))
    if kind not in _NUMBERS:
        return ""
    bounds = chain.from_iterable(part.metadata if isinstance(part, FieldInfo) else (part,) for part in metadata)
    found = ((word, getattr(part, at, None)) for part in bounds for at, word in _BOUNDS)
    return ", ".join((_NUMBERS[kind], *(word.format(bound) for word, bound in found if bound is not None)))


_UNIONS = (Union, UnionType)
_NUMBERS: Mapping[Any, str] = {int: "a whole number", float: "a number", type(None): "none"}
_BOUNDS = (("gt", "above {:g}"), ("ge", "at least {:g}"), ("lt", "below {:g}"), ("le", "at most {:g}"))


def _range_of(spec: type[BaseModel], name: object) -> str:
    field = spec.model_fields.get(str(name))
    return range_in_words(field.annotation, field.metadata) if field else ""


def _allowed(spec: type[BaseModel], error: ValidationError) -> str:
    """All fields where one is not known; else the ranges of those that are wrong, where they have one: what is said of
    the others says itself what is allowed.
    """
    if any(item["type"] == "extra_forbidden" for item in error.errors()):
        return ", ".join(spec.model_fields)
    names = dict.fromkeys(item["loc"][0] if item["loc"] else "" for item in error.errors())
    return "; ".join(f"{name}: {said}" for name in names if (said := _range_of(spec, name)))


def _problem(spec: type[BaseModel], item: Any) -> str:
    where = ".".join(str(part) for part in item["loc"])
    if len(item["loc"]) == 2 and (said := _range_of(spec, item["loc"][0])):  # the second names a type of several
        return f"{item['loc'][0]}: Input should be {said}"
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "extra_forbidden" and (near := nearest(str(item["loc"][-1]), _fields(spec, item["loc"][:-1]))):
        message += f" (nearest: {', '.join(near)})"
    return f"{where}: {message}" if where else message


def _fields(spec: type[BaseModel], place: tuple[int | str, ...]) -> Iterable[str]:
    """Names of the fields that are known at this place of the spec; none where a field has no spec of its own."""
    for part in place:
        field = spec.model_fields.get(str(part))
        kinds = () if field is None else (field.annotation, *get_args(field.annotation))
        specs = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if field is not None and not specs:
            return ()
        spec = specs[0] if specs else spec  # a part that is no field tells which kind or item of the last one it is
    return spec.model_fields


class _EachKeyOnce(yaml.SafeLoader):
    """A key that comes twice is refused: YAML forbids it, and the reader below would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {name!r} comes twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


def to_yaml(spec: BaseModel) -> str:
    """The spec as YAML, in the order of its fields."""
    return yaml.safe_dump(spec.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def from_yaml(spec: type[SpecT], path: Path) -> SpecT:
    """Read a spec; a file that is not YAML, or not this spec, raises InputError."""
    return validated(spec, read_yaml(path), what=str(path))


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping that a file holds. Raises InputError for a file that cannot be read, is not YAML, or holds none."""
    content = _read(path, lambda text: yaml.load(text, Loader=_EachKeyOnce))
    if not isinstance(content, dict):
        raise InputError(f"The file {path} must hold a mapping", found=type(content).__name__)
    return content


def read_yaml_texts(path: Path) -> list[tuple[str, str]]:
    """The lines of a mapping of single values as they are written, where `no`, `01` and `1e3` are texts and a key may
    come twice. Raises InputError as `read_yaml`.
    """
    root = _read(path, lambda text: yaml.compose(text, Loader=yaml.SafeLoader))
    if not isinstance(root, yaml.MappingNode):
        raise InputError(
            f"The file {path} must hold a mapping", found="list" if isinstance(root, yaml.SequenceNode) else "none"
        )
    for node in chain.from_iterable(root.value):
        if not isinstance(node, yaml.ScalarNode):
            raise InputError(
                f"The file {path} must hold one value a line", found=f"more, in line {node.start_mark.line + 1}"
            )
    return [(key.value, value.value) for key, value in root.value]


def _read(path: Path, load: Callable[[str], Any]) -> Any:
    try:
        return load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"The file {path} cannot be read as YAML", found=message_of(error)) from error
