"""Class weights that a person gives: a file, or a mapping in Python, held against the classes of the task."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from azeotrope.data.sources._reading import read_table
from azeotrope.errors import InputError
from azeotrope.kinds.single import shortened
from azeotrope.lookup import nearest
from azeotrope.recipe import AUTO, OFF
from azeotrope.spec import read_yaml_texts

_COLUMNS = ["class", "weight"]
_SHOWN = 5
_MOST_APART = 1e6  # heaviest to lightest: a sum in single precision has seven digits, and still holds both


def read_class_weights(asked: str | Mapping[str, float], classes: Sequence[str]) -> str | dict[str, float]:
    """The weight of every class, in the order of the classes; `off` and `auto` as they are. Raises InputError for a
    file that is not there or holds something else, and for weights that do not fit the classes.
    """
    if asked in (OFF, AUTO):
        return str(asked)
    if not isinstance(asked, str):
        return _checked(asked.items(), classes, "class_weights")
    path = weights_file(asked)
    return _checked(_yaml(path) if path.suffix.lower() in (".yaml", ".yml") else _csv(path), classes, str(path))


def weights_file(asked: str) -> Path:
    """The file of this name, which can be looked for before images are. Raises InputError where there is none."""
    path = Path(asked).expanduser()
    if not path.is_file():
        raise InputError(
            "The file of class weights must exist",
            found=asked,
            allowed="off, auto, or a CSV or YAML file with a weight for every class",
            next_step="check the path in --class-weights",
        )
    return path


def _yaml(path: Path) -> Iterable[tuple[str, Any]]:
    if not path.read_text(encoding="utf-8", errors="replace").strip():
        raise _empty(path)
    return read_yaml_texts(path)


def _csv(path: Path) -> Iterable[tuple[str, Any]]:
    if not path.read_bytes().strip():
        raise _empty(path)
    frame = read_table(str(path), lambda name: Path(name).read_bytes()).frame
    if frame.columns != _COLUMNS:
        raise InputError(
            f"The table {path} must have two columns, class and weight",
            found=", ".join(frame.columns),
            allowed="a first line class,weight and then a line for each class",
            next_step="write it so, or as YAML: one class: weight a line",
        )
    return [(name or "", weight) for name, weight in frame.iter_rows()]


def _empty(path: Path) -> InputError:
    return InputError(
        f"The file {path} must hold a weight for every class",
        found="an empty file",
        next_step="write a line for each class, or take --class-weights auto",
    )


def _checked(given: Iterable[tuple[str, Any]], classes: Sequence[str], where: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for name, weight in given:
        if name not in classes:
            near = nearest(name, classes)
            raise InputError(
                f"The weights in {where} must be of classes of the task",
                found=f"{shortened(name)}, which is none",
                allowed=f"nearest: {', '.join(map(shortened, near))}" if near else _listed(classes),
                next_step="correct the name, or leave it out",
            )
        if name in weights:
            raise InputError(
                f"The weights in {where} must name every class once",
                found=f"{shortened(name)} twice",
                next_step="keep one of its weights",
            )
        weights[name] = _positive(name, weight, where)
    if missing := [name for name in classes if name not in weights]:
        raise InputError(
            f"The weights in {where} must name every class",
            found=f"none for {_listed(missing)}",
            next_step="add a weight for each; 1 weights a class as if there were no weights",
        )
    _require_near(weights, where)
    return {name: weights[name] for name in classes}


def _require_near(weights: Mapping[str, float], where: str) -> None:
    """Raise InputError for weights so far apart that the lighter class is not learnt."""
    ordered = sorted(weights.items(), key=lambda pair: pair[1])
    (light, least), (heavy, most) = ordered[0], ordered[-1]
    if most / _MOST_APART > least:
        raise InputError(
            f"The weights in {where} must be within a factor of {_MOST_APART:,.0f} of each other",
            found=f"{least:g} for {shortened(light)} and {most:g} for {shortened(heavy)}",
            allowed="any unit: only ratios matter",
            next_step="bring them nearer; a class that is not to be learnt is left out of the images",
        )


def _positive(name: str, weight: Any, where: str) -> float:
    try:
        value = math.nan if isinstance(weight, bool) else float(weight)
    except (TypeError, ValueError):
        value = math.nan
    if not 0 < value < math.inf:
        raise InputError(
            f"The weights in {where} must be positive numbers",
            found=f"{weight!r} for {shortened(name)}",
            allowed="above 0 and finite; a class that is not to be learnt is left out of the images",
            next_step="correct it",
        )
    return value


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(map(shortened, names[:_SHOWN])) + more
