"""The shape of advice: what is recommended, what it will reach and cost, what would change it, and the runs behind it.

Small frozen records without logic; `recommend` fills them. Errors are fractions, images counts, seconds of one run.
Every number carries the ids of the runs it was computed from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from azeotrope.advice.needs.price import Cost
from azeotrope.record.interval import Interval
from azeotrope.record.labelled_images import Division
from azeotrope.record.result import Result
from azeotrope.tables.units import Unit

RunIds = tuple[str, ...]


@dataclass(frozen=True)
class ProposedRun:
    """Runs that would settle what is open: `seeds` more paired seeds of these contenders at `train_images`."""

    contenders: tuple[str, ...]
    train_images: float
    seeds: int
    variance_removed: float | None = None


@dataclass(frozen=True)
class Recommendation:
    """One sentence first. `arm` and `student` are None when the evidence does not allow a recommendation.

    `images` are those that train; `division` says of how many labelled ones, None where the user counts training images
    or named no number. `reason` says why this one, or why none; `settled_by` the runs that would settle it, empty when
    it is settled.
    """

    sentence: str
    contender: str | None
    arm: str | None
    student: str | None
    images: float
    reason: str
    settled_by: tuple[ProposedRun, ...] = ()
    division: Division | None = None


@dataclass(frozen=True)
class PredictedError:
    """Test error of `contender` at `at` training images; without a recommendation, of the one that leads."""

    contender: str
    at: float
    error: Interval
    run_ids: RunIds


@dataclass(frozen=True)
class WinChance:
    """Probability that `contender` has a lower error at `at` images than `against`, and than all others (`p_best`).

    `p_near_best`: that its error is within `practical` of the lowest, whichever that is.
    """

    contender: str
    against: str | None
    at: float
    p: float | None
    p_best: float
    p_near_best: float
    practical: float
    run_ids: RunIds


@dataclass(frozen=True)
class RunnerUp:
    """The next best within the limits. `margin` is its error minus that of the first."""

    contender: str
    error: Interval
    margin: Interval
    cost: Cost | None
    run_ids: RunIds


@dataclass(frozen=True)
class LabelsNeeded:
    """Images that `contender` needs for `target` error, as the user counts them (`counted`): all that are labelled, or
    those that train. `images` may be infinite, `value` is None beyond 5 x the data; `train_images` are those of them
    that train. `p_reachable` is the probability that the images that are reachable suffice; None when the user named
    none.
    """

    contender: str
    target: float
    value: float | None
    images: Interval
    p_never: float
    p_reachable: float | None
    warnings: tuple[str, ...]
    run_ids: RunIds
    train_images: Interval | None = None
    counted: str = "training images"


@dataclass(frozen=True)
class WorthInImages:
    """At `at` training images `challenger` reaches what `baseline` needs `images` for: what `of` is worth, as a
    multiple too.
    """

    of: str
    challenger: str
    baseline: str
    at: float
    value: float | None
    images: Interval
    times: Interval
    p_never: float
    run_ids: RunIds


Changing = Literal["images", "limit", "teacher_price", "published_weights", "more_runs"]


@dataclass(frozen=True)
class Bounds:
    """A number of images with 90 % bounds; what is not known is None."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Change:
    """Something that would change the answer, in a sentence; `to`: the contender it would change to, where known.

    The sentence's numbers: `what` changes, `more` or fewer of it, the `images` at which (an end that is None is not
    bounded), the `error` that `to` would have, and the probability `p` that it is better.
    """

    sentence: str
    to: str | None
    run_ids: RunIds
    what: Changing
    more: bool | None = None
    images: Bounds | None = None
    error: Interval | None = None
    p: float | None = None


@dataclass(frozen=True)
class NotTested:
    """What these runs cannot speak of, and why."""

    what: str
    reason: str


@dataclass(frozen=True)
class ContenderEvidence:
    """One contender as these runs show it. `error` and `p_best` (among those within the limits) at the user's images.

    `excluded` says why it was not eligible; None when it was.
    """

    contender: str
    student: str
    arm: str
    parameters: float | None
    latency_ms: float | None
    size_mb: float | None
    sizes: tuple[float, ...]
    seeds: int
    error: Interval | None
    p_best: float | None
    cost: Cost | None
    excluded: str | None
    run_ids: RunIds


@dataclass(frozen=True)
class EvidenceSummary:
    """What all of it rests on. `laws`: weight of each law in the draws; `left_out`: rows not used, by reason."""

    task: str
    runs: int
    contenders: tuple[ContenderEvidence, ...]
    laws: Mapping[str, float]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    left_out: Mapping[str, int]
    measure: str = "error"
    unit: Unit = "fraction"


@dataclass(frozen=True, repr=False)
class Advice(Result):
    """The answer of `azeotrope advise`; its JSON document has these keys, `schema`, and no others."""

    shown_as: ClassVar[str] = "advice"

    recommendation: Recommendation
    predicted_error: PredictedError | None
    p_win: WinChance | None
    cost: Cost | None
    runner_up: RunnerUp | None
    labels_needed: tuple[LabelsNeeded, ...]
    worth_in_images: tuple[WorthInImages, ...]
    would_change_if: tuple[Change, ...]
    not_tested: tuple[NotTested, ...]
    evidence: EvidenceSummary
