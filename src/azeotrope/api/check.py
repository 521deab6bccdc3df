"""`azeotrope.check`: what a person should know before training: what is wrong with the images, what is feasible
here, how long it takes.

Rates are measured in a trial of seconds on this machine; the forecast is arithmetic on them and on the plan.
"""

from __future__ import annotations

from dataclasses import dataclass

from azeotrope.data.audit import Audit, audit
from azeotrope.session.forecast import Forecast, Rates, forecast, measure
from azeotrope.session.progress import Progress
from azeotrope.session.workshop import Request, open_workshop


@dataclass(frozen=True)
class Check:
    """The audit, the rates of this machine, and the forecast."""

    audit: Audit
    device: str
    precision: str
    rates: Rates
    forecast: Forecast


def check(request: Request, progress: Progress | None = None) -> Check:
    """Audit the images and forecast the comparison that `request` describes. Nothing is written but the cache.

    Raises InputError for input that `compare` would refuse too.
    """
    workshop = open_workshop(request, progress)
    rates = measure(workshop)
    return Check(
        audit(workshop.task.manifest, workshop.task.source),
        workshop.resources.device.name,
        workshop.resources.device.precision,
        rates,
        forecast(workshop, rates),
    )
