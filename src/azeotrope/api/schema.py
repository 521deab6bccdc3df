"""`azeotrope.schema`: the JSON Schema of a file that azeotrope writes, or of what a command prints with `--json`."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue, TypeAdapter

from azeotrope.errors import InputError
from azeotrope.lookup import nearest
from azeotrope.record.result import SCHEMA

_TOTAL: dict[str, JsonValue] = {"total_seconds": {"type": "number", "description": "all phases"}}


@dataclass(frozen=True)
class _Form:
    """Where the document's shape is defined: a type's module and name, and how the document is made from it."""

    module: str
    shape: str
    rows: str = ""  # the key of a list of them; else the document is one
    by_folder: bool = False  # the same, by the folder of each task
    beside: dict[str, JsonValue] = field(default_factory=dict)  # properties that the document adds
    within: dict[str, dict[str, JsonValue]] = field(default_factory=dict)  # the same, for a part of the shape
    unbounded: bool = False  # a bound at infinity is null


_SIZES: dict[str, JsonValue] = {
    "sizes": {"type": "array", "items": {"$ref": "#/$defs/Comparison"}, "description": "where there are several"}
}
_FORMS = {
    "plan": _Form("sweeping.plans.sweep_plan", "SweepPlan"),
    "synth-plan": _Form("synthesis.spec", "SynthPlan"),
    "record": _Form("record.run", "RunRecord"),
    "advise": _Form("advice.answer", "Advice", unbounded=True),
    "boundary": _Form("boundaries.boundary", "Boundary", unbounded=True),
    "check": _Form("api.check", "Check", within={"Forecast": _TOTAL}),
    "compare": _Form("reporting.numbers", "Comparison", beside=_SIZES),
    "demo": _Form("reporting.numbers", "Comparison", beside=_SIZES),
    "distill": _Form("api.distill", "Distilled"),
    "export": _Form("api.export", "Exported"),
    "fit": _Form("fitting.result", "FitResult", unbounded=True),
    "list": _Form("api.listing", "Row", rows="rows"),
    "predict": _Form("api.predict", "Prediction", rows="predictions"),
    "report": _Form(
        "reporting.numbers",
        "Comparison",
        rows="comparisons",
        beside={"page": {"type": "string", "description": "where the page was written"}},
    ),
    "sweep": _Form("session.sweeps.sweep_run", "Sweep"),
    "sweep-dry-run": _Form("session.sweeps.sweep_setup", "Foreseen"),
    "sweep-tasks": _Form("api.sweep_tasks", "SweptTasks"),
    "sweep-tasks-dry-run": _Form("session.sweeps.sweep_setup", "Foreseen", rows="tasks", by_folder=True),
    "synth": _Form("api.synth", "Synthesis", rows="sets"),
}


def schema(name: str) -> dict[str, JsonValue]:
    """The JSON Schema (draft 2020-12) of the document `name`.

    `plan` is the `plan.yaml` of `compare`, `distill` and `sweep` as azeotrope writes it, `synth-plan` that of `synth`;
    `record` is a file in `runs/`. Every other name is what the command of that name prints with `--json`; `sweep` has
    its own for `--dry-run` and for several tasks. The version is the last part of `$id`, and the value of `schema` in
    each document: it changes when a key goes or changes its meaning. New keys may come without a change.

    Raises InputError for an unknown name. Plans and what trains need torch, records and answers do not.
    """
    if name not in _FORMS:
        near = nearest(name, _FORMS)
        raise InputError(
            f"There is no document named {name!r}",
            found=f"nearest: {', '.join(near)}" if near else "",
            allowed=", ".join(_FORMS),
        )
    form = _FORMS[name]
    shape = getattr(importlib.import_module(f"azeotrope.{form.module}"), form.shape)
    found = TypeAdapter(shape).json_schema(mode="serialization")
    content = _listed(form, found) if form.rows else _alone(form, found)
    for part, properties in form.within.items():
        content["$defs"][part]["properties"] |= properties
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:azeotrope:{name}:{SCHEMA}",
        **(_nullable(content) if form.unbounded else content),
        "title": name,
    }


def _alone(form: _Form, found: dict[str, Any]) -> dict[str, Any]:
    """The document is the shape itself, with its schema number; a file of a plan has none."""
    parts = found.pop("$defs", {})
    properties = found["properties"] | form.beside
    if "$ref" in str(form.beside):
        parts[form.shape] = {**found}
    if not form.shape.endswith("Plan"):
        properties = {"schema": _number(), **properties}
    return {**found, "properties": properties, "$defs": parts}


def _listed(form: _Form, found: dict[str, Any]) -> dict[str, Any]:
    """The document holds a list of the shape, or one for each folder."""
    parts = found.pop("$defs", {})
    each = {"$ref": f"#/$defs/{form.shape}"}
    many = {"type": "object", "additionalProperties": each} if form.by_folder else {"type": "array", "items": each}
    return {
        "type": "object",
        "properties": {"schema": _number(), **form.beside, form.rows: many},
        "required": ["schema", form.rows],
        "$defs": {**parts, form.shape: found},
    }


def _number() -> dict[str, JsonValue]:
    return {"const": SCHEMA, "description": "version of this document"}


def _nullable(content: Any) -> Any:
    """JSON has no infinity: where a number is allowed, null stands for one that is not finite."""
    if isinstance(content, list):
        return [_nullable(item) for item in content]
    if not isinstance(content, dict):
        return content
    inner = {key: _nullable(value) for key, value in content.items()}
    return {**inner, "type": ["number", "null"]} if inner.get("type") == "number" else inner
