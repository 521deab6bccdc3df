"""Is arm a better than arm b? BEATS, DOES NOT BEAT or INCONCLUSIVE, from paired seeds (docs/verdicts.md).

It compares two arms at one size on one task, and never concludes from fewer than three trainings of each: seeds, or
seeds times folds. What several pairs of one page do to each other (a common variance, a page-wise error) is `page`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import optimize, special

from azeotrope.record.clusters import by_class, by_cluster, half_wrong_by_class, hidden_variance, widened
from azeotrope.record.folds import PooledRun, parts_of
from azeotrope.record.interval import Interval
from azeotrope.record.kinds import words_of
from azeotrope.record.run import RunRecord
from azeotrope.verdicts.differences import Differences, by_seed, error_of, of_records, wrong
from azeotrope.verdicts.folded import Folded, folded
from azeotrope.verdicts.moderated import Common
from azeotrope.verdicts.more_seeds import seeds_needed
from azeotrope.verdicts.paired import bootstrap_sd, normal_interval, t_interval, widen

FEWEST_SEEDS = 3
LEVEL = 0.95
_LEAST_P = 1e-12

Call = Literal["BEATS", "DOES NOT BEAT", "INCONCLUSIVE"]


@dataclass(frozen=True)
class Verdict:
    """`difference` is mean test error of `a` minus that of `b`, as a fraction: below zero, a is better.

    It joins two sources of error, given apart: `over_seeds` (t interval; None below two pairs) and `over_test_images`
    (None where nothing is known of it; the verdict then rests on the seeds alone, and says so). `difference` is None
    when no seed has both arms. `p` is the smallest error rate at which the interval excludes zero. `seeds_needed` is
    the number of paired seeds that would probably settle what is INCONCLUSIVE; None where none within reach would, or
    where it is settled. Over `folds` the two sources are one (`verdicts.folded`), and seeds alone settle nothing.
    """

    a: str
    b: str
    verdict: Call
    difference: Interval | None
    seeds: tuple[int, ...]
    reason: str
    over_seeds: Interval | None = None
    over_test_images: Interval | None = None
    p: float | None = None
    seeds_needed: int | None = None
    folds: int | None = None

    @property
    def trainings(self) -> int:
        """How often each arm was trained: once a seed and fold."""
        return len(self.seeds) * (self.folds or 1)


def verdict(a: Sequence[RunRecord], b: Sequence[RunRecord]) -> Verdict:
    """Compare the runs of two arms alone, one run a seed; failed runs do not take part.

    BEATS when the 95 % interval of the difference lies wholly below zero, DOES NOT BEAT when wholly above, else
    INCONCLUSIVE. Raises InputError when the runs are of several arms, tasks, sizes or test sets, or repeat a seed.
    """
    return judge(of_records(a, b))


def judge(found: Differences, common: Common | None = None, level: float = LEVEL) -> Verdict:
    """The verdict on one pair at `level`; `common` is what the other pairs of its page say of the spread."""
    if not found.seeds:
        return Verdict(found.a, found.b, "INCONCLUSIVE", None, (), "no seed has a finished run of both arms")
    if found.folded is not None:
        return _over_folds(found, found.folded, level)
    value, spread, images = found.mean, found.spread, found.image_variance or 0.0
    over_images = None if found.image_variance is None else normal_interval(value, images**0.5, level)
    if spread is None:
        reason = _too_few(1) + found.uncounted
        return Verdict(
            found.a, found.b, "INCONCLUSIVE", Interval(value, -1.0, 1.0, level), found.seeds, reason, None, over_images
        )
    variance, freedom = (spread.variance, float(spread.freedom)) if common is None else common.moderate(spread)
    of_mean = variance / len(found.seeds)
    half = float(special.stdtrit(freedom, (1 + level) / 2)) * of_mean**0.5
    over_seeds = Interval(value, value - half, value + half, level)
    parts = [part for part in (over_seeds, over_images) if part is not None]
    difference = widen(value, parts, low=-1.0, high=1.0, level=level)
    call = _call(difference, len(found.seeds))
    needed = None
    if call == "INCONCLUSIVE":
        needed = seeds_needed(value, variance, freedom, images, len(found.seeds), level)
    reason = _reason(call, difference, len(found.seeds)) + found.uncounted + (_BOUND if found.bound else "")
    return Verdict(
        found.a,
        found.b,
        call,
        difference,
        found.seeds,
        reason,
        over_seeds,
        over_images,
        _p(value, of_mean, freedom, images),
        needed,
    )


def _over_folds(found: Differences, folds: Folded, level: float) -> Verdict:
    """The verdict on one pair whose runs are of folds."""
    value, trainings = found.mean, found.trainings
    half = folds.half(level)
    difference = Interval(value, max(-1.0, value - half), min(1.0, value + half), level)
    call = _call(difference, trainings)
    reason = _reason(call, difference, len(found.seeds), folds.folds) if np.isfinite(half) else _ONE_DRAW
    return Verdict(
        found.a,
        found.b,
        call,
        difference,
        found.seeds,
        reason + found.uncounted,
        p=folds.p(value),
        folds=folds.folds,
    )


def call_of(value: float, p: float, trainings: int, level: float = LEVEL) -> Call:
    """The call that an error rate `p` allows."""
    if trainings < FEWEST_SEEDS or p >= 1 - level:
        return "INCONCLUSIVE"
    return "BEATS" if value < 0 else "DOES NOT BEAT"


def arm_error(runs: Sequence[RunRecord]) -> Interval | None:
    """Mean test error of one arm over its seeds, with the 95 % interval over seeds and over test images.

    [0, 1] around the value when there is one seed only, which says nothing of the spread; None when no run finished.
    """
    done = list(by_seed(runs, "the arm").values())
    if not done:
        return None
    if isinstance(done[0], PooledRun):
        return _error_over_folds(done)
    errors = np.array([error_of(run) for run in done])
    value, over_seeds = float(errors.mean()), t_interval(errors, LEVEL)
    if over_seeds is None:
        return Interval(value, 0.0, 1.0, LEVEL)
    return widen(
        value, [over_seeds, normal_interval(value, _test_sd(done, value), LEVEL)], low=0.0, high=1.0, level=LEVEL
    )


def _error_over_folds(runs: Sequence[RunRecord]) -> Interval:
    """Mean test error of one arm over folds and seeds."""
    outcomes = [run.correctness() for run in runs]
    known = all(outcome is not None for outcome in outcomes)
    by_fold = np.array([[error_of(part) for part in parts_of(run)] for run in runs])
    found = folded(runs, by_fold, np.array([wrong(outcome) for outcome in outcomes]) if known else None)
    value = float(np.mean([error_of(run) for run in runs]))
    half = found.half(LEVEL)
    return Interval(value, max(0.0, value - half), min(1.0, value + half), LEVEL)


def error_interval(errors: Sequence[float], images: int | None) -> Interval:
    """The same from one arm's `errors` alone, with the number of test images where that is known."""
    value, over_seeds = float(np.mean(errors)), t_interval(errors, LEVEL)
    if over_seeds is None:
        return Interval(value, 0.0, 1.0, LEVEL)
    sampled = normal_interval(value, (value * (1 - value) / images) ** 0.5 if images else 0.0, LEVEL)
    return widen(value, [over_seeds, sampled], low=0.0, high=1.0, level=LEVEL)


