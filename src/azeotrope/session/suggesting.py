"""A student and a teacher for a person who names none, each with the reason and with how to change it.

The rules are rough on purpose: they look at how many images there are, how large pictures are, what computes, and which
weights can be had. Nothing is trained; a few pictures are decoded. What is suggested is a start, not an answer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median

from azeotrope.data.decoding.decode import decode
from azeotrope.data.decoding.reading import AS_PICTURES, Reading, Unreadable
from azeotrope.data.sources._source import Source
from azeotrope.errors import InputError
from azeotrope.models.ladder import STUDENTS, Rung, rung
from azeotrope.models.pretrained.hub import unreachable
from azeotrope.models.pretrained.packages import installed_for
from azeotrope.models.sources.timm import hub_problem
from azeotrope.recipe import rule_batch, rule_steps
from azeotrope.session.device_budget import DeviceBudget

BEGINNERS = ("test_resnet", "resnet10t", "resnet18")  # small to large
TEACHERS = ("vit_base_patch14_dinov2", "convnext_tiny", "resnet50", "tf_efficientnet_lite2", "tf_efficientnet_lite0")
"""Strongest first (timm's results on ImageNet); the last two are in packages that `azeotrope[demo]` installs."""
SECONDS_A_RUN = 15  # of one training, by the rough rates below: a comparison has ten or so
MINUTES_OF_TEACHING = 5  # of the teacher's pass over all views
ENLARGED, LEAST_SIDE = 4, 128  # a teacher sees small pictures so much larger, and at least so large (docs/log.md:
# teachers at 128 pixels help with pictures of 28, at 64 they do not)
VIEWS = 16  # of each image that the teacher looks at
RATES = {"cpu": 8e9, "card": 1e13}  # multiply-accumulates a second: of a core, of a CUDA card or Apple's
LOOKED_AT = 32  # pictures whose size is read
STEP = 32  # pixels: sizes are multiples of it
CHANGE_TEACHER = "Change it with --teacher MODEL (azeotrope list teachers)."


@dataclass(frozen=True)
class Choice:
    """A model (None: none can be had), why it was taken, and how to take another. `image_size` is the side in pixels
    at which it looks; None: its own.
    """

    model: str | None
    reason: str
    change: str
    image_size: int | None = None

    def said(self, what: str) -> str:
        """One line for a person."""
        size = "" if self.image_size is None else f" at {self.image_size} pixels"
        return f"{what}: {self.model or 'none'}{size}, because {self.reason}. {self.change}"


UNTOLD = Choice(
    None,
    "nothing says which of the bands it would look at",
    "Arms with a teacher are left out: name its bands with --teacher-bands, such as 3,2,1.",
)
"""Of a teacher, where bands are read and it is not told at which it looks."""


@dataclass(frozen=True)
class Facts:
    """What a choice is made from: images to train on, the side of their pictures in pixels, and
    multiply-accumulates a second.
    """

    images: int
    side: int
    rate: float
    computes: str

    @classmethod
    def of(cls, source: Source, train_images: int, device: str, reading: Reading = AS_PICTURES) -> Facts:
        """Of a source of images; the side is the median of a few."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        kind, _, _ = device.partition(":")
        rate = RATES["cpu"] * cores if kind == "cpu" else RATES["card"]
        computes = f"{cores} cores" if kind == "cpu" else kind
        return cls(train_images, _side(source, reading), rate, computes)

    def training_seconds(self, one: Rung) -> float:
        """Of one run by the recipe's rule; a backward pass costs two forward passes."""
        shown = rule_steps(self.images) * rule_batch(self.images)
        return shown * 3 * self.macs(one) / self.rate

    def teaching_minutes(self, one: Rung) -> float:
        """Of a pass over all views, at the size of `teacher_size`."""
        share = (self.teacher_size(one) / one.image_size) ** 2
        return self.images * VIEWS * one.macs * share / self.rate / 60

    def teacher_size(self, one: Rung) -> int:
        """The side at which a teacher looks: its own, or less where that would only enlarge small pictures."""
        wanted = max(LEAST_SIDE, ENLARGED * self.side)
        return min(one.image_size, -(-wanted // one.stride) * one.stride)

    def macs(self, one: Rung) -> float:
        """For one picture of this set, at the size that a run takes by default."""
        size = min(one.image_size, -(-self.side // STEP) * STEP)
        return one.macs * (size / one.image_size) ** 2


def student(facts: Facts, budget: DeviceBudget | None) -> Choice:
    """The largest student that the device takes; without a device, the largest of a few whose training is short.

    Raises InputError where nothing fits the device.
    """
    if budget is not None:
        return _for_device(budget)
    rungs = [rung(name) for name in BEGINNERS]
    short = [one for one in rungs if facts.training_seconds(one) <= SECONDS_A_RUN]
    chosen = max(short, key=lambda one: one.parameters, default=rungs[0])
    reason = (
        f"one training on {facts.images:,} images of {facts.side} pixels takes about "
        f"{max(1, round(facts.training_seconds(chosen))):,} s on {facts.computes}"
    )
    return Choice(_plain(chosen), reason, "Change it with --student MODEL or --device-budget 5MB.")


def teacher(facts: Facts, problem: Callable[[str], str | None] = hub_problem) -> Choice:
    """The strongest teacher whose weights can be had and whose pass is short; if all take long, the quickest of them.

    `problem` says why the hub cannot give a model's weights (None: it can). A silent hub is asked once.
    """
    rungs = {name: rung(name) for name in TEACHERS}
    minutes = {name: facts.teaching_minutes(one) for name, one in rungs.items()}
    short = [name for name in TEACHERS if minutes[name] <= MINUTES_OF_TEACHING]
    long = sorted((name for name in TEACHERS if name not in short), key=minutes.__getitem__)
    why, silent = list[str](), ""
    for name in (*short, *long):
        package = installed_for(name)
        if silent and not package:
            continue
        if found := None if package else problem(name):
            silent = found if unreachable(found) else ""
            why.append(silent or f"{name} cannot be had: {found}")
            continue
        why.append(f"its weights are installed ({package.name})" if package else "the hub has its weights")
        why += _about_time(name, minutes, facts.computes)
        size = facts.teacher_size(rungs[name])
        return Choice(name, "; ".join(why), CHANGE_TEACHER, None if size == rungs[name].image_size else size)
    change = "Arms with a teacher are left out: connect, pip install 'azeotrope[demo]', or name one with --teacher."
    return Choice(None, "; ".join(why), change)


def _about_time(name: str, minutes: Mapping[str, float], computes: str) -> list[str]:
    """Whether the pass of the chosen teacher is long, or else which stronger one's would have been."""
    if minutes[name] > MINUTES_OF_TEACHING:
        return [f"it is the quickest of them, and takes about {minutes[name]:,.0f} min on {computes}"]
    stronger = TEACHERS[: TEACHERS.index(name)]
    slow = [each for each in stronger if minutes[each] > MINUTES_OF_TEACHING]
    return [f"{each} would take {minutes[each]:,.0f} min on {computes}" for each in slow[-1:]]


def _for_device(budget: DeviceBudget) -> Choice:
    rungs = [rung(name) for name in STUDENTS]
    fitting = [one for one in rungs if budget.allows(one.parameters, one.macs)]
    if not fitting:
        least = min(rungs, key=lambda one: (one.parameters, one.macs))
        raise InputError(
            "No student of the short list fits the device",
            found=f"--device-budget {budget.said()}; the smallest, {_plain(least)}, has {_cost(least)}",
            next_step="name a smaller one with --student, or allow more",
        )
    chosen = max(fitting, key=lambda one: (one.parameters, one.macs))
    reason = f"it is the largest of a short list within {budget.said()}: {_cost(chosen)}"
    return Choice(_plain(chosen), reason, "Change it with --student MODEL (azeotrope list students).")


def _cost(one: Rung) -> str:
    megabytes, macs = one.parameters * 4 / 1e6, one.macs / 1e6
    return f"{megabytes:.1f} MB of 32-bit weights and {macs:,.0f}M MACs at {one.image_size} pixels"


def _plain(one: Rung) -> str:
    return one.name.removeprefix("timm:")


def _side(source: Source, reading: Reading) -> int:
    sides = list(_sides(source, reading))
    return round(median(sides)) if sides else STEP


def _sides(source: Source, reading: Reading) -> Iterator[int]:
    """The longer sides of a few pictures, evenly spread; what cannot be read is told of when all are read."""
    step = max(1, len(source.items) // LOOKED_AT)
    for place in range(0, len(source.items), step):
        try:
            yield max(decode(source.read(place), reading, own=True).pixels.shape[:2])
        except (Unreadable, OSError, ValueError):
            continue
