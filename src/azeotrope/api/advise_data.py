"""Advice from images instead of runs: a sweep makes the runs that decide, then `advise` reads them. It needs torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

from azeotrope.advice.answer import Advice
from azeotrope.advice.needs.limits import Needs
from azeotrope.api.advise import advise
from azeotrope.api.sweep import sweep
from azeotrope.labels import ONE_CLASS, LabelSpec
from azeotrope.plan import TeacherSpec
from azeotrope.record.labelled_images import divided
from azeotrope.record.storage.store import expanded
from azeotrope.session.options import Machine
from azeotrope.session.progress import Progress
from azeotrope.spec import validated
from azeotrope.sweeping.budget import Budget
from azeotrope.sweeping.plans.sweep_plan import SweepPlan
from azeotrope.sweeping.status import View


def advise_data(
    data: str,
    needs: Needs | None = None,
    *,
    students: Sequence[str],
    teachers: Sequence[str | TeacherSpec] = (),
    budget: str | None = None,
    out: str | Path,
    labels: LabelSpec = ONE_CLASS,
    progress: Progress | None = None,
    view: View | None = None,
    judging: Mapping[str, Any] | None = None,
    **machine: Unpack[Machine],
) -> Advice:
    """Plan and make the runs on `data` that decide for these needs, the pilot and what the rule asks for; then advise.

    `budget` as `azeotrope sweep` takes it ("1h", "40 runs", or money at the needs' hourly price); without one the rule
    alone says when it is enough. `labels` says what a label is, where that is not one class an image. Runs are kept in
    `out`, so that the same call goes on where it was interrupted; `machine` as in `sweep`. `judging` are further
    options of `advise`: `practical`, `draws`, `seed`. Raises what `sweep` and `advise` raise.
    """
    needs, out = needs or Needs(), expanded(out)
    content = {
        "data": data,
        "labels": labels,
        "students": list(students),
        "teachers": list(teachers),
        "at": _train_images(needs),
        "budget": _budget(budget, needs),
    }
    sweep(validated(SweepPlan, content, what=f"plan for {data}"), out=out, progress=progress, view=view, **machine)
    return advise(str(out), needs, **(judging or {}))


def _budget(text: str | None, needs: Needs) -> Budget:
    """The budget; the price of an hour is for one that names money."""
    return Budget() if text is None else Budget.parse(text, needs.hourly_price)


def _train_images(needs: Needs) -> int | None:
    """The size that the sweep decides at; None: all images that `data` has to train on."""
    if needs.at is not None:
        return round(needs.at)
    return None if needs.images is None else divided(round(needs.images)).train
