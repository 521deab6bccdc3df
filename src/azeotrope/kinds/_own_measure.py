"""A person's own measure: `--metric file:metric.py:name`, a function of labels and probabilities, lower is better.

    def cost(labels, probabilities):  # [n] class numbers (or [n, C] of 0 and 1), [n, C]
        return float(...)  # 0 to 1

It must not depend on the order of the images: a measure of the last image chooses by luck.
"""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from azeotrope.errors import InputError, RunFailed
from azeotrope.kinds._kind import Kind
from azeotrope.own_code import FAILURES, FILE, function_in, located

_TRIED = 60  # made-up images on which a function is tried before anything is trained
_ORDERS = 20  # in which they are shown
_SAME = 1e-6  # two means of the same numbers in single precision


def judged_by_own(kind: Kind, metric: str) -> Kind:
    """The kind with this function in the place of its own error."""
    judge = copy.copy(kind)
    vars(judge).update(error=partial(_error, kind, metric), right=lambda *_: None, over_images=False)
    return judge


def code_of(metric: str) -> str | None:
    """A hash of the file's code, which may change under the same name; None for the measures that are ours."""
    if not metric.startswith(FILE):
        return None
    return hashlib.sha256(located(metric.removeprefix(FILE), "measure")[0].read_bytes()).hexdigest()[:16]


def require_own(kind: Kind, classes: int, metric: str) -> None:
    """Raise InputError for a function that is not there, or that does not give a share on made-up images."""
    if kind.name == "number":
        raise InputError(
            "A measure of your own is of classes",
            found=f"a task of the kind {kind.name}",
            allowed="the kinds single and multi",
            next_step="leave --metric out",
        )
    random = np.random.default_rng(0)
    said = random.dirichlet(np.ones(classes), _TRIED) if kind.name == "single" else random.random((_TRIED, classes))
    labels = np.arange(_TRIED) % classes
    shown = np.eye(classes, dtype=np.int64)[labels]
    right = random.random(_TRIED) < 0.5  # a measure of one image must see right and wrong ones in its place
    said[right] = (said[right] + 3 * shown[right]) / 4
    orders = [random.permutation(_TRIED) for _ in range(_ORDERS)]
    try:
        _measured(metric, labels if kind.name == "single" else shown, said, orders)
    except RunFailed as failed:
        raise InputError(
            f"The measure {metric} must work on any images: it was tried on {_TRIED} made-up ones",
            found=failed.found or failed.rule,
            allowed="a number from 0 (best) to 1, whatever the order of the images",
            next_step="correct the function; --debug shows where it failed",
        ) from failed


def _error(kind: Kind, metric: str, outputs: Float[Tensor, "n C"], targets: Tensor) -> float:
    said = kind.probabilities(outputs)
    assert said is not None  # `require_own` let kinds with probabilities through
    return _measured(metric, targets.numpy(), said, [np.arange(len(said))[::-1]])


def _measured(
    metric: str, labels: NDArray[Any], said: NDArray[np.float64], orders: Sequence[NDArray[np.int64]]
) -> float:
    """What it says of these images, which must be the same in these `orders`."""
    value = _called(metric, labels, said)
    for order in orders:
        other = _called(metric, labels[order], said[order])
        if abs(value - other) > _SAME:
            raise RunFailed(
                f"The measure {metric} depends on the order of the images",
                found=f"{value:g}, and {other:g} of the same images in another order",
            )
    return value


def _called(metric: str, labels: NDArray[Any], said: NDArray[np.float64]) -> float:
    """Of copies, so that nothing that the function changes reaches us."""
    try:
        value = float(_function(metric, code_of(metric))(labels.copy(), said.copy()))
    except InputError:
        raise
    except FAILURES as error:
        raise RunFailed(f"The measure {metric} failed", found=f"{type(error).__name__}: {error}") from error
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise RunFailed(f"The measure {metric} must be from 0 (best) to 1", found=f"it gave {value:g}")
    return value


@cache
def _function(metric: str, code: str | None) -> Any:
    """Of this code: a file that was edited since is another function under the same name."""
    return function_in(*located(metric.removeprefix(FILE), "measure"), "measure")
