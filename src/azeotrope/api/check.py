"""`azeotrope.check`: what a person should know before training: what is wrong with the images, what is feasible
here, how long it takes.

Rates are measured in a trial of seconds on this machine; the forecast is arithmetic on them and on the plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from azeotrope.data.auditing.audit import Audit, audit
from azeotrope.data.task import RefusedSet
from azeotrope.devices.choice import choose
from azeotrope.errors import RunFailed
from azeotrope.plan import TeacherSpec
from azeotrope.session.comparisons.comparison_plan import comparison_plan
from azeotrope.session.findings import suspecting
from azeotrope.session.findings.about_folds import fold_hint
from azeotrope.session.findings.cautions import unequal_classes
from azeotrope.session.findings.suspecting import SuspectLabels
from azeotrope.session.forecast import Forecast, Rates, forecast, measure
from azeotrope.session.opening import open_plan
from azeotrope.session.options import Options, parted
from azeotrope.session.progress import Progress, Silent


@dataclass(frozen=True)
class Check:
    """The audit, the rates of this machine, and the forecast. `device` is what was tried: of several cards, the first.

    Of a set that makes no task there is the audit only, and `refusal` says why: that is when it is needed most. It also
    says why there is no list of suspect labels where one was asked for. `hints` are sentences on what `compare` could
    do otherwise with these images.
    """

    audit: Audit
    device: str
    precision: str
    rates: Rates | None
    forecast: Forecast | None
    refusal: str | None = None
    suspect_labels: SuspectLabels | None = None
    hints: tuple[str, ...] = ()


def check(
    data: str | Path,
    *,
    student: str,
    teacher: str | TeacherSpec | None = None,
    train_images: int | Sequence[int] | None = None,
    arms: str | Sequence[str] | None = None,
    seeds: int | Sequence[int] = 3,
    suspect_labels: str | Path | None = None,
    progress: Progress | None = None,
    **options: Unpack[Options],
) -> Check:
    """Audit the images and forecast the comparison that `compare` would make of the same words. Nothing is written but
    the cache and, where it is asked, `suspect_labels`: a new CSV file of the training and validation images whose label
    the teacher contradicts, without having seen it. Nothing is left out because of it.

    Raises InputError for input that `compare` would refuse too, but for images that were read and make no task: these
    are audited, with the refusal beside; so is a teacher that may not teach, where suspect labels were asked for.
    Raises StoreError where their file cannot be written.
    """
    asked, machine = parted(options)
    plan = comparison_plan(
        data, student=student, teacher=teacher, train_images=train_images, arms=arms, seeds=seeds, **asked
    )
    listed = None if suspect_labels is None else suspecting.new_list(suspect_labels, plan)
    progress = progress or Silent()
    try:
        opened = open_plan(plan, progress, machine)
    except RefusedSet as refused:
        device = choose(plan.precision, machine.get("device", "auto"), several=True)
        found = audit(refused.manifest, refused.source)
        return Check(found, device.called, device.precision, None, None, str(refused))
    rates, device = measure(opened), opened.resources.device
    suspects, refusal = None, None
    if listed is not None:
        try:
            suspects = suspecting.suspect_labels(opened, listed, progress)
        except RunFailed as failed:  # the gate: audit and forecast stand all the same
            refusal = f"No suspect labels: {failed}"
    return Check(
        audit(opened.task.manifest, opened.task.source, opened.task.near, opened.task.splits),
        f"{device.name}, one of {device.shares} that share every batch" if device.cards else device.name,
        device.precision,
        rates,
        forecast(opened, rates),
        refusal,
        suspects,
        (*fold_hint(opened.task), *unequal_classes(opened.tasks, next(iter(opened.comparison.recipes.values())))),
    )
