"""What the user needs and may spend, and which contenders fit: hard limits, checked before anything is weighed.

What the runs do not know (latency, the size of a student) limits nothing; it is said to be not known.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from azeotrope.advice.evidence import Contender
from azeotrope.errors import InputError

BYTES_A_PARAMETER = 4
"""Weights as they are trained, 32-bit floats; quantised ones take a quarter."""


@dataclass(frozen=True)
class Needs:
    """The user's side. Sizes in images, errors as fractions, the price of a machine an hour in any currency.

    `images`: labelled images owned, all of them; the program divides them into those that train, validate and test.
    `at` instead: images to train on, where others to validate and test are at hand; every size is then in
    training images. Neither: the largest size that was run. `reachable` is counted alike. `teacher_exists`: its pass
    over these images is already paid; else it is charged, divided by `students_sharing`. `hub`: published weights may
    start the student.
    """

    images: float | None = None
    at: float | None = None
    reachable: float | None = None
    target_error: float | None = None
    max_parameters: float | None = None
    max_latency_ms: float | None = None
    max_size_mb: float | None = None
    hourly_price: float | None = None
    teacher_exists: bool = False
    students_sharing: int = 1
    hub: bool = True

    def __post_init__(self) -> None:
        problems = list(_problems(self))
        if problems:
            raise InputError("These needs cannot be", found="; ".join(problems), next_step="correct them and ask again")


def _problems(needs: Needs) -> Iterable[str]:
    positive = ("images", "at", "reachable", "max_parameters", "max_latency_ms", "max_size_mb")
    for name in positive:
        value = getattr(needs, name)
        if value is not None and not 0 < value < math.inf:
            yield f"{name} {value:g}, which must be above zero"
    if needs.target_error is not None and not 0 < needs.target_error < 1:
        yield f"target_error {needs.target_error:g}, which must lie between 0 and 1 (5 % is 0.05)"
    if needs.hourly_price is not None and not 0 <= needs.hourly_price < math.inf:
        yield f"hourly_price {needs.hourly_price:g}, which must be zero or more"
    if needs.students_sharing < 1:
        yield f"students_sharing {needs.students_sharing}, which must be 1 or more"
    if needs.teacher_exists and needs.students_sharing > 1:
        yield "students_sharing of a teacher's pass that teacher_exists says is paid already"
    if needs.images is not None and needs.at is not None:
        yield "images and at, of which one says how many there are"
    present = needs.images or needs.at
    if present is not None and needs.reachable is not None and needs.reachable < present:
        yield f"reachable {needs.reachable:,.0f} below images {present:,.0f}, which are there already"


@dataclass(frozen=True)
class Excluded:
    """A contender that the limits rule out; `need` is the change that would let it in."""

    contender: Contender
    reason: str
    need: str


def size_mb(contender: Contender) -> float | None:
    """The size of a student in megabytes: of its file where that was measured, else of its weights."""
    if contender.size_mb is not None:
        return contender.size_mb
    return None if contender.parameters is None else contender.parameters * BYTES_A_PARAMETER / 1e6


def within(contenders: Sequence[Contender], needs: Needs) -> tuple[tuple[Contender, ...], tuple[Excluded, ...]]:
    """Those that fit, and those that do not with the reason.

    Raises InputError, naming the nearest student, when nothing fits.
    """
    broken = {contender.name: list(_broken(contender, needs)) for contender in contenders}
    fit = tuple(contender for contender in contenders if not broken[contender.name])
    out = tuple(
        Excluded(contender, "; ".join(reason for reason, _ in found), " and ".join(need for _, need in found))
        for contender in contenders
        if (found := broken[contender.name])
    )
    if not fit:
        raise _nothing_fits(contenders, needs)
    return fit, out


def unknown(contenders: Sequence[Contender], needs: Needs, targets: Sequence[str] = ()) -> tuple[str, ...]:
    """Limits that could not be checked, in sentences; `targets` are those whose files' latency is known."""
    latency, parameters, size = needs.max_latency_ms, needs.max_parameters, needs.max_size_mb
    asked = {
        "latency": [one for one in contenders if latency is not None and one.latency_ms is None],
        "the number of parameters": [one for one in contenders if parameters is not None and one.parameters is None],
        "size": [one for one in contenders if size is not None and size_mb(one) is None],
    }
    files = f": that of their files is, with --deploy {' or '.join(targets)}" if targets else ""
    return tuple(
        f"{what} of {', '.join(sorted({one.student or one.name for one in lacking}))} is not known, "
        f"so that limit was not applied{files if what == 'latency' else ''}"
        for what, lacking in asked.items()
        if lacking
    )


def _broken(contender: Contender, needs: Needs) -> Iterable[tuple[str, str]]:
    """Each broken limit as (reason, change that would let it in)."""
    parameters, latency = contender.parameters, contender.latency_ms
    if needs.max_parameters is not None and parameters is not None and parameters > needs.max_parameters:
        yield (
            f"{parameters:,.0f} parameters, over {needs.max_parameters:,.0f}",
            f"{parameters:,.0f} parameters were allowed",
        )
    size = size_mb(contender)
    if needs.max_size_mb is not None and size is not None and size > needs.max_size_mb:
        yield f"{size:.3g} MB, over {needs.max_size_mb:g}", f"{size:.3g} MB were allowed"
    if needs.max_latency_ms is not None and latency is not None and latency > needs.max_latency_ms:
        yield f"{latency:.3g} ms, over {needs.max_latency_ms:g}", f"{latency:.3g} ms were allowed"
    if not needs.hub and contender.init == "hub":
        yield "starts from published weights", "published weights were allowed"


def _nothing_fits(contenders: Sequence[Contender], needs: Needs) -> InputError:
    """The nearest is the one that breaks the fewest limits; of those, the smallest student."""
    nearest = min(contenders, key=lambda one: (len(list(_broken(one, needs))), one.parameters or math.inf, one.name))
    reasons, changes = zip(*_broken(nearest, needs), strict=True)
    return InputError(
        "No contender in these runs fits all limits",
        found=f"{len(contenders)} tested; the nearest, {nearest.name} on {nearest.student}, has {'; '.join(reasons)}"
        if nearest.student
        else f"{len(contenders)} tested; the nearest, {nearest.name}, has {'; '.join(reasons)}",
        allowed=f"{nearest.name} if {' and '.join(changes)}",
        next_step="relax these limits, or run a smaller student on the same images",
    )
