"""What one run of a contender takes at the user's number of images: seconds, money, and what others paid before.

Read off the runs' own seconds by phase, interpolated in logs over sizes. It forecasts no error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from azeotrope.advice.evidence import PHASE, Contender
from azeotrope.advice.needs.limits import Needs
from azeotrope.curves.cells import Floats
from azeotrope.record.interval import Interval

TEACHER_PHASES = ("teacher", "head")
SHARED_PHASES = (*TEACHER_PHASES, "generate", "pretrain")
LEVEL = 0.9


@dataclass(frozen=True)
class Cost:
    """Of one run at `at` images. `seconds` as the user pays them, `seconds_alone` with nothing shared or paid before.

    `seconds` has an interval over repeats (a run to be made); its ends equal the value where no size has two runs.
    `money` is None without an hourly price. `pretraining_seconds`: the published pre-training of the weights
    that a contender starts from, at the rate of these runs, counted in neither; None where either is not known.
    """

    contender: str
    at: float
    seconds: Interval
    seconds_alone: float
    by_phase: dict[str, float]
    money: Interval | None
    hourly_price: float | None
    pretraining_seconds: float | None
    extrapolated: bool
    run_ids: tuple[str, ...]


def cost(contender: Contender, at: float, needs: Needs) -> Cost | None:
    """The cost at `at` images; None when the runs hold no seconds.

    Beyond the sizes run, the trend of the two nearest sizes is continued.
    """
    if contender.spent.is_empty():
        return None
    sizes = contender.spent["train_images"].to_numpy()
    phases = [name for name in contender.spent.columns if name != "train_images"]
    alone = contender.spent.select(phases).to_numpy().astype(float)
    charged = alone * [_share(name.removeprefix(PHASE), needs) for name in phases]
    seconds = _forecast(sizes, charged.sum(axis=1), at)
    money = None
    if needs.hourly_price is not None:
        hourly = needs.hourly_price / 3600
        money = Interval(seconds.value * hourly, seconds.low * hourly, seconds.high * hourly, seconds.level)
    by_phase = {
        name.removeprefix(PHASE): _forecast(sizes, column, at).value
        for name, column in zip(phases, charged.T, strict=True)
        if column.any()
    }
    rate, published = contender.images_per_second, contender.published_images
    return Cost(
        contender=contender.name,
        at=at,
        seconds=seconds,
        seconds_alone=_forecast(sizes, alone.sum(axis=1), at).value,
        by_phase=by_phase,
        money=money,
        hourly_price=needs.hourly_price,
        pretraining_seconds=published / rate if rate and published else None,
        extrapolated=not sizes.min() <= at <= sizes.max(),
        run_ids=contender.run_ids,
    )


def _share(phase: str, needs: Needs) -> float:
    """What this user pays of a phase."""
    if phase in TEACHER_PHASES and needs.teacher_exists:
        return 0.0
    return 1 / needs.students_sharing if phase in SHARED_PHASES else 1.0


def _forecast(sizes: Floats, seconds: Floats, at: float) -> Interval:
    """Seconds at `at` from runs of `sizes` [n] that took `seconds` [n], as `LEVEL` interval of one run to be made."""
    distinct, place, runs = np.unique(sizes, return_inverse=True, return_counts=True)
    log = np.log(np.maximum(seconds, 1e-9))
    mean = np.bincount(place, log) / runs
    value = float(np.exp(_at(np.log(distinct), mean, np.log(at))))
    freedom = int((runs - 1).sum())
    if not freedom:
        return Interval(value, value, value, LEVEL)
    variance = float(((log - mean[place]) ** 2).sum()) / freedom
    half = float(special.stdtrit(freedom, (1 + LEVEL) / 2)) * variance**0.5
    return Interval(value, value * float(np.exp(-half)), value * float(np.exp(half)), LEVEL)


def _at(x: Floats, y: Floats, at: float) -> float:
    """Piecewise linear through (x, y) [n], rising x; beyond the ends the last piece goes on."""
    if len(x) == 1:
        return float(y[0])
    place = int(np.clip(np.searchsorted(x, at) - 1, 0, len(x) - 2))
    slope = (y[place + 1] - y[place]) / (x[place + 1] - x[place])
    return float(y[place] + slope * (at - x[place]))
