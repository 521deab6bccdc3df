"""Labels of a set of the `datasets` library: a class, a list of classes, or a number an image.

The library's own types say what a column holds, so nothing is read out of text here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import datasets

from azeotrope.errors import InputError
from azeotrope.labels import KindName, LabelSpec

_LABEL_COLUMNS = ("label", "labels", "class", "category", "target")
_Check = Callable[[object], bool]


def is_image(feature: object) -> bool:
    """Whether a column of this type holds images."""
    return isinstance(feature, datasets.Image)


def is_class(feature: object) -> bool:
    """Whether it holds one class a row."""
    return isinstance(feature, datasets.ClassLabel)


def is_name(feature: object) -> bool:
    """Whether it holds one text or whole number a row, which may be a class written out."""
    return isinstance(feature, datasets.Value) and (
        feature.dtype == "string" or feature.dtype.startswith(("int", "uint"))
    )


def is_classes(feature: object) -> bool:
    """Whether it holds a list of classes a row."""
    return is_class(getattr(feature, "feature", None))


def is_number(feature: object) -> bool:
    """Whether it holds a number a row."""
    return isinstance(feature, datasets.Value) and feature.dtype.startswith(("float", "int", "uint"))


_TYPES: Mapping[KindName, tuple[_Check, str]] = {
    "single": (is_class, "labels (a feature of type ClassLabel)"),
    "multi": (is_classes, "labels (a list of ClassLabel)"),
    "number": (is_number, "values (a feature of type Value, of numbers)"),
}


def require_cells(features: Mapping[str, object], group: str, label: str, name: str) -> None:
    """Raise InputError for a column of groups that holds images or lists, whose text is another at every call."""
    if not _is_cell(features[group]):
        fit = [column for column, feature in features.items() if _is_cell(feature) and column != label]
        raise InputError(
            f"The column of groups of hf:{name} must hold one text, number, yes/no, date or class a row",
            found=f"{group!r} with features of the type {type(features[group]).__name__}",
            allowed=", ".join(fit) or "no column of this set",
            next_step="name one of these with --group" if fit else "add such a column, or leave --group out",
        )


def _is_cell(feature: object) -> bool:
    return is_class(feature) or (isinstance(feature, datasets.Value) and "binary" not in feature.dtype)


def label_column(features: Mapping[str, object], name: str, spec: LabelSpec) -> str:
    """The column of labels: the one that was named, else the only one of its type, or that called "label"."""
    if spec.separator is not None:
        raise InputError(
            f"The labels of hf:{name} are lists, so nothing separates them",
            found=f"--separator {spec.separator!r}",
            next_step="leave --separator out",
        )
    check, what = _TYPES[spec.kind]
    if spec.kind == "single" and not any(map(is_class, features.values())):
        named = [column for column, feature in features.items() if is_name(feature) and _may_label(column, spec.column)]
        if len(named) == 1:
            return named[0]
    return one_column(features, check, what, name, spec.column or "")


def _may_label(column: str, wanted: str | None) -> bool:
    return column == wanted if wanted else column.strip().lower() in _LABEL_COLUMNS


def one_column(features: Mapping[str, object], check: _Check, what: str, name: str, wanted: str = "") -> str:
    """The one column of this type; the one called "label" or "image" where there are several."""
    found = [column for column, feature in features.items() if check(feature)]
    choice = [column for column in found if column == wanted] if wanted else found
    if len(choice) > 1:
        choice = [column for column in found if column in ("image", "label")]
    if len(choice) == 1:
        return choice[0]
    raise InputError(
        f"The image set hf:{name} needs one column of {what}",
        found=", ".join(f"{column}: {type(feature).__name__}" for column, feature in features.items()),
        allowed=", ".join(found) or "none is there",
        next_step="write hf:NAME#COLUMN to choose the column of labels"
        if len(found) > 1
        else "cast the column, for labels with class_encode_column, and write the set with save_to_disk",
    )


def numbered(feature: Any, labels: Sequence[Any], kind: KindName) -> tuple[Sequence[str], Sequence[Any]]:
    """Names of the classes in the order of a split's own numbers, and its labels in these numbers; classes that are
    written out are numbered by value, else by name.
    """
    inner = feature.feature if kind == "multi" else feature
    if is_class(inner):
        return inner.names, labels
    written = sorted(set(labels), key=lambda label: (isinstance(label, str), label))
    place = {label: number for number, label in enumerate(written)}
    return [str(label) for label in written], [place[label] for label in labels]


def labels_of(images: Any, column: str, name: str, kind: KindName, role: str) -> list[Any]:
    """The column's values, of the split that serves as `role` ("" where it is the only one). Raises InputError when a
    row has none.
    """
    labels = images.select_columns([column])[:][column]
    missing = sum(_MISSING[kind](label) for label in labels)
    if missing:
        query = f"hf:NAME?{role}=" + ("validation" if role == "test" else "SPLIT")
        raise InputError(
            f"Every image of hf:{name} needs a label",
            found=f"{missing} of {len(labels)} without one in the split that serves as {role or 'all three'}",
            next_step=(f"let another split serve as {role}, as in {query}, or " if role else "")
            + "remove these rows and write the set with save_to_disk",
        )
    return [tuple(label) if kind == "multi" else label for label in labels]


_MISSING: Mapping[KindName, Callable[[Any], bool]] = {
    "single": lambda label: label is None or label == -1,  # the library's mark for a label that is kept secret
    "multi": lambda labels: labels is None or -1 in labels,
    "number": lambda value: value is None or not math.isfinite(value),
}
