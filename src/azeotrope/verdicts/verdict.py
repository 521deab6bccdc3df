"""Is arm a better than arm b? BEATS, DOES NOT BEAT or INCONCLUSIVE, from paired seeds (METHOD 1).

It compares two arms at one size on one task. It corrects for no multiple comparisons, and it never concludes from
fewer than three seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from azeotrope.errors import InputError
from azeotrope.record.interval import Interval
from azeotrope.record.kinds import WORDS
from azeotrope.record.run import RunRecord
from azeotrope.verdicts.paired import bootstrap_sd, normal_interval, t_interval, widen

FEWEST_SEEDS = 3
LEVEL = 0.95

Call = Literal["BEATS", "DOES NOT BEAT", "INCONCLUSIVE"]


@dataclass(frozen=True)
class Verdict:
    """`difference` is mean test error of `a` minus that of `b`, as a fraction: below zero, a is better.

    It joins two sources of error, given apart: `over_seeds` (t interval; None below two pairs) and `over_test_images`
    (paired bootstrap; None when the records hold no per-image correctness, as with kinds of task in which an answer is
    not simply right: the verdict then rests on the seeds alone, and says so). It is None when no seed has both arms.
    """

    a: str
    b: str
    verdict: Call
    difference: Interval | None
    seeds: tuple[int, ...]
    reason: str
    over_seeds: Interval | None = None
    over_test_images: Interval | None = None


def verdict(a: Sequence[RunRecord], b: Sequence[RunRecord]) -> Verdict:
    """Compare the runs of two arms, one run a seed; failed runs do not take part.

    BEATS when the 95 % interval of the difference lies wholly below zero, DOES NOT BEAT when wholly above, else
    INCONCLUSIVE. Raises InputError when the runs are of several arms, tasks, sizes or test sets, or repeat a seed.
    """
    runs_a, runs_b = _by_seed(a, "a"), _by_seed(b, "b")
    _refuse_different([*a, *b])
    names = (a[0].arm, b[0].arm)
    seeds = tuple(sorted(runs_a.keys() & runs_b.keys()))
    if not seeds:
        return Verdict(*names, "INCONCLUSIVE", None, (), "no seed has a finished run of both arms")
    pairs = [(runs_a[seed], runs_b[seed]) for seed in seeds]
    deltas = np.array([_error(left) - _error(right) for left, right in pairs])
    value = float(deltas.mean())
    over_seeds, over_images = t_interval(deltas, LEVEL), _over_test_images(pairs, value)
    parts = [part for part in (over_seeds, over_images) if part is not None]
    unknown = Interval(value, -1.0, 1.0, LEVEL)
    difference = widen(value, parts, low=-1.0, high=1.0, level=LEVEL) if over_seeds else unknown
    call = _call(difference, len(seeds))
    reason = _reason(call, difference, len(seeds), _uncounted(pairs[0][0]) if over_images is None else "")
    return Verdict(*names, call, difference, seeds, reason, over_seeds, over_images)


def arm_error(runs: Sequence[RunRecord]) -> Interval | None:
    """Mean test error of one arm over its seeds, with the 95 % interval over seeds and over test images.

    [0, 1] around the value when there is one seed only, which says nothing of the spread; None when no run finished.
    """
    done = list(_by_seed(runs, "the arm").values())
    if not done:
        return None
    errors = np.array([_error(run) for run in done])
    value, over_seeds = float(errors.mean()), t_interval(errors, LEVEL)
    if over_seeds is None:
        return Interval(value, 0.0, 1.0, LEVEL)
    return widen(
        value, [over_seeds, normal_interval(value, _test_sd(done, value), LEVEL)], low=0.0, high=1.0, level=LEVEL
    )


def _by_seed(runs: Sequence[RunRecord], name: str) -> dict[int, RunRecord]:
    if not runs:
        raise InputError(f"A verdict needs runs of both arms; {name} has none", next_step="check the names of the arms")
    arms = sorted({run.arm for run in runs})
    if len(arms) > 1:
        raise InputError(f"{name} must be one arm", found=", ".join(arms), next_step="pass the runs of one arm")
    done = [run for run in runs if run.state == "done" and run.test_error is not None]
    by_seed = {run.seed: run for run in done}
    if len(by_seed) < len(done):
        raise InputError(
            f"Each seed of {arms[0]} may have one run",
            found=f"{len(done)} runs of seeds {', '.join(map(str, sorted(by_seed)))}",
            next_step="pass the runs of one student, recipe and size",
        )
    return by_seed


def _refuse_different(runs: Sequence[RunRecord]) -> None:
    """Arms are comparable on the same task, size and test images only."""
    shared: dict[str, set[str | int]] = {
        "task": {run.task.fingerprint for run in runs},
        "train_images": {run.train_images for run in runs},
        "number of test images": {run.test_images for run in runs if run.test_images is not None},
    }
    for what, values in shared.items():
        if len(values) > 1:
            raise InputError(
                f"Both arms of a verdict must share one {what}",
                found=", ".join(sorted(map(str, values))),
                next_step="compare runs made by one `azeotrope compare`, or filter the runs",
            )


def _error(run: RunRecord) -> float:
    assert run.test_error is not None  # _by_seed kept runs with an outcome only
    return run.test_error


def _over_test_images(pairs: list[tuple[RunRecord, RunRecord]], value: float) -> Interval | None:
    """Sampling of the test set: both arms see the same images, so images are resampled with both arms' outcomes."""
    outcomes = [(left.correctness(), right.correctness()) for left, right in pairs]
    if any(left is None or right is None for left, right in outcomes):
        return None
    advantage = np.mean([_wrong(left) - _wrong(right) for left, right in outcomes], axis=0)
    return normal_interval(value, bootstrap_sd(advantage), LEVEL)


