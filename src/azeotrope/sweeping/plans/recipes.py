"""The recipe of one size: the rule's numbers, what a person changes, and what the labels allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from azeotrope.data.task import Task
from azeotrope.errors import InputError
from azeotrope.kinds._balance import require_balance
from azeotrope.kinds._kind import Kind
from azeotrope.kinds._measures import require_metric
from azeotrope.kinds._own_measure import code_of
from azeotrope.recipe import AUTO, OFF, OWN_ERROR, Recipe
from azeotrope.sweeping.plans.class_weights import read_class_weights
from azeotrope.terms import CROSS_ENTROPY, Term, name_of


def recipe_of(task: Task, train_images: int, changes: Mapping[str, Any]) -> Recipe:
    """The recipe for this size; a picture whose mirror image means something else is not mirrored."""
    policy = {"mirror": task.source.mirror, **changes.get("policy", {})}
    read = {
        "policy": policy,
        "metric_code": code_of(changes.get("metric") or OWN_ERROR),
        "class_weights": read_class_weights(changes.get("class_weights") or OFF, task.classes),
    }
    recipe = Recipe.for_images(train_images, **{**_smoothing(task.kind, changes), **changes, **read})
    require_metric(task.kind, len(task.classes), recipe.metric)
    require_balance(task.kind, recipe)
    return recipe


def changes_of_upstream(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes that its recipe shares: weights that a person gives are of the task's own classes."""
    own = changes.get("class_weights") in (None, OFF, AUTO)
    return dict(changes) if own else {**changes, "class_weights": OFF}


def _smoothing(kind: Kind, changes: Mapping[str, Any]) -> dict[str, float]:
    """None where labels are not one of several classes; the recipe's own where they are."""
    if kind.smooths_labels:
        return {}
    if changes.get("label_smoothing"):
        raise InputError(
            f"Labels of the kind {kind.name} are not smoothed",
            found=f"label_smoothing {changes['label_smoothing']}",
            allowed="0: smoothing is towards the other classes, of which an image has exactly one in the kind single",
            next_step="leave label_smoothing out",
        )
    return {"label_smoothing": 0.0}


def check_smoothing(kind: Kind, losses: Iterable[str]) -> None:
    """An arm's own label smoothing, as the recipe's."""
    for key in losses:
        if name_of(key) == CROSS_ENTROPY and not kind.smooths_labels:
            _smoothing(kind, Term.parse(key).parameters)