def _test_sd(runs: list[RunRecord], error: float) -> float:
    """Standard error that the test set's size gives: from per-image outcomes, else binomial, else none is known."""
    outcomes = [run.correctness() for run in runs]
    images = runs[0].test_images if words_of(runs[0].measure).sampled else None
    classes = runs[0].test_labels()
    if images and error in (0, 1):  # no image differs from another: half a wrong one stands in
        return float(np.sqrt(0.5) / images) if classes is None else half_wrong_by_class(classes)
    if all(outcome is not None for outcome in outcomes):
        per_image, clusters = np.mean([wrong(outcome) for outcome in outcomes], axis=0), runs[0].test_clusters()
        hidden = 0.0 if classes is None else hidden_variance(per_image, classes)
        if classes is not None:
            per_image = by_class(per_image, classes)
        if clusters is None:
            return float(np.hypot(bootstrap_sd(per_image), hidden**0.5))
        by_group = by_cluster(per_image, clusters)
        return float(np.hypot(widened(len(by_group)) * bootstrap_sd(by_group), hidden**0.5))
    return float(np.sqrt(error * (1 - error) / images)) if images else 0.0


def _p(value: float, of_mean: float, freedom: float, images: float) -> float:
    """The error rate at which the half width equals the difference."""

    def excess(log_p: float) -> float:
        tail = np.exp(log_p) / 2
        student, normal = special.stdtrit(freedom, tail), special.ndtri(tail)
        return float(student**2 * of_mean + normal**2 * images - value**2)

    low = float(np.log(_LEAST_P))
    if of_mean + images == 0:
        return _LEAST_P if value else 1.0
    if excess(low) <= 0:
        return _LEAST_P
    return float(np.exp(optimize.brentq(excess, low, 0.0))) if value else 1.0


def _call(difference: Interval, trainings: int) -> Call:
    if trainings < FEWEST_SEEDS or difference.low <= 0 <= difference.high:
        return "INCONCLUSIVE"
    return "BEATS" if difference.high < 0 else "DOES NOT BEAT"


_BOUND = "; test images are counted at the most they can add, for the runs do not hold which were wrong"


_ONE_DRAW = (
    "1 paired seed, and all folds train on one draw of few images: a verdict needs 2 seeds, which draw other ones"
)


def _too_few(seeds: int, folds: int | None = None) -> str:
    over = f" of {folds} folds" if folds else ""
    return f"{seeds} paired seed{'s' if seeds > 1 else ''}{over}; a verdict needs {FEWEST_SEEDS}" + (
        " trainings of each arm" if folds else ""
    )


def _reason(call: Call, difference: Interval, seeds: int, folds: int | None = None) -> str:
    if seeds * (folds or 1) < FEWEST_SEEDS:
        return _too_few(seeds, folds)
    side = {"BEATS": "lies below", "DOES NOT BEAT": "lies above", "INCONCLUSIVE": "contains"}[call]
    ends = f"{100 * difference.low:+.2f} to {100 * difference.high:+.2f} points"
    level = f"{100 * difference.level:.3g} %"
    return f"the {level} interval of the difference, {ends}, {side} zero ({_counted(seeds, folds)})"


def _counted(seeds: int, folds: int | None) -> str:
    said = f"{seeds} paired seed{'' if seeds == 1 else 's'}"
    return said if folds is None else f"{folds} folds, {said} of each"