def _wrong(correct: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    assert correct is not None
    return np.asarray(~correct, dtype=np.float64)


def _test_sd(runs: list[RunRecord], error: float) -> float:
    """Standard error that the test set's size gives: from per-image outcomes, else binomial, else none is known."""
    outcomes = [run.correctness() for run in runs]
    images = runs[0].test_images if WORDS[runs[0].task.kind].sampled else None
    if images and error in (0, 1):  # no image differs from another: half a wrong one stands in (METHOD 12)
        return float(np.sqrt(0.5) / images)
    if all(outcome is not None for outcome in outcomes):
        return bootstrap_sd(np.mean([_wrong(outcome) for outcome in outcomes], axis=0))
    return float(np.sqrt(error * (1 - error) / images)) if images else 0.0


def _call(difference: Interval, seeds: int) -> Call:
    if seeds < FEWEST_SEEDS or difference.low <= 0 <= difference.high:
        return "INCONCLUSIVE"
    return "BEATS" if difference.high < 0 else "DOES NOT BEAT"


def _uncounted(run: RunRecord) -> str:
    """Why the sampling of test images is no part of the interval."""
    words = WORDS[run.task.kind]
    why = "the records hold no correctness" if words.sampled else f"{words.error} is no mean over images"
    return f"; sampling of test images is not counted: {why}"


def _reason(call: Call, difference: Interval, seeds: int, uncounted: str) -> str:
    if seeds < FEWEST_SEEDS:
        said = f"{seeds} paired seed{'s' if seeds > 1 else ''}; a verdict needs {FEWEST_SEEDS}"
    else:
        side = {"BEATS": "lies below", "DOES NOT BEAT": "lies above", "INCONCLUSIVE": "contains"}[call]
        ends = f"{100 * difference.low:+.2f} to {100 * difference.high:+.2f} points"
        said = f"the 95 % interval of the difference, {ends}, {side} zero ({seeds} paired seeds)"
    return said + uncounted
