"""`azeotrope.check`: what a person should know before training: what is wrong with the images, what is feasible
here, how long it takes.

Rates are measured in a trial of seconds on this machine; the forecast is arithmetic on them and on the plan.
"""

from __future__ import annotations

from dataclasses import dataclass

from azeotrope.data.audit import Audit, audit
from azeotrope.data.task import RefusedSet
from azeotrope.models.device import choose
from azeotrope.session.forecast import Forecast, Rates, forecast, measure
from azeotrope.session.progress import Progress
from azeotrope.session.workshop import Request, open_workshop


@dataclass(frozen=True)
class Check:
    """The audit, the rates of this machine, and the forecast.

    Of a set that makes no task there is the audit only, and `refusal` says why: that is when it is needed most.
    """

    audit: Audit
    device: str
    precision: str
    rates: Rates | None
    forecast: Forecast | None
    refusal: str | None = None


def check(request: Request, progress: Progress | None = None) -> Check:
    """Audit the images and forecast the comparison that `request` describes. Nothing is written but the cache.

    Raises InputError for input that `compare` would refuse too, but for images that were read and make no task: these
    are audited, with the refusal beside.
    """
    try:
        workshop = open_workshop(request, progress)
    except RefusedSet as refused:
        device = choose(request.precision)
        found = audit(refused.manifest, refused.source)
        return Check(found, device.name, device.precision, None, None, str(refused))
    rates = measure(workshop)
    return Check(
        audit(workshop.task.manifest, workshop.task.source, workshop.task.near, workshop.task.splits),
        workshop.resources.device.name,
        workshop.resources.device.precision,
        rates,
        forecast(workshop, rates),
    )
